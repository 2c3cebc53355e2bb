//! History in one `SQLite` file: what is acknowledged survives the loss of power.
//!
//! **Owns:** the file; one thread that writes, with all that waits in one commit, and a few that
//! read beside it. **Bound:** the queues to these threads; one that is full refuses.

mod accounts;
pub mod backup;
mod house;
mod journal;
mod registry;
mod rows;
mod schema;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use rusqlite::Connection;

use self::journal::SqliteJournal;
use self::registry::SqliteRegistry;
pub use self::schema::OpenError;
use self::writer::{Command, Founding, Writer, WriterTally};
use super::registry::Registry;
use super::{Committed, Journal, RoomKind, RoomRecord, Store, StoreError, Vitals};
use crate::base::id::Epoch;
use crate::base::name::RoomName;
use crate::protocol::reply::Durability;

/// Batches that may wait for the writer: far more than sessions with credit can cause at once.
const WRITES: usize = 65_536;
/// Reads that may wait.
const READS: usize = 4_096;
/// Threads that read.
const READERS: usize = 2;

/// Work for a thread that reads; without a connection if none can be had.
type Read = Box<dyn FnOnce(Option<&Connection>) + Send>;

/// The store.
pub struct SqliteStore {
    /// For what is read while a room is opened.
    catalogue: Arc<Mutex<Connection>>,
    writes: Sender<Command>,
    reads: Sender<Read>,
    /// How often the file was opened.
    run: u32,
    writer: Mutex<Option<JoinHandle<()>>>,
    tally: Arc<WriterTally>,
}

impl SqliteStore {
    /// Opens the database, or makes it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = schema::lock(path)?;
        schema::guard(path)?;
        let connection = schema::open_writer(path)?;
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let run = accounts::begin_run(&connection).map_err(sqlite)?;
        let catalogue = schema::open_reader(path).map_err(sqlite)?;
        let (writes, commands) = bounded(WRITES);
        let (reads, jobs) = bounded(READS);
        for number in 0..READERS {
            let (path, jobs) = (path.to_owned(), jobs.clone());
            std::thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || read(&path, &jobs))
                .map_err(io)?;
        }
        let writer = Writer::new(path, connection, commands);
        let tally = writer.tally();
        let writer = std::thread::Builder::new().name("store-write".into()).spawn(move || {
            writer.run();
            // Only now may another process have the file.
            drop(lock);
        });
        let writer = Mutex::new(Some(writer.map_err(io)?));
        let catalogue = Arc::new(Mutex::new(catalogue));
        Ok(Self { catalogue, writes, reads, run, writer, tally })
    }
}

/// Does reads until nobody is left who could ask.
fn read(path: &Path, jobs: &Receiver<Read>) {
    let mut connection = None;
    while let Ok(job) = jobs.recv() {
        if connection.is_none() {
            connection = schema::open_reader(path)
                .inspect_err(|error| log::error!(error:% = error; "the database cannot be read"))
                .ok();
        }
        job(connection.as_ref());
    }
}

impl Store for SqliteStore {
    fn durability(&self) -> Durability {
        Durability::Durable
    }

    fn registry(&self) -> Arc<dyn Registry> {
        Arc::new(SqliteRegistry {
            catalogue: Arc::clone(&self.catalogue),
            writes: self.writes.clone(),
            reads: self.reads.clone(),
            run: self.run,
        })
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        rows::rooms(&self.catalogue.lock()).map_err(|error| failed(&error))
    }

    fn open(
        &self,
        room: &RoomName,
        kind: RoomKind,
        committed: Committed,
    ) -> Result<Box<dyn Journal>, StoreError> {
        let catalogue = self.catalogue.lock();
        let found = rows::room(&catalogue, room).map_err(|error| failed(&error))?;
        let epoch = found.map_or_else(fresh_epoch, |row| row.epoch);
        let founding = Founding { name: room.clone(), kind, epoch };
        let journal = SqliteJournal::new(
            Arc::new(founding),
            found,
            &catalogue,
            (self.writes.clone(), self.reads.clone()),
            committed,
        );
        Ok(Box::new(journal.map_err(|error| failed(&error))?))
    }

    fn probe(&self, told: Box<dyn FnOnce() + Send>) {
        let reads = self.reads.clone();
        let read: Read = Box::new(move |_| told());
        // A queue that is full is not a thread that hangs: but nobody could tell, so it says nothing.
        let write = Box::new(move || drop(reads.try_send(read)));
        drop(self.writes.try_send(Command::Probe(write)));
    }

    fn vitals(&self) -> Vitals {
        Vitals {
            commits: self.tally.commits.get(),
            entries: self.tally.entries.get(),
            failures: self.tally.failures.get(),
            writes: (self.writes.len(), WRITES),
            reads: (self.reads.len(), READS),
            commit: self.tally.commit.spread(),
        }
    }

    fn close(&self) {
        let Some(writer) = self.writer.lock().take() else { return };
        if self.writes.send(Command::Stop).is_ok() && writer.join().is_err() {
            log::error!("the thread that writes ended by a panic");
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

/// An epoch that was never used. It stays below 2^53, which every language's numbers hold exactly.
fn fresh_epoch() -> Epoch {
    Epoch(rand::random::<u64>() >> 11)
}

fn failed(error: &rusqlite::Error) -> StoreError {
    log::error!(error:% = error; "the database cannot be read");
    rows::store_error(error)
}

#[cfg(test)]
mod tests;
