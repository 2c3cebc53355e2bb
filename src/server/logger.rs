//! Where the log goes: to the journal with its fields, else as lines to the standard error.
//!
//! **Invariants:** one event is one line, whatever strangers have put into it; one cause (a line of
//! the source) fills no disk: past its burst it is counted, and the count is told. The level can be
//! changed at any time.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use log::kv::{self, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use systemd_journal_logger::{JournalLog, connected_to_journal};

use crate::base::clock::{Clock, Moment, SystemClock};
use crate::web::metrics::Log as Counts;

/// For so long the events of one cause are counted together.
const WINDOW: Duration = Duration::from_secs(10);
/// Events of one cause in that time: what an operator reads, and what a developer wants to see.
const BURST: u64 = 50;
const BURST_OF_DETAILS: u64 = 1_000;
/// Longest text of one event.
const LONGEST: usize = 4_096;

static LINES: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// What was logged until now.
#[must_use]
pub fn counts() -> Counts {
    let names = ["error", "warn", "info", "debug", "trace"];
    let lines = names.into_iter().zip(&LINES);
    Counts {
        lines: lines.map(|(name, count)| (name, count.load(Ordering::Relaxed))).collect(),
        left_out: LEFT_OUT.load(Ordering::Relaxed),
    }
}

/// Has everything logged from here on; to be called once.
pub fn install(level: LevelFilter) {
    let journal = connected_to_journal().then(JournalLog::new).and_then(Result::ok);
    // The level is looked at here: it can be changed later.
    let mut lines = env_logger::Builder::new();
    lines.filter_level(LevelFilter::Trace).format(|out, record| {
        let (time, level) = (out.timestamp_millis(), record.level());
        writeln!(out, "{time} {level:5} {}: {}", record.target(), text(record))
    });
    let (lines, clock) = (lines.build(), SystemClock::default());
    let guard = Guard { journal, lines, clock, causes: Mutex::default() };
    if log::set_boxed_logger(Box::new(guard)).is_ok() {
        log::set_max_level(level);
    }
}

/// Something that logs, told apart by where it stands.
type Cause = (&'static str, u32);

/// What one cause has logged in its window.
#[derive(Debug, Default)]
struct Window {
    since: Option<Moment>,
    count: u64,
}

impl Window {
    /// Whether one more may pass; with it, how many were left out in the window before.
    fn admit(&mut self, now: Moment, burst: u64) -> (bool, u64) {
        let fresh = self.since.is_none_or(|since| now.since(since) >= WINDOW);
        let left_out = if fresh { self.count.saturating_sub(burst) } else { 0 };
        if fresh {
            *self = Self { since: Some(now), count: 0 };
        }
        self.count += 1;
        (self.count <= burst, left_out)
    }
}

struct Guard {
    journal: Option<JournalLog>,
    lines: env_logger::Logger,
    clock: SystemClock,
    /// As many as there are lines in the program that log.
    causes: Mutex<HashMap<Cause, Window>>,
}

impl Log for Guard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let cause = (record.module_path_static().unwrap_or("?"), record.line().unwrap_or(0));
        let burst = if record.level() >= Level::Debug { BURST_OF_DETAILS } else { BURST };
        let now = self.clock.now();
        let (admitted, left_out) = self.causes.lock().entry(cause).or_default().admit(now, burst);
        if left_out > 0 {
            let told = format_args!("{left_out} more like this were left out: {}", record.target())
                .to_string();
            self.write(
                &Record::builder().args(format_args!("{told}")).level(record.level()).build(),
            );
        }
        if admitted {
            self.write(record);
        } else {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

impl Guard {
    fn write(&self, record: &Record<'_>) {
        if let Some(count) = LINES.get(record.level() as usize - 1) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let text = text(record);
        if let Some(journal) = &self.journal {
            // The fields besides, so that they can be asked for.
            let fields = record.key_values();
            let sent = journal.journal_send(
                &Record::builder()
                    .args(format_args!("{text}"))
                    .level(record.level())
                    .target(record.target())
                    .module_path(record.module_path())
                    .file(record.file())
                    .line(record.line())
                    .key_values(&fields)
                    .build(),
            );
            if sent.is_ok() {
                return;
            }
        }
        self.lines.log(record);
    }
}

/// The event on one line, with its fields behind it.
fn text(record: &Record<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _infallible = write!(Escaped(&mut text), "{}", record.args());
    drop(record.key_values().visit(&mut Fields(&mut text)));
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let _infallible = write!(Escaped(self.0), " {key}={value}");
        Ok(())
    }
}

/// Writes what could end a line, or steer a terminal, as it would stand in a source.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let steers = c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if steers {
                self.0.extend(c.escape_default());
            } else {
                self.0.push(c);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_strangers_write_stays_on_one_line() {
        let evil = "x\n2026 ERROR fake\r\u{1b}[2J\u{202e}\u{2028}y";
        let fields = [("peer", evil)];
        let args = format_args!("name {evil}").to_string();
        let text =
            text(&Record::builder().args(format_args!("{args}")).key_values(&fields).build());
        assert!(
            !text.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{202e}'),
            "{text}"
        );
        assert!(text.contains(r"x\n2026 ERROR fake\r\u{1b}[2J"), "{text}");
        assert!(text.contains(" peer=x"), "{text}");
    }

    #[test]
    fn an_event_is_not_longer_than_it_may_be() {
        let long = "ä".repeat(100_000);
        let text = text(&Record::builder().args(format_args!("{long}")).build());
        assert_eq!(text.chars().count(), LONGEST + 3);
    }

    #[test]
    fn a_cause_that_repeats_itself_is_counted_and_told_of_later() {
        let mut window = Window::default();
        let passed = (0..1_000).filter(|_| window.admit(Moment(1), 50).0).count();
        assert_eq!(passed, 50);
        let later = Moment(1).after(WINDOW);
        assert_eq!(window.admit(later, 50), (true, 950));
        assert_eq!(window.admit(later, 50), (true, 0));
    }
}
