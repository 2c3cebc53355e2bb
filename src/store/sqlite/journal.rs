//! The history of one room, in the database.

use std::sync::Arc;

use crossbeam_channel::Sender;
use rusqlite::Connection;

use super::rows::{self, RoomRow};
use super::writer::{Append, Command, Floors, Founding};
use super::{Queues, Read, house, messages, pages};
use crate::base::id::{Epoch, Key, Seq};
use crate::protocol::reply::TopicState;
use crate::store::{
    Changes, Committed, Finder, House, Journal, Keys, Looker, Range, Reader, Receipt, StoreError,
    Ticket,
};

/// The journal.
pub(super) struct SqliteJournal {
    room: Arc<Founding>,
    head: Seq,
    first: Seq,
    topic: Option<TopicState>,
    keys: Keys,
    house: House,
    next: Ticket,
    writes: Sender<Command>,
    reads: Sender<Read>,
    looks: Sender<Read>,
    floors: Floors,
    committed: Committed,
}

/// Keys that are read when a room is opened, so that a retry after a restart is known at once.
const KEYS: usize = 1_000;

impl SqliteJournal {
    /// The journal of a room that may have been stored before.
    pub(super) fn new(
        room: Arc<Founding>,
        found: Option<RoomRow>,
        connection: &Connection,
        Queues { writes, reads, looks, floors }: Queues,
        committed: Committed,
    ) -> rusqlite::Result<Self> {
        let (topic, keys, house) = match found {
            Some(RoomRow { id, .. }) => (
                rows::topic(connection, id)?,
                rows::keys(connection, id, KEYS)?,
                house::read(connection, id)?,
            ),
            None => (None, Keys::default(), House::default()),
        };
        Ok(Self {
            room,
            head: found.map_or(Seq(0), |row| row.head),
            first: found.map_or(Seq(1), |row| row.first),
            topic,
            keys,
            house,
            next: Ticket(0),
            writes,
            reads,
            looks,
            floors,
            committed,
        })
    }
}

impl Journal for SqliteJournal {
    fn epoch(&self) -> Epoch {
        self.room.epoch
    }

    fn head(&self) -> Seq {
        self.head
    }

    fn first(&self) -> Seq {
        let floor = self.floors.lock().get(&self.room.epoch).copied();
        floor.map_or(self.first, Seq::next)
    }

    fn topic(&self) -> Option<TopicState> {
        self.topic.clone()
    }

    fn keys(&mut self) -> Keys {
        std::mem::take(&mut self.keys)
    }

    fn house(&mut self) -> House {
        std::mem::take(&mut self.house)
    }

    fn append(&mut self, changes: Changes) -> Receipt {
        self.next = Ticket(self.next.0 + 1);
        let append = Append {
            room: Arc::clone(&self.room),
            ticket: self.next,
            changes,
            committed: Arc::clone(&self.committed),
        };
        match self.writes.try_send(Command::Append(append)) {
            Ok(()) => Receipt::Pending(self.next),
            Err(_) => Receipt::Failed(StoreError::Unavailable),
        }
    }

    fn read(&self, range: Range, limit: usize, bytes: usize, reader: Reader) {
        let room = self.room.epoch;
        let page = move |connection: &Connection| {
            // All of it at one moment.
            let moment = connection.unchecked_transaction()?;
            pages::page(&moment, room, range, limit, bytes)
        };
        ask(&self.reads, page, reader);
    }

    fn find(&self, from: &Arc<str>, key: Key, finder: Finder) {
        let (room, from) = (self.room.epoch, Arc::clone(from));
        ask(&self.looks, move |connection| rows::find(connection, room, &from, key), finder);
    }

    fn look(&self, seq: Seq, looker: Looker) {
        let room = self.room.epoch;
        let target = move |connection: &Connection| {
            let moment = connection.unchecked_transaction()?;
            messages::target(&moment, room, seq)
        };
        ask(&self.looks, target, looker);
    }
}

/// Has `look` done by a thread that reads, and its result told; at once if there are too many.
pub(super) fn ask<T: 'static>(
    reads: &Sender<Read>,
    look: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    told: Box<dyn FnOnce(Result<T, StoreError>) + Send>,
) {
    let job: Read = Box::new(move |connection| {
        told(connection.map_or(Err(StoreError::Unavailable), |connection| {
            look(connection).map_err(|error| super::failed(&error))
        }));
    });
    if let Err(refused) = reads.try_send(job) {
        refused.into_inner()(None);
    }
}
