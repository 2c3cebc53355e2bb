//! The Session actor, one per connection: reads, decides, hands in, says goodbye.
//!
//! **Receives** [`Outcome`] from the Accounts. Its socket it reads itself, in a future of its own; no
//! delivery ever passes through its mailbox.
//! **Sends** requests through the desk of its worker.
//! **Bound:** at most the advertised number of requests unanswered; then it stops reading, and TCP
//! slows the sender. One read per turn, then others have theirs.
//!
//! A panic ends this session only: all of its code runs contained, and dropping it leaves its rooms
//! and gives back its name.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use bytes::Bytes;
use tokio::time::Sleep;

use super::job::{Job, Task, cost};
use super::reader::{More, Reader, Taken};
use super::state::{State, Verdict};
use super::worker::{Plain, Worker};
use crate::account::actor::Outcome;
use crate::account::state::Entered;
use crate::base::isolation::{contain, share};
use crate::base::limits::FRAME_HEADER_BYTES;
use crate::directory::actor::Goal;
use crate::fanout::link::Link;
use crate::protocol::codec::{self, Numbered, RequestError};
use crate::protocol::event::LeaveReason;
use crate::protocol::frame::FrameError;
use crate::protocol::reply::{Empty, LoggedIn, Pong, Welcome};
use crate::protocol::request::{Class, Request};
use crate::protocol::status::{Code, Refusal};
use crate::room::actor::Action;
use crate::scheduler::desk::Submitted;
use crate::scheduler::queue::Place;
use crate::throttle::admission::Permit;
use crate::throttle::budget::Budget;
use crate::transport::{Stream, tls};

/// The first byte of a TLS connection: a record with a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// The actor.
pub struct Session {
    worker: Rc<Worker>,
    link: Rc<Link>,
    peer: SocketAddr,
    budget: Budget,
    state: State,
    reader: Reader,
    phase: Phase,
    /// Not read until then: over budget.
    pause: Option<Pin<Box<Sleep>>>,
    /// Not admitted: to be told so, and closed.
    denied: Option<Box<Refusal>>,
    /// Whether rooms and accounts know that it has ended.
    departed: bool,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for the byte that tells TLS from plain.
    First,
    /// In the TLS handshake.
    Handshake,
    /// Before its first frame: it may be something else, such as HTTP.
    Fresh,
    /// Talking.
    Open,
    /// The peer has sent its last byte, and still reads.
    HalfClosed,
    /// Answering what is under way, then this `logout`.
    Leaving(u32),
    /// Closing: writing what waits.
    Farewell,
    /// Everything is written; waiting for the peer's end.
    Lingering,
}

impl Phase {
    fn is_closing(self) -> bool {
        matches!(self, Self::Farewell | Self::Lingering)
    }
}

impl Session {
    /// A session on a connection that was just taken in.
    pub fn new(
        worker: Rc<Worker>,
        link: Rc<Link>,
        peer: SocketAddr,
        permit: Permit,
        denied: Option<Refusal>,
    ) -> Self {
        Self {
            worker,
            link,
            peer,
            budget: Budget::new(permit),
            state: State::default(),
            reader: Reader::default(),
            phase: Phase::First,
            pause: None,
            denied: denied.map(Box::new),
            departed: false,
        }
    }

    fn poll(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.link.watch(cx.waker());
        if !self.link.named.get() {
            let permit = self.budget.permit();
            permit.wake_on_eviction(cx.waker());
            if permit.is_evicted() {
                self.end(LeaveReason::Removed, &Refusal::from(Code::ServerFull).retry_after(RETRY));
            }
        }
        loop {
            if self.link.closing().is_some() && !self.phase.is_closing() {
                self.depart();
                self.phase = Phase::Farewell;
            }
            match self.phase {
                Phase::First => ready!(self.poll_first(cx)),
                Phase::Handshake => ready!(self.poll_handshake(cx)),
                Phase::Fresh | Phase::Open | Phase::HalfClosed => ready!(self.poll_open(ctx, cx)),
                Phase::Leaving(id) => ready!(self.poll_leaving(id, cx)),
                Phase::Farewell => ready!(self.poll_farewell(cx)),
                Phase::Lingering => {
                    ready!(self.poll_lingering(cx));
                    ctx.stop();
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Looks at the first byte, and at nothing else: a silent peer costs no TLS state.
    fn poll_first(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let first = loop {
            match self.link.with_stream(|stream| stream.try_peek()) {
                Ok(Some(first)) => break first,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.link.poll_readable(cx));
                }
                Ok(None) | Err(_) => {
                    self.worker.shard.lose(&self.link);
                    return Poll::Ready(());
                }
            }
        };
        if first == TLS_HANDSHAKE {
            let identity = self.worker.identity.read().clone();
            let begun =
                self.link.with_stream(|stream| match std::mem::replace(stream, Stream::Closed) {
                    Stream::Plain(socket) => identity.begin(socket).map(|tls| *stream = tls),
                    Stream::Tls(_) | Stream::Closed => Ok(()),
                });
            self.phase = Phase::Handshake;
            if let Err(error) = begun {
                log::error!(error:% = error; "no TLS session can be made");
                self.worker.shard.lose(&self.link);
            }
            return Poll::Ready(());
        }
        self.phase = Phase::Fresh;
        let plain = self.worker.settings.plain == Plain::Loopback;
        if first == 0 && !(plain && self.peer.ip().to_canonical().is_loopback()) {
            self.end(LeaveReason::Removed, &Code::TlsRequired.into());
        }
        self.deny();
        Poll::Ready(())
    }

    fn poll_handshake(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        match ready!(self.link.with_stream(|stream| tls::poll_handshake(stream, cx))) {
            Ok(()) => {
                self.phase = Phase::Fresh;
                self.deny();
            }
            Err(error) => {
                log::debug!(peer:% = self.peer, error:% = error; "the TLS handshake failed");
                self.worker.shard.lose(&self.link);
            }
        }
        Poll::Ready(())
    }

    /// Tells a peer that was not admitted why, now that it can be told.
    fn deny(&mut self) {
        if let Some(refusal) = self.denied.take() {
            self.end(LeaveReason::Removed, &refusal);
        }
    }

    /// Reads once, takes what it may, and comes again.
    fn poll_open(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.poll_writable(cx);
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if !self.reader.is_empty() && self.take(&[], ctx) {
            return Poll::Ready(());
        }
        if self.link.inflight() >= self.worker.settings.inflight {
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
                return Poll::Ready(());
            }
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                self.link.heard.set(self.worker.shard.now());
                self.link.pinged.set(false);
                if self.take(bytes, ctx) {
                    return Poll::Ready(());
                }
                // Others first: this one comes again when they had their turn.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.link.poll_readable(cx),
            Err(error) => {
                log::debug!(session:% = self.link.id(), error:% = error; "reading failed");
                self.worker.shard.lose(&self.link);
                Poll::Ready(())
            }
        }
    }

    /// Lets the Fanout go on when a blocked socket takes bytes again.
    fn poll_writable(&self, cx: &mut TaskContext<'_>) {
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

    fn poll_leaving(&mut self, id: u32, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.poll_writable(cx);
        if self.link.inflight() > 0 {
            self.link.park();
            return Poll::Pending;
        }
        self.worker.shard.send(&self.link, codec::result_frame(id, &Empty {}));
        self.end(LeaveReason::Logout, &Code::Logout.into());
        Poll::Ready(())
    }

    fn poll_farewell(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.poll_writable(cx);
        if self.link.waiting() > 0 {
            return Poll::Pending;
        }
        self.link.with_stream(Stream::shutdown_write);
        self.phase = Phase::Lingering;
        Poll::Ready(())
    }

    /// Reads what the peer still sends, so that closing does not destroy what it has not read yet.
    fn poll_lingering(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        if self.link.is_cut() {
            return Poll::Ready(());
        }
        let mut buffer = self.worker.buffer.borrow_mut();
        match self.link.try_read(&mut buffer) {
            Ok(0) => Poll::Ready(()),
            Ok(_) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.link.poll_readable(cx).is_ready() {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            Err(_) => Poll::Ready(()),
        }
    }

    /// Takes frames while there is credit; true if the session's phase changed.
    fn take(&mut self, fresh: &[u8], ctx: &mut Context<Self>) -> bool {
        if self.phase == Phase::Fresh {
            if fresh.first().is_some_and(|&first| first != 0) {
                self.answer_stranger(fresh);
                return true;
            }
            self.phase = Phase::Open;
            self.link.spoke.set(true);
        }
        let phase = self.phase;
        let mut reader = std::mem::take(&mut self.reader);
        let (mut frames, mut bytes) = (0, 0);
        let taken = {
            let session = std::cell::RefCell::new(&mut *self);
            reader.read(
                fresh,
                || session.borrow().state.frame_bytes(),
                |body| {
                    frames += 1;
                    bytes += (body.len() + FRAME_HEADER_BYTES) as u64;
                    let mut session = session.borrow_mut();
                    session.receive(body, ctx);
                    session.wants_more(phase)
                },
            )
        };
        self.reader = reader;
        if let Taken::Bad(error) = taken {
            self.end(LeaveReason::Removed, &bad_frame(error));
        }
        let now = self.worker.shard.now();
        let wait = self.budget.charge(frames, bytes, now, &self.worker.settings.rates);
        if !wait.is_zero() {
            self.pause = Some(Box::pin(tokio::time::sleep(wait)));
        }
        self.phase != phase || self.link.closing().is_some()
    }

    fn wants_more(&self, phase: Phase) -> More {
        let credit = self.link.inflight() < self.worker.settings.inflight;
        let open = self.phase == phase && self.link.closing().is_none();
        if credit && open { More::Yes } else { More::No }
    }

    /// Answers what is not this protocol in a way that its sender can read, and closes.
    fn answer_stranger(&mut self, fresh: &[u8]) {
        let http = ["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS "]
            .iter()
            .any(|method| fresh.starts_with(method.as_bytes()));
        let text: &[u8] = if http {
            b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: klatch/1\r\nConnection: close\r\n\
              Content-Type: text/plain\r\nContent-Length: 63\r\n\r\n\
              This is a Klatch chat server. Connect with: klatch --server ...\n"
        } else {
            b"This is a Klatch chat server: frames of MessagePack, see docs/PROTOCOL.md.\r\n"
        };
        self.worker.shard.send(&self.link, Bytes::from_static(text));
        self.worker.shard.finish(&self.link, LeaveReason::Removed);
    }

    fn receive(&mut self, body: &[u8], ctx: &mut Context<Self>) {
        match codec::decode_request(body) {
            Ok(Numbered { id, request }) => self.decide(id, request, body.len(), ctx),
            Err(RequestError::Refused { id, refusal }) => self.refuse(id, &refusal),
            Err(RequestError::Malformed(refusal)) => self.end(LeaveReason::Removed, &refusal),
        }
    }

    fn decide(&mut self, id: u32, request: Request, bytes: usize, ctx: &mut Context<Self>) {
        if let Some(observer) = &self.worker.settings.observer {
            observer(&request);
        }
        if !matches!(request, Request::Ping(_)) {
            self.link.asked.set(self.worker.shard.now());
        }
        match self.state.receive(&request) {
            Verdict::Greet(version) => {
                let welcome = Welcome { version, ..self.worker.settings.welcome.clone() };
                self.send(&codec::result_frame(id, &welcome));
            }
            Verdict::Pong => {
                let pong = Pong { time: self.worker.shard.unix_ms() };
                self.send(&codec::result_frame(id, &pong));
            }
            Verdict::Enter(name) => {
                let token = if let Request::Login(login) = &request { login.token } else { None };
                let task = Task::Enter(name, token, ctx.address().recipient());
                self.submit(id, task, Class::Interactive, 1, request.timeout_ms());
            }
            Verdict::Schedule(class) => {
                let Some(who) = self.state.identity().cloned() else { return };
                let (cost, timeout) = (cost(&request, bytes), request.timeout_ms());
                let class = self.class_of(&request, class);
                self.submit(id, Task::Request(who, request), class, cost, timeout);
            }
            Verdict::Leave => self.phase = Phase::Leaving(id),
            Verdict::Refuse(refusal) => self.refuse(id, &refusal),
            Verdict::End(refusal) => {
                self.send(&codec::refusal_frame(id, &refusal));
                self.end(LeaveReason::Removed, &refusal);
            }
        }
    }

    /// A `leave` is urgent, but must not overtake what the session asked for before.
    fn class_of(&self, request: &Request, class: Class) -> Class {
        if matches!(request, Request::Leave(_)) {
            let (group, flow) = (self.budget.permit().group(), self.link.id().slot);
            return self.worker.desk.behind_others(class, group, flow);
        }
        class
    }

    fn submit(&self, id: u32, task: Task, class: Class, cost: u32, timeout_ms: Option<u32>) {
        let (group, flow) = (self.budget.permit().group(), self.link.id().slot);
        let place = Place { class, group, flow, cost };
        let link = Rc::clone(&self.link);
        let received = self.worker.shard.now();
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        self.link.take_credit();
        share(|| match self.worker.desk.submit(place, Job { link, id, task, received, timeout }) {
            Submitted::Now(job) => self.worker.router.work(job),
            Submitted::Queued => {}
            Submitted::Full(job) => {
                let refusal = Refusal::from(Code::Busy).retry_after(RETRY);
                self.worker.router.refuse(&job.link, job.id, &refusal);
            }
        });
    }

    fn send(&self, frame: &Bytes) {
        self.worker.shard.send(&self.link, frame.clone());
    }

    /// Refuses a request; who is refused too often is flooding.
    fn refuse(&mut self, id: u32, refusal: &Refusal) {
        self.send(&codec::refusal_frame(id, refusal));
        let (now, rates) = (self.worker.shard.now(), &self.worker.settings.rates);
        if let Err(wait) = self.budget.charge_refusal(now, rates) {
            let burst = rates.refusals.burst;
            let flood = Refusal::from(Code::Flood);
            let flood = flood.limit("refusals_burst", burst + 1, burst).retry_after(wait);
            self.end(LeaveReason::Removed, &flood);
        }
    }

    /// Ends the session: with a `bye` where the peer can read one.
    fn end(&mut self, reason: LeaveReason, refusal: &Refusal) {
        if matches!(self.phase, Phase::First | Phase::Handshake) {
            return self.worker.shard.lose(&self.link);
        }
        let resume = self.state.identity().is_some() && reason != LeaveReason::Logout;
        log::debug!(session:% = self.link.id(), code = refusal.code.name(); "ends");
        self.worker.shard.close(&self.link, reason, refusal, resume);
    }

    /// Tells rooms and accounts that the session has ended; once.
    fn depart(&mut self) {
        if self.departed {
            return;
        }
        if let Some(who) = self.state.identity() {
            self.departed = true;
            let reason = self.link.closing().unwrap_or(LeaveReason::Lost);
            share(|| self.worker.router.depart(&self.link, who, reason));
        }
    }

    fn enter(&mut self, id: u32, entered: Entered) {
        let Entered { who, token, rooms, .. } = entered;
        self.state.entered(Arc::clone(&who));
        if self.link.closing().is_some() {
            // It ended while it waited: the name is given back, and no room is joined.
            return self.depart();
        }
        self.link.named.set(true);
        self.budget.permit().named();
        let settings = &self.worker.settings;
        self.worker.shard.arm(&self.link, self.worker.shard.now().after(settings.timeouts.ping));
        let names = settings.default_rooms.iter().map(|room| Arc::clone(room.shared()));
        let logged_in = LoggedIn {
            name: Arc::clone(who.name.shared()),
            guest: true,
            token,
            hold_ms: settings.hold_ms,
            rooms: names.collect(),
        };
        let router = &self.worker.router;
        router.respond(&self.link, id, &logged_in);
        for room in &settings.default_rooms {
            let goal = Goal::Ask(room.clone(), Action::Join { topic: None });
            router.bring(self.link.id(), &who, goal);
        }
        if !rooms.is_empty() {
            router.bring(self.link.id(), &who, Goal::Return(rooms));
        }
    }
}

/// When somebody may retry for whom there was no place now.
const RETRY: Duration = Duration::from_secs(1);

fn bad_frame(error: FrameError) -> Refusal {
    match error {
        FrameError::Empty => Refusal::new(Code::BadFrame, error.to_string()),
        FrameError::TooLarge { used, allowed } => Refusal::new(
            Code::FrameTooLarge,
            error.to_string(),
        )
        .limit("frame_bytes", used as u64, allowed as u64),
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let login = self.link.since.after(self.worker.settings.timeouts.login);
        self.worker.shard.arm(&self.link, login);
        ctx.spawn(Talk);
    }
}

impl Handler<Outcome> for Session {
    type Result = ();

    fn handle(&mut self, outcome: Outcome, _: &mut Self::Context) {
        let Outcome { id, entered } = outcome;
        contain(|| match entered {
            Ok(entered) => self.enter(id, entered),
            Err(refusal) => {
                self.state.not_entered();
                self.worker.router.refuse(&self.link, id, &refusal);
            }
        });
    }
}

impl Drop for Session {
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

/// The session's life as a future in its own context.
struct Talk;

impl ActorFuture<Session> for Talk {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        ctx: &mut Context<Session>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        contain(|| session.poll(ctx, cx))
    }
}
