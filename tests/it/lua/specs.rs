//! The specs of the library, under every interpreter; its lints and the rules of this house.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{lua, top};

/// Lines of a file, as in `src/`; what is generated is as long as it is.
const LINES: usize = 400;

fn busted(interpreter: &str) {
    let output = Command::new("busted")
        .arg(format!("--lua={}", which(interpreter).display()))
        .args(["--output=plainTerminal", "spec"])
        .current_dir(lua(""))
        .env("KLATCH_TOP", top())
        .env_remove("LUA_PATH")
        .output()
        .expect("busted: scripts/install-dependencies test");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{interpreter}:\n{text}\n{errors}");
    let successes = text.lines().find_map(|line| line.split_once(" success")).map(|found| found.0);
    let count: u32 = successes.and_then(|count| count.parse().ok()).unwrap_or_default();
    assert!(count > 40, "{count} specs ran under {interpreter}: {text}");
}

fn which(program: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|path| path.join(program)).find(|p| p.is_file());
    found.unwrap_or_else(|| panic!("{program} is missing: scripts/install-dependencies test"))
}

#[test]
fn the_specs_hold_under_lua_5_1() {
    busted("lua5.1");
}

#[test]
fn the_specs_hold_under_lua_5_3() {
    busted("lua5.3");
}

#[test]
fn the_specs_hold_under_lua_5_4() {
    busted("lua5.4");
}

#[test]
fn the_specs_hold_under_luajit() {
    busted("luajit");
}

#[test]
fn luacheck_has_nothing_to_say() {
    let output = Command::new("luacheck")
        .args(["--no-color", "--quiet", "."])
        .current_dir(lua(""))
        .output()
        .expect("luacheck: scripts/install-dependencies test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn lua_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            lua_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "lua") {
            found.push(path);
        }
    }
}

#[test]
fn files_of_lua_say_what_they_are_and_are_short() {
    let mut files = Vec::new();
    lua_files(&lua(""), &mut files);
    lua_files(&top().join("tests/lua"), &mut files);
    assert!(files.len() > 30, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        assert!(first.starts_with("--"), "{}: begin it with what it is", file.display());
        let excused = text.contains("do not edit");
        assert!(excused || text.lines().count() <= LINES, "{} is too long", file.display());
    }
}

/// The rockspec installs every module, and nothing that is not there.
#[test]
fn the_rockspec_names_every_module() {
    let rockspec = fs::read_to_string(lua("klatch-dev-1.rockspec")).unwrap();
    let mut files = Vec::new();
    lua_files(&lua("klatch"), &mut files);
    for file in &files {
        let inside = file.strip_prefix(lua("")).unwrap().display().to_string();
        assert!(rockspec.contains(&format!("\"lua/{inside}\"")), "{inside} is not installed");
    }
    let named = rockspec.matches("= \"lua/klatch/").count();
    assert_eq!(named, files.len(), "it names a module that is gone");
}
