//! A store at work, recorded: rooms that are written to, messages that change, logs that are taken over.

use std::path::Path;
use std::sync::{Arc, mpsc};

use klatch::base::id::{AccountId, Key, Seq};
use klatch::base::name::RoomName;
use klatch::protocol::reply::{Entry, EntryKind};
use klatch::store::sqlite::SqliteStore;
use klatch::store::{Changes, Journal, NewEntry, Receipt, RoomKind, Store};
use rand::Rng;
use recording_vfs::Act;
use rusqlite::Connection;

pub(crate) const ROOMS: [&str; 2] = ["lobby", "ops"];
/// Batches of the whole load.
const BATCHES: u64 = 300;
/// Batches between two times that the log is taken over into the database.
const CHECKPOINT: u64 = 23;
/// Batches that wait for their commit at once: some are committed together.
const WAITING: usize = 5;

/// What was given to the store, by room: the entries of each ticket.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Of each ticket, which room's it is, and its entries.
    pub(crate) batches: Vec<(u64, Vec<Entry>)>,
}

pub(crate) fn room(name: &str) -> RoomName {
    RoomName::parse(name).expect("a name")
}

/// A note for a ticket of a room.
fn note_of(room: u64, ticket: u64) -> u64 {
    room * 1_000_000 + ticket
}

struct Room {
    number: u64,
    journal: Box<dyn Journal>,
    head: u64,
    /// Messages that nothing was done to.
    plain: Vec<u64>,
}

impl Room {
    /// Something to be stored: mostly a message, else a change of one.
    fn entry(&mut self, rng: &mut impl Rng) -> Entry {
        self.head += 1;
        let seq = self.head;
        let target = self.plain.len().checked_sub(4).filter(|_| rng.random_range(0..5) == 0);
        let (kind, re) = match target.map(|_| self.plain.swap_remove(0)) {
            None => (EntryKind::Message, None),
            Some(re) => match rng.random_range(0..3) {
                0 => (EntryKind::Edit, Some(Seq(re))),
                1 => (EntryKind::Delete, Some(Seq(re))),
                _ => (EntryKind::React, Some(Seq(re))),
            },
        };
        let text = match kind {
            EntryKind::Delete => String::new(),
            EntryKind::React => "+1".into(),
            EntryKind::Message
            | EntryKind::Topic
            | EntryKind::Edit
            | EntryKind::Unreact
            | EntryKind::Unknown => format!("{seq} {}", "words ".repeat(rng.random_range(1..300))),
        };
        if kind == EntryKind::Message {
            self.plain.push(seq);
        }
        let entry = Entry::new(Seq(seq), seq * 10, kind, "ann".into(), text.into());
        Entry { re, ..entry }
    }
}

/// Fills a store, and gives what happened to its files, with a note where something was acknowledged.
pub(crate) fn run(path: &Path, rng: &mut impl Rng) -> (Vec<Act>, Said) {
    recording_vfs::record(path.parent().expect("a folder"));
    let store = SqliteStore::open(path).expect("a database");
    let (tell, told) = mpsc::channel();
    let mut rooms: Vec<Room> = (0..)
        .zip(ROOMS)
        .map(|(number, name)| {
            let tell = tell.clone();
            // The writer says so when the commit is done, on its own thread.
            let committed =
                Arc::new(move |ticket: klatch::store::Ticket, outcome: Result<(), _>| {
                    outcome.expect("committed");
                    recording_vfs::note(note_of(number, ticket.0));
                    tell.send(()).expect("waited for");
                });
            let journal = store.open(&room(name), RoomKind::Public, committed).expect("a room");
            Room { number, journal, head: 0, plain: Vec::new() }
        })
        .collect();
    let keeper = Connection::open(path).expect("another connection");
    let (mut said, mut waiting) = (Said::default(), 0);
    for batch in 1..=BATCHES {
        let room = &mut rooms[rng.random_range(0..ROOMS.len())];
        let entries: Vec<Entry> = (0..rng.random_range(1..4)).map(|_| room.entry(rng)).collect();
        let new = entries.iter().map(|entry| NewEntry {
            entry: entry.clone(),
            account: AccountId(1),
            key: Some(Key(rng.random())),
        });
        let changes = Changes { entries: new.collect(), ..Changes::default() };
        let Receipt::Pending(ticket) = room.journal.append(changes) else {
            panic!("it is written by another thread");
        };
        said.batches.push((note_of(room.number, ticket.0), entries));
        waiting += 1;
        while waiting > 0 && (waiting >= WAITING || rng.random()) {
            told.recv().expect("told");
            waiting -= 1;
        }
        if batch % CHECKPOINT == 0 {
            // SQLite does so by itself after some thousand pages.
            keeper
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0))
                .expect("taken over");
        }
    }
    for _ in 0..waiting {
        told.recv().expect("told");
    }
    drop(keeper);
    store.close();
    (recording_vfs::finish(), said)
}
