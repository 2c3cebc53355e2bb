//! Messages that change after they were said: another text, none any more, reactions.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::index;
use super::rows::{self, signed, unsigned};
use crate::base::id::{AccountId, Epoch, Seq};
use crate::protocol::reply::{Entry, EntryKind};
use crate::store::{NewEntry, Target};

/// The message of a seq, if there is one.
pub(super) fn target(
    connection: &Connection,
    room: Epoch,
    seq: Seq,
) -> rusqlite::Result<Option<Target>> {
    let found = connection
        .prepare_cached(
            "SELECT room, account, deleted IS NOT NULL FROM entry
             WHERE room = (SELECT id FROM room WHERE epoch = ?) AND seq = ? AND kind = ?",
        )?
        .query_row(
            params![signed(room.0), signed(seq.0), rows::kind_number(EntryKind::Message)],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((room, account, deleted)) = found else { return Ok(None) };
    let mut statement = connection
        .prepare_cached("SELECT account, text FROM reaction WHERE room = ? AND re = ?")?;
    let reactions = statement.query_map([room, signed(seq.0)], |row| {
        Ok((AccountId(unsigned(row.get(0)?)), Arc::from(row.get::<_, String>(1)?)))
    })?;
    let reactions = reactions.collect::<rusqlite::Result<_>>()?;
    Ok(Some(Target { account: AccountId(unsigned(account)), deleted, reactions }))
}

/// Does to a message what an entry says that was just written.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    room: i64,
    new: &NewEntry,
) -> rusqlite::Result<()> {
    let Entry { seq, time, kind, re: Some(re), from, text, .. } = &new.entry else { return Ok(()) };
    let message = *re;
    let (seq, time, re) = (signed(seq.0), signed(*time), signed(re.0));
    let account = signed(new.account.0);
    match kind {
        EntryKind::Edit => transaction
            .prepare_cached("UPDATE entry SET text = ?, edited = ? WHERE room = ? AND seq = ?")?
            .execute(params![&**text, time, room, re])
            .and_then(|count| index::changed(transaction, room, message).map(|()| count))?,
        EntryKind::Delete => {
            index::removed(transaction, room, message)?;
            transaction
                .prepare_cached("DELETE FROM reaction WHERE room = ? AND re = ?")?
                .execute([room, re])?;
            // Its edits held the text too.
            transaction
                .prepare_cached(
                    "UPDATE entry SET text = '', deleted = ?1
                     WHERE room = ?2 AND re = ?3 AND kind = 3",
                )?
                .execute([time, room, re])?;
            transaction
                .prepare_cached(
                    "UPDATE entry SET text = '', deleted = ?1 WHERE room = ?2 AND seq = ?3",
                )?
                .execute([time, room, re])?
        }
        EntryKind::React => transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO reaction (room, re, account, text, name, seq)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![room, re, account, &**text, &**from, seq])?,
        EntryKind::Unreact => transaction
            .prepare_cached(
                "DELETE FROM reaction WHERE room = ? AND re = ? AND account = ? AND text = ?",
            )?
            .execute(params![room, re, account, &**text])?,
        // An answer changes nothing of what it answers.
        EntryKind::Message | EntryKind::Topic | EntryKind::Unknown => 0,
    };
    Ok(())
}
