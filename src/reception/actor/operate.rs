//! What those who run the server ask of a worker: other bounds, a list of its sessions, the end of one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix::{Handler, Message, MessageResult};

use super::Reception;
use crate::base::met::Note;
use crate::base::name::UserName;
use crate::fanout::encounter::Subject;
use crate::fanout::link::Link;
use crate::fanout::shard::Policy as OutboxPolicy;
use crate::protocol::event::LeaveReason;
use crate::protocol::status::{Code, Refusal};
use crate::session::router::Policy as RouterPolicy;
use crate::session::worker::Settings;
use crate::throttle::actor::Enforce;
use crate::throttle::bans;
use crate::throttle::budget::Standing;

/// Sessions that an answer to [`Why`] has at most.
const SESSIONS_TOLD: usize = 64;

/// Other bounds hold from here on.
#[derive(Clone)]
pub struct Adopt {
    /// For sessions.
    pub settings: Settings,
    /// For outboxes.
    pub outbox: OutboxPolicy,
    /// For requests on their way.
    pub routing: RouterPolicy,
}

impl Message for Adopt {
    type Result = ();
}

/// Who is connected here?
#[derive(Debug)]
pub struct Sessions;

impl Message for Sessions {
    type Result = Vec<Glimpse>;
}

/// One session, as it can be seen from outside.
#[derive(Debug, Clone)]
pub struct Glimpse {
    /// Its number.
    pub id: String,
    /// The name that it holds.
    pub name: Option<Arc<str>>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// What it speaks.
    pub kind: &'static str,
    /// Whether it is protected.
    pub tls: bool,
    /// How long it has been there.
    pub age: Duration,
    /// How long it has been silent.
    pub silent: Duration,
    /// Rooms that it is in.
    pub rooms: usize,
    /// Requests that are not answered yet.
    pub inflight: u32,
    /// Bytes that wait for it to read.
    pub waiting: usize,
}

/// Whom a question is about.
#[derive(Debug, Clone)]
pub enum Whom {
    /// A session, by its number.
    Session(Arc<str>),
    /// All sessions of an address.
    Address(IpAddr),
    /// All sessions of a name.
    Name(UserName),
}

/// Which limits has somebody met here, and how do the budgets of their sessions stand?
#[derive(Debug, Clone)]
pub struct Why(pub Whom);

/// The answer.
#[derive(Debug, Clone, Default)]
pub struct Because {
    /// Which limits were met.
    pub met: Vec<Note>,
    /// The sessions, with their budgets.
    pub sessions: Vec<(Glimpse, Vec<Standing>)>,
}

impl Message for Why {
    type Result = Because;
}

/// How much waits in the outboxes here?
#[derive(Debug)]
pub struct Outboxes;

impl Message for Outboxes {
    type Result = Waiting;
}

/// What waits for readers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Bytes in all outboxes.
    pub bytes: u64,
    /// Bytes in the fullest of them.
    pub fullest: u64,
    /// Bytes that one may hold.
    pub most: u64,
}

impl Waiting {
    /// Here and elsewhere.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            fullest: self.fullest.max(other.fullest),
            most: self.most.max(other.most),
        }
    }
}

/// Ends the sessions of this name, or the one of this number; says how many there were.
#[derive(Debug, Clone)]
pub struct Kick(pub Arc<str>);

impl Message for Kick {
    type Result = usize;
}

impl Handler<Adopt> for Reception {
    type Result = ();

    fn handle(&mut self, adopt: Adopt, _: &mut Self::Context) {
        let Adopt { settings, outbox, routing } = adopt;
        self.worker.adopt(settings);
        self.worker.shard.adopt(outbox);
        self.worker.router.adopt(routing);
        let now = self.worker.shard.now();
        for link in self.worker.shard.all() {
            // Its deadlines are other ones now.
            self.worker.shard.arm(&link, now);
        }
    }
}

impl Handler<Enforce> for Reception {
    type Result = ();

    /// Ends the sessions of addresses that are banned; those of names the Accounts end.
    fn handle(&mut self, enforce: Enforce, _: &mut Self::Context) {
        self.bans = enforce.0;
        if self.bans.is_empty() {
            return;
        }
        let (shard, unix_ms) = (&self.worker.shard, self.worker.shard.unix_ms());
        for link in shard.all() {
            let Some(ban) = self.bans.address(link.peer().ip(), unix_ms) else { continue };
            if link.spoke.get() {
                let bye = bans::refusal(ban, unix_ms);
                shard.close(&link, LeaveReason::Removed, &bye, false);
            } else {
                shard.lose(&link);
            }
        }
    }
}

impl Handler<Sessions> for Reception {
    type Result = MessageResult<Sessions>;

    fn handle(&mut self, _: Sessions, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.worker.shard.all().iter().map(|link| self.glimpse(link)).collect())
    }
}

impl Reception {
    fn glimpse(&self, link: &Link) -> Glimpse {
        let now = self.worker.shard.now();
        Glimpse {
            id: link.id().to_string(),
            name: link.who().map(|who| Arc::clone(who.name.shared())),
            peer: link.peer(),
            kind: link.framing().name(),
            tls: link.with_stream(|stream| stream.is_tls()),
            age: now.since(link.since.get()),
            silent: now.since(link.heard.get()),
            rooms: self.worker.shard.rooms_of(link).len(),
            inflight: link.inflight(),
            waiting: link.waiting(),
        }
    }
}

impl Handler<Why> for Reception {
    type Result = MessageResult<Why>;

    fn handle(&mut self, why: Why, _: &mut Self::Context) -> Self::Result {
        let shard = &self.worker.shard;
        let met = match &why.0 {
            Whom::Session(number) => shard.notes_of_session(number),
            Whom::Address(address) => shard.notes(&Subject::of_address(*address)),
            Whom::Name(name) => shard.notes(&Subject::Name(Arc::clone(name.skeleton()))),
        };
        let concerns = |link: &Link| match &why.0 {
            Whom::Session(number) => link.id().to_string() == **number,
            Whom::Address(address) => {
                Subject::of_address(link.peer().ip()) == Subject::of_address(*address)
            }
            Whom::Name(name) => {
                link.who().is_some_and(|who| who.name.skeleton() == name.skeleton())
            }
        };
        let links = shard.all().into_iter().filter(|link| concerns(link));
        let sessions = links.map(|link| (self.glimpse(&link), self.worker.standings(link.id())));
        MessageResult(Because { met, sessions: sessions.take(SESSIONS_TOLD).collect() })
    }
}

impl Handler<Outboxes> for Reception {
    type Result = MessageResult<Outboxes>;

    fn handle(&mut self, _: Outboxes, _: &mut Self::Context) -> Self::Result {
        let most = self.worker.shard.policy().outbox_bytes as u64;
        let none = Waiting { most, ..Waiting::default() };
        let all = self.worker.shard.all();
        let waiting = all.iter().map(|link| link.waiting() as u64);
        MessageResult(
            waiting.fold(none, |sum, bytes| sum.plus(Waiting { bytes, fullest: bytes, most })),
        )
    }
}

impl Handler<Kick> for Reception {
    type Result = MessageResult<Kick>;

    fn handle(&mut self, kick: Kick, _: &mut Self::Context) -> Self::Result {
        let named = |link: &Link| {
            let name = link.who().map(|who| Arc::clone(who.name.shared()));
            name.as_ref() == Some(&kick.0) || link.id().to_string() == *kick.0
        };
        let mut links = self.worker.shard.all();
        links.retain(|link| link.closing().is_none() && named(link));
        for link in &links {
            let bye = Refusal::new(Code::Denied, "an administrator has ended the session");
            self.worker.shard.close(link, LeaveReason::Removed, &bye, false);
        }
        MessageResult(links.len())
    }
}
