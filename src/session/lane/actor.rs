//! The Caller actor, one per worker: begins the turns of its lane, each when the worker has looked at its
//! sockets.
//!
//! **Receives** nothing by mail: who asks the [`Lane`] wakes it.
//! **Bound:** a turn calls a bounded number of sessions.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context};

use super::Lane;
use crate::transport::turn::come_again;

/// The actor.
pub struct Caller {
    lane: Rc<Lane>,
    /// Whether it is woken by that look, and not by somebody who waits.
    looks: bool,
}

impl Caller {
    /// The caller of this lane.
    pub fn new(lane: Rc<Lane>) -> Self {
        Self { lane, looks: false }
    }
}

impl Actor for Caller {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Turns);
    }
}

struct Turns;

impl ActorFuture<Caller> for Turns {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        caller: &mut Caller,
        _: &mut Context<Caller>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        if caller.looks {
            caller.lane.call();
        }
        caller.looks = caller.lane.is_wanted(cx);
        if caller.looks {
            come_again(cx);
        }
        Poll::Pending
    }
}
