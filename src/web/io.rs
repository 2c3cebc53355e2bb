//! A connection as hyper wants it, with a meter on it.
//!
//! hyper answers a request that does not parse by itself, without the headers that all of our
//! responses carry. Such an answer is held back here, and told by [`Meter::refused`]; the
//! conversation then writes one of its own.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::headers;
use crate::transport::Stream;

/// What went through a connection.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) read: Cell<u64>,
    pub(super) written: Cell<u64>,
    pub(super) requests: Cell<u64>,
    /// The status of an answer that hyper made by itself.
    pub(super) refused: Cell<Option<u16>>,
    /// A request was answered by an upgrade.
    pub(super) upgraded: Cell<bool>,
    /// The last write did not go through.
    pub(super) blocked: Cell<bool>,
}

/// The connection, and what was read of it already.
pub(super) struct Io {
    pub(super) stream: Stream,
    pub(super) ahead: Bytes,
    scratch: Vec<u8>,
    meter: Rc<Meter>,
}

impl Io {
    pub(super) fn new(stream: Stream, ahead: Bytes, meter: Rc<Meter>) -> Self {
        Self { stream, ahead, scratch: Vec::new(), meter }
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let count = if this.ahead.is_empty() {
            loop {
                match this.stream.try_read(buffer.initialize_unfilled()) {
                    Ok(count) => {
                        buffer.advance(count);
                        break count;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        ready!(this.stream.poll_readable(cx));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        } else {
            let count = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(this.ahead.get(..count).unwrap_or_default());
            this.ahead.advance(count);
            count
        };
        this.meter.read.set(this.meter.read.get() + count as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let [one] = slices
            && let Some(status) = headers::bare_refusal(one)
        {
            this.meter.refused.set(Some(status));
            return Poll::Ready(Ok(one.len()));
        }
        loop {
            match this.stream.try_write(slices, &mut this.scratch) {
                Ok(count) => {
                    this.meter.blocked.set(false);
                    this.meter.written.set(this.meter.written.get() + count as u64);
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    this.meter.blocked.set(true);
                    ready!(this.stream.poll_writable(cx));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stream.is_pending() {
            return self.poll_write_vectored(cx, &[]).map_ok(drop);
        }
        Poll::Ready(Ok(()))
    }

    /// The session closes the connection: it waits for the peer's end, so that no answer is lost.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
