//! Who is known by name, for those who run the server.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Accounts, Hold, Place};
use crate::account::mail::Person;
use crate::base::id::SessionId;
use crate::base::name::{Identity, UserName};

impl Accounts {
    /// Who is registered or holds a name, by name: the first `most` that begin with `prefix`.
    #[must_use]
    pub fn roll(&self, prefix: &str, most: usize) -> Vec<Person> {
        let held = self.holders.values().map(|holder| {
            let online = match &holder.hold {
                Hold::Guest(_, Place::Online(_)) => 1,
                Hold::Guest(_, Place::Held(..)) => 0,
                Hold::Account(sessions) => sessions.len(),
            };
            Person { who: Arc::clone(&holder.who), online }
        });
        let away = self.registered.iter().filter(|(name, _)| !self.holders.contains_key(*name));
        let away = away.map(|(_, who)| Person { who: Arc::clone(who), online: 0 });
        let begins = |one: &Person| one.who.name.as_str().to_lowercase().starts_with(prefix);
        let mut all: Vec<Person> = held.chain(away).filter(begins).collect();
        all.sort_by(|one, other| one.who.name.as_str().cmp(other.who.name.as_str()));
        all.truncate(most);
        all
    }

    /// The sessions of those who hold such names.
    #[must_use]
    pub fn sessions_of(&self, such: impl Fn(&UserName) -> bool) -> Vec<(Arc<Identity>, SessionId)> {
        let holders = self.holders.values().filter(|holder| such(&holder.who.name));
        let sessions = holders.flat_map(|holder| {
            let sessions: SmallVec<[SessionId; 1]> = match &holder.hold {
                Hold::Guest(_, Place::Online(session)) => SmallVec::from_elem(*session, 1),
                Hold::Guest(_, Place::Held(..)) => SmallVec::new(),
                Hold::Account(sessions) => sessions.iter().map(|&(session, _)| session).collect(),
            };
            sessions.into_iter().map(|session| (Arc::clone(&holder.who), session))
        });
        sessions.collect()
    }
}
