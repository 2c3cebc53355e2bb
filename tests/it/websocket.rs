//! Sessions over a WebSocket, spoken to by an implementation that is not ours and by hand.

use std::io::{Read, Write};
use std::time::Duration;

use klatch::protocol::event::Event;
use klatch::protocol::request::{Hello, Logout, Ping};
use klatch::protocol::status::Code;
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{CloseFrame, frame::Frame};

use crate::support::client::say;
use crate::support::web::{Answer, WebClient, plain, tls, upgrade};
use crate::support::{TestServer, open_limits};

const PING: Ping = Ping { timeout_ms: None };

#[test]
fn browsers_and_programs_chat_in_one_room() {
    let server = TestServer::with(&open_limits());
    let mut ann = WebClient::over(tls(&server, b"\x08http/1.1"), "wss");
    ann.enter("ann");
    let mut bob = server.login("bob");
    let mut cid = WebClient::login(&server, "cid");
    // About every length of a header, in both directions.
    for text in ["x".to_owned(), "y".repeat(60), "z".repeat(300), "w".repeat(16_000)] {
        ann.send(&say("lobby", &text, None));
        assert_eq!(&*bob.message().text, text);
        assert_eq!((ann.message(), cid.message()), (text.clone(), text.clone()));
        bob.say("lobby", &text);
        assert_eq!((ann.message(), cid.message()), (text.clone(), text));
        bob.message();
    }
    // Many that come together go out together, still one message each.
    for n in 0..200 {
        bob.send(&say("lobby", &n.to_string(), None));
    }
    for n in 0..200 {
        assert_eq!((ann.message(), cid.message()), (n.to_string(), n.to_string()));
    }
}

#[test]
fn only_pages_of_our_own_may_connect() {
    let server = TestServer::with(&[
        "web.origins=https://chat.example,http://other.example:8080",
        "limits.exempt=127.0.0.0/8",
    ]);
    let status = |origin: &str| {
        let mut stream = plain(&server);
        stream.write_all(upgrade(&format!("Origin: {origin}\r\n")).as_bytes()).unwrap();
        Answer::read(&mut stream, false).status
    };
    for own in [
        "http://localhost",
        "http://LOCALHOST:80",
        "https://chat.example",
        "https://chat.example:443",
        "http://other.example:8080",
    ] {
        assert_eq!(status(own), 101, "{own}");
    }
    let wrong = [
        "null",
        "",
        "https://localhost",
        "http://localhost:81",
        "http://127.0.0.1",
        "http://chat.example",
        "https://chat.example:8443",
        "https://chat.example.evil.example",
        "https://evil.example",
        "https://notchat.example",
        "https://chat.example/",
        "https://chat.example@evil.example",
        "https://chat.example, https://evil.example",
        "https://*.example",
        "file://",
        "localhost",
        "//localhost",
        "http://localhost.",
        "http://localhost#x",
        "http://other.example",
        "chrome-extension://abc",
        "http://xn--localhost",
        "http://localhost\u{e9}",
        "http://localhost\r\nOrigin: http://localhost",
    ];
    for origin in wrong {
        assert_eq!(status(origin), 403, "{origin}");
    }
    assert!(wrong.len() >= 20);
}

#[test]
fn what_is_no_handshake_is_told_so() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    for (from, to, status) in [
        ("GET /ws", "POST /ws", 405),
        ("GET /ws", "HEAD /ws", 426),
        ("HTTP/1.1", "HTTP/1.0", 426),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("keep-alive, Upgrade", "keep-alive", 426),
        ("Version: 13", "Version: 8", 426),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSE=", 400),
        ("Sec-WebSocket-Key", "X-Key", 400),
        ("klatch.1", "mqtt", 400),
    ] {
        let request = upgrade("").replacen(from, to, 1);
        let mut stream = plain(&server);
        stream.write_all(request.as_bytes()).unwrap();
        let answer = Answer::read(&mut stream, request.starts_with("HEAD"));
        assert_eq!(answer.status, status, "{request}");
    }
}

#[test]
fn the_first_message_may_come_with_the_request() {
    let server = TestServer::start();
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    let body = &klatch::protocol::codec::request(1, &hello)[4..];
    let length = u8::try_from(body.len()).unwrap();
    let frame = [&[0x82, 0x80 | length, 0, 0, 0, 0], body].concat();
    let mut stream = plain(&server);
    stream.write_all(&[upgrade("").as_bytes(), &frame].concat()).unwrap();
    assert_eq!(Answer::read(&mut stream, false).status, 101);
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head, [0x82, 126]);
}

#[test]
fn parts_pings_and_pongs_are_understood() {
    let server = TestServer::start();
    let mut ann = WebClient::login(&server, "ann");
    let body = ann.body(&say("lobby", "in parts", None));
    let (first, rest) = body.split_at(body.len() / 2);
    let frame = |data: &[u8], opcode, last| {
        Message::Frame(Frame::message(data.to_vec(), OpCode::Data(opcode), last))
    };
    ann.socket.send(frame(first, Data::Binary, false)).unwrap();
    ann.socket.send(Message::Ping("between".into())).unwrap();
    loop {
        if let Message::Pong(payload) = ann.socket.read().unwrap() {
            assert_eq!(&payload[..], b"between");
            break;
        }
    }
    ann.socket.send(frame(rest, Data::Continue, true)).unwrap();
    assert_eq!(ann.message(), "in parts");
}

#[test]
fn hostile_frames_end_the_session_with_the_right_code() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let mask = [0; 4];
    let cases: [(&[u8], u16, Code); 9] = [
        (&[0x82, 0x01, 0xc0], 1002, Code::BadFrame),
        (&[0x81, 0x81, 0, 0, 0, 0, b'x'], 1003, Code::BadFrame),
        (&[0xc2, 0x81, 0, 0, 0, 0, b'x'], 1002, Code::BadFrame),
        (&[0x80, 0x81, 0, 0, 0, 0, b'x'], 1002, Code::BadFrame),
        (&[0x83, 0x81, 0, 0, 0, 0, b'x'], 1002, Code::BadFrame),
        (&[0x82, 0x80, 0, 0, 0, 0], 1007, Code::BadFrame),
        (&[0x82, 0x81, 0, 0, 0, 0, 0xc1], 1007, Code::BadFrame),
        (&[0x82, 0xfe, 0x10, 0x01, 0, 0, 0, 0], 1009, Code::FrameTooLarge),
        (
            &[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            1009,
            Code::FrameTooLarge,
        ),
    ];
    for (bytes, close, code) in cases {
        let mut client = WebClient::connect(&server);
        client.socket.get_mut().write_all(bytes).unwrap();
        let (bye, closed) = client.bye();
        assert_eq!((bye.code, closed), (code.number(), close), "{bytes:x?}");
    }
    // The longest that a stranger may send is read, and refused for what it is.
    let mut client = WebClient::connect(&server);
    let whole = [&[0x82, 0xfe, 0x10, 0x00], &mask[..], &[0xc0; 4_096]].concat();
    client.socket.get_mut().write_all(&whole).unwrap();
    assert_eq!(client.bye().1, 1007);
    server.wait_for_sessions(0);
}

#[test]
fn a_close_is_answered_and_the_room_is_told() {
    let server = TestServer::start();
    let mut bob = server.login("bob");
    let mut ann = WebClient::login(&server, "ann");
    ann.request(&PING);
    ann.send(&say("lobby", "last", None));
    let going = CloseFrame { code: CloseCode::Away, reason: "tab".into() };
    ann.socket.close(Some(going)).unwrap();
    while let Some(incoming) = ann.receive() {
        drop(incoming);
    }
    assert_eq!(&*bob.message().text, "last");
    bob.expect(|event| matches!(event, Event::Left(_)).then_some(()));
    server.wait_for_sessions(1);
}

#[test]
fn every_end_has_its_code() {
    let server = TestServer::start();
    let mut ann = WebClient::login(&server, "ann");
    ann.send(&Logout { all: None, timeout_ms: None });
    let (bye, close) = ann.bye();
    assert_eq!((bye.code, close), (Code::Logout.number(), 1000));
    let mut bob = WebClient::login(&server, "bob");
    server.begin_shutdown(Duration::from_secs(10));
    let (bye, close) = bob.bye();
    assert_eq!((bye.code, bye.resume, close), (Code::GoingAway.number(), true, 1001));
    drop(bob);
    assert_eq!(server.join(), klatch::server::shutdown::Shutdown::Clean);
}

#[test]
fn a_login_is_waited_for_from_the_upgrade_on() {
    let server = TestServer::at_a_standstill(&[]);
    let stream = plain(&server);
    server.wait_for_sessions(1);
    server.advance(Duration::from_secs(4));
    let mut ann = WebClient::over(stream, "ws");
    // The answer to the handshake comes before the server has noted the time; this one after.
    ann.request(&PING);
    server.advance(Duration::from_secs(4));
    ann.request(&Hello { version: 1, version_min: None, client: None, timeout_ms: None });
    server.advance(Duration::from_secs(2));
    let (bye, close) = ann.bye();
    assert_eq!((bye.code, close), (Code::LoginTimeout.number(), 1008));
}

#[test]
fn a_reader_that_is_too_slow_is_told_so_behind_whole_frames() {
    // The clock stands still, so its farewell waits as long as it takes.
    let keys = [&open_limits()[..], &["limits.outbox=128 KiB"]].concat();
    let server = TestServer::at_a_standstill(&keys);
    let mut slow = WebClient::login(&server, "slow");
    let mut ann = server.login("ann");
    // More than any socket's buffers hold.
    let left = (0..2_000).any(|_| {
        ann.say("lobby", &"x".repeat(16_000));
        ann.sync();
        ann.take_event(|event| matches!(event, Event::Left(_)))
    });
    assert!(left);
    let (bye, close) = slow.bye();
    assert_eq!((bye.code, close), (Code::SlowConsumer.number(), 1008));
}
