//! `klatchd check`: what is wrong is found, told with its remedy, and is the exit status.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use serde_json::Value;

use crate::support::admin::{ConfigFile, certificate};
use crate::support::daemon::{Daemon, klatchd};

/// The findings about `subject`: verdict and text of each.
struct Found(Option<i32>, Value);

impl Found {
    fn of(state: &std::path::Path, file: &ConfigFile) -> Self {
        let path = file.path();
        let Output { status, stdout, .. } =
            klatchd(&["check", "--json", "--config", path.to_str().unwrap()])
                .env("STATE_DIRECTORY", state)
                .output()
                .unwrap();
        Self(status.code(), serde_json::from_slice(&stdout).expect("JSON"))
    }

    #[track_caller]
    fn says(&self, subject: &str, verdict: &str, text: &str) {
        let mut all = self.1.as_array().unwrap().iter();
        let such = all.any(|one| {
            one["subject"] == subject
                && one["verdict"] == verdict
                && one["text"].as_str().unwrap().contains(text)
        });
        assert!(such, "{subject}: {verdict}: {text}: {:#}", self.1);
        if verdict == "problem" {
            assert_eq!(self.0, Some(1));
        }
    }
}

fn private_state() -> tempfile::TempDir {
    let state = tempfile::tempdir().unwrap();
    std::fs::set_permissions(state.path(), Permissions::from_mode(0o700)).unwrap();
    state
}

#[test]
fn before_the_first_start_it_tells_what_will_be() {
    let (state, file) =
        (private_state(), ConfigFile::new("[server]\nlisten = [\"127.0.0.1:0\"]\n"));
    let found = Found::of(state.path(), &file);
    found.says("configuration", "good", "1 keys are set");
    found.says("certificate", "advice", "makes its own");
    found.says("port", "good", "is free");
    found.says("database", "good", "none yet");
    assert_eq!(found.0, Some(0), "{:#}", found.1);
}

#[test]
fn a_running_server_is_known_and_its_database_read_through() {
    let daemon = Daemon::usual(&[]);
    daemon.login("ann").say("lobby", "hello");
    let file = ConfigFile::new(&format!("[server]\nlisten = [\"{}\"]\n", daemon.address));
    let found = Found::of(daemon.home(), &file);
    found.says("configuration", "good", "a server runs");
    found.says("certificate", "good", "self-signed; valid until 2099");
    found.says("port", "good", "the server runs");
    found.says("database", "good", "1 entries of 1 rooms");
}

#[test]
fn what_is_wrong_is_found() {
    let (state, file) = (private_state(), ConfigFile::new(""));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (path, key) = certificate(file.folder(), "mine", 20);
    let config = |more: &str| {
        format!(
            "[server]\nlisten = [\"{address}\"]\n[tls]\ncertificate = {path:?}\nkey = {key:?}\n\
             names = [\"chat.example\"]\n[limits]\nconnections = 9000000\n{more}"
        )
    };
    file.write(config("[store]\nengine = \"memory\"\n"));
    std::fs::set_permissions(file.path(), Permissions::from_mode(0o666)).unwrap();
    std::fs::set_permissions(state.path(), Permissions::from_mode(0o755)).unwrap();
    let found = Found::of(state.path(), &file);
    found.says("certificate", "advice", "in 19 days");
    found.says("certificate", "advice", "not made out to chat.example");
    found.says("port", "advice", "no server answers");
    found.says("state", "advice", "chmod 700");
    found.says("configuration", "problem", "chmod go-w");
    found.says("open files", "problem", "LimitNOFILE=9000064");
    found.says("database", "advice", "is lost when the server stops");

    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    Found::of(state.path(), &file).says("certificate", "problem", "chmod 600");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    certificate(file.folder(), "other", 90);
    std::fs::copy(file.folder().join("other.pem"), &path).unwrap();
    Found::of(state.path(), &file).says("certificate", "problem", "does not belong");
}

#[test]
fn a_certificate_that_the_server_gets_is_advised_on() {
    let (state, file) = (private_state(), ConfigFile::new(""));
    let (gained, trust) = (state.path().join("acme.pem"), file.folder().join("none.pem"));
    let config = |port: u16| {
        let listen =
            format!("[server]\nlisten = [\"127.0.0.1:{port}\"]\n[acme]\ntrust = {trust:?}\n");
        file.write(listen + "domains = [\"localhost.example\", \"chat.example\"]\n");
    };
    config(0);
    let found = Found::of(state.path(), &file);
    found.says("certificate", "advice", "asks for it when it starts");
    found.says("certificate", "advice", "connects to port 443 of localhost.example, chat.example");
    found.says("certificate", "problem", "acme.trust cannot be read");
    config(443);
    let advice = Found::of(state.path(), &file).1.to_string();
    assert!(!advice.contains("connects to port"), "{advice}");
    for (days, verdict, text) in
        [(90, "good", "renewed by the server; valid until"), (1, "advice", "klatchd admin status")]
    {
        let (path, key) = certificate(file.folder(), "given", days);
        let both = [key, path].map(|path| std::fs::read_to_string(path).unwrap()).concat();
        std::fs::write(&gained, both).unwrap();
        std::fs::set_permissions(&gained, Permissions::from_mode(0o600)).unwrap();
        let found = Found::of(state.path(), &file);
        found.says("certificate", verdict, text);
        found.says("certificate", "advice", "not made out to localhost.example, chat.example");
    }
    std::fs::write(&gained, "").unwrap();
    Found::of(state.path(), &file).says("certificate", "problem", "serves its own");
}

#[test]
fn a_damaged_database_is_found() {
    let daemon = Daemon::usual(&[]);
    let mut ann = daemon.login("ann");
    for n in 0..2_000 {
        ann.say("lobby", &format!("{n:0>200}"));
    }
    let home = daemon.stop();
    let path = home.path().join("klatch.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let file = ConfigFile::new("[server]\nlisten = [\"127.0.0.1:0\"]\n");
    Found::of(home.path(), &file).says("database", "problem", "klatchd restore");
}
