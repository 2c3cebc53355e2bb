//! The messages that are talked about: what they are now, with the changes whose commit is under way.
//!
//! **Owns:** the newest messages of a room, and those that were looked up last.
//! **Bound:** [`RECENT`] and [`LOADED`] messages, and [`HELD`] reactions; besides them, messages of
//! which something is not committed yet, which storage could not tell.

use std::collections::VecDeque;
use std::sync::Arc;

use super::say::Act;
use crate::base::id::{AccountId, Seq};
use crate::store::Target;

/// Newest messages that are known without a look.
const RECENT: usize = 64;
/// Messages that are known from a look.
const LOADED: usize = 16;
/// Reactions that the messages may have together before those that are not needed are forgotten.
const HELD: usize = 4_096;

#[derive(Debug)]
struct Known {
    seq: Seq,
    /// The newest entry that changed it, or it itself.
    changed: Seq,
    target: Target,
}

/// What is known of messages.
#[derive(Debug, Default)]
pub struct Targets {
    /// In ascending order.
    recent: VecDeque<Known>,
    loaded: VecDeque<Known>,
    /// Reactions of all of them.
    reactions: usize,
    committed: Seq,
}

impl Targets {
    /// Nothing is known; everything up to `committed` is in storage.
    #[must_use]
    pub fn new(committed: Seq) -> Self {
        Self { committed, ..Self::default() }
    }

    /// Notes a new message.
    pub fn said(&mut self, seq: Seq, account: AccountId) {
        let target = Target { account, deleted: false, reactions: Vec::new() };
        self.recent.push_back(Known { seq, changed: seq, target });
        if self.recent.len() > RECENT {
            self.shrink();
        }
    }

    /// What is known of a message.
    #[must_use]
    pub fn get(&self, seq: Seq) -> Option<&Target> {
        let recent = self.recent.binary_search_by_key(&seq, |known| known.seq).ok();
        recent
            .and_then(|at| self.recent.get(at))
            .or_else(|| self.loaded.iter().find(|known| known.seq == seq))
            .map(|known| &known.target)
    }

    /// Takes what storage has of a message that was not known.
    pub fn load(&mut self, seq: Seq, target: Target) {
        self.reactions += target.reactions.len();
        self.loaded.push_back(Known { seq, changed: Seq(0), target });
        self.shrink();
    }

    /// Whether a message has this reaction of an account.
    #[must_use]
    pub fn has(target: &Target, account: AccountId, reaction: &Arc<str>) -> bool {
        target.reactions.iter().any(|(who, text)| *who == account && text == reaction)
    }

    /// Notes what the entry `by` does to a message.
    pub fn change(&mut self, seq: Seq, by: Seq, account: AccountId, act: &Act) {
        let known = match self.recent.binary_search_by_key(&seq, |known| known.seq) {
            Ok(at) => self.recent.get_mut(at),
            Err(_) => self.loaded.iter_mut().find(|known| known.seq == seq),
        };
        let Some(Known { changed, target, .. }) = known else { return };
        let before = target.reactions.len();
        match act {
            Act::Say { .. } => return,
            Act::Edit { .. } => {}
            Act::Delete { .. } => {
                target.deleted = true;
                target.reactions = Vec::new();
            }
            Act::React { reaction, .. } => target.reactions.push((account, Arc::clone(reaction))),
            Act::Unreact { reaction, .. } => {
                target.reactions.retain(|(who, text)| *who != account || text != reaction);
            }
        }
        *changed = by;
        self.reactions = self.reactions + target.reactions.len() - before;
    }

    /// Notes that everything up to `seq` is in storage.
    pub fn committed(&mut self, seq: Seq) {
        self.committed = self.committed.max(seq);
    }

    /// Forgets what is not as storage has it: everything after `seq` was not committed.
    pub fn roll_back(&mut self, seq: Seq) {
        for known in [&mut self.recent, &mut self.loaded] {
            known.retain(|known| known.changed <= seq);
        }
        self.count();
    }

    fn count(&mut self) {
        let all = self.recent.iter().chain(&self.loaded);
        self.reactions = all.map(|known| known.target.reactions.len()).sum();
    }

    /// Forgets the oldest of what is too much and what storage has.
    fn shrink(&mut self) {
        let (committed, mut reactions) = (self.committed, self.reactions);
        for (known, bound) in [(&mut self.loaded, LOADED), (&mut self.recent, RECENT)] {
            // The one that was just added stays.
            while known.len() > bound || (reactions > HELD && known.len() > 1) {
                match known.front() {
                    Some(oldest) if oldest.changed <= committed => {
                        reactions -= oldest.target.reactions.len();
                        known.pop_front();
                    }
                    _ => break,
                }
            }
        }
        self.reactions = reactions;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountId = AccountId(1);

    fn react(targets: &mut Targets, seq: u64, by: u64, reaction: &str) {
        let act = Act::React { re: Seq(seq), reaction: reaction.into() };
        targets.change(Seq(seq), Seq(by), ANN, &act);
    }

    #[test]
    fn what_is_not_committed_is_never_forgotten() {
        let mut targets = Targets::new(Seq(0));
        for seq in 1..=500 {
            targets.said(Seq(seq), ANN);
        }
        assert!(targets.get(Seq(1)).is_some(), "storage does not have it");
        targets.committed(Seq(400));
        targets.said(Seq(501), ANN);
        assert!(targets.get(Seq(400)).is_none(), "storage has it");
        assert!(targets.get(Seq(401)).is_some());
        assert_eq!(targets.recent.len(), 101);
    }

    #[test]
    fn a_change_under_way_keeps_an_old_message() {
        let mut targets = Targets::new(Seq(100));
        let target = |reactions| Target { account: ANN, deleted: false, reactions };
        targets.load(Seq(7), target(Vec::new()));
        react(&mut targets, 7, 101, "+1");
        for seq in 10..60 {
            targets.load(Seq(seq), target(Vec::new()));
        }
        assert!(Targets::has(targets.get(Seq(7)).unwrap(), ANN, &"+1".into()));
        targets.committed(Seq(101));
        targets.load(Seq(60), target(Vec::new()));
        assert!(targets.get(Seq(7)).is_none());
        assert_eq!((targets.loaded.len(), targets.reactions), (LOADED, 0));
    }

    #[test]
    fn what_was_not_committed_is_not_known() {
        let mut targets = Targets::new(Seq(0));
        for seq in 1..=3 {
            targets.said(Seq(seq), ANN);
        }
        react(&mut targets, 1, 4, "+1");
        targets.roll_back(Seq(2));
        let known: Vec<_> = (1..=3).map(|seq| targets.get(Seq(seq)).is_some()).collect();
        assert_eq!(
            known,
            [false, true, false],
            "the first is as storage has it, which must be asked"
        );
    }
}
