//! What all sessions of one worker stand on. Shared on its thread, never between threads.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::RwLock;

use super::deadline::Timeouts;
use super::job::Job;
use super::router::Router;
use super::visit::Web;
use crate::base::limits::READ_BYTES;
use crate::base::name::RoomName;
use crate::fanout::shard::Shard;
use crate::protocol::reply::Welcome;
use crate::protocol::request::Request;
use crate::scheduler::desk::Desk;
use crate::throttle::budget::Rates;
use crate::transport::tls::Identity;

/// Who may connect without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Peers on this machine's loopback addresses.
    Loopback,
    /// Nobody.
    Never,
}

/// Called with every decoded request, in the session's own code.
pub type Observer = Arc<dyn Fn(&Request) + Send + Sync>;

/// What a session is told and held to.
#[derive(Clone)]
pub struct Settings {
    /// The answer to `hello`; only its version is filled in.
    pub welcome: Welcome,
    /// The rates of budgets.
    pub rates: Rates,
    /// The times.
    pub timeouts: Timeouts,
    /// Requests that may be unanswered.
    pub inflight: u32,
    /// Who may connect without TLS.
    pub plain: Plain,
    /// Rooms that are joined on login.
    pub default_rooms: Vec<RoomName>,
    /// How long a name is kept for its token, in milliseconds.
    pub hold_ms: u64,
    /// Where tests look in.
    pub observer: Option<Observer>,
}

/// One worker's common ground.
pub struct Worker {
    /// Its links.
    pub shard: Rc<Shard>,
    /// Its scheduler's desk.
    pub desk: Rc<Desk<Job>>,
    /// Its router.
    pub router: Rc<Router>,
    /// What holds for its sessions; changed by a reload.
    settings: RefCell<Rc<Settings>>,
    /// The certificate; changed by a reload.
    pub identity: Arc<RwLock<Identity>>,
    /// What serves those who speak HTTP.
    pub web: Option<Rc<dyn Web>>,
    /// Where every session's bytes arrive.
    pub buffer: RefCell<Box<[u8]>>,
}

impl Worker {
    /// The common ground of the worker that `shard` belongs to.
    pub fn new(
        shard: Rc<Shard>,
        desk: Rc<Desk<Job>>,
        router: Rc<Router>,
        settings: Settings,
        identity: Arc<RwLock<Identity>>,
        web: Option<Rc<dyn Web>>,
    ) -> Self {
        let buffer = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
        let settings = RefCell::new(Rc::new(settings));
        Self { shard, desk, router, settings, identity, web, buffer }
    }

    /// What holds for its sessions now.
    pub fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.settings.borrow())
    }

    /// Has other settings hold from here on.
    pub fn adopt(&self, settings: Settings) {
        *self.settings.borrow_mut() = Rc::new(settings);
    }
}
