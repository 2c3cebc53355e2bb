//! `klatchd admin why`: which limits somebody met, where their budgets stand, and what to do about it.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::commands::{Doing, glimpse, gone};
use super::table::{Failure, Given};
use crate::account::mail::Failures;
use crate::base::met::{Note, sum};
use crate::base::name::UserName;
use crate::reception::actor::{Because, Whom, Why};
use crate::server::bans::with_configured;
use crate::server::daemon::Daemon;
use crate::server::limits;
use crate::throttle::actor::Why as WhyAddress;
use crate::throttle::bans::refusal;
use crate::throttle::budget::Standing;

pub(super) fn why(daemon: Rc<Daemon>, given: Given) -> Doing {
    async move {
        let who = given.get("who").map(|who| who.trim()).unwrap_or_default();
        let whom = read(who)?;
        let Because { mut met, sessions } = ask(&daemon, &whom).await?;
        let mut budgets = Vec::new();
        let mut is = match &whom {
            Whom::Session(_) if sessions.is_empty() => "a session that is not there any more",
            Whom::Session(_) => "a session",
            Whom::Address(_) => "an address",
            Whom::Name(_) if sessions.is_empty() => "a name that is not online",
            Whom::Name(_) => "a name",
        };
        if let Whom::Address(address) = whom {
            is = address_too(&daemon, address, &mut met, &mut budgets).await?;
        }
        for (session, standings) in &sessions {
            let name = session.name.as_deref().unwrap_or("-");
            let of = format!("session {} ({name})", session.id);
            budgets.extend(standings.iter().map(|standing| row(&of, standing)));
        }
        let met = sum(met);
        Ok(json!({
            "who": who,
            "is": is,
            "advice": banned(&daemon, &whom).unwrap_or_else(|| advice(met.first()).to_owned()),
            "met": met.iter().map(note).collect::<Vec<_>>(),
            "budgets": budgets,
            "sessions": sessions.iter().map(|(session, _)| glimpse(session)).collect::<Vec<_>>(),
        }))
    }
    .boxed_local()
}

/// A name may have digits and dots too: what can be an address is one.
fn read(who: &str) -> Result<Whom, Failure> {
    if let Ok(address) = who.parse::<IpAddr>() {
        return Ok(Whom::Address(address.to_canonical()));
    }
    if is_number(who) {
        return Ok(Whom::Session(Arc::from(who)));
    }
    let name = UserName::parse(who).map_err(|_| {
        format!("{who:?} is no session, no address and no name; `sessions` shows who is there")
    })?;
    Ok(Whom::Name(name))
}

/// Whether this is how sessions are numbered.
fn is_number(who: &str) -> bool {
    let parts: Vec<&str> = who.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

async fn ask(daemon: &Daemon, whom: &Whom) -> Result<Because, Failure> {
    let mut all = Because::default();
    for reception in &daemon.server.receptions {
        let Because { met, sessions } = reception.send(Why(whom.clone())).await.map_err(gone)?;
        all.met.extend(met);
        all.sessions.extend(sessions);
    }
    Ok(all)
}

/// What the Throttle and the Accounts know of an address; says what it is.
async fn address_too(
    daemon: &Daemon,
    address: IpAddr,
    met: &mut Vec<Note>,
    budgets: &mut Vec<Value>,
) -> Result<&'static str, Failure> {
    let rates = limits::rates(&daemon.loaded.borrow().config);
    let known = daemon.server.throttle.send(WhyAddress(address, rates)).await.map_err(gone)?;
    met.extend(known.met);
    let rows = known.standings.iter().map(|(of, standing)| row(&of.to_string(), standing));
    budgets.extend(rows);
    let (failures, forgiven) = daemon.server.names.send(Failures(address)).await.map_err(gone)?;
    budgets.push(json!({
        "of": address.to_string(),
        "budget": "login_failures",
        "used": failures,
        "burst": forgiven,
        "per_s": Value::Null,
    }));
    let exempt = "an address that the limits per address leave alone (limits.exempt)";
    Ok(if known.exempt { exempt } else { "an address" })
}

fn row(of: &str, Standing { budget, used, rate }: &Standing) -> Value {
    let per_s = (rate.per_second > 0).then_some(rate.per_second);
    json!({"of": of, "budget": budget, "used": used, "burst": rate.burst, "per_s": per_s})
}

fn note(Note { limit, count, last, .. }: &Note) -> Value {
    let ms = i64::try_from(*last).unwrap_or(i64::MAX);
    let last = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    json!({"limit": limit, "count": count, "last": last.to_string()})
}

fn banned(daemon: &Daemon, whom: &Whom) -> Option<String> {
    let now = daemon.parts.clock.unix_ms();
    let bans = with_configured(&daemon.server.bans.borrow(), &daemon.loaded.borrow().config);
    let ban = match whom {
        Whom::Session(_) => None,
        Whom::Address(address) => bans.address(*address, now),
        Whom::Name(name) => bans.name(name, now),
    }?;
    let told = refusal(ban, now).text;
    Some(format!("{told}; lift it with: klatchd admin unban {}", ban.target))
}

/// What to do about the limit that was met last.
fn advice(last: Option<&Note>) -> &'static str {
    match last.map(|note| note.limit) {
        None => "it has met no limit that is remembered",
        Some("connections_per_address" | "connection_burst_per_address") => {
            "many people at one address: raise limits.connections_per_address, or list it in \
             limits.exempt; a flood: klatchd admin ban it"
        }
        Some("address_requests_per_s" | "address_bytes_per_s") => {
            "its guests together send more than an address may, and are read more slowly: raise \
             limits.address_…, have them make accounts, or ban it"
        }
        Some(
            "requests_per_s" | "bytes_per_s" | "account_requests_per_s" | "account_bytes_per_s",
        ) => {
            "it sends more than its budget and is read more slowly, nothing is lost: for a program \
             of yours raise limits.requests_per_s or limits.bytes_per_s"
        }
        Some("outbox_bytes" | "outbox_ms") => {
            "it reads more slowly than its rooms speak: its line is slow, or its program hangs"
        }
        Some("login_failures") => {
            "wrong passwords came from there: wait, or find out who guesses; klatchd admin ban it"
        }
        Some("login_ms" | "ping_ms" | "dead_ms" | "idle_ms" | "keep_alive_ms") => {
            "it was silent for too long: its line was cut, or its program hangs"
        }
        Some("refusals_burst" | "frame_bytes") => {
            "its program sends what is refused: it has a bug, or is hostile"
        }
        Some("queue_ms" | "mailbox" | "connections") => {
            "the server had more to do than it can: klatchd admin status"
        }
        Some(_) => "the limit's name stands in klatchd.toml or in PROTOCOL.md, with its meaning",
    }
}
