//! A connection's life: its first byte, the handshake, reading by turns, the farewell.
//!
//! **Owns:** what one session has: its state, its budget, what it has read. **Never:** names an actor;
//! the Session polls it, and stops when it is done.
//!
//! What is done with each request stands in `requests`.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use super::job::{Price, Task};
use super::reader::Reader;
use super::state::{Extent, State};
use super::visit::Visit;
use super::worker::Worker;
use crate::account::mail::Outcome;
use crate::fanout::link::Link;
use crate::mail::Mailbox;
use crate::protocol::codec;
use crate::protocol::event::LeaveReason;
use crate::protocol::reply::Empty;
use crate::protocol::request::Class;
use crate::protocol::status::{Code, Refusal};
use crate::throttle::budget::Budget;
use crate::throttle::permit::Permit;
use crate::transport::Stream;
use crate::transport::turn::come_again;

/// When somebody may retry for whom there was no place now.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// Gives the mailbox in which the session learns what became of its login.
pub(super) type Answer<'a> = &'a dyn Fn() -> Mailbox<Outcome>;

/// One connection.
pub struct Connection {
    pub(super) worker: Rc<Worker>,
    pub(super) link: Rc<Link>,
    pub(super) budget: Rc<Budget>,
    pub(super) state: State,
    pub(super) reader: Reader,
    pub(super) phase: Phase,
    /// Not read until then: over budget.
    pub(super) pause: Option<Pin<Box<Sleep>>>,
    /// What few connections have, and those not for long.
    pub(super) aside: Option<Box<Aside>>,
    /// The number of the `quit` or `logout` that it is leaving by.
    pub(super) farewell: u32,
    /// Whether rooms and accounts know that it has ended.
    pub(super) departed: bool,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for the first bytes, which tell TLS from plain.
    First,
    /// In the TLS handshake.
    Handshake,
    /// Before its first frame: it may be something else, such as HTTP.
    Fresh,
    /// Speaking HTTP.
    Visit,
    /// Talking.
    Open,
    /// The peer has sent its last byte, and still reads.
    HalfClosed,
    /// Answering what is under way, then the `quit` or `logout`, which is meant for so much.
    Leaving(Extent),
    /// Closing: writing what waits.
    Farewell,
    /// Everything is written; waiting for the peer's end.
    Lingering,
}

/// What a connection has while it is not one for talking.
pub(super) enum Aside {
    /// Not admitted: to be told so, and closed.
    Denied(Refusal),
    /// Held by the web, while it speaks HTTP.
    Visit(Box<dyn Visit>),
}

impl Phase {
    fn is_closing(self) -> bool {
        matches!(self, Self::Farewell | Self::Lingering)
    }
}

impl Connection {
    /// A connection that was just taken in.
    pub fn new(
        worker: Rc<Worker>,
        link: Rc<Link>,
        permit: Permit,
        denied: Option<Refusal>,
    ) -> Self {
        let budget = worker.open_budget(link.id(), permit);
        Self {
            worker,
            link,
            budget,
            state: State::default(),
            reader: Reader::default(),
            phase: Phase::First,
            pause: None,
            aside: denied.map(|refusal| Box::new(Aside::Denied(refusal))),
            farewell: 0,
            departed: false,
        }
    }

    /// Has the deadline of its login watched.
    pub(super) fn begin(&self) {
        let login = self.link.since.get().after(self.worker.settings().timeouts.login);
        self.worker.shard.arm(&self.link, login);
    }

    /// Goes on with whatever can go on; ready when it is over.
    pub fn poll(&mut self, answer: Answer<'_>, cx: &mut Context<'_>) -> Poll<()> {
        self.link.watch(cx.waker());
        let now = self.worker.shard.now();
        if !self.worker.lane.pass(&self.link, now) {
            return Poll::Pending;
        }
        if !self.link.named.get() {
            let permit = self.budget.permit();
            permit.wake_on_eviction(cx.waker());
            if permit.is_evicted() {
                self.end(LeaveReason::Removed, &Refusal::from(Code::ServerFull).retry_after(RETRY));
            }
        }
        loop {
            let visits = self.phase == Phase::Visit && self.aside.is_some();
            if self.link.closing().is_some() && !self.phase.is_closing() && !visits {
                self.depart();
                self.phase = Phase::Farewell;
            }
            match self.phase {
                Phase::First => ready!(self.poll_first(answer, cx)),
                Phase::Handshake => ready!(self.poll_handshake(cx)),
                Phase::Visit => ready!(self.poll_visit(answer, cx)),
                Phase::Fresh | Phase::Open | Phase::HalfClosed => {
                    ready!(self.poll_open(answer, cx));
                }
                Phase::Leaving(extent) => ready!(self.poll_leaving(extent, cx)),
                Phase::Farewell => ready!(self.poll_farewell(cx)),
                Phase::Lingering => {
                    ready!(self.poll_lingering(cx));
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Takes what was just read; true if the session's phase changed.
    pub(super) fn take_read(&mut self, bytes: &[u8], answer: Answer<'_>) -> bool {
        self.worker.shard.tally().bytes_in.add(bytes.len() as u64);
        self.link.heard.set(self.worker.shard.now());
        self.link.pinged.set(false);
        self.take(bytes, answer)
    }

    /// Tells a peer that was not admitted why, now that it can be told.
    pub(super) fn deny(&mut self) {
        if let Some(refusal) = self.take_denied() {
            self.end(LeaveReason::Removed, &refusal);
        }
    }

    /// Why it was not admitted, if so; once.
    pub(super) fn take_denied(&mut self) -> Option<Refusal> {
        let aside = self.aside.take_if(|aside| matches!(**aside, Aside::Denied(_)))?;
        match *aside {
            Aside::Denied(refusal) => Some(refusal),
            Aside::Visit(_) => None,
        }
    }

    /// Reads once, takes what it may, and comes again.
    fn poll_open(&mut self, answer: Answer<'_>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_writable(cx);
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        // What was read before comes first, also what one portion of a spent budget has left.
        while self.has_credit() && self.pause.is_none() && !self.reader.is_empty() {
            let kept = self.reader.len();
            if self.take(&[], answer) {
                return Poll::Ready(());
            }
            if self.reader.len() == kept {
                break;
            }
        }
        if !self.has_credit() {
            self.link.park();
            return Poll::Pending;
        }
        if self.pause.is_some() {
            // Come again, to let the timer know whom to wake.
            return Poll::Ready(());
        }
        if self.phase == Phase::HalfClosed {
            return self.poll_half_closed();
        }
        let worker = Rc::clone(&self.worker);
        let mut buffer = worker.buffer.borrow_mut();
        match self.link.try_read(&mut buffer) {
            Ok(0) => {
                self.phase = Phase::HalfClosed;
                Poll::Ready(())
            }
            Ok(count) => {
                if self.take_read(buffer.get(..count).unwrap_or_default(), answer) {
                    return Poll::Ready(());
                }
                // Others first: this one comes again when they had their turn.
                come_again(cx);
                Poll::Pending
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.count_kept();
                self.link.poll_readable(cx)
            }
            Err(error) => {
                log::debug!(session:% = self.link.id(), error:% = error; "reading failed");
                self.worker.shard.lose(&self.link);
                Poll::Ready(())
            }
        }
    }

    /// Counts what was read and not taken.
    pub(super) fn count_kept(&self) {
        let sealed = self.link.with_stream(|stream| stream.held());
        self.worker.shard.keep(&self.link, self.reader.len() + sealed);
    }

    /// Whether one more request may be taken: not while it is open whose it would be.
    pub(super) fn has_credit(&self) -> bool {
        !self.state.is_entering() && self.link.inflight() < self.worker.settings().inflight
    }

    /// Lets the Fanout go on when a blocked socket takes bytes again.
    fn poll_writable(&self, cx: &mut Context<'_>) {
        if self.link.poll_unblocked(cx).is_ready() {
            self.worker.shard.resume(&self.link);
        }
    }

    /// Everything was read: what is under way is still answered.
    fn poll_half_closed(&self) -> Poll<()> {
        if self.link.inflight() > 0 {
            self.link.park();
            return Poll::Pending;
        }
        self.worker.shard.finish(&self.link, LeaveReason::Lost);
        Poll::Ready(())
    }

    fn poll_leaving(&mut self, extent: Extent, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_writable(cx);
        if self.link.inflight() > 0 {
            self.link.park();
            return Poll::Pending;
        }
        let id = self.farewell;
        let account = self.state.identity().filter(|who| !who.account.is_guest());
        if let (Some(who), Extent::Device | Extent::All) = (account, extent) {
            // The Accounts answer, and end the session, once the token is void.
            self.phase = Phase::Open;
            let all = extent == Extent::All;
            let task = Task::Logout(Arc::clone(who), all);
            self.submit(id, task, Class::Control, Price::default(), None);
            return Poll::Ready(());
        }
        self.worker.shard.send(&self.link, codec::result_frame(id, &Empty {}));
        self.end(LeaveReason::Logout, &Code::Logout.into());
        Poll::Ready(())
    }

    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_writable(cx);
        let is_pending = || self.link.with_stream(|stream| stream.is_pending());
        if is_pending() && !self.link.is_blocked() {
            self.worker.shard.flush_now(&self.link);
        }
        if self.link.waiting() > 0 || is_pending() {
            return Poll::Pending;
        }
        self.link.with_stream(Stream::shutdown_write);
        self.phase = Phase::Lingering;
        Poll::Ready(())
    }

    /// Reads what the peer still sends, so that closing does not destroy what it has not read yet.
    fn poll_lingering(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.link.is_cut() {
            return Poll::Ready(());
        }
        let mut buffer = self.worker.buffer.borrow_mut();
        match self.link.try_read(&mut buffer) {
            Ok(0) => Poll::Ready(()),
            Ok(_) => {
                come_again(cx);
                Poll::Pending
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.link.poll_readable(cx).is_ready() {
                    come_again(cx);
                }
                Poll::Pending
            }
            Err(_) => Poll::Ready(()),
        }
    }
}

impl Drop for Connection {
    /// However it ended. Must not panic: it may run while a panic unwinds.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end(LeaveReason::Removed, &Code::Internal.into());
            self.worker.shard.flush_now(&self.link);
        }
        if self.link.closing().is_none() {
            self.worker.shard.lose(&self.link);
        }
        self.depart();
        self.worker.shard.remove(&self.link);
    }
}
