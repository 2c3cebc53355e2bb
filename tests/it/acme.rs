//! Certificates that the server gets by itself, from Pebble: got, renewed, kept, and what happens
//! when there is nobody to ask.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use klatch::transport::challenge::{self, Challenges};
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use serde_json::Value;

use crate::support::TestServer;
use crate::support::admin::admin;
use crate::support::authority::Authority;
use crate::support::daemon::Daemon;

/// What a client of ours that is a browser too offers.
const OFFERED: &[u8] = b"\x08klatch/1\x08http/1.1";

const NAMES: &str = "chat.example.test,talk.example.test";

fn started(keys: &[String]) -> Daemon {
    started_in(std::rc::Rc::new(tempfile::tempdir().unwrap()), keys)
}

fn started_in(home: std::rc::Rc<tempfile::TempDir>, keys: &[String]) -> Daemon {
    let keys: Vec<&str> = keys.iter().flat_map(|key| ["--set", key.as_str()]).collect();
    Daemon::usual_in(home, &keys)
}

fn status(daemon: &Daemon) -> Value {
    admin(daemon, &["status"]).1
}

/// Waits until the status is as wanted, and gives it.
#[track_caller]
fn await_status(daemon: &Daemon, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let status = status(daemon);
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "waited in vain: {status:#}");
    }
}

fn connect(
    address: SocketAddr,
    name: &str,
    alpn: &[u8],
    version: SslVersion,
) -> Option<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    builder.set_alpn_protos(alpn).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    builder.build().connect(name, stream).ok()
}

fn fingerprint(stream: &SslStream<TcpStream>) -> String {
    let certificate = stream.ssl().peer_certificate().unwrap();
    let digest = certificate.digest(openssl::hash::MessageDigest::sha256()).unwrap();
    klatch::transport::certificate::hex(&digest)
}

#[test]
fn a_certificate_is_got_shown_renewed_and_kept() {
    let authority = Authority::new();
    let keys = authority.keys(NAMES);
    // Nobody to ask yet: the server starts and serves all the same, and says what is wrong.
    let daemon = started(&keys);
    let mut ann = daemon.login("ann");
    let before = await_status(&daemon, |status| status["acme_failure"].is_string());
    let why = before["acme_failure"].as_str().unwrap();
    assert!(why.contains("localhost does not answer"), "{why}");
    let own = before["certificate"].clone();

    // Six seconds: the first is due for renewal after four.
    let running = authority.start(daemon.address.port(), 6);
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    let first = await_status(&daemon, |status| status["certificate"] != own);
    assert_eq!(first["certificate_names"], serde_json::json!(NAMES.split(',').collect::<Vec<_>>()));
    assert_eq!(first["acme_failure"], Value::Null);
    await_status(&daemon, |status| status["certificate"] != first["certificate"]);
    let chain = connect(daemon.address, "chat.example.test", OFFERED, SslVersion::TLS1_3).unwrap();
    let issuer = chain.ssl().peer_certificate().unwrap();
    let issuer = format!("{:?}", issuer.issuer_name());
    assert!(issuer.contains("Pebble Intermediate"), "{issuer}");
    assert_eq!(chain.ssl().peer_cert_chain().unwrap().len(), 2, "the intermediate comes along");
    // Nobody noticed.
    ann.sync();
    for file in ["acme.pem", "acme-account.json"] {
        let mode = std::fs::metadata(daemon.home().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // An authority that has lost its memory; the next certificate is for long.
    drop(running);
    let running = authority.start(daemon.address.port(), 90 * 86_400);
    let deadline = Instant::now() + Duration::from_secs(90);
    let lasting = loop {
        // It may have been gone at the wrong moment: a reload has the server try again.
        assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
        let status = status(&daemon);
        let expires: jiff::Timestamp =
            status["certificate_expires"].as_str().unwrap().parse().unwrap();
        if expires > jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24) {
            break status["certificate"].clone();
        }
        assert!(Instant::now() < deadline, "waited in vain: {status:#}");
    };
    let scraped = scrape(daemon.address);
    assert!(scraped.contains("klatch_certificate_orders_total{outcome=\"failed\"} "), "{scraped}");

    // It is kept through a restart, when nobody needs to be asked, and is shown when somebody
    // should be asked and does not answer.
    drop(running);
    let daemon = started_in(daemon.stop(), &keys);
    let kept = status(&daemon);
    assert_eq!((&kept["certificate"], &kept["acme_failure"]), (&lasting, &Value::Null));
    let next: jiff::Timestamp = kept["acme_next_attempt"].as_str().unwrap().parse().unwrap();
    let days = (next.as_second() - jiff::Timestamp::now().as_second()) / 86_400;
    assert!((56..60).contains(&days), "renewed in {days} days");
    let daemon = started_in(daemon.stop(), &authority.keys("chat.example.test,more.example.test"));
    let other = await_status(&daemon, |status| status["acme_failure"].is_string());
    assert_eq!(other["certificate"], lasting, "the one that there is goes on");
}

fn scrape(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    std::io::read_to_string(stream).unwrap()
}

#[test]
fn proofs_are_given_to_authorities_alone() {
    let challenges = Challenges::default();
    let mine = challenges.clone();
    let server = TestServer::made_of(&[], move |parts| parts.challenges = challenges);
    let asks = |name: &str, version| connect(server.address, name, b"\x0aacme-tls/1", version);
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        assert!(asks("chat.example.test", version).is_none(), "nothing is awaited");
        let digest: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap() ^ 0x5a);
        let awaited = mine.prove("chat.example.test", &digest).unwrap();
        let mut proof = asks("CHAT.example.test", version).expect("a proof");
        assert_eq!(proof.ssl().selected_alpn_protocol(), Some(challenge::ALPN));
        let der = proof.ssl().peer_certificate().unwrap().to_der().unwrap();
        assert!(der.windows(32).any(|window| window == digest), "the digest stands in it");
        assert_eq!(proof.read(&mut [0]).unwrap(), 0, "then it is over");
        assert!(asks("talk.example.test", version).is_none(), "another name");
        // Everybody else sees the server's certificate, under that name too.
        for alpn in [OFFERED, b"\x0aacme-tls/1\x08klatch/1"] {
            let usual = connect(server.address, "chat.example.test", alpn, version).unwrap();
            assert_eq!(fingerprint(&usual), server.fingerprint);
        }
        drop(awaited);
        assert!(asks("chat.example.test", version).is_none(), "no longer awaited");
    }
}

#[test]
fn a_proof_that_fails_is_told_and_tried_again_seldom() {
    let authority = Authority::new();
    // It looks for proofs where nobody is.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _running = authority.start(nobody, 90 * 86_400);
    let mut daemon = started(&authority.keys("chat.example.test"));
    let status = await_status(&daemon, |status| status["acme_failure"].is_string());
    let why = status["acme_failure"].as_str().unwrap();
    assert!(why.contains("the proof failed: chat.example.test"), "{why}");
    let next: jiff::Timestamp = status["acme_next_attempt"].as_str().unwrap().parse().unwrap();
    let wait = next.as_second() - jiff::Timestamp::now().as_second();
    assert!((500..900).contains(&wait), "the next attempt comes in {wait} s");
    daemon.login("ann").say("lobby", "nobody is the worse for it");
    let log = daemon.child.stderr.take().unwrap();
    drop(daemon.stop());
    let log = std::io::read_to_string(log).unwrap();
    assert_eq!(log.matches("no certificate from the authority").count(), 1, "{log}");
}
