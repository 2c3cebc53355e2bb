//! A storm of logins: how many connect, log in and join in a second, as after a failure of the
//! network.

use clap::Args;

use super::snapshot::quantiles;
use super::{Work, figure};
use crate::args::Common;
use crate::crowd::Crowd;
use crate::error::Result;
use crate::report::Figures;
use crate::subject::kind::Store;
use crate::subject::{Server, Target};
use crate::swarm::Seats;

/// Everybody comes at once.
#[derive(Debug, Clone, Args)]
pub(crate) struct Storm {
    /// Sessions.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) sessions: usize,

    /// Members of each room.
    #[arg(long, value_name = "M", default_value_t = 10)]
    pub(crate) members: usize,

    /// Clients between connecting and being a member at any time. [default: 64; as many as it takes
    /// for others' servers]
    #[arg(long, value_name = "N")]
    pub(crate) window: Option<usize>,
}

impl Storm {
    fn seats(&self, options: &Common) -> Seats {
        let members = options.size(self.members, 5).max(1);
        Seats { rooms: options.size(self.sessions, 20).div_ceil(members).max(1), members }
    }
}

impl Work for Storm {
    fn name(&self) -> String {
        "storm".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        let seats = self.seats(options);
        Figures::from([("sessions", figure(seats.clients())), ("members", figure(seats.members))])
    }

    fn by(&self) -> &'static str {
        "logins_per_s"
    }

    fn has_crowd(&self) -> bool {
        true
    }

    fn connections(&self, options: &Common) -> usize {
        self.seats(options).clients()
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Memory);
        Server::measured(target, setup, options, |server| self.measure(server, options))
    }
}

impl Storm {
    fn measure(&self, server: &Server, options: &Common) -> Result<Figures> {
        let seats = self.seats(options);
        let window = self.window.unwrap_or(server.window()).max(1);
        let before = server.cpu_time()?;
        let crowd = Crowd::assemble(server, seats, window, options)?;
        let cpu = server.cpu_time()?.saturating_sub(before);
        let mut figures = quantiles(&crowd.each, &[("p50_us", 0.5), ("p99_us", 0.99)]);
        let took = crowd.took.as_secs_f64();
        // Who came in is seen to be in.
        let lost = crowd.check()?;
        let sessions = figure(seats.clients());
        figures.insert("logins_per_s", sessions / took);
        figures.insert("window", figure(window));
        figures.insert("lost", lost as f64);
        if server.is_known() {
            figures.insert("cpu_us_per_login", cpu.as_secs_f64() * 1e6 / sessions);
        }
        Ok(figures)
    }
}
