//! Sweeps over real databases: what goes, what stays, and that nothing else changes by it.

use std::sync::{Arc, mpsc};

use super::*;
use crate::base::id::Key;
use crate::base::name::RoomName;
use crate::protocol::reply::EntryKind;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::tests::{Told, entries, entry, lobby, open, page, say, seqs};
use crate::store::{Changes, Fate, Journal, Receipt, RoomKind, Store};

const NOTHING: Retention = Retention {
    room: Keep { age_ms: None, entries: None, bytes: None },
    entries: None,
    bytes: None,
};

fn filled(folder: &Path, count: u64) -> (SqliteStore, Box<dyn Journal>, Told) {
    let store = SqliteStore::open(&folder.join("klatch.db")).unwrap();
    let (mut journal, told) = open(&store);
    for seq in 1..=count {
        say(&mut *journal, &told, seq, &format!("text {seq}")).unwrap();
    }
    (store, journal, told)
}

fn sweep(store: &SqliteStore, keep: Retention, now: u64) -> u64 {
    let (sender, done) = mpsc::channel();
    store.sweep(keep, now, Box::new(move |outcome| sender.send(outcome).unwrap()));
    done.recv().unwrap().unwrap()
}

fn usage(store: &SqliteStore) -> Usage {
    let (sender, done) = mpsc::channel();
    store.usage(Box::new(move |outcome| sender.send(outcome).unwrap()));
    done.recv().unwrap().unwrap()
}

fn room(keep: Keep) -> Retention {
    Retention { room: keep, ..NOTHING }
}

fn append(journal: &mut dyn Journal, told: &Told, changes: Changes) {
    let Receipt::Pending(_) = journal.append(changes) else { panic!("the writer is there") };
    told.recv().unwrap().1.unwrap();
}

#[test]
fn without_bounds_everything_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (store, journal, _told) = filled(dir.path(), 5);
    assert_eq!(sweep(&store, NOTHING, u64::MAX), 0);
    assert_eq!(seqs(&page(&*journal, Range::Newest, 9, 60_000)), [1, 2, 3, 4, 5]);
}

#[test]
fn the_oldest_go_by_count_by_age_and_by_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut journal, told) = filled(dir.path(), 200);
    // More than a portion, so that it goes in several.
    assert_eq!(sweep(&store, room(Keep { entries: Some(20), ..Keep::default() }), 0), 180);
    assert_eq!(journal.first(), Seq(181));
    let left = page(&*journal, Range::Newest, 100, 60_000);
    assert_eq!(
        (seqs(&left).len(), left.first, left.head, left.more),
        (20, Seq(181), Seq(200), false)
    );
    // The entries' times are ten times their seqs.
    let age = Keep { age_ms: Some(1_000), ..Keep::default() };
    assert_eq!(sweep(&store, room(age), 2_900), 9);
    assert_eq!(journal.first(), Seq(190));
    let each = retention::size(8);
    let bytes = Keep { bytes: Some(each * 4 + each / 2), ..Keep::default() };
    assert_eq!(sweep(&store, room(bytes), 0), 7);
    assert_eq!(journal.first(), Seq(197));
    // It goes on with what comes, from where it counted.
    say(&mut *journal, &told, 201, "text 201").unwrap();
    assert_eq!(sweep(&store, room(bytes), 0), 1);
    assert_eq!(seqs(&page(&*journal, Range::Newest, 9, 60_000)), [198, 199, 200, 201]);
}

#[test]
fn when_all_is_gone_the_order_the_topic_and_the_keys_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut journal, told) = filled(dir.path(), 3);
    let mut topic = entry(4, "what runs");
    topic.entry.kind = EntryKind::Topic;
    append(&mut *journal, &told, entries(vec![topic]));
    assert_eq!(sweep(&store, room(Keep { age_ms: Some(1), ..Keep::default() }), 10_000), 4);
    assert_eq!((journal.first(), page(&*journal, Range::Newest, 9, 60_000).head), (Seq(5), Seq(4)));
    let epoch = journal.epoch();
    store.close();
    drop((journal, store));

    let store = SqliteStore::open(&dir.path().join("klatch.db")).unwrap();
    assert_eq!(&*store.rooms().unwrap()[0].topic, "what runs");
    let (mut journal, told) = open(&store);
    assert_eq!((journal.epoch(), journal.head(), journal.first()), (epoch, Seq(4), Seq(5)));
    let topic = journal.topic().unwrap();
    assert_eq!((&*topic.topic, topic.seq), ("what runs", Some(Seq(4))));
    // A key that a client tries again is known, though nothing else of its message is.
    assert_eq!(journal.keys().since, Some(41));
    let (sender, found) = mpsc::channel();
    let finder = Box::new(move |found: Result<_, _>| sender.send(found.unwrap()).unwrap());
    journal.find(&"ann".into(), Key([2; 16]), finder);
    let known: crate::store::Known = found.recv().unwrap().unwrap();
    assert_eq!((known.seq, known.text), (Seq(2), None));
    say(&mut *journal, &told, 5, "goes on").unwrap();
    assert_eq!(seqs(&page(&*journal, Range::Newest, 9, 60_000)), [5]);
    // After seven days nobody may come back with it.
    assert_eq!(sweep(&store, room(Keep { entries: Some(0), ..Keep::default() }), 700_000_000), 1);
    let (sender, found) = mpsc::channel();
    let finder = Box::new(move |found: Result<Option<_>, _>| {
        sender.send(found.unwrap().is_some()).unwrap();
    });
    journal.find(&"ann".into(), Key([2; 16]), finder);
    assert!(!found.recv().unwrap());
}

#[test]
fn of_all_rooms_the_oldest_go_wherever_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let (store, journal, _told) = filled(dir.path(), 30);
    let den = RoomName::parse("den").unwrap();
    let (sender, told) = mpsc::channel();
    let committed = Arc::new(move |ticket, outcome| sender.send((ticket, outcome)).unwrap());
    let mut den = store.open(&den, RoomKind::Public, committed).unwrap();
    for seq in 1..=10 {
        say(&mut *den, &told, seq, "later").unwrap();
    }
    assert_eq!(sweep(&store, Retention { entries: Some(15), ..NOTHING }, 0), 25);
    assert_eq!((journal.first(), den.first()), (Seq(26), Seq(1)));
    let bytes = Some(retention::size(5) * 3);
    assert_eq!(sweep(&store, Retention { bytes, ..NOTHING }, 0), 12);
    assert_eq!((journal.first(), den.first()), (Seq(31), Seq(8)));
    let usage = usage(&store);
    assert_eq!(usage.rooms.len(), 1);
    assert_eq!(usage.rooms[0].room.as_deref(), Some("den"));
    assert_eq!((usage.rooms[0].entries, usage.rooms[0].bytes), (3, retention::size(5) * 3));
    assert_eq!(usage.accounts[0].entries, 3);
    assert!(usage.file_bytes > usage.free_bytes);
}

#[test]
fn a_room_keeps_less_if_its_owner_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut journal, told) = filled(dir.path(), 10);
    let keep = Keep { entries: Some(4), ..Keep::default() };
    let settings = crate::store::standing::Settings { keep, ..Default::default() };
    append(&mut *journal, &told, Changes { settings: Some(settings), ..Changes::default() });
    assert_eq!(sweep(&store, room(Keep { entries: Some(7), ..Keep::default() }), 0), 6);
    assert_eq!(journal.first(), Seq(7));
}

#[test]
fn a_deleted_room_goes_whole_and_its_name_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut journal, told) = filled(dir.path(), 100);
    append(&mut *journal, &told, Changes { fate: Some(Fate::Deleted), ..Changes::default() });
    assert!(store.rooms().unwrap().is_empty());
    assert_eq!(page(&*journal, Range::Newest, 9, 60_000).entries.len(), 0);
    let (mut again, told) = open(&store);
    assert_ne!(again.epoch(), journal.epoch());
    say(&mut *again, &told, 1, "a new beginning").unwrap();
    assert_eq!(usage(&store).rooms[0].room, None);
    assert_eq!(sweep(&store, NOTHING, 0), 100);
    assert_eq!(sweep(&store, NOTHING, 0), 0);
    assert_eq!(usage(&store).rooms.len(), 1);
    assert_eq!(seqs(&page(&*again, Range::Newest, 9, 60_000)), [1]);
}

#[test]
fn a_room_with_another_name_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut journal, told) = filled(dir.path(), 3);
    let den = RoomName::parse("den").unwrap();
    let fate = Some(Fate::Renamed(den.clone()));
    append(&mut *journal, &told, Changes { fate, ..Changes::default() });
    say(&mut *journal, &told, 4, "and on").unwrap();
    assert_eq!(seqs(&page(&*journal, Range::Newest, 9, 60_000)), [1, 2, 3, 4]);
    assert_eq!(store.rooms().unwrap()[0].name, den);
    assert_eq!(open(&store).0.head(), Seq(0), "{} is free", lobby());
}
