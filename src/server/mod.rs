//! The composition root: makes the actors, in order, and knows them all.
//!
//! ```text
//! bind ─► workers (shards, Fanouts) ─► rooms, names ─► receptions, schedulers ─► Throttle ─► accept
//! ```
//!
//! [`start`] binds before it makes anything, so that a taken port is an error and not a half-made
//! server; [`Server::shut_down`] goes the same way back.

pub mod accept;
mod acme;
pub mod admin;
pub mod assemble;
mod bans;
pub mod check;
pub mod daemon;
pub mod fate;
pub mod health;
pub mod identity;
mod inherit;
pub mod limits;
pub mod logger;
mod memory;
mod notify;
mod probe;
pub mod pulse;
pub mod reload;
pub mod run;
pub mod shutdown;
pub mod worker;

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use actix::Addr;
use actix::dev::channel::AddressReceiver;
use actix_rt::Arbiter;
use parking_lot::RwLock;
use socket2::Socket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::account::actor::Names;
use crate::base::clock::{Clock, SystemClock};
use crate::base::memory::Ceiling;
use crate::base::tally::Tally;
use crate::config::Config;
use crate::directory::actor::Rooms;
use crate::reception::actor::Reception;
use crate::session::worker::Observer;
use crate::store::sqlite::OpenError;
use crate::store::{Store, StoreError};
use crate::throttle::actor::{Throttle, Tick};
use crate::throttle::bans::Bans;
use crate::transport::certificate::MakeError;
use crate::transport::challenge::Challenges;
use crate::transport::listener::BindError;
use crate::transport::tls::{Identity, TlsError};
use crate::web::Policy as WebPolicy;
use accept::Proxies;
use admin::actor::Office;
use health::Health;
use probe::Actors;

/// The database's name in the state directory.
pub const DATABASE: &str = "klatch.db";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] MakeError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Who is registered cannot be read.
    #[error("the accounts cannot be read: {0}; klatchd restore brings a backup back")]
    Accounts(StoreError),
    /// The state directory cannot be made.
    #[error("cannot make the state directory {}: {source}; set server.state_dir", path.display())]
    StateDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refuses something else.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// What a server is made of besides its configuration.
pub struct Parts {
    /// Where state is kept.
    pub state_dir: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// History; as the configuration says if none is given.
    pub store: Option<Arc<dyn Store>>,
    /// Where tests look in.
    pub observer: Option<Observer>,
    /// What certificate authorities are waiting to see.
    pub challenges: Challenges,
    /// Where the service manager put its credentials.
    pub credentials: Option<PathBuf>,
    /// Sockets that listen already; those of the configuration are made if there are none.
    pub listeners: RefCell<Vec<Socket>>,
}

impl Parts {
    /// The usual parts, with state in `state_dir`.
    #[must_use]
    pub fn new(state_dir: PathBuf) -> Self {
        let clock = Arc::new(SystemClock::default());
        let (listeners, challenges) = (RefCell::default(), Challenges::default());
        Self {
            state_dir,
            clock,
            store: None,
            observer: None,
            challenges,
            credentials: None,
            listeners,
        }
    }
}

/// A server that runs. Dropping it does not stop it: [`shut_down`](Self::shut_down) does.
pub struct Server {
    addresses: Vec<SocketAddr>,
    identity: Arc<RwLock<Identity>>,
    throttle: Addr<Throttle>,
    names: Addr<Names>,
    rooms: Addr<Rooms>,
    receptions: Vec<Addr<Reception>>,
    web: Arc<RwLock<WebPolicy>>,
    /// Asks the shared actors how they are.
    actors: Actors,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    arbiters: RefCell<Vec<Arbiter>>,
    accepting: RefCell<Vec<JoinHandle<()>>>,
    /// Ends the accept loops, each after the connection in its hands.
    closed: CancellationToken,
    store: Arc<dyn Store>,
    /// Bans that are kept; those of the configuration come on top.
    bans: RefCell<Bans>,
    /// The proxies whose headers are believed.
    proxies: Arc<RwLock<Proxies>>,
    /// What may be held for clients.
    ceiling: Arc<Ceiling>,
    tallies: Arc<[Arc<Tally>]>,
    /// What administrators ask over the protocol, until somebody sees to it.
    administered: RefCell<Option<AddressReceiver<Office>>>,
    first_admin: Option<String>,
}

impl Server {
    /// The code with which the first administrator registers, while there is none.
    #[must_use]
    pub fn first_admin(&self) -> Option<&str> {
        self.first_admin.as_deref()
    }

    /// The addresses that it listens on.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The SHA-256 of its certificate.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.identity.read().fingerprint().to_owned()
    }

    /// What it counts as a whole.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Has deadlines looked at now, whatever the interval: for a clock that is moved by hand.
    pub async fn tick(&self) {
        if self.throttle.send(Tick).await.is_err() {
            log::debug!("the throttle is gone: there are no deadlines");
        }
    }
}

/// Starts a server; must be called within an actix system.
pub fn start(config: &Config, parts: &Parts) -> Result<Server, StartError> {
    let mut listeners = parts.listeners.take();
    if listeners.is_empty() {
        for &address in &config.server.listen {
            listeners.push(accept::bind(address)?);
        }
    }
    make_state_directory(&parts.state_dir)?;
    let identity = Arc::new(RwLock::new(identity::load(config, parts)?));
    assemble::assemble(config, parts, listeners, identity)
}

fn make_state_directory(path: &std::path::Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StartError::StateDirectory { path: path.to_owned(), source })
}
