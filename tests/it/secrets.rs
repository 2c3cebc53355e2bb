//! Planted secrets come out nowhere: not in the log at its most talkative, not in metrics, arguments,
//! the printed configuration, the admin's answers, nor in what the process leaves when it dies.
//!
//! Planted are texts, keys, passwords, tokens, codes of invitations, and the private keys of TLS and of
//! the account at an authority, wherever they may come from.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use klatch::base::id::Key;
use klatch::protocol::request::{
    Create, Direct, Edit, Login, Passwd, Register, Search, Topic, Unregister,
};
use klatch::server::admin::table::COMMANDS;
use rustix::process::Signal;

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin, admin_text, certificate};
use crate::support::daemon::{Daemon, klatchd};
use crate::support::spilt::written;

const TEXT: &str = "PLANTED-TEXT-7f3a";
const TOPIC: &str = "PLANTED-TOPIC-81bc";
const KEY: &[u8; 16] = b"PLANTED-KEY-0001";
const PASSWORD: &str = "PLANTED-PASSWORD-4c";
const NEW_PASSWORD: &str = "PLANTED-NEW-PASSWORD-5d";
const WRONG_PASSWORD: &str = "PLANTED-WRONG-PASSWORD-6e";
const WRONG_CODE: &str = "pzantedc0de000000000";

/// Where the private key of TLS comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Files,
    Credentials,
    Authority,
}

/// A second line of a private key: as good as the whole.
fn line_of(pem: &str) -> String {
    let key = pem.split("-----BEGIN PRIVATE KEY-----").nth(1).expect("a private key");
    key.lines().nth(1).expect("a line").to_owned()
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Puts keys where the server will find them; the configuration for that, and the secrets.
fn keys(source: Source, folder: &Path, state: &Path) -> (String, Vec<String>) {
    let (path, key) = certificate(folder, "tls", 90);
    let pem = std::fs::read_to_string(&key).unwrap();
    let mut secrets = vec![line_of(&pem)];
    let config = match source {
        Source::Files => {
            format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", path.display(), key.display())
        }
        Source::Credentials => {
            std::fs::rename(path, folder.join("certificate.pem")).unwrap();
            std::fs::rename(key, folder.join("key.pem")).unwrap();
            String::new()
        }
        Source::Authority => {
            let chain = std::fs::read_to_string(path).unwrap();
            private(&state.join("acme.pem"), &(pem + &chain));
            let account =
                openssl::base64::encode_block(&rcgen::KeyPair::generate().unwrap().serialize_der());
            let account = account.replace('+', "-").replace('/', "_").replace('=', "");
            secrets.push(account.clone());
            // Nobody is there, which is told at length.
            let directory = "https://localhost:1/dir";
            let kept = serde_json::json!({"directory": directory, "credentials": {
                "id": "https://localhost:1/account/1", "key_pkcs8": account, "directory": directory,
            }});
            private(&state.join("acme-account.json"), &kept.to_string());
            format!("[acme]\ndomains = \"chat.example.test\"\ndirectory = {directory:?}\n")
        }
    };
    (config, secrets)
}

/// A daemon that may leave a core, in the folder `remains`.
fn start(file: &ConfigFile, home: Rc<tempfile::TempDir>, remains: &Path) -> Daemon {
    let path = file.path();
    let options = ["--config", path.to_str().unwrap(), "--set", "limits.exempt=127.0.0.0/8"];
    let inner = klatchd(&[&options[..], &["--set", "server.listen=127.0.0.1:0"]].concat());
    let mut shell = Command::new("sh");
    shell.arg0("sh").arg("-c").arg("ulimit -c unlimited; cd \"$0\" && exec \"$@\"").arg(remains);
    shell.arg(inner.get_program()).args(inner.get_args()).env_clear();
    if file.folder().join("key.pem").exists() {
        shell.env("CREDENTIALS_DIRECTORY", file.folder());
    }
    Daemon::start_with(home, &mut shell)
}

/// Whether a process that dies leaves a core in its folder here: else its absence means nothing.
fn cores_are_left() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let script = "ulimit -c unlimited; cd \"$0\" && kill -ABRT $$";
    let died = Command::new("sh").arg("-c").arg(script).arg(folder.path()).status().unwrap();
    assert!(!died.success());
    std::fs::read_dir(folder.path()).unwrap().next().is_some()
}

fn greeted(daemon: &Daemon) -> TestClient {
    let mut client = TestClient::connect(daemon.address);
    client.hello();
    client
}

/// Talks of secret things; gives those that came up meanwhile.
fn talk(daemon: &Daemon) -> Vec<String> {
    let mut ann = daemon.login("ann");
    let token = ann.token.clone().unwrap();
    let said = ann.request(&crate::support::client::say("lobby", TEXT, Some(Key(*KEY)))).unwrap();
    let text = format!("{TEXT} edited");
    let edit = Edit {
        room: "lobby".into(),
        seq: said.seq,
        text: text.as_str().into(),
        key: None,
        timeout_ms: None,
    };
    ann.request(&edit).unwrap();
    let topic = Topic { room: "lobby".into(), topic: Some(TOPIC.into()), timeout_ms: None };
    ann.request(&topic).unwrap();
    let search = Search {
        text: TEXT.into(),
        room: None,
        from: None,
        before: None,
        limit: None,
        timeout_ms: None,
    };
    ann.request(&search).unwrap();
    // Mistakes are where secrets slip out: refused, malformed, cut, taken up again with the token.
    assert!(ann.request(&crate::support::client::say("nowhere", TEXT, Some(Key(*KEY)))).is_err());
    assert!(TestClient::connect(daemon.address).try_login(TEXT, Some(token.clone())).is_err());
    let mut broken = greeted(daemon);
    broken.send_raw(format!("\0\0\0\x20{TEXT}{TEXT}").as_bytes());
    broken.wait_for_end();
    ann.reset();
    greeted(daemon).try_login("ann", Some(token.clone())).unwrap();
    let mut http = std::net::TcpStream::connect(daemon.address).unwrap();
    write!(http, "GET /?{TEXT} HTTP/1.1\r\nHost: localhost\r\nCookie: {TEXT}\r\n\r\n").unwrap();
    assert!(http.read(&mut [0; 512]).unwrap() > 0);
    written(token.bytes()).into()
}

/// Makes, uses and leaves accounts; gives the secrets that came up meanwhile.
fn accounts(daemon: &Daemon) -> Vec<String> {
    let (_, invitation, _) = admin(daemon, &["invite"]);
    let code = invitation["code"].as_str().expect("a code").to_owned();
    let first = daemon.greeting.split("#invite=").nth(1).expect("a link").trim();
    let first: String = first.chars().take_while(char::is_ascii_alphanumeric).collect();
    let register = |name: &str, code: &str| Register {
        name: name.into(),
        password: PASSWORD.into(),
        invite: Some(code.into()),
        device: None,
        timeout_ms: None,
    };
    assert!(greeted(daemon).request(&register("eve", WRONG_CODE)).is_err());
    let mut secrets = vec![code.clone(), first.clone()];
    for (name, code) in [("bob", &code), ("root-of-all", &first)] {
        let mut one = greeted(daemon);
        let logged_in = one.request(&register(name, code)).unwrap();
        secrets.extend(written(logged_in.token.bytes()));
        let passwd = Passwd { old: PASSWORD.into(), new: NEW_PASSWORD.into(), timeout_ms: None };
        one.request(&passwd).unwrap();
        let wrong = Passwd { old: WRONG_PASSWORD.into(), ..passwd };
        assert!(one.request(&wrong).is_err());
        let room = Create {
            room: "den".into(),
            topic: Some(TOPIC.into()),
            private: Some(true),
            timeout_ms: None,
        };
        drop(one.request(&room));
        drop(one.request(&Direct { name: "root-of-all".into(), timeout_ms: None }));
        drop(one.request(&Unregister { password: WRONG_PASSWORD.into(), timeout_ms: None }));
    }
    for password in [WRONG_PASSWORD, NEW_PASSWORD] {
        let password = Some(password.into());
        drop(greeted(daemon).request(&Login { password, ..Login::guest("bob".into()) }));
    }
    secrets
}

/// What others can see of a daemon, by where they see it.
fn look(daemon: &Daemon, file: &ConfigFile) -> Vec<(String, String)> {
    let mut metrics = std::net::TcpStream::connect(daemon.address).unwrap();
    write!(metrics, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut seen = vec![("metrics".to_owned(), std::io::read_to_string(metrics).unwrap())];
    // What ends the server, or is there to make a secret, is not for this.
    let asked = COMMANDS.iter().filter(|command| !matches!(command.name, "drain" | "invite"));
    for command in asked {
        let mut words = vec![command.name];
        words.extend(command.parameters.iter().filter(|one| one.required).map(|_| "ann"));
        seen.push((format!("admin --json {words:?}"), admin(daemon, &words).1.to_string()));
        let (_, out, err) = admin_text(daemon, &words);
        seen.push((format!("admin {words:?}"), out + &err));
    }
    let proc = |what: &str| std::fs::read(format!("/proc/{}/{what}", daemon.child.id()));
    let argv = proc("cmdline").unwrap();
    seen.push(("argv".to_owned(), String::from_utf8_lossy(&argv).into_owned()));
    // Another than root may not even look.
    let environment = proc("environ").unwrap_or_default();
    seen.push(("environment".to_owned(), String::from_utf8_lossy(&environment).into_owned()));
    let path = file.path();
    for words in [&["--print-config"][..], &["check"], &["check", "--json"]] {
        let arguments = [words, &["--config", path.to_str().unwrap()]].concat();
        let told = klatchd(&arguments).env("STATE_DIRECTORY", daemon.home()).output().unwrap();
        let all = [told.stdout, told.stderr].concat();
        assert!(all.len() > 100, "{words:?} says nothing");
        seen.push((format!("{words:?}"), String::from_utf8(all).unwrap()));
    }
    seen
}

fn nothing_planted_is_found(source: Source) {
    let (file, home) = (ConfigFile::new(""), Rc::new(tempfile::tempdir().unwrap()));
    let remains = tempfile::tempdir().unwrap();
    let (config, mut secrets) = keys(source, file.folder(), home.path());
    let invited = "[accounts]\nregistration = \"invite\"\n";
    file.write(format!("{config}{invited}[log]\nlevel = \"trace\"\n"));
    let mut daemon = start(&file, home, remains.path());
    let log = daemon.child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(log).unwrap());

    secrets.extend(talk(&daemon));
    secrets.extend(accounts(&daemon));
    let planted = [TEXT, TOPIC, "PLANTED-KEY", PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, WRONG_CODE];
    secrets.extend(planted.map(str::to_owned));
    secrets.push(klatch::transport::certificate::hex(KEY));
    let mut seen = look(&daemon, &file);
    // It dies as by a bug, and leaves nothing of what it knew.
    daemon.signal(Signal::ABORT);
    daemon.child.wait().unwrap();
    let left = std::fs::read_dir(remains.path()).unwrap().count();
    assert_eq!(left, 0, "{source:?}: it leaves a core");
    let log = reader.join().unwrap();
    assert!(log.contains("DEBUG") && log.lines().count() > 10, "a talkative log: {log}");
    seen.push(("log".to_owned(), log));
    for (place, text) in &seen {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{source:?}: {place} has {secret}");
        }
    }
}

#[test]
fn nothing_planted_is_found_with_a_key_from_files() {
    nothing_planted_is_found(Source::Files);
    if !cores_are_left() {
        println!(
            "no process leaves a core in its folder on this machine: nothing was seen of that"
        );
    }
}

#[test]
fn nothing_planted_is_found_with_a_key_from_credentials() {
    nothing_planted_is_found(Source::Credentials);
}

#[test]
fn nothing_planted_is_found_with_a_key_from_an_authority() {
    nothing_planted_is_found(Source::Authority);
}
