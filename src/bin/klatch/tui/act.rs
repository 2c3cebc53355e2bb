//! Commands that keep order in a room, and those about one's own account: each is one request, and
//! ends with a line that says it is done.

use klatch::client::{Client, Error};
use klatch::protocol::reply::Role;
use klatch::protocol::request::{
    Ban, Block, Blocks, Configure, DeleteRoom, Devices, Invite, Kick, Logout, Mute, Params, Rank,
    RenameRoom,
};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Invite(String),
    Kick(String, Option<String>),
    /// For so many minutes; 0 ends it; for good without a number.
    Ban(String, Option<u64>),
    Mute(String, Option<u64>),
    Rank(String, Role),
    Set(What),
    /// This room gets another name.
    RenameRoom(String),
    /// This room, if it is called so, is deleted.
    DeleteRoom(String),
    /// About one's own account.
    Own(Own),
}

/// What is to be done about one's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    /// Somebody writes no more directly, or does again.
    Block(String, bool),
    Blocks,
    Devices,
    /// Log this device out, or all of them.
    Logout(bool),
}

impl Act {
    /// Whether it is done in the room that is shown.
    pub(super) fn is_about_a_room(&self) -> bool {
        !matches!(self, Self::Own(_) | Self::DeleteRoom(_))
    }
}

/// How a room is to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Private(bool),
    Announcement(bool),
    /// Seconds between two messages.
    Slow(u32),
    /// Days that a message is kept; 0: as long as the server does.
    Keep(u64),
}

/// Understands a command of this kind: `None` if `word` is none, or if it is not written well.
pub(super) fn parse(word: &str, first: &str, rest: &str) -> Option<Act> {
    let name = first.strip_prefix('@').unwrap_or(first);
    let named = (!name.is_empty()).then(|| name.to_owned());
    let minutes = || if rest.is_empty() { Some(None) } else { rest.parse().ok().map(Some) };
    match word {
        "invite" => named.map(Act::Invite),
        "kick" => named.map(|name| Act::Kick(name, (!rest.is_empty()).then(|| rest.to_owned()))),
        "ban" => Some(Act::Ban(named?, minutes()?)),
        "mute" => Some(Act::Mute(named?, minutes()?)),
        "role" => {
            let role = [Role::Member, Role::Moderator, Role::Owner];
            let role = role.into_iter().find(|role| role.word() == rest)?;
            Some(Act::Rank(named?, role))
        }
        "set" => match (first, rest) {
            ("private", "") => Some(Act::Set(What::Private(true))),
            ("public", "") => Some(Act::Set(What::Private(false))),
            ("announcement", "on" | "off") => Some(Act::Set(What::Announcement(rest == "on"))),
            ("keep", days) => days.parse().ok().map(|days| Act::Set(What::Keep(days))),
            ("slow", seconds) => seconds.parse().ok().map(|seconds| Act::Set(What::Slow(seconds))),
            _ => None,
        },
        "rename" => named.map(Act::RenameRoom),
        "delete-room" => named.map(Act::DeleteRoom),
        "block" => named.map(|name| Act::Own(Own::Block(name, true))),
        "unblock" => named.map(|name| Act::Own(Own::Block(name, false))),
        "blocks" => Some(Act::Own(Own::Blocks)),
        "devices" => Some(Act::Own(Own::Devices)),
        "logout" => Some(Act::Own(Own::Logout(first == "all"))),
        _ => None,
    }
}

/// Does it, in `room` where it is about one; says what was done.
pub(super) async fn carry_out(client: &Client, room: &str, act: Act) -> Result<String, Error> {
    let (room, timeout_ms) = (room.into(), None);
    let ms = |minutes: Option<u64>| minutes.map(|minutes| minutes.saturating_mul(60_000));
    match act {
        Act::Invite(name) => {
            ask(client, &Invite { room, name: name.as_str().into(), timeout_ms }).await?;
            Ok(format!("{name} is invited"))
        }
        Act::Kick(name, text) => {
            let text = text.as_deref().map(Into::into);
            ask(client, &Kick { room, name: name.as_str().into(), text, timeout_ms }).await?;
            Ok(format!("{name} is out"))
        }
        Act::Ban(name, minutes) => {
            let (text, ms) = (None, ms(minutes));
            ask(client, &Ban { room, name: name.as_str().into(), ms, text, timeout_ms }).await?;
            Ok(lasting(&name, "banned", minutes))
        }
        Act::Mute(name, minutes) => {
            let ms = ms(minutes);
            ask(client, &Mute { room, name: name.as_str().into(), ms, timeout_ms }).await?;
            Ok(lasting(&name, "muted", minutes))
        }
        Act::Rank(name, role) => {
            ask(client, &Rank { room, name: name.as_str().into(), role, timeout_ms }).await?;
            Ok(format!("{name} is {} now", role.word()))
        }
        Act::Set(what) => {
            let mut configure = Configure::of(room);
            match what {
                What::Private(private) => configure.private = Some(private),
                What::Announcement(on) => configure.announcement = Some(on),
                What::Keep(days) => configure.keep_ms = Some(days.saturating_mul(86_400_000)),
                What::Slow(seconds) => configure.slow_ms = Some(seconds.saturating_mul(1_000)),
            }
            ask(client, &configure).await?;
            Ok("the room is set".to_owned())
        }
        // The members are told by an event, and so is this one.
        Act::RenameRoom(name) => {
            ask(client, &RenameRoom { room, name: name.as_str().into(), timeout_ms }).await?;
            Ok(format!("the room is called {name} now"))
        }
        Act::DeleteRoom(name) => {
            let name = name.strip_prefix('#').unwrap_or(&name);
            ask(client, &DeleteRoom { room: name.into(), timeout_ms }).await?;
            Ok(format!("{name} is deleted"))
        }
        Act::Own(what) => own(client, what).await,
    }
}

/// Does what is about one's own account.
async fn own(client: &Client, what: Own) -> Result<String, Error> {
    let timeout_ms = None;
    match what {
        Own::Block(name, on) => {
            ask(client, &Block { name: name.as_str().into(), on, timeout_ms }).await?;
            let what = if on { "cannot write to you directly any more" } else { "is not blocked" };
            Ok(format!("{name} {what}"))
        }
        Own::Blocks => {
            let list = client.request(&Blocks { after: None, limit: None, timeout_ms }).await?;
            let names: Vec<&str> = list.blocks.0.iter().map(|one| &*one.name).collect();
            let more = if list.more { " and more" } else { "" };
            Ok(if names.is_empty() {
                "you block nobody".to_owned()
            } else {
                format!("you block {}{more}", names.join(", "))
            })
        }
        Own::Devices => {
            let list = client.request(&Devices { timeout_ms }).await?;
            let lines = list.devices.0.iter().map(|device| {
                let state = match (device.current, device.online) {
                    (true, _) => "this one",
                    (false, true) => "online",
                    (false, false) => "away",
                };
                format!("\n  {} {} ({state})", device.id, device.device)
            });
            Ok(format!("Your devices:{}", lines.collect::<String>()))
        }
        Own::Logout(all) => {
            ask(client, &Logout { all: Some(all), timeout_ms }).await?;
            Ok("logged out".to_owned())
        }
    }
}

async fn ask<P: Params + 'static>(client: &Client, params: &P) -> Result<(), Error> {
    client.request(params).await.map(drop)
}

fn lasting(name: &str, what: &str, minutes: Option<u64>) -> String {
    match minutes {
        Some(0) => format!("{name} is not {what} any more"),
        Some(minutes) => format!("{name} is {what} for {minutes} min"),
        None => format!("{name} is {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood() {
        for (word, first, rest, want) in [
            ("invite", "@bob", "", Some(Act::Invite("bob".into()))),
            ("kick", "bob", "be kind", Some(Act::Kick("bob".into(), Some("be kind".into())))),
            ("ban", "bob", "", Some(Act::Ban("bob".into(), None))),
            ("ban", "bob", "10", Some(Act::Ban("bob".into(), Some(10)))),
            ("ban", "bob", "soon", None),
            ("mute", "", "", None),
            ("role", "bob", "moderator", Some(Act::Rank("bob".into(), Role::Moderator))),
            ("role", "bob", "king", None),
            ("set", "private", "", Some(Act::Set(What::Private(true)))),
            ("set", "announcement", "off", Some(Act::Set(What::Announcement(false)))),
            ("set", "slow", "5", Some(Act::Set(What::Slow(5)))),
            ("set", "slow", "", None),
            ("set", "keep", "30", Some(Act::Set(What::Keep(30)))),
            ("rename", "dreams", "", Some(Act::RenameRoom("dreams".into()))),
            ("delete-room", "", "", None),
            ("unblock", "@bob", "", Some(Act::Own(Own::Block("bob".into(), false)))),
            ("logout", "all", "", Some(Act::Own(Own::Logout(true)))),
        ] {
            assert_eq!(parse(word, first, rest), want, "{word} {first} {rest}");
        }
    }
}
