//! Throughput: rooms in which a number of messages is always in flight.
//!
//! A message is done when all members of its room have received it; then the next is sent. So the
//! load adapts to the server, and what is measured is the server and not a queue in front of it.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::snapshot::{Snapshot, quantiles};
use super::{Work, figure};
use crate::args::Common;
use crate::chat::{Chat, Manner};
use crate::error::{Lost, Result};
use crate::link::Sources;
use crate::report::{CPU, Figures};
use crate::subject::kind::{Kind, Store};
use crate::subject::{Server, Target};
use crate::swarm::{Seats, Swarm};

/// Large rooms.
#[derive(Debug, Clone, Args)]
pub(crate) struct Fanout {
    /// Members of the room; with several numbers, one room after the other.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1000,100")]
    pub(crate) members: Vec<usize>,

    /// Members that send, in turns.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) senders: usize,

    /// Messages in flight.
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) in_flight: usize,

    /// Measures the others' servers too, as far as they are installed.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Many small rooms.
#[derive(Debug, Clone, Args)]
pub(crate) struct Rooms {
    /// Rooms.
    #[arg(long = "rooms", value_name = "K", default_value_t = 1_000)]
    pub(crate) count: usize,

    /// Members of each.
    #[arg(long, value_name = "M", default_value_t = 10)]
    pub(crate) members: usize,

    /// Members of each that send, in turns.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) senders: usize,

    /// Messages in flight in each.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) in_flight: usize,
}

/// The shape of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    name: &'static str,
    seats: Seats,
    senders: usize,
    in_flight: usize,
    all: bool,
}

impl Fanout {
    /// One for each size of the room.
    pub(crate) fn loads(&self, options: &Common) -> Vec<Load> {
        let smallest = vec![10];
        let sizes = if options.smoke { &smallest } else { &self.members };
        let load = |&members: &usize| Load {
            name: "fanout",
            seats: Seats { rooms: 1, members: members.max(2) },
            senders: self.senders.clamp(1, members.max(2)),
            in_flight: self.in_flight.max(1),
            all: self.all,
        };
        sizes.iter().map(load).collect()
    }
}

impl Rooms {
    pub(crate) fn load(&self, options: &Common) -> Load {
        let (rooms, members) = (options.size(self.count, 5), options.size(self.members, 3).max(2));
        Load {
            name: "rooms",
            seats: Seats { rooms: rooms.max(1), members },
            senders: self.senders.clamp(1, members),
            in_flight: self.in_flight.max(1),
            all: false,
        }
    }
}

impl Work for Load {
    fn name(&self) -> String {
        self.name.into()
    }

    fn servers(&self, options: &Common) -> Vec<Kind> {
        let mut kinds = vec![Kind::Relay, Kind::Klatchd];
        if self.all {
            let others = Kind::value_variants().iter().filter(|kind| !kinds.contains(kind));
            let installed = others.copied().filter(|kind| kind.is_installed(options));
            kinds.extend(installed.collect::<Vec<_>>());
        }
        kinds
    }

    fn shape(&self, _: &Common) -> Figures {
        Figures::from([
            ("rooms", figure(self.seats.rooms)),
            ("members", figure(self.seats.members)),
            ("senders", figure(self.senders)),
            ("in_flight", figure(self.in_flight)),
        ])
    }

    fn by(&self) -> &'static str {
        CPU
    }

    fn connections(&self, _: &Common) -> usize {
        self.seats.clients()
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Memory);
        Server::measured(target, setup, options, |server| measure(server, *self, options))
    }
}

fn measure(server: &Server, load: Load, options: &Common) -> Result<Figures> {
    let Load { seats, senders, in_flight, .. } = load;
    let way = server.way();
    let (swarm, _) = Swarm::assemble(way, seats, Sources::USUAL, server.window())?;
    let manner = Manner { seats, senders, thorough: options.smoke, tolerant: false };
    let mut chat = Chat::new(way, swarm, manner)?;
    for _ in 0..in_flight {
        (0..seats.rooms).for_each(|room| chat.say(room));
    }
    let (warm_up, measured) = options.times();
    match load_for(server, &mut chat, warm_up, measured, options) {
        Ok(figures) => Ok(figures),
        // What was lost is a figure; all others of the run are worth nothing then.
        Err(error) => Ok(Figures::from([("lost", error.downcast::<Lost>()?.deliveries as f64)])),
    }
}

fn load_for(
    server: &Server,
    chat: &mut Chat<'_>,
    warm_up: Duration,
    measured: Duration,
    options: &Common,
) -> Result<Figures> {
    keep_going(chat, warm_up, options)?;
    chat.heard().reset();
    let before = Snapshot::take(server, chat)?;
    keep_going(chat, measured, options)?;
    let after = Snapshot::take(server, chat)?;
    let mut figures = before.figures_until(&after, server);
    figures.remove("cpu_us_per_message");
    figures.extend(quantiles(&chat.heard().last, &[("p50_us", 0.5), ("p99_us", 0.99)]));
    chat.finish()?;
    figures.insert("lost", 0.0);
    Ok(figures)
}

/// Replaces each message that is done by the next.
pub(super) fn keep_going(chat: &mut Chat<'_>, time: Duration, options: &Common) -> Result<()> {
    let end = chat.now().after(time);
    while chat.now() < end {
        chat.turn()?;
        for room in chat.take_done() {
            chat.say(room);
        }
        options.progress.tick(|| format!("{} deliveries", chat.deliveries()));
    }
    Ok(())
}
