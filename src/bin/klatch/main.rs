//! `klatch`: the terminal client, in full screen or line by line.

mod args;
mod clean;
mod clock;
mod line;
mod trust;
mod tui;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use args::Args;
use clap::Parser;
use klatch::client::{Builder, Client, Error, Events};
use klatch::protocol::status::Code;

/// Exit codes, after sysexits where they fit.
const REFUSED: u8 = 1;
const USAGE: u8 = 64;
const NO_CONNECTION: u8 = 69;
const SYSTEM: u8 = 71;
const NOT_TRUSTED: u8 = 76;
const NO_NAME: u8 = 77;
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            drop(error.print());
            return if error.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(SYSTEM, &format!("cannot start: {error}")),
    };
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let code = if args.wants_line_mode() || !terminal {
        runtime.block_on(line::run(&args))
    } else {
        runtime.block_on(tui::run(&args))
    };
    // The thread that waits for input cannot be interrupted; it ends with the process.
    runtime.shutdown_background();
    code
}

/// Says on standard error what went wrong.
fn fail(code: u8, text: &str) -> ExitCode {
    note(text);
    code.into()
}

/// A line on standard error. That nobody may be reading it is no error.
fn note(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "klatch: {}", clean::lines(text)));
}

/// What an error of the connection makes of the exit code.
fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Trust(_) => NOT_TRUSTED,
        Error::Address(_) => USAGE,
        _ => match error.code() {
            Some(Code::NameInvalid | Code::NameReserved | Code::NameTaken) => NO_NAME,
            _ => NO_CONNECTION,
        },
    }
}

/// The settings that both modes share.
fn builder(args: &Args, name: &str) -> Builder {
    let mut builder = Client::builder(&args.server).name(name);
    for room in &args.rooms {
        builder = builder.room(room);
    }
    if args.plain {
        builder = builder.plain();
    }
    if let Some(file) = &args.ca {
        builder = builder.authority(file);
    }
    if let Some(fingerprint) = args.fingerprint {
        builder = builder.fingerprint(fingerprint);
    }
    if let Some(file) = &args.known_servers {
        builder = builder.known_servers(file);
    }
    builder
}

type Connected = Result<(Client, Events), Error>;
