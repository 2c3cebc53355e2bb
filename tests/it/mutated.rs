//! Two hundred ways to get a configuration wrong: each is refused whole, by a start and by a reload,
//! and told by key, value and remedy. What holds afterwards is what held before.

use std::process::Output;

use klatch::config::{self, Sources};
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::reply::Welcome;
use klatch::protocol::request::Hello;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin};
use crate::support::daemon::klatchd;

/// Strict in every respect that a mistake could loosen.
const STRICT: &str = r#"[server]
plain = "never"
motd = "strict"
[names]
reserved = ["billing", "support"]
hold = "10s"
[timeouts]
login = "3s"
ping = "20s"
dead = "50s"
idle = "1h"
write = "2s"
queue = "1s"
[web]
origins = ["https://chat.example.org"]
metrics_from = ["10.1.2.0/24"]
keep_alive = "5s"
[limits]
connections = 500
connections_per_address = 8
connection_rate_per_address = 2
connection_burst_per_address = 8
unauthenticated = 100
requests_per_s = 20
requests_burst = 60
bytes_per_s = "16 KiB"
bytes_burst = "128 KiB"
address_requests_per_s = 40
address_requests_burst = 80
address_bytes_per_s = "32 KiB"
address_bytes_burst = "256 KiB"
inflight = 8
outbox = "256 KiB"
refusals_per_s = 2
refusals_burst = 20
exempt = ["192.0.2.1/32"]
[log]
level = "warn"
"#;

/// What a hand can do to a line `key = value`.
#[derive(Debug, Clone, Copy)]
enum Slip {
    /// A letter of the key too many.
    Doubled,
    /// Two letters of the key swapped, or one missing.
    Dropped,
    /// A value of another kind.
    Boolean,
    Table,
    Fraction,
    Negative,
    /// Beyond all bounds.
    Huge,
    /// A unit that there is not.
    Unit,
    /// A word that means nothing here.
    Word,
    /// A quotation mark that nobody closes.
    Open,
    /// The line twice.
    Twice,
    /// The value is gone.
    Empty,
    /// In a section where it does not belong.
    Elsewhere,
}

const SLIPS: [Slip; 13] = [
    Slip::Doubled,
    Slip::Dropped,
    Slip::Boolean,
    Slip::Table,
    Slip::Fraction,
    Slip::Negative,
    Slip::Huge,
    Slip::Unit,
    Slip::Word,
    Slip::Open,
    Slip::Twice,
    Slip::Empty,
    Slip::Elsewhere,
];

/// A text of any kind is no mistake for a greeting.
fn takes_any_text(key: &str) -> bool {
    key == "motd"
}

/// The file with a slip in one line: the text, the section and the key that should be told.
fn mutate(line: usize, slip: Slip, at: usize) -> Option<(String, String, String)> {
    let lines: Vec<&str> = STRICT.lines().collect();
    let section_of = |line: usize| {
        let before = lines[..=line].iter().rev().find(|one| one.starts_with('['));
        before.map_or("", |one| one.trim_matches(['[', ']']))
    };
    let (key, value) = lines[line].split_once(" = ")?;
    let section = section_of(line);
    let at = 1 + at % (key.len() - 1);
    let with = |value: &str| format!("{key} = {value}");
    let changed = match slip {
        Slip::Doubled => format!("{}{}{} = {value}", &key[..at], &key[at - 1..at], &key[at..]),
        Slip::Dropped => format!("{}{} = {value}", &key[..at - 1], &key[at..]),
        Slip::Boolean => with("true"),
        Slip::Table => with("{ a = 1 }"),
        Slip::Fraction => with("1.5"),
        Slip::Negative => with("-1"),
        Slip::Huge => with("99999999999999999"),
        Slip::Unit | Slip::Word if takes_any_text(key) => return None,
        Slip::Unit => with("\"5 parsecs\""),
        Slip::Word => with("\"yes please\""),
        Slip::Open => format!("{key} = \"{}", value.trim_matches('"')),
        Slip::Twice => format!("{}\n{}", lines[line], lines[line]),
        Slip::Empty => format!("{key} ="),
        Slip::Elsewhere if section == "limits" || section == "log" => {
            format!("[names]\n{}", lines[line])
        }
        Slip::Elsewhere => format!("[log]\n{}", lines[line]),
    };
    // An open quotation swallows nothing else: the line ends before it does.
    let mut all: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    all[line] = changed;
    Some((all.join("\n"), section.to_owned(), key.to_owned()))
}

/// 200 of them, the same in every run.
fn mutations() -> Vec<(String, String, String, Slip)> {
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Runs::default(), seed);
    let slips = proptest::sample::select(&SLIPS[..]);
    let source = (0..STRICT.lines().count(), slips, 0_usize..40);
    let mut found: Vec<(String, String, String, Slip)> = Vec::new();
    while found.len() < 200 {
        let (line, slip, at) = source.new_tree(&mut runner).expect("a tree").current();
        if let Some((text, section, key)) = mutate(line, slip, at)
            && found.iter().all(|(known, ..)| *known != text)
        {
            found.push((text, section, key, slip));
        }
    }
    found
}

#[test]
fn each_is_refused_with_key_value_and_remedy() {
    let file = ConfigFile::new(STRICT);
    let load = || {
        let sources = Sources { file: Some(file.path()), ..Sources::default() };
        config::load(&sources)
    };
    load().expect("the strict one is right");
    for (text, section, key, slip) in mutations() {
        file.write(&text);
        let Err(problems) = load() else {
            panic!("taken as good: {slip:?} in {section}.{key}:\n{text}")
        };
        for problem in &problems.0 {
            assert!(problem.layer.starts_with(file.path().to_str().unwrap()), "{problem}");
            assert!(problem.advice.len() > 10, "no remedy: {problem}");
            let of_file = matches!(slip, Slip::Open | Slip::Twice | Slip::Empty);
            if of_file {
                assert!(problem.advice.contains("not TOML"), "{slip:?}: {problem}");
                let line = problem.layer.rsplit(':').next().unwrap();
                assert!(line.parse::<usize>().is_ok(), "no line: {problem}");
            } else if matches!(slip, Slip::Elsewhere) && problem.key.is_empty() {
                // The section stands there twice then.
                assert!(problem.advice.contains("not TOML"), "{problem}");
            } else {
                assert!(
                    !problem.key.is_empty() && !problem.value.is_empty(),
                    "{slip:?}: {problem}"
                );
            }
        }
        let told = problems.to_string();
        if !matches!(slip, Slip::Open | Slip::Twice | Slip::Empty | Slip::Elsewhere) {
            assert!(told.contains(&section), "{slip:?} in {section}.{key}: {told}");
        }
        if matches!(slip, Slip::Doubled | Slip::Dropped) {
            let right = format!("{section}.{key}");
            assert!(told.contains(&right) || told.contains(" has "), "{right}: {told}");
        }
    }
}

#[test]
fn a_running_server_stays_as_strict_as_it_was() {
    let file = ConfigFile::new(STRICT);
    // Plain, so that the test can look in without TLS.
    let daemon = file.start(&["--set", "server.plain=loopback"]);
    let seen = || {
        let mut client = TestClient::connect(daemon.address);
        let welcome = client.hello();
        let refused = client.try_login("billing", None).expect_err("reserved");
        (welcome.motd, welcome.limits, refused.code)
    };
    let before = seen();
    // A process for each of them takes its time: every eighth is reloaded.
    let such = mutations().into_iter().filter(|(_, _, key, _)| key != "plain");
    let such: Vec<_> = such.step_by(8).collect();
    let count = such.len();
    assert!(count >= 20, "{count}");
    for (text, section, key, slip) in such {
        file.write(&text);
        let (code, report, _) = admin(&daemon, &["reload"]);
        assert_eq!(code, Some(78), "{slip:?} in {section}.{key}: {report}");
        assert!(!report["refused"].as_array().expect("a list").is_empty(), "{report}");
    }
    let after = seen();
    assert_eq!(
        (before.0, format!("{:?}", before.1), before.2),
        (after.0, format!("{:?}", after.1), after.2)
    );
    let (_, status, _) = admin(&daemon, &["status"]);
    assert_eq!(
        (&status["reloads"], &status["reloads_refused"]),
        (&Value::from(0), &Value::from(count))
    );
    // And it is no start either.
    let Output { status, .. } =
        klatchd(&["--check-config", "--config", file.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(status.code(), Some(78));
}

#[test]
fn without_a_free_descriptor_a_reload_is_refused_and_nothing_changes() {
    let file =
        ConfigFile::new("[server]\nmotd = \"first\"\n[limits]\nexempt = [\"127.0.0.0/8\"]\n");
    let mut command = std::process::Command::new("sh");
    let path = file.path();
    let inner = klatchd(&[
        "--config",
        path.to_str().unwrap(),
        "--set",
        "server.listen=127.0.0.1:0",
        "--set",
        "server.workers=1",
        "--set",
        "timeouts.login=60s",
        "--set",
        "limits.connections=1000",
    ]);
    command
        .arg("-c")
        .arg("ulimit -n 96; exec \"$0\" \"$@\"")
        .arg(inner.get_program())
        .args(inner.get_args());
    command.env_clear();
    let daemon = crate::support::daemon::Daemon::start(&mut command);
    let mut ann = daemon.login("ann");
    let crowd: Vec<_> = (0..150).map(|_| TestClient::connect(daemon.address)).collect();
    file.write("[server]\nmotd = \"second\"\n");
    daemon.signal(rustix::process::Signal::HUP);
    ann.say("lobby", "still here");
    drop(crowd);
    let settled = (0..1_000).find_map(|_| {
        let (_, status, _) = admin(&daemon, &["status"]);
        let counted = status["reloads_refused"] == 1 || status["reloads"] == 1;
        (counted && status["connections"]["now"] == 1).then_some(status)
    });
    let status = settled.expect("the reload is counted, and the crowd goes");
    let motd = (0..1_000).find_map(|_| motd(daemon.address)).expect("there is place again");
    // With descriptors free in time it is applied; otherwise nothing is.
    let expected = if status["reloads"] == 1 { "second" } else { "first" };
    assert_eq!(motd, expected);
    ann.say("lobby", "and still");
}

/// The greeting of a server that may not have a descriptor for us yet.
fn motd(address: std::net::SocketAddr) -> Option<String> {
    let mut client = TestClient::connect(address);
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    if !client.try_send_raw(&codec::request(1, &hello)) {
        return None;
    }
    let Incoming::Response { outcome, .. } = client.receive()? else { return None };
    codec::result::<Welcome>(&outcome.ok()?).ok()?.motd
}
