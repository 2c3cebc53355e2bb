//! What a room keeps of an account, and of itself.

use super::retention::Keep;
use crate::base::id::Seq;

/// What an account may do in a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// What everybody may who is in.
    #[default]
    Member,
    /// Keep order.
    Moderator,
    /// Everything.
    Owner,
}

/// How an account stands to a room. What is not stored is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// It is at home there: it comes back at each login.
    pub resident: bool,
    /// What it may do.
    pub rank: Rank,
    /// It may come in, though the room is private.
    pub invited: bool,
    /// It may not come in until then, in milliseconds since 1970 UTC.
    pub banned_until: Option<u64>,
    /// It may not speak until then, likewise.
    pub muted_until: Option<u64>,
    /// How far it has read, as long as it is at home there.
    pub read: Seq,
}

/// Who may come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    #[default]
    Public,
    /// Who is invited; for all others there is no such room.
    Private,
}

/// How a room is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who may come in.
    pub access: Access,
    /// Only moderators and owners may write.
    pub announcement: bool,
    /// What a member must wait between two messages, in milliseconds.
    pub slow_ms: u32,
    /// What is kept of it, at most.
    pub keep: Keep,
}
