//! What a client is told, and the bounded backlog in which it waits to be read.
//!
//! **Bound and policy:** while more than [`SOFT`] events wait, stored events (messages, topics) are
//! not queued: their room counts as behind, and what was missed is fetched from the server's
//! history once the reader has caught up, so nothing is lost and the socket is still read.
//! Volatile events (typing, joined, left) are dropped meanwhile. News of the connection and of
//! rooms are always queued; at [`HARD`] the client stops reading its socket.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Error;
use crate::base::id::{Epoch, Seq};
use crate::protocol::event::{
    self as wire, Bye, Configured, Deleted, Edited, Invited, Joined, Left, Marked, Message, Ranked,
    Reacted, Removed, Renamed, TopicChanged, TypingChanged, Unreacted,
};
use crate::protocol::reply::RoomState;

/// Events that wait before the log is left to the server.
pub(super) const SOFT: usize = 512;
/// Events that wait before the socket is not read any more.
pub(super) const HARD: usize = 1_024;

/// Something that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The name is held. The rooms follow, each as a [`Room`](Self::Room).
    Connected {
        /// The name as everybody sees it.
        name: Arc<str>,
        /// Program and version of the server.
        server: String,
        /// The server's greeting.
        motd: Option<String>,
    },
    /// There is no connection. Unacknowledged texts are kept and sent again.
    Disconnected {
        /// Why.
        why: Error,
        /// When the client tries again; `None`: it does not, and no event follows.
        retry_in: Option<Duration>,
    },
    /// The client is in this room: joined now, or still after a lost connection.
    Room(RoomState),
    /// The client is not in this room any more: it left, or could not return to it.
    Gone {
        /// The room.
        room: Arc<str>,
        /// Why it could not return; `None` if it left.
        why: Option<Error>,
    },
    /// The client is not in this room any more: a moderator put it out, or another device left.
    Removed(Removed),
    /// Somebody lets the client into a private room.
    Invited(Invited),
    /// A room was set anew.
    Configured(Configured),
    /// A room has another name.
    Renamed(Renamed),
    /// Somebody may do more, or less, in a room.
    Ranked(Ranked),
    /// Somebody said something; for each room in the order of `seq`, none twice.
    Message(Message),
    /// A topic was changed; in one order with the messages.
    Topic(TopicChanged),
    /// A message got another text; in one order with the messages.
    Edit(Edited),
    /// A message was deleted; in one order with the messages.
    Delete(Deleted),
    /// Somebody reacted to a message; in one order with the messages.
    React(Reacted),
    /// Somebody took a reaction back; in one order with the messages.
    Unreact(Unreacted),
    /// The account has read so far, on another of its devices.
    Read(Marked),
    /// Accounts joined a room.
    Joined(Joined),
    /// Accounts left a room.
    Left(Left),
    /// A member began or stopped typing.
    Typing(TypingChanged),
    /// Entries are missing which the server does not have any more.
    Gap {
        /// The room.
        room: Arc<str>,
        /// The first that is missing.
        from: Seq,
        /// The last that is missing.
        to: Seq,
    },
    /// The room's history started anew: what was shown before does not belong to it.
    Reset {
        /// The room.
        room: Arc<str>,
        /// The new history.
        epoch: Epoch,
    },
    /// The server says goodbye, and why; [`Disconnected`](Self::Disconnected) follows.
    Bye(Bye),
}

impl Event {
    /// A stored event of the protocol; none of those that are not stored.
    pub(super) fn stored(event: wire::Event) -> Option<Self> {
        Some(match event {
            wire::Event::Message(message) => Self::Message(message),
            wire::Event::TopicChanged(topic) => Self::Topic(topic),
            wire::Event::Edit(edit) => Self::Edit(edit),
            wire::Event::Delete(delete) => Self::Delete(delete),
            wire::Event::React(react) => Self::React(react),
            wire::Event::Unreact(unreact) => Self::Unreact(unreact),
            wire::Event::Room(_)
            | wire::Event::Joined(_)
            | wire::Event::Left(_)
            | wire::Event::Typing(_)
            | wire::Event::Ping(_)
            | wire::Event::Removed(_)
            | wire::Event::Invited(_)
            | wire::Event::Configured(_)
            | wire::Event::Renamed(_)
            | wire::Event::Ranked(_)
            | wire::Event::Read(_)
            | wire::Event::Bye(_) => return None,
        })
    }
}

/// The events that wait to be read.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    events: VecDeque<Event>,
}

impl Backlog {
    /// How many stored or volatile events still fit.
    pub(super) fn free(&self) -> usize {
        SOFT.saturating_sub(self.events.len())
    }

    /// Whether so much waits that the socket must not be read.
    pub(super) fn is_stuffed(&self) -> bool {
        self.events.len() >= HARD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Queues an event; for stored and volatile ones the caller has asked for [`free`](Self::free).
    pub(super) fn push(&mut self, event: Event) {
        // Of several failed attempts only the last is news.
        if matches!(event, Event::Disconnected { .. })
            && let Some(last @ Event::Disconnected { .. }) = self.events.back_mut()
        {
            *last = event;
            return;
        }
        self.events.push_back(event);
    }

    /// Queues an event that may be dropped.
    pub(super) fn offer(&mut self, event: Event) {
        if self.free() > 0 {
            self.events.push_back(event);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
