//! Throughput: rooms in which a number of messages is always in flight.
//!
//! A message is done when all members of its room have received it; then the next is sent. So the
//! load adapts to the server, and what is measured is the server and not a queue in front of it.

use std::collections::BTreeMap;
use std::time::Duration;

use klatch::base::clock::Moment;

use super::chat::Chat;
use super::options::Options;
use super::report::Figures;
use super::server::{Kind, Limits, Server};
use super::swarm::{Seats, Swarm};
use super::{Result, machine};

/// The shape of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) seats: Seats,
    /// Members of each room that send, in turns.
    pub(crate) senders: usize,
    /// Messages in flight in each room.
    pub(crate) in_flight: usize,
}

/// Runs one round against a server of its own.
pub(crate) fn run(kind: Kind, load: Load, options: &Options) -> Result<Figures> {
    let server = Server::start(kind, Limits::Open, options)?;
    measure(&server, kind, load, options).map_err(|error| server.explain(&error.to_string()))
}

fn measure(server: &Server, kind: Kind, load: Load, options: &Options) -> Result<Figures> {
    let Load { seats, senders, in_flight } = load;
    let swarm = Swarm::assemble(kind, server.address(), seats, None)?;
    let mut chat = Chat::new(kind, swarm, seats, options.smoke)?;
    for _ in 0..in_flight {
        for room in 0..seats.rooms {
            chat.say(room, senders)?;
        }
    }
    let (warm_up, measured) = options.times();
    keep_going(&mut chat, senders, warm_up)?;
    chat.latencies().reset();
    let before = Snapshot::take(server, &chat)?;
    keep_going(&mut chat, senders, measured)?;
    let after = Snapshot::take(server, &chat)?;
    let figures = before.figures_until(&after, &mut chat);
    chat.finish()?;
    Ok(figures)
}

/// Replaces each message that is done by the next.
fn keep_going(chat: &mut Chat, senders: usize, time: Duration) -> Result<()> {
    let end = chat.now().after(time);
    while chat.now() < end {
        chat.turn()?;
        for room in chat.take_done() {
            chat.say(room, senders)?;
        }
    }
    Ok(())
}

/// All that is counted, at one moment.
struct Snapshot {
    now: Moment,
    server: Duration,
    generator: Duration,
    everybody: Duration,
    deliveries: u64,
    reads: u64,
}

impl Snapshot {
    fn take(server: &Server, chat: &Chat) -> Result<Self> {
        Ok(Self {
            now: chat.now(),
            server: server.cpu_time()?,
            generator: machine::cpu_time(std::process::id())?,
            everybody: machine::busy_time()?,
            deliveries: chat.deliveries(),
            reads: chat.reads(),
        })
    }

    fn figures_until(&self, after: &Self, chat: &mut Chat) -> Figures {
        let seconds = after.now.since(self.now).as_secs_f64();
        let deliveries = (after.deliveries - self.deliveries) as f64;
        let server = after.server.saturating_sub(self.server).as_secs_f64();
        let generator = after.generator.saturating_sub(self.generator).as_secs_f64();
        let everybody = after.everybody.saturating_sub(self.everybody).as_secs_f64();
        let latency = |quantile| chat.latencies().value_at_quantile(quantile) as f64 / 1e3;
        let [p50, p99] = [0.50, 0.99].map(latency);
        BTreeMap::from([
            ("deliveries_per_s", deliveries / seconds),
            ("cpu_us_per_delivery", server * 1e6 / deliveries),
            ("deliveries_per_read", deliveries / (after.reads - self.reads) as f64),
            ("server_cores", server / seconds),
            ("generator_cores", generator / seconds),
            ("other_cores", (everybody - server - generator).max(0.0) / seconds),
            ("p50_us", p50),
            ("p99_us", p99),
        ])
    }
}
