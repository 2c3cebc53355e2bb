//! What a request is about: a room, which rooms there are, another person, or the sender's account.

use super::asked;
use crate::account::mail::Task;
use crate::base::id::DeviceId;
use crate::base::name::{RoomName, UserName};
use crate::directory::mail::Goal;
use crate::directory::state::invalid;
use crate::protocol::reply::Role;
use crate::protocol::request::{Admin, Configure, Name, Request};
use crate::protocol::status::{Code, Refusal};
use crate::room::mail::Action;
use crate::room::moderation::{Measure, Setting};
use crate::room::say::Act;
use crate::store::retention::Keep;
use crate::store::standing::Rank;

/// A request, sorted.
pub(super) enum Sorted {
    /// For a room that the sender may know the way to.
    Room(Name, Action),
    /// For the directory: one room more for the session.
    Enter(Goal),
    /// For the directory.
    Seek(Goal),
    /// The room of two with somebody.
    Direct(Name),
    /// Somebody, to whom something is to be done in a room.
    Person { room: Name, name: Name, measure: Measure },
    /// Somebody, who is to be blocked.
    Block(Name),
    /// About the sender's own account.
    Account(Task),
    /// For those who run the server.
    Admin(Admin),
}

/// Sorts a request.
pub(super) fn sort(request: Request) -> Result<Sorted, Refusal> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are sorted below")]
    Ok(match request {
        Request::Join(join) => Sorted::Enter(Goal::Ask(room_name(&join.room)?, Action::Join)),
        Request::Create(create) => {
            let topic = create.topic.map(|topic| topic.0).filter(|topic| !topic.is_empty());
            let private = create.private == Some(true);
            Sorted::Enter(Goal::Create(room_name(&create.room)?, topic, private))
        }
        Request::Direct(direct) => Sorted::Direct(direct.name),
        Request::Rooms(rooms) => {
            let after = rooms.after.as_ref().map(room_name).transpose()?;
            Sorted::Seek(Goal::List { after, limit: rooms.limit })
        }
        Request::Search(search) => Sorted::Seek(Goal::Search(asked::question(search)?)),
        Request::RenameRoom(rename) => {
            Sorted::Seek(Goal::Rename(room_name(&rename.room)?, room_name(&rename.name)?))
        }
        Request::DeleteRoom(delete) => Sorted::Seek(Goal::Delete(room_name(&delete.room)?)),
        Request::Block(block) if block.on => Sorted::Block(block.name),
        Request::Block(block) => Sorted::Seek(Goal::Unblock(user_name(&block.name)?)),
        Request::Blocks(blocks) => {
            Sorted::Seek(Goal::Blocks { after: blocks.after, limit: blocks.limit })
        }
        Request::Passwd(passwd) => Sorted::Account(Task::Passwd(passwd.old, passwd.new)),
        Request::Unregister(gone) => Sorted::Account(Task::Unregister(gone.password)),
        Request::Devices(_) => Sorted::Account(Task::Devices),
        Request::Admin(admin) => Sorted::Admin(admin),
        Request::Revoke(revoke) => Sorted::Account(Task::Revoke(DeviceId(revoke.device))),
        Request::Unread(unread) => {
            let after = unread.after.as_ref().map(room_name).transpose()?;
            Sorted::Account(Task::Unread { after, limit: unread.limit })
        }
        Request::Invite(invite) => person(invite.room, invite.name, Measure::Invite),
        Request::Kick(kick) => {
            person(kick.room, kick.name, Measure::Kick(kick.text.map(|text| text.0)))
        }
        Request::Ban(ban) => {
            person(ban.room, ban.name, Measure::Ban(ban.ms, ban.text.map(|text| text.0)))
        }
        Request::Mute(mute) => person(mute.room, mute.name, Measure::Mute(mute.ms)),
        Request::Rank(rank) => person(rank.room, rank.name, Measure::Rank(rank_of(rank.role)?)),
        other => {
            let (room, action) = action(other)?;
            Sorted::Room(room, action)
        }
    })
}

fn person(room: Name, name: Name, measure: Measure) -> Sorted {
    Sorted::Person { room, name, measure }
}

/// What a room is asked.
fn action(request: Request) -> Result<(Name, Action), Refusal> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the session answers the others itself")]
    Ok(match request {
        Request::Say(say) => {
            let act = Act::Say { text: say.text.0, re: say.re };
            (say.room, Action::Say { act, key: say.key })
        }
        Request::Edit(edit) => {
            let act = Act::Edit { re: edit.seq, text: edit.text.0 };
            (edit.room, Action::Say { act, key: edit.key })
        }
        Request::Delete(delete) => {
            let act = Act::Delete { re: delete.seq };
            (delete.room, Action::Say { act, key: delete.key })
        }
        Request::React(react) => {
            let act = asked::reaction(&react);
            (react.room, Action::Say { act, key: react.key })
        }
        Request::MarkRead(mark) => (mark.room, Action::MarkRead(mark.seq)),
        Request::Typing(typing) => (typing.room, Action::Typing(typing.active)),
        Request::Leave(leave) => (leave.room, Action::Leave),
        Request::Topic(topic) => match topic.topic {
            Some(text) => (topic.room, Action::SetTopic(text.0)),
            None => (topic.room, Action::ReadTopic),
        },
        Request::Members(members) => {
            let (after, limit) = (members.after, members.limit);
            (members.room, Action::Members { after, limit })
        }
        Request::History(history) => {
            let range = asked::range_of(&history)?;
            (history.room, Action::History { range, limit: history.limit })
        }
        Request::Configure(configure) => {
            let Configure { room, private, announcement, slow_ms, .. } = configure;
            let keep = Keep {
                age_ms: configure.keep_ms,
                entries: configure.keep_entries,
                bytes: configure.keep_bytes,
            };
            (room, Action::Configure(Setting { private, announcement, slow_ms, keep }))
        }
        Request::Standings(standings) => {
            let (after, limit) = (standings.after, standings.limit);
            (standings.room, Action::Standings { after, limit })
        }
        _ => return Err(Code::Unexpected.into()),
    })
}

/// A room's name as a client wrote it.
pub(super) fn room_name(name: &Name) -> Result<RoomName, Refusal> {
    RoomName::parse(&name.0).map_err(|error| invalid(&error))
}

fn user_name(name: &Name) -> Result<UserName, Refusal> {
    UserName::parse(&name.0).map_err(|error| invalid(&error))
}

fn rank_of(role: Role) -> Result<Rank, Refusal> {
    match role {
        Role::Member => Ok(Rank::Member),
        Role::Moderator => Ok(Rank::Moderator),
        Role::Owner => Ok(Rank::Owner),
        Role::Unknown => Err(Refusal::new(Code::BadParams, "the server knows no such role")),
    }
}
