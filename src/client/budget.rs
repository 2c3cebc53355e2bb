//! Keeping to the rates that the server advertises, so that it never has to slow the client down.
//!
//! A bucket is one moment: when it would be full again. That is the whole state of a token bucket
//! (the "virtual scheduling" form of GCRA), and needs no timer to fill it.

use std::time::Duration;

use crate::base::clock::Moment;

const SECOND_NS: u64 = 1_000_000_000;

/// One rate: so many a second, so many at once after a pause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// What one unit costs, in nanoseconds; 0 if the rate is not limited.
    unit_ns: u64,
    /// What the whole bucket holds, in nanoseconds.
    depth_ns: u64,
    full_at: Moment,
}

impl Bucket {
    pub(super) fn new(per_second: u64, burst: u64) -> Self {
        let unit_ns = if per_second == 0 { 0 } else { SECOND_NS.div_ceil(per_second) };
        Self { unit_ns, depth_ns: burst.max(1).saturating_mul(unit_ns), full_at: Moment(0) }
    }

    /// When `units` may be spent. More than the bucket holds may be spent once it is full.
    pub(super) fn ready_at(&self, units: u64) -> Moment {
        let cost_ns = units.saturating_mul(self.unit_ns).min(self.depth_ns);
        let spare = Duration::from_nanos(self.depth_ns - cost_ns);
        Moment(self.full_at.0.saturating_sub(u64::try_from(spare.as_nanos()).unwrap_or(u64::MAX)))
    }

    pub(super) fn spend(&mut self, now: Moment, units: u64) {
        let cost = Duration::from_nanos(units.saturating_mul(self.unit_ns));
        self.full_at = self.full_at.max(now).after(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::nanos;

    fn at(ms: u64) -> Moment {
        Moment(nanos(Duration::from_millis(ms)))
    }

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let mut bucket = Bucket::new(10, 3);
        let mut sent = Vec::new();
        for ms in 0..1000 {
            while bucket.ready_at(1) <= at(ms) {
                bucket.spend(at(ms), 1);
                sent.push(ms);
            }
        }
        assert_eq!(sent[..6], [0, 0, 0, 100, 200, 300]);
        assert_eq!(sent.len(), 3 + 9);
    }

    #[test]
    fn what_is_larger_than_the_bucket_waits_for_a_full_one() {
        let mut bucket = Bucket::new(1_000, 100);
        assert!(bucket.ready_at(5_000) <= at(0));
        bucket.spend(at(0), 5_000);
        assert_eq!(bucket.ready_at(5_000), at(5_000));
        assert_eq!(bucket.ready_at(1), at(4_901));
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let mut bucket = Bucket::new(0, 0);
        bucket.spend(at(1), u64::MAX);
        assert!(bucket.ready_at(u64::MAX) <= at(1));
    }
}
