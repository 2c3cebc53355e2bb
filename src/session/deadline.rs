//! How long a session may be silent: login, ping, idle, write, farewell, as one decision.
//!
//! **Never:** reads a clock, or holds a timer: it is asked by the wheel, and says when to ask again.

use std::time::Duration;

use crate::base::clock::{Moment, millis_up};
use crate::protocol::event::LeaveReason;
use crate::protocol::status::{Code, Refusal};

/// The times that a session has.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From connecting until a name is held, in total.
    pub login: Duration,
    /// Silence after which it is pinged.
    pub ping: Duration,
    /// Silence after which it is taken for dead.
    pub dead: Duration,
    /// Time without a request but `ping`; zero is for ever.
    pub idle: Duration,
    /// How long an HTTP connection may do nothing.
    pub visit: Duration,
    /// How long the oldest byte may wait to be written.
    pub write: Duration,
    /// How long a closing session has for its last bytes.
    pub farewell: Duration,
}

/// What is known of a session.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// When it connected.
    pub since: Moment,
    /// When bytes came last.
    pub heard: Moment,
    /// When a request other than `ping` came last.
    pub asked: Moment,
    /// Whether it speaks HTTP, where nobody logs in.
    pub visits: bool,
    /// Whether a name is held.
    pub named: bool,
    /// Whether a ping waits for an answer.
    pub pinged: bool,
    /// Since when its oldest byte waits for a socket that takes no more.
    pub stalled: Option<Moment>,
    /// Since when it is closing.
    pub closing: Option<Moment>,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Nothing until then.
    Wait(Moment),
    /// A ping; nothing more until then.
    Ping(Moment),
    /// The end, for this reason.
    End(LeaveReason, Refusal),
    /// The reader is too slow.
    Slow,
    /// The farewell took too long.
    Cut,
}

/// Decides what is due now.
#[must_use]
pub fn look(facts: &Facts, timeouts: &Timeouts, now: Moment) -> Due {
    let late = |since: Moment, time: Duration| now.since(since) >= time;
    if let Some(since) = facts.closing {
        let end = since.after(timeouts.farewell);
        return if end <= now { Due::Cut } else { Due::Wait(end) };
    }
    if facts.visits {
        let end = facts.heard.after(timeouts.visit);
        if end <= now {
            return end_of(Code::Idle, "keep_alive_ms", now.since(facts.heard), timeouts.visit);
        }
        return Due::Wait(end);
    }
    if !facts.named {
        let end = facts.since.after(timeouts.login);
        if end <= now {
            return end_of(Code::LoginTimeout, "login_ms", now.since(facts.since), timeouts.login);
        }
        return Due::Wait(end);
    }
    if facts.stalled.is_some_and(|since| late(since, timeouts.write)) {
        return Due::Slow;
    }
    if late(facts.heard, timeouts.dead) {
        return end_of(Code::PingTimeout, "dead_ms", now.since(facts.heard), timeouts.dead);
    }
    let idles = !timeouts.idle.is_zero();
    if idles && late(facts.asked, timeouts.idle) {
        return end_of(Code::Idle, "idle_ms", now.since(facts.asked), timeouts.idle);
    }
    let pings = late(facts.heard, timeouts.ping);
    // Once pinged, look again soon: the answer moves the next ping.
    let next = if pings {
        facts.heard.after(timeouts.dead).min(now.after(timeouts.ping))
    } else {
        facts.heard.after(timeouts.ping)
    };
    let next = if idles { next.min(facts.asked.after(timeouts.idle)) } else { next };
    let next = facts.stalled.map_or(next, |since| next.min(since.after(timeouts.write)));
    if pings && !facts.pinged { Due::Ping(next) } else { Due::Wait(next) }
}

fn end_of(code: Code, limit: &'static str, used: Duration, allowed: Duration) -> Due {
    let refusal = Refusal::from(code).limit(limit, millis_up(used), millis_up(allowed));
    Due::End(LeaveReason::Timeout, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        login: Duration::from_secs(5),
        ping: Duration::from_secs(30),
        dead: Duration::from_secs(75),
        idle: Duration::from_secs(600),
        visit: Duration::from_secs(15),
        write: Duration::from_secs(5),
        farewell: Duration::from_secs(2),
    };

    const NAMED: Facts = Facts {
        since: Moment(0),
        heard: Moment(0),
        asked: Moment(0),
        visits: false,
        named: true,
        pinged: false,
        stalled: None,
        closing: None,
    };

    fn s(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000_000)
    }

    #[track_caller]
    fn check(facts: Facts, now: u64, expected: &str) {
        let due = match look(&facts, &TIMEOUTS, s(now)) {
            Due::Wait(next) => format!("wait {}", next.0 / 1_000_000_000),
            Due::Ping(next) => format!("ping {}", next.0 / 1_000_000_000),
            Due::End(_, refusal) => refusal.code.name().to_owned(),
            Due::Slow => "slow".into(),
            Due::Cut => "cut".into(),
        };
        assert_eq!(due, expected);
    }

    #[test]
    fn a_name_must_be_held_in_time_however_much_is_said() {
        let stranger = Facts { named: false, heard: s(4), asked: s(4), ..NAMED };
        check(stranger, 4, "wait 5");
        check(stranger, 5, "login_timeout");
    }

    #[test]
    fn who_speaks_http_has_no_login_to_wait_for_but_must_go_on() {
        let visitor = Facts { named: false, visits: true, heard: s(9), ..NAMED };
        check(visitor, 9, "wait 24");
        check(visitor, 24, "idle");
    }

    #[test]
    fn silence_is_pinged_once_and_then_is_the_end() {
        check(NAMED, 0, "wait 30");
        check(NAMED, 30, "ping 60");
        check(Facts { pinged: true, ..NAMED }, 60, "wait 75");
        check(Facts { pinged: true, ..NAMED }, 75, "ping_timeout");
        check(Facts { heard: s(31), ..NAMED }, 31, "wait 61");
    }

    #[test]
    fn who_only_pings_is_idle() {
        let pinging = Facts { heard: s(590), ..NAMED };
        check(pinging, 590, "wait 600");
        check(pinging, 600, "idle");
        check(Facts { asked: s(590), ..pinging }, 600, "wait 620");
    }

    #[test]
    fn a_stalled_reader_and_a_long_farewell_are_cut() {
        let stalled = Facts { heard: s(100), asked: s(100), stalled: Some(s(100)), ..NAMED };
        check(stalled, 100, "wait 105");
        check(stalled, 105, "slow");
        let closing = Facts { closing: Some(s(7)), ..NAMED };
        check(closing, 8, "wait 9");
        check(closing, 9, "cut");
    }
}
