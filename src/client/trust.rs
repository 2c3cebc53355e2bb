//! Whom to believe: what must hold of a server's certificate, and what is said when it does not.
//!
//! In this order: a fingerprint given by the caller; what is remembered of the server; the
//! authorities (the system's, and a given one); for a server never seen before, the caller's
//! decision, which is remembered. Nothing weaker is tried after something stronger has spoken.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pin::{Fingerprint, KnownServers, Pin};

/// A server that is seen for the first time, and that no authority vouches for.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnknownServer {
    /// The server, as `host:port`.
    pub server: String,
    /// Its certificate.
    pub fingerprint: Fingerprint,
    /// Why no authority vouches for it.
    pub why: String,
    /// Where the decision will be remembered.
    pub known_servers: Option<PathBuf>,
}

/// Decides about an [`UnknownServer`]; `true` is to trust it.
pub(super) type Decide = Arc<dyn Fn(&UnknownServer) -> bool + Send + Sync>;

/// Why a server's certificate is not trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It is not the one that is remembered.
    #[error("{}", changed(.server, *.seen, .known, .file))]
    Changed {
        /// The server, as `host:port`.
        server: String,
        /// What it shows now.
        seen: Fingerprint,
        /// What is remembered.
        known: Vec<Pin>,
        /// Where.
        file: PathBuf,
    },
    /// It is not the one that the caller gave.
    #[error("the certificate of {server} is {seen}, not {wanted}, which was asked for")]
    Fingerprint {
        /// The server, as `host:port`.
        server: String,
        /// What it shows.
        seen: Fingerprint,
        /// What was asked for.
        wanted: Fingerprint,
    },
    /// Nobody vouches for it, and the caller did not decide to trust it.
    #[error(
        "{server} is not known and no authority vouches for it ({why}); \
         its certificate is {fingerprint}: if its operator confirms that, give this fingerprint"
    )]
    Unknown {
        /// The server, as `host:port`.
        server: String,
        /// What it shows.
        fingerprint: Fingerprint,
        /// Why no authority vouches for it.
        why: String,
    },
    /// What is remembered cannot be read, or not be written.
    #[error("known servers, {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate of the given authority cannot be read.
    #[error("certificate authority, {}: {why}", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

fn changed(server: &str, seen: Fingerprint, known: &[Pin], file: &Path) -> String {
    let file = file.display();
    let line =
        |pin: &Pin| format!("  known is   {}  ({file}, line {})\n", pin.fingerprint, pin.line);
    let known: String = known.iter().map(line).collect();
    format!(
        "THE CERTIFICATE OF {server} IS NOT THE ONE THAT IS KNOWN.\n  \
         it shows   {seen}\n{known}\
         Either the server has a new certificate, or somebody stands between you and it.\n\
         Nothing was sent. Ask the server's operator for the fingerprint; if it is the one that\n\
         {server} shows, delete the line in {file} and connect again."
    )
}

/// What the caller asked for.
#[derive(Clone)]
pub(super) struct Trust {
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) authority: Option<PathBuf>,
    pub(super) known: Option<KnownServers>,
    pub(super) decide: Option<Decide>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fingerprint, authority, known, decide } = self;
        f.debug_struct("Trust")
            .field("fingerprint", fingerprint)
            .field("authority", authority)
            .field("known", known)
            .field("decide", &decide.is_some())
            .finish()
    }
}

/// What must hold of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Demand {
    /// It is this one, which the caller gave.
    Given(Fingerprint),
    /// It is one of these.
    Known(Vec<Pin>),
    /// An authority vouches for it, or it is decided about.
    Vouched,
}

impl Trust {
    /// What must hold of the certificate of `server`.
    pub(super) fn demand(&self, server: &str) -> Result<Demand, TrustError> {
        if let Some(fingerprint) = self.fingerprint {
            return Ok(Demand::Given(fingerprint));
        }
        let Some(known) = &self.known else { return Ok(Demand::Vouched) };
        let pins = known.pins(server).map_err(|source| file_error(known, source))?;
        Ok(if pins.is_empty() { Demand::Vouched } else { Demand::Known(pins) })
    }

    /// Compares the certificate with the demand.
    pub(super) fn check(
        &self,
        demand: &Demand,
        server: &str,
        seen: Fingerprint,
    ) -> Result<(), TrustError> {
        match demand {
            Demand::Given(wanted) if *wanted == seen => Ok(()),
            Demand::Given(wanted) => {
                Err(TrustError::Fingerprint { server: server.into(), seen, wanted: *wanted })
            }
            Demand::Known(pins) if pins.iter().any(|pin| pin.fingerprint == seen) => Ok(()),
            Demand::Known(pins) => Err(TrustError::Changed {
                server: server.into(),
                seen,
                known: pins.clone(),
                file: self.known.as_ref().map(|known| known.path().into()).unwrap_or_default(),
            }),
            Demand::Vouched => Ok(()),
        }
    }

    /// Has an unknown server decided about, and remembers the decision.
    pub(super) fn decide(
        &self,
        server: &str,
        fingerprint: Fingerprint,
        why: String,
    ) -> Result<Pin, TrustError> {
        let known_servers = self.known.as_ref().map(|known| known.path().into());
        let unknown = UnknownServer { server: server.into(), fingerprint, why, known_servers };
        if !self.decide.as_ref().is_some_and(|decide| decide(&unknown)) {
            let UnknownServer { server, fingerprint, why, .. } = unknown;
            return Err(TrustError::Unknown { server, fingerprint, why });
        }
        if let Some(known) = &self.known {
            let remembered = known.remember(server, fingerprint);
            remembered.map_err(|source| file_error(known, source))?;
        }
        Ok(Pin { line: 0, fingerprint })
    }
}

fn file_error(known: &KnownServers, source: io::Error) -> TrustError {
    TrustError::File { file: known.path().into(), source }
}
