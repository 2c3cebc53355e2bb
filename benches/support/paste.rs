//! Latency of a burst: lines pasted by one member, until another has the last of them.
//!
//! This is the one workload that runs within the daemon's default limits, since they are what a
//! person who pastes something meets.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use klatch::base::clock::nanos;

use super::Result;
use super::chat::Chat;
use super::options::Options;
use super::report::Figures;
use super::server::{Kind, Limits, Server};
use super::swarm::{Seats, Swarm};

/// One who pastes and one who listens.
pub(crate) const SEATS: Seats = Seats { rooms: 1, members: 2 };
const LISTENER: usize = 1;
/// People do not paste without end: the pause in which a budget fills again.
const PAUSE: Duration = Duration::from_millis(500);

/// Pastes several times in one session.
pub(crate) fn run(kind: Kind, options: &Options) -> Result<Figures> {
    let server = Server::start(kind, Limits::Default, options)?;
    measure(&server, kind, options).map_err(|error| server.explain(&error.to_string()))
}

fn measure(server: &Server, kind: Kind, options: &Options) -> Result<Figures> {
    let (lines, repeats) = if options.smoke { (5, 2) } else { (50, 10) };
    let swarm = Swarm::assemble(kind, server.address(), SEATS, None)?;
    let mut chat = Chat::new(kind, swarm, SEATS, options.smoke)?;
    let mut times = Histogram::<u64>::new(3)?;
    for _ in 0..repeats {
        let begin = chat.now();
        let last = chat.received(LISTENER) + lines;
        for _ in 0..lines {
            chat.say(0, 1)?;
        }
        while chat.received(LISTENER) < last {
            chat.turn()?;
        }
        times.record(nanos(chat.now().since(begin)))?;
        chat.finish()?;
        chat.rest(if options.smoke { Duration::ZERO } else { PAUSE })?;
    }
    Ok(BTreeMap::from([
        ("p50_us", times.value_at_quantile(0.5) as f64 / 1e3),
        ("max_us", times.max() as f64 / 1e3),
    ]))
}
