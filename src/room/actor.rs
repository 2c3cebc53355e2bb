//! The `ChatRoom` actor: membership, order, and the announcement of who joins and leaves.
//!
//! **Receives** [`Ask`] from sessions (through the scheduler or the directory), [`Part`] when a
//! session has ended, [`Commit`] from storage, [`Retire`] from the directory.
//! **Sends** one [`Deliver`] to the Fanout of each worker that is concerned, after each drain of its
//! mailbox and each commit.
//! **Bound:** requests are bounded by the sessions' credit; the mailbox is a second fence, and a
//! request that it refuses is answered `busy` by the sender.

mod adopt;
mod fence;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Recipient};

pub use self::adopt::Adopt;
use super::batch::{Answer, Attached, Batch};
use super::card::Card;
use super::fate::{Fated, Life};
use super::gathering::Gathering;
use super::kind::Kind;
use super::mail::{Action, Ask, Part, Retire};
use super::moderation::Settled;
use super::pipeline::{Pipeline, Released};
use super::say::Asked;
use super::state::{Policy, Room};
use crate::base::clock::Clock;
use crate::base::id::RoomId;
use crate::base::limits::MAILBOX;
use crate::base::name::RoomName;
use crate::base::tally::Tally;
use crate::fanout::actor::Deliver;
use crate::mail;
use crate::protocol::reply::Empty;
use crate::store::broken::Broken;
use crate::store::standing::Access;
use crate::store::{Store, StoreError, Ticket};
use crate::transport::turn::Turns;

/// How long a retired room still answers those who have not heard of it.
const GRACE: Duration = Duration::from_secs(10);

/// Storage says what became of a batch.
#[derive(Debug)]
struct Commit {
    ticket: Ticket,
    outcome: Result<(), StoreError>,
}

impl Message for Commit {
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
    /// What each worker counts.
    pub tallies: Arc<[Arc<Tally>]>,
    /// Told, at once, who is at home in a room from now on.
    pub settled: Arc<dyn Fn(Settled) + Send + Sync>,
    /// Told, at once, what becomes of a room itself.
    pub fated: Arc<dyn Fn(Fated) + Send + Sync>,
}

impl Surroundings {
    /// The place among the workers where a room runs.
    #[must_use]
    pub fn place_of(&self, room: RoomId) -> usize {
        room.0 as usize % self.fanouts.len().max(1)
    }

    /// What is counted where a room runs.
    fn tally_of(&self, room: RoomId) -> Arc<Tally> {
        self.tallies.get(self.place_of(room)).cloned().unwrap_or_default()
    }
}

/// The actor.
pub struct ChatRoom {
    pub(super) id: RoomId,
    pub(super) room: Room,
    pub(super) card: Arc<Card>,
    pub(super) pipeline: Pipeline,
    pub(super) batch: Batch,
    pub(super) attached: Attached,
    pub(super) presence_armed: bool,
    pub(super) around: Surroundings,
    pub(super) fanouts: Vec<Recipient<Deliver>>,
    pub(super) tally: Arc<Tally>,
    pub(super) life: Life,
    /// Committed, and not delivered before what follows it.
    held: Released,
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
        let stored = kind.stored();
        let journal = around.store.open(&name, stored, committed).unwrap_or_else(|error| {
            log::error!(room:% = name, error:% = error; "the history cannot be opened");
            Box::new(Broken(error))
        });
        let mut pipeline = Pipeline::new(journal);
        let room = Room::new(name, kind, around.policy, pipeline.past());
        if room.rights.settings().access == Access::Private {
            card.show_to(room.rights.seers());
        }
        let workers = around.fanouts.len();
        Self {
            id,
            room,
            card,
            pipeline,
            batch: Batch::new(workers),
            attached: Attached::new(workers),
            presence_armed: false,
            fanouts: around.fanouts.to_vec(),
            tally: around.tally_of(id),
            life: Life::default(),
            held: Released::new(),
            around,
        }
    }

    /// Ends the turn: stores what is to be stored, and lets go what need not wait.
    fn finish_turn(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.batch.seal(&self.attached);
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.fanouts.len()));
        let released = self.pipeline.submit(batch, &mut self.room);
        if !released.is_empty() {
            self.deliver(released);
        }
    }

    /// Delivers what was committed; in a large room together with what comes right behind it, since to
    /// write to everybody takes longer than a commit. Nothing waits for more than that one.
    fn deliver_in_company(&mut self, released: Released) {
        let follows = self.pipeline.is_pending() || !self.batch.is_empty();
        if follows && self.held.is_empty() && self.attached.is_large() {
            self.held = released;
        } else {
            self.deliver(released);
        }
    }

    fn deliver(&mut self, released: Released) {
        // Whoever hears of it must find the directory knowing.
        self.meet_fate();
        if self.pipeline.is_stored() {
            self.card.keep();
        }
        for steps in std::mem::take(&mut self.held).into_iter().chain(released) {
            for (fanout, steps) in self.fanouts.iter().zip(steps) {
                if !steps.is_empty() {
                    // Bounded by the credit of the sessions whose requests these steps answer.
                    mail::post(fanout, Deliver { room: self.id, steps });
                }
            }
        }
        self.card.set_topic(&self.room.topic().topic);
    }
}

impl Actor for ChatRoom {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.spawn(FinishTurn::default());
    }
}

impl Handler<Ask> for ChatRoom {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let (from, account) = (ask.from, ask.who.account);
        let Some(id) = ask.id else {
            // The server asks on a session's behalf for one thing only.
            if matches!(ask.action, Action::Join) && self.check_life().is_ok() {
                self.join(from, &ask.who, Answer::Event);
            }
            return self.arm_presence(ctx);
        };
        if let Err(refusal) = self.check_life() {
            return self.batch.refuse(from, id, &refusal);
        }
        let shows = ask.action.shows();
        if shows {
            self.tell_presence_first();
        }
        match &ask.action {
            Action::Join => self.join(from, &ask.who, Answer::Result(id)),
            Action::Found { topic, private } => {
                self.found(&ask, *private);
                self.join(from, &ask.who, Answer::Result(id));
                if let Some(topic) = topic {
                    self.first_topic(account, topic);
                }
            }
            Action::JoinBoth(peer) => self.join_both(&ask, id, peer),
            Action::Leave => {
                let known = self.room.check_member(account);
                match known {
                    Ok(()) => {
                        self.leave(&ask.who, from);
                        self.batch.acknowledge_change(from, id);
                    }
                    Err(refusal) => self.batch.refuse(from, id, &refusal),
                }
            }
            Action::Moderate(target, measure) => self.moderate(&ask, id, target, measure),
            Action::Configure(setting) => self.configure(&ask, id, *setting),
            Action::Rename(name) => self.rename(&ask, id, name),
            Action::Delete => self.delete(&ask, id),
            Action::Standings { after, limit } => {
                self.answer(from, id, self.standings(&ask, *after, *limit));
            }
            Action::Members { after, limit } => {
                self.answer(from, id, self.room.members(account, *after, *limit));
            }
            Action::ReadTopic => {
                self.answer(from, id, self.room.check_member(account).map(|()| self.room.topic()));
            }
            Action::SetTopic(topic) => self.set_topic(&ask, id, topic),
            Action::Say { .. } => self.attempt(ask, Asked::NOTHING, ctx),
            Action::History { range, limit } => self.history(&ask, id, *range, *limit),
            Action::MarkRead(seq) => self.mark_read(&ask, id, *seq),
            Action::Typing(active) => {
                let told = self.room.typing(account, *active, self.around.clock.now());
                if let Ok(Some(event)) = &told {
                    self.batch.tell(&self.attached, event);
                }
                self.answer(from, id, told.map(|_| Empty {}));
            }
        }
        if shows {
            // Who was put out is told of with it.
            self.tell_presence_first();
        }
        self.arm_presence(ctx);
    }
}

impl ChatRoom {
    /// One timer for all that was gathered.
    fn arm_presence(&mut self, ctx: &mut Context<Self>) {
        if self.presence_armed || self.room.presence.is_empty() {
            return;
        }
        self.presence_armed = true;
        ctx.run_later(self.presence_wait(), |chat_room, _| {
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
        if let Err(error) = commit.outcome {
            log::error!(room:% = self.room.name(), error:% = error; "messages were not stored");
        }
        let released = self.pipeline.told(commit.ticket, commit.outcome, &mut self.room);
        self.deliver_in_company(released);
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
#[derive(Default)]
struct FinishTurn {
    turns: Turns,
    gathering: Gathering,
}

impl ActorFuture<ChatRoom> for FinishTurn {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        chat_room: &mut ChatRoom,
        _: &mut Context<ChatRoom>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        if chat_room.batch.is_empty() {
            return Poll::Pending;
        }
        let turn_passed = self.turns.has_passed();
        if chat_room.attached.is_large() && self.gathering.goes_on(turn_passed) {
            self.turns.come_again(cx);
        } else {
            self.gathering = Gathering::default();
            chat_room.finish_turn();
        }
        Poll::Pending
    }
}
