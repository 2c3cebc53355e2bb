//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;

use ::config::Value;

use super::form::Written;
use super::keys::SECTIONS;
use super::layers::origin;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was set: the name of a file, of a variable, or a flag.
    pub layer: String,
    /// The key as `section.key`; empty if the layer as a whole is meant.
    pub key: String,
    /// The value as written; empty if it does not matter.
    pub value: String,
    /// What is wrong, and the remedy.
    pub advice: String,
}

impl Problem {
    /// The layer as a whole is wrong.
    pub(super) fn of_layer(layer: &str, advice: String) -> Self {
        Self { layer: layer.into(), key: String::new(), value: String::new(), advice }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, key, value, advice } = self;
        match (key.is_empty(), value.is_empty()) {
            (true, _) => write!(f, "{layer}: {advice}"),
            (false, true) => write!(f, "{layer}: {key}: {advice}"),
            (false, false) => write!(f, "{layer}: {key} = {value}: {advice}"),
        }
    }
}

/// All that is wrong, in the order of the keys; shown one per line.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{problem}")?;
        }
        Ok(())
    }
}

/// Nothing is called `path`, which is `section.key` or whatever stands at the top.
pub(super) fn unknown(path: &str, value: &Value) -> Problem {
    Problem {
        layer: origin(value).into(),
        key: path.into(),
        value: Written::from(value).to_string(),
        advice: advice(path),
    }
}

fn advice(path: &str) -> String {
    if SECTIONS.iter().any(|section| section.name == path) {
        return format!("this is a section; write [{path}] and its keys below");
    }
    let (section, key) = path.split_once('.').unwrap_or(("", path));
    // The key decides and the section breaks ties, so that a key in the wrong section is found too.
    let keys = SECTIONS.iter().flat_map(|section| section.keys);
    let nearest = keys
        .map(|one| (alike(key, one.name), alike(section, one.section), one))
        .filter(|(likeness, ..)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if let Some((.., key)) = nearest {
        return format!("there is no such key; did you mean {}?", key.path());
    }
    if let Some(one) = SECTIONS.iter().find(|one| one.name == section) {
        let names: Vec<&str> = one.keys.iter().map(|key| key.name).collect();
        return format!("there is no such key; [{section}] has {}", names.join(", "));
    }
    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    format!("there is no such section; there are {}", names.join(", "))
}

fn alike(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}
