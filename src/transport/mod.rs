//! Sockets: plain or TLS behind one type, never blocking.
//!
//! [`Stream`] offers "try now" and "tell me when" apart, instead of the combined `AsyncRead` and
//! `AsyncWrite`: on a worker, the Session waits and reads while the Fanout writes to hundreds of
//! sockets in one turn, and a combined poll would charge all of them to one task's budget.

pub mod address;
pub mod certificate;
pub mod challenge;
pub mod listener;
pub mod proxied;
pub mod sealed;
pub mod tls;
pub mod turn;

use std::io::{self, IoSlice, Read, Write};
use std::task::{Context, Poll};

use rustix::net::SendFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use self::sealed::{RECORD_BYTES, Sealed};

/// Up to so many bytes are copied together: that costs less than handing the kernel a list.
const COPIED_BYTES: usize = 1024;

/// A connection, before or after its protection is known.
#[derive(Debug)]
pub enum Stream {
    /// TCP as it is.
    Plain(Socket),
    /// TLS over TCP.
    Tls(Box<Sealed>),
    /// Taken away, for the moment of a change from one to the other.
    Closed,
}

impl Stream {
    fn socket(&self) -> Option<&Socket> {
        match self {
            Self::Plain(socket) => Some(socket),
            Self::Tls(stream) => Some(stream.socket()),
            Self::Closed => None,
        }
    }

    /// Whether it is protected.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The protocol that the TLS handshake agreed on, if it did.
    #[must_use]
    pub fn negotiated(&self) -> Option<&[u8]> {
        match self {
            Self::Tls(stream) => stream.negotiated(),
            Self::Plain(_) | Self::Closed => None,
        }
    }

    /// Ready when a read may succeed; else the task is woken when it may.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.socket() {
            // An error is found by the read that follows.
            Some(socket) => socket.0.poll_read_ready(cx).map(drop),
            None => Poll::Ready(()),
        }
    }

    /// Ready when a write may succeed; else the task is woken when it may.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.socket() {
            Some(socket) => socket.0.poll_write_ready(cx).map(drop),
            None => Poll::Ready(()),
        }
    }

    /// Reads what is there; 0 is the end of the stream, `WouldBlock` is nothing now.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.try_read(buffer),
            Self::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Takes what fits; `scratch` is where slices are gathered. A part of it may still wait for the socket:
    /// see [`is_pending`](Self::is_pending).
    pub fn try_write(
        &mut self,
        slices: &[IoSlice<'_>],
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => match slices {
                [one] => socket.write(one),
                few if few.iter().map(|slice| slice.len()).sum::<usize>() <= COPIED_BYTES => {
                    socket.write(gather(few, scratch))
                }
                more => socket.write_vectored(more),
            },
            Self::Tls(stream) => stream.try_write(gather(slices, scratch)),
            Self::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Whether bytes that were taken wait for the socket: an empty write goes on with them.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        match self {
            Self::Tls(stream) => stream.is_pending(),
            Self::Plain(_) | Self::Closed => false,
        }
    }

    /// Bytes that TLS keeps: of records that have not come whole, were not taken, or not sent.
    #[must_use]
    pub fn held(&self) -> usize {
        match self {
            Self::Tls(stream) => stream.held(),
            Self::Plain(_) | Self::Closed => 0,
        }
    }

    /// Goes on with the handshake of TLS; ready when it is done or has failed.
    pub fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => stream.poll_handshake(cx),
            Self::Plain(_) | Self::Closed => Poll::Ready(Ok(())),
        }
    }

    /// Says that nothing more will be written. The peer may still send.
    pub fn shutdown_write(&mut self) {
        if let Self::Tls(stream) = self {
            stream.say_goodbye();
        }
        if let Some(socket) = self.socket() {
            let shut = socket2::SockRef::from(&socket.0).shutdown(std::net::Shutdown::Write);
            drop(shut);
        }
    }
}

/// The slices as one run of bytes, at most one record; without a copy if they are one already.
fn gather<'a>(slices: &'a [IoSlice<'a>], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    if let [one] = slices {
        return one.get(..RECORD_BYTES).unwrap_or(one);
    }
    scratch.clear();
    for slice in slices {
        let room = RECORD_BYTES - scratch.len();
        scratch.extend_from_slice(slice.get(..room).unwrap_or(slice));
        if scratch.len() == RECORD_BYTES {
            break;
        }
    }
    scratch
}

/// A TCP socket with the standard library's `Read` and `Write`, that never blocks.
#[derive(Debug)]
pub struct Socket(pub TcpStream);

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.try_read(buffer)?;
        if count > 0 && count < buffer.len() {
            // The kernel had no more: note it, and spare the read that would only say so. New bytes
            // raise a new edge; both run on this thread, so none can slip in between.
            let cleared: io::Result<()> =
                self.0.try_io(Interest::READABLE, || Err(io::ErrorKind::WouldBlock.into()));
            drop(cleared);
        }
        Ok(count)
    }
}

impl Write for Socket {
    /// Asks the kernel, not the runtime: among thousands of sockets what the runtime knows of this
    /// one is seldom in the cache, and it is needed only when the kernel takes no more.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::net::send(&self.0, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::AGAIN) => {
                self.0.try_io(Interest::WRITABLE, || Err(io::ErrorKind::WouldBlock.into()))
            }
            wrote => Ok(wrote?),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
