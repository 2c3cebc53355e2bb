//! Memory: what a server holds for sessions that are in a room and say nothing.

use std::collections::BTreeMap;

use super::chat::Chat;
use super::link;
use super::options::Options;
use super::report::Figures;
use super::server::{Kind, Limits, Server};
use super::swarm::{Seats, Swarm};
use super::{Failure, Result};

/// Lets all clients in, sees how much the server has grown, and lets each room hear one message, to
/// know that every session was alive.
pub(crate) fn run(kind: Kind, seats: Seats, tls: bool, options: &Options) -> Result<Figures> {
    let server = Server::start(kind, Limits::Open, options)?;
    measure(&server, kind, seats, tls, options).map_err(|error| server.explain(&error.to_string()))
}

fn measure(
    server: &Server,
    kind: Kind,
    seats: Seats,
    tls: bool,
    options: &Options,
) -> Result<Figures> {
    let connector = tls.then(link::connector).transpose()?;
    let empty = server.resident_bytes()?;
    let cpu = server.cpu_time()?;
    let swarm = Swarm::assemble(kind, server.address(), seats, connector.as_ref())?;
    let cpu = server.cpu_time()?.saturating_sub(cpu);
    let full = server.resident_bytes()?;
    let mut chat = Chat::new(kind, swarm, seats, options.smoke)?;
    for room in 0..seats.rooms {
        chat.say(room, seats.members)?;
    }
    chat.finish()?;
    if chat.deliveries() != u64::try_from(seats.clients())? {
        return Err(Failure::new("not every session was alive"));
    }
    let sessions = seats.clients() as f64;
    Ok(BTreeMap::from([
        ("rss_bytes_per_session", full.saturating_sub(empty) as f64 / sessions),
        ("cpu_us_per_login", cpu.as_secs_f64() * 1e6 / sessions),
    ]))
}
