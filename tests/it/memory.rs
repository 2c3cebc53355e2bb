//! What is held for clients, counted and bounded: full, the server takes no new work and says so;
//! over full, it lets go of those who hold most; and then it is as before.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use klatch::protocol::codec;
use klatch::protocol::request::{Login, Ping};
use klatch::protocol::status::Code;

use crate::support::admin::admin;
use crate::support::client::{code_of, say};
use crate::support::daemon::Daemon;
use crate::support::{TestClient, open_limits};

/// What may be held.
const MOST: u64 = 8 * 1024 * 1024;
/// What a connection is counted for by itself.
const LINK: u64 = 2_048;
/// What is left of a frame that is not whole.
const PART: usize = 60_000;

fn server(more: &[&'static str]) -> Daemon {
    let mut keys = open_limits();
    keys.extend(["limits.memory=8 MiB", "server.workers=1"]);
    keys.extend(more);
    let all: Vec<&str> = keys.iter().flat_map(|key| ["--set", key]).collect();
    Daemon::usual(&all)
}

fn metrics(daemon: &Daemon) -> String {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn value(daemon: &Daemon, name: &str) -> u64 {
    let text = metrics(daemon);
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {name} in {text}")).trim().parse().unwrap()
}

fn held(daemon: &Daemon, kind: &str) -> u64 {
    value(daemon, &format!("klatch_held_bytes{{kind=\"{kind}\"}}"))
}

/// All that is held, asked in a way that takes no connection.
fn all_held(daemon: &Daemon) -> u64 {
    admin(daemon, &["status"]).1["held_bytes"]["now"].as_u64().expect("a number")
}

fn wait_for(what: &str, such: impl Fn() -> bool) {
    let came = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        such()
    });
    assert!(came, "{what}");
}

fn crowd(daemon: &Daemon, count: usize) -> Vec<TestClient> {
    (0..count).map(|number| daemon.login(&format!("filler{number}x"))).collect()
}

/// Each sends a frame that is not whole.
fn fill(crowd: &mut [TestClient]) {
    for client in crowd {
        client.send_raw(&64_000_u32.to_be_bytes());
        client.send_raw(&vec![0x80; PART - 4]);
    }
}

/// What TLS keeps of records that have not come whole is held as well, also before login.
#[test]
fn a_part_of_a_record_is_counted() {
    let daemon = server(&[]);
    let mut stranger = TcpStream::connect(daemon.address).unwrap();
    // A record of 16,384 bytes, as long as they may be.
    stranger.write_all(&[0x16, 3, 1, 0x40, 0]).unwrap();
    stranger.write_all(&[0x5a; 9_000]).unwrap();
    wait_for("half a greeting is counted", || held(&daemon, "reading") == 9_005);
    drop(stranger);
    wait_for("and given back", || held(&daemon, "reading") == 0);
}

#[test]
fn what_is_held_is_counted_to_the_byte_and_given_back() {
    let daemon = server(&[]);
    let (mut ann, mut bob) = (daemon.login("ann"), daemon.login("bob"));
    let frame = codec::request(9, &say("lobby", &"x".repeat(9_000), None));
    bob.send_raw(&frame[..8_000]);
    wait_for("half a frame is counted", || held(&daemon, "reading") == 8_000);
    bob.send_raw(&frame[8_000..]);
    bob.answer(9).expect("it is whole now");
    assert_eq!((held(&daemon, "reading"), held(&daemon, "requests")), (0, 0));
    for number in 0..200 {
        ann.say("lobby", &number.to_string());
    }
    wait_for("outboxes are empty", || held(&daemon, "outboxes") == 0);
    wait_for("there is nothing but those who are there", || all_held(&daemon) == 2 * LINK);
    drop((ann, bob));
    wait_for("nobody is there", || all_held(&daemon) == 0);
}

#[test]
fn a_server_that_holds_too_much_takes_nothing_new_says_so_and_goes_on_afterwards() {
    let daemon = server(&["timeouts.login=1h"]);
    let mut ann = daemon.login("ann");
    let mut stranger = TestClient::connect(daemon.address);
    stranger.hello();
    let mut crowd = crowd(&daemon, 112);
    fill(&mut crowd);
    let full = 114 * LINK + 112 * PART as u64;
    assert!(full > MOST / 10 * 8 && full < MOST / 10 * 9);
    wait_for("more than 80 % are held", || all_held(&daemon) == full);

    let refused = ann.request(&say("lobby", "x", None)).unwrap_err();
    assert_eq!((code_of(&refused), refused.limit.as_deref()), (Code::Busy, Some("memory")));
    assert_eq!(
        (refused.used.is_some_and(|used| used >= full), refused.allowed),
        (true, Some(MOST))
    );
    assert!(refused.retry_after_ms.is_some_and(|ms| ms > 0), "{refused:?}");
    let refused = stranger.request(&Login::guest("bob".into())).unwrap_err();
    assert_eq!((code_of(&refused), refused.limit.as_deref()), (Code::Busy, Some("memory")));
    let mut late = TestClient::connect(daemon.address);
    late.send(&Ping { timeout_ms: None });
    let bye = late.bye();
    assert_eq!((bye.code, bye.limit.as_deref()), (Code::ServerFull.number(), Some("memory")));
    assert!(bye.retry_after_ms.is_some_and(|ms| ms > 0), "{bye:?}");
    // Who is there stays, and can be sure of it.
    ann.sync();
    drop(late);
    wait_for("nobody had to go", || all_held(&daemon) == full);

    drop(crowd);
    wait_for("nothing is held for those who went", || all_held(&daemon) == 2 * LINK);
    ann.say("lobby", "as before");
    stranger.login("bob");
    assert_eq!(value(&daemon, "klatch_shed_total{what=\"sessions\"}"), 0);
    let met = value(&daemon, "klatch_limits_met_total{limit=\"memory\"}");
    assert_eq!(met, 3, "the request, the login, the connection");
}

#[test]
fn who_holds_most_has_to_go_when_too_much_is_held_and_nobody_else() {
    let daemon = server(&["limits.outbox=64 MiB", "timeouts.write=1h", "timeouts.drain=1h"]);
    let mut ann = daemon.login("ann");
    let mut crowd = crowd(&daemon, 60);
    for client in &mut crowd {
        client.send(&klatch::protocol::request::Leave { room: "lobby".into(), timeout_ms: None });
    }
    let mut slow = daemon.login("slow");
    ann.create("hall");
    slow.join("hall");
    let text = "x".repeat(16_000);
    let filled = (0..200).any(|_| {
        for _ in 0..20 {
            ann.say("hall", &text);
        }
        all_held(&daemon) > MOST / 10 * 6
    });
    assert!(filled, "{} are held", all_held(&daemon));
    ann.sync();
    fill(&mut crowd);
    // It must not read meanwhile.
    let full = 60 * PART as u64;
    wait_for("what it held is free", || (full..MOST / 10 * 6).contains(&all_held(&daemon)));
    let bye = slow.bye();
    assert_eq!((bye.code, bye.limit.as_deref()), (Code::SlowConsumer.number(), Some("memory")));
    assert!(bye.resume && bye.used >= Some(MOST / 10 * 9), "{bye:?}");
    assert_eq!(value(&daemon, "klatch_shed_total{what=\"sessions\"}"), 1);
    // The rest of their frames is no request, but they are all there.
    let (_, sessions, _) = admin(&daemon, &["sessions"]);
    let names = sessions.as_array().unwrap().iter().filter_map(|one| one["name"].as_str());
    assert_eq!(names.filter(|name| name.starts_with("filler")).count(), 60);
    ann.say("hall", "as before");
}
