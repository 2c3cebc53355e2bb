//! Writing what waits in outboxes: to each socket once in a turn, to so many sockets, and in three
//! lines, so that nobody waits behind all of a large room, or behind those who come last.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::Waker;

use super::link::Link;
use super::shard::{Crowd, Lines, Shard};
use crate::base::clock::Moment;
use crate::base::limits::{FLUSH_BYTES, FLUSH_LAST_BYTES, FLUSH_SLICES, LANE_SESSIONS};

impl Shard {
    /// Notes that a link has something to write.
    pub(super) fn mark(&self, link: &Link, crowd: Crowd, now: Moment) {
        if link.blocked.get() || link.dirty.replace(true) {
            return;
        }
        let mut lines = self.lines.borrow_mut();
        let first = lines.is_empty();
        match crowd {
            _ if link.comes_last(now) => lines.last.push_back(link.id().slot),
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
        if !link.outbox.borrow().is_empty() || link.stream.borrow().is_pending() {
            self.mark(link, Crowd::Few, self.now());
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

    /// Whether anything waits to be written.
    #[must_use]
    pub fn has_dirty(&self) -> bool {
        !self.lines.borrow().is_empty()
    }

    /// Writes to the sockets in line, each once, to about so many in all; tells for how many that counts.
    /// To those who come last only with `all`.
    pub fn flush(&self, sockets: usize, all: bool) -> usize {
        if sockets == 0 {
            return 0;
        }
        let (few, many, last) = {
            let lines = self.lines.borrow();
            let few = lines.few.len().min(sockets);
            // A large room goes on in every turn, the more so when nobody else wants to write.
            let many = lines.many.len().min(sockets - few / 2);
            (few, many, if all { lines.last.len() } else { 0 })
        };
        for _ in 0..few {
            self.flush_next(|lines| &mut lines.few);
        }
        let mut done = few;
        for _ in 0..many {
            done += 1 + self.flush_next(|lines| &mut lines.many) / FLUSH_BYTES;
            if done >= few + many {
                break;
            }
        }
        // So do those who come last; but half of a turn stays for who says something in it.
        for number in 0..last {
            if done >= sockets / 2 && number >= LANE_SESSIONS / 2 {
                break;
            }
            done += 1 + self.flush_next(|lines| &mut lines.last) / FLUSH_LAST_BYTES;
        }
        done
    }

    /// Writes to the next socket of a line; tells how many bytes waited for it.
    fn flush_next(&self, line: impl Fn(&mut Lines) -> &mut VecDeque<u32>) -> usize {
        let slot = line(&mut self.lines.borrow_mut()).pop_front();
        let links = self.links.borrow();
        let Some(link) = slot.and_then(|slot| links.get(slot as usize)) else { return 0 };
        let waiting = link.waiting();
        link.dirty.set(false);
        self.flush_link(link);
        waiting
    }

    pub(super) fn flush_link(&self, link: &Rc<Link>) {
        let mut scratch = self.scratch.borrow_mut();
        while !link.blocked.get() {
            let (mut outbox, mut stream) = (link.outbox.borrow_mut(), link.stream.borrow_mut());
            if outbox.is_empty() && !stream.is_pending() {
                break;
            }
            let wrote = if let Some(one) = outbox.single() {
                stream.try_write(&[IoSlice::new(one)], &mut scratch)
            } else {
                let mut slices = [IoSlice::new(&[]); FLUSH_SLICES];
                let count = outbox.slices(&mut slices);
                stream.try_write(slices.get(..count).unwrap_or_default(), &mut scratch)
            };
            match wrote {
                Ok(count) => {
                    self.settle(&mut outbox, |outbox| outbox.written(count));
                    self.tally().bytes_out.add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::base::clock::SystemClock;
    use crate::base::id::WorkerId;
    use crate::base::memory::Gauge;
    use crate::fanout::shard::Policy;
    use crate::transport::{Socket, Stream};

    #[tokio::test]
    async fn who_asks_for_too_much_is_written_to_last() {
        let policy = Policy { outbox_bytes: 10_000, outbox_age: Duration::from_secs(1) };
        let clock = Arc::new(SystemClock::default());
        let gauge = Gauge::new(Arc::default(), Arc::default(), Some(0));
        let shard = Shard::new(WorkerId(0), policy, clock, Arc::default(), gauge);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut links, mut peers) = (Vec::new(), Vec::new());
        for number in 0..12 {
            peers.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let (stream, peer) = listener.accept().await.unwrap();
            stream.writable().await.unwrap();
            let link = shard.insert(Stream::Plain(Socket(stream)), peer);
            link.named.set(true);
            // The last two are polite.
            link.strained.set(Moment(if number < 10 { u64::MAX } else { 0 }));
            shard.send(&link, Bytes::from_static(b"1234"));
            links.push(link);
        }
        let waiting = || -> Vec<usize> {
            (0..links.len()).filter(|&number| links[number].waiting() > 0).collect()
        };
        assert_eq!(shard.flush(0, true), 0);
        assert_eq!(waiting().len(), 12);
        assert_eq!(shard.flush(4, false), 2);
        assert_eq!(waiting().len(), 10, "within a turn only the polite ones");
        assert!(shard.has_dirty());
        let polite = &links[11];
        shard.send(polite, Bytes::from_static(b"5678"));
        assert_eq!(shard.flush(2, true), 1 + LANE_SESSIONS / 2);
        let left = 10 - LANE_SESSIONS / 2;
        assert_eq!(waiting().len(), left, "the polite one, and a few of the others");
        assert_eq!(shard.flush(2 * (left - 1), true), left - 1);
        assert_eq!(waiting(), [9]);
        // Who has much to get counts for more.
        let greedy = &links[0];
        shard.send(greedy, Bytes::from(vec![0; 3 * FLUSH_LAST_BYTES]));
        assert!(shard.has_dirty());
        assert_eq!(shard.flush(8, true), 1 + 1 + 3);
        assert!(waiting().is_empty() && !shard.has_dirty());
    }
}
