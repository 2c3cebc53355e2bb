//! A budget that fills at a rate and holds a burst: the generic cell rate algorithm (ITU-T I.371).
//!
//! One number says it all: the *theoretical arrival time*, the moment at which the bucket would be
//! full again. It sits in an atomic, so that sessions on several workers can charge the budget of
//! their common address without a message and without a lock.
//!
//! **Invariants:** a charge is never refused: what was read was read. The bucket goes into debt, and
//! the wait until the debt is paid is what the payer must not read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::clock::Moment;

/// How fast a budget fills and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Units per second; 0 is no limit.
    pub per_second: u64,
    /// Units that may be spent at once after a pause.
    pub burst: u64,
}

impl Rate {
    /// No limit at all.
    pub const UNLIMITED: Self = Self { per_second: 0, burst: 0 };

    /// The same rate for a group that may use `factor` times as much.
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self {
            per_second: self.per_second.saturating_mul(factor),
            burst: self.burst.saturating_mul(factor),
        }
    }

    /// The time in which `units` flow in.
    #[must_use]
    pub fn time_for(self, units: u64) -> Duration {
        Duration::from_nanos(self.time_of(units))
    }

    fn time_of(self, units: u64) -> u64 {
        const SECOND: u128 = 1_000_000_000;
        let nanos = u128::from(units) * SECOND / u128::from(self.per_second.max(1));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// One budget.
#[derive(Debug, Default)]
pub struct Bucket(AtomicU64);

impl Bucket {
    /// Spends `units` and returns how long to wait before spending more: zero within the budget.
    pub fn charge(&self, units: u64, now: Moment, rate: Rate) -> Duration {
        if rate.per_second == 0 {
            return Duration::ZERO;
        }
        let cost = rate.time_of(units);
        let spend = |full_at: u64| full_at.max(now.0).saturating_add(cost);
        // The closure always returns a value, so both arms carry the one before.
        let (Ok(before) | Err(before)) =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(spend(at)));
        let debt = spend(before).saturating_sub(now.0).saturating_sub(rate.time_of(rate.burst));
        Duration::from_nanos(debt)
    }

    /// Spends `units` only if they are there; else says how long until they are.
    pub fn try_charge(&self, units: u64, now: Moment, rate: Rate) -> Result<(), Duration> {
        if rate.per_second == 0 {
            return Ok(());
        }
        let (cost, held) = (rate.time_of(units), rate.time_of(rate.burst));
        let mut wait = 0;
        let spent = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let after = full_at.max(now.0).saturating_add(cost);
            wait = after.saturating_sub(now.0).saturating_sub(held);
            (wait == 0).then_some(after)
        });
        spent.map(drop).map_err(|_| Duration::from_nanos(wait))
    }

    /// Takes back a charge that was not due.
    pub fn give_back(&self, units: u64, rate: Rate) {
        let cost = rate.time_of(units);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(at.saturating_sub(cost)))
            .ok();
    }

    /// Units spent and not yet flowed back in.
    pub fn used(&self, now: Moment, rate: Rate) -> u64 {
        let nanos = u128::from(self.0.load(Ordering::Relaxed).saturating_sub(now.0));
        let units = (nanos * u128::from(rate.per_second)).div_ceil(1_000_000_000);
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// Whether nothing of it is spent.
    pub fn is_full(&self, now: Moment) -> bool {
        self.0.load(Ordering::Relaxed) <= now.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { per_second: 10, burst: 5 };

    fn at_ms(ms: u64) -> Moment {
        Moment(ms * 1_000_000)
    }

    #[test]
    fn a_burst_is_free_and_then_each_unit_costs_its_time() {
        let bucket = Bucket::default();
        for _ in 0..5 {
            assert_eq!(bucket.charge(1, at_ms(0), RATE), Duration::ZERO);
        }
        assert_eq!(bucket.charge(1, at_ms(0), RATE), Duration::from_millis(100));
        assert_eq!(bucket.charge(2, at_ms(0), RATE), Duration::from_millis(300));
        assert_eq!(bucket.used(at_ms(0), RATE), 8);
        assert_eq!(bucket.charge(0, at_ms(300), RATE), Duration::ZERO);
        assert!(bucket.is_full(at_ms(800)));
    }

    #[test]
    fn a_refused_charge_spends_nothing() {
        let bucket = Bucket::default();
        assert_eq!(bucket.try_charge(5, at_ms(0), RATE), Ok(()));
        for _ in 0..3 {
            assert_eq!(bucket.try_charge(1, at_ms(0), RATE), Err(Duration::from_millis(100)));
        }
        assert_eq!(bucket.try_charge(1, at_ms(100), RATE), Ok(()));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let bucket = Bucket::default();
        assert_eq!(bucket.charge(u64::MAX, at_ms(0), Rate::UNLIMITED), Duration::ZERO);
        assert_eq!(bucket.try_charge(u64::MAX, at_ms(0), Rate::UNLIMITED), Ok(()));
    }

    proptest! {
        /// Whoever waits as told never gets more than burst + rate x time.
        #[test]
        fn never_more_than_burst_plus_rate(costs in proptest::collection::vec(1_u64..20, 1..200)) {
            let bucket = Bucket::default();
            let (mut now, mut spent) = (Moment(0), 0);
            let mut last = 0;
            for cost in costs {
                let wait = bucket.charge(cost, now, RATE);
                spent += cost;
                last = cost;
                now = now.after(wait);
            }
            // The last charge may still be in debt: its wait has not been used for another.
            let allowed = RATE.burst + last + RATE.per_second * now.0 / 1_000_000_000 + 1;
            prop_assert!(spent <= allowed, "{spent} > {allowed}");
        }
    }
}
