//! How far accounts have read.

use std::sync::Arc;

use super::actor::ChatRoom;
use super::mail::Ask;
use crate::base::id::Seq;
use crate::protocol::event::{Event, Marked};
use crate::protocol::status::{Code, Refusal};

impl ChatRoom {
    /// Notes how far an account has read, and tells its other devices.
    pub(super) fn mark_read(&mut self, ask: &Ask, id: u32, seq: Seq) {
        match self.try_mark(ask, seq) {
            Ok(()) => self.batch.acknowledge_change(ask.from, id),
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
    }

    fn try_mark(&mut self, ask: &Ask, seq: Seq) -> Result<(), Refusal> {
        let account = ask.who.account;
        self.room.check_member(account)?;
        if account.is_guest() {
            return Err(Code::NoAccount.into());
        }
        if seq > self.room.head() {
            let text = format!("the newest seq of the room is {}", self.room.head().0);
            return Err(Refusal::new(Code::BadParams, text));
        }
        let read = |standing: &mut crate::store::standing::Standing| {
            standing.read = standing.read.max(seq);
        };
        let Some(before) = self.room.rights.stand(&ask.who, read)? else { return Ok(()) };
        let now = self.room.rights.standing(account);
        self.batch.settle(&ask.who, before, now);
        let event = Event::Read(Marked { room: Arc::clone(self.room.name()), seq });
        for &other in self.room.sessions_of(account).iter().filter(|other| **other != ask.from) {
            self.batch.show(other, &event);
        }
        Ok(())
    }
}
