//! History in memory: lost when the daemon stops, and says so.
//!
//! **Owns:** for each room the newest entries, within three bounds: entries of a room, bytes of a
//! room, bytes of all rooms. At each bound the room that grows loses its own oldest entries.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Changes, Committed, Finder, Journal, Keys, NewEntry, Page, Range, Reader, Receipt, RoomKind,
    RoomRecord, Store, StoreError,
};
use crate::base::id::{Epoch, Key, Seq};
use crate::base::name::RoomName;
use crate::protocol::reply::{Durability, Entry, TopicState};

/// What an entry costs besides its texts.
const ENTRY_BYTES: usize = size_of::<Entry>() + 64;

/// The bounds of the memory store.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most entries of one room.
    pub room_entries: usize,
    /// Most bytes of one room.
    pub room_bytes: usize,
    /// Most bytes of all rooms.
    pub total_bytes: usize,
}

/// The store.
#[derive(Debug)]
pub struct MemoryStore {
    bounds: Bounds,
    total: Arc<AtomicUsize>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, total: Arc::default() }
    }
}

impl Store for MemoryStore {
    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        Ok(Vec::new())
    }

    fn open(
        &self,
        _: &RoomName,
        _: RoomKind,
        _: Committed,
    ) -> Result<Box<dyn Journal>, StoreError> {
        // Epochs stay below 2^53, which every language's numbers hold exactly.
        let epoch = Epoch(rand::random::<u64>() >> 11);
        Ok(Box::new(MemoryJournal {
            epoch,
            bounds: self.bounds,
            total: Arc::clone(&self.total),
            entries: VecDeque::new(),
            bytes: 0,
            head: Seq(0),
        }))
    }
}

struct MemoryJournal {
    epoch: Epoch,
    bounds: Bounds,
    total: Arc<AtomicUsize>,
    entries: VecDeque<Entry>,
    bytes: usize,
    head: Seq,
}

fn cost(entry: &Entry) -> usize {
    ENTRY_BYTES + entry.text.len()
}

impl MemoryJournal {
    fn push(&mut self, entry: Entry) {
        self.head = entry.seq;
        self.bytes += cost(&entry);
        self.total.fetch_add(cost(&entry), Ordering::Relaxed);
        self.entries.push_back(entry);
        while self.entries.len() > self.bounds.room_entries
            || self.bytes > self.bounds.room_bytes
            || self.total.load(Ordering::Relaxed) > self.bounds.total_bytes
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= cost(&oldest);
            self.total.fetch_sub(cost(&oldest), Ordering::Relaxed);
        }
    }

    fn page(&self, range: Range, limit: usize, bytes: usize) -> Page {
        // Seqs have no holes, so an entry's index is its distance from the oldest.
        let first = self.first();
        let index = |seq: Seq| {
            usize::try_from(seq.0.saturating_sub(first.0))
                .unwrap_or(usize::MAX)
                .min(self.entries.len())
        };
        let mut left = bytes;
        let mut fits = |entry: &&Entry| {
            let size = entry.text.len() + entry.from.len() + 64;
            let fits = left >= size;
            left = left.saturating_sub(size);
            fits
        };
        let (entries, more) = if let Range::After(after, before) = range {
            let end = before.map_or(self.entries.len(), index);
            let start = index(after.next()).min(end);
            let taken: Vec<_> =
                self.entries.range(start..end).take(limit).take_while(&mut fits).cloned().collect();
            let more = start + taken.len() < end;
            (taken, more)
        } else {
            let end = if let Range::Before(seq) = range { index(seq) } else { self.entries.len() };
            let newest = self.entries.range(..end).rev().take(limit);
            let mut taken: Vec<_> = newest.take_while(&mut fits).cloned().collect();
            taken.reverse();
            let more = taken.len() < end;
            (taken, more)
        };
        Page { entries, first, more }
    }
}

impl Journal for MemoryJournal {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn head(&self) -> Seq {
        self.head
    }

    fn first(&self) -> Seq {
        self.entries.front().map_or(self.head.next(), |entry| entry.seq)
    }

    fn topic(&self) -> Option<TopicState> {
        None
    }

    fn keys(&mut self) -> Keys {
        Keys::default()
    }

    /// Nothing but history is kept: nobody is registered who could come back.
    fn append(&mut self, changes: Changes) -> Receipt {
        for NewEntry { entry, .. } in changes.entries {
            debug_assert_eq!(entry.seq, self.head.next(), "a journal has no holes");
            self.push(entry);
        }
        Receipt::Committed
    }

    fn read(&self, range: Range, limit: usize, bytes: usize, reader: Reader) {
        reader(Ok(self.page(range, limit, bytes)));
    }

    fn find(&self, _: &Arc<str>, _: Key, finder: Finder) {
        // The room remembers all keys that there are.
        finder(Ok(None));
    }
}

impl Drop for MemoryJournal {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::AccountId;
    use crate::protocol::reply::EntryKind;
    use std::sync::mpsc;

    const BOUNDS: Bounds = Bounds { room_entries: 10, room_bytes: 100_000, total_bytes: 200_000 };

    fn open(store: &MemoryStore) -> Box<dyn Journal> {
        let name = RoomName::parse("lobby").unwrap();
        store.open(&name, RoomKind::Public, Arc::new(|_, _| ())).unwrap()
    }

    fn say(journal: &mut dyn Journal, text: &str) {
        let seq = journal.head().next();
        let (kind, from, text) = (EntryKind::Message, "ann".into(), text.into());
        let entry = Entry { seq, time: 0, kind, from, text };
        let entries = vec![NewEntry { entry, account: AccountId(1), key: None }];
        assert_eq!(journal.append(Changes { entries, ..Changes::default() }), Receipt::Committed);
    }

    #[track_caller]
    fn check(journal: &dyn Journal, range: Range, limit: usize, expected: &[u64], more: bool) {
        let (sender, receiver) = mpsc::channel();
        journal.read(
            range,
            limit,
            60_000,
            Box::new(move |page| sender.send(page.unwrap()).unwrap()),
        );
        let page = receiver.recv().unwrap();
        let seqs: Vec<_> = page.entries.iter().map(|entry| entry.seq.0).collect();
        assert_eq!((seqs.as_slice(), page.more), (expected, more), "{range:?}");
    }

    #[test]
    fn pages_go_both_ways_and_say_whether_there_is_more() {
        let store = MemoryStore::new(BOUNDS);
        let mut journal = open(&store);
        check(&*journal, Range::Newest, 3, &[], false);
        (0..14).for_each(|_| say(&mut *journal, "hello"));
        assert_eq!((journal.first(), journal.head()), (Seq(5), Seq(14)));
        check(&*journal, Range::Newest, 3, &[12, 13, 14], true);
        check(&*journal, Range::Before(Seq(7)), 3, &[5, 6], false);
        check(&*journal, Range::Before(Seq(1)), 3, &[], false);
        check(&*journal, Range::After(Seq(0), None), 3, &[5, 6, 7], true);
        check(&*journal, Range::After(Seq(12), None), 3, &[13, 14], false);
        check(&*journal, Range::After(Seq(99), None), 3, &[], false);
        check(&*journal, Range::After(Seq(6), Some(Seq(9))), 3, &[7, 8], false);
        check(&*journal, Range::After(Seq(6), Some(Seq(12))), 3, &[7, 8, 9], true);
        check(&*journal, Range::After(Seq(9), Some(Seq(6))), 3, &[], false);
        check(&*journal, Range::Before(Seq(99)), 99, &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14], false);
    }

    #[test]
    fn a_page_is_bounded_in_bytes_in_both_directions() {
        let store = MemoryStore::new(BOUNDS);
        let mut journal = open(&store);
        (0..5).for_each(|_| say(&mut *journal, &"x".repeat(16_000)));
        check(&*journal, Range::Newest, 99, &[3, 4, 5], true);
        check(&*journal, Range::After(Seq(0), None), 99, &[1, 2, 3], true);
    }

    #[test]
    fn the_bytes_of_one_room_and_of_all_are_bounded() {
        let store = MemoryStore::new(BOUNDS);
        let mut journals: Vec<_> = (0..4).map(|_| open(&store)).collect();
        for journal in &mut journals {
            (0..10).for_each(|_| say(&mut **journal, &"x".repeat(16_000)));
        }
        assert!(store.total.load(Ordering::Relaxed) <= BOUNDS.total_bytes);
        drop(journals);
        assert_eq!(store.total.load(Ordering::Relaxed), 0);
    }
}
