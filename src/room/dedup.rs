//! Keys that were used: what makes a repeated `say` have one effect.
//!
//! **Owns:** at most as many keys as the room keeps messages; the oldest goes first.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::base::id::{AccountId, Key, Seq};

/// What was done under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The seq that the message got.
    pub seq: Seq,
    /// When.
    pub time: u64,
}

/// A key was used before for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict;

/// The keys of one room.
#[derive(Debug)]
pub struct Dedup {
    done: HashMap<(AccountId, Key), (u64, Done)>,
    order: VecDeque<(AccountId, Key)>,
    bound: usize,
}

impl Dedup {
    /// No key was used.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { done: HashMap::new(), order: VecDeque::new(), bound }
    }

    /// What `account` did under `key`, if it was this text.
    pub fn find(&self, account: AccountId, key: Key, text: &str) -> Result<Option<Done>, Conflict> {
        match self.done.get(&(account, key)) {
            None => Ok(None),
            Some(&(digest, done)) if digest == digest_of(text) => Ok(Some(done)),
            Some(_) => Err(Conflict),
        }
    }

    /// Notes what was done.
    pub fn note(&mut self, account: AccountId, key: Key, text: &str, done: Done) {
        if self.order.len() >= self.bound
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
        self.done.insert((account, key), (digest_of(text), done));
        self.order.push_back((account, key));
    }

    /// Forgets what was done after `seq`: it was not committed.
    pub fn forget_after(&mut self, seq: Seq) {
        let Self { done, order, .. } = self;
        done.retain(|_, (_, done)| done.seq <= seq);
        order.retain(|key| done.contains_key(key));
    }
}

fn digest_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountId = AccountId(1);
    const BOB: AccountId = AccountId(2);

    fn key(byte: u8) -> Key {
        Key([byte; 16])
    }

    #[test]
    fn a_key_is_known_by_account_and_text_until_it_is_too_old() {
        let mut dedup = Dedup::new(2);
        let done = |seq| Done { seq: Seq(seq), time: 0 };
        dedup.note(ANN, key(1), "hello", done(1));
        assert_eq!(dedup.find(ANN, key(1), "hello"), Ok(Some(done(1))));
        assert_eq!(dedup.find(ANN, key(1), "other"), Err(Conflict));
        assert_eq!(dedup.find(BOB, key(1), "hello"), Ok(None));
        dedup.note(ANN, key(2), "b", done(2));
        dedup.note(ANN, key(3), "c", done(3));
        assert_eq!(dedup.find(ANN, key(1), "hello"), Ok(None));
        dedup.forget_after(Seq(2));
        assert_eq!(dedup.find(ANN, key(3), "c"), Ok(None));
        assert_eq!(dedup.find(ANN, key(2), "b"), Ok(Some(done(2))));
    }
}
