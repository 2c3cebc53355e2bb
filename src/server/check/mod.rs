//! `klatchd check`: looks at everything that the server stands on, and advises like a colleague.
//!
//! It changes nothing, and may run while the server does.

mod machine;
mod state;
mod tls;

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::config::{Loaded, Sources};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and could be better, or soon will not.
    Advice,
    /// It does not work.
    Problem,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Advice => "advice",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub subject: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// In words; for what is not good, with the remedy.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {:14} {}", self.verdict.word(), self.subject, self.text)
    }
}

impl Finding {
    fn new(subject: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { subject, verdict, text: text.into() }
    }

    fn good(subject: &'static str, text: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Good, text)
    }

    fn advice(subject: &'static str, text: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Advice, text)
    }

    fn problem(subject: &'static str, text: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Problem, text)
    }

    /// It for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({"subject": self.subject, "verdict": self.verdict.word(), "text": self.text})
    }
}

/// What is looked at.
struct Scene<'a> {
    loaded: &'a Loaded,
    sources: &'a Sources,
    state_dir: &'a Path,
    /// The credentials, if a service manager gives some.
    credentials: Option<PathBuf>,
    /// Whether a server answers on the admin socket.
    running: bool,
    /// Seconds since 1970.
    now: i64,
}

/// Looks at everything; the configuration is valid already, or there would be nothing to look at.
#[must_use]
pub fn check(loaded: &Loaded, sources: &Sources, state_dir: &Path, now: i64) -> Vec<Finding> {
    let variable = |name: &str| sources.environment.iter().find(|(key, _)| key == name);
    let socket = super::admin::find_socket(&loaded.config, &sources.environment, state_dir);
    let running =
        super::admin::ask::ask(&socket, "status", &super::admin::table::Given::new()).is_ok();
    let credentials = variable("CREDENTIALS_DIRECTORY").map(|(_, path)| path.into());
    let scene = Scene { loaded, sources, state_dir, credentials, running, now };
    let mut findings = vec![configuration(&scene)];
    for look in [tls::look, machine::ports, state::look, machine::look] {
        findings.extend(look(&scene));
    }
    findings
}

fn configuration(scene: &Scene<'_>) -> Finding {
    let count = scene.loaded.origin.len();
    let running = if scene.running { "; a server runs with its state" } else { "" };
    match &scene.sources.file {
        Some(path) => Finding::good(
            "configuration",
            format!("{} is valid, {count} keys are set{running}", path.display()),
        ),
        None => Finding::good("configuration", format!("no file, {count} keys are set{running}")),
    }
}
