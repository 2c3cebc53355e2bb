//! What accounts have not read yet, counted from the rows.

use rusqlite::{Connection, params};

use super::rows::{signed, unsigned};
use crate::base::id::Seq;
use crate::base::limits::UNREAD;
use crate::base::mention::mentions;
use crate::base::name::{Identity, RoomName};
use crate::store::registry::Unread;

/// The rooms after `after` in which somebody has something to read: at most `most`, by name.
pub(super) fn unread(
    connection: &Connection,
    who: &Identity,
    after: Option<&RoomName>,
    most: usize,
) -> rusqlite::Result<Vec<Unread>> {
    let mut homes = connection.prepare_cached(
        "SELECT room.id, room.name, read FROM standing JOIN room ON room.id = standing.room
         WHERE account = ? AND resident AND room.name > ? ORDER BY room.name",
    )?;
    let mut homes =
        homes.query(params![signed(who.account.0), after.map_or("", RoomName::as_str)])?;
    let mut found = Vec::new();
    while let Some(home) = homes.next()? {
        if found.len() >= most {
            break;
        }
        let (room, read) = (home.get(0)?, home.get(2)?);
        let (messages, mentions) = count(connection, room, read, who)?;
        if messages > 0 {
            let (name, read) = (home.get::<_, String>(1)?.into(), Seq(unsigned(read)));
            found.push(Unread { room: name, read, messages, mentions });
        }
    }
    Ok(found)
}

/// How many messages of others come after `read`, and how many of them mention the account.
fn count(
    connection: &Connection,
    room: i64,
    read: i64,
    who: &Identity,
) -> rusqlite::Result<(u32, u32)> {
    let mut later = connection.prepare_cached(
        "SELECT text FROM entry WHERE room = ? AND seq > ? AND kind = 1 AND deleted IS NULL
         AND account != ? ORDER BY seq LIMIT ?",
    )?;
    let mut rows = later.query(params![room, read, signed(who.account.0), UNREAD])?;
    let (mut messages, mut mentioned) = (0, 0);
    while let Some(row) = rows.next()? {
        messages += 1;
        let text = row.get_ref(0)?.as_str()?;
        mentioned += u32::from(mentions(text, who.name.as_str()));
    }
    Ok((messages, mentioned))
}
