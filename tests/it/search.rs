//! Searching through the protocol: what is found, by whom, and what is refused.

use klatch::protocol::request::{Delete, Direct, Edit, Search};
use klatch::protocol::status::Code;

use crate::support::client::say;
use crate::support::{TestClient, TestServer, open_limits};

fn search(text: &str) -> Search {
    let (room, from, before, limit) = (None, None, None, None);
    Search { text: text.into(), room, from, before, limit, timeout_ms: None }
}

/// The texts that a search finds, page by page.
fn find(client: &mut TestClient, mut search: Search) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = client.request(&search).expect("a page");
        found.extend(page.hits.0.iter().map(|hit| format!("{}:{}", hit.room, hit.entry.text)));
        if page.next.is_none() {
            return found;
        }
        search.before = page.next;
    }
}

fn servers() -> impl Iterator<Item = TestServer> {
    ["store.engine=memory", "store.engine=sqlite"]
        .into_iter()
        .map(|store| TestServer::with(&[&open_limits()[..], &[store]].concat()))
}

#[test]
fn what_was_acknowledged_is_found_in_every_room_that_may_be_seen() {
    for server in servers() {
        let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
        let mut eve = server.login("eve");
        ann.create("ops");
        ann.say("ops", "The Needle in ops");
        let edited = ann.say("lobby", "needle").seq;
        let deleted = ann.say("lobby", "another needle").seq;
        let direct = ann.request(&Direct { name: "bob".into(), timeout_ms: None }).unwrap().room;
        ann.say(&direct, "a secret needle");
        bob.say("lobby", "針 needle 日本語");
        let (room, text) = ("lobby".into(), "needless".into());
        ann.request(&Edit { room, seq: edited, text, key: None, timeout_ms: None }).unwrap();
        let room = "lobby".into();
        ann.request(&Delete { room, seq: deleted, key: None, timeout_ms: None }).unwrap();

        let public = ["lobby:針 needle 日本語", "lobby:needless", "ops:The Needle in ops"];
        assert_eq!(find(&mut eve, search("needle")), public);
        let secret = format!("{direct}:a secret needle");
        let all = [public[0], &secret, public[1], public[2]];
        assert_eq!(find(&mut bob, search("NEEDLE")), all);
        assert_eq!(find(&mut ann, Search { limit: Some(1), ..search("needle") }), all);
        assert_eq!(find(&mut eve, search("secret")), [""; 0]);
        assert_eq!(find(&mut eve, search("another")), [""; 0]);
        assert_eq!(find(&mut eve, search("日本")), [public[0]]);
        let in_ops = Search { room: Some("ops".into()), ..search("needle") };
        assert_eq!(find(&mut eve, in_ops), [public[2]]);
        let by_bob = Search { from: Some("Bob".into()), ..search("needle") };
        assert_eq!(find(&mut eve, by_bob), [public[0]]);

        for room in [&*direct, "nowhere"] {
            let hidden = Search { room: Some(room.into()), ..search("needle") };
            assert_eq!(eve.refused(&hidden), Code::NotFound);
        }
        for text in ["", "a", "a b c", &"x".repeat(257)] {
            let code = eve.refused(&search(text));
            assert!(matches!(code, Code::BadParams | Code::TooLarge), "{code:?}");
        }
        let none = eve.request(&Search { limit: Some(0), ..search("needle") }).unwrap();
        assert!(none.hits.0.is_empty());
    }
}

#[test]
fn what_was_said_before_a_restart_is_found() {
    let server = TestServer::with(&open_limits());
    let mut ann = server.login("ann");
    let ids: Vec<_> =
        (0..1_000).map(|n| ann.send(&say("lobby", &format!("message {n}"), None))).collect();
    for id in ids {
        ann.answer(id).unwrap();
    }
    let expected: Vec<_> = ["lobby:message 977", "lobby:message 77"].map(str::to_owned).into();
    assert_eq!(find(&mut ann, search("977")), expected[..1]);
    drop(ann);
    let server = server.restart(&open_limits());
    let mut bob = server.login("bob");
    let found = find(&mut bob, search("77 message"));
    assert!(expected.iter().all(|text| found.contains(text)), "{found:?}");
    assert_eq!(found.len(), 19);
}
