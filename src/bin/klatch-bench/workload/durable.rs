//! Durability: how many messages a second are acknowledged, and so on the disk, and how long an
//! acknowledgement takes; as many as possible, or at a given rate.

use clap::Args;

use super::load::keep_going;
use super::rate::Pace;
use super::snapshot::{Snapshot, quantiles};
use super::{Work, figure};
use crate::args::Common;
use crate::chat::{Chat, Manner};
use crate::error::Result;
use crate::link::Sources;
use crate::report::Figures;
use crate::subject::kind::{Kind, Store};
use crate::subject::{Server, Target};
use crate::swarm::{Seats, Swarm};

/// Messages on the disk.
#[derive(Debug, Clone, Args)]
pub(crate) struct Durable {
    /// Rooms.
    #[arg(long, value_name = "K", default_value_t = 8)]
    pub(crate) rooms: usize,

    /// Members of each; all of them send, in turns.
    #[arg(long, value_name = "M", default_value_t = 2)]
    pub(crate) members: usize,

    /// Messages in flight in each.
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) in_flight: usize,

    /// Messages in a second, in all rooms together; without it, as many as possible.
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<usize>,
}

impl Durable {
    fn seats(&self, options: &Common) -> Seats {
        Seats { rooms: options.size(self.rooms, 2).max(1), members: self.members.max(2) }
    }
}

impl Work for Durable {
    fn name(&self) -> String {
        "durable".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        let seats = self.seats(options);
        let mut shape =
            Figures::from([("rooms", figure(seats.rooms)), ("members", figure(seats.members))]);
        match self.rate {
            Some(rate) => shape.insert("rate_per_s", figure(rate)),
            None => shape.insert("in_flight", figure(self.in_flight)),
        };
        shape
    }

    fn servers(&self, _: &Common) -> Vec<Kind> {
        vec![Kind::Klatchd]
    }

    fn suits(&self, kind: Kind) -> bool {
        kind.driver().nature().acknowledged
    }

    fn by(&self) -> &'static str {
        if self.rate.is_some() { "ack_p99_us" } else { "acked_per_s" }
    }

    fn connections(&self, options: &Common) -> usize {
        self.seats(options).clients()
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Disk);
        Server::measured(target, setup, options, |server| self.measure(server, options))
    }
}

impl Durable {
    fn measure(&self, server: &Server, options: &Common) -> Result<Figures> {
        let (way, seats) = (server.way(), self.seats(options));
        let (swarm, _) = Swarm::assemble(way, seats, Sources::USUAL, server.window())?;
        let senders = seats.members;
        let manner = Manner { seats, senders, thorough: options.smoke, tolerant: true };
        let mut chat = Chat::new(way, swarm, manner)?;
        let mut pace = self.rate.map(|rate| Pace::new(&mut chat, rate)).transpose()?;
        let at_once = if pace.is_some() { 0 } else { self.in_flight.max(1) };
        for _ in 0..at_once {
            (0..seats.rooms).for_each(|room| chat.say(room));
        }
        let mut go = |chat: &mut Chat<'_>, time| match &mut pace {
            Some(pace) => pace.keep(chat, time, options),
            None => keep_going(chat, time, options),
        };
        let (warm_up, measured) = options.times();
        go(&mut chat, warm_up)?;
        chat.heard().reset();
        let before = Snapshot::take(server, &chat)?;
        go(&mut chat, measured)?;
        let after = Snapshot::take(server, &chat)?;
        let acked = chat.heard().acked.len() as f64;
        let mut figures = before.figures_until(&after, server);
        figures.insert("acked_per_s", acked / before.seconds_until(&after));
        figures.insert("lost", chat.settle()? as f64);
        figures.extend(chat.heard().faults());
        let latencies = [("ack_p50_us", 0.5), ("ack_p99_us", 0.99), ("max_us", 1.0)];
        figures.extend(quantiles(&chat.heard().acked, &latencies));
        Ok(figures)
    }
}
