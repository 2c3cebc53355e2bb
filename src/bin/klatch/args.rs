//! The command line.

use std::path::PathBuf;

use clap::Parser;
use klatch::client::{Builder, Client, Fingerprint};

/// What the command line says.
#[derive(Debug, Clone, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(name = "klatch", version, about = "Chat in a terminal, or from a script", max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The server to connect to
    #[arg(short, long, value_name = "HOST[:PORT]", default_value = "127.0.0.1:5528")]
    pub(crate) server: String,

    /// The name to be known by [default: $USER]
    #[arg(short, long)]
    pub(crate) name: Option<String>,

    /// Make an account of the name; its password is asked for, or read from --password-file
    #[arg(long)]
    pub(crate) register: bool,

    /// The code of an invitation, where the server wants one
    #[arg(long, value_name = "CODE", requires = "register")]
    pub(crate) invite: Option<String>,

    /// Read the account's password from the first line of a file, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// A room to join; may be repeated. In line mode, texts go to the first
    #[arg(short, long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,

    /// Line mode: each line of input is a message, each event a line of output. Chosen by itself
    /// when input or output is not a terminal
    #[arg(short, long)]
    pub(crate) line: bool,

    /// Line mode with one JSON object per event
    #[arg(long)]
    pub(crate) json: bool,

    /// Line mode that reads no input, and prints events until it is interrupted
    #[arg(long)]
    pub(crate) listen: bool,

    /// Connect without TLS: only sensible on one machine
    #[arg(long, conflicts_with_all = ["ca", "fingerprint"])]
    pub(crate) plain: bool,

    /// A certificate authority (PEM) to trust besides the system's; unknown servers are refused
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Trust the certificate with this SHA-256 and no other (klatchd prints it when it starts)
    #[arg(long, value_name = "HEX")]
    pub(crate) fingerprint: Option<Fingerprint>,

    /// Where the certificates of known servers are remembered, if not in
    /// `~/.local/state/klatch/known_servers`
    #[arg(long, value_name = "FILE")]
    pub(crate) known_servers: Option<PathBuf>,
}

impl Args {
    /// Whether one of the options that only make sense in line mode was given.
    pub(crate) fn wants_line_mode(&self) -> bool {
        self.line || self.json || self.listen
    }

    /// The settings of a session by this name.
    pub(crate) fn builder(&self, name: &str) -> Builder {
        let mut builder = Client::builder(&self.server).name(name);
        for room in &self.rooms {
            builder = builder.room(room);
        }
        if self.plain {
            builder = builder.plain();
        }
        if let Some(file) = &self.ca {
            builder = builder.authority(file);
        }
        if let Some(fingerprint) = self.fingerprint {
            builder = builder.fingerprint(fingerprint);
        }
        if let Some(file) = &self.known_servers {
            builder = builder.known_servers(file);
        }
        builder
    }

    /// The name that was given, or the one that the system knows the user by.
    pub(crate) fn name_or_user(&self) -> Option<String> {
        self.name.clone().or_else(|| std::env::var("USER").ok()).filter(|name| !name.is_empty())
    }
}

const AFTER_HELP: &str = "\
Examples:
  klatch                                       chat on this machine's server
  klatch -s chat.example.org -n alice -r ops   chat elsewhere, by another name
  klatch -n alice --register                   make an account; from then on it is logged in here
  uptime | klatch -n bot -r ops                say the output of a command, line by line
  klatch -n log -r ops --listen >> ops.log     keep a log of a room
  klatch -r ops --json --listen | jq .text     for programs

Line mode prints one event a line; the format is stable:
  12:03:04 #ops <alice> text                   a message; a line break in it is shown as ⏎
  12:03:04 #ops * alice set the topic: text
  12:03:04 #ops + alice bob (7 members)        joined; \"-\" is left, with the reason
  12:03:04 #ops ! 3 messages are missing       the server does not have them any more
A direct room is shown as @NAME instead of #ROOM. News of the connection go to standard error.
At the end of input it waits until all is acknowledged, leaves, and exits with 0.

Exit codes: 0 all was said, 1 a message was refused, 64 wrong usage, 69 no connection,
76 the certificate is not the known one, 77 the name was refused, 130 interrupted.

A server that is seen for the first time is trusted on first use, as with ssh: full screen
asks, line mode notes it on standard error. From then on its certificate must be the same.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn plain_and_trust_exclude_each_other() {
        assert!(Args::try_parse_from(["klatch", "--plain", "--ca", "x"]).is_err());
        let hex = "ab".repeat(32);
        let args = Args::try_parse_from(["klatch", "--fingerprint", &hex]).expect("accepted");
        assert_eq!(args.fingerprint.map(|print| print.to_string()), Some(format!("sha256:{hex}")));
    }
}
