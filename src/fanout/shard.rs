//! The links of one worker, the rooms they are in, and the line of those to be flushed.
//!
//! **Owns:** every socket of the worker. **Never:** leaves the worker's thread; waits.
//! **Invariants:** a link is in a room's list exactly if the room is in the link's; a link that is
//! closing is in no room, and takes nothing more. An outbox over its bound closes its link as a slow
//! consumer: nobody else waits for it.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;

use super::encounter::Subject;
use super::held;
use super::link::{Framing, Link};
use crate::base::clock::{Clock, Moment};
use crate::base::id::{RoomId, SessionId, WorkerId};
use crate::base::limits::FLUSH_SOCKETS;
use crate::base::memory::Gauge;
use crate::base::met::Met;
use crate::base::name::Identity;
use crate::base::tally::{self, Tally};
use crate::base::wheel::{TICK, Wheel};
use crate::protocol::{codec, frame, websocket};
use crate::transport::Stream;

/// The bounds of an outbox.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Most bytes that wait for one socket.
    pub outbox_bytes: usize,
    /// How long the oldest of them may wait.
    pub outbox_age: Duration,
}

/// What lives on one worker.
pub struct Shard {
    worker: WorkerId,
    policy: Cell<Policy>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) links: RefCell<Slab<Rc<Link>>>,
    next_generation: Cell<u32>,
    rooms: RefCell<HashMap<RoomId, Vec<u32>>>,
    pub(super) lines: RefCell<Lines>,
    pub(super) flusher: RefCell<Option<Waker>>,
    wheel: RefCell<Wheel<SessionId>>,
    pub(super) scratch: RefCell<Vec<u8>>,
    tally: Arc<Tally>,
    gauge: Gauge,
    pub(super) met: RefCell<Met<Subject>>,
}

/// Slots to be flushed. Those of a large room stand apart, so that nobody waits behind all of them; so
/// do those who come last.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) few: VecDeque<u32>,
    pub(super) many: VecDeque<u32>,
    pub(super) last: VecDeque<u32>,
}

impl Lines {
    pub(super) fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty() && self.last.is_empty()
    }
}

/// How many links a step of delivery concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    Few,
    Many,
}

impl Shard {
    /// A shard without links.
    #[must_use]
    pub fn new(
        worker: WorkerId,
        policy: Policy,
        clock: Arc<dyn Clock>,
        tally: Arc<Tally>,
        gauge: Gauge,
    ) -> Self {
        let wheel = Wheel::new(TICK, clock.now());
        Self {
            worker,
            policy: Cell::new(policy),
            clock,
            links: RefCell::default(),
            next_generation: Cell::new(0),
            rooms: RefCell::default(),
            lines: RefCell::default(),
            flusher: RefCell::default(),
            wheel: RefCell::new(wheel),
            scratch: RefCell::default(),
            tally,
            gauge,
            met: RefCell::default(),
        }
    }

    /// What is counted here.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How much is held for clients.
    #[must_use]
    pub fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// The worker.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.worker
    }

    /// The bounds that hold here.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy.get()
    }

    /// Has other bounds hold from here on.
    pub fn adopt(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The time for people.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// Takes in a connection.
    pub fn insert(&self, stream: Stream, peer: SocketAddr) -> Rc<Link> {
        let generation = self.next_generation.get();
        self.next_generation.set(generation.wrapping_add(1));
        let mut links = self.links.borrow_mut();
        let vacant = links.vacant_entry();
        let slot = u32::try_from(vacant.key()).unwrap_or(u32::MAX);
        let id = SessionId { worker: self.worker, slot, generation };
        let link = Rc::new(Link::new(id, stream, peer, self.clock.now()));
        tally::add(&self.tally.connections, link.framing().place(), 1);
        self.hold(&link);
        vacant.insert(Rc::clone(&link));
        link
    }

    /// Has a link's bodies told apart in another way from here on.
    pub fn reframe(&self, link: &Link, framing: Framing) {
        if let Some(count) = self.tally.connections.get(link.framing().place()) {
            count.sub(1);
        }
        tally::add(&self.tally.connections, framing.place(), 1);
        link.set_framing(framing);
    }

    /// Notes that a link's session holds a name.
    pub fn name(&self, link: &Link, who: &Arc<Identity>) {
        link.set_who(who);
        if !link.named.replace(true) {
            self.tally.named.add(1);
        }
    }

    /// Forgets a connection; its socket closes with its last user.
    pub fn remove(&self, link: &Link) {
        self.detach_all(link);
        let mut links = self.links.borrow_mut();
        if links.get(link.id().slot as usize).is_some_and(|known| known.id() == link.id()) {
            links.remove(link.id().slot as usize);
            if let Some(count) = self.tally.connections.get(link.framing().place()) {
                count.sub(1);
            }
            self.tally.named.sub(u64::from(link.named.get()));
            self.let_go(link);
        }
    }

    /// The link of a session, if it is still there.
    #[must_use]
    pub fn link(&self, id: SessionId) -> Option<Rc<Link>> {
        self.links.borrow().get(id.slot as usize).filter(|link| link.id() == id).cloned()
    }

    /// Every link.
    #[must_use]
    pub fn all(&self) -> Vec<Rc<Link>> {
        self.links.borrow().iter().map(|(_, link)| Rc::clone(link)).collect()
    }

    /// Links that are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.borrow().len()
    }

    /// Whether no link is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.borrow().is_empty()
    }

    /// The rooms that a link is in.
    #[must_use]
    pub fn rooms_of(&self, link: &Link) -> Vec<RoomId> {
        link.rooms.borrow().to_vec()
    }

    /// Lets a room's messages come to a link; false if it can take none any more.
    pub fn attach(&self, room: RoomId, id: SessionId) -> bool {
        let Some(link) = self.link(id).filter(|link| link.closing().is_none()) else {
            return false;
        };
        let mut rooms = link.rooms.borrow_mut();
        if !rooms.contains(&room) {
            rooms.push(room);
            self.rooms.borrow_mut().entry(room).or_default().push(id.slot);
        }
        true
    }

    /// Ends it.
    pub fn detach(&self, room: RoomId, id: SessionId) {
        if let Some(link) = self.link(id) {
            link.rooms.borrow_mut().retain(|known| *known != room);
            self.forget(room, id.slot);
        }
    }

    pub(super) fn detach_all(&self, link: &Link) {
        // The link keeps the list: its rooms are to be told, and may be taken up again later.
        for &room in link.rooms.borrow().iter() {
            self.forget(room, link.id().slot);
        }
    }

    fn forget(&self, room: RoomId, slot: u32) {
        let mut rooms = self.rooms.borrow_mut();
        let Some(slots) = rooms.get_mut(&room) else { return };
        if let Some(index) = slots.iter().position(|&known| known == slot) {
            slots.swap_remove(index);
        }
        if slots.is_empty() {
            rooms.remove(&room);
        }
    }

    /// Puts a room's frames into the outbox of each of its links here. For those behind a WebSocket
    /// they are made into messages once, and shared likewise.
    pub fn broadcast(&self, room: RoomId, frames: &Bytes) {
        let now = self.clock.now();
        let mut slow = Vec::new();
        let mut messages: Option<Bytes> = None;
        {
            let rooms = self.rooms.borrow();
            let Some(slots) = rooms.get(&room) else { return };
            let links = self.links.borrow();
            self.tally.deliveries.add(frame::count(frames) * slots.len() as u64);
            let frames = held::counted(&self.tally, frames.clone());
            let crowd = if slots.len() > FLUSH_SOCKETS { Crowd::Many } else { Crowd::Few };
            for &slot in slots {
                if let Some(link) = links.get(slot as usize) {
                    let shared = match link.framing() {
                        Framing::Frames | Framing::Http => &frames,
                        Framing::WebSocket => messages.get_or_insert_with(|| {
                            held::counted(&self.tally, websocket::copied(&frames))
                        }),
                    };
                    link.outbox.borrow_mut().push_shared(shared.clone(), now);
                    self.mark(link, crowd, now);
                    if link.waiting() > self.policy().outbox_bytes {
                        slow.push(Rc::clone(link));
                    }
                }
            }
        }
        for link in slow {
            self.close_slow(&link);
        }
    }

    /// Puts frames into the outbox of one link.
    pub fn send(&self, link: &Rc<Link>, frames: Bytes) {
        if link.closing().is_some() {
            return;
        }
        self.put(link, frames, self.clock.now());
        if link.waiting() > self.policy().outbox_bytes {
            self.close_slow(link);
        }
    }

    /// The same for the answer to a request: gives the credit back.
    pub fn respond(&self, link: &Rc<Link>, frames: Bytes) {
        if let Some(code) = codec::refused(&frames) {
            tally::add(&self.tally.refusals, code.place(), 1);
            if let Some(limit) = codec::limit_of(&frames) {
                self.met(link, &limit);
            }
        }
        self.send(link, frames);
        self.give_credit(link);
    }

    /// Puts a frame of a WebSocket's own into the outbox of one link.
    pub fn send_control(&self, link: &Rc<Link>, frame: Bytes) {
        if link.closing().is_none() {
            self.push(link, frame, self.clock.now());
            if link.waiting() > self.policy().outbox_bytes {
                self.close_slow(link);
            }
        }
    }

    pub(super) fn put(&self, link: &Link, frames: Bytes, now: Moment) {
        let bytes = match link.framing() {
            Framing::Frames | Framing::Http => frames,
            Framing::WebSocket => websocket::messages(frames),
        };
        self.push(link, bytes, now);
    }

    /// Puts bytes into an outbox as they are.
    pub(super) fn push(&self, link: &Link, bytes: Bytes, now: Moment) {
        self.settle(&mut link.outbox.borrow_mut(), |outbox| outbox.push(bytes, now));
        self.mark(link, Crowd::Few, now);
    }

    /// Has the deadlines of a link looked at, at the moment `at` or a little later.
    pub fn arm(&self, link: &Link, at: Moment) {
        if at < link.armed.get() {
            link.armed.set(at);
            self.wheel.borrow_mut().arm(link.id(), at);
        }
    }

    /// The links whose deadlines are to be looked at now; each must be armed again.
    pub fn due(&self, now: Moment) -> Vec<Rc<Link>> {
        let due = self.wheel.borrow_mut().turn(now);
        let mut links: Vec<_> = due.into_iter().filter_map(|id| self.link(id)).collect();
        // An entry that was overtaken by an earlier one is stale, as is one at the horizon.
        links.retain(|link| link.armed.get() <= now);
        for link in &links {
            link.armed.set(Moment(u64::MAX));
        }
        links
    }
}
