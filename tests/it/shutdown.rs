//! The end of the server: everybody is told, nothing that was said is lost on the way.

use std::time::Duration;

use klatch::protocol::status::Code;
use klatch::server::shutdown::Shutdown;

use crate::support::client::say;
use crate::support::{TestServer, open_limits};

#[test]
fn everybody_is_told_when_to_come_back_and_gets_what_was_said() {
    let server = TestServer::with(&open_limits());
    let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
    let _silent = server.connect();
    for n in 0..100 {
        ann.say("lobby", &n.to_string());
    }
    server.begin_shutdown(Duration::from_secs(10));
    for n in 0..100 {
        assert_eq!(*bob.message().text, n.to_string());
    }
    for client in [&mut ann, &mut bob] {
        let bye = client.bye();
        assert_eq!((bye.code, bye.resume), (Code::GoingAway.number(), true));
        assert!(bye.retry_after_ms.is_some_and(|ms| (250..=500).contains(&ms)));
    }
    assert_eq!(server.join(), Shutdown::Clean);
}

#[test]
fn a_peer_that_does_not_read_holds_up_nothing() {
    let server = TestServer::with(&open_limits());
    let stuck = server.login("stuck");
    let mut ann = server.login("ann");
    let text = "x".repeat(16_000);
    for _ in 0..60 {
        ann.send(&say("lobby", &text, None));
    }
    ann.sync();
    server.begin_shutdown(Duration::from_secs(10));
    ann.wait_for_end();
    // The farewell has a deadline of its own, well before the server's.
    assert_eq!(server.join(), Shutdown::Clean);
    drop(stuck);
}

#[test]
fn the_port_is_free_again_at_once() {
    let server = TestServer::start();
    let port = server.address.port();
    server.login("ann");
    drop(server);
    let listen = format!("server.listen=127.0.0.1:{port}");
    let again = TestServer::with(&[&listen]);
    again.login("ann");
}
