//! The mob: a process of its own that runs when nobody else wants to, so that it takes no time from those
//! who measure. It says so when all have come, counts anew at an order, and ends with its orders, with a
//! report.

use std::io::{ErrorKind, Write, stdout};
use std::net::SocketAddr;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use clap::Args;
use klatch::base::clock::{Clock, Moment, SystemClock};
use mio::{Events, Interest, Poll, Token};
use serde_json::json;

use super::kind::Misdeed;
use super::role::{Next, Role};
use crate::driver::{self, Driver, Glance};
use crate::error::{Failure, Result};
use crate::link::{Link, Sources, Way};
use crate::machine;
use crate::sibling::orders;
use crate::subject::kind::Kind;

/// The mob comes from 127.8.0.1 on.
pub(crate) const FIRST_ADDRESS: u32 = 8 << 16;
const READ_BYTES: usize = 256 * 1024;
const EVENTS: usize = 1_024;
/// Connections that are opened at a time.
const OPENINGS: usize = 128;
/// Between two bytes of those who drip.
const DRIP: Duration = Duration::from_millis(200);
/// Longest turn, so that what is to be done now and then is done.
const TURN: Duration = Duration::from_millis(20);

/// What a mob is told.
#[derive(Debug, Args)]
pub(crate) struct MobArgs {
    /// What it does.
    pub(crate) misdeed: Misdeed,
    /// To whom.
    #[arg(long)]
    pub(crate) to: SocketAddr,
    /// In whose protocol.
    #[arg(long = "as")]
    pub(crate) kind: Kind,
    /// The first of its addresses, counted from 127.0.0.1.
    #[arg(long)]
    pub(crate) first: u32,
    /// Connections.
    #[arg(long)]
    pub(crate) connections: usize,
    /// Addresses.
    #[arg(long)]
    pub(crate) addresses: usize,
    /// The run, for its names.
    #[arg(long)]
    pub(crate) run: u32,
    /// Guesses in a second, all together; 0 for as many as are answered.
    #[arg(long, default_value_t = 0)]
    pub(crate) pace: u32,
}

/// One connection and what has become of it.
struct Mate {
    role: Role,
    link: Option<Link>,
    /// Answers to its introduction; done when there are no more requests.
    step: usize,
    introduction: Vec<Vec<u8>>,
    is_in: bool,
    /// Whether it was ever in, or was sent away.
    has_tried: bool,
    /// How often it has come.
    times: usize,
    /// Not before then does it come again.
    back: Moment,
    /// Answers while it misbehaved.
    served: u64,
}

/// What a mob has done since it was told to count.
#[derive(Default)]
struct Counts {
    connections: u64,
    failed: u64,
    /// Requests of those who were in.
    refused: u64,
    closed: u64,
    bytes: u64,
}

struct Mob<'a> {
    way: Way<'a>,
    sources: Sources,
    poll: Poll,
    buffer: Vec<u8>,
    clock: SystemClock,
    mates: Vec<Mate>,
    /// How many may come at a time, until all have come once.
    window: usize,
    has_begun: bool,
    /// Who is the next to go, of those who wait for the mob's pace.
    next: usize,
    /// Who has no connection.
    away: Vec<usize>,
    /// How long they stay away.
    pause: Duration,
    counts: Counts,
}

/// Misbehaves until its input ends.
pub(crate) fn run(args: &MobArgs) -> Result<()> {
    // Whoever may not is as good a mob.
    machine::stand_back().ok();
    machine::raise_open_files()?;
    driver::set_run(args.run);
    let orders = orders();
    let driver = args.kind.driver();
    let mut mob = Mob::new(args, driver)?;
    let mut events = Events::with_capacity(EVENTS);
    let mut counting = mob.clock.now();
    let (mut dripped, mut paced) = (counting, counting);
    let each = (args.pace > 0).then(|| Duration::from_secs(1) / args.pace);
    loop {
        mob.open()?;
        // Who keeps a pace does not save up for the end of a turn what is due meanwhile: twenty
        // guesses in one moment are another load than one in each millisecond.
        let wait = each.map_or(TURN, |each| paced.after(each).since(mob.clock.now()).min(TURN));
        mob.turn(&mut events, wait)?;
        let now = mob.clock.now();
        if let Some(each) = each {
            // When this machine has stood still, what is long due would come in one blow.
            if now.since(paced) > TURN {
                paced = now;
            }
            while paced.after(each) <= now {
                paced = paced.after(each);
                if !mob.go() {
                    // Nobody waits: what it does not do now it does not make up for.
                    paced = now;
                }
            }
        }
        if now.since(dripped) >= DRIP {
            dripped = now;
            mob.drip();
        }
        if !mob.has_begun && mob.mates.iter().all(|mate| mate.has_tried) {
            mob.has_begun = true;
            writeln!(stdout(), "{}", json!({ "begun": true }))?;
        }
        match orders.try_recv() {
            Ok(_) => {
                counting = now;
                mob.counts = Counts::default();
                mob.mates.iter_mut().for_each(|mate| mate.served = 0);
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return mob.report(counting),
        }
    }
}

impl Mob<'_> {
    fn new(args: &MobArgs, driver: &'static dyn Driver) -> Result<Self> {
        let count = args.connections;
        let per_address = count.div_ceil(args.addresses.max(1)).max(1);
        let mate = |number| Mate {
            role: Role::of(args.misdeed, number, args.pace > 0, driver),
            link: None,
            step: 0,
            introduction: Vec::new(),
            is_in: false,
            has_tried: false,
            times: 0,
            back: Moment(0),
            served: 0,
        };
        Ok(Self {
            way: Way { server: args.to, tls: None, driver },
            sources: Sources { first: args.first, per_address },
            poll: Poll::new()?,
            buffer: vec![0; READ_BYTES],
            clock: SystemClock::default(),
            mates: (0..count).map(mate).collect(),
            window: args.kind.window(),
            has_begun: false,
            next: 0,
            away: (0..count).rev().collect(),
            pause: args.misdeed.pause(),
            counts: Counts::default(),
        })
    }

    /// Connects some of those who are away.
    fn open(&mut self) -> Result<()> {
        // Whoever makes a room comes before those who join it.
        let firsts_are_in = self.mates.iter().all(|mate| mate.has_tried || !mate.role.is_first());
        let now = self.clock.now();
        let mut waiting = Vec::new();
        // At first they come as others do; whoever comes again does not wait.
        let is_new = |mate: &&Mate| mate.link.is_some() && !mate.has_tried;
        let new = if self.has_begun { 0 } else { self.mates.iter().filter(is_new).count() };
        let openings = if self.has_begun { OPENINGS } else { self.window.saturating_sub(new) };
        for _ in 0..openings {
            let Some(number) = self.away.pop() else { break };
            let mate = &mut self.mates[number];
            if mate.back > now || !firsts_are_in && !mate.role.is_first() {
                waiting.push(number);
                continue;
            }
            // Without a free port or descriptor it tries again in the next turn.
            let Ok(mut link) = Link::open(self.way, self.sources.of(number)) else {
                self.counts.failed += 1;
                waiting.push(number);
                break;
            };
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(link.source(), Token(number), interest)?;
            // A name that was held a moment ago may still be.
            let who = format!("{}x{}", driver::member_name(number), mate.times % 1_000);
            mate.introduction = mate.role.introduction(&who, mate.times == 0, self.way.driver);
            (mate.step, mate.is_in, mate.link) = (0, false, Some(link));
            mate.times += 1;
            self.counts.connections += 1;
        }
        // Those who wait for others must not stand before them.
        self.away.splice(0..0, waiting);
        Ok(())
    }

    fn turn(&mut self, events: &mut Events, wait: Duration) -> Result<()> {
        let now = self.clock.now();
        let is_due = |&number: &usize| self.mates[number].back <= now;
        let mut is_hot = self.has_begun && self.away.iter().any(is_due);
        // Nobody floods before all are there: they would keep each other out.
        for number in 0..if self.has_begun { self.mates.len() } else { 0 } {
            is_hot |= self.refill(number);
        }
        let wait = if is_hot { Duration::ZERO } else { wait };
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &*events {
            let number = event.token().0;
            if self.serve(number).unwrap_or(Next::Close) == Next::Close {
                self.close(number);
            }
        }
        Ok(())
    }

    /// Writes on for one whose socket took all; whether it took all of this too.
    fn refill(&mut self, number: usize) -> bool {
        let mate = &mut self.mates[number];
        let Some(link) = mate.link.as_mut().filter(|_| mate.is_in) else { return false };
        if !link.outgoing().is_empty() {
            return false;
        }
        mate.role.refill(link.outgoing());
        let size = link.outgoing().len();
        if size == 0 {
            return false;
        }
        if link.flush().is_err() {
            self.close(number);
            return true;
        }
        let left = link.outgoing().len();
        self.counts.bytes += u64::try_from(size - left).unwrap_or_default();
        left == 0
    }

    /// Lets the next one go who waits for that, if anybody does.
    fn go(&mut self) -> bool {
        for _ in 0..self.mates.len() {
            self.next = (self.next + 1) % self.mates.len();
            let mate = &mut self.mates[self.next];
            let Some(link) = mate.link.as_mut().filter(|_| mate.is_in) else { continue };
            if mate.role.go(link.outgoing()) {
                if link.flush().is_err() {
                    self.close(self.next);
                }
                return true;
            }
        }
        false
    }

    fn drip(&mut self) {
        for number in 0..self.mates.len() {
            let mate = &mut self.mates[number];
            let Some(link) = mate.link.as_mut().filter(|_| mate.is_in) else { continue };
            mate.role.drip(link.outgoing());
            if link.flush().is_err() {
                self.close(number);
            }
        }
    }

    /// Something has come for one of the mob.
    fn serve(&mut self, number: usize) -> Result<Next> {
        let Mate { role, link, step, introduction, is_in, has_tried, served, .. } =
            &mut self.mates[number];
        let Some(link) = link.as_mut() else { return Ok(Next::Stay) };
        let driver = self.way.driver;
        let mut next = Next::Stay;
        let mut advance = |role: &mut Role, is_in: &mut bool, out: &mut Vec<u8>| {
            if let Some(request) = introduction.get(*step) {
                out.extend_from_slice(request);
                *step += 1;
            } else if !*is_in {
                (*is_in, *has_tried) = (true, true);
                next = role.begin(out);
            }
        };
        if link.came_up()? {
            advance(role, is_in, link.outgoing());
        }
        if role.reads() || !*is_in {
            link.receive(driver, &mut self.buffer, |seen, out| {
                match seen.glance {
                    Glance::Answer { .. } if *is_in => {
                        *served += 1;
                        role.answered(out);
                    }
                    Glance::Answer { .. } => advance(role, is_in, out),
                    Glance::Refused { .. } if !*is_in => return Err(Failure::new("sent away")),
                    Glance::Bye => return Err(Failure::new("sent away")),
                    Glance::Refused { .. } => {
                        self.counts.refused += 1;
                        role.answered(out);
                    }
                    Glance::Ping => driver.sign_of_life(seen.frame, out),
                    Glance::Message { .. } | Glance::Other => {}
                }
                Ok(())
            })?;
        }
        let size = link.outgoing().len();
        link.flush()?;
        let sent = size - link.outgoing().len();
        self.counts.bytes += u64::try_from(sent)?;
        Ok(next)
    }

    fn close(&mut self, number: usize) {
        let mate = &mut self.mates[number];
        (mate.has_tried, mate.is_in) = (true, false);
        mate.back = self.clock.now().after(self.pause);
        if let Some(link) = mate.link.take() {
            link.abort();
            self.counts.closed += 1;
            self.away.push(number);
        }
    }

    fn report(&self, since: Moment) -> Result<()> {
        let Counts { connections, failed, refused, closed, bytes } = self.counts;
        let served: Vec<f64> = self.mates.iter().map(|mate| mate.served as f64).collect();
        let report = json!({
            "connections": connections,
            "failed": failed,
            "refused": refused,
            "closed": closed,
            "bytes": bytes,
            "seconds": self.clock.now().since(since).as_secs_f64(),
            "served": served.iter().sum::<f64>(),
            "jain": jain(&served),
        });
        Ok(writeln!(stdout(), "{report}")?)
    }
}

/// Jain's index: 1 if all have the same, 1/n if one has all.
fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    if squares == 0.0 { 0.0 } else { sum * sum / (squares * shares.len() as f64) }
}

#[cfg(test)]
mod tests {
    use super::jain;

    #[test]
    fn equal_shares_are_fair() {
        let near = |index: f64, expected: f64| assert!((index - expected).abs() < 1e-9, "{index}");
        near(jain(&[3.0, 3.0, 3.0]), 1.0);
        near(jain(&[8.0, 0.0, 0.0, 0.0]), 0.25);
        near(jain(&[0.0]), 0.0);
    }
}
