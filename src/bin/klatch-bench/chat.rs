//! What the clients say once they are in their rooms, and the check of what they hear.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;
use klatch::base::clock::{Moment, nanos};

use crate::driver::{Driver, Glance, Seen, Template};
use crate::error::{Failure, Lost, Result, Violation};
use crate::ledger::Ledger;
use crate::link::Way;
use crate::swarm::{At, Inbox, PATIENCE, Seats, Swarm};

/// Latencies in nanoseconds, of a minute at most.
pub(crate) fn histogram() -> Result<Histogram<u64>> {
    const LONGEST: u64 = 60_000_000_000;
    Ok(Histogram::new_with_bounds(1, LONGEST, 3)?)
}

/// How a chat is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) seats: Seats,
    /// Members of each room that send, in turns.
    pub(crate) senders: usize,
    /// Whether each frame is decoded in full as well.
    pub(crate) thorough: bool,
    /// Whether refusals and lost connections are counted; otherwise they end the run.
    pub(crate) tolerant: bool,
}

/// The talk of one run.
pub(crate) struct Chat<'a> {
    way: Way<'a>,
    swarm: Swarm,
    manner: Manner,
    /// One for each room.
    templates: Vec<Template>,
    /// Messages sent so far.
    said: u32,
    /// Messages said in each room so far.
    turns: Vec<usize>,
    /// Clients with something to send.
    waiting: Vec<usize>,
    ears: Ears,
}

/// The receiving side: apart, so that it can be lent to the swarm.
struct Ears {
    driver: &'static dyn Driver,
    manner: Manner,
    ledger: Ledger,
    /// When each message was due that is not answered, from number `answered` on.
    unanswered: VecDeque<Option<Moment>>,
    answered: u32,
    /// Rooms in which a message has reached everybody since they were last asked for.
    done: Vec<usize>,
    figures: Heard,
}

/// What the ears have counted, in nanoseconds where it is a time.
pub(crate) struct Heard {
    /// From sending a message until its last member has it.
    pub(crate) last: Histogram<u64>,
    /// The same until each member has it.
    pub(crate) each: Histogram<u64>,
    /// From sending a message until it is acknowledged.
    pub(crate) acked: Histogram<u64>,
    pub(crate) refused: u64,
    pub(crate) disconnected: u64,
    /// Deliveries that nobody waits for any more, since their message was refused.
    pub(crate) taken_back: u64,
}

impl Heard {
    fn new() -> Result<Self> {
        let (last, each, acked) = (histogram()?, histogram()?, histogram()?);
        Ok(Self { last, each, acked, refused: 0, disconnected: 0, taken_back: 0 })
    }

    /// What must not have gone wrong, in a load that does not stop for it.
    pub(crate) fn faults(&self) -> [(&'static str, f64); 2] {
        [("refused", self.refused as f64), ("disconnects", self.disconnected as f64)]
    }

    /// Begins to measure anew; what went wrong stays counted.
    pub(crate) fn reset(&mut self) {
        for histogram in [&mut self.last, &mut self.each, &mut self.acked] {
            histogram.reset();
        }
    }
}

impl<'a> Chat<'a> {
    /// Begins with a swarm whose clients are all in their rooms.
    pub(crate) fn new(way: Way<'a>, swarm: Swarm, manner: Manner) -> Result<Self> {
        let (driver, rooms) = (way.driver, manner.seats.rooms);
        let nature = driver.nature();
        let ears = Ears {
            driver,
            manner,
            ledger: Ledger::new(manner.seats, manner.senders, nature, manner.tolerant),
            unanswered: VecDeque::new(),
            answered: 0,
            done: Vec::new(),
            figures: Heard::new()?,
        };
        let templates = (0..rooms).map(|room| driver.template(room)).collect();
        let (turns, waiting) = (vec![0; rooms], Vec::new());
        Ok(Self { way, swarm, manner, templates, said: 0, turns, waiting, ears })
    }

    /// Lets the next sender of a room say something at the end of this turn.
    pub(crate) fn say(&mut self, room: usize) {
        self.say_at(room, self.swarm.now());
    }

    /// The same for a message that was due at `due`, from which its latency counts.
    pub(crate) fn say_at(&mut self, room: usize, due: Moment) {
        for _ in 0..self.manner.senders {
            let sender = self.turns[room] % self.manner.senders;
            self.turns[room] += 1;
            let client = room * self.manner.seats.members + sender;
            // One that was disconnected says nothing; without any, nobody does.
            let Some(out) = self.swarm.outgoing(client) else { continue };
            self.templates[room].append(out, self.said);
            self.ears.ledger.sent(room, sender, due);
            if self.ears.driver.nature().acknowledged {
                self.ears.unanswered.push_back(Some(due));
            }
            self.said += 1;
            self.waiting.push(client);
            return;
        }
    }

    /// Sends what was said.
    fn send(&mut self) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        for client in waiting.drain(..) {
            self.swarm.flush(client, &mut self.ears)?;
        }
        self.waiting = waiting;
        Ok(())
    }

    /// Sends what was said, and waits for something to come.
    pub(crate) fn turn(&mut self) -> Result<()> {
        self.send()?;
        let begin = self.now();
        // A turn also ends with an alarm, which brings nothing.
        while self.swarm.turn(self.way, PATIENCE, &mut self.ears)? == 0 {
            if self.now().since(begin) < PATIENCE {
                continue;
            }
            let answers = self.ears.unanswered.iter().flatten().count();
            let answers = u64::try_from(answers)?;
            return Err(Box::new(Lost { deliveries: self.ears.ledger.missing(), answers }));
        }
        Ok(())
    }

    /// The same, but for `wait` at most.
    pub(crate) fn turn_within(&mut self, wait: Duration) -> Result<usize> {
        self.send()?;
        self.swarm.turn(self.way, wait, &mut self.ears)
    }

    /// Rooms in which a message has reached everybody since the last call; a room with several
    /// comes several times.
    pub(crate) fn take_done(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.ears.done)
    }

    /// Forgets them: nobody waits for one to be done.
    pub(crate) fn forget_done(&mut self) {
        self.ears.done.clear();
    }

    /// Takes turns until everybody has all that was said, and each sender its answers. Whatever is
    /// still due when the server has fallen silent is lost.
    pub(crate) fn finish(&mut self) -> Result<()> {
        while !self.ears.ledger.is_settled() || !self.ears.unanswered.is_empty() {
            self.turn()?;
        }
        Ok(())
    }

    /// The same; returns how many deliveries and answers are lost.
    pub(crate) fn settle(&mut self) -> Result<u64> {
        let Err(error) = self.finish() else { return Ok(0) };
        let lost = error.downcast::<Lost>()?;
        Ok(lost.deliveries + lost.answers)
    }

    /// Lets time pass; nothing is due, and whatever comes is taken.
    pub(crate) fn rest(&mut self, time: Duration) -> Result<()> {
        let end = self.now().after(time);
        while self.now() < end {
            self.turn_within(end.since(self.now()))?;
        }
        Ok(())
    }

    /// Has a turn end after so long, once.
    pub(crate) fn set_alarm(&mut self, after: Duration) -> Result<()> {
        self.swarm.set_alarm(after)
    }

    /// The time, for all that measures.
    pub(crate) fn now(&self) -> Moment {
        self.swarm.now()
    }

    /// Deliveries so far.
    pub(crate) const fn deliveries(&self) -> u64 {
        self.ears.ledger.deliveries
    }

    /// Messages said so far.
    pub(crate) const fn said(&self) -> u32 {
        self.said
    }

    /// How many rooms there are.
    pub(crate) const fn rooms(&self) -> usize {
        self.manner.seats.rooms
    }

    /// Reads that brought something, so far.
    pub(crate) const fn reads(&self) -> u64 {
        self.swarm.reads
    }

    /// What was heard.
    pub(crate) const fn heard(&mut self) -> &mut Heard {
        &mut self.ears.figures
    }
}

impl Ears {
    /// The answer to message `number` has come.
    fn answer(&mut self, number: u32, now: Moment) -> Result<()> {
        let index = number.checked_sub(self.answered).map(usize::try_from).transpose()?;
        let due = index.and_then(|index| self.unanswered.get_mut(index)).and_then(Option::take);
        let due = due.ok_or_else(|| Violation::new("an answer came twice, or to nothing"))?;
        self.figures.acked.saturating_record(nanos(now.since(due)));
        while self.unanswered.front().is_some_and(Option::is_none) {
            self.unanswered.pop_front();
            self.answered += 1;
        }
        Ok(())
    }
}

impl Inbox for Ears {
    #[inline]
    fn frame(&mut self, at: At, seen: Seen<'_>, out: &mut Vec<u8>) -> Result<()> {
        if self.manner.thorough && !self.driver.verify(seen) {
            return Err(Violation::new("a frame is not what it looks like"));
        }
        match seen.glance {
            Glance::Message { seq, tag } => {
                let delivered = self.ledger.delivered(at.client, seq, tag)?;
                let latency = nanos(at.now.since(delivered.sent));
                self.figures.each.saturating_record(latency);
                if delivered.done {
                    self.figures.last.saturating_record(latency);
                    self.done.push(delivered.room);
                }
            }
            Glance::Answer { id } if self.driver.nature().acknowledged => {
                self.answer(id, at.now)?;
            }
            Glance::Refused { id } if self.manner.tolerant => {
                self.figures.refused += 1;
                if self.driver.nature().acknowledged {
                    self.answer(id, at.now)?;
                    self.figures.taken_back += self.ledger.refused(id);
                }
            }
            Glance::Refused { .. } | Glance::Bye => {
                return Err(Failure::new(self.driver.explain(seen.frame)));
            }
            Glance::Ping => self.driver.sign_of_life(seen.frame, out),
            Glance::Answer { .. } | Glance::Other => {}
        }
        Ok(())
    }

    fn lost(&mut self, client: usize, why: Box<dyn std::error::Error>) -> Result<()> {
        if !self.manner.tolerant || why.is::<Violation>() {
            return Err(Failure::new(format!("client {client}: {why}")));
        }
        self.figures.disconnected += 1;
        Ok(())
    }
}
