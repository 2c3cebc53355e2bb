//! A connection that speaks HTTP: handed to the web, and taken back as a session if it becomes a
//! WebSocket.
//!
//! The web stands above the session, so the session knows it by two traits only. While a visit
//! lasts the visit holds the stream, and the session lends it its task, its deadlines and its budget.

use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::connection::{Answer, Aside, Connection, Phase};
use super::reader::Reader;
use super::worker::Plain;
use crate::fanout::link::Framing;
use crate::protocol::event::LeaveReason;
use crate::protocol::status::Refusal;
use crate::transport::Stream;

/// What serves those who speak HTTP.
pub trait Web {
    /// Takes over a connection.
    fn receive(&self, visitor: Visitor) -> Box<dyn Visit>;
}

/// Somebody who speaks HTTP.
pub struct Visitor {
    /// The connection.
    pub stream: Stream,
    /// What was read of it already.
    pub read: Bytes,
    /// Where from.
    pub peer: SocketAddr,
    /// Whether it may be served without TLS.
    pub plain: bool,
    /// Why it is only to be told that it is not admitted.
    pub denied: Option<Refusal>,
}

/// A connection in the hands of the web.
pub trait Visit {
    /// Goes on with whatever can go on; ready once, when it is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Departure>;
    /// What came and went since it was asked last.
    fn traffic(&mut self) -> Traffic;
    /// Ends it after the answer that is under way.
    fn close(&mut self);
}

/// How a visit ended.
pub enum Departure {
    /// It is a WebSocket from here on.
    Upgraded {
        /// The connection.
        stream: Stream,
        /// What was read behind the request.
        read: Bytes,
    },
    /// It is done; these are its last bytes.
    Done {
        /// The connection.
        stream: Stream,
        /// To be written before it closes.
        rest: Bytes,
    },
    /// The peer is gone.
    Lost,
}

/// What one step of a visit took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests that were read whole.
    pub requests: u64,
    /// Bytes that were read.
    pub read: u64,
    /// Bytes that were written.
    pub written: u64,
}

/// Whether these first bytes are, or may become, a request of HTTP.
pub(super) fn is_http(first: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] = [
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"DELETE ",
        b"OPTIONS ",
        b"PATCH ",
        b"CONNECT ",
        b"TRACE ",
    ];
    METHODS.iter().any(|method| method.iter().zip(first).all(|(one, other)| one == other))
}

impl Connection {
    /// Hands the connection to the web; false if there is none.
    pub(super) fn begin_visit(&mut self, read: &[u8]) -> bool {
        let Some(web) = self.worker.web.as_ref().map(Rc::clone) else { return false };
        let stream = self.link.with_stream(|stream| std::mem::replace(stream, Stream::Closed));
        let loopback = self.link.peer().ip().to_canonical().is_loopback();
        let visitor = Visitor {
            stream,
            read: Bytes::copy_from_slice(read),
            peer: self.link.peer(),
            plain: loopback && self.worker.settings().plain == Plain::Loopback,
            denied: self.take_denied(),
        };
        // A `bye` would be noise to it.
        self.link.spoke.set(false);
        self.worker.shard.reframe(&self.link, Framing::Http);
        let now = self.worker.shard.now();
        self.link.heard.set(now);
        self.worker.shard.arm(&self.link, now.after(self.worker.settings().timeouts.visit));
        self.aside = Some(Box::new(Aside::Visit(web.receive(visitor))));
        self.phase = Phase::Visit;
        true
    }

    /// Lets the web go on.
    pub(super) fn poll_visit(&mut self, answer: Answer<'_>, cx: &mut Context<'_>) -> Poll<()> {
        if self.link.is_cut() {
            self.aside = None;
            self.phase = Phase::Lingering;
            return Poll::Ready(());
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let Some(Aside::Visit(visit)) = self.aside.as_deref_mut() else {
            self.phase = Phase::Farewell;
            return Poll::Ready(());
        };
        if self.link.closing().is_some() {
            visit.close();
        }
        let polled = visit.poll(cx);
        let traffic = visit.traffic();
        self.account_for(traffic);
        let Poll::Ready(departure) = polled else {
            // With a pause, come again: its timer must know whom to wake.
            return if self.pause.is_some() { Poll::Ready(()) } else { Poll::Pending };
        };
        self.aside = None;
        self.end_visit(departure, answer);
        Poll::Ready(())
    }

    fn account_for(&mut self, Traffic { requests, read, written }: Traffic) {
        if requests + read + written == 0 {
            return;
        }
        let now = self.worker.shard.now();
        self.link.heard.set(now);
        self.worker.shard.tally().visits.add(requests);
        self.worker.shard.tally().bytes_in.add(read);
        self.worker.shard.tally().bytes_out.add(written);
        self.pay(requests, read);
    }

    fn end_visit(&mut self, departure: Departure, answer: Answer<'_>) {
        let shard = Rc::clone(&self.worker.shard);
        match departure {
            Departure::Upgraded { stream, read } => {
                self.link.with_stream(|closed| *closed = stream);
                shard.reframe(&self.link, Framing::WebSocket);
                self.link.spoke.set(true);
                self.reader = Reader::of_websocket();
                self.phase = Phase::Open;
                let now = shard.now();
                self.link.since.set(now);
                shard.arm(&self.link, now.after(self.worker.settings().timeouts.login));
                if self.link.closing().is_none() && !read.is_empty() {
                    // Whether the phase changed is seen by the caller's loop.
                    let _changed: bool = self.take(&read, answer);
                }
            }
            Departure::Done { stream, rest } => {
                self.link.with_stream(|closed| *closed = stream);
                self.phase = Phase::Farewell;
                if !rest.is_empty() {
                    shard.send(&self.link, rest);
                }
                shard.finish(&self.link, LeaveReason::Removed);
            }
            Departure::Lost => {
                self.phase = Phase::Farewell;
                shard.lose(&self.link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_or_its_beginning_is_http() {
        for http in [&b"GET / HTTP/1.1\r\n"[..], b"HEAD ", b"G", b"OPTIO", b"TRACE /"] {
            assert!(is_http(http), "{http:?}");
        }
        for other in [&b"SSH-2.0"[..], b"NICK ann", b"GETS x", b"get / ", b"\x16\x03", b"\x00"] {
            assert!(!is_http(other), "{other:?}");
        }
    }
}
