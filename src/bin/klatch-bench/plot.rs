//! A picture of the figures: for each workload a panel for each figure that matters, with a bar for
//! each case.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, Color, DrawingArea, IntoDrawingArea, IntoFont, Palette, Palette99, Rectangle,
    SVGBackend, Text, WHITE,
};
use serde_json::Value;

use crate::error::{Failure, Result};

/// Figures that make a panel, with what stands above it.
const PANELS: &[(&str, &str)] = &[
    ("deliveries_per_s", "deliveries per second (more is better)"),
    ("cpu_us_per_delivery", "CPU per delivery, us (less is better)"),
    ("p99_us", "p99 latency, us (less is better)"),
    ("logins_per_s", "logins per second (more is better)"),
    ("acked_per_s", "acknowledged messages per second (more is better)"),
    ("ack_p99_us", "p99 of the acknowledgement, us (less is better)"),
    ("rss_bytes_per_session", "memory of a session, bytes (less is better)"),
    ("quiet_p99_us", "polite p99 while it is quiet, us (less is better)"),
    ("abuse_p99_us", "polite p99 under abuse, us (less is better)"),
    ("caught_up_p99_ms", "p99 until caught up after a restart, ms (less is better)"),
];

const WIDTH: u32 = 900;
const ROW: u32 = 22;
const TITLE: u32 = 44;
const LABELS: u32 = 330;
const VALUES: u32 = 110;

/// One figure of all cases of one workload.
#[derive(Debug)]
struct Panel {
    title: String,
    bars: Vec<(String, f64)>,
}

impl Panel {
    fn height(&self) -> u32 {
        TITLE + ROW * u32::try_from(self.bars.len()).unwrap_or_default()
    }
}

/// Lines of JSON from files.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Value>> {
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        for line in text.lines().filter(|line| line.starts_with('{')) {
            lines.push(serde_json::from_str(line)?);
        }
    }
    Ok(lines)
}

/// Draws all that these lines hold.
pub(crate) fn draw(lines: &[Value], file: &Path) -> Result<()> {
    let panels = panels(lines);
    if panels.is_empty() {
        return Err(Failure::new("there is nothing to draw: no line has a figure for a panel"));
    }
    let height = panels.iter().map(Panel::height).sum::<u32>() + ROW;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    let failed = |error: String| Failure::new(format!("{}: {error}", file.display()));
    root.fill(&WHITE).map_err(|error| failed(error.to_string()))?;
    let mut rest = root.clone();
    for panel in &panels {
        let (area, below) = rest.split_vertically(panel.height());
        paint(&area, panel).map_err(failed)?;
        rest = below;
    }
    root.present().map_err(|error| failed(error.to_string()))
}

fn panels(lines: &[Value]) -> Vec<Panel> {
    let workload = |line: &Value| line["workload"].as_str().unwrap_or_default().to_owned();
    let mut workloads: Vec<String> = Vec::new();
    for line in lines {
        if !workloads.contains(&workload(line)) {
            workloads.push(workload(line));
        }
    }
    let mut panels = Vec::new();
    for name in workloads {
        for (figure, what) in PANELS {
            let of_workload = lines.iter().filter(|line| workload(line) == name);
            let bars = of_workload.filter_map(|line| Some((label(line), line[*figure].as_f64()?)));
            let bars: Vec<_> = bars.collect();
            if !bars.is_empty() {
                panels.push(Panel { title: format!("{name}: {what}"), bars });
            }
        }
    }
    panels
}

/// The server, and what tells this case from the others of its workload.
fn label(line: &Value) -> String {
    let mut label = line["server"].as_str().unwrap_or_default().to_owned();
    if let Some(abuse) = line["abuse"].as_str() {
        write!(label, " {abuse}").ok();
    }
    if line["tls"] == Value::Bool(true) {
        label.push_str(" TLS");
    }
    for (figure, what) in [("rooms", "rooms"), ("members", "members"), ("rate_per_s", "a second")] {
        if let Some(size) = line[figure].as_f64().filter(|size| *size > 1.0) {
            write!(label, ", {size} {what}").ok();
        }
    }
    label
}

fn paint(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    panel: &Panel,
) -> std::result::Result<(), String> {
    let pixel = |size: u32| i32::try_from(size).unwrap_or(i32::MAX);
    let most = panel.bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let font = ("sans-serif", 13).into_font();
    let title = ("sans-serif", 16).into_font();
    let draw = |text: &str, at: (i32, i32), big: bool| {
        let style = if big { title.clone() } else { font.clone() };
        area.draw(&Text::new(text.to_owned(), at, style.color(&BLACK)))
            .map_err(|error| error.to_string())
    };
    draw(&panel.title, (10, 18), true)?;
    for (place, (label, value)) in panel.bars.iter().enumerate() {
        let top = pixel(TITLE) + pixel(ROW) * i32::try_from(place).unwrap_or_default();
        let share = if most > 0.0 { value / most } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, reason = "it is a part of the picture's width")]
        let length = (f64::from(WIDTH - LABELS - VALUES) * share) as i32;
        let (left, right) = (pixel(LABELS), pixel(LABELS) + length.max(1));
        let server = label.split([',', ' ']).next().unwrap_or_default();
        let color = Palette99::pick(server.bytes().map(usize::from).sum());
        area.draw(&Rectangle::new([(left, top), (right, top + pixel(ROW) - 6)], color.filled()))
            .map_err(|error| error.to_string())?;
        draw(label, (10, top + 1), false)?;
        draw(&short(*value), (right + 6, top + 1), false)?;
    }
    Ok(())
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.2} M", value / 1e6),
        value if value >= 1e4 => format!("{:.1} k", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_a_bar() {
        let folder = tempfile::tempdir().unwrap();
        let (lines, picture) = (folder.path().join("lines"), folder.path().join("picture.svg"));
        let text = r#"not a line of figures
{"workload":"fanout","server":"klatchd","tls":false,"members":100,"deliveries_per_s":2700000}
{"workload":"fanout","server":"relay","tls":false,"members":100,"deliveries_per_s":3100000}
{"workload":"idle","server":"klatchd","tls":true,"rss_bytes_per_session":16800}"#;
        fs::write(&lines, text).unwrap();
        draw(&read(&[lines]).unwrap(), &picture).unwrap();
        let drawn = fs::read_to_string(picture).unwrap();
        assert!(drawn.starts_with("<svg"));
        for part in
            ["fanout: deliveries", "klatchd, 100 members", "3.10 M", "klatchd TLS", "16.8 k"]
        {
            assert!(drawn.contains(part), "{part} is missing");
        }
        assert!(draw(&[], folder.path()).is_err());
    }
}
