//! Writing what waits in outboxes: to each socket once in a turn, to so many sockets, and in two
//! lines, so that nobody waits behind all of a large room.

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::Waker;

use super::link::Link;
use super::shard::{Crowd, Shard};
use crate::base::limits::{FLUSH_SLICES, FLUSH_SOCKETS};
use crate::transport::{RECORD_BYTES, Stream};

impl Shard {
    /// Notes that a link has something to write.
    pub(super) fn mark(&self, link: &Link, crowd: Crowd) {
        if link.blocked.get() || link.dirty.replace(true) {
            return;
        }
        let mut lines = self.lines.borrow_mut();
        let first = lines.is_empty();
        match crowd {
            Crowd::Few => lines.few.push_back(link.id().slot),
            Crowd::Many => lines.many.push_back(link.id().slot),
        }
        // Behind others the Fanout comes by without being woken again.
        if first && let Some(flusher) = self.flusher.borrow().as_ref() {
            flusher.wake_by_ref();
        }
    }

    /// Goes on with a link whose socket takes bytes again.
    pub fn resume(&self, link: &Link) {
        if !link.outbox.borrow().is_empty() {
            self.mark(link, Crowd::Few);
        }
    }

    /// Notes the Fanout's task, to be woken when there is something to flush.
    pub fn watch(&self, waker: &Waker) {
        let mut flusher = self.flusher.borrow_mut();
        match flusher.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *flusher = Some(waker.clone()),
        }
    }

    /// Writes to the sockets in line, each once, up to a bounded number; true if some are left.
    pub fn flush(&self) -> bool {
        let (few, many) = {
            let lines = self.lines.borrow();
            let few = lines.few.len().min(FLUSH_SOCKETS);
            // A large room goes on in every turn, the more so when nobody else wants to write.
            (few, lines.many.len().min(FLUSH_SOCKETS - few / 2))
        };
        let links = self.links.borrow();
        for turn in 0..few + many {
            let slot = {
                let mut lines = self.lines.borrow_mut();
                if turn < few { lines.few.pop_front() } else { lines.many.pop_front() }
            };
            if let Some(link) = slot.and_then(|slot| links.get(slot as usize)) {
                link.dirty.set(false);
                self.flush_link(link);
            }
        }
        !self.lines.borrow().is_empty()
    }

    pub(super) fn flush_link(&self, link: &Rc<Link>) {
        let mut scratch = self.scratch.borrow_mut();
        while !link.blocked.get() {
            let mut outbox = link.outbox.borrow_mut();
            if outbox.is_empty() {
                break;
            }
            let mut stream = link.stream.borrow_mut();
            let (offered, wrote) = if let Some(one) = outbox.single() {
                (one.len(), stream.try_write(&[IoSlice::new(one)], &mut scratch))
            } else {
                let mut slices = [IoSlice::new(&[]); FLUSH_SLICES];
                let count = outbox.slices(&mut slices);
                let slices = slices.get(..count).unwrap_or_default();
                let offered = slices.iter().map(|slice| slice.len()).sum();
                (offered, stream.try_write(slices, &mut scratch))
            };
            match wrote {
                Ok(count) => {
                    self.settle(&mut outbox, |outbox| outbox.written(count));
                    self.tally().bytes_out.add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if matches!(*stream, Stream::Tls(_)) {
                        outbox.promise(offered.min(RECORD_BYTES));
                    }
                    link.blocked.set(true);
                    drop(outbox);
                    self.arm(link, self.clock.now().after(self.policy().outbox_age));
                }
                Err(error) => {
                    log::debug!(session:% = link.id(), error:% = error; "writing failed");
                    drop((outbox, stream));
                    self.lose(link);
                    return;
                }
            }
        }
        // The Session waits for the socket to take more, or for the last byte of a farewell.
        if link.blocked.get() || link.closing().is_some() {
            link.wake();
        }
    }
}
