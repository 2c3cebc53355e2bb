//! The thread that sees to it that no more is kept than is to be kept, and tells what takes the space.
//!
//! **Owns:** what it has counted. It only reads; what is to go is taken away by the writer, in portions
//! between which messages are written. **Invariants:** of each room the oldest entries go, so that
//! what is left has no hole.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, params};

use super::pages;
use super::rows::{signed, store_error, unsigned};
use super::schema;
use super::trim::{PORTION, Trim};
use super::usage;
use super::writer::Command;
use crate::base::id::{Epoch, Seq};
use crate::store::registry::Told;
use crate::store::retention::{self, Keep, Retention, Usage};
use crate::store::{Range, StoreError};

/// Entries that are looked at in one go when all rooms together are too large.
const WALK: u64 = 10_000;

/// What the thread is asked.
pub(super) enum Job {
    /// Take away what is too much, at this time in milliseconds since 1970 UTC; tell how much it was.
    Sweep(Retention, u64, Told<u64>),
    /// What takes the space?
    Usage(Told<Usage>),
}

/// Does jobs until nobody is left who could ask.
pub(super) fn run(path: &Path, jobs: &Receiver<Job>, writes: Sender<Command>) {
    let mut sweeper = Sweeper { writes, counted: HashMap::new() };
    while let Ok(job) = jobs.recv() {
        let failed = |error: rusqlite::Error| {
            log::error!(error:% = error; "the database cannot be looked through");
            store_error(&error)
        };
        let connection = schema::open_reader(path).map_err(failed);
        match job {
            Job::Sweep(keep, now, told) => {
                let swept = connection.and_then(|connection| sweeper.sweep(&connection, keep, now));
                told(swept);
            }
            Job::Usage(told) => {
                let usage =
                    connection.and_then(|connection| usage::report(&connection).map_err(failed));
                told(usage);
            }
        }
    }
}

/// A room as a sweep finds it.
#[derive(Debug, Clone, Copy)]
struct Room {
    id: i64,
    epoch: Epoch,
    floor: Seq,
    head: Seq,
    deleted: bool,
    keep: Keep,
}

/// Entries up to a seq that were counted, and their bytes.
#[derive(Debug, Clone, Copy)]
struct Counted {
    floor: Seq,
    head: Seq,
    bytes: u64,
}

/// The state of the thread.
struct Sweeper {
    writes: Sender<Command>,
    /// For each room what was counted when it was looked at last: only what is new is counted again. What
    /// was edited since may be a little longer or shorter.
    counted: HashMap<i64, Counted>,
}

impl Sweeper {
    /// Takes away what is too much; how many entries that was.
    fn sweep(
        &mut self,
        connection: &Connection,
        keep: Retention,
        now: u64,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        let mut rooms = read(|| rooms(connection))?;
        let known: HashSet<_> = rooms.iter().map(|room| room.id).collect();
        self.counted.retain(|id, _| known.contains(id));
        for room in &mut rooms {
            let floor = read(|| self.floor(connection, room, keep.room, now))?;
            gone += self.trim(connection, room, floor, now)?;
        }
        rooms.retain(|room| !room.deleted);
        while let Some(floors) = read(|| self.oldest(connection, &rooms, keep))? {
            let mut progress = 0;
            for room in &mut rooms {
                if let Some(&floor) = floors.get(&room.id) {
                    progress += self.trim(connection, room, floor, now)?;
                }
            }
            gone += progress;
            if progress == 0 {
                break;
            }
        }
        Ok(gone)
    }

    /// Up to where a room's entries must go.
    fn floor(
        &mut self,
        connection: &Connection,
        room: &Room,
        keep: Keep,
        now: u64,
    ) -> rusqlite::Result<Seq> {
        if room.deleted {
            return Ok(room.head);
        }
        let keep = room.keep.and(keep);
        let mut floor = room.floor;
        if let Some(entries) = keep.entries {
            floor = retention::floor_by_count(floor, room.head, entries);
        }
        if let Some(age) = keep.age_ms {
            let time_of = |seq| pages::time_of(connection, room.id, seq);
            let since = now.saturating_sub(age);
            let first = Range::first_at((floor.next(), room.head), since, time_of)?;
            floor = floor.max(Seq(first.0.saturating_sub(1)));
        }
        if let Some(most) = keep.bytes {
            let all = self.count(connection, room)?;
            let ahead = bytes(connection, room.id, (room.floor, floor))?;
            let excess = all.saturating_sub(ahead).saturating_sub(most);
            floor = shed(connection, room.id, (floor, room.head), excess)?;
        }
        Ok(floor)
    }

    /// The bytes of a room.
    fn count(&mut self, connection: &Connection, room: &Room) -> rusqlite::Result<u64> {
        let before = self.counted.get(&room.id).filter(|counted| counted.floor == room.floor);
        let (from, known) = before.map_or((room.floor, 0), |known| (known.head, known.bytes));
        let bytes = known + bytes(connection, room.id, (from, room.head))?;
        self.counted.insert(room.id, Counted { floor: room.floor, head: room.head, bytes });
        Ok(bytes)
    }

    /// Up to where the oldest entries of all rooms must go; nothing if they may all stay.
    fn oldest(
        &mut self,
        connection: &Connection,
        rooms: &[Room],
        keep: Retention,
    ) -> rusqlite::Result<Option<HashMap<i64, Seq>>> {
        let entries: u64 = rooms.iter().map(|room| room.head.0 - room.floor.0).sum();
        let excess = keep.entries.map_or(0, |most| entries.saturating_sub(most));
        let mut excess_bytes = 0;
        if let Some(most) = keep.bytes {
            let mut all = 0;
            for room in rooms {
                all += self.count(connection, room)?;
            }
            excess_bytes = all.saturating_sub(most);
        }
        if excess == 0 && excess_bytes == 0 {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached(
            "SELECT entry.room, seq, octet_length(text) FROM entry JOIN room ON room.id = entry.room
             WHERE NOT room.deleted ORDER BY entry.id LIMIT ?",
        )?;
        let mut rows = statement.query([signed(WALK)])?;
        let (mut floors, mut count, mut taken) = (HashMap::new(), 0, 0);
        while let Some(row) = rows.next()? {
            if count >= excess && taken >= excess_bytes {
                break;
            }
            let (room, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            floors.insert(room, Seq(unsigned(seq)));
            count += 1;
            taken += retention::size(unsigned(row.get(2)?));
        }
        Ok(Some(floors))
    }

    /// Has a room's entries taken away up to a seq, a portion at a time; how many those were.
    fn trim(
        &mut self,
        connection: &Connection,
        room: &mut Room,
        floor: Seq,
        now: u64,
    ) -> Result<u64, StoreError> {
        let before = room.floor;
        let gone = read(|| bytes(connection, room.id, (before, floor)))?;
        while room.floor < floor || (room.deleted && room.floor >= room.head) {
            let up_to = floor.min(Seq(room.floor.0 + PORTION));
            let last = room.deleted && up_to >= room.head;
            let (told, done) = bounded(1);
            let (id, epoch) = (room.id, room.epoch);
            let trim = Trim { room: id, epoch, up_to, last, now };
            // The sweep waits for it; nobody else does.
            let told: Told<()> = Box::new(move |outcome| told.send(outcome).unwrap_or(()));
            let asked = self.writes.send(Command::Trim(trim, told));
            asked.map_err(|_| StoreError::Unavailable)?;
            done.recv().unwrap_or(Err(StoreError::Unavailable))?;
            room.floor = up_to;
            if last {
                break;
            }
        }
        if let Some(counted) = self.counted.get_mut(&room.id).filter(|one| one.floor == before) {
            counted.bytes = counted.bytes.saturating_sub(gone);
            (counted.floor, counted.head) = (room.floor, counted.head.max(room.floor));
        }
        Ok(room.floor.0 - before.0)
    }
}

fn read<T>(read: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, StoreError> {
    read().map_err(|error| super::failed(&error))
}

fn rooms(connection: &Connection) -> rusqlite::Result<Vec<Room>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, epoch, floor, (SELECT max(seq) FROM entry WHERE room = room.id), deleted,
             keep_ms, keep_entries, keep_bytes FROM room",
    )?;
    let rooms = statement.query_map([], |row| {
        let number = |index| row.get::<_, Option<i64>>(index).map(|number| number.map(unsigned));
        let floor = Seq(number(2)?.unwrap_or(0));
        Ok(Room {
            id: row.get(0)?,
            epoch: Epoch(unsigned(row.get(1)?)),
            floor,
            head: number(3)?.map_or(floor, Seq),
            deleted: row.get(4)?,
            keep: Keep { age_ms: number(5)?, entries: number(6)?, bytes: number(7)? },
        })
    })?;
    rooms.collect()
}

/// The bytes of a room's entries after one seq, up to another.
fn bytes(connection: &Connection, room: i64, (after, up_to): (Seq, Seq)) -> rusqlite::Result<u64> {
    if after >= up_to {
        return Ok(0);
    }
    let (count, text): (i64, i64) = connection
        .prepare_cached(
            "SELECT count(*), coalesce(sum(octet_length(text)), 0) FROM entry
             WHERE room = ? AND seq > ? AND seq <= ?",
        )?
        .query_row(params![room, signed(after.0), signed(up_to.0)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(unsigned(count) * retention::ENTRY_BYTES + unsigned(text))
}

/// Up to where a room's oldest entries must go to free so many bytes.
fn shed(
    connection: &Connection,
    room: i64,
    (floor, head): (Seq, Seq),
    excess: u64,
) -> rusqlite::Result<Seq> {
    if excess == 0 {
        return Ok(floor);
    }
    let mut statement = connection.prepare_cached(
        "SELECT seq, octet_length(text) FROM entry WHERE room = ? AND seq > ? AND seq <= ?
         ORDER BY seq",
    )?;
    let mut rows = statement.query(params![room, signed(floor.0), signed(head.0)])?;
    let (mut last, mut taken) = (floor, 0);
    while let Some(row) = rows.next()? {
        if taken >= excess {
            break;
        }
        last = Seq(unsigned(row.get(0)?));
        taken += retention::size(unsigned(row.get(1)?));
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
