//! Who takes no direct messages from whom.
//!
//! **Owns:** for each account at most as many others as its bound.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use crate::base::id::AccountId;
use crate::base::limits::{BLOCKS, LIST_PAGE};
use crate::base::name::Identity;
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
        let used = self.0.get(&by).map_or(0, BTreeMap::len);
        if used < BLOCKS || self.contains(by, of) {
            return Ok(());
        }
        let (used, allowed) = (used as u64 + 1, BLOCKS as u64);
        let text = "the account blocks as many others as it may; unblock one first";
        Err(Refusal::new(Code::Quota, text).limit("blocks", used, allowed))
    }

    /// Notes that one blocks another, or does not any more.
    pub fn set(&mut self, by: AccountId, of: &Arc<Identity>, on: bool) {
        if on {
            self.0.entry(by).or_default().insert(of.account, Arc::clone(of));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::UserName;

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
}
