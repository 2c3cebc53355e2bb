//! A reload: everything or nothing, told key by key, and nobody is disconnected by it.

use std::net::TcpStream;

use klatch::protocol::status::Code;
use openssl::hash::MessageDigest;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin, admin_text, certificate};
use crate::support::daemon::Daemon;

fn keys(report: &Value, list: &str) -> Vec<String> {
    let all = report[list].as_array().expect("a list").iter();
    all.map(|one| one["key"].as_str().expect("a key").to_owned()).collect()
}

/// The fingerprint that a new connection is shown.
fn shown(daemon: &Daemon) -> String {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let stream = TcpStream::connect(daemon.address).unwrap();
    let stream = builder.build().connect("localhost", stream).unwrap();
    let digest = stream.ssl().peer_certificate().unwrap().digest(MessageDigest::sha256()).unwrap();
    klatch::transport::certificate::hex(&digest)
}

#[test]
fn what_may_change_changes_for_those_who_are_there_and_those_who_come() {
    let file = ConfigFile::new("[rooms]\ndefault = [\"lobby\"]\n");
    let daemon = file.start(&[]);
    let mut ann = daemon.login("ann");
    file.write(
        "[server]\nmotd = \"welcome back\"\nworkers = 7\n[rooms]\ndefault = [\"lobby\", \"news\"]\n\
         rooms_per_session = 2\n[names]\nreserved = [\"billing\"]\n[limits]\ninflight = 3\n",
    );
    let (code, report, stderr) = admin(&daemon, &["reload"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        keys(&report, "applied"),
        [
            "server.motd",
            "rooms.default",
            "rooms.rooms_per_session",
            "names.reserved",
            "limits.inflight"
        ]
    );
    assert_eq!(keys(&report, "needs_restart"), ["server.workers"]);
    ann.create("second");
    let refused = ann.request(&klatch::protocol::request::Create {
        room: "third".into(),
        topic: None,
        private: None,
        timeout_ms: None,
    });
    assert_eq!(crate::support::client::code_of(&refused.unwrap_err()), Code::Quota);
    let mut bob = TestClient::connect(daemon.address);
    let welcome = bob.hello();
    assert_eq!(welcome.motd.as_deref(), Some("welcome back"));
    assert_eq!(welcome.limits.inflight, 3);
    let refused = bob.try_login("billing", None).unwrap_err();
    assert_eq!(crate::support::client::code_of(&refused), Code::NameReserved);
    assert_eq!(bob.login("bob").rooms.len(), 2, "a room that was made by the reload");
    // Told again until the restart, and only this.
    let (_, report, _) = admin(&daemon, &["reload"]);
    assert_eq!(
        (keys(&report, "applied").len(), keys(&report, "needs_restart")),
        (0, vec!["server.workers".to_owned()])
    );
}

#[test]
fn limits_of_admission_change_too() {
    let file = ConfigFile::new("[limits]\nconnections_per_address = 50\n");
    let daemon = file.start(&[]);
    let _ann = daemon.login("ann");
    file.write("[limits]\nconnections_per_address = 1\n");
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    let mut bob = TestClient::connect(daemon.address);
    bob.send(&klatch::protocol::request::Ping { timeout_ms: None });
    let bye = bob.bye();
    assert_eq!(bye.limit.as_deref(), Some("connections_per_address"));
    file.write("[limits]\nconnections_per_address = 2\n");
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    daemon.login("bob");
}

#[test]
fn with_anything_wrong_nothing_changes() {
    let file = ConfigFile::new("[server]\nmotd = \"first\"\n");
    let daemon = file.start(&[]);
    let mut ann = daemon.login("ann");
    let motd = |daemon: &Daemon| TestClient::connect(daemon.address).hello().motd;
    for (bad, told) in [
        ("[server]\nmotd = \"second\"\n[limits]\ninflight = \"many\"\n", "limits.inflight"),
        ("[server]\nmotd = \"second\"\nmodt = 1\n", "server.modt"),
        ("[server]\nmotd = \"second", "not TOML"),
        (
            "[server]\nmotd = \"second\"\n[tls]\ncertificate = \"/none.pem\"\nkey = \"/none.pem\"\n",
            "/none.pem",
        ),
        ("", "sets nothing any more"),
        // Right when both are new; but one of them waits for a restart.
        (
            "[server]\nmotd = \"second\"\n[rooms]\nrooms_max = 20000\nrooms_per_session = 15000\n",
            "restart",
        ),
    ] {
        file.write(bad);
        let (code, report, stderr) = admin(&daemon, &["reload"]);
        assert_eq!(code, Some(78), "{bad}");
        assert_eq!(report["outcome"], "refused", "{report}");
        assert!(stderr.contains(told), "{bad}: {stderr}");
        assert_eq!(motd(&daemon).as_deref(), Some("first"), "{bad}");
    }
    std::fs::remove_file(file.path()).unwrap();
    let (code, _, stderr) = admin(&daemon, &["reload"]);
    assert_eq!(code, Some(78));
    assert!(stderr.contains("cannot read this file"), "{stderr}");
    ann.say("lobby", "still here");
    assert_eq!(motd(&daemon).as_deref(), Some("first"));
    let (_, status, _) = admin(&daemon, &["status"]);
    assert_eq!((&status["reloads"], &status["reloads_refused"]), (&0.into(), &7.into()));
}

#[test]
fn sighup_is_a_reload_and_a_new_certificate_is_shown_to_those_who_come() {
    let file = ConfigFile::new("");
    let (first, key) = certificate(file.folder(), "tls", 90);
    file.write(format!("[tls]\ncertificate = {first:?}\nkey = {key:?}\n"));
    let daemon = file.start(&[]);
    let mut ann = daemon.login("ann");
    let before = shown(&daemon);
    let (_, status, _) = admin(&daemon, &["status"]);
    assert_eq!(
        (status["certificate"].as_str(), &status["certificate_warning"]),
        (Some(before.as_str()), &Value::Null)
    );

    certificate(file.folder(), "tls", 20);
    daemon.signal(Signal::HUP);
    let mut tries = 0..10_000;
    assert!(tries.any(|_| shown(&daemon) != before), "the new certificate is never shown");
    ann.say("lobby", "still here");
    let (_, status, _) = admin(&daemon, &["status"]);
    assert_eq!(status["certificate"].as_str(), Some(shown(&daemon).as_str()));
    assert!(status["certificate_warning"].as_str().unwrap().starts_with("19 days"), "{status}");

    // The key of another certificate: the old pair goes on.
    let now = shown(&daemon);
    std::fs::copy(certificate(file.folder(), "other", 90).1, &key).unwrap();
    let (code, _, stderr) = admin(&daemon, &["reload"]);
    assert_eq!(code, Some(78));
    assert!(stderr.contains("does not belong to the certificate"), "{stderr}");
    assert_eq!(shown(&daemon), now);
}

#[test]
fn the_log_level_changes() {
    let file = ConfigFile::new("[log]\nlevel = \"info\"\n");
    let mut daemon = file.start(&[]);
    file.write("[log]\nlevel = \"debug\"\n");
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    daemon.login("ann");
    daemon.signal(Signal::TERM);
    daemon.child.wait().unwrap();
    let log = std::io::read_to_string(daemon.child.stderr.take().unwrap()).unwrap();
    let (before, after) = log.split_once("log.level is now").expect("the reload is logged");
    assert!(!before.contains("DEBUG"), "{before}");
    assert!(after.contains("DEBUG"), "{after}");
}

#[test]
fn people_get_it_in_words() {
    let file = ConfigFile::new("[server]\nmotd = \"first\"\n");
    let daemon = file.start(&[]);
    file.write("[server]\nmotd = \"second\"\n");
    let (code, text, _) = admin_text(&daemon, &["reload"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("reloaded: 1 applied, 0 wait for a restart"), "{text}");
    assert!(text.contains("server.motd  \"first\"  \"second\""), "{text}");
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of_in_the_log() {
    let file = ConfigFile::new("");
    for (days, warned) in [(20, true), (30, false)] {
        let (path, key) = certificate(file.folder(), "tls", days);
        file.write(format!("[tls]\ncertificate = {path:?}\nkey = {key:?}\n"));
        let mut daemon = file.start(&[]);
        // The answer comes after the main loop has begun, and looked at it.
        admin(&daemon, &["status"]);
        daemon.signal(Signal::TERM);
        daemon.child.wait().unwrap();
        let log = std::io::read_to_string(daemon.child.stderr.take().unwrap()).unwrap();
        assert_eq!(log.contains("the certificate expires in 19 days"), warned, "{log}");
    }
}
