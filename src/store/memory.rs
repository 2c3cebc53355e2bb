//! History in memory: lost when the daemon stops, and says so.
//!
//! **Owns:** for each room the newest entries, within three bounds: entries of a room, bytes of a
//! room, bytes of all rooms. At each bound the room that grows loses its own oldest entries.

mod search;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::reactions::{self, Given};
use super::search::{Search, Searcher};
use super::{
    Changes, Committed, Fate, Finder, Journal, Keys, Looker, NewEntry, Page, Range, Reader,
    Receipt, RoomKind, RoomRecord, Store, StoreError, Target,
};
use crate::base::id::{AccountId, Epoch, Key, Seq};
use crate::base::name::RoomName;
use crate::protocol::reply::{Durability, Entry, EntryKind, TopicState};

/// What an entry costs besides its texts.
const ENTRY_BYTES: usize = size_of::<Kept>() + 64;
/// What a reaction costs, with its texts, which are short.
const REACTION_BYTES: usize = size_of::<(AccountId, Given)>() + 64;

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
    /// Entries of all rooms, ever.
    count: Arc<AtomicU64>,
    /// What is kept, as long as somebody holds it.
    rooms: Mutex<Vec<Weak<Mutex<Shelf>>>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let rooms = Mutex::new(Vec::new());
        Self { bounds, total: Arc::default(), count: Arc::default(), rooms }
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
        name: &RoomName,
        _: RoomKind,
        _: Committed,
    ) -> Result<Box<dyn Journal>, StoreError> {
        // Epochs stay below 2^53, which every language's numbers hold exactly.
        let epoch = Epoch(rand::random::<u64>() >> 11);
        let shelf = Arc::new(Mutex::new(Shelf {
            name: Arc::clone(name.shared()),
            epoch,
            bounds: self.bounds,
            total: Arc::clone(&self.total),
            count: Arc::clone(&self.count),
            entries: VecDeque::new(),
            bytes: 0,
            head: Seq(0),
        }));
        let mut rooms = self.rooms.lock();
        // Rooms that are gone are not kept.
        rooms.retain(|room| room.strong_count() > 0);
        rooms.push(Arc::downgrade(&shelf));
        Ok(Box::new(MemoryJournal(shelf)))
    }

    fn search(&self, search: Search, told: Searcher) {
        told(Ok(search::find(&self.rooms.lock(), &search)));
    }
}

/// The journal; searches look at its shelf too.
struct MemoryJournal(Arc<Mutex<Shelf>>);

/// What is kept of one room.
#[derive(Debug)]
struct Shelf {
    name: Arc<str>,
    epoch: Epoch,
    bounds: Bounds,
    total: Arc<AtomicUsize>,
    count: Arc<AtomicU64>,
    entries: VecDeque<Kept>,
    bytes: usize,
    head: Seq,
}

/// An entry with what is not shown of it.
#[derive(Debug)]
struct Kept {
    /// Its place among the entries of all rooms.
    order: u64,
    entry: Entry,
    account: AccountId,
    reactions: Vec<(AccountId, Given)>,
}

impl Kept {
    fn cost(&self) -> usize {
        ENTRY_BYTES + self.entry.text.len() + self.reactions.len() * REACTION_BYTES
    }

    /// The entry as it is now.
    fn shown(&self) -> Entry {
        let given = self.reactions.iter().map(|(_, given)| given.clone());
        let reactions =
            if self.reactions.is_empty() { None } else { reactions::summary(given.collect()) };
        Entry { reactions, ..self.entry.clone() }
    }

    fn is_message(&self) -> bool {
        self.entry.kind == EntryKind::Message
    }

    fn empty(&mut self, time: u64) {
        self.entry.text = "".into();
        self.entry.deleted = Some(time);
        self.reactions.clear();
    }
}

impl Shelf {
    fn first(&self) -> Seq {
        self.entries.front().map_or(self.head.next(), |kept| kept.entry.seq)
    }

    fn target(&self, seq: Seq) -> Option<Target> {
        let index = usize::try_from(seq.0.checked_sub(self.first().0)?).ok()?;
        let kept = self.entries.get(index).filter(|kept| kept.is_message())?;
        let reactions = kept.reactions.iter();
        Some(Target {
            account: kept.account,
            deleted: kept.entry.deleted.is_some(),
            reactions: reactions
                .map(|(account, given)| (*account, Arc::clone(&given.text)))
                .collect(),
        })
    }

    fn at(&mut self, seq: Seq) -> Option<&mut Kept> {
        // Seqs have no holes, so an entry's index is its distance from the oldest.
        let index = seq.0.checked_sub(self.first().0)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    /// Changes an entry, and counts what it costs now.
    fn change(&mut self, seq: Seq, change: impl FnOnce(&mut Kept)) {
        let Some(kept) = self.at(seq) else { return };
        let before = kept.cost();
        change(kept);
        let after = kept.cost();
        self.bytes = self.bytes + after - before;
        self.total.fetch_add(after, Ordering::Relaxed);
        self.total.fetch_sub(before, Ordering::Relaxed);
    }

    /// Does to a message what an entry says.
    fn apply(&mut self, new: &NewEntry) {
        let Entry { seq, time, kind, re: Some(re), from, text, .. } = &new.entry else { return };
        let account = new.account;
        match kind {
            EntryKind::Edit => self.change(*re, |kept| {
                kept.entry.text = Arc::clone(text);
                kept.entry.edited = Some(*time);
            }),
            EntryKind::Delete => {
                self.change(*re, |kept| kept.empty(*time));
                let edits = self.entries.iter().map(|kept| &kept.entry);
                let edits = edits.filter(|e| e.kind == EntryKind::Edit && e.re == Some(*re));
                for edit in edits.map(|edit| edit.seq).collect::<Vec<_>>() {
                    self.change(edit, |kept| kept.empty(*time));
                }
            }
            EntryKind::React => self.change(*re, |kept| {
                let given = Given { seq: *seq, text: Arc::clone(text), name: Arc::clone(from) };
                kept.reactions.push((account, given));
            }),
            EntryKind::Unreact => self.change(*re, |kept| {
                kept.reactions.retain(|(who, given)| *who != account || given.text != *text);
            }),
            // An answer changes nothing of what it answers.
            EntryKind::Message | EntryKind::Topic | EntryKind::Unknown => {}
        }
    }

    fn push(&mut self, new: NewEntry) {
        self.apply(&new);
        let order = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let NewEntry { entry, account, .. } = new;
        let kept = Kept { order, entry, account, reactions: Vec::new() };
        self.head = kept.entry.seq;
        self.bytes += kept.cost();
        self.total.fetch_add(kept.cost(), Ordering::Relaxed);
        self.entries.push_back(kept);
        while self.entries.len() > self.bounds.room_entries
            || self.bytes > self.bounds.room_bytes
            || self.total.load(Ordering::Relaxed) > self.bounds.total_bytes
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.cost();
            self.total.fetch_sub(oldest.cost(), Ordering::Relaxed);
        }
    }

    fn clear(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
        self.entries.clear();
    }

    fn page(&self, range: Range, limit: usize, bytes: usize) -> Page {
        // Seqs have no holes, so an entry's index is its distance from the oldest.
        let first = self.first();
        let index = |seq: Seq| {
            usize::try_from(seq.0.saturating_sub(first.0))
                .unwrap_or(usize::MAX)
                .min(self.entries.len())
        };
        if let Range::Around(seq) = range {
            let read = |range, limit, bytes| Ok::<_, Infallible>(self.page(range, limit, bytes));
            let Ok(page) = Range::around(seq, (limit, bytes), read);
            return page;
        }
        if let Range::At(time) = range {
            let at = self.entries.partition_point(|kept| kept.entry.time < time);
            let from = self.entries.get(at).map_or(self.head.next(), |kept| kept.entry.seq);
            let from = Range::After(Seq(from.0.saturating_sub(1)), None);
            return self.page(from, limit, bytes);
        }
        let mut left = bytes;
        let mut fits = |entry: &Entry| {
            let size = reactions::size(entry);
            let fits = left >= size;
            left = left.saturating_sub(size);
            fits
        };
        let (entries, more) = if let Range::After(after, before) = range {
            let end = before.map_or(self.entries.len(), index);
            let start = index(after.next()).min(end);
            let oldest = self.entries.range(start..end).take(limit).map(Kept::shown);
            let taken: Vec<_> = oldest.take_while(&mut fits).collect();
            let more = start + taken.len() < end;
            (taken, more)
        } else {
            let end = if let Range::Before(seq) = range { index(seq) } else { self.entries.len() };
            let newest = self.entries.range(..end).rev().take(limit).map(Kept::shown);
            let mut taken: Vec<_> = newest.take_while(&mut fits).collect();
            taken.reverse();
            let more = taken.len() < end;
            (taken, more)
        };
        Page { entries, first, head: self.head, more }
    }
}

impl Journal for MemoryJournal {
    fn epoch(&self) -> Epoch {
        self.0.lock().epoch
    }

    fn head(&self) -> Seq {
        self.0.lock().head
    }

    fn first(&self) -> Seq {
        self.0.lock().first()
    }

    fn topic(&self) -> Option<TopicState> {
        None
    }

    fn keys(&mut self) -> Keys {
        Keys::default()
    }

    /// Nothing but history is kept: nobody is registered who could come back.
    fn append(&mut self, changes: Changes) -> Receipt {
        let mut shelf = self.0.lock();
        for new in changes.entries {
            debug_assert_eq!(new.entry.seq, shelf.head.next(), "a journal has no holes");
            shelf.push(new);
        }
        match changes.fate {
            Some(Fate::Renamed(name)) => shelf.name = Arc::clone(name.shared()),
            Some(Fate::Deleted) => shelf.clear(),
            None => {}
        }
        Receipt::Committed
    }

    fn read(&self, range: Range, limit: usize, bytes: usize, reader: Reader) {
        reader(Ok(self.0.lock().page(range, limit, bytes)));
    }

    fn find(&self, _: &Arc<str>, _: Key, finder: Finder) {
        // The room remembers all keys that there are.
        finder(Ok(None));
    }

    fn look(&self, seq: Seq, looker: Looker) {
        looker(Ok(self.0.lock().target(seq)));
    }
}

impl Drop for Shelf {
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
        let entry = Entry::new(seq, 0, kind, from, text);
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
