//! The rooms that accounts are at home in: they come back there at each login.

use std::collections::{BTreeSet, HashMap};

use crate::base::id::AccountId;
use crate::base::name::RoomName;

/// The homes of all accounts; the rooms bound how many there are.
#[derive(Debug, Default)]
pub struct Homes(HashMap<AccountId, BTreeSet<RoomName>>);

impl Homes {
    /// The homes as they were stored.
    #[must_use]
    pub fn new(stored: Vec<(AccountId, RoomName)>) -> Self {
        let mut homes = Self::default();
        for (account, room) in stored {
            homes.settle(account, room, true);
        }
        homes
    }

    /// Those of an account, by name.
    #[must_use]
    pub fn of(&self, account: AccountId) -> Vec<RoomName> {
        self.0.get(&account).into_iter().flatten().cloned().collect()
    }

    /// An account has joined a room for good, or left it.
    pub fn settle(&mut self, account: AccountId, room: RoomName, stays: bool) {
        let homes = self.0.entry(account).or_default();
        if stays {
            homes.insert(room);
        } else {
            homes.remove(&room);
        }
    }

    /// An account is gone.
    pub fn forget(&mut self, account: AccountId) {
        self.0.remove(&account);
    }

    /// A room is called so from now on; without a name it is gone.
    pub fn move_room(&mut self, room: &RoomName, name: Option<&RoomName>) {
        for homes in self.0.values_mut() {
            if homes.remove(room)
                && let Some(name) = name
            {
                homes.insert(name.clone());
            }
        }
    }
}
