//! What the server has counted, in the text format that Prometheus reads (`OpenMetrics` 1.0).
//!
//! Each worker counts for itself (`base::tally`); here the counts are added up when somebody asks.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::base::tally::{Count, Tally};
use crate::fanout::link::Framing;
use crate::protocol::request::Class;
use crate::protocol::status::Code;

/// What only the actors know that all workers share.
#[derive(Debug, Clone, Copy, Default)]
pub struct Survey {
    /// Connections that were admitted and are open.
    pub connections: u64,
    /// Rooms.
    pub rooms: u64,
}

/// All of it as text.
pub(super) fn text(tallies: &Arc<[Arc<Tally>]>, survey: Survey) -> Result<String, fmt::Error> {
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
        encoder.gauge("connections_admitted", "Open connections", self.survey.connections)?;
        let named = self.sum(|tally| &tally.named);
        encoder.gauge("sessions_named", "Sessions that hold a name", named)?;
        encoder.gauge("rooms", "Rooms", self.survey.rooms)?;
        let classes = Class::ALL.into_iter().map(Class::name);
        let queued = self.sums(classes, |tally| &tally.queued);
        encoder.gauges("requests_queued", "Requests waiting for their turn", "class", &queued)
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
        let codes = || Code::ALL.iter().map(|code| code.name());
        let refusals = self.sums(codes(), |tally| &tally.refusals);
        encoder.counters("refusals", "Requests refused, by status code", "code", &refusals)?;
        let byes = self.sums(codes(), |tally| &tally.byes);
        encoder.counters("byes", "Sessions ended by the server, by status code", "code", &byes)
    }
}

impl Collector for Sums {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut encoder = Encoder(encoder);
        self.gauges(&mut encoder)?;
        self.counters(&mut encoder)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::tally;

    #[test]
    fn workers_are_added_up() {
        let tallies: Arc<[Arc<Tally>]> = [(); 2].map(|()| Arc::default()).into();
        for tally in &*tallies {
            tally.deliveries.add(7);
            tally.connections[Framing::WebSocket.place()].add(1);
            tally::add(&tally.refusals, Code::Rate.place(), 2);
        }
        let text = text(&tallies, Survey { connections: 5, rooms: 3 }).unwrap();
        for line in [
            "# TYPE klatch_deliveries counter",
            "klatch_deliveries_total 14",
            "klatch_connections{kind=\"websocket\"} 2",
            "klatch_refusals_total{code=\"rate\"} 4",
            "klatch_rooms 3",
            "klatch_connections_admitted 5",
            "klatch_requests_queued{class=\"bulk\"} 0",
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
