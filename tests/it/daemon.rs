//! `klatchd` as a process: its flags, its signals, its errors, and what it does without descriptors.

use std::io::Read;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::Duration;

use klatch::protocol::request::Register;
use klatch::protocol::status::Code;
use rustix::process::Signal;

use crate::support::TestClient;
use crate::support::client::say;
use crate::support::daemon::{Daemon, klatchd};

fn output(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = klatchd(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn it_says_where_it_is_and_how_to_chat() {
    let daemon = Daemon::usual(&[]);
    assert!(daemon.greeting.contains("certificate   sha256:"), "{}", daemon.greeting);
    let command = format!("--server {}", daemon.address);
    assert!(daemon.greeting.contains(&command), "{}", daemon.greeting);
    assert!(daemon.greeting.contains("/#invite="), "{}", daemon.greeting);
    assert!(daemon.greeting.lines().count() <= 7, "a short block");
}

/// While the kernel makes room for more, nobody is accepted.
#[test]
fn there_is_room_for_all_connections_from_the_beginning() {
    let daemon = Daemon::usual(&["--set", "limits.connections=900"]);
    let status = format!("/proc/{}/status", daemon.child.id());
    let status = std::fs::read_to_string(status).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
    assert!(size.trim().parse::<u32>().unwrap() >= 900, "{status}");
}

#[test]
fn sigterm_tells_everybody_and_ends_well() {
    let mut daemon = Daemon::usual(&[]);
    let mut ann = daemon.login("ann");
    daemon.signal(Signal::TERM);
    assert_eq!(ann.bye().code, Code::GoingAway.number());
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut daemon = Daemon::usual(&["--set", "limits.exempt=127.0.0.0/8"]);
    let stuck = daemon.login("stuck");
    let mut ann = daemon.login("ann");
    // More than the kernel holds for one who does not read: the shutdown has to wait for it.
    for _ in 0..60 {
        ann.send(&say("lobby", &"x".repeat(16_000), None));
    }
    ann.sync();
    daemon.signal(Signal::TERM);
    ann.wait_for_end();
    daemon.signal(Signal::TERM);
    let code = daemon.child.wait().unwrap().code();
    // If the first was done before the second came, that is as well.
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    drop(stuck);
}

#[test]
fn a_bad_configuration_is_told_whole_and_is_no_start() {
    let (code, _, stderr) =
        output(&["--set", "limits.infligt=3", "--set", "timeouts.ping=fast", "--check-config"]);
    assert_eq!(code, Some(78));
    assert!(stderr.contains("limits.inflight"), "the nearest name: {stderr}");
    assert!(stderr.contains("timeouts.ping"), "every problem: {stderr}");
    let (code, stdout, _) = output(&["--check-config"]);
    assert_eq!((code, stdout.trim()), (Some(0), "the configuration is good"));
}

#[test]
fn the_configuration_in_effect_can_be_printed() {
    let mut command = klatchd(&["--print-config", "--set", "rooms.rooms_max=7000"]);
    let output = command.env("KLATCHD__LIMITS__INFLIGHT", "9").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(line("rooms_max").contains("--set"), "{text}");
    assert!(line("inflight").contains("KLATCHD__LIMITS__INFLIGHT"), "{text}");
}

#[test]
fn a_taken_port_is_told_with_advice() {
    let daemon = Daemon::usual(&[]);
    let listen = format!("server.listen={}", daemon.address);
    let dir = tempfile::tempdir().unwrap();
    let state = format!("server.state_dir={}", dir.path().display());
    let (code, _, stderr) = output(&["--set", &listen, "--set", &state]);
    assert_eq!(code, Some(69));
    assert!(stderr.contains("another program listens there"), "{stderr}");
}

#[test]
fn a_missing_certificate_is_told_by_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let state = format!("server.state_dir={}", dir.path().display());
    let (code, _, stderr) = output(&[
        "--set",
        "server.listen=127.0.0.1:0",
        "--set",
        &state,
        "--set",
        "tls.certificate=/nonexistent/cert.pem",
        "--set",
        "tls.key=/nonexistent/key.pem",
    ]);
    assert_eq!(code, Some(69));
    assert!(stderr.contains("/nonexistent/"), "{stderr}");
}

#[test]
fn without_descriptors_it_rests_and_those_who_are_there_lose_nothing() {
    const FILES: u64 = 128;
    let mut command = klatchd(&[
        "--set",
        "server.listen=127.0.0.1:0",
        "--set",
        "server.workers=1",
        "--set",
        "limits.exempt=127.0.0.0/8",
        "--set",
        "limits.connections=1000",
        "--set",
        "timeouts.login=60s",
        "--set",
        "timeouts.dead=90s",
    ]);
    // Set from outside, and hard: the daemon raises a soft limit by itself.
    let mut shell = Command::new("sh");
    shell.arg0("sh").arg("-c").arg(format!("ulimit -n {FILES}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    command = shell;
    let daemon = Daemon::start(&mut command);
    let (mut ann, mut bob) = (daemon.login("ann"), daemon.login("bob"));
    let crowd: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(daemon.address).unwrap()).collect();
    for n in 0..20 {
        ann.say("lobby", &n.to_string());
        assert_eq!(*bob.message().text, n.to_string());
    }
    let before = daemon.cpu();
    pass(Duration::from_secs(2));
    let used = daemon.cpu() - before;
    // A daemon that spins uses all of it; the figure itself is a benchmark's.
    assert!(used < Duration::from_millis(400), "{used:?} in two seconds");
    drop(crowd);
    let mut late = daemon.login("late");
    late.say("lobby", "here");
}

/// Lets time pass in which nothing happens: a measurement needs its span.
fn pass(span: Duration) {
    let (mut one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    one.set_read_timeout(Some(span)).unwrap();
    assert!(one.read(&mut [0]).is_err(), "nobody writes");
}

#[test]
fn a_copy_is_made_of_a_running_server_and_put_back_when_it_is_down() {
    let daemon = Daemon::usual(&[]);
    let mut ann = daemon.login("ann");
    for text in ["one", "two", "three"] {
        ann.say("lobby", text);
    }
    let state = daemon.home().to_str().unwrap().to_owned();
    let copy = format!("{state}/copy.db");
    let state = format!("server.state_dir={state}");
    let (code, out, err) = output(&["backup", &copy, "--set", &state]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("3 entries of 1 rooms"), "{out}");
    let before = ann.say("lobby", "four");
    let (code, _, err) = output(&["restore", &copy, "--set", &state]);
    assert_eq!(code, Some(69), "not while it runs");
    assert!(err.contains("in use by another klatchd"), "{err}");
    let (code, out, _) = output(&["export", "lobby", "--set", &state]);
    assert_eq!((code, out.lines().count()), (Some(0), 4));
    assert!(out.lines().next().unwrap().contains(r#""text":"one""#), "{out}");

    let home = daemon.stop();
    let (code, out, err) = output(&["restore", &copy, "--set", &state]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("before-restore-1"), "{out}");
    let daemon = Daemon::usual_in(home, &[]);
    let mut ann = daemon.login("ann");
    assert_eq!(ann.say("lobby", "five").seq, before.seq, "the fourth, in another history");
    let (code, _, err) = output(&["export", "nowhere", "--set", &state]);
    assert_eq!(code, Some(69));
    assert!(err.contains("no room nowhere is stored"), "{err}");
}

#[test]
fn an_account_is_exported_with_all_that_is_its_own_and_nothing_else() {
    let daemon = Daemon::usual(&[]);
    let mut ann = TestClient::connect(daemon.address);
    ann.hello();
    let register = Register {
        name: "ann".into(),
        password: "correct horse".into(),
        invite: None,
        device: Some("laptop".into()),
        timeout_ms: None,
    };
    let token = ann.request(&register).unwrap().token;
    let mut bob = daemon.login("bob");
    bob.say("lobby", "not hers");
    ann.create("plans");
    ann.say("plans", "hers");
    let state = daemon.home().to_str().unwrap().to_owned();
    let state = format!("server.state_dir={state}");
    let (code, out, err) = output(&["export", "--account", "Ann", "--set", &state]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["account"]["name"], "ann");
    assert_eq!(lines[1]["device"]["device"], "laptop");
    let standing = |room: &str| lines.iter().any(|line| line["standing"]["room"] == room);
    assert!(standing("lobby") && standing("plans"), "{out}");
    let last = lines.last().unwrap();
    assert_eq!((&last["room"], &last["text"]), (&"plans".into(), &"hers".into()));
    assert!(!out.contains("not hers") && !out.contains("argon2"), "{out}");
    assert!(!out.contains(&hex::encode(token.hash())), "{out}");
    let (code, _, err) = output(&["export", "--account", "nobody", "--set", &state]);
    assert_eq!(code, Some(69));
    assert!(err.contains("no account nobody is registered"), "{err}");
}
