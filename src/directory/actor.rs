//! The Directory actor: finds rooms, makes them, and retires them.
//!
//! **Receives** [`Seek`] from sessions, [`Look`] from the web, [`Orphan`] from Fanouts, [`Depart`] when a session ended.
//! **Sends** requests on to rooms, and [`Known`] to the worker that asked, which then asks the room
//! itself.
//! **Bound:** requests are bounded by the sessions' credit; a full mailbox refuses them.

mod blocking;
mod fate;
mod operate;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use actix::{Actor, Addr, Context, Handler, MessageResult, Recipient};
use actix_rt::ArbiterHandle;

use self::blocking::{Blocking, no_guest};
pub use self::operate::{Inventory, Listing, Retune};
use super::blocks::Blocks;
use super::mail::{Depart, Goal, Known, Look, Orphan, Seek, Seen};
use super::search;
use super::state::{Directory, Made};
use crate::account::mail::Moved;
use crate::base::id::{AccountId, RoomId, SessionId, WorkerId};
use crate::base::limits::MAILBOX;
use crate::base::name::{Identity, RoomName};
use crate::fanout::actor::{Deliver, Step};
use crate::mail::{self, Undelivered};
use crate::protocol::codec;
use crate::protocol::status::{Code, Refusal};
use crate::room::actor::{Adopt, ChatRoom, Surroundings};
use crate::room::kind::Kind;
use crate::room::mail::{Action, Ask, Fence, Part, Retire};
use crate::store::RoomKind;

/// The actor.
pub struct Rooms {
    directory: Directory,
    blocks: Blocks,
    own: Addr<Self>,
    moved: Recipient<Moved>,
    actors: HashMap<RoomId, RoomMail>,
    workers: Vec<Place>,
    around: Surroundings,
}

/// A request that was not passed on.
struct Refused {
    from: SessionId,
    id: Option<u32>,
    refusal: Box<Refusal>,
}

/// A worker, as the directory sees it.
pub struct Place {
    /// Where its actors run.
    pub arbiter: ArbiterHandle,
    /// Who is told of rooms there.
    pub learner: Recipient<Known>,
}

struct RoomMail {
    name: RoomName,
    ask: Recipient<Ask>,
    part: Recipient<Part>,
    retire: Recipient<Retire>,
    adopt: Recipient<Adopt>,
    fence: Recipient<Fence>,
    known_by: HashSet<WorkerId>,
}

/// What the directory is made of.
pub struct Making {
    /// Most rooms.
    pub bound: usize,
    /// The rooms that are always there.
    pub permanent: Vec<RoomName>,
    /// Where rooms run.
    pub workers: Vec<Place>,
    /// What rooms are made with.
    pub around: Surroundings,
    /// The registered accounts.
    pub people: HashMap<AccountId, Arc<Identity>>,
    /// Who blocks whom.
    pub blocks: Blocks,
    /// Told of rooms that are called otherwise, or are gone.
    pub moved: Recipient<Moved>,
}

impl Rooms {
    /// A directory over these workers, with the permanent rooms made, and those that were stored; to be
    /// made inside its own context.
    pub fn new(making: Making, own: Addr<Self>) -> Self {
        let Making { bound, permanent, workers, around, people, blocks, moved } = making;
        let mut rooms = Self {
            directory: Directory::new(bound, permanent.clone()),
            blocks,
            own,
            moved,
            actors: HashMap::new(),
            workers,
            around,
        };
        rooms.restore(&people);
        rooms.make_permanent(permanent);
        rooms
    }

    fn make_permanent(&mut self, permanent: Vec<RoomName>) {
        for name in permanent {
            if self.directory.contains(&name) {
                continue;
            }
            match self.directory.create(name.clone(), None, self.around.clock.now()) {
                Ok(made) => self.make(made),
                Err(refusal) => log::error!(room:% = name; "cannot be made: {}", refusal.text),
            }
        }
    }

    /// Lists the rooms that were stored before.
    fn restore(&mut self, people: &HashMap<AccountId, Arc<Identity>>) {
        let now = self.around.clock.now();
        let stored = self.around.store.rooms().unwrap_or_else(|error| {
            log::error!(error:% = error; "the rooms that were stored cannot be read");
            Vec::new()
        });
        for record in stored {
            let kind = match record.kind {
                RoomKind::Public => Kind::Room,
                RoomKind::Direct(pair) => {
                    let [one, other] = pair.map(|account| people.get(&account).map(Arc::clone));
                    // A direct room of guests has nobody left who may see it.
                    let (Some(one), Some(other)) = (one, other) else { continue };
                    Kind::Direct([one, other])
                }
            };
            let made = self.directory.restore(record.name.clone(), &record, kind, now);
            self.make(made);
        }
    }

    /// Starts the actor of a room that was just listed.
    fn make(&mut self, made: Made) {
        let Made { id, name, kind, card, retired } = made;
        if let Some(retired) = retired {
            self.retire(retired);
        }
        let pair = match &kind {
            Kind::Direct([one, other]) => {
                vec![(one.account, other.account), (other.account, one.account)]
            }
            Kind::Room => Vec::new(),
        };
        let around = self.around.clone();
        let (actor_name, slot) = (name.clone(), around.place_of(id));
        let Some(worker) = self.workers.get(slot) else { return };
        let room = ChatRoom::start_in_arbiter(&worker.arbiter, move |ctx| {
            ChatRoom::create(id, actor_name, kind, card, around, ctx)
        });
        let mail = RoomMail {
            name,
            ask: room.clone().recipient(),
            part: room.clone().recipient(),
            retire: room.clone().recipient(),
            adopt: room.clone().recipient(),
            fence: room.recipient(),
            known_by: HashSet::new(),
        };
        self.actors.insert(id, mail);
        for (one, other) in pair {
            if self.blocks.contains(one, other) {
                self.fence(id, Fence { by: one, on: true });
            }
        }
    }

    fn seek(&mut self, seek: Seek) -> Result<(), Refused> {
        let Seek { from, who, id, goal } = seek;
        let refused = |refusal| Refused { from, id, refusal: Box::new(refusal) };
        let now = self.around.clock.now();
        match goal {
            Goal::List { after, limit } => {
                let list = self.directory.list_for(&who, after.as_ref(), limit);
                if let Some(id) = id {
                    self.respond(from, codec::result_frame(id, &list));
                }
            }
            Goal::Create(name, topic, private) => {
                let founder = private.then_some(who.account);
                let made = self.directory.create(name, founder, now).map_err(refused)?;
                let room = made.id;
                self.make(made);
                self.pass(room, Ask { from, who, id, action: Action::Found { topic, private } })?;
            }
            Goal::Direct(peer) => {
                self.blocks.check(&who, &peer.who).map_err(refused)?;
                let (room, made) = self.directory.direct(&who, &peer.who, now).map_err(refused)?;
                if let Some(made) = made {
                    self.make(made);
                }
                self.pass(room, Ask { from, who, id, action: Action::JoinBoth(peer) })?;
            }
            Goal::Return(rooms) => {
                for room in rooms {
                    let (who, action) = (Arc::clone(&who), Action::Join);
                    self.pass(room, Ask { from, who, id: None, action })?;
                }
            }
            Goal::Rename(name, to) => self.begin_rename((from, who, id), &name, to)?,
            Goal::Delete(name) => self.begin_delete((from, who, id), &name)?,
            Goal::Block(peer) => {
                no_guest(&who).map_err(refused)?;
                if let Some(id) = id {
                    self.block(Blocking { from, id, by: who, of: peer.who, on: true })?;
                }
            }
            Goal::Unblock(name) => {
                no_guest(&who).map_err(refused)?;
                let of = self.blocks.named(who.account, &name).ok_or_else(|| {
                    let text = format!("you block nobody who is called {name}");
                    refused(Refusal::new(Code::NotFound, text))
                })?;
                if let Some(id) = id {
                    self.block(Blocking { from, id, by: who, of, on: false })?;
                }
            }
            Goal::Blocks { after, limit } => {
                no_guest(&who).map_err(refused)?;
                if let Some(id) = id {
                    let list = self.blocks.list(who.account, after, limit);
                    self.respond(from, codec::result_frame(id, &list));
                }
            }
            Goal::Search(question) => {
                if let Some(room) = &question.room {
                    self.directory.find(room, &who).map_err(refused)?;
                }
                if let Some(id) = id {
                    search::begin(&self.around, self.directory.sight(&who), (from, id), question);
                }
            }
            Goal::Ask(name, action) => {
                let room = self.directory.find(&name, &who).map_err(refused)?;
                self.pass(room, Ask { from, who, id, action })?;
            }
        }
        Ok(())
    }

    /// Hands a request to its room, and tells the worker where that is.
    fn pass(&mut self, room: RoomId, ask: Ask) -> Result<(), Refused> {
        let (from, id) = (ask.from, ask.id);
        let Some(actor) = self.actors.get_mut(&room) else { return Ok(()) };
        if actor.known_by.insert(from.worker)
            && let Some(worker) = self.workers.get(usize::from(from.worker.0))
        {
            let way = Some((room, actor.ask.clone()));
            let known = Known { name: actor.name.clone(), way };
            // Bounded: once for each room and worker.
            mail::post(&worker.learner, known);
        }
        let refused = |(why, _)| Refused { from, id, refusal: Box::new(undelivered(why)) };
        mail::offer(&actor.ask, ask).map_err(refused)
    }

    fn respond(&self, session: SessionId, frame: bytes::Bytes) {
        if let Some(fanout) = self.around.fanouts.get(usize::from(session.worker.0)) {
            // The answer to one request: bounded by its session's credit. No room is concerned.
            let steps = vec![Step::Respond(session, frame)];
            mail::post(fanout, Deliver { room: RoomId(u32::MAX), steps });
        }
    }
}

/// What the sender of a request is told when an actor does not take it.
#[must_use]
pub fn undelivered(why: Undelivered) -> Refusal {
    let wait = std::time::Duration::from_millis(100);
    match why {
        Undelivered::Full => {
            let bound = MAILBOX as u64;
            Refusal::from(Code::Busy).limit("mailbox", bound + 1, bound).retry_after(wait)
        }
        Undelivered::Gone => Code::NotFound.into(),
    }
}

impl Actor for Rooms {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Seek> for Rooms {
    type Result = ();

    fn handle(&mut self, seek: Seek, _: &mut Self::Context) {
        if let Err(Refused { from, id, refusal }) = self.seek(seek) {
            match id {
                Some(id) => self.respond(from, codec::refusal_frame(id, &refusal)),
                None => log::debug!(session:% = from; "not done: {}", refusal.text),
            }
        }
    }
}

impl Handler<Look> for Rooms {
    type Result = MessageResult<Look>;

    fn handle(&mut self, _: Look, _: &mut Self::Context) -> Self::Result {
        let oldest = self.actors.iter().min_by_key(|(id, _)| **id);
        let any = oldest.map(|(_, room)| room.ask.clone());
        let (rooms, most) = (self.actors.len() as u64, self.directory.bound() as u64);
        MessageResult(Seen { rooms, most, any })
    }
}

impl Handler<Orphan> for Rooms {
    type Result = ();

    fn handle(&mut self, orphan: Orphan, ctx: &mut Self::Context) {
        let part = Part { session: orphan.session, account: None, reason: orphan.reason };
        self.handle(Depart { room: orphan.room, part }, ctx);
    }
}

impl Handler<Depart> for Rooms {
    type Result = ();

    fn handle(&mut self, depart: Depart, _: &mut Self::Context) {
        if let Some(actor) = self.actors.get(&depart.room) {
            // Bounded by the rooms that sessions are in.
            mail::post(&actor.part, depart.part);
        }
    }
}
