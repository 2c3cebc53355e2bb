//! The daemon ends in mid-chat and comes back: what was not acknowledged is said again, what was is
//! not, and everybody is told everything.
//!
//! What holds whether the daemon keeps its history or forgets it: every text is acknowledged once;
//! in one history (epoch) no text stands twice; a text that was acknowledged before the end does not
//! come again after it; and everybody sees everything, but for what was acknowledged in a history
//! that is gone. With a durable history there is one epoch, so all of it together is: exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::process::{INTERPRETERS, Program, interpreter, top};

/// Texts of each talker.
const COUNT: usize = 60;

fn daemon(port: u16, home: &Path, engine: &str) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klatchd"));
    command
        .args(["--set", &format!("server.listen=127.0.0.1:{port}")])
        // They talk as fast as they can, and come back all at once from one address.
        .args(["--set", "limits.exempt=127.0.0.0/8"])
        .args(["--set", &format!("store.engine={engine}")])
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("STATE_DIRECTORY", home);
    let mut daemon = Program::start(&mut command);
    daemon.wait_for("chat with");
    daemon
}

fn signal(daemon: &Program, signal: Signal) {
    let id = i32::try_from(daemon.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

/// What a talker told, by its first word.
fn told<'a>(log: &'a [String], word: &str) -> Vec<Vec<&'a str>> {
    let lines = log.iter().map(|line| line.split(' ').collect::<Vec<_>>());
    lines.filter(|words| words[0] == word).collect()
}

/// The lines before the connection was lost, and those from then on.
fn parted(log: &[String]) -> (&[String], &[String]) {
    let end = log.iter().position(|line| line.starts_with("disconnected")).expect("an end");
    log.split_at(end)
}

/// What one talker must have been told. `excused` may be missing: its history is gone.
fn check(log: &[String], everything: &BTreeSet<String>, excused: &BTreeSet<String>) {
    let story = log.join("\n");
    assert!(told(log, "refused").is_empty() && told(log, "gap").is_empty(), "{story}");
    assert_eq!(told(log, "connected").len(), 2, "it came back once\n{story}");
    let acked: Vec<_> = told(log, "acked").iter().map(|words| words[1]).collect();
    let distinct: BTreeSet<_> = acked.iter().collect();
    assert_eq!(distinct.len(), COUNT, "every text is acknowledged\n{story}");
    assert_eq!(acked.len(), COUNT, "once\n{story}");
    let mut by_epoch: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for words in told(log, "saw") {
        by_epoch.entry(words[1]).or_default().push(words[3]);
        seen.insert(words[3].to_owned());
    }
    let excused = if by_epoch.len() > 1 { excused } else { &BTreeSet::new() };
    let lost: Vec<_> =
        everything.difference(&seen).filter(|text| !excused.contains(*text)).collect();
    assert!(lost.is_empty(), "{lost:?} are lost\n{story}");
    for texts in by_epoch.values() {
        let distinct: BTreeSet<_> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len(), "nothing is doubled\n{story}");
    }
    let (before, after) = parted(log);
    let acked: BTreeSet<_> = told(before, "acked").iter().map(|words| words[1]).collect();
    assert!(acked.len() < COUNT, "it ended in mid-chat\n{story}");
    let shown: BTreeSet<_> = told(before, "saw").iter().map(|words| words[3]).collect();
    for words in told(after, "saw") {
        let twice = acked.contains(words[3]) && shown.contains(words[3]);
        assert!(!twice, "{} was acknowledged, and came again\n{story}", words[3]);
    }
}

/// `epochs` is how many histories there are in the end: one, if the daemon keeps it.
fn restart_by(how: Signal, engine: &str, epochs: usize) {
    let home = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let first = daemon(port, home.path(), engine);
    let greeting = first.log.join("\n");
    let fingerprint = greeting.split("sha256:").nth(1).unwrap().get(..64).unwrap();
    let mut talkers: Vec<Program> = INTERPRETERS
        .iter()
        .zip(["select", "select", "luv", "select"])
        .enumerate()
        .map(|(number, (name, kind))| {
            let mut command = interpreter(name, &top().join("tests/lua/talker.lua"));
            command.args([&format!("127.0.0.1:{port}"), fingerprint, &format!("t{number}")]);
            command.args([&COUNT.to_string(), &INTERPRETERS.len().to_string(), kind]);
            Program::start(&mut command)
        })
        .collect();
    // They began together; each is in the middle of its texts.
    talkers[0].wait_for("acked t0-10");
    signal(&first, how);
    drop(first.end());
    let second = daemon(port, home.path(), engine);
    let everything: BTreeSet<String> = (0..INTERPRETERS.len())
        .flat_map(|number| (1..=COUNT).map(move |text| format!("t{number}-{text}")))
        .collect();
    let logs: Vec<Vec<String>> = talkers
        .into_iter()
        .map(|mut talker| {
            talker.wait_for("done");
            let (code, errors, log) = talker.end();
            assert_eq!(code, Some(0), "{errors}");
            log
        })
        .collect();
    let acked_before = logs.iter().flat_map(|log| told(parted(log).0, "acked"));
    let excused: BTreeSet<String> = acked_before.map(|words| words[1].to_owned()).collect();
    assert!(excused.len() >= 10, "it ended in mid-chat: {excused:?}");
    for log in &logs {
        check(log, &everything, &excused);
        let told: BTreeSet<_> = told(log, "saw").iter().map(|words| words[1]).collect();
        assert_eq!(told.len(), epochs, "{}", log.join("\n"));
    }
    drop(second);
}

#[test]
fn a_daemon_that_is_told_to_go_and_comes_back_loses_and_doubles_nothing() {
    restart_by(Signal::TERM, "sqlite", 1);
}

#[test]
fn a_daemon_that_is_killed_and_comes_back_loses_and_doubles_nothing() {
    restart_by(Signal::KILL, "sqlite", 1);
}

#[test]
fn a_daemon_that_forgets_is_told_again_what_it_did_not_acknowledge() {
    restart_by(Signal::KILL, "memory", 2);
}
