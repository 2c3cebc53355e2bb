//! The layers: defaults < file < environment < flags, merged by the `config` crate, then read key
//! by key, so that every problem is found at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::config::{ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::define::Key;
use super::form::Written;
use super::keys::{Config, SECTIONS};
use super::problem::{Problem, Problems, unknown};
use super::relations;

/// What marks an environment variable as ours.
const PREFIX: &str = "KLATCHD__";

/// Where the configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file; without one, the defaults hold.
    pub file: Option<PathBuf>,
    /// The environment; only `KLATCHD__SECTION__KEY` counts.
    pub environment: Vec<(String, String)>,
    /// `section.key=value`, one for each `--set`.
    pub overrides: Vec<String>,
}

/// A valid configuration, and where it comes from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The layer that set each key, by `section.key`; what is not in here has its default.
    pub origin: BTreeMap<String, String>,
}

impl Loaded {
    /// The layer that set `key` (`section.key`).
    pub fn origin(&self, key: &str) -> &str {
        self.origin.get(key).map_or("default", String::as_str)
    }
}

/// Merges and checks the layers.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let merged = merge(sources, &mut problems);
    let loaded = read(merged, &mut problems);
    relations::check(&loaded, &mut problems);
    if problems.is_empty() { Ok(loaded) } else { Err(Problems(problems)) }
}

/// One layer: values by path, each with the name of what set it as its origin.
#[derive(Debug, Clone, Default)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

impl Layer {
    fn set(&mut self, origin: &str, path: &str, text: &str) {
        let value = Value::new(Some(&origin.to_owned()), text);
        self.0.insert(path.to_owned(), value);
    }
}

/// The values that win, by section; a key that stands at the top is in a section of its own name.
fn merge(sources: &Sources, problems: &mut Vec<Problem>) -> Map<String, Value> {
    let file = sources.file.as_deref().map(|path| file_layer(path, problems)).unwrap_or_default();
    let merged = ::config::Config::builder()
        .add_source(file)
        .add_source(environment_layer(&sources.environment))
        .add_source(flag_layer(&sources.overrides, problems))
        .build()
        .and_then(|merged| merged.collect());
    merged.unwrap_or_else(|error| {
        problems.push(Problem::of_layer("configuration", error.to_string()));
        Map::new()
    })
}

fn file_layer(path: &Path, problems: &mut Vec<Problem>) -> Layer {
    let name = path.display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let advice = format!("cannot read this file: {error}; check its path and its mode");
            problems.push(Problem::of_layer(&name, advice));
            return Layer::default();
        }
    };
    match File::from_str(&text, FileFormat::Toml).collect() {
        Ok(values) => Layer(values.into_iter().map(|(k, v)| (k, with_origin(v, &name))).collect()),
        Err(error) => {
            problems.push(not_toml(&name, &text, &error));
            Layer::default()
        }
    }
}

/// The crate names a file by its own notion of its path; people get the one that they gave.
fn with_origin(value: Value, origin: &str) -> Value {
    let mut kind = value.kind;
    if let ValueKind::Table(table) = kind {
        let inner = table.into_iter().map(|(key, value)| (key, with_origin(value, origin)));
        kind = ValueKind::Table(inner.collect());
    }
    Value::new(Some(&origin.to_owned()), kind)
}

/// What set a value; a merged table has the origin of what is in it.
pub(super) fn origin(value: &Value) -> &str {
    if let ValueKind::Table(table) = &value.kind {
        return table.values().next().map_or("configuration", origin);
    }
    value.origin().unwrap_or("configuration")
}

/// The parser's own message takes many lines; ours is one, with the place as editors know it.
fn not_toml(name: &str, text: &str, error: &ConfigError) -> Problem {
    let ConfigError::FileParse { cause, .. } = error else {
        return Problem::of_layer(name, error.to_string());
    };
    let Some(cause) = cause.downcast_ref::<toml::de::Error>() else {
        return Problem::of_layer(name, cause.to_string());
    };
    let before = cause.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Problem::of_layer(&format!("{name}:{line}"), format!("this is not TOML: {}", cause.message()))
}

fn environment_layer(environment: &[(String, String)]) -> Layer {
    let mut layer = Layer::default();
    for (name, text) in environment {
        if let Some(path) = name.strip_prefix(PREFIX) {
            layer.set(name, &path.replace("__", ".").to_lowercase(), text);
        }
    }
    layer
}

fn flag_layer(overrides: &[String], problems: &mut Vec<Problem>) -> Layer {
    let mut layer = Layer::default();
    for flag in overrides {
        match flag.split_once('=') {
            Some((path, text)) => layer.set(&format!("--set {path}"), path, text),
            None => problems.push(Problem::of_layer(
                &format!("--set {flag}"),
                "there is no value; write --set section.key=value".into(),
            )),
        }
    }
    layer
}

/// Puts what is written over the defaults.
fn read(mut merged: Map<String, Value>, problems: &mut Vec<Problem>) -> Loaded {
    let mut loaded = Loaded::default();
    for section in SECTIONS {
        let Some(value) = merged.remove(section.name) else { continue };
        let ValueKind::Table(mut values) = value.kind else {
            problems.push(unknown(section.name, &value));
            continue;
        };
        for key in section.keys {
            if let Some(value) = values.remove(key.name) {
                read_key(key, &value, &mut loaded, problems);
            }
        }
        let rest: BTreeMap<_, _> = values.into_iter().collect();
        problems.extend(rest.iter().map(|(k, v)| unknown(&format!("{}.{k}", section.name), v)));
    }
    for (name, value) in merged.into_iter().collect::<BTreeMap<_, _>>() {
        if let ValueKind::Table(values) = &value.kind {
            let values: BTreeMap<_, _> = values.iter().collect();
            problems.extend(values.iter().map(|(k, v)| unknown(&format!("{name}.{k}"), v)));
        } else {
            problems.push(unknown(&name, &value));
        }
    }
    loaded
}

fn read_key(key: &Key, value: &Value, loaded: &mut Loaded, problems: &mut Vec<Problem>) {
    let layer = origin(value).to_owned();
    let written = Written::from(value);
    match (key.set)(&mut loaded.config, &written) {
        Ok(()) => {
            loaded.origin.insert(key.path(), layer);
        }
        Err(why) => problems.push(Problem {
            layer,
            key: key.path(),
            value: written.to_string(),
            advice: format!("{why}; write {}", (key.expected)()),
        }),
    }
}
