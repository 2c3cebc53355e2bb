//! The daemon under a service manager, as far as that can be played: its messages, its watchdog,
//! the sockets and credentials that it hands over.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::TestClient;
use crate::support::admin::{admin, certificate};
use crate::support::daemon::{Daemon, klatchd};

/// Longer than anything takes; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The service manager's end.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { socket, folder }
    }

    fn start(&self, command: &mut Command) -> Daemon {
        Daemon::start(command.env("NOTIFY_SOCKET", self.folder.path().join("notify")))
    }

    fn receive(&self) -> String {
        let mut buffer = [0; 4096];
        let count = self.socket.recv(&mut buffer).expect("a message of the daemon");
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    /// Waits for a message with this line.
    fn wait_for(&self, line: &str) -> String {
        loop {
            let message = self.receive();
            if message.lines().any(|one| one.starts_with(line)) {
                return message;
            }
        }
    }

    /// Nothing that feeds the watchdog comes for so long.
    fn hears_no_watchdog(&self, span: Duration) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        while self.socket.recv(&mut [0; 4096]).is_ok() {}
        self.socket.set_nonblocking(false).unwrap();
        self.socket.set_read_timeout(Some(span)).unwrap();
        let mut buffer = [0; 4096];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(count) if buffer[..count].starts_with(b"WATCHDOG=1") => return false,
                Ok(_) => {}
                Err(error) => {
                    return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                }
            }
        }
    }
}

const LISTEN: [&str; 2] = ["--set", "server.listen=127.0.0.1:0"];

#[test]
fn it_tells_its_manager_what_it_does() {
    let manager = Manager::new();
    let mut daemon = manager.start(&mut klatchd(&LISTEN));
    assert!(manager.wait_for("READY=1").contains("STATUS="), "a status");
    daemon.signal(Signal::HUP);
    assert!(manager.wait_for("RELOADING=1").contains("MONOTONIC_USEC="), "the time");
    assert!(manager.wait_for("READY=1").contains("STATUS=reloaded: 0 applied"), "the outcome");
    daemon.signal(Signal::TERM);
    assert!(
        manager.wait_for("STOPPING=1").contains("EXTEND_TIMEOUT_USEC=15000000"),
        "drain and grace"
    );
    assert!(daemon.child.wait().unwrap().success());
}

#[test]
fn the_watchdog_is_fed_while_all_is_well_and_not_when_it_hangs() {
    let manager = Manager::new();
    let mut command = klatchd(&LISTEN);
    let daemon = manager.start(command.env("WATCHDOG_USEC", "400000"));
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
    let _ann = daemon.login("ann");
    manager.wait_for("WATCHDOG=1");
    daemon.signal(Signal::STOP);
    assert!(manager.hears_no_watchdog(Duration::from_secs(2)), "a stopped process is not alive");
    daemon.signal(Signal::CONT);
    manager.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    manager.wait_for("WATCHDOG=1");
}

#[test]
fn plain_or_not_and_full_or_not_the_pulse_goes_through() {
    let manager = Manager::new();
    let mut command = klatchd(&LISTEN);
    command.args(["--set", "server.plain=never", "--set", "limits.connections=1"]);
    let daemon = manager.start(command.env("WATCHDOG_USEC", "400000"));
    let _only = TcpStream::connect(daemon.address).unwrap();
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
}

/// Has a listener handed over as a service manager does: as descriptor 3.
fn handing_over(listener: &TcpListener, arguments: &[&str]) -> Command {
    let inner = klatchd(arguments);
    let mut shell = Command::new("sh");
    // It comes in as the standard input: a shell can tell nothing of descriptors above 9.
    let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS
                  exec \"$0\" \"$@\"";
    shell
        .arg0("sh")
        .arg("-c")
        .arg(script)
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear()
        .stdin(OwnedFd::from(listener.try_clone().unwrap()));
    shell
}

#[test]
fn connections_wait_in_a_handed_over_socket_while_it_restarts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Another address in the configuration does not matter.
    let arguments = ["--set", "server.listen=127.0.0.1:1"];
    let first = Daemon::start(&mut handing_over(&listener, &arguments));
    assert_eq!(first.address, address);
    first.login("ann");
    let home = first.stop();
    // Nobody accepts now, and nobody is refused.
    let waiting: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
    let _second = Daemon::start_with(home, &mut handing_over(&listener, &arguments));
    for stream in waiting {
        TestClient::over(stream).hello();
    }
}

#[test]
fn credentials_are_the_certificate_without_a_line_of_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(folder.path(), "made", 90);
    std::fs::rename(certificate, folder.path().join("certificate.pem")).unwrap();
    std::fs::rename(key, folder.path().join("key.pem")).unwrap();
    let mut command = klatchd(&LISTEN);
    let daemon = Daemon::start(command.env("CREDENTIALS_DIRECTORY", folder.path()));
    assert!(!daemon.home().join("key.pem").exists(), "it made none of its own");
    let (_, status, _) = admin(&daemon, &["status"]);
    assert!(status["certificate_names"][0] == "localhost", "{status}");
    // Of this daemon nobody reads the memory.
    let owner =
        |path: &Path| std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap());
    assert_eq!(owner(&Path::new("/proc").join(daemon.child.id().to_string()).join("mem")), 0);
}
