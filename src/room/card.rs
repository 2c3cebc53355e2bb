//! What can be seen of a room from outside, without asking it: for the directory's lists.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::base::clock::Moment;
use crate::base::id::AccountId;

/// Written by the room, read by the directory.
#[derive(Debug, Default)]
pub struct Card {
    members: AtomicU32,
    /// When the last member left, or the room was made.
    empty_since: AtomicU64,
    topic: Mutex<Arc<str>>,
    /// Something was said there that must not be lost.
    kept: AtomicBool,
    /// Who may know of a private room; nobody is left out if it is none.
    seers: RwLock<Option<HashSet<AccountId>>>,
}

impl Card {
    /// The card of a room that is made now.
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Self {
            members: AtomicU32::new(0),
            empty_since: AtomicU64::new(now.0),
            topic: Mutex::new("".into()),
            kept: AtomicBool::new(false),
            seers: RwLock::new(None),
        }
    }

    /// Hides the room from everybody but these; shows it to all without any.
    pub fn show_to(&self, seers: Option<HashSet<AccountId>>) {
        *self.seers.write() = seers;
    }

    /// Whether everybody may know of it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.seers.read().is_none()
    }

    /// Whether an account may know of it.
    #[must_use]
    pub fn may_see(&self, account: AccountId) -> bool {
        self.seers.read().as_ref().is_none_or(|seers| seers.contains(&account))
    }

    /// How many members there are.
    #[must_use]
    pub fn members(&self) -> u32 {
        self.members.load(Ordering::Relaxed)
    }

    /// Since when nobody is there; `None` if somebody is.
    #[must_use]
    pub fn empty_since(&self) -> Option<Moment> {
        (self.members() == 0).then(|| Moment(self.empty_since.load(Ordering::Relaxed)))
    }

    /// Since when nobody is there and nothing would be lost with the room; `None` if it must stay.
    #[must_use]
    pub fn idle_since(&self) -> Option<Moment> {
        self.empty_since().filter(|_| !self.kept.load(Ordering::Relaxed))
    }

    /// Notes that storage keeps something of the room.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// The committed topic.
    #[must_use]
    pub fn topic(&self) -> Arc<str> {
        Arc::clone(&self.topic.lock())
    }

    /// Notes how many members there are now.
    pub fn set_members(&self, members: u32, now: Moment) {
        self.members.store(members, Ordering::Relaxed);
        if members == 0 {
            self.empty_since.store(now.0, Ordering::Relaxed);
        }
    }

    /// Notes the topic.
    pub fn set_topic(&self, topic: &Arc<str>) {
        let mut known = self.topic.lock();
        if !Arc::ptr_eq(&known, topic) {
            known.clone_from(topic);
        }
    }
}
