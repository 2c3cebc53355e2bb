//! The watchdog's round trip: it goes through while all is well, and names what hangs.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use klatch::base::name::RoomName;
use klatch::protocol::reply::Durability;
use klatch::protocol::request::Request;
use klatch::store::memory::{Bounds, MemoryStore};
use klatch::store::search::{Search, Searcher};
use klatch::store::{Committed, Journal, RoomKind, RoomRecord, Store, StoreError};

use crate::support::client::say;
use crate::support::{TestClient, TestServer};

/// Longer than a round takes, on any machine.
const LONG: Duration = Duration::from_secs(20);
/// So long something has to hang to be found.
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_server_that_is_well_has_a_pulse() {
    for keys in [&["server.workers=4"][..], &["server.plain=never"], &["store.engine=memory"]] {
        let server = TestServer::with(keys);
        for _ in 0..3 {
            assert_eq!(server.pulse(LONG), Ok(()), "{keys:?}");
        }
        // It leaves nothing behind.
        server.wait_for_sessions(0);
    }
}

#[test]
fn neither_a_full_server_nor_a_busy_one_is_dead() {
    let server = TestServer::with(&["limits.connections=1"]);
    let mut ann = server.login("ann");
    for n in 0..50 {
        ann.send(&say("lobby", &n.to_string(), None));
    }
    assert_eq!(server.pulse(LONG), Ok(()));
}

#[test]
fn a_worker_that_hangs_is_found() {
    let (go_on, hung) = mpsc::channel::<()>();
    let hung = std::sync::Mutex::new(hung);
    let server = TestServer::made_of(&["server.workers=1"], move |parts| {
        parts.observer = Some(Arc::new(move |request| {
            if matches!(request, Request::Logout(_)) {
                // Until the test lets go: an error is that too.
                let _let_go = hung.lock().expect("one session").recv();
            }
        }));
    });
    // Goes before the server does, which could not end otherwise if this test fails.
    let go_on = go_on;
    assert_eq!(server.pulse(LONG), Ok(()));
    let mut ann = server.login("ann");
    ann.send(&klatch::protocol::request::Logout { all: None, timeout_ms: None });
    let found = (0..100).find_map(|_| server.pulse(SHORT).err()).expect("it hangs");
    assert_eq!(found, "a session does not answer");
    drop(go_on);
    let well = (0..100).any(|_| server.pulse(LONG).is_ok());
    assert!(well, "it goes on");
}

/// A store whose threads take no work any more, or that blocks whoever asks it.
struct Hanging {
    store: MemoryStore,
    probes: bool,
}

impl Store for Hanging {
    fn durability(&self) -> Durability {
        self.store.durability()
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        self.store.rooms()
    }

    fn open(
        &self,
        room: &RoomName,
        kind: RoomKind,
        committed: Committed,
    ) -> Result<Box<dyn Journal>, StoreError> {
        self.store.open(room, kind, committed)
    }

    fn search(&self, search: Search, told: Searcher) {
        self.store.search(search, told);
    }

    fn probe(&self, told: Box<dyn FnOnce() + Send>) {
        if self.probes {
            told();
        } else {
            // Kept, and never called.
            std::thread::spawn(move || {
                std::thread::park_timeout(Duration::from_secs(3_600));
                drop(told);
            });
        }
    }
}

#[test]
fn a_storage_that_hangs_is_found_though_all_else_goes_on() {
    let bounds = Bounds { room_entries: 9, room_bytes: 1 << 20, total_bytes: 1 << 20 };
    for probes in [true, false] {
        let store = Hanging { store: MemoryStore::new(bounds), probes };
        let server = TestServer::made_of(&[], move |parts| parts.store = Some(Arc::new(store)));
        let mut ann: TestClient = server.login("ann");
        ann.say("lobby", "hello");
        let deadline = if probes { LONG } else { SHORT };
        let outcome = server.pulse(deadline);
        assert_eq!(outcome.is_ok(), probes, "{outcome:?}");
        if let Err(why) = outcome {
            assert!(why.contains("the storage"), "{why}");
        }
    }
}
