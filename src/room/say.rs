//! How a text gets its place in a room's order, once, however often it is sent.

use std::sync::Arc;
use std::time::Duration;

use super::dedup::{Dedup, Done, Lookup};
use super::rights::Deed;
use super::state::Room;
use crate::base::id::{AccountId, Key};
use crate::base::name::Identity;
use crate::protocol::reply::{Entry, EntryKind, Said};
use crate::protocol::status::{Code, Refusal};
use crate::store::standing::Rank;
use crate::store::{Known, NewEntry};

/// What is to be said.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// The text.
    pub text: &'a Arc<str>,
    /// The client's key.
    pub key: Option<Key>,
    /// When, in milliseconds since 1970 UTC.
    pub time: u64,
}

/// What storage has under a key.
#[derive(Debug)]
pub enum Found {
    /// It was not asked.
    NotAsked,
    /// Nothing; `complete` if it has everything that was ever said in the room.
    Nothing {
        /// So.
        complete: bool,
    },
    /// This.
    Known(Known),
}

/// What a `say` comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A new entry: it is to be stored, then acknowledged and shown.
    New(NewEntry),
    /// It was said before.
    Before(Said),
    /// Only storage knows whether the key was used: look, and say it with what was found.
    Unsure,
}

impl Room {
    /// Says something: gives it its place in the order.
    pub fn say(
        &mut self,
        account: AccountId,
        saying: Saying<'_>,
        found: Found,
    ) -> Result<Spoken, Refusal> {
        let member = self.member(account)?;
        let (who, last) = (Arc::clone(&member.who), member.said);
        let from = Arc::clone(who.name.shared());
        let Saying { text, key, time } = saying;
        if let Some(key) = key {
            let lookup = match found {
                Found::NotAsked => self.dedup.find(&from, key, text, time),
                Found::Nothing { complete } => Dedup::not_found(key, time, complete),
                Found::Known(known) if known.text == *text => {
                    Lookup::Before(Done { seq: known.seq, time: known.time })
                }
                Found::Known(_) => Lookup::Conflict,
            };
            match lookup {
                Lookup::New => {}
                Lookup::Before(Done { seq, time }) => {
                    return Ok(Spoken::Before(Said { seq, time, dup: true }));
                }
                Lookup::Conflict => return Err(Code::KeyConflict.into()),
                Lookup::Expired => return Err(Code::KeyExpired.into()),
                Lookup::Unsure => return Ok(Spoken::Unsure),
            }
        }
        self.rights.may(&who, Deed::Speak, time)?;
        self.check_pace(&who, last, time)?;
        if let Some(member) = self.members.get_mut(&account) {
            member.said = time;
        }
        let seq = self.head.next();
        self.head = seq;
        if let Some(key) = key {
            self.dedup.note(&from, key, text, Done { seq, time });
        }
        let text = Arc::clone(text);
        let entry = Entry { seq, time, kind: EntryKind::Message, from, text };
        Ok(Spoken::New(NewEntry { entry, account, key }))
    }

    /// In slow mode members wait between two messages.
    fn check_pace(&self, who: &Identity, last: u64, time: u64) -> Result<(), Refusal> {
        let pause = u64::from(self.rights.settings().slow_ms);
        let waited = time.saturating_sub(last);
        if waited >= pause || self.rights.rank(who) > Rank::Member {
            return Ok(());
        }
        Err(Refusal::new(Code::Rate, "the room is in slow mode")
            .limit("slow_ms", waited, pause)
            .retry_after(Duration::from_millis(pause - waited)))
    }
}
