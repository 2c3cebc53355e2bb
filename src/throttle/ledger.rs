//! What the server knows of each address prefix: a bounded table of budgets.
//!
//! **Invariants:** at most [`CAPACITY`] prefixes; a prefix with open connections is never forgotten,
//! and there can be no more of those than connections. Of the others the one not seen for the
//! longest time goes first, which at worst gives a stranger a fresh budget.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lru::LruCache;

use super::bucket::Bucket;
use crate::transport::address::Prefix;

/// Most prefixes in the table (about 16 MiB).
pub const CAPACITY: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// The budgets of one prefix, shared by all its sessions on all workers.
#[derive(Debug, Default)]
pub struct Account {
    /// Connections that are open now.
    pub connections: AtomicU32,
    /// Connections as they arrive.
    pub arrivals: Bucket,
    /// Requests of its sessions.
    pub requests: Bucket,
    /// Bytes of its sessions.
    pub bytes: Bucket,
}

/// The table.
#[derive(Debug)]
pub struct Ledger {
    accounts: LruCache<Prefix, Arc<Account>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { accounts: LruCache::unbounded() }
    }
}

impl Ledger {
    /// The account of `prefix`, opened if it is not there.
    pub fn account(&mut self, prefix: Prefix) -> Arc<Account> {
        if let Some(account) = self.accounts.get(&prefix) {
            return Arc::clone(account);
        }
        self.make_room();
        let account = Arc::new(Account::default());
        self.accounts.put(prefix, Arc::clone(&account));
        account
    }

    /// The account of `prefix`, if it is there; asking does not keep it.
    #[must_use]
    pub fn look(&self, prefix: Prefix) -> Option<&Account> {
        self.accounts.peek(&prefix).map(AsRef::as_ref)
    }

    /// Forgets the prefix not seen for the longest time that has no open connection.
    fn make_room(&mut self) {
        // Each live one that is met moves to the fresh end, so the next search starts behind it.
        for _ in 0..self.accounts.len() {
            if self.accounts.len() < CAPACITY.get() {
                return;
            }
            let Some((prefix, account)) = self.accounts.pop_lru() else { return };
            if account.connections.load(Ordering::Relaxed) > 0 {
                self.accounts.put(prefix, account);
            }
        }
    }

    /// Prefixes in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::address::prefixes;
    use std::net::Ipv4Addr;

    fn prefix(number: u32) -> Prefix {
        prefixes(Ipv4Addr::from_bits(number).into()).0[0].0
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_connected() {
        let mut ledger = Ledger::default();
        let kept = ledger.account(prefix(0));
        kept.connections.store(1, Ordering::Relaxed);
        for number in 1..200_000 {
            ledger.account(prefix(number));
        }
        assert_eq!(ledger.len(), CAPACITY.get());
        assert!(Arc::ptr_eq(&kept, &ledger.account(prefix(0))));
    }
}
