//! When to ask for a certificate, and when to ask again after a failure.

use std::time::Duration;

/// The part of its life that a certificate has left when the next one is asked for.
const LEFT: i64 = 3;
/// The part of its life by which that moment differs from server to server: they do not all come on
/// the same night.
const JITTER: f64 = 1.0 / 30.0;
/// How long after a first failure the next attempt comes. Let's Encrypt allows five failed
/// proofs of a name in an hour.
const FIRST_RETRY: Duration = Duration::from_secs(10 * 60);
/// How long after the last of many failures.
const LAST_RETRY: Duration = Duration::from_secs(12 * 3600);

/// When to renew a certificate, in seconds since 1970; `dice` is thrown between 0 and 1.
pub(super) fn renewal((begins, expires): (i64, i64), dice: f64) -> i64 {
    let life = (expires - begins).max(0);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "years fit")]
    let earlier = (life as f64 * JITTER * dice) as i64;
    expires - life / LEFT - earlier
}

/// How long to wait after so many failures in a row, at least one.
pub(super) fn retry(failures: u32, dice: f64) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LAST_RETRY).mul_f64(1.0 + dice / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    #[test]
    fn a_third_before_the_end_it_is_time_and_not_for_all_at_once() {
        assert_eq!(renewal((0, 90 * DAY), 0.0), 60 * DAY);
        assert_eq!(renewal((0, 90 * DAY), 1.0), 57 * DAY);
        assert_eq!(renewal((0, 6 * DAY), 0.0), 4 * DAY);
        assert_eq!(renewal((DAY, 0), 0.5), 0, "one that never was valid");
    }

    #[test]
    fn failures_are_fewer_than_an_authority_allows_and_never_the_last_attempt() {
        let first_hour: Duration = (1..=3).map(|failures| retry(failures, 0.0)).sum();
        assert!(first_hour >= Duration::from_secs(3600), "four attempts in {first_hour:?}");
        assert!(retry(2, 0.0) > retry(1, 1.0));
        assert_eq!(retry(1_000, 0.0), LAST_RETRY);
    }
}
