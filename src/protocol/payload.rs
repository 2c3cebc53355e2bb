//! What each event holds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::describe::{WireType, wire};
use super::reply::{Page, Role, RoomKind, words};
use crate::base::id::Seq;
use crate::base::limits::PRESENCE_NAMES;

wire! {
    /// Somebody said something in a room. The sender's sessions receive it too.
    pub struct Message {
        /// The room.
        pub room: Arc<str>,
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Who said it.
        pub from: Arc<str>,
        /// What was said.
        pub text: Arc<str>,
        /// The seq of the message that it answers.
        pub re: Option<Seq>,
    }
}

wire! {
    /// A message got another text.
    pub struct Edited {
        /// The room.
        pub room: Arc<str>,
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Who changed it.
        pub from: Arc<str>,
        /// The message.
        pub re: Seq,
        /// Its new text.
        pub text: Arc<str>,
    }
}

wire! {
    /// A message was deleted: forget its text, also that of earlier edits, and its reactions.
    pub struct Deleted {
        /// The room.
        pub room: Arc<str>,
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Who deleted it.
        pub from: Arc<str>,
        /// The message.
        pub re: Seq,
    }
}

wire! {
    /// An account added a reaction to a message; it had not this one there before.
    pub struct Reacted {
        /// The room.
        pub room: Arc<str>,
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Whose reaction it is.
        pub from: Arc<str>,
        /// The message.
        pub re: Seq,
        /// The reaction.
        pub text: Arc<str>,
    }
}

wire! {
    /// An account took a reaction back.
    pub struct Unreacted {
        /// The room.
        pub room: Arc<str>,
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Whose reaction it was.
        pub from: Arc<str>,
        /// The message.
        pub re: Seq,
        /// The reaction.
        pub text: Arc<str>,
    }
}

wire! {
    /// A room's topic was changed.
    pub struct TopicChanged {
        /// The room.
        pub room: Arc<str>,
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Who changed it.
        pub from: Arc<str>,
        /// The new topic; empty if it was cleared.
        pub text: Arc<str>,
    }
}

wire! {
    /// Accounts joined a room. In a large room several joins come as one event.
    pub struct Joined {
        /// The room.
        pub room: Arc<str>,
        /// Their names; not more than 32, however many joined.
        pub names: Page<Arc<str>, PRESENCE_NAMES>,
        /// How many joined.
        pub count: u32,
        /// How many members there are now.
        pub members: u32,
    }
}

wire! {
    /// Accounts left a room. In a large room several leaves come as one event.
    pub struct Left {
        /// The room.
        pub room: Arc<str>,
        /// Who left and why; not more than 32, however many left.
        pub gone: Page<Gone, PRESENCE_NAMES>,
        /// How many left.
        pub count: u32,
        /// How many members there are now.
        pub members: u32,
    }
}

wire! {
    /// An account that left.
    pub struct Gone {
        /// Its name.
        pub name: Arc<str>,
        /// Why it left.
        pub reason: LeaveReason,
    }
}

wire! {
    /// The account is in the room no more, without this session having asked for it. Nothing more
    /// comes from there.
    pub struct Removed {
        /// The room.
        pub room: Arc<str>,
        /// Why: `left` if another device of the account left.
        pub reason: LeaveReason,
        /// The moderator or owner, if it was one.
        pub by: Option<Arc<str>>,
        /// What the moderator says about it.
        pub text: Option<Arc<str>>,
        /// Until when the account cannot come back, in milliseconds since 1970 UTC.
        pub until: Option<u64>,
    }
}

wire! {
    /// Somebody lets the account into a private room: `join` will do now.
    pub struct Invited {
        /// The room.
        pub room: Arc<str>,
        /// Who.
        pub by: Arc<str>,
    }
}

wire! {
    /// A room was set anew.
    pub struct Configured {
        /// The room.
        pub room: Arc<str>,
        /// Public or private.
        pub kind: RoomKind,
        /// Only moderators and owners may write.
        pub announcement: bool,
        /// What a member must wait between two messages, in milliseconds.
        pub slow_ms: u32,
        /// No entry older than this is kept, in milliseconds.
        pub keep_ms: Option<u64>,
        /// No more entries than this are kept.
        pub keep_entries: Option<u64>,
        /// No more bytes than this are kept.
        pub keep_bytes: Option<u64>,
        /// Who did it.
        pub by: Arc<str>,
    }
}

wire! {
    /// A room has another name from now on; everything else of it stays.
    pub struct Renamed {
        /// The room, as it was called.
        pub room: Arc<str>,
        /// Its new name.
        pub name: Arc<str>,
        /// Who did it.
        pub by: Arc<str>,
    }
}

wire! {
    /// Somebody may do more, or less, in a room from now on.
    pub struct Ranked {
        /// The room.
        pub room: Arc<str>,
        /// Who.
        pub name: Arc<str>,
        /// What it may do.
        pub role: Role,
        /// Who did it.
        pub by: Arc<str>,
    }
}

wire! {
    /// The account has read so far in a room, on another of its devices.
    pub struct Marked {
        /// The room.
        pub room: Arc<str>,
        /// The newest seq that was read.
        pub seq: Seq,
    }
}

wire! {
    /// A member began or stopped typing.
    pub struct TypingChanged {
        /// The room.
        pub room: Arc<str>,
        /// Who types.
        pub from: Arc<str>,
        /// Whether it is typing. Take it back after 10 s without news.
        pub active: bool,
    }
}

wire! {
    /// The server has heard nothing for `ping_ms`: send any request (`ping` will do).
    pub struct ServerPing {}
}

wire! {
    /// The last event of a session: why the server closes the connection.
    pub struct Bye {
        /// The status code's number.
        pub code: u16,
        /// The status code's name.
        pub name: String,
        /// One sentence for people.
        pub text: String,
        /// Do not connect again before; add a random part of the same length.
        pub retry_after_ms: Option<u64>,
        /// Whether the name is kept for the token, so that the client can go on where it was.
        pub resume: bool,
        /// The limit that was met.
        pub limit: Option<String>,
        /// How much was used.
        pub used: Option<u64>,
        /// How much is allowed.
        pub allowed: Option<u64>,
    }
}

words! {
    /// Why an account left a room.
    pub enum LeaveReason {
        /// It asked to leave the room.
        Left = "left",
        /// It logged out.
        Logout = "logout",
        /// Its connection was lost.
        Lost = "lost",
        /// It was silent for too long.
        Timeout = "timeout",
        /// The server ended its session.
        Removed = "removed",
        /// The server is shutting down.
        Shutdown = "shutdown",
        /// A moderator put it out of the room.
        Kicked = "kicked",
        /// A moderator put it out of the room, and keeps it out.
        Banned = "banned",
        /// The room was deleted.
        Deleted = "deleted",
    }
}
