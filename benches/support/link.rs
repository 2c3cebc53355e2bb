//! One connection of the generator, plain or over TLS, that never blocks.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use klatch::base::limits::FRAME_BYTES;
use klatch::protocol::ALPN;
use klatch::protocol::frame::{self, Split};
use mio::net::TcpStream;
use openssl::ssl::{ErrorCode, SslConnector, SslMethod, SslStream, SslVerifyMode};
use socket2::{Domain, Socket, Type};

use super::{Failure, Result};

/// Connections from one address of the generator: well below the number of ephemeral ports.
const PER_SOURCE: usize = 2_500;

enum Stream {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

/// A connection with what waits to be sent and what has come of an unfinished frame.
pub(crate) struct Link {
    stream: Stream,
    up: bool,
    outgoing: Vec<u8>,
    partial: Vec<u8>,
}

/// A client that believes any certificate: the daemon's is made anew for each run.
pub(crate) fn connector() -> Result<SslConnector> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::NONE);
    let protocols = [&[u8::try_from(ALPN.len())?], ALPN.as_bytes()].concat();
    builder.set_alpn_protos(&protocols)?;
    Ok(builder.build())
}

impl Link {
    /// Starts to connect the `number`th client.
    pub(crate) fn open(
        number: usize,
        server: SocketAddr,
        tls: Option<&SslConnector>,
    ) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        let source = Ipv4Addr::new(127, 0, 0, u8::try_from(number / PER_SOURCE + 1)?);
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        match socket.connect(&server.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(IN_PROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let plain = TcpStream::from_std(socket.into());
        let stream = match tls {
            None => Stream::Plain(plain),
            Some(connector) => {
                let mut configuration = connector.configure()?;
                configuration.set_verify_hostname(false);
                let ssl = configuration.into_ssl("localhost")?;
                Stream::Tls(Box::new(SslStream::new(ssl, plain)?))
            }
        };
        Ok(Self { stream, up: false, outgoing: Vec::new(), partial: Vec::new() })
    }

    /// The socket, to be watched.
    pub(crate) fn source(&mut self) -> &mut TcpStream {
        match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_mut(),
        }
    }

    /// Goes on with connecting; true once, when the connection is up.
    pub(crate) fn came_up(&mut self) -> Result<bool> {
        if self.up {
            return Ok(false);
        }
        if let Some(error) = self.source().take_error()? {
            return Err(error.into());
        }
        self.up = match &mut self.stream {
            Stream::Plain(stream) => stream.peer_addr().is_ok(),
            Stream::Tls(stream) => match stream.connect() {
                Ok(()) => true,
                Err(error) if matches!(error.code(), ErrorCode::WANT_READ) => false,
                // The socket is not connected yet.
                Err(error) if error.io_error().is_some_and(is_early) => false,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(self.up)
    }

    /// What is to be sent by the next [`flush`](Self::flush).
    pub(crate) fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.outgoing
    }

    /// Sends what the socket takes; the rest goes when it is writable again.
    pub(crate) fn flush(&mut self) -> Result<()> {
        while self.up && !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads all that is there, through the shared `buffer`, and hands out the body of each frame;
    /// returns the number of reads.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8], &mut Vec<u8>) -> Result<()>,
    ) -> Result<u64> {
        let mut reads = 0;
        while self.up {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(Failure::new("the server closed the connection")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            };
            reads += 1;
            let mut read = &buffer[..count];
            if !self.partial.is_empty() {
                read = complete(&mut self.partial, read, |body| take(body, &mut self.outgoing))?;
            }
            while let Split::Frame { body, rest } = frame::split(read, FRAME_BYTES)? {
                take(body, &mut self.outgoing)?;
                read = rest;
            }
            self.partial.extend_from_slice(read);
            // A short read emptied a plain socket; TLS hands out one record at a time.
            if count < buffer.len() && matches!(self.stream, Stream::Plain(_)) {
                break;
            }
        }
        Ok(reads)
    }
}

/// Completes the one frame in `partial` from the front of `read`; returns what follows it.
fn complete<'a>(
    partial: &mut Vec<u8>,
    mut read: &'a [u8],
    take: impl FnOnce(&[u8]) -> Result<()>,
) -> Result<&'a [u8]> {
    loop {
        match frame::split(partial, FRAME_BYTES)? {
            Split::Frame { body, .. } => {
                take(body)?;
                partial.clear();
                return Ok(read);
            }
            Split::Incomplete { missing } => {
                let Some((more, rest)) = read.split_at_checked(missing) else {
                    partial.extend_from_slice(read);
                    return Ok(&[]);
                };
                partial.extend_from_slice(more);
                read = rest;
            }
        }
    }
}

/// `EINPROGRESS`: what a connect that does not block returns.
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
