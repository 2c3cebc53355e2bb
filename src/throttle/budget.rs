//! What one session may spend, checked on every read without a message: its own budget, and one that
//! it shares. A stranger and a guest share that of their address, and of the networks around it;
//! who is logged in to an account shares the account's, so that people behind one address are not
//! taken for one person.

use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lru::LruCache;

use super::bucket::{Bucket, Rate};
use super::permit::Permit;
use crate::base::clock::Moment;
use crate::base::id::AccountId;

/// The rates of all budgets.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Requests of one session.
    pub requests: Rate,
    /// Bytes of one session.
    pub bytes: Rate,
    /// Requests of all sessions of one address.
    pub address_requests: Rate,
    /// Bytes of all sessions of one address.
    pub address_bytes: Rate,
    /// Refused requests of one session: beyond this it is a flood, and the session ends.
    pub refusals: Rate,
}

/// An account may spend this many times what one of its sessions may: it has several devices.
pub const ACCOUNT_FACTOR: u64 = 4;

/// The budget of an account, shared by its sessions on all workers.
#[derive(Debug, Default)]
pub struct Purse {
    requests: Bucket,
    bytes: Bucket,
}

/// Most purses that are remembered (about 8 MiB).
const PURSES: NonZeroUsize = NonZeroUsize::new(32_768).expect("not zero");

/// The budgets of accounts. They outlive sessions, so that nobody has a new one for coming back.
///
/// **Owns:** at most [`PURSES`]; of those the one not asked for the longest time is forgotten, which
/// at worst gives its account a fresh budget.
#[derive(Debug)]
pub struct Purses(LruCache<AccountId, Arc<Purse>>);

impl Default for Purses {
    fn default() -> Self {
        Self(LruCache::new(PURSES))
    }
}

impl Purses {
    /// The budget of an account.
    pub fn of(&mut self, account: AccountId) -> Arc<Purse> {
        Arc::clone(self.0.get_or_insert(account, Arc::default))
    }
}

/// What a read has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// How long the session is not to be read.
    pub wait: Duration,
    /// The budget that is spent, if there is something to wait for.
    pub limit: &'static str,
}

/// Where a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub budget: &'static str,
    /// Units spent and not yet flowed back in.
    pub used: u64,
    /// Units that may be spent at once, and that flow in each second.
    pub rate: Rate,
}

/// The budgets of one session.
#[derive(Debug)]
pub struct Budget {
    permit: Permit,
    requests: Bucket,
    bytes: Bucket,
    refusals: Bucket,
    purse: OnceCell<Arc<Purse>>,
}

impl Budget {
    /// Full budgets.
    #[must_use]
    pub fn new(permit: Permit) -> Self {
        Self {
            permit,
            requests: Bucket::default(),
            bytes: Bucket::default(),
            refusals: Bucket::default(),
            purse: OnceCell::new(),
        }
    }

    /// Every budget that a read is charged to, with the one for bytes behind that for requests, and how
    /// many strangers to one another share it.
    fn each(&self, rates: &Rates, mut look: impl FnMut([(&'static str, &Bucket, Rate); 2], u32)) {
        let both = [
            ("requests_per_s", &self.requests, rates.requests),
            ("bytes_per_s", &self.bytes, rates.bytes),
        ];
        look(both, 1);
        if let Some(purse) = self.purse.get() {
            let both = [
                ("account_requests_per_s", &purse.requests, rates.requests.times(ACCOUNT_FACTOR)),
                ("account_bytes_per_s", &purse.bytes, rates.bytes.times(ACCOUNT_FACTOR)),
            ];
            return look(both, 1);
        }
        for (address, factor) in self.permit.accounts() {
            let both = [
                ("address_requests_per_s", &address.requests, rates.address_requests.times(factor)),
                ("address_bytes_per_s", &address.bytes, rates.address_bytes.times(factor)),
            ];
            look(both, address.connections.load(Ordering::Relaxed));
        }
    }

    /// Charges one read; returns how long the session is not to be read, and for which budget. Where
    /// strangers share one, nobody waits for longer than all of them take to spend as much as this read
    /// did: who says little does not wait for those who have spent everything.
    pub fn charge(&self, requests: u64, bytes: u64, now: Moment, rates: &Rates) -> Charged {
        let mut longest = Charged { wait: Duration::ZERO, limit: "" };
        self.each(rates, |both, sharers| {
            for ((limit, bucket, rate), units) in both.into_iter().zip([requests, bytes]) {
                let debt = bucket.charge(units, now, rate);
                let turn = rate.time_for(units.saturating_mul(sharers.into()));
                let wait = if sharers > 1 { debt.min(turn) } else { debt };
                if wait > longest.wait {
                    longest = Charged { wait, limit };
                }
            }
        });
        longest
    }

    /// Charges one refused request; `Err` when there were too many.
    pub fn charge_refusal(&self, now: Moment, rates: &Rates) -> Result<(), Duration> {
        self.refusals.try_charge(1, now, rates.refusals)
    }

    /// Where its budgets stand.
    #[must_use]
    pub fn standings(&self, now: Moment, rates: &Rates) -> Vec<Standing> {
        let mut all = Vec::new();
        self.each(rates, |both, _| {
            all.extend(both.map(|(budget, bucket, rate)| {
                let used = bucket.used(now, rate);
                Standing { budget, used, rate }
            }));
        });
        let (refusals, rate) = (&self.refusals, rates.refusals);
        all.push(Standing { budget: "refusals_per_s", used: refusals.used(now, rate), rate });
        all
    }

    /// The session holds a name now; from here on it spends what its account has, if it has one.
    pub fn named(&self, purse: Option<Arc<Purse>>) {
        self.permit.named(purse.is_some());
        if let Some(purse) = purse {
            self.purse.get_or_init(|| purse);
        }
    }

    /// Identifies the account or the address for fairness: its sessions share one turn.
    #[must_use]
    pub fn group(&self) -> u64 {
        match self.purse.get() {
            Some(purse) => Arc::as_ptr(purse).addr() as u64,
            None => self.permit.group(),
        }
    }

    /// The right to be connected.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::admission::{Admission, Policy};
    use super::*;

    const RATES: Rates = Rates {
        requests: Rate { per_second: 10, burst: 100 },
        bytes: Rate { per_second: 1_000, burst: 10_000 },
        address_requests: Rate { per_second: 10, burst: 150 },
        address_bytes: Rate { per_second: 1_000, burst: 100_000 },
        refusals: Rate { per_second: 1, burst: 1 },
    };

    fn admission() -> Admission {
        Admission::new(Policy {
            connections: 1_000,
            unauthenticated: 1_000,
            connections_per_address: 100,
            arrivals: Rate::UNLIMITED,
            exempt: Vec::new(),
        })
    }

    fn budget(admission: &mut Admission, address: &str) -> Budget {
        Budget::new(admission.admit(address.parse().unwrap(), Moment(0)).unwrap())
    }

    fn limit(budget: &Budget, requests: u64) -> &'static str {
        budget.charge(requests, 0, Moment(0), &RATES).limit
    }

    #[test]
    fn guests_of_one_address_share_its_budget_and_accounts_do_not() {
        let mut admission = admission();
        let mut all = || budget(&mut admission, "192.0.2.1");
        let (one, two, account) = (all(), all(), all());
        let (mut purses, ann) = (Purses::default(), AccountId(1));
        account.named(Some(purses.of(ann)));
        one.named(None);
        assert_eq!(limit(&one, 100), "");
        assert_eq!(limit(&two, 100), "address_requests_per_s");
        assert_eq!(limit(&account, 100), "");
        assert_eq!(limit(&account, 1), "requests_per_s");
        assert_ne!(account.group(), one.group());
        assert_eq!(one.group(), two.group());
    }

    #[test]
    fn who_says_little_does_not_wait_for_those_who_share_its_address_and_spent_everything() {
        let mut admission = admission();
        let all: Vec<Budget> = (0..10).map(|_| budget(&mut admission, "192.0.2.1")).collect();
        let (polite, greedy) = all.split_first().unwrap();
        for one in greedy {
            one.charge(50, 0, Moment(0), &RATES);
        }
        let wait = |one: &Budget, requests| one.charge(requests, 0, Moment(0), &RATES).wait;
        // The address owes 300 and gets 10 in a second: half a minute for all of that.
        assert_eq!(wait(polite, 1), Duration::from_secs(1), "ten who say one thing each");
        assert_eq!(wait(&greedy[0], 50), Duration::from_millis(35_100));
        assert_eq!(wait(&greedy[1], 2), Duration::from_secs(2));
    }

    proptest! {
        /// Of those who wait as they are told: all together never get more than the burst, the rate, and
        /// what each may owe; and each gets a share, however much others take at once.
        #[test]
        fn those_who_share_an_address_get_their_shares_and_no_more(portions in proptest::collection::vec(1_u64..8, 2..12)) {
            let mut admission = admission();
            let mut all: Vec<(Budget, Moment, u64)> =
                portions.iter().map(|_| (budget(&mut admission, "192.0.2.1"), Moment(0), 0)).collect();
            let rates = Rates { requests: Rate::UNLIMITED, ..RATES };
            let end = Moment(0).after(Duration::from_secs(600));
            while let Some(next) = (0..all.len()).min_by_key(|&n| all[n].1) {
                let (one, now, spent) = &mut all[next];
                if *now >= end {
                    break;
                }
                let wait = one.charge(portions[next], 0, *now, &rates).wait;
                *spent += portions[next];
                *now = now.after(wait.max(Duration::from_micros(1)));
            }
            let spent: u64 = all.iter().map(|(.., spent)| spent).sum();
            let sharers = portions.len() as u64;
            let owed = 2 * sharers * portions.iter().max().unwrap();
            let allowed = 150 + 10 * 600;
            prop_assert!(spent <= allowed + owed, "{spent} > {allowed} + {owed}");
            let least = all.iter().map(|(.., spent)| *spent).min().unwrap();
            prop_assert!(least * sharers * 10 >= 6_000 * 9, "{least} of {sharers}");
        }
    }

    #[test]
    fn devices_of_one_account_share_its_budget_and_coming_back_brings_no_new_one() {
        let mut admission = admission();
        let (mut purses, ann) = (Purses::default(), AccountId(1));
        let mut device = |number: u32| {
            let device = budget(&mut admission, &format!("192.0.2.{number}"));
            device.named(Some(purses.of(ann)));
            device
        };
        for number in 0..4 {
            assert_eq!(limit(&device(number), 100), "", "{number}");
        }
        let fifth = device(4);
        assert_eq!(limit(&fifth, 1), "account_requests_per_s");
        assert_eq!(fifth.group(), device(5).group());
    }

    #[test]
    fn the_networks_around_an_ipv6_address_have_budgets_too() {
        let mut admission = admission();
        // Each from a /64 of its own, all in one /56: four times what one may.
        let all: Vec<Budget> =
            (0..7).map(|n| budget(&mut admission, &format!("2001:db8::{n}:0:0:0:1"))).collect();
        let limits: Vec<&str> = all.iter().map(|one| limit(one, 100)).collect();
        assert_eq!(limits, ["", "", "", "", "", "", "address_requests_per_s"]);
        // Sixteen times for the /48.
        let all: Vec<Budget> =
            (1..26).map(|n| budget(&mut admission, &format!("2001:db8:0:{n:x}00::1"))).collect();
        let met = all.iter().position(|one| !limit(one, 100).is_empty());
        assert_eq!(met, Some(17), "2,400 of the /48, of which 700 were spent");
    }

    #[test]
    fn where_a_budget_stands_is_told() {
        let mut admission = admission();
        let one = budget(&mut admission, "192.0.2.1");
        one.charge(7, 70, Moment(0), &RATES);
        let used: Vec<_> =
            one.standings(Moment(0), &RATES).iter().map(|one| (one.budget, one.used)).collect();
        assert_eq!(
            used,
            [
                ("requests_per_s", 7),
                ("bytes_per_s", 70),
                ("address_requests_per_s", 7),
                ("address_bytes_per_s", 70),
                ("refusals_per_s", 0)
            ]
        );
    }
}
