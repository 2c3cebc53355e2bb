//! Measures klatchd, and other servers beside it, under load.
//!
//! ```text
//! workload · abuse          what is measured
//! chat ── ledger            what is said, and who has received it
//! crowd ── sibling          clients in several processes
//! swarm ── assembly · link  all clients on one epoll; how they come in; one connection
//! driver ── tag             the protocols, at a glance
//! subject ── relay · kind   what is measured, as a process of its own
//! args · report · plot · progress · machine
//! ```
//!
//! docs/PERFORMANCE.md tells how to read the figures.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people anyway")]

mod abuse;
mod args;
mod assembly;
mod chat;
mod crowd;
mod driver;
mod error;
mod ledger;
mod link;
mod machine;
mod plot;
mod progress;
mod report;
mod run;
mod sibling;
mod subject;
mod swarm;
mod tag;
mod workload;

use std::process::ExitCode;

use args::{Arguments, Task};
use clap::Parser;
use error::Result;
use run::run;
use workload::Work;

fn main() -> ExitCode {
    match work(Arguments::parse()) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            eprintln!("klatch-bench: this must not be: {}", faults.join("; "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("klatch-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked for; returns what was found that must not be.
fn work(arguments: Arguments) -> Result<Vec<String>> {
    let Arguments { task, common } = arguments;
    let works: Vec<Box<dyn Work>> = match task {
        Task::Relay => return subject::relay::run().map(|()| Vec::new()),
        Task::Mob(mob) => return abuse::mob::run(&mob).map(|()| Vec::new()),
        Task::Crowd(crowd) => return crowd::run(&crowd).map(|()| Vec::new()),
        Task::StrangersCrowd(crowd) => {
            return workload::strangers::run(&crowd).map(|()| Vec::new());
        }
        Task::Plot(plot) => {
            let lines = plot::read(&plot.files)?;
            return plot::draw(&lines, &plot.out).map(|()| Vec::new());
        }
        Task::Fanout(fanout) => {
            let loads = fanout.loads(&common).into_iter();
            loads.map(|load| -> Box<dyn Work> { Box::new(load) }).collect()
        }
        Task::Rooms(rooms) => vec![Box::new(rooms.load(&common))],
        Task::Rate(rate) => vec![Box::new(rate)],
        Task::Idle(idle) => vec![Box::new(idle)],
        Task::Storm(storm) => vec![Box::new(storm)],
        Task::Strangers(strangers) => vec![Box::new(strangers)],
        Task::Durable(durable) => vec![Box::new(durable)],
        Task::Paste(paste) => vec![Box::new(paste)],
        Task::Abuse(abuse) => abuse.works(),
        Task::Restart(restart) => vec![Box::new(restart)],
        Task::Crash(crash) => vec![Box::new(crash)],
        Task::Soak(soak) => vec![Box::new(soak)],
        Task::Table => run::table(&common),
    };
    run(&works, common)
}
