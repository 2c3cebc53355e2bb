//! From an address to a trusted connection: TCP, then TLS unless the caller asked for none.
//!
//! **Never:** asks anybody after the first connection, or accepts less than held for the first.

use std::path::Path;
use std::time::Duration;

use native_tls::{Certificate, Protocol};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_native_tls::TlsStream;

use super::Error;
use super::pin::Fingerprint;
use super::trust::{Demand, Trust, TrustError};
use crate::protocol::{ALPN, PORT};

/// Time for a TCP connection and a TLS handshake together.
const TIME: Duration = Duration::from_secs(10);

/// A connection, encrypted or not.
pub(super) type Stream = Box<dyn Io>;

/// What a connection can do.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl std::str::FromStr for Address {
    type Err = Error;

    /// Reads `HOST`, `HOST:PORT`, an IPv6 address, or `[IPv6]:PORT`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Address(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                (host, if port.is_empty() { None } else { port.strip_prefix(':').or(Some("")) })
            }
            None if text.matches(':').count() > 1 => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(PORT), str::parse).map_err(|_| wrong())?;
        let strange = |c: char| c.is_whitespace() || c.is_control() || c == '/' || c == ']';
        if host.is_empty() || host.contains(strange) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Opens connections to one server.
#[derive(Debug)]
pub(super) struct Connector {
    address: Address,
    security: Security,
}

#[derive(Debug)]
enum Security {
    Plain,
    Tls {
        trust: Trust,
        /// What held of the first connection, and must hold of all others.
        proven: Option<Demand>,
    },
}

#[derive(Clone, Copy)]
enum Verify<'a> {
    /// By the authorities: the system's, and the one in this file.
    Authorities(Option<&'a Path>),
    /// Not by the TLS library: the fingerprint is compared afterwards.
    Afterwards,
}

impl Connector {
    pub(super) fn plain(address: Address) -> Self {
        Self { address, security: Security::Plain }
    }

    pub(super) fn tls(address: Address, trust: Trust) -> Self {
        Self { address, security: Security::Tls { trust, proven: None } }
    }

    /// Opens a connection to a server that is what it must be.
    pub(super) async fn open(&mut self) -> Result<Stream, Error> {
        match &mut self.security {
            Security::Plain => Ok(Box::new(dial(&self.address).await?)),
            Security::Tls { trust, proven } => open_tls(&self.address, trust, proven).await,
        }
    }
}

async fn open_tls(
    address: &Address,
    trust: &Trust,
    proven: &mut Option<Demand>,
) -> Result<Stream, Error> {
    let server = address.to_string();
    let demand = match proven {
        Some(demand) => demand.clone(),
        None => trust.demand(&server)?,
    };
    if demand != Demand::Vouched {
        let stream = handshake(address, Verify::Afterwards).await?;
        trust.check(&demand, &server, fingerprint(address, &stream)?)?;
        *proven = Some(demand);
        return Ok(Box::new(stream));
    }
    match handshake(address, Verify::Authorities(trust.authority.as_deref())).await {
        Ok(stream) => {
            *proven = Some(Demand::Vouched);
            return Ok(Box::new(stream));
        }
        // Who names an authority wants nothing less, nor who was once vouched for.
        Err(error @ Error::Tls { .. }) if trust.authority.is_some() || proven.is_some() => {
            return Err(error);
        }
        Err(Error::Tls { why, .. }) => {
            // If the same handshake succeeds unverified, the certificate was the reason. This
            // connection is not used: to decide may take longer than a server waits for a login.
            let seen = fingerprint(address, &handshake(address, Verify::Afterwards).await?)?;
            let pin = trust.decide(&server, seen, why)?;
            *proven = Some(Demand::Known(vec![pin]));
        }
        Err(error) => return Err(error),
    }
    let stream = handshake(address, Verify::Afterwards).await?;
    let seen = fingerprint(address, &stream)?;
    trust.check(proven.as_ref().unwrap_or(&Demand::Vouched), &server, seen)?;
    Ok(Box::new(stream))
}

async fn dial(address: &Address) -> Result<TcpStream, Error> {
    let failed = |error| Error::io(format!("cannot connect to {address}"), error);
    let stream = timeout(TIME, TcpStream::connect((address.host.as_str(), address.port)))
        .await
        .map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
        .map_err(failed)?;
    // A chat's frames are small, and a person waits for each.
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

async fn handshake(address: &Address, verify: Verify<'_>) -> Result<TlsStream<TcpStream>, Error> {
    let failed = |why: String| Error::Tls { address: address.to_string(), why };
    let mut builder = native_tls::TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    builder.request_alpns(&[ALPN]);
    match verify {
        Verify::Afterwards => {
            builder.danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
        }
        Verify::Authorities(None) => {}
        Verify::Authorities(Some(file)) => {
            for certificate in authority(file)? {
                builder.add_root_certificate(certificate);
            }
        }
    }
    let connector = builder.build().map_err(|error| failed(error.to_string()))?;
    let connector = tokio_native_tls::TlsConnector::from(connector);
    let stream = dial(address).await?;
    timeout(TIME, connector.connect(&address.host, stream))
        .await
        .map_err(|_| Error::io(format!("TLS with {address}"), std::io::ErrorKind::TimedOut.into()))?
        .map_err(|error| failed(error.to_string()))
}

fn authority(file: &Path) -> Result<Vec<Certificate>, Error> {
    let wrong = |why: String| TrustError::Authority { file: file.into(), why };
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let found = Certificate::stack_from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() {
        return Err(wrong("there is no certificate in it".into()).into());
    }
    Ok(found)
}

fn fingerprint(address: &Address, stream: &TlsStream<TcpStream>) -> Result<Fingerprint, Error> {
    let failed = |why: String| Error::Tls { address: address.to_string(), why };
    let certificate = stream.get_ref().peer_certificate();
    let certificate = certificate.map_err(|error| failed(error.to_string()))?;
    let certificate = certificate.ok_or_else(|| failed("it shows no certificate".into()))?;
    let der = certificate.to_der().map_err(|error| failed(error.to_string()))?;
    Ok(Fingerprint::of(&der))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, want) in [
            ("chat.example", "chat.example:5528"),
            ("Chat.Example:1", "chat.example:1"),
            ("127.0.0.1:9", "127.0.0.1:9"),
            ("::1", "[::1]:5528"),
            ("[::1]", "[::1]:5528"),
            ("[::1]:9", "[::1]:9"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), want);
        }
        for text in ["", ":1", "a:", "a:b", "a:99999", "[::1", "[::1]9", "a b", "[]:1", "http://a"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
