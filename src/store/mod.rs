//! Storage as the rest of the daemon sees it: ports, and what they promise.
//!
//! **The durability contract.** An entry is acknowledged and shown only after its journal says
//! [`Receipt::Committed`], at once or later through [`Committed`]. Entries of one journal are
//! committed in order; when a ticket fails, all later pending tickets of that journal fail as well,
//! so that the order never has a hole.
//!
//! Adapters stand in files of their own: [`memory`] and [`sqlite`].

pub mod broken;
pub mod memory;
pub mod reactions;
pub mod registry;
pub mod retention;
pub mod search;
pub mod sqlite;
pub mod standing;

use std::sync::Arc;

use self::registry::{Nobody, Registry, Told};
use self::retention::{Retention, Usage};
use self::search::{Search, Searcher};
use self::standing::{Settings, Standing};
use crate::base::histogram::Spread;
use crate::base::id::{AccountId, Epoch, Key, Seq};
use crate::base::name::RoomName;
use crate::protocol::reply::{Durability, Entry, EntryKind, TopicState};

/// Why storage did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no space left.
    #[error("the storage is full")]
    Full,
    /// It cannot be reached, or fails.
    #[error("the storage is not available")]
    Unavailable,
    /// It has more to do than it can.
    #[error("the storage is busy")]
    Busy,
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
    /// About as many before this one as from it on.
    Around(Seq),
    /// The oldest from this time on, in milliseconds since 1970 UTC.
    At(u64),
}

impl Range {
    /// A page around a seq, made of one that ends before it and one that begins with it; `more` says
    /// whether there are later ones.
    fn around<E>(
        seq: Seq,
        (limit, bytes): (usize, usize),
        read: impl Fn(Self, usize, usize) -> Result<Page, E>,
    ) -> Result<Page, E> {
        let from = Self::After(Seq(seq.0.saturating_sub(1)), None);
        // So much that the entry itself fits, whatever it holds.
        let after = read(from, limit - limit / 2, bytes / 4 * 3)?;
        let used: usize = after.entries.iter().map(reactions::size).sum();
        let (limit, bytes) = (limit - after.entries.len(), bytes.saturating_sub(used));
        let mut before = read(Self::Before(seq), limit, bytes)?;
        before.entries.extend(after.entries);
        Ok(Page { entries: before.entries, ..after })
    }

    /// The first seq from `first` to `head` that is not earlier than a time; the times grow with the
    /// seqs, but for a clock that was set.
    fn first_at<E>(
        (first, head): (Seq, Seq),
        time: u64,
        time_of: impl Fn(Seq) -> Result<u64, E>,
    ) -> Result<Seq, E> {
        let (mut low, mut high) = (first.0, head.0.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            if time_of(Seq(middle))? < time { low = middle + 1 } else { high = middle }
        }
        Ok(Seq(low))
    }
}

/// What was read, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The oldest seq that is kept; one past the newest if none is.
    pub first: Seq,
    /// The newest seq when it was read: what came later is not in the entries.
    pub head: Seq,
    /// Whether there are more in the direction asked for.
    pub more: bool,
}

/// Takes the page, on any thread.
pub type Reader = Box<dyn FnOnce(Result<Page, StoreError>) + Send>;

/// An entry with what only the store keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What everybody may see.
    pub entry: Entry,
    /// Who caused it.
    pub account: AccountId,
    /// The client's key: stored with the effect, in one transaction.
    pub key: Option<Key>,
}

/// What a room stores in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Entries, whose seqs follow one another and the head.
    pub entries: Vec<NewEntry>,
    /// How accounts stand to the room from now on.
    pub standings: Vec<(AccountId, Standing)>,
    /// How the room is set from now on.
    pub settings: Option<Settings>,
    /// What becomes of the room itself.
    pub fate: Option<Fate>,
}

/// What becomes of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is called so from now on.
    Renamed(RoomName),
    /// It is gone, with everything in it.
    Deleted,
}

impl Changes {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { entries, standings, settings, fate } = self;
        entries.is_empty() && standings.is_empty() && settings.is_none() && fate.is_none()
    }
}

/// What a room goes on from besides its history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct House {
    /// How it is set.
    pub settings: Settings,
    /// How accounts stand to it, with their names.
    pub standings: Vec<(AccountId, Arc<str>, Standing)>,
}
/// A message that is to be changed, answered or reacted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Who said it.
    pub account: AccountId,
    /// Whether it was deleted.
    pub deleted: bool,
    /// The reactions that it has, each with its account.
    pub reactions: Vec<(AccountId, Arc<str>)>,
}

/// Takes the message of a seq, on any thread; none if there is none, or it is no message.
pub type Looker = Box<dyn FnOnce(Result<Option<Target>, StoreError>) + Send>;

/// What was done under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The key.
    pub key: Key,
    /// The seq that the entry got.
    pub seq: Seq,
    /// When.
    pub time: u64,
    /// Who did it, by name: guests have no account that outlives the process.
    pub from: Arc<str>,
    /// What it was.
    pub kind: EntryKind,
    /// What it was about.
    pub re: Option<Seq>,
    /// The text; none if it is not the one any more that came with the key.
    pub text: Option<Arc<str>>,
}

/// The newest keys of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// What was done under each.
    pub known: Vec<Known>,
    /// Entries older than this may have keys besides; none has if there is no such time.
    pub since: Option<u64>,
}

/// Takes what was done under a key, on any thread.
pub type Finder = Box<dyn FnOnce(Result<Option<Known>, StoreError>) + Send>;

/// What kind of room is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomKind {
    /// Open to everybody.
    Public,
    /// For these two.
    Direct([AccountId; 2]),
}

/// A room that was stored before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRecord {
    /// Its name.
    pub name: RoomName,
    /// Its kind.
    pub kind: RoomKind,
    /// Its topic.
    pub topic: Arc<str>,
    /// Whether only those who are invited may know of it.
    pub is_private: bool,
}

/// The history of one room.
pub trait Journal: Send {
    /// Continuity of the history.
    fn epoch(&self) -> Epoch;
    /// The newest seq; 0 if there is none.
    fn head(&self) -> Seq;
    /// The oldest seq that is kept; one past the newest if none is.
    fn first(&self) -> Seq;
    /// The topic at the head.
    fn topic(&self) -> Option<TopicState>;
    /// Gives away the newest keys, in the order of their entries: what a retry needs.
    fn keys(&mut self) -> Keys;
    /// Gives away how the room is set, and how accounts stand to it.
    fn house(&mut self) -> House {
        House::default()
    }
    /// Stores changes. Entries that are about a message change it, in the same commit.
    fn append(&mut self, changes: Changes) -> Receipt;
    /// Reads at most `limit` entries and about `bytes` bytes of text.
    fn read(&self, range: Range, limit: usize, bytes: usize, reader: Reader);
    /// Looks for what was done under a key of this name, however long ago.
    fn find(&self, from: &Arc<str>, key: Key, finder: Finder);
    /// Looks at the committed message of a seq.
    fn look(&self, seq: Seq, looker: Looker);
}

/// How a store is doing.
#[derive(Debug, Clone, Default)]
pub struct Vitals {
    /// Commits that succeeded.
    pub commits: u64,
    /// Entries that they held.
    pub entries: u64,
    /// Commits that failed.
    pub failures: u64,
    /// Batches that wait to be written, and how many may.
    pub writes: (usize, usize),
    /// Reads that wait, and how many may.
    pub reads: (usize, usize),
    /// How long commits took.
    pub commit: Spread,
}

/// All histories.
pub trait Store: Send + Sync {
    /// What a commit is worth.
    fn durability(&self) -> Durability;
    /// Who is registered.
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::new(Nobody)
    }
    /// The rooms that are stored.
    fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError>;
    /// The journal of a room; the first entry makes a room that is not stored yet. It may wait for
    /// a disk, for as long as a few rows take.
    fn open(
        &self,
        room: &RoomName,
        kind: RoomKind,
        committed: Committed,
    ) -> Result<Box<dyn Journal>, StoreError>;
    /// Searches what was committed, in the rooms that the asker sees.
    fn search(&self, search: Search, told: Searcher);
    /// Has each of its threads do nothing once; calls `told`, on any thread, when all have.
    fn probe(&self, told: Box<dyn FnOnce() + Send>) {
        told();
    }
    /// Takes away what is not to be kept at this time, in milliseconds since 1970 UTC; tells how many
    /// entries that were.
    fn sweep(&self, _: Retention, _: u64, told: Told<u64>) {
        told(Ok(0));
    }
    /// Tells what takes the space.
    fn usage(&self, told: Told<Usage>) {
        told(Err(StoreError::Unavailable));
    }
    /// How it is doing.
    fn vitals(&self) -> Vitals {
        Vitals::default()
    }
    /// Finishes what was asked, and gives everything back. What is asked later fails.
    fn close(&self) {}
}
