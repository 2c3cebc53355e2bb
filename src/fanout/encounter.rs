//! Limits that the links of a worker meet: counted, and noted with whom they concern.

use std::net::IpAddr;
use std::sync::Arc;

use super::link::Link;
use super::shard::Shard;
use crate::base::id::SessionId;
use crate::base::met::Note;
use crate::base::tally;
use crate::transport::address::{Prefix, prefixes};

/// Whom a limit concerns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One session.
    Session(SessionId),
    /// An address, or the IPv6 /64 that it is in.
    Address(Prefix),
    /// A name and all that look like it, by its skeleton.
    Name(Arc<str>),
}

impl Subject {
    /// An address.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        Self::Address(prefixes(address).0[0].0)
    }
}

impl Shard {
    /// Counts a limit that a link has met.
    pub fn met(&self, link: &Link, limit: &str) {
        tally::met(&self.tally().limits, limit);
        let (now, mut met) = (self.unix_ms(), self.met.borrow_mut());
        met.note(Subject::Session(link.id()), limit, now);
        met.note(Subject::of_address(link.peer().ip()), limit, now);
        if let Some(who) = link.who() {
            met.note(Subject::Name(Arc::clone(who.name.skeleton())), limit, now);
        }
    }

    /// What somebody has met here.
    #[must_use]
    pub fn notes(&self, subject: &Subject) -> Vec<Note> {
        self.met.borrow().of(subject)
    }

    /// What the session of this number has met here; it may have ended.
    #[must_use]
    pub fn notes_of_session(&self, number: &str) -> Vec<Note> {
        let such =
            |subject: &Subject| matches!(subject, Subject::Session(id) if id.to_string() == number);
        self.met.borrow().find(such)
    }
}
