//! The command line: the one definition from which help, man pages and completions are made.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, Parser, Subcommand, value_parser};
use klatch::base::name::{NameError, RoomName, UserName};
use klatch::server::admin::table::{self, Given};

/// A chat daemon: rooms, a formal protocol, fair scheduling, TLS by default.
///
/// Without arguments it makes its state directory and a self-signed certificate, listens on port
/// 5528, and prints how to chat.
#[derive(Debug, Parser)]
#[command(name = "klatchd", version = klatch::web::VERSION, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,

    /// Read the configuration from this file.
    #[arg(short, long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Set a key of the configuration, over file and environment; may be repeated.
    #[arg(short, long = "set", value_name = "SECTION.KEY=VALUE", global = true)]
    pub(crate) set: Vec<String>,

    /// Check the configuration, tell everything that is wrong with it, and exit.
    #[arg(long)]
    pub(crate) check_config: bool,

    /// Print the configuration in effect, with the origin of each value, and exit.
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) print_config: bool,

    /// Print a configuration file with every key, its meaning and its default, and exit.
    #[arg(long, conflicts_with_all = ["check_config", "print_config"])]
    pub(crate) example_config: bool,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Copy the database to a new file, while the server runs or not, and verify the copy.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Put a copy in the place of the database, which is kept; the server must not run.
    Restore {
        /// The copy.
        file: PathBuf,
    },
    /// Print what was said in a room, or everything that is stored of an account, as lines of JSON.
    #[command(arg_required_else_help = true)]
    Export {
        /// The room's name.
        #[arg(value_parser = room, required_unless_present = "account")]
        room: Option<RoomName>,
        /// Everything of this account instead: itself, its devices, its places in rooms, whom it blocks,
        /// and what it said; no secret, and nothing of others.
        #[arg(long, value_name = "NAME", value_parser = user, conflicts_with = "room")]
        account: Option<UserName>,
    },
    /// Look at configuration, certificate, ports, files, disk, clock and database, and advise.
    Check {
        /// Print the findings as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Ask the server that runs, or tell it to do something.
    Admin {
        /// Print the answer as JSON, for programs.
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        request: Request,
    },
}

/// A command of the server's own table, with what it was given.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) command: String,
    pub(crate) given: Given,
}

const AFTER_HELP: &str = "\
Every key can also be set in the environment: KLATCHD__SECTION__KEY=VALUE.

Signals:  SIGTERM, SIGINT  tell everybody, write what waits, exit; a second one exits at once
          SIGHUP           read configuration and certificate again, without disconnecting anybody

Exit status:  0 done or shut down   1 stopped at once, or not done   64 bad usage
              69 cannot start or be reached   70 internal failure   78 bad configuration";

impl clap::FromArgMatches for Request {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, inner) = matches
            .subcommand()
            .ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        let parameters = table::find(name).map_or(&[][..], |command| command.parameters);
        let given = parameters.iter().filter_map(|parameter| {
            let value = inner.get_one::<String>(parameter.name)?;
            Some((parameter.name.to_owned(), value.clone()))
        });
        Ok(Self { command: name.to_owned(), given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Request {
    fn augment_subcommands(command: Command) -> Command {
        let all = table::COMMANDS.iter().map(|row| {
            let arguments = row.parameters.iter().map(|parameter| {
                Arg::new(parameter.name)
                    .help(parameter.help)
                    .value_name(parameter.value)
                    .value_parser(value_parser!(String))
                    .required(parameter.required)
            });
            Command::new(row.name).about(row.help).args(arguments)
        });
        command.subcommands(all).subcommand_required(true).arg_required_else_help(true)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        table::find(name).is_some()
    }
}

/// An account's name, likewise.
fn user(text: &str) -> Result<UserName, NameError> {
    UserName::parse(text)
}

/// A room's name, as it is written on the command line.
fn room(text: &str) -> Result<RoomName, NameError> {
    RoomName::parse(text)
}
