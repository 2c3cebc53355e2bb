//! The chat daemon: reads its configuration, and runs the server, or does what is asked instead.

mod args;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use args::{Arguments, Request, Task};
use clap::Parser;
use klatch::base::clock::{Clock, SystemClock};
use klatch::config::{self, Loaded, Sources};
use klatch::server;
use klatch::server::admin::{self, ask, show, table};
use klatch::server::check::{Finding, Verdict};
use klatch::server::run::Boot;
use klatch::store::sqlite::backup::{self, CopyError};
use klatch::store::sqlite::export;

/// Chosen by measurement: docs/decisions/0006-jemalloc.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Something was asked for and not done.
const NOT_DONE: u8 = 1;
/// `EX_CONFIG` of sysexits.h.
const BAD_CONFIG: u8 = 78;
/// `EX_UNAVAILABLE` of sysexits.h.
const CANNOT_START: u8 = 69;

/// Why it did not do what it was started for, with the exit status.
type Failed = (u8, String);

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

fn cannot(error: impl std::fmt::Display) -> Failed {
    (CANNOT_START, error.to_string())
}

fn run(arguments: Arguments) -> Result<(), Failed> {
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
    let is_root = rustix::process::geteuid().is_root();
    let state_dir = loaded
        .config
        .server
        .state_directory(&environment, is_root)
        .map_err(|error| (BAD_CONFIG, error.to_string()))?;
    match arguments.task {
        None => server::run::run(Boot { sources, loaded, state_dir }).map_err(cannot),
        Some(Task::Check { json }) => check(&loaded, &sources, &state_dir, json),
        Some(Task::Admin { json, request }) => {
            administrate(&loaded, &environment, &state_dir, &request, json)
        }
        Some(task) => work(task, &state_dir.join(server::DATABASE), &mut out).map_err(cannot),
    }
}

/// Tells what was found; a problem is a failure.
fn check(loaded: &Loaded, sources: &Sources, state_dir: &Path, json: bool) -> Result<(), Failed> {
    let now = i64::try_from(SystemClock::default().unix_ms() / 1_000).unwrap_or_default();
    let findings = server::check::check(loaded, sources, state_dir, now);
    let mut out = io::stdout();
    if json {
        let all: Vec<_> = findings.iter().map(Finding::json).collect();
        writeln!(out, "{:#}", serde_json::Value::Array(all)).map_err(cannot)?;
    } else {
        for finding in &findings {
            writeln!(out, "{finding}").map_err(cannot)?;
        }
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Problem).count() {
        0 => Ok(()),
        count => Err((NOT_DONE, format!("{count} of {} are problems", findings.len()))),
    }
}

fn administrate(
    loaded: &Loaded,
    environment: &[(String, String)],
    state_dir: &Path,
    request: &Request,
    json: bool,
) -> Result<(), Failed> {
    let socket = admin::find_socket(&loaded.config, environment, state_dir);
    let answer = ask::ask(&socket, &request.command, &request.given);
    let mut out = io::stdout();
    // Whoever asked for JSON gets it, whatever the answer is.
    let shown = match &answer {
        Ok(result) if !json => {
            let first = table::find(&request.command).map_or(&[][..], |command| command.first);
            show::text(result, first)
        }
        Ok(result) => format!("{result:#}\n"),
        Err(failure) if json && !failure.details.is_null() => format!("{:#}\n", failure.details),
        Err(_) => String::new(),
    };
    out.write_all(shown.as_bytes()).map_err(cannot)?;
    answer.map(drop).map_err(|failure| {
        let unreachable = failure.why.starts_with("no server answers");
        let code = match request.command.as_str() {
            _ if unreachable => CANNOT_START,
            "reload" => BAD_CONFIG,
            _ => NOT_DONE,
        };
        (code, failure.why)
    })
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
        Task::Export { room, account } => {
            let out = &mut BufWriter::new(out);
            if let Some(room) = room {
                export::room(database, &room, out)?;
            }
            if let Some(account) = account {
                export::account(database, &account, out)?;
            }
            Ok(())
        }
        // These do not concern the database alone.
        Task::Admin { .. } | Task::Check { .. } => Ok(()),
    };
    // The work is done, whether or not anybody reads about it.
    drop(told);
    Ok(())
}
