//! What kind of room it is, as the daemon, the wire and storage call it.

use std::sync::Arc;

use crate::base::name::Identity;
use crate::protocol::reply::{Role, RoomKind};
use crate::protocol::status::{Code, Refusal};
use crate::store;
use crate::store::standing::Rank;

/// What kind of room it is, with what only that kind has.
#[derive(Debug, Clone)]
pub enum Kind {
    /// For everybody, or for those who are invited.
    Room,
    /// For these two.
    Direct([Arc<Identity>; 2]),
}

impl Kind {
    /// Its word on the wire.
    #[must_use]
    pub fn word(&self, is_public: bool) -> RoomKind {
        match self {
            Self::Room if is_public => RoomKind::Public,
            Self::Room => RoomKind::Private,
            Self::Direct(_) => RoomKind::Direct,
        }
    }

    /// Its word for people.
    #[must_use]
    pub fn name(&self, is_public: bool) -> &'static str {
        match self {
            Self::Room if is_public => "public",
            Self::Room => "private",
            Self::Direct(_) => "direct",
        }
    }

    /// It as storage knows it.
    #[must_use]
    pub fn stored(&self) -> store::RoomKind {
        match self {
            Self::Room => store::RoomKind::Public,
            Self::Direct([one, other]) => store::RoomKind::Direct([one.account, other.account]),
        }
    }
}

/// A rank as the wire calls it.
#[must_use]
pub fn role_of(rank: Rank) -> Role {
    match rank {
        Rank::Member => Role::Member,
        Rank::Moderator => Role::Moderator,
        Rank::Owner => Role::Owner,
    }
}

/// The answer for a room that is not there, or must not be seen.
#[must_use]
pub fn not_found() -> Refusal {
    Code::NotFound.into()
}
