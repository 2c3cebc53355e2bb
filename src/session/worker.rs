//! What all sessions of one worker stand on. Shared on its thread, never between threads.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use parking_lot::RwLock;

use super::deadline::Timeouts;
use super::job::Job;
use super::lane::Lane;
use super::router::Router;
use super::visit::Web;
use crate::base::id::SessionId;
use crate::base::limits::READ_BYTES;
use crate::base::memory::Level;
use crate::base::name::RoomName;
use crate::fanout::shard::Shard;
use crate::protocol::reply::Welcome;
use crate::protocol::request::Request;
use crate::protocol::status::{Code, Refusal};
use crate::scheduler::desk::Desk;
use crate::throttle::admission::too_much;
use crate::throttle::budget::{Budget, Rates, Standing};
use crate::throttle::permit::Permit;
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
    /// Who comes last.
    pub lane: Rc<Lane>,
    /// What holds for its sessions; changed by a reload.
    settings: RefCell<Rc<Settings>>,
    /// The certificate; changed by a reload.
    pub identity: Arc<RwLock<Identity>>,
    /// What serves those who speak HTTP.
    pub web: Option<Rc<dyn Web>>,
    /// Where every session's bytes arrive.
    pub buffer: RefCell<Box<[u8]>>,
    /// The budgets of its sessions, by their slots.
    budgets: RefCell<Vec<Weak<Budget>>>,
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
        let (lane, budgets) = (Rc::default(), RefCell::default());
        Self { shard, desk, router, lane, settings, identity, web, buffer, budgets }
    }

    /// Full budgets for a session.
    pub(super) fn open_budget(&self, session: SessionId, permit: Permit) -> Rc<Budget> {
        let budget = Rc::new(Budget::new(permit));
        let (mut all, slot) = (self.budgets.borrow_mut(), session.slot as usize);
        if all.len() <= slot {
            all.resize_with(slot + 1, Weak::new);
        }
        if let Some(place) = all.get_mut(slot) {
            *place = Rc::downgrade(&budget);
        }
        budget
    }

    /// Where the budgets of a session stand.
    #[must_use]
    pub fn standings(&self, session: SessionId) -> Vec<Standing> {
        let budget = self.budgets.borrow().get(session.slot as usize).and_then(Weak::upgrade);
        let (now, rates) = (self.shard.now(), self.settings().rates);
        budget.map(|budget| budget.standings(now, &rates)).unwrap_or_default()
    }

    /// Why no new work is taken, if too much is held for clients already.
    #[must_use]
    pub fn tight(&self) -> Option<Refusal> {
        let (level, held, ceiling) = self.shard.gauge().read();
        (level != Level::Free).then(|| too_much(Code::Busy, held, ceiling))
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
