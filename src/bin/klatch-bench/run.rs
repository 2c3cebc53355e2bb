//! Runs workloads against servers, round after round, and tells what was found.

use crate::abuse::Abuse;
use crate::args::Common;
use crate::error::{Failure, Result};
use crate::machine;
use crate::plot;
use crate::report::{self, Case};
use crate::subject::Target;
use crate::subject::kind::Limits;
use crate::workload::Work;
use crate::workload::crash::Crash;
use crate::workload::durable::Durable;
use crate::workload::idle::Idle;
use crate::workload::load::{Fanout, Rooms};
use crate::workload::paste::Paste;
use crate::workload::rate::Rate;
use crate::workload::restart::Restart;
use crate::workload::storm::Storm;
use crate::workload::strangers::Strangers;

/// Runs all of it; returns what was found that must not be.
pub(crate) fn run(works: &[Box<dyn Work>], mut options: Common) -> Result<Vec<String>> {
    options.prepare(machine::has_two_cores()?);
    machine::raise_open_files()?;
    let mut cases = Vec::new();
    for work in works {
        cases.extend(cases_of(work.as_ref(), &options)?);
    }
    let (tables, lines) = (report::tables(&cases), report::json(&cases));
    if options.json {
        eprintln!("{tables}");
    } else {
        println!("{tables}");
    }
    // An audit ends with what a program reads, whatever was asked for.
    let audited = cases.iter().any(|case| case.workload == "crash");
    if options.json || audited {
        for line in &lines {
            println!("{line}");
        }
    }
    if let Some(file) = &options.plot {
        plot::draw(&lines, file)?;
    }
    Ok(cases.iter().flat_map(Case::faults).collect())
}

fn cases_of(work: &dyn Work, options: &Common) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let tls = options.tls(work);
    for target in options.targets(&work.servers(options))? {
        let kind = target.kind();
        if !work.suits(kind) {
            return Err(Failure::new(format!(
                "{} cannot be run with {}",
                work.name(),
                kind.name()
            )));
        }
        // A server that is started here inherits the limit; of another, only this side is known.
        if matches!(target, Target::Start(_)) || !work.has_crowd() {
            machine::check_connections(work.connections(options))?;
        }
        if tls && !kind.has_tls() {
            continue;
        }
        let limits = match options.limits(work.limits()) {
            Limits::Open => "open",
            Limits::Default => "default",
        };
        let case = Case {
            workload: work.name(),
            variant: work.variant(),
            server: target.name(),
            kind,
            tls,
            limits,
            shape: work.shape(options),
            by: work.by(),
            rounds: Vec::new(),
        };
        cases.push((target, case));
    }
    let rounds = work.rounds(options);
    for round in 1..=rounds {
        // In turns, so that a change of the machine's mood meets all alike.
        for (target, case) in &mut cases {
            measure(work, target, case, (round, rounds), options)?;
        }
    }
    Ok(cases.into_iter().map(|(_, case)| case).collect())
}

fn measure(
    work: &dyn Work,
    target: &Target,
    case: &mut Case,
    (round, rounds): (usize, usize),
    options: &Common,
) -> Result<()> {
    let size = case.shape.get("members").map_or(String::new(), |size| format!(" {size}"));
    let variant = case.variant.map_or(String::new(), |variant| format!(" {variant}"));
    let of = if rounds > 1 { format!(", round {round} of {rounds}") } else { String::new() };
    options.progress.begin(format!("{}{variant}{size}, {}{of}", case.workload, case.server));
    let figures = work.run(target, options)?;
    options.progress.end(&report::told(&figures));
    case.rounds.push(figures);
    Ok(())
}

/// The workloads of the README's table, with its sizes.
pub(crate) fn table(options: &Common) -> Vec<Box<dyn Work>> {
    let fanout = |members, all| Fanout { members: vec![members], senders: 4, in_flight: 32, all };
    let rooms = Rooms { count: 1_000, members: 10, senders: 4, in_flight: 1 };
    let rate = |rooms, members| Rate { rooms, members, senders: 4, per_second: 2_000 };
    let idle = |over_tls| Idle { sessions: 9_000, members: 100, over_tls };
    let durable = |rate| Durable { rooms: 8, members: 2, in_flight: 32, rate };
    let large = fanout(1_000, true).loads(options).into_iter();
    let small = fanout(100, false).loads(options).into_iter();
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    works.extend(large.chain(small).map(|load| -> Box<dyn Work> { Box::new(load) }));
    works.push(Box::new(rooms.load(options)));
    works.push(Box::new(rate(1, 100)));
    works.push(Box::new(rate(1_000, 10)));
    works.push(Box::new(Storm { sessions: 10_000, members: 10, window: None }));
    works.push(Box::new(Strangers { connections: 9_000, per_second: 5_000 }));
    works.push(Box::new(idle(false)));
    works.push(Box::new(idle(true)));
    works.push(Box::new(Paste { lines: 50, times: 10 }));
    works.push(Box::new(durable(None)));
    works.push(Box::new(durable(Some(2_000))));
    works.extend(Abuse::once().works());
    works.push(Box::new(Restart { clients: 200, members: 20, restarts: 3, rate: 4 }));
    works.push(Box::new(Crash { cycles: 5, senders: 16, in_flight: 8, most: 2_000 }));
    works
}
