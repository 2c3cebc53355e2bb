//! What a worker counts: written by its own thread only, read by whoever asks.
//!
//! A count is a load and a store, both relaxed: no lock, no locked instruction, and no cache line
//! that two threads write. Whoever wants a sum over the workers adds up when asked.

use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Histogram;
use super::limits::NAMES;

/// A number that one thread changes and any thread may read.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds, on the owner's thread.
    pub fn add(&self, more: u64) {
        self.0.store(self.get().wrapping_add(more), Ordering::Relaxed);
    }

    /// Takes off, on the owner's thread.
    pub fn sub(&self, less: u64) {
        self.0.store(self.get().saturating_sub(less), Ordering::Relaxed);
    }

    /// Sets it, on the owner's thread.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// What it is now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Places for status codes: more than there are.
pub const CODES: usize = 64;
/// Kinds of connections: frames, HTTP, WebSocket.
pub const KINDS: usize = 3;
/// Classes of requests.
pub const CLASSES: usize = 3;

/// Kinds of what is held for clients, each at its place.
pub const HELD: usize = 4;
/// Read, and not taken yet.
pub const READING: usize = 0;
/// Requests that are not answered.
pub const REQUESTS: usize = 1;
/// Waiting to be written.
pub const OUTBOXES: usize = 2;
/// Connections by themselves.
pub const CONNECTIONS: usize = 3;
/// Their names.
pub const HELD_NAMES: [&str; HELD] = ["reading", "requests", "outboxes", "connections"];

/// The counts of one worker.
#[derive(Debug)]
pub struct Tally {
    /// Connections that are open, by kind.
    pub connections: [Count; KINDS],
    /// Those that hold a name.
    pub named: Count,
    /// Requests that wait for their turn, by class.
    pub queued: [Count; CLASSES],
    /// How long requests waited for their turn, by class.
    pub waits: [Histogram; CLASSES],
    /// Bytes that are held for clients, by kind.
    pub held: [Count; HELD],
    /// Requests that were refused while they waited, since too much was held.
    pub shed_requests: Count,
    /// Sessions that were closed since too much was held.
    pub shed_sessions: Count,
    /// Times that a session was not read because it, or its address, was over budget.
    pub pauses: Count,
    /// Requests refused and sessions ended because of a limit, by its place in `limits::NAMES`.
    pub limits: [Count; NAMES.len()],
    /// Requests that were read.
    pub requests: Count,
    /// Requests of HTTP that were read.
    pub visits: Count,
    /// Messages that rooms of this worker took.
    pub messages: Count,
    /// Frames of rooms put into outboxes, each once for every receiver.
    pub deliveries: Count,
    /// Bytes that came, without TLS.
    pub bytes_in: Count,
    /// Bytes that went, without TLS.
    pub bytes_out: Count,
    /// Sessions that were closed because they read too slowly.
    pub slow_consumers: Count,
    /// Requests that were refused, by the place of the code in its list.
    pub refusals: [Count; CODES],
    /// Sessions that the server ended with a `bye`, likewise.
    pub byes: [Count; CODES],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            connections: Default::default(),
            named: Count::default(),
            queued: Default::default(),
            waits: Default::default(),
            held: Default::default(),
            shed_requests: Count::default(),
            shed_sessions: Count::default(),
            pauses: Count::default(),
            limits: std::array::from_fn(|_| Count::default()),
            requests: Count::default(),
            visits: Count::default(),
            messages: Count::default(),
            deliveries: Count::default(),
            bytes_in: Count::default(),
            bytes_out: Count::default(),
            slow_consumers: Count::default(),
            refusals: std::array::from_fn(|_| Count::default()),
            byes: std::array::from_fn(|_| Count::default()),
        }
    }
}

/// Counts a limit that was met; one without a place is left out.
pub fn met(counts: &[Count], limit: &str) {
    if let Some(place) = NAMES.iter().position(|name| *name == limit) {
        add(counts, place, 1);
    }
}

/// Adds to the count at `place`; a place that there is not is left out.
pub fn add(counts: &[Count], place: usize, more: u64) {
    if let Some(count) = counts.get(place) {
        count.add(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_up_and_down_and_never_below_nothing() {
        let tally = Tally::default();
        tally.named.add(2);
        tally.named.sub(1);
        assert_eq!(tally.named.get(), 1);
        tally.named.sub(5);
        assert_eq!(tally.named.get(), 0);
        add(&tally.refusals, CODES, 1);
        add(&tally.refusals, 0, 3);
        assert_eq!(tally.refusals.iter().map(Count::get).sum::<u64>(), 3);
    }
}
