//! The store on a real file: what survives, what is refused, what a failure costs.

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;

use super::*;
use crate::base::id::{AccountId, Key, Seq};
use crate::protocol::reply::{Entry, EntryKind};
use crate::store::{Changes, NewEntry, Page, Range, Receipt, Ticket};

pub(super) type Told = mpsc::Receiver<(Ticket, Result<(), StoreError>)>;

pub(super) fn lobby() -> RoomName {
    RoomName::parse("lobby").unwrap()
}

pub(super) fn open(store: &SqliteStore) -> (Box<dyn Journal>, Told) {
    let (sender, told) = mpsc::channel();
    let committed = Arc::new(move |ticket, outcome| sender.send((ticket, outcome)).unwrap());
    (store.open(&lobby(), RoomKind::Public, committed).unwrap(), told)
}

pub(super) fn entry(seq: u64, text: &str) -> NewEntry {
    let (kind, from) = (EntryKind::Message, "ann".into());
    let entry = Entry::new(Seq(seq), seq * 10, kind, from, text.into());
    NewEntry {
        entry,
        account: AccountId(1),
        key: Some(Key([u8::try_from(seq % 256).unwrap(); 16])),
    }
}

pub(super) fn entries(entries: Vec<NewEntry>) -> Changes {
    Changes { entries, ..Changes::default() }
}

/// Appends one entry and waits for what becomes of it.
pub(super) fn say(
    journal: &mut dyn Journal,
    told: &Told,
    seq: u64,
    text: &str,
) -> Result<(), StoreError> {
    let Receipt::Pending(ticket) = journal.append(entries(vec![entry(seq, text)])) else {
        panic!("it is written by another thread");
    };
    let (of, outcome) = told.recv().unwrap();
    assert_eq!(of, ticket);
    outcome
}

pub(super) fn page(journal: &dyn Journal, range: Range, limit: usize, bytes: usize) -> Page {
    let (sender, read) = mpsc::channel();
    journal.read(range, limit, bytes, Box::new(move |page| sender.send(page.unwrap()).unwrap()));
    read.recv().unwrap()
}

pub(super) fn seqs(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.seq.0).collect()
}

#[test]
fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("klatch.db");
    let store = SqliteStore::open(&path).unwrap();
    let (mut journal, told) = open(&store);
    for seq in 1..=5 {
        say(&mut *journal, &told, seq, "hi").unwrap();
    }
    let epoch = journal.epoch();
    store.close();
    drop((journal, store));

    let store = SqliteStore::open(&path).unwrap();
    let rooms = store.rooms().unwrap();
    assert_eq!(rooms.len(), 1);
    let (mut journal, told) = open(&store);
    assert_eq!((journal.epoch(), journal.head(), journal.first()), (epoch, Seq(5), Seq(1)));
    assert_eq!(journal.keys().known.len(), 5);
    say(&mut *journal, &told, 6, "and on").unwrap();
    let page = page(&*journal, Range::Newest, 3, 60_000);
    assert_eq!((seqs(&page), page.more, page.first), (vec![4, 5, 6], true, Seq(1)));
}

#[test]
fn pages_go_both_ways_within_entries_and_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("klatch.db")).unwrap();
    let (mut journal, told) = open(&store);
    assert_eq!(seqs(&page(&*journal, Range::Newest, 3, 60_000)), [0; 0]);
    for seq in 1..=9 {
        say(&mut *journal, &told, seq, &"x".repeat(1_000)).unwrap();
    }
    let table: [(Range, usize, usize, &[u64], bool); 9] = [
        (Range::Newest, 3, 60_000, &[7, 8, 9], true),
        (Range::Newest, 99, 60_000, &[1, 2, 3, 4, 5, 6, 7, 8, 9], false),
        (Range::Newest, 99, 2_500, &[8, 9], true),
        (Range::Before(Seq(4)), 2, 60_000, &[2, 3], true),
        (Range::Before(Seq(1)), 2, 60_000, &[], false),
        (Range::Before(Seq(u64::MAX)), 1, 60_000, &[9], true),
        (Range::After(Seq(0), None), 2, 60_000, &[1, 2], true),
        (Range::After(Seq(5), Some(Seq(8))), 9, 60_000, &[6, 7], false),
        (Range::After(Seq(u64::MAX), None), 9, 60_000, &[], false),
    ];
    for (range, limit, bytes, expected, more) in table {
        let page = page(&*journal, range, limit, bytes);
        assert_eq!((seqs(&page).as_slice(), page.more), (expected, more), "{range:?}");
    }
}

#[test]
fn a_batch_that_stands_on_a_failed_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("klatch.db")).unwrap();
    let (mut journal, told) = open(&store);
    say(&mut *journal, &told, 1, "a").unwrap();
    assert_eq!(say(&mut *journal, &told, 3, "c"), Err(StoreError::Unavailable));
    say(&mut *journal, &told, 2, "b").unwrap();
    assert_eq!(seqs(&page(&*journal, Range::Newest, 9, 60_000)), [1, 2]);
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("klatch.db");
    let lock = schema::lock(&path).unwrap();
    schema::guard(&path).unwrap();
    let connection = schema::open_writer(&path).unwrap();
    let pages = |limit: i64| format!("PRAGMA max_page_count = {limit}");
    let set = |connection: &Connection, limit| {
        connection.query_row(&pages(limit), [], |row| row.get::<_, i64>(0)).unwrap();
    };
    set(&connection, 40);
    let (writes, commands) = bounded(9);
    let (reads, _jobs) = bounded(9);
    let floors = Floors::default();
    let queues = Queues { writes, looks: reads.clone(), reads, floors: Arc::clone(&floors) };
    let (sender, told) = mpsc::channel();
    let founding = Founding { name: lobby(), kind: RoomKind::Public, epoch: Epoch(1) };
    let catalogue = schema::open_reader(&path).unwrap();
    let committed = Arc::new(move |ticket, outcome| sender.send((ticket, outcome)).unwrap());
    let mut journal =
        SqliteJournal::new(Arc::new(founding), None, &catalogue, queues, committed).unwrap();
    let mut writer = Writer::new(&path, connection, commands, floors);
    let mut attempt = |writer: &mut Writer, seq| {
        let receipt = journal.append(entries(vec![entry(seq, &"x".repeat(10_000))]));
        assert!(matches!(receipt, Receipt::Pending(_)));
        writer.step();
        told.recv().unwrap().1
    };
    let mut seq = 1;
    while attempt(&mut writer, seq) == Ok(()) {
        seq += 1;
        assert!(seq < 100, "the disk never fills");
    }
    assert!(seq > 1);
    assert_eq!(attempt(&mut writer, seq), Err(StoreError::Full));
    set(writer.connection(), 4_000);
    assert_eq!(attempt(&mut writer, seq), Ok(()), "the same seq, as if nothing had been");
    drop(lock);
}

#[test]
fn a_database_of_each_earlier_version_is_brought_up_to_date_with_all_that_is_in_it() {
    for version in 1..schema::MIGRATIONS.len() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("klatch.db");
        schema::guard(&path).unwrap();
        let old = Connection::open(&path).unwrap();
        for sql in &schema::MIGRATIONS[..version] {
            old.execute_batch(sql).unwrap();
        }
        old.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
        old.execute_batch(
            "INSERT INTO room (name, kind, epoch) VALUES ('lobby', 1, 7);
             INSERT INTO entry (room, seq, time, kind, account, name, text)
             VALUES (1, 1, 10, 1, 1, 'ann', 'before');",
        )
        .unwrap();
        drop(old);
        let store = SqliteStore::open(&path).unwrap();
        let (mut journal, told) = open(&store);
        assert_eq!((journal.epoch(), journal.head()), (Epoch(7), Seq(1)));
        say(&mut *journal, &told, 2, "after").unwrap();
        let page = page(&*journal, Range::Newest, 9, 60_000);
        let texts: Vec<_> = page.entries.iter().map(|entry| &*entry.text).collect();
        assert_eq!(texts, ["before", "after"], "from version {version}");
    }
}

#[test]
fn what_is_not_for_us_alone_is_refused_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("klatch.db");
    let store = SqliteStore::open(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(matches!(SqliteStore::open(&path), Err(OpenError::InUse(_))), "by ourselves");
    drop(store);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let exposed = SqliteStore::open(&path).map(drop).unwrap_err();
    assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
}

#[test]
fn a_newer_or_foreign_file_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("klatch.db");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = SqliteStore::open(&path).map(drop).unwrap_err();
    assert!(matches!(newer, OpenError::Newer { found: 99, .. }), "{newer}");

    let path = dir.path().join("other.db");
    schema::guard(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (name)").unwrap();
    let foreign = SqliteStore::open(&path).map(drop).unwrap_err();
    assert!(matches!(foreign, OpenError::Foreign(_)), "{foreign}");
}
