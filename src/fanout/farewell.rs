//! How a link ends: with a goodbye where the peer can read one, and never waiting for long.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::link::{Framing, Link};
use super::outbox::Outbox;
use super::shard::Shard;
use crate::base::clock::millis_up;
use crate::base::tally;
use crate::protocol::codec;
use crate::protocol::event::{Bye, Event, LeaveReason};
use crate::protocol::status::{Code, Refusal};
use crate::protocol::websocket;

/// How long a closing link has for its last bytes, and the peer for its own end.
pub const FAREWELL: Duration = Duration::from_secs(2);

impl Shard {
    /// Says goodbye and closes: what waits is still written, nothing new is taken.
    pub fn close(&self, link: &Rc<Link>, reason: LeaveReason, bye: &Refusal, resume: bool) {
        if link.closing().is_some() {
            return;
        }
        tally::add(&self.tally().byes, bye.code.place(), 1);
        if let Some(limit) = bye.limit {
            self.met(link, limit.name);
        }
        if link.close_code.get() == 0 {
            link.close_code.set(websocket::close_code(bye.code));
        }
        let frames = bye_frame(bye, resume);
        self.put(link, frames, self.now());
        self.finish(link, reason);
    }

    /// Closes once what waits is written; a WebSocket with the frame that says so.
    pub fn finish(&self, link: &Rc<Link>, reason: LeaveReason) {
        if link.closing().is_none() {
            let now = self.now();
            if link.framing() == Framing::WebSocket {
                let code = link.close_code.get();
                let code = if code == 0 { websocket::CLOSE_NORMAL } else { code };
                self.push(link, websocket::close(code), now);
            }
            link.set_closing(reason, now);
            self.detach_all(link);
            self.arm(link, now.after(FAREWELL));
            link.wake();
        }
    }

    /// Writes what it can of what waits, now: for a session that cannot wait for its turn.
    pub fn flush_now(&self, link: &Rc<Link>) {
        link.dirty.set(false);
        self.flush_link(link);
    }

    /// Notes that the peer is gone.
    pub fn lose(&self, link: &Rc<Link>) {
        self.finish(link, LeaveReason::Lost);
        self.settle(&mut link.outbox.borrow_mut(), |outbox| outbox.written(usize::MAX));
        link.wake();
    }

    /// Closes a link whose reader is too slow: what can be dropped is dropped, all of it is in the
    /// rooms' history.
    pub fn close_slow(&self, link: &Rc<Link>) {
        let waiting = link.waiting() as u64;
        let age = millis_up(link.waiting_since(self.now()));
        let refusal = if waiting > self.policy().outbox_bytes as u64 {
            Refusal::from(Code::SlowConsumer).limit(
                "outbox_bytes",
                waiting,
                self.policy().outbox_bytes as u64,
            )
        } else {
            Refusal::from(Code::SlowConsumer).limit(
                "outbox_ms",
                age,
                millis_up(self.policy().outbox_age),
            )
        };
        self.tally().slow_consumers.add(1);
        log::info!(session:% = link.id(), bytes = waiting, age_ms = age; "a slow consumer is closed");
        self.close_behind(link, &refusal);
    }

    /// Closes a link without what can be dropped of that which waits for it.
    pub fn close_behind(&self, link: &Rc<Link>, bye: &Refusal) {
        self.settle(&mut link.outbox.borrow_mut(), Outbox::abandon);
        self.close(link, LeaveReason::Removed, bye, true);
    }
}

/// One frame with the event `bye`.
#[must_use]
pub fn bye_frame(refusal: &Refusal, resume: bool) -> Bytes {
    let body = refusal.body();
    let bye = Bye {
        code: body.code,
        name: body.name,
        text: body.text,
        retry_after_ms: body.retry_after_ms,
        resume,
        limit: body.limit,
        used: body.used,
        allowed: body.allowed,
    };
    codec::event_frame(&Event::Bye(bye))
}
