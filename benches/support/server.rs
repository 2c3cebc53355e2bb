//! The server under load, as a process of its own: the relay or the daemon.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::options::Options;
use super::{Failure, Result, machine};

/// The hidden argument that makes this program the relay.
pub(crate) const RELAY_ARGUMENT: &str = "relay";
/// How long a server may take to listen, and to stop.
const PATIENCE: Duration = Duration::from_secs(20);
const STDERR: &str = "stderr.log";

/// Limits that a load from one machine would meet, and that a crowd of people does not.
const OPEN_LIMITS: &[&str] = &[
    "limits.connections_per_address=100000",
    "limits.connection_rate_per_address=1000000",
    "limits.connection_burst_per_address=1000000",
    "limits.unauthenticated=20000",
    "limits.requests_per_s=100000000",
    "limits.requests_burst=100000000",
    "limits.bytes_per_s=100000000000",
    "limits.bytes_burst=100000000000",
    "limits.address_requests_per_s=100000000",
    "limits.address_requests_burst=100000000",
    "limits.address_bytes_per_s=100000000000",
    "limits.address_bytes_burst=100000000000",
];

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The bare relay: the limit of the machine.
    Relay,
    /// The daemon.
    Klatchd,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Klatchd => "klatchd",
        }
    }
}

/// Whose limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// So high that none is met.
    Open,
    /// Those that the daemon has unless told otherwise.
    Default,
}

/// A running server; it is stopped when dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// The addresses that it prints; closed when it ends.
    output: Receiver<SocketAddr>,
    state: TempDir,
}

impl Server {
    /// Starts a server and waits until it listens. While it is pinned, it has a core of its own and
    /// this thread has the other.
    pub(crate) fn start(kind: Kind, limits: Limits, options: &Options) -> Result<Self> {
        let state = tempfile::tempdir()?;
        let mut command = match kind {
            Kind::Relay => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(RELAY_ARGUMENT);
                command
            }
            Kind::Klatchd => daemon(state.path(), limits, options),
        };
        let stderr = File::create(state.path().join(STDERR))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        if options.pinned {
            // A child inherits the core, and all its threads do: nothing is left to chance.
            machine::pin(machine::SERVER_CORE)?;
        }
        let child = command.spawn();
        if options.pinned {
            machine::pin(machine::GENERATOR_CORE)?;
        }
        let mut child = child?;
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("no output"))?;
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { child, address: unknown, output: addresses(stdout), state };
        server.address = server
            .output
            .recv_timeout(PATIENCE)
            .map_err(|_| server.explain(&format!("{} does not listen", kind.name())))?;
        Ok(server)
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time that it has used so far, in all its threads.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        machine::cpu_time(self.child.id())
    }

    /// The memory that it holds now, in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        machine::resident_bytes(self.child.id())
    }

    /// A failure together with the last that the server said.
    pub(crate) fn explain(&self, what: &str) -> Box<dyn std::error::Error> {
        const LINES: usize = 10;
        let said = fs::read_to_string(self.state.path().join(STDERR)).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        if lines.is_empty() {
            return Failure::new(what);
        }
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
        Failure::new(format!("{what}; the server's last words:\n  {last}"))
    }

    fn stop(&mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(_) => {}
                // Its output is closed: it has ended.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.child.kill()?,
            }
        }
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself was noticed by its clients.
        drop(self.stop());
    }
}

fn daemon(state: &Path, limits: Limits, options: &Options) -> Command {
    let mut command = Command::new(&options.klatchd);
    let own = [
        "server.listen=127.0.0.1:0".to_owned(),
        format!("server.state_dir={}", state.join("state").display()),
        format!("server.workers={}", options.workers),
        "rooms.default=".to_owned(),
        // The relay keeps nothing either; --set store.engine=sqlite shows what durability costs.
        "store.engine=memory".to_owned(),
    ];
    let open = if limits == Limits::Open { OPEN_LIMITS } else { &[] };
    let settings = own.iter().map(String::as_str).chain(open.iter().copied());
    for setting in settings.chain(options.set.iter().map(String::as_str)) {
        command.args(["--set", setting]);
    }
    command
}

/// The addresses of this machine that the server prints. Its output is read to the end, so that it
/// never blocks on it.
fn addresses(stdout: ChildStdout) -> Receiver<SocketAddr> {
    let (found, addresses) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
            let told = address_in(&line).map_or(Ok(()), |address| found.send(address));
            if told.is_err() {
                break;
            }
        }
    });
    addresses
}

fn address_in(line: &str) -> Option<SocketAddr> {
    const HOST: &str = "127.0.0.1:";
    let start = line.find(HOST)?;
    let port = &line[start + HOST.len()..];
    let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port[..end].parse().ok()?)))
}
