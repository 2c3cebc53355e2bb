//! All that is counted, at one moment.

use std::time::Duration;

use klatch::base::clock::Moment;

use crate::chat::Chat;
use crate::error::Result;
use crate::machine;
use crate::report::{CPU, Figures};
use crate::subject::Server;

/// A moment.
pub(crate) struct Snapshot {
    now: Moment,
    server: Duration,
    generator: Duration,
    everybody: Duration,
    deliveries: u64,
    reads: u64,
    said: u32,
}

impl Snapshot {
    pub(crate) fn take(server: &Server, chat: &Chat<'_>) -> Result<Self> {
        Ok(Self {
            now: chat.now(),
            server: server.cpu_time()?,
            generator: machine::cpu_time(std::process::id())?,
            everybody: machine::busy_time()?,
            deliveries: chat.deliveries(),
            reads: chat.reads(),
            said: chat.said(),
        })
    }

    /// The time from here until `after`.
    pub(crate) fn seconds_until(&self, after: &Self) -> f64 {
        after.now.since(self.now).as_secs_f64()
    }

    /// What happened from here until `after`, but for latencies.
    pub(crate) fn figures_until(&self, after: &Self, server: &Server) -> Figures {
        let seconds = self.seconds_until(after);
        let deliveries = (after.deliveries - self.deliveries) as f64;
        let cpu = after.server.saturating_sub(self.server).as_secs_f64();
        let generator = after.generator.saturating_sub(self.generator).as_secs_f64();
        let everybody = after.everybody.saturating_sub(self.everybody).as_secs_f64();
        let mut figures = Figures::from([
            ("deliveries_per_s", deliveries / seconds),
            ("messages_per_s", f64::from(after.said - self.said) / seconds),
            ("deliveries_per_read", deliveries / (after.reads - self.reads) as f64),
            ("generator_cores", generator / seconds),
        ]);
        if server.is_known() {
            figures.extend([
                (CPU, cpu * 1e6 / deliveries),
                ("cpu_us_per_message", cpu * 1e6 / f64::from(after.said - self.said)),
                ("server_cores", cpu / seconds),
                ("other_cores", (everybody - cpu - generator).max(0.0) / seconds),
            ]);
        }
        figures
    }
}

/// Latencies of a histogram in nanoseconds, as microseconds.
pub(crate) fn quantiles(
    histogram: &hdrhistogram::Histogram<u64>,
    names: &[(&'static str, f64)],
) -> Figures {
    let latency = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
    names.iter().map(|&(name, quantile)| (name, latency(quantile))).collect()
}
