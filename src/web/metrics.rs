//! What the server has counted, in the text format that Prometheus reads (`OpenMetrics` 1.0).
//!
//! Each worker counts for itself (`base::tally`); here the counts are added up when somebody asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::base::histogram::{STEPS, Spread};
use crate::base::limits::{MAILBOX, NAMES};
use crate::base::tally::{Count, HELD_NAMES, Tally};
use crate::fanout::link::Framing;
use crate::protocol::request::Class;
use crate::protocol::status::Code;
use crate::reception::actor::Waiting;
use crate::store::Vitals;
use crate::throttle::admission::Fill;

/// What is known of the server as a whole, besides what its workers count.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// How full admission is.
    pub fill: Fill,
    /// Rooms, and as many as there may be.
    pub rooms: (u64, u64),
    /// What waits for readers.
    pub waiting: Waiting,
    /// How the storage is doing.
    pub store: Vitals,
    /// How long a round through everything took.
    pub pulse: Spread,
    /// Reloads that were applied.
    pub reloads: u64,
    /// Reloads that were refused.
    pub reloads_refused: u64,
    /// Certificates that an authority gave.
    pub certificates: u64,
    /// Attempts to get one that failed.
    pub certificates_failed: u64,
    /// When the certificate ends, in seconds since 1970.
    pub certificate_expires: i64,
    /// When the server started, likewise.
    pub started: u64,
    /// Events that were logged, by level, and those that were left out.
    pub log: Log,
}

/// What was logged.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Events by level.
    pub lines: Vec<(&'static str, u64)>,
    /// Events that were left out.
    pub left_out: u64,
}

/// All of it as text.
pub fn text(tallies: &Arc<[Arc<Tally>]>, survey: Survey) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("klatch");
    registry.register_collector(Box::new(Sums { tallies: Arc::clone(tallies), survey }));
    let mut text = String::with_capacity(8 * 1024);
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Sums {
    tallies: Arc<[Arc<Tally>]>,
    survey: Survey,
}

/// One value of a metric, with the name of its kind.
type Labelled = (&'static str, u64);

impl Sums {
    fn sum(&self, count: impl Fn(&Tally) -> &Count) -> u64 {
        self.tallies.iter().map(|tally| count(tally).get()).sum()
    }

    /// The sum at each place of a list of counts, with the names of the places.
    fn sums<'a>(
        &'a self,
        names: impl Iterator<Item = &'static str> + 'a,
        counts: impl Fn(&Tally) -> &[Count] + 'a,
    ) -> Vec<Labelled> {
        let at = move |place: usize| {
            let counts = self.tallies.iter().filter_map(|tally| counts(tally).get(place));
            counts.map(Count::get).sum()
        };
        names.enumerate().map(|(place, name)| (name, at(place))).collect()
    }

    fn gauges(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let kinds = Framing::ALL.into_iter().map(Framing::name);
        let kinds = self.sums(kinds, |tally| &tally.connections);
        encoder.gauges("connections", "Open connections, by what they speak", "kind", &kinds)?;
        self.fill(encoder)?;
        let named = self.sum(|tally| &tally.named);
        encoder.gauge("sessions_named", "Sessions that hold a name", named)?;
        let (rooms, most) = self.survey.rooms;
        encoder.gauge("rooms", "Rooms", rooms)?;
        encoder.gauge("rooms_max", "Rooms that there may be", most)?;
        self.outboxes(encoder)?;
        let classes = Class::ALL.into_iter().map(Class::name);
        let queued = self.sums(classes, |tally| &tally.queued);
        encoder.gauges("requests_queued", "Requests waiting for their turn", "class", &queued)?;
        let all = self.tallies.len() as u64 * MAILBOX as u64;
        encoder.gauge("requests_queued_max", "Requests that may wait for their turn", all)
    }

    /// What waits for readers, with the bound of each.
    fn outboxes(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let Waiting { bytes, fullest, most } = self.survey.waiting;
        encoder.gauge("outbox_bytes", "Bytes that wait in all outboxes", bytes)?;
        let help = "Bytes that wait in the fullest outbox";
        encoder.gauge("outbox_fullest_bytes", help, fullest)?;
        encoder.gauge("outbox_max_bytes", "Bytes that one outbox may hold", most)
    }

    /// What admission bounds, each with its bound.
    fn fill(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let Fill { connections, strangers, prefixes, bans, memory, denied } = &self.survey.fill;
        let held = self.sums(HELD_NAMES.into_iter(), |tally| &tally.held);
        encoder.gauges("held_bytes", "Bytes held for clients, by what they are", "kind", &held)?;
        let help = "Bytes that may be held for clients";
        encoder.gauge("held_bytes_max", help, memory.1)?;
        let help = "Open connections, of all kinds";
        encoder.gauge("connections_admitted", help, connections.0.into())?;
        encoder.gauge("connections_max", "Connections that may be open", connections.1.into())?;
        let help = "Open connections that hold no name";
        encoder.gauge("connections_unnamed", help, strangers.0.into())?;
        let help = "Connections that may hold no name";
        encoder.gauge("connections_unnamed_max", help, strangers.1.into())?;
        let help = "Address prefixes whose budgets are remembered";
        encoder.gauge("prefixes", help, prefixes.0 as u64)?;
        let help = "Address prefixes whose budgets can be remembered";
        encoder.gauge("prefixes_max", help, prefixes.1 as u64)?;
        encoder.gauge("bans", "Bans of networks and names", bans.0 as u64)?;
        encoder.gauge("bans_max", "Bans that there may be", bans.1 as u64)?;
        let help = "Connections that were not admitted, by the limit that they met";
        encoder.counters("connections_denied", help, "limit", denied)
    }

    /// The storage, the process, the log.
    fn survey(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let Survey { store, pulse, log, .. } = &self.survey;
        encoder.counter("commits", "Commits of the storage", store.commits)?;
        let help = "Entries that were committed";
        encoder.counter("entries_committed", help, store.entries)?;
        let help = "Commits of the storage that failed";
        encoder.counter("commit_failures", help, store.failures)?;
        encoder.histogram("commit_seconds", "How long a commit took", &store.commit)?;
        let queues = [("write", store.writes), ("read", store.reads)];
        let help = "Work that waits for the storage";
        let waits = queues.map(|(name, (now, _))| (name, now as u64));
        encoder.gauges("store_queued", help, "queue", &waits)?;
        let help = "Work that may wait for the storage";
        let bounds = queues.map(|(name, (_, most))| (name, most as u64));
        encoder.gauges("store_queued_max", help, "queue", &bounds)?;
        let help = "How long a round through all parts of the server took";
        encoder.histogram("pulse_seconds", help, pulse)?;
        let reloads = [("applied", self.survey.reloads), ("refused", self.survey.reloads_refused)];
        let help = "Reloads of the configuration, by outcome";
        encoder.counters("reloads", help, "outcome", &reloads)?;
        let orders =
            [("issued", self.survey.certificates), ("failed", self.survey.certificates_failed)];
        let help = "Attempts to get a certificate from an authority, by outcome";
        encoder.counters("certificate_orders", help, "outcome", &orders)?;
        let help = "When the certificate expires";
        let expires = u64::try_from(self.survey.certificate_expires).unwrap_or_default();
        encoder.gauge("certificate_expiry_timestamp_seconds", help, expires)?;
        let help = "When the server started";
        encoder.gauge("start_timestamp_seconds", help, self.survey.started)?;
        encoder.counters("log_lines", "Events that were logged", "level", &log.lines)?;
        let help = "Events that were not logged, since their cause repeated itself";
        encoder.counter("log_lines_left_out", help, log.left_out)
    }

    fn counters(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let sum = |count: fn(&Tally) -> &Count| self.sum(count);
        encoder.counter("requests", "Requests read", sum(|tally| &tally.requests))?;
        encoder.counter("http_requests", "HTTP requests read", sum(|tally| &tally.visits))?;
        encoder.counter("messages", "Messages taken by rooms", sum(|tally| &tally.messages))?;
        let help = "Frames of rooms put into outboxes, each once for every receiver";
        encoder.counter("deliveries", help, sum(|tally| &tally.deliveries))?;
        encoder.counter("received_bytes", "Bytes read", sum(|tally| &tally.bytes_in))?;
        encoder.counter("sent_bytes", "Bytes written", sum(|tally| &tally.bytes_out))?;
        let help = "Sessions closed because they read too slowly";
        encoder.counter("slow_consumers", help, sum(|tally| &tally.slow_consumers))?;
        let shed = [
            ("requests", sum(|tally| &tally.shed_requests)),
            ("sessions", sum(|tally| &tally.shed_sessions)),
        ];
        let help = "Requests refused and sessions closed since too much was held for clients";
        encoder.counters("shed", help, "what", &shed)?;
        let codes = || Code::ALL.iter().map(|code| code.name());
        let refusals = self.sums(codes(), |tally| &tally.refusals);
        encoder.counters("refusals", "Requests refused, by status code", "code", &refusals)?;
        let byes = self.sums(codes(), |tally| &tally.byes);
        encoder.counters("byes", "Sessions ended by the server, by status code", "code", &byes)?;
        let limits = self.sums(NAMES.iter().copied(), |tally| &tally.limits);
        let help = "Requests refused, reads put off and sessions ended, by the limit that they met";
        encoder.counters("limits_met", help, "limit", &limits)?;
        let help = "Times that a session was not read for a while, since its budget was spent";
        encoder.counter("read_pauses", help, sum(|tally| &tally.pauses))
    }

    fn waits(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let spread = |class: Class| {
            let all = self.tallies.iter().filter_map(|tally| tally.waits.get(class.place()));
            all.fold(Spread::default(), |sum, one| sum.plus(&one.spread()))
        };
        let all: Vec<_> = Class::ALL.map(|class| (class.name(), spread(class))).into();
        let help = "How long requests waited for their turn, by class";
        encoder.histograms("queue_seconds", help, "class", &all)
    }
}

impl Collector for Sums {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut encoder = Encoder(encoder);
        self.gauges(&mut encoder)?;
        self.counters(&mut encoder)?;
        self.waits(&mut encoder)?;
        self.survey(&mut encoder)
    }
}

struct Encoder<'a>(DescriptorEncoder<'a>);

impl Encoder<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.one(name, help, &ConstGauge::new(value))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.one(name, help, &ConstCounter::new(value))
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        all: &[Labelled],
    ) -> fmt::Result {
        self.family(name, help, label, all.iter().map(|&(of, n)| (of, ConstGauge::new(n))))
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        all: &[Labelled],
    ) -> fmt::Result {
        self.family(name, help, label, all.iter().map(|&(of, n)| (of, ConstCounter::new(n))))
    }

    fn histogram(&mut self, name: &str, help: &str, spread: &Spread) -> fmt::Result {
        self.one(name, help, &Steps(*spread))
    }

    fn histograms(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        all: &[(&'static str, Spread)],
    ) -> fmt::Result {
        self.family(name, help, label, all.iter().map(|&(of, spread)| (of, Steps(spread))))
    }

    fn one(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, metric.metric_type())?;
        metric.encode(encoder)
    }

    fn family<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        all: impl Iterator<Item = (&'static str, M)>,
    ) -> fmt::Result {
        let mut all = all.peekable();
        let Some(kind) = all.peek().map(|(_, metric)| metric.metric_type()) else {
            return Ok(());
        };
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        for (of, metric) in all {
            metric.encode(encoder.encode_family(&[(label, of)])?)?;
        }
        Ok(())
    }
}

/// A histogram as Prometheus has it, in seconds.
#[derive(Debug)]
struct Steps(Spread);

impl EncodeMetric for Steps {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let seconds = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64();
        let ends = STEPS.iter().map(|&end| seconds(end)).chain([f64::MAX]);
        let counts = self.0.steps.iter().copied().chain([self.0.beyond]);
        let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
        encoder.encode_histogram::<NoLabelSet>(
            seconds(self.0.nanos),
            self.0.count(),
            &buckets,
            None,
        )
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::tally;

    fn survey() -> Survey {
        let fill = Fill { connections: (5, 100), ..Fill::default() };
        Survey { fill, rooms: (3, 10), ..Survey::default() }
    }

    #[test]
    fn workers_are_added_up() {
        let tallies: Arc<[Arc<Tally>]> = [(); 2].map(|()| Arc::default()).into();
        for tally in &*tallies {
            tally.deliveries.add(7);
            tally.connections[Framing::WebSocket.place()].add(1);
            tally::add(&tally.refusals, Code::Rate.place(), 2);
            tally::met(&tally.limits, "outbox_ms");
            tally.waits[0].note(Duration::from_micros(70));
        }
        let text = text(&tallies, survey()).unwrap();
        for line in [
            "# TYPE klatch_deliveries counter",
            "klatch_deliveries_total 14",
            "klatch_connections{kind=\"websocket\"} 2",
            "klatch_refusals_total{code=\"rate\"} 4",
            "klatch_rooms 3",
            "klatch_connections_admitted 5",
            "klatch_requests_queued{class=\"bulk\"} 0",
            "klatch_limits_met_total{limit=\"outbox_ms\"} 2",
            "klatch_queue_seconds_bucket{le=\"0.00005\",class=\"control\"} 0",
            "klatch_queue_seconds_bucket{le=\"0.0001\",class=\"control\"} 2",
            "klatch_queue_seconds_count{class=\"control\"} 2",
            "klatch_connections_max 100",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
    }

    #[test]
    fn every_code_has_a_place() {
        assert!(Code::ALL.len() <= tally::CODES);
    }
}
