//! Strangers: connections that say nothing. What each costs the server, when it has closed them all, and
//! what those feel who log in meanwhile.

use std::io::{ErrorKind, Write, stdout};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use hdrhistogram::Histogram;
use klatch::base::clock::{Clock, Moment, SystemClock};
use mio::{Events, Interest, Poll, Token};
use serde_json::json;

use super::snapshot::quantiles;
use super::{Work, figure};
use crate::args::Common;
use crate::assembly::Assembly;
use crate::chat::histogram;
use crate::error::{Failure, Result};
use crate::link::{Link, Sources, Way};
use crate::machine;
use crate::report::Figures;
use crate::sibling::{Sibling, orders};
use crate::subject::kind::{Kind, Store};
use crate::subject::{Server, Target};
use crate::swarm::{Seats, Swarm};

/// Logins in a second, one after the other whether or not the one before is done.
const LOGINS_PER_S: usize = 100;
/// How long strangers may take to come and to be closed. What takes longer is no deadline.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long that usually takes.
const USUAL: Duration = Duration::from_secs(10);
/// Between two looks whether the strangers have come, or are gone.
const LOOK: Duration = Duration::from_millis(50);
/// Longest turn, so that those who are due connect.
const TURN: Duration = Duration::from_millis(1);
/// Strangers that connect at a time: fewer than the accept queue holds.
const OPENINGS: usize = 256;
const EVENTS: usize = 4_096;

/// Connections that say nothing.
#[derive(Debug, Clone, Args)]
pub(crate) struct Strangers {
    /// Connections.
    #[arg(long, value_name = "N", default_value_t = 9_000)]
    pub(crate) connections: usize,

    /// How many connect in a second: the last ones come before the first ones are closed. 0: as many as
    /// the server takes.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) per_second: u32,
}

/// What the process of the strangers is told.
#[derive(Debug, Args)]
pub(crate) struct StrangersArgs {
    #[arg(long)]
    to: SocketAddr,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    per_second: u128,
}

impl Strangers {
    /// Those who log in: before, and so long meanwhile.
    fn seats(options: &Common, meanwhile: Duration) -> Seats {
        let (warm_up, measured) = options.times();
        let time = warm_up + measured + meanwhile;
        let logins = LOGINS_PER_S * usize::try_from(time.as_secs() + 1).unwrap_or_default();
        // Each makes a room, and so waits for nobody.
        Seats { rooms: logins, members: 1 }
    }

    fn size(&self, options: &Common) -> usize {
        options.size(self.connections, 50)
    }
}

impl Work for Strangers {
    fn name(&self) -> String {
        "strangers".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        Figures::from([("connections", figure(self.size(options)))])
    }

    fn servers(&self, _: &Common) -> Vec<Kind> {
        vec![Kind::Klatchd]
    }

    /// The others have no deadline, or one of a minute.
    fn suits(&self, kind: Kind) -> bool {
        kind == Kind::Klatchd
    }

    fn by(&self) -> &'static str {
        "abuse_ratio"
    }

    fn connections(&self, options: &Common) -> usize {
        self.size(options) + Self::seats(options, USUAL).clients()
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Memory);
        Server::measured(target, setup, options, |server| self.measure(server, options))
    }
}

impl Strangers {
    fn measure(&self, server: &Server, options: &Common) -> Result<Figures> {
        let mut newcomers = Newcomers::new(server.way(), Self::seats(options, PATIENCE * 2))?;
        let (warm_up, measured) = options.times();
        newcomers.come(warm_up, options)?;
        newcomers.assembly.took.clear();
        newcomers.come(measured, options)?;
        let quiet = newcomers.take()?;

        let size = self.size(options);
        let empty = server.resident_bytes()?;
        let words = [
            format!("--to={}", server.address()),
            format!("--connections={size}"),
            format!("--per-second={}", self.per_second),
        ];
        let strangers = Sibling::start("strangers-crowd", &words)?;
        let begin = newcomers.swarm.now();
        let mut told = Vec::new();
        let mut full = empty;
        // It says when all have come, and how that went when all are gone.
        while told.len() < 2 {
            if newcomers.swarm.now().since(begin) > PATIENCE * 2 {
                return Err(Failure::new("the strangers are not closed"));
            }
            newcomers.come(LOOK, options)?;
            full = full.max(server.resident_bytes()?);
            told.extend(strangers.look()?);
        }
        let meanwhile = newcomers.take()?;
        let in_the_end = |name: &str| {
            told[1][name].as_f64().ok_or_else(|| Failure::new("the strangers do not say all"))
        };
        let mut figures = Figures::from([
            // What those who logged in meanwhile have is theirs: this is the most that it can be.
            ("rss_bytes_per_connection", full.saturating_sub(empty) as f64 / size as f64),
            ("connected_s", told[0]["connected_s"].as_f64().unwrap_or_default()),
            ("closed_p50_s", in_the_end("closed_p50_s")?),
            ("closed_max_s", in_the_end("closed_max_s")?),
            ("lost", in_the_end("refused")?),
        ]);
        figures.extend(quantiles(&quiet, &[("quiet_p50_us", 0.5), ("quiet_p99_us", 0.99)]));
        figures.extend(quantiles(&meanwhile, &[("abuse_p50_us", 0.5), ("abuse_p99_us", 0.99)]));
        figures.insert("abuse_ratio", figures["abuse_p99_us"] / figures["quiet_p99_us"]);
        Ok(figures)
    }
}

/// Those who log in, one after the other, at times that do not depend on the server.
struct Newcomers<'a> {
    way: Way<'a>,
    swarm: Swarm,
    assembly: Assembly,
    /// How many have begun.
    begun: usize,
    most: usize,
    due: Moment,
}

impl<'a> Newcomers<'a> {
    fn new(way: Way<'a>, seats: Seats) -> Result<Self> {
        let swarm = Swarm::new(seats)?;
        let (assembly, due) = (Assembly::new(way.driver, seats), swarm.now());
        Ok(Self { way, swarm, assembly, begun: 0, most: seats.clients(), due })
    }

    /// Lets those come who are due within this time.
    fn come(&mut self, time: Duration, options: &Common) -> Result<()> {
        let distance = Duration::from_secs(1) / u32::try_from(LOGINS_PER_S)?;
        let end = self.swarm.now().after(time);
        while self.swarm.now() < end {
            while self.due <= self.swarm.now() && self.begun < self.most {
                self.swarm.open(self.begun, self.way, Sources::USUAL)?;
                self.assembly.begun(self.begun, self.due);
                self.begun += 1;
                self.due = self.due.after(distance);
            }
            let next = self.due.min(end);
            self.swarm.set_alarm(next.since(self.swarm.now()))?;
            self.swarm.turn(self.way, LOOK, &mut self.assembly)?;
            options.progress.tick(|| format!("{} logins", self.assembly.ready));
        }
        Ok(())
    }

    /// How long each took, of those who are in.
    fn take(&mut self) -> Result<Histogram<u64>> {
        let mut each = histogram()?;
        self.assembly.took.drain(..).for_each(|took| each.saturating_record(took));
        if each.is_empty() { Err(Failure::new("nobody could log in")) } else { Ok(each) }
    }
}

/// Is the strangers: connects all, says so, waits until all are closed, and tells how long that took.
pub(crate) fn run(args: &StrangersArgs) -> Result<()> {
    // Whoever may not is as good a stranger.
    machine::stand_back().ok();
    machine::raise_open_files()?;
    let orders = orders();
    let clock = SystemClock::default();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(EVENTS);
    let way = Way { server: args.to, tls: None, driver: Kind::Klatchd.driver() };
    let sources = Sources { first: crate::abuse::mob::FIRST_ADDRESS, ..Sources::USUAL };
    let begin = clock.now();
    let mut links: Vec<(Option<Link>, Moment)> = Vec::new();
    let (mut up, mut refused) = (0, 0_u32);
    let mut lives = histogram()?;
    let mut has_told = false;
    while lives.len() < u64::try_from(args.connections)? {
        let due = match args.per_second {
            0 => args.connections,
            pace => usize::try_from(clock.now().since(begin).as_micros() * pace / 1_000_000)?,
        };
        while links.len() < due.min(args.connections) && links.len() - up < OPENINGS {
            let number = links.len();
            let mut link = Link::open(way, sources.of(number))?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(link.source(), Token(number), interest)?;
            links.push((Some(link), clock.now()));
        }
        match poll.poll(&mut events, Some(TURN)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            let (link, since) = &mut links[event.token().0];
            let Some(open) = link else { continue };
            up += usize::from(open.came_up()?);
            // It is read to its end, which is all that the server has to say.
            if open.receive(way.driver, &mut [0; 4_096], |_, _| Ok(())).is_err() {
                let life = clock.now().since(*since);
                // Closed at once is not closed at a deadline.
                refused += u32::from(life < LOOK);
                lives.saturating_record(klatch::base::clock::nanos(life));
                *link = None;
            }
        }
        if !has_told && up == args.connections {
            has_told = true;
            let took = clock.now().since(begin).as_secs_f64();
            writeln!(stdout(), "{}", json!({ "connected_s": took }))?;
        }
    }
    let seconds = |quantile| lives.value_at_quantile(quantile) as f64 / 1e9;
    let (half, all) = (seconds(0.5), seconds(1.0));
    let told = json!({ "closed_p50_s": half, "closed_max_s": all, "refused": refused });
    writeln!(stdout(), "{told}")?;
    // Its end is the end of this process too.
    while orders.recv().is_ok() {}
    Ok(())
}
