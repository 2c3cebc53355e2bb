//! The commands of `klatchd admin`, asked over the protocol by an administrator's session.

use klatch::protocol::reply::Administered;
use klatch::protocol::request::{Admin, Register};
use klatch::protocol::status::Code;
use klatch::server::admin::table::COMMANDS;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::admin::admin;
use crate::support::daemon::Daemon;

fn register(daemon: &Daemon, name: &str, invite: Option<&str>) -> TestClient {
    let mut client = TestClient::connect(daemon.address);
    client.hello();
    let logged_in = client.request(&Register {
        name: name.into(),
        password: "correct horse".into(),
        invite: invite.map(Into::into),
        device: None,
        timeout_ms: None,
    });
    assert_eq!(logged_in.unwrap().admin, invite.is_some());
    client
}

/// A daemon with the administrator whom it asked for.
fn run() -> (Daemon, TestClient) {
    let daemon = Daemon::usual(&[]);
    let code = daemon.greeting.split("#invite=").nth(1).expect("an invitation");
    let code: String = code.chars().take_while(char::is_ascii_alphanumeric).collect();
    let root = register(&daemon, "olga", Some(&code));
    (daemon, root)
}

fn command(name: &str, arguments: Option<&Value>) -> Admin {
    let arguments = arguments.map(|json| json.to_string().as_str().into());
    Admin { command: name.into(), arguments, timeout_ms: None }
}

/// What a command answers, and why it did nothing.
fn ask(client: &mut TestClient, name: &str, arguments: &Value) -> (Value, Option<String>) {
    let done = client.request(&command(name, Some(arguments))).expect("an answer");
    let Administered { answer, failed, left_out } = done;
    assert_eq!(left_out, 0);
    (serde_json::from_str(&answer).expect("JSON"), failed)
}

#[test]
fn an_administrator_runs_the_same_commands_as_the_socket() {
    let (daemon, mut root) = run();
    let (listed, _) = ask(&mut root, "commands", &json!({}));
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["command"]).collect();
    assert_eq!(names, COMMANDS.iter().map(|one| one.name).collect::<Vec<_>>());

    let _bob = daemon.login("bob");
    for name in ["sessions", "rooms"] {
        let (answer, _) = ask(&mut root, name, &json!({}));
        let (_, by_socket, _) = admin(&daemon, &[name]);
        let key = |all: &Value| -> Vec<Value> {
            let rows = all.as_array().expect("rows").iter();
            rows.map(|row| json!([row["name"], row["room"], row["members"]])).collect()
        };
        assert_eq!(key(&answer), key(&by_socket), "{name}");
        assert!(!key(&answer).is_empty());
    }
    let (status, _) = ask(&mut root, "status", &json!({}));
    assert_eq!(status["pid"], daemon.child.id());
    assert!(status["storage_bytes"].as_u64().is_some_and(|bytes| bytes > 4_096), "{status}");
    assert!(status["storage_free_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{status}");
    let (metrics, _) = ask(&mut root, "metrics", &json!({}));
    let named = |row: &&Value| row["metric"] == "klatch_sessions_named";
    let row = metrics.as_array().unwrap().iter().find(named).expect("a metric");
    assert_eq!(row["value"], 2.0);
}

#[test]
fn a_command_that_fails_says_why_and_the_session_goes_on() {
    let (daemon, mut root) = run();
    let mut bob = daemon.login("bob");
    let (done, failed) = ask(&mut root, "kick", &json!({"who": "bob"}));
    assert_eq!((&done["ended"], failed), (&json!(1), None));
    assert_eq!(bob.bye().code, Code::Denied.number());
    for (name, arguments, told) in [
        ("kick", json!({"who": "bob"}), "nobody is connected"),
        ("kick", json!({}), "kick needs who"),
        ("kick", json!({"whom": "x", "who": "y"}), "takes no"),
        ("sudo", json!({}), "there is no command"),
        ("status", json!([1]), "no JSON object of strings"),
        ("kick", json!({"who": 7}), "no JSON object of strings"),
    ] {
        let (_, failed) = ask(&mut root, name, &arguments);
        assert!(failed.as_ref().is_some_and(|why| why.contains(told)), "{name}: {failed:?}");
    }
    assert_eq!(ask(&mut root, "rooms", &json!({})).1, None);
}

#[test]
fn nobody_else_is_heard() {
    let (daemon, mut root) = run();
    let (mut guest, mut account) = (daemon.login("bob"), register(&daemon, "kim", None));
    for client in [&mut guest, &mut account] {
        for one in COMMANDS {
            assert_eq!(client.refused(&command(one.name, None)), Code::Denied, "{}", one.name);
        }
        assert_eq!(client.refused(&command("sudo", None)), Code::Denied);
        client.say("lobby", "still here");
    }
    assert_eq!(ask(&mut root, "sessions", &json!({})).0.as_array().unwrap().len(), 3);
    let mut stranger = TestClient::connect(daemon.address);
    stranger.hello();
    assert_eq!(stranger.refused(&command("status", None)), Code::AuthRequired);
}
