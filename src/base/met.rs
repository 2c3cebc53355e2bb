//! Who has met which limit, how often, and when last: what an operator wants to know of somebody who
//! complains, or floods.
//!
//! **Owns:** at most [`SUBJECTS`] subjects with [`LIMITS`] limits each. Of the subjects the one that
//! met something longest ago goes first, of its limits likewise.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use lru::LruCache;
use smallvec::SmallVec;

use super::limits::NAMES;

/// Most subjects of one table (about 1 MiB).
pub const SUBJECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");
/// Most limits of one subject.
pub const LIMITS: usize = 12;

/// A limit that somebody has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// Its name.
    pub limit: &'static str,
    /// How often.
    pub count: u64,
    /// When last, in milliseconds since 1970 UTC.
    pub last: u64,
    /// Its place among all that was met: of what was met in one millisecond the higher came later.
    pub order: u64,
}

/// How often a limit was met, of all and by all: several tables are filled at once.
static MET: AtomicU64 = AtomicU64::new(0);

/// The table.
#[derive(Debug)]
pub struct Met<K: Hash + Eq>(LruCache<K, SmallVec<[Note; 2]>>);

impl<K: Hash + Eq> Default for Met<K> {
    fn default() -> Self {
        Self(LruCache::new(SUBJECTS))
    }
}

impl<K: Hash + Eq> Met<K> {
    /// Notes that `subject` has met a limit; one without a name among [`NAMES`] is left out.
    pub fn note(&mut self, subject: K, limit: &str, unix_ms: u64) {
        let Some(limit) = NAMES.iter().copied().find(|name| *name == limit) else { return };
        let notes = self.0.get_or_insert_mut(subject, SmallVec::new);
        let order = MET.fetch_add(1, Ordering::Relaxed);
        if let Some(note) = notes.iter_mut().find(|note| note.limit == limit) {
            note.count += 1;
            note.last = unix_ms;
            note.order = order;
            return;
        }
        if notes.len() >= LIMITS {
            let oldest = notes.iter().enumerate().min_by_key(|(_, note)| note.order);
            if let Some((place, _)) = oldest {
                notes.swap_remove(place);
            }
        }
        notes.push(Note { limit, count: 1, last: unix_ms, order });
    }

    /// What the subject has met that is such.
    pub fn find(&self, such: impl Fn(&K) -> bool) -> Vec<Note> {
        let found = self.0.iter().find(|(subject, _)| such(subject));
        found.map(|(_, notes)| notes.to_vec()).unwrap_or_default()
    }

    /// What a subject has met.
    pub fn of(&self, subject: &K) -> Vec<Note> {
        self.0.peek(subject).map(|notes| notes.to_vec()).unwrap_or_default()
    }
}

/// Adds up what several tables say of one subject; what was met last comes first.
#[must_use]
pub fn sum(all: impl IntoIterator<Item = Note>) -> Vec<Note> {
    let mut sums: Vec<Note> = Vec::new();
    for one in all {
        match sums.iter_mut().find(|sum| sum.limit == one.limit) {
            Some(sum) => {
                sum.count += one.count;
                sum.last = sum.last.max(one.last);
                sum.order = sum.order.max(one.order);
            }
            None => sums.push(one),
        }
    }
    sums.sort_by_key(|note| std::cmp::Reverse(note.order));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_and_is_bounded_both_ways() {
        let mut met = Met::default();
        met.note(0_u32, "queue_ms", 1);
        met.note(0, "queue_ms", 2);
        met.note(0, "text", 2);
        met.note(0, "no such limit", 4);
        let seen = |note: &Note| (note.limit, note.count, note.last);
        assert_eq!(
            met.of(&0).iter().map(seen).collect::<Vec<_>>(),
            [("queue_ms", 2, 2), ("text", 1, 2)]
        );
        let sums = sum(met.of(&0).into_iter().chain(met.of(&0)));
        // Met in the same millisecond, and later.
        assert_eq!(sums.iter().map(seen).collect::<Vec<_>>(), [("text", 2, 2), ("queue_ms", 4, 2)]);
        for (time, limit) in (10..).zip(NAMES) {
            met.note(0, limit, time);
        }
        assert_eq!(met.of(&0).len(), LIMITS);
        for subject in 1..10_000 {
            met.note(subject, "text", 5);
        }
        assert_eq!(met.of(&0), []);
        assert_eq!(met.0.len(), SUBJECTS.get());
    }
}
