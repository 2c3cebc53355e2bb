//! What a hostile or careless peer meets: limits that name themselves, and nobody else notices.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use klatch::protocol::event::Event;
use klatch::protocol::request::{History, Ping};
use klatch::protocol::status::Code;
use klatch::protocol::{codec, frame};

use crate::support::client::{code_of, say};
use crate::support::{TestClient, TestServer, open_limits};

#[test]
fn a_frame_that_is_none_ends_the_session_with_its_reason() {
    let server = TestServer::start();
    let cases: [(&[u8], Code, bool); 6] = [
        (&[0, 0, 0, 0], Code::BadFrame, false),
        (&[0, 1, 0, 1], Code::FrameTooLarge, false),
        (&[0, 0, 0, 1, 0xc1], Code::BadFrame, false),
        (
            &[0, 0, 0, 10, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0xc0],
            Code::TooDeep,
            false,
        ),
        (&[0, 0, 0, 2, 0x93, 0x01], Code::BadFrame, true),
        (&[0, 0, 0, 5, 0xdd, 0xff, 0xff, 0xff, 0xff], Code::BadFrame, true),
    ];
    for (bytes, code, named) in cases {
        // The name of one that was cut off is kept for a while.
        let name = format!("p{}x", bytes.len());
        let mut client = if named { server.login(&name) } else { server.connect() };
        client.send_raw(bytes);
        let bye = client.bye();
        assert_eq!(bye.code, code.number(), "{bytes:x?}");
        assert!(!bye.resume, "it would only do the same again");
        server.wait_for_sessions(0);
    }
}

#[test]
fn the_bound_of_a_frame_is_small_before_a_name_is_held() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.hello();
    client.send_raw(&4_097_u32.to_be_bytes());
    let bye = client.bye();
    assert_eq!(
        (bye.code, bye.limit.as_deref()),
        (Code::FrameTooLarge.number(), Some("frame_bytes"))
    );
    assert_eq!((bye.used, bye.allowed), (Some(4_097), Some(4_096)));
    let mut ann = server.login("ann");
    ann.say("lobby", &"x".repeat(16_384));
    let error = ann.request(&say("lobby", &"x".repeat(16_385), None)).unwrap_err();
    assert_eq!(
        (code_of(&error), error.used, error.allowed),
        (Code::TooLarge, Some(16_385), Some(16_384))
    );
}

#[test]
fn other_protocols_are_answered_in_one_line_and_closed() {
    let server = TestServer::start();
    for (first, answer) in [
        (&b"SSH-2.0-OpenSSH_9\r\n"[..], "This is a Klatch"),
        (b"NICK ann\r\nUSER a b c d\r\n", "This is a Klatch"),
        (b"\xff\xff\xff\xff", "This is a Klatch"),
    ] {
        let mut client = server.connect();
        client.send_raw(first);
        let rest = client.rest();
        assert!(rest.starts_with(answer.as_bytes()), "{:?}", String::from_utf8_lossy(&rest));
    }
}

#[test]
fn one_address_has_so_many_connections_and_is_told() {
    let server = TestServer::with(&["limits.connections_per_address=3"]);
    let kept: Vec<_> = (0..3).map(|n| server.login(&format!("p{n}x"))).collect();
    let mut fourth = server.connect();
    fourth.send(&Ping { timeout_ms: None });
    let bye = fourth.bye();
    assert_eq!(
        (bye.code, bye.limit.as_deref()),
        (Code::Connections.number(), Some("connections_per_address"))
    );
    assert_eq!((bye.used, bye.allowed), (Some(4), Some(3)));
    assert!(bye.retry_after_ms.is_some());
    drop(kept);
    server.wait_for_sessions(0);
    server.login("again");
}

#[test]
fn an_address_that_connects_too_fast_is_told_when_to_come_back() {
    let server = TestServer::with(&[
        "limits.connection_burst_per_address=2",
        "limits.connection_rate_per_address=1",
    ]);
    let _two = [server.login("ann"), server.login("bob")];
    let mut third = server.connect();
    third.send(&Ping { timeout_ms: None });
    let bye = third.bye();
    assert_eq!(bye.limit.as_deref(), Some("connection_burst_per_address"));
    assert!(bye.retry_after_ms.is_some_and(|ms| ms <= 1_000));
}

#[test]
fn the_oldest_stranger_makes_room_and_people_stay() {
    let server = TestServer::with(&["limits.unauthenticated=2"]);
    let mut ann = server.login("ann");
    let mut strangers: Vec<_> = (0..2)
        .map(|_| {
            let mut stranger = server.connect();
            stranger.hello();
            stranger
        })
        .collect();
    let mut third = server.connect();
    third.hello();
    let bye = strangers[0].bye();
    assert_eq!(bye.code, Code::ServerFull.number());
    strangers[1].sync();
    ann.sync();
    third.login("bob");
}

#[test]
fn a_paste_of_fifty_lines_arrives_at_once_on_an_idle_server() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let start = Instant::now();
    let ids: Vec<_> = (0..50).map(|n| ann.send(&say("lobby", &n.to_string(), None))).collect();
    let texts: Vec<_> = (0..50).map(|_| bob.message().text.to_string()).collect();
    // The figure is a benchmark's; a test only sees that there is no fixed delay per line.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(texts, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    for id in ids {
        ann.answer(id).unwrap();
    }
}

#[test]
fn over_budget_nothing_is_lost_only_slower() {
    let server = TestServer::with(&["limits.requests_per_s=50", "limits.requests_burst=50"]);
    let mut ann = server.login("ann");
    let start = Instant::now();
    let ids: Vec<_> = (0..90).map(|_| ann.send(&say("lobby", "x", None))).collect();
    for id in ids {
        ann.answer(id).unwrap();
    }
    // 92 requests, 50 at once and 50 a second; the last read is not waited for.
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[test]
fn who_is_refused_too_often_is_flooding() {
    let server = TestServer::with(&["limits.refusals_burst=10", "limits.refusals_per_s=1"]);
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    for _ in 0..20 {
        if !ann.try_send_raw(&frame::single(|out| out.extend_from_slice(b"\x94\x00\x01\xa1x\x90")))
        {
            break;
        }
    }
    let bye = ann.bye();
    assert_eq!((bye.code, bye.limit.as_deref()), (Code::Flood.number(), Some("refusals_burst")));
    bob.sync();
}

#[test]
fn no_more_requests_are_read_than_there_is_credit() {
    let keys = [open_limits(), vec!["limits.inflight=1"]].concat();
    let server = TestServer::with(&keys);
    let mut ann = server.login("ann");
    let history = || History {
        room: "lobby".into(),
        before: None,
        after: None,
        around: None,
        at: None,
        limit: None,
        timeout_ms: None,
    };
    let ids: Vec<_> = (0..200)
        .map(|n| if n % 2 == 0 { ann.send(&say("lobby", "x", None)) } else { ann.send(&history()) })
        .collect();
    for id in ids {
        // With credit for one, answers come in the order of the requests.
        ann.answer(id).unwrap();
    }
}

#[test]
fn a_polite_client_gets_its_turn_while_fifty_flood() {
    let server = TestServer::with(&open_limits());
    let mut polite = server.login("polite");
    let mut flooders: Vec<_> = (0..50).map(|n| server.login(&format!("f{n}x"))).collect();
    polite.create("quiet");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for chunk in flooders.chunks_mut(25) {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let ids: Vec<_> = chunk
                        .iter_mut()
                        .map(|client| {
                            (0..16).map(|_| client.send(&say("lobby", "noise", None))).last()
                        })
                        .collect();
                    for (client, id) in chunk.iter_mut().zip(ids) {
                        while client.answer_any() != id {}
                    }
                }
            });
        }
        for n in 0..200 {
            assert_eq!(polite.say("quiet", "hello").seq.0, n + 1);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn silent_peers_from_many_addresses_are_cut_and_leave_nothing() {
    let server = TestServer::at_a_standstill(&[]);
    let mut ann = server.login("ann");
    let silent: Vec<_> = (0..500_u16)
        .map(|n| {
            connect_from(
                Ipv4Addr::new(127, 1, n.to_be_bytes()[0], n.to_be_bytes()[1]),
                server.address,
            )
        })
        .collect();
    server.wait_for_sessions(501);
    server.advance(Duration::from_secs(4));
    ann.sync();
    assert_eq!(server.sessions(), 501);
    // Some may have been admitted, but not have begun, when the clock was moved: it is moved
    // again for each that is still there, so a busy machine makes this slow, never wrong.
    for mut peer in silent {
        peer.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let end = (0..1_000).find_map(|_| match peer.read(&mut [0; 16]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                server.advance(Duration::from_secs(2));
                ann.sync();
                None
            }
            end => Some(end.unwrap()),
        });
        assert_eq!(end, Some(0), "closed without noise");
    }
    server.wait_for_sessions(1);
    ann.sync();
}

fn connect_from(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn a_slow_reader_is_closed_and_nobody_else_is_slowed() {
    let keys = [open_limits(), vec!["limits.outbox=128 KiB"]].concat();
    let server = TestServer::with(&keys);
    let mut slow = server.login("slow");
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let text = "x".repeat(16_000);
    let mut sent = 0;
    // The kernel's buffers take some megabytes before the outbox fills.
    let mut gone = false;
    while !gone {
        ann.say("lobby", &text);
        gone = loop {
            match bob.event() {
                Event::Left(_) => break true,
                Event::Message(message) => {
                    assert_eq!(message.text.len(), text.len());
                    sent += 1;
                    break false;
                }
                _ => {}
            }
        };
        assert!(sent < 2_000, "the slow reader is still there");
    }
    let bye = slow.bye();
    assert_eq!((bye.code, bye.resume), (Code::SlowConsumer.number(), true));
    assert_eq!((bye.limit.as_deref(), bye.allowed), (Some("outbox_bytes"), Some(128 * 1024)));
    assert!(ann.say("lobby", "end").seq.0 > sent);
}

#[test]
fn a_stalled_reader_is_closed_by_the_age_of_what_waits() {
    let keys = [open_limits(), vec!["limits.outbox=64 MiB"]].concat();
    let server = TestServer::at_a_standstill(&keys);
    let mut slow = server.login("slow");
    let mut ann = server.login("ann");
    let text = "x".repeat(16_000);
    // More than the kernel takes, less than the outbox holds.
    for _ in 0..600 {
        ann.say("lobby", &text);
    }
    server.advance(Duration::from_secs(6));
    ann.expect(|event| matches!(event, Event::Left(_)).then_some(()));
    let bye = slow.bye();
    assert_eq!((bye.code, bye.limit.as_deref()), (Code::SlowConsumer.number(), Some("outbox_ms")));
    ann.sync();
}

#[test]
fn resets_in_the_middle_of_everything_harm_nobody() {
    let server = TestServer::with(&open_limits());
    let mut ann = server.login("ann");
    for n in 0..100 {
        let mut client = TestClient::connect(server.address);
        if n % 4 > 0 {
            client.hello();
        }
        if n % 4 > 1 {
            client.login(&format!("p{n}x"));
        }
        if n % 4 > 2 {
            client.send(&say("lobby", "going", None));
        }
        client.reset();
    }
    server.wait_for_sessions(1);
    ann.say("lobby", "still here");
    let mut peer = TcpStream::connect(server.address).unwrap();
    peer.write_all(&[0, 0]).unwrap();
}

/// Of those who share an address, one has spent all of it for minutes; another one is in the middle of a
/// frame.
#[test]
fn who_says_little_is_served_beside_a_flood_from_the_same_address() {
    let server = TestServer::with(&[
        "limits.address_requests_per_s=10",
        "limits.address_requests_burst=100",
        "limits.requests_per_s=10",
        "limits.requests_burst=100",
    ]);
    let (mut eve, mut ann) = (server.login("eve"), server.login("ann"));
    let ping = |id| codec::request(id, &Ping { timeout_ms: None });
    let flood: Vec<u8> = (0..1_200).flat_map(|id| ping(1_000 + id)).collect();
    eve.send_raw(&flood);
    assert_eq!(eve.answer_any(), Some(1_000), "it has begun");
    let (whole, cut) = (ping(1), ping(2));
    let (front, back) = cut.split_at(6);
    ann.send_raw(&[&whole[..], front].concat());
    assert_eq!(ann.answer_any(), Some(1));
    ann.send_raw(back);
    assert_eq!(ann.answer_any(), Some(2), "who has taken nothing owes nothing");
}
