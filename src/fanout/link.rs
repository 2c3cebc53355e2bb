//! The socket of one session and what waits for it: shared, on one worker, by the Session that
//! reads and the Fanout that writes.
//!
//! **Never:** leaves its worker's thread.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use smallvec::SmallVec;

use super::outbox::Outbox;
use crate::base::clock::Moment;
use crate::base::id::{RoomId, SessionId};
use crate::base::name::Identity;
use crate::base::slot::Slot;
use crate::base::tally::KINDS;
use crate::protocol::event::LeaveReason;
use crate::transport::Stream;

/// How bodies are told apart on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A length in front of each.
    Frames,
    /// Not at all, for now: it speaks HTTP, and others hold its stream.
    Http,
    /// Each is a message of a WebSocket.
    WebSocket,
}

impl Framing {
    /// All of them.
    pub const ALL: [Self; KINDS] = [Self::Frames, Self::Http, Self::WebSocket];

    /// Its place among all of them.
    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::Frames => 0,
            Self::Http => 1,
            Self::WebSocket => 2,
        }
    }

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Http => "http",
            Self::WebSocket => "websocket",
        }
    }
}

/// Where a session stands whose turn comes after those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// It has asked for none.
    #[default]
    Unasked,
    /// It waits for it.
    Awaited,
    /// It may go on.
    Given,
}

/// One connection on this worker.
#[derive(Debug)]
pub struct Link {
    id: SessionId,
    pub(super) stream: RefCell<Stream>,
    pub(super) outbox: RefCell<Outbox>,
    /// The rooms whose messages come here; once it is closing, those that it was in.
    pub(super) rooms: RefCell<SmallVec<[RoomId; 2]>>,
    /// The Session's task.
    task: Slot<Waker>,
    closing: Cell<Option<(LeaveReason, Moment)>>,
    cut: Cell<bool>,
    /// Requests handed on and not answered yet.
    inflight: Cell<u32>,
    /// Bytes of them.
    pub(super) asked_bytes: Cell<u32>,
    /// Bytes that were read and not taken.
    pub(super) kept: Cell<u32>,
    /// What it is taken to need by itself.
    pub(super) base: Cell<u32>,
    /// The Session waits for an answer before it goes on.
    parked: Cell<bool>,
    /// In the line of those to be flushed.
    pub(super) dirty: Cell<bool>,
    /// The kernel takes no more; the Session waits until it does.
    pub(super) blocked: Cell<bool>,
    /// The moment of the entry in the wheel that counts.
    pub(super) armed: Cell<Moment>,
    /// How bodies are told apart on it.
    framing: Cell<Framing>,
    /// The code of its last WebSocket frame; 0 if what ends it decides.
    pub(super) close_code: Cell<u16>,
    /// When it connected, or became a WebSocket: from then on its login is waited for.
    pub since: Cell<Moment>,
    /// When bytes came last.
    pub heard: Cell<Moment>,
    /// When a request other than `ping` came last.
    pub asked: Cell<Moment>,
    /// Whether the peer has shown that it speaks the protocol: else a `bye` would be noise to it.
    pub spoke: Cell<bool>,
    /// Whether a name is held.
    pub named: Cell<bool>,
    /// Whether a ping waits for an answer.
    pub pinged: Cell<bool>,
    /// Until when it asks for more than its budget.
    pub strained: Cell<Moment>,
    /// Where it stands with those who come last.
    pub turn: Cell<Turn>,
    /// Where it comes from.
    peer: SocketAddr,
    /// Whose session it is.
    who: OnceCell<Arc<Identity>>,
}

impl Link {
    pub(crate) fn new(id: SessionId, stream: Stream, peer: SocketAddr, now: Moment) -> Self {
        Self {
            id,
            stream: RefCell::new(stream),
            outbox: RefCell::default(),
            rooms: RefCell::default(),
            task: Slot::default(),
            closing: Cell::new(None),
            cut: Cell::new(false),
            inflight: Cell::new(0),
            asked_bytes: Cell::new(0),
            kept: Cell::new(0),
            base: Cell::new(0),
            parked: Cell::new(false),
            dirty: Cell::new(false),
            blocked: Cell::new(false),
            armed: Cell::new(Moment(u64::MAX)),
            framing: Cell::new(Framing::Frames),
            close_code: Cell::new(0),
            since: Cell::new(now),
            heard: Cell::new(now),
            asked: Cell::new(now),
            spoke: Cell::new(false),
            named: Cell::new(false),
            pinged: Cell::new(false),
            strained: Cell::new(Moment(0)),
            turn: Cell::default(),
            peer,
            who: OnceCell::new(),
        }
    }

    /// The session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Where it comes from.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whose session it is, if it has a name.
    #[must_use]
    pub fn who(&self) -> Option<&Arc<Identity>> {
        self.who.get()
    }

    /// Notes whose session it is; that does not change.
    pub(super) fn set_who(&self, who: &Arc<Identity>) {
        self.who.get_or_init(|| Arc::clone(who));
    }

    /// How bodies are told apart on it.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing.get()
    }

    /// Has bodies told apart in another way from here on.
    pub(super) fn set_framing(&self, framing: Framing) {
        self.framing.set(framing);
    }

    /// Sets the code of its last WebSocket frame, whatever ends it.
    pub fn set_close_code(&self, code: u16) {
        self.close_code.set(code);
    }

    /// Why it is closing, if it is.
    #[must_use]
    pub fn closing(&self) -> Option<LeaveReason> {
        self.closing.get().map(|(reason, _)| reason)
    }

    /// Since when it is closing.
    #[must_use]
    pub fn closing_since(&self) -> Option<Moment> {
        self.closing.get().map(|(_, since)| since)
    }

    pub(crate) fn set_closing(&self, reason: LeaveReason, now: Moment) {
        self.closing.set(Some((reason, now)));
    }

    /// Whether it asks for more than its budget.
    #[must_use]
    pub fn is_strained(&self, now: Moment) -> bool {
        now < self.strained.get()
    }

    /// Whether others go before it, in being read and in being written to: it is a stranger's, it ends,
    /// or it asks for more than its budget.
    #[must_use]
    pub fn comes_last(&self, now: Moment) -> bool {
        !self.named.get() || self.closing.get().is_some() || self.is_strained(now)
    }

    /// Whether it is to be dropped without waiting any longer.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }

    /// Has it dropped without waiting any longer.
    pub fn cut(&self) {
        self.cut.set(true);
        self.wake();
    }

    /// Notes the Session's task, to be woken when the link changes.
    pub fn watch(&self, waker: &Waker) {
        self.task.change(|task| match task {
            Some(known) => known.clone_from(waker),
            None => *task = Some(waker.clone()),
        });
    }

    /// Wakes the Session's task.
    pub fn wake(&self) {
        self.task.look(Waker::wake_by_ref);
    }

    /// Requests that are not answered yet.
    #[must_use]
    pub fn inflight(&self) -> u32 {
        self.inflight.get()
    }

    /// Takes credit for a request.
    pub(super) fn take_credit(&self) {
        self.inflight.set(self.inflight.get() + 1);
    }

    /// Gives it back with the answer, and wakes a Session that waits for it.
    pub(super) fn give_credit(&self) {
        self.inflight.set(self.inflight.get().saturating_sub(1));
        if self.parked.replace(false) {
            self.wake();
        }
    }

    /// Has the Session woken at the next answer.
    pub fn park(&self) {
        self.parked.set(true);
    }

    /// Bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outbox.borrow().len()
    }

    /// Bytes that were read and not taken.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.get() as usize
    }

    /// How long the oldest of them has waited.
    #[must_use]
    pub fn waiting_since(&self, now: Moment) -> std::time::Duration {
        self.outbox.borrow().age(now)
    }

    /// Whether the kernel takes no more.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    /// Whether its socket takes bytes again; the Session's task is woken when it does.
    pub fn poll_unblocked(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.blocked.get() {
            return Poll::Pending;
        }
        let ready = self.stream.borrow().poll_writable(cx);
        if ready.is_ready() {
            self.blocked.set(false);
        }
        ready
    }

    /// Whether a read may succeed; the Session's task is woken when it may.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.borrow().poll_readable(cx)
    }

    /// Reads what is there.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.borrow_mut().try_read(buffer)
    }

    /// Works on the stream itself: the first byte, the handshake, the end.
    pub fn with_stream<T>(&self, work: impl FnOnce(&mut Stream) -> T) -> T {
        work(&mut self.stream.borrow_mut())
    }
}
