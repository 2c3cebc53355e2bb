//! A room gets another name, or is deleted: by its owner, and only when that is stored.
//!
//! The directory keeps the new name free meanwhile, and is told what became of it.

use std::sync::Arc;

use super::actor::ChatRoom;
use super::mail::Ask;
use super::presence::Presence;
use super::rights::Deed;
use crate::base::id::RoomId;
use crate::base::name::{Identity, RoomName};
use crate::protocol::event::{Event, LeaveReason, Removed, Renamed};
use crate::protocol::status::{Code, Refusal};
use crate::store::Fate;

/// Whether a room goes on.
#[derive(Debug, Clone, Default)]
pub(super) enum Life {
    /// It does.
    #[default]
    Open,
    /// This account is deleting it, and it is not stored yet.
    Ending(Arc<Identity>),
    /// It does not.
    Gone,
}

/// What became of a room's wish for another fate.
#[derive(Debug, Clone)]
pub struct Fated {
    /// The room.
    pub room: RoomId,
    /// Its fate; none if it stays as it was.
    pub fate: Option<Fate>,
}

impl ChatRoom {
    /// Refuses what comes to a room that ends.
    pub(super) fn check_life(&self) -> Result<(), Refusal> {
        match self.life {
            Life::Open => Ok(()),
            Life::Ending(_) => {
                Err(Refusal::from(Code::Busy).retry_after(std::time::Duration::from_millis(100)))
            }
            Life::Gone => Err(Code::NotFound.into()),
        }
    }

    fn check_owner(&self, who: &Identity) -> Result<(), Refusal> {
        let now = self.around.clock.unix_ms();
        self.room.check_member_or_admin(who)?;
        self.room.rights.may(who, Deed::Rule, now)?;
        if self.room.rights.is_direct() {
            return Err(Refusal::new(Code::Denied, "a direct room has no owner"));
        }
        Ok(())
    }

    /// Takes another name, which the directory has kept free.
    pub(super) fn rename(&mut self, ask: &Ask, id: u32, name: &RoomName) {
        if let Err(refusal) = self.check_owner(&ask.who) {
            self.batch.refuse(ask.from, id, &refusal);
            return (self.around.fated)(Fated { room: self.id, fate: None });
        }
        let before = self.room.rename(name.clone());
        let renamed = Event::Renamed(Renamed {
            room: Arc::clone(before.shared()),
            name: Arc::clone(name.shared()),
            by: Arc::clone(ask.who.name.shared()),
        });
        self.batch.rename(&self.attached, name.clone(), before, &renamed);
        self.batch.acknowledge_change(ask.from, id);
    }

    /// Ends the room as soon as that is stored.
    pub(super) fn delete(&mut self, ask: &Ask, id: u32) {
        if let Err(refusal) = self.check_owner(&ask.who) {
            return self.batch.refuse(ask.from, id, &refusal);
        }
        self.life = Life::Ending(Arc::clone(&ask.who));
        self.batch.changes.fate = Some(Fate::Deleted);
        self.batch.acknowledge_change(ask.from, id);
    }

    /// Goes by what became of the room's fate.
    pub(super) fn meet_fate(&mut self) {
        let Some((fate, is_stored)) = self.pipeline.take_fate() else { return };
        let stored = is_stored.then(|| fate.clone());
        if fate == Fate::Deleted {
            match std::mem::take(&mut self.life) {
                Life::Ending(by) if is_stored => {
                    self.life = Life::Gone;
                    self.put_all_out(&by);
                }
                Life::Open | Life::Ending(_) => {}
                Life::Gone => self.life = Life::Gone,
            }
            if !is_stored {
                return;
            }
        }
        (self.around.fated)(Fated { room: self.id, fate: stored });
    }

    /// Everybody is told that the room is gone.
    fn put_all_out(&mut self, by: &Identity) {
        let removed = Event::Removed(Removed {
            room: Arc::clone(self.room.name()),
            reason: LeaveReason::Deleted,
            by: Some(Arc::clone(by.name.shared())),
            text: None,
            until: None,
        });
        let mut sessions = Vec::new();
        for member in self.room.identities() {
            sessions.extend(self.room.remove(member.account, LeaveReason::Deleted));
        }
        for &session in &sessions {
            self.batch.detach(&mut self.attached, session);
        }
        self.batch.inform_all(&sessions, &removed);
        self.card.set_members(0, self.around.clock.now());
        // Nobody is left who could be told that the others have left.
        self.room.presence = Presence::default();
    }
}
