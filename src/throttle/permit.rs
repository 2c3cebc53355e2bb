//! The right to be connected, held by a session for as long as it lasts.
//!
//! **Invariants:** dropping it gives back what it took, however the session ends. Session and Throttle
//! may take a stranger out of the line at once, from two threads: only one of them counts it off.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};

use futures_util::task::AtomicWaker;
use smallvec::SmallVec;

use super::ledger::Account;
use crate::base::slot::Slot;
use crate::transport::address::FACTORS;

/// Connections of the server.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) connections: AtomicU32,
    /// Those without a name.
    pub(super) strangers: AtomicU32,
}

/// The right to be connected. Dropping it gives everything back.
#[derive(Debug)]
pub struct Permit {
    accounts: SmallVec<[Arc<Account>; 1]>,
    totals: Arc<Totals>,
    /// While it has no name.
    stranger: Slot<Arc<Stranger>>,
    exempt: bool,
    /// Whether its address's count of connections has it no more.
    released: Cell<bool>,
}

/// A connection without a name, as the line of them knows it.
#[derive(Debug, Default)]
pub(super) struct Stranger {
    fate: AtomicU8,
    waker: AtomicWaker,
}

/// Still in the line: the only fate that changes.
const WAITING: u8 = 0;
/// It has a name, or is gone.
const OUT: u8 = 1;
/// Told to go, since somebody else needs its place.
const EVICTED: u8 = 2;

impl Stranger {
    pub(super) fn is_waiting(&self) -> bool {
        self.fate.load(Ordering::Relaxed) == WAITING
    }

    /// Takes it out of the line; false if it is out already. Session and Throttle may try at once,
    /// and only one of them is to count it off.
    fn settle(&self, fate: u8) -> bool {
        self.fate.compare_exchange(WAITING, fate, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Tells the session to go; false if it has a name, or was told before.
    pub(super) fn evict(&self) -> bool {
        let evicted = self.settle(EVICTED);
        if evicted {
            self.waker.wake();
        }
        evicted
    }
}

impl Permit {
    /// The right to one more connection, which counts for these prefixes.
    pub(super) fn new(
        totals: &Arc<Totals>,
        accounts: SmallVec<[Arc<Account>; 1]>,
        exempt: bool,
    ) -> Self {
        for account in &accounts {
            account.connections.fetch_add(1, Ordering::Relaxed);
        }
        totals.connections.fetch_add(1, Ordering::Relaxed);
        totals.strangers.fetch_add(1, Ordering::Relaxed);
        let (totals, stranger) = (Arc::clone(totals), Slot::new(Arc::default()));
        Self { accounts, totals, stranger, exempt, released: Cell::new(false) }
    }

    /// What the line of those without a name is to know of it.
    pub(super) fn stranger(&self) -> Option<Weak<Stranger>> {
        self.stranger.look(Arc::downgrade)
    }

    /// The budgets of its prefixes, the narrowest first, each with how many times the budget of the
    /// narrowest it has; none if no limit per address holds.
    pub fn accounts(&self) -> impl Iterator<Item = (&Account, u64)> {
        let all = if self.exempt { &[] } else { &self.accounts[..] };
        all.iter().map(AsRef::as_ref).zip(FACTORS.map(u64::from))
    }

    /// Identifies the address for fairness: sessions of one address share one turn.
    #[must_use]
    pub fn group(&self) -> u64 {
        self.accounts.first().map_or(0, |account| Arc::as_ptr(account).addr() as u64)
    }

    /// Notes that the session holds a name now. With an account it does not count for its address any
    /// more: how many sessions an account has is bounded by its devices.
    pub fn named(&self, with_account: bool) {
        if with_account {
            self.release();
        }
        if self.leave_line() {
            self.stranger.change(|stranger| *stranger = None);
        }
    }

    fn leave_line(&self) -> bool {
        let left = self.stranger.look(|stranger| stranger.settle(OUT)) == Some(true);
        if left {
            self.totals.strangers.fetch_sub(1, Ordering::Relaxed);
        }
        left
    }

    fn release(&self) {
        if !self.released.replace(true) {
            for account in &self.accounts {
                account.connections.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Whether somebody else needs the place.
    #[must_use]
    pub fn is_evicted(&self) -> bool {
        self.stranger.look(|stranger| stranger.fate.load(Ordering::Relaxed)) == Some(EVICTED)
    }

    /// Waits until somebody else needs the place.
    pub async fn evicted(&self) {
        std::future::poll_fn(|cx| {
            self.wake_on_eviction(cx.waker());
            if self.is_evicted() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Has `waker` woken on eviction.
    pub fn wake_on_eviction(&self, waker: &Waker) {
        self.stranger.look(|stranger| stranger.waker.register(waker));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.release();
        self.totals.connections.fetch_sub(1, Ordering::Relaxed);
        self.leave_line();
    }
}
