//! The `klatch` program in line mode, as a script uses it, against a real server over TLS.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::TestServer;

/// A user with a home of their own.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a directory") }
    }

    fn known_servers(&self) -> PathBuf {
        self.home.path().join("klatch/known_servers")
    }

    /// Runs `klatch` with this input to its end.
    fn klatch(&self, server: &TestServer, args: &[&str], input: &str) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_klatch"))
            .args(["--server", &server.address.to_string()])
            .args(args)
            .env("XDG_STATE_HOME", self.home.path())
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("klatch starts");
        let mut stdin = child.stdin.take().expect("its input");
        // A klatch that ended already has said why.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        Ended::new(&child.wait_with_output().expect("klatch ends"))
    }
}

/// How a run ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn code(&self, want: i32) -> &Self {
        assert_eq!(self.code, Some(want), "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    fn explains(&self, why: &str) -> &Self {
        assert!(self.err.contains(why), "{}", self.err);
        self
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

#[test]
fn each_line_of_input_is_said_in_order() {
    let server = TestServer::start();
    let mut watcher = server.login("watcher");
    let lines: Vec<String> = (1..=60).map(|n| format!("line {n}")).collect();
    let input = format!("{}\n\n   \n", lines.join("\n"));
    User::new().klatch(&server, &["--name", "ann"], &input).code(0);
    let heard: Vec<String> = lines.iter().map(|_| watcher.message().text.to_string()).collect();
    assert_eq!(heard, lines);
}

#[test]
fn what_is_said_comes_back_in_the_documented_form() {
    let server = TestServer::start();
    let input = "plain\nred \u{1b}[31m and\tback\u{202e}wards\n";
    let ended = User::new().klatch(&server, &["--name", "ann", "--room", "lobby"], input);
    let texts: Vec<_> = ended.code(0).out.lines().map(|line| line.split_at(8)).collect();
    let [(time, first), (_, second)] = texts[..] else { panic!("{}", ended.out) };
    assert_eq!(time.bytes().filter(|&byte| byte == b':').count(), 2, "{time}");
    assert_eq!(first, " #lobby <ann> plain");
    assert_eq!(second, " #lobby <ann> red \u{241b}[31m and    back<U+202E>wards");
}

#[test]
fn json_is_one_object_a_line() {
    let server = TestServer::start();
    let ended = User::new().klatch(&server, &["--name", "ann", "--json"], "hello\n");
    let lines = ended.code(0).out.lines();
    let events = lines.map(|line| serde_json::from_str(line).expect("JSON"));
    let events: Vec<serde_json::Value> = events.collect();
    let kinds: Vec<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(kinds, ["connected", "room", "message"]);
    assert_eq!(events[2]["text"], "hello");
}

#[test]
fn a_new_server_is_remembered_and_a_changed_one_refused() {
    let server = TestServer::start();
    let user = User::new();
    let first = user.klatch(&server, &["--name", "ann"], "");
    first.code(0).explains("is not known").explains(&server.fingerprint);
    let line = format!("{} sha256:{}\n", server.address, server.fingerprint);
    assert_eq!(std::fs::read_to_string(user.known_servers()).expect("the file"), line);
    let second = user.klatch(&server, &["--name", "ann"], "");
    assert!(!second.code(0).err.contains("is not known"), "{}", second.err);

    let other = format!("sha256:{}", "00".repeat(32));
    write(&user.known_servers(), &format!("# mine\n{} {other}\n", server.address));
    let changed = user.klatch(&server, &["--name", "ann"], "secret\n");
    changed.code(76).explains(&other).explains(&server.fingerprint).explains("line 2");
    assert!(changed.out.is_empty());
}

#[test]
fn a_given_fingerprint_or_authority_is_all_that_counts() {
    let server = TestServer::start();
    let user = User::new();
    let wrong = format!("sha256:{}", "00".repeat(32));
    write(&user.known_servers(), &format!("{} {wrong}\n", server.address));
    user.klatch(&server, &["--name", "ann", "--fingerprint", &server.fingerprint], "").code(0);
    let refused = user.klatch(&server, &["--name", "ann", "--fingerprint", &wrong], "");
    refused.code(76).explains("which was asked for");

    let user = User::new();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("made");
    let file = user.home.path().join("authority.pem");
    write(&file, &other.cert.pem());
    let file = file.display().to_string();
    user.klatch(&server, &["--name", "ann", "--ca", &file], "").code(69);
    assert!(!user.known_servers().exists(), "nothing is trusted on first use then");
}

#[test]
fn an_account_is_made_once_and_stays_logged_in_on_this_machine() {
    let server = TestServer::start();
    let (ann, other) = (User::new(), User::new());
    let secret = ann.home.path().join("secret");
    write(&secret, "correct horse\n");
    let file = secret.to_str().unwrap();
    let register = ["--name", "ann", "--register", "--password-file", file];
    ann.klatch(&server, &register, "made\n").code(0);
    // The token was kept, for the user alone.
    ann.klatch(&server, &["--name", "ann"], "back\n").code(0);
    let tokens = ann.home.path().join("klatch/tokens");
    let token = std::fs::read_dir(&tokens).unwrap().next().unwrap().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&token.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // Elsewhere it takes the password.
    let ended = other.klatch(&server, &["--name", "ann"], "");
    ended.code(77).explains("belongs to an account");
    let with_password = ["--name", "ann", "--password-file", file];
    other.klatch(&server, &with_password, "elsewhere\n").code(0);
    // A token that is void is forgotten, and a wrong password is told.
    std::fs::write(token.path(), "00".repeat(32)).unwrap();
    write(&secret, "wrong horse\n");
    ann.klatch(&server, &with_password, "").code(77).explains("do not belong together");
    assert!(!token.path().exists());
}

#[test]
fn what_goes_wrong_has_a_code_and_a_reason() {
    let server = TestServer::start();
    let user = User::new();
    let _ann = server.login("ann");
    user.klatch(&server, &["--name", "ann"], "").code(77).explains("would be accepted");
    user.klatch(&server, &["--name", "a b"], "").code(77);
    user.klatch(&server, &["--name", "bob", "--room", "nowhere"], "").code(69).explains("nowhere");
    // The name was given back at once.
    user.klatch(&server, &["--name", "bob"], "").code(0);
    let long = "x".repeat(20_000);
    let input = format!("short\n{long}\nlast\n");
    let ended = user.klatch(&server, &["--name", "bob"], &input);
    ended.code(1).explains("line 2 was not said");
    assert!(ended.out.contains("<bob> last"), "{}", ended.out);
    user.klatch(&server, &["--nonsense"], "").code(64);
}
