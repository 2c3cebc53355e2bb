//! The way of each client from its connection into its room.

use klatch::base::clock::{Moment, nanos};

use crate::driver::{Driver, Glance, Seen, member_name};
use crate::error::{Failure, Result};
use crate::swarm::{At, Inbox, Seats};

/// The step of a client that got all answers.
const READY: u8 = u8::MAX;

/// Leads all clients of a swarm in.
pub(crate) struct Assembly {
    driver: &'static dyn Driver,
    seats: Seats,
    /// Answers that each client has got.
    steps: Vec<u8>,
    /// How many it will have got in the end; 0 as long as that is not known.
    due: Vec<u8>,
    begun: Vec<Moment>,
    /// Clients that got them all.
    pub(crate) ready: usize,
    /// How long each of those took, in nanoseconds.
    pub(crate) took: Vec<u64>,
}

impl Assembly {
    pub(crate) fn new(driver: &'static dyn Driver, seats: Seats) -> Self {
        let (steps, due) = (vec![0; seats.clients()], vec![0; seats.clients()]);
        let begun = vec![Moment(0); seats.clients()];
        Self { driver, seats, steps, due, begun, ready: 0, took: Vec::new() }
    }

    /// A client begins to connect.
    pub(crate) fn begun(&mut self, client: usize, now: Moment) {
        self.begun[client] = now;
    }

    fn go_on(&mut self, at: At, out: &mut Vec<u8>) -> Result<()> {
        let At { client, now } = at;
        let (step, pipelines) = (self.steps[client], self.driver.nature().pipelines);
        if step == 0 || (!pipelines && step < self.due[client]) {
            let room = self.seats.room_of(client);
            let first = client.is_multiple_of(self.seats.members);
            let requests = self.driver.introduction(&member_name(client), room, first);
            self.due[client] = u8::try_from(requests.len())?;
            let count = if pipelines { requests.len() } else { 1 };
            let next = requests.iter().skip(usize::from(step)).take(count);
            next.for_each(|request| out.extend_from_slice(request));
        } else if step == self.due[client] {
            self.ready += 1;
            self.steps[client] = READY;
            self.took.push(nanos(now.since(self.begun[client])));
        }
        Ok(())
    }
}

impl Inbox for Assembly {
    fn frame(&mut self, at: At, seen: Seen<'_>, out: &mut Vec<u8>) -> Result<()> {
        match seen.glance {
            // Answers to signs of life come later as well: they are no step.
            Glance::Answer { .. } if self.steps[at.client] == READY => {}
            Glance::Answer { .. } => {
                self.steps[at.client] += 1;
                self.go_on(at, out)?;
            }
            Glance::Ping => self.driver.sign_of_life(seen.frame, out),
            Glance::Refused { .. } | Glance::Bye => {
                return Err(Failure::new(self.driver.explain(seen.frame)));
            }
            Glance::Message { .. } | Glance::Other => {}
        }
        Ok(())
    }

    fn up(&mut self, at: At, out: &mut Vec<u8>) -> Result<()> {
        self.go_on(at, out)
    }
}
