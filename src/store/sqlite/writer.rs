//! The thread that writes: takes what has come together, commits it at once, and tells whose it was.
//!
//! **Invariants:** what is told as committed has been flushed to the disk; of one room everything
//! is written in the order of its seqs, without a hole.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::accounts;
use super::house;
use super::index;
use super::messages;
use super::rows;
use super::schema;
use super::trim::{self, Trim};
use crate::base::clock::{Clock, SystemClock};
use crate::base::histogram::Histogram;
use crate::base::id::{AccountId, Epoch, Seq};
use crate::base::name::RoomName;
use crate::base::tally::Count;
use crate::store::registry::{Change, Changed, Told};
use crate::store::{Changes, Committed, NewEntry, RoomKind, StoreError, Ticket};

/// Most entries of one commit: bounds how long the first of them waits for the last.
const ENTRIES_PER_COMMIT: usize = 4096;
/// Entries that are indexed at once: bounds how long a message waits for it.
const INDEXED_AT_ONCE: usize = 128;
/// With more entries than this to be indexed, each moment without a message is used: a search scans what
/// is not indexed.
const INDEXED_TOGETHER: usize = 16_384;
/// With fewer, so long a silence is waited for: a message takes about as long to be indexed as 200 members
/// take to get it, and those who speak do not wait for that.
const SILENCE: Duration = Duration::from_millis(200);

/// A room, as the writer has to know it to make it.
#[derive(Debug)]
pub(super) struct Founding {
    pub(super) name: RoomName,
    pub(super) kind: RoomKind,
    pub(super) epoch: Epoch,
}

/// Entries of one room, to be committed together.
pub(super) struct Append {
    pub(super) room: Arc<Founding>,
    pub(super) ticket: Ticket,
    pub(super) changes: Changes,
    pub(super) committed: Committed,
}

/// Up to where rooms were trimmed since the start.
pub(super) type Floors = Arc<Mutex<HashMap<Epoch, Seq>>>;

/// What the writer is asked.
pub(super) enum Command {
    Append(Append),
    /// Who is registered changes.
    Change(Change, Told<Changed>),
    /// The oldest entries of a room go.
    Trim(Trim, Told<()>),
    /// Finish, and give the file back.
    Stop,
    /// Do this, in its turn.
    Probe(Box<dyn FnOnce() + Send>),
}

/// The writer's state.
pub(super) struct Writer {
    path: PathBuf,
    connection: Connection,
    commands: Receiver<Command>,
    /// For each room that was written to: its row, and its newest seq.
    rooms: HashMap<Epoch, Row>,
    /// For each room that was trimmed: up to where.
    floors: Floors,
    failing: bool,
    /// Entries that are not in the index; more than there are, until it is known to be complete.
    unindexed: usize,
    tally: Arc<WriterTally>,
    clock: SystemClock,
}

/// What the writer counts.
#[derive(Debug, Default)]
pub(super) struct WriterTally {
    pub(super) commits: Count,
    pub(super) entries: Count,
    pub(super) failures: Count,
    pub(super) commit: Histogram,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    id: i64,
    head: Seq,
}

/// Why a batch was not written.
#[derive(Debug)]
enum Failure {
    /// The batch stands on one that failed.
    Hole,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Writer {
    pub(super) fn new(
        path: &Path,
        connection: Connection,
        commands: Receiver<Command>,
        floors: Floors,
    ) -> Self {
        let unindexed = index::missing(&connection).unwrap_or(usize::MAX);
        Self {
            path: path.to_owned(),
            connection,
            commands,
            rooms: HashMap::new(),
            floors,
            failing: false,
            unindexed,
            tally: Arc::default(),
            clock: SystemClock::default(),
        }
    }

    /// What it counts.
    pub(super) fn tally(&self) -> Arc<WriterTally> {
        Arc::clone(&self.tally)
    }

    /// Writes until it is told to stop, or nobody is left who could ask.
    pub(super) fn run(mut self) {
        while self.step() {}
    }

    /// Takes what waits, and commits it; false at the end.
    pub(super) fn step(&mut self) -> bool {
        let first = match self.next() {
            Some(Command::Append(first)) => first,
            Some(command) => return self.see_to(command),
            None => return false,
        };
        let mut count = first.changes.entries.len();
        let mut batch = vec![first];
        let mut other = None;
        while count < ENTRIES_PER_COMMIT && other.is_none() {
            match self.commands.try_recv() {
                Ok(Command::Append(next)) => {
                    count += next.changes.entries.len();
                    batch.push(next);
                }
                Ok(command) => other = Some(command),
                Err(_) => break,
            }
        }
        self.write(&batch);
        other.is_none_or(|command| self.see_to(command))
    }

    /// Does what is not an append; false at the end.
    fn see_to(&mut self, command: Command) -> bool {
        match command {
            Command::Change(change, told) => {
                let what = "a change of accounts cannot be stored";
                told(self.alone(what, |transaction| accounts::change(transaction, &change)));
            }
            Command::Trim(trim, told) => {
                let what = "what is not kept any longer cannot be taken away";
                let done = self.alone(what, |transaction| trim::apply(transaction, &trim));
                if done.is_ok() {
                    self.note_floor(&trim);
                }
                told(done);
            }
            Command::Probe(told) => told(),
            Command::Append(append) => self.write(&[append]),
            Command::Stop => return false,
        }
        true
    }

    /// Waits for the next command, and meanwhile fills the index.
    fn next(&mut self) -> Option<Command> {
        while self.unindexed > 0 {
            let pause = if self.unindexed > INDEXED_TOGETHER { Duration::ZERO } else { SILENCE };
            match self.commands.recv_timeout(pause) {
                Ok(command) => return Some(command),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.index(),
            }
        }
        self.commands.recv().ok()
    }

    fn index(&mut self) {
        match index::fill(&mut self.connection, INDEXED_AT_ONCE) {
            Ok(0) => self.unindexed = 0,
            // One more portion tells whether that was all.
            Ok(count) => self.unindexed = self.unindexed.saturating_sub(count).max(1),
            Err(error) => {
                log::error!(error:% = error; "what was said cannot be indexed for searches");
                // With the next message it is tried again.
                self.unindexed = 0;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn write(&mut self, batch: &[Append]) {
        let began = self.clock.now();
        let committed = self.commit(batch);
        self.tally.commit.note(self.clock.now().since(began));
        match committed {
            Ok(outcomes) => {
                self.tally.commits.add(1);
                self.tally
                    .entries
                    .add(batch.iter().map(|append| append.changes.entries.len() as u64).sum());
                if std::mem::take(&mut self.failing) {
                    log::info!("the storage works again");
                }
                let count: usize = batch.iter().map(|append| append.changes.entries.len()).sum();
                self.unindexed = self.unindexed.saturating_add(count);
                for (append, outcome) in batch.iter().zip(outcomes) {
                    (append.committed)(append.ticket, outcome);
                }
            }
            Err(error) => {
                self.tally.failures.add(1);
                self.fail(batch, &error);
            }
        }
    }

    fn note_floor(&mut self, trim: &Trim) {
        if trim.last {
            self.floors.lock().remove(&trim.epoch);
            self.rooms.remove(&trim.epoch);
        } else {
            self.floors.lock().insert(trim.epoch, trim.up_to);
        }
    }

    /// What is rare has a transaction of its own.
    fn alone<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let done = begun.and_then(|transaction| {
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        });
        done.map_err(|error| {
            log::error!(error:% = error; "{what}");
            let error = rows::store_error(&error);
            if error == StoreError::Unavailable {
                self.rooms.clear();
                self.reopen();
            }
            error
        })
    }

    /// One transaction for all; a batch that stands on a failed one is left out.
    fn commit(&mut self, batch: &[Append]) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for append in batch {
            outcomes.push(match insert(&transaction, &mut self.rooms, append) {
                Ok(()) => Ok(()),
                Err(Failure::Hole) => Err(StoreError::Unavailable),
                Err(Failure::Sqlite(error)) => {
                    drop(transaction);
                    return Err(error);
                }
            });
        }
        transaction.commit()?;
        Ok(outcomes)
    }

    /// Nothing of the batch was written. What went wrong may lie with one of its parts: those are
    /// then tried alone, so that nobody can spoil another's message.
    fn fail(&mut self, batch: &[Append], error: &rusqlite::Error) {
        self.rooms.clear();
        let kind = rows::store_error(error);
        if !std::mem::replace(&mut self.failing, true) {
            log::error!(error:% = error; "what was said cannot be stored");
        }
        if kind == StoreError::Unavailable {
            self.reopen();
        }
        for append in batch {
            let alone = (kind == StoreError::Unavailable && batch.len() > 1)
                .then(|| self.commit(std::slice::from_ref(append)));
            let outcome = match alone {
                Some(Ok(outcomes)) => outcomes.into_iter().next().unwrap_or(Err(kind)),
                Some(Err(_)) => {
                    self.rooms.clear();
                    Err(kind)
                }
                None => Err(kind),
            };
            (append.committed)(append.ticket, outcome);
        }
    }

    /// After an input or output error the pages in memory cannot be trusted: they are read again.
    fn reopen(&mut self) {
        match schema::open_writer(&self.path) {
            Ok(connection) => self.connection = connection,
            Err(error) => log::error!(error:% = error; "the database cannot be opened again"),
        }
    }
}

fn insert(
    transaction: &Transaction<'_>,
    rooms: &mut HashMap<Epoch, Row>,
    append: &Append,
) -> Result<(), Failure> {
    let epoch = append.room.epoch;
    let mut row = match rooms.get(&epoch) {
        Some(row) => *row,
        None => find_or_found(transaction, &append.room)?,
    };
    let mut statement = transaction.prepare_cached(
        "INSERT INTO entry (room, seq, time, kind, account, name, text, key, re)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for new in &append.changes.entries {
        let NewEntry { entry, account, key } = new;
        if entry.seq != row.head.next() {
            rooms.remove(&epoch);
            return Err(Failure::Hole);
        }
        let AccountId(account) = *account;
        statement.execute(params![
            row.id,
            rows::signed(entry.seq.0),
            rows::signed(entry.time),
            rows::kind_number(entry.kind),
            rows::signed(account),
            &*entry.from,
            &*entry.text,
            key.as_ref().map(|key| &key.0[..]),
            entry.re.map(|re| rows::signed(re.0)),
        ])?;
        if entry.re.is_some() {
            messages::apply(transaction, row.id, new)?;
        }
        row.head = entry.seq;
    }
    house::write(transaction, row.id, &append.changes)?;
    rooms.insert(epoch, row);
    Ok(())
}

fn find_or_found(transaction: &Transaction<'_>, room: &Founding) -> Result<Row, Failure> {
    let found = transaction
        .prepare_cached(
            "SELECT id, max(floor, coalesce((SELECT max(seq) FROM entry WHERE room = room.id), 0))
             FROM room WHERE epoch = ?",
        )?
        .query_row([rows::signed(room.epoch.0)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, head)) = found {
        return Ok(Row { id, head: Seq(rows::unsigned(head)) });
    }
    let (kind, [one, other]) = match &room.kind {
        RoomKind::Public => (rows::PUBLIC, [None, None]),
        RoomKind::Direct(pair) => (rows::DIRECT, pair.map(|account| Some(rows::signed(account.0)))),
    };
    transaction
        .prepare_cached("INSERT INTO room (name, kind, one, other, epoch) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![room.name.as_str(), kind, one, other, rows::signed(room.epoch.0)])?;
    Ok(Row { id: transaction.last_insert_rowid(), head: Seq(0) })
}
