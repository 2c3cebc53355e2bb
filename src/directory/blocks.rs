//! Who takes no direct messages from whom.
//!
//! **Owns:** for each account at most as many others as its bound. Guests give way there, who came first
//! first: they may be long gone, and nobody else comes back under their number.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use crate::base::id::AccountId;
use crate::base::limits::{BLOCKS, LIST_PAGE};
use crate::base::name::{Identity, UserName};
use crate::protocol::reply::{BlockInfo, BlockList, Page};
use crate::protocol::status::{Code, Refusal};
use crate::room::rights;

/// The table.
#[derive(Debug, Default)]
pub struct Blocks(HashMap<AccountId, BTreeMap<AccountId, Arc<Identity>>>);

impl Blocks {
    /// The table as it was stored.
    #[must_use]
    pub fn new(stored: Vec<(AccountId, Arc<Identity>)>) -> Self {
        let mut blocks = Self::default();
        for (by, of) in stored {
            blocks.set(by, &of, true);
        }
        blocks
    }

    /// Whether one blocks another.
    #[must_use]
    pub fn contains(&self, by: AccountId, of: AccountId) -> bool {
        self.0.get(&by).is_some_and(|blocked| blocked.contains_key(&of))
    }

    /// Refuses one more than there may be.
    pub fn check_place(&self, by: AccountId, of: AccountId) -> Result<(), Refusal> {
        let Some(blocked) = self.0.get(&by) else { return Ok(()) };
        let used = blocked.len();
        if used < BLOCKS || blocked.contains_key(&of) || first_guest(blocked).is_some() {
            return Ok(());
        }
        let (used, allowed) = (used as u64 + 1, BLOCKS as u64);
        let text = "the account blocks as many others as it may; unblock one first";
        Err(Refusal::new(Code::Quota, text).limit("blocks", used, allowed))
    }

    /// Notes that one blocks another, or does not any more.
    pub fn set(&mut self, by: AccountId, of: &Arc<Identity>, on: bool) {
        if on {
            let blocked = self.0.entry(by).or_default();
            // Whoever of this name was there before is gone: it is held once at a time.
            blocked.retain(|_, other| other.name.skeleton() != of.name.skeleton());
            if blocked.len() >= BLOCKS
                && let Some(guest) = first_guest(blocked)
            {
                blocked.remove(&guest);
            }
            blocked.insert(of.account, Arc::clone(of));
        } else if let Some(blocked) = self.0.get_mut(&by) {
            blocked.remove(&of.account);
            if blocked.is_empty() {
                self.0.remove(&by);
            }
        }
    }

    /// Refuses a direct room of two of whom one blocks the other; `who` asks for it.
    pub fn check(&self, who: &Identity, other: &Identity) -> Result<(), Refusal> {
        for (by, of) in [(who, other), (other, who)] {
            if self.contains(by.account, of.account) {
                return Err(rights::blocked(by, who));
            }
        }
        Ok(())
    }

    /// Whom an account blocks under a name, there or not.
    #[must_use]
    pub fn named(&self, by: AccountId, name: &UserName) -> Option<Arc<Identity>> {
        let mut blocked = self.0.get(&by)?.values();
        blocked.find(|who| who.name.skeleton() == name.skeleton()).map(Arc::clone)
    }

    /// A page of those whom an account blocks, by account.
    #[must_use]
    pub fn list(&self, by: AccountId, after: Option<u64>, limit: Option<u32>) -> BlockList {
        let limit = limit.unwrap_or(LIST_PAGE).min(LIST_PAGE) as usize;
        let start = after.map_or(Bound::Unbounded, |id| Bound::Excluded(AccountId(id)));
        let blocked = self.0.get(&by).into_iter();
        let mut rest = blocked.flat_map(|all| all.range((start, Bound::Unbounded)));
        let page = rest
            .by_ref()
            .take(limit)
            .map(|(id, who)| BlockInfo { id: id.0, name: Arc::clone(who.name.shared()) });
        BlockList { blocks: Page(page.collect()), more: rest.next().is_some() }
    }
}

/// The guest who came first of those who are blocked.
fn first_guest(blocked: &BTreeMap<AccountId, Arc<Identity>>) -> Option<AccountId> {
    // Their numbers lie above those of all accounts, and rise.
    blocked.range(AccountId::FIRST_GUEST..).next().map(|(id, _)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(account: u64) -> Arc<Identity> {
        let name = UserName::parse(&format!("p{account}")).unwrap();
        Arc::new(Identity { account: AccountId(account), name, admin: false })
    }

    #[test]
    fn neither_writes_to_the_other_and_each_is_told_why() {
        let (ann, bob) = (person(1), person(2));
        let mut blocks = Blocks::default();
        blocks.set(ann.account, &bob, true);
        assert!(blocks.check(&ann, &bob).unwrap_err().text.contains("you block"));
        assert!(blocks.check(&bob, &ann).unwrap_err().text.contains("p1 takes no"));
        blocks.set(ann.account, &bob, false);
        assert_eq!(blocks.check(&bob, &ann), Ok(()));
        assert!(blocks.0.is_empty());
    }

    #[test]
    fn there_is_a_bound_and_a_list_in_pages() {
        let ann = person(1).account;
        let others: Vec<_> = (0..BLOCKS as u64).map(|n| (ann, person(n + 2))).collect();
        let blocks = Blocks::new(others);
        assert_eq!(blocks.check_place(ann, AccountId(2)), Ok(()));
        let refusal = blocks.check_place(ann, AccountId(99_999)).unwrap_err();
        assert_eq!(refusal.code, Code::Quota);
        let page = blocks.list(ann, Some(3), Some(2));
        let ids: Vec<_> = page.blocks.0.iter().map(|one| one.id).collect();
        assert_eq!((ids, page.more), (vec![4, 5], true));
    }
    #[test]
    fn guests_give_way_at_the_bound_and_under_their_name() {
        let ann = person(1).account;
        let guest = |n: u64| person(AccountId::FIRST_GUEST.0 + n);
        let others = (0..BLOCKS as u64 - 2).map(|n| (ann, person(n + 2)));
        let mut blocks = Blocks::new(others.collect());
        blocks.set(ann, &guest(1), true);
        blocks.set(ann, &guest(2), true);
        let new = guest(3);
        assert_eq!(blocks.check_place(ann, new.account), Ok(()));
        blocks.set(ann, &new, true);
        assert_eq!(blocks.0[&ann].len(), BLOCKS);
        assert!(!blocks.contains(ann, guest(1).account) && blocks.contains(ann, guest(2).account));

        let again = Identity { account: guest(4).account, ..(*new).clone() };
        blocks.set(ann, &Arc::new(again), true);
        assert_eq!(blocks.0[&ann].len(), BLOCKS);
        assert_eq!(blocks.named(ann, &new.name).unwrap().account, guest(4).account);
    }
}
