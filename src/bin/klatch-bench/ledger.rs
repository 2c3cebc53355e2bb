//! Who has received what: the proof that a figure counts only messages that all members got.
//!
//! **Invariants:** every member receives each sender's messages of its room one after the other,
//! each exactly once. Where the server numbers the messages of a room, each member receives the
//! numbers without a gap, and a message has the same number for everybody: so the order is the same
//! for all. A message that is missing, doubled, swapped or made up is found at the first member that
//! has it, at the cost of a few comparisons a delivery.

use std::collections::VecDeque;

use klatch::base::clock::Moment;

use crate::driver::Nature;
use crate::error::{Result, Violation};
use crate::swarm::Seats;
use crate::tag::Tag;

/// A message that not all members have yet.
struct Flight {
    room: usize,
    /// Which of the room's senders it is of, and its place among the messages of that one.
    sender: usize,
    place: u32,
    seq: Option<u64>,
    sent: Moment,
    /// Members that are due it.
    left: usize,
}

/// What a delivery was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivered {
    pub(crate) room: usize,
    pub(crate) sent: Moment,
    /// Whether this was the last member to receive it.
    pub(crate) done: bool,
}

/// The book of one run.
pub(crate) struct Ledger {
    seats: Seats,
    /// Members of each room that send.
    senders: usize,
    numbered: bool,
    echoes: bool,
    /// Whether a message may be missing: refused, which may be heard of later, or lost, which is
    /// counted in the end.
    gaps: bool,
    /// Messages that are open, and a few that are not, from number `base` on.
    flights: VecDeque<Flight>,
    base: u32,
    /// For each room and sender: the messages sent.
    sent: Vec<u32>,
    /// For each client and sender of its room: the messages received.
    received: Vec<u32>,
    /// For each client: the last number, once there was one.
    last_seq: Vec<Option<u64>>,
    /// Messages that not all members have.
    open: usize,
    /// All deliveries so far.
    pub(crate) deliveries: u64,
}

impl Ledger {
    pub(crate) fn new(seats: Seats, senders: usize, nature: Nature, gaps: bool) -> Self {
        let Nature { numbered, echoes, .. } = nature;
        let (clients, rooms) = (seats.clients(), seats.rooms);
        Self {
            seats,
            senders,
            numbered,
            echoes,
            gaps,
            flights: VecDeque::new(),
            base: 0,
            sent: vec![0; rooms * senders],
            received: vec![0; clients * senders],
            last_seq: vec![None; clients],
            open: 0,
            deliveries: 0,
        }
    }

    /// The next message of the run is on its way to the server.
    pub(crate) fn sent(&mut self, room: usize, sender: usize, sent: Moment) {
        let place = &mut self.sent[room * self.senders + sender];
        let left = self.seats.members - usize::from(!self.echoes);
        self.flights.push_back(Flight { room, sender, place: *place, seq: None, sent, left });
        *place += 1;
        self.open += 1;
    }

    /// A client received a message.
    #[inline]
    pub(crate) fn delivered(&mut self, client: usize, seq: u64, tag: Tag) -> Result<Delivered> {
        let room = self.seats.room_of(client);
        let index = tag.number().and_then(|number| number.checked_sub(self.base));
        let flight = index.and_then(|index| self.flights.get_mut(usize::try_from(index).ok()?));
        let flight =
            flight.ok_or_else(|| Violation::new("a message came twice, or from nobody"))?;
        let due = &mut self.received[client * self.senders + flight.sender];
        let follows = flight.place == *due || (self.gaps && flight.place > *due);
        if flight.room != room || !follows {
            return Err(Violation::new(format!(
                "message {} of sender {} of room {} came where {due} of room {room} was due",
                flight.place, flight.sender, flight.room
            )));
        }
        *due = flight.place + 1;
        if self.numbered {
            let last = &mut self.last_seq[client];
            let follows = last.is_none_or(|last| seq == last + 1);
            if !follows || *flight.seq.get_or_insert(seq) != seq {
                let expected = flight.seq;
                return Err(Violation::new(format!(
                    "seq {seq} came after {last:?}, and others have {expected:?} for it"
                )));
            }
            *last = Some(seq);
        }
        self.deliveries += 1;
        flight.left -= 1;
        let delivered = Delivered { room, sent: flight.sent, done: flight.left == 0 };
        if delivered.done {
            self.open -= 1;
            self.forget();
        }
        Ok(delivered)
    }

    /// A message was refused: nobody is due it. Returns the deliveries that this takes away.
    pub(crate) fn refused(&mut self, number: u32) -> u64 {
        let index = number.checked_sub(self.base).and_then(|index| usize::try_from(index).ok());
        let Some(flight) = index.and_then(|index| self.flights.get_mut(index)) else { return 0 };
        let less = std::mem::take(&mut flight.left);
        self.open -= usize::from(less > 0);
        self.forget();
        u64::try_from(less).unwrap_or_default()
    }

    fn forget(&mut self) {
        while self.flights.front().is_some_and(|flight| flight.left == 0) {
            self.flights.pop_front();
            self.base += 1;
        }
    }

    /// Whether all that was sent has reached everybody.
    pub(crate) const fn is_settled(&self) -> bool {
        self.open == 0
    }

    /// Deliveries that are still due.
    pub(crate) fn missing(&self) -> u64 {
        self.flights.iter().map(|flight| u64::try_from(flight.left).unwrap_or(u64::MAX)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEATS: Seats = Seats { rooms: 2, members: 2 };

    fn book(numbered: bool, echoes: bool) -> Ledger {
        let nature = Nature {
            numbered,
            echoes,
            acknowledged: true,
            speaks_before_tls: false,
            pipelines: true,
        };
        Ledger::new(SEATS, 2, nature, false)
    }

    #[test]
    fn a_message_is_done_when_all_have_it() {
        let mut ledger = book(true, true);
        ledger.sent(0, 0, Moment(7));
        assert_eq!((ledger.missing(), ledger.is_settled()), (2, false));
        assert!(!ledger.delivered(0, 5, Tag::new(0)).unwrap().done);
        let last = ledger.delivered(1, 5, Tag::new(0)).unwrap();
        assert_eq!((last.done, last.sent, ledger.is_settled()), (true, Moment(7), true));
    }

    #[test]
    fn who_does_not_hear_itself_is_due_nothing() {
        let mut ledger = book(false, false);
        ledger.sent(0, 0, Moment(0));
        assert!(ledger.delivered(1, 0, Tag::new(0)).unwrap().done);
        assert_eq!(ledger.missing(), 0);
    }

    #[test]
    fn what_is_wrong_is_found() {
        let wrong = |numbered, deliveries: &[(usize, u64, u32)]| {
            let mut ledger = book(numbered, true);
            (0..3).for_each(|_| ledger.sent(0, 0, Moment(0)));
            ledger.sent(1, 0, Moment(0));
            let all = deliveries.iter();
            let failed = all.filter(|(client, seq, number)| {
                ledger.delivered(*client, *seq, Tag::new(*number)).is_err()
            });
            failed.count()
        };
        assert_eq!(wrong(true, &[(0, 1, 0), (0, 2, 1), (1, 1, 0), (1, 2, 1)]), 0);
        assert_eq!(wrong(false, &[(0, 1, 0), (0, 1, 0)]), 1, "twice");
        assert_eq!(wrong(false, &[(0, 1, 1)]), 1, "one is missing before it");
        assert_eq!(wrong(false, &[(0, 1, 3)]), 1, "of another room");
        assert_eq!(wrong(false, &[(0, 1, 9)]), 1, "of nobody");
        assert_eq!(wrong(true, &[(0, 1, 0), (0, 3, 1)]), 1, "a gap in the numbers");
        assert_eq!(wrong(true, &[(0, 1, 0), (1, 2, 0)]), 1, "another number for others");
    }

    #[test]
    fn a_refused_message_is_due_to_nobody() {
        // The refusal may be heard of before or after what was said later.
        for before in [true, false] {
            let mut ledger = Ledger { gaps: true, ..book(true, true) };
            (0..3).for_each(|_| ledger.sent(0, 0, Moment(0)));
            let refuse = |ledger: &mut Ledger| assert_eq!(ledger.refused(1), 2);
            if before {
                refuse(&mut ledger);
            }
            for (client, seq, number) in [(0, 1, 0), (1, 1, 0), (0, 2, 2), (1, 2, 2)] {
                ledger.delivered(client, seq, Tag::new(number)).unwrap();
            }
            assert_eq!(ledger.is_settled(), before);
            if !before {
                refuse(&mut ledger);
            }
            assert!(ledger.is_settled());
            assert!(ledger.delivered(0, 3, Tag::new(2)).is_err(), "twice");
        }
    }

    #[test]
    fn what_may_be_missing_is_still_counted() {
        let mut ledger = Ledger { gaps: true, ..book(false, true) };
        (0..2).for_each(|_| ledger.sent(0, 0, Moment(0)));
        ledger.delivered(0, 0, Tag::new(1)).unwrap();
        assert!(ledger.delivered(0, 0, Tag::new(0)).is_err(), "after a later one");
        assert_eq!(ledger.missing(), 3);
        // Where there are numbers, a hole in them is seen at once.
        let mut ledger = Ledger { gaps: true, ..book(true, true) };
        (0..2).for_each(|_| ledger.sent(0, 0, Moment(0)));
        ledger.delivered(1, 1, Tag::new(0)).unwrap();
        ledger.delivered(0, 1, Tag::new(0)).unwrap();
        assert!(ledger.delivered(0, 3, Tag::new(1)).is_err());
    }
}
