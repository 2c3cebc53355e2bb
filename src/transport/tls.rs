//! Whom the server is by TLS: its certificate, its key, and what it agrees to. That is 1.2 and 1.3, with
//! forward secrecy and authenticated ciphers only: all that rustls has. Why it is that: docs/decisions/0013.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::X509;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::NoServerSessionStorage;
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::challenge::{self, Challenges};
use super::sealed::Sealed;
use super::{Socket, Stream};

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
    /// Such keys are not used.
    #[error("the key {} cannot be used (RSA of 2048 to 4096 bits, P-256, P-384 and Ed25519 can): {source}", path.display())]
    Unusable {
        /// The key's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The certificate cannot be looked at.
    #[error("the certificate cannot be read: {0}")]
    Certificate(#[from] ErrorStack),
    /// The rest is refused.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// What a handshake needs, and what people pin.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
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
    /// protocols that are spoken within, the preferred one first. Who asks for a proof of `challenges` gets
    /// that instead. Both may lie in one file.
    pub fn load(
        certificate: &Path,
        key: &Path,
        alpn: &[&str],
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
        let leaf = chain.first().ok_or_else(|| TlsError::Empty(certificate.to_owned()))?;
        if !leaf.public_key()?.public_eq(&private) {
            return Err(TlsError::Mismatch { certificate: certificate.into(), key: key.into() });
        }

        let provider = Arc::new(ring::default_provider());
        let unusable = |source| TlsError::Unusable { path: key.to_owned(), source };
        let pkcs8 = PrivatePkcs8KeyDer::from(private.private_key_to_pkcs8()?);
        let signing = provider.key_provider.load_private_key(pkcs8.into()).map_err(unusable)?;
        let der = chain.iter().map(|one| Ok(one.to_der()?.into()));
        let own = CertifiedKey::new(der.collect::<Result<_, ErrorStack>>()?, signing);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(challenge::Certificates::new(own, challenges)));
        // Tickets carry the session; a cache here would only cost memory.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = ring::Ticketer::new()?;
        config.send_tls13_tickets = 1;
        let protocols = alpn.iter().map(|protocol| protocol.as_bytes());
        config.alpn_protocols = protocols.chain([challenge::ALPN]).map(<[u8]>::to_vec).collect();
        let digest = leaf.digest(MessageDigest::sha256())?;
        let fingerprint = super::certificate::hex(&digest);
        let [begins, expires] = [unix_seconds(leaf.not_before())?, unix_seconds(leaf.not_after())?];
        Ok(Self { config: Arc::new(config), fingerprint, begins, expires, names: names(leaf) })
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

    /// Begins a handshake on `socket`, of which `greeting` was read already.
    pub fn begin(&self, socket: Socket, greeting: &[u8]) -> io::Result<Stream> {
        let sealed = Sealed::begin(Arc::clone(&self.config), socket, greeting)?;
        Ok(Stream::Tls(Box::new(sealed)))
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
