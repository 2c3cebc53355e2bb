//! History in one `SQLite` file: what is acknowledged survives the loss of power.
//!
//! **Owns:** the file; one thread that writes, with all that waits in one commit, and a few that
//! read beside it. **Bound:** the queues to these threads; one that is full refuses.

mod accounts;
pub mod backup;
mod bans;
pub mod export;
mod house;
mod index;
mod journal;
mod messages;
mod pages;
mod rarity;
mod registry;
mod rows;
mod schema;
mod search;
mod sweep;
mod trim;
mod unread;
mod usage;
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
use self::writer::{Command, Floors, Founding, Writer, WriterTally};
use super::registry::{Registry, Told};
use super::retention::{Retention, Usage};
use super::search::{Search, Searcher};
use super::{Committed, Journal, RoomKind, RoomRecord, Store, StoreError, Vitals};
use crate::base::id::Epoch;
use crate::base::name::RoomName;
use crate::protocol::reply::Durability;

/// Batches that may wait for the writer: far more than sessions with credit can cause at once.
const WRITES: usize = 65_536;
/// Reads that may wait.
const READS: usize = 4_096;
/// Searches that may wait: the last of them for not much longer than people do.
const SEARCHES: usize = 64;
/// Sweeps and reports that may wait: one after the other is enough.
const SWEEPS: usize = 4;
/// Threads that read pages.
const READERS: usize = 2;

/// Work for a thread that reads; without a connection if none can be had.
type Read = Box<dyn FnOnce(Option<&Connection>) + Send>;

/// The ways to the store's threads.
#[derive(Clone)]
struct Queues {
    writes: Sender<Command>,
    /// Pages, which may take their time.
    reads: Sender<Read>,
    /// What a room waits for: a thread of its own does it, and nothing else.
    looks: Sender<Read>,
    /// Up to where rooms were trimmed.
    floors: Floors,
}

/// The store.
pub struct SqliteStore {
    /// For what is read while a room is opened.
    catalogue: Arc<Mutex<Connection>>,
    queues: Queues,
    searches: Sender<search::Job>,
    sweeps: Sender<sweep::Job>,
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
        let reads = readers("store-read", READERS, path).map_err(io)?;
        let looks = readers("store-look", 1, path).map_err(io)?;
        let (searches, jobs) = bounded(SEARCHES);
        let searched = path.to_owned();
        std::thread::Builder::new()
            .name("store-search".into())
            .spawn(move || search::run(&searched, &jobs))
            .map_err(io)?;
        let (sweeps, jobs) = bounded(SWEEPS);
        let (swept, ways) = (path.to_owned(), writes.clone());
        std::thread::Builder::new()
            .name("store-sweep".into())
            .spawn(move || sweep::run(&swept, &jobs, ways))
            .map_err(io)?;
        let floors = Floors::default();
        let writer = Writer::new(path, connection, commands, Arc::clone(&floors));
        let tally = writer.tally();
        let writer = std::thread::Builder::new().name("store-write".into()).spawn(move || {
            writer.run();
            // Only now may another process have the file.
            drop(lock);
        });
        let writer = Mutex::new(Some(writer.map_err(io)?));
        let queues = Queues { writes, reads, looks, floors };
        let catalogue = Arc::new(Mutex::new(catalogue));
        Ok(Self { catalogue, queues, searches, sweeps, run, writer, tally })
    }
}

/// Starts threads that read, and gives the way to them.
fn readers(name: &str, count: usize, path: &Path) -> std::io::Result<Sender<Read>> {
    let (reads, jobs) = bounded(READS);
    for number in 0..count {
        let (path, jobs) = (path.to_owned(), jobs.clone());
        std::thread::Builder::new()
            .name(format!("{name}-{number}"))
            .spawn(move || read(&path, &jobs))?;
    }
    Ok(reads)
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
            writes: self.queues.writes.clone(),
            reads: self.queues.reads.clone(),
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
            self.queues.clone(),
            committed,
        );
        Ok(Box::new(journal.map_err(|error| failed(&error))?))
    }

    fn search(&self, search: Search, told: Searcher) {
        if let Err(refused) = self.searches.try_send(search::Job { search, told }) {
            (refused.into_inner().told)(Err(StoreError::Busy));
        }
    }

    fn probe(&self, told: Box<dyn FnOnce() + Send>) {
        let reads = self.queues.reads.clone();
        let read: Read = Box::new(move |_| told());
        // A queue that is full is not a thread that hangs: but nobody could tell, so it says nothing.
        let write = Box::new(move || drop(reads.try_send(read)));
        drop(self.queues.writes.try_send(Command::Probe(write)));
    }

    fn sweep(&self, keep: Retention, now: u64, told: Told<u64>) {
        if let Err(refused) = self.sweeps.try_send(sweep::Job::Sweep(keep, now, told))
            && let sweep::Job::Sweep(.., told) = refused.into_inner()
        {
            told(Err(StoreError::Busy));
        }
    }

    fn usage(&self, told: Told<Usage>) {
        if let Err(refused) = self.sweeps.try_send(sweep::Job::Usage(told))
            && let sweep::Job::Usage(told) = refused.into_inner()
        {
            told(Err(StoreError::Busy));
        }
    }

    fn vitals(&self) -> Vitals {
        Vitals {
            commits: self.tally.commits.get(),
            entries: self.tally.entries.get(),
            failures: self.tally.failures.get(),
            writes: (self.queues.writes.len(), WRITES),
            reads: (self.queues.reads.len(), READS),
            commit: self.tally.commit.spread(),
        }
    }

    fn close(&self) {
        let Some(writer) = self.writer.lock().take() else { return };
        if self.queues.writes.send(Command::Stop).is_ok() && writer.join().is_err() {
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
