//! Finding messages: what the index has, with what is not in it yet, compared with what was asked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::rarity::Rarity;
use super::rows::{self, signed, unsigned};
use super::{index, pages, schema};
use crate::base::clock::{Clock, Moment, SystemClock};
use crate::protocol::reply::{Entry, EntryKind};
use crate::store::search::{Hits, Search, Searcher};
use crate::store::{StoreError, reactions};

/// How long one search may take; then it gives what it has.
const TIME: Duration = Duration::from_millis(250);
/// Steps of `SQLite`'s machine between two looks at the clock.
const STEPS: i32 = 5_000;
/// What the index is asked for: more of it costs more than to compare the messages that it spares.
const MARKS: usize = 3;

/// A search that waits.
pub(super) struct Job {
    pub(super) search: Search,
    pub(super) told: Searcher,
}

/// Searches until nobody is left who could ask.
pub(super) fn run(path: &Path, jobs: &Receiver<Job>) {
    let (mut connection, mut rarity) = (None, Rarity::default());
    while let Ok(Job { search, told }) = jobs.recv() {
        if connection.is_none() {
            connection = open(path);
        }
        told(match &mut connection {
            Some(connection) => find(connection, &mut rarity, &search, TIME),
            None => Err(StoreError::Unavailable),
        });
    }
}

fn open(path: &Path) -> Option<Connection> {
    let path: PathBuf = path.to_owned();
    schema::open_reader(&path)
        .inspect_err(|error| log::error!(error:% = error; "the database cannot be searched"))
        .ok()
}

/// Finds what is asked for, within so much time.
pub(super) fn find(
    connection: &mut Connection,
    rarity: &mut Rarity,
    search: &Search,
    time: Duration,
) -> Result<Hits, StoreError> {
    if search.limit == 0 {
        return Ok(Hits { hits: Vec::new(), next: search.before });
    }
    // Bounded by itself: the time of this search begins after it.
    connection
        .progress_handler(0, None::<fn() -> bool>)
        .and_then(|()| rarity.refresh(connection))
        .map_err(|error| super::failed(&error))?;
    let clock = SystemClock::default();
    let deadline = clock.now().after(time);
    let watch = SystemClock::default();
    let begun = watch.now();
    let over = move || watch.now().since(begun) > time;
    connection.progress_handler(STEPS, Some(over)).map_err(|error| super::failed(&error))?;
    let mut finder = Finder {
        search,
        rarity,
        deadline,
        clock,
        rooms: HashMap::new(),
        hits: Vec::new(),
        left: search.bytes,
        last: None,
        scratch: String::new(),
    };
    let outcome = finder.run(connection);
    let Finder { hits, last, .. } = finder;
    match outcome {
        Ok(true) => Ok(Hits { hits, next: None }),
        Ok(false) if last.is_some() => Ok(Hits { hits, next: last }),
        Ok(false) => Err(StoreError::Busy),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            // What was looked at need not be looked at again.
            if last.is_some() { Ok(Hits { hits, next: last }) } else { Err(StoreError::Busy) }
        }
        Err(error) => Err(super::failed(&error)),
    }
}

/// One search under way.
struct Finder<'a> {
    search: &'a Search,
    rarity: &'a Rarity,
    deadline: Moment,
    clock: SystemClock,
    /// Rooms that were met, those that the asker sees by name.
    rooms: HashMap<i64, Option<Arc<str>>>,
    hits: Vec<(Arc<str>, Entry)>,
    left: usize,
    /// The entry that was looked at last.
    last: Option<u64>,
    scratch: String,
}

impl Finder<'_> {
    /// Looks at entries from the newest to the oldest; false if it ended before the oldest.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        // All of it at one moment.
        let connection = connection.unchecked_transaction()?;
        let room = match &self.search.room {
            Some(name) => {
                let id = connection
                    .prepare_cached("SELECT id FROM room WHERE name = ?")?
                    .query_row([name.as_str()], |row| row.get::<_, i64>(0))
                    .optional()?;
                // Nothing was ever said there.
                let Some(id) = id else { return Ok(true) };
                Some(id)
            }
            None => None,
        };
        let before = self.search.before.map_or(i64::MAX, signed);
        let indexed = index::indexed(&connection)?;
        if before > indexed && !self.scan(&connection, room, (indexed, before))? {
            return Ok(false);
        }
        let again = again(&connection, before)?;
        let mut again = again.into_iter().peekable();
        let mut statement = connection.prepare_cached(
            "SELECT rowid FROM search WHERE search MATCH ? AND rowid < ? ORDER BY rowid DESC",
        )?;
        let mut rows = statement.query(params![self.question(room), before])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            while let Some(other) = again.next_if(|other| *other >= id) {
                if other > id && !self.look(&connection, other)? {
                    return Ok(false);
                }
            }
            if !self.look(&connection, id)? {
                return Ok(false);
            }
        }
        for other in again {
            if !self.look(&connection, other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Looks at what is not in the index.
    fn scan(
        &mut self,
        connection: &Connection,
        room: Option<i64>,
        (after, before): (i64, i64),
    ) -> rusqlite::Result<bool> {
        let columns = pages::COLUMNS;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {columns}, room, id FROM entry
             WHERE id > ?1 AND id < ?2 AND kind = 1 AND (?3 IS NULL OR room = ?3)
             ORDER BY id DESC",
        ))?;
        let mut rows = statement.query(params![after, before, room])?;
        while let Some(row) = rows.next()? {
            if !self.take(connection, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn look(&mut self, connection: &Connection, id: i64) -> rusqlite::Result<bool> {
        let columns = pages::COLUMNS;
        let mut statement = connection
            .prepare_cached(&format!("SELECT {columns}, room, id FROM entry WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        match rows.next()? {
            Some(row) => self.take(connection, row),
            None => Ok(true),
        }
    }

    /// Takes an entry if it is one that is sought; false if there is no space or time for more.
    fn take(&mut self, connection: &Connection, row: &Row<'_>) -> rusqlite::Result<bool> {
        if self.clock.now() > self.deadline {
            return Ok(false);
        }
        let (room, id) = (row.get(8)?, unsigned(row.get(9)?));
        if self.is_sought(row)?
            && let Some(room_name) = self.seen(connection, room)?
        {
            let mut entry = [pages::entry(row)?];
            pages::add_reactions(connection, room, &mut entry)?;
            let [entry] = entry;
            let size = reactions::size(&entry) + room_name.len();
            if self.hits.len() >= self.search.limit || size > self.left {
                return Ok(false);
            }
            self.left -= size;
            self.hits.push((room_name, entry));
        }
        self.last = Some(id);
        Ok(true)
    }

    /// Whether an entry is one, wherever it is: most are not, and need not become values for that.
    fn is_sought(&mut self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let is_message = row.get::<_, i64>(2)? == rows::kind_number(EntryKind::Message);
        if !is_message || row.get_ref(7)? != ValueRef::Null {
            return Ok(false);
        }
        let (from, text) = (row.get_ref(3)?.as_str()?, row.get_ref(4)?.as_str()?);
        Ok(self.search.finds(from, text, &mut self.scratch))
    }

    /// The name of a room, if the asker sees it and searches in it.
    fn seen(&mut self, connection: &Connection, id: i64) -> rusqlite::Result<Option<Arc<str>>> {
        if let Some(known) = self.rooms.get(&id) {
            return Ok(known.clone());
        }
        let (name, deleted): (String, bool) = connection
            .prepare_cached("SELECT name, deleted FROM room WHERE id = ?")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let wanted = !deleted && self.search.room.as_ref().is_none_or(|room| room.as_str() == name);
        let seen = wanted && (self.search.sees)(&name);
        let seen = seen.then(|| Arc::from(name));
        self.rooms.insert(id, seen.clone());
        Ok(seen)
    }

    /// What the index is asked.
    fn question(&self, room: Option<i64>) -> String {
        let words = self.search.words.iter().flat_map(|word| index::sought(word));
        let room = room.map(index::room_mark);
        let from = self.search.from.as_deref().map(index::name_mark);
        let marks = self.rarity.rarest(words.chain(room).chain(from).collect(), MARKS);
        let quoted: Vec<_> = marks.iter().map(|mark| format!("\"{mark}\"")).collect();
        quoted.join(" AND ")
    }
}

/// Entries that are in the index with another text, the newest first.
fn again(connection: &Connection, before: i64) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT entry FROM search_again WHERE entry < ? ORDER BY entry DESC")?
        .query_map([before], |row| row.get(0))?
        .collect()
}

#[cfg(test)]
mod tests;
