//! The load generator and all that it needs. `README.md` beside `fanout.rs` tells how to read its
//! figures.
//!
//! ```text
//! storm · idle · paste      one workload each
//! chat ── ledger            what is said, and who has received it
//! swarm ── link · frames    all clients on one epoll; one connection; the bytes
//! server ── relay           what is measured, as a process of its own
//! options · report · machine
//! ```

pub(crate) mod options;
pub(crate) mod relay;
pub(crate) mod report;
pub(crate) mod server;
pub(crate) mod swarm;

pub(crate) mod idle;
pub(crate) mod machine;
pub(crate) mod paste;
pub(crate) mod storm;

mod chat;
mod frames;
mod ledger;
mod link;

/// Whatever ends a run.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A failure that is told in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    /// Boxed, as every failure of a run is.
    #[expect(clippy::new_ret_no_self, reason = "it is made to be returned as an error")]
    pub(crate) fn new(what: impl Into<String>) -> Box<dyn std::error::Error> {
        Box::new(Self(what.into()))
    }
}
