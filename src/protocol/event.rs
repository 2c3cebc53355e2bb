//! What the server says unasked.

use std::sync::Arc;

use serde::Serialize;

use super::describe::{Describe, Field};
pub use super::payload::*;
use super::reply::{Entry, EntryKind, RoomState};
use crate::base::id::Seq;

/// One event as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct EventSpec {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it is stored and carries a `seq`, or volatile: merged or dropped at any time.
    pub stored: bool,
    /// Its documentation.
    pub doc: &'static [&'static str],
    /// The fields of its payload.
    pub fields: &'static [Field],
}

macro_rules! events {
    ($($variant:ident($payload:ident) = $name:literal, stored: $stored:literal;)*) => {
        /// An event, as a client receives it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Event { $(#[doc = concat!("`", $name, "`")] $variant($payload),)* }

        /// Every event, in the order of the documentation.
        pub const EVENTS: &[EventSpec] = &[$(EventSpec {
            name: $name,
            stored: $stored,
            doc: <$payload as Describe>::DOC,
            fields: <$payload as Describe>::FIELDS,
        }),*];

        impl Event {
            /// The event's name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// Decodes the payload of the event `name`; `None` for one that this version does not know.
            pub(super) fn decode(name: &str, payload: &[u8]) -> Result<Option<Self>, String> {
                match name {
                    $($name => super::codec::map::<$payload>(payload).map(|p| Some(Self::$variant(p))),)*
                    _ => Ok(None),
                }
            }

            pub(super) fn serialize_payload<W: std::io::Write>(
                &self,
                serializer: &mut super::codec::MapSerializer<W>,
            ) -> Result<(), rmp_serde::encode::Error> {
                match self { $(Self::$variant(payload) => payload.serialize(serializer),)* }
            }
        }
    };
}

impl Event {
    /// A stored entry as the event that it is when it is live; none if it is of a newer kind.
    #[must_use]
    pub fn of(room: &Arc<str>, entry: Entry) -> Option<Self> {
        let Entry { seq, time, kind, from, text, re, .. } = entry;
        let room = Arc::clone(room);
        Some(match (kind, re) {
            (EntryKind::Message, re) => Self::Message(Message { room, seq, time, from, text, re }),
            (EntryKind::Topic, _) => {
                Self::TopicChanged(TopicChanged { room, seq, time, from, text })
            }
            (EntryKind::Edit, Some(re)) => Self::Edit(Edited { room, seq, time, from, re, text }),
            (EntryKind::Delete, Some(re)) => Self::Delete(Deleted { room, seq, time, from, re }),
            (EntryKind::React, Some(re)) => {
                Self::React(Reacted { room, seq, time, from, re, text })
            }
            (EntryKind::Unreact, Some(re)) => {
                Self::Unreact(Unreacted { room, seq, time, from, re, text })
            }
            _ => return None,
        })
    }

    /// The room and the place in its order, if it is stored.
    #[must_use]
    pub const fn place(&self) -> Option<(&Arc<str>, Seq)> {
        match self {
            Self::Message(Message { room, seq, .. })
            | Self::TopicChanged(TopicChanged { room, seq, .. })
            | Self::Edit(Edited { room, seq, .. })
            | Self::Delete(Deleted { room, seq, .. })
            | Self::React(Reacted { room, seq, .. })
            | Self::Unreact(Unreacted { room, seq, .. }) => Some((room, *seq)),
            Self::Room(_)
            | Self::Joined(_)
            | Self::Left(_)
            | Self::Typing(_)
            | Self::Ping(_)
            | Self::Removed(_)
            | Self::Invited(_)
            | Self::Configured(_)
            | Self::Renamed(_)
            | Self::Ranked(_)
            | Self::Read(_)
            | Self::Bye(_) => None,
        }
    }
}

events! {
    Message(Message) = "message", stored: true;
    TopicChanged(TopicChanged) = "topic", stored: true;
    Edit(Edited) = "edit", stored: true;
    Delete(Deleted) = "delete", stored: true;
    React(Reacted) = "react", stored: true;
    Unreact(Unreacted) = "unreact", stored: true;
    Room(RoomState) = "room", stored: false;
    Joined(Joined) = "joined", stored: false;
    Left(Left) = "left", stored: false;
    Removed(Removed) = "removed", stored: false;
    Invited(Invited) = "invited", stored: false;
    Configured(Configured) = "configured", stored: false;
    Renamed(Renamed) = "renamed", stored: false;
    Ranked(Ranked) = "ranked", stored: false;
    Read(Marked) = "read", stored: false;
    Typing(TypingChanged) = "typing", stored: false;
    Ping(ServerPing) = "ping", stored: false;
    Bye(Bye) = "bye", stored: false;
}
