//! The Fanout actor, one per worker: takes what rooms send, and writes to sockets.
//!
//! **Receives** [`Deliver`] from rooms. **Sends** nothing to actors: no delivery ever passes through
//! a session's mailbox.
//! **Bound:** deliveries answer requests, and sessions have a bounded credit of those; so rooms
//! [`post`](crate::mail::post) them. An outbox over its bound ends its session as a slow consumer.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context, Handler, Message};
use bytes::Bytes;

use super::shard::Shard;
use crate::base::id::{RoomId, SessionId};
use crate::base::limits::{FLUSH_SOCKETS, MAILBOX};
use crate::protocol::event::LeaveReason;
use crate::transport::turn::Portion;

/// What one room has for the links of one worker, in order.
#[derive(Debug)]
pub struct Deliver {
    /// The room.
    pub room: RoomId,
    /// What is to be done.
    pub steps: Vec<Step>,
}

/// One step of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Frames for every link that is in the room.
    Broadcast(Bytes),
    /// The link is in the room from here on.
    Attach(SessionId),
    /// The link is not in the room any more.
    Detach(SessionId),
    /// The answer to a request.
    Respond(SessionId, Bytes),
    /// Frames for one link.
    Send(SessionId, Bytes),
}

impl Message for Deliver {
    type Result = ();
}

/// Told when a session that a room has let in is gone: the room must let it go.
pub type Orphaned = Box<dyn Fn(RoomId, SessionId, LeaveReason)>;

/// The actor.
pub struct Fanout {
    shard: Rc<Shard>,
    orphaned: Orphaned,
}

impl Fanout {
    /// The Fanout of `shard`.
    pub fn new(shard: Rc<Shard>, orphaned: Orphaned) -> Self {
        Self { shard, orphaned }
    }

    fn step(&self, room: RoomId, step: Step) {
        match step {
            Step::Broadcast(frames) => self.shard.broadcast(room, &frames),
            Step::Attach(session) => {
                if !self.shard.attach(room, session) {
                    let reason = self.shard.link(session).and_then(|link| link.closing());
                    (self.orphaned)(room, session, reason.unwrap_or(LeaveReason::Lost));
                }
            }
            Step::Detach(session) => self.shard.detach(room, session),
            Step::Respond(session, frames) => {
                if let Some(link) = self.shard.link(session) {
                    self.shard.respond(&link, frames);
                }
            }
            Step::Send(session, frames) => {
                if let Some(link) = self.shard.link(session) {
                    self.shard.send(&link, frames);
                }
            }
        }
    }
}

impl Actor for Fanout {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.spawn(Flush(Portion::new(FLUSH_SOCKETS)));
    }
}

impl Handler<Deliver> for Fanout {
    type Result = ();

    fn handle(&mut self, delivery: Deliver, _: &mut Self::Context) {
        for step in delivery.steps {
            self.step(delivery.room, step);
        }
    }
}

/// The cork: actix polls it after each drain of the mailbox, so whatever came together goes out
/// together, without a timer.
struct Flush(Portion);

impl ActorFuture<Fanout> for Flush {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        fanout: &mut Fanout,
        _: &mut Context<Fanout>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        fanout.shard.watch(cx.waker());
        // The rest in the next turn: others have waited long enough. So do those who come last, whatever
        // there is for them: the answers to a greeting, a login and a join go out together.
        let left = self.0.left();
        let flushed = fanout.shard.flush(left, self.0.begins());
        self.0.take(flushed, fanout.shard.has_dirty(), cx);
        Poll::Pending
    }
}
