//! A program under test: its output line by line, its input, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The interpreters that the library runs on.
pub(super) const INTERPRETERS: [&str; 4] = ["lua5.1", "lua5.3", "lua5.4", "luajit"];

/// A machine that does everything at once may be this slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// The top of the repository.
pub(super) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of `lua/`.
pub(super) fn lua(file: &str) -> PathBuf {
    top().join("lua").join(file)
}

/// An interpreter that finds the library, with a script.
pub(super) fn interpreter(name: &str, script: &Path) -> Command {
    let path = format!("{0}/?.lua;{0}/?/init.lua;;", lua("").display());
    let mut command = Command::new(name);
    command.arg(script).env("LUA_PATH", path).env("TZ", "UTC");
    // Versions have paths of their own, which would come before.
    for version in ["LUA_PATH_5_3", "LUA_PATH_5_4"] {
        command.env_remove(version);
    }
    command
}

/// A running program; it ends with the test.
pub(super) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Option<std::thread::JoinHandle<String>>,
    /// What it said so far.
    pub(super) log: Vec<String>,
}

impl Program {
    pub(super) fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| {
                panic!("{}: {why}: scripts/install-dependencies test", program.display())
            });
        let (tell, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            drop(stderr.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        let input = child.stdin.take();
        Self { child, input, lines, errors: Some(errors), log: Vec::new() }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that has this in it.
    #[track_caller]
    pub(super) fn wait_for(&mut self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until - Instant::now().min(until)) {
                Ok(line) => {
                    self.log.push(line);
                    let line = self.log.last().unwrap();
                    if line.contains(part) {
                        return line.clone();
                    }
                }
                Err(_) => self.fail(&format!("{part:?} never came")),
            }
        }
    }

    #[track_caller]
    fn fail(&mut self, why: &str) -> ! {
        drop(self.child.kill());
        let errors = self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default();
        panic!("{why}\n{}\n{errors}", self.log.join("\n"));
    }

    pub(super) fn write(&mut self, text: &str) {
        self.input.as_mut().expect("its input").write_all(text.as_bytes()).expect("it reads");
    }

    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for its end: code and errors; its output is in `log`.
    pub(super) fn end(mut self) -> (Option<i32>, String, Vec<String>) {
        self.input = None;
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push(line);
        }
        let code = self.child.wait().expect("waited for").code();
        let errors = self.errors.take().unwrap().join().unwrap();
        (code, errors, std::mem::take(&mut self.log))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
