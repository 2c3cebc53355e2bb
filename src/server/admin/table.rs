//! Every command of `klatchd admin`: its name, its parameters, what it does.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::{bans, commands, figures, why};
use crate::server::daemon::Daemon;

/// What a command was given, by the names of its parameters.
pub type Given = BTreeMap<String, String>;

/// What it answers, or why it did nothing.
pub type Answer = Result<Value, Failure>;

/// Why a command did nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// In a sentence, with the remedy.
    pub why: String,
    /// What a program wants to know besides.
    pub details: Value,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, details: Value::Null }
    }
}

/// One command.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// What it takes, in order.
    pub parameters: &'static [Parameter],
    /// What its answer begins with, for people; the rest follows by name.
    pub first: &'static [&'static str],
    /// Does it.
    pub run: fn(Rc<Daemon>, Given) -> LocalBoxFuture<'static, Answer>,
}

/// One parameter of a command.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value, as help shows it.
    pub value: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
    /// Whether the command needs it.
    pub required: bool,
}

/// All of them.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "commands",
        help: "List these commands with their parameters, for programs",
        parameters: &[],
        first: &["command", "help", "parameters"],
        run: figures::commands,
    },
    Command {
        name: "metrics",
        help: "Show what is counted, as /metrics does",
        parameters: &[],
        first: &["metric", "value"],
        run: figures::metrics,
    },
    Command {
        name: "status",
        help: "Tell how the server is: load, bounds, storage, certificate",
        parameters: &[],
        first: &[
            "version",
            "pid",
            "uptime_s",
            "listening",
            "connections",
            "without_a_name",
            "rooms",
        ],
        run: commands::status,
    },
    Command {
        name: "sessions",
        help: "List who is connected, from where, and what waits for them",
        parameters: &[Parameter {
            name: "name",
            value: "NAME",
            help: "Only the sessions of this name",
            required: false,
        }],
        first: &["name", "session", "address", "speaks", "tls", "age_s", "silent_s"],
        run: commands::sessions,
    },
    Command {
        name: "rooms",
        help: "List the rooms and how many are in them",
        parameters: &[],
        first: &["room", "kind", "members"],
        run: commands::rooms,
    },
    Command {
        name: "usage",
        help: "Tell what takes the space of the database, by room or by account, the largest first",
        parameters: &[Parameter {
            name: "by",
            value: "room|account",
            help: "What to list [default: room]",
            required: false,
        }],
        first: &["room", "account", "entries", "bytes", "oldest"],
        run: commands::usage,
    },
    Command {
        name: "kick",
        help: "End the sessions of a name, or one session by its number; they may come back",
        parameters: &[Parameter {
            name: "who",
            value: "WHO",
            help: "A name, or a number as `sessions` shows it",
            required: true,
        }],
        first: &["who"],
        run: commands::kick,
    },
    Command {
        name: "why",
        help: "Tell which limits somebody met, where their budgets stand, and what to do about it",
        parameters: &[Parameter {
            name: "who",
            value: "WHO",
            help: "A session's number as `sessions` shows it, an address, or a name",
            required: true,
        }],
        first: &["who", "is", "advice", "limit", "of", "budget", "used", "burst", "per_s"],
        run: why::why,
    },
    Command {
        name: "ban",
        help: "Let an address, a network or a name in no more, and end its sessions at once",
        parameters: &[
            Parameter {
                name: "who",
                value: "WHO",
                help: "An address, a network such as 192.0.2.0/24 or 2001:db8::/48, or a name",
                required: true,
            },
            Parameter {
                name: "for",
                value: "TIME",
                help: "How long: 30min, 12h, 7days, or \"ever\" [default: ever]",
                required: false,
            },
            Parameter {
                name: "reason",
                value: "REASON",
                help: "Why, in a line: those who are banned are told",
                required: false,
            },
        ],
        first: &["banned", "until", "reason"],
        run: bans::ban,
    },
    Command {
        name: "unban",
        help: "Lift a ban",
        parameters: &[Parameter {
            name: "who",
            value: "WHO",
            help: "What was banned, as `bans` shows it",
            required: true,
        }],
        first: &["unbanned"],
        run: bans::unban,
    },
    Command {
        name: "bans",
        help: "List the bans",
        parameters: &[],
        first: &["banned", "since", "until", "by", "reason"],
        run: bans::bans,
    },
    Command {
        name: "users",
        help: "List who has an account or is here as a guest, a thousand at most",
        parameters: &[Parameter {
            name: "prefix",
            value: "PREFIX",
            help: "Only names that begin so",
            required: false,
        }],
        first: &["name", "guest", "admin", "online", "banned"],
        run: bans::users,
    },
    Command {
        name: "invite",
        help: "Make the code of an invitation: who has it makes one account, whatever the rules",
        parameters: &[
            Parameter {
                name: "days",
                value: "DAYS",
                help: "How long it is good [default: 7]",
                required: false,
            },
            Parameter {
                name: "role",
                value: "member|admin",
                help: "What the account may be: an admin administers the server [default: member]",
                required: false,
            },
        ],
        first: &["code", "link", "role", "until"],
        run: commands::invite,
    },
    Command {
        name: "reload",
        help: "Read configuration and certificate again, and tell what became of each changed key",
        parameters: &[],
        first: &["summary", "outcome", "key", "old", "new"],
        run: commands::reload,
    },
    Command {
        name: "drain",
        help: "Tell everybody that the server goes away, write what waits, and end it",
        parameters: &[Parameter {
            name: "seconds",
            value: "SECONDS",
            help: "Have clients come back after this time, spread over as much again",
            required: false,
        }],
        first: &["sessions"],
        run: commands::drain,
    },
];

/// The command of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// Does a command, if it is one and was given what it needs.
pub(super) async fn run(daemon: Rc<Daemon>, name: &str, arguments: Given) -> Answer {
    let Some(command) = find(name) else {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        let why = format!("there is no command {name:?}; there are {}", names.join(", "));
        return Err(why.into());
    };
    for parameter in command.parameters.iter().filter(|parameter| parameter.required) {
        if !arguments.contains_key(parameter.name) {
            return Err(
                format!("{} needs {}: {}", command.name, parameter.name, parameter.help).into()
            );
        }
    }
    let known = |name: &String| command.parameters.iter().any(|one| one.name == name);
    if let Some(unknown) = arguments.keys().find(|name| !known(name)) {
        return Err(format!("{} takes no {unknown:?}", command.name).into());
    }
    (command.run)(daemon, arguments).await
}
