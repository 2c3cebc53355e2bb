//! How long to wait before connecting again.
//!
//! The server's word is the least wait; a random part of the same length comes on top, so that a
//! thousand clients of a restarted server do not come back in the same instant. Each failure
//! doubles the wait, up to a minute.

use std::time::Duration;

/// The wait after the first failure, if the server did not ask for another.
const START: Duration = Duration::from_millis(250);
/// The wait stops growing here.
const MOST: Duration = Duration::from_secs(60);
/// The longest wait that a server can ask for.
const HINT_MOST: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(super) struct Backoff {
    last: Option<Duration>,
}

impl Backoff {
    /// The next wait; `jitter` is a random number from 0 to 1.
    pub(super) fn next(&mut self, hint: Option<Duration>, jitter: f64) -> Duration {
        let grown = self.last.map_or(START, |last| last.saturating_mul(2).min(MOST));
        let hint = hint.map(|hint| hint.min(HINT_MOST));
        let base = match (hint, self.last) {
            (Some(hint), None) => hint,
            (Some(hint), Some(_)) => hint.max(grown),
            (None, _) => grown,
        };
        // A hint of zero still leaves a little time: the next failure doubles from there.
        let base = base.max(Duration::from_millis(1));
        self.last = Some(base);
        base.saturating_add(base.mul_f64(jitter.clamp(0.0, 1.0)))
    }

    /// All is well again.
    pub(super) fn reset(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(hints: &[Option<u64>], jitter: f64) -> Vec<u128> {
        let mut backoff = Backoff::default();
        let wait =
            |hint: &Option<u64>| backoff.next(hint.map(Duration::from_millis), jitter).as_millis();
        hints.iter().map(wait).collect()
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let all = waits(&[None; 10], 0.0);
        assert_eq!(all, [250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
    }

    #[test]
    fn the_random_part_is_at_most_as_long_as_the_wait() {
        assert_eq!(waits(&[None, None], 1.0), [500, 1000]);
        assert_eq!(waits(&[Some(2_000)], 0.5), [3000]);
    }

    #[test]
    fn the_servers_word_is_the_least_wait() {
        assert_eq!(waits(&[Some(2_000), None, None], 0.0), [2000, 4000, 8000]);
        assert_eq!(waits(&[None, None, None, Some(100)], 0.0), [250, 500, 1000, 2000]);
        assert_eq!(waits(&[Some(300_000), None], 0.0), [300_000, 60_000]);
        assert_eq!(waits(&[Some(u64::MAX)], 0.0), [3_600_000]);
        assert_eq!(waits(&[Some(0), None], 0.0), [1, 2]);
    }

    #[test]
    fn success_starts_anew() {
        let mut backoff = Backoff::default();
        backoff.next(None, 0.0);
        backoff.reset();
        assert_eq!(backoff.next(None, 0.0), START);
    }
}
