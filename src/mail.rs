//! Sending to an actor: the only two ways.
//!
//! actix's own `do_send` ignores the bound of a mailbox, and its bound counts per sender. So what may
//! come in any number is [`offer`]ed and may be refused; what is bounded by construction is
//! [`post`]ed and cannot get lost.

use actix::dev::{Message, SendError};

/// Where an actor is reached for one kind of message.
pub type Mailbox<M> = actix::Recipient<M>;

/// Why an actor did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undelivered {
    /// Its mailbox is full.
    Full,
    /// It is gone.
    Gone,
}

/// Sends a request of a client: a full mailbox refuses it, and the client is told `busy`.
pub fn offer<M>(to: &Mailbox<M>, message: M) -> Result<(), (Undelivered, M)>
where
    M: Message + Send,
    M::Result: Send,
{
    to.try_send(message).map_err(|refused| match refused {
        SendError::Full(message) => (Undelivered::Full, message),
        SendError::Closed(message) => (Undelivered::Gone, message),
    })
}

/// Sends what must arrive. Its number is bounded by something else, which the caller names: the
/// credit of sessions for everything that answers a request, the number of sessions and rooms for
/// what belongs to their life. An actor that is gone takes nothing: the process is ending.
#[expect(clippy::disallowed_methods, reason = "the one place where the bound is kept otherwise")]
pub fn post<M>(to: &Mailbox<M>, message: M)
where
    M: Message + Send,
    M::Result: Send,
{
    to.do_send(message);
}
