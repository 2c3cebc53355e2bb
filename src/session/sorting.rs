//! What a request is about: the sender's account, another person, or a room.

use crate::account::mail::Task;
use crate::base::id::DeviceId;
use crate::protocol::reply::Role;
use crate::protocol::request::{Name, Request};
use crate::protocol::status::{Code, Refusal};
use crate::room::moderation::Measure;
use crate::store::standing::Rank;

/// A request, sorted.
pub(super) enum Sorted {
    /// About the sender's own account.
    Account(Task),
    /// Somebody, to whom something is to be done in a room.
    Person { room: Name, name: Name, measure: Measure },
    /// About rooms.
    Other(Request),
}

/// Sorts a request.
pub(super) fn sort(request: Request) -> Result<Sorted, Refusal> {
    let person = |room, name, measure| Ok(Sorted::Person { room, name, measure });
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are for rooms")]
    match request {
        Request::Passwd(passwd) => Ok(Sorted::Account(Task::Passwd(passwd.old, passwd.new))),
        Request::Unregister(gone) => Ok(Sorted::Account(Task::Unregister(gone.password))),
        Request::Devices(_) => Ok(Sorted::Account(Task::Devices)),
        Request::Revoke(revoke) => Ok(Sorted::Account(Task::Revoke(DeviceId(revoke.device)))),
        Request::Invite(invite) => person(invite.room, invite.name, Measure::Invite),
        Request::Kick(kick) => {
            person(kick.room, kick.name, Measure::Kick(kick.text.map(|text| text.0)))
        }
        Request::Ban(ban) => {
            person(ban.room, ban.name, Measure::Ban(ban.ms, ban.text.map(|text| text.0)))
        }
        Request::Mute(mute) => person(mute.room, mute.name, Measure::Mute(mute.ms)),
        Request::Rank(rank) => person(rank.room, rank.name, Measure::Rank(rank_of(rank.role)?)),
        other => Ok(Sorted::Other(other)),
    }
}

fn rank_of(role: Role) -> Result<Rank, Refusal> {
    match role {
        Role::Member => Ok(Rank::Member),
        Role::Moderator => Ok(Rank::Moderator),
        Role::Owner => Ok(Rank::Owner),
        Role::Unknown => Err(Refusal::new(Code::BadParams, "the server knows no such role")),
    }
}
