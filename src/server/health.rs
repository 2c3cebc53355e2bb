//! What the server as a whole counts, besides what its workers and its storage do.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::base::histogram::Histogram;
use crate::base::tally::Count;
use crate::transport::tls::Identity;

/// Written on the main thread.
#[derive(Debug)]
pub struct Health {
    /// How long a round through everything took.
    pub pulse: Histogram,
    /// Reloads that were applied.
    pub reloads: Count,
    /// Reloads that were refused.
    pub reloads_refused: Count,
    /// Certificates that an authority gave.
    pub certificates: Count,
    /// Attempts to get one that failed.
    pub certificates_failed: Count,
    /// The certificate.
    pub identity: Arc<RwLock<Identity>>,
    /// When the server started, in seconds since 1970.
    pub started: u64,
}

impl Health {
    /// Of a server that starts now.
    #[must_use]
    pub fn new(identity: Arc<RwLock<Identity>>, started: u64) -> Self {
        Self {
            pulse: Histogram::default(),
            reloads: Count::default(),
            reloads_refused: Count::default(),
            certificates: Count::default(),
            certificates_failed: Count::default(),
            identity,
            started,
        }
    }
}
