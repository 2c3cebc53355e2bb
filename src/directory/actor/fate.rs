//! Rooms that get another name, or are deleted: asked for here, decided by the room, done here.

use std::sync::Arc;

use actix::Handler;

use super::{Refused, Rooms};
use crate::account::mail::Moved;
use crate::base::id::{RoomId, SessionId};
use crate::base::name::{Identity, RoomName};
use crate::directory::mail::Known;
use crate::mail;
use crate::room::fate::Fated;
use crate::room::mail::{Action, Ask, Retire};
use crate::store::Fate;

impl actix::Message for Fated {
    type Result = ();
}

impl Handler<Fated> for Rooms {
    type Result = ();

    fn handle(&mut self, fated: Fated, _: &mut Self::Context) {
        let Fated { room, fate } = fated;
        match fate {
            None => self.directory.release(room),
            Some(Fate::Renamed(name)) => {
                let Some(before) = self.directory.rename(room, name.clone()) else { return };
                self.forget_way(room);
                if let Some(actor) = self.actors.get_mut(&room) {
                    actor.name = name.clone();
                }
                log::info!(room:% = before, name:% = name; "a room has another name");
                mail::post(&self.moved, Moved { room: before, name: Some(name) });
            }
            Some(Fate::Deleted) => {
                let Some(before) = self.directory.remove(room) else { return };
                self.retire(room);
                log::info!(room:% = before; "a room was deleted");
                mail::post(&self.moved, Moved { room: before, name: None });
            }
        }
    }
}

/// Who asks, and under which number.
type Asker = (SessionId, Arc<Identity>, Option<u32>);

impl Rooms {
    /// Keeps the new name free, and asks the room.
    pub(super) fn begin_rename(
        &mut self,
        (from, who, id): Asker,
        name: &RoomName,
        to: RoomName,
    ) -> Result<(), Refused> {
        let refused = |refusal| Refused { from, id, refusal: Box::new(refusal) };
        let room = self.directory.find(name, &who).map_err(refused)?;
        self.directory.reserve(room, &to).map_err(refused)?;
        let passed = self.pass(room, Ask { from, who, id, action: Action::Rename(to) });
        if passed.is_err() {
            self.directory.release(room);
        }
        passed
    }

    /// Asks the room, if it may go.
    pub(super) fn begin_delete(
        &mut self,
        (from, who, id): Asker,
        name: &RoomName,
    ) -> Result<(), Refused> {
        let refused = |refusal| Refused { from, id, refusal: Box::new(refusal) };
        let room = self.directory.find(name, &who).map_err(refused)?;
        self.directory.check_may_go(room).map_err(refused)?;
        self.pass(room, Ask { from, who, id, action: Action::Delete })
    }

    /// Ends the actor of a room that is listed no more.
    pub(super) fn retire(&mut self, room: RoomId) {
        self.forget_way(room);
        if let Some(actor) = self.actors.remove(&room) {
            mail::post(&actor.retire, Retire);
        }
    }

    /// Has every worker that knows the room by its name forget that.
    fn forget_way(&mut self, room: RoomId) {
        let Some(actor) = self.actors.get_mut(&room) else { return };
        for worker in actor.known_by.drain() {
            if let Some(worker) = self.workers.get(usize::from(worker.0)) {
                // Bounded: once for each fate and worker.
                mail::post(&worker.learner, Known { name: actor.name.clone(), way: None });
            }
        }
    }
}
