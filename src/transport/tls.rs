//! The server's side of TLS: 1.2 and 1.3 by OpenSSL, forward secrecy and authenticated ciphers only.
//!
//! `native-tls` cannot speak TLS 1.3 as a server and keeps CBC suites (docs/decisions/0002), so the
//! server uses the same C library directly; the clients use `native-tls`.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, ErrorCode, Ssl, SslAcceptor, SslMethod, SslMode, SslOptions, SslSessionCacheMode,
    SslStream, SslVersion,
};
use openssl::x509::X509;

use super::challenge::{self, Challenges};
use super::{Socket, Stream};

const CIPHERS_1_2: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// Elliptic curves only: a finite field of 8,192 bits costs the server a thousand times as much.
const GROUPS: &str = "X25519:P-256:P-384";

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is not {what} in PEM: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// OpenSSL's reason.
        source: ErrorStack,
    },
    /// The key belongs to another certificate.
    #[error("the key {} does not belong to the certificate {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate's file has none.
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    /// Everybody may read the key.
    #[error("{} may be read by others (mode {mode:03o}); do: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// OpenSSL refuses the rest.
    #[error("OpenSSL refuses the TLS settings: {0}")]
    Setup(#[from] ErrorStack),
}

/// What a handshake needs, and what people pin.
#[derive(Clone)]
pub struct Identity {
    acceptor: SslAcceptor,
    fingerprint: String,
    begins: i64,
    expires: i64,
    names: Vec<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads certificate chain and key, both PEM, and checks that they belong together. `alpn` are the
    /// protocols that are spoken within, in the form of TLS: each name behind its length. Who asks for
    /// a proof of `challenges` gets that instead. Both may lie in one file.
    pub fn load(
        certificate: &Path,
        key: &Path,
        alpn: &'static [u8],
        challenges: &Challenges,
    ) -> Result<Self, TlsError> {
        refuse_exposed(key)?;
        let parse = |path: &Path, what| {
            let path = path.to_owned();
            move |source| TlsError::Parse { path, what, source }
        };
        let chain = X509::stack_from_pem(&read(certificate)?)
            .map_err(parse(certificate, "a certificate"))?;
        let private =
            PKey::private_key_from_pem(&read(key)?).map_err(parse(key, "a private key"))?;
        let Some((leaf, issuers)) = chain.split_first() else {
            return Err(TlsError::Empty(certificate.to_owned()));
        };
        if !leaf.public_key()?.public_eq(&private) {
            return Err(TlsError::Mismatch { certificate: certificate.into(), key: key.into() });
        }

        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        builder.set_cipher_list(CIPHERS_1_2)?;
        builder.set_groups_list(GROUPS)?;
        builder.set_options(SslOptions::NO_RENEGOTIATION | SslOptions::CIPHER_SERVER_PREFERENCE);
        builder.set_mode(SslMode::RELEASE_BUFFERS);
        // One read per record instead of two, and one that says when there is no more.
        builder.set_read_ahead(true);
        // Tickets carry the session; a cache here would only cost memory.
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_num_tickets(1)?;
        builder.set_certificate(leaf)?;
        for issuer in issuers {
            builder.add_extra_chain_cert(issuer.clone())?;
        }
        builder.set_private_key(&private)?;
        let challenges = challenges.clone();
        builder.set_alpn_select_callback(move |ssl, offered| {
            match challenges.answer(ssl, offered) {
                Some(proven) => {
                    proven.map(|()| challenge::ALPN).map_err(|()| AlpnError::ALERT_FATAL)
                }
                None => openssl::ssl::select_next_proto(alpn, offered).ok_or(AlpnError::NOACK),
            }
        });
        let digest = leaf.digest(MessageDigest::sha256())?;
        let fingerprint = super::certificate::hex(&digest);
        let [begins, expires] = [unix_seconds(leaf.not_before())?, unix_seconds(leaf.not_after())?];
        Ok(Self { acceptor: builder.build(), fingerprint, begins, expires, names: names(leaf) })
    }

    /// The SHA-256 of the certificate, in hexadecimal: what clients pin.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// From when to when the certificate is valid, in seconds since 1970.
    #[must_use]
    pub fn validity(&self) -> (i64, i64) {
        (self.begins, self.expires)
    }

    /// When the certificate expires, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.expires
    }

    /// The names and addresses that the certificate is made out to.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it is made out to `name`; a star stands for one label.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        self.names.iter().any(|one| covers(one, name))
    }

    /// Begins a handshake on `socket`.
    pub fn begin(&self, socket: Socket) -> Result<Stream, ErrorStack> {
        let mut ssl = Ssl::new(self.acceptor.context())?;
        ssl.set_accept_state();
        Ok(Stream::Tls(Box::new(SslStream::new(ssl, socket)?)))
    }
}

/// Goes on with a handshake; ready when it is done or has failed.
pub fn poll_handshake(stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    loop {
        let Stream::Tls(tls) = stream else { return Poll::Ready(Ok(())) };
        let Err(error) = tls.accept() else { return Poll::Ready(Ok(())) };
        match error.code() {
            ErrorCode::WANT_READ => ready!(stream.poll_readable(cx)),
            ErrorCode::WANT_WRITE => ready!(stream.poll_writable(cx)),
            _ => return Poll::Ready(Err(io_error(error))),
        }
    }
}

/// OpenSSL's error as one of I/O; both "want" codes are `WouldBlock`.
pub(super) fn io_error(error: openssl::ssl::Error) -> io::Error {
    match error.code() {
        ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => io::ErrorKind::WouldBlock.into(),
        _ => error.into_io_error().unwrap_or_else(io::Error::other),
    }
}

fn unix_seconds(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * 86_400 + i64::from(since.secs))
}

/// Whether a name of a certificate is, or stands for, this one.
fn covers(pattern: &str, name: &str) -> bool {
    let same = str::eq_ignore_ascii_case;
    let wild = |rest: &str| name.split_once('.').is_some_and(|(_, parent)| same(parent, rest));
    same(pattern, name) || pattern.strip_prefix("*.").is_some_and(wild)
}

fn names(leaf: &X509) -> Vec<String> {
    let all = leaf.subject_alt_names().into_iter().flatten();
    all.filter_map(|name| {
        let address = |bytes: &[u8]| match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
            _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        };
        let dns = name.dnsname().map(str::to_owned);
        dns.or_else(|| name.ipaddress().and_then(address).map(|ip| ip.to_string()))
    })
    .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

fn refuse_exposed(path: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata =
        fs::metadata(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o006 == 0 { Ok(()) } else { Err(TlsError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("chat.example", "Chat.Example"));
        assert!(covers("*.example", "chat.example"));
        assert!(!covers("*.example", "a.chat.example"));
        assert!(!covers("*.example", "example"));
    }
}
