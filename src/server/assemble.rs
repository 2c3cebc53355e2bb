//! Making the actors. They refer to each other in a circle (rooms send to Fanouts, Fanouts tell the
//! directory of orphans), so each thread first makes its mailboxes, and the actors are put in after.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::dev::channel::channel;
use actix::{Actor, Addr, Context, Recipient};
use actix_rt::Arbiter;
use parking_lot::RwLock;
use socket2::Socket;
use tokio_util::sync::CancellationToken;

use super::admin::actor::Office;
use super::health::Health;
use super::probe::Actors;
use super::worker::{Common, Mailboxes, WorkerMail};
use super::{DATABASE, Parts, Server, StartError, accept, limits, memory};
use crate::account::actor::{Names, Place as NamesPlace};
use crate::account::hasher::Hasher;
use crate::account::invitation;
use crate::account::mail::Settled;
use crate::account::proof::Prover;
use crate::account::state::Accounts;
use crate::base::clock::millis_up;
use crate::base::id::{AccountId, WorkerId};
use crate::base::limits::MAILBOX;
use crate::base::memory::{Ceiling, Gauge};
use crate::base::name::Identity;
use crate::base::tally::Tally;
use crate::config::{Config, Engine, Switch};
use crate::directory::actor::{Making, Place as RoomsPlace, Rooms};
use crate::directory::blocks::Blocks;
use crate::mail;
use crate::room::actor::Surroundings;
use crate::room::fate::Fated;
use crate::room::moderation as room;
use crate::session::router::Shared;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::registry::{Change, Everybody};
use crate::store::sqlite::SqliteStore;
use crate::throttle::actor::Throttle;
use crate::throttle::bans::Bans;
use crate::transport::tls;

pub(super) fn assemble(
    config: &Config,
    parts: &Parts,
    listeners: Vec<Socket>,
    identity: Arc<RwLock<tls::Identity>>,
) -> Result<Server, StartError> {
    let store = match &parts.store {
        Some(store) => Arc::clone(store),
        None => open_store(config, parts)?,
    };
    let everybody = store.registry().everybody().map_err(StartError::Accounts)?;
    let first_admin = (!everybody.has_admin).then(|| first_admin(store.as_ref(), parts)).flatten();
    let blocks = Blocks::new(everybody.blocks.clone());
    let people: HashMap<_, _> =
        everybody.accounts.iter().map(|who| (who.account, Arc::clone(who))).collect();
    let workers = config.server.workers.unwrap_or_else(cores);
    let arbiters: Vec<Arbiter> = (0..workers).map(|_| Arbiter::new()).collect();
    let (mailboxes, mail): (Vec<Mailboxes>, Vec<WorkerMail>) =
        arbiters.iter().map(|_| Mailboxes::new()).unzip();

    let (bans, banned) = super::bans::at_start(&everybody.bans, config, parts.clock.unix_ms());
    let names = make_names(config, parts, (store.as_ref(), everybody), &banned, &mail)?;
    let tallies: Arc<[Arc<Tally>]> = mail.iter().map(|_| Arc::default()).collect();
    let (names, rooms) = share(&arbiters, names, |names, told| {
        let around = surroundings(config, parts, &mail, (&store, &tallies), told);
        make_rooms(config, (people, blocks), names, places(&arbiters, &mail), around)
    });

    let ceiling = Arc::new(Ceiling::of(memory::ceiling(config)));
    let throttle = make_throttle(config, parts, banned, (&ceiling, &tallies), &mail).start();
    let health = Arc::new(Health::new(Arc::clone(&identity), parts.clock.unix_ms() / 1_000));
    let receptions: Vec<_> = mail.iter().map(|mail| mail.reception.clone()).collect();
    let (asked, vital) = (names.clone().recipient(), Arc::clone(&health));
    let all = receptions.clone().into();
    let actors =
        Actors::new(throttle.clone(), rooms.clone(), asked, all, Arc::clone(&store), vital);
    let web = Arc::new(RwLock::new(limits::web(config)));
    let (office, administered) = channel(MAILBOX);

    let common = Common {
        settings: limits::settings(config, store.durability(), parts.observer.clone()),
        outbox: limits::outbox(config),
        clock: Arc::clone(&parts.clock),
        identity: Arc::clone(&identity),
        rooms: rooms.clone(),
        shared: shared(&rooms, &names, Addr::new(office)),
        routing: limits::routing(config),
        tallies: Arc::clone(&tallies),
        ceiling: Arc::clone(&ceiling),
        web: (config.web.serve == Switch::On).then(|| (Arc::clone(&web), actors.clone())),
    };
    inhabit(mailboxes, &arbiters, &common);

    let (addresses, closed) = (addresses(&listeners)?, CancellationToken::new());
    let proxies = Arc::new(RwLock::new(limits::proxies(config)));
    let way = accept::Way::new(&throttle, &mail, &proxies, &parts.clock, &closed);
    let accepting = RefCell::new(accept::at(listeners, &way)?);
    let (clock, arbiters) = (Arc::clone(&parts.clock), RefCell::new(arbiters));
    Ok(Server {
        addresses,
        identity,
        throttle,
        names,
        rooms,
        receptions,
        web,
        actors,
        health,
        clock,
        arbiters,
        accepting,
        closed,
        store,
        bans: RefCell::new(bans),
        ceiling,
        proxies,
        tallies,
        administered: RefCell::new(Some(administered)),
        first_admin,
    })
}

/// Starts the actors of each worker on its own thread.
fn inhabit(mailboxes: Vec<Mailboxes>, arbiters: &[Arbiter], common: &Common) {
    for ((number, mailboxes), arbiter) in (0_u16..).zip(mailboxes).zip(arbiters) {
        let common = common.clone();
        arbiter.spawn_fn(move || mailboxes.inhabit(WorkerId(number), common));
    }
}

fn places(arbiters: &[Arbiter], mail: &[WorkerMail]) -> Vec<RoomsPlace> {
    let places = arbiters.iter().zip(mail).map(|(arbiter, mail)| RoomsPlace {
        arbiter: arbiter.handle(),
        learner: mail.reception.clone().recipient(),
    });
    places.collect()
}

fn make_rooms(
    config: &Config,
    (people, blocks): (HashMap<AccountId, Arc<Identity>>, Blocks),
    names: &Addr<Names>,
    workers: Vec<RoomsPlace>,
    around: Surroundings,
) -> Making {
    let (bound, permanent) = (config.rooms.rooms_max, config.rooms.default.clone());
    let moved = names.clone().recipient();
    Making { bound, permanent, workers, around, people, blocks, moved }
}

/// Starts what all workers share on the thread of the first one: it takes longer to wake a thread that has
/// no sessions than to log somebody in.
fn share(
    arbiters: &[Arbiter],
    names: Names,
    making: impl FnOnce(&Addr<Names>, (Told<room::Settled>, Told<Fated>)) -> Making,
) -> (Addr<Names>, Addr<Rooms>) {
    let home = arbiters.first().map_or_else(Arbiter::current, Arbiter::handle);
    let names = Names::start_in_arbiter(&home, |_| names);
    let (rooms, asked) = channel(MAILBOX);
    let rooms = Addr::new(rooms);
    let own = rooms.clone();
    let told = (settled(names.clone().recipient()), fated(rooms.clone().recipient()));
    let making = making(&names, told);
    home.spawn_fn(move || drop(Context::with_receiver(asked).run(Rooms::new(making, own))));
    (names, rooms)
}

fn surroundings(
    config: &Config,
    parts: &Parts,
    workers: &[WorkerMail],
    (store, tallies): (&Arc<dyn Store>, &Arc<[Arc<Tally>]>),
    (settled, fated): (Told<room::Settled>, Told<Fated>),
) -> Surroundings {
    Surroundings {
        fanouts: workers.iter().map(|mail| mail.fanout.clone().recipient()).collect(),
        store: Arc::clone(store),
        clock: Arc::clone(&parts.clock),
        policy: limits::room(config),
        presence_interval: config.rooms.presence_interval,
        tallies: Arc::clone(tallies),
        settled,
        fated,
    }
}

fn shared(rooms: &Addr<Rooms>, names: &Addr<Names>, office: Addr<Office>) -> Shared {
    Shared {
        seek: rooms.clone().recipient(),
        depart: rooms.clone().recipient(),
        enter: names.clone().recipient(),
        manage: names.clone().recipient(),
        find: names.clone().recipient(),
        release: names.clone().recipient(),
        office: office.recipient(),
    }
}

fn make_throttle(
    config: &Config,
    parts: &Parts,
    bans: Arc<Bans>,
    (ceiling, tallies): (&Arc<Ceiling>, &Arc<[Arc<Tally>]>),
    mail: &[WorkerMail],
) -> Throttle {
    let gauge = Gauge::new(Arc::clone(ceiling), Arc::clone(tallies), None);
    let sweeps = mail.iter().map(|mail| mail.reception.clone().recipient()).collect();
    let (limits, clock) = (limits::admission(config), Arc::clone(&parts.clock));
    Throttle::new(limits, bans, gauge, clock, sweeps)
}

/// How long the first administrator has time to register.
const CODE_LASTS: Duration = Duration::from_secs(24 * 3600);

fn make_names(
    config: &Config,
    parts: &Parts,
    (store, everybody): (&dyn Store, Everybody),
    bans: &Arc<Bans>,
    mail: &[WorkerMail],
) -> Result<Names, StartError> {
    let registry = store.registry();
    let first = AccountId::first_guest(registry.run());
    let accounts = Accounts::new(limits::accounts(config), first, everybody);
    let threads = config.accounts.hash_threads.unwrap_or_else(|| cores().div_ceil(2));
    let prover = Prover::new(registry, Hasher::start(threads)?);
    let places = mail.iter().map(|mail| NamesPlace {
        end: mail.reception.clone().recipient(),
        restore: mail.reception.clone().recipient(),
        follow: mail.reception.clone().recipient(),
        fanout: mail.fanout.clone().recipient(),
    });
    let (registration, clock) = (limits::registration(config), Arc::clone(&parts.clock));
    let bans = Arc::clone(bans);
    Ok(Names::new(accounts, prover, registration, bans, clock, places.collect()))
}

/// Who is told of something, at once.
type Told<T> = Arc<dyn Fn(T) + Send + Sync>;

/// Has the directory told what becomes of rooms.
fn fated(rooms: Recipient<Fated>) -> Told<Fated> {
    // Bounded by the credit of the sessions that ask for it.
    Arc::new(move |fated| mail::post(&rooms, fated))
}

/// Has the Accounts told who is at home where.
fn settled(names: Recipient<Settled>) -> Told<room::Settled> {
    Arc::new(move |settled| {
        let room::Settled { who, room, session, stays } = settled;
        // Bounded by the credit of the sessions that join and leave.
        mail::post(&names, Settled { who, room, session, stays });
    })
}

/// The code with which the first administrator registers. It is good for a day; a later start makes
/// another one, until there is an administrator.
fn first_admin(store: &dyn Store, parts: &Parts) -> Option<String> {
    let code = invitation::code();
    let until = Some(parts.clock.unix_ms() + millis_up(CODE_LASTS));
    let change = Change::Invite { code: invitation::hash(&code), until, admin: true };
    let (told, made) = std::sync::mpsc::channel();
    // This function waits for it.
    let told = Box::new(move |outcome| told.send(outcome).unwrap_or(()));
    store.registry().change(change, told);
    made.recv().is_ok_and(|outcome| outcome.is_ok()).then_some(code)
}

fn open_store(config: &Config, parts: &Parts) -> Result<Arc<dyn Store>, StartError> {
    Ok(match config.store.engine {
        Engine::Sqlite => Arc::new(SqliteStore::open(&parts.state_dir.join(DATABASE))?),
        Engine::Memory => Arc::new(MemoryStore::new(limits::history(config))),
    })
}

fn addresses(listeners: &[Socket]) -> Result<Vec<std::net::SocketAddr>, StartError> {
    let address = |listener: &Socket| Ok(listener.local_addr()?.as_socket().unwrap_or(UNKNOWN));
    listeners.iter().map(address).collect()
}

/// An address of a family that is not of the internet; listeners never have one.
const UNKNOWN: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
