//! What the directory is asked and told, and what it tells.

use std::sync::Arc;

use actix::{Message, Recipient};

use super::search::Question;
use crate::base::id::{RoomId, SessionId};
use crate::base::name::{Identity, RoomName, UserName};
use crate::protocol::event::LeaveReason;
use crate::room::mail::{Action, Ask, Part};
use crate::room::moderation::Target;

/// A request for a room that the sender cannot reach itself.
#[derive(Debug)]
pub struct Seek {
    /// The session.
    pub from: SessionId,
    /// Whose it is.
    pub who: Arc<Identity>,
    /// The request's number; none for what the server does on the session's behalf.
    pub id: Option<u32>,
    /// What it seeks.
    pub goal: Goal,
}

impl Message for Seek {
    type Result = ();
}

/// What is sought.
#[derive(Debug)]
pub enum Goal {
    /// A list of rooms.
    List {
        /// After this room.
        after: Option<RoomName>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A new room, with its topic, and whether it is for those who are invited.
    Create(RoomName, Option<Arc<str>>, bool),
    /// The direct room with another account.
    Direct(Target),
    /// The rooms that the account was in when its connection was lost.
    Return(Vec<RoomId>),
    /// Messages.
    Search(Question),
    /// Another name for a room.
    Rename(RoomName, RoomName),
    /// The end of a room.
    Delete(RoomName),
    /// Peace from somebody.
    Block(Target),
    /// No more peace from somebody of this name, who may be gone.
    Unblock(UserName),
    /// A list of those who are blocked.
    Blocks {
        /// After this account.
        after: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// A room, to ask it this.
    Ask(RoomName, Action),
}

/// A room has let in a session that is gone.
#[derive(Debug)]
pub struct Orphan {
    /// The room.
    pub room: RoomId,
    /// The session.
    pub session: SessionId,
    /// Why it is gone, as far as is known.
    pub reason: LeaveReason,
}

impl Message for Orphan {
    type Result = ();
}

/// A session has ended that was in this room.
#[derive(Debug)]
pub struct Depart {
    /// The room.
    pub room: RoomId,
    /// Who left, and why.
    pub part: Part,
}

impl Message for Depart {
    type Result = ();
}

/// What is there?
#[derive(Debug)]
pub struct Look;

impl Message for Look {
    type Result = Seen;
}

/// What is there.
pub struct Seen {
    /// Rooms.
    pub rooms: u64,
    /// As many as there may be.
    pub most: u64,
    /// One of them; the same one as long as it is there.
    pub any: Option<Recipient<Ask>>,
}

/// Where a room is to be reached: told once to each worker that asked for it.
pub struct Known {
    /// Its name.
    pub name: RoomName,
    /// Its id and its mailbox; none if no room is called so any more.
    pub way: Option<(RoomId, Recipient<Ask>)>,
}

impl Message for Known {
    type Result = ();
}
