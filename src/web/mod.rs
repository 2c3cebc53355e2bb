//! HTTP on the server's one port: the GUI's pages, the WebSocket's handshake, health, metrics.
//!
//! hyper speaks HTTP/1.1 over the connection that the session was admitted with, in the session's
//! own task: the Throttle's permit, the deadlines and the budget of the address hold here as they do
//! for frames. Nothing is read from disk and no request leaves for another host; what is served is
//! in the binary ([`assets`]).

pub mod assets;
mod conversation;
pub mod headers;
mod host;
mod io;
pub mod metrics;
mod routes;
mod upgrade;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use ipnet::IpNet;
use parking_lot::RwLock;

use crate::base::tally::Tally;
use crate::config::Origin;
use crate::session::visit::{Visit, Visitor, Web};
use conversation::Conversation;
use metrics::Survey;

/// What `--version` says: the version, and whether the GUI is inside.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("KLATCH_GUI"), ")");

/// What the operator decides about it.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Pages from elsewhere that may connect, besides our own.
    pub origins: Vec<Origin>,
    /// Networks that may read the metrics, besides this machine.
    pub metrics_from: Vec<IpNet>,
    /// How long a request's head may take.
    pub head: Duration,
}

/// What can be found out about the server only by asking around.
pub trait Probe {
    /// Whether it does its work: a round trip through the parts that every message needs.
    fn ready(&self) -> LocalBoxFuture<'static, Result<(), &'static str>>;
    /// What only the shared parts know.
    fn survey(&self) -> LocalBoxFuture<'static, Survey>;
}

/// The web of one worker.
pub struct Site {
    policy: Arc<RwLock<Policy>>,
    probe: Rc<dyn Probe>,
    tallies: Arc<[Arc<Tally>]>,
}

impl Site {
    /// The web, as `policy` has it, which a reload changes; `tallies` are those of all workers.
    pub fn new(
        policy: Arc<RwLock<Policy>>,
        probe: Rc<dyn Probe>,
        tallies: Arc<[Arc<Tally>]>,
    ) -> Self {
        Self { policy, probe, tallies }
    }
}

/// What each worker hands its sessions.
pub struct Door(pub Rc<Site>);

impl Web for Door {
    fn receive(&self, visitor: Visitor) -> Box<dyn Visit> {
        Box::new(Conversation::new(Rc::clone(&self.0), visitor))
    }
}
