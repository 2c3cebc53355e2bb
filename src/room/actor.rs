//! The ChatRoom actor: membership, order, and the announcement of who joins and leaves.
//!
//! **Receives** [`Ask`] from sessions (through the scheduler or the directory), [`Part`] when a
//! session has ended, [`Commit`] from storage, [`Retire`] from the directory.
//! **Sends** one [`Deliver`] to the Fanout of each worker that is concerned, after each drain of its
//! mailbox and each commit.
//! **Bound:** requests are bounded by the sessions' credit; the mailbox is a second fence, and a
//! request that it refuses is answered `busy` by the sender.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Recipient};

use super::batch::{Answer, Attached, Batch};
use super::card::Card;
use super::state::{Arrival, Departure, Kind, Policy, Room, Spoken};
use crate::base::clock::Clock;
use crate::base::id::{AccountId, Key, RoomId, Seq, SessionId};
use crate::base::limits::{HISTORY_PAGE, MAILBOX, PAGE_BYTES};
use crate::base::name::{Identity, RoomName};
use crate::fanout::actor::{Deliver, Step};
use crate::mail;
use crate::protocol::codec;
use crate::protocol::event::LeaveReason;
use crate::protocol::reply::{Empty, HistoryPage, Page, Said};
use crate::protocol::status::{Code, Refusal};
use crate::store::{Journal, Range, Receipt, Store, StoreError, Ticket};

/// How long a retired room still answers those who have not heard of it.
const GRACE: Duration = Duration::from_secs(10);
/// When a client may retry after the storage failed.
const STORE_WAIT: Duration = Duration::from_secs(1);

/// A request of a session.
#[derive(Debug)]
pub struct Ask {
    /// The session.
    pub from: SessionId,
    /// Whose it is.
    pub who: Arc<Identity>,
    /// The request's number; none for what the server does on the session's behalf.
    pub id: Option<u32>,
    /// What it asks.
    pub action: Action,
}

impl Message for Ask {
    type Result = ();
}

/// What a session asks of a room.
#[derive(Debug)]
pub enum Action {
    /// Let me in, and if I just made the room, this is its topic.
    Join {
        /// The topic of a new room.
        topic: Option<Arc<str>>,
    },
    /// Let me go.
    Leave,
    /// Who is there?
    Members {
        /// After this account.
        after: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// What is the topic?
    ReadTopic,
    /// This is the topic.
    SetTopic(Arc<str>),
    /// Say this.
    Say {
        /// The text.
        text: Arc<str>,
        /// The client's key.
        key: Option<Key>,
    },
    /// What was said?
    History {
        /// Which of it.
        range: Range,
        /// At most so many.
        limit: Option<u32>,
    },
    /// I am typing, or not any more.
    Typing(bool),
}

/// A session has ended.
#[derive(Debug)]
pub struct Part {
    /// The session.
    pub session: SessionId,
    /// Whose it was, if the sender knows.
    pub account: Option<AccountId>,
    /// Why it ended.
    pub reason: LeaveReason,
}

impl Message for Part {
    type Result = ();
}

/// Storage says what became of a batch.
#[derive(Debug)]
struct Commit {
    ticket: Ticket,
    outcome: Result<(), StoreError>,
}

impl Message for Commit {
    type Result = ();
}

/// The room is not in the directory any more.
#[derive(Debug)]
pub struct Retire;

impl Message for Retire {
    type Result = ();
}

/// What every room of a server is made with.
#[derive(Clone)]
pub struct Surroundings {
    /// The Fanout of each worker.
    pub fanouts: Arc<[Recipient<Deliver>]>,
    /// Where history is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The room's bounds.
    pub policy: Policy,
    /// How often arrivals and departures are told in a large room.
    pub presence_interval: Duration,
}

/// The actor.
pub struct ChatRoom {
    id: RoomId,
    room: Room,
    card: Arc<Card>,
    journal: Box<dyn Journal>,
    batch: Batch,
    /// Batches whose commit is under way, each with the seq that it ends at.
    pending: VecDeque<(Ticket, Seq, Batch)>,
    committed: Seq,
    attached: Attached,
    presence_armed: bool,
    around: Surroundings,
    fanouts: Vec<Recipient<Deliver>>,
}

impl ChatRoom {
    /// A room, to be made inside its own context: its journal reports to it.
    pub fn create(
        id: RoomId,
        name: RoomName,
        kind: Kind,
        card: Arc<Card>,
        around: Surroundings,
        ctx: &mut Context<Self>,
    ) -> Self {
        let own = ctx.address().recipient::<Commit>();
        let committed = Arc::new(move |ticket, outcome| {
            // Bounded by the batches under way, and those by the sessions' credit.
            mail::post(&own, Commit { ticket, outcome });
        });
        let journal = around.store.open(&name, committed).unwrap_or_else(|error| {
            log::error!(room:% = name, error:% = error; "the history cannot be opened");
            Box::new(Broken(error))
        });
        let head = journal.head();
        let workers = around.fanouts.len();
        Self {
            id,
            room: Room::new(name, kind, around.policy, journal.epoch(), head),
            card,
            journal,
            batch: Batch::new(workers),
            pending: VecDeque::new(),
            committed: head,
            attached: Attached::new(workers),
            presence_armed: false,
            fanouts: around.fanouts.to_vec(),
            around,
        }
    }

    fn join(&mut self, from: SessionId, who: &Arc<Identity>, answer: Answer) {
        match self.room.join(who, from, self.around.clock.unix_ms()) {
            Ok(arrival) => {
                if arrival == Arrival::Account {
                    self.announce();
                }
                if arrival != Arrival::Known {
                    self.batch.attach(&mut self.attached, from);
                }
                let state = self.room.seen_by(who.account, self.journal.first());
                self.batch.show_room(from, answer, state);
            }
            Err(refusal) => match answer {
                Answer::Result(id) => self.batch.refuse(from, id, &refusal),
                Answer::Event => log::debug!(session:% = from; "cannot join: {}", refusal.text),
            },
        }
    }

    fn part(&mut self, account: AccountId, session: SessionId, reason: LeaveReason) -> Departure {
        let departure = self.room.leave(account, session, reason);
        if departure != Departure::Unknown {
            self.batch.detach(&mut self.attached, session);
        }
        if departure == Departure::Account {
            self.announce();
        }
        departure
    }

    /// Tells of arrivals and departures, unless the room is so large that they are gathered.
    fn announce(&mut self) {
        self.card.set_members(self.room.size(), self.around.clock.now());
        if !self.room.gathers_presence() && !self.presence_armed {
            self.tell_presence();
        }
    }

    fn tell_presence(&mut self) {
        let (name, size) = (Arc::clone(self.room.name()), self.room.size());
        for event in self.room.presence.take(&name, size) {
            self.batch.tell(&self.attached, &event);
        }
    }

    fn say(&mut self, ask: &Ask, id: u32, text: &Arc<str>, key: Option<Key>) {
        let time = self.around.clock.unix_ms();
        match self.room.say(ask.who.account, Arc::clone(text), key, time) {
            Ok(Spoken::New(entry)) => {
                let said = Said { seq: entry.seq, time, dup: false };
                self.batch.acknowledge(ask.from, id, said);
                self.batch.store(&self.attached, self.room.name(), entry);
            }
            // What was said before may still be on its way to storage: it waits with this batch.
            Ok(Spoken::Before(said)) => self.batch.acknowledge(ask.from, id, said),
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
    }

    /// Sets the topic of a room that was just made.
    fn found(&mut self, account: AccountId, topic: &Arc<str>) {
        let time = self.around.clock.unix_ms();
        if let Ok(entry) = self.room.set_topic(account, Arc::clone(topic), time) {
            self.batch.store(&self.attached, self.room.name(), entry);
        }
    }

    fn set_topic(&mut self, ask: &Ask, id: u32, topic: &Arc<str>) {
        let time = self.around.clock.unix_ms();
        match self.room.set_topic(ask.who.account, Arc::clone(topic), time) {
            Ok(entry) => {
                let state = crate::protocol::reply::TopicState {
                    topic: Arc::clone(&entry.text),
                    by: Some(Arc::clone(&entry.from)),
                    time: Some(time),
                    seq: Some(entry.seq),
                };
                self.batch.acknowledge_topic(ask.from, id, state);
                self.batch.store(&self.attached, self.room.name(), entry);
            }
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
    }

    fn history(&mut self, ask: &Ask, id: u32, range: Range, limit: Option<u32>) {
        if let Err(refusal) = self.room.check_member(ask.who.account) {
            return self.batch.refuse(ask.from, id, &refusal);
        }
        let limit = limit.unwrap_or(HISTORY_PAGE).min(HISTORY_PAGE) as usize;
        let (epoch, head) = (self.journal.epoch(), self.committed);
        let (room, session) = (self.id, ask.from);
        let Some(fanout) = self.fanouts.get(usize::from(session.worker.0)).cloned() else { return };
        let reader = Box::new(move |page: Result<crate::store::Page, StoreError>| {
            let frame = match page {
                Ok(page) => {
                    let entries = Page(page.entries);
                    let (first, more) = (page.first, page.more);
                    let page = HistoryPage { epoch, entries, first, head, more };
                    codec::result_frame(id, &page)
                }
                Err(error) => codec::refusal_frame(id, &store_refusal(error)),
            };
            mail::post(&fanout, Deliver { room, steps: vec![Step::Respond(session, frame)] });
        });
        self.journal.read(range, limit, PAGE_BYTES, reader);
    }

    /// Ends the turn: stores what is to be stored, and lets go what need not wait.
    fn finish_turn(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.batch.seal(&self.attached);
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(self.fanouts.len()));
        let entries = std::mem::take(&mut batch.entries);
        let end = self.room.head();
        if entries.is_empty() {
            // It still waits for the batches before it: their frames come first.
            match self.pending.back().map(|&(ticket, ..)| ticket) {
                Some(ticket) => self.pending.push_back((ticket, end, batch)),
                None => self.deliver(batch, &Ok(())),
            }
            return;
        }
        match self.journal.append(entries) {
            Receipt::Committed => self.commit(end, batch),
            Receipt::Pending(ticket) => self.pending.push_back((ticket, end, batch)),
            Receipt::Failed(error) => {
                // What is before it may still succeed: the order goes back to where that ends.
                let head = self.pending.back().map_or(self.committed, |&(_, end, _)| end);
                self.fail(error, head, vec![batch]);
            }
        }
    }

    fn commit(&mut self, end: Seq, batch: Batch) {
        self.committed = end;
        self.room.committed(end);
        self.card.set_topic(&self.room.topic().topic);
        self.deliver(batch, &Ok(()));
    }

    fn fail(&mut self, error: StoreError, head: Seq, batches: Vec<Batch>) {
        log::error!(room:% = self.room.name(), error:% = error; "messages were not stored");
        self.room.roll_back(head);
        let outcome = Err((store_refusal(error), head));
        for batch in batches {
            self.deliver(batch, &outcome);
        }
    }

    fn deliver(&self, batch: Batch, outcome: &Result<(), (Refusal, Seq)>) {
        for (fanout, steps) in self.fanouts.iter().zip(batch.release(outcome)) {
            if !steps.is_empty() {
                // Bounded by the credit of the sessions whose requests these steps answer.
                mail::post(fanout, Deliver { room: self.id, steps });
            }
        }
    }
}

/// What a client is told of storage: that, and when to retry, nothing of its inside.
fn store_refusal(error: StoreError) -> Refusal {
    let code = match error {
        StoreError::Full => Code::StorageFull,
        StoreError::Unavailable => Code::Unavailable,
    };
    Refusal::from(code).retry_after(STORE_WAIT)
}

/// A history that could not be opened: people can meet in the room, and are told why they cannot talk.
struct Broken(StoreError);

impl Journal for Broken {
    fn epoch(&self) -> crate::base::id::Epoch {
        crate::base::id::Epoch(0)
    }

    fn head(&self) -> Seq {
        Seq(0)
    }

    fn first(&self) -> Seq {
        Seq(1)
    }

    fn append(&mut self, _: Vec<crate::protocol::reply::Entry>) -> Receipt {
        Receipt::Failed(self.0)
    }

    fn read(&self, _: Range, _: usize, _: usize, reader: crate::store::Reader) {
        reader(Err(self.0));
    }
}

impl Actor for ChatRoom {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.spawn(FinishTurn);
    }
}

impl Handler<Ask> for ChatRoom {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let (from, account) = (ask.from, ask.who.account);
        let Some(id) = ask.id else {
            // The server asks on a session's behalf for one thing only.
            if matches!(ask.action, Action::Join { .. }) {
                self.join(from, &ask.who, Answer::Event);
            }
            return self.arm_presence(ctx);
        };
        match &ask.action {
            Action::Join { topic } => {
                self.join(from, &ask.who, Answer::Result(id));
                if let Some(topic) = topic {
                    self.found(account, topic);
                }
            }
            Action::Leave => match self.part(account, from, LeaveReason::Left) {
                Departure::Unknown => match self.room.check_member(account) {
                    Ok(()) => self.batch.respond(from, id, &Empty {}),
                    Err(refusal) => self.batch.refuse(from, id, &refusal),
                },
                Departure::Account | Departure::Session => self.batch.respond(from, id, &Empty {}),
            },
            Action::Members { after, limit } => {
                self.answer(from, id, self.room.members(account, *after, *limit));
            }
            Action::ReadTopic => {
                self.answer(from, id, self.room.check_member(account).map(|()| self.room.topic()));
            }
            Action::SetTopic(topic) => self.set_topic(&ask, id, topic),
            Action::Say { text, key } => self.say(&ask, id, text, *key),
            Action::History { range, limit } => self.history(&ask, id, *range, *limit),
            Action::Typing(active) => {
                let told = self.room.typing(account, *active, self.around.clock.now());
                if let Ok(Some(event)) = &told {
                    self.batch.tell(&self.attached, event);
                }
                self.answer(from, id, told.map(|_| Empty {}));
            }
        }
        self.arm_presence(ctx);
    }
}

impl ChatRoom {
    fn answer<T: serde::Serialize>(
        &mut self,
        session: SessionId,
        id: u32,
        result: Result<T, Refusal>,
    ) {
        match result {
            Ok(result) => self.batch.respond(session, id, &result),
            Err(refusal) => self.batch.refuse(session, id, &refusal),
        }
    }

    /// One timer for all that was gathered.
    fn arm_presence(&mut self, ctx: &mut Context<Self>) {
        if self.presence_armed || self.room.presence.is_empty() {
            return;
        }
        self.presence_armed = true;
        ctx.run_later(self.around.presence_interval, |chat_room, _| {
            chat_room.presence_armed = false;
            chat_room.tell_presence();
            // The cork was polled before this timer.
            chat_room.finish_turn();
        });
    }
}

impl Handler<Part> for ChatRoom {
    type Result = ();

    fn handle(&mut self, part: Part, ctx: &mut Self::Context) {
        if let Some(account) = part.account.or_else(|| self.room.account_of(part.session)) {
            self.part(account, part.session, part.reason);
            self.arm_presence(ctx);
        }
    }
}

impl Handler<Commit> for ChatRoom {
    type Result = ();

    fn handle(&mut self, commit: Commit, _: &mut Self::Context) {
        match commit.outcome {
            Ok(()) => {
                while self.pending.front().is_some_and(|&(ticket, ..)| ticket <= commit.ticket) {
                    if let Some((_, end, batch)) = self.pending.pop_front() {
                        self.commit(end, batch);
                    }
                }
            }
            // The journal's contract: all that came later fails with it.
            Err(error) => {
                let failed = std::mem::take(&mut self.pending);
                let batches = failed.into_iter().map(|(_, _, batch)| batch).collect();
                self.fail(error, self.committed, batches);
            }
        }
    }
}

impl Handler<Retire> for ChatRoom {
    type Result = ();

    fn handle(&mut self, _: Retire, ctx: &mut Self::Context) {
        ctx.run_later(GRACE, |_, ctx| ctx.stop());
    }
}

/// The cork: actix polls it after each drain of the mailbox, so that all that came together is
/// stored and sent together, without a timer.
struct FinishTurn;

impl ActorFuture<ChatRoom> for FinishTurn {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        chat_room: &mut ChatRoom,
        _: &mut Context<ChatRoom>,
        _: &mut TaskContext<'_>,
    ) -> Poll<()> {
        chat_room.finish_turn();
        Poll::Pending
    }
}
