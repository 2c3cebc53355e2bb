//! What the links of a worker hold, counted by the byte: what was read and not taken, requests that
//! are not answered, what waits to be written, and the connections themselves.
//!
//! **Invariants:** whatever is counted for a link is taken off again when the link is removed. Bytes
//! that many outboxes share are counted once for each worker, until the last of them is written.

use std::sync::Arc;

use bytes::Bytes;

use super::link::Link;
use super::outbox::Outbox;
use super::shard::Shard;
use crate::base::tally::{self, CONNECTIONS, OUTBOXES, READING, REQUESTS, Tally};

/// What a connection takes by itself, in bytes, as measured with thousands of them.
const LINK_BYTES: u32 = 2_048;
/// What TLS takes besides, likewise.
const TLS_BYTES: u32 = 4 * 1_024;
/// What a request takes besides its own bytes, while it waits for its turn.
const REQUEST_BYTES: u32 = 256;

/// Bytes that are counted until the last of their users is gone.
struct Counted {
    bytes: Bytes,
    tally: Arc<Tally>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        change(&self.tally, OUTBOXES, self.bytes.len() as u64, 0);
    }
}

/// The same bytes, counted while anybody has them; all who do are on the tally's own thread.
pub(super) fn counted(tally: &Arc<Tally>, bytes: Bytes) -> Bytes {
    tally::add(&tally.held, OUTBOXES, bytes.len() as u64);
    Bytes::from_owner(Counted { bytes, tally: Arc::clone(tally) })
}

fn change(tally: &Tally, kind: usize, before: u64, after: u64) {
    if let Some(count) = tally.held.get(kind) {
        count.add(after.saturating_sub(before));
        count.sub(before.saturating_sub(after));
    }
}

impl Shard {
    /// Counts a connection that was taken in.
    pub(super) fn hold(&self, link: &Link) {
        self.hold_at(link, LINK_BYTES);
    }

    /// Counts what its protection takes.
    pub fn protect(&self, link: &Link) {
        self.hold_at(link, LINK_BYTES + TLS_BYTES);
    }

    fn hold_at(&self, link: &Link, bytes: u32) {
        let before = link.base.replace(bytes);
        change(self.tally(), CONNECTIONS, before.into(), bytes.into());
    }

    /// Counts what was read of a link and not taken.
    pub fn keep(&self, link: &Link, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if link.kept.get() != bytes {
            let before = link.kept.replace(bytes);
            change(self.tally(), READING, before.into(), bytes.into());
        }
    }

    /// Takes credit for a request of so many bytes.
    pub fn take_credit(&self, link: &Link, bytes: usize) {
        let bytes = REQUEST_BYTES.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        let before = link.asked_bytes.get();
        link.asked_bytes.set(before.saturating_add(bytes));
        change(self.tally(), REQUESTS, before.into(), link.asked_bytes.get().into());
        link.take_credit();
    }

    /// Gives it back with the answer. Which of the requests it was is not kept: each is taken for an
    /// equal part, so the last one takes the rest.
    pub(super) fn give_credit(&self, link: &Link) {
        let before = link.asked_bytes.get();
        let after = before - before / link.inflight().max(1);
        link.asked_bytes.set(after);
        change(self.tally(), REQUESTS, before.into(), after.into());
        link.give_credit();
    }

    /// Changes an outbox, and counts what is its own.
    pub(super) fn settle<T>(&self, outbox: &mut Outbox, work: impl FnOnce(&mut Outbox) -> T) -> T {
        let before = outbox.own();
        let result = work(outbox);
        change(self.tally(), OUTBOXES, before as u64, outbox.own() as u64);
        result
    }

    /// Takes everything off that is counted for a link.
    pub(super) fn let_go(&self, link: &Link) {
        self.hold_at(link, 0);
        self.keep(link, 0);
        change(self.tally(), REQUESTS, link.asked_bytes.replace(0).into(), 0);
        self.settle(&mut link.outbox.borrow_mut(), |outbox| outbox.written(usize::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_bytes_are_counted_once_until_the_last_user_is_gone() {
        let tally = Arc::new(Tally::default());
        let count = || tally.held[OUTBOXES].get();
        let shared = counted(&tally, Bytes::from_static(b"0123456789"));
        assert_eq!((count(), &*shared), (10, &b"0123456789"[..]));
        let others: Vec<Bytes> = (0..100).map(|_| shared.clone()).collect();
        drop(shared);
        let tail = others[0].slice(9..);
        drop(others);
        assert_eq!(count(), 10);
        drop(tail);
        assert_eq!(count(), 0);
    }
}
