//! Accounts in the Lua chat program: made and entered with a password that nobody sees, kept by a
//! token, given up; and rooms kept in order from its command line.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use klatch::protocol::event::Event;
use klatch::protocol::request::{Devices, Login, Register, Unread};
use tempfile::TempDir;

use super::chat::{Terminal, lua_chat};
use super::process::{INTERPRETERS, Program};
use crate::support::{TestClient, TestServer};

const PASSWORD: &str = "correct horse";

fn password_file(home: &TempDir, password: &str) -> PathBuf {
    let path = home.path().join("password");
    fs::write(&path, format!("{password}\n")).unwrap();
    path
}

/// The program with state of its own; with a file that holds the password, if one is given.
fn chat(
    name: &str,
    server: &TestServer,
    user: &str,
    home: &TempDir,
    args: &[&str],
    password: Option<&Path>,
) -> Command {
    let mut command = lua_chat(name, server, user, args);
    command.env("XDG_STATE_HOME", home.path()).env_remove("KLATCH_PASSWORD_FILE");
    if let Some(path) = password {
        command.env("KLATCH_PASSWORD_FILE", path);
    }
    command
}

/// Says one text and ends; its code and its errors.
fn says(command: &mut Command, text: &str) -> (Option<i32>, String) {
    let mut program = Program::start(command);
    program.write(&format!("{text}\n"));
    let (code, errors, _) = program.end();
    (code, errors)
}

fn account(server: &TestServer, name: &str) -> TestClient {
    let mut client = server.connect();
    client.hello();
    let password = PASSWORD.into();
    let register =
        Register { name: name.into(), password, invite: None, device: None, timeout_ms: None };
    let made = client.request(&register).expect("an account");
    for _ in made.rooms {
        client.expect(|event| matches!(event, Event::Room(_)).then_some(()));
    }
    client
}

#[test]
fn an_account_is_made_and_kept_in_a_pipe() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let mut watcher = server.login("watcher");
    for (name, user) in INTERPRETERS.iter().zip(["ann", "bob", "cleo", "dora"]) {
        let home = tempfile::tempdir().unwrap();
        let file = password_file(&home, PASSWORD);
        let made =
            says(&mut chat(name, &server, user, &home, &["--register"], Some(&file)), "made");
        assert_eq!(made.0, Some(0), "{name}: {}", made.1);
        assert_eq!(&*watcher.message().text, "made", "{name}");
        let path = home.path().join("klatch/tokens");
        let kept = fs::read_to_string(&path).unwrap();
        let words: Vec<&str> = kept.split_whitespace().collect();
        assert_eq!((words.len(), words[1], words[2].len()), (3, user, 64), "{name}: {kept}");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
        // Now the token is enough; without it nothing is.
        let again = says(&mut chat(name, &server, user, &home, &[], None), "again");
        assert_eq!(again.0, Some(0), "{name}: {}", again.1);
        assert_eq!(&*watcher.message().text, "again", "{name}");
        let stranger = tempfile::tempdir().unwrap();
        let refused = says(&mut chat(name, &server, user, &stranger, &[], None), "not me");
        assert_eq!(refused.0, Some(77), "{name}: {}", refused.1);
        let wrong = password_file(&stranger, "wrong horse");
        let refused = says(&mut chat(name, &server, user, &stranger, &[], Some(&wrong)), "not me");
        assert_eq!(refused.0, Some(77), "{name}: {}", refused.1);
        assert!(!stranger.path().join("klatch/tokens").exists(), "{name}");
        // A token that is void is made up for by the password, and replaced.
        fs::write(&path, kept.replace(words[2], &"0".repeat(64))).unwrap();
        let late = says(&mut chat(name, &server, user, &home, &[], Some(&file)), "with password");
        assert_eq!(late.0, Some(0), "{name}: {}", late.1);
        assert_eq!(&*watcher.message().text, "with password", "{name}");
        let now = fs::read_to_string(&path).unwrap();
        assert!(!now.contains(&"0".repeat(64)) && now.lines().count() == 1, "{name}: {now}");
    }
}

#[test]
fn a_password_is_typed_unseen_and_logging_out_forgets_the_token() {
    let server = TestServer::start();
    let mut watcher = server.login("watcher");
    let home = tempfile::tempdir().unwrap();
    let tokens = home.path().join("klatch/tokens");
    let terminal = Terminal::start(&chat("lua5.4", &server, "ann", &home, &["--register"], None));
    terminal.shows("password for the new account ann:");
    terminal.keys(&[PASSWORD, "Enter"]);
    terminal.shows("and again:");
    terminal.keys(&[PASSWORD, "Enter"]);
    terminal.shows("[#lobby]");
    assert!(fs::metadata(&tokens).unwrap().len() > 64);
    terminal.keys(&["/devices", "Enter"]);
    assert!(terminal.shows("this one").contains("klatch.lua"));
    terminal.keys(&["/passwd", "Enter"]);
    for (prompt, typed) in [
        ("password now:", PASSWORD),
        ("new password:", "battery staple"),
        ("and again:", "battery staple"),
    ] {
        terminal.shows(prompt);
        terminal.keys(&[typed, "Enter"]);
    }
    terminal.shows("the password is changed");
    // Neither is on the screen, nor do the arrow keys bring one back to be said.
    terminal.keys(&["Up"]);
    terminal.shows("[#lobby] /passwd");
    terminal.keys(&["C-u", "said", "Enter"]);
    let mut said = watcher.message().text.to_string();
    assert_eq!(said, "said");
    let screen = terminal.shows("<ann> said");
    assert!(!screen.contains("horse") && !screen.contains("staple"), "{screen}");
    terminal.keys(&["/quit", "Enter"]);
    terminal.shows("ended with 0");
    drop(terminal);

    // It comes back without being asked, and logs out for good.
    let terminal = Terminal::start(&chat("luajit", &server, "ann", &home, &[], None));
    terminal.shows("[#lobby]");
    terminal.keys(&["/logout", "Enter"]);
    terminal.shows("ended with 0");
    assert_eq!(fs::read_to_string(&tokens).unwrap(), "");
    drop(terminal);

    // Then the password is asked for: the name is that of an account.
    let terminal = Terminal::start(&chat("lua5.1", &server, "ann", &home, &[], None));
    terminal.shows("password of ann:");
    terminal.keys(&["battery staple", "Enter"]);
    terminal.shows("[#lobby]");
    terminal.keys(&["back", "Enter"]);
    said = watcher.message().text.to_string();
    assert_eq!(said, "back");
    // Who is logged out from another device is told, and keeps nothing.
    let mut other = server.connect();
    other.hello();
    let password = Some("battery staple".into());
    other.request(&Login { password, ..Login::guest("ann".into()) }).expect("a second device");
    let list = other.request(&Devices { timeout_ms: None }).expect("a list").devices.0;
    let device = list.iter().find(|one| !one.current).expect("the program").id;
    other
        .request(&klatch::protocol::request::Revoke { device, timeout_ms: None })
        .expect("logged out");
    terminal.shows("ended with 77");
    assert_eq!(fs::read_to_string(&tokens).unwrap(), "");
}

#[test]
fn a_room_is_kept_in_order_from_the_command_line() {
    let server = TestServer::start();
    let mut bob = account(&server, "bob");
    let home = tempfile::tempdir().unwrap();
    let file = password_file(&home, PASSWORD);
    let ann = chat("lua5.3", &server, "ann", &home, &["--register"], Some(&file));
    let terminal = Terminal::start(&ann);
    terminal.shows("[#lobby]");
    terminal.keys(&["/create -p den Plans", "Enter"]);
    terminal.shows("[#den]");
    terminal.keys(&["/invite bob", "Enter"]);
    terminal.shows("bob may come in");
    let by = bob.expect(|event| match event {
        Event::Invited(invited) => Some(invited.by.to_string()),
        _ => None,
    });
    assert_eq!(by, "ann");
    bob.join("den");
    terminal.keys(&["/role bob moderator", "Enter"]);
    bob.expect(|event| matches!(event, Event::Ranked(_)).then_some(()));
    terminal.shows("ann made bob moderator");
    terminal.keys(&["/role bob member", "Enter"]);
    bob.expect(|event| matches!(event, Event::Ranked(_)).then_some(()));
    terminal.keys(&["/set announcement on slow 10s", "Enter"]);
    terminal.shows("moderators write, every 10 s");
    terminal.keys(&["/mute bob 10m", "Enter"]);
    terminal.shows("bob is muted");
    terminal.keys(&["/standings", "Enter"]);
    terminal.shows("bob: muted until");
    terminal.keys(&["/kick bob that is enough", "Enter"]);
    let told = bob.expect(|event| match event {
        Event::Removed(removed) => removed.text.as_ref().map(ToString::to_string),
        _ => None,
    });
    assert_eq!(told, "that is enough");
    terminal.keys(&["/ban bob 2h", "Enter"]);
    terminal.shows("bob is banned");
    terminal.keys(&["/rename attic", "Enter"]);
    terminal.shows("[#attic]");
    terminal.keys(&["up here", "Enter"]);
    terminal.shows("#attic #2 <ann> up here");
    terminal.keys(&["/block bob", "Enter"]);
    terminal.shows("bob is blocked");
    terminal.keys(&["C-l", "/blocks", "Enter"]);
    terminal.shows("-- bob");
    terminal.keys(&["C-l", "/destroy attic", "Enter"]);
    terminal.shows("[#lobby]");
    terminal.shows("the room was deleted");
    terminal.keys(&["/quit", "Enter"]);
    terminal.shows("ended with 0");
}

#[test]
fn what_was_read_is_known_to_all_devices() {
    let server = TestServer::start();
    let mut bob = account(&server, "bob");
    let mut ann = account(&server, "ann");
    let unread = Unread { after: None, limit: None, timeout_ms: None };
    bob.say("lobby", "hello @ann");
    bob.say("lobby", "and all");
    assert_eq!(ann.request(&unread).expect("a list").rooms.0[0].unread, 2);
    let home = tempfile::tempdir().unwrap();
    let file = password_file(&home, PASSWORD);
    let terminal = Terminal::start(&chat("lua5.4", &server, "ann", &home, &[], Some(&file)));
    terminal.shows("#lobby: 2 to read, 1 for you");
    // It is on the screen: the other device is told.
    let seq = |event: &Event| match event {
        Event::Read(read) => Some(read.seq.0),
        _ => None,
    };
    assert_eq!(ann.expect(seq), 2);
    bob.say("lobby", "more");
    assert_eq!(ann.expect(seq), 3);
    assert!(ann.request(&unread).expect("a list").rooms.0.is_empty());
    terminal.keys(&["/unread", "Enter"]);
    terminal.shows("there is nothing to read");
}
