//! Requests from the moment they are asked until they are answered.
//!
//! **Owns:** the queue of what is to be sent, the table of what is unanswered, and the credit that
//! the server advertised: requests at once, requests and bytes per second.
//! **Invariants:** never more than `inflight` are unanswered; texts leave in the order in which they
//! were said, also when they are sent again.
//! **Bound:** [`WAITING`] requests wait; above it [`accepts`](Requests::accepts) is false and the
//! callers wait.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Error;
use super::budget::Bucket;
use crate::base::clock::Moment;
use crate::protocol::reply::Limits;

/// Requests that are kept, sent or not.
pub(super) const WAITING: usize = 1_024;
/// Requests that the client keeps free for its own: an answer to `ping` must not wait for texts.
const RESERVED: usize = 2;

/// Who waits for the answer, and what it means to the client itself.
#[derive(Debug)]
pub(super) enum Owner<T, P> {
    /// A caller; `survives` is true for what may be sent again after a lost connection.
    Caller { reply: T, purpose: P, survives: bool },
    /// The client itself.
    Own(P),
}

#[derive(Debug)]
struct Pending<T, P> {
    id: u32,
    frame: Bytes,
    owner: Owner<T, P>,
}

/// The table. `T` is whom to answer, `P` what a request means to the client.
#[derive(Debug)]
pub(super) struct Requests<T, P> {
    own: VecDeque<Pending<T, P>>,
    queue: VecDeque<Pending<T, P>>,
    sent: VecDeque<Pending<T, P>>,
    inflight: usize,
    count_rate: Bucket,
    bytes_rate: Bucket,
}

impl<T, P> Default for Requests<T, P> {
    fn default() -> Self {
        Self {
            own: VecDeque::new(),
            queue: VecDeque::new(),
            sent: VecDeque::new(),
            inflight: 1,
            count_rate: Bucket::new(0, 0),
            bytes_rate: Bucket::new(0, 0),
        }
    }
}

impl<T, P> Requests<T, P> {
    /// Takes over what the server advertised.
    pub(super) fn limit(&mut self, limits: &Limits) {
        self.inflight = usize::try_from(limits.inflight).unwrap_or(usize::MAX).clamp(1, WAITING);
        self.count_rate = Bucket::new(limits.requests_per_s, limits.requests_burst);
        self.bytes_rate = Bucket::new(limits.bytes_per_s, limits.bytes_burst);
    }

    /// Whether another caller's request can be kept.
    pub(super) fn accepts(&self) -> bool {
        self.queue.len() + self.sent.len() < WAITING
    }

    /// Queues a request behind those of its kind; the client's own go before the callers'.
    pub(super) fn push(&mut self, id: u32, frame: Bytes, owner: Owner<T, P>) {
        let queue = if matches!(owner, Owner::Own(_)) { &mut self.own } else { &mut self.queue };
        queue.push_back(Pending { id, frame, owner });
    }

    /// The next frame to write, if one may be sent now. Callers' requests wait while not `open`.
    pub(super) fn next_frame(&mut self, now: Moment, open: bool) -> Option<Bytes> {
        if self.next_at(open)? > now {
            return None;
        }
        let pending = self.own.pop_front().or_else(|| self.queue.pop_front())?;
        let frame = pending.frame.clone();
        self.count_rate.spend(now, 1);
        self.bytes_rate.spend(now, bytes(&frame));
        self.sent.push_back(pending);
        Some(frame)
    }

    /// When the next frame may be written; `None` if there is none, or an answer must come first.
    pub(super) fn next_at(&self, open: bool) -> Option<Moment> {
        let (next, credit) = match self.own.front() {
            Some(own) => (own, self.inflight),
            None if open => (self.queue.front()?, self.inflight.saturating_sub(RESERVED).max(1)),
            None => return None,
        };
        (self.sent.len() < credit)
            .then(|| self.count_rate.ready_at(1).max(self.bytes_rate.ready_at(bytes(&next.frame))))
    }

    /// Takes the unanswered request `id` out of the table.
    pub(super) fn answered(&mut self, id: u32) -> Option<Owner<T, P>> {
        let at = self.sent.iter().position(|pending| pending.id == id)?;
        self.sent.remove(at).map(|pending| pending.owner)
    }

    /// The connection was lost. What survives is to be sent again, before all else and in the old
    /// order; the others are handed to `fail`.
    pub(super) fn lost(&mut self, fail: impl FnMut(T)) {
        self.own.clear();
        let unsent = std::mem::take(&mut self.queue);
        self.queue = std::mem::take(&mut self.sent);
        self.queue.extend(unsent);
        self.fail_where(|survives| !survives, fail);
    }

    /// The client ends: nobody is left without an answer.
    pub(super) fn end(&mut self, fail: impl FnMut(T)) {
        self.own.clear();
        self.queue.append(&mut self.sent);
        self.fail_where(|_| true, fail);
    }

    fn fail_where(&mut self, fails: impl Fn(bool) -> bool, mut fail: impl FnMut(T)) {
        for pending in std::mem::take(&mut self.queue) {
            match pending.owner {
                Owner::Own(_) => {}
                Owner::Caller { reply, survives, .. } if fails(survives) => fail(reply),
                Owner::Caller { .. } => self.queue.push_back(pending),
            }
        }
    }
}

fn bytes(frame: &Bytes) -> u64 {
    u64::try_from(frame.len()).unwrap_or(u64::MAX)
}

/// What a caller is answered with.
pub(super) type Outcome = Result<Bytes, Error>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    type Table = Requests<&'static str, ()>;

    fn limits(inflight: u64, requests_per_s: u64, requests_burst: u64) -> Limits {
        let limits = crate::client::state::script::limits();
        Limits { inflight, requests_per_s, requests_burst, ..limits }
    }

    fn table(inflight: u64) -> Table {
        let mut table = Table::default();
        table.limit(&limits(inflight, 0, 0));
        table
    }

    fn push(table: &mut Table, id: u32, name: &'static str, survives: bool) {
        let frame = Bytes::from_static(name.as_bytes());
        table.push(id, frame, Owner::Caller { reply: name, purpose: (), survives });
    }

    fn send(table: &mut Table) -> Vec<String> {
        let frames = std::iter::from_fn(|| table.next_frame(Moment(0), true));
        frames.map(|frame| String::from_utf8_lossy(&frame).into_owned()).collect()
    }

    #[test]
    fn no_more_are_sent_than_the_server_takes() {
        let mut table = table(5);
        for id in 0..8 {
            push(&mut table, id, "say", true);
        }
        assert_eq!(send(&mut table).len(), 3, "two stay free for the client's own");
        table.push(90, Bytes::from_static(b"ping"), Owner::Own(()));
        assert_eq!(send(&mut table), ["ping"]);
        assert!(table.answered(1).is_some());
        assert!(send(&mut table).is_empty());
        assert!(table.answered(90).is_some());
        assert_eq!(send(&mut table), ["say"]);
        assert!(table.answered(77).is_none());
    }

    #[test]
    fn the_advertised_rate_is_kept() {
        let mut table = Table::default();
        table.limit(&limits(100, 10, 2));
        for id in 0..5 {
            push(&mut table, id, "say", true);
        }
        assert_eq!(send(&mut table).len(), 2);
        let next = table.next_at(true).expect("a time");
        assert_eq!(next, Moment(0).after(Duration::from_millis(100)));
        assert!(table.next_frame(next, true).is_some());
    }

    #[test]
    fn what_survives_is_sent_again_in_order_and_the_rest_fails() {
        let mut table = table(5);
        push(&mut table, 1, "a", true);
        push(&mut table, 2, "join", false);
        push(&mut table, 3, "b", true);
        push(&mut table, 4, "c", true);
        push(&mut table, 5, "rooms", false);
        push(&mut table, 6, "d", true);
        assert_eq!(send(&mut table), ["a", "join", "b"]);
        table.answered(3);
        let mut failed = Vec::new();
        table.lost(|name| failed.push(name));
        assert_eq!(failed, ["join", "rooms"]);
        assert_eq!(send(&mut table), ["a", "c", "d"]);
    }

    #[test]
    fn the_end_answers_everybody() {
        let mut table = table(3);
        push(&mut table, 1, "a", true);
        push(&mut table, 2, "b", true);
        send(&mut table);
        let mut failed = Vec::new();
        table.end(|name| failed.push(name));
        failed.sort_unstable();
        assert_eq!(failed, ["a", "b"]);
    }

    #[test]
    fn callers_wait_until_the_rooms_are_entered() {
        let mut table = table(5);
        push(&mut table, 1, "say", true);
        assert!(table.next_frame(Moment(0), false).is_none());
        table.push(2, Bytes::from_static(b"join"), Owner::Own(()));
        assert!(table.next_frame(Moment(0), false).is_some());
    }
}
