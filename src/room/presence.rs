//! Who came and who went: told at once, and together if others came or went a moment before.
//!
//! Each join is a frame to everybody, so n people who come in cost n * n. Whoever comes after a pause is told
//! of at once; those behind are gathered until the next pause is over, which is longer in a large room.

use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Moment;
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
    /// When something was told last.
    told: Option<Moment>,
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

    /// How long it is until something may be told.
    #[must_use]
    pub fn wait(&self, now: Moment, pause: Duration) -> Duration {
        self.told.map_or(Duration::ZERO, |told| told.after(pause).since(now))
    }

    /// The events that tell it all; nothing is left to tell after them.
    pub fn take(
        &mut self,
        room: &Arc<str>,
        members: u32,
        now: Moment,
    ) -> impl Iterator<Item = Event> + use<> {
        let told = Self { told: Some(now), ..Self::default() };
        let Self { joined, joined_count, gone, gone_count, .. } = std::mem::replace(self, told);
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

    const NOW: Moment = Moment(1_000_000_000);

    #[test]
    fn the_first_is_told_at_once_and_the_next_ones_after_a_pause() {
        let (mut presence, pause) = (Presence::default(), Duration::from_millis(100));
        assert_eq!(presence.wait(NOW, pause), Duration::ZERO);
        presence.joined(&"ann".into());
        assert_eq!(presence.take(&"lobby".into(), 1, NOW).count(), 1);
        let later = NOW.after(Duration::from_millis(30));
        assert_eq!(presence.wait(later, pause), Duration::from_millis(70));
        assert_eq!(presence.wait(NOW.after(pause), pause), Duration::ZERO);
    }

    #[test]
    fn names_are_bounded_and_counts_are_not() {
        let mut presence = Presence::default();
        for number in 0..100 {
            presence.joined(&format!("a{number}").into());
            presence.left(&format!("b{number}").into(), LeaveReason::Lost);
        }
        let events: Vec<_> = presence.take(&"lobby".into(), 7, NOW).collect();
        let [Event::Joined(joined), Event::Left(left)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!((joined.names.0.len(), joined.count, joined.members), (32, 100, 7));
        assert_eq!((left.gone.0.len(), left.count), (32, 100));
        assert!(presence.is_empty());
        assert_eq!(presence.take(&"lobby".into(), 7, NOW).count(), 0);
    }
}
