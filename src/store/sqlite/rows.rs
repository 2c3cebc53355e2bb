//! Rows as values, and `SQLite`'s errors as ours.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use crate::base::id::{AccountId, Epoch, Key, Seq};
use crate::base::name::RoomName;
use crate::protocol::reply::{EntryKind, TopicState};
use crate::store::{Keys, Known, RoomKind, RoomRecord, StoreError};

pub(super) const PUBLIC: i64 = 1;
pub(super) const DIRECT: i64 = 2;

/// `SQLite` has no unsigned integers; ours stay far below the sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn kind_number(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Message => 1,
        EntryKind::Topic => 2,
        EntryKind::Edit => 3,
        EntryKind::Delete => 4,
        EntryKind::React => 5,
        EntryKind::Unreact => 6,
        EntryKind::Unknown => 0,
    }
}

pub(super) fn kind_of(number: i64) -> EntryKind {
    match number {
        1 => EntryKind::Message,
        2 => EntryKind::Topic,
        3 => EntryKind::Edit,
        4 => EntryKind::Delete,
        5 => EntryKind::React,
        6 => EntryKind::Unreact,
        _ => EntryKind::Unknown,
    }
}

/// What an error means to those who wanted to write or read.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Unavailable,
    }
}

/// The rooms that are stored.
pub(super) fn rooms(connection: &Connection) -> rusqlite::Result<Vec<RoomRecord>> {
    let mut statement = connection.prepare(
        "SELECT name, kind, one, other, coalesce((
             SELECT text FROM entry WHERE room = room.id AND kind = 2 ORDER BY seq DESC LIMIT 1
         ), topic, ''), access FROM room WHERE NOT deleted",
    )?;
    let mut rows = statement.query([])?;
    let mut rooms = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        // What was a name when it was stored may be none for a stricter version.
        let Ok(name) = RoomName::parse(&name) else {
            log::warn!("a stored room has a name that is none in this version; it is left alone");
            continue;
        };
        let account = |index| row.get(index).map(|id: i64| AccountId(unsigned(id)));
        let kind = match row.get::<_, i64>(1)? {
            DIRECT => RoomKind::Direct([account(2)?, account(3)?]),
            _ => RoomKind::Public,
        };
        rooms.push(RoomRecord {
            name,
            kind,
            topic: row.get::<_, String>(4)?.into(),
            is_private: row.get(5)?,
        });
    }
    Ok(rooms)
}

/// A room as it was left.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomRow {
    pub(super) id: i64,
    pub(super) epoch: Epoch,
    pub(super) first: Seq,
    pub(super) head: Seq,
}

const ROOM: &str = "SELECT id, epoch, floor,
    max(floor, coalesce((SELECT max(seq) FROM entry WHERE room = room.id), 0)) FROM room";

fn room_row(row: &Row<'_>) -> rusqlite::Result<RoomRow> {
    let seq = |index| row.get(index).map(|seq| Seq(unsigned(seq)));
    let (floor, head): (Seq, Seq) = (seq(2)?, seq(3)?);
    Ok(RoomRow { id: row.get(0)?, epoch: Epoch(unsigned(row.get(1)?)), first: floor.next(), head })
}

/// A room as it was left.
pub(super) fn room(connection: &Connection, name: &RoomName) -> rusqlite::Result<Option<RoomRow>> {
    connection
        .prepare_cached(&format!("{ROOM} WHERE name = ?"))?
        .query_row([name.as_str()], room_row)
        .optional()
}

/// The same, whatever it is called now.
pub(super) fn room_of(connection: &Connection, epoch: Epoch) -> rusqlite::Result<Option<RoomRow>> {
    connection
        .prepare_cached(&format!("{ROOM} WHERE epoch = ? AND NOT deleted"))?
        .query_row([signed(epoch.0)], room_row)
        .optional()
}

/// The newest topic of a room; the entry that set it may be gone.
pub(super) fn topic(connection: &Connection, room: i64) -> rusqlite::Result<Option<TopicState>> {
    connection
        .prepare_cached(
            "SELECT * FROM (SELECT text, name, time, seq FROM entry
                 WHERE room = ?1 AND kind = 2 ORDER BY seq DESC LIMIT 1)
             UNION ALL
             SELECT topic, topic_name, topic_time, topic_seq FROM room
             WHERE id = ?1 AND topic IS NOT NULL LIMIT 1",
        )?
        .query_row([room], |row| {
            Ok(TopicState {
                topic: row.get::<_, String>(0)?.into(),
                by: Some(row.get::<_, String>(1)?.into()),
                time: Some(unsigned(row.get(2)?)),
                seq: Some(Seq(unsigned(row.get(3)?))),
            })
        })
        .optional()
}

const KNOWN: &str = "SELECT key, seq, time, name, text, kind, re,
    edited IS NOT NULL OR deleted IS NOT NULL FROM entry";

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        key: Key(row.get(0)?),
        seq: Seq(unsigned(row.get(1)?)),
        time: unsigned(row.get(2)?),
        from: row.get::<_, String>(3)?.into(),
        text: if row.get(7)? { None } else { Some(row.get::<_, String>(4)?.into()) },
        kind: kind_of(row.get(5)?),
        re: row.get::<_, Option<i64>>(6)?.map(|re| Seq(unsigned(re))),
    })
}

/// The keys among the newest `limit` entries of a room.
pub(super) fn keys(connection: &Connection, room: i64, limit: usize) -> rusqlite::Result<Keys> {
    let mut statement =
        connection.prepare_cached(&format!("{KNOWN} WHERE room = ? ORDER BY seq DESC LIMIT ?"))?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![room, most])?;
    let (mut known_keys, mut count, mut oldest) = (Vec::new(), 0, None);
    while let Some(row) = rows.next()? {
        count += 1;
        oldest = Some(unsigned(row.get(2)?));
        if row.get_ref(0)? != ValueRef::Null {
            known_keys.push(known(row)?);
        }
    }
    known_keys.reverse();
    if count < limit {
        // Those of entries that are gone are looked for when they are asked for.
        oldest = connection
            .prepare_cached("SELECT max(time) + 1 FROM spent WHERE room = ?")?
            .query_row([room], |row| row.get::<_, Option<i64>>(0))?
            .map(|newest| oldest.unwrap_or(0).max(unsigned(newest)));
    }
    Ok(Keys { known: known_keys, since: oldest })
}

/// What was done in a room under a key of this name.
pub(super) fn find(
    connection: &Connection,
    room: Epoch,
    from: &str,
    key: Key,
) -> rusqlite::Result<Option<Known>> {
    const HERE: &str =
        "WHERE key = ? AND name = ? AND room = (SELECT id FROM room WHERE epoch = ?)";
    const SPENT: &str = "SELECT key, seq, time, name, '', kind, re, 1 FROM spent";
    for source in [KNOWN, SPENT] {
        let found = connection
            .prepare_cached(&format!("{source} {HERE}"))?
            .query_row(params![&key.0[..], from, signed(room.0)], known)
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
