//! Rooms that get another name, and rooms that are deleted.

use klatch::base::id::Seq;
use klatch::protocol::event::{Event, LeaveReason, Removed, Renamed};
use klatch::protocol::request::{
    Create, DeleteRoom, Direct, Invite, Join, RenameRoom, Rooms, Search,
};
use klatch::protocol::status::Code;

use crate::support::client::say;
use crate::support::people::{account, another_device};
use crate::support::{TestClient, TestServer};

fn rename(room: &str, name: &str) -> RenameRoom {
    RenameRoom { room: room.into(), name: name.into(), timeout_ms: None }
}

fn delete(room: &str) -> DeleteRoom {
    DeleteRoom { room: room.into(), timeout_ms: None }
}

fn join(room: &str) -> Join {
    Join { room: room.into(), timeout_ms: None }
}

fn rooms(client: &mut TestClient) -> Vec<String> {
    let list = client.request(&Rooms { after: None, limit: None, timeout_ms: None }).unwrap();
    list.rooms.0.iter().map(|room| room.room.to_string()).collect()
}

fn found(client: &mut TestClient, text: &str) -> Vec<String> {
    let (room, from, before, limit, timeout_ms) = (None, None, None, None, None);
    let search = Search { text: text.into(), room, from, before, limit, timeout_ms };
    client.request(&search).unwrap().hits.0.iter().map(|hit| hit.room.to_string()).collect()
}

fn renamed(client: &mut TestClient) -> Renamed {
    client.expect(|event| match event {
        Event::Renamed(renamed) => Some(renamed.clone()),
        _ => None,
    })
}

fn removed(client: &mut TestClient) -> Removed {
    client.expect(|event| match event {
        Event::Removed(removed) => Some(removed.clone()),
        _ => None,
    })
}

#[test]
fn a_room_with_another_name_is_the_same_room() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    let made = ann.create("plans");
    bob.join("plans");
    ann.say("plans", "the first word");
    ann.request(&rename("plans", "dreams")).unwrap();
    let told = renamed(&mut bob);
    assert_eq!((&*told.room, &*told.name, &*told.by), ("plans", "dreams", "ann"));
    assert_eq!(bob.say("dreams", "the second").seq, Seq(2));
    assert_eq!(&*ann.message().room, "plans", "said before");
    assert_eq!(&*ann.message().room, "dreams");
    assert_eq!(bob.refused(&join("plans")), Code::NotFound);
    // Also on the short way, which leads past the directory.
    assert_eq!(bob.refused(&say("plans", "hi", None)), Code::NotFound);
    assert_eq!(rooms(&mut bob), ["dreams", "lobby"]);
    assert_eq!(found(&mut bob, "first word"), ["dreams"]);
    // The old name is free, and is another room.
    let other = bob.create("plans");
    assert_ne!(other.epoch, made.epoch);
    bob.say("plans", "in the other one");
    // The account comes back to it, also after a restart.
    let token = ann.token.clone();
    let server = server.restart(&[]);
    let mut phone = server.connect();
    phone.hello();
    let rooms = phone.try_login("ann", token).unwrap().rooms;
    assert!(rooms.contains(&"dreams".into()) && !rooms.contains(&"plans".into()), "{rooms:?}");
    let texts = |entries: Vec<klatch::protocol::reply::Entry>| -> Vec<String> {
        entries.iter().map(|entry| entry.text.to_string()).collect()
    };
    let state = phone.join("dreams");
    assert_eq!((state.epoch, state.seq), (made.epoch, Seq(2)));
    assert_eq!(texts(phone.whole_history("dreams")), ["the first word", "the second"]);
    phone.join("plans");
    assert_eq!(texts(phone.whole_history("plans")), ["in the other one"]);
}

#[test]
fn a_name_that_is_taken_reserved_or_not_ones_own_is_refused() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    ann.create("plans");
    bob.create("den");
    bob.join("plans");
    assert_eq!(ann.refused(&rename("plans", "den")), Code::Exists);
    assert_eq!(ann.refused(&rename("plans", "admin")), Code::NameReserved);
    assert_eq!(ann.refused(&rename("plans", "two words")), Code::NameInvalid);
    assert_eq!(ann.refused(&rename("lobby", "hall")), Code::Denied);
    assert_eq!(ann.refused(&rename("nowhere", "hall")), Code::NotFound);
    assert_eq!(bob.refused(&rename("plans", "mine")), Code::Denied);
    // What was refused keeps no name from others.
    bob.create("mine");
    // Its own name is no other name; one that looks the same may be taken, and is its only one.
    assert_eq!(ann.refused(&rename("plans", "PLANS")), Code::Exists);
    ann.request(&rename("plans", "p1ans")).unwrap();
    assert_eq!(&*renamed(&mut bob).name, "p1ans");
    assert_eq!(bob.refused(&rename("den", "plans")), Code::Exists);
    let direct = ann.request(&Direct { name: "bob".into(), timeout_ms: None }).unwrap().room;
    assert_eq!(ann.refused(&rename(&direct, "us")), Code::Denied);
}

#[test]
fn a_deleted_room_is_gone_for_all_and_for_good() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    let mut phone = another_device(&server, "ann");
    let made = ann.create("plans");
    phone.expect(|event| {
        matches!(event, Event::Room(state) if &*state.room == "plans").then_some(())
    });
    bob.join("plans");
    ann.say("plans", "never again heard of");
    assert_eq!(bob.refused(&delete("plans")), Code::Denied);
    assert_eq!(bob.refused(&delete("lobby")), Code::Denied);
    ann.request(&delete("plans")).unwrap();
    for client in [&mut bob, &mut phone] {
        let told = removed(client);
        assert_eq!((&*told.room, told.reason), ("plans", LeaveReason::Deleted));
        assert_eq!(told.by.as_deref(), Some("ann"));
    }
    assert_eq!(bob.refused(&join("plans")), Code::NotFound);
    assert_eq!(rooms(&mut bob), ["lobby"]);
    assert_eq!(found(&mut bob, "heard of"), [""; 0]);
    let again = bob.create("plans");
    assert_ne!(again.epoch, made.epoch);
    assert_eq!(bob.whole_history("plans").len(), 0);
    bob.say("plans", "a new beginning");
    let token = ann.token.clone();
    let server = server.restart(&[]);
    let mut ann = server.connect();
    ann.hello();
    let rooms = ann.try_login("ann", token).unwrap().rooms;
    assert!(!rooms.contains(&"plans".into()), "{rooms:?}");
    ann.join("plans");
    assert_eq!(ann.whole_history("plans").len(), 1);
}

#[test]
fn a_private_room_that_is_deleted_is_still_hidden() {
    let server = TestServer::start();
    let (mut ann, mut eve) = (account(&server, "ann"), account(&server, "eve"));
    let create = Create { room: "den".into(), topic: None, private: Some(true), timeout_ms: None };
    ann.request(&create).unwrap();
    assert_eq!(eve.refused(&delete("den")), Code::NotFound);
    assert_eq!(eve.refused(&rename("den", "pit")), Code::NotFound);
    let invite = Invite { room: "den".into(), name: "eve".into(), timeout_ms: None };
    ann.request(&invite).unwrap();
    assert_eq!(eve.refused(&delete("den")), Code::NotMember);
    ann.request(&delete("den")).unwrap();
    assert_eq!(eve.refused(&join("den")), Code::NotFound);
}

#[test]
fn guests_and_servers_without_a_file_do_it_too() {
    let server = TestServer::with(&["store.engine=memory"]);
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    ann.create("plans");
    bob.join("plans");
    ann.say("plans", "the first word");
    ann.request(&rename("plans", "dreams")).unwrap();
    renamed(&mut bob);
    assert_eq!(found(&mut bob, "first word"), ["dreams"]);
    ann.request(&delete("dreams")).unwrap();
    removed(&mut bob);
    assert_eq!(found(&mut bob, "first word"), [""; 0]);
    assert_eq!(rooms(&mut bob), ["lobby"]);
}
