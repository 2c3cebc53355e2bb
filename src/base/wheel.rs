//! A timing wheel: thousands of deadlines, one tick (Varghese and Lauck, 1987).
//!
//! **Owns:** one entry per armed key, so as many as its user arms.
//! **Invariants:** an entry comes out at the first tick at or after its moment; one that lies beyond
//! the wheel's horizon comes out early, at the horizon, and its user arms it again. Nothing is ever
//! cancelled: whoever gets an entry looks whether it still matters.

use std::time::Duration;

use crate::base::clock::{Moment, nanos};

/// Slots of the wheel; with the tick they are its horizon.
const SLOTS: usize = 512;

/// Granularity of the server's deadlines.
pub const TICK: Duration = Duration::from_millis(250);

/// Keys waiting for their moment.
#[derive(Debug)]
pub struct Wheel<K> {
    slots: Vec<Vec<K>>,
    tick: u64,
    /// The tick that was emptied last.
    done: u64,
}

impl<K> Wheel<K> {
    /// A wheel that turns one slot per `tick`.
    #[must_use]
    pub fn new(tick: Duration, now: Moment) -> Self {
        let tick = nanos(tick).max(1);
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), tick, done: now.0 / tick }
    }

    /// Arms `key` for the moment `at`.
    pub fn arm(&mut self, key: K, at: Moment) {
        let horizon = self.done + SLOTS as u64 - 1;
        let due = at.0.div_ceil(self.tick).clamp(self.done + 1, horizon);
        let slot = usize::try_from(due % SLOTS as u64).unwrap_or(0);
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.push(key);
        }
    }

    /// Turns the wheel to `now`, and takes out every key whose moment has come.
    pub fn turn(&mut self, now: Moment) -> Vec<K> {
        let until = now.0 / self.tick;
        let first = self.done + 1;
        // After a pause of more than one turn every slot is due, once.
        let last = until.min(self.done + SLOTS as u64);
        let mut due = Vec::new();
        for tick in first..=last {
            let slot = usize::try_from(tick % SLOTS as u64).unwrap_or(0);
            if let Some(slot) = self.slots.get_mut(slot) {
                due.append(slot);
            }
        }
        self.done = self.done.max(until);
        due
    }

    /// Entries that are armed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// Whether nothing is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Moment {
        Moment(ms * 1_000_000)
    }

    #[test]
    fn keys_come_out_at_the_tick_after_their_moment_and_once() {
        let mut wheel = Wheel::new(TICK, ms(0));
        wheel.arm("a", ms(300));
        wheel.arm("past", ms(0));
        assert_eq!(wheel.turn(ms(249)), Vec::<&str>::new());
        assert_eq!(wheel.turn(ms(250)), ["past"]);
        assert_eq!(wheel.turn(ms(499)), Vec::<&str>::new());
        assert_eq!(wheel.turn(ms(500)), ["a"]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn a_long_pause_brings_everything_once() {
        let mut wheel = Wheel::new(TICK, ms(0));
        for n in 0..1_000 {
            wheel.arm(n, ms(n * 100));
        }
        let mut due = wheel.turn(ms(10_000_000));
        due.sort_unstable();
        assert_eq!(due, (0..1_000).collect::<Vec<_>>());
        wheel.arm(7, ms(10_000_100));
        assert_eq!(wheel.turn(ms(10_000_250)), [7]);
    }

    proptest! {
        #[test]
        fn never_late_by_more_than_a_tick_and_early_only_at_the_horizon(
            moments in proptest::collection::vec(0_u64..400_000, 1..50),
        ) {
            let mut wheel = Wheel::new(TICK, ms(0));
            for &at in &moments {
                wheel.arm(at, ms(at));
            }
            let horizon = 250 * (SLOTS as u64 - 1);
            let mut seen = 0;
            for now in (0..=400_000).step_by(250) {
                for at in wheel.turn(ms(now)) {
                    seen += 1;
                    prop_assert!(at.min(horizon) <= now && now < at.max(250) + 250, "{at} at {now}");
                }
            }
            prop_assert_eq!(seen, moments.len());
        }
    }
}
