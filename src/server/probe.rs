//! Asking the server's own actors how they are, on behalf of the web.

use std::sync::Arc;

use actix::{Addr, Recipient};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::base::id::{AccountId, SessionId, WorkerId};
use crate::base::name::{Identity, UserName};
use crate::directory::actor::Rooms;
use crate::directory::actor::{Look, Seen};
use crate::room::mail::{Action, Ask};
use crate::throttle::actor::{Count, Throttle};
use crate::web::Probe;
use crate::web::metrics::Survey;

/// Asks the Throttle, the directory, and one of the rooms.
#[derive(Clone)]
pub(super) struct Actors {
    throttle: Addr<Throttle>,
    rooms: Addr<Rooms>,
}

impl Actors {
    pub(super) fn new(throttle: Addr<Throttle>, rooms: Addr<Rooms>) -> Self {
        Self { throttle, rooms }
    }
}

impl Probe for Actors {
    fn ready(&self) -> LocalBoxFuture<'static, Result<(), &'static str>> {
        let Self { throttle, rooms } = self.clone();
        async move {
            throttle.send(Count).await.map_err(|_| "the throttle is gone")?;
            let Seen { any, .. } = rooms.send(Look).await.map_err(|_| "the directory is gone")?;
            // A server without rooms is ready too.
            match any {
                Some(room) => round_trip(&room).await,
                None => Ok(()),
            }
        }
        .boxed_local()
    }

    fn survey(&self) -> LocalBoxFuture<'static, Survey> {
        let Self { throttle, rooms } = self.clone();
        async move {
            let connections = throttle.send(Count).await.unwrap_or(0).into();
            let rooms = rooms.send(Look).await.map_or(0, |seen| seen.rooms);
            Survey { connections, rooms }
        }
        .boxed_local()
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
