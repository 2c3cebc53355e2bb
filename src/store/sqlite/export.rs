//! What is stored of a room or of an account, as lines of JSON: for archives, and for people who ask
//! what the server has of them.

use std::io::{self, Write};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::backup::{CopyError, io, read};
use super::{pages, rows};
use crate::base::id::Seq;
use crate::base::name::{RoomName, UserName};
use crate::protocol::reply::Entry;
use crate::store::Range;

/// A line about an entry.
#[derive(serde::Serialize)]
struct Line<'a> {
    room: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Where the lines go; counts them.
struct Lines<'a> {
    out: &'a mut dyn Write,
    count: u64,
}

impl Lines<'_> {
    fn put(&mut self, line: &impl serde::Serialize) -> Result<(), CopyError> {
        let line = serde_json::to_string(line).map_err(io::Error::from);
        let line = line.map_err(io(Path::new("the output")))?;
        writeln!(self.out, "{line}").map_err(io(Path::new("the output")))?;
        self.count += 1;
        Ok(())
    }
}

/// Writes what was said in a room, one JSON object for each entry; returns how many there are.
pub fn room(database: &Path, room: &RoomName, out: &mut dyn Write) -> Result<u64, CopyError> {
    let failed = |source| CopyError::Sqlite { path: database.to_owned(), source };
    let connection = read(database)?;
    let found = rows::room(&connection, room).map_err(failed)?;
    let epoch = found.ok_or_else(|| CopyError::NoRoom(room.clone()))?.epoch;
    // One moment for all pages.
    connection.execute_batch("BEGIN").map_err(failed)?;
    let (mut after, mut lines) = (Seq(0), Lines { out, count: 0 });
    loop {
        let range = Range::After(after, None);
        let page = pages::page(&connection, epoch, range, 1_000, usize::MAX).map_err(failed)?;
        for entry in &page.entries {
            lines.put(&Line { room: room.as_str(), entry })?;
            after = entry.seq;
        }
        if !page.more {
            return Ok(lines.count);
        }
    }
}

/// Writes what is stored of an account: itself, its devices, how it stands to rooms, whom it blocks, and
/// everything that it said; never a secret, and nothing that others said. Returns how many lines there
/// are.
pub fn account(database: &Path, name: &UserName, out: &mut dyn Write) -> Result<u64, CopyError> {
    let failed = |source| CopyError::Sqlite { path: database.to_owned(), source };
    let connection = read(database)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    let id: Option<i64> = connection
        .query_row("SELECT id FROM account WHERE skeleton = ?", [&**name.skeleton()], |row| {
            row.get(0)
        })
        .optional()
        .map_err(failed)?;
    let id = id.ok_or_else(|| CopyError::NoAccount(name.clone()))?;
    let mut lines = Lines { out, count: 0 };
    for (what, columns, sql) in ABOUT {
        for line in rows_of(&connection, id, columns, sql).map_err(failed)? {
            lines.put(&json!({ *what: line }))?;
        }
    }
    said(&connection, id, &mut lines, failed)?;
    Ok(lines.count)
}

/// What is stored of an account besides what it said: what it is called, its fields, and how they are read.
const ABOUT: &[(&str, &[&str], &str)] = &[
    (
        "account",
        &["id", "name", "admin", "created"],
        "SELECT id, name, admin, created FROM account WHERE id = ?",
    ),
    (
        "device",
        &["id", "device", "since", "seen"],
        "SELECT id, label, created, seen FROM device WHERE account = ? ORDER BY id",
    ),
    (
        "standing",
        &["room", "resident", "rank", "invited", "banned_until", "muted_until", "read"],
        "SELECT room.name, resident, rank, invited, banned_until, muted_until, read
         FROM standing JOIN room ON room.id = standing.room WHERE account = ? ORDER BY room.name",
    ),
    (
        "block",
        &["name"],
        "SELECT name FROM block JOIN account ON account.id = blocked WHERE block.account = ?
         ORDER BY name",
    ),
];

fn rows_of(
    connection: &Connection,
    account: i64,
    columns: &[&str],
    sql: &str,
) -> rusqlite::Result<Vec<Value>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([account], |row| {
        let mut line = serde_json::Map::new();
        for (index, column) in columns.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Integer(number) => json!(number),
                ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
            };
            line.insert((*column).to_owned(), value);
        }
        Ok(Value::Object(line))
    })?;
    rows.collect()
}

fn said(
    connection: &Connection,
    account: i64,
    lines: &mut Lines<'_>,
    failed: impl Fn(rusqlite::Error) -> CopyError,
) -> Result<(), CopyError> {
    let columns = pages::COLUMNS;
    let mut statement = connection
        .prepare(&format!(
            "SELECT {columns}, (SELECT name FROM room WHERE room.id = entry.room), room, id
             FROM entry WHERE account = ? AND id > ? ORDER BY id LIMIT 1000",
        ))
        .map_err(&failed)?;
    let mut after: i64 = 0;
    loop {
        let mut rows = statement.query(params![account, after]).map_err(&failed)?;
        let before = lines.count;
        while let Some(row) = rows.next().map_err(&failed)? {
            let mut entry = [pages::entry(row).map_err(&failed)?];
            let (name, room): (String, i64) =
                (row.get(8).map_err(&failed)?, row.get(9).map_err(&failed)?);
            after = row.get(10).map_err(&failed)?;
            pages::add_reactions(connection, room, &mut entry).map_err(&failed)?;
            let [entry] = entry;
            lines.put(&Line { room: name.trim(), entry: &entry })?;
        }
        if lines.count == before {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::store::sqlite::SqliteStore;
    use crate::store::sqlite::tests::{lobby, open, say};

    fn lines(out: Vec<u8>) -> Vec<Value> {
        let text = String::from_utf8(out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_room_is_written_out_line_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("klatch.db");
        let store = SqliteStore::open(&path).unwrap();
        let (mut journal, told) = open(&store);
        for seq in 1..=2_500 {
            say(&mut *journal, &told, seq, &format!("text {seq}")).unwrap();
        }
        let mut out = Vec::new();
        assert_eq!(room(&path, &lobby(), &mut out).unwrap(), 2_500);
        let lines = lines(out);
        let seqs: HashSet<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs.len(), 2_500);
        assert_eq!((&lines[7]["from"], &lines[7]["text"]), (&"ann".into(), &"text 8".into()));
        let nowhere = RoomName::parse("nowhere").unwrap();
        assert!(matches!(room(&path, &nowhere, &mut Vec::new()), Err(CopyError::NoRoom(_))));
        let nobody = UserName::parse("nobody").unwrap();
        assert!(matches!(account(&path, &nobody, &mut Vec::new()), Err(CopyError::NoAccount(_))));
    }
}
