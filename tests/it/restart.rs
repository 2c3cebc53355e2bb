//! What was acknowledged is there after a restart: messages, topics, rooms, and what was done under
//! a key.

use klatch::base::id::{Key, Seq};
use klatch::protocol::reply::Durability;
use klatch::protocol::request::{Create, Rooms, Topic};
use klatch::protocol::status::Code;

use crate::support::client::{now, say};
use crate::support::{TestClient, TestServer, open_limits};

#[test]
fn rooms_topics_and_messages_survive() {
    let server = TestServer::start();
    let mut ann = server.connect();
    assert_eq!(ann.hello().durability, Durability::Durable);
    ann.login("ann");
    let create =
        Create { room: "ops".into(), topic: Some("first".into()), private: None, timeout_ms: None };
    let before = ann.request(&create).unwrap();
    for n in 0..450 {
        ann.say("ops", &format!("message {n}"));
    }
    let topic = Topic { room: "ops".into(), topic: Some("second".into()), timeout_ms: None };
    ann.request(&topic).unwrap();
    let said = ann.whole_history("ops");

    let server = server.restart(&[]);
    let mut bob = server.login("bob");
    let rooms = bob.request(&Rooms { after: None, limit: None, timeout_ms: None }).unwrap();
    let ops = rooms.rooms.0.iter().find(|room| &*room.room == "ops").expect("it is listed");
    assert_eq!(&*ops.topic, "second");
    let after = bob.join("ops");
    assert_eq!((after.epoch, after.seq, after.first), (before.epoch, Seq(452), Seq(1)));
    assert_eq!(&*after.topic, "second");
    let topic = Topic { room: "ops".into(), topic: None, timeout_ms: None };
    let topic = bob.request(&topic).unwrap();
    assert_eq!((topic.by.as_deref(), topic.seq), (Some("ann"), Some(Seq(452))));
    assert_eq!(bob.whole_history("ops"), said);
    assert_eq!(bob.say("ops", "and on it goes").seq, Seq(453));
    // A room that looks the same is still the same.
    let alike = Create { room: "0ps".into(), topic: None, private: None, timeout_ms: None };
    assert_eq!(bob.refused(&alike), Code::Exists);
}

#[test]
fn what_was_said_under_a_key_is_not_said_again_after_a_restart() {
    let server = TestServer::with(&open_limits());
    let mut ann = server.login("ann");
    let keys = [Key::made_at(now()), Key([7; 16])];
    let first: Vec<_> =
        keys.map(|key| ann.request(&say("lobby", "once", Some(key))).unwrap()).into();
    // So many that the first are forgotten by the room, and only storage knows them.
    let ids: Vec<_> = (0..1_500)
        .map(|n| ann.send(&say("lobby", &n.to_string(), Some(Key::made_at(now())))))
        .collect();
    for id in ids {
        ann.answer(id).unwrap();
    }
    let check = |ann: &mut TestClient, text: &str, at: &[u64]| {
        for (key, said) in keys.iter().zip(&first) {
            let again = ann.request(&say("lobby", text, Some(*key))).unwrap();
            assert_eq!((again.seq, again.time, again.dup), (said.seq, said.time, true), "{at:?}");
            let other = say("lobby", "something else", Some(*key));
            assert_eq!(ann.refused(&other), Code::KeyConflict);
        }
    };
    check(&mut ann, "once", &[0]);
    drop(ann);
    let server = server.restart(&open_limits());
    let mut ann = server.login("ann");
    check(&mut ann, "once", &[1]);
    assert_eq!(ann.say("lobby", "new").seq, Seq(1_503));
    // A key that tells nothing of its time is looked for, and then as good as any.
    let odd = say("lobby", "odd", Some(Key([9; 16])));
    assert!(!ann.request(&odd).unwrap().dup);
    assert!(ann.request(&odd).unwrap().dup);
}
