//! The chat daemon: reads its configuration, and runs the server.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use klatch::base::name::{NameError, RoomName};
use klatch::config::{self, Loaded, Sources};
use klatch::server;
use klatch::store::sqlite::backup::{self, CopyError};

/// Chosen by measurement: docs/decisions/0006-jemalloc.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// `EX_CONFIG` of sysexits.h.
const BAD_CONFIG: u8 = 78;
/// `EX_UNAVAILABLE` of sysexits.h.
const CANNOT_START: u8 = 69;

/// A chat daemon: rooms, a formal protocol, fair scheduling, TLS by default.
///
/// Without arguments it makes its state directory and a self-signed certificate, listens on port
/// 5528, and prints how to chat.
#[derive(Debug, Parser)]
#[command(version = klatch::web::VERSION, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,

    /// Read the configuration from this file.
    #[arg(short, long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Set a key of the configuration, over file and environment; may be repeated.
    #[arg(short, long = "set", value_name = "SECTION.KEY=VALUE", global = true)]
    set: Vec<String>,

    /// Check the configuration, tell everything that is wrong with it, and exit.
    #[arg(long)]
    check_config: bool,

    /// Print the configuration in effect, with the origin of each value, and exit.
    #[arg(long, conflicts_with = "check_config")]
    print_config: bool,

    /// Print a configuration file with every key, its meaning and its default, and exit.
    #[arg(long, conflicts_with_all = ["check_config", "print_config"])]
    example_config: bool,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
enum Task {
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
    /// Print what was said in a room, as a line of JSON for each entry.
    Export {
        /// The room's name.
        #[arg(value_parser = room)]
        room: RoomName,
    },
}

const AFTER_HELP: &str = "\
Every key can also be set in the environment: KLATCHD__SECTION__KEY=VALUE.

Signals:  SIGTERM, SIGINT  tell everybody, write what waits, exit; a second one exits at once.

Exit status:  0 shut down   1 stopped at once   64 bad usage   69 cannot start
              70 internal failure   78 bad configuration";

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let told = error.print();
            drop(told);
            // clap's own code for bad usage is 2.
            return if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, why)) => {
            let told = writeln!(io::stderr(), "klatchd: {why}");
            drop(told);
            ExitCode::from(code)
        }
    }
}

fn run(arguments: Arguments) -> Result<(), (u8, String)> {
    let cannot = |error: io::Error| (CANNOT_START, error.to_string());
    let mut out = io::stdout();
    if arguments.example_config {
        return out.write_all(config::example().as_bytes()).map_err(cannot);
    }
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let sources = Sources {
        file: arguments.config,
        environment: environment.clone(),
        overrides: arguments.set,
    };
    let loaded = config::load(&sources).map_err(|problems| (BAD_CONFIG, problems.to_string()))?;
    if arguments.print_config {
        return out.write_all(config::print(&loaded).as_bytes()).map_err(cannot);
    }
    if arguments.check_config {
        return writeln!(out, "the configuration is good").map_err(cannot);
    }
    let Loaded { config, .. } = loaded;
    let is_root = rustix::process::geteuid().is_root();
    let state_dir = config
        .server
        .state_directory(&environment, is_root)
        .map_err(|error| (BAD_CONFIG, error.to_string()))?;
    if let Some(task) = arguments.task {
        let database = state_dir.join(server::DATABASE);
        return work(task, &database, &mut out).map_err(|error| (CANNOT_START, error.to_string()));
    }
    env_logger::Builder::new().filter_level(config.log.level).init();
    server::run::run(&config, state_dir).map_err(|error| (CANNOT_START, error.to_string()))
}

fn work(task: Task, database: &Path, out: &mut impl Write) -> Result<(), CopyError> {
    let told = match task {
        Task::Backup { file } => {
            let holdings = backup::backup(database, &file)?;
            writeln!(out, "{} holds {holdings}; it was read through, and is sound", file.display())
        }
        Task::Restore { file } => {
            let (holdings, kept) = backup::restore(database, &file)?;
            let kept = kept.map_or(String::new(), |kept| {
                format!("\nwhat was there before is in {}", kept.display())
            });
            writeln!(out, "the database holds {holdings} again{kept}")
        }
        Task::Export { room } => {
            return backup::export(database, &room, &mut BufWriter::new(out)).map(drop);
        }
    };
    // The work is done, whether or not anybody reads about it.
    drop(told);
    Ok(())
}

/// A room's name, as it is written on the command line.
fn room(text: &str) -> Result<RoomName, NameError> {
    RoomName::parse(text)
}
