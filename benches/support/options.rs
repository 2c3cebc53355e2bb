//! What can be asked of a run.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::server::Kind;

/// Measures klatchd under load, next to a bare relay that shows what this machine can do at best.
#[derive(Debug, Parser)]
#[command(name = "fanout")]
pub(crate) struct Options {
    /// Runs only this workload; may be given several times.
    #[arg(long = "workload", value_enum, value_name = "NAME")]
    pub(crate) workloads: Vec<Workload>,

    /// Runs only against this server.
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) server: Option<Kind>,

    /// Runs everything at its smallest, and decodes every frame in full: a test, not a measurement.
    #[arg(long)]
    pub(crate) smoke: bool,

    /// Rounds against each server, in turns; the median counts.
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub(crate) rounds: usize,

    /// Worker threads of the daemon; with more than one, nothing is pinned to a core.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) workers: usize,

    /// Members of the room of `fanout` (100 and 1000), sessions of `idle` (9000).
    #[arg(long, value_name = "N")]
    pub(crate) members: Option<usize>,

    /// Messages in flight in the room of `fanout`.
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub(crate) in_flight: usize,

    /// Seconds measured in each round, after a warm-up of a third of it.
    #[arg(long, default_value_t = 3.0, value_name = "S")]
    pub(crate) seconds: f64,

    /// Another configuration value for the daemon; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// The daemon to measure, if not the one that was built along.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_klatchd"), value_name = "PATH")]
    pub(crate) klatchd: PathBuf,

    /// Whether server and generator have a core each; found out at the start.
    #[arg(skip)]
    pub(crate) pinned: bool,

    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One room of 100, then of 1000 members; 4 of them keep 32 messages in flight.
    Fanout,
    /// 1000 rooms of 10 members, with one message in flight in each.
    Rooms,
    /// Memory of 9000 sessions that are members of a room and say nothing.
    Idle,
    /// The same over TLS; the relay has none.
    IdleTls,
    /// 50 lines at once from one member, until another has the last, within the default limits.
    Paste,
}

impl Workload {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Rooms => "rooms",
            Self::Idle => "idle",
            Self::IdleTls => "idle-tls",
            Self::Paste => "paste",
        }
    }
}

impl Options {
    pub(crate) fn workloads(&self) -> &[Workload] {
        if self.workloads.is_empty() { Workload::value_variants() } else { &self.workloads }
    }

    pub(crate) fn servers(&self) -> Vec<Kind> {
        self.server.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind])
    }

    pub(crate) const fn rounds(&self) -> usize {
        if self.smoke { 1 } else { self.rounds }
    }

    /// How long to warm up and to measure.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        let seconds = if self.smoke { 0.15 } else { self.seconds };
        (Duration::from_secs_f64(seconds / 3.0), Duration::from_secs_f64(seconds))
    }
}
