//! `klatch`: the terminal client, in full screen or line by line.

mod args;
mod clean;
mod clock;
mod exit;
mod line;
mod login;
mod trust;
mod tui;

use std::io::IsTerminal;
use std::process::ExitCode;

use args::Args;
use clap::Parser;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            drop(error.print());
            return if error.use_stderr() { exit::USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    // One thread is plenty: nothing here computes for long.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::fail(exit::SYSTEM, &format!("cannot start: {error}")),
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
