//! Planted secrets come out nowhere: not in the log at its most talkative, not in metrics, arguments,
//! the printed configuration, the admin's answers, nor in what the process lets others see.

use std::io::{Read, Write};

use klatch::base::id::Key;
use rustix::process::Signal;

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin, admin_text, certificate};
use crate::support::client::say;
use crate::support::daemon::klatchd;

const TEXT: &str = "PLANTED-TEXT-7f3a";
const TOPIC: &str = "PLANTED-TOPIC-81bc";
const KEY: &[u8; 16] = b"PLANTED-KEY-0001";

#[test]
fn nothing_planted_is_found() {
    let file = ConfigFile::new("");
    let (path, key) = certificate(file.folder(), "tls", 90);
    file.write(format!("[tls]\ncertificate = {path:?}\nkey = {key:?}\n[log]\nlevel = \"trace\"\n"));
    let pem = std::fs::read_to_string(&key).unwrap();
    let secret_line = pem.lines().nth(1).unwrap().to_owned();
    let mut daemon = file.start(&["--set", "limits.exempt=127.0.0.0/8"]);
    let log = daemon.child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(log).unwrap());

    let mut ann = daemon.login("ann");
    let token = ann.token.clone().unwrap();
    ann.request(&say("lobby", TEXT, Some(Key(*KEY)))).unwrap();
    let topic = klatch::protocol::request::Topic {
        room: "lobby".into(),
        topic: Some(TOPIC.into()),
        timeout_ms: None,
    };
    ann.request(&topic).unwrap();
    // Mistakes are where secrets slip out: refused, malformed, cut, taken up again with the token.
    assert!(ann.request(&say("nowhere", TEXT, Some(Key(*KEY)))).is_err());
    assert!(TestClient::connect(daemon.address).try_login(TEXT, Some(token.clone())).is_err());
    let mut broken = TestClient::connect(daemon.address);
    broken.hello();
    broken.send_raw(format!("\0\0\0\x20{TEXT}{TEXT}").as_bytes());
    broken.wait_for_end();
    ann.reset();
    let mut again = TestClient::connect(daemon.address);
    again.hello();
    again.try_login("ann", Some(token.clone())).unwrap();
    let mut http = std::net::TcpStream::connect(daemon.address).unwrap();
    write!(http, "GET /?{TEXT} HTTP/1.1\r\nHost: localhost\r\nCookie: {TEXT}\r\n\r\n").unwrap();
    assert!(http.read(&mut [0; 512]).unwrap() > 0);
    let mut metrics = std::net::TcpStream::connect(daemon.address).unwrap();
    write!(metrics, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let metrics = std::io::read_to_string(metrics).unwrap();

    let mut seen = vec![("metrics", metrics)];
    for command in ["status", "sessions", "rooms", "reload"] {
        seen.push(("admin --json", admin(&daemon, &[command]).1.to_string()));
        seen.push(("admin", admin_text(&daemon, &[command]).1));
    }
    let proc = |what: &str| std::fs::read(format!("/proc/{}/{what}", daemon.child.id())).unwrap();
    seen.push(("argv", String::from_utf8_lossy(&proc("cmdline")).into_owned()));
    seen.push(("environment", String::from_utf8_lossy(&proc("environ")).into_owned()));
    let arguments =
        ["--print-config", "--config", file.path().to_str().unwrap()].map(str::to_owned);
    let printed = klatchd(&arguments.each_ref().map(String::as_str)).output().unwrap();
    seen.push(("--print-config", String::from_utf8(printed.stdout).unwrap()));
    daemon.signal(Signal::TERM);
    daemon.child.wait().unwrap();
    let log = reader.join().unwrap();
    assert!(log.contains("DEBUG") && log.lines().count() > 10, "a talkative log: {log}");
    seen.push(("log", log));

    let hex = |bytes: &[u8]| klatch::transport::certificate::hex(bytes);
    // A token is 32 bytes, which its own type shows to nobody.
    let token = rmp_serde::to_vec(&token).unwrap();
    let token = &token[token.len() - 32..];
    let planted = [
        TEXT.to_owned(),
        TOPIC.to_owned(),
        "PLANTED-KEY".to_owned(),
        hex(KEY),
        hex(token),
        format!("{token:?}"),
        secret_line,
    ];
    for (place, text) in &seen {
        for secret in &planted {
            assert!(!text.contains(secret.as_str()), "{place} has {secret}");
        }
    }
}
