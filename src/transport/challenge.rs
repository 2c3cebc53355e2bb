//! Proofs for a certificate authority that this server answers at a name: tls-alpn-01 (RFC 8737).
//!
//! The authority opens a TLS connection, offers one protocol, `acme-tls/1`, and looks for the digest
//! that it expects in the certificate. Nobody else ever gets that certificate.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivatePkcs8KeyDer;

/// The protocol that the authority offers.
pub const ALPN: &[u8] = b"acme-tls/1";

/// Why no proof could be made.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The certificate cannot be made.
    #[error("the certificate of the proof cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// It cannot be used.
    #[error("the certificate of the proof cannot be used: {0}")]
    Load(#[from] rustls::Error),
}

/// The proofs that are awaited now; clones share them.
#[derive(Clone, Default)]
pub struct Challenges(Arc<RwLock<HashMap<String, Arc<CertifiedKey>>>>);

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
        let certificate = params.self_signed(&pair)?.der().clone();
        let key = PrivatePkcs8KeyDer::from(pair.serialize_der()).into();
        // Its extension is one that no client but an authority would take, so it is not looked at here.
        let key = ring::default_provider().key_provider.load_private_key(key)?;
        let proof = CertifiedKey::new(vec![certificate], key);
        let name = name.to_ascii_lowercase();
        self.0.write().insert(name.clone(), Arc::new(proof));
        Ok(Awaited { challenges: self.clone(), name })
    }
}

/// What clients are shown: the server's own certificate, or the proof that they ask for.
#[derive(Debug)]
pub(super) struct Certificates {
    own: Arc<CertifiedKey>,
    challenges: Challenges,
}

impl Certificates {
    pub(super) fn new(own: CertifiedKey, challenges: &Challenges) -> Self {
        Self { own: Arc::new(own), challenges: challenges.clone() }
    }
}

impl ResolvesServerCert for Certificates {
    /// Who offers nothing but the proofs' protocol asks for one; none is awaited for other names, and the
    /// handshake fails.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if !hello.alpn().is_some_and(|mut offered| offered.all(|protocol| protocol == ALPN)) {
            return Some(Arc::clone(&self.own));
        }
        let name = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        self.challenges.0.read().get(&name).cloned()
    }
}
