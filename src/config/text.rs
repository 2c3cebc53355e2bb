//! Configuration as text: the example file, the effective values, and what a reload changes.

use super::define::{Key, Reload};
use super::keys::{Config, SECTIONS};
use super::layers::Loaded;
use super::problem::Problems;
use super::relations;

const OPENING: &str = "\
# The configuration of klatchd.
#
# klatchd needs none of this: without a file it listens on port 5528, makes its own certificate and
# keeps its state where the system wants it. Every key stands here with its default; take the # away
# to change one. Change first: server.listen (where), tls.certificate and tls.key (your own
# certificate), rooms.default (where people meet), server.motd (how they are greeted), and
# limits.connections_per_address where many people share one address.
#
# A variable KLATCHD__SECTION__KEY wins over this file, and --set section.key=value over both; in
# those, commas stand between the items of a list. `klatchd --check-config` tells all that is wrong
# at once, `klatchd --print-config` shows what holds and where it comes from. `reload: yes` marks
# the keys that `systemctl reload klatchd` (SIGHUP, `klatchd admin reload`) changes while the server
# runs, without disconnecting anybody: all of them, or, if anything is wrong, none.
";

/// The text of `config/klatchd.toml`: every key with its docs, commented out with its default.
pub fn example() -> String {
    let defaults = Config::default();
    let mut lines = vec![OPENING.to_owned()];
    for section in SECTIONS {
        lines.push(comment(section.doc));
        lines.push(format!("[{}]\n", section.name));
        for key in section.keys {
            lines.push(comment(key.doc));
            lines.push(format!("# Write {}.", (key.expected)()));
            lines.push(format!("# reload: {}", applied_by(key)));
            lines.push(format!("#{} = {}\n", key.name, (key.show)(&defaults)));
        }
    }
    lines.join("\n")
}

/// The values that hold, in TOML, each with the layer that set it.
pub fn print(loaded: &Loaded) -> String {
    let mut lines = Vec::new();
    for section in SECTIONS {
        lines.push(format!("[{}]", section.name));
        for key in section.keys {
            let (value, origin) = ((key.show)(&loaded.config), loaded.origin(&key.path()));
            lines.push(format!("{} = {value} # {origin}", key.name));
        }
        lines.push(String::new());
    }
    lines.join("\n")
}

/// What holds after a reload: `new`, but for the keys that only a restart changes. A relation that
/// this breaks is a problem.
pub fn reloaded(old: &Config, new: &Loaded) -> Result<Loaded, Problems> {
    let mut merged = new.clone();
    for key in SECTIONS.iter().flat_map(|section| section.keys) {
        if key.reload == Reload::Restart {
            (key.copy)(old, &mut merged.config);
        }
    }
    let mut problems = Vec::new();
    relations::check(&merged, &mut problems);
    for problem in &mut problems {
        problem.advice.push_str("; the other key changes on restart only: restart the server");
    }
    if problems.is_empty() { Ok(merged) } else { Err(Problems(problems)) }
}

/// One key whose value differs between two configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The key as `section.key`.
    pub key: String,
    /// Its value before, in TOML.
    pub old: String,
    /// Its value after.
    pub new: String,
    /// Whether a reload applies it.
    pub reload: Reload,
}

/// What differs, in the order of the keys.
pub fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let keys = SECTIONS.iter().flat_map(|section| section.keys);
    keys.map(|key| (key, (key.show)(old), (key.show)(new)))
        .filter(|(_, old, new)| old != new)
        .map(|(key, old, new)| Change {
            key: key.path(),
            old: old.to_string(),
            new: new.to_string(),
            reload: key.reload,
        })
        .collect()
}

fn comment(doc: &[&str]) -> String {
    let lines: Vec<String> = doc.iter().map(|line| format!("#{line}")).collect();
    lines.join("\n")
}

fn applied_by(key: &Key) -> &'static str {
    match key.reload {
        Reload::Reload => "yes",
        Reload::Restart => "restart",
    }
}
