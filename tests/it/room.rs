//! Rooms: create, join, leave, topic, members, history, typing, direct; who sees what.

use klatch::base::id::{Key, Seq};
use klatch::protocol::event::{Event, LeaveReason};
use klatch::protocol::reply::{EntryKind, RoomKind};
use klatch::protocol::request::{
    Create, Direct, History, Join, Leave, Members, Rooms, Topic, Typing,
};
use klatch::protocol::status::Code;

use crate::support::client::{history, say};
use crate::support::{TestClient, TestServer, open_limits};

fn leave(room: &str) -> Leave {
    Leave { room: room.into(), timeout_ms: None }
}

fn join(room: &str) -> Join {
    Join { room: room.into(), timeout_ms: None }
}

fn members(room: &str) -> Members {
    Members { room: room.into(), after: None, limit: None, timeout_ms: None }
}

fn topic(room: &str, topic: Option<&str>) -> Topic {
    Topic { room: room.into(), topic: topic.map(Into::into), timeout_ms: None }
}

fn direct(name: &str) -> Direct {
    Direct { name: name.into(), timeout_ms: None }
}

fn joined(client: &mut TestClient) -> (Vec<String>, u32, u32) {
    client.expect(|event| match event {
        Event::Joined(joined) => {
            let names = joined.names.0.iter().map(ToString::to_string).collect();
            Some((names, joined.count, joined.members))
        }
        _ => None,
    })
}

fn left(client: &mut TestClient) -> (String, LeaveReason) {
    client.expect(|event| match event {
        Event::Left(left) => {
            let gone = &left.gone.0[0];
            Some((gone.name.to_string(), gone.reason))
        }
        _ => None,
    })
}

#[test]
fn members_are_told_who_comes_and_goes_and_why() {
    let server = TestServer::start();
    let mut ann = server.login("ann");
    let mut bob = server.login("bob");
    assert_eq!(joined(&mut ann), (vec!["bob".to_owned()], 1, 2));
    bob.request(&leave("lobby")).unwrap();
    assert_eq!(left(&mut ann), ("bob".to_owned(), LeaveReason::Left));
    assert_eq!(bob.refused(&leave("lobby")), Code::NotMember);
    bob.join("lobby");
    assert_eq!(joined(&mut ann).0, ["bob"]);
    drop(bob);
    assert_eq!(left(&mut ann), ("bob".to_owned(), LeaveReason::Lost));
}

#[test]
fn who_is_not_a_member_hears_nothing_and_is_refused() {
    let server = TestServer::start();
    let (mut ann, mut eve) = (server.login("ann"), server.login("eve"));
    ann.create("ops");
    ann.say("ops", "secret");
    for code in [
        eve.refused(&say("ops", "x", None)),
        eve.refused(&history("ops")),
        eve.refused(&members("ops")),
        eve.refused(&topic("ops", None)),
        eve.refused(&topic("ops", Some("x"))),
        eve.refused(&Typing { room: "ops".into(), active: true, timeout_ms: None }),
    ] {
        assert_eq!(code, Code::NotMember);
    }
    assert_eq!(eve.refused(&history("nowhere")), Code::NotFound);
    ann.say("lobby", "public");
    assert_eq!(&*eve.message().text, "public", "nothing of the other room came before");
}

#[test]
fn a_room_is_made_once_and_is_listed() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let create = |name: &str| Create {
        room: name.into(),
        topic: Some("what for".into()),
        private: None,
        timeout_ms: None,
    };
    assert_eq!(&*ann.request(&create("Ops")).unwrap().room, "ops");
    assert_eq!(bob.refused(&create("ops")), Code::Exists);
    assert_eq!(bob.refused(&create("0ps")), Code::Exists);
    assert_eq!(bob.refused(&create("admin")), Code::NameReserved);
    assert_eq!(bob.refused(&create("two words")), Code::NameInvalid);
    assert_eq!(bob.refused(&join("nowhere")), Code::NotFound);
    let list = Rooms { after: None, limit: Some(1), timeout_ms: None };
    let first = bob.request(&list).unwrap();
    assert_eq!((&*first.rooms.0[0].room, first.more), ("lobby", true));
    let list = Rooms { after: Some("lobby".into()), limit: None, timeout_ms: None };
    let second = bob.request(&list).unwrap();
    let ops = &second.rooms.0[0];
    assert_eq!((&*ops.room, ops.members, &*ops.topic), ("ops", 1, "what for"));
    assert_eq!(&*bob.join("ops").topic, "what for");
}

#[test]
fn a_topic_is_set_for_all_and_stays_in_the_history() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    ann.request(&topic("lobby", Some("news"))).unwrap();
    let event = bob.expect(|e| if let Event::TopicChanged(t) = e { Some(t.clone()) } else { None });
    assert_eq!((&*event.from, &*event.text, event.seq), ("ann", "news", Seq(1)));
    let state = bob.request(&topic("lobby", None)).unwrap();
    assert_eq!((&*state.topic, state.by.as_deref()), ("news", Some("ann")));
    let page = bob.request(&history("lobby")).unwrap();
    assert_eq!((page.entries.0[0].kind, page.head), (EntryKind::Topic, Seq(1)));
}

#[test]
fn history_is_paged_both_ways_without_hole_or_overlap() {
    let server = TestServer::with(&["store.engine=memory", "history.messages_per_room=50"]);
    let mut ann = server.login("ann");
    for n in 1..=60 {
        ann.say("lobby", &n.to_string());
    }
    let newest = ann.request(&history("lobby")).unwrap();
    assert_eq!((newest.first, newest.head, newest.entries.0.len()), (Seq(11), Seq(60), 50));
    let mut before = None;
    let mut seqs = Vec::new();
    loop {
        let page = ann.request(&History { before, limit: Some(7), ..history("lobby") }).unwrap();
        let mut part: Vec<_> = page.entries.0.iter().map(|entry| entry.seq.0).collect();
        before = page.entries.0.first().map(|entry| entry.seq);
        part.extend(seqs);
        seqs = part;
        if !page.more {
            break;
        }
    }
    assert_eq!(seqs, (11..=60).collect::<Vec<_>>());
    let between = History { after: Some(Seq(20)), before: Some(Seq(23)), ..history("lobby") };
    let page = ann.request(&between).unwrap();
    let texts: Vec<_> = page.entries.0.iter().map(|entry| &*entry.text).collect();
    assert_eq!(texts, ["21", "22"]);
}

#[test]
fn a_repeated_key_says_once() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let key = Some(Key([7; 16]));
    let first = ann.request(&say("lobby", "once", key)).unwrap();
    let again = ann.request(&say("lobby", "once", key)).unwrap();
    assert_eq!((again.seq, again.time, again.dup), (first.seq, first.time, true));
    assert_eq!(ann.refused(&say("lobby", "other", key)), Code::KeyConflict);
    bob.say("lobby", "end");
    assert_eq!(&*bob.message().text, "once");
    assert_eq!(&*bob.message().text, "end");
}

const EACH: usize = 200;

#[test]
fn every_member_sees_the_same_order_from_many_senders() {
    let server = TestServer::with(&open_limits());
    let mut clients: Vec<_> = (0..8).map(|n| server.login(&format!("p{n}x"))).collect();
    let views: Vec<Vec<(u64, String)>> = std::thread::scope(|scope| {
        let threads = clients.iter_mut().map(|client| {
            scope.spawn(move || {
                for n in 0..EACH {
                    client.send(&say("lobby", &n.to_string(), None));
                }
                let mut view = Vec::new();
                while view.len() < EACH * 8 {
                    if let Some(klatch::protocol::codec::Incoming::Event(Event::Message(m))) =
                        client.receive()
                    {
                        view.push((m.seq.0, format!("{} {}", m.from, m.text)));
                    }
                }
                view
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let seqs: Vec<_> = views[0].iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, (1..=1_600).collect::<Vec<_>>(), "no gap, nothing twice");
    assert!(views.iter().all(|view| *view == views[0]), "one order for all");
    for n in 0..8 {
        let own = format!("p{n}x ");
        let texts: Vec<_> = views[0].iter().filter_map(|(_, t)| t.strip_prefix(&own)).collect();
        assert_eq!(texts, (0..EACH).map(|n| n.to_string()).collect::<Vec<_>>(), "a sender's order");
    }
}

#[test]
fn typing_is_told_to_others_and_merged() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let typing = |active| Typing { room: "lobby".into(), active, timeout_ms: None };
    ann.request(&typing(true)).unwrap();
    ann.request(&typing(true)).unwrap();
    ann.request(&typing(false)).unwrap();
    ann.say("lobby", "end");
    let mut seen = Vec::new();
    loop {
        match bob.event() {
            Event::Typing(typing) => seen.push((typing.from.to_string(), typing.active)),
            Event::Message(_) => break,
            _ => {}
        }
    }
    assert_eq!(seen, [("ann".to_owned(), true), ("ann".to_owned(), false)]);
}

#[test]
fn a_direct_room_is_for_two() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let mut eve = server.login("eve");
    let room = ann.request(&direct("BOB")).unwrap();
    assert_eq!((room.kind, room.with.as_deref()), (RoomKind::Direct, Some("bob")));
    assert_eq!(room.members, 2, "both at once");
    let seen = bob.expect(|e| match e {
        Event::Room(room) if room.kind == RoomKind::Direct => Some(room.clone()),
        _ => None,
    });
    assert_eq!((&seen.room, seen.with.as_deref()), (&room.room, Some("ann")));
    ann.say(&room.room, "psst");
    assert_eq!(&*bob.message().text, "psst");
    bob.say(&room.room, "yes?");
    assert_eq!(bob.request(&direct("ann")).unwrap().room, room.room, "there is one for two");

    assert_eq!(eve.refused(&join(&room.room)), Code::NotFound);
    assert_eq!(eve.refused(&history(&room.room)), Code::NotFound);
    assert_eq!(eve.refused(&say(&room.room, "x", None)), Code::NotFound);
    let list = Rooms { after: None, limit: None, timeout_ms: None };
    assert_eq!(eve.request(&list).unwrap().rooms.0.len(), 1);
    assert_eq!(bob.request(&list).unwrap().rooms.0.len(), 2);
    assert_eq!(eve.refused(&direct("nobody-here")), Code::NotFound);
    assert_eq!(eve.refused(&direct("eve")), Code::Denied);
}

#[test]
fn large_rooms_gather_who_comes_and_goes() {
    let keys =
        [open_limits(), vec!["rooms.presence_members=3", "rooms.presence_interval=50ms"]].concat();
    let server = TestServer::with(&keys);
    let mut ann = server.login("ann");
    let others: Vec<_> = (0..60).map(|n| server.login(&format!("p{n}x"))).collect();
    let (mut events, mut names, mut count) = (0, 0, 0);
    while count < 60 {
        let (some, joined, _) = joined(&mut ann);
        events += 1;
        names += some.len();
        count += joined;
    }
    assert_eq!(count, 60);
    assert!(events < 60 && names <= 60, "{events} events, {names} names");
    drop(others);
}

#[test]
fn the_bounds_of_rooms_name_themselves() {
    let server = TestServer::with(&["rooms.rooms_max=3", "rooms.rooms_per_session=2"]);
    let mut ann = server.login("ann");
    ann.create("a1");
    let error = ann.request(&join("a2")).unwrap_err();
    assert_eq!(
        (error.limit.as_deref(), error.used, error.allowed),
        (Some("rooms_per_session"), Some(3), Some(2))
    );
    let mut bob = server.login("bob");
    bob.create("b1");
    let create = Create { room: "b2".into(), topic: None, private: None, timeout_ms: None };
    let mut eve = server.login("eve");
    let error = eve.request(&create).unwrap_err();
    assert_eq!((error.limit.as_deref(), error.allowed), (Some("rooms_max"), Some(3)));
    assert!(error.retry_after_ms.is_some());
    bob.request(&leave("b1")).unwrap();
    eve.create("b2");
    assert_eq!(bob.refused(&join("b1")), Code::NotFound, "the empty room made place");
}
