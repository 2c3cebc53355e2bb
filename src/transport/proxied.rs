//! Connections that a proxy passes on, with a header in front that says whose they are: the PROXY
//! protocol, version 2 (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).
//!
//! Only those whom the operator has listed are heard; of them the header is required. It is read to
//! its last byte and no further, so that what follows finds its reader.

use std::io;
use std::net::{SocketAddr, TcpStream};

use ppp::v2::{Addresses, Header, PROTOCOL_PREFIX, Protocol};
use tokio::io::AsyncReadExt;

/// Signature, version and command, family, length.
const HEAD_BYTES: usize = 16;
/// Longest header that is taken: addresses, and a few kilobytes of what is passed over.
const MOST_BYTES: usize = 4_096;
/// Version 2 with the command LOCAL.
const LOCAL: u8 = 0x20;
/// The family of Unix sockets, which have no address that could count.
const UNIX: u8 = 0x3;

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody else's, at this address.
    Other(SocketAddr),
    /// The proxy's own: it looks whether the server lives.
    Proxy,
}

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Something else came.
    #[error("it sends no header of the PROXY protocol, version 2, though server.proxies lists it")]
    NoHeader,
    /// It is longer than is taken.
    #[error("its header has {0} bytes, more than {MOST_BYTES}")]
    TooLong(usize),
    /// It breaks the rules of the protocol.
    #[error("its header is malformed")]
    Malformed,
    /// It tells no address of the internet, or not of a stream.
    #[error("its header has no address of a TCP connection")]
    NoAddress,
}

/// Hears whose a connection is.
pub async fn hear(stream: TcpStream) -> io::Result<(TcpStream, Origin)> {
    let mut stream = tokio::net::TcpStream::from_std(stream)?;
    let mut header = vec![0; HEAD_BYTES];
    stream.read_exact(&mut header).await?;
    let length = length(&header).map_err(invalid)?;
    header.resize(length, 0);
    if let Some(rest) = header.get_mut(HEAD_BYTES..) {
        stream.read_exact(rest).await?;
    }
    let origin = origin(&header).map_err(invalid)?;
    Ok((stream.into_std()?, origin))
}

fn invalid(error: HeaderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The length of the whole header, by its first bytes.
fn length(head: &[u8]) -> Result<usize, HeaderError> {
    let signed = head.starts_with(PROTOCOL_PREFIX);
    let [high, low] = match head.get(HEAD_BYTES - 2..HEAD_BYTES) {
        Some(&[high, low]) if signed => [high, low],
        _ => return Err(HeaderError::NoHeader),
    };
    let length = HEAD_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if length > MOST_BYTES { Err(HeaderError::TooLong(length)) } else { Ok(length) }
}

/// Whose connection a header tells of.
pub fn origin(header: &[u8]) -> Result<Origin, HeaderError> {
    if length(header)? != header.len() {
        return Err(HeaderError::Malformed);
    }
    let (command, family) = match header.get(PROTOCOL_PREFIX.len()..) {
        Some([command, family, ..]) => (*command, family >> 4),
        _ => return Err(HeaderError::Malformed),
    };
    if command == LOCAL {
        // Whatever else it says is to be passed over.
        return Ok(Origin::Proxy);
    }
    if family == UNIX {
        return Err(HeaderError::NoAddress);
    }
    let header = Header::try_from(header).map_err(|_| HeaderError::Malformed)?;
    if header.protocol != Protocol::Stream {
        return Err(HeaderError::NoAddress);
    }
    match header.addresses {
        Addresses::IPv4(of) => Ok(Origin::Other((of.source_address, of.source_port).into())),
        Addresses::IPv6(of) => Ok(Origin::Other((of.source_address, of.source_port).into())),
        Addresses::Unspecified | Addresses::Unix(_) => Err(HeaderError::NoAddress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A header with this command and version, family and protocol, and content.
    fn header(command: u8, family: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = PROTOCOL_PREFIX.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
        bytes
    }

    const V4: [u8; 12] = [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 0x15, 0x98];

    fn v6(source: &str) -> Vec<u8> {
        let source: std::net::Ipv6Addr = source.parse().unwrap();
        [&source.octets()[..], &[0; 16], &[0x12, 0x67, 0x15, 0x98]].concat()
    }

    #[test]
    fn each_kind_of_header_has_its_meaning() {
        let with_tlvs = [&V4[..], &[4, 0, 3, 1, 2, 3], &[0xea, 0, 0]].concat();
        let other = |text: &str| Ok(Origin::Other(text.parse().unwrap()));
        for (name, bytes, expected) in [
            ("IPv4", header(0x21, 0x11, &V4), other("203.0.113.7:4711")),
            ("IPv6", header(0x21, 0x21, &v6("2001:db8::7")), other("[2001:db8::7]:4711")),
            ("with more behind", header(0x21, 0x11, &with_tlvs), other("203.0.113.7:4711")),
            ("local", header(0x20, 0x00, &[]), Ok(Origin::Proxy)),
            ("local with addresses", header(0x20, 0x11, &V4), Ok(Origin::Proxy)),
            ("local with nonsense", header(0x20, 0x31, &[1, 2, 3]), Ok(Origin::Proxy)),
            ("of nobody", header(0x21, 0x00, &[]), Err(HeaderError::NoAddress)),
            ("a datagram", header(0x21, 0x12, &V4), Err(HeaderError::NoAddress)),
            ("a Unix socket", header(0x21, 0x31, &[0; 216]), Err(HeaderError::NoAddress)),
            ("Unix, and more", header(0x21, 0x31, &[0; 300]), Err(HeaderError::NoAddress)),
            ("too short", header(0x21, 0x11, &V4[..11]), Err(HeaderError::Malformed)),
            ("too short for IPv6", header(0x21, 0x21, &V4), Err(HeaderError::Malformed)),
            ("another command", header(0x22, 0x11, &V4), Err(HeaderError::Malformed)),
            ("another version", header(0x31, 0x11, &V4), Err(HeaderError::Malformed)),
            ("another family", header(0x21, 0x41, &V4), Err(HeaderError::Malformed)),
            ("another protocol", header(0x21, 0x13, &V4), Err(HeaderError::Malformed)),
            ("too long", header(0x21, 0x11, &[0; 4_081]), Err(HeaderError::TooLong(4_097))),
            ("as long as may be", header(0x21, 0x11, &[0; 4_080]), other("0.0.0.0:0")),
            (
                "version 1",
                b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n".to_vec(),
                Err(HeaderError::NoHeader),
            ),
            ("nothing", Vec::new(), Err(HeaderError::NoHeader)),
        ] {
            assert_eq!(origin(&bytes), expected, "{name}");
        }
    }

    proptest! {
        /// No bytes make it fail in any other way than by saying so; and it says an address only if
        /// one is there.
        #[test]
        fn no_header_breaks_it(
            command in any::<u8>(), family in any::<u8>(),
            content in proptest::collection::vec(any::<u8>(), 0..300),
            cut in 0_usize..320,
        ) {
            let whole = header(command, family, &content);
            if let Ok(Origin::Other(_)) = origin(&whole) {
                prop_assert_eq!((command, family & 0xf), (0x21, 1));
                prop_assert!(content.len() >= 12);
            }
            let part = &whole[..cut.min(whole.len())];
            prop_assert!(part.len() == whole.len() || origin(part).is_err());
        }
    }
}
