//! From a finished batch to its delivery: through storage, in order.
//!
//! **Owns:** the journal, and the batches whose commit is under way: at most as many as turns in which
//! sessions with credit said something. **Never:** delivers; it says what may be delivered.
//! **Invariants:** batches are released in the order in which they were submitted; nothing of a batch
//! is released before its commit, and if that fails, nothing that stands on it at all.

use std::collections::VecDeque;
use std::time::Duration;

use super::batch::Batch;
use super::state::{Past, Room};
use crate::base::id::Seq;
use crate::fanout::actor::Step;
use crate::protocol::reply::TopicState;
use crate::protocol::status::{Code, Refusal};
use crate::store::{Fate, Journal, Receipt, StoreError, Ticket};

/// When a client may retry after the storage failed.
const RETRY: Duration = Duration::from_secs(1);

/// What may be delivered now: for each batch the steps for each worker.
pub type Released = Vec<Vec<Vec<Step>>>;

/// The way of a room's batches.
pub struct Pipeline {
    journal: Box<dyn Journal>,
    /// Batches whose commit is under way, each with the seq that it ends at.
    pending: VecDeque<(Ticket, Seq, Batch)>,
    committed: Seq,
    is_stored: bool,
    /// What was to become of the room, and whether that is stored; until somebody takes it.
    fate: Option<(Fate, bool)>,
}

impl Pipeline {
    /// A pipeline into `journal`.
    pub fn new(journal: Box<dyn Journal>) -> Self {
        let committed = journal.head();
        Self {
            journal,
            pending: VecDeque::new(),
            committed,
            is_stored: committed > Seq(0),
            fate: None,
        }
    }

    /// What the room goes on from; to be asked once.
    pub fn past(&mut self) -> Past {
        let none = || TopicState { topic: "".into(), by: None, time: None, seq: None };
        let topic = self.journal.topic().unwrap_or_else(none);
        let keys = self.journal.keys();
        let house = self.journal.house();
        Past { epoch: self.journal.epoch(), head: self.journal.head(), topic, keys, house }
    }

    /// The journal, to read from.
    pub fn journal(&self) -> &dyn Journal {
        self.journal.as_ref()
    }

    /// The newest committed seq.
    pub fn committed(&self) -> Seq {
        self.committed
    }

    /// Whether another commit is under way.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether storage has anything of the room.
    pub fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// What became of the room's fate, if that is known since it was asked last.
    pub fn take_fate(&mut self) -> Option<(Fate, bool)> {
        self.fate.take()
    }

    /// Takes a batch that ends at the room's head.
    pub fn submit(&mut self, mut batch: Batch, room: &mut Room) -> Released {
        batch.stores = !batch.changes.is_empty();
        let changes = std::mem::take(&mut batch.changes);
        batch.fate.clone_from(&changes.fate);
        let end = room.head();
        if changes.is_empty() {
            // It still waits for the batches before it: their frames come first.
            return match self.pending.back().map(|&(ticket, ..)| ticket) {
                Some(ticket) => {
                    self.pending.push_back((ticket, end, batch));
                    Vec::new()
                }
                None => vec![batch.release(&Ok(()))],
            };
        }
        match self.journal.append(changes) {
            Receipt::Committed => vec![self.commit(end, batch, room)],
            Receipt::Pending(ticket) => {
                self.pending.push_back((ticket, end, batch));
                Vec::new()
            }
            Receipt::Failed(error) => {
                // What is before it may still succeed: the order goes back to where that ends.
                let head = self.pending.back().map_or(self.committed, |&(_, end, _)| end);
                self.fail(error, head, [batch], room)
            }
        }
    }

    /// Storage says what became of a ticket, and of all before it.
    pub fn told(
        &mut self,
        ticket: Ticket,
        outcome: Result<(), StoreError>,
        room: &mut Room,
    ) -> Released {
        if let Err(error) = outcome {
            // The journal's contract: all that came later fails with it.
            let failed = std::mem::take(&mut self.pending);
            let failed = failed.into_iter().map(|(_, _, batch)| batch);
            return self.fail(error, self.committed, failed, room);
        }
        let mut released = Vec::new();
        while self.pending.front().is_some_and(|&(pending, ..)| pending <= ticket) {
            if let Some((_, end, batch)) = self.pending.pop_front() {
                released.push(self.commit(end, batch, room));
            }
        }
        released
    }

    fn commit(&mut self, end: Seq, mut batch: Batch, room: &mut Room) -> Vec<Vec<Step>> {
        self.committed = end;
        if let Some(fate) = batch.fate.take() {
            self.fate = Some((fate, true));
        }
        self.is_stored |= batch.stores;
        room.committed(end);
        batch.release(&Ok(()))
    }

    fn fail(
        &mut self,
        error: StoreError,
        head: Seq,
        batches: impl IntoIterator<Item = Batch>,
        room: &mut Room,
    ) -> Released {
        room.roll_back(head);
        let outcome = Err((store_refusal(error), head));
        let (mut released, mut name) = (Vec::new(), None);
        for mut batch in batches {
            for (account, name, before) in batch.before.iter().rev() {
                room.rights.restore(*account, name, *before);
            }
            if let Some(settings) = batch.settings_before {
                room.rights.set(settings);
            }
            // Of several the first one had the name that holds.
            name = name.or(batch.name_before.take());
            if let Some(fate) = batch.fate.take() {
                self.fate = Some((fate, false));
            }
            released.push(batch.release(&outcome));
        }
        if let Some(name) = name {
            room.rename(name);
        }
        released
    }
}

/// What a client is told of storage: that, and when to retry, nothing of its inside.
#[must_use]
pub fn store_refusal(error: StoreError) -> Refusal {
    let code = match error {
        StoreError::Full => Code::StorageFull,
        StoreError::Unavailable => Code::Unavailable,
        StoreError::Busy => Code::Busy,
    };
    Refusal::from(code).retry_after(RETRY)
}
