//! The Reception actor, one per worker: takes connections in, and watches over the worker's sessions.
//!
//! **Receives** [`Arrived`] from the accept loop, [`Sweep`] from the Throttle, [`End`], [`Restore`] and
//! [`Follow`] from the Accounts, [`Known`] from the directory, [`Drain`] at shutdown,
//! [`Adopt`], [`Enforce`](crate::throttle::actor::Enforce), [`Sessions`], [`Outboxes`] and [`Kick`] from
//! those who run the server.
//! **Bound:** one `Arrived` for each permit, one `Sweep` per tick, one of the others per login or
//! room.

mod operate;
mod shed;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context, Handler, Message};
use tokio::time::{Instant, Sleep, sleep};

pub use self::operate::{Adopt, Because, Glimpse, Kick, Outboxes, Sessions, Waiting, Whom, Why};
use crate::account::mail::{End, Follow, Restore};
use crate::base::clock::Moment;
use crate::base::limits::{MAILBOX, SWEEP_PORTIONS, SWEEP_SESSIONS};
use crate::base::wheel::TICK;
use crate::directory::mail::{Goal, Known};
use crate::fanout::link::{Framing, Link};
use crate::protocol::codec;
use crate::protocol::event::{Event, LeaveReason, ServerPing};
use crate::protocol::status::{Code, Refusal};
use crate::room::mail::Action;
use crate::session::actor::Session;
use crate::session::deadline::{Due, Facts, look};
use crate::session::lane::Approach;
use crate::session::worker::Worker;
use crate::throttle::actor::Sweep;
use crate::throttle::bans::Bans;
use crate::throttle::permit::Permit;
use crate::transport::{Socket, Stream};

/// A connection came.
#[derive(Debug)]
pub struct Arrived {
    /// Its socket, in non-blocking mode.
    pub stream: TcpStream,
    /// Where from.
    pub peer: SocketAddr,
    /// The right to be connected.
    pub permit: Permit,
    /// Why it is only to be told that it is not admitted.
    pub denied: Option<Refusal>,
    /// When it connected, if that is a while ago.
    pub since: Option<Moment>,
    /// Its part of those who may be on their way.
    pub approach: Option<Approach>,
}

impl Message for Arrived {
    type Result = ();
}

/// The server is going away: every session is told, and ends.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// When clients may try again, at the earliest.
    pub retry_after: Duration,
}

impl Message for Drain {
    type Result = ();
}

/// The actor.
pub struct Reception {
    worker: Rc<Worker>,
    bans: Arc<Bans>,
    draining: bool,
    /// Whose deadlines have come, and are to be looked at.
    due: VecDeque<Rc<Link>>,
    /// So many of them at a time, at such distances.
    portion: usize,
    pause: Duration,
}

impl Reception {
    /// The reception of a worker.
    pub fn new(worker: Rc<Worker>) -> Self {
        Self {
            worker,
            bans: Arc::default(),
            draining: false,
            due: VecDeque::new(),
            portion: SWEEP_SESSIONS,
            pause: TICK,
        }
    }

    /// Looks at a few of those whose deadlines have come; whether there are more.
    fn sweep(&mut self) -> bool {
        let (shard, timeouts) = (&self.worker.shard, self.worker.settings().timeouts);
        let now = shard.now();
        for link in self.due.drain(..self.due.len().min(self.portion)) {
            match look(&facts(&link, now), &timeouts, now) {
                Due::Wait(next) => shard.arm(&link, next),
                Due::Ping(next) => {
                    link.pinged.set(true);
                    shard.send(&link, codec::event_frame(&Event::Ping(ServerPing {})));
                    shard.arm(&link, next);
                }
                Due::End(reason, refusal) if link.spoke.get() => {
                    shard.close(&link, reason, &refusal, link.named.get());
                }
                Due::End(..) => shard.lose(&link),
                Due::Slow => shard.close_slow(&link),
                Due::Cut => {
                    shard.lose(&link);
                    link.cut();
                }
            }
        }
        !self.due.is_empty()
    }
}

/// Looks at all whose deadlines have come, all over the tick: thousands that are closed in one moment would be
/// felt by those who come or chat in the same moment.
struct Sweeping(Pin<Box<Sleep>>);

impl ActorFuture<Reception> for Sweeping {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        reception: &mut Reception,
        _: &mut Context<Reception>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let rest = &mut self.get_mut().0;
        loop {
            ready!(rest.as_mut().poll(cx));
            if !reception.sweep() {
                return Poll::Ready(());
            }
            rest.as_mut().reset(Instant::now() + reception.pause);
        }
    }
}

/// How many of so many to look at in one go, and how long to rest then, to be done with the tick.
fn spread(due: usize) -> (usize, Duration) {
    let portions = due.div_ceil(SWEEP_SESSIONS).clamp(1, SWEEP_PORTIONS);
    (due.div_ceil(portions), TICK / u32::try_from(portions).unwrap_or(1))
}

fn facts(link: &Link, now: Moment) -> Facts {
    let waited = link.waiting_since(now);
    let stalled = link.is_blocked().then(|| {
        let waited = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        Moment(now.0.saturating_sub(waited))
    });
    Facts {
        since: link.since.get(),
        visits: link.framing() == Framing::Http,
        heard: link.heard.get(),
        asked: link.asked.get(),
        named: link.named.get(),
        pinged: link.pinged.get(),
        stalled,
        closing: link.closing_since(),
    }
}

impl Actor for Reception {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Arrived> for Reception {
    type Result = ();

    fn handle(&mut self, arrived: Arrived, _: &mut Self::Context) {
        let Arrived { stream, peer, permit, denied, since, approach } = arrived;
        if let Some(approach) = approach {
            self.worker.lane.come(approach);
        }
        if self.draining {
            return;
        }
        // It may have been banned while it was on its way here.
        if self.bans.address(peer.ip(), self.worker.shard.unix_ms()).is_some() {
            return;
        }
        let socket = match tokio::net::TcpStream::from_std(stream) {
            Ok(socket) => Socket(socket),
            Err(error) => {
                log::warn!(peer:% = peer, error:% = error; "a connection cannot be taken in");
                return;
            }
        };
        let link = self.worker.shard.insert(Stream::Plain(socket), peer);
        if let Some(since) = since {
            link.since.set(since);
        }
        log::debug!(session:% = link.id(), peer:% = peer; "connected");
        Session::new(Rc::clone(&self.worker), link, permit, denied).start();
    }
}

impl Handler<Sweep> for Reception {
    type Result = ();

    fn handle(&mut self, sweep: Sweep, ctx: &mut Self::Context) {
        let sweeps = !self.due.is_empty();
        self.due.extend(self.worker.shard.due(sweep.0));
        (self.portion, self.pause) = spread(self.due.len());
        if !sweeps && self.sweep() {
            ctx.spawn(Sweeping(Box::pin(sleep(self.pause))));
        }
        self.shed();
    }
}

impl Handler<End> for Reception {
    type Result = ();

    fn handle(&mut self, end: End, _: &mut Self::Context) {
        if let Some(link) = self.worker.shard.link(end.session) {
            self.worker.shard.close(&link, end.reason, &end.bye, false);
        }
    }
}

impl Handler<Follow> for Reception {
    type Result = ();

    fn handle(&mut self, follow: Follow, _: &mut Self::Context) {
        let goal = Goal::Ask(follow.room, Action::Join);
        self.worker.router.bring(follow.session, &follow.who, goal);
    }
}

impl Handler<Restore> for Reception {
    type Result = ();

    fn handle(&mut self, restore: Restore, _: &mut Self::Context) {
        self.worker.router.bring(restore.session, &restore.who, Goal::Return(restore.rooms));
    }
}

impl Handler<Known> for Reception {
    type Result = ();

    fn handle(&mut self, known: Known, _: &mut Self::Context) {
        self.worker.router.learn(known);
    }
}

impl Handler<Drain> for Reception {
    type Result = ();

    fn handle(&mut self, drain: Drain, _: &mut Self::Context) {
        self.draining = true;
        for link in self.worker.shard.all() {
            if link.spoke.get() {
                // Spread, so that they do not all come back in the same moment.
                let wait = drain.retry_after.mul_f64(1.0 + rand::random::<f64>());
                let bye = Refusal::from(Code::GoingAway).retry_after(wait);
                self.worker.shard.close(&link, LeaveReason::Shutdown, &bye, link.named.get());
            } else {
                self.worker.shard.lose(&link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_looked_at_at_once_and_thousands_all_over_the_tick() {
        assert_eq!(spread(0), (0, TICK));
        assert_eq!(spread(SWEEP_SESSIONS), (SWEEP_SESSIONS, TICK));
        for due in [SWEEP_SESSIONS + 1, 399, 401, 1_250, 18_000] {
            let (portion, pause) = spread(due);
            let rests = u32::try_from(due.div_ceil(portion) - 1).unwrap();
            assert!(pause * rests < TICK && pause * rests * 2 >= TICK, "{due} in {portion}");
            assert!(pause >= TICK / 50, "{due}: {pause:?}");
        }
    }
}
