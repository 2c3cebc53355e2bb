//! How what members say and do to messages gets its place in a room's order, once, however often it
//! is sent.

use std::sync::Arc;
use std::time::Duration;

use super::dedup::{Dedup, Done, Lookup, Request};
use super::rights::Deed;
use super::state::Room;
use super::targets::Targets;
use crate::base::id::{AccountId, Key, Seq};
use crate::base::limits::{REACTION_KINDS, REACTIONS};
use crate::base::name::Identity;
use crate::protocol::reply::{Entry, EntryKind, Said};
use crate::protocol::status::{Code, Refusal};
use crate::store::standing::Rank;
use crate::store::{Known, NewEntry, Target};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Say a text, perhaps as an answer.
    Say {
        /// The text.
        text: Arc<str>,
        /// The message that it answers.
        re: Option<Seq>,
    },
    /// Give a message another text.
    Edit {
        /// The message.
        re: Seq,
        /// The text.
        text: Arc<str>,
    },
    /// Delete a message.
    Delete {
        /// The message.
        re: Seq,
    },
    /// Add a reaction to a message.
    React {
        /// The message.
        re: Seq,
        /// The reaction.
        reaction: Arc<str>,
    },
    /// Take a reaction back.
    Unreact {
        /// The message.
        re: Seq,
        /// The reaction.
        reaction: Arc<str>,
    },
}

impl Act {
    /// The kind of the entry that it becomes.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Say { .. } => EntryKind::Message,
            Self::Edit { .. } => EntryKind::Edit,
            Self::Delete { .. } => EntryKind::Delete,
            Self::React { .. } => EntryKind::React,
            Self::Unreact { .. } => EntryKind::Unreact,
        }
    }

    /// The message that it is about.
    #[must_use]
    pub const fn re(&self) -> Option<Seq> {
        match self {
            Self::Say { re, .. } => *re,
            Self::Edit { re, .. }
            | Self::Delete { re }
            | Self::React { re, .. }
            | Self::Unreact { re, .. } => Some(*re),
        }
    }

    /// The text of the entry that it becomes.
    #[must_use]
    pub const fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Say { text, .. }
            | Self::Edit { text, .. }
            | Self::React { reaction: text, .. }
            | Self::Unreact { reaction: text, .. } => Some(text),
            Self::Delete { .. } => None,
        }
    }
}

/// A act with what comes with each.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// What is to be done.
    pub act: &'a Act,
    /// The client's key.
    pub key: Option<Key>,
    /// When, in milliseconds since 1970 UTC.
    pub time: u64,
}

/// What storage has under a key.
#[derive(Debug, Clone)]
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

/// What storage was asked for so far, on behalf of one act.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its key.
    pub key: Found,
    /// Its message: there is none.
    pub missing: bool,
}

impl Asked {
    /// It was asked for nothing.
    pub const NOTHING: Self = Self { key: Found::NotAsked, missing: false };
}

/// What a act comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A new entry: it is to be stored, then acknowledged and shown.
    New(NewEntry),
    /// It was done before, or is so already.
    Before(Said),
    /// Only storage knows whether the key was used: look, and do it with what was found.
    Unsure(Key),
    /// Only storage knows the message: look, give it to [`Room::found`], and do it again.
    Look(Seq),
}

impl Room {
    /// Says something, or does something to a message: gives it its place in the order.
    pub fn say(
        &mut self,
        account: AccountId,
        saying: Saying<'_>,
        asked: &Asked,
    ) -> Result<Spoken, Refusal> {
        let member = self.member(account)?;
        let (who, last) = (Arc::clone(&member.who), member.said);
        let from = Arc::clone(who.name.shared());
        let Saying { act, key, time } = saying;
        if let Some(key) = key {
            let lookup = match &asked.key {
                Found::NotAsked => self.dedup.find(&from, key, act, time),
                Found::Nothing { complete } => Dedup::not_found(key, time, *complete),
                Found::Known(known) if Request::known(known).is(&Request::of(act)) => {
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
                Lookup::Unsure => return Ok(Spoken::Unsure(key)),
            }
        }
        if let Some(re) = act.re() {
            let Some(target) = self.targets.get(re).filter(|_| !asked.missing) else {
                // What is said later has no place yet, and what was looked for in vain is not there.
                let absent = asked.missing || re == Seq(0) || re > self.head;
                return if absent { Err(no_message()) } else { Ok(Spoken::Look(re)) };
            };
            if !self.changes(&who, target, act, time)? {
                let (seq, time) = (re, time);
                return Ok(Spoken::Before(Said { seq, time, dup: true }));
            }
        }
        // Who may not speak may still take back.
        if !matches!(act, Act::Delete { .. } | Act::Unreact { .. }) {
            self.rights.may(&who, Deed::Speak, time)?;
        }
        if act.kind() == EntryKind::Message {
            self.check_pace(&who, last, time)?;
            if let Some(member) = self.members.get_mut(&account) {
                member.said = time;
            }
        }
        let seq = self.head.next();
        self.head = seq;
        if let Some(key) = key {
            self.dedup.note(&from, key, Request::of(act), Done { seq, time });
        }
        match act.re() {
            None => self.targets.said(seq, account),
            Some(re) => {
                self.targets.change(re, seq, account, act);
                if act.kind() == EntryKind::Message {
                    self.targets.said(seq, account);
                }
            }
        }
        let text = act.text().map_or_else(|| "".into(), Arc::clone);
        let entry = Entry { re: act.re(), ..Entry::new(seq, time, act.kind(), from, text) };
        Ok(Spoken::New(NewEntry { entry, account, key }))
    }

    /// Takes what storage has of a message.
    pub fn found(&mut self, seq: Seq, target: Target) {
        self.targets.load(seq, target);
    }

    /// Whether a act changes anything about its message; refuses what may not be done.
    fn changes(
        &self,
        who: &Identity,
        target: &Target,
        act: &Act,
        time: u64,
    ) -> Result<bool, Refusal> {
        let account = who.account;
        if target.deleted {
            return Err(no_message());
        }
        match act {
            Act::Say { .. } => Ok(true),
            Act::Edit { .. } | Act::Delete { .. } => {
                if self.may_change(who, target, act, time) {
                    Ok(true)
                } else {
                    Err(Refusal::new(Code::Denied, "the message is somebody else's"))
                }
            }
            Act::React { reaction, .. } => {
                if Targets::has(target, account, reaction) {
                    return Ok(false);
                }
                check_space(target, reaction).map(|()| true)
            }
            Act::Unreact { reaction, .. } => Ok(Targets::has(target, account, reaction)),
        }
    }

    /// Whether `account` may edit or delete a message: the one place where that is decided.
    fn may_change(&self, who: &Identity, target: &Target, act: &Act, time: u64) -> bool {
        let own = target.account == who.account;
        // Moderators remove what others said, and never speak for them.
        own || (matches!(act, Act::Delete { .. })
            && self.rights.may(who, Deed::Moderate, time).is_ok())
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

/// Refuses a reaction for which the message has no space.
fn check_space(target: &Target, reaction: &Arc<str>) -> Result<(), Refusal> {
    let full = |limit, allowed: usize| {
        let [used, allowed] = [allowed + 1, allowed].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        Refusal::new(Code::Quota, "the message has as many reactions as it may have")
            .limit(limit, used, allowed)
    };
    if target.reactions.len() >= REACTIONS {
        return Err(full("reactions", REACTIONS));
    }
    let mut kinds: Vec<&Arc<str>> = target.reactions.iter().map(|(_, text)| text).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() >= REACTION_KINDS && !kinds.contains(&reaction) {
        return Err(full("reaction_kinds", REACTION_KINDS));
    }
    Ok(())
}

/// The answer for a message that is not there, is no message, or was deleted.
fn no_message() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such message in the room")
}
