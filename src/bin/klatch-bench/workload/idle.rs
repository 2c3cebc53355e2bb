//! Memory: what a server holds for sessions that are in a room and say nothing.

use clap::Args;

use super::{Work, figure};
use crate::args::Common;
use crate::crowd::Crowd;
use crate::error::{Failure, Result};
use crate::report::Figures;
use crate::subject::kind::Store;
use crate::subject::{Server, Target};
use crate::swarm::Seats;

/// Sessions that say nothing.
#[derive(Debug, Clone, Args)]
pub(crate) struct Idle {
    /// Sessions.
    #[arg(long, value_name = "N", default_value_t = 9_000)]
    pub(crate) sessions: usize,

    /// Members of each room: its own memory is shared as it would be among people.
    #[arg(long, value_name = "M", default_value_t = 100)]
    pub(crate) members: usize,

    /// Over TLS, whatever holds for other workloads.
    #[arg(skip)]
    pub(crate) over_tls: bool,
}

impl Idle {
    fn seats(&self, options: &Common) -> Seats {
        let members = options.size(self.members, 10).max(1);
        Seats { rooms: options.size(self.sessions, 20).div_ceil(members).max(1), members }
    }
}

impl Work for Idle {
    fn name(&self) -> String {
        "idle".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        let seats = self.seats(options);
        Figures::from([("sessions", figure(seats.clients())), ("members", figure(seats.members))])
    }

    fn by(&self) -> &'static str {
        "rss_bytes_per_session"
    }

    fn tls(&self) -> bool {
        self.over_tls
    }

    /// Memory does not vary, and takes long to fill.
    fn rounds(&self, _: &Common) -> usize {
        1
    }

    fn has_crowd(&self) -> bool {
        true
    }

    fn connections(&self, options: &Common) -> usize {
        self.seats(options).clients()
    }

    /// Lets all clients in, sees how much the server has grown, and lets each room hear one message,
    /// to know that every session was alive.
    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Memory);
        Server::measured(target, setup, options, |server| {
            measure(server, self.seats(options), options)
        })
    }
}

fn measure(server: &Server, seats: Seats, options: &Common) -> Result<Figures> {
    if !server.is_known() {
        return Err(Failure::new("memory cannot be measured without --pid"));
    }
    let empty = server.resident_bytes()?;
    let cpu = server.cpu_time()?;
    let crowd = Crowd::assemble(server, seats, server.window(), options)?;
    let cpu = server.cpu_time()?.saturating_sub(cpu);
    let full = server.resident_bytes()?;
    let lost = crowd.check()?;
    let sessions = figure(seats.clients());
    Ok(Figures::from([
        ("rss_bytes_per_session", full.saturating_sub(empty) as f64 / sessions),
        ("cpu_us_per_login", cpu.as_secs_f64() * 1e6 / sessions),
        ("lost", lost as f64),
    ]))
}
