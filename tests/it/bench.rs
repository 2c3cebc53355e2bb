//! `klatch-bench` at its smallest: every workload runs, and its figures are there and plausible.
//! Never how fast anything was.

use std::process::{Command, Output};

use serde_json::Value;

/// Figures that are 0 when all is well.
const NOUGHT: &[&str] = &[
    "lost",
    "refused",
    "disconnects",
    "duplicated",
    "reordered",
    "phantom",
    "over_bounds",
    "polite_lost",
    "polite_disconnects",
    "polite_refused",
];
/// Figures that may well be 0 in so short a time.
const SMALL: &[&str] = &[
    "other_cores",
    "late_p99_us",
    "abuse_connections_per_s",
    "abuse_sent_mib_per_s",
    "tls",
    "jain_index",
    "abuse_refused_per_s",
    "rss_slope_percent_per_h",
];

fn klatch_bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_klatch-bench")).args(arguments).output().unwrap()
}

/// Runs it as a smoke test; returns the lines of JSON, whose every figure was looked at.
#[track_caller]
fn smoke(arguments: &[&str]) -> Vec<Value> {
    let output = klatch_bench(&[arguments, &["--smoke", "--json"]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {told}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for (name, value) in line.as_object().unwrap() {
            let Some(figure) = value.as_f64() else { continue };
            if NOUGHT.contains(&name.as_str()) {
                assert!(figure == 0.0, "{name} of {line}");
            } else {
                assert!(figure > 0.0 || SMALL.contains(&name.as_str()), "{name} of {line}");
            }
        }
    }
    lines
}

/// Checks that a line has these figures.
#[track_caller]
fn has(line: &Value, names: &[&str]) {
    for name in names {
        assert!(line[name].is_number(), "{name} is missing: {line}");
    }
}

#[test]
fn throughput_of_rooms_is_measured_beside_the_relay() {
    for workload in ["fanout", "rooms"] {
        let lines = smoke(&[workload]);
        let servers: Vec<&str> =
            lines.iter().map(|line| line["server"].as_str().unwrap()).collect();
        assert_eq!(servers, ["relay", "klatchd"]);
        for line in &lines {
            has(line, &["members", "deliveries_per_s", "cpu_us_per_delivery", "p50_us", "p99_us"]);
            has(line, &["lost"]);
        }
        has(&lines[1], &["relay_cpu_us_per_delivery", "ratio"]);
    }
}

#[test]
fn clients_come_over_tls() {
    let lines = smoke(&["fanout", "--tls"]);
    assert_eq!(lines.len(), 1, "the relay has no TLS");
    assert_eq!((&lines[0]["server"], &lines[0]["tls"]), (&"klatchd".into(), &true.into()));
}

#[test]
fn latency_is_measured_at_a_rate() {
    for line in smoke(&["rate", "--rate", "500"]) {
        has(&line, &["rate_per_s", "p50_us", "p99_us", "p999_us", "max_us", "late_p99_us", "lost"]);
    }
}

#[test]
fn memory_and_logins_are_measured() {
    for line in smoke(&["idle"]) {
        has(&line, &["rss_bytes_per_session", "cpu_us_per_login", "sessions"]);
    }
    for line in smoke(&["storm"]) {
        has(&line, &["logins_per_s", "cpu_us_per_login", "p99_us"]);
    }
    let line = &smoke(&["strangers"])[0];
    has(line, &["rss_bytes_per_connection", "quiet_p99_us", "abuse_p99_us", "abuse_ratio"]);
    let closed = line["closed_max_s"].as_f64().unwrap();
    assert!((5.0..6.0).contains(&closed), "{line}");
}

#[test]
fn clients_may_be_in_several_processes() {
    for line in smoke(&["storm", "--processes", "3"]) {
        has(&line, &["logins_per_s", "p99_us", "lost"]);
    }
    let line = &smoke(&["idle", "--processes", "2", "--server", "klatchd", "--tls"])[0];
    has(line, &["rss_bytes_per_session", "lost"]);
}

#[test]
fn acknowledgements_are_measured() {
    has(
        &smoke(&["durable"])[0],
        &["acked_per_s", "ack_p50_us", "ack_p99_us", "cpu_us_per_message"],
    );
    let line = &smoke(&["durable", "--rate", "200"])[0];
    has(line, &["acked_per_s", "ack_p99_us", "rate_per_s"]);
    for line in smoke(&["paste"]) {
        has(&line, &["p50_us", "max_us"]);
    }
}

#[test]
fn polite_people_are_measured_under_each_abuse() {
    let lines = smoke(&["abuse", "--rate", "100"]);
    assert_eq!(lines.len(), 11);
    for line in &lines {
        has(line, &["quiet_p99_us", "abuse_p99_us", "abuse_ratio", "polite_lost"]);
        has(line, &["polite_disconnects", "rss_peak_bytes", "abuse_sent_mib_per_s"]);
    }
}

#[test]
fn nothing_is_lost_over_restarts_and_crashes() {
    let line = &smoke(&["restart"])[0];
    has(line, &["acked", "lost", "duplicated", "caught_up_p99_ms"]);
    assert_eq!(line["caught_up"], line["sessions"], "everybody has caught up");
    let line = &smoke(&["crash", "--cycles", "2"])[0];
    has(line, &["cycles", "acked", "lost", "duplicated", "reordered", "phantom"]);
}

#[test]
fn people_come_and_go_and_nothing_passes_its_bound() {
    let line = &smoke(&["soak"])[0];
    has(line, &["minutes", "rss_bytes", "rss_slope_percent_per_h", "over_bounds", "lost"]);
    assert!(line["logins"].as_f64() > line["sessions"].as_f64(), "they came again: {line}");
    assert!(line["acked"].as_f64() > Some(100.0), "they talked: {line}");
}

#[test]
fn figures_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("picture.svg");
    smoke(&["fanout", "--plot", picture.to_str().unwrap()]);
    let drawn = std::fs::read_to_string(picture).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.contains("deliveries per second"), "{drawn}");
}

#[test]
fn a_server_that_runs_already_is_measured() {
    let daemon = crate::support::daemon::Daemon::usual(&["--set", "limits.exempt=127.0.0.0/8"]);
    let (address, pid) = (daemon.address.to_string(), daemon.child.id().to_string());
    for workload in ["fanout", "storm"] {
        let line = &smoke(&[workload, "--server", &address, "--pid", &pid])[0];
        assert_eq!(line["server"], *address);
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (arguments, said) in [
        (&["fanout", "--server", "nobody"][..], "neither an address with a port nor one of relay"),
        (&["idle", "--sessions", "100000000"][..], "ulimit -Hn"),
        (&["durable", "--server", "relay"][..], "durable cannot be run with relay"),
        (&["fanout", "--klatchd", "/nonexistent"][..], "there is no /nonexistent"),
        (&["fanout", "--server", "nats", "--peers", "/nonexistent"][..], "scripts/install-peers"),
    ] {
        let output = klatch_bench(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(said), "{arguments:?}: {told}");
    }
}
