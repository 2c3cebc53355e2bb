//! What a room does with each request: through its state into the batch of this turn.

use std::sync::Arc;
use std::time::Duration;

use super::actor::ChatRoom;
use super::batch::Answer;
use super::lookup::Need;
use super::mail::Ask;
use super::moderation::Target;
use super::pipeline::store_refusal;
use super::say::{Act, Asked, Saying, Spoken};
use super::state::{Arrival, Departure};
use crate::base::id::{AccountId, Key, SessionId};
use crate::base::limits::{HISTORY_PAGE, PAGE_BYTES, PRESENCE_PAUSE};
use crate::base::name::Identity;
use crate::fanout::actor::{Deliver, Step};
use crate::mail;
use crate::protocol::codec;
use crate::protocol::event::LeaveReason;
use crate::protocol::reply::{HistoryPage, Page, Said, TopicState};
use crate::protocol::status::Refusal;
use crate::store::standing::{Access, Rank, Settings};
use crate::store::{self, Range, StoreError};

impl ChatRoom {
    pub(super) fn join(&mut self, from: SessionId, who: &Arc<Identity>, answer: Answer) {
        self.let_in(&[(from, who, answer)]);
    }

    /// Lets sessions in together: each finds all of them there, and the others are told once.
    pub(super) fn let_in(&mut self, arriving: &[(SessionId, &Arc<Identity>, Answer)]) {
        let time = self.around.clock.unix_ms();
        let mut arrived = Vec::with_capacity(arriving.len());
        for &(session, who, answer) in arriving {
            match self.room.join(who, session, time) {
                // Brought here twice, as a default room and as one it was in: once is enough.
                Ok(Arrival::Known) if answer == Answer::Event => {}
                Ok(arrival) => arrived.push((session, who.account, answer, arrival)),
                Err(refusal) => match answer {
                    Answer::Result(id) => self.batch.refuse(session, id, &refusal),
                    Answer::Event => {
                        log::debug!(session:% = session; "cannot join: {}", refusal.text);
                    }
                },
            }
        }
        if arrived.iter().any(|&(.., arrival)| arrival == Arrival::Account) {
            self.announce();
        }
        for &(session, who, _) in arriving {
            if arrived.iter().any(|&(came, ..)| came == session) {
                self.settle(who, session, true);
            }
        }
        for &(session, _, _, arrival) in &arrived {
            if arrival != Arrival::Known {
                self.batch.attach(&mut self.attached, session);
            }
        }
        for (session, account, answer, _) in arrived {
            let state = self.room.seen_by(account, self.pipeline.journal().first());
            self.batch.show_room(session, answer, state);
        }
    }

    pub(super) fn part(
        &mut self,
        account: AccountId,
        session: SessionId,
        reason: LeaveReason,
    ) -> Departure {
        let departure = self.room.leave(account, session, reason);
        if departure != Departure::Unknown {
            self.batch.detach(&mut self.attached, session);
        }
        if departure == Departure::Account {
            self.announce();
        }
        departure
    }

    /// Tells of arrivals and departures, unless others were told of a moment ago.
    pub(super) fn announce(&mut self) {
        self.card.set_members(self.room.size(), self.around.clock.now());
        if self.presence_wait().is_zero() {
            self.tell_presence();
        }
    }

    /// How long it is until arrivals and departures may be told.
    pub(super) fn presence_wait(&self) -> Duration {
        let interval = self.around.presence_interval;
        let pause = if self.room.is_large() { interval } else { PRESENCE_PAUSE.min(interval) };
        self.room.presence.wait(self.around.clock.now(), pause)
    }

    pub(super) fn tell_presence(&mut self) {
        if self.room.presence.is_empty() {
            return;
        }
        let (name, size) = (Arc::clone(self.room.name()), self.room.size());
        for event in self.room.presence.take(&name, size, self.around.clock.now()) {
            self.batch.tell(&self.attached, &event);
        }
    }

    /// In a small room nothing that somebody does is shown before they are known to be there: it goes out
    /// in the same writes.
    pub(super) fn tell_presence_first(&mut self) {
        if !self.room.is_large() {
            self.tell_presence();
        }
    }

    /// Says something, or does something to a message. Gives back what storage has to be asked for
    /// first.
    pub(super) fn say(
        &mut self,
        ask: &Ask,
        id: u32,
        (act, key): (&Act, Option<Key>),
        asked: &Asked,
    ) -> Option<Need> {
        let time = self.around.clock.unix_ms();
        match self.room.say(ask.who.account, Saying { act, key, time }, asked) {
            Ok(Spoken::New(entry)) => {
                self.tally.messages.add(1);
                let said = Said { seq: entry.entry.seq, time, dup: false };
                self.batch.acknowledge(ask.from, id, said);
                self.batch.store(&self.attached, self.room.name(), entry);
            }
            // What was said before may still be on its way to storage: it waits with this batch.
            Ok(Spoken::Before(said)) => self.batch.acknowledge(ask.from, id, said),
            Ok(Spoken::Unsure(key)) => return Some(Need::Key(key)),
            Ok(Spoken::Look(seq)) => return Some(Need::Message(seq)),
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
        None
    }

    /// Lets both of a direct room in, on all sessions of the other.
    pub(super) fn join_both(&mut self, ask: &Ask, id: u32, peer: &Target) {
        let others = peer.sessions.iter().map(|&session| (session, &peer.who, Answer::Event));
        let arriving: Vec<_> = others.chain([(ask.from, &ask.who, Answer::Result(id))]).collect();
        self.let_in(&arriving);
        self.settle(&peer.who, ask.from, true);
    }

    /// Gives a room that was just made to its founder.
    pub(super) fn found(&mut self, ask: &Ask, private: bool) {
        let owned = self.stand(&ask.who, |standing| standing.rank = Rank::Owner);
        debug_assert!(owned.is_ok(), "a new room has place for its founder");
        if private {
            let before = self.room.rights.settings();
            let settings = Settings { access: Access::Private, ..before };
            self.room.rights.set(settings);
            self.batch.configure(before, settings);
            self.card.show_to(self.room.rights.seers());
        }
    }

    /// Sets the topic of a room that was just made.
    pub(super) fn first_topic(&mut self, account: AccountId, topic: &Arc<str>) {
        let time = self.around.clock.unix_ms();
        if let Ok(entry) = self.room.set_topic(account, Arc::clone(topic), time) {
            self.batch.store(&self.attached, self.room.name(), entry);
        }
    }

    pub(super) fn set_topic(&mut self, ask: &Ask, id: u32, topic: &Arc<str>) {
        let time = self.around.clock.unix_ms();
        match self.room.set_topic(ask.who.account, Arc::clone(topic), time) {
            Ok(entry) => {
                let stored = &entry.entry;
                let state = TopicState {
                    topic: Arc::clone(&stored.text),
                    by: Some(Arc::clone(&stored.from)),
                    time: Some(time),
                    seq: Some(stored.seq),
                };
                self.batch.acknowledge_topic(ask.from, id, state);
                self.batch.store(&self.attached, self.room.name(), entry);
            }
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
    }

    pub(super) fn history(&mut self, ask: &Ask, id: u32, range: Range, limit: Option<u32>) {
        if let Err(refusal) = self.room.check_member(ask.who.account) {
            return self.batch.refuse(ask.from, id, &refusal);
        }
        let limit = limit.unwrap_or(HISTORY_PAGE).min(HISTORY_PAGE) as usize;
        let epoch = self.pipeline.journal().epoch();
        let (room, session) = (self.id, ask.from);
        let Some(fanout) = self.fanouts.get(usize::from(session.worker.0)).cloned() else { return };
        let reader = Box::new(move |page: Result<store::Page, StoreError>| {
            let frame = match page {
                Ok(page) => {
                    let entries = Page(page.entries);
                    let (first, head, more) = (page.first, page.head, page.more);
                    let page = HistoryPage { epoch, entries, first, head, more };
                    codec::result_frame(id, &page)
                }
                Err(error) => codec::refusal_frame(id, &store_refusal(error)),
            };
            mail::post(&fanout, Deliver { room, steps: vec![Step::Respond(session, frame)] });
        });
        self.pipeline.journal().read(range, limit, PAGE_BYTES, reader);
    }

    pub(super) fn answer<T: serde::Serialize>(
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
}
