//! A real server on loopback, in a thread of its own. Dropping it shuts it down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_rt::System;
use klatch::base::clock::{Clock, ManualClock};
use klatch::config::{self, Config, Sources};
use klatch::server::shutdown::Shutdown;
use klatch::server::{self, Parts};
use tempfile::TempDir;

use super::TestClient;

/// A server, and its strings.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) fingerprint: String,
    /// The code with which the first administrator registers.
    pub(crate) first_admin: Option<String>,
    pub(crate) state_dir: TempDir,
    clock: Option<Arc<ManualClock>>,
    commands: tokio::sync::mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<Option<Shutdown>>>,
}

enum Command {
    Tick(mpsc::Sender<()>),
    Sessions(mpsc::Sender<u32>),
    Pulse(Duration, mpsc::Sender<Result<(), String>>),
    ShutDown(Duration),
}

/// The configuration that these keys give.
pub(crate) fn configured(keys: &[&str]) -> Config {
    let mut overrides = vec!["server.listen=127.0.0.1:0".to_owned()];
    overrides.extend(keys.iter().map(|key| (*key).to_owned()));
    let sources = Sources { file: None, environment: Vec::new(), overrides };
    config::load(&sources).expect("a good configuration").config
}

/// Keys that take the limits per address and session out of the way.
pub(crate) fn open_limits() -> Vec<&'static str> {
    vec![
        "limits.exempt=127.0.0.0/8",
        "limits.requests_per_s=1000000",
        "limits.requests_burst=1000000",
        "limits.bytes_per_s=1 GiB",
        "limits.bytes_burst=1 GiB",
        "limits.address_requests_per_s=1000000",
        "limits.address_requests_burst=1000000",
        "limits.address_bytes_per_s=1 GiB",
        "limits.address_bytes_burst=1 GiB",
    ]
}

impl TestServer {
    /// With the default configuration.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With these keys set.
    pub(crate) fn with(keys: &[&str]) -> Self {
        Self::made_of(keys, |_| {})
    }

    /// With a clock that stands still until [`advance`](Self::advance).
    pub(crate) fn at_a_standstill(keys: &[&str]) -> Self {
        let clock = Arc::new(ManualClock::default());
        let parts_clock = Arc::clone(&clock);
        let mut server = Self::made_of(keys, move |parts| parts.clock = parts_clock);
        server.clock = Some(clock);
        server
    }

    /// With a clock of the test's own that goes by `manual`.
    pub(crate) fn by_the_clock(clock: Arc<dyn Clock>, manual: Arc<ManualClock>) -> Self {
        let mut server = Self::made_of(&[], move |parts| parts.clock = clock);
        server.clock = Some(manual);
        server
    }

    /// With these keys set and these parts changed.
    pub(crate) fn made_of(keys: &[&str], change: impl FnOnce(&mut Parts) + Send + 'static) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), keys, change)
    }

    fn start_in(
        state_dir: TempDir,
        keys: &[&str],
        change: impl FnOnce(&mut Parts) + Send + 'static,
    ) -> Self {
        let config = configured(keys);
        let path = state_dir.path().to_owned();
        let (told, started) = mpsc::channel();
        let (commands, mut orders) = tokio::sync::mpsc::unbounded_channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let mut parts = Parts::new(path);
                change(&mut parts);
                let server = server::start(&config, &parts).expect("the server starts");
                let address = *server.addresses().first().expect("an address");
                let code = server.first_admin().map(ToOwned::to_owned);
                told.send((address, server.fingerprint(), code)).expect("the test waits");
                while let Some(command) = orders.recv().await {
                    match command {
                        Command::Tick(done) => {
                            server.tick().await;
                            drop(done);
                        }
                        Command::Sessions(told) => {
                            told.send(server.sessions().await).expect("the test waits");
                        }
                        Command::Pulse(deadline, told) => {
                            told.send(server.pulse(deadline).await).expect("the test waits");
                        }
                        Command::ShutDown(deadline) => {
                            return Some(server.shut_down(deadline).await);
                        }
                    }
                }
                None
            })
        });
        let (address, fingerprint, first_admin) = started.recv().expect("the server starts");
        let thread = Some(thread);
        Self { address, fingerprint, first_admin, state_dir, clock: None, commands, thread }
    }

    /// Moves the clock, and has deadlines looked at.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.as_ref().expect("a manual clock").advance(by);
        let (done, ticked) = mpsc::channel();
        self.command(Command::Tick(done));
        // The sender is dropped once the tick is under way.
        assert!(ticked.recv().is_err());
    }

    /// What the watchdog would find: a round trip through everything.
    pub(crate) fn pulse(&self, deadline: Duration) -> Result<(), String> {
        let (told, outcome) = mpsc::channel();
        self.command(Command::Pulse(deadline, told));
        outcome.recv().expect("the server runs")
    }

    /// Connections that are open.
    pub(crate) fn sessions(&self) -> u32 {
        let (told, count) = mpsc::channel();
        self.command(Command::Sessions(told));
        count.recv().expect("the server runs")
    }

    /// Waits until so many connections are open: each try is a round trip through the Throttle.
    pub(crate) fn wait_for_sessions(&self, count: u32) {
        let tries = (0..1_000_000).find(|_| {
            std::thread::yield_now();
            self.sessions() == count
        });
        assert!(tries.is_some(), "there are {} sessions, not {count}", self.sessions());
    }

    /// Shuts down in the background.
    pub(crate) fn begin_shutdown(&self, deadline: Duration) {
        self.command(Command::ShutDown(deadline));
    }

    /// Shuts down, and starts again with the same state.
    pub(crate) fn restart(mut self, keys: &[&str]) -> Self {
        self.begin_shutdown(Duration::from_secs(5));
        let thread = self.thread.take().expect("joined once");
        thread.join().expect("the server did not panic").expect("it was shut down");
        let fresh = tempfile::tempdir().expect("a directory");
        let state_dir = std::mem::replace(&mut self.state_dir, fresh);
        Self::start_in(state_dir, keys, |_| {})
    }

    /// Waits for the end.
    pub(crate) fn join(mut self) -> Shutdown {
        let thread = self.thread.take().expect("joined once");
        thread.join().expect("the server did not panic").expect("it was shut down")
    }

    fn command(&self, command: Command) {
        assert!(self.commands.send(command).is_ok(), "the server runs");
    }

    /// A plain connection that has said nothing.
    pub(crate) fn connect(&self) -> TestClient {
        TestClient::connect(self.address)
    }

    /// The same, from another address of this machine.
    pub(crate) fn connect_from(&self, address: &str) -> TestClient {
        TestClient::connect_from(address, self.address)
    }

    /// A client that holds a name, and has seen the default rooms.
    pub(crate) fn login(&self, name: &str) -> TestClient {
        let mut client = self.connect();
        client.hello();
        client.login(name);
        client
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A server that was told to go, or has failed, takes no command.
            let told = self.commands.send(Command::ShutDown(Duration::from_secs(5)));
            drop(told);
            let joined = thread.join();
            if !std::thread::panicking() {
                assert!(joined.is_ok(), "the server panicked");
            }
        }
    }
}
