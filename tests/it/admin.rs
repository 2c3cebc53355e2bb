//! `klatchd admin`: who is heard, what is answered, in JSON and in words.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

use klatch::protocol::status::Code;

use crate::support::TestClient;
use crate::support::admin::{admin, admin_text};
use crate::support::daemon::{Daemon, klatchd};

#[test]
fn it_tells_who_is_there() {
    let daemon = Daemon::usual(&[]);
    let mut ann = daemon.login("ann");
    let _bob = daemon.login("bob");
    ann.create("secret-plans");
    let (code, status, stderr) = admin(&daemon, &["status"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!((&status["connections"]["now"], &status["rooms"]["now"]), (&2.into(), &2.into()));
    assert_eq!(status["pid"], daemon.child.id());
    let (_, sessions, _) = admin(&daemon, &["sessions"]);
    let names: Vec<_> =
        sessions.as_array().unwrap().iter().map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("ann"), Some("bob")]);
    assert_eq!(sessions[0]["rooms"], 2);
    assert!(sessions[0]["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{sessions}");
    let (_, only, _) = admin(&daemon, &["sessions", "bob"]);
    assert_eq!(only.as_array().unwrap().len(), 1);
    let (_, rooms, _) = admin(&daemon, &["rooms"]);
    assert_eq!((&rooms[0]["room"], &rooms[0]["members"]), (&"lobby".into(), &2.into()));
    let (_, text, _) = admin_text(&daemon, &["rooms"]);
    assert!(text.contains("lobby         public  2"), "{text}");
}

#[test]
fn a_kick_ends_sessions_by_name_or_number() {
    let daemon = Daemon::usual(&[]);
    let (mut ann, mut bob) = (daemon.login("ann"), daemon.login("bob"));
    let (code, answer, _) = admin(&daemon, &["kick", "ann"]);
    assert_eq!((code, &answer["ended"]), (Some(0), &1.into()));
    let bye = ann.bye();
    assert_eq!((bye.code, bye.resume), (Code::Denied.number(), false));
    let (_, sessions, _) = admin(&daemon, &["sessions", "bob"]);
    let number = sessions[0]["session"].as_str().unwrap().to_owned();
    bob.say("lobby", "still here");
    assert_eq!(admin(&daemon, &["kick", &number]).0, Some(0));
    bob.bye();
    let (code, _, stderr) = admin(&daemon, &["kick", "nobody"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("nobody is connected"), "{stderr}");
}

#[test]
fn an_invitation_makes_one_account_where_registration_is_closed() {
    let daemon = Daemon::usual(&["--set", "accounts.registration=closed"]);
    let (code, answer, _) = admin(&daemon, &["invite", "30", "admin"]);
    assert_eq!((code, &answer["role"]), (Some(0), &"admin".into()));
    let invite = answer["code"].as_str().unwrap();
    assert!(answer["link"].as_str().unwrap().ends_with(&format!("/#invite={invite}")), "{answer}");
    let register = |name: &str| klatch::protocol::request::Register {
        name: name.into(),
        password: "correct horse".into(),
        invite: Some(invite.into()),
        device: None,
        timeout_ms: None,
    };
    let mut ann = TestClient::connect(daemon.address);
    ann.hello();
    assert!(ann.request(&register("ann")).unwrap().admin);
    let mut bob = TestClient::connect(daemon.address);
    bob.hello();
    assert_eq!(bob.refused(&register("bob")), Code::InviteInvalid);
    for wrong in [["invite", "0"], ["invite", "soon"]] {
        assert_eq!(admin(&daemon, &wrong).0, Some(1));
    }
}

#[test]
fn a_drain_tells_everybody_and_ends_the_server_well() {
    let mut daemon = Daemon::usual(&[]);
    let mut ann = daemon.login("ann");
    let (code, answer, _) = admin(&daemon, &["drain", "30"]);
    assert_eq!((code, &answer["sessions"]), (Some(0), &1.into()));
    let bye = ann.bye();
    assert_eq!(bye.code, Code::GoingAway.number());
    assert!(bye.retry_after_ms.is_some_and(|ms| (30_000..=60_000).contains(&ms)), "{bye:?}");
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    assert!(!daemon.home().join("admin.sock").exists(), "the socket goes with the server");
    let (code, _, stderr) = admin(&daemon, &["status"]);
    assert_eq!(code, Some(69));
    assert!(stderr.contains("is it running"), "{stderr}");
}

#[test]
fn what_is_not_a_request_is_told_so() {
    let daemon = Daemon::usual(&[]);
    let socket = daemon.home().join("admin.sock");
    for (line, told) in [
        ("nonsense", "this is not a request"),
        (r#"{"command":"sudo"}"#, "there is no command"),
        (r#"{"command":"kick"}"#, "kick needs who"),
        (r#"{"command":"kick","arguments":{"whom":"x","who":"y"}}"#, "takes no"),
        (r#"{"command":"drain","arguments":{"seconds":"soon"}}"#, "not a whole number"),
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(answer.contains(told) && answer.contains(r#""ok":false"#), "{line}: {answer}");
    }
    daemon.login("ann");
}

#[test]
fn others_are_not_heard() {
    let daemon = Daemon::usual(&[]);
    let socket = daemon.home().join("admin.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    if !rustix::process::geteuid().is_root() {
        // Only root can be somebody else.
        return;
    }
    // Even with a socket that everybody may open.
    for path in [daemon.home(), socket.as_path()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                  s.sendall(b'{\"command\":\"status\"}\\n'); print(s.recv(999).decode())";
    let output = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            script,
        ])
        .arg(&socket)
        .output()
        .unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(answer.contains("only root and the server's own user"), "{answer}{output:?}");
}

#[test]
fn every_command_is_in_the_help() {
    let output = klatchd(&["admin", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for command in klatch::server::admin::table::COMMANDS {
        assert!(help.contains(command.name), "{}", command.name);
    }
    let output = klatchd(&["admin", "kick"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}
