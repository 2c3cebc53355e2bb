//! Storage as the rest of the daemon sees it: ports, and what they promise.
//!
//! **The durability contract.** An entry is acknowledged and shown only after its journal says
//! [`Receipt::Committed`], at once or later through [`Committed`]. Entries of one journal are
//! committed in order; when a ticket fails, all later pending tickets of that journal fail as well,
//! so that the order never has a hole.
//!
//! Adapters stand in files of their own; today there is [`memory`].

pub mod broken;
pub mod memory;

use std::sync::Arc;

use crate::base::id::{Epoch, Seq};
use crate::base::name::RoomName;
use crate::protocol::reply::{Durability, Entry};

/// Why storage did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no space left.
    #[error("the storage is full")]
    Full,
    /// It cannot be reached, or fails.
    #[error("the storage is not available")]
    Unavailable,
}

/// A batch of entries whose commit is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is committed.
    Committed,
    /// It is not, and never will be.
    Failed(StoreError),
    /// The journal's [`Committed`] will be told.
    Pending(Ticket),
}

/// Told, on any thread, what became of pending tickets, in order.
pub type Committed = Arc<dyn Fn(Ticket, Result<(), StoreError>) + Send + Sync>;

/// Which entries to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// The newest.
    Newest,
    /// The newest before this one.
    Before(Seq),
    /// The oldest after the first and before the second, if there is one.
    After(Seq, Option<Seq>),
}

/// What was read, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The oldest seq that is kept; one past the newest if none is.
    pub first: Seq,
    /// Whether there are more in the direction asked for.
    pub more: bool,
}

/// Takes the page, on any thread.
pub type Reader = Box<dyn FnOnce(Result<Page, StoreError>) + Send>;

/// The history of one room.
pub trait Journal: Send {
    /// Continuity of the history.
    fn epoch(&self) -> Epoch;
    /// The newest seq; 0 if there is none.
    fn head(&self) -> Seq;
    /// The oldest seq that is kept; one past the newest if none is.
    fn first(&self) -> Seq;
    /// Appends entries, whose seqs follow one another and the head.
    fn append(&mut self, entries: Vec<Entry>) -> Receipt;
    /// Reads at most `limit` entries and about `bytes` bytes of text.
    fn read(&self, range: Range, limit: usize, bytes: usize, reader: Reader);
}

/// All histories.
pub trait Store: Send + Sync {
    /// What a commit is worth.
    fn durability(&self) -> Durability;
    /// The journal of a room.
    fn open(&self, room: &RoomName, committed: Committed) -> Result<Box<dyn Journal>, StoreError>;
}
