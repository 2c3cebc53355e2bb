//! `cargo bench`: builds everything as it is packaged, and hands its arguments to `klatch-bench`,
//! which is all there is to measuring. Without any it makes the table of the README.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // What cargo adds for harnesses that know it.
    let mut asked: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if asked.is_empty() {
        asked.push("table".into());
    }
    let status = Command::new(env!("CARGO_BIN_EXE_klatch-bench")).args(asked).status();
    if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
