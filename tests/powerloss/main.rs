//! The power fails while the store is at work: whatever the disk made of what was not flushed, the
//! database opens, is sound, and has every message that was acknowledged.
//!
//! `KLATCH_POWERLOSS_STATES=10000` tries so many states; `KLATCH_POWERLOSS_SEED` repeats a run.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod disk;
mod load;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use klatch::base::id::Seq;
use klatch::protocol::reply::{Entry, EntryKind};
use klatch::store::sqlite::SqliteStore;
use klatch::store::{Range, RoomKind, Store};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use recording_vfs::Act;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use self::disk::{Disk, Loss};
use self::load::{ROOMS, Said};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().expect("a number"))
}

/// In memory where there is such a place: thousands of states are written and flushed.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// The entries of each room by seq.
type Rooms = HashMap<&'static str, BTreeMap<u64, Entry>>;

/// What was acknowledged up to some point, and nothing else.
fn acknowledged(said: &Said, notes: &HashSet<u64>) -> Rooms {
    let mut rooms = Rooms::new();
    for (note, entries) in said.batches.iter().filter(|(note, _)| notes.contains(note)) {
        let room = ROOMS[usize::try_from(note / 1_000_000).expect("small")];
        let entries = entries.iter().map(|entry| (entry.seq.0, entry.clone()));
        rooms.entry(room).or_default().extend(entries);
    }
    rooms
}

/// Opens what a crash left, as the daemon does, and reads all of it.
fn open(path: &Path) -> Result<Rooms, String> {
    let store = SqliteStore::open(path).map_err(|error| error.to_string())?;
    let mut rooms = Rooms::new();
    for name in ROOMS {
        let journal = store.open(&load::room(name), RoomKind::Public, Arc::new(|_, _| {}));
        let journal = journal.map_err(|error| error.to_string())?;
        let (tell, told) = mpsc::channel();
        let all = Range::After(Seq(0), None);
        journal.read(all, usize::MAX, usize::MAX, Box::new(move |page| drop(tell.send(page))));
        let page = told.recv().expect("told").map_err(|error| error.to_string())?;
        let entries = page.entries.into_iter().map(|entry| (entry.seq.0, entry));
        rooms.insert(name, entries.collect());
    }
    let look = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let sound = look.and_then(|look| {
        look.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
    });
    match sound.as_deref() {
        Ok("ok") => Ok(rooms),
        other => Err(format!("integrity_check: {other:?}")),
    }
}

/// Whether what is there has everything that was acknowledged, as it was, and no hole.
fn compare(there: &Rooms, acknowledged: &Rooms) -> Result<(), String> {
    for (name, entries) in there {
        for (place, seq) in (1..).zip(entries.keys()) {
            if place != *seq {
                return Err(format!("{name} has a hole before {seq}"));
            }
        }
    }
    for (name, entries) in acknowledged {
        for (seq, want) in entries {
            let Some(found) = there[name].get(seq) else {
                return Err(format!("{name} {seq} was acknowledged, and is lost"));
            };
            // A message may have been changed since, also by what was not acknowledged yet.
            let is_changed = found.edited.is_some() || found.deleted.is_some();
            if found.kind != want.kind || (found.text != want.text && !is_changed) {
                return Err(format!("{name} {seq} is {found:?}"));
            }
            let Some(target) = want.re.and_then(|re| there[name].get(&re.0)) else { continue };
            let is_done = match want.kind {
                EntryKind::Edit => target.text == want.text,
                EntryKind::Delete => target.deleted.is_some() && target.text.is_empty(),
                EntryKind::React => target.reactions.is_some(),
                EntryKind::Message | EntryKind::Topic | EntryKind::Unreact | EntryKind::Unknown => {
                    true
                }
            };
            if !is_done {
                return Err(format!("{name} {seq} was acknowledged, and is not done: {target:?}"));
            }
        }
    }
    Ok(())
}

/// Lets the power fail in so many moments; what was found wrong, and in which moment.
fn failures(acts: &[Act], said: &Said, states: u64, rng: &mut StdRng) -> Vec<String> {
    let mut moments: Vec<usize> = (0..states).map(|_| rng.random_range(0..=acts.len())).collect();
    moments.sort_unstable();
    let (mut disk, mut notes, mut played) = (Disk::default(), HashSet::new(), 0);
    let mut wrong = Vec::new();
    for moment in moments {
        for act in &acts[played..moment] {
            disk.play(act);
            if let Act::Note(note) = act {
                notes.insert(*note);
            }
        }
        played = moment;
        let loss = Loss::ALL[rng.random_range(0..Loss::ALL.len())];
        let folder = folder();
        let mut database = PathBuf::from("klatch.db");
        for (path, content) in disk.crash(loss, rng) {
            let name = path.file_name().expect("a name");
            fs::write(folder.path().join(name), content).expect("written");
            private(&folder.path().join(name));
        }
        database = folder.path().join(database);
        let outcome =
            open(&database).and_then(|there| compare(&there, &acknowledged(said, &notes)));
        if let Err(why) = outcome {
            wrong.push(format!("{loss:?} after act {moment} of {}: {why}", acts.len()));
        }
    }
    wrong
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_fails() {
    let states = number("KLATCH_POWERLOSS_STATES", 100);
    let seed = number("KLATCH_POWERLOSS_SEED", rand::random());
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = folder();
    let (acts, said) = load::run(&folder.path().join("klatch.db"), &mut rng);
    let count = |such: fn(&Act) -> bool| acts.iter().filter(|act| such(act)).count();
    let syncs = count(|act| matches!(act, Act::Sync { .. }));
    let notes = count(|act| matches!(act, Act::Note(_)));
    assert!(notes == said.batches.len() && syncs > notes / 8, "{syncs} {notes}");
    let wrong = failures(&acts, &said, states, &mut rng);
    let mut story = String::new();
    for line in wrong.iter().take(10) {
        writeln!(story, "{line}").expect("a text");
    }
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} of {states} states are wrong:\n{story}",
        wrong.len()
    );

    // The same work on a disk that flushes nothing: if that lost nothing, the test would be blind.
    let lying: Vec<Act> = acts.into_iter().filter(|act| !matches!(act, Act::Sync { .. })).collect();
    let wrong = failures(&lying, &said, 20, &mut rng);
    assert!(
        wrong.len() > 10,
        "seed {seed}: {} of 20 states without a flush are wrong",
        wrong.len()
    );
}
