//! Acknowledged = committed, shown = committed: against a store that commits when it is told to.

use std::sync::{Arc, Mutex, mpsc};

use klatch::base::id::{Epoch, Key, Seq};
use klatch::base::name::RoomName;
use klatch::protocol::codec::Incoming;
use klatch::protocol::event::Event;
use klatch::protocol::reply::{Durability, TopicState};
use klatch::protocol::status::Code;
use klatch::store::search::{Search, Searcher};
use klatch::store::{
    Changes, Committed, Finder, Journal, Keys, Looker, Page, Range, Reader, Receipt, RoomKind,
    RoomRecord, Store, StoreError, Ticket,
};

use crate::support::client::{code_of, say};
use crate::support::{TestClient, TestServer, open_limits};

/// A store that keeps every batch waiting until the test decides.
#[derive(Default, Clone)]
struct Held(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    committed: Option<Committed>,
    next: u64,
    arrived: Option<mpsc::Sender<Ticket>>,
}

struct HeldJournal {
    shelf: Held,
    head: Seq,
}

impl Store for Held {
    fn durability(&self) -> Durability {
        Durability::Durable
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        Ok(Vec::new())
    }

    fn open(
        &self,
        _: &RoomName,
        _: RoomKind,
        committed: Committed,
    ) -> Result<Box<dyn Journal>, StoreError> {
        self.0.lock().unwrap().committed = Some(committed);
        Ok(Box::new(HeldJournal { shelf: self.clone(), head: Seq(0) }))
    }

    fn search(&self, _: Search, told: Searcher) {
        told(Err(StoreError::Unavailable));
    }
}

impl Journal for HeldJournal {
    fn epoch(&self) -> Epoch {
        Epoch(1)
    }

    fn head(&self) -> Seq {
        self.head
    }

    fn first(&self) -> Seq {
        Seq(1)
    }

    fn topic(&self) -> Option<TopicState> {
        None
    }

    fn keys(&mut self) -> Keys {
        Keys::default()
    }

    fn find(&self, _: &Arc<str>, _: Key, finder: Finder) {
        finder(Ok(None));
    }

    fn look(&self, _: Seq, looker: Looker) {
        looker(Ok(None));
    }

    fn append(&mut self, changes: Changes) -> Receipt {
        assert!(!changes.is_empty());
        let mut shelf = self.shelf.0.lock().unwrap();
        shelf.next += 1;
        let ticket = Ticket(shelf.next);
        shelf.arrived.as_ref().unwrap().send(ticket).unwrap();
        Receipt::Pending(ticket)
    }

    fn read(&self, _: Range, _: usize, _: usize, reader: Reader) {
        reader(Ok(Page { entries: Vec::new(), first: Seq(1), head: self.head, more: false }));
    }
}

struct Scene {
    server: TestServer,
    held: Held,
    arrived: mpsc::Receiver<Ticket>,
}

impl Scene {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(keys: &[&str]) -> Self {
        let held = Held::default();
        let (sender, arrived) = mpsc::channel();
        held.0.lock().unwrap().arrived = Some(sender);
        let store: Arc<dyn Store> = Arc::new(held.clone());
        let server = TestServer::made_of(keys, move |parts| parts.store = Some(store));
        Self { server, held, arrived }
    }

    fn decide(&self, ticket: Ticket, outcome: Result<(), StoreError>) {
        let committed = self.held.0.lock().unwrap().committed.clone().unwrap();
        committed(ticket, outcome);
    }
}

/// What comes to `client` before the answer to a ping: nothing of what is held.
fn silent(client: &mut TestClient) -> bool {
    let id = client.send(&klatch::protocol::request::Ping { timeout_ms: None });
    loop {
        match client.receive().unwrap() {
            Incoming::Response { id: answered, .. } => return answered == id,
            Incoming::Event(Event::Message(_)) => return false,
            Incoming::Event(_) | Incoming::UnknownEvent => {}
        }
    }
}

#[test]
fn nothing_is_acknowledged_or_shown_before_its_commit() {
    let scene = Scene::new();
    let (mut ann, mut bob) = (scene.server.login("ann"), scene.server.login("bob"));
    let id = ann.send(&say("lobby", "hello", None));
    let ticket = scene.arrived.recv().unwrap();
    assert!(silent(&mut bob), "shown before its commit");
    assert!(silent(&mut ann), "acknowledged before its commit");
    scene.decide(ticket, Ok(()));
    ann.answer(id).unwrap();
    assert_eq!(&*bob.message().text, "hello");
}

#[test]
fn what_is_not_committed_is_refused_never_shown_and_its_seq_is_given_again() {
    let scene = Scene::new();
    let (mut ann, mut bob) = (scene.server.login("ann"), scene.server.login("bob"));
    let id = ann.send(&say("lobby", "lost", None));
    let ticket = scene.arrived.recv().unwrap();
    scene.decide(ticket, Err(StoreError::Full));
    let error = ann.answer(id).unwrap_err();
    assert_eq!(code_of(&error), Code::StorageFull);
    assert!(error.retry_after_ms.is_some());
    assert!(silent(&mut bob));
    let id = ann.send(&say("lobby", "kept", None));
    scene.decide(scene.arrived.recv().unwrap(), Ok(()));
    ann.answer(id).unwrap();
    let message = bob.message();
    assert_eq!((&*message.text, message.seq), ("kept", Seq(1)));
}

/// More than are written to in one turn.
const MANY: usize = 70;

#[test]
fn in_a_large_room_what_is_committed_waits_for_one_commit_behind_it_at_most() {
    let scene = Scene::with(&open_limits());
    let mut crowd: Vec<_> = (0..MANY).map(|n| scene.server.login(&format!("p{n}x"))).collect();
    let mut others = crowd.split_off(2);
    let [ann, bob] = &mut crowd[..] else { unreachable!() };
    let mut said = |text| {
        let id = ann.send(&say("lobby", text, None));
        (id, scene.arrived.recv().unwrap())
    };
    let [one, two, three, four] = ["one", "two", "three", "four"].map(&mut said);
    scene.decide(one.1, Ok(()));
    scene.decide(two.1, Ok(()));
    ann.answer(one.0).unwrap();
    ann.answer(two.0).unwrap();
    scene.decide(three.1, Ok(()));
    scene.decide(four.1, Err(StoreError::Full));
    ann.answer(three.0).unwrap();
    assert_eq!(code_of(&ann.answer(four.0).unwrap_err()), Code::StorageFull);
    let id = bob.send(&say("lobby", "five", None));
    scene.decide(scene.arrived.recv().unwrap(), Ok(()));
    bob.answer(id).unwrap();
    for client in &mut others {
        let seen: Vec<_> = (0..4).map(|_| client.message()).collect();
        let seen: Vec<_> = seen.iter().map(|message| (message.seq.0, &*message.text)).collect();
        assert_eq!(seen, [(1, "one"), (2, "two"), (3, "three"), (4, "five")]);
    }
}
