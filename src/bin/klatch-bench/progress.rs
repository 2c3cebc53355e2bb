//! What is told on standard error while a run goes on.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use klatch::base::clock::{Clock, Moment, SystemClock};

/// Between two lines of one phase: on a terminal, where each takes the place of the last; elsewhere.
const OFTEN: Duration = Duration::from_millis(500);
const SELDOM: Duration = Duration::from_secs(10);

/// Where a run is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    quiet: bool,
    clock: SystemClock,
    terminal: bool,
    what: RefCell<String>,
    told: Cell<Moment>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, terminal: stderr().is_terminal(), ..Self::default() }
    }

    /// A case begins, of which all that follows tells.
    pub(crate) fn begin(&self, what: String) {
        self.told.set(self.clock.now());
        self.line(&what, false);
        *self.what.borrow_mut() = what;
    }

    /// Something has gone on; told if it is time for it.
    pub(crate) fn tick(&self, text: impl FnOnce() -> String) {
        let pause = if self.terminal { OFTEN } else { SELDOM };
        let now = self.clock.now();
        if self.quiet || now.since(self.told.get()) < pause {
            return;
        }
        self.told.set(now);
        self.line(&format!("{}: {}", self.what.borrow(), text()), false);
    }

    /// The case has ended with this.
    pub(crate) fn end(&self, text: &str) {
        self.line(&format!("{}: {text}", self.what.borrow()), true);
    }

    fn line(&self, text: &str, stays: bool) {
        if self.quiet {
            return;
        }
        let mut out = stderr().lock();
        let written = match (self.terminal, stays) {
            (true, true) => writeln!(out, "\r\x1b[K{text}"),
            (true, false) => write!(out, "\r\x1b[K{text}").and_then(|()| out.flush()),
            (false, _) => writeln!(out, "{text}"),
        };
        // Nobody may be there to read it.
        drop(written);
    }
}
