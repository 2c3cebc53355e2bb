//! Another process of this program, which does a part of the work: it is told what to do in lines on
//! its input, answers in lines of JSON, and ends with its input, so at the latest with this process.

use std::io::{BufRead, BufReader, Write, stdin};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::Duration;

use serde_json::Value;

use crate::error::{Failure, Result};

/// The side of the one who gives the orders.
pub(crate) struct Sibling {
    name: &'static str,
    child: Child,
    orders: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Sibling {
    /// Starts it with these arguments.
    pub(crate) fn start(name: &'static str, words: &[String]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(name).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let orders = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| Failure::new("no output"))?;
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if told.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name, child, orders, lines })
    }

    /// Gives an order.
    pub(crate) fn tell(&mut self, order: &str) -> Result<()> {
        let orders = self.orders.as_mut().ok_or_else(|| self.name.to_owned())?;
        Ok(writeln!(orders, "{order}")?)
    }

    /// No more orders come.
    pub(crate) fn end(&mut self) {
        drop(self.orders.take());
    }

    /// What it has said, if it has.
    pub(crate) fn look(&self) -> Result<Option<Value>> {
        match self.lines.try_recv() {
            Ok(line) => Ok(Some(serde_json::from_str(&line)?)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(self.gone()),
        }
    }

    /// What it says next.
    pub(crate) fn wait(&self, patience: Duration) -> Result<Value> {
        let line = self.lines.recv_timeout(patience).map_err(|_| self.gone())?;
        Ok(serde_json::from_str(&line)?)
    }

    fn gone(&self) -> Box<dyn std::error::Error> {
        Failure::new(format!("the {} has ended, or says nothing", self.name))
    }
}

impl Drop for Sibling {
    fn drop(&mut self) {
        self.end();
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The side of the one who is told: the orders; closed when there will be no more.
pub(crate) fn orders() -> Receiver<String> {
    let (told, orders) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(std::result::Result::ok) {
            if told.send(line).is_err() {
                break;
            }
        }
    });
    orders
}
