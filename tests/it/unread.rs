//! Read markers: how far an account has read, on all its devices, and what it has not.

use klatch::base::id::Seq;
use klatch::protocol::event::Event;
use klatch::protocol::reply::UnreadInfo;
use klatch::protocol::request::{Delete, Join, Leave, MarkRead, Unread};
use klatch::protocol::status::Code;

use crate::support::people::{account, again, another_device};
use crate::support::{TestClient, TestServer};

fn mark(room: &str, seq: u64) -> MarkRead {
    MarkRead { room: room.into(), seq: Seq(seq), timeout_ms: None }
}

fn unread(client: &mut TestClient) -> Vec<UnreadInfo> {
    let list = client.request(&Unread { after: None, limit: None, timeout_ms: None }).unwrap();
    assert!(!list.more);
    list.rooms.0
}

fn info(room: &str, read: u64, unread: u32, mentions: u32) -> UnreadInfo {
    UnreadInfo { room: room.into(), read: Seq(read), unread, mentions }
}

#[test]
fn what_is_read_on_one_device_is_read_on_all_and_after_a_restart() {
    let server = TestServer::start();
    let mut ann = account(&server, "ann");
    let mut phone = another_device(&server, "ann");
    let mut bob = account(&server, "bob");
    assert_eq!(unread(&mut ann), []);
    ann.say("lobby", "my own are never unread");
    let first = bob.say("lobby", "one").seq.0;
    bob.say("lobby", "two, @Ann!");
    bob.say("lobby", "three, and not @anna");
    let gone = bob.say("lobby", "four, deleted").seq;
    let delete = Delete { room: "lobby".into(), seq: gone, key: None, timeout_ms: None };
    bob.request(&delete).unwrap();
    let before = unread(&mut ann);
    assert_eq!((before[0].unread, before[0].mentions), (3, 1), "{before:?}");
    ann.request(&mark("lobby", first)).unwrap();
    let told = phone.expect(|event| match event {
        Event::Read(marked) => Some((marked.room.to_string(), marked.seq.0)),
        _ => None,
    });
    assert_eq!(told, ("lobby".to_owned(), first));
    // It never goes back.
    phone.request(&mark("lobby", 0)).unwrap();
    assert_eq!(unread(&mut phone), [info("lobby", first, 2, 1)]);
    let (token, server) = (ann.token.clone(), server.restart(&[]));
    ann = server.connect();
    ann.hello();
    ann.try_login("ann", token).unwrap();
    let read = ann.expect(|event| match event {
        Event::Room(state) => Some(state.read),
        _ => None,
    });
    assert_eq!(read, Some(Seq(first)));
    assert_eq!(unread(&mut ann), [info("lobby", first, 2, 1)]);
    ann.request(&mark("lobby", gone.0)).unwrap();
    assert_eq!(unread(&mut ann), []);
}

#[test]
fn a_newcomer_has_nothing_to_read_and_who_left_neither() {
    let server = TestServer::start();
    let mut bob = account(&server, "bob");
    bob.say("lobby", "before ann");
    let mut ann = account(&server, "ann");
    assert_eq!(unread(&mut ann), []);
    bob.say("lobby", "with ann");
    assert_eq!(unread(&mut ann).len(), 1);
    ann.request(&Leave { room: "lobby".into(), timeout_ms: None }).unwrap();
    assert_eq!(unread(&mut ann), []);
    ann.request(&Join { room: "lobby".into(), timeout_ms: None }).unwrap();
    assert_eq!(unread(&mut ann), []);
    // What comes while it is away waits.
    drop(again(&server, "ann", &ann));
    let token = ann.token.clone();
    drop(ann);
    bob.say("lobby", "without ann");
    let mut ann = server.connect();
    ann.hello();
    ann.try_login("ann", token).unwrap();
    assert_eq!(unread(&mut ann)[0].unread, 1);
}

#[test]
fn only_members_with_an_account_mark_and_not_what_is_not_there() {
    let server = TestServer::start();
    let mut ann = account(&server, "ann");
    let seq = ann.say("lobby", "hi").seq.0;
    assert_eq!(ann.refused(&mark("lobby", seq + 1)), Code::BadParams);
    assert_eq!(ann.refused(&mark("nowhere", 1)), Code::NotFound);
    let mut guest = server.login("gast");
    assert_eq!(guest.refused(&mark("lobby", 1)), Code::NoAccount);
    let ask = Unread { after: None, limit: None, timeout_ms: None };
    assert_eq!(guest.refused(&ask), Code::NoAccount);
}
