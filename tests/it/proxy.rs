//! Behind a proxy: whose connection it is counts, and only a listed proxy is believed.

use std::net::Ipv4Addr;

use klatch::protocol::codec;
use klatch::protocol::request::{Hello, Ping};
use klatch::protocol::status::Code;

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin};
use crate::support::daemon::Daemon;

const PROXY: &str = "127.0.0.50";

fn behind(keys: &[&'static str]) -> Daemon {
    let mut all = vec!["--set", "server.proxies=127.0.0.50/32"];
    all.extend(keys.iter().flat_map(|key| ["--set", key]));
    Daemon::usual(&all)
}

/// A header for a connection from this address, with something behind that is to be passed over.
fn header(from: Ipv4Addr) -> Vec<u8> {
    let more = [4, 0, 3, 1, 2, 3];
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x12".to_vec();
    bytes.extend(from.octets());
    bytes.extend([192, 0, 2, 1, 0x12, 0x67, 0x15, 0x98]);
    bytes.extend(more);
    bytes
}

fn hello(number: u32) -> Vec<u8> {
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    codec::request(number, &hello).to_vec()
}

/// Somebody who comes through the proxy.
fn through(daemon: &Daemon, from: [u8; 4]) -> TestClient {
    let mut client = TestClient::connect_from(PROXY, daemon.address);
    client.send_raw(&header(from.into()));
    client
}

#[test]
fn the_address_of_the_header_is_the_one_that_counts() {
    let daemon = behind(&["limits.connections_per_address=1"]);
    let mut ann = through(&daemon, [127, 9, 9, 9]);
    ann.hello();
    ann.login("ann");
    // The proxy's own address is charged nothing: others come through it too, all at once.
    let mut bob = through(&daemon, [127, 9, 9, 10]);
    bob.hello();
    bob.login("bob");
    let mut second = through(&daemon, [127, 9, 9, 9]);
    second.send(&Ping { timeout_ms: None });
    let bye = second.bye();
    assert_eq!(bye.limit.as_deref(), Some("connections_per_address"));
    let (_, sessions, _) = admin(&daemon, &["sessions", "ann"]);
    assert_eq!(sessions[0]["address"], "127.9.9.9:4711");
    // It is not this machine's any more, so it needs TLS.
    let mut far = through(&daemon, [203, 0, 113, 7]);
    far.send(&Ping { timeout_ms: None });
    assert_eq!(far.bye().code, Code::TlsRequired.number());
    assert_eq!(admin(&daemon, &["ban", "127.9.9.10"]).0, Some(0));
    assert_eq!(bob.bye().code, Code::Banned.number());
    assert!(through(&daemon, [127, 9, 9, 10]).receive().is_none());
    ann.sync();
}

#[test]
fn a_header_may_come_in_pieces_or_together_with_what_follows() {
    let daemon = behind(&[]);
    let mut ann = TestClient::connect_from(PROXY, daemon.address);
    for byte in header([127, 9, 9, 9].into()) {
        ann.send_raw(&[byte]);
    }
    ann.hello();
    let mut bob = TestClient::connect_from(PROXY, daemon.address);
    bob.send_raw(&[header([127, 9, 9, 9].into()), hello(1)].concat());
    assert!(bob.answer(1).is_ok());
    // The proxy looks whether the server lives: nobody's connection but its own.
    let mut local = TestClient::connect_from(PROXY, daemon.address);
    local.send_raw(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
    local.hello();
    local.login("looking");
    let (_, sessions, _) = admin(&daemon, &["sessions", "looking"]);
    assert!(sessions[0]["address"].as_str().unwrap().starts_with("127.0.0.50:"), "{sessions}");
}

#[test]
fn a_listed_proxy_that_sends_no_header_is_not_heard() {
    let daemon = behind(&["timeouts.login=1s"]);
    let mut too_long = header([127, 9, 9, 9].into());
    too_long[14..16].copy_from_slice(&[0xff, 0xff]);
    for bytes in [&hello(1)[..], b"PROXY TCP4 127.9.9.9 192.0.2.1 1 2\r\n", &too_long] {
        let mut client = TestClient::connect_from(PROXY, daemon.address);
        client.send_raw(bytes);
        assert!(client.receive().is_none(), "{bytes:?}");
    }
    // Half a header is waited for as long as for a login, and what is heard late has no more time.
    let mut half = TestClient::connect_from(PROXY, daemon.address);
    half.send_raw(&header([127, 9, 9, 9].into())[..20]);
    assert!(half.receive().is_none());
    let (_, status, _) = admin(&daemon, &["status"]);
    assert_eq!(status["connections"]["now"], 0);
}

#[test]
fn from_anybody_else_a_header_is_another_protocol_and_a_reload_says_who_is_listed() {
    let file = ConfigFile::new("[limits]\ninflight = 30\n");
    let daemon = file.start(&[]);
    let mut client = through(&daemon, [127, 9, 9, 9]);
    let answer = client.rest();
    assert!(answer.starts_with(b"This is a Klatch"), "{:?}", String::from_utf8_lossy(&answer));
    file.write("[server]\nproxies = [\"127.0.0.50\"]\n");
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    let mut client = through(&daemon, [127, 9, 9, 9]);
    client.hello();
    daemon.login("ann");
}
