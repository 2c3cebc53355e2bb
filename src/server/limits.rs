//! From configuration to the bounds of each part, and to what `hello` tells of them.

use std::time::Duration;

use super::accept::Proxies;
use crate::account::state::Policy as AccountPolicy;
use crate::base::clock::millis_up;
use crate::base::{descriptors, limits};
use crate::config::{Config, Engine, Registration, Switch};
use crate::fanout::farewell::FAREWELL;
use crate::fanout::shard::Policy as OutboxPolicy;
use crate::protocol::VERSION;
use crate::protocol::reply::{Durability, Limits, Registration as Word, Welcome};
use crate::room::state::Policy as RoomPolicy;
use crate::session::deadline::Timeouts;
use crate::session::router::Policy as RouterPolicy;
use crate::session::worker::{Observer, Plain, Settings};
use crate::store::memory::Bounds;
use crate::store::retention::{Keep, Retention};
use crate::throttle::admission::Policy as AdmissionPolicy;
use crate::throttle::bucket::Rate;
use crate::throttle::budget::Rates;
use crate::web::Policy as WebPolicy;

/// Descriptors that are not for connections: listeners, storage, logs, the reserve.
pub const OWN_DESCRIPTORS: u64 = 64;

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Raises the limit of open files as far as it goes, makes room for them, and says how many connections that
/// allows.
#[must_use]
pub fn connections(config: &Config) -> u32 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    // Where it is as high as it goes, a sandbox may refuse even to be asked.
    if before.current != before.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        log::warn!(error:% = error; "the limit of open files cannot be raised");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let possible = files.saturating_sub(OWN_DESCRIPTORS).max(1);
    let wanted = config.limits.connections.map_or(u64::MAX, number);
    if config.limits.connections.is_some() && wanted > possible {
        log::warn!(
            limits_connections = wanted, open_files = files;
            "more connections are configured than open files are allowed: raise LimitNOFILE"
        );
    }
    let connections = wanted.min(possible);
    if let Err(error) = descriptors::make_room(connections + OWN_DESCRIPTORS) {
        log::debug!(error:% = error; "room for descriptors will be made as they come");
    }
    u32::try_from(connections).unwrap_or(u32::MAX)
}

/// The limits of admission.
#[must_use]
pub fn admission(config: &Config) -> AdmissionPolicy {
    let limits = &config.limits;
    AdmissionPolicy {
        connections: connections(config),
        unauthenticated: small(limits.unauthenticated),
        connections_per_address: small(limits.connections_per_address),
        arrivals: Rate {
            per_second: limits.connection_rate_per_address,
            burst: limits.connection_burst_per_address,
        },
        exempt: limits.exempt.clone(),
    }
}

/// The proxies whose headers are believed.
#[must_use]
pub fn proxies(config: &Config) -> Proxies {
    Proxies { networks: config.server.proxies.clone(), patience: config.timeouts.login }
}

/// The rates of budgets.
#[must_use]
pub fn rates(config: &Config) -> Rates {
    let limits = &config.limits;
    Rates {
        requests: Rate { per_second: limits.requests_per_s, burst: limits.requests_burst },
        bytes: Rate { per_second: number(limits.bytes_per_s), burst: number(limits.bytes_burst) },
        address_requests: Rate {
            per_second: limits.address_requests_per_s,
            burst: limits.address_requests_burst,
        },
        address_bytes: Rate {
            per_second: number(limits.address_bytes_per_s),
            burst: number(limits.address_bytes_burst),
        },
        refusals: Rate { per_second: limits.refusals_per_s, burst: limits.refusals_burst },
    }
}

/// The times of a session.
#[must_use]
pub fn timeouts(config: &Config) -> Timeouts {
    let timeouts = &config.timeouts;
    Timeouts {
        login: timeouts.login,
        ping: timeouts.ping,
        dead: timeouts.dead,
        idle: timeouts.idle.unwrap_or(Duration::ZERO),
        visit: config.web.keep_alive,
        write: timeouts.write,
        farewell: FAREWELL,
    }
}

/// What sessions are told and held to.
#[must_use]
pub fn settings(config: &Config, durability: Durability, observer: Option<Observer>) -> Settings {
    Settings {
        welcome: welcome(config, durability),
        rates: rates(config),
        timeouts: timeouts(config),
        inflight: small(config.limits.inflight),
        plain: match config.server.plain {
            crate::config::Plain::Loopback => Plain::Loopback,
            crate::config::Plain::Never => Plain::Never,
        },
        default_rooms: config.rooms.default.clone(),
        hold_ms: millis_up(config.names.hold),
        observer,
    }
}

/// The bounds of requests on their way.
#[must_use]
pub fn routing(config: &Config) -> RouterPolicy {
    RouterPolicy { rooms_per_session: config.rooms.rooms_per_session, queue: config.timeouts.queue }
}

/// What the web may do.
#[must_use]
pub fn web(config: &Config) -> WebPolicy {
    WebPolicy {
        origins: config.web.origins.clone(),
        metrics_from: config.web.metrics_from.clone(),
        head: config.timeouts.login,
    }
}

/// The bounds of an outbox.
#[must_use]
pub fn outbox(config: &Config) -> OutboxPolicy {
    OutboxPolicy { outbox_bytes: config.limits.outbox, outbox_age: config.timeouts.write }
}

/// The bounds of a room.
#[must_use]
pub fn room(config: &Config) -> RoomPolicy {
    RoomPolicy {
        members: small(config.rooms.members_max),
        presence_members: small(config.rooms.presence_members),
        keys: config.history.messages_per_room,
    }
}

/// The rules of names.
#[must_use]
pub fn accounts(config: &Config) -> AccountPolicy {
    AccountPolicy {
        reserved: config.names.reserved.clone(),
        hold: config.names.hold,
        held: connections(config) as usize,
        guests: config.accounts.guests == Switch::On,
        registered: config.accounts.accounts_max,
    }
}

/// Who may make an account.
#[must_use]
pub fn registration(config: &Config) -> Word {
    match config.accounts.registration {
        // What is kept in memory only is no account.
        _ if config.store.engine == Engine::Memory => Word::Closed,
        Registration::Open => Word::Open,
        Registration::Invite => Word::Invite,
        Registration::Closed => Word::Closed,
    }
}

/// How much history is kept in the database.
#[must_use]
pub fn retention(config: &Config) -> Retention {
    let own = &config.retention;
    let bytes = |bytes: Option<usize>| bytes.map(number);
    Retention {
        room: Keep {
            age_ms: own.age.map(millis_up),
            entries: own.entries_per_room,
            bytes: bytes(own.bytes_per_room),
        },
        entries: own.entries_total,
        bytes: bytes(own.bytes_total),
    }
}

/// The bounds of history in memory.
#[must_use]
pub fn history(config: &Config) -> Bounds {
    Bounds {
        room_entries: config.history.messages_per_room,
        room_bytes: config.history.bytes_per_room,
        total_bytes: config.history.bytes_total,
    }
}

/// The answer to `hello`.
#[must_use]
pub fn welcome(config: &Config, durability: Durability) -> Welcome {
    let (own, timeouts) = (&config.limits, &config.timeouts);
    Welcome {
        version: VERSION,
        server: concat!("klatchd/", env!("CARGO_PKG_VERSION")).to_owned(),
        durability,
        capabilities: vec!["direct".to_owned(), "resume".to_owned()],
        limits: Limits {
            frame_bytes: number(limits::FRAME_BYTES),
            frame_bytes_before_login: number(limits::FRAME_BYTES_BEFORE_LOGIN),
            text_bytes: number(limits::TEXT_BYTES),
            topic_bytes: number(limits::TOPIC_BYTES),
            name_bytes: number(limits::NAME_BYTES),
            inflight: number(own.inflight),
            requests_per_s: own.requests_per_s,
            requests_burst: own.requests_burst,
            bytes_per_s: number(own.bytes_per_s),
            bytes_burst: number(own.bytes_burst),
            rooms_per_session: number(config.rooms.rooms_per_session),
            history_page: limits::HISTORY_PAGE.into(),
            list_page: limits::LIST_PAGE.into(),
            outbox_bytes: number(own.outbox),
            outbox_ms: millis_up(timeouts.write),
            login_ms: millis_up(timeouts.login),
            ping_ms: millis_up(timeouts.ping),
            dead_ms: millis_up(timeouts.dead),
            idle_ms: millis_up(timeouts.idle.unwrap_or(Duration::ZERO)),
        },
        // The session says when it greets.
        time: 0,
        guests: config.accounts.guests == Switch::On,
        registration: registration(config),
        motd: config.server.motd.clone(),
    }
}
