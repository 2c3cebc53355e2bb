//! The Session actor, one per connection: reads, decides, hands in, says goodbye.
//!
//! **Receives** [`Outcome`] from the Accounts. Its socket it reads itself, in a future of its own; no
//! delivery ever passes through its mailbox.
//! **Sends** requests through the desk of its worker.
//! **Bound:** at most the advertised number of requests unanswered; then it stops reading, and TCP
//! slows the sender. One read per turn, then others have theirs.
//!
//! A panic ends this session only: all of its code runs contained, and dropping it leaves its rooms
//! and gives back its name.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, ready};

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler};

use super::connection::Connection;
use super::worker::Worker;
use crate::account::mail::Outcome;
use crate::base::isolation::contain;
use crate::fanout::link::Link;
use crate::protocol::status::Refusal;
use crate::throttle::permit::Permit;

/// The actor.
pub struct Session {
    connection: Connection,
}

impl Session {
    /// A session on a connection that was just taken in.
    pub fn new(
        worker: Rc<Worker>,
        link: Rc<Link>,
        permit: Permit,
        denied: Option<Refusal>,
    ) -> Self {
        Self { connection: Connection::new(worker, link, permit, denied) }
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.connection.begin();
        ctx.spawn(Talk);
    }
}

impl Handler<Outcome> for Session {
    type Result = ();

    fn handle(&mut self, outcome: Outcome, _: &mut Self::Context) {
        contain(|| self.connection.told(outcome));
    }
}

/// The session's life as a future in its own context.
struct Talk;

impl ActorFuture<Session> for Talk {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        ctx: &mut Context<Session>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let answer = || ctx.address().recipient();
        ready!(contain(|| session.connection.poll(&answer, cx)));
        ctx.stop();
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands of sessions idle: with 8 bytes more the task of each takes 640 bytes, and not 512.
    #[test]
    fn a_session_is_small() {
        assert!(size_of::<Session>() <= 72, "{}", size_of::<Session>());
        assert!(size_of::<Link>() <= 320, "{}", size_of::<Link>());
    }
}
