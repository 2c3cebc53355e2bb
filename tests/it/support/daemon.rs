//! `klatchd` as a process on a port of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{TestClient, spilt};

/// A daemon; it is ended with the test.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) greeting: String,
    home: Rc<TempDir>,
}

/// The program, in an empty environment.
pub(crate) fn klatchd(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klatchd"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent");
    command
}

impl Daemon {
    /// Starts it with an empty state directory.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_in(Rc::new(tempfile::tempdir().unwrap()), command)
    }

    /// Starts it with the state that is there.
    pub(crate) fn start_with(home: Rc<TempDir>, command: &mut Command) -> Self {
        Self::start_in(home, command)
    }

    fn start_in(home: Rc<TempDir>, command: &mut Command) -> Self {
        let mut child = command
            .env("XDG_STATE_HOME", home.path())
            .env("STATE_DIRECTORY", home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while !greeting.contains("chat with") {
            if lines.read_line(&mut greeting).unwrap() == 0 {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("it ended: {greeting}{why}");
            }
        }
        let port = greeting.split("127.0.0.1:").nth(1).unwrap();
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        let address = SocketAddr::from(([127, 0, 0, 1], digits.parse().unwrap()));
        Self { child, address, greeting, home }
    }

    /// Starts it on a port of its own, with these arguments besides.
    pub(crate) fn usual(more: &[&str]) -> Self {
        Self::usual_in(Rc::new(tempfile::tempdir().unwrap()), more)
    }

    /// The same with the state that is there.
    pub(crate) fn usual_in(home: Rc<TempDir>, more: &[&str]) -> Self {
        let mut arguments = vec!["--set", "server.listen=127.0.0.1:0"];
        arguments.extend_from_slice(more);
        Self::start_in(home, &mut klatchd(&arguments))
    }

    /// Kills it without warning, and starts it again with the same state.
    pub(crate) fn kill_and_restart(mut self, more: &[&str]) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::usual_in(Rc::clone(&self.home), more)
    }

    /// Ends it as an operator would; its state stays.
    pub(crate) fn stop(mut self) -> Rc<TempDir> {
        self.signal(Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        Rc::clone(&self.home)
    }

    /// Its state directory.
    pub(crate) fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// A client that holds a name, and has seen the default rooms.
    pub(crate) fn login(&self, name: &str) -> TestClient {
        let mut client = TestClient::connect(self.address);
        client.hello();
        client.login(name);
        client
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = tasks.map(|task| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            stat.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().expect("killed, or gone");
        self.child.wait().expect("waited for");
        let Some(log) = self.child.stderr.take() else { return };
        let log = std::io::read_to_string(log).expect("text");
        if !std::thread::panicking() {
            assert_eq!(spilt::found_in(&log), None, "a secret stands in the log: {log}");
        }
    }
}
