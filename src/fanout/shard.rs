//! The links of one worker, the rooms they are in, and the line of those to be flushed.
//!
//! **Owns:** every socket of the worker. **Never:** leaves the worker's thread; waits.
//! **Invariants:** a link is in a room's list exactly if the room is in the link's; a link that is
//! closing is in no room, and takes nothing more. An outbox over its bound closes its link as a slow
//! consumer: nobody else waits for it.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;

use super::link::Link;
use crate::base::clock::{Clock, Moment};
use crate::base::id::{RoomId, SessionId, WorkerId};
use crate::base::limits::{FLUSH_SLICES, FLUSH_SOCKETS};
use crate::base::wheel::{TICK, Wheel};
use crate::transport::{RECORD_BYTES, Stream};

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
    policy: Policy,
    clock: Arc<dyn Clock>,
    links: RefCell<Slab<Rc<Link>>>,
    next_generation: Cell<u32>,
    rooms: RefCell<HashMap<RoomId, Vec<u32>>>,
    lines: RefCell<Lines>,
    flusher: RefCell<Option<Waker>>,
    wheel: RefCell<Wheel<SessionId>>,
    scratch: RefCell<Vec<u8>>,
}

/// Slots to be flushed. Those of a large room stand apart, so that nobody waits behind all of them.
#[derive(Debug, Default)]
struct Lines {
    few: VecDeque<u32>,
    many: VecDeque<u32>,
}

impl Lines {
    fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
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
    pub fn new(worker: WorkerId, policy: Policy, clock: Arc<dyn Clock>) -> Self {
        let wheel = Wheel::new(TICK, clock.now());
        Self {
            worker,
            policy,
            clock,
            links: RefCell::default(),
            next_generation: Cell::new(0),
            rooms: RefCell::default(),
            lines: RefCell::default(),
            flusher: RefCell::default(),
            wheel: RefCell::new(wheel),
            scratch: RefCell::default(),
        }
    }

    /// The worker.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.worker
    }

    /// The bounds that hold here.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
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
    pub fn insert(&self, stream: Stream) -> Rc<Link> {
        let generation = self.next_generation.get();
        self.next_generation.set(generation.wrapping_add(1));
        let mut links = self.links.borrow_mut();
        let vacant = links.vacant_entry();
        let slot = u32::try_from(vacant.key()).unwrap_or(u32::MAX);
        let id = SessionId { worker: self.worker, slot, generation };
        let link = Rc::new(Link::new(id, stream, self.clock.now()));
        vacant.insert(Rc::clone(&link));
        link
    }

    /// Forgets a connection; its socket closes with its last user.
    pub fn remove(&self, link: &Link) {
        self.detach_all(link);
        let mut links = self.links.borrow_mut();
        if links.get(link.id().slot as usize).is_some_and(|known| known.id() == link.id()) {
            links.remove(link.id().slot as usize);
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

    /// Puts a room's frames into the outbox of each of its links here.
    pub fn broadcast(&self, room: RoomId, frames: &Bytes) {
        let now = self.clock.now();
        let mut slow = Vec::new();
        {
            let rooms = self.rooms.borrow();
            let Some(slots) = rooms.get(&room) else { return };
            let links = self.links.borrow();
            let crowd = if slots.len() > FLUSH_SOCKETS { Crowd::Many } else { Crowd::Few };
            for &slot in slots {
                if let Some(link) = links.get(slot as usize) {
                    self.put(link, frames.clone(), now, crowd);
                    if link.waiting() > self.policy.outbox_bytes {
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
        self.put(link, frames, self.clock.now(), Crowd::Few);
        if link.waiting() > self.policy.outbox_bytes {
            self.close_slow(link);
        }
    }

    /// The same for the answer to a request: gives the credit back.
    pub fn respond(&self, link: &Rc<Link>, frames: Bytes) {
        self.send(link, frames);
        link.give_credit();
    }

    pub(super) fn put(&self, link: &Link, frames: Bytes, now: Moment, crowd: Crowd) {
        link.outbox.borrow_mut().push(frames, now);
        self.mark(link, crowd);
    }

    /// Notes that a link has something to write.
    fn mark(&self, link: &Link, crowd: Crowd) {
        if link.blocked.get() || link.dirty.replace(true) {
            return;
        }
        let mut lines = self.lines.borrow_mut();
        let first = lines.is_empty();
        match crowd {
            Crowd::Few => lines.few.push_back(link.id().slot),
            Crowd::Many => lines.many.push_back(link.id().slot),
        }
        // Behind others the Fanout comes by without being woken again.
        if first && let Some(flusher) = self.flusher.borrow().as_ref() {
            flusher.wake_by_ref();
        }
    }

    /// Goes on with a link whose socket takes bytes again.
    pub fn resume(&self, link: &Link) {
        if !link.outbox.borrow().is_empty() {
            self.mark(link, Crowd::Few);
        }
    }

    /// Notes the Fanout's task, to be woken when there is something to flush.
    pub fn watch(&self, waker: &Waker) {
        let mut flusher = self.flusher.borrow_mut();
        match flusher.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *flusher = Some(waker.clone()),
        }
    }

    /// Writes to the sockets in line, each once, up to a bounded number; true if some are left.
    pub fn flush(&self) -> bool {
        let (few, many) = {
            let lines = self.lines.borrow();
            let few = lines.few.len().min(FLUSH_SOCKETS);
            // A large room goes on in every turn, the more so when nobody else wants to write.
            (few, lines.many.len().min(FLUSH_SOCKETS - few / 2))
        };
        let links = self.links.borrow();
        for turn in 0..few + many {
            let slot = {
                let mut lines = self.lines.borrow_mut();
                if turn < few { lines.few.pop_front() } else { lines.many.pop_front() }
            };
            if let Some(link) = slot.and_then(|slot| links.get(slot as usize)) {
                link.dirty.set(false);
                self.flush_link(link);
            }
        }
        !self.lines.borrow().is_empty()
    }

    pub(super) fn flush_link(&self, link: &Rc<Link>) {
        let mut scratch = self.scratch.borrow_mut();
        while !link.blocked.get() {
            let mut outbox = link.outbox.borrow_mut();
            if outbox.is_empty() {
                break;
            }
            let mut stream = link.stream.borrow_mut();
            let (offered, wrote) = if let Some(one) = outbox.single() {
                (one.len(), stream.try_write(&[IoSlice::new(one)], &mut scratch))
            } else {
                let mut slices = [IoSlice::new(&[]); FLUSH_SLICES];
                let count = outbox.slices(&mut slices);
                let slices = slices.get(..count).unwrap_or_default();
                let offered = slices.iter().map(|slice| slice.len()).sum();
                (offered, stream.try_write(slices, &mut scratch))
            };
            match wrote {
                Ok(count) => outbox.written(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if matches!(*stream, Stream::Tls(_)) {
                        outbox.promise(offered.min(RECORD_BYTES));
                    }
                    link.blocked.set(true);
                    drop(outbox);
                    self.arm(link, self.clock.now().after(self.policy.outbox_age));
                }
                Err(error) => {
                    log::debug!(session:% = link.id(), error:% = error; "writing failed");
                    drop((outbox, stream));
                    self.lose(link);
                    return;
                }
            }
        }
        // The Session waits for the socket to take more, or for the last byte of a farewell.
        if link.blocked.get() || link.closing().is_some() {
            link.wake();
        }
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
