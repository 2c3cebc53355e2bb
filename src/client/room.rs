//! One room as the client follows it: which entries were told, which are missing, which wait.
//!
//! **Owns:** `(epoch, last)`, the place up to which the reader was told everything; `head`, the
//! newest entry known to exist; a short run of live entries that came before their predecessors.
//! **Invariants:** entries are told in the order of `seq`, none twice; what is skipped is told as a
//! [`Gap`](Event::Gap) or a [`Reset`](Event::Reset), never silently. While `last < head` the room
//! is *behind*, for whatever reason: a lost connection, a slow reader, a hole in the live events.
//! There is one way out of it: pages of history after `last`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::event::{Backlog, Event};
use crate::base::clock::Moment;
use crate::base::id::{Epoch, Seq};
use crate::protocol::event as wire;
use crate::protocol::reply::{Entry, HistoryPage, RoomState};

/// Live entries that one room holds back; more are left to the history.
const HELD: usize = 256;
/// Room in the backlog that makes a page worth fetching.
const FETCH_FREE: usize = 64;
/// The pause after a page that the server refused.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Room {
    name: Arc<str>,
    /// The other account's name, in a direct room.
    with: Option<Arc<str>>,
    epoch: Epoch,
    last: Seq,
    head: Seq,
    held: VecDeque<(Seq, Event)>,
    fetching: bool,
    fetch_at: Moment,
}

impl Room {
    /// A room joined now: its history is no news.
    pub(super) fn new(state: &RoomState) -> Self {
        Self {
            name: Arc::clone(&state.room),
            with: state.with.clone(),
            epoch: state.epoch,
            last: state.seq,
            head: state.seq,
            held: VecDeque::new(),
            fetching: false,
            fetch_at: Moment(0),
        }
    }

    pub(super) fn with(&self) -> Option<&Arc<str>> {
        self.with.as_ref()
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The room is called so from now on. What was held back under the old name is fetched again.
    pub(super) fn rename(&mut self, name: &Arc<str>) {
        self.name = Arc::clone(name);
        self.held.clear();
        self.lost();
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether entries are known that were not told.
    pub(super) fn is_behind(&self) -> bool {
        self.last < self.head
    }

    pub(super) fn is_fetching(&self) -> bool {
        self.fetching
    }

    /// The connection was lost, and with it the answer to a fetch.
    pub(super) fn lost(&mut self) {
        self.fetching = false;
        self.fetch_at = Moment(0);
    }

    /// The room was entered again; `state` says where it is now.
    pub(super) fn enter(&mut self, state: &RoomState, backlog: &mut Backlog) {
        // A seq that went back is as little a continuation as another epoch.
        if state.epoch != self.epoch || state.seq < self.last {
            self.reset(state.epoch, state.seq, backlog);
        }
        self.head = self.head.max(state.seq);
        self.forget_before(state.first, backlog);
    }

    /// A live entry has come. `may_hold` is false when the rooms together hold enough.
    pub(super) fn live(&mut self, seq: Seq, event: Event, may_hold: bool, backlog: &mut Backlog) {
        if seq <= self.last {
            return;
        }
        self.head = self.head.max(seq);
        if seq == self.last.next() && backlog.free() > 0 {
            self.tell(seq, event, backlog);
            self.drain(backlog);
            return;
        }
        // Only an unbroken run is held: after a hole, a page is needed in any case.
        let follows = self.held.back().is_none_or(|(newest, _)| newest.next() == seq);
        if may_hold && follows && self.held.len() < HELD {
            self.held.push_back((seq, event));
        }
    }

    /// The entry after which a page is to be fetched now, if one is.
    pub(super) fn wants_page(&self, now: Moment, backlog: &Backlog) -> Option<Seq> {
        let next_is_held = self.held.front().is_some_and(|(seq, _)| *seq == self.last.next());
        let wants = self.is_behind()
            && !self.fetching
            && !next_is_held
            && self.fetch_at <= now
            && backlog.free() >= FETCH_FREE;
        wants.then_some(self.last)
    }

    /// When a refused page may be asked for again, if one was.
    pub(super) fn retry_at(&self) -> Option<Moment> {
        (self.is_behind() && self.fetch_at > Moment(0)).then_some(self.fetch_at)
    }

    /// A page was asked for.
    pub(super) fn fetching(&mut self) {
        self.fetching = true;
        self.fetch_at = Moment(0);
    }

    /// The page after `last` has come.
    pub(super) fn page(&mut self, page: HistoryPage, backlog: &mut Backlog) {
        self.fetching = false;
        if page.epoch != self.epoch {
            self.reset(page.epoch, page.head, backlog);
            return;
        }
        self.head = self.head.max(page.head);
        self.forget_before(page.first, backlog);
        let new = page.entries.0.into_iter().filter(|entry| entry.seq > self.last);
        let new: Vec<Entry> = new.collect();
        if new.is_empty() {
            // Asked for more and given nothing: without this the client would ask for ever.
            let next = self.held.front().map_or(self.head.next(), |(seq, _)| *seq);
            self.skip_to(next, backlog);
        }
        for entry in new {
            if backlog.free() == 0 {
                break;
            }
            self.skip_to(entry.seq, backlog);
            self.last = entry.seq;
            // An entry of a newer kind has its place in the order, and nothing to tell.
            if let Some(event) = wire::Event::of(&self.name, entry).and_then(Event::stored) {
                backlog.push(event);
            }
        }
        self.drain(backlog);
    }

    /// The page was refused: for good, or for a while.
    pub(super) fn page_refused(
        &mut self,
        wait: Option<Duration>,
        now: Moment,
        backlog: &mut Backlog,
    ) {
        self.fetching = false;
        if let Some(wait) = wait {
            self.fetch_at = now.after(wait.max(RETRY));
        } else {
            self.held.clear();
            self.skip_to(self.head.next(), backlog);
        }
    }

    /// Tells what was held back, as far as it follows.
    pub(super) fn drain(&mut self, backlog: &mut Backlog) {
        while let Some((seq, _)) = self.held.front() {
            if *seq > self.last.next() || (*seq > self.last && backlog.free() == 0) {
                return;
            }
            if let Some((seq, event)) = self.held.pop_front()
                && seq > self.last
            {
                self.tell(seq, event, backlog);
            }
        }
    }

    fn tell(&mut self, seq: Seq, event: Event, backlog: &mut Backlog) {
        self.last = seq;
        backlog.push(event);
    }

    fn reset(&mut self, epoch: Epoch, seq: Seq, backlog: &mut Backlog) {
        self.epoch = epoch;
        self.last = seq;
        self.head = seq;
        self.held.clear();
        backlog.push(Event::Reset { room: Arc::clone(&self.name), epoch });
    }

    /// The server has nothing before `first` any more.
    fn forget_before(&mut self, first: Seq, backlog: &mut Backlog) {
        self.skip_to(first.min(self.head.next()), backlog);
    }

    /// Tells that the entries between `last` and `next` are missing, if there are any.
    fn skip_to(&mut self, next: Seq, backlog: &mut Backlog) {
        if next > self.last.next() {
            let (from, to) = (self.last.next(), Seq(next.0.saturating_sub(1)));
            backlog.push(Event::Gap { room: Arc::clone(&self.name), from, to });
            self.last = to;
        }
    }
}

#[cfg(test)]
mod tests;
