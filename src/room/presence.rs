//! Who came and who went, told at once in a small room and together in a large one.
//!
//! In a room of thousands each join would be a frame to everybody. Above a size, arrivals and
//! departures are gathered, and told at most once in an interval, with a bounded number of names.

use std::sync::Arc;

use crate::base::limits::PRESENCE_NAMES;
use crate::protocol::event::{Event, Gone, Joined, LeaveReason, Left};
use crate::protocol::reply::Page;

/// What has not been told yet.
#[derive(Debug, Default)]
pub struct Presence {
    joined: Vec<Arc<str>>,
    joined_count: u32,
    gone: Vec<Gone>,
    gone_count: u32,
}

impl Presence {
    /// Notes an arrival.
    pub fn joined(&mut self, name: &Arc<str>) {
        self.joined_count += 1;
        if self.joined.len() < PRESENCE_NAMES {
            self.joined.push(Arc::clone(name));
        }
    }

    /// Notes a departure.
    pub fn left(&mut self, name: &Arc<str>, reason: LeaveReason) {
        self.gone_count += 1;
        if self.gone.len() < PRESENCE_NAMES {
            self.gone.push(Gone { name: Arc::clone(name), reason });
        }
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined_count == 0 && self.gone_count == 0
    }

    /// The events that tell it all; nothing is left to tell after them.
    pub fn take(&mut self, room: &Arc<str>, members: u32) -> impl Iterator<Item = Event> + use<> {
        let Self { joined, joined_count, gone, gone_count } = std::mem::take(self);
        let joined = (joined_count > 0).then(|| {
            let room = Arc::clone(room);
            Event::Joined(Joined { room, names: Page(joined), count: joined_count, members })
        });
        let left = (gone_count > 0).then(|| {
            let room = Arc::clone(room);
            Event::Left(Left { room, gone: Page(gone), count: gone_count, members })
        });
        joined.into_iter().chain(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_counts_are_not() {
        let mut presence = Presence::default();
        for number in 0..100 {
            presence.joined(&format!("a{number}").into());
            presence.left(&format!("b{number}").into(), LeaveReason::Lost);
        }
        let events: Vec<_> = presence.take(&"lobby".into(), 7).collect();
        let [Event::Joined(joined), Event::Left(left)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!((joined.names.0.len(), joined.count, joined.members), (32, 100, 7));
        assert_eq!((left.gone.0.len(), left.count), (32, 100));
        assert!(presence.is_empty());
        assert_eq!(presence.take(&"lobby".into(), 7).count(), 0);
    }
}
