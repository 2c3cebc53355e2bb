//! `klatchd` from start to stop: what it says, which signals it heeds, and what it does by the clock.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use actix_rt::System;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use super::admin::actor::Office;
use super::daemon::{Daemon, Order};
use super::shutdown::Shutdown;
use super::{Parts, Server, StartError, acme, admin, inherit, notify, reload, start};
use crate::base::priority::stand_back;
use crate::config::{Loaded, Sources};

/// How often the status is told, where no watchdog asks for more.
const STATUS: Duration = Duration::from_secs(10);
/// How often what is too much is taken away.
const SWEEP: Duration = Duration::from_secs(60);
/// How often the certificate's end is looked at.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(24 * 3600);
/// What the service manager is asked for beyond `timeouts.drain`.
const GRACE: Duration = Duration::from_secs(5);

/// What the daemon is started with.
pub struct Boot {
    /// Where the configuration comes from: read again on a reload.
    pub sources: Sources,
    /// What it says now.
    pub loaded: Loaded,
    /// Where state is kept.
    pub state_dir: PathBuf,
}

/// Runs a server until a signal or an administrator ends it.
pub fn run(boot: Boot) -> Result<(), StartError> {
    let Boot { sources, loaded, state_dir } = boot;
    reload::begin_log(&loaded.config);
    super::fate::decide_on_panics();
    // Nobody reads secrets out of a dump, or attaches to the process.
    if let Err(error) = rustix::process::set_dumpable_behavior(NOT_DUMPABLE) {
        log::warn!(error:% = error; "the process can be dumped");
    }
    let mut parts = Parts::new(state_dir);
    parts.credentials = lookup(&sources, "CREDENTIALS_DIRECTORY");
    parts.listeners = inherit::listeners()?.into();
    let socket = admin::socket_path(&loaded.config, &sources.environment, &parts.state_dir);
    let system = System::new();
    system.block_on(async {
        let mut signals = Signals::new()?;
        let server = start(&loaded.config, &parts)?;
        // The workers' threads are there by now: they do not.
        stand_back(NICE);
        let (daemon, orders) = Daemon::new(server, sources, loaded, parts);
        let daemon = Rc::new(daemon);
        let admin = admin::socket::listen(&socket, &daemon);
        let renewing = acme::begin(&daemon);
        if let Some(mail) = daemon.server.administered.take() {
            Office::open(mail, &daemon);
        }
        greet(&daemon.server, &mut io::stdout().lock())?;
        notify::ready(&daemon.status_line().await);
        let retry_after = Box::pin(watch(&daemon, &mut signals, orders)).await;
        let drain = daemon.drain_time();
        notify::stopping("telling everybody, and writing what waits", drain + GRACE);
        drop((admin, renewing));
        end(&daemon, drain, retry_after, &mut signals).await;
        Ok(())
    })
}

/// How far back the main thread stands, which takes connections in, when the workers want the processor
/// (nice): otherwise each that comes interrupts those who chat. A storm of logins takes a quarter less time
/// so (measured: 92 us each with 0, 68 with 8).
const NICE: i32 = 8;

const NOT_DUMPABLE: rustix::process::DumpableBehavior =
    rustix::process::DumpableBehavior::NotDumpable;

/// A variable of the environment that names a folder.
fn lookup(sources: &Sources, name: &str) -> Option<PathBuf> {
    let mut all = sources.environment.iter();
    all.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into())
}

struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }
}

/// Does what signals, administrators and the clock ask for; returns when the server is to end, with
/// the time after which clients may come back.
async fn watch(
    daemon: &Rc<Daemon>,
    signals: &mut Signals,
    mut orders: mpsc::Receiver<Order>,
) -> Duration {
    let watchdog = notify::watchdog_time();
    // Four times in the time that is allowed: one late round is no death.
    let beat = watchdog.map_or(STATUS, |time| (time / 4).min(STATUS));
    let (mut beats, mut days) = (every(beat), every(LOOK_AT_CERTIFICATE));
    let mut sweeps = every(SWEEP);
    loop {
        tokio::select! {
            _ = signals.term.recv() => {
                log::info!(signal = "SIGTERM"; "shutting down; once more stops at once");
                return daemon.server.retry_after().await;
            }
            _ = signals.int.recv() => {
                log::info!(signal = "SIGINT"; "shutting down; once more stops at once");
                return daemon.server.retry_after().await;
            }
            Some(Order::ShutDown(retry_after)) = orders.recv() => {
                log::info!("shutting down, as an administrator asked");
                return retry_after;
            }
            _ = signals.hup.recv() => {
                notify::reloading();
                let report = Box::pin(daemon.reload()).await;
                daemon.warn_of_certificate();
                notify::ready(&report.summary());
            }
            _ = beats.tick() => pulse(daemon, beat, watchdog.is_some()).await,
            _ = days.tick() => daemon.warn_of_certificate(),
            _ = sweeps.tick() => daemon.sweep(),
        }
    }
}

fn every(time: Duration) -> Interval {
    let mut interval = tokio::time::interval(time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Feeds the watchdog, if everything answers.
async fn pulse(daemon: &Daemon, beat: Duration, watched: bool) {
    if !watched {
        return notify::status(&daemon.status_line().await);
    }
    // Two beats: a machine that is slow for a moment is not taken for a server that is dead.
    match daemon.server.pulse(beat * 2).await {
        Ok(()) => {
            notify::watchdog();
            notify::status(&daemon.status_line().await);
        }
        Err(why) => log::error!("the watchdog is not fed: {why}"),
    }
}

async fn end(daemon: &Daemon, drain: Duration, retry_after: Duration, signals: &mut Signals) {
    let again = async {
        tokio::select! {
            _ = signals.term.recv() => {}
            _ = signals.int.recv() => {}
        }
    };
    tokio::select! {
        outcome = daemon.server.shut_down_over(drain, retry_after) => match outcome {
            Shutdown::Clean => log::info!("shut down"),
            Shutdown::Cut { sessions } => {
                log::warn!(sessions = sessions; "shut down at the deadline");
            }
        },
        () = again => {
            log::warn!("stopped at once");
            #[expect(clippy::exit, reason = "the operator asked twice")]
            std::process::exit(1);
        }
    }
}

/// Tells where the server is, how to know it, and how to chat.
fn greet(server: &Server, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "klatchd {}", crate::web::VERSION)?;
    for address in server.addresses() {
        writeln!(out, "  listening on  {address} (TLS)")?;
    }
    writeln!(out, "  certificate   sha256:{}", server.fingerprint())?;
    if let Some(first) = server.addresses().first() {
        let address = reachable(*first);
        if let Some(code) = server.first_admin() {
            // Who opens it registers as the administrator.
            let link = invitation_link(*first, code);
            writeln!(out, "  administrate  {link} (once, within a day)")?;
        }
        writeln!(out, "  open          https://{address}/")?;
        writeln!(out, "  chat with     {} --server {address}", client())?;
    }
    out.flush()
}

/// The client beside this program, or on the path.
fn client() -> String {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.with_file_name("klatch");
    if beside.is_file() { beside.display().to_string() } else { "klatch".to_owned() }
}

/// Where a browser registers with the code of an invitation.
pub(super) fn invitation_link(address: SocketAddr, code: &str) -> String {
    format!("https://{}/#invite={code}", reachable(address))
}

/// An address that this machine can connect to.
fn reachable(address: SocketAddr) -> String {
    let port = address.port();
    if address.ip().is_unspecified() { format!("localhost:{port}") } else { address.to_string() }
}
