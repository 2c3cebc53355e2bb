//! Who may connect: decided by address before TLS, before a byte is read.
//!
//! **Owns:** the ledger of addresses, the count of connections, the line of those without a name.
//! **Invariants:** the server's count of connections never passes its cap; each [`Permit`] gives
//! back what it took when it is dropped, however its session ends.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ipnet::IpNet;
use smallvec::SmallVec;

use super::bucket::{Bucket, Rate};
use super::budget::{Rates, Standing};
use super::ledger::{Account, CAPACITY, Ledger};
use super::permit::{Permit, Stranger, Totals};
use crate::base::clock::Moment;
use crate::protocol::status::{Code, Refusal};
use crate::transport::address::{Prefix, prefixes};

/// The limits of admission.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Most connections at once.
    pub connections: u32,
    /// Most connections without a name at once; beyond it the oldest of them goes.
    pub unauthenticated: u32,
    /// Most connections of one address (of an IPv6 /64) at once.
    pub connections_per_address: u32,
    /// How fast one address may connect.
    pub arrivals: Rate,
    /// Networks that no limit per address holds for.
    pub exempt: Vec<IpNet>,
}

/// How many refused connections per second are told why, and how many at once: that takes a TLS
/// handshake, which a flood must not be able to ask for without end.
const TOLD: Rate = Rate { per_second: 20, burst: 40 };

/// A connection is not admitted.
#[derive(Debug)]
pub struct Denied {
    /// Why.
    pub refusal: Box<Refusal>,
    /// The right to be connected for as long as it takes to say so, if there is time for that.
    pub permit: Option<Permit>,
}

/// How long a stranger is told to wait when the server or the address is full.
const WAIT: Duration = Duration::from_secs(5);

/// Something is refused since too much is held for clients already.
#[must_use]
pub fn too_much(code: Code, held: u64, ceiling: u64) -> Refusal {
    Refusal::new(code, "the server holds as much for its clients as it may")
        .limit("memory", held, ceiling)
        .retry_after(WAIT)
}

/// Decides who may connect.
#[derive(Debug)]
pub struct Admission {
    policy: Policy,
    ledger: Ledger,
    totals: Arc<Totals>,
    /// Connections without a name, the oldest in front; some have one by now, or are gone.
    strangers: VecDeque<Weak<Stranger>>,
    told: Bucket,
    /// Connections that were refused, by the limit.
    denied: BTreeMap<&'static str, u64>,
}

/// How full admission is.
#[derive(Debug, Clone, Default)]
pub struct Fill {
    /// Connections that are open, and how many may be.
    pub connections: (u32, u32),
    /// Those without a name, and how many may be.
    pub strangers: (u32, u32),
    /// Address prefixes that are remembered, and how many may be.
    pub prefixes: (usize, usize),
    /// Bytes that are held for clients, and how many may be.
    pub memory: (u64, u64),
    /// Bans that hold, and how many may be.
    pub bans: (usize, usize),
    /// Connections that were refused, by the limit.
    pub denied: Vec<(&'static str, u64)>,
}

impl Admission {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            ledger: Ledger::default(),
            totals: Arc::default(),
            strangers: VecDeque::new(),
            told: Bucket::default(),
            denied: BTreeMap::new(),
        }
    }

    /// Admits a connection from `address`, or says which limit it meets.
    pub fn admit(&mut self, address: IpAddr, now: Moment) -> Result<Permit, Denied> {
        self.try_admit(address, now).map_err(|refusal| self.deny(refusal, now))
    }

    /// Refuses a connection, and counts it; some are told why.
    pub fn deny(&mut self, refusal: Refusal, now: Moment) -> Denied {
        self.count_denied(refusal.limit.map_or("none", |limit| limit.name));
        let told = self.told.try_charge(1, now, TOLD).is_ok();
        Denied {
            refusal: Box::new(refusal),
            permit: told.then(|| Permit::new(&self.totals, SmallVec::new(), true)),
        }
    }

    /// Counts a connection that was refused for this.
    pub fn count_denied(&mut self, limit: &'static str) {
        *self.denied.entry(limit).or_default() += 1;
    }

    fn try_admit(&mut self, address: IpAddr, now: Moment) -> Result<Permit, Refusal> {
        let address = address.to_canonical();
        let exempt = self.is_exempt(address);
        let (all, count) = prefixes(address);
        let mut accounts: SmallVec<[Arc<Account>; 1]> = SmallVec::new();
        for &(prefix, factor) in all.iter().take(count) {
            let account = self.ledger.account(prefix);
            if !exempt {
                self.check_address(&account, factor, now)?;
            }
            accounts.push(account);
        }
        self.make_room()?;
        let permit = Permit::new(&self.totals, accounts, exempt);
        self.queue(&permit);
        Ok(permit)
    }

    /// Admits a connection of which nobody knows yet whose it is: it counts for no address.
    pub fn expect(&mut self, now: Moment) -> Result<Permit, Denied> {
        if let Err(refusal) = self.make_room() {
            return Err(self.deny(refusal, now));
        }
        let permit = Permit::new(&self.totals, SmallVec::new(), true);
        self.queue(&permit);
        Ok(permit)
    }

    fn check_address(&self, account: &Account, factor: u32, now: Moment) -> Result<(), Refusal> {
        let allowed = u64::from(self.policy.connections_per_address.saturating_mul(factor));
        let used = u64::from(account.connections.load(Ordering::Relaxed)) + 1;
        if used > allowed {
            return Err(Refusal::new(Code::Connections, "the address has too many connections")
                .limit("connections_per_address", used, allowed)
                .retry_after(WAIT));
        }
        let rate = self.policy.arrivals.times(u64::from(factor));
        account.arrivals.try_charge(1, now, rate).map_err(|wait| {
            Refusal::new(Code::Connections, "the address connects too fast")
                .limit("connection_burst_per_address", rate.burst + 1, rate.burst)
                .retry_after(wait)
        })
    }

    /// Finds place for one more: under both caps, or where the oldest stranger was.
    fn make_room(&mut self) -> Result<(), Refusal> {
        let connections = self.totals.connections.load(Ordering::Relaxed);
        let strangers = self.totals.strangers.load(Ordering::Relaxed);
        let full = connections >= self.policy.connections;
        if !full && strangers < self.policy.unauthenticated {
            return Ok(());
        }
        while let Some(oldest) = self.strangers.pop_front() {
            if oldest.upgrade().is_some_and(|stranger| stranger.evict()) {
                // Its place is free a moment later: the caps may be passed by as many as are leaving.
                self.totals.strangers.fetch_sub(1, Ordering::Relaxed);
                return Ok(());
            }
        }
        if full {
            let (used, allowed) = (u64::from(connections) + 1, u64::from(self.policy.connections));
            return Err(Refusal::from(Code::ServerFull)
                .limit("connections", used, allowed)
                .retry_after(WAIT));
        }
        Ok(())
    }

    fn queue(&mut self, permit: &Permit) {
        // Those in the middle who have a name by now leave when they come to the front, or here,
        // once they are more than those who have none.
        let strangers = self.totals.strangers.load(Ordering::Relaxed) as usize;
        if self.strangers.len() >= strangers * 2 + 64 {
            self.strangers.retain(|stranger| stranger.upgrade().is_some_and(|s| s.is_waiting()));
        }
        self.strangers.extend(permit.stranger());
    }

    /// Has other limits hold from here on, for those who come.
    pub fn adopt(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The right to be connected for the server itself: it counts for no address.
    pub fn guest(&self) -> Permit {
        Permit::new(&self.totals, SmallVec::new(), true)
    }

    /// Where the budgets of an address stand, with those of the networks around it.
    #[must_use]
    pub fn standings(
        &self,
        address: IpAddr,
        rates: &Rates,
        now: Moment,
    ) -> Vec<(Prefix, Standing)> {
        let (all, count) = prefixes(address);
        let mut standings = Vec::new();
        for &(prefix, factor) in all.iter().take(count) {
            let none = Account::default();
            let account = self.ledger.look(prefix).unwrap_or(&none);
            let factor = u64::from(factor);
            let open = account.connections.load(Ordering::Relaxed).into();
            let most = u64::from(self.policy.connections_per_address) * factor;
            let rate = Rate { per_second: 0, burst: most };
            standings.push((prefix, Standing { budget: "connections", used: open, rate }));
            for (budget, bucket, rate) in [
                ("connection_rate", &account.arrivals, self.policy.arrivals),
                ("requests_per_s", &account.requests, rates.address_requests),
                ("bytes_per_s", &account.bytes, rates.address_bytes),
            ] {
                let rate = rate.times(factor);
                let used = bucket.used(now, rate);
                standings.push((prefix, Standing { budget, used, rate }));
            }
        }
        standings
    }

    /// Whether no limit per address holds for it.
    #[must_use]
    pub fn is_exempt(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.policy.exempt.iter().any(|network| network.contains(&address))
    }

    /// How full it is.
    #[must_use]
    pub fn fill(&self) -> Fill {
        let load = |count: &AtomicU32| count.load(Ordering::Relaxed);
        Fill {
            connections: (load(&self.totals.connections), self.policy.connections),
            strangers: (load(&self.totals.strangers), self.policy.unauthenticated),
            prefixes: (self.prefixes(), CAPACITY.get()),
            memory: (0, 0),
            bans: (0, 0),
            denied: self.denied.iter().map(|(&limit, &count)| (limit, count)).collect(),
        }
    }

    /// Connections that are open now.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.totals.connections.load(Ordering::Relaxed)
    }

    /// Prefixes that are remembered.
    #[must_use]
    pub fn prefixes(&self) -> usize {
        self.ledger.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            connections: 10,
            unauthenticated: 5,
            connections_per_address: 3,
            arrivals: Rate { per_second: 1, burst: 4 },
            exempt: vec!["10.0.0.0/8".parse().unwrap()],
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[track_caller]
    fn refused(result: Result<Permit, Denied>, limit: &str) {
        let refusal = result.expect_err("refused").refusal;
        assert_eq!(refusal.limit.map(|limit| limit.name), Some(limit));
        assert!(refusal.retry_after.is_some());
    }

    #[test]
    fn one_address_has_so_many_connections_and_gets_them_back() {
        let mut admission = Admission::new(policy());
        let permits: Vec<_> =
            (0..3).map(|_| admission.admit(ip("192.0.2.1"), Moment(0)).unwrap()).collect();
        refused(admission.admit(ip("192.0.2.1"), Moment(0)), "connections_per_address");
        assert!(admission.admit(ip("192.0.2.2"), Moment(0)).is_ok());
        drop(permits);
        assert!(admission.admit(ip("192.0.2.1"), Moment(0)).is_ok());
        refused(admission.admit(ip("192.0.2.1"), Moment(0)), "connection_burst_per_address");
    }

    #[test]
    fn who_has_an_account_does_not_count_for_the_address() {
        let mut admission = Admission::new(policy());
        let permits: Vec<_> =
            (0..3).map(|_| admission.admit(ip("192.0.2.1"), Moment(0)).unwrap()).collect();
        permits[0].named(true);
        permits[0].named(true);
        permits[1].named(false);
        let _fourth = admission.admit(ip("192.0.2.1"), Moment(0)).unwrap();
        refused(admission.admit(ip("192.0.2.1"), Moment(0)), "connections_per_address");
        drop(permits);
        assert_eq!(admission.connections(), 1);
    }

    #[test]
    fn ipv6_is_counted_by_prefix() {
        let mut admission = Admission::new(policy());
        let mut permits = Vec::new();
        for host in 1..=3 {
            permits.push(admission.admit(ip(&format!("2001:db8::{host}")), Moment(0)).unwrap());
        }
        refused(admission.admit(ip("2001:db8::4"), Moment(0)), "connections_per_address");
    }

    #[test]
    fn the_oldest_stranger_goes_when_there_are_too_many() {
        let mut admission = Admission::new(policy());
        let permits: Vec<_> = (0..6)
            .map(|n| admission.admit(ip(&format!("10.0.0.{n}")), Moment(0)).unwrap())
            .collect();
        let evicted: Vec<_> = permits.iter().map(Permit::is_evicted).collect();
        assert_eq!(evicted, [true, false, false, false, false, false]);
        permits[1].named(false);
        let _one_more = admission.admit(ip("10.0.0.9"), Moment(0)).unwrap();
        assert!(!permits[2].is_evicted(), "a name made room");
    }

    #[test]
    fn a_server_full_of_people_refuses_and_never_evicts_them() {
        let mut admission = Admission::new(policy());
        let permits: Vec<_> = (0..10)
            .map(|n| {
                let permit = admission.admit(ip(&format!("10.0.0.{n}")), Moment(0)).unwrap();
                permit.named(false);
                permit
            })
            .collect();
        refused(admission.admit(ip("10.0.1.1"), Moment(0)), "connections");
        assert!(permits.iter().all(|permit| !permit.is_evicted()));
        drop(permits);
        assert_eq!(admission.connections(), 0);
        assert_eq!(admission.totals.strangers.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_line_of_strangers_forgets_who_has_a_name() {
        let mut admission =
            Admission::new(Policy { connections: 10_000, unauthenticated: 10_000, ..policy() });
        let permits: Vec<_> = (0..1_000)
            .map(|_| {
                let permit = admission.expect(Moment(0)).unwrap();
                permit.named(false);
                permit
            })
            .collect();
        assert!(admission.strangers.len() <= 64, "{}", admission.strangers.len());
        drop(permits);
    }
}
