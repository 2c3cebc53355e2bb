//! Who has received what: the proof that a figure counts only messages that all members got.
//!
//! **Invariants:** all members of a room receive the same messages in the same order. The first to
//! receive a message at a place in the room's order fixes it; whoever comes later must receive the
//! same there. So a message that is missing, doubled, swapped or made up by the server is found at
//! the first member that has it, at the cost of two comparisons a delivery.

use std::collections::{HashMap, VecDeque};

use klatch::base::clock::Moment;

use super::frames::Tag;
use super::swarm::Seats;
use super::{Failure, Result};

/// A message in a room's order that not all members have yet.
struct Flight {
    seq: u64,
    tag: Tag,
    sent: Moment,
    seen: usize,
}

#[derive(Default)]
struct Room {
    /// The place in the order of the oldest flight.
    base: u64,
    flights: VecDeque<Flight>,
    last_seq: Option<u64>,
}

/// A message that all members have now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) room: usize,
    pub(crate) sent: Moment,
}

/// The book of one run.
pub(crate) struct Ledger {
    seats: Seats,
    /// Whether the server numbers the messages of a room; the relay does not.
    numbered: bool,
    rooms: Vec<Room>,
    /// How many messages each client has received.
    places: Vec<u64>,
    /// Messages that nobody has received yet: the room and the time of each.
    sent: HashMap<Tag, (usize, Moment)>,
    /// Messages that not all members have.
    open: usize,
    /// All deliveries so far.
    pub(crate) deliveries: u64,
}

impl Ledger {
    pub(crate) fn new(seats: Seats, numbered: bool) -> Self {
        let mut rooms = Vec::new();
        rooms.resize_with(seats.rooms, Room::default);
        let (places, sent) = (vec![0; seats.clients()], HashMap::new());
        Self { seats, numbered, rooms, places, sent, open: 0, deliveries: 0 }
    }

    /// A message is on its way to the server.
    pub(crate) fn sent(&mut self, room: usize, tag: Tag, now: Moment) {
        self.sent.insert(tag, (room, now));
        self.open += 1;
    }

    /// A client received a message. Returns it if this was the last member to receive it.
    #[inline]
    pub(crate) fn delivered(&mut self, client: usize, seq: u64, tag: Tag) -> Result<Option<Done>> {
        let number = self.seats.room_of(client);
        let room = &mut self.rooms[number];
        let place = usize::try_from(self.places[client] - room.base)?;
        if place == room.flights.len() {
            let (intended, sent) =
                self.sent.remove(&tag).ok_or_else(|| Failure::new("a message came twice"))?;
            let follows = room.last_seq.is_none_or(|last| seq == last + 1);
            if intended != number || (self.numbered && !follows) {
                let last = room.last_seq;
                return Err(Failure::new(format!("room {number}: seq {seq} came after {last:?}")));
            }
            room.last_seq = Some(seq);
            room.flights.push_back(Flight { seq, tag, sent, seen: 0 });
        }
        let flight = &mut room.flights[place];
        if flight.tag != tag || flight.seq != seq {
            let (number, expected) = (self.places[client], flight.seq);
            return Err(Failure::new(format!(
                "its message number {number} (seq {seq}) is not what others have there \
                 (seq {expected})"
            )));
        }
        flight.seen += 1;
        self.places[client] += 1;
        self.deliveries += 1;
        if flight.seen < self.seats.members {
            return Ok(None);
        }
        // Order makes the oldest complete first.
        room.base += 1;
        self.open -= 1;
        Ok(room.flights.pop_front().map(|flight| Done { room: number, sent: flight.sent }))
    }

    /// Messages that a client has received so far.
    pub(crate) fn received(&self, client: usize) -> u64 {
        self.places[client]
    }

    /// Whether all that was sent has reached everybody.
    pub(crate) const fn is_settled(&self) -> bool {
        self.open == 0
    }

    /// Deliveries that are still due.
    pub(crate) fn missing(&self) -> usize {
        let begun = self.rooms.iter().flat_map(|room| &room.flights);
        let part: usize = begun.map(|flight| self.seats.members - flight.seen).sum();
        part + self.sent.len() * self.seats.members
    }
}
