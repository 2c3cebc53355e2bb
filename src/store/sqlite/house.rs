//! How rooms are set and how accounts stand to them, as rows.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::rows::{signed, unsigned};
use crate::base::id::{AccountId, Seq};
use crate::store::retention::Keep;
use crate::store::standing::{Access, Rank, Settings, Standing};
use crate::store::{Changes, Fate, House};

/// What a room goes on from besides its history.
pub(super) fn read(connection: &Connection, room: i64) -> rusqlite::Result<House> {
    let settings = connection
        .prepare_cached(
            "SELECT access, announcement, slow_ms, keep_ms, keep_entries, keep_bytes
             FROM room WHERE id = ?",
        )?
        .query_row([room], |row| {
            let access = if row.get::<_, i64>(0)? == 1 { Access::Private } else { Access::Public };
            let number = |index| row.get::<_, Option<i64>>(index).map(|n| n.map(unsigned));
            let keep = Keep { age_ms: number(3)?, entries: number(4)?, bytes: number(5)? };
            Ok(Settings { access, announcement: row.get(1)?, slow_ms: row.get(2)?, keep })
        })?;
    let standings = connection
        .prepare_cached(
            "SELECT account, resident, rank, invited, banned_until, muted_until, name, read
             FROM standing JOIN account ON account.id = standing.account WHERE room = ?",
        )?
        .query_map([room], standing)?
        .collect::<Result<_, _>>()?;
    Ok(House { settings, standings })
}

fn standing(row: &Row<'_>) -> rusqlite::Result<(AccountId, Arc<str>, Standing)> {
    let time = |index| row.get::<_, Option<i64>>(index).map(|time| time.map(unsigned));
    let rank = match row.get::<_, i64>(2)? {
        2 => Rank::Owner,
        1 => Rank::Moderator,
        _ => Rank::Member,
    };
    let standing = Standing {
        resident: row.get(1)?,
        rank,
        invited: row.get(3)?,
        banned_until: time(4)?,
        muted_until: time(5)?,
        read: Seq(unsigned(row.get(7)?)),
    };
    Ok((AccountId(unsigned(row.get(0)?)), row.get::<_, String>(6)?.into(), standing))
}

/// Writes what has changed of it.
pub(super) fn write(connection: &Connection, room: i64, changes: &Changes) -> rusqlite::Result<()> {
    if let Some(Settings { access, announcement, slow_ms, keep }) = changes.settings {
        connection
            .prepare_cached(
                "UPDATE room SET access = ?, announcement = ?, slow_ms = ?,
                     keep_ms = ?, keep_entries = ?, keep_bytes = ? WHERE id = ?",
            )?
            .execute(params![
                i64::from(access == Access::Private),
                announcement,
                slow_ms,
                keep.age_ms.map(signed),
                keep.entries.map(signed),
                keep.bytes.map(signed),
                room
            ])?;
    }
    for &(account, standing) in &changes.standings {
        let account = signed(account.0);
        if standing == Standing::default() {
            connection
                .prepare_cached("DELETE FROM standing WHERE room = ? AND account = ?")?
                .execute([room, account])?;
            continue;
        }
        let rank = match standing.rank {
            Rank::Member => 0,
            Rank::Moderator => 1,
            Rank::Owner => 2,
        };
        // An account that was deleted meanwhile has no standing any more.
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO standing
                     (room, account, resident, rank, invited, banned_until, muted_until, read)
                 SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8 FROM account WHERE id = ?2",
            )?
            .execute(params![
                room,
                account,
                standing.resident,
                rank,
                standing.invited,
                standing.banned_until.map(signed),
                standing.muted_until.map(signed),
                signed(standing.read.0),
            ])?;
    }
    match &changes.fate {
        Some(Fate::Renamed(name)) => {
            connection
                .prepare_cached("UPDATE room SET name = ? WHERE id = ?")?
                .execute(params![name.as_str(), room])?;
        }
        Some(Fate::Deleted) => {
            // What begins with a space is nobody's name.
            connection
                .prepare_cached("UPDATE room SET deleted = 1, name = ' ' || id WHERE id = ?")?
                .execute([room])?;
            connection.prepare_cached("DELETE FROM standing WHERE room = ?")?.execute([room])?;
        }
        None => {}
    }
    Ok(())
}
