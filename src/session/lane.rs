//! Who comes last in a worker's turn: strangers, and those whose session ends. They go on a few at a
//! time, and between two portions the worker looks at all of its sockets again, so that whoever chats
//! waits for a few of them and never for the thousand that have come, or are cut, in one moment.
//!
//! **Receives** nothing by mail: sessions of the same worker ask the [`Lane`], and it wakes its [`Caller`].
//! **Owns:** a place for each session that waits.
//! **Bound:** one place for each session, and [`LANE_SESSIONS`] connections on their way to this worker;
//! further ones wait in the listening socket.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::limits::LANE_SESSIONS;
use crate::fanout::link::{Link, Turn};
use crate::transport::turn::come_again;

/// The part that a connection on its way to the worker has, until the lane has had a turn.
pub type Approach = OwnedSemaphorePermit;

/// How many connections may be on their way to one worker.
#[derive(Debug, Clone)]
pub struct Approaches(Arc<Semaphore>);

impl Default for Approaches {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LANE_SESSIONS)))
    }
}

impl Approaches {
    /// Waits until one more may come.
    pub async fn next(&self) -> Option<Approach> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }

    /// Whether one more may come now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.0.available_permits() > 0
    }
}

/// The lane of one worker.
#[derive(Debug)]
pub struct Lane {
    /// How many may still go on in this turn.
    left: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<Link>>>,
    /// Those who have come in this turn.
    come: RefCell<Vec<Approach>>,
    caller: RefCell<Option<Waker>>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            left: Cell::new(LANE_SESSIONS),
            waiting: RefCell::default(),
            come: RefCell::default(),
            caller: RefCell::default(),
        }
    }
}

impl Lane {
    /// Whether a session may go on now; if not, its task is woken when it may.
    pub(super) fn pass(&self, link: &Rc<Link>) -> bool {
        match link.turn.get() {
            Turn::Given => link.turn.set(Turn::Unasked),
            Turn::Awaited => return false,
            Turn::Unasked if self.left.get() > 0 => self.left.set(self.left.get() - 1),
            Turn::Unasked => {
                link.turn.set(Turn::Awaited);
                self.waiting.borrow_mut().push_back(Rc::clone(link));
                self.wake();
                return false;
            }
        }
        true
    }

    /// A connection has come; the next one may when the lane has had a turn.
    pub fn come(&self, approach: Approach) {
        self.come.borrow_mut().push(approach);
        self.wake();
    }

    /// Begins a turn: calls those who have waited longest.
    fn call(&self) {
        self.come.borrow_mut().clear();
        let mut waiting = self.waiting.borrow_mut();
        let called = waiting.len().min(LANE_SESSIONS);
        self.left.set(LANE_SESSIONS - called);
        for link in waiting.drain(..called) {
            link.turn.set(Turn::Given);
            link.wake();
        }
    }

    /// Whether anybody waits for a turn; if not, the caller is woken when somebody does.
    fn is_wanted(&self, cx: &TaskContext<'_>) -> bool {
        let wanted = !self.waiting.borrow().is_empty() || !self.come.borrow().is_empty();
        *self.caller.borrow_mut() = (!wanted).then(|| cx.waker().clone());
        wanted
    }

    fn wake(&self) {
        if let Some(caller) = self.caller.take() {
            caller.wake();
        }
    }
}

/// The actor that begins the turns of a lane: each when the worker has looked at its sockets.
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
