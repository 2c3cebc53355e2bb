//! Latency at a given rate: messages are due at fixed times, whether or not the server keeps up.
//!
//! A latency counts from when its message was due, not from when it was sent: a load that waits for
//! a slow server, and then measures only the wait for its own late message, would hide what
//! everybody else has felt (coordinated omission).

use std::time::Duration;

use clap::Args;
use hdrhistogram::Histogram;
use klatch::base::clock::{Moment, nanos};

use super::snapshot::{Snapshot, quantiles};
use super::{Work, figure};
use crate::args::Common;
use crate::chat::{Chat, Manner, histogram};
use crate::error::Result;
use crate::link::Sources;
use crate::report::Figures;
use crate::subject::kind::Store;
use crate::subject::{Server, Target};
use crate::swarm::{PATIENCE, Seats, Swarm};

/// A steady stream of messages.
#[derive(Debug, Clone, Args)]
pub(crate) struct Rate {
    /// Rooms, which take turns.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub(crate) rooms: usize,

    /// Members of each.
    #[arg(long, value_name = "M", default_value_t = 100)]
    pub(crate) members: usize,

    /// Members of each that send, in turns.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) senders: usize,

    /// Messages in a second, in all rooms together.
    #[arg(long = "rate", value_name = "N", default_value_t = 2_000)]
    pub(crate) per_second: usize,
}

impl Rate {
    fn seats(&self, options: &Common) -> Seats {
        let rooms = options.size(self.rooms, 2).max(1);
        Seats { rooms, members: options.size(self.members, 5).max(2) }
    }
}

impl Work for Rate {
    fn name(&self) -> String {
        "rate".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        let seats = self.seats(options);
        Figures::from([
            ("rooms", figure(seats.rooms)),
            ("members", figure(seats.members)),
            ("senders", figure(self.senders)),
            ("rate_per_s", figure(self.per_second)),
        ])
    }

    fn by(&self) -> &'static str {
        "p99_us"
    }

    fn connections(&self, options: &Common) -> usize {
        self.seats(options).clients()
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Memory);
        Server::measured(target, setup, options, |server| self.measure(server, options))
    }
}

impl Rate {
    fn measure(&self, server: &Server, options: &Common) -> Result<Figures> {
        let (way, seats) = (server.way(), self.seats(options));
        let (swarm, _) = Swarm::assemble(way, seats, Sources::USUAL, server.window())?;
        let senders = self.senders.clamp(1, seats.members);
        let manner = Manner { seats, senders, thorough: options.smoke, tolerant: true };
        let mut chat = Chat::new(way, swarm, manner)?;
        let mut pace = Pace::new(&mut chat, self.per_second)?;
        let (warm_up, measured) = options.times();
        pace.keep(&mut chat, warm_up, options)?;
        chat.heard().reset();
        pace.late.reset();
        let before = Snapshot::take(server, &chat)?;
        pace.keep(&mut chat, measured, options)?;
        let after = Snapshot::take(server, &chat)?;
        let mut figures = before.figures_until(&after, server);
        // What is still due belongs to the measured time as well.
        let lost = chat.settle()?;
        figures.insert("lost", lost as f64);
        figures.extend(chat.heard().faults());
        figures.extend(quantiles(&chat.heard().each, &LATENCIES));
        figures.extend(quantiles(&chat.heard().last, &[("last_p99_us", 0.99)]));
        if way.driver.nature().acknowledged {
            figures.extend(quantiles(&chat.heard().acked, &[("ack_p99_us", 0.99)]));
        }
        figures.extend(quantiles(&pace.late, &[("late_p99_us", 0.99)]));
        Ok(figures)
    }
}

/// How latencies are told.
pub(super) const LATENCIES: [(&str, f64); 4] =
    [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999), ("max_us", 1.0)];

/// Messages that are due one after the other at equal distances, in one room after the other.
pub(crate) struct Pace {
    distance: Duration,
    next: Moment,
    room: usize,
    rooms: usize,
    /// How late the load itself was, in nanoseconds.
    pub(crate) late: Histogram<u64>,
}

impl Pace {
    /// So many messages in a second, from now on.
    pub(crate) fn new(chat: &mut Chat<'_>, per_second: usize) -> Result<Self> {
        let distance = Duration::from_secs_f64(1.0 / figure(per_second.max(1)));
        let (next, rooms) = (chat.now(), chat.rooms());
        Ok(Self { distance, next, room: 0, rooms, late: histogram()? })
    }

    /// Says what is due, for so long. After a pause nothing is made up for.
    pub(crate) fn keep(
        &mut self,
        chat: &mut Chat<'_>,
        time: Duration,
        options: &Common,
    ) -> Result<()> {
        let end = chat.now().after(time);
        self.next = self.next.max(chat.now());
        while self.next < end {
            let now = chat.now();
            while self.next <= now && self.next < end {
                self.late.saturating_record(nanos(now.since(self.next)));
                chat.say_at(self.room, self.next);
                self.room = (self.room + 1) % self.rooms;
                self.next = self.next.after(self.distance);
            }
            chat.set_alarm(self.next.since(chat.now()))?;
            chat.turn_within(PATIENCE)?;
            chat.forget_done();
            options.progress.tick(|| format!("{} messages", chat.said()));
        }
        Ok(())
    }
}
