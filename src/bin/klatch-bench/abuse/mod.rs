//! Abuse: what a few polite members feel while others misbehave.
//!
//! The polite ones chat at a steady rate; each latency counts from when its message was due. First
//! they are alone, then the mob comes; server and room stay the same. The mob is a process of its
//! own, of the least priority.

pub(crate) mod kind;
pub(crate) mod mob;
mod role;

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::args::Common;
use crate::chat::{Chat, Manner};
use crate::driver;
use crate::error::{Failure, Result};
use crate::link::Sources;
use crate::report::Figures;
use crate::sibling::Sibling;
use crate::subject::kind::{Kind, Limits, Setup, Store};
use crate::subject::{Server, Target};
use crate::swarm::{Seats, Swarm};
use crate::workload::rate::Pace;
use crate::workload::snapshot::{Snapshot, quantiles};
use crate::workload::{Work, figure};
use kind::Misdeed;

/// Messages in a second of the ten who are polite.
const POLITE_RATE: usize = 50;
/// How long a mob may take to come, and to go.
const PATIENCE: Duration = Duration::from_secs(30);

/// Polite people and a mob.
#[derive(Debug, Clone, Args)]
pub(crate) struct Abuse {
    /// What the mob does; without any, one thing after the other.
    #[arg(value_enum)]
    misdeeds: Vec<Misdeed>,

    /// Polite members of one room.
    #[arg(long, value_name = "M", default_value_t = 10)]
    members: usize,

    /// Their messages in a second, all together: each far less than its share beside a thousand others.
    #[arg(long, value_name = "N", default_value_t = POLITE_RATE)]
    rate: usize,

    /// All share one address, the polite people and the mob, as behind a NAT.
    #[arg(long)]
    same_address: bool,

    /// Passwords that the mob guesses in a second, all together; else it guesses as fast as it is
    /// answered.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    guesses: u32,

    /// A single round each, whatever was asked for.
    #[arg(skip)]
    once: bool,
}

/// One of the misdeeds.
#[derive(Debug, Clone)]
struct Case {
    misdeed: Misdeed,
    abuse: Abuse,
}

impl Abuse {
    /// All of it, a single round each.
    pub(crate) const fn once() -> Self {
        Self {
            misdeeds: Vec::new(),
            members: 10,
            rate: POLITE_RATE,
            same_address: false,
            guesses: 0,
            once: true,
        }
    }

    /// One for each misdeed.
    pub(crate) fn works(&self) -> Vec<Box<dyn Work>> {
        let all = Misdeed::value_variants();
        let misdeeds = if self.misdeeds.is_empty() { all } else { &self.misdeeds };
        let case = |&misdeed: &Misdeed| -> Box<dyn Work> {
            Box::new(Case { misdeed, abuse: self.clone() })
        };
        misdeeds.iter().map(case).collect()
    }
}

impl Work for Case {
    fn name(&self) -> String {
        "abuse".into()
    }

    fn variant(&self) -> Option<&'static str> {
        Some(self.misdeed.name())
    }

    fn shape(&self, _: &Common) -> Figures {
        Figures::from([
            ("members", figure(self.abuse.members)),
            ("rate_per_s", figure(self.abuse.rate)),
        ])
    }

    fn servers(&self, _: &Common) -> Vec<Kind> {
        vec![Kind::Klatchd]
    }

    fn suits(&self, kind: Kind) -> bool {
        self.misdeed.suits(kind)
    }

    fn limits(&self) -> Limits {
        Limits::Default
    }

    fn by(&self) -> &'static str {
        "abuse_ratio"
    }

    fn rounds(&self, options: &Common) -> usize {
        if self.abuse.once { 1 } else { options.rounds() }
    }

    fn connections(&self, _: &Common) -> usize {
        self.misdeed.size().0 + self.abuse.members
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let open_files = self.misdeed.open_files();
        let setup = Setup { open_files, ..options.setup(self, Store::Memory) };
        Server::measured(target, setup, options, |server| {
            self.measure(server, target.kind(), options)
        })
    }
}

impl Case {
    fn measure(&self, server: &Server, kind: Kind, options: &Common) -> Result<Figures> {
        let way = server.way();
        let seats = Seats { rooms: 1, members: self.abuse.members.max(2) };
        // Guests of one address are one party to the server: as behind a NAT.
        let each_alone = Sources { per_address: 1, ..Sources::USUAL };
        let sources = if self.abuse.same_address { Sources::USUAL } else { each_alone };
        let (swarm, _) = Swarm::assemble(way, seats, sources, server.window())?;
        let senders = seats.members;
        let manner = Manner { seats, senders, thorough: options.smoke, tolerant: true };
        let mut chat = Chat::new(way, swarm, manner)?;
        let mut pace = Pace::new(&mut chat, self.abuse.rate)?;
        let (warm_up, measured) = options.times();
        pace.keep(&mut chat, warm_up, options)?;
        chat.heard().reset();
        pace.keep(&mut chat, measured, options)?;
        // What the quiet time has lost, the abuse is not to blame for.
        if chat.settle()? > 0 {
            return Err(Failure::new("messages were lost while it was quiet"));
        }
        let quiet = quantiles(&chat.heard().each, &[("quiet_p50_us", 0.5), ("quiet_p99_us", 0.99)]);
        let mut mob = self.mob(server, kind, options)?;
        let start = chat.now();
        // The first thing that it says is that all have come.
        while mob.look()?.is_none() {
            if chat.now().since(start) > PATIENCE {
                return Err(Failure::new("the mob does not come"));
            }
            pace.keep(&mut chat, Duration::from_millis(50), options)?;
        }
        pace.keep(&mut chat, warm_up, options)?;
        chat.heard().reset();
        mob.tell("measure")?;
        let before = Snapshot::take(server, &chat)?;
        pace.keep(&mut chat, measured, options)?;
        let after = Snapshot::take(server, &chat)?;
        mob.end();
        let report = mob.wait(PATIENCE)?;
        let lost = chat.settle()?;
        let mut figures = before.figures_until(&after, server);
        figures.retain(|name, _| ["server_cores", "other_cores"].contains(name));
        figures.extend(quiet);
        let heard = chat.heard();
        figures.extend(quantiles(
            &heard.each,
            &[("abuse_p50_us", 0.5), ("abuse_p99_us", 0.99), ("abuse_max_us", 1.0)],
        ));
        let ratio = figures["abuse_p99_us"] / figures["quiet_p99_us"].max(f64::MIN_POSITIVE);
        figures.extend([
            ("abuse_ratio", ratio),
            ("polite_lost", (lost + heard.taken_back) as f64),
            ("polite_refused", heard.refused as f64),
            ("polite_disconnects", heard.disconnected as f64),
            ("rss_peak_bytes", server.resident_peak_bytes()? as f64),
        ]);
        figures.extend(self.told(&report));
        Ok(figures)
    }

    /// The mob's process.
    fn mob(&self, server: &Server, kind: Kind, options: &Common) -> Result<Sibling> {
        let (connections, addresses) = self.misdeed.size();
        let connections = options.size(connections, connections.min(24));
        let addresses = if self.abuse.same_address { 1 } else { addresses.min(connections) };
        let first = if self.abuse.same_address { 0 } else { mob::FIRST_ADDRESS };
        let words = [
            self.misdeed.name().to_owned(),
            format!("--to={}", server.address()),
            format!("--as={}", kind.name()),
            format!("--first={first}"),
            format!("--connections={connections}"),
            format!("--addresses={addresses}"),
            format!("--run={}", driver::run()),
            format!("--pace={}", self.abuse.guesses),
        ];
        Sibling::start("mob", &words)
    }

    /// What the mob says of itself.
    fn told(&self, report: &Value) -> Figures {
        let told = |name: &str| report[name].as_f64().unwrap_or_default();
        let seconds = told("seconds").max(1e-9);
        let mut figures = Figures::from([
            ("abuse_connections_per_s", told("connections") / seconds),
            ("abuse_refused_per_s", told("refused") / seconds),
            ("abuse_sent_mib_per_s", told("bytes") / seconds / f64::from(1 << 20)),
        ]);
        let floods = matches!(self.misdeed, Misdeed::FloodOneAddress | Misdeed::FloodManyAddresses);
        if floods && told("served") > 0.0 {
            figures.insert("jain_index", told("jain"));
            figures.insert("abuse_served_per_s", told("served") / seconds);
        }
        figures
    }
}
