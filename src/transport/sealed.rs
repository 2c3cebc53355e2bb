//! TLS on one socket, record by record: what comes is opened, what goes is sealed.
//!
//! The workspace for both is the thread's, so that a connection keeps only what is not done with: a record
//! that has not come whole, bytes that were opened and not taken, records that the socket did not take.
//!
//! **Invariants:** keeps at most one record or greeting of each kind; whatever was sealed goes out before
//! anything else is sealed.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ProtocolVersion, ServerConfig};

use super::Socket;

/// Bytes that are put into one record: the most that TLS has.
pub(super) const RECORD_BYTES: usize = 16_384;
/// What a record takes besides: header, padding and proof (RFC 5246, section 6.2.3: at most 2,048 in all).
const RECORD_EXTRA_BYTES: usize = 5 + 2_048;
/// The longest that may be waited for: a record, or a greeting in several of them.
const INCOMING_BYTES: usize = RECORD_BYTES + RECORD_EXTRA_BYTES;
/// What is read at once.
const READ_BYTES: usize = RECORD_BYTES + 256;
/// Records that still wait for the socket are sent together with the next one if they are this short, as the
/// ticket behind a handshake is.
const JOINED_BYTES: usize = 1_024;
/// Answers to a peer that asks for more of them than it reads.
const OUTGOING_BYTES: usize = INCOMING_BYTES + 4 * JOINED_BYTES;

/// Where the connections of a thread do their work.
struct Workspace {
    incoming: Box<[u8]>,
    outgoing: Box<[u8]>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace {
        incoming: vec![0; INCOMING_BYTES + READ_BYTES].into_boxed_slice(),
        outgoing: vec![0; JOINED_BYTES + INCOMING_BYTES].into_boxed_slice(),
    });
}

/// A socket with its protection.
pub struct Sealed {
    socket: Socket,
    connection: UnbufferedServerConnection,
    /// The beginning of a record, or of a greeting.
    incoming: Vec<u8>,
    /// Opened, and not taken.
    opened: Vec<u8>,
    /// Sealed, and not sent.
    outgoing: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Sealed {
    /// Answers a client on `socket` that has begun with `greeting`.
    pub(super) fn begin(
        config: Arc<ServerConfig>,
        socket: Socket,
        greeting: &[u8],
    ) -> io::Result<Self> {
        let connection = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
        let (incoming, opened, outgoing) = (Vec::new(), Vec::new(), Vec::new());
        let mut this = Self { socket, connection, incoming, opened, outgoing, ended: false };
        this.take_in(&mut greeting.to_vec(), |_| {})?;
        Ok(this)
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The protocol that was agreed on, if one was.
    pub(super) fn negotiated(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Whether sealed bytes wait for the socket.
    pub(super) fn is_pending(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Bytes that are not done with.
    pub(super) fn held(&self) -> usize {
        self.incoming.len() + self.opened.len() + self.outgoing.len()
    }

    /// Goes on with the handshake; ready when it is done or has failed.
    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.is_done() {
                return Poll::Ready(Ok(()));
            }
            match self.flush() {
                Ok(()) if !self.connection.is_handshaking() => return Poll::Ready(Ok(())),
                Ok(()) => {}
                Err(error) if is_later(&error) => {
                    ready!(self.socket.0.poll_write_ready(cx)).map(drop)?;
                    continue;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
            let mut early = Vec::new();
            match self.receive(|opened| early.extend_from_slice(opened)) {
                Ok(()) if self.ended => {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                // What follows the handshake may have come with its last record.
                Ok(()) => self.opened.append(&mut early),
                Err(error) if is_later(&error) => {
                    ready!(self.socket.0.poll_read_ready(cx)).map(drop)?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Reads what is there; 0 is the end of the stream, `WouldBlock` is nothing now.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        if !self.opened.is_empty() {
            let count = self.opened.len().min(buffer.len());
            filled = put(buffer, self.opened.get(..count).unwrap_or_default());
            self.opened.drain(..count);
            self.opened.shrink_to_fit();
        }
        while filled == 0 && !self.ended {
            let mut rest = Vec::new();
            self.receive(|opened| {
                let room = buffer.get_mut(filled..).unwrap_or_default();
                let count = put(room, opened);
                filled += count;
                rest.extend_from_slice(opened.get(count..).unwrap_or_default());
            })?;
            self.opened = rest;
        }
        Ok(filled)
    }

    /// Seals what fits one record, and sends it as far as the socket takes it: the rest goes first the next
    /// time. `WouldBlock` if there is such a rest, and the socket still does not take it.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.outgoing.len() > JOINED_BYTES || bytes.is_empty() {
            self.flush()?;
        }
        let bytes = bytes.get(..RECORD_BYTES).unwrap_or(bytes);
        if bytes.is_empty() {
            return Ok(0);
        }
        WORKSPACE.with_borrow_mut(|workspace| {
            let before = put(&mut workspace.outgoing, &self.outgoing);
            let room = workspace.outgoing.get_mut(before..).unwrap_or_default();
            let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
            let Ok(ConnectionState::WriteTraffic(mut traffic)) = state else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            let sealed = traffic.encrypt(bytes, room).map_err(io::Error::other)?;
            let all = workspace.outgoing.get(..before + sealed).unwrap_or_default();
            let sent = match self.socket.write(all) {
                Err(error) if is_later(&error) => 0,
                sent => sent?,
            };
            self.outgoing = all.get(sent..).unwrap_or_default().to_vec();
            Ok(bytes.len())
        })
    }

    /// Says that nothing more will be sent, if that can be said now.
    pub(super) fn say_goodbye(&mut self) {
        let mut goodbye = [0; 256];
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state
            && let Ok(count) = traffic.queue_close_notify(&mut goodbye)
        {
            self.outgoing.extend_from_slice(goodbye.get(..count).unwrap_or_default());
        }
        // The peer may be gone already.
        drop(self.flush());
    }

    /// Sends what was sealed before.
    fn flush(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            let sent = self.socket.write(&self.outgoing)?;
            self.outgoing.drain(..sent);
        }
        self.outgoing = Vec::new();
        Ok(())
    }

    /// Reads once, and hands out what could be opened.
    fn receive(&mut self, opened: impl FnMut(&[u8])) -> io::Result<()> {
        WORKSPACE.with_borrow_mut(|workspace| {
            let before = put(&mut workspace.incoming, &self.incoming);
            let room = workspace.incoming.get_mut(before..).unwrap_or_default();
            let room = room.get_mut(..READ_BYTES).unwrap_or_default();
            let count = self.socket.read(room)?;
            if count == 0 {
                self.ended = true;
                return Ok(());
            }
            self.take_in(workspace.incoming.get_mut(..before + count).unwrap_or_default(), opened)
        })
    }

    /// Opens what can be opened, keeps the rest, and sends what is to be answered.
    fn take_in(&mut self, incoming: &mut [u8], opened: impl FnMut(&[u8])) -> io::Result<()> {
        let advanced = self.advance(incoming, opened);
        // Answers, and what went wrong, the peer learns as far as its socket takes them.
        let can_wait = advanced.is_ok() && self.is_done() && self.outgoing.len() <= JOINED_BYTES;
        if !can_wait {
            drop(self.flush());
        }
        let rest = incoming.get(advanced?..).unwrap_or_default();
        if rest.len() > INCOMING_BYTES || self.outgoing.len() > OUTGOING_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.incoming = rest.to_vec();
        Ok(())
    }

    /// Whether the handshake is done, but for what may be sent with the first message: in TLS 1.3 that is a
    /// ticket.
    fn is_done(&self) -> bool {
        !self.connection.is_handshaking()
            && self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Goes on with the connection as far as `incoming` leads; returns how much of that is done with.
    fn advance(&mut self, incoming: &mut [u8], mut opened: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut used = 0;
        loop {
            let rest = incoming.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(rest);
            let failed = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        opened(record.payload);
                    }
                    None
                }
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    encode(data, &mut self.outgoing);
                    None
                }
                // It goes out before anything else does.
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    None
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.ended = true;
                    None
                }
                Err(error) => Some(io::Error::new(io::ErrorKind::InvalidData, error)),
                // Everything that has come whole is done with. (Nothing comes early: it is not offered.)
                Ok(_) => return Ok(used + discard),
            };
            used += discard;
            if let Some(error) = failed {
                let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
                if let Ok(ConnectionState::EncodeTlsData(alert)) = state {
                    encode(alert, &mut self.outgoing);
                }
                return Err(error);
            }
        }
    }
}

fn encode<Data>(mut data: EncodeTlsData<'_, Data>, outgoing: &mut Vec<u8>) {
    let before = outgoing.len();
    if let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) =
        data.encode(&mut [])
    {
        outgoing.resize(before + required_size, 0);
        // There is room for it now.
        let encoded = data.encode(outgoing.get_mut(before..).unwrap_or_default());
        outgoing.truncate(before + encoded.unwrap_or_default());
    }
}

/// Copies what fits; returns how much that was.
fn put(room: &mut [u8], bytes: &[u8]) -> usize {
    let count = bytes.len().min(room.len());
    if let (Some(room), Some(bytes)) = (room.get_mut(..count), bytes.get(..count)) {
        room.copy_from_slice(bytes);
    }
    count
}

fn is_later(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
