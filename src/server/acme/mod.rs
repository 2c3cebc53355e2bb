//! A certificate from an authority, got and renewed by the server itself (ACME).
//!
//! **Invariants:** whatever fails, the server goes on with the certificate that it has, and tries
//! again, more and more seldom; each attempt writes one line to the log. A certificate is written
//! whole, with its key, in one file.
//!
//! Why so: docs/decisions/0012-acme.md.

mod https;
mod order;
mod schedule;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinHandle;

use self::order::Failure;
use super::daemon::Daemon;
use super::{Parts, identity};
use crate::config::Acme;
use crate::protocol::ALPN_ALL;
use crate::transport::certificate;
use crate::transport::challenge::Challenges;
use crate::transport::tls::Identity;

/// How long one attempt may take in all.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The longest sleep: the wall clock may have been set meanwhile.
const LOOK: Duration = Duration::from_secs(3600);
/// The shortest time from a certificate to the next, where its life is not short.
const LEAST: Duration = Duration::from_secs(12 * 3600);
/// The shortest time between two attempts, whoever asks for one.
const PAUSE: Duration = Duration::from_secs(1);

/// How it stands, for those who ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    /// When the next attempt comes, in seconds since 1970.
    pub(super) next: i64,
    /// Why the last one failed, if it did.
    pub(super) failure: Option<String>,
}

/// Renews until it is dropped.
pub(super) struct Renewing(JoinHandle<()>);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to get and to renew, if that is wanted.
pub(super) fn begin(daemon: &Rc<Daemon>) -> Option<Renewing> {
    let wanted = daemon.loaded.borrow().config.acme.clone();
    if wanted.domains.is_empty() {
        return None;
    }
    if !daemon.renews() {
        log::warn!("acme.domains is passed over: a certificate is given as a credential");
        return None;
    }
    Some(Renewing(tokio::task::spawn_local(keep(Rc::clone(daemon), wanted))))
}

#[expect(clippy::infinite_loop, reason = "it is aborted when the daemon ends")]
async fn keep(daemon: Rc<Daemon>, wanted: Acme) {
    let dice = rand::random::<f64>();
    let mut failures = 0_u32;
    let mut next = due(&daemon, &wanted, dice);
    loop {
        daemon.acme.borrow_mut().next = next;
        if !sleep_until(&daemon, next, failures > 0).await {
            continue;
        }
        let outcome = Box::pin(attempt(&daemon, &wanted)).await;
        failures = if outcome.is_ok() { 0 } else { failures + 1 };
        next = match &outcome {
            Ok(()) => after_success(&daemon, due(&daemon, &wanted, dice)),
            Err(_) => now(&daemon) + seconds(schedule::retry(failures, rand::random())),
        };
        report(&daemon, &outcome, next);
        tokio::time::sleep(PAUSE).await;
    }
}

/// When the certificate is to be renewed: at once if it is not for all names.
fn due(daemon: &Daemon, wanted: &Acme, dice: f64) -> i64 {
    let identity = daemon.server.identity.read();
    let gained = identity::gained_file(&daemon.parts.state_dir).exists();
    if gained && covers(&identity, wanted) {
        return schedule::renewal(identity.validity(), dice);
    }
    now(daemon)
}

/// What was given a moment ago is not due yet, unless a clock is wrong; that must not have the
/// authority give one after the other.
fn after_success(daemon: &Daemon, due: i64) -> i64 {
    let (begins, expires) = daemon.server.identity.read().validity();
    let least = now(daemon) + ((expires - begins) / 4).clamp(1, seconds(LEAST));
    if due < least {
        log::warn!("the new certificate is to be renewed already: is this machine's clock right?");
    }
    due.max(least)
}

fn covers(identity: &Identity, wanted: &Acme) -> bool {
    wanted.domains.iter().all(|name| identity.is_for(name))
}

/// Sleeps until it is time, or a part of it; false if it is not time yet. After a failure a reload
/// of the configuration makes it time: the administrator has done something about it.
async fn sleep_until(daemon: &Daemon, next: i64, failed: bool) -> bool {
    let left = Duration::from_secs(u64::try_from(next - now(daemon)).unwrap_or_default());
    let mut nudged = false;
    tokio::select! {
        () = tokio::time::sleep(left.min(LOOK)) => {}
        () = daemon.reloaded.notified() => nudged = failed,
    }
    nudged || now(daemon) >= next
}

/// Gets a certificate, and shows it from here on.
async fn attempt(daemon: &Daemon, wanted: &Acme) -> Result<(), Failure> {
    let Parts { state_dir, challenges, .. } = &daemon.parts;
    let order = Box::pin(order::gain(wanted, state_dir, challenges));
    let pem = tokio::time::timeout(PATIENCE, order).await.map_err(|_| Failure::Late)??;
    let identity = keep_file(&pem, wanted, state_dir, challenges)?;
    // Between two reloads, so that none brings the old one back.
    let _one_at_a_time = daemon.reloading.lock().await;
    *daemon.server.identity.write() = identity;
    Ok(())
}

/// Puts key and chain in their place, once they are known to be good.
fn keep_file(
    pem: &str,
    wanted: &Acme,
    state_dir: &Path,
    challenges: &Challenges,
) -> Result<Identity, Failure> {
    let place = identity::gained_file(state_dir);
    let trial = place.with_extension("trial");
    certificate::write(&trial, pem.as_bytes(), 0o600)?;
    let loaded = Identity::load(&trial, &trial, ALPN_ALL, challenges);
    let good = loaded.map_err(Failure::from).and_then(|identity| {
        if covers(&identity, wanted) { Ok(identity) } else { Err(Failure::Names) }
    });
    let done = good.and_then(|identity| {
        std::fs::rename(&trial, &place)?;
        Ok(identity)
    });
    if done.is_err() {
        drop(std::fs::remove_file(&trial));
    }
    done
}

fn report(daemon: &Daemon, outcome: &Result<(), Failure>, next: i64) {
    let health = daemon.server.health();
    let time = jiff::Timestamp::from_second(next).unwrap_or_default();
    let failure = match outcome {
        Ok(()) => {
            health.certificates.add(1);
            let fingerprint = daemon.server.fingerprint();
            log::info!(fingerprint = fingerprint.as_str(); "a new certificate from the authority, to be renewed at {time}");
            None
        }
        Err(error) => {
            health.certificates_failed.add(1);
            let why = error.to_string();
            log::warn!(
                next:% = time;
                "no certificate from the authority: {why}. The server goes on with the one it has"
            );
            Some(why)
        }
    };
    *daemon.acme.borrow_mut() = Standing { next, failure };
}

fn now(daemon: &Daemon) -> i64 {
    i64::try_from(daemon.parts.clock.unix_ms() / 1_000).unwrap_or(i64::MAX)
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
