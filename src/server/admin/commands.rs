//! What the commands of `klatchd admin` do.

use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::table::{Answer, Failure, Given};
use crate::account::invitation;
use crate::directory::actor::Inventory;
use crate::reception::actor::{Glimpse, Kick, Sessions};
use crate::server::DATABASE;
use crate::server::daemon::{Daemon, Order};
use crate::server::identity::{ends_soon, remedy};
use crate::server::run::invitation_link;
use crate::store::StoreError;
use crate::store::registry::Change;
use crate::store::retention::{AccountUsage, RoomUsage};

pub(super) type Doing = LocalBoxFuture<'static, Answer>;

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1_000;

/// The longest time that clients can be told to stay away.
const LONGEST_DRAIN: u64 = 3_600;

pub(super) fn status(daemon: Rc<Daemon>, _: Given) -> Doing {
    async move {
        let survey = daemon.server.actors.look_around().await;
        let identity = daemon.server.identity.read().clone();
        let now = daemon.parts.clock.unix_ms() / 1_000;
        let expires = jiff::Timestamp::from_second(identity.expires()).unwrap_or_default();
        let renewed = daemon.renews();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let soon = ends_soon(identity.validity(), now, renewed);
        let of = |(used, most): (u64, u64)| json!({"now": used, "most": most});
        let pair = |(used, most): (u32, u32)| of((used.into(), most.into()));
        let wide = |(used, most): (usize, usize)| of((used as u64, most as u64));
        let uptime = daemon.parts.clock.now().since(daemon.started).as_secs();
        let addresses = daemon.server.addresses().iter().map(ToString::to_string);
        let (config, acme) = (daemon.loaded.borrow().config.clone(), daemon.acme.borrow().clone());
        let next = jiff::Timestamp::from_second(acme.next).unwrap_or_default();
        let file = daemon.sources.file.as_ref().map(|path| path.display().to_string());
        Ok(json!({
            "version": crate::web::VERSION,
            "pid": std::process::id(),
            "uptime_s": uptime,
            "listening": addresses.collect::<Vec<_>>(),
            "configuration": file,
            "state_directory": daemon.parts.state_dir.display().to_string(),
            "connections": pair(survey.fill.connections),
            "without_a_name": pair(survey.fill.strangers),
            "held_bytes": of(survey.fill.memory),
            "bytes_waiting": survey.waiting.bytes,
            "bytes_waiting_for_one": of((survey.waiting.fullest, survey.waiting.most)),
            "addresses_remembered": wide(survey.fill.prefixes),
            "rooms": of(survey.rooms),
            "storage_bytes": storage_bytes(&daemon),
            "storage_free_bytes": free_bytes(&daemon),
            "commits": survey.store.commits,
            "commits_failed": survey.store.failures,
            "writes_waiting": wide(survey.store.writes),
            "reads_waiting": wide(survey.store.reads),
            "reloads": survey.reloads,
            "reloads_refused": survey.reloads_refused,
            "certificate": identity.fingerprint(),
            "certificate_names": identity.names(),
            "certificate_expires": expires.to_string(),
            "acme_domains": renewed.then(|| config.acme.domains.clone()),
            "acme_next_attempt": renewed.then(|| next.to_string()),
            "acme_failure": acme.failure,
            "certificate_warning": soon.map(|days| format!("{days} days are left: {}", remedy(renewed))),
        }))
    }
    .boxed_local()
}

pub(super) fn sessions(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let mut all = Vec::new();
        for reception in &daemon.server.receptions {
            all.extend(reception.send(Sessions).await.map_err(gone)?);
        }
        let only = given.get("name").map(String::as_str);
        all.retain(|one| only.is_none() || one.name.as_deref() == only);
        all.sort_by(|one, other| one.name.cmp(&other.name).then(other.age.cmp(&one.age)));
        Ok(Value::Array(all.iter().map(glimpse).collect()))
    }
    .boxed_local()
}

pub(super) fn glimpse(one: &Glimpse) -> Value {
    json!({
        "session": one.id,
        "name": one.name.as_deref(),
        "address": one.peer.to_string(),
        "speaks": one.kind,
        "tls": one.tls,
        "age_s": one.age.as_secs(),
        "silent_s": one.silent.as_secs(),
        "rooms": one.rooms,
        "unanswered": one.inflight,
        "waiting_bytes": one.waiting,
    })
}

pub(super) fn rooms(daemon: Rc<Daemon>, _: Given) -> Doing {
    async move {
        let all = daemon.server.rooms.send(Inventory).await.map_err(gone)?;
        let row = |room: &crate::directory::actor::Listing| {
            json!({"room": room.name.as_str(), "kind": room.kind, "members": room.members})
        };
        Ok(Value::Array(all.iter().map(row).collect()))
    }
    .boxed_local()
}

pub(super) fn usage(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let (told, counted) = oneshot::channel();
        // If the session that asked is gone, nobody needs the answer.
        daemon.server.store.usage(Box::new(move |usage| drop(told.send(usage))));
        let usage = counted.await.unwrap_or(Err(StoreError::Unavailable)).map_err(|error| {
            Failure::from(format!("{error}; with store.engine = \"memory\" nothing is counted"))
        })?;
        let oldest = |ms: u64| {
            let ms = i64::try_from(ms).unwrap_or(i64::MAX);
            jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
        };
        Ok(Value::Array(match given.get("by").map_or("room", String::as_str) {
            "room" => {
                let row = |room: &RoomUsage| {
                    let name = room.room.as_deref().unwrap_or("(deleted)");
                    json!({"room": name, "entries": room.entries, "bytes": room.bytes, "oldest": oldest(room.oldest)})
                };
                usage.rooms.iter().map(row).collect()
            }
            "account" => {
                let row = |one: &AccountUsage| {
                    let name = one.account.as_ref().map_or("(guests)", |(_, name)| &**name);
                    json!({"account": name, "entries": one.entries, "bytes": one.bytes})
                };
                usage.accounts.iter().map(row).collect()
            }
            other => return Err(format!("{other:?} is nothing to list by: room, or account").into()),
        }))
    }
    .boxed_local()
}

pub(super) fn kick(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let who = given.get("who").map(String::as_str).unwrap_or_default();
        let mut ended = 0;
        for reception in &daemon.server.receptions {
            ended += reception.send(Kick(who.into())).await.map_err(gone)?;
        }
        if ended == 0 {
            let why = format!("nobody is connected as {who:?}; `sessions` shows who is");
            return Err(why.into());
        }
        log::info!(who = who, sessions = ended; "an administrator has ended sessions");
        Ok(json!({"who": who, "ended": ended}))
    }
    .boxed_local()
}

pub(super) fn invite(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let days = match given.get("days").map(|days| days.parse::<u16>()) {
            None => 7,
            Some(Ok(days)) if days > 0 => days,
            Some(_) => return Err("DAYS is a whole number from 1 to 65535".to_owned().into()),
        };
        let role = given.get("role").map_or("member", String::as_str);
        if !matches!(role, "member" | "admin") {
            return Err(format!("{role:?} is no role: member, or admin").into());
        }
        let code = invitation::code();
        let until = daemon.parts.clock.unix_ms() + u64::from(days) * DAY_MS;
        let change = Change::Invite {
            code: invitation::hash(&code),
            until: Some(until),
            admin: role == "admin",
        };
        let (told, made) = oneshot::channel();
        // If the session that asked is gone, nobody needs the answer.
        let told = Box::new(move |outcome| told.send(outcome).unwrap_or_default());
        daemon.server.store.registry().change(change, told);
        match made.await.unwrap_or(Err(StoreError::Unavailable)) {
            Ok(_) => {}
            Err(error) => {
                let why = format!("{error}; accounts need store.engine = \"sqlite\"");
                return Err(why.into());
            }
        }
        let link =
            daemon.server.addresses().first().map(|address| invitation_link(*address, &code));
        let until = i64::try_from(until).unwrap_or(i64::MAX);
        let until = jiff::Timestamp::from_millisecond(until).unwrap_or_default();
        Ok(json!({"code": code, "link": link, "role": role, "until": until.to_string()}))
    }
    .boxed_local()
}

pub(super) fn reload(daemon: Rc<Daemon>, _: Given) -> Doing {
    async move {
        let report = Box::pin(daemon.reload()).await;
        if report.is_applied() {
            Ok(report.json())
        } else {
            let all = report.refused.iter().map(ToString::to_string).collect::<Vec<_>>();
            let why = format!("refused, nothing was changed:\n{}", all.join("\n"));
            Err(Failure { why, details: report.json() })
        }
    }
    .boxed_local()
}

pub(super) fn drain(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let told = daemon.server.sessions().await;
        let retry_after = match given.get("seconds") {
            None => daemon.server.retry_after().await,
            Some(text) => match text.parse::<u64>() {
                Ok(seconds) if seconds <= LONGEST_DRAIN => Duration::from_secs(seconds),
                _ => {
                    let why =
                        format!("{text:?} is not a whole number of seconds up to {LONGEST_DRAIN}");
                    return Err(why.into());
                }
            },
        };
        daemon.order(Order::ShutDown(retry_after));
        Ok(json!({"sessions": told, "back_after_s": retry_after.as_secs_f64()}))
    }
    .boxed_local()
}

/// What the database takes on the disk, with its log; none if nothing is stored.
fn storage_bytes(daemon: &Daemon) -> Option<u64> {
    let file = daemon.parts.state_dir.join(DATABASE);
    let sizes = ["", "-wal", "-shm"].map(|end| {
        let mut path = file.clone().into_os_string();
        path.push(end);
        std::fs::metadata(path).map(|about| about.len())
    });
    sizes.first()?.as_ref().ok()?;
    Some(sizes.into_iter().flatten().sum())
}

/// What is free where it lies.
fn free_bytes(daemon: &Daemon) -> Option<u64> {
    let about = rustix::fs::statvfs(&daemon.parts.state_dir).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

pub(super) fn gone(error: actix::MailboxError) -> Failure {
    format!("a part of the server does not answer ({error}); it is ending, or see the log").into()
}
