//! How a connection begins: its first bytes, which tell TLS from plain, and the handshake.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::connection::{Answer, Connection, Phase};
use super::visit::is_http;
use super::worker::Plain;
use crate::protocol::ALPN_HTTP;
use crate::protocol::event::LeaveReason;
use crate::protocol::status::Code;
use crate::transport::{Stream, challenge};

/// The first byte of a TLS connection: a record with a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

impl Connection {
    /// Reads for the first time, and goes by the first byte: a silent peer costs no TLS state.
    pub(super) fn poll_first(&mut self, answer: Answer<'_>, cx: &mut Context<'_>) -> Poll<()> {
        let worker = Rc::clone(&self.worker);
        let mut buffer = worker.buffer.borrow_mut();
        let bytes = match self.link.try_read(&mut buffer) {
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return self.link.poll_readable(cx);
            }
            Err(_) => &[],
        };
        match bytes.first() {
            None => self.worker.shard.lose(&self.link),
            Some(&TLS_HANDSHAKE) => self.begin_tls(bytes),
            Some(&first) => {
                self.phase = Phase::Fresh;
                let plain = self.worker.settings().plain == Plain::Loopback;
                if first == 0 && !(plain && self.link.peer().ip().to_canonical().is_loopback()) {
                    self.end(LeaveReason::Removed, &Code::TlsRequired.into());
                } else if !is_http(&[first]) {
                    self.deny();
                }
                if self.link.closing().is_none() {
                    self.take_read(bytes, answer);
                }
            }
        }
        Poll::Ready(())
    }

    fn begin_tls(&mut self, greeting: &[u8]) {
        let identity = self.worker.identity.read().clone();
        self.phase = Phase::Handshake;
        self.worker.shard.protect(&self.link);
        let begun =
            self.link.with_stream(|stream| match std::mem::replace(stream, Stream::Closed) {
                Stream::Plain(socket) => identity.begin(socket, greeting).map(|tls| *stream = tls),
                Stream::Tls(_) | Stream::Closed => Ok(()),
            });
        self.count_kept();
        if let Err(error) = begun {
            self.handshake_failed(&error);
        }
    }

    fn handshake_failed(&self, error: &io::Error) {
        log::debug!(peer:% = self.link.peer(), error:% = error; "the TLS handshake failed");
        self.worker.shard.lose(&self.link);
    }

    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.link.with_stream(|stream| stream.poll_handshake(cx));
        self.count_kept();
        match ready!(polled) {
            Ok(())
                if self.link.with_stream(|stream| stream.negotiated() == Some(challenge::ALPN)) =>
            {
                // A certificate authority has seen what it wanted to see.
                self.worker.shard.finish(&self.link, LeaveReason::Lost);
            }
            Ok(()) => {
                self.phase = Phase::Fresh;
                let http = self
                    .link
                    .with_stream(|stream| stream.negotiated() == Some(ALPN_HTTP.as_bytes()));
                if !(http && self.begin_visit(&[])) {
                    self.link.spoke.set(true);
                    self.deny();
                }
            }
            Err(error) => self.handshake_failed(&error),
        }
        Poll::Ready(())
    }
}
