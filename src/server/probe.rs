//! Asking the server's own actors how they are, on behalf of the web and the watchdog.

use std::sync::Arc;

use actix::{Addr, Recipient};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::health::Health;
use super::logger;
use crate::account::mail::Find;
use crate::base::id::{AccountId, SessionId, WorkerId};
use crate::base::name::{Identity, UserName};
use crate::directory::actor::Rooms;
use crate::directory::mail::{Look, Seen};
use crate::reception::actor::{Outboxes, Reception, Waiting};
use crate::room::mail::{Action, Ask};
use crate::store::Store;
use crate::throttle::actor::{self as ask, Count, Throttle};
use crate::web::Probe;
use crate::web::metrics::Survey;

/// Asks the Throttle, the names, the directory, one of the rooms, and the storage.
#[derive(Clone)]
pub(super) struct Actors {
    throttle: Addr<Throttle>,
    rooms: Addr<Rooms>,
    names: Recipient<Find>,
    receptions: Arc<[Addr<Reception>]>,
    store: Arc<dyn Store>,
    health: Arc<Health>,
}

impl Actors {
    pub(super) fn new(
        throttle: Addr<Throttle>,
        rooms: Addr<Rooms>,
        names: Recipient<Find>,
        receptions: Arc<[Addr<Reception>]>,
        store: Arc<dyn Store>,
        health: Arc<Health>,
    ) -> Self {
        Self { throttle, rooms, names, receptions, store, health }
    }

    /// What the server as a whole knows of itself.
    pub(super) async fn look_around(&self) -> Survey {
        let mut waiting = Waiting::default();
        for reception in self.receptions.iter() {
            waiting = waiting.plus(reception.send(Outboxes).await.unwrap_or_default());
        }
        Survey {
            fill: self.throttle.send(ask::Survey).await.unwrap_or_default(),
            rooms: self.rooms.send(Look).await.map_or((0, 0), |seen| (seen.rooms, seen.most)),
            waiting,
            store: self.store.vitals(),
            pulse: self.health.pulse.spread(),
            reloads: self.health.reloads.get(),
            reloads_refused: self.health.reloads_refused.get(),
            certificates: self.health.certificates.get(),
            certificates_failed: self.health.certificates_failed.get(),
            certificate_expires: self.health.identity.read().expires(),
            started: self.health.started,
            log: logger::counts(),
        }
    }
}

impl Probe for Actors {
    fn ready(&self) -> LocalBoxFuture<'static, Result<(), &'static str>> {
        let Self { throttle, rooms, names, store, .. } = self.clone();
        async move {
            throttle.send(Count).await.map_err(|_| "the throttle is gone")?;
            let Seen { any, .. } = rooms.send(Look).await.map_err(|_| "the directory is gone")?;
            let name = UserName::parse("readyz").map_err(|_| "no name to ask with")?;
            names
                .send(Find { name, answer: Box::new(drop) })
                .await
                .map_err(|_| "names are gone")?;
            // A server without rooms is ready too.
            if let Some(room) = any {
                round_trip(&room).await?;
            }
            let (told, done) = oneshot::channel();
            store.probe(Box::new(move || {
                // Whether anybody still waits does not matter to the storage.
                let _unheard = told.send(());
            }));
            done.await.map_err(|_| "the storage is gone, or has too much to do")
        }
        .boxed_local()
    }

    fn survey(&self) -> LocalBoxFuture<'static, Survey> {
        let actors = self.clone();
        async move { actors.look_around().await }.boxed_local()
    }
}

/// Has a room handle a request that asks nothing: it has no number, so there is no answer to it.
async fn round_trip(room: &Recipient<Ask>) -> Result<(), &'static str> {
    let name = UserName::parse("readyz").map_err(|_| "no name to ask with")?;
    let ask = Ask {
        from: SessionId { worker: WorkerId(0), slot: u32::MAX, generation: u32::MAX },
        who: Arc::new(Identity { account: AccountId(0), name, admin: false }),
        id: None,
        action: Action::ReadTopic,
    };
    room.send(ask).await.map_err(|_| "a room is gone")
}
