//! One connection of the load, plain or over TLS, that never blocks.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use klatch::protocol::ALPN;
use mio::net::TcpStream;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use socket2::{Domain, SockRef, Socket, Type};

use crate::driver::{Driver, Seen};
use crate::error::{Failure, Result};

/// What is taken at a time to complete a frame that was cut.
const COMPLETION: usize = 1_024;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection with what waits to be sent and what has come of an unfinished frame.
pub(crate) struct Link {
    stream: Stream,
    up: bool,
    /// Whether a line is due in the clear before TLS begins.
    greeting_due: bool,
    outgoing: Vec<u8>,
    partial: Vec<u8>,
}

/// Where a connection leads.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) server: SocketAddr,
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    pub(crate) driver: &'static dyn Driver,
}

/// Where the connections of a run come from: many addresses of this machine, since one has fewer
/// ports than a run has clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources {
    /// The first address, counted from 127.0.0.1.
    pub(crate) first: u32,
    /// Connections from each.
    pub(crate) per_address: usize,
}

impl Sources {
    /// Enough addresses for any number of connections.
    pub(crate) const USUAL: Self = Self { first: 0, per_address: 2_500 };

    /// The address of the `number`th connection.
    pub(crate) fn of(self, number: usize) -> Ipv4Addr {
        let step = u32::try_from(number / self.per_address).unwrap_or_default();
        Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + self.first + step)
    }
}

/// What every client begins TLS with: a full handshake each time.
pub(crate) fn client_tls() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Believing(algorithms)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![ALPN.as_bytes().to_vec()];
    Ok(Arc::new(config))
}

/// Believes any certificate, since the server's is made anew for each run; but looks whether its key has
/// signed, as every client does.
#[derive(Debug)]
struct Believing(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

impl Link {
    /// Starts to connect from `source`; a server elsewhere is reached from any address.
    pub(crate) fn open(way: Way<'_>, source: Ipv4Addr) -> Result<Self> {
        let Way { server, tls, driver } = way;
        let domain = if server.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let kind = Type::STREAM.nonblocking();
        let socket = Socket::new(domain, kind, None).map_err(explain_descriptors)?;
        socket.set_tcp_nodelay(true)?;
        if server.ip().is_loopback() && server.is_ipv4() {
            // The port is chosen when it connects, among those that are free towards this server: to find
            // one that is free towards all takes longer than the rest of a login.
            setsockopt(&socket, IpBindAddressNoPort, &true)?;
            socket.bind(&SocketAddr::from((source, 0)).into())?;
        }
        match socket.connect(&server.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(IN_PROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let plain = TcpStream::from_std(socket.into());
        let (stream, greeting_due) = match tls {
            None => (Stream::Plain(plain), false),
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                let connection = ClientConnection::new(Arc::clone(config), name)?;
                let stream = Stream::Tls(Box::new(StreamOwned::new(connection, plain)));
                (stream, driver.nature().speaks_before_tls)
            }
        };
        let (outgoing, partial) = (Vec::new(), Vec::new());
        Ok(Self { stream, up: false, greeting_due, outgoing, partial })
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
        if self.source().peer_addr().is_err() {
            // It is not connected yet, or never will be.
            return self.source().take_error()?.map_or(Ok(false), |error| Err(error.into()));
        }
        if self.greeting_due && !self.is_greeted()? {
            return Ok(false);
        }
        self.up = match &mut self.stream {
            Stream::Plain(_) => true,
            Stream::Tls(stream) => match stream.conn.complete_io(&mut stream.sock) {
                Ok(_) => !stream.conn.is_handshaking(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => false,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(self.up)
    }

    /// Takes the line that comes before TLS; nothing follows it until the client has begun.
    fn is_greeted(&mut self) -> Result<bool> {
        let mut line = [0; 4_096];
        match self.source().read(&mut line) {
            Ok(0) => Err(Failure::new("the server closed the connection")),
            Ok(count) => {
                self.greeting_due = !line[..count].contains(&b'\n');
                Ok(!self.greeting_due)
            }
            Err(error) if is_early(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What is to be sent by the next [`flush`](Self::flush).
    pub(crate) const fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.outgoing
    }

    /// Sends what the socket takes; the rest goes when it is writable again.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let mut sent = 0;
        while self.up && sent < self.outgoing.len() {
            match self.stream.write(&self.outgoing[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        drop(self.outgoing.drain(..sent));
        Ok(())
    }

    /// Reads all that is there, through the shared `buffer`, and hands out each frame; returns the
    /// number of reads.
    pub(crate) fn receive(
        &mut self,
        driver: &dyn Driver,
        buffer: &mut [u8],
        mut take: impl FnMut(Seen<'_>, &mut Vec<u8>) -> Result<()>,
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
                let out = &mut self.outgoing;
                read = complete(driver, &mut self.partial, read, |seen| take(seen, out))?;
            }
            while let Some(seen) = driver.next(read)? {
                take(seen, &mut self.outgoing)?;
                read = &read[seen.frame.len()..];
            }
            self.partial.extend_from_slice(read);
            // A short read emptied a plain socket; TLS hands out one record at a time.
            if count < buffer.len() && matches!(self.stream, Stream::Plain(_)) {
                break;
            }
        }
        Ok(reads)
    }

    /// Closes with a reset, which leaves no port behind that waits for a minute.
    pub(crate) fn abort(mut self) {
        // Only a nicety: without it the port is just free later.
        let set = SockRef::from(&*self.source()).set_linger(Some(Duration::ZERO));
        drop(set);
    }
}

/// Completes the one frame in `partial` from the front of `read`; returns what follows it.
fn complete<'a>(
    driver: &dyn Driver,
    partial: &mut Vec<u8>,
    mut read: &'a [u8],
    take: impl FnOnce(Seen<'_>) -> Result<()>,
) -> Result<&'a [u8]> {
    loop {
        let before = partial.len();
        let piece = read.len().min(COMPLETION);
        partial.extend_from_slice(&read[..piece]);
        if let Some(seen) = driver.next(partial)? {
            let used = seen.frame.len() - before;
            take(seen)?;
            partial.clear();
            return Ok(&read[used..]);
        }
        read = &read[piece..];
        if read.is_empty() {
            return Ok(read);
        }
    }
}

/// `EINPROGRESS`: what a connect that does not block returns.
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}

/// Says what to do when there are no descriptors left.
fn explain_descriptors(error: io::Error) -> Box<dyn std::error::Error> {
    const TOO_MANY: i32 = rustix::io::Errno::MFILE.raw_os_error();
    const TOO_MANY_IN_ALL: i32 = rustix::io::Errno::NFILE.raw_os_error();
    match error.raw_os_error() {
        Some(TOO_MANY) => Failure::new(
            "no file descriptor is left for another connection: raise this process's limit with \
             `ulimit -n`, whose bound is `ulimit -Hn`",
        ),
        Some(TOO_MANY_IN_ALL) => Failure::new(
            "no file descriptor is left on this machine: raise it with `sysctl -w fs.file-max=…`",
        ),
        _ => error.into(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Irc, Klatch, Mqtt, Nats, Relay};
    use crate::tag::Tag;

    /// However a stream is cut, the same frames come out.
    #[test]
    fn frames_survive_any_cut() {
        let (event, mut klatch) = (Relay.template(0), Vec::new());
        (0..50).for_each(|n| event.append(&mut klatch, n));
        let line =
            |n| [b":u!u@h PRIVMSG #r :x".as_slice(), &Tag::new(n).letters(), b"\r\n"].concat();
        let irc = (0..50).flat_map(line).collect();
        let message = |n| [b"MSG r 1 8\r\n".as_slice(), &Tag::new(n).letters(), b"\r\n"].concat();
        let nats = (0..50).flat_map(message).collect();
        let packet = |n| [b"\x30\x0b\x00\x01r".as_slice(), &Tag::new(n).letters()].concat();
        let mqtt = (0..50).flat_map(packet).collect();
        let all: [(&dyn Driver, Vec<u8>); 4] =
            [(&Klatch, klatch), (&Irc, irc), (&Nats, nats), (&Mqtt, mqtt)];
        for (driver, stream) in all {
            let whole = cut(driver, &stream, stream.len());
            assert_eq!(whole.len(), 50);
            for size in 1..40 {
                assert_eq!(cut(driver, &stream, size), whole, "cut each {size} bytes");
            }
        }
    }

    fn cut(driver: &dyn Driver, stream: &[u8], size: usize) -> Vec<Vec<u8>> {
        let (mut partial, mut frames) = (Vec::new(), Vec::new());
        for mut read in stream.chunks(size) {
            if !partial.is_empty() {
                let keep = |seen: Seen<'_>| {
                    frames.push(seen.frame.to_vec());
                    Ok(())
                };
                read = complete(driver, &mut partial, read, keep).unwrap();
            }
            while let Some(seen) = driver.next(read).unwrap() {
                frames.push(seen.frame.to_vec());
                read = &read[seen.frame.len()..];
            }
            partial.extend_from_slice(read);
        }
        assert!(partial.is_empty());
        frames
    }
}
