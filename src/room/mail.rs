//! What rooms are asked and told.

use std::sync::Arc;

use actix::Message;

use super::moderation::{Measure, Setting, Target};
use super::say::Act;
use crate::base::id::{AccountId, Key, Seq, SessionId};
use crate::base::name::{Identity, RoomName};
use crate::protocol::event::LeaveReason;
use crate::store::Range;

/// A request of a session.
#[derive(Debug)]
pub struct Ask {
    /// The session.
    pub from: SessionId,
    /// Whose it is.
    pub who: Arc<Identity>,
    /// The request's number; none for what the server does on the session's behalf.
    pub id: Option<u32>,
    /// What it asks.
    pub action: Action,
}

impl Message for Ask {
    type Result = ();
}

/// What a session asks of a room.
#[derive(Debug)]
pub enum Action {
    /// Let me in.
    Join,
    /// I just made the room: let me in, and let me own it.
    Found {
        /// Its topic.
        topic: Option<Arc<str>>,
        /// Whether it is for those who are invited.
        private: bool,
    },
    /// Let me in, and the other of this direct room too, wherever it is.
    JoinBoth(Target),
    /// Let me go.
    Leave,
    /// Who is there?
    Members {
        /// After this account.
        after: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// What is the topic?
    ReadTopic,
    /// This is the topic.
    SetTopic(Arc<str>),
    /// Say this, or do this to a message.
    Say {
        /// What.
        act: Act,
        /// The client's key.
        key: Option<Key>,
    },
    /// What was said?
    History {
        /// Which of it.
        range: Range,
        /// At most so many.
        limit: Option<u32>,
    },
    /// I have read so far.
    MarkRead(Seq),
    /// I am typing, or not any more.
    Typing(bool),
    /// Do this to somebody.
    Moderate(Target, Measure),
    /// Be set so.
    Configure(Setting),
    /// Be called so.
    Rename(RoomName),
    /// Be gone.
    Delete,
    /// Who is more, or less, than a member?
    Standings {
        /// After this account.
        after: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    },
}

impl Action {
    /// Whether the others in the room may see something of it, and who did it.
    #[must_use]
    pub fn shows(&self) -> bool {
        match self {
            Self::SetTopic(_)
            | Self::Say { .. }
            | Self::Typing(_)
            | Self::Moderate(..)
            | Self::Configure(_)
            | Self::Rename(_)
            | Self::Delete => true,
            // Arrivals and departures themselves, and what is told to one alone.
            Self::Join
            | Self::Found { .. }
            | Self::JoinBoth(_)
            | Self::Leave
            | Self::Members { .. }
            | Self::ReadTopic
            | Self::History { .. }
            | Self::MarkRead(_)
            | Self::Standings { .. } => false,
        }
    }
}

/// A session has ended.
#[derive(Debug)]
pub struct Part {
    /// The session.
    pub session: SessionId,
    /// Whose it was, if the sender knows.
    pub account: Option<AccountId>,
    /// Why it ended.
    pub reason: LeaveReason,
}

impl Message for Part {
    type Result = ();
}

/// One of a direct room's two blocks the other from now on, or does not any more.
#[derive(Debug, Clone, Copy)]
pub struct Fence {
    /// Who.
    pub by: AccountId,
    /// Whether it blocks.
    pub on: bool,
}

impl Message for Fence {
    type Result = ();
}

/// The room is not in the directory any more.
#[derive(Debug)]
pub struct Retire;

impl Message for Retire {
    type Result = ();
}
