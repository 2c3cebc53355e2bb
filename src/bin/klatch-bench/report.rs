//! Figures for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::subject::kind::Kind;

/// Figures of one run by their names in the report.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

pub(crate) const CPU: &str = "cpu_us_per_delivery";

/// The columns of the tables: the figure, its heading, the decimals.
const COLUMNS: &[(&str, &str, usize)] = &[
    ("sessions", "sessions", 0),
    ("connections", "connections", 0),
    ("rooms", "rooms", 0),
    ("members", "members", 0),
    ("rate_per_s", "messages/s", 0),
    ("deliveries_per_s", "deliveries/s", 0),
    (CPU, "CPU us each", 3),
    ("ratio", "x relay", 2),
    ("logins_per_s", "logins/s", 0),
    ("cpu_us_per_login", "CPU us/login", 0),
    ("acked_per_s", "acked/s", 0),
    ("cpu_us_per_message", "CPU us/msg", 2),
    ("deliveries_per_read", "per read", 1),
    ("rss_bytes_per_session", "RSS B/sess.", 0),
    ("rss_bytes_per_connection", "RSS B/conn.", 0),
    ("connected_s", "all there s", 2),
    ("closed_p50_s", "half closed s", 2),
    ("closed_max_s", "all closed s", 2),
    ("p50_us", "p50 us", 0),
    ("p99_us", "p99 us", 0),
    ("p999_us", "p99.9 us", 0),
    ("max_us", "max us", 0),
    ("last_p99_us", "last p99 us", 0),
    ("ack_p50_us", "ack p50 us", 0),
    ("ack_p99_us", "ack p99 us", 0),
    ("late_p99_us", "late p99 us", 0),
    ("quiet_p99_us", "quiet p99", 0),
    ("abuse_p99_us", "abuse p99", 0),
    ("abuse_ratio", "x quiet", 2),
    ("polite_lost", "polite lost", 0),
    ("polite_disconnects", "polite cut", 0),
    ("polite_refused", "refused", 0),
    ("abuse_connections_per_s", "mob conns/s", 0),
    ("abuse_refused_per_s", "mob refused/s", 0),
    ("abuse_sent_mib_per_s", "mob MiB/s", 1),
    ("jain_index", "Jain", 3),
    ("rss_peak_bytes", "RSS peak B", 0),
    ("cycles", "cycles", 0),
    ("acked", "acked", 0),
    ("lost", "lost", 0),
    ("refused", "refused", 0),
    ("disconnects", "cut", 0),
    ("duplicated", "duplicated", 0),
    ("reordered", "reordered", 0),
    ("phantom", "phantom", 0),
    ("minutes", "minutes", 1),
    ("logins", "logins", 0),
    ("rss_bytes", "RSS B", 0),
    ("rss_slope_percent_per_h", "RSS %/h", 2),
    ("over_bounds", "over bounds", 0),
    ("caught_up_p99_ms", "back p99 ms", 0),
    ("server_cores", "server CPU", 2),
    ("generator_cores", "gen. CPU", 2),
    ("other_cores", "others' CPU", 2),
];

/// Figures that make a run worthless unless they are 0.
const MUST_BE_ZERO: &[&str] = &[
    "lost",
    "refused",
    "disconnects",
    "duplicated",
    "reordered",
    "phantom",
    "over_bounds",
    "polite_lost",
    "polite_disconnects",
];

/// The rounds of one workload of one size against one server.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) workload: String,
    /// Which of several kinds of it.
    pub(crate) variant: Option<&'static str>,
    pub(crate) server: String,
    pub(crate) kind: Kind,
    pub(crate) tls: bool,
    pub(crate) limits: &'static str,
    /// What was asked for.
    pub(crate) shape: Figures,
    /// The figure by which the median round is found.
    pub(crate) by: &'static str,
    pub(crate) rounds: Vec<Figures>,
}

impl Case {
    /// The figures of the median round, with what went wrong in all of them. They belong together:
    /// a median of each figure would mix the rounds.
    pub(crate) fn median(&self) -> Figures {
        let value = |figures: &Figures| figures.get(self.by).copied().unwrap_or_default();
        let mut rounds: Vec<&Figures> = self.rounds.iter().collect();
        rounds.sort_by(|a, b| value(a).total_cmp(&value(b)));
        let mut median = rounds.get(rounds.len() / 2).map_or_else(Figures::new, |&f| f.clone());
        for name in MUST_BE_ZERO {
            let all: f64 = self.rounds.iter().filter_map(|figures| figures.get(name)).sum();
            median.entry(name).and_modify(|figure| *figure = all);
        }
        median
    }

    /// What must not be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let median = self.median();
        let wrong = MUST_BE_ZERO.iter().filter_map(|name| {
            let figure = median.get(name).copied().filter(|figure| *figure > 0.0)?;
            Some(format!("{} with {}: {name} {figure}", self.workload, self.server))
        });
        wrong.collect()
    }

    fn label(&self) -> String {
        let tls = if self.tls { " TLS" } else { "" };
        let variant = self.variant.map_or(String::new(), |variant| format!(" {variant}"));
        format!("{}{tls}{variant}", self.server)
    }

    fn is_as(&self, other: &Self) -> bool {
        self.workload == other.workload
            && self.variant == other.variant
            && self.shape == other.shape
    }
}

/// One round as it ends, so that one can see how much they differ.
pub(crate) fn told(figures: &Figures) -> String {
    let told = COLUMNS.iter().filter_map(|&(name, heading, decimals)| {
        figures.get(name).map(|value| format!("{heading} {value:.decimals$}"))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// All that is known of each case: what was asked for, what was found, and the relay's cost beside
/// it.
pub(crate) fn complete(cases: &[Case]) -> Vec<Figures> {
    let complete = |case: &Case| {
        let mut figures = case.shape.clone();
        figures.extend(case.median());
        let relay = cases.iter().find(|other| other.kind == Kind::Relay && other.is_as(case));
        let relay = relay.filter(|_| case.kind != Kind::Relay);
        let cost = relay.and_then(|relay| relay.median().get(CPU).copied());
        if let (Some(relay), Some(&own)) = (cost, figures.get(CPU)) {
            figures.insert("relay_cpu_us_per_delivery", relay);
            figures.insert("ratio", own / relay);
        }
        figures
    };
    cases.iter().map(complete).collect()
}

/// A table for each workload, with a line for each case.
pub(crate) fn tables(cases: &[Case]) -> String {
    let figures = complete(cases);
    let mut text = String::new();
    let mut workloads: Vec<&str> = Vec::new();
    for case in cases {
        if !workloads.contains(&case.workload.as_str()) {
            workloads.push(&case.workload);
        }
    }
    for workload in workloads {
        let rows = cases.iter().zip(&figures).filter(|(case, _)| case.workload == workload);
        let rows: Vec<(&Case, &Figures)> = rows.collect();
        table(&mut text, workload, &rows);
    }
    text
}

fn table(text: &mut String, workload: &str, rows: &[(&Case, &Figures)]) {
    let known = |name: &str| rows.iter().any(|(_, figures)| figures.contains_key(name));
    let columns: Vec<_> = COLUMNS.iter().filter(|(name, _, _)| known(name)).collect();
    let headings = columns.iter().map(|(_, heading, _)| format!("{heading:>13}"));
    let headings = headings.collect::<Vec<_>>().concat();
    let wide = rows.iter().map(|(case, _)| case.label().len()).max().unwrap_or(0).max(14);
    // Writing to a string does not fail.
    let mut line = |left: &str, cells: &str| {
        writeln!(text, "{left:<wide$}{cells}").ok();
    };
    line("", "");
    line(workload, &headings);
    for (case, figures) in rows {
        let cell = |&&(name, _, decimals): &&(&str, &str, usize)| {
            let value = figures.get(name).map(|value| format!("{value:.decimals$}"));
            format!("{:>13}", value.as_deref().unwrap_or("-"))
        };
        let cells = columns.iter().map(cell).collect::<Vec<_>>().concat();
        line(&case.label(), &cells);
    }
}

/// One flat object for each case.
pub(crate) fn json(cases: &[Case]) -> Vec<Value> {
    let figures = complete(cases);
    let object = |(case, figures): (&Case, &Figures)| {
        let mut line = Map::new();
        line.insert("workload".into(), case.workload.as_str().into());
        if let Some(variant) = case.variant {
            line.insert("abuse".into(), variant.into());
        }
        line.insert("server".into(), case.server.as_str().into());
        line.insert("tls".into(), case.tls.into());
        line.insert("limits".into(), case.limits.into());
        line.insert("rounds".into(), case.rounds.len().into());
        for (&name, &value) in figures {
            line.insert(name.into(), number(value));
        }
        Value::Object(line)
    };
    cases.iter().zip(&figures).map(object).collect()
}

/// Whole numbers without a point, others with four digits behind it.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it was seen to be whole and small")]
    let whole = value as i64;
    let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
    if is_whole { json!(whole) } else { json!((value * 1e4).round() / 1e4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(server: &str, kind: Kind, costs: &[f64], lost: &[f64]) -> Case {
        let rounds = costs.iter().zip(lost).map(|(&cost, &lost)| {
            Figures::from([(CPU, cost), ("lost", lost), ("p50_us", cost * 10.0)])
        });
        Case {
            workload: "fanout".into(),
            variant: None,
            server: server.into(),
            kind,
            tls: false,
            limits: "open",
            shape: Figures::from([("members", 100.0)]),
            by: CPU,
            rounds: rounds.collect(),
        }
    }

    #[test]
    fn the_median_round_counts_and_every_loss() {
        let case = case("klatchd", Kind::Klatchd, &[3.0, 1.0, 2.0], &[0.0, 4.0, 0.0]);
        let median = case.median();
        assert_eq!((median[CPU], median["p50_us"], median["lost"]), (2.0, 20.0, 4.0));
        assert_eq!(case.faults(), ["fanout with klatchd: lost 4"]);
    }

    #[test]
    fn the_relay_stands_beside_the_others() {
        let relay = case("relay", Kind::Relay, &[0.5], &[0.0]);
        let cases = [relay, case("klatchd", Kind::Klatchd, &[0.6], &[0.0])];
        let lines = json(&cases);
        assert_eq!(lines[0].get("ratio"), None);
        let line = lines[1].to_string();
        for part in [
            r#""workload":"fanout""#,
            r#""server":"klatchd""#,
            r#""members":100"#,
            r#""relay_cpu_us_per_delivery":0.5"#,
            r#""ratio":1.2"#,
        ] {
            assert!(line.contains(part), "{part} is missing: {line}");
        }
        let table = tables(&cases);
        assert!(table.contains("x relay") && table.contains("1.20"), "{table}");
    }
}
