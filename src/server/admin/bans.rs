//! The commands about people: who is known, who is banned, and banning them.

use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::commands::{Doing, gone};
use super::table::{Failure, Given};
use crate::account::mail::{Person, Roll};
use crate::base::ban::{Ban, Target};
use crate::base::clock::millis_up;
use crate::config::Engine;
use crate::server::bans::with_configured;
use crate::server::daemon::Daemon;
use crate::store::StoreError;
use crate::store::registry::Change;
use crate::throttle::bans::{Bans, CAPACITY};

/// Longest reason of a ban, in bytes: it goes into every goodbye.
const REASON_BYTES: usize = 200;
/// Most people in one answer.
const MOST_USERS: usize = 1_000;

pub(super) fn ban(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let now = daemon.parts.clock.unix_ms();
        let ban = read_ban(&given, now)?;
        let kept = keep(&daemon, Change::Ban(ban.clone())).await?;
        let answer = json!({
            "banned": ban.target.to_string(),
            "until": ban.until.map(shown),
            "reason": ban.reason.as_deref(),
            "kept": kept,
        });
        {
            let mut bans = daemon.server.bans.borrow_mut();
            bans.let_go(now);
            if !bans.set(ban) {
                return Err(format!("there are {CAPACITY} bans already: lift some").into());
            }
        }
        log::info!(target = answer["banned"].as_str(); "an administrator has banned somebody");
        enforce(&daemon).await?;
        Ok(answer)
    }
    .boxed_local()
}

fn read_ban(given: &Given, now: u64) -> Result<Ban, Failure> {
    let target = read_target(given)?;
    let until = match given.get("for").map(String::as_str) {
        None | Some("ever") => None,
        Some(text) => {
            let time = humantime::parse_duration(text).ok().filter(|time| !time.is_zero());
            let time = time.ok_or_else(|| {
                format!("{text:?} is no time: write it as 30min, 12h, 7days; or \"ever\"")
            })?;
            Some(now.saturating_add(millis_up(time)))
        }
    };
    let reason = given.get("reason").map(|reason| reason.trim()).filter(|one| !one.is_empty());
    if reason.is_some_and(|one| one.len() > REASON_BYTES || one.chars().any(char::is_control)) {
        let why = format!("REASON is one line of at most {REASON_BYTES} bytes");
        return Err(why.into());
    }
    Ok(Ban { target, reason: reason.map(Arc::from), since: now, until })
}

fn read_target(given: &Given) -> Result<Target, Failure> {
    let who = given.get("who").map(String::as_str).unwrap_or_default();
    Target::parse(who).ok_or_else(|| {
        format!("{who:?} is no address, no network such as 192.0.2.0/24, and no name").into()
    })
}

pub(super) fn unban(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let target = read_target(&given)?;
        if daemon.server.bans.borrow().find(&target).is_none() {
            let bans = with_configured(&Bans::default(), &daemon.loaded.borrow().config);
            let why = if bans.find(&target).is_some() {
                format!("{target} is banned by the configuration: take it out there, and reload")
            } else {
                format!("{target} is not banned; `bans` shows who is")
            };
            return Err(why.into());
        }
        keep(&daemon, Change::Unban(target.clone())).await?;
        daemon.server.bans.borrow_mut().lift(&target);
        log::info!(target = target.to_string().as_str(); "an administrator has lifted a ban");
        enforce(&daemon).await?;
        Ok(json!({"unbanned": target.to_string()}))
    }
    .boxed_local()
}

/// Stores a change; false if this server stores nothing.
async fn keep(daemon: &Daemon, change: Change) -> Result<bool, Failure> {
    if daemon.loaded.borrow().config.store.engine == Engine::Memory {
        return Ok(false);
    }
    let (told, done) = oneshot::channel();
    // If the session that asked is gone, nobody needs the answer.
    let told = Box::new(move |outcome| told.send(outcome).unwrap_or_default());
    daemon.server.store.registry().change(change, told);
    match done.await.unwrap_or(Err(StoreError::Unavailable)) {
        Ok(_) => Ok(true),
        Err(error) => Err(format!("it cannot be stored, and does not hold: {error}").into()),
    }
}

async fn enforce(daemon: &Daemon) -> Result<(), Failure> {
    let config = daemon.loaded.borrow().config.clone();
    if daemon.server.enforce(&config).await {
        return Ok(());
    }
    Err("a part of the server does not answer; it is ending, or see the log".to_owned().into())
}

pub(super) fn bans(daemon: Rc<Daemon>, _: Given) -> Doing {
    async move {
        let now = daemon.parts.clock.unix_ms();
        let kept = daemon.server.bans.borrow().clone();
        let all = with_configured(&kept, &daemon.loaded.borrow().config);
        let mut all: Vec<&Ban> = all.all(now).collect();
        all.sort_by_key(|ban| (ban.since, ban.target.to_string()));
        let row = |ban: &&Ban| {
            let by = if kept.find(&ban.target) == Some(*ban) { "command" } else { "configuration" };
            json!({
                "banned": ban.target.to_string(),
                "since": (ban.since > 0).then(|| shown(ban.since)),
                "until": ban.until.map(shown),
                "reason": ban.reason.as_deref(),
                "by": by,
            })
        };
        Ok(Value::Array(all.iter().map(row).collect()))
    }
    .boxed_local()
}

pub(super) fn users(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let prefix = given.get("prefix").map(|text| text.to_lowercase()).unwrap_or_default();
        let roll = Roll { prefix, most: MOST_USERS };
        let all = daemon.server.names.send(roll).await.map_err(gone)?;
        let now = daemon.parts.clock.unix_ms();
        let kept = daemon.server.bans.borrow();
        let bans = with_configured(&kept, &daemon.loaded.borrow().config);
        let row = |one: &Person| {
            let (who, name) = (&one.who, &one.who.name);
            json!({
                "name": name.as_str(),
                "guest": who.account.is_guest(),
                "admin": who.admin,
                "online": one.online,
                "banned": bans.name(name, now).is_some(),
            })
        };
        Ok(Value::Array(all.iter().map(row).collect()))
    }
    .boxed_local()
}

fn shown(unix_ms: u64) -> String {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}
