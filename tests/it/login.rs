//! Getting in: hello, a forced name, the token, and getting out.

use klatch::protocol::codec;
use klatch::protocol::event::{Event, LeaveReason};
use klatch::protocol::reply::Durability;
use klatch::protocol::request::{Direct, Hello, Join, Login, Logout, Members, Ping, Rooms};
use klatch::protocol::status::Code;

use crate::support::client::{code_of, say};
use crate::support::{TestClient, TestServer, open_limits};

fn hello(version: u16) -> Hello {
    Hello { version, version_min: None, client: Some("test/1".into()), timeout_ms: None }
}

#[test]
fn hello_tells_version_durability_and_limits() {
    let server = TestServer::with(&["server.motd=welcome"]);
    let welcome = server.connect().request(&hello(1)).unwrap();
    assert_eq!((welcome.version, welcome.durability), (1, Durability::Durable));
    assert_eq!(welcome.motd.as_deref(), Some("welcome"));
    assert_eq!((welcome.limits.inflight, welcome.limits.login_ms), (32, 5_000));
}

#[test]
fn a_client_of_another_version_is_told_and_closed() {
    let server = TestServer::start();
    let mut client = server.connect();
    assert_eq!(client.refused(&hello(9)), Code::Version);
    assert_eq!(client.bye().code, Code::Version.number());
}

#[test]
fn nothing_is_accepted_before_a_name_is_held() {
    let server = TestServer::start();
    let mut client = server.connect();
    let list = Rooms { after: None, limit: None, timeout_ms: None };
    assert_eq!(client.refused(&list), Code::Unexpected);
    client.request(&Ping { timeout_ms: None }).unwrap();
    client.hello();
    assert_eq!(client.refused(&list), Code::AuthRequired);
    assert_eq!(client.refused(&say("lobby", "hi", None)), Code::AuthRequired);
    let direct = Direct { name: "ann".into(), timeout_ms: None };
    assert_eq!(client.refused(&direct), Code::AuthRequired);
    client.login("ann");
    client.request(&list).unwrap();
    assert_eq!(client.refused(&hello(1)), Code::Unexpected);
    let login = Login::guest("bob".into());
    assert_eq!(client.refused(&login), Code::Unexpected);
}

#[test]
fn a_bad_name_is_refused_and_another_may_follow() {
    let server = TestServer::start();
    let _ann = server.login("ann");
    let mut client = server.connect();
    client.hello();
    for (name, code) in [
        ("a b", Code::NameInvalid),
        ("аnn", Code::NameInvalid),
        ("Admin", Code::NameReserved),
        ("ANN", Code::NameTaken),
    ] {
        let error = client.try_login(name, None).unwrap_err();
        assert_eq!(code_of(&error), code, "{name}");
        assert_eq!(error.suggestion.is_some(), code == Code::NameTaken);
    }
    let free = client.try_login("ann", None).unwrap_err().suggestion.unwrap();
    assert_eq!(&*client.login(&free).name, free);
}

fn join() -> Join {
    Join { room: "lobby".into(), timeout_ms: None }
}

#[test]
fn what_is_sent_behind_a_login_waits_for_its_answer() {
    let server = TestServer::start();
    let mut ann = server.login("ann");
    // One after the other in one write, and the same a byte at a time.
    for (name, piece) in [("bob", usize::MAX), ("eve", 1)] {
        let all = [
            codec::request(1, &hello(1)),
            codec::request(2, &Login::guest(name.into())),
            codec::request(3, &join()),
        ]
        .concat();
        let mut client = server.connect();
        all.chunks(piece.min(all.len())).for_each(|bytes| client.send_raw(bytes));
        for id in 1..=3 {
            client.answer(id).unwrap();
        }
        ann.expect(|event| match event {
            Event::Joined(joined) => joined.names.0.iter().any(|one| **one == *name).then_some(()),
            _ => None,
        });
    }
}

#[test]
fn what_is_sent_behind_a_refused_login_is_refused_and_another_login_is_not() {
    let server = TestServer::start();
    let _ann = server.login("ann");
    let mut client = server.connect();
    client.hello();
    let all = [
        codec::request(2, &Login::guest("ann".into())),
        codec::request(3, &join()),
        codec::request(4, &Login::guest("bob".into())),
        codec::request(5, &join()),
    ];
    client.send_raw(&all.concat());
    assert_eq!(client.refusal_of(2), Code::NameTaken);
    assert_eq!(client.refusal_of(3), Code::AuthRequired);
    client.answer(4).unwrap();
    client.answer(5).unwrap();
}

#[test]
fn logout_answers_what_was_asked_before_and_says_goodbye() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let said: Vec<u32> = (0..20).map(|n| ann.send(&say("lobby", &n.to_string(), None))).collect();
    let logout = ann.send(&Logout { all: None, timeout_ms: None });
    for id in said {
        ann.answer(id).unwrap();
    }
    ann.answer(logout).unwrap();
    let bye = ann.bye();
    assert_eq!((bye.code, bye.resume), (Code::Logout.number(), false));
    let texts: Vec<_> = (0..20).map(|_| bob.message().text.to_string()).collect();
    assert_eq!(texts, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    let left = bob.expect(|event| if let Event::Left(l) = event { Some(l.clone()) } else { None });
    assert_eq!((&*left.gone.0[0].name, left.gone.0[0].reason), ("ann", LeaveReason::Logout));
    // The name is free at once.
    server.login("ann");
}

#[test]
fn a_lost_name_is_kept_for_its_token_and_comes_back_to_its_rooms() {
    let server = TestServer::start();
    let mut ann = server.login("ann");
    ann.create("ops");
    let token = ann.token.clone();
    let mut bob = server.login("bob");
    ann.reset();
    let reason = bob.expect(|event| match event {
        Event::Left(left) => Some(left.gone.0[0].reason),
        _ => None,
    });
    assert_eq!(reason, LeaveReason::Lost);

    let mut thief = server.connect();
    thief.hello();
    assert_eq!(code_of(&thief.try_login("ann", None).unwrap_err()), Code::NameTaken);
    let mut again = server.connect();
    again.hello();
    again.try_login("ann", token).unwrap();
    let mut rooms = [(); 2].map(|()| {
        again.expect(
            |event| if let Event::Room(r) = event { Some(r.room.to_string()) } else { None },
        )
    });
    rooms.sort();
    assert_eq!(rooms, ["lobby", "ops"]);
}

#[test]
fn a_second_login_with_the_token_ends_the_first_session_without_a_gap() {
    let server = TestServer::start();
    let mut old = server.login("ann");
    old.create("ops");
    let mut bob = server.login("bob");
    bob.join("ops");
    let mut new = server.connect();
    new.hello();
    new.try_login("ann", old.token.clone()).unwrap();
    assert_eq!(old.bye().code, Code::Replaced.number());
    // One session went and the other came: either way ann is a member of both rooms in the end.
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.push(
            new.expect(|e| if let Event::Room(r) = e { Some(r.room.to_string()) } else { None }),
        );
    }
    let members = Members { room: "ops".into(), after: None, limit: None, timeout_ms: None };
    let mut names: Vec<_> = {
        let list = bob.request(&members).unwrap();
        list.members.0.iter().map(|member| member.name.to_string()).collect()
    };
    names.sort();
    assert_eq!(names, ["ann", "bob"]);
    assert_eq!(new.say("ops", "still here").seq.0, 1);
}

#[test]
fn half_close_still_gets_every_answer() {
    let server = TestServer::start();
    let mut ann = server.login("ann");
    let ids: Vec<u32> = (0..32).map(|_| ann.send(&say("lobby", "x", None))).collect();
    ann.half_close();
    for id in ids {
        ann.answer(id).unwrap();
    }
    ann.wait_for_end();
}

#[test]
fn however_they_end_sessions_leave_nothing_behind() {
    let server = TestServer::with(&open_limits());
    let clients: Vec<TestClient> = (0..99).map(|n| server.login(&format!("p{n}x"))).collect();
    for (n, client) in clients.into_iter().enumerate() {
        match n % 3 {
            0 => drop(client),
            1 => client.reset(),
            _ => {
                let mut client = client;
                client.send(&Logout { all: None, timeout_ms: None });
                client.wait_for_end();
            }
        }
    }
    server.wait_for_sessions(0);
    // Those that logged out have given back their names, the others keep them for a while.
    let mut next = server.connect();
    next.hello();
    assert_eq!(code_of(&next.try_login("p0x", None).unwrap_err()), Code::NameTaken);
    assert_eq!(code_of(&next.try_login("p1x", None).unwrap_err()), Code::NameTaken);
    let found = next.login("p2x");
    assert_eq!(&*found.name, "p2x");
}
