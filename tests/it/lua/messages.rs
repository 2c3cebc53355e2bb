//! Messages that are answered, edited, deleted, reacted to and looked for, by the library under every
//! interpreter and on the terminal.

use klatch::base::id::Seq;
use klatch::protocol::event::Event;
use klatch::protocol::request::{Edit, React};

use super::chat::{Terminal, lua_chat};
use super::process::{INTERPRETERS, Program, interpreter, top};
use crate::support::{TestClient, TestServer};

#[test]
fn what_a_client_shows_is_what_the_server_has() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    for (name, user) in INTERPRETERS.iter().zip(["ann", "bob", "cleo", "dora"]) {
        let mut command = interpreter(name, &top().join("tests/lua/changes.lua"));
        command.args([&server.address.to_string(), &server.fingerprint, user]);
        let (code, errors, log) = Program::start(&mut command).end();
        let story = log.join("\n");
        assert_eq!(code, Some(0), "{name}: {errors}\n{story}");
        let of = |who: &str| -> Vec<String> {
            log.iter().filter_map(|line| line.strip_prefix(who)).map(str::to_owned).collect()
        };
        assert_eq!(of("server|"), of("client|"), "{name}: {story}");
        for line in [
            format!("1|first words|-|edited|-|+1:1:{user}"),
            "2|second draft|1|edited|-|".to_owned(),
            "3||-|-|deleted|".to_owned(),
        ] {
            assert!(of("server|").contains(&line), "{name}: {line:?} in {story}");
        }
        assert_eq!(of("server|").len(), 12, "{name}: {story}");
    }
}

/// Waits for a change of a message: its event's name, which message, and the text.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are not about messages")]
fn change(client: &mut TestClient) -> (&'static str, u64, String) {
    client.expect(|event| match event {
        Event::Message(said) => {
            Some(("message", said.re.map_or(0, |re| re.0), said.text.to_string()))
        }
        Event::Edit(edit) => Some(("edit", edit.re.0, edit.text.to_string())),
        Event::Delete(gone) => Some(("delete", gone.re.0, String::new())),
        Event::React(new) => Some(("react", new.re.0, new.text.to_string())),
        Event::Unreact(gone) => Some(("unreact", gone.re.0, gone.text.to_string())),
        _ => None,
    })
}

#[test]
fn messages_are_changed_from_the_command_line() {
    let server = TestServer::start();
    let mut bob = server.login("bob");
    let first = bob.say("lobby", "what is for lunch?").seq;
    let second = bob.say("lobby", "and when").seq;
    assert_eq!(change(&mut bob).0, "message");
    assert_eq!(change(&mut bob).0, "message");
    let terminal = Terminal::start(&lua_chat("lua5.4", &server, "ann", &[]));
    // Who comes into a room sees what was said last.
    terminal.shows("#lobby #1 <bob> what is for lunch?");
    terminal.shows("#lobby #2 <bob> and when");
    terminal.keys(&["/reply ^1 soup", "Enter"]);
    assert_eq!(change(&mut bob), ("message", first.0, "soup".into()));
    terminal.shows("<ann> \u{21aa} bob: what is for lunch? \u{2502} soup");
    terminal.keys(&["/edit good soup", "Enter"]);
    assert_eq!(change(&mut bob), ("edit", 3, "good soup".into()));
    terminal.shows("* ann edited #3: good soup");
    terminal.keys(&["/react #2 noon", "Enter"]);
    assert_eq!(change(&mut bob), ("react", second.0, "noon".into()));
    terminal.keys(&["/react #2 -noon", "Enter"]);
    assert_eq!(change(&mut bob), ("unreact", second.0, "noon".into()));
    bob.request(&React {
        room: "lobby".into(),
        seq: Seq(3),
        reaction: "yum".into(),
        on: true,
        key: None,
        timeout_ms: None,
    })
    .expect("reacted");
    terminal.shows("* bob reacted to #3: yum");
    bob.request(&Edit {
        room: "lobby".into(),
        seq: first,
        text: "what is for dinner?".into(),
        key: None,
        timeout_ms: None,
    })
    .expect("edited");
    terminal.shows("* bob edited #1: what is for dinner?");
    terminal.keys(&["C-l", "/history #3", "Enter"]);
    terminal
        .shows("#3 <ann> \u{21aa} bob: what is for dinner? \u{2502} good soup (edited) [yum 1]");
    terminal.keys(&["C-l", "/search SOUP good", "Enter"]);
    terminal.shows("<ann> \u{21aa} bob: what is for dinner? \u{2502} good soup (edited) [yum 1]");
    terminal.shows("-- 1 message");
    assert_eq!(change(&mut bob).0, "react");
    assert_eq!(change(&mut bob).0, "edit");
    terminal.keys(&["/delete", "Enter"]);
    assert_eq!(change(&mut bob), ("delete", 3, String::new()));
    terminal.shows("* ann deleted #3");
    terminal.keys(&["/delete #1", "Enter"]);
    terminal.shows("the message is somebody else's");
    terminal.keys(&["C-l", "/history 9", "Enter"]);
    terminal.shows("#3 <ann> \u{21aa} bob: what is for dinner? \u{2502} (deleted)");
    terminal.keys(&["C-l", "/search soup", "Enter"]);
    terminal.shows("-- nothing found");
    terminal.keys(&["C-d"]);
    terminal.shows("ended with 0");
}

#[test]
fn who_types_is_shown_and_a_name_is_changed() {
    let server = TestServer::start();
    let mut bob = server.login("bob");
    let terminal = Terminal::start(&lua_chat("luajit", &server, "ann", &[]));
    terminal.shows("[#lobby]");
    // The others are told that something is being written, and it is shown of them.
    bob.request(&klatch::protocol::request::Typing {
        room: "lobby".into(),
        active: true,
        timeout_ms: None,
    })
    .expect("told");
    terminal.shows("[#lobby, bob is typing]");
    terminal.keys(&["half a word"]);
    assert!(bob.expect(|event| match event {
        Event::Typing(typing) if *typing.from == *"ann" => Some(typing.active),
        _ => None,
    }));
    terminal.keys(&["C-u", "/name anna", "Enter"]);
    terminal.shows("you are anna");
    terminal.keys(&["still here", "Enter"]);
    assert_eq!(change(&mut bob), ("message", 0, "still here".into()));
    // A name that is not to be had leaves one with one's own.
    terminal.keys(&["C-l", "/name bob", "Enter"]);
    terminal.shows("klatch.lua: ");
    terminal.keys(&["and again", "Enter"]);
    assert_eq!(change(&mut bob), ("message", 0, "and again".into()));
    terminal.keys(&["/quit", "Enter"]);
    terminal.shows("ended with 0");
}
