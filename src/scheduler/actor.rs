//! The Scheduler actor, one per worker: does the requests that wait, in fair order.
//!
//! **Receives** nothing by mail: sessions of the same worker hand in at the [`Desk`] and wake it.
//! **Bound:** the desk's queue; a full one refuses. A turn does a bounded number of jobs.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context};

use super::desk::Desk;
use crate::base::limits::SCHEDULER_JOBS;
use crate::transport::turn::Portion;

/// The actor.
pub struct Scheduler<J> {
    desk: Rc<Desk<J>>,
    work: Box<dyn Fn(J)>,
}

impl<J: 'static> Scheduler<J> {
    /// The Scheduler of `desk`, which does each job by `work`.
    pub fn new(desk: Rc<Desk<J>>, work: Box<dyn Fn(J)>) -> Self {
        Self { desk, work }
    }
}

impl<J: 'static> Actor for Scheduler<J> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Turn(Portion::new(SCHEDULER_JOBS)));
    }
}

struct Turn(Portion);

impl<J: 'static> ActorFuture<Scheduler<J>> for Turn {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        scheduler: &mut Scheduler<J>,
        _: &mut Context<Scheduler<J>>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        scheduler.desk.begin_turn(cx.waker());
        let jobs = std::iter::from_fn(|| scheduler.desk.take()).take(self.0.left());
        let done = jobs.map(&scheduler.work).count();
        // The rest in the next turn.
        self.0.take(done, !scheduler.desk.is_empty(), cx);
        Poll::Pending
    }
}
