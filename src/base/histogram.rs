//! How long things took, counted in steps: written by one thread, read by whoever asks.

use std::time::Duration;

use super::clock::nanos;
use super::tally::Count;

/// The upper ends of the steps, in nanoseconds; what is longer is beyond them all.
pub const STEPS: [u64; 16] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
];

/// A histogram that one thread writes.
#[derive(Debug, Default)]
pub struct Histogram {
    steps: [Count; STEPS.len()],
    beyond: Count,
    nanos: Count,
}

impl Histogram {
    /// Notes that something took so long; on the owner's thread.
    pub fn note(&self, took: Duration) {
        let took = nanos(took);
        let step = STEPS.iter().position(|&end| took <= end);
        step.and_then(|step| self.steps.get(step)).unwrap_or(&self.beyond).add(1);
        self.nanos.add(took);
    }

    /// What was noted until now.
    #[must_use]
    pub fn spread(&self) -> Spread {
        let mut spread =
            Spread { beyond: self.beyond.get(), nanos: self.nanos.get(), ..Spread::default() };
        for (to, from) in spread.steps.iter_mut().zip(&self.steps) {
            *to = from.get();
        }
        spread
    }
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many ended within each step.
    pub steps: [u64; STEPS.len()],
    /// How many took longer than the last.
    pub beyond: u64,
    /// All of them together, in nanoseconds.
    pub nanos: u64,
}

impl Spread {
    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (to, from) in self.steps.iter_mut().zip(&other.steps) {
            *to += from;
        }
        self.beyond += other.beyond;
        self.nanos = self.nanos.wrapping_add(other.nanos);
        self
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.steps.iter().sum::<u64>() + self.beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_falls_into_the_first_step_that_holds_it() {
        let histogram = Histogram::default();
        for micros in [1, 50, 51, 6_000_000] {
            histogram.note(Duration::from_micros(micros));
        }
        let spread = histogram.spread();
        assert_eq!((spread.steps[0], spread.steps[1], spread.beyond), (2, 1, 1));
        assert_eq!(spread.count(), 4);
        assert_eq!(spread.plus(&spread).count(), 8);
        assert_eq!(spread.nanos, 6_000_102_000);
    }
}
