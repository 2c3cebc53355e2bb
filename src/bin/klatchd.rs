//! The chat daemon: reads its configuration, and runs the server.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use klatch::config::{self, Loaded, Sources};
use klatch::server;

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
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// Read the configuration from this file.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Set a key of the configuration, over file and environment; may be repeated.
    #[arg(short, long = "set", value_name = "SECTION.KEY=VALUE")]
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
    env_logger::Builder::new().filter_level(config.log.level).init();
    let is_root = rustix::process::geteuid().is_root();
    let state_dir = config
        .server
        .state_directory(&environment, is_root)
        .map_err(|error| (BAD_CONFIG, error.to_string()))?;
    server::run::run(&config, state_dir).map_err(|error| (CANNOT_START, error.to_string()))
}
