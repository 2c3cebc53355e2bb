//! Searches and pages of history over a large database: `cargo bench --bench search -- [MESSAGES]`.
//!
//! Fills a database with messages of words as frequent as those of a language, waits until the index
//! is complete, and tells how long questions of several kinds take, and pages of history; then the same
//! questions while messages come that are not in the index yet.

#![expect(clippy::print_stdout, reason = "a program for the command line")]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a tool that cannot go on panics, reads the clock and waits"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures are rounded for people anyway, and words are drawn by chance"
)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use klatch::base::id::{AccountId, Seq};
use klatch::base::name::RoomName;
use klatch::protocol::reply::{Entry, EntryKind};
use klatch::store::search::{Hits, Search};
use klatch::store::sqlite::SqliteStore;
use klatch::store::{Changes, Journal, NewEntry, Range, RoomKind, Store};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const MESSAGES: u64 = 1_000_000;
const ROOMS: u64 = 100;
const VOCABULARY: usize = 30_000;
const BATCH: u64 = 1_000;
const QUESTIONS: usize = 200;
/// As many as the writer leaves out of the index while people speak, nearly.
const UNINDEXED: u64 = 16_000;

/// Words of letters as they follow one another in speech, the shorter ones more often.
fn vocabulary(random: &mut StdRng) -> Vec<String> {
    let (open, close) = (
        ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "th", "st", "w", "ch"],
        ["", "n", "r", "s", "t", "ll", "ng", "nd"],
    );
    let vowels = ["a", "e", "i", "o", "u", "ea", "ou"];
    (0..VOCABULARY)
        .map(|rank| {
            if rank % 50 == 49 {
                return (0..3)
                    .map(|_| char::from_u32(random.random_range(0x4e00..0x5e00)).expect("it works"))
                    .collect();
            }
            let syllables = 1 + (rank + 1).ilog10() as usize / 2 + random.random_range(0..2);
            (0..syllables)
                .map(|_| {
                    let mut pick = |list: &[&'static str]| list[random.random_range(0..list.len())];
                    [pick(&open), pick(&vowels), pick(&close)].concat()
                })
                .collect()
        })
        .collect()
}

/// A word by Zipf's law.
fn word<'a>(words: &'a [String], random: &mut StdRng) -> &'a str {
    let rank = (words.len() as f64).powf(random.random::<f64>());
    &words[(rank as usize).min(words.len()) - 1]
}

fn text(words: &[String], random: &mut StdRng) -> String {
    let count = random.random_range(4..26);
    (0..count).map(|_| word(words, random)).collect::<Vec<_>>().join(" ")
}

fn fill(store: &SqliteStore, messages: u64, words: &[String], random: &mut StdRng) {
    let (sender, told) = mpsc::channel();
    let mut journals: Vec<(Box<dyn Journal>, u64)> = (0..ROOMS)
        .map(|room| {
            let name = RoomName::parse(&format!("room-{room}")).expect("it works");
            let sender = sender.clone();
            let committed =
                Arc::new(move |_, outcome: Result<(), _>| sender.send(outcome).expect("it works"));
            let journal = store.open(&name, RoomKind::Public, committed).expect("it works");
            let head = journal.head().0;
            (journal, head)
        })
        .collect();
    for batch in 0..messages / BATCH {
        let (journal, head) = &mut journals[usize::try_from(batch % ROOMS).expect("it works")];
        let entries = (0..BATCH).map(|_| {
            *head += 1;
            let from = format!("user{}", random.random_range(0..500)).into();
            let text = text(words, random).into();
            let entry = Entry::new(Seq(*head), *head, EntryKind::Message, from, text);
            NewEntry { entry, account: AccountId(1), key: None }
        });
        journal.append(Changes { entries: entries.collect(), ..Changes::default() });
        told.recv().expect("it works").expect("it works");
    }
}

/// Waits until everything is in the index.
fn wait(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("it works");
    let missing = "SELECT (SELECT max(id) FROM entry) - indexed FROM search_state";
    while connection.query_row(missing, [], |row| row.get::<_, i64>(0)).expect("it works") > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn search(
    store: &SqliteStore,
    text: &str,
    room: Option<&str>,
) -> Result<Hits, klatch::store::StoreError> {
    let (sender, found) = mpsc::channel();
    let search = Search {
        room: room.map(|room| RoomName::parse(room).expect("it works")),
        words: Search::words(text).expect("it works"),
        from: None,
        before: None,
        limit: 50,
        bytes: 60_000,
        sees: Arc::new(|_| true),
    };
    store.search(search, Box::new(move |hits| sender.send(hits).expect("it works")));
    found.recv().expect("it works")
}

fn report(what: &str, mut times: Vec<Duration>, note: &str) {
    times.sort_unstable();
    let at =
        |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "{what:<34} p50 {:>8.2} ms  p95 {:>8.2} ms  max {:>8.2} ms  {note}",
        at(50),
        at(95),
        at(100)
    );
}

fn main() {
    let messages = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(MESSAGES);
    let messages = messages.max(ROOMS * BATCH);
    let dir = tempfile::tempdir().expect("it works");
    let path = dir.path().join("klatch.db");
    let mut random = StdRng::seed_from_u64(7);
    let words = vocabulary(&mut random);
    let store = SqliteStore::open(&path).expect("it works");
    let begun = Instant::now();
    fill(&store, messages, &words, &mut random);
    let (filled, size) = (begun.elapsed(), std::fs::metadata(&path).expect("it works").len());
    wait(&path);
    let indexed = begun.elapsed();
    store.close();
    let grown = std::fs::metadata(&path).expect("it works").len();
    println!(
        "{messages} messages in {:.1} s, {} MiB before; the index complete after {:.1} s, {} MiB with it",
        filled.as_secs_f64(),
        size >> 20,
        indexed.as_secs_f64(),
        grown >> 20,
    );
    drop(store);
    let store = SqliteStore::open(&path).expect("it works");
    searches(&store, &words, &mut random);
    pages(&store, &mut random);
    println!("while somebody speaks, and {UNINDEXED} messages are not in the index:");
    fill(&store, UNINDEXED, &words, &mut random);
    while_somebody_speaks(&store, || searches(&store, &words, &mut random));
}

/// Somebody says something every 50 ms, so that the writer never has the silence in which it fills the
/// index.
fn while_somebody_speaks(store: &SqliteStore, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = StdRng::seed_from_u64(8);
            let name = RoomName::parse("room-0").expect("it works");
            let told = Arc::new(|_, outcome: Result<(), _>| outcome.expect("it works"));
            let mut journal = store.open(&name, RoomKind::Public, told).expect("it works");
            let mut head = journal.head();
            while !done.load(Ordering::Relaxed) {
                head = head.next();
                let text = format!("hello {}", random.random::<u64>()).into();
                let entry = Entry::new(head, head.0, EntryKind::Message, "eve".into(), text);
                let entries = vec![NewEntry { entry, account: AccountId(2), key: None }];
                journal.append(Changes { entries, ..Changes::default() });
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        work();
        done.store(true, Ordering::Relaxed);
    });
}

fn searches(store: &SqliteStore, words: &[String], random: &mut StdRng) {
    let mut all = Vec::new();
    let mut kind = |what: &str,
                    room: Option<&str>,
                    question: &mut dyn FnMut(&mut StdRng) -> String| {
        let (mut times, mut hits, mut busy, mut short) = (Vec::new(), 0, 0, 0);
        for _ in 0..QUESTIONS {
            let text = question(random);
            let begun = Instant::now();
            match search(store, &text, room) {
                Ok(found) => {
                    hits += found.hits.len();
                    short += usize::from(found.next.is_some() && found.hits.len() < 50);
                }
                Err(_) => busy += 1,
            }
            times.push(begun.elapsed());
        }
        all.extend_from_slice(&times);
        let note =
            format!("{:.1} hits, {busy} busy, {short} unfinished", hits as f64 / QUESTIONS as f64);
        report(what, times, &note);
    };
    let any = |random: &mut StdRng| word(words, random).to_owned();
    let long = |random: &mut StdRng| loop {
        let word = word(words, random);
        if word.chars().nth(1).is_some() {
            return word.to_owned();
        }
    };
    kind("a word as it is said", None, &mut |random| long(random));
    kind("two such words", None, &mut |random| format!("{} {}", long(random), any(random)));
    kind("a rare word", None, &mut |random| words[random.random_range(20_000..30_000)].clone());
    kind("two letters", None, &mut |random| {
        let word: Vec<char> = long(random).chars().collect();
        word[..2].iter().collect()
    });
    kind("a word that nobody said", None, &mut |random| {
        format!("{}{}", long(random).chars().rev().collect::<String>(), "zq")
    });
    kind("common pairs that make no word", None, &mut |random| {
        let (one, other) = (long(random), long(random));
        other.chars().chain(one.chars().rev()).collect()
    });
    kind("a word, in one room", Some("room-7"), &mut |random| long(random));
    kind("a rare word, in one room", Some("room-7"), &mut |random| {
        words[random.random_range(20_000..30_000)].clone()
    });
    report("all of them", all, "");
}

fn pages(store: &SqliteStore, random: &mut StdRng) {
    let name = RoomName::parse("room-42").expect("it works");
    let journal = store.open(&name, RoomKind::Public, Arc::new(|_, _| ())).expect("it works");
    let head = journal.head().0;
    let page = |range| {
        let (sender, read) = mpsc::channel();
        let begun = Instant::now();
        journal.read(
            range,
            200,
            60_000,
            Box::new(move |page| sender.send(page.is_ok()).expect("it works")),
        );
        assert!(read.recv().expect("it works"));
        begun.elapsed()
    };
    let mut times = |what: &str, range: &dyn Fn(Seq) -> Range| {
        let times = (0..2_000).map(|_| page(range(Seq(random.random_range(1..=head))))).collect();
        report(what, times, "");
    };
    times("a page before a seq", &Range::Before);
    times("a page after a seq", &|seq| Range::After(seq, None));
    times("a page around a seq", &Range::Around);
    times("a page from a time on", &|seq| Range::At(seq.0));
}
