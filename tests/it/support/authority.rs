//! A certificate authority on this machine: Pebble, Let's Encrypt's own server for tests, with a DNS
//! that knows every name and says that it is here.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::admin::certificate;

/// Where the authority will be, and what its own HTTPS is proven by.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
    port: u16,
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(folder.path(), "authority", 30);
        Self { port: free_port(), folder, certificate, key }
    }

    /// The keys with which a server gets certificates for these names here.
    pub(crate) fn keys(&self, domains: &str) -> Vec<String> {
        vec![
            format!("acme.domains={domains}"),
            format!("acme.directory=https://localhost:{}/dir", self.port),
            format!("acme.trust={}", self.certificate.display()),
        ]
    }

    /// Starts it; it looks for proofs at `proofs`, and its certificates last for `seconds`.
    pub(crate) fn start(&self, proofs: u16, seconds: u64) -> Running {
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.port),
            "managementListenAddress": "127.0.0.1:0",
            "certificate": self.certificate,
            "privateKey": self.key,
            "httpPort": 1,
            "tlsPort": proofs,
            "certificateValidityPeriod": seconds,
        }});
        let path = self.folder.path().join("pebble.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let mut pebble = Command::new("pebble")
            .arg("-config")
            .arg(&path)
            .args(["-dnsserver", &dns()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("pebble (scripts/install-dependencies test installs it)");
        let mut lines = BufReader::new(pebble.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().any(|line| line.unwrap().contains("ACME directory available"));
        assert!(ready, "pebble has ended");
        // It says so a moment before it listens.
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert_eq!(pebble.try_wait().unwrap(), None, "pebble has ended");
            std::thread::yield_now();
        }
        // It writes all the time, and somebody must read.
        std::thread::spawn(move || lines.for_each(drop));
        Running(pebble)
    }
}

/// The authority while it runs.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("killed, or gone");
        self.0.wait().expect("waited for");
    }
}

/// A port that nobody has now: Pebble does not say which one it took.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Every name has the address 127.0.0.1, and no other; where it answers.
fn dns() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((count, from)) = socket.recv_from(&mut query) {
            drop(socket.send_to(&answer(&query[..count]), from));
        }
    });
    address
}

fn answer(query: &[u8]) -> Vec<u8> {
    let name_end = 12 + query[12..].iter().position(|&byte| byte == 0).unwrap();
    let question = &query[12..name_end + 5];
    let is_a = query[name_end + 1..name_end + 3] == [0, 1];
    let mut answer = vec![query[0], query[1], 0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0];
    answer.extend_from_slice(question);
    if is_a {
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    answer
}
