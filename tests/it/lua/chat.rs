//! The chat program and the bots, with the client in Rust in one room: in a pipe and on a terminal.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::process::{INTERPRETERS, Program, interpreter, lua};
use crate::support::{TestClient, TestServer};

/// The chat program by an interpreter, over TLS.
pub(super) fn lua_chat(name: &str, server: &TestServer, user: &str, args: &[&str]) -> Command {
    let mut command = interpreter(name, &lua("bin/klatch.lua"));
    command.args(["--server", &server.address.to_string()]);
    command.args(["--fingerprint", &server.fingerprint, "--name", user]).args(args);
    command
}

fn rust_chat(server: &TestServer, user: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klatch"));
    command.args(["--server", &server.address.to_string(), "--line"]);
    command.args(["--fingerprint", &server.fingerprint, "--name", user]).args(args);
    command
}

#[test]
fn lua_and_rust_talk_in_one_room() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let mut watcher = server.login("watcher");
    let mut rust = Program::start(&mut rust_chat(&server, "rust", &[]));
    let mut chats: Vec<Program> = INTERPRETERS
        .iter()
        .zip(["ann", "bob", "cleo", "dora"])
        .map(|(name, user)| Program::start(&mut lua_chat(name, &server, user, &[])))
        .collect();
    for user in ["ann", "bob", "cleo", "dora", "rust"] {
        // Members of the lobby, not only on their way.
        while !members(&mut watcher).contains(&user.to_owned()) {}
    }
    // What Rust says every Lua prints, and what each Lua says Rust and the other Luas print.
    rust.write("from rust\n");
    for chat in &mut chats {
        assert!(chat.wait_for("from rust").ends_with(" #lobby <rust> from rust"));
    }
    for (number, user) in ["ann", "bob", "cleo", "dora"].iter().enumerate() {
        chats[number].write(&format!("hello from {user}\u{1b}[31m\nagain\u{202e}\n"));
        let line = rust.wait_for(&format!("hello from {user}"));
        assert!(
            line.ends_with(&format!("#lobby <{user}> hello from {user}\u{241b}[31m")),
            "{line}"
        );
        for chat in &mut chats {
            chat.wait_for(&format!("<{user}> hello from {user}\u{241b}[31m"));
            chat.wait_for(&format!("<{user}> again<U+202E>"));
        }
    }
    for chat in chats {
        let (code, errors, _) = chat.end();
        assert_eq!(code, Some(0), "{errors}");
    }
    let (code, errors, _) = rust.end();
    assert_eq!(code, Some(0), "{errors}");
}

fn members(client: &mut TestClient) -> Vec<String> {
    let ask = klatch::protocol::request::Members {
        room: "lobby".into(),
        after: None,
        limit: None,
        timeout_ms: None,
    };
    let list = client.request(&ask).expect("a list");
    list.members.0.iter().map(|member| member.name.to_string()).collect()
}

#[test]
fn a_pipe_ends_with_all_said_or_a_code_that_tells() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let mut watcher = server.login("watcher");
    let _held = server.login("held");
    for (name, user) in INTERPRETERS.iter().zip(["ann", "bob", "cleo", "dora"]) {
        let mut chat = Program::start(&mut lua_chat(name, &server, user, &[]));
        let lines: Vec<String> = (0..300).map(|line| format!("{user} {line}")).collect();
        chat.write(&format!("{}\n\n  \nno line's end", lines.join("\n")));
        chat.close_input();
        for line in &lines {
            assert_eq!(*watcher.message().text, **line, "{name}");
        }
        assert_eq!(&*watcher.message().text, "no line's end");
        let (code, errors, log) = chat.end();
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert!(log.iter().any(|line| line.contains("no line's end")), "{name}: its own, too");

        let mut chat = Program::start(&mut lua_chat(name, &server, user, &[]));
        chat.write(&format!("{}\nlast\n", "x".repeat(20_000)));
        let (code, errors, _) = chat.end();
        assert_eq!(code, Some(1), "{name}: {errors}");
        assert!(errors.contains("line 1 was not said"), "{name}: {errors}");
        assert_eq!(&*watcher.message().text, "last");

        let taken = Program::start(&mut lua_chat(name, &server, "held", &[])).end();
        assert_eq!(taken.0, Some(77), "{name}: {}", taken.1);
        let nowhere =
            Program::start(&mut lua_chat(name, &server, user, &["--room", "nowhere"])).end();
        assert_eq!(nowhere.0, Some(69), "{name}: {}", nowhere.1);
        assert!(nowhere.1.contains("nowhere"), "{name}: {}", nowhere.1);
        let wrong = Program::start(&mut lua_chat(name, &server, user, &["--nonsense"])).end();
        assert_eq!(wrong.0, Some(64), "{name}: {}", wrong.1);
    }
}

/// A terminal of its own in tmux.
pub(super) struct Terminal {
    home: TempDir,
}

impl Terminal {
    pub(super) fn start(command: &Command) -> Self {
        let terminal = Self { home: tempfile::tempdir().unwrap() };
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> =
            words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let set: Vec<String> =
            set.map(|(name, value)| format!("{}='{}'", name.display(), value.display())).collect();
        let line = format!("{} {}; echo ended with $?; cat", set.join(" "), words.join(" "));
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", &line]);
        terminal
    }

    fn tmux(&self, args: &[&str]) -> String {
        let socket: &Path = &self.home.path().join("tmux");
        let output = Command::new("tmux")
            .args(["-u", "-S", &socket.display().to_string()])
            .args(args)
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux: scripts/install-dependencies test");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(super) fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Waits until the screen shows this. Nothing tells when a screen changes: each look is a
    /// process, which is pause enough.
    #[track_caller]
    pub(super) fn shows(&self, part: &str) -> String {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let screen = self.tmux(&["capture-pane", "-p", "-J"]);
            if screen.contains(part) {
                return screen;
            }
            assert!(Instant::now() < until, "{part:?} is not on the screen:\n{screen}");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn the_chat_program_works_on_a_terminal() {
    let server = TestServer::start();
    let mut bob = server.login("bob");
    for (name, user) in [("lua5.4", "ann"), ("luajit", "cleo")] {
        let terminal = Terminal::start(&lua_chat(name, &server, user, &[]));
        terminal.shows("[#lobby]");
        terminal.keys(&["hello wörldx", "BSpace", "Enter"]);
        assert_eq!(&*bob.message().text, "hello wörld", "{name}");
        bob.say("lobby", "turned \u{202e}round");
        terminal.shows("<bob> turned <U+202E>round");
        // What comes does not disturb what is being written.
        terminal.keys(&["half a"]);
        terminal.shows("[#lobby] half a");
        bob.say("lobby", "in between");
        terminal.shows("<bob> in between");
        terminal.shows("[#lobby] half a");
        terminal.keys(&[" line", "Enter"]);
        assert_eq!(
            &*bob.expect(|event| match event {
                klatch::protocol::event::Event::Message(said) if *said.from == *user =>
                    Some(said.text.clone()),
                _ => None,
            }),
            "half a line"
        );
        terminal.keys(&["/mem", "Tab", "Enter"]);
        terminal.shows("2 members: bob ");
        terminal.keys(&["/create ", user, "-room Things to do", "Enter"]);
        terminal.shows(&format!("[#{user}-room]"));
        terminal.keys(&["/topic", "Enter"]);
        terminal.shows("topic: Things to do");
        terminal.keys(&["/rooms", "Enter"]);
        terminal.shows("#lobby (2 members)");
        terminal.keys(&["/msg bob psst", "Enter"]);
        terminal.shows("@bob");
        assert_eq!(&*bob.message().text, "psst");
        terminal.keys(&["/room lobby", "Enter", "/history 2", "Enter"]);
        terminal.shows("-- there is more before it");
        terminal.keys(&["/call typing room=lobby active=true", "Enter"]);
        terminal.shows("-- typing: done");
        terminal.keys(&["/nonsense", "Enter"]);
        terminal.shows("there is no command /nonsense");
        terminal.keys(&["C-d"]);
        terminal.shows("ended with 0");
    }
}

#[test]
fn a_person_may_take_time_to_decide_about_an_unknown_server() {
    let server = TestServer::with(&["timeouts.login=1s"]);
    let home = tempfile::tempdir().unwrap();
    let known = home.path().join("known").display().to_string();
    let mut command = interpreter("lua5.4", &lua("bin/klatch.lua"));
    command.args(["--server", &server.address.to_string(), "--name", "ann"]);
    command.args(["--known-servers", &known]);
    let no = Terminal::start(&command);
    assert!(no.shows("[y/N]").contains(&server.fingerprint[..20]));
    no.keys(&["n", "Enter"]);
    no.shows("ended with 76");
    let yes = Terminal::start(&command);
    yes.shows("[y/N]");
    // The server has given up waiting for a login.
    server.wait_for_sessions(0);
    yes.keys(&["y", "Enter"]);
    yes.shows("[#lobby]");
    yes.keys(&["C-d"]);
    yes.shows("ended with 0");
    let again = Terminal::start(&command);
    assert!(!again.shows("[#lobby]").contains("[y/N]"));
}

#[test]
fn the_bots_do_what_they_say() {
    for name in INTERPRETERS {
        let server = TestServer::start();
        let mut ann = server.login("ann");
        let home = tempfile::tempdir().unwrap();
        let address = server.address.to_string();
        let bot = |file: &str| {
            let mut command = interpreter(name, &lua(file));
            command.args([&address, "lobby"]).env("XDG_STATE_HOME", home.path());
            Program::start(&mut command)
        };
        let echo = bot("examples/echo.lua");
        let mut ops = bot("examples/ops.lua");
        ops.write("disk is full\n");
        assert_eq!(&*ann.message().text, "disk is full", "{name}");
        while !members(&mut ann).contains(&"echo".to_owned()) {}
        ann.say("lobby", "echo: hello");
        assert_eq!(&*ann.message().text, "echo: hello");
        assert_eq!(&*ann.message().text, "hello", "{name}");
        ann.say("lobby", "!uptime");
        ann.message();
        assert!(ann.message().text.contains("load average"), "{name}");
        drop((echo, ops));
    }
}
