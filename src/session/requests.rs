//! What a connection does with the requests that it reads: decide, hand in, refuse, end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::connection::{Answer, Connection, Phase};
use super::job::{Job, Price, Task, price};
use super::reader::{More, Taken};
use super::state::Verdict;
use super::visit::is_http;
use crate::account::mail::Outcome;
use crate::account::state::Entered;
use crate::base::isolation::share;
use crate::base::limits::{FRAME_HEADER_BYTES, STRAINED_REQUESTS};
use crate::base::tally;
use crate::directory::actor::undelivered;
use crate::directory::mail::Goal;
use crate::mail::Undelivered;
use crate::protocol::codec::{self, Numbered, RequestError};
use crate::protocol::event::LeaveReason;
use crate::protocol::frame::FrameError;
use crate::protocol::reply::{LoggedIn, Pong, Welcome};
use crate::protocol::request::{Class, Request};
use crate::protocol::status::{Code, Refusal};
use crate::protocol::websocket::{self, Unit, WebSocketError};
use crate::room::mail::Action;
use crate::scheduler::desk::Submitted;
use crate::scheduler::queue::Place;
use crate::throttle::budget::Purse;

/// How long a session counts as one that asks for too much, once it may be read again.
const STRAIN: Duration = Duration::from_secs(1);

impl Connection {
    /// Takes frames while there is credit; true if the session's phase changed.
    pub(super) fn take(&mut self, fresh: &[u8], answer: Answer<'_>) -> bool {
        if self.phase == Phase::Fresh {
            if fresh.first().is_some_and(|&first| first != 0) {
                if is_http(fresh) && self.begin_visit(fresh) {
                    return true;
                }
                match self.take_denied() {
                    Some(refusal) => self.end(LeaveReason::Removed, &refusal),
                    None => self.answer_stranger(fresh),
                }
                return true;
            }
            self.phase = Phase::Open;
            self.link.spoke.set(true);
        }
        let phase = self.phase;
        let mut reader = std::mem::take(&mut self.reader);
        let (mut frames, mut bytes) = (0, 0);
        // In small portions those who wait for the same budget come in turn.
        let strained = self.link.is_strained(self.worker.shard.now());
        let most = if strained { STRAINED_REQUESTS } else { u64::MAX };
        let taken = {
            let session = RefCell::new(&mut *self);
            reader.read(
                fresh,
                || session.borrow().state.frame_bytes(),
                |unit| {
                    let mut session = session.borrow_mut();
                    match unit {
                        Unit::Body(body) => {
                            frames += 1;
                            bytes += (body.len() + FRAME_HEADER_BYTES) as u64;
                            session.receive(body, answer);
                        }
                        Unit::Ping(payload) => session.pong(payload),
                        Unit::Close(code) => session.half_close(code),
                    }
                    session.wants_more(phase, frames < most)
                },
            )
        };
        if let Some(parts) = reader.take_frames() {
            // A message in many parts is paid for by its parts, and each has a header to read.
            (frames, bytes) = (parts, bytes + parts * FRAME_HEADER_BYTES as u64);
        }
        self.reader = reader;
        if taken == Taken::Enough && !self.reader.is_empty() && !self.has_credit() {
            self.strain();
        }
        self.count_kept();
        match taken {
            Taken::Bad(error) => self.end(LeaveReason::Removed, &bad_frame(error)),
            Taken::BadMessage(error) => {
                self.link.set_close_code(error.close_code());
                self.end(LeaveReason::Removed, &bad_message(error));
            }
            Taken::All | Taken::Enough => {}
        }
        self.pay(frames, bytes);
        self.phase != phase || self.link.closing().is_some()
    }

    /// Charges a read; over budget the session is not read for a while. Who took nothing, since the
    /// rest of a frame is still to come, does not wait again for what others have spent meanwhile.
    pub(super) fn pay(&mut self, requests: u64, bytes: u64) {
        if requests == 0 && bytes == 0 {
            return;
        }
        let now = self.worker.shard.now();
        let charged = self.budget.charge(requests, bytes, now, &self.worker.settings().rates);
        if !charged.wait.is_zero() {
            self.link.strained.set(now.after(charged.wait + STRAIN));
            self.worker.shard.tally().pauses.add(1);
            self.worker.shard.met(&self.link, charged.limit);
            self.pause = Some(Box::pin(tokio::time::sleep(charged.wait)));
        }
    }

    /// Has the session come last for a while, though it keeps within its budget: it has much waiting, and
    /// others wait too.
    fn strain(&self) {
        let (group, flow) = (self.budget.group(), self.link.id().slot);
        if self.worker.desk.has_others(group, flow) {
            let now = self.worker.shard.now();
            self.link.strained.set(self.link.strained.get().max(now.after(STRAIN)));
        }
    }

    fn wants_more(&self, phase: Phase, may_take: bool) -> More {
        let open = self.phase == phase && self.link.closing().is_none();
        if may_take && self.has_credit() && open { More::Yes } else { More::No }
    }

    fn pong(&self, payload: &[u8]) {
        self.worker.shard.send_control(&self.link, websocket::pong(payload));
    }

    /// The peer has sent its last frame: what is under way is still answered.
    fn half_close(&mut self, code: u16) {
        self.link.set_close_code(code);
        if self.phase == Phase::Open {
            self.phase = Phase::HalfClosed;
        }
    }

    /// Answers what is not this protocol in a way that its sender can read, and closes.
    fn answer_stranger(&mut self, fresh: &[u8]) {
        let http = ["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS "]
            .iter()
            .any(|method| fresh.starts_with(method.as_bytes()));
        // Who speaks HTTP comes here only if no web is served.
        let text: &[u8] = if http {
            b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: klatch/1\r\nConnection: close\r\n\
              Content-Type: text/plain\r\nContent-Length: 64\r\n\r\n\
              This is a Klatch chat server. Connect with: klatch --server ...\n"
        } else {
            b"This is a Klatch chat server: frames of MessagePack, see docs/PROTOCOL.md.\r\n"
        };
        self.worker.shard.send(&self.link, Bytes::from_static(text));
        self.worker.shard.finish(&self.link, LeaveReason::Removed);
    }

    fn receive(&mut self, body: &[u8], answer: Answer<'_>) {
        match codec::decode_request(body) {
            Ok(Numbered { id, request }) => self.decide(id, request, body.len(), answer),
            Err(RequestError::Refused { id, refusal }) => self.refuse(id, &refusal),
            Err(RequestError::Malformed(refusal)) => self.end(LeaveReason::Removed, &refusal),
        }
    }

    fn decide(&mut self, id: u32, request: Request, bytes: usize, answer: Answer<'_>) {
        if let Some(observer) = &self.worker.settings().observer {
            observer(&request);
        }
        self.worker.shard.tally().requests.add(1);
        if !matches!(request, Request::Ping(_)) {
            self.link.asked.set(self.worker.shard.now());
        }
        match self.state.receive(&request) {
            Verdict::Greet(version) => {
                let time = self.worker.shard.unix_ms();
                let welcome = Welcome { version, time, ..self.worker.settings().welcome.clone() };
                self.send(&codec::result_frame(id, &welcome));
            }
            Verdict::Pong => {
                let pong = Pong { time: self.worker.shard.unix_ms() };
                self.send(&codec::result_frame(id, &pong));
            }
            Verdict::Enter(wish) => {
                let task = Task::Enter(wish, answer());
                let price = Price { bytes, ..Price::default() };
                self.submit(id, task, Class::Interactive, price, request.timeout_ms());
            }
            Verdict::Schedule(class) => {
                let Some(who) = self.state.identity().cloned() else { return };
                let (price, timeout) = (price(&request, bytes), request.timeout_ms());
                let class = self.class_of(&request, class);
                self.submit(id, Task::Request(who, request), class, price, timeout);
            }
            Verdict::Leave(extent) => {
                self.farewell = id;
                self.phase = Phase::Leaving(extent);
            }
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
            let (group, flow) = (self.budget.group(), self.link.id().slot);
            return self.worker.desk.behind_others(class, group, flow);
        }
        class
    }

    pub(super) fn submit(
        &self,
        id: u32,
        task: Task,
        class: Class,
        price: Price,
        timeout_ms: Option<u32>,
    ) {
        let (group, flow) = (self.budget.group(), self.link.id().slot);
        let place = Place { class, group, flow, cost: price.cost };
        let link = Rc::clone(&self.link);
        let received = self.worker.shard.now();
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        self.worker.shard.take_credit(&self.link, price.bytes);
        let job = Job { link, id, peer: self.link.peer().ip(), task, received, timeout };
        share(|| {
            if class != Class::Control
                && let Some(refusal) = self.worker.tight()
            {
                return self.worker.router.give_up(job, refusal);
            }
            match self.worker.desk.submit(place, job) {
                Submitted::Now(job) => self.worker.router.work(job),
                Submitted::Queued if u64::from(self.link.inflight()) > STRAINED_REQUESTS => {
                    self.strain();
                }
                Submitted::Queued => {}
                Submitted::Full(job) => {
                    self.worker.router.give_up(job, undelivered(Undelivered::Full));
                }
            }
        });
    }

    fn send(&self, frame: &Bytes) {
        self.worker.shard.send(&self.link, frame.clone());
    }

    /// Refuses a request; who is refused too often is flooding.
    fn refuse(&mut self, id: u32, refusal: &Refusal) {
        tally::add(&self.worker.shard.tally().refusals, refusal.code.place(), 1);
        if let Some(limit) = refusal.limit {
            self.worker.shard.met(&self.link, limit.name);
        }
        self.send(&codec::refusal_frame(id, refusal));
        let (now, rates) = (self.worker.shard.now(), self.worker.settings().rates);
        if let Err(wait) = self.budget.charge_refusal(now, &rates) {
            let burst = rates.refusals.burst;
            let flood = Refusal::from(Code::Flood);
            let flood = flood.limit("refusals_burst", burst + 1, burst).retry_after(wait);
            self.end(LeaveReason::Removed, &flood);
        }
    }

    /// Ends the session: with a `bye` where the peer can read one.
    pub(super) fn end(&mut self, reason: LeaveReason, refusal: &Refusal) {
        if matches!(self.phase, Phase::First | Phase::Handshake | Phase::Visit) {
            return self.worker.shard.lose(&self.link);
        }
        // A malformed client would only come back and do the same.
        let malformed = refusal.code.class() == 1;
        let resume = self.state.identity().is_some() && reason != LeaveReason::Logout && !malformed;
        log::debug!(session:% = self.link.id(), code = refusal.code.name(); "ends");
        self.worker.shard.close(&self.link, reason, refusal, resume);
    }

    /// Tells rooms and accounts that the session has ended; once.
    pub(super) fn depart(&mut self) {
        if self.departed {
            return;
        }
        if let Some(who) = self.state.identity() {
            self.departed = true;
            let reason = self.link.closing().unwrap_or(LeaveReason::Lost);
            share(|| self.worker.router.depart(&self.link, who, reason));
        }
    }

    /// Goes on with what became of a login.
    pub(super) fn told(&mut self, outcome: Outcome) {
        let Outcome { id, entered, purse } = outcome;
        match entered {
            Ok(entered) => self.enter(id, entered, purse),
            Err(refusal) => {
                self.state.not_entered();
                self.worker.router.refuse(&self.link, id, &refusal);
            }
        }
    }

    fn enter(&mut self, id: u32, entered: Entered, purse: Option<Arc<Purse>>) {
        let Entered { who, token, rooms, homes, .. } = entered;
        self.state.entered(Arc::clone(&who));
        if self.link.closing().is_some() {
            // It ended while it waited: the name is given back, and no room is joined.
            return self.depart();
        }
        self.worker.shard.name(&self.link, &who);
        self.budget.named(purse);
        let settings = self.worker.settings();
        self.worker.shard.arm(&self.link, self.worker.shard.now().after(settings.timeouts.ping));
        let mut all = settings.default_rooms.clone();
        all.extend(homes.into_iter().filter(|home| !settings.default_rooms.contains(home)));
        let logged_in = LoggedIn {
            name: Arc::clone(who.name.shared()),
            guest: who.account.is_guest(),
            admin: who.admin,
            token,
            hold_ms: settings.hold_ms,
            rooms: all.iter().map(|room| Arc::clone(room.shared())).collect(),
        };
        let router = &self.worker.router;
        router.respond(&self.link, id, &logged_in);
        for room in all {
            let goal = Goal::Ask(room, Action::Join);
            router.bring(self.link.id(), &who, goal);
        }
        if !rooms.is_empty() {
            router.bring(self.link.id(), &who, Goal::Return(rooms));
        }
    }
}

fn bad_message(error: WebSocketError) -> Refusal {
    let text = error.to_string();
    if let WebSocketError::TooLarge { used, allowed } = error {
        let refusal = Refusal::new(Code::FrameTooLarge, text);
        return refusal.limit("frame_bytes", used as u64, allowed as u64);
    }
    Refusal::new(Code::BadFrame, text)
}

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
