//! The composition root: makes the actors, in order, and knows them all.
//!
//! ```text
//! bind ─► workers (shards, Fanouts) ─► rooms, names ─► receptions, schedulers ─► Throttle ─► accept
//! ```
//!
//! [`start`] binds before it makes anything, so that a taken port is an error and not a half-made
//! server; [`Server::shut_down`] goes the same way back.

pub mod accept;
pub mod assemble;
pub mod fate;
pub mod limits;
mod probe;
pub mod run;
pub mod shutdown;
pub mod worker;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use actix::{Addr, Recipient};
use actix_rt::Arbiter;
use parking_lot::RwLock;
use tokio::task::JoinHandle;

use crate::base::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::protocol::ALPN_WIRE;
use crate::reception::actor::Drain;
use crate::session::worker::Observer;
use crate::store::sqlite::OpenError;
use crate::store::{Store, StoreError};
use crate::throttle::actor::{Throttle, Tick};
use crate::transport::certificate::{self, MakeError};
use crate::transport::listener::BindError;
use crate::transport::tls::{Identity, TlsError};

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
}

impl Parts {
    /// The usual parts, with state in `state_dir`.
    #[must_use]
    pub fn new(state_dir: PathBuf) -> Self {
        let clock = Arc::new(SystemClock::default());
        Self { state_dir, clock, store: None, observer: None }
    }
}

/// A server that runs. Dropping it does not stop it: [`shut_down`](Self::shut_down) does.
pub struct Server {
    addresses: Vec<SocketAddr>,
    identity: Arc<RwLock<Identity>>,
    throttle: Addr<Throttle>,
    drains: Vec<Recipient<Drain>>,
    arbiters: Vec<Arbiter>,
    accepting: Vec<JoinHandle<()>>,
    store: Arc<dyn Store>,
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

    /// Has deadlines looked at now, whatever the interval: for a clock that is moved by hand.
    pub async fn tick(&self) {
        if self.throttle.send(Tick).await.is_err() {
            log::debug!("the throttle is gone: there are no deadlines");
        }
    }
}

/// Starts a server; must be called within an actix system.
pub fn start(config: &Config, parts: &Parts) -> Result<Server, StartError> {
    let listeners = config
        .server
        .listen
        .iter()
        .map(|&address| accept::bind(address))
        .collect::<Result<Vec<_>, _>>()?;
    make_state_directory(&parts.state_dir)?;
    let identity = Arc::new(RwLock::new(load_identity(config, parts)?));
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

fn load_identity(config: &Config, parts: &Parts) -> Result<Identity, StartError> {
    if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        return Ok(Identity::load(certificate, key, ALPN_WIRE)?);
    }
    let names = certificate_names(&config.tls.names);
    let files = certificate::ensure(&parts.state_dir, &names)?;
    Ok(Identity::load(&files.certificate, &files.key, ALPN_WIRE)?)
}

/// The names of the self-signed certificate: those configured, and what this machine is called.
fn certificate_names(configured: &[String]) -> Vec<String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let own = [host, "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let mut names: Vec<String> = Vec::new();
    for name in configured.iter().cloned().chain(own) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
