//! The bytes that are held for clients, against what may be held for all of them together.
//!
//! Each worker counts its own in its [`Tally`]. Nobody adds them up for every byte: a worker knows its
//! own to the byte, and those of the others as they were when it looked last, which it does again
//! after each tick, and whenever its own have grown by a part of the whole.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::tally::{Count, HELD, Tally};

/// How much is held of what may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Below 80 %: nothing is to be done.
    Free,
    /// From 80 % on: no new work is taken.
    Tight,
    /// From 90 % on: something must go.
    Full,
}

/// What may be held; 0 is no bound. A reload changes it.
#[derive(Debug, Default)]
pub struct Ceiling(AtomicU64);

impl Ceiling {
    /// So many bytes.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        Self(bytes.into())
    }

    /// Sets it.
    pub fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// What it is now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How full so many bytes are.
#[must_use]
pub fn level(held: u64, ceiling: u64) -> Level {
    let (held, ceiling) = (u128::from(held) * 10, u128::from(ceiling));
    match ceiling {
        0 => Level::Free,
        _ if held >= ceiling * 9 => Level::Full,
        _ if held >= ceiling * 8 => Level::Tight,
        _ => Level::Free,
    }
}

/// A worker grows by no more than this part of the whole before it looks at the others again.
const STEP: u64 = 64;

/// One worker's look at it; or that of somebody who is no worker.
#[derive(Debug)]
pub struct Gauge {
    ceiling: Arc<Ceiling>,
    tallies: Arc<[Arc<Tally>]>,
    own: Option<Arc<Tally>>,
    /// What all others held at the last look, and what was its own then.
    elsewhere: Cell<u64>,
    looked: Cell<u64>,
}

impl Gauge {
    /// The look of the worker at this place.
    #[must_use]
    pub fn new(ceiling: Arc<Ceiling>, tallies: Arc<[Arc<Tally>]>, worker: Option<usize>) -> Self {
        let own = worker.and_then(|place| tallies.get(place).cloned());
        Self { ceiling, tallies, own, elsewhere: Cell::new(0), looked: Cell::new(0) }
    }

    fn own(&self) -> u64 {
        self.own.as_ref().map_or(0, |tally| held(tally))
    }

    /// Looks at all workers: what is held, and what may be.
    pub fn look(&self) -> (u64, u64) {
        let (all, own) = (self.tallies.iter().map(|tally| held(tally)).sum::<u64>(), self.own());
        self.elsewhere.set(all.saturating_sub(own));
        self.looked.set(own);
        (all, self.ceiling.get())
    }

    /// How full it is, and what is held of what may be.
    pub fn read(&self) -> (Level, u64, u64) {
        let (own, ceiling) = (self.own(), self.ceiling.get());
        if own > self.looked.get() + ceiling / STEP {
            self.look();
        }
        let all = self.elsewhere.get() + own;
        (level(all, ceiling), all, ceiling)
    }
}

/// What one worker holds.
#[must_use]
pub fn held(tally: &Tally) -> u64 {
    let counts: &[Count; HELD] = &tally.held;
    counts.iter().map(Count::get).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::tally::{OUTBOXES, REQUESTS};
    use proptest::prelude::*;

    #[test]
    fn the_levels_begin_at_their_parts() {
        for (held, expected) in [
            (0, Level::Free),
            (799, Level::Free),
            (800, Level::Tight),
            (899, Level::Tight),
            (900, Level::Full),
            (u64::MAX, Level::Full),
        ] {
            assert_eq!(level(held, 1_000), expected, "{held}");
        }
        assert_eq!(level(u64::MAX, 0), Level::Free);
    }

    proptest! {
        /// What a worker believes is never off by more than the others have changed since it looked,
        /// and by a step of its own it looks again.
        #[test]
        fn a_worker_knows_its_own_to_the_byte(
            steps in proptest::collection::vec((0_usize..3, 0_u64..200), 1..60),
        ) {
            let tallies: Arc<[Arc<Tally>]> = [(); 3].map(|()| Arc::default()).into();
            let ceiling = Arc::new(Ceiling::of(6_400));
            let gauge = Gauge::new(ceiling, Arc::clone(&tallies), Some(0));
            let mut since = 0;
            for (worker, bytes) in steps {
                let kind = if bytes % 2 == 0 { OUTBOXES } else { REQUESTS };
                tallies[worker].held[kind].add(bytes);
                since += if worker == 0 { 0 } else { bytes };
                let (_, believed, _) = gauge.read();
                let truth: u64 = tallies.iter().map(|tally| held(tally)).sum();
                if believed == truth { since = 0; }
                prop_assert!(believed <= truth && truth - believed <= since);
            }
            let truth: u64 = tallies.iter().map(|tally| held(tally)).sum();
            prop_assert_eq!(gauge.look(), (truth, 6_400));
            prop_assert_eq!(gauge.read().1, truth);
        }
    }
}
