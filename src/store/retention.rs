//! How much of what was said is kept, and what takes the space.

use std::sync::Arc;

use crate::base::id::{AccountId, Seq};

/// What is kept of one room at most; without a bound, everything. The oldest goes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Nothing older, in milliseconds.
    pub age_ms: Option<u64>,
    /// No more entries.
    pub entries: Option<u64>,
    /// No more bytes, as [`size`] counts them.
    pub bytes: Option<u64>,
}

impl Keep {
    /// What is kept if both of these hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let least = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            age_ms: least(self.age_ms, other.age_ms),
            entries: least(self.entries, other.entries),
            bytes: least(self.bytes, other.bytes),
        }
    }
}

/// What is kept on the whole server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of each room.
    pub room: Keep,
    /// Entries of all rooms together.
    pub entries: Option<u64>,
    /// Bytes of all rooms together.
    pub bytes: Option<u64>,
}

/// What an entry takes besides its text: its row, its places in the indexes, its names.
pub const ENTRY_BYTES: u64 = 160;

/// What an entry takes.
#[must_use]
pub fn size(text_bytes: u64) -> u64 {
    ENTRY_BYTES + text_bytes
}

/// Up to which seq a room's oldest entries must go so that at most `most` are left.
#[must_use]
pub fn floor_by_count(floor: Seq, head: Seq, most: u64) -> Seq {
    floor.max(Seq(head.0.saturating_sub(most)))
}

/// What is kept, by room and by account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the database on the disk.
    pub file_bytes: u64,
    /// Of those, bytes that are free for what comes next.
    pub free_bytes: u64,
    /// The rooms that take most, the largest first.
    pub rooms: Vec<RoomUsage>,
    /// The accounts that said most, likewise; guests together, without an id.
    pub accounts: Vec<AccountUsage>,
}

/// What a room takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomUsage {
    /// The room; none if it was deleted and is on its way out.
    pub room: Option<Arc<str>>,
    /// Its entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The time of the oldest, in milliseconds since 1970 UTC.
    pub oldest: u64,
}

/// What an account takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUsage {
    /// The account; none for all guests together, and for accounts that are gone.
    pub account: Option<(AccountId, Arc<str>)>,
    /// Its entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_bound_holds() {
        let server = Keep { age_ms: Some(100), entries: None, bytes: Some(5) };
        let own = Keep { age_ms: Some(200), entries: Some(7), bytes: None };
        let both = Keep { age_ms: Some(100), entries: Some(7), bytes: Some(5) };
        assert_eq!(server.and(own), both);
        assert_eq!(own.and(server), both);
        assert_eq!(own.and(Keep::default()), own);
    }

    #[test]
    fn a_floor_never_sinks() {
        let cases = [(0, 10, 3, 7), (8, 10, 3, 8), (0, 2, 3, 0), (0, 5, 0, 5)];
        for (floor, head, most, want) in cases {
            assert_eq!(floor_by_count(Seq(floor), Seq(head), most), Seq(want));
        }
    }
}
