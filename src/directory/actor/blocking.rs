//! Blocking: stored first, then kept between the two, also in a direct room that is there already.

use std::sync::Arc;

use actix::{Handler, Message};

use super::{Refused, Rooms};
use crate::base::id::{RoomId, SessionId};
use crate::base::name::Identity;
use crate::mail;
use crate::protocol::codec;
use crate::protocol::reply::Empty;
use crate::protocol::status::{Code, Refusal};
use crate::room::mail::Fence;
use crate::room::pipeline::store_refusal;
use crate::store::StoreError;
use crate::store::registry::Change;

/// Somebody blocks somebody, or does not any more.
#[derive(Debug, Clone)]
pub(super) struct Blocking {
    pub(super) from: SessionId,
    pub(super) id: u32,
    pub(super) by: Arc<Identity>,
    pub(super) of: Arc<Identity>,
    pub(super) on: bool,
}

/// Storage says what became of it.
struct Stored(Blocking, Result<(), StoreError>);

impl Message for Stored {
    type Result = ();
}

/// Whom others may write to is kept for those who come back.
pub(super) fn no_guest(who: &Identity) -> Result<(), Refusal> {
    if who.account.is_guest() { Err(Code::NoAccount.into()) } else { Ok(()) }
}

impl Rooms {
    pub(super) fn block(&mut self, blocking: Blocking) -> Result<(), Refused> {
        let Blocking { from, id, by, of, on } = &blocking;
        let refused =
            |refusal: Refusal| Refused { from: *from, id: Some(*id), refusal: Box::new(refusal) };
        if *on {
            self.blocks.check_place(by.account, of.account).map_err(refused)?;
        }
        if of.account.is_guest() {
            // A guest's number means nobody after a restart: there is nothing to store.
            self.blocked(&blocking);
            return Ok(());
        }
        let change = Change::Block { by: by.account, of: of.account, on: *on };
        let own = self.own.clone().recipient();
        let told = Box::new(move |outcome: Result<_, StoreError>| {
            // The answer to one request: bounded by its session's credit.
            mail::post(&own, Stored(blocking, outcome.map(drop)));
        });
        self.around.store.registry().change(change, told);
        Ok(())
    }

    fn blocked(&mut self, blocking: &Blocking) {
        let Blocking { from, id, by, of, on } = blocking;
        self.blocks.set(by.account, of, *on);
        if let Some(room) = self.directory.direct_room(by.account, of.account) {
            self.fence(room, Fence { by: by.account, on: *on });
        }
        self.respond(*from, codec::result_frame(*id, &Empty {}));
    }

    /// Tells a direct room of those who block.
    pub(super) fn fence(&self, room: RoomId, fence: Fence) {
        if let Some(actor) = self.actors.get(&room) {
            // Bounded: the answer to one request, and twice when a room is made.
            mail::post(&actor.fence, fence);
        }
    }
}

impl Handler<Stored> for Rooms {
    type Result = ();

    fn handle(&mut self, stored: Stored, _: &mut Self::Context) {
        let Stored(blocking, outcome) = stored;
        match outcome {
            Ok(()) => self.blocked(&blocking),
            Err(error) => {
                let frame = codec::refusal_frame(blocking.id, &store_refusal(error));
                self.respond(blocking.from, frame);
            }
        }
    }
}
