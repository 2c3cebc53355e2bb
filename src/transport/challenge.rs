//! Proofs for a certificate authority that this server answers at a name: tls-alpn-01 (RFC 8737).
//!
//! The authority opens a TLS connection, offers one protocol, `acme-tls/1`, and looks for the digest
//! that it expects in the certificate. Nobody else ever gets that certificate.

use std::collections::HashMap;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{NameType, SslRef};
use openssl::x509::X509;
use parking_lot::RwLock;
use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256};

/// The protocol that the authority offers.
pub const ALPN: &[u8] = b"acme-tls/1";
/// All that it offers, in the form of TLS.
const OFFERED: &[u8] = b"\x0aacme-tls/1";

/// Why no proof could be made.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The certificate cannot be made.
    #[error("the certificate of the proof cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// OpenSSL refuses it.
    #[error("OpenSSL refuses the certificate of the proof: {0}")]
    Load(#[from] ErrorStack),
}

/// A certificate that proves, with its key. It is ECDSA P-256 as all that the server makes itself:
/// TLS 1.2 has chosen the kind of key by the time that protocols are looked at.
struct Proof {
    certificate: X509,
    key: PKey<Private>,
}

/// The proofs that are awaited now; clones share them.
#[derive(Clone, Default)]
pub struct Challenges(Arc<RwLock<HashMap<String, Proof>>>);

impl std::fmt::Debug for Challenges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.read().keys()).finish()
    }
}

/// A proof that is given as long as this lives.
#[derive(Debug)]
pub struct Awaited {
    challenges: Challenges,
    name: String,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.challenges.0.write().remove(&self.name);
    }
}

impl Challenges {
    /// Proves `name` with this digest to whoever asks for a proof.
    pub fn prove(&self, name: &str, digest: &[u8; 32]) -> Result<Awaited, ProofError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = X509::from_der(params.self_signed(&pair)?.der())?;
        let key = PKey::private_key_from_pkcs8(&pair.serialize_der())?;
        let name = name.to_ascii_lowercase();
        self.0.write().insert(name.clone(), Proof { certificate, key });
        Ok(Awaited { challenges: self.clone(), name })
    }

    /// Whether somebody asks for a proof; then the handshake goes on with it, or fails if none is
    /// awaited for the name.
    pub(super) fn answer(&self, ssl: &mut SslRef, offered: &[u8]) -> Option<Result<(), ()>> {
        if offered != OFFERED {
            return None;
        }
        let name = ssl.servername(NameType::HOST_NAME).unwrap_or_default().to_ascii_lowercase();
        let awaited = self.0.read();
        let Some(proof) = awaited.get(&name) else { return Some(Err(())) };
        let set =
            ssl.set_certificate(&proof.certificate).and_then(|()| ssl.set_private_key(&proof.key));
        Some(set.map_err(drop))
    }
}
