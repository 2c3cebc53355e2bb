//! Measures the daemon under load, next to a bare relay that does nothing but copy bytes.
//!
//! `cargo bench --bench fanout -- --help` says what can be asked for; `benches/README.md` says how
//! to read the answer.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people anyway")]

mod support;

use std::process::ExitCode;

use clap::Parser;
use support::options::{Options, Workload};
use support::report::{self, Case, Figures};
use support::server::{self, Kind};
use support::storm::Load;
use support::swarm::Seats;
use support::{Result, idle, machine, paste, relay, storm};

/// Descriptors besides the connections.
const OTHER_FILES: usize = 100;

fn main() -> ExitCode {
    let outcome = if std::env::args().nth(1).as_deref() == Some(server::RELAY_ARGUMENT) {
        relay::run()
    } else {
        bench(Options::parse())
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(mut options: Options) -> Result<()> {
    options.pinned = options.workers == 1 && machine::has_two_cores()?;
    if !options.pinned {
        eprintln!("server and generator share the cores: compare CPU, not deliveries per second");
    }
    let mut cases = Vec::new();
    for &workload in options.workloads() {
        for plan in Plan::of(workload, &options) {
            let case = plan.run(&options)?;
            if !case.rounds.is_empty() {
                cases.push(case);
            }
        }
    }
    report::print(&cases);
    Ok(())
}

/// A workload of a certain size.
#[derive(Debug, Clone, Copy)]
struct Plan {
    workload: Workload,
    seats: Seats,
}

impl Plan {
    fn of(workload: Workload, options: &Options) -> Vec<Self> {
        let size = |full: usize, smoke: usize| {
            if options.smoke { smoke } else { options.members.unwrap_or(full) }
        };
        let seats = match workload {
            Workload::Fanout if options.smoke || options.members.is_some() => {
                vec![Seats { rooms: 1, members: size(0, 10) }]
            }
            Workload::Fanout => [100, 1_000].map(|members| Seats { rooms: 1, members }).to_vec(),
            Workload::Rooms if options.smoke => vec![Seats { rooms: 5, members: 3 }],
            Workload::Rooms => vec![Seats { rooms: 1_000, members: 10 }],
            // Rooms of a hundred: a room's own memory is shared as it would be among people.
            Workload::Idle | Workload::IdleTls => {
                let members = size(100, 10).min(100);
                vec![Seats { rooms: size(9_000, 20) / members, members }]
            }
            Workload::Paste => vec![paste::SEATS],
        };
        seats.into_iter().map(|seats| Self { workload, seats }).collect()
    }

    fn run(self, options: &Options) -> Result<Case> {
        let (name, clients) = (self.workload.name(), self.seats.clients());
        machine::raise_open_files(clients + OTHER_FILES)?;
        let mut case = Case { workload: name, seats: self.seats, rounds: Vec::new() };
        for round in 1..=self.rounds(options) {
            // In turns, so that a change of the machine's mood meets both alike.
            for kind in options.servers() {
                if self.workload == Workload::IdleTls && kind == Kind::Relay {
                    continue;
                }
                let figures = self.measure(kind, options)?;
                report::progress(&format!("{name} {clients}, round {round}"), kind, &figures);
                case.rounds.push((kind, figures));
            }
        }
        Ok(case)
    }

    /// Memory does not vary, and takes long to fill: one round will do.
    const fn rounds(self, options: &Options) -> usize {
        match self.workload {
            Workload::Idle | Workload::IdleTls | Workload::Paste => 1,
            Workload::Fanout | Workload::Rooms => options.rounds(),
        }
    }

    fn measure(self, kind: Kind, options: &Options) -> Result<Figures> {
        let seats = self.seats;
        let load = |in_flight| {
            let senders = seats.members.min(SENDERS);
            storm::run(kind, Load { seats, senders, in_flight }, options)
        };
        match self.workload {
            Workload::Fanout => load(options.in_flight),
            Workload::Rooms => load(1),
            Workload::Idle => idle::run(kind, seats, false, options),
            Workload::IdleTls => idle::run(kind, seats, true, options),
            Workload::Paste => paste::run(kind, options),
        }
    }
}

/// Members of each room that send.
const SENDERS: usize = 4;
