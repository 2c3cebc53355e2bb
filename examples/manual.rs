//! Writes the man pages and the shell completions of `klatchd` and `klatch`, from the definitions of
//! their command lines: `cargo run --example manual -- FOLDER`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;

#[path = "../src/bin/klatch/args.rs"]
#[expect(dead_code, reason = "only the definition is of use here")]
mod klatch_args;
#[path = "../src/bin/klatchd/args.rs"]
#[expect(dead_code, reason = "only the definition is of use here")]
mod klatchd_args;

/// What a shell wants the file of a program to be called.
type FileName = fn(&str) -> String;

/// The shells that completions are made for.
const SHELLS: [(Shell, FileName); 3] = [
    (Shell::Bash, |name| format!("bash/{name}")),
    (Shell::Zsh, |name| format!("zsh/_{name}")),
    (Shell::Fish, |name| format!("fish/{name}.fish")),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: manual FOLDER")?;
    let folder = PathBuf::from(folder);
    for program in [klatchd_args::Arguments::command(), klatch_args::Args::command()] {
        let name = program.get_name().to_owned();
        manual(program.clone(), &folder.join("man"))?;
        for (shell, file) in SHELLS {
            let path = folder.join(file(&name));
            fs::create_dir_all(path.parent().ok_or("no folder")?)?;
            clap_complete::generate(
                shell,
                &mut program.clone(),
                &name,
                &mut fs::File::create(path)?,
            );
        }
    }
    Ok(())
}

/// A page for the program, and one for each of its subcommands.
fn manual(program: Command, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(program.disable_help_subcommand(true), folder)?;
    Ok(())
}
