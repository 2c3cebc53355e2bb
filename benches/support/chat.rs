//! What the clients say once they are in their rooms, and the check of what they hear.

use std::time::Duration;

use hdrhistogram::Histogram;
use klatch::base::clock::{Moment, nanos};

use super::frames::{self, Glance, Tag, Template};
use super::ledger::Ledger;
use super::server::Kind;
use super::swarm::{At, Inbox, PATIENCE, Seats, Swarm};
use super::{Failure, Result};

/// Longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// The talk of one run.
pub(crate) struct Chat {
    swarm: Swarm,
    seats: Seats,
    /// One for each room.
    templates: Vec<Template>,
    /// Messages sent so far.
    said: u32,
    /// Clients with something to send.
    waiting: Vec<usize>,
    ears: Ears,
}

/// The receiving side: apart, so that it can be lent to the swarm.
struct Ears {
    ledger: Ledger,
    /// Whether each frame is decoded in full as well.
    thorough: bool,
    /// Answers that are due.
    unanswered: u64,
    /// Rooms in which a message has reached everybody since they were last asked for.
    done: Vec<usize>,
    /// From sending a message until its last member has it, in nanoseconds.
    latencies: Histogram<u64>,
}

impl Chat {
    /// Begins with a swarm whose clients are all in their rooms.
    pub(crate) fn new(kind: Kind, swarm: Swarm, seats: Seats, thorough: bool) -> Result<Self> {
        let template = match kind {
            Kind::Relay => Template::relayed,
            Kind::Klatchd => Template::say,
        };
        let names = (0..seats.rooms).map(frames::room_name);
        let ears = Ears {
            ledger: Ledger::new(seats, kind == Kind::Klatchd),
            thorough,
            unanswered: 0,
            done: Vec::new(),
            latencies: Histogram::new_with_bounds(1, LONGEST, 3)?,
        };
        let templates = names.map(|name| template(&name)).collect();
        Ok(Self { swarm, seats, templates, said: 0, waiting: Vec::new(), ears })
    }

    /// Lets one of the first `senders` members of a room say something at the end of this turn.
    pub(crate) fn say(&mut self, room: usize, senders: usize) -> Result<()> {
        let number = self.said;
        let turn = usize::try_from(number)? / self.seats.rooms;
        let client = room * self.seats.members + turn % senders;
        let tag = Tag::new(number);
        self.ears.ledger.sent(room, tag, self.swarm.now());
        let template = &self.templates[room];
        template.append(self.swarm.outgoing(client)?, number, tag);
        self.ears.unanswered += u64::from(template.is_answered());
        self.said += 1;
        self.waiting.push(client);
        Ok(())
    }

    /// Sends what was said, and waits for something to come.
    pub(crate) fn turn(&mut self) -> Result<()> {
        for client in self.waiting.drain(..) {
            self.swarm.flush(client)?;
        }
        if self.swarm.turn(PATIENCE, &mut self.ears)? == 0 {
            return Err(Failure::new(format!(
                "lost: {} deliveries and {} answers did not come in {PATIENCE:?}",
                self.ears.ledger.missing(),
                self.ears.unanswered
            )));
        }
        Ok(())
    }

    /// Rooms in which a message has reached everybody since the last call; a room with several
    /// comes several times.
    pub(crate) fn take_done(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.ears.done)
    }

    /// Takes turns until everybody has all that was said, and each sender its answers. Whatever is
    /// still due when the server has fallen silent is lost.
    pub(crate) fn finish(&mut self) -> Result<()> {
        while !self.ears.ledger.is_settled() || self.ears.unanswered > 0 {
            self.turn()?;
        }
        Ok(())
    }

    /// Lets time pass; nothing is due, and whatever comes is taken.
    pub(crate) fn rest(&mut self, time: Duration) -> Result<()> {
        let end = self.now().after(time);
        while self.now() < end {
            self.swarm.turn(end.since(self.now()), &mut self.ears)?;
        }
        Ok(())
    }

    /// The time, for all that measures.
    pub(crate) fn now(&self) -> Moment {
        self.swarm.now()
    }

    /// Deliveries so far.
    pub(crate) const fn deliveries(&self) -> u64 {
        self.ears.ledger.deliveries
    }

    /// Messages that a client has received so far.
    pub(crate) fn received(&self, client: usize) -> u64 {
        self.ears.ledger.received(client)
    }

    /// Reads that brought something, so far.
    pub(crate) const fn reads(&self) -> u64 {
        self.swarm.reads
    }

    /// The latencies since they were last cleared.
    pub(crate) const fn latencies(&mut self) -> &mut Histogram<u64> {
        &mut self.ears.latencies
    }
}

impl Inbox for Ears {
    #[inline]
    fn frame(&mut self, at: At, body: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let glance = frames::glance(body)?;
        if self.thorough && frames::decoded(body)? != glance {
            return Err(Failure::new("a frame is not what it looks like"));
        }
        match glance {
            Glance::Message { seq, tag } => {
                if let Some(done) = self.ledger.delivered(at.client, seq, tag)? {
                    self.latencies.saturating_record(nanos(at.now.since(done.sent)));
                    self.done.push(done.room);
                }
            }
            Glance::Answer => {
                let less = self.unanswered.checked_sub(1);
                self.unanswered = less.ok_or_else(|| Failure::new("an answer came twice"))?;
            }
            Glance::Ping => {
                out.extend_from_slice(&frames::sign_of_life());
                self.unanswered += 1;
            }
            Glance::Other => {}
        }
        Ok(())
    }
}
