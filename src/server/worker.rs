//! One worker: the thread's actors, put into mailboxes that the others know already.

use std::rc::Rc;
use std::sync::Arc;

use actix::dev::channel::{AddressReceiver, channel};
use actix::{Actor, Addr, Context};
use parking_lot::RwLock;

use super::probe::Actors;
use crate::base::clock::Clock;
use crate::base::id::WorkerId;
use crate::base::limits::MAILBOX;
use crate::base::memory::{Ceiling, Gauge};
use crate::base::tally::Tally;
use crate::directory::actor::Rooms;
use crate::directory::mail::Orphan;
use crate::fanout::actor::Fanout;
use crate::fanout::shard::{Policy as OutboxPolicy, Shard};
use crate::mail;
use crate::reception::actor::Reception;
use crate::scheduler::actor::Scheduler;
use crate::scheduler::desk::Desk;
use crate::session::job::Job;
use crate::session::lane::actor::Caller;
use crate::session::router::{Policy as RouterPolicy, Router, Shared};
use crate::session::visit::Web;
use crate::session::worker::{Settings, Worker};
use crate::transport::tls::Identity;
use crate::web::{Door, Policy as WebPolicy, Site};

/// What every worker is made with.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) settings: Settings,
    pub(super) outbox: OutboxPolicy,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) identity: Arc<RwLock<Identity>>,
    pub(super) rooms: Addr<Rooms>,
    pub(super) shared: Shared,
    pub(super) routing: RouterPolicy,
    pub(super) tallies: Arc<[Arc<Tally>]>,
    pub(super) ceiling: Arc<Ceiling>,
    /// What the web may do, and whom it asks; none if it is not served.
    pub(super) web: Option<(Arc<RwLock<WebPolicy>>, Actors)>,
}

/// The mailboxes of a worker whose actors are not made yet.
pub(super) struct Mailboxes {
    fanout: AddressReceiver<Fanout>,
    reception: AddressReceiver<Reception>,
}

/// Where a worker's actors are reached.
pub(super) struct WorkerMail {
    pub(super) fanout: Addr<Fanout>,
    pub(super) reception: Addr<Reception>,
}

impl Mailboxes {
    /// Two empty mailboxes, and where they are reached.
    pub(super) fn new() -> (Self, WorkerMail) {
        let (fanout, fanout_mail) = channel(MAILBOX);
        let (reception, reception_mail) = channel(MAILBOX);
        let addresses = WorkerMail { fanout: Addr::new(fanout), reception: Addr::new(reception) };
        (Self { fanout: fanout_mail, reception: reception_mail }, addresses)
    }

    /// Makes the worker's actors, on its own thread.
    pub(super) fn inhabit(self, id: WorkerId, common: Common) {
        let Common { settings, outbox, clock, identity, rooms, shared, routing, .. } = common;
        let tallies = common.tallies;
        let tally = tallies.get(usize::from(id.0)).cloned().unwrap_or_default();
        let gauge = Gauge::new(common.ceiling, Arc::clone(&tallies), Some(usize::from(id.0)));
        let shard = Rc::new(Shard::new(id, outbox, clock, Arc::clone(&tally), gauge));

        let orphans = rooms.recipient();
        let orphaned = Box::new(move |room, session, reason| {
            // Bounded by the joins that are under way.
            mail::post(&orphans, Orphan { room, session, reason });
        });
        let fanout = Context::with_receiver(self.fanout);
        let fanout = fanout.run(Fanout::new(Rc::clone(&shard), orphaned));

        let own = fanout.recipient();
        let router = Rc::new(Router::new(Rc::clone(&shard), shared, own, routing));
        let desk = Rc::new(Desk::new(MAILBOX, tally));
        let work = Rc::clone(&router);
        let work = Box::new(move |job: Job| work.work(job));
        // The desk wakes it; nobody needs its address.
        drop(Scheduler::new(Rc::clone(&desk), work).start());

        let web = common.web.map(|(policy, actors)| {
            let site = Site::new(policy, Rc::new(actors), tallies);
            Rc::new(Door(Rc::new(site))) as Rc<dyn Web>
        });
        let worker = Rc::new(Worker::new(shard, desk, router, settings, identity, web));
        // The lane wakes it; nobody needs its address.
        drop(Caller::new(Rc::clone(&worker.lane)).start());
        let reception = Context::with_receiver(self.reception);
        drop(reception.run(Reception::new(worker)));
    }
}
