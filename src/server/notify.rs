//! What the server tells the service manager that started it; without one, nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The server does its work from here on.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// How it is, in a line.
pub(super) fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// A reload begins; `ready` ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => log::debug!("the monotonic clock cannot be read: {error}"),
    }
}

/// The server ends, and may take so long for it.
pub(super) fn stopping(status: &str, at_most: Duration) {
    let micros = u32::try_from(at_most.as_micros()).unwrap_or(u32::MAX);
    let extend = NotifyState::ExtendTimeoutUsec(micros);
    tell(&[NotifyState::Stopping, NotifyState::Status(status), extend]);
}

/// The server is alive.
pub(super) fn watchdog() {
    tell(&[NotifyState::Watchdog]);
}

/// How often it must say so, at least; none if nobody waits for it.
pub(super) fn watchdog_time() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::debug!("the service manager cannot be told: {error}");
    }
}
