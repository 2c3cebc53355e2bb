//! What ends a run: any error, or a failure that is told in one sentence.

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

/// Deliveries that never came: the one failure that a run reports as a figure.
#[derive(Debug, thiserror::Error)]
#[error("lost: {deliveries} deliveries and {answers} answers did not come")]
pub(crate) struct Lost {
    pub(crate) deliveries: u64,
    pub(crate) answers: u64,
}

/// A server that did what no server may: a run that is told so is worth nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Violation(String);

impl Violation {
    /// Boxed, as every failure of a run is.
    #[expect(clippy::new_ret_no_self, reason = "it is made to be returned as an error")]
    pub(crate) fn new(what: impl Into<String>) -> Box<dyn std::error::Error> {
        Box::new(Self(what.into()))
    }
}
