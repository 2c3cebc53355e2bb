//! Commands: what a line that begins with `/` asks for.

use super::act::{self, Act};

/// Every command, with its form and what it does; `/help` shows this table.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    ("/join", "ROOM", "join a room"),
    ("/leave", "[ROOM]", "leave this room, or another"),
    ("/create", "ROOM [TOPIC]", "make a room and join it"),
    ("/msg", "NAME [TEXT]", "talk to one person alone"),
    ("/members", "", "who is in this room"),
    ("/reply", "[^N] TEXT", "answer the newest message, or the one N before it"),
    ("/edit", "[^N] TEXT", "give your newest message another text"),
    ("/delete", "[^N]", "delete your newest message"),
    ("/react", "[^N] EMOJI", "react to the newest message; -EMOJI takes it back"),
    ("/search", "WORDS", "find messages with these words in the rooms that you may see"),
    ("/topic", "[TEXT]", "show or set this room's topic"),
    ("/rooms", "", "what rooms there are"),
    ("/name", "NAME", "go on under another name"),
    ("/invite", "NAME", "let somebody into this private room"),
    ("/kick", "NAME [TEXT]", "put somebody out of this room"),
    ("/ban", "NAME [MINUTES]", "keep somebody out of it; 0 ends that"),
    ("/mute", "NAME [MINUTES]", "keep somebody from writing in it; 0 ends that"),
    ("/role", "NAME ROLE", "make somebody member, moderator or owner of it"),
    ("/set", "private|public|announcement on|off|slow SECONDS|keep DAYS", "set this room"),
    ("/rename", "NAME", "give this room another name"),
    ("/delete-room", "ROOM", "delete a room for good, with all that was said in it"),
    ("/block", "NAME", "no direct messages from somebody any more; /unblock NAME ends that"),
    ("/blocks", "", "whom you block"),
    ("/devices", "", "where your account is logged in"),
    ("/logout", "[all]", "log this device out, or all of them"),
    ("/help", "", "this list, and the keys"),
    ("/quit", "", "leave; an account stays logged in"),
];

/// The keys, for `/help`.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("Alt-Up Alt-Down, Ctrl-P Ctrl-N, Alt-1 .. Alt-9", "other rooms"),
    ("Alt-A", "the next room with something new"),
    ("PgUp PgDn, Alt-End", "scroll; older messages are fetched; to the newest"),
    ("Tab", "complete a name or a command"),
    ("Up Down", "what you wrote before"),
    ("Alt-Enter", "a line break in the message (shown as \u{23ce}, also in what is pasted)"),
    ("F2", "show or hide the members"),
    ("Ctrl-C", "leave"),
];

/// A line of input, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Say(String),
    Join(String),
    Leave(Option<String>),
    Create(String, Option<String>),
    Message(String, Option<String>),
    Members,
    /// To the message so many before the newest.
    Reply(usize, String),
    Edit(usize, String),
    Delete(usize),
    React(usize, String, bool),
    Search(String),
    Topic(Option<String>),
    Rooms,
    Name(String),
    Act(Act),
    Help,
    Quit,
}

/// Understands a line; the error tells how the command is written. `//x` says `/x`.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let Some(rest) = line.strip_prefix('/') else { return Ok(Command::Say(line.into())) };
    if rest.starts_with('/') {
        return Ok(Command::Say(rest.into()));
    }
    let (word, rest) = split(rest);
    let (first, text) = split(rest);
    let one = |text: &str| if text.is_empty() { None } else { Some(text.to_owned()) };
    let room = first.strip_prefix('#').unwrap_or(first);
    let command = match word {
        "join" | "j" => one(room).map(Command::Join),
        "leave" | "part" => Some(Command::Leave(one(room))),
        "create" => one(room).map(|room| Command::Create(room, one(text))),
        "msg" | "query" => {
            let name = first.strip_prefix('@').unwrap_or(first);
            one(name).map(|name| Command::Message(name, one(text)))
        }
        "members" | "who" => Some(Command::Members),
        "reply" | "re" => about(rest).and_then(|(n, text)| Some(Command::Reply(n, one(text)?))),
        "edit" => about(rest).and_then(|(n, text)| Some(Command::Edit(n, one(text)?))),
        "delete" | "del" => {
            about(rest).filter(|(_, more)| more.is_empty()).map(|(n, _)| Command::Delete(n))
        }
        "react" => about(rest).and_then(|(n, text)| {
            let taken = text.strip_prefix('-').filter(|rest| !rest.is_empty());
            Some(Command::React(n, one(taken.unwrap_or(text))?, taken.is_none()))
        }),
        "search" | "find" => one(rest).map(Command::Search),
        "topic" => Some(Command::Topic(one(rest))),
        "rooms" | "list" => Some(Command::Rooms),
        "name" | "nick" => one(first).map(Command::Name),
        "invite" | "kick" | "ban" | "mute" | "role" | "set" | "rename" | "delete-room"
        | "block" | "unblock" | "blocks" | "devices" | "logout" => {
            act::parse(word, first, text).map(Command::Act)
        }
        "help" | "h" => Some(Command::Help),
        "quit" | "q" | "exit" => Some(Command::Quit),
        _ => return Err(format!("there is no command /{word}; /help lists them")),
    };
    command.ok_or_else(|| usage(word))
}

/// Which message a command is about, and what follows.
fn about(text: &str) -> Option<(usize, &str)> {
    let Some(rest) = text.strip_prefix('^') else { return Some((0, text)) };
    let (number, rest) = split(rest);
    Some((number.parse().ok()?, rest))
}

fn usage(word: &str) -> String {
    let name = match word {
        "j" => "join",
        "query" => "msg",
        "nick" => "name",
        "find" => "search",
        "re" => "reply",
        "del" => "delete",
        other => other,
    };
    let form = COMMANDS.iter().find(|(command, ..)| command.strip_prefix('/') == Some(name));
    form.map_or_else(String::new, |(command, form, _)| format!("it is written: {command} {form}"))
}

/// The first word, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace)
        .map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        for (line, want) in [
            ("hello", Command::Say("hello".into())),
            ("//shrug", Command::Say("/shrug".into())),
            ("/join #ops", Command::Join("ops".into())),
            ("/leave", Command::Leave(None)),
            ("/create ops all of it", Command::Create("ops".into(), Some("all of it".into()))),
            ("/msg @bob  hi  there", Command::Message("bob".into(), Some("hi  there".into()))),
            ("/msg bob", Command::Message("bob".into(), None)),
            ("/topic", Command::Topic(None)),
            ("/topic one two", Command::Topic(Some("one two".into()))),
            ("/reply yes, now", Command::Reply(0, "yes, now".into())),
            ("/re ^2 that one", Command::Reply(2, "that one".into())),
            ("/edit ^1 a b", Command::Edit(1, "a b".into())),
            ("/delete", Command::Delete(0)),
            ("/del ^3", Command::Delete(3)),
            ("/react +1", Command::React(0, "+1".into(), true)),
            ("/react ^4 -+1", Command::React(4, "+1".into(), false)),
            ("/react -", Command::React(0, "-".into(), true)),
            ("/search two words", Command::Search("two words".into())),
            ("/q", Command::Quit),
        ] {
            assert_eq!(parse(line), Ok(want), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_explained() {
        assert_eq!(parse("/join"), Err("it is written: /join ROOM".into()));
        assert_eq!(parse("/edit ^2"), Err("it is written: /edit [^N] TEXT".into()));
        assert_eq!(parse("/del that"), Err("it is written: /delete [^N]".into()));
        assert_eq!(parse("/nick"), Err("it is written: /name NAME".into()));
        assert!(parse("/fly").expect_err("unknown").contains("/help"));
    }

    #[test]
    fn every_command_in_the_table_exists() {
        for (command, ..) in COMMANDS {
            let unknown =
                matches!(parse(&format!("{command} x")), Err(why) if why.contains("no command"));
            assert!(!unknown, "{command}");
        }
    }
}
