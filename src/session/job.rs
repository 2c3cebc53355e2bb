//! A request on its way to whoever does it.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::account::mail::Outcome;
use crate::account::wish::Wish;
use crate::base::clock::{Moment, millis_up};
use crate::base::limits::FRAME_BYTES;
use crate::base::name::Identity;
use crate::fanout::link::Link;
use crate::mail::Mailbox;
use crate::protocol::request::{Class, Request};
use crate::protocol::status::{Code, Refusal};
use crate::scheduler::queue::COST_MAX;

/// A request with everything that doing it needs.
pub struct Job {
    /// Where it came from.
    pub link: Rc<Link>,
    /// Its number.
    pub id: u32,
    /// Where its session comes from.
    pub peer: IpAddr,
    /// What it asks.
    pub task: Task,
    /// When it was read.
    pub received: Moment,
    /// The client's own deadline.
    pub timeout: Option<Duration>,
}

/// What a job asks.
pub enum Task {
    /// A name for the session.
    Enter(Wish, Mailbox<Outcome>),
    /// A request of somebody with a name.
    Request(Arc<Identity>, Request),
    /// The logout of an account: of this session's device, or of all.
    Logout(Arc<Identity>, bool),
}

impl Job {
    /// The class in which it waits, but for a `leave` that must not overtake others.
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.task {
            Task::Enter(..) | Task::Logout(..) => Class::Interactive,
            Task::Request(_, request) => request.class(),
        }
    }

    /// Why it is not to be done any more, if it waited too long.
    pub fn expired(&self, now: Moment, bound: Duration) -> Option<Refusal> {
        let waited = now.since(self.received);
        if let Some(timeout) = self.timeout.filter(|timeout| waited >= *timeout) {
            let refusal = Refusal::from(Code::Deadline);
            return Some(refusal.limit("timeout_ms", millis_up(waited), millis_up(timeout)));
        }
        (waited >= bound).then(|| {
            Refusal::from(Code::Busy)
                .limit("queue_ms", millis_up(waited), millis_up(bound))
                .retry_after(bound)
        })
    }
}

/// What a request takes: of the Scheduler's time, in units of a small one, and of memory.
#[derive(Debug, Clone, Copy)]
pub struct Price {
    /// Its cost.
    pub cost: u32,
    /// Its bytes.
    pub bytes: usize,
}

impl Default for Price {
    fn default() -> Self {
        Self { cost: 1, bytes: 0 }
    }
}

/// What the longest request costs by its length.
const FRAME_COST: usize = 32;

/// What a request takes: more for what is long or makes long answers.
#[must_use]
pub fn price(request: &Request, bytes: usize) -> Price {
    let size = u32::try_from(bytes / (FRAME_BYTES / FRAME_COST)).unwrap_or(COST_MAX);
    let own = match request.class() {
        Class::Control | Class::Interactive => 1,
        Class::Bulk => 8,
    };
    Price { cost: (own + size).min(COST_MAX), bytes }
}
