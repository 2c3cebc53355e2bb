//! What can be asked of a run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::abuse::Abuse;
use crate::abuse::mob::MobArgs;
use crate::crowd::CrowdArgs;
use crate::error::{Failure, Result};
use crate::progress::Progress;
use crate::subject::Target;
use crate::subject::kind::{Kind, Limits, Setup, Store};
use crate::workload::Work;
use crate::workload::crash::Crash;
use crate::workload::durable::Durable;
use crate::workload::idle::Idle;
use crate::workload::load::{Fanout, Rooms};
use crate::workload::paste::Paste;
use crate::workload::rate::Rate;
use crate::workload::restart::Restart;
use crate::workload::soak::Soak;
use crate::workload::storm::Storm;
use crate::workload::strangers::{Strangers, StrangersArgs};

/// Measures klatchd, and other servers beside it, under the load of thousands of clients.
///
/// Each server is started for each round, on loopback and with a folder of its own, and is stopped
/// afterwards. The daemon is the `klatchd` that lies beside this program. Figures count only if all
/// that was said reached everybody exactly once.
#[derive(Debug, Parser)]
#[command(name = "klatch-bench", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Task,

    #[command(flatten)]
    pub(crate) common: Common,
}

const AFTER_HELP: &str = "\
Examples:
  klatch-bench fanout                               the relay and klatchd, 1000 and 100 members
  klatch-bench fanout --server klatchd --tls --json one line of JSON on standard output
  klatch-bench abuse flood-one-address silent       two of the abuses
  klatch-bench rate --server nats --server klatchd  after scripts/install-peers
  klatch-bench storm --server 127.0.0.1:5528 --pid 4711
  klatch-bench table                                the table of the README

docs/PERFORMANCE.md says how to read the figures. Exit status: 0 all is well, 1 something was lost
or failed, 2 bad usage.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Throughput of large rooms, with a number of messages always in flight.
    Fanout(Fanout),
    /// Throughput of many small rooms, with one message in flight in each.
    Rooms(Rooms),
    /// Latency at a given rate, counted from when each message was due (open loop).
    Rate(Rate),
    /// Memory of sessions that are in rooms and say nothing.
    Idle(Idle),
    /// How many connect, log in and join in a second.
    Storm(Storm),
    /// Connections that say nothing: their memory, their end, and what a login takes meanwhile.
    Strangers(Strangers),
    /// Acknowledged messages on the disk, and how long the acknowledgement takes.
    Durable(Durable),
    /// How long it takes until somebody has 50 lines that were pasted, within the default limits.
    Paste(Paste),
    /// What polite members feel while others misbehave.
    Abuse(Abuse),
    /// What is lost or doubled when the server is restarted under people who chat.
    Restart(Restart),
    /// What is lost, doubled or moved when the server is killed under load; again and again.
    Crash(Crash),
    /// Whether memory grows while people come, chat and go for half an hour.
    Soak(Soak),
    /// Every workload with the sizes of the README's table, in under ten minutes.
    Table,
    /// Draws lines of JSON from earlier runs.
    Plot(Plot),
    /// Serves as the bare relay.
    #[command(hide = true)]
    Relay,
    /// Misbehaves.
    #[command(hide = true)]
    Mob(MobArgs),
    /// Holds a part of the clients.
    #[command(hide = true)]
    Crowd(CrowdArgs),
    /// Connects and says nothing.
    #[command(hide = true)]
    StrangersCrowd(StrangersArgs),
}

/// A picture of runs that have been.
#[derive(Debug, Args)]
pub(crate) struct Plot {
    /// Files of JSON lines, as `--json` prints them.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Where the picture goes (SVG).
    #[arg(short, long, default_value = "klatch-bench.svg")]
    pub(crate) out: PathBuf,
}

/// What holds for every workload.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub(crate) struct Common {
    /// The server: a name of those below, which is started, or the address of one that runs; may be
    /// given several times. [default: relay and klatchd, or klatchd alone where the relay has
    /// nothing to compare]
    ///
    /// Names: relay, klatchd, ngircd, inspircd, nats, mosquitto.
    #[arg(long = "server", value_name = "NAME|ADDRESS", global = true)]
    servers: Vec<String>,

    /// The process of a server that runs already: for its CPU time and memory.
    #[arg(long, global = true)]
    pid: Option<u32>,

    /// Whose protocol a server that runs already speaks.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = Kind::Klatchd, global = true)]
    protocol: Kind,

    /// Connects by TLS; the relay has none.
    #[arg(long, global = true)]
    tls: bool,

    /// Whose limits hold. [default: open, but for paste and abuse]
    #[arg(long, value_enum, global = true)]
    limits: Option<Limits>,

    /// Rounds against each server, in turns; the median counts.
    #[arg(long, default_value_t = 3, value_name = "N", global = true)]
    rounds: usize,

    /// Seconds measured in each round, after a warm-up of a third of it.
    #[arg(long, default_value_t = 3.0, value_name = "S", global = true)]
    seconds: f64,

    /// Worker threads of klatchd. With 1, server and load have a core each; otherwise nothing is
    /// pinned. 0: one for each core.
    #[arg(long, default_value_t = 1, value_name = "N", global = true)]
    pub(crate) workers: usize,

    /// Lets the kernel choose the cores, also with one worker.
    #[arg(long, global = true)]
    unpinned: bool,

    /// Processes that hold the clients of idle and storm; more if one has too few file descriptors.
    #[arg(long, default_value_t = 1, value_name = "N", global = true)]
    pub(crate) processes: usize,

    /// Another configuration value for klatchd; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub(crate) set: Vec<String>,

    /// The daemon to measure. [default: the klatchd beside this program]
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) klatchd: Option<PathBuf>,

    /// The configurations that scripts/install-peers wrote.
    #[arg(long, value_name = "FOLDER", default_value = "target/peers", global = true)]
    pub(crate) peers: PathBuf,

    /// Prints a line of JSON for each case on standard output, and the table on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Draws the figures into this file (SVG).
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) plot: Option<PathBuf>,

    /// Runs at the smallest size, and decodes every frame in full: a test, not a measurement.
    #[arg(long, global = true)]
    pub(crate) smoke: bool,

    /// Says nothing while it runs.
    #[arg(short, long, global = true)]
    quiet: bool,

    #[arg(skip)]
    pinned: bool,

    #[arg(skip)]
    pub(crate) progress: Progress,
}

impl Common {
    /// Finds out what depends on the machine.
    pub(crate) fn prepare(&mut self, has_two_cores: bool) {
        self.progress = Progress::new(self.quiet);
        self.pinned = self.workers == 1 && !self.unpinned && has_two_cores;
    }

    /// Whether server and load have a core each.
    pub(crate) const fn pinned(&self) -> bool {
        self.pinned
    }

    /// Those that were asked for, or `usual`.
    pub(crate) fn targets(&self, usual: &[Kind]) -> Result<Vec<Target>> {
        if self.servers.is_empty() {
            return Ok(usual.iter().copied().map(Target::Start).collect());
        }
        self.servers.iter().map(|server| self.target(server)).collect()
    }

    fn target(&self, server: &str) -> Result<Target> {
        if let Ok(kind) = Kind::from_str(server, true) {
            return Ok(Target::Start(kind));
        }
        let address: SocketAddr = server.parse().map_err(|_| {
            let names: Vec<_> = Kind::value_variants().iter().map(|kind| kind.name()).collect();
            let names = names.join(", ");
            Failure::new(format!(
                "--server {server}: neither an address with a port nor one of {names}"
            ))
        })?;
        Ok(Target::Attach { kind: self.protocol, address, pid: self.pid })
    }

    /// The limits that were asked for, or `usual`.
    pub(crate) fn limits(&self, usual: Limits) -> Limits {
        self.limits.unwrap_or(usual)
    }

    /// Whether the clients of this workload come over TLS.
    pub(crate) fn tls(&self, work: &dyn Work) -> bool {
        self.tls || work.tls()
    }

    /// What a server is started with for this workload.
    pub(crate) fn setup(&self, work: &dyn Work, store: Store) -> Setup {
        let (limits, tls) = (self.limits(work.limits()), self.tls(work));
        Setup { limits, store, tls, port: None, open_files: None }
    }

    pub(crate) const fn rounds(&self) -> usize {
        if self.smoke { 1 } else { self.rounds }
    }

    /// How long to warm up and to measure.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        let seconds = if self.smoke { 0.15 } else { self.seconds };
        (Duration::from_secs_f64(seconds / 3.0), Duration::from_secs_f64(seconds))
    }

    /// A size, or its smallest.
    pub(crate) const fn size(&self, full: usize, smoke: usize) -> usize {
        if self.smoke { smoke } else { full }
    }
}
