//! Figures for people and for machines.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::server::Kind;
use super::swarm::Seats;

/// Figures of one run by their names in the report.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

const CPU: &str = "cpu_us_per_delivery";

/// The columns: the figure, its heading, the decimals.
const COLUMNS: &[(&str, &str, usize)] = &[
    ("deliveries_per_s", "deliveries/s", 0),
    (CPU, "CPU us each", 3),
    ("deliveries_per_read", "per read", 1),
    ("server_cores", "server CPU", 2),
    ("generator_cores", "gen. CPU", 2),
    ("other_cores", "others' CPU", 2),
    ("p50_us", "p50 us", 0),
    ("p99_us", "p99 us", 0),
    ("max_us", "max us", 0),
    ("rss_bytes_per_session", "RSS B/sess.", 0),
    ("cpu_us_per_login", "CPU us/login", 0),
];

/// The rounds of one workload of one size.
pub(crate) struct Case {
    pub(crate) workload: &'static str,
    pub(crate) seats: Seats,
    pub(crate) rounds: Vec<(Kind, Figures)>,
}

impl Case {
    /// The figures of the median round against one server, by its CPU time for a delivery; empty if
    /// there was none. They belong together: a median of each figure would mix the rounds.
    fn median(&self, kind: Kind) -> Figures {
        let of_kind = self.rounds.iter().filter(|(of, _)| *of == kind).map(|(_, figures)| figures);
        let mut rounds: Vec<&Figures> = of_kind.collect();
        rounds.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        rounds.get(rounds.len() / 2).map(|&figures| figures.clone()).unwrap_or_default()
    }
}

fn cost(figures: &Figures) -> f64 {
    figures.get(CPU).copied().unwrap_or_default()
}

/// One round as it ends, so that one can see how much they differ.
pub(crate) fn progress(what: &str, kind: Kind, figures: &Figures) {
    let told = COLUMNS.iter().filter_map(|&(name, heading, decimals)| {
        figures.get(name).map(|value| format!("{heading} {value:.decimals$}"))
    });
    eprintln!("{what}, {}: {}", kind.name(), told.collect::<Vec<_>>().join(", "));
}

/// A table with a line for each server, then a line of JSON for each case.
pub(crate) fn print(cases: &[Case]) {
    let headings = COLUMNS.iter().map(|(_, heading, _)| format!("{heading:>13}"));
    let headings: String = headings.collect();
    println!("\n{:<9}{:>9}{:>8} {:<8}{headings}", "workload", "sessions", "members", "server");
    for case in cases {
        for kind in [Kind::Relay, Kind::Klatchd] {
            let median = case.median(kind);
            if median.is_empty() {
                continue;
            }
            let cell = |&(name, _, decimals): &(&str, &str, usize)| {
                let value = median.get(name).map(|value| format!("{value:.decimals$}"));
                format!("{:>13}", value.as_deref().unwrap_or("-"))
            };
            let cells: String = COLUMNS.iter().map(cell).collect();
            let Case { workload, seats, .. } = case;
            let (sessions, members) = (seats.clients(), seats.members);
            println!("{workload:<9}{sessions:>9}{members:>8} {:<8}{cells}", kind.name());
        }
    }
    println!();
    for case in cases {
        println!("{}", json(case));
    }
}

/// One object about the daemon, with the relay's cost beside its own; about the relay if it ran
/// alone.
fn json(case: &Case) -> Value {
    let rounded = |value: f64| json!((value * 1e4).round() / 1e4);
    let (relay, daemon) = (case.median(Kind::Relay), case.median(Kind::Klatchd));
    let (kind, own) =
        if daemon.is_empty() { (Kind::Relay, &relay) } else { (Kind::Klatchd, &daemon) };
    let mut line = Map::new();
    line.insert("workload".into(), case.workload.into());
    line.insert("server".into(), kind.name().into());
    line.insert("sessions".into(), case.seats.clients().into());
    line.insert("members".into(), case.seats.members.into());
    for (&name, &value) in own {
        line.insert(name.into(), rounded(value));
    }
    if let (Kind::Klatchd, Some(&relay), Some(&own)) = (kind, relay.get(CPU), own.get(CPU)) {
        line.insert("relay_cpu_us_per_delivery".into(), rounded(relay));
        line.insert("ratio".into(), rounded(own / relay));
    }
    Value::Object(line)
}
