//! A failure of one session ends that session; a failure of what all share ends the process.

use std::process::{Command, Stdio};
use std::sync::Arc;

use actix_rt::System;
use klatch::base::id::{Epoch, Key, Seq};
use klatch::base::name::RoomName;
use klatch::protocol::reply::{Durability, TopicState};
use klatch::protocol::request::Request;
use klatch::protocol::status::Code;
use klatch::server::{self, Parts, fate};
use klatch::store::search::{Search, Searcher};
use klatch::store::{
    Changes, Committed, Finder, Journal, Keys, Looker, Range, Reader, Receipt, RoomKind,
    RoomRecord, Store, StoreError,
};

use crate::support::client::say;
use crate::support::server::configured;
use crate::support::{TestClient, TestServer};

#[test]
fn a_panic_in_a_session_ends_that_session_only() {
    let server = TestServer::made_of(&[], |parts| {
        parts.observer = Some(Arc::new(|request: &Request| {
            if let Request::Say(say) = request {
                assert!(&*say.text.0 != "fail here", "as asked");
            }
        }));
    });
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    ann.send(&say("lobby", "fail here", None));
    assert_eq!(ann.bye().code, Code::Internal.number());
    bob.expect(|event| matches!(event, klatch::protocol::event::Event::Left(_)).then_some(()));
    bob.say("lobby", "still here");
    // The name is kept for its token, and works.
    let mut again = server.connect();
    again.hello();
    again.try_login("ann", ann.token.clone()).unwrap();
    server.wait_for_sessions(2);
}

/// A store whose first append is a bug.
struct Buggy;

impl Store for Buggy {
    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        Ok(Vec::new())
    }

    fn open(
        &self,
        _: &RoomName,
        _: RoomKind,
        _: Committed,
    ) -> Result<Box<dyn Journal>, StoreError> {
        Ok(Box::new(Self))
    }

    fn search(&self, _: Search, told: Searcher) {
        told(Err(StoreError::Unavailable));
    }
}

impl Journal for Buggy {
    fn epoch(&self) -> Epoch {
        Epoch(1)
    }

    fn head(&self) -> Seq {
        Seq(0)
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

    fn append(&mut self, _: Changes) -> Receipt {
        panic!("a bug in shared state")
    }

    fn read(&self, _: Range, _: usize, _: usize, reader: Reader) {
        reader(Err(StoreError::Unavailable));
    }
}

/// Not a test by itself: run in a process of its own by the one below.
#[test]
fn child_with_a_bug_in_shared_state() {
    if std::env::var_os("KLATCH_TEST_CHILD").is_none() {
        return;
    }
    fate::decide_on_panics();
    let config = configured(&[]);
    let dir = tempfile::tempdir().unwrap();
    let mut parts = Parts::new(dir.path().to_owned());
    parts.store = Some(Arc::new(Buggy));
    System::new().block_on(async {
        let server = server::start(&config, &parts).unwrap();
        let address = server.addresses()[0];
        let client = std::thread::spawn(move || {
            let mut ann = TestClient::connect(address);
            ann.hello();
            ann.login("ann");
            ann.send(&say("lobby", "hello", None));
            ann.wait_for_end();
        });
        // The process ends before the client does.
        tokio::task::spawn_blocking(|| client.join()).await.unwrap().unwrap();
        std::future::pending::<()>().await;
    });
}

#[test]
fn a_panic_in_shared_state_ends_the_process_with_a_code_of_its_own() {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "isolation::child_with_a_bug_in_shared_state", "--nocapture"])
        .env("KLATCH_TEST_CHILD", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(fate::EXIT_CODE));
}
