//! Pages of a room's history: the entries, each as it is now, with its reactions.

use rusqlite::{Connection, Row, params};

use super::rows::{self, RoomRow, signed, unsigned};
use crate::base::id::{Epoch, Seq};
use crate::protocol::reply::{Entry, EntryKind};
use crate::store::reactions::{self, Given};
use crate::store::{Page, Range};

/// The columns that [`entry`] reads.
pub(super) const COLUMNS: &str = "seq, time, kind, name, text, re, edited, deleted";

/// A page of a room's entries.
pub(super) fn page(
    connection: &Connection,
    room: Epoch,
    range: Range,
    limit: usize,
    bytes: usize,
) -> rusqlite::Result<Page> {
    let Some(RoomRow { id, first, head, .. }) = rows::room_of(connection, room)? else {
        return Ok(Page { entries: Vec::new(), first: Seq(1), head: Seq(0), more: false });
    };
    let end = head.next().0;
    let (after, before, ascending) = match range {
        Range::Newest => (0, end, false),
        Range::Before(seq) => (0, seq.0.min(end), false),
        Range::After(after, before) => {
            (after.0, before.map_or(end, |before| before.0.min(end)), true)
        }
        Range::Around(seq) => {
            return Range::around(seq, (limit, bytes), |range, limit, bytes| {
                page(connection, room, range, limit, bytes)
            });
        }
        Range::At(time) => {
            let from = Range::first_at((first, head), time, |seq| time_of(connection, id, seq))?;
            (from.0.saturating_sub(1), end, true)
        }
    };
    let order = if ascending { "ASC" } else { "DESC" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM entry
         WHERE room = ? AND seq > ? AND seq < ? ORDER BY seq {order} LIMIT ?",
    ))?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = statement.query(params![id, signed(after), signed(before), most])?;
    let (mut entries, mut left, mut more) = (Vec::new(), bytes, false);
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        let size = reactions::size(&entry);
        more = entries.len() == limit || left < size;
        if more {
            break;
        }
        left -= size;
        entries.push(entry);
    }
    add_reactions(connection, id, &mut entries)?;
    // With the reactions there may be more than fits.
    more |= reactions::fit(&mut entries, bytes);
    if !ascending {
        entries.reverse();
    }
    Ok(Page { entries, first, head, more })
}

/// When an entry was taken.
pub(super) fn time_of(connection: &Connection, room: i64, seq: Seq) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT time FROM entry WHERE room = ? AND seq = ?")?
        .query_row([room, signed(seq.0)], |row| row.get(0))
        .map(unsigned)
}

/// Gives messages their reactions; the entries are of one room, and follow one another.
pub(super) fn add_reactions(
    connection: &Connection,
    room: i64,
    entries: &mut [Entry],
) -> rusqlite::Result<()> {
    let messages = || entries.iter().filter(|entry| entry.kind == EntryKind::Message);
    let seqs = || messages().map(|entry| entry.seq.0);
    let (Some(least), Some(most)) = (seqs().min(), seqs().max()) else { return Ok(()) };
    let mut statement = connection.prepare_cached(
        "SELECT re, seq, text, name FROM reaction WHERE room = ? AND re BETWEEN ? AND ?",
    )?;
    let mut rows = statement.query([room, signed(least), signed(most)])?;
    let mut given: Vec<(Seq, Given)> = Vec::new();
    while let Some(row) = rows.next()? {
        given.push((
            Seq(unsigned(row.get(0)?)),
            Given {
                seq: Seq(unsigned(row.get(1)?)),
                text: row.get::<_, String>(2)?.into(),
                name: row.get::<_, String>(3)?.into(),
            },
        ));
    }
    for run in given.chunk_by(|(one, _), (other, _)| one == other) {
        let re = run.first().map(|(re, _)| *re);
        if let Some(entry) = entries.iter_mut().find(|entry| Some(entry.seq) == re) {
            let given = run.iter().map(|(_, given)| given.clone()).collect();
            entry.reactions = reactions::summary(given);
        }
    }
    Ok(())
}

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let number = |index| row.get::<_, Option<i64>>(index).map(|number| number.map(unsigned));
    Ok(Entry {
        seq: Seq(unsigned(row.get(0)?)),
        time: unsigned(row.get(1)?),
        kind: rows::kind_of(row.get(2)?),
        from: row.get::<_, String>(3)?.into(),
        text: row.get::<_, String>(4)?.into(),
        re: number(5)?.map(Seq),
        edited: number(6)?,
        deleted: number(7)?,
        reactions: None,
    })
}
