//! The rules of this house that no lint knows, each a pure function of a path and a text.

use std::fs;
use std::path::Path;

/// A file of the sources: its path from the top of the repository, with `/`, and its text.
#[derive(Clone, Copy)]
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

/// What is wrong with a file, in words; empty if nothing is.
type Rule = fn(Source<'_>) -> Vec<String>;

const RULES: &[Rule] =
    &[header, length, actix_seam, pure_floors, pure_cores, house, grouped_imports, loose_ends];

/// Lines of a file, without its tests, that need no excuse.
const SOFT_LINES: usize = 400;
/// Lines that no excuse covers.
const HARD_LINES: usize = 600;
/// Files between the two. This list may only shrink.
// Tables of declarations, one after the other.
const LONG_FILES: &[&str] = &["src/protocol/reply.rs", "src/protocol/request.rs"];

/// The floors from the roof down: a folder may use what stands below its floor, and nothing beside
/// it. `config` has one of its own, since its sections are given to those above.
const HOUSE: &[&[&str]] = &[
    &["server"],
    &["web", "irc"],
    &["reception"],
    &["session"],
    &["directory"],
    &["room", "account"],
    &["scheduler", "throttle", "fanout", "store"],
    &["config"],
    &["protocol"],
    &["transport", "mail"],
    &["base"],
];
/// The client stands beside the house, and so do the programs that are one.
const CLIENT_MAY_USE: &[&str] = &["protocol", "base"];
const CLIENT_PROGRAMS_MAY_USE: &[&str] = &["client", "protocol", "base"];

/// Files that are values and functions: input and a time go in, effects come out.
const CORES: &[&str] = &[
    "bucket.rs",
    "deadline.rs",
    "batch.rs",
    "dedup.rs",
    "kind.rs",
    "penalty.rs",
    "rights.rs",
    "presence.rs",
    "end.rs",
    "ledger.rs",
    "outbox.rs",
    "queue.rs",
    "role.rs",
    "state.rs",
    "wheel.rs",
];

fn header(file: Source<'_>) -> Vec<String> {
    complain_if(!file.text.starts_with("//!"), "begin it with `//!`: what it is, in a sentence")
}

fn length(file: Source<'_>) -> Vec<String> {
    let is_test = |line: &&str| line.starts_with("#[cfg(test)]");
    let lines = file.text.lines().take_while(|line| !is_test(line)).count();
    let listed = LONG_FILES.contains(&file.path);
    if is_tests(file.path) || (lines <= SOFT_LINES && !listed) {
        return Vec::new();
    }
    if lines <= SOFT_LINES {
        return vec!["it is short by now: take it off LONG_FILES".into()];
    }
    let allowed = if listed { HARD_LINES } else { SOFT_LINES };
    complain_if(lines > allowed, &format!("it has {lines} lines, {allowed} are allowed: part it"))
}

fn actix_seam(file: Source<'_>) -> Vec<String> {
    let at_seam = file.path.ends_with("/actor.rs")
        || file.path.contains("/actor/")
        || file.path.ends_with("/mail.rs")
        || file.path.starts_with("src/server/")
        || file.path.starts_with("src/bin/klatchd/");
    if !file.path.starts_with("src/") || at_seam {
        return Vec::new();
    }
    named(
        file,
        &["actix", "actix_rt"],
        "only */actor.rs, */actor/*, mail.rs, server/ and klatchd know actors",
    )
}

fn pure_floors(file: Source<'_>) -> Vec<String> {
    if !["src/base/", "src/protocol/"].iter().any(|floor| file.path.starts_with(floor)) {
        return Vec::new();
    }
    named(file, &["tokio", "std::net", "std::fs"], "base and protocol do no input and output")
}

fn pure_cores(file: Source<'_>) -> Vec<String> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if !file.path.starts_with("src/") || !CORES.contains(&name) {
        return Vec::new();
    }
    let impure = ["tokio", "actix", "actix_rt", "log::", "Instant::now", "SystemTime::now"];
    named(file, &impure, "a core takes values and a time, and gives effects")
}

fn house(file: Source<'_>) -> Vec<String> {
    let Some(inside) = file.path.strip_prefix("src/") else { return Vec::new() };
    if inside == "lib.rs" {
        return Vec::new();
    }
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    let all = || HOUSE.iter().copied().flatten().copied().chain(["client"]);
    let allowed: Vec<&str> = match module {
        "client" => CLIENT_MAY_USE.to_vec(),
        "bin" if inside.starts_with("bin/klatchd/") => all().collect(),
        "bin" => CLIENT_PROGRAMS_MAY_USE.to_vec(),
        _ => match HOUSE.iter().position(|floor| floor.contains(&module)) {
            Some(floor) => HOUSE.iter().skip(floor + 1).copied().flatten().copied().collect(),
            None => return vec![format!("{module} has no floor: give it one in HOUSE")],
        },
    };
    let used = uses(inside, file.text);
    all()
        .filter(|other| *other != module && used.contains(other) && !allowed.contains(other))
        .map(|other| format!("it uses `{other}`, which does not stand below `{module}`"))
        .collect()
}

fn grouped_imports(file: Source<'_>) -> Vec<String> {
    let grouped = |line: &str| ["crate::{", "klatch::{"].iter().any(|group| line.contains(group));
    let found = file.path.starts_with("src/") && code_lines(file.text).any(grouped);
    complain_if(found, "write one `use` for each module, so that one sees what is used")
}

fn loose_ends(file: Source<'_>) -> Vec<String> {
    // In two parts, so that these lines do not accuse themselves.
    let ends = [concat!("FIX", "ME"), concat!("to", "do!")];
    let found = ends.iter().filter(|end| file.text.contains(*end));
    found.map(|end| format!("`{end}` is left in it: do it, or open an issue")).collect()
}

/// The modules at the top of the crate that a file below `src/` names.
fn uses<'a>(inside: &str, text: &'a str) -> Vec<&'a str> {
    // As many `super::` as lead from the file's own module to the top.
    let folders = inside.matches('/').count();
    let depth = if inside.ends_with("/mod.rs") { folders } else { folders + 1 };
    let climb = "super::".repeat(depth);
    let mut used = Vec::new();
    for line in code_lines(text) {
        for root in ["crate::", "klatch::", climb.as_str()] {
            for (at, _) in line.match_indices(root) {
                let inner = line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
                if !inner {
                    used.extend(line[at + root.len()..].split(|c: char| !is_word(c)).next());
                }
            }
        }
    }
    used
}

/// Complaints for each of `words` that the code names. A word is a path or the beginning of one.
fn named(file: Source<'_>, words: &[&str], why: &str) -> Vec<String> {
    let named = |word: &&&str| {
        code_lines(file.text).any(|line| {
            line.match_indices(**word).any(|(at, _)| {
                let starts = !line[..at].ends_with(is_word);
                let ends = word.ends_with(':') || !line[at + word.len()..].starts_with(is_word);
                starts && ends
            })
        })
    };
    words.iter().filter(named).map(|word| format!("it names `{word}`: {why}")).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The lines of a text without their comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

fn is_tests(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs")
}

fn complain_if(wrong: bool, what: &str) -> Vec<String> {
    if wrong { vec![what.into()] } else { Vec::new() }
}

/// All Rust files below `folder`, with their paths from the top of the repository.
fn rust_files(top: &Path, folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(top.join(folder)) else { return files };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            files.extend(rust_files(top, &path));
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            files.push((path, text));
        }
    }
    files.sort();
    files
}

#[test]
fn sources_keep_the_rules() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<(String, String)> =
        ["src", "tests", "benches"].iter().flat_map(|folder| rust_files(top, folder)).collect();
    assert!(files.iter().any(|(path, _)| path == "src/lib.rs"), "no sources in {}", top.display());
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| {
            let file = Source { path, text };
            let all = RULES.iter().flat_map(move |rule| rule(file));
            all.map(move |complaint| format!("{path}: {complaint}"))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn long_files_that_are_excused_exist() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in LONG_FILES {
        assert!(top.join(path).is_file(), "{path} is gone: take it off LONG_FILES");
    }
}

mod rules {
    //! Each rule is seen to fail, and to pass what is close to failing.

    use super::*;

    #[track_caller]
    fn check(rule: Rule, path: &str, text: &str, complaints: usize) {
        let found = rule(Source { path, text });
        assert_eq!(found.len(), complaints, "{path}: {text}\n{found:?}");
    }

    #[test]
    fn header_is_wanted_on_the_first_line() {
        check(header, "src/room/state.rs", "//! A room.\n", 0);
        check(header, "src/room/state.rs", "use std::fmt;\n//! A room.\n", 1);
    }

    #[test]
    fn length_counts_lines_before_the_tests() {
        let long = "let x = 1;\n".repeat(SOFT_LINES);
        check(length, "src/room/state.rs", &long, 0);
        check(length, "src/room/state.rs", &format!("{long}#[cfg(test)]\nmod tests {{}}"), 0);
        check(length, "src/room/state.rs", &format!("{long}let y = 2;"), 1);
        check(length, "src/room/tests.rs", &format!("{long}let y = 2;"), 0);
    }

    #[test]
    fn actix_is_named_at_the_seam_only() {
        let text = "use actix::Actor;";
        check(actix_seam, "src/room/state.rs", text, 1);
        check(actix_seam, "src/room/state.rs", "actix_rt::spawn(x);", 1);
        check(actix_seam, "src/room/state.rs", "// actix does this\nlet actixes = 1;", 0);
        for path in
            ["src/room/actor.rs", "src/mail.rs", "src/server/mod.rs", "src/bin/klatchd/main.rs"]
        {
            check(actix_seam, path, text, 0);
        }
        check(actix_seam, "src/bin/klatch/main.rs", text, 1);
    }

    #[test]
    fn base_and_protocol_do_no_io() {
        check(pure_floors, "src/protocol/frame.rs", "use tokio::io;\nuse std::fs::File;", 2);
        check(pure_floors, "src/base/id.rs", "use std::net::IpAddr;", 1);
        check(pure_floors, "src/transport/tls.rs", "use tokio::io;\nuse std::fs::File;", 0);
    }

    #[test]
    fn cores_read_no_clock_and_write_no_log() {
        let text = "let now = Instant::now();\nlog::info!(\"x\");\nlet log = tokio::spawn(x);";
        check(pure_cores, "src/throttle/bucket.rs", text, 3);
        check(pure_cores, "src/throttle/actor.rs", text, 0);
        check(pure_cores, "src/throttle/bucket.rs", "use std::time::Instant;\nlet log = 1;", 0);
        check(pure_cores, "src/session/state.rs", "catalog::x(); SystemTime::now();", 1);
    }

    #[test]
    fn house_lets_floors_use_what_is_below() {
        check(house, "src/room/state.rs", "use crate::base::id::Seq;\nuse crate::store::Port;", 0);
        check(house, "src/room/state.rs", "use crate::session::State;", 1);
        check(house, "src/room/state.rs", "use crate::account::Who;", 1);
        check(house, "src/room/state.rs", "// see crate::session\nuse crate::room::role::Role;", 0);
        check(house, "src/protocol/codec.rs", "fn f() -> crate::config::Limits {}", 1);
        check(house, "src/throttle/actor.rs", "use crate::config::Limits;", 0);
        check(house, "src/config/keys.rs", "use ::config::Value;\nuse crate::throttle::X;", 1);
        check(house, "src/server/mod.rs", "use crate::web::Routes;\nuse crate::config::Config;", 0);
    }

    #[test]
    fn house_sees_through_super() {
        check(house, "src/room/mod.rs", "use super::session::State;", 1);
        check(house, "src/room/state.rs", "use super::super::session::State;", 1);
        check(house, "src/room/state.rs", "use super::session::State;", 0);
        check(house, "src/store/sqlite/mod.rs", "use super::super::room::State;", 1);
    }

    #[test]
    fn house_keeps_clients_out_of_the_server() {
        check(house, "src/client/mod.rs", "use crate::protocol::frame;", 0);
        check(house, "src/client/mod.rs", "use crate::transport::Stream;", 1);
        check(house, "src/session/state.rs", "use crate::client::Connection;", 1);
        check(house, "src/bin/klatch/main.rs", "use klatch::client::Connection;", 0);
        check(house, "src/bin/klatch-bench/main.rs", "use klatch::server::Server;", 1);
        check(
            house,
            "src/bin/klatchd/main.rs",
            "use klatch::server::Server;\nuse klatch::config;",
            0,
        );
    }

    #[test]
    fn house_has_a_floor_for_each_module() {
        check(house, "src/attic/mod.rs", "//! Things.", 1);
        check(house, "src/lib.rs", "pub mod attic;", 0);
    }

    #[test]
    fn imports_are_not_grouped_over_modules() {
        check(grouped_imports, "src/room/state.rs", "use crate::{base::id, store};", 1);
        check(grouped_imports, "src/room/state.rs", "use crate::base::{id, name};", 0);
    }

    #[test]
    fn loose_ends_are_found() {
        for end in [concat!("// FIX", "ME"), concat!("to", "do!()")] {
            check(loose_ends, "src/room/state.rs", end, 1);
        }
        check(loose_ends, "src/room/state.rs", "// TODO(#12): more", 0);
    }
}
