//! The bytes that wait for one socket.
//!
//! **Invariants:** holds whole frames, in order, but for the front, of which a part may be written;
//! never more bytes than its bound and one push. Slices are shared: a message to a thousand members
//! is in memory once.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::base::clock::Moment;

/// Bytes waiting, with the moment at which each came.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The first slice stands apart: most outboxes never hold more than one, and then need no table.
    front: Option<Slice>,
    more: Option<Box<Queue>>,
    bytes: usize,
    /// Those of them that no other outbox has.
    own: usize,
    /// Whether a part of the front slice is written.
    broken: bool,
}

/// The slices behind the front.
#[derive(Debug, Default)]
struct Queue(VecDeque<Slice>);

/// Whole frames (but for the front), and when they came.
#[derive(Debug)]
struct Slice {
    frames: Bytes,
    since: Moment,
    own: bool,
}

impl Outbox {
    /// Adds whole frames that are for this outbox alone.
    pub fn push(&mut self, frames: Bytes, now: Moment) {
        self.own += frames.len();
        self.add(Slice { frames, since: now, own: true });
    }

    /// Adds whole frames that others have too.
    pub fn push_shared(&mut self, frames: Bytes, now: Moment) {
        self.add(Slice { frames, since: now, own: false });
    }

    fn add(&mut self, slice: Slice) {
        self.bytes += slice.frames.len();
        if self.front.is_none() {
            self.front = Some(slice);
        } else {
            self.more.get_or_insert_default().0.push_back(slice);
        }
    }

    /// Bytes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Those of them that no other outbox has.
    #[must_use]
    pub fn own(&self) -> usize {
        self.own
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// How long the oldest byte has waited.
    #[must_use]
    pub fn age(&self, now: Moment) -> Duration {
        self.front.as_ref().map_or(Duration::ZERO, |front| now.since(front.since))
    }

    /// Fills `slices` with what waits, from the front; returns how many it filled.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(self.waiting()).map(|(slot, slice)| {
            *slot = IoSlice::new(&slice.frames);
        });
        filled.count()
    }

    /// The bytes that wait, if they are one slice.
    #[must_use]
    pub fn single(&self) -> Option<&[u8]> {
        let alone = self.more.as_ref().is_none_or(|more| more.0.is_empty());
        self.front.as_ref().filter(|_| alone).map(|front| &*front.frames)
    }

    fn waiting(&self) -> impl Iterator<Item = &Slice> {
        self.front.iter().chain(self.more.iter().flat_map(|more| &more.0))
    }

    /// Takes off what was written.
    pub fn written(&mut self, mut count: usize) {
        self.bytes = self.bytes.saturating_sub(count);
        while let Some(front) = &mut self.front {
            let done = count.min(front.frames.len());
            self.own -= if front.own { done } else { 0 };
            if count < front.frames.len() {
                front.frames.advance(count);
                self.broken = count > 0 || self.broken;
                return;
            }
            count -= front.frames.len();
            self.broken = false;
            self.front = self.more.as_mut().and_then(|more| more.0.pop_front());
        }
        // Thousands of idle sessions must not each keep the table of their busiest moment.
        self.more = None;
    }

    /// Drops what can be dropped without breaking a frame.
    pub fn abandon(&mut self) {
        self.more = None;
        self.front.take_if(|_| !self.broken);
        let bytes = |slice: &Slice| slice.frames.len();
        self.bytes = self.front.as_ref().map_or(0, bytes);
        self.own = self.front.as_ref().filter(|front| front.own).map_or(0, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(outbox: &Outbox) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let count = outbox.slices(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn age_is_that_of_the_oldest_byte() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.age(Moment(9)), Duration::ZERO);
        outbox.push(Bytes::from_static(b"old"), Moment(1));
        outbox.push(Bytes::from_static(b"new"), Moment(5));
        assert_eq!(outbox.age(Moment(9)), Duration::from_nanos(8));
        outbox.written(2);
        assert_eq!(outbox.age(Moment(9)), Duration::from_nanos(8));
        outbox.written(1);
        assert_eq!(outbox.age(Moment(9)), Duration::from_nanos(4));
    }

    #[test]
    fn abandoning_keeps_a_broken_front_only() {
        let filled = || {
            let mut outbox = Outbox::default();
            for frame in [b"aaa", b"bbb", b"ccc"] {
                outbox.push(Bytes::from_static(frame), Moment(0));
            }
            outbox
        };
        let mut whole = filled();
        whole.abandon();
        assert_eq!(content(&whole), b"");
        let mut broken = filled();
        broken.written(1);
        broken.abandon();
        assert_eq!((content(&broken), broken.len(), broken.own()), (b"aa".to_vec(), 2, 2));
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..9), 0..30),
            step in 1_usize..20,
        ) {
            let mut outbox = Outbox::default();
            for (number, frame) in frames.iter().enumerate() {
                let frame = Bytes::copy_from_slice(frame);
                if number % 3 == 0 {
                    outbox.push_shared(frame, Moment(0));
                } else {
                    outbox.push(frame, Moment(0));
                }
            }
            let mut out = Vec::new();
            while !outbox.is_empty() {
                let chunk = content(&outbox);
                let count = step.min(chunk.len());
                out.extend_from_slice(&chunk[..count]);
                outbox.written(count);
                let own: usize = outbox.waiting().filter(|s| s.own).map(|s| s.frames.len()).sum();
                prop_assert_eq!(outbox.own(), own);
            }
            prop_assert_eq!(out, frames.concat());
            prop_assert_eq!(outbox.len(), 0);
        }
    }
}
