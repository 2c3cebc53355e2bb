//! `klatchd admin why`, and what it shows: guests share what their address may spend, people with
//! accounts do not.

use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::Event;
use klatch::protocol::request::{Hello, Ping, Register};
use klatch::protocol::status::Code;
use serde_json::Value;

use crate::support::TestClient;
use crate::support::admin::{admin, admin_text};
use crate::support::client::{code_of, say};
use crate::support::daemon::Daemon;

fn account(daemon: &Daemon, name: &str) -> TestClient {
    let mut client = TestClient::connect(daemon.address);
    client.hello();
    let register = Register {
        name: name.into(),
        password: "correct horse".into(),
        invite: None,
        device: None,
        timeout_ms: None,
    };
    client.request(&register).expect("an account");
    client
}

fn why(daemon: &Daemon, who: &str) -> Value {
    let (code, answer, stderr) = admin(daemon, &["why", who]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    answer
}

/// How often each limit was met.
fn met(answer: &Value, limit: &str) -> u64 {
    let notes = answer["met"].as_array().expect("a list");
    let found = notes.iter().find(|note| note["limit"] == limit);
    found.map_or(0, |note| note["count"].as_u64().expect("a number"))
}

/// What is used of a budget.
fn used(answer: &Value, budget: &str) -> Option<u64> {
    let budgets = answer["budgets"].as_array().expect("a list");
    budgets.iter().find(|row| row["budget"] == budget)?["used"].as_u64()
}

#[test]
fn it_tells_which_limits_were_met_and_where_budgets_stand() {
    let daemon = Daemon::usual(&["--set", "limits.connections_per_address=2"]);
    let (mut ann, _bob) = (daemon.login("ann"), daemon.login("bob"));
    for _ in 0..3 {
        assert_eq!(ann.refused(&say("lobby", &"x".repeat(17_000), None)), Code::TooLarge);
    }
    let mut third = TestClient::connect(daemon.address);
    third.send(&Ping { timeout_ms: None });
    third.bye();

    let of_ann = why(&daemon, "ann");
    assert_eq!((&of_ann["is"], met(&of_ann, "text")), (&"a name".into(), 3));
    assert_eq!(of_ann["sessions"][0]["name"], "ann");
    assert!(used(&of_ann, "requests_per_s").is_some());
    assert!(used(&of_ann, "refusals_per_s").is_some_and(|used| used >= 1), "{of_ann}");
    let number = of_ann["sessions"][0]["session"].as_str().expect("a number").to_owned();
    let of_session = why(&daemon, &number);
    assert_eq!((&of_session["is"], met(&of_session, "text")), (&"a session".into(), 3));
    let of_address = why(&daemon, "127.0.0.1");
    assert_eq!(met(&of_address, "text"), 3);
    assert!(met(&of_address, "connections_per_address") >= 1);
    assert_eq!(used(&of_address, "connections"), Some(2));
    assert_eq!(used(&of_address, "login_failures"), Some(0));
    assert_eq!(met(&why(&daemon, "bob"), "text"), 0);

    // It is still known of a session that is gone.
    assert_eq!(admin(&daemon, &["kick", "ann"]).0, Some(0));
    ann.bye();
    let gone = (0..1_000)
        .map(|_| why(&daemon, &number))
        .find(|gone| gone["sessions"] == Value::Array(Vec::new()));
    assert_eq!(met(&gone.expect("it is gone"), "text"), 3);

    let (_, text, _) = admin_text(&daemon, &["why", "127.0.0.1"]);
    assert!(
        text.contains("advice") && text.contains("raise limits.connections_per_address"),
        "{text}"
    );
    assert_eq!(admin(&daemon, &["ban", "127.0.0.9"]).0, Some(0));
    let banned = why(&daemon, "127.0.0.9");
    assert!(
        banned["advice"].as_str().unwrap().contains("klatchd admin unban 127.0.0.9"),
        "{banned}"
    );
    let (code, _, stderr) = admin(&daemon, &["why", "a b"]);
    assert_eq!((code, stderr.contains("no name")), (Some(1), true), "{stderr}");
}

#[test]
fn an_address_full_of_flooding_guests_leaves_those_with_accounts_alone() {
    let daemon = Daemon::usual(&[
        "--set",
        "limits.requests_per_s=50",
        "--set",
        "limits.requests_burst=50",
        "--set",
        "limits.address_requests_per_s=50",
        "--set",
        "limits.address_requests_burst=50",
        "--set",
        "limits.connections_per_address=3",
    ]);
    let (mut ann, mut gus) = (account(&daemon, "ann"), daemon.login("gus"));
    let mut guests = [daemon.login("gina"), daemon.login("gert")];
    for guest in &mut guests {
        // Within its own budget; together they have spent the address's.
        for _ in 0..45 {
            guest.send(&Ping { timeout_ms: None });
        }
        for _ in 0..45 {
            guest.answer_any().expect("an answer to each");
        }
    }
    drop(guests);
    gus.sync();
    for _ in 0..20 {
        ann.sync();
    }
    let of_address = why(&daemon, "127.0.0.1");
    assert!(met(&of_address, "address_requests_per_s") >= 1, "{of_address}");
    assert!(used(&why(&daemon, "gus"), "address_requests_per_s").is_some());
    let of_ann = why(&daemon, "ann");
    assert_eq!(of_ann["met"], Value::Array(Vec::new()), "{of_ann}");
    assert!(used(&of_ann, "account_requests_per_s").is_some(), "{of_ann}");
    assert_eq!(used(&of_ann, "address_requests_per_s"), None);

    // Nor does the address's bound count them.
    let _bob = account(&daemon, "bob");
    let _carl = account(&daemon, "carl");
    let mut kept = Vec::new();
    let bound = (0..1_000).find(|&number| {
        let mut stranger = TestClient::connect(daemon.address);
        let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
        stranger.try_send_raw(&codec::request(number, &hello));
        let told = stranger.receive();
        kept.push(stranger);
        matches!(told, Some(Incoming::Event(Event::Bye(_))))
    });
    // At most three guests: whoever has left meanwhile makes room for one.
    assert!(bound.is_some_and(|bound| (1..=2).contains(&bound)), "{bound:?}");
    let refused = ann.request(&say("nowhere", "x", None)).unwrap_err();
    assert_eq!(code_of(&refused), Code::NotFound);
}
