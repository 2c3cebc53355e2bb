//! Latency of a burst: lines pasted by one member, until another has the last of them.
//!
//! It runs within the default limits, since they are what a person who pastes something meets.

use std::time::Duration;

use clap::Args;
use klatch::base::clock::nanos;

use super::{Work, figure};
use crate::args::Common;
use crate::chat::{Chat, Manner, histogram};
use crate::error::Result;
use crate::link::Sources;
use crate::report::Figures;
use crate::subject::kind::{Limits, Store};
use crate::subject::{Server, Target};
use crate::swarm::{Seats, Swarm};

/// One who pastes and one who listens.
const SEATS: Seats = Seats { rooms: 1, members: 2 };
/// People do not paste without end: the pause in which a budget fills again.
const PAUSE: Duration = Duration::from_millis(500);

/// A burst of lines.
#[derive(Debug, Clone, Args)]
pub(crate) struct Paste {
    /// Lines that are pasted at once.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) lines: usize,

    /// How often.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) times: usize,
}

impl Work for Paste {
    fn name(&self) -> String {
        "paste".into()
    }

    fn shape(&self, _: &Common) -> Figures {
        Figures::from([("lines", figure(self.lines)), ("members", figure(SEATS.members))])
    }

    fn limits(&self) -> Limits {
        Limits::Default
    }

    fn by(&self) -> &'static str {
        "p50_us"
    }

    fn rounds(&self, _: &Common) -> usize {
        1
    }

    fn connections(&self, _: &Common) -> usize {
        SEATS.clients()
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Memory);
        Server::measured(target, setup, options, |server| self.measure(server, options))
    }
}

impl Paste {
    fn measure(&self, server: &Server, options: &Common) -> Result<Figures> {
        let (lines, repeats) = (self.lines, options.size(self.times, 2));
        let way = server.way();
        let (swarm, _) = Swarm::assemble(way, SEATS, Sources::USUAL, server.window())?;
        let manner = Manner { seats: SEATS, senders: 1, thorough: options.smoke, tolerant: false };
        let mut chat = Chat::new(way, swarm, manner)?;
        let mut times = histogram()?;
        for repeat in 0..repeats {
            let begin = chat.now();
            (0..lines).for_each(|_| chat.say(0));
            let mut done = 0;
            while done < lines {
                chat.turn()?;
                done += chat.take_done().len();
            }
            times.saturating_record(nanos(chat.now().since(begin)));
            chat.finish()?;
            options.progress.tick(|| format!("paste {} of {repeats}", repeat + 1));
            chat.rest(if options.smoke { Duration::ZERO } else { PAUSE })?;
        }
        Ok(Figures::from([
            ("p50_us", times.value_at_quantile(0.5) as f64 / 1e3),
            ("max_us", times.max() as f64 / 1e3),
            ("lost", 0.0),
        ]))
    }
}
