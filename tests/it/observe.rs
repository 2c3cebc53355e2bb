//! What operators see: the metrics, the dashboard that is made of them, and a log that strangers can
//! neither forge nor fill.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;

use klatch::base::limits::NAMES;
use klatch::protocol::status::Code;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::client::{code_of, say};
use crate::support::daemon::Daemon;
use crate::support::web::get;
use crate::support::{TestServer, open_limits};

fn metrics(server: &TestServer) -> String {
    String::from_utf8(get(server, "/metrics", "").body).unwrap()
}

fn value(text: &str, line: &str) -> f64 {
    let found = text.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in {text}")).parse().unwrap()
}

/// The names that a text of metrics has, as they are asked for.
fn offered(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned)).collect()
}

/// The names of ours in an expression.
fn asked(expression: &str) -> Vec<String> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    expression.split(word).filter(|word| word.starts_with("klatch_")).map(str::to_owned).collect()
}

fn expressions(panel: &Value, found: &mut Vec<String>) {
    match panel {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| expressions(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_what_there_is_and_for_all_of_it() {
    let server = TestServer::with(&["limits.connections_per_address=2"]);
    let two = [server.login("ann"), server.login("bob")];
    // A family without members has no lines: somebody must have been turned away.
    let mut third = server.connect();
    third.send(&klatch::protocol::request::Ping { timeout_ms: None });
    third.bye();
    drop(two);
    server.wait_for_sessions(0);
    let text = metrics(&server);
    let offered = offered(&text);
    let dashboard: Value =
        serde_json::from_str(include_str!("../../packaging/grafana/klatch.json")).unwrap();
    let mut all = Vec::new();
    expressions(&dashboard["panels"], &mut all);
    let asked: BTreeSet<String> = all.iter().flat_map(|one| asked(one)).collect();
    let unknown: Vec<_> = asked.difference(&offered).collect();
    assert!(unknown.is_empty(), "the dashboard asks for what is not there: {unknown:?}");
    let shown = |name: &&String| {
        let family = ["_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        !asked.contains(*name) && !family.is_some_and(|f| asked.contains(&format!("{f}_bucket")))
    };
    let left_out: Vec<_> = offered.iter().filter(shown).collect();
    assert!(left_out.is_empty(), "the dashboard leaves out {left_out:?}");
}

#[test]
fn each_bound_is_counted_where_it_is_met() {
    let server = TestServer::with(&[
        "rooms.rooms_per_session=2",
        "limits.requests_burst=50",
        "limits.requests_per_s=50",
    ]);
    let mut ann = server.login("ann");
    ann.create("one");
    let refused = ann.request(&klatch::protocol::request::Create {
        room: "two".into(),
        topic: None,
        private: None,
        timeout_ms: None,
    });
    assert_eq!(code_of(&refused.unwrap_err()), Code::Quota);
    let long = "x".repeat(17_000);
    assert_eq!(ann.refused(&say("lobby", &long, None)), Code::TooLarge);
    for _ in 0..120 {
        ann.send(&say("lobby", "paste", None));
    }
    for _ in 0..120 {
        ann.answer_any().expect("an answer to each");
    }
    let text = metrics(&server);
    assert!(value(&text, "klatch_limits_met_total{limit=\"rooms_per_session\"}") >= 1.0);
    assert!(value(&text, "klatch_limits_met_total{limit=\"text\"}") >= 1.0);
    assert!(value(&text, "klatch_read_pauses_total") >= 1.0);
    assert!(value(&text, "klatch_commits_total") >= 1.0);
    assert!(value(&text, "klatch_entries_committed_total") >= 60.0);
    assert!(value(&text, "klatch_commit_seconds_count") >= 1.0);
    assert!(value(&text, "klatch_queue_seconds_count{class=\"interactive\"}") >= 60.0);
    assert!(value(&text, "klatch_connections_max") > 100.0);
    assert!(value(&text, "klatch_certificate_expiry_timestamp_seconds") > 4e9);
}

#[test]
fn outboxes_and_rooms_are_measured_against_their_bounds() {
    let mut keys = open_limits();
    keys.extend(["limits.outbox=64 MiB", "timeouts.write=60s", "timeouts.drain=60s"]);
    keys.push("rooms.rooms_max=500");
    let server = TestServer::with(&keys);
    let (mut ann, _slow) = (server.login("ann"), server.login("slow"));
    let long = "x".repeat(16_000);
    // The kernel takes some; then it waits here, since nobody reads.
    let measured = (0..200).find_map(|_| {
        for _ in 0..20 {
            ann.say("lobby", &long);
        }
        let text = metrics(&server);
        (value(&text, "klatch_outbox_bytes") > 0.0).then_some(text)
    });
    let text = measured.expect("a slow reader is seen");
    let (all, one) =
        (value(&text, "klatch_outbox_bytes"), value(&text, "klatch_outbox_fullest_bytes"));
    assert!(one > 0.0 && one <= all, "{one} of {all}");
    assert!((value(&text, "klatch_outbox_max_bytes") - 64.0 * 1024.0 * 1024.0).abs() < 0.5);
    assert!((value(&text, "klatch_rooms_max") - 500.0).abs() < 0.5);
    assert!((value(&text, "klatch_rooms") - 1.0).abs() < 0.5);
}

/// Every limit that the sources name can be counted.
#[test]
fn every_limit_has_a_place_among_the_counts() {
    fn look(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                // `.limit("name"`, wherever the line breaks.
                for after in code.split(".limit(").skip(1) {
                    let name = after.trim_start().strip_prefix('"');
                    found.extend(name.and_then(|rest| rest.split('"').next()).map(str::to_owned));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    look(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.contains("rooms_per_session"), "{found:?}");
    let lost: Vec<_> = found.iter().filter(|name| !NAMES.contains(&name.as_str())).collect();
    assert!(lost.is_empty(), "give these a place in base::limits::NAMES: {lost:?}");
}

#[test]
fn strangers_forge_no_line_of_the_log_and_do_not_fill_it() {
    let mut keys = open_limits();
    keys.push("log.level=debug");
    let keys: Vec<&str> = keys.iter().flat_map(|key| ["--set", key]).collect();
    let mut daemon = Daemon::usual(&keys);
    let log = daemon.child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(log).unwrap());
    let mut ann = daemon.login("ann");
    let evil = "x\n2026-01-01T00:00:00Z ERROR forged: line\r\u{1b}[2J";
    let join = klatch::protocol::request::Join { room: evil.into(), timeout_ms: None };
    assert!(ann.request(&join).is_err(), "no name of a room");
    // Each is one line of the same cause; were they to take a minute, they would all have their place.
    for _ in 0..6_000 {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        // Not a handshake, whatever it begins with.
        drop(stream.write_all(b"\x16\x03\x01\x00\x05forged\n2026 ERROR"));
    }
    // Somebody who comes after all of them: they have been seen.
    daemon.login("bob");
    ann.sync();
    daemon.signal(Signal::TERM);
    daemon.child.wait().unwrap();
    let log = reader.join().unwrap();
    for line in log.lines() {
        assert!(line.contains("klatch::") || line.contains("more like this"), "not ours: {line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    let connected = log.lines().filter(|line| line.contains(": connected ")).count();
    assert!((1_000..6_000).contains(&connected), "{connected} lines of one cause");
}
