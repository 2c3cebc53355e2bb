//! Taking away the oldest entries of a room: what is not kept any longer.

use rusqlite::{Transaction, params};

use super::rows::signed;
use crate::base::id::{Epoch, Seq};
use crate::base::limits::KEY_WINDOW_MS;

/// Entries that are taken away in one transaction: bounds how long a message waits for it.
pub(super) const PORTION: u64 = 64;

/// What is to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trim {
    /// The room's row.
    pub(super) room: i64,
    /// The room.
    pub(super) epoch: Epoch,
    /// Everything up to this seq.
    pub(super) up_to: Seq,
    /// The room itself too, which was deleted.
    pub(super) last: bool,
    /// When, in milliseconds since 1970 UTC.
    pub(super) now: u64,
}

/// Takes it away.
pub(super) fn apply(transaction: &Transaction<'_>, trim: &Trim) -> rusqlite::Result<()> {
    let (room, up_to) = (trim.room, signed(trim.up_to.0));
    keep_topic(transaction, trim)?;
    spend_keys(transaction, trim)?;
    for forget in [
        "DELETE FROM search WHERE rowid IN (SELECT id FROM entry WHERE room = ? AND seq <= ?)",
        "DELETE FROM search_again WHERE entry IN
             (SELECT id FROM entry WHERE room = ? AND seq <= ?)",
        "DELETE FROM reaction WHERE room = ? AND re <= ?",
        "DELETE FROM entry WHERE room = ? AND seq <= ?",
    ] {
        transaction.prepare_cached(forget)?.execute([room, up_to])?;
    }
    transaction
        .prepare_cached("UPDATE room SET floor = max(floor, ?) WHERE id = ?")?
        .execute([up_to, room])?;
    // An id that is free again is given again: the index must not take it for one that it has.
    transaction
        .prepare_cached(
            "UPDATE search_state
             SET indexed = min(indexed, coalesce((SELECT max(id) FROM entry), 0))",
        )?
        .execute([])?;
    if trim.last {
        transaction.prepare_cached("DELETE FROM room WHERE id = ? AND deleted")?.execute([room])?;
    }
    Ok(())
}

/// The topic stays, though the entry that set it goes.
fn keep_topic(transaction: &Transaction<'_>, trim: &Trim) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE room SET (topic, topic_name, topic_time, topic_seq) =
                 (SELECT text, name, time, seq FROM entry WHERE room = ?1 AND kind = 2
                  AND seq <= ?2 ORDER BY seq DESC LIMIT 1)
             WHERE id = ?1
               AND EXISTS (SELECT 1 FROM entry WHERE room = ?1 AND kind = 2 AND seq <= ?2)",
        )?
        .execute([trim.room, signed(trim.up_to.0)])?;
    Ok(())
}

/// A request that was done stays done, as long as it may come again.
fn spend_keys(transaction: &Transaction<'_>, trim: &Trim) -> rusqlite::Result<()> {
    let since = signed(trim.now.saturating_sub(KEY_WINDOW_MS));
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO spent (key, room, name, seq, time, kind, re)
             SELECT key, room, name, seq, time, kind, re FROM entry
             WHERE room = ? AND seq <= ? AND key IS NOT NULL AND time > ?",
        )?
        .execute(params![trim.room, signed(trim.up_to.0), since])?;
    transaction.prepare_cached("DELETE FROM spent WHERE time <= ?")?.execute([since])?;
    Ok(())
}
