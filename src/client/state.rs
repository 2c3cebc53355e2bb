//! The client without its socket: frames, commands and times go in; frames, answers and events
//! come out.
//!
//! **Owns:** the phase of the connection, the requests, the rooms and their place in history, the
//! backlog of events, the token that takes the name again.
//! **Never:** does I/O, reads a clock, or blocks.
//! **Bounds:** [`WAITING`](super::requests::WAITING) requests; [`event::HARD`](super::event::HARD) events;
//! [`ROOMS`] rooms; [`HELD`] entries held back in all rooms together.
//!
//! ```text
//! Offline ─opened─► Greeting ─login answered─► Settling ─rooms entered─► Online
//!    ▲                 hello, login              join what the server     callers' requests
//!    └──── lost ◄── from any of them             did not keep             flow; catching up
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Error;
use super::backoff::Backoff;
use super::event::{Backlog, Event};
use super::requests::{Outcome, Owner, Requests};
use super::room::Room;
use crate::base::clock::Moment;
use crate::base::limits;
use crate::base::secret::{Password, Token};
use crate::protocol::codec::{self, Incoming};
use crate::protocol::describe::Line;
use crate::protocol::event as wire;
use crate::protocol::reply::Welcome;
use crate::protocol::request::{DeviceName, Hello, Name, Params, Ping};
use crate::protocol::status::Code;
use crate::protocol::{VERSION, VERSION_MIN};

/// Rooms that a client follows; a server that announces more is not believed.
const ROOMS: usize = 1_024;
/// Live entries held back in all rooms together, while pages are fetched.
const HELD: usize = 1_024;
/// Pages that are fetched at once.
const FETCHES: usize = 4;
/// Time for `hello` and `login`.
const GREETING: Duration = Duration::from_secs(10);
/// Time until the rooms are entered; after it the callers' requests flow in any case.
const SETTLING: Duration = Duration::from_secs(5);
/// Time for the logout of a first connection that is given up.
const FAREWELL: Duration = Duration::from_secs(2);
/// A session that lasted so long makes the next wait a short one.
const STABLE: Duration = Duration::from_secs(60);
/// The client's own requests are numbered from here, the callers' below.
const OWN_IDS: u32 = 1 << 31;

/// Who the client is.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) name: Name,
    pub(super) right: Right,
    pub(super) device: Option<DeviceName>,
    pub(super) program: Line<{ limits::CLIENT_BYTES }>,
    /// Rooms to join at the first login.
    pub(super) rooms: Vec<Arc<str>>,
}

/// By what right it takes its name, the first time.
#[derive(Debug, Clone)]
pub(super) enum Right {
    Guest,
    Password(Password),
    Token(Token),
    /// Makes the account, with the code of an invitation.
    Register(Password, Option<Line<{ limits::CODE_BYTES }>>),
}

/// What a request means to the client, besides its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Hello,
    Login,
    Ping,
    /// Enters a room again that the server did not keep.
    Return(Arc<str>),
    /// A page of what was missed in a room.
    Fetch(Arc<str>),
    Say,
    /// `join`, `create`, `direct`: the answer is a room.
    Enter,
    Leave(Arc<str>),
    Logout,
    Other,
}

/// A caller's request.
#[derive(Debug)]
pub(super) struct Command<T> {
    /// Below [`OWN_IDS`].
    pub(super) id: u32,
    pub(super) frame: Bytes,
    pub(super) purpose: Purpose,
    pub(super) reply: T,
}

/// What to do after a lost connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Retry(Duration),
    End,
}

/// What [`connect`](super::Builder::connect) waits for.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) name: Arc<str>,
    pub(super) guest: bool,
    pub(super) token: Token,
    pub(super) welcome: Arc<Welcome>,
    pub(super) rooms: Vec<Arc<str>>,
}

#[derive(Debug)]
enum Phase {
    Offline,
    Greeting { until: Moment },
    Settling { waiting: BTreeSet<Arc<str>>, until: Moment },
    Online { since: Moment },
    Ended,
}

/// The client's whole state. `T` is whom to answer.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they vary independently of the phase")]
pub(super) struct Core<T> {
    identity: Identity,
    phase: Phase,
    requests: Requests<T, Purpose>,
    rooms: BTreeMap<Arc<str>, Room>,
    /// Whether a room may be behind: spares a look at every room for every event.
    behind: bool,
    backlog: Backlog,
    answers: VecDeque<(T, Outcome)>,
    token: Option<Token>,
    welcome: Option<Arc<Welcome>>,
    /// When anything was heard from the server.
    heard: Moment,
    pinged: bool,
    own_ids: u32,
    backoff: Backoff,
    /// The outcome of the first connection, until it is taken.
    ready: Option<Result<Ready, Error>>,
    was_ready: bool,
    leaving: bool,
    bye: Option<wire::Bye>,
    /// Why the first connection is given up.
    failed: Option<Error>,
}

impl<T> Core<T> {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            phase: Phase::Offline,
            requests: Requests::default(),
            rooms: BTreeMap::new(),
            behind: false,
            backlog: Backlog::default(),
            answers: VecDeque::new(),
            token: None,
            welcome: None,
            heard: Moment(0),
            pinged: false,
            own_ids: 0,
            backoff: Backoff::default(),
            ready: None,
            was_ready: false,
            leaving: false,
            bye: None,
            failed: None,
        }
    }

    /// The connection stands: says hello.
    pub(super) fn opened(&mut self, now: Moment) {
        self.heard = now;
        self.pinged = false;
        self.bye = None;
        self.phase = Phase::Greeting { until: now.after(GREETING) };
        let hello = Hello {
            version: VERSION,
            version_min: Some(VERSION_MIN),
            client: Some(self.identity.program.clone()),
            timeout_ms: None,
        };
        self.ask(&hello, Purpose::Hello);
    }

    /// A caller's request.
    pub(super) fn submit(&mut self, command: Command<T>) {
        let Command { id, frame, purpose, reply } = command;
        let survives = purpose == Purpose::Say;
        self.leaving |= purpose == Purpose::Logout;
        let ended = matches!(self.phase, Phase::Ended);
        if ended || (matches!(self.phase, Phase::Offline) && !survives) {
            let error = if ended { Error::Ended } else { Error::Disconnected };
            self.answers.push_back((reply, Err(error)));
            return;
        }
        self.requests.push(id, frame, Owner::Caller { reply, purpose, survives });
    }

    /// A frame has come. An error ends the connection.
    pub(super) fn receive(&mut self, incoming: Incoming, now: Moment) -> Result<(), Error> {
        self.heard = now;
        self.pinged = false;
        match incoming {
            Incoming::Response { id, outcome } => self.answered(id, outcome, now)?,
            Incoming::Event(event) => self.event(event, now)?,
            Incoming::UnknownEvent => {}
        }
        self.catch_up(now);
        Ok(())
    }

    /// The connection was lost, or could not be opened.
    pub(super) fn lost(&mut self, cause: Error, now: Moment, jitter: f64) -> Next {
        let cause = self.bye.take().map_or(cause, |bye| Error::Bye(Box::new(bye)));
        let cause = self.failed.take().unwrap_or(cause);
        // A server that restarts twice in a minute has not failed.
        let anew = |since| now.since(since) >= STABLE || cause.code() == Some(Code::GoingAway);
        if matches!(self.phase, Phase::Online { since } if anew(since)) {
            self.backoff.reset();
        }
        self.phase = Phase::Offline;
        let answers = &mut self.answers;
        self.requests.lost(|reply| answers.push_back((reply, Err(Error::Disconnected))));
        self.rooms.values_mut().for_each(Room::lost);
        if self.leaving || !self.was_ready || !cause.is_temporary() {
            self.end(cause);
            return Next::End;
        }
        let wait = self.backoff.next(cause.retry_after(), jitter);
        self.backlog.push(Event::Disconnected { why: cause, retry_in: Some(wait) });
        Next::Retry(wait)
    }

    /// Nothing more will happen.
    fn end(&mut self, cause: Error) {
        self.phase = Phase::Ended;
        let answers = &mut self.answers;
        self.requests.end(|reply| answers.push_back((reply, Err(Error::Ended))));
        if !self.was_ready {
            self.ready = Some(Err(cause.clone()));
        }
        self.backlog.push(Event::Disconnected { why: cause, retry_in: None });
    }

    /// Time has passed. An error ends the connection.
    pub(super) fn timer(&mut self, now: Moment) -> Result<(), Error> {
        match self.phase {
            Phase::Greeting { until } if until <= now => return Err(Error::Silent(GREETING)),
            Phase::Settling { until, .. } if until <= now => self.online(now),
            Phase::Offline
            | Phase::Greeting { .. }
            | Phase::Settling { .. }
            | Phase::Online { .. }
            | Phase::Ended => {}
        }
        if let Some((ping_at, dead_at, silence)) = self.keepalive() {
            if dead_at <= now {
                return Err(Error::Silent(silence));
            }
            if ping_at <= now && !self.pinged {
                self.pinged = true;
                self.ask(&Ping { timeout_ms: None }, Purpose::Ping);
            }
        }
        self.catch_up(now);
        Ok(())
    }

    /// When [`timer`](Self::timer) or [`next_frame`](Self::next_frame) has something to do.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let phase = match self.phase {
            Phase::Greeting { until } | Phase::Settling { until, .. } => Some(until),
            Phase::Offline | Phase::Online { .. } | Phase::Ended => None,
        };
        let keepalive =
            self.keepalive().map(|(ping, dead, _)| if self.pinged { dead } else { ping });
        let retry =
            if self.behind { self.rooms.values().filter_map(Room::retry_at).min() } else { None };
        [phase, keepalive, retry, self.requests.next_at(self.is_online())]
            .into_iter()
            .flatten()
            .min()
    }

    /// When to ping a silent server, when to give it up, and after how much silence. Nobody is
    /// silent while the client itself does not read.
    fn keepalive(&self) -> Option<(Moment, Moment, Duration)> {
        let limits = &self.welcome.as_ref()?.limits;
        if matches!(self.phase, Phase::Offline | Phase::Ended) || self.is_stuffed() {
            return None;
        }
        // The server pings first; these are for when it does not, and never absurdly short.
        let ping = Duration::from_millis(limits.ping_ms).max(Duration::from_secs(1));
        let dead = Duration::from_millis(limits.dead_ms).max(ping.saturating_mul(2));
        let ping = ping.saturating_add(Duration::from_millis(500));
        Some((self.heard.after(ping), self.heard.after(dead), dead))
    }

    /// The next frame to write, if one may be sent now.
    pub(super) fn next_frame(&mut self, now: Moment) -> Option<Bytes> {
        self.requests.next_frame(now, self.is_online())
    }

    /// The next answer to hand out.
    pub(super) fn next_answer(&mut self) -> Option<(T, Outcome)> {
        self.answers.pop_front()
    }

    /// The next event to tell; the space that it leaves may start a fetch.
    pub(super) fn next_event(&mut self, now: Moment) -> Option<Event> {
        let event = self.backlog.pop();
        self.catch_up(now);
        event
    }

    /// How the first connection went, once; it has gone well when the rooms are entered.
    pub(super) fn take_ready(&mut self) -> Option<Result<Ready, Error>> {
        if self.was_ready || matches!(self.ready, Some(Err(_))) { self.ready.take() } else { None }
    }

    pub(super) fn has_events(&self) -> bool {
        !self.backlog.is_empty()
    }

    pub(super) fn is_stuffed(&self) -> bool {
        self.backlog.is_stuffed()
    }

    pub(super) fn accepts(&self) -> bool {
        self.requests.accepts()
    }

    fn is_online(&self) -> bool {
        matches!(self.phase, Phase::Online { .. })
    }

    fn ask<P: Params>(&mut self, params: &P, purpose: Purpose) {
        self.own_ids = self.own_ids.wrapping_add(1) | OWN_IDS;
        self.requests.push(self.own_ids, codec::request(self.own_ids, params), Owner::Own(purpose));
    }
}

mod answers;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) mod script;
