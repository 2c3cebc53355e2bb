//! The index and what is not in it yet: whatever is where, a search finds what is there now.

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::base::id::{AccountId, Seq};
use crate::base::name::RoomName;
use crate::protocol::reply::EntryKind;
use crate::store::sqlite::SqliteStore;
use crate::store::{Changes, Journal, NewEntry, RoomKind, Store};

const LONG: Duration = Duration::from_secs(60);

struct Scene {
    _dir: tempfile::TempDir,
    path: PathBuf,
    _store: SqliteStore,
    journal: Box<dyn Journal>,
    told: mpsc::Receiver<Result<(), StoreError>>,
    head: u64,
    reader: Connection,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("klatch.db");
        let store = SqliteStore::open(&path).unwrap();
        let (sender, told) = mpsc::channel();
        let committed = Arc::new(move |_, outcome| sender.send(outcome).unwrap());
        let name = RoomName::parse("lobby").unwrap();
        let journal = store.open(&name, RoomKind::Public, committed).unwrap();
        let reader = schema::open_reader(&path).unwrap();
        Self { _dir: dir, path, _store: store, journal, told, head: 0, reader }
    }

    fn commit(&mut self, entries: Vec<Entry>) {
        let new = |entry| NewEntry { entry, account: AccountId(1), key: None };
        let entries = entries.into_iter().map(new).collect();
        self.journal.append(Changes { entries, ..Changes::default() });
        self.told.recv().unwrap().unwrap();
    }

    fn entry(&mut self, kind: EntryKind, re: Option<u64>, text: &str) -> Entry {
        self.head += 1;
        let from = if self.head.is_multiple_of(2) { "Bob" } else { "ann" };
        let entry = Entry::new(Seq(self.head), self.head, kind, from.into(), text.into());
        Entry { re: re.map(Seq), ..entry }
    }

    fn say(&mut self, text: &str) -> u64 {
        let entry = self.entry(EntryKind::Message, None, text);
        self.commit(vec![entry]);
        self.head
    }

    fn change(&mut self, kind: EntryKind, re: u64, text: &str) {
        let entry = self.entry(kind, Some(re), text);
        self.commit(vec![entry]);
    }

    /// Puts all that is committed into the index.
    fn index(&self) {
        let mut connection = schema::open_writer(&self.path).unwrap();
        while index::fill(&mut connection, 100).unwrap() > 0 {}
        assert_eq!(index::missing(&connection).unwrap(), 0);
    }

    fn ask(&mut self, search: &Search, time: Duration) -> Result<Hits, StoreError> {
        find(&mut self.reader, &mut Rarity::default(), search, time)
    }

    #[track_caller]
    fn check(&mut self, text: &str, expected: &[u64]) {
        let hits = self.ask(&search(text), LONG).unwrap();
        let seqs: Vec<_> = hits.hits.iter().map(|(_, entry)| entry.seq.0).collect();
        assert_eq!(seqs, expected, "{text}");
        assert_eq!(hits.next, None);
    }
}

fn search(text: &str) -> Search {
    Search {
        room: None,
        words: Search::words(text).unwrap(),
        from: None,
        before: None,
        limit: 100,
        bytes: 1_000_000,
        sees: Arc::new(|_| true),
    }
}

#[test]
fn a_search_finds_the_same_before_and_after_the_index_is_filled() {
    let mut scene = Scene::new();
    for text in
        ["Hello World", "say hello", "今日は東京", "c++ \"quoted\" (x)", "ab", "a b", "hello hello"]
    {
        scene.say(text);
    }
    for _ in 0..2 {
        scene.check("hello", &[7, 2, 1]);
        scene.check("HELLO wor", &[1]);
        scene.check("東京", &[3]);
        scene.check("++ x", &[4]);
        scene.check("\"quoted\"", &[4]);
        scene.check("(x)", &[4]);
        scene.check("ab", &[5]);
        scene.check("a ab", &[5]);
        scene.check("nothing", &[]);
        scene.index();
    }
}

#[test]
fn edits_and_deletions_are_right_wherever_the_message_is() {
    for when in ["before", "between", "after"] {
        let mut scene = Scene::new();
        let (edited, deleted) = (scene.say("first words"), scene.say("other words"));
        if when == "before" {
            scene.index();
        }
        scene.change(EntryKind::Edit, edited, "second thought");
        if when == "between" {
            scene.index();
        }
        scene.change(EntryKind::Delete, deleted, "");
        if when == "after" {
            scene.index();
        }
        for _ in 0..2 {
            scene.check("words", &[]);
            scene.check("first", &[]);
            scene.check("thought", &[edited]);
            scene.index();
        }
        let left: i64 = scene
            .reader
            .query_row("SELECT count(*) FROM search WHERE search MATCH '\"wo\"'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(left, 0, "{when}: nothing of it is in the index");
    }
}

#[test]
fn pages_follow_one_another_over_what_is_indexed_changed_and_new() {
    let mut scene = Scene::new();
    for n in 0..300 {
        scene.say(&format!("needle {n}"));
    }
    scene.index();
    scene.change(EntryKind::Edit, 100, "a needle, edited");
    scene.change(EntryKind::Edit, 7, "haystack");
    for n in 0..10 {
        scene.say(&format!("needle, new {n}"));
    }
    let (mut seqs, mut before) = (Vec::new(), None);
    loop {
        let page = scene.ask(&Search { before, limit: 7, ..search("needle") }, LONG).unwrap();
        assert!(page.hits.len() <= 7);
        seqs.extend(page.hits.iter().map(|(_, entry)| entry.seq.0));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let expected: Vec<u64> = (303..=312).rev().chain((1..=300).rev().filter(|n| *n != 7)).collect();
    assert_eq!(seqs, expected);
}

#[test]
fn a_search_may_be_for_one_room_or_one_author_and_never_in_a_room_unseen() {
    let mut scene = Scene::new();
    scene.say("one needle");
    scene.say("two needle");
    for _ in 0..2 {
        let bob = Search { from: Some("bob".into()), ..search("needle") };
        assert_eq!(scene.ask(&bob, LONG).unwrap().hits.len(), 1);
        for (room, count) in [("lobby", 2), ("ops", 0)] {
            let room = Some(RoomName::parse(room).unwrap());
            let asked = Search { room, ..search("needle") };
            assert_eq!(scene.ask(&asked, LONG).unwrap().hits.len(), count);
        }
        let blind = Search { sees: Arc::new(|_| false), ..search("needle") };
        assert_eq!(scene.ask(&blind, LONG).unwrap().hits, []);
        scene.index();
    }
}

#[test]
fn a_search_that_takes_too_long_gives_what_it_has_or_is_refused() {
    let mut scene = Scene::new();
    for _ in 0..2_000 {
        let entries: Vec<_> =
            (0..10).map(|_| scene.entry(EntryKind::Message, None, "some words")).collect();
        scene.commit(entries);
    }
    assert_eq!(scene.ask(&search("words"), Duration::ZERO), Err(StoreError::Busy));
    // Searched bit by bit, all of it is searched in the end.
    let (mut before, mut pages) = (None, 0);
    loop {
        match scene.ask(&Search { before, ..search("nowhere") }, Duration::from_millis(20)) {
            Ok(Hits { next: None, .. }) => break,
            Ok(hits) => before = hits.next,
            Err(error) => assert_eq!(error, StoreError::Busy),
        }
        pages += 1;
        assert!(pages < 10_000, "it does not come to an end");
    }
}

#[test]
fn the_index_fills_by_itself_when_nothing_is_written() {
    let mut scene = Scene::new();
    for n in 0..5 {
        scene.say(&format!("message {n}"));
    }
    let clock = SystemClock::default();
    while index::missing(&scene.reader).unwrap() > 0 {
        assert!(clock.now().since(Moment(0)) < LONG, "it does not fill");
        std::thread::yield_now();
    }
}
