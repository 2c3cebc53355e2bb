//! A client written by somebody who had docs/PROTOCOL.md and nothing else, in another language.

use std::process::Command;

use crate::support::TestServer;

#[test]
fn a_stranger_s_client_finds_everything_as_it_is_written() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stranger/stranger.py");
    let port = server.address.port().to_string();
    let output = Command::new(python())
        .args([script, "127.0.0.1", &port, &server.fingerprint])
        .output()
        .expect("python runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<_> = text.lines().filter(|line| line.starts_with("FAIL")).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(failed.is_empty() && output.status.success(), "{failed:#?}\n{errors}");
    assert!(text.lines().count() > 300, "it looked at everything");
}

/// A Python that has msgpack: Debian's package serves Debian's own only.
fn python() -> &'static str {
    let has_msgpack = |python: &&str| {
        let tried = Command::new(python).args(["-c", "import msgpack"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_msgpack);
    found.expect("python3 with msgpack: scripts/install-dependencies test")
}
