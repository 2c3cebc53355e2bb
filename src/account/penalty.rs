//! What wrong passwords cost: time, for the source that sent them.
//!
//! Counted per source, and per source and name together: who guesses is slowed down, and nobody can
//! lock somebody else's account.
//!
//! **Owns:** at most [`CAPACITY`] budgets of each kind; the one not used for the longest time goes
//! first.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use lru::LruCache;

use crate::base::clock::Moment;
use crate::protocol::status::{Code, Refusal};
use crate::throttle::bucket::{Bucket, Rate};
use crate::transport::address::{Prefix, prefixes};

/// Most budgets of each kind (about 8 MiB).
pub const CAPACITY: NonZeroUsize = NonZeroUsize::new(32_768).expect("not zero");

/// What a new account costs, in units of a second, and how many may be made at once.
const REGISTRATION_COST: u64 = 60;
const REGISTRATION_BURST: u64 = 20;

/// What one failure costs, in units of a second.
const NAME_COST: u64 = 30;
const SOURCE_COST: u64 = 3;
/// Failures that are forgiven at once.
const NAME_BURST: u64 = 5;
const SOURCE_BURST: u64 = 40;

/// The budgets of failures.
#[derive(Debug)]
pub struct Penalties {
    sources: LruCache<Prefix, Bucket>,
    names: LruCache<(Prefix, Arc<str>), Bucket>,
    registrations: LruCache<Prefix, Bucket>,
}

impl Default for Penalties {
    fn default() -> Self {
        Self {
            sources: LruCache::new(CAPACITY),
            names: LruCache::new(CAPACITY),
            registrations: LruCache::new(CAPACITY),
        }
    }
}

impl Penalties {
    /// Takes the price of a failure before the try; refuses the try if it cannot be paid. What was no
    /// failure, [`settle`](Self::settle) gives back.
    pub fn charge(&mut self, peer: IpAddr, name: &Arc<str>, now: Moment) -> Result<(), Refusal> {
        let source = source(peer);
        let rate = Rate { per_second: 1, burst: NAME_COST * NAME_BURST };
        charge(&mut self.names, (source, Arc::clone(name)), NAME_COST, now, rate)
            .map_err(|wait| refusal(NAME_BURST, wait))?;
        let rate = Rate { per_second: 1, burst: SOURCE_COST * SOURCE_BURST };
        charge(&mut self.sources, source, SOURCE_COST, now, rate)
            .map_err(|wait| refusal(SOURCE_BURST, wait))
    }

    /// Takes the price of a new account from its source.
    pub fn charge_registration(&mut self, peer: IpAddr, now: Moment) -> Result<(), Refusal> {
        let rate = Rate { per_second: 1, burst: REGISTRATION_COST * REGISTRATION_BURST };
        charge(&mut self.registrations, source(peer), REGISTRATION_COST, now, rate).map_err(
            |wait| {
                Refusal::new(Code::Rate, "too many accounts were made from this address")
                    .limit("registrations", REGISTRATION_BURST + 1, REGISTRATION_BURST)
                    .retry_after(wait)
            },
        )
    }

    /// What became of a try that was paid for: a wrong password stays paid, anything else is no
    /// failure, and a right one clears what was owed for the name.
    pub fn settle<T>(&mut self, peer: IpAddr, name: &Arc<str>, outcome: &Result<T, Refusal>) {
        let (source, back) = (source(peer), Rate { per_second: 1, burst: 0 });
        let key = (source, Arc::clone(name));
        match outcome {
            Ok(_) => drop(self.names.pop(&key)),
            Err(refusal) if refusal.code == Code::BadCredentials => return,
            Err(_) => {
                if let Some(bucket) = self.names.get(&key) {
                    bucket.give_back(NAME_COST, back);
                }
            }
        }
        if let Some(bucket) = self.sources.get(&source) {
            bucket.give_back(SOURCE_COST, back);
        }
    }
}

impl Penalties {
    /// Failures of a source that are not forgiven yet, and how many are forgiven at once.
    #[must_use]
    pub fn failures(&self, peer: IpAddr, now: Moment) -> (u64, u64) {
        let rate = Rate { per_second: 1, burst: SOURCE_COST * SOURCE_BURST };
        let used = self.sources.peek(&source(peer)).map_or(0, |bucket| bucket.used(now, rate));
        (used.div_ceil(SOURCE_COST), SOURCE_BURST)
    }
}

fn source(peer: IpAddr) -> Prefix {
    prefixes(peer).0[0].0
}

fn charge<K: Hash + Eq>(
    budgets: &mut LruCache<K, Bucket>,
    key: K,
    cost: u64,
    now: Moment,
    rate: Rate,
) -> Result<(), Duration> {
    budgets.get_or_insert(key, Bucket::default).try_charge(cost, now, rate)
}

fn refusal(allowed: u64, wait: Duration) -> Refusal {
    Refusal::new(Code::Rate, "too many logins have failed")
        .limit("login_failures", allowed + 1, allowed)
        .retry_after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000_000)
    }

    #[test]
    fn who_guesses_waits_and_nobody_else_does() {
        let (mut penalties, ann) = (Penalties::default(), Arc::from("ann"));
        for _ in 0..NAME_BURST {
            penalties.charge(address(1), &ann, at(0)).unwrap();
        }
        let refusal = penalties.charge(address(1), &ann, at(0)).unwrap_err();
        assert_eq!(refusal.code, Code::Rate);
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(NAME_COST)));
        // The owner, from elsewhere, and the guesser's neighbour are not concerned.
        penalties.charge(address(2), &ann, at(0)).unwrap();
        penalties.charge(address(1), &Arc::from("bob"), at(0)).unwrap();
        penalties.charge(address(1), &ann, at(NAME_COST)).unwrap();
    }

    #[test]
    fn who_goes_from_name_to_name_waits_too() {
        let mut penalties = Penalties::default();
        let tried = (0..1_000)
            .take_while(|name| {
                penalties.charge(address(1), &Arc::from(format!("n{name}")), at(0)).is_ok()
            })
            .count();
        assert_eq!(tried as u64, SOURCE_BURST);
    }

    #[test]
    fn what_was_no_failure_costs_nothing() {
        let (mut penalties, ann) = (Penalties::default(), Arc::from("ann"));
        for _ in 0..1_000 {
            penalties.charge(address(1), &ann, at(0)).unwrap();
            penalties.settle(address(1), &ann, &Ok(()));
            penalties.charge(address(1), &ann, at(0)).unwrap();
            penalties.settle::<()>(address(1), &ann, &Err(Code::Busy.into()));
        }
    }
}
