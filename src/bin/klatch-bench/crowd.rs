//! Clients that only have to be there, in more than one process if one has too few descriptors.
//!
//! Each process has rooms of its own, with names of its own. One is this process; the others are its
//! siblings, which come in at the same time and tell how that went.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::args::Common;
use crate::chat::{Chat, Manner, histogram};
use crate::driver;
use crate::error::{Failure, Result};
use crate::link::{Sources, Way, client_tls};
use crate::machine;
use crate::sibling::{Sibling, orders};
use crate::subject::Server;
use crate::subject::kind::Kind;
use crate::swarm::{Arrival, Seats, Swarm};

/// How long others may take to come in, and to answer.
const PATIENCE: Duration = Duration::from_secs(600);
/// Addresses that each process has for itself.
const ADDRESSES: u32 = 64;
/// Between two looks for an order.
const LOOK: Duration = Duration::from_millis(20);

/// What a sibling is told.
#[derive(Debug, Args)]
pub(crate) struct CrowdArgs {
    #[arg(long)]
    to: SocketAddr,
    #[arg(long = "as")]
    kind: Kind,
    #[arg(long)]
    over_tls: bool,
    /// Which of the processes this is.
    #[arg(long)]
    share: u32,
    /// The run, for its names.
    #[arg(long)]
    run: u32,
    #[arg(long)]
    rooms: usize,
    #[arg(long)]
    members: usize,
    #[arg(long)]
    window: usize,
}

/// All of them, in their rooms.
pub(crate) struct Crowd<'a> {
    chat: Chat<'a>,
    siblings: Vec<Sibling>,
    /// From the first connection until the last client was a member.
    pub(crate) took: Duration,
    /// The same for each client, in nanoseconds.
    pub(crate) each: Histogram<u64>,
}

/// The rooms of each process: so many processes as it takes, or as were asked for.
fn shares(seats: Seats, processes: usize, most: usize) -> Vec<usize> {
    let needed = seats.clients().div_ceil(most.max(1));
    let count = processes.max(needed).clamp(1, seats.rooms.max(1));
    (0..count).map(|share| seats.rooms / count + usize::from(share < seats.rooms % count)).collect()
}

impl<'a> Crowd<'a> {
    /// Lets all clients in at once, in one process or several.
    pub(crate) fn assemble(
        server: &'a Server,
        seats: Seats,
        window: usize,
        options: &Common,
    ) -> Result<Self> {
        let shares = shares(seats, options.processes, machine::connections_max());
        let count = shares.len();
        let (way, window) = (server.way(), window.div_ceil(count).max(1));
        let own = driver::run();
        let mut siblings = Vec::new();
        for (share, rooms) in shares.iter().enumerate().skip(1) {
            let share = u32::try_from(share)?;
            let mut words = vec![
                format!("--to={}", way.server),
                format!("--as={}", server.kind().name()),
                format!("--share={share}"),
                format!("--run={}", own + share),
                format!("--rooms={rooms}"),
                format!("--members={}", seats.members),
                format!("--window={window}"),
            ];
            words.extend(way.tls.map(|_| "--over-tls".to_owned()));
            siblings.push(Sibling::start("crowd", &words)?);
        }
        for sibling in &mut siblings {
            sibling.tell("come")?;
        }
        let seats = Seats { rooms: shares[0], members: seats.members };
        let (swarm, arrival) = Swarm::assemble(way, seats, Sources::USUAL, window)?;
        let mut each = histogram()?;
        arrival.each.iter().for_each(|took| each.saturating_record(*took));
        let mut took = arrival.took;
        for sibling in &siblings {
            let report = sibling.wait(PATIENCE)?;
            took = took.max(Duration::from_secs_f64(report["took_s"].as_f64().unwrap_or_default()));
            let theirs = report["each_ns"].as_array().into_iter().flatten();
            theirs.filter_map(Value::as_u64).for_each(|took| each.saturating_record(took));
        }
        let chat = Chat::new(way, swarm, manner(seats, options.smoke))?;
        Ok(Self { chat, siblings, took, each })
    }

    /// Has each room hear one message; returns how many deliveries are lost.
    pub(crate) fn check(mut self) -> Result<u64> {
        for sibling in &mut self.siblings {
            sibling.tell("check")?;
        }
        let mut lost = check(&mut self.chat)?;
        for sibling in &self.siblings {
            let report = sibling.wait(PATIENCE)?;
            lost += report["lost"].as_u64().ok_or_else(|| Failure::new("no answer"))?;
        }
        Ok(lost)
    }
}

const fn manner(seats: Seats, thorough: bool) -> Manner {
    Manner { seats, senders: 1, thorough, tolerant: false }
}

fn check(chat: &mut Chat<'_>) -> Result<u64> {
    (0..chat.rooms()).for_each(|room| chat.say(room));
    chat.settle()
}

/// Is a sibling, until its orders end.
pub(crate) fn run(args: &CrowdArgs) -> Result<()> {
    machine::raise_open_files()?;
    driver::set_run(args.run);
    let client_tls = args.over_tls.then(client_tls).transpose()?;
    let way = Way { server: args.to, tls: client_tls.as_ref(), driver: args.kind.driver() };
    let seats = Seats { rooms: args.rooms, members: args.members };
    let sources = Sources { first: args.share * ADDRESSES, ..Sources::USUAL };
    let orders = orders();
    // Its end is the end of this process too.
    orders.recv()?;
    let (swarm, Arrival { took, each }) = Swarm::assemble(way, seats, sources, args.window)?;
    writeln!(stdout(), "{}", json!({ "took_s": took.as_secs_f64(), "each_ns": each }))?;
    let mut chat = Chat::new(way, swarm, manner(seats, false))?;
    loop {
        match orders.try_recv() {
            Ok(_) => writeln!(stdout(), "{}", json!({ "lost": check(&mut chat)? }))?,
            // The server may want a sign of life.
            Err(TryRecvError::Empty) => chat.rest(LOOK)?,
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_shared_among_as_many_processes_as_it_takes() {
        let seats = Seats { rooms: 10, members: 100 };
        assert_eq!(shares(seats, 1, 2_000), [10]);
        assert_eq!(shares(seats, 1, 300), [3, 3, 2, 2]);
        assert_eq!(shares(seats, 3, 2_000), [4, 3, 3]);
        assert_eq!(shares(seats, 99, 2_000).len(), 10);
    }
}
