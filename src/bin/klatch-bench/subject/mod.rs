//! The server under load: a process of its own that is started and stopped here, or one that runs
//! already.

pub(crate) mod kind;
pub(crate) mod relay;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use rustls::ClientConfig;
use tempfile::TempDir;

use crate::args::Common;
use crate::driver::{self, Driver};
use crate::error::{Failure, Result};
use crate::link::{Way, client_tls};
use crate::machine;
use crate::report::Figures;
use kind::{Kind, Ports, Setup};

/// How long a server may take to listen, and to stop.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks whether a server that does not say so listens by now.
const LOOK: Duration = Duration::from_millis(20);
const STDERR: &str = "stderr.log";

/// Which server is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// One that is started for each round.
    Start(Kind),
    /// One that runs already, with the protocol of this kind.
    Attach { kind: Kind, address: SocketAddr, pid: Option<u32> },
}

impl Target {
    /// What it is called in the report.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Start(kind) => kind.name().to_owned(),
            Self::Attach { address, .. } => address.to_string(),
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Start(kind) | Self::Attach { kind, .. } => *kind,
        }
    }
}

/// A running server; one that was started here is stopped when dropped.
pub(crate) struct Server {
    kind: Kind,
    plain: SocketAddr,
    tls: SocketAddr,
    client_tls: Option<Arc<ClientConfig>>,
    process: Process,
}

enum Process {
    Own(Own),
    Foreign(Option<u32>),
}

struct Own {
    child: Child,
    /// The addresses that it prints; closed when it ends.
    output: Receiver<SocketAddr>,
    home: Rc<TempDir>,
    running: bool,
}

impl Server {
    /// Starts a server and waits until it listens, or takes the one that runs. While it is pinned,
    /// it has a core of its own and this thread has the other.
    pub(crate) fn start(target: &Target, setup: Setup, options: &Common) -> Result<Self> {
        match target {
            Target::Start(kind) => {
                driver::set_run(0);
                Self::start_in(Rc::new(tempfile::tempdir()?), *kind, setup, options)
            }
            Target::Attach { kind, address, pid } => {
                // It has seen other runs, and may still hold their names.
                driver::set_run(rand::rng().random_range(1..17_576));
                Ok(Self {
                    kind: *kind,
                    plain: *address,
                    tls: *address,
                    client_tls: setup.tls.then(client_tls).transpose()?,
                    process: Process::Foreign(*pid),
                })
            }
        }
    }

    /// Starts a server and measures it; what fails is told with what the server has said.
    pub(crate) fn measured(
        target: &Target,
        setup: Setup,
        options: &Common,
        measure: impl FnOnce(&Self) -> Result<Figures>,
    ) -> Result<Figures> {
        let server = Self::start(target, setup, options)?;
        measure(&server).map_err(|error| server.explain(&error.to_string()))
    }

    fn start_in(home: Rc<TempDir>, kind: Kind, setup: Setup, options: &Common) -> Result<Self> {
        let launch = kind.launch(home.path(), setup, options)?;
        let mut command = launch.command;
        let stderr = File::create(home.path().join(STDERR))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        if options.pinned() {
            // A child inherits the core, and all its threads do: nothing is left to chance.
            machine::pin(machine::SERVER_CORE)?;
        }
        let child = command.spawn();
        if options.pinned() {
            machine::pin(machine::GENERATOR_CORE)?;
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = child.map_err(|error| Failure::new(format!("{program}: {error}")))?;
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("no output"))?;
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let output = addresses(stdout);
        let own = Own { child, output, home, running: true };
        let client_tls = setup.tls.then(client_tls).transpose()?;
        let process = Process::Own(own);
        let mut server = Self { kind, plain: unknown, tls: unknown, client_tls, process };
        let found = server.wait_until_it_listens(launch.ports, setup.tls);
        let silent = |_| server.explain(&format!("{} does not listen", kind.name()));
        (server.plain, server.tls) = found.map_err(silent)?;
        Ok(server)
    }

    fn wait_until_it_listens(
        &mut self,
        ports: Option<Ports>,
        over_tls: bool,
    ) -> Result<(SocketAddr, SocketAddr)> {
        let own = self.own()?;
        let Some(Ports { plain, tls }) = ports else {
            let address = own.output.recv_timeout(PATIENCE)?;
            return Ok((address, address));
        };
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut waited = Duration::ZERO;
        while TcpStream::connect(local(if over_tls { tls } else { plain })).is_err() {
            if waited > PATIENCE || own.child.try_wait()?.is_some() {
                return Err(Failure::new("it does not listen"));
            }
            // Nothing is told here; what matters is the time that passes.
            own.output.recv_timeout(LOOK).ok();
            waited += LOOK;
        }
        Ok((local(plain), local(tls)))
    }

    fn own(&mut self) -> Result<&mut Own> {
        match &mut self.process {
            Process::Own(own) => Ok(own),
            Process::Foreign(_) => Err(Failure::new("this needs a server that is started here")),
        }
    }

    /// How its clients reach it.
    pub(crate) fn way(&self) -> Way<'_> {
        let tls = self.client_tls.as_ref();
        let server = if tls.is_some() { self.tls } else { self.plain };
        Way { server, tls, driver: self.driver() }
    }

    /// What it is.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// How many clients come in at a time.
    pub(crate) const fn window(&self) -> usize {
        self.kind.window()
    }

    pub(crate) fn driver(&self) -> &'static dyn Driver {
        self.kind.driver()
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.plain
    }

    fn pid(&self) -> Result<u32> {
        match &self.process {
            Process::Own(own) => Ok(own.child.id()),
            Process::Foreign(pid) => pid.ok_or_else(|| Failure::new("no --pid")),
        }
    }

    /// Whether its process is known, and so its CPU time and memory are.
    pub(crate) fn is_known(&self) -> bool {
        self.pid().is_ok()
    }

    /// The CPU time that it has used so far, in all its threads; zero if it is not known.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        self.pid().map_or(Ok(Duration::ZERO), machine::cpu_time)
    }

    /// The memory that it holds now, in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        self.pid().map_or(Ok(0), machine::resident_bytes)
    }

    /// The most memory that it has held, in bytes.
    pub(crate) fn resident_peak_bytes(&self) -> Result<u64> {
        self.pid().map_or(Ok(0), machine::resident_peak_bytes)
    }

    /// A failure together with the last that the server said.
    pub(crate) fn explain(&self, what: &str) -> Box<dyn std::error::Error> {
        const LINES: usize = 10;
        const TAIL: u64 = 64 * 1024;
        let Process::Own(own) = &self.process else { return Failure::new(what) };
        let mut said = String::new();
        // What cannot be read is not told.
        let read = File::open(own.home.path().join(STDERR))
            .and_then(|file| file.take(TAIL).read_to_string(&mut said));
        drop(read);
        let lines: Vec<&str> = said.lines().collect();
        if lines.is_empty() {
            return Failure::new(what);
        }
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
        Failure::new(format!("{what}; the server's last words:\n  {last}"))
    }

    /// Kills it without warning.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let own = self.own()?;
        own.child.kill()?;
        own.child.wait()?;
        own.running = false;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.own()?.stop()
    }

    /// Starts it anew after its end, with the state that it left, on the same port.
    pub(crate) fn restart(mut self, setup: Setup, options: &Common) -> Result<Self> {
        let (kind, port) = (self.kind, self.plain.port());
        let home = Rc::clone(&self.own()?.home);
        drop(self);
        Self::start_in(home, kind, Setup { port: Some(port), ..setup }, options)
    }
}

impl Own {
    fn stop(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.running) {
            return Ok(());
        }
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

impl Drop for Own {
    fn drop(&mut self) {
        // One that has ended by itself was noticed by its clients.
        drop(self.stop());
    }
}

/// The addresses of this machine that the server prints. Its output is read to the end, so that it
/// never blocks on it.
fn addresses(stdout: ChildStdout) -> Receiver<SocketAddr> {
    let (found, addresses) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(std::result::Result::ok) {
            let line = String::from_utf8_lossy(&line);
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
