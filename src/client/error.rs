//! What can go wrong for a client, and whether trying again can help.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::trust::TrustError;
use crate::protocol::event::Bye;
use crate::protocol::status::{Code, ErrorBody, Refusal};

/// Why a request was not done, or why there is no connection.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server said no, or the client's own check of the bounds did before anything was sent.
    #[error("{}", refused(.0))]
    Refused(Box<ErrorBody>),
    /// The connection was lost before the answer came; whether the request was done is unknown.
    #[error("the connection was lost before the answer came")]
    Disconnected,
    /// As many requests wait as the client keeps; see [`Client::try_submit`](super::Client::try_submit).
    #[error("too many requests are waiting already")]
    Full,
    /// The client has ended: by `logout`, or since the server will not have it back.
    #[error("the client has ended")]
    Ended,
    /// The server said goodbye.
    #[error("the server ended the session: {}", .0.text)]
    Bye(Box<Bye>),
    /// The server's certificate is not one to be trusted.
    #[error(transparent)]
    Trust(Arc<TrustError>),
    /// The TLS handshake failed.
    #[error("no TLS connection to {address}: {why}")]
    Tls {
        /// Whom the client called.
        address: String,
        /// What the TLS library says.
        why: String,
    },
    /// The server sent something that is not of this protocol.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
    /// Nothing was heard from the server for so long.
    #[error("the server has been silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// The server's address cannot be understood.
    #[error("{0:?} is not a server's address: HOST or HOST:PORT is expected")]
    Address(String),
    /// The operating system or the network failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system says.
        source: Arc<io::Error>,
    },
}

impl Error {
    pub(super) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source: Arc::new(source) }
    }

    /// The same refusal, saying what was refused.
    pub(super) fn about(mut self, what: &str) -> Self {
        if let Self::Refused(body) = &mut self {
            body.text = format!("{what}: {}", body.text);
        }
        self
    }

    /// The status code, if the server gave one that this version knows.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.verdict().and_then(|(number, _)| Code::from_number(number))
    }

    /// The number of the status code, and when to try again, in milliseconds.
    fn verdict(&self) -> Option<(u16, Option<u64>)> {
        if let Self::Refused(body) = self {
            return Some((body.code, body.retry_after_ms));
        }
        if let Self::Bye(bye) = self { Some((bye.code, bye.retry_after_ms)) } else { None }
    }

    /// How long to wait before trying again, if the server said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.verdict()?.1.map(Duration::from_millis)
    }

    /// Whether the same request can succeed later: limits, and a server in trouble.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Bye(_) => {
                self.verdict().is_some_and(|(number, _)| number >= 400)
            }
            Self::Disconnected | Self::Full | Self::Silent(_) | Self::Io { .. } => true,
            Self::Protocol(_) | Self::Tls { .. } => true,
            Self::Ended | Self::Trust(_) | Self::Address(_) => false,
        }
    }
}

/// The server's sentence, with what it suggests instead.
fn refused(body: &ErrorBody) -> String {
    let text = body.text.trim_end_matches('.');
    match &body.suggestion {
        Some(suggestion) => format!("{text} ({suggestion:?} would be accepted)"),
        None => text.to_owned(),
    }
}

impl From<ErrorBody> for Error {
    fn from(body: ErrorBody) -> Self {
        Self::Refused(Box::new(body))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.body().into()
    }
}

impl From<TrustError> for Error {
    fn from(error: TrustError) -> Self {
        Self::Trust(Arc::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_a_code_decides_whether_to_try_again() {
        for &code in Code::ALL {
            let error = Error::from(Refusal::from(code));
            assert_eq!(error.is_temporary(), code.class() >= 4, "{}", code.name());
        }
    }

    #[test]
    fn a_refusal_shows_what_would_be_accepted() {
        let refusal = Refusal::new(Code::NameTaken, "the name is taken.").suggest("bob2".into());
        assert_eq!(
            Error::from(refusal).to_string(),
            "the name is taken (\"bob2\" would be accepted)"
        );
    }
}
