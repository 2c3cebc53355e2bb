//! From a request to the actor that does it.
//!
//! **Owns:** the rooms that this worker knows the way to; at most as many as there are rooms.
//! **Invariants:** every job is answered exactly once: here, or by the actor that took it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::job::{Job, Task};
use super::mail::{Administer, Asker};
use super::sorting::{Sorted, room_name, sort};
use crate::account::mail::{Enter, Find, Manage, Outcome, Release, Task as ManageTask};
use crate::base::id::{RoomId, SessionId};
use crate::base::name::{Identity, RoomName, UserName};
use crate::directory::actor::undelivered;
use crate::directory::mail::{Depart, Goal, Known, Seek};
use crate::directory::state::invalid;
use crate::fanout::actor::{Deliver, Step};
use crate::fanout::link::Link;
use crate::fanout::shard::Shard;
use crate::mail::{self, Mailbox, Undelivered};
use crate::protocol::codec;
use crate::protocol::event::LeaveReason;
use crate::protocol::request::{Admin, Name, Request};
use crate::protocol::status::{Code, Refusal};
use crate::room::mail::{Action, Ask, Part};
use crate::room::moderation::{Measure, Target};

/// The addresses of the actors that all workers share.
#[derive(Clone)]
pub struct Shared {
    /// Finds and makes rooms.
    pub seek: Mailbox<Seek>,
    /// Is told of sessions that were in a room and have ended.
    pub depart: Mailbox<Depart>,
    /// Gives out names.
    pub enter: Mailbox<Enter>,
    /// Sees to people's own accounts.
    pub manage: Mailbox<Manage>,
    /// Finds people.
    pub find: Mailbox<Find>,
    /// Takes names back.
    pub release: Mailbox<Release>,
    /// Does what administrators ask.
    pub office: Mailbox<Administer>,
}

/// The bounds that the router keeps.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Rooms that one session may be in.
    pub rooms_per_session: usize,
    /// How long a request may wait for its turn.
    pub queue: Duration,
}

/// The router of one worker.
pub struct Router {
    shard: Rc<Shard>,
    shared: Shared,
    fanout: Mailbox<Deliver>,
    policy: Cell<Policy>,
    rooms: RefCell<HashMap<RoomName, (RoomId, Mailbox<Ask>)>>,
}

impl Router {
    /// A router that knows no room yet; `fanout` is this worker's own.
    pub fn new(shard: Rc<Shard>, shared: Shared, fanout: Mailbox<Deliver>, policy: Policy) -> Self {
        Self { shard, shared, fanout, policy: Cell::new(policy), rooms: RefCell::default() }
    }

    /// Has other bounds hold from here on.
    pub fn adopt(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// Learns the way to a room.
    pub fn learn(&self, known: Known) {
        let mut rooms = self.rooms.borrow_mut();
        match known.way {
            Some(way) => drop(rooms.insert(known.name, way)),
            None => drop(rooms.remove(&known.name)),
        }
    }

    /// Sees to a job, now.
    pub fn work(&self, job: Job) {
        if job.link.closing().is_some() {
            return;
        }
        let now = self.shard.now();
        if let Some(histogram) = self.shard.tally().waits.get(job.class().place()) {
            histogram.note(now.since(job.received));
        }
        if let Some(refusal) = job.expired(now, self.policy.get().queue) {
            return self.give_up(job, refusal);
        }
        let (link, id) = (job.link, job.id);
        let done = match job.task {
            Task::Enter(wish, answer) => {
                let enter = Enter { session: link.id(), id, peer: job.peer, wish, answer };
                if let Err((why, enter)) = mail::offer(&self.shared.enter, enter) {
                    let entered = Err(undelivered(why));
                    mail::post(&enter.answer, Outcome { id, entered, purse: None });
                }
                return;
            }
            Task::Request(who, request) => self.pass(&link, who, id, job.peer, request),
            Task::Logout(who, all) => {
                self.manage(&link, who, id, job.peer, ManageTask::Logout(all))
            }
        };
        if let Err(refusal) = done {
            self.refuse(&link, id, &refusal);
        }
    }

    /// Refuses a job that was not begun.
    pub fn give_up(&self, job: Job, refusal: Refusal) {
        match job.task {
            Task::Request(..) | Task::Logout(..) => self.refuse(&job.link, job.id, &refusal),
            Task::Enter(_, answer) => {
                // The session itself must know: it may ask for a name again. Bounded: one at a time.
                let (id, entered) = (job.id, Err(refusal));
                mail::post(&answer, Outcome { id, entered, purse: None });
            }
        }
    }

    /// Answers a request.
    pub fn respond<T: Serialize>(&self, link: &Rc<Link>, id: u32, result: &T) {
        self.shard.respond(link, codec::result_frame(id, result));
    }

    /// Refuses a request that has taken credit.
    pub fn refuse(&self, link: &Rc<Link>, id: u32, refusal: &Refusal) {
        self.shard.respond(link, codec::refusal_frame(id, refusal));
    }

    /// Hands a request to whoever does it.
    fn pass(
        &self,
        link: &Rc<Link>,
        who: Arc<Identity>,
        id: u32,
        peer: IpAddr,
        request: Request,
    ) -> Result<(), Refusal> {
        let from = link.id();
        match sort(request)? {
            Sorted::Room(room, action) => self.ask(&room, Ask { from, who, id: Some(id), action }),
            Sorted::Enter(goal) => {
                self.check_rooms(link)?;
                self.seek(from, who, Some(id), goal)
            }
            Sorted::Seek(goal) => self.seek(from, who, Some(id), goal),
            Sorted::Direct(name) => {
                self.check_rooms(link)?;
                self.toward(from, who, id, &name, Goal::Direct)
            }
            Sorted::Person { room, name, measure } => {
                self.moderate(from, who, id, (room, name), measure)
            }
            Sorted::Block(name) => self.toward(from, who, id, &name, Goal::Block),
            Sorted::Account(task) => self.manage(link, who, id, peer, task),
            Sorted::Admin(admin) => self.administer(from, who, id, admin),
        }
    }

    /// Hands on a command of an administrator.
    fn administer(
        &self,
        session: SessionId,
        who: Arc<Identity>,
        id: u32,
        admin: Admin,
    ) -> Result<(), Refusal> {
        if !who.admin {
            let text = "only administrators of the server may do this";
            return Err(Refusal::new(Code::Denied, text));
        }
        let asker = Asker { session, id, fanout: self.fanout.clone() };
        let (command, arguments) = (admin.command.0, admin.arguments.map(|json| json.0));
        mail::offer(&self.shared.office, Administer { who, command, arguments, asker })
            .map_err(|(why, _)| undelivered(why))
    }

    /// Hands on what somebody asks about their own account.
    fn manage(
        &self,
        link: &Link,
        who: Arc<Identity>,
        id: u32,
        peer: IpAddr,
        task: ManageTask,
    ) -> Result<(), Refusal> {
        let manage = Manage { session: link.id(), who, id, peer, task };
        mail::offer(&self.shared.manage, manage).map_err(|(why, _)| undelivered(why))
    }

    /// Asks a room: itself, if the way is known, else through the directory.
    fn ask(&self, room: &Name, ask: Ask) -> Result<(), Refusal> {
        let ask = match self.rooms.borrow().get(&*room.0) {
            Some((_, mailbox)) => match mail::offer(mailbox, ask) {
                Ok(()) => return Ok(()),
                Err((Undelivered::Full, _)) => return Err(undelivered(Undelivered::Full)),
                Err((Undelivered::Gone, ask)) => ask,
            },
            None => ask,
        };
        let Ask { from, who, id, action } = ask;
        let name = room_name(room)?;
        // Either it was not known, or it is known no more.
        self.rooms.borrow_mut().remove(&name);
        self.seek(from, who, id, Goal::Ask(name, action))
    }

    fn check_rooms(&self, link: &Link) -> Result<(), Refusal> {
        let (used, allowed) =
            (self.shard.rooms_of(link).len(), self.policy.get().rooms_per_session);
        if used < allowed {
            return Ok(());
        }
        let text = "the session is in as many rooms as it may; leave one first";
        Err(Refusal::new(Code::Quota, text).limit(
            "rooms_per_session",
            used as u64 + 1,
            allowed as u64,
        ))
    }

    fn seek(
        &self,
        from: SessionId,
        who: Arc<Identity>,
        id: Option<u32>,
        goal: Goal,
    ) -> Result<(), Refusal> {
        mail::offer(&self.shared.seek, Seek { from, who, id, goal })
            .map_err(|(why, _)| undelivered(why))
    }

    /// Puts a session into a room on the server's own account.
    pub fn bring(&self, session: SessionId, who: &Arc<Identity>, goal: Goal) {
        if let Err(refusal) = self.seek(session, Arc::clone(who), None, goal) {
            log::warn!(session:% = session; "not brought into a room: {}", refusal.text);
        }
    }

    /// Asks the directory for something between the sender and somebody else.
    fn toward(
        &self,
        from: SessionId,
        who: Arc<Identity>,
        id: u32,
        name: &Name,
        goal: impl FnOnce(Target) -> Goal + Send + 'static,
    ) -> Result<(), Refusal> {
        let seek = self.shared.seek.clone();
        self.with_person(from, id, name, move |peer| {
            if peer.who.account == who.account {
                return Err(Refusal::new(Code::Denied, "this takes somebody else than oneself"));
            }
            mail::offer(&seek, Seek { from, who, id: Some(id), goal: goal(peer) })
                .map_err(|(why, _)| undelivered(why))
        })
    }

    /// Does something to somebody in a room.
    fn moderate(
        &self,
        from: SessionId,
        who: Arc<Identity>,
        id: u32,
        (room, name): (Name, Name),
        measure: Measure,
    ) -> Result<(), Refusal> {
        let (seek, room) = (self.shared.seek.clone(), room_name(&room)?);
        self.with_person(from, id, &name, move |target| {
            let goal = Goal::Ask(room, Action::Moderate(target, measure));
            mail::offer(&seek, Seek { from, who, id: Some(id), goal })
                .map_err(|(why, _)| undelivered(why))
        })
    }

    /// Finds somebody, online or registered, and goes on with that.
    fn with_person(
        &self,
        from: SessionId,
        id: u32,
        name: &Name,
        then: impl FnOnce(Target) -> Result<(), Refusal> + Send + 'static,
    ) -> Result<(), Refusal> {
        let name = UserName::parse(&name.0).map_err(|error| invalid(&error))?;
        let fanout = self.fanout.clone();
        let answer = Box::new(move |found: Option<(Arc<Identity>, Vec<SessionId>)>| {
            let done = match found {
                Some((who, sessions)) => then(Target { who, sessions }),
                None => Err(Refusal::new(Code::NotFound, "nobody of that name is known")),
            };
            if let Err(refusal) = done {
                let step = Step::Respond(from, codec::refusal_frame(id, &refusal));
                // The answer to one request: bounded by its session's credit.
                mail::post(&fanout, Deliver { room: RoomId(u32::MAX), steps: vec![step] });
            }
        });
        mail::offer(&self.shared.find, Find { name, answer }).map_err(|(why, _)| undelivered(why))
    }

    /// Tells everybody concerned that a session with a name has ended.
    pub fn depart(&self, link: &Link, who: &Arc<Identity>, reason: LeaveReason) {
        let (session, rooms) = (link.id(), self.shard.rooms_of(link));
        for &room in &rooms {
            let part = Part { session, account: Some(who.account), reason };
            // Bounded by the rooms that a session may be in.
            mail::post(&self.shared.depart, Depart { room, part });
        }
        let kept = (reason != LeaveReason::Logout).then_some(rooms);
        mail::post(&self.shared.release, Release { session, who: Arc::clone(who), kept });
    }
}
