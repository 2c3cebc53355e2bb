//! Silence: login, ping, dead peer, idle. The clock is moved by hand; nothing waits.

use std::time::Duration;

use klatch::protocol::event::{Event, LeaveReason};
use klatch::protocol::request::Login;
use klatch::protocol::status::Code;

use crate::support::TestServer;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn who_takes_too_long_to_log_in_is_told_and_closed() {
    let server = TestServer::at_a_standstill(&[]);
    let mut client = server.connect();
    client.hello();
    server.advance(s(4));
    client.sync();
    server.advance(Duration::from_millis(1_250));
    let bye = client.bye();
    assert_eq!((bye.code, bye.limit.as_deref()), (Code::LoginTimeout.number(), Some("login_ms")));
    assert_eq!(bye.allowed, Some(5_000));
}

#[test]
fn silence_is_pinged_and_an_answer_keeps_the_session() {
    let server = TestServer::at_a_standstill(&[]);
    let mut ann = server.login("ann");
    for _ in 0..5 {
        server.advance(s(31));
        ann.expect(|event| matches!(event, Event::Ping(_)).then_some(()));
        ann.sync();
    }
}

#[test]
fn a_dead_peer_leaves_its_rooms() {
    let server = TestServer::at_a_standstill(&[]);
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    for _ in 0..3 {
        server.advance(s(26));
        bob.sync();
    }
    let bye = ann.bye();
    assert_eq!((bye.code, bye.resume), (Code::PingTimeout.number(), true));
    let reason =
        bob.expect(|e| if let Event::Left(l) = e { Some(l.gone.0[0].reason) } else { None });
    assert_eq!(reason, LeaveReason::Timeout);
}

#[test]
fn who_only_pings_is_idle_in_the_end() {
    let server = TestServer::at_a_standstill(&["timeouts.idle=2m"]);
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    for _ in 0..6 {
        server.advance(s(21));
        bob.say("lobby", "busy");
        if server.sessions() == 2 {
            ann.try_send_raw(&klatch::protocol::codec::request(
                99,
                &klatch::protocol::request::Ping { timeout_ms: None },
            ));
        }
    }
    assert_eq!(ann.bye().code, Code::Idle.number());
    bob.sync();
}

#[test]
fn a_login_whose_time_has_passed_may_be_tried_again() {
    let server = TestServer::start();
    let mut ann = server.connect();
    ann.hello();
    let login = Login { timeout_ms: Some(0), ..Login::guest("ann".into()) };
    assert_eq!(ann.refused(&login), Code::Deadline);
    ann.login("ann");
}

#[test]
fn a_request_whose_time_has_passed_is_not_done() {
    let server = TestServer::start();
    let mut ann = server.login("ann");
    let say = klatch::protocol::request::Say {
        timeout_ms: Some(0),
        ..crate::support::client::say("lobby", "too late", None)
    };
    assert_eq!(ann.refused(&say), Code::Deadline);
    assert_eq!(ann.say("lobby", "in time").seq.0, 1);
}
