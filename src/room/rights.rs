//! Who may do what in a room: the one place that decides, for every path.
//!
//! **Owns:** how the room is set and how accounts stand to it: at most as many as its bound. At the bound
//! the guest that has been known for longest is forgotten; without one, a change is refused. **Invariants:** who may not see the room gets the answer for one that is not
//! there; nobody acts against an equal or a higher rank; what is said of guests ends with them, and
//! only what is said of accounts is stored.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use super::kind::{Kind, not_found};
use crate::base::id::AccountId;
use crate::base::name::Identity;
use crate::protocol::status::{Code, Refusal};
use crate::store::House;
use crate::store::standing::{Access, Rank, Settings, Standing};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Know that the room is there.
    See,
    /// Come in.
    Enter,
    /// Say something.
    Speak,
    /// Set the topic.
    SetTopic,
    /// Have somebody come in.
    Invite,
    /// Kick, ban and mute.
    Moderate,
    /// Set the room, give ranks, delete it.
    Rule,
}

/// The rights of one room.
#[derive(Debug)]
pub struct Rights {
    kind: Kind,
    settings: Settings,
    standings: BTreeMap<AccountId, (Arc<str>, Standing)>,
    bound: usize,
    /// In a direct room: which of the two blocks the other.
    fences: [bool; 2],
}

/// How somebody counts against others: an administrator above every rank.
fn weight(who: &Identity, rank: Rank) -> u8 {
    match rank {
        _ if who.admin => 3,
        Rank::Owner => 2,
        Rank::Moderator => 1,
        Rank::Member => 0,
    }
}

impl Rights {
    /// The rights of a room as it was left.
    #[must_use]
    pub fn new(kind: Kind, house: House, bound: usize) -> Self {
        let House { settings, standings } = house;
        let standings = standings.into_iter().map(|(id, name, standing)| (id, (name, standing)));
        Self { kind, settings, standings: standings.collect(), bound, fences: [false; 2] }
    }

    /// The kind of the room.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether it is a room of two.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        matches!(self.kind, Kind::Direct(_))
    }

    /// How the room is set.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// How an account stands to it.
    #[must_use]
    pub fn standing(&self, account: AccountId) -> Standing {
        self.standings.get(&account).map_or_else(Standing::default, |&(_, standing)| standing)
    }

    /// Everybody who has a standing, after an account.
    pub fn standings(
        &self,
        after: Option<AccountId>,
    ) -> impl Iterator<Item = (AccountId, &Arc<str>, Standing)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.standings.range((start, Bound::Unbounded));
        rest.map(|(&account, (name, standing))| (account, name, *standing))
    }

    /// Who may know of the room, if not everybody may.
    #[must_use]
    pub fn seers(&self) -> Option<HashSet<AccountId>> {
        let all = self.standings.keys().copied();
        (self.settings.access == Access::Private)
            .then(|| all.filter(|&account| self.is_visible_to(account)).collect())
    }

    /// What an account may do at most.
    #[must_use]
    pub fn rank(&self, who: &Identity) -> Rank {
        if who.admin && !matches!(self.kind, Kind::Direct(_)) {
            return Rank::Owner;
        }
        self.standing(who.account).rank
    }

    /// Whether somebody may do something, at this time in milliseconds since 1970 UTC.
    pub fn may(&self, who: &Identity, deed: Deed, time: u64) -> Result<(), Refusal> {
        let (standing, rank) = (self.standing(who.account), self.rank(who));
        let is_direct = matches!(self.kind, Kind::Direct(_));
        let open = self.is_visible_to(who.account) || (who.admin && !is_direct);
        // Who administers the server is kept out of no room.
        let banned = left(standing.banned_until, time).filter(|_| !who.admin);
        if !open || (banned.is_some() && self.settings.access == Access::Private) {
            return Err(not_found());
        }
        let at_least = |needed: Rank, text: &'static str| {
            if rank >= needed { Ok(()) } else { Err(Refusal::new(Code::Denied, text)) }
        };
        match deed {
            Deed::See => Ok(()),
            Deed::Enter => until(banned, "you are banned from this room"),
            Deed::Speak => {
                until(left(standing.muted_until, time), "you are muted in this room")?;
                self.check_fences(who)?;
                if self.settings.announcement {
                    return at_least(Rank::Moderator, "only moderators write in this room");
                }
                Ok(())
            }
            Deed::SetTopic if is_direct => self.check_fences(who),
            Deed::SetTopic => {
                until(left(standing.muted_until, time), "you are muted in this room")?;
                if self.settings.announcement {
                    return at_least(Rank::Moderator, "only moderators set this room's topic");
                }
                Ok(())
            }
            Deed::Invite => at_least(Rank::Moderator, "only moderators invite"),
            Deed::Moderate => at_least(Rank::Moderator, "this takes a moderator of the room"),
            Deed::Rule => at_least(Rank::Owner, "this takes an owner of the room"),
        }
    }

    /// Notes that one of a direct room's two blocks the other, or does not any more.
    pub fn fence(&mut self, by: AccountId, on: bool) {
        let pair = pair(&self.kind).map(|pair| pair.each_ref().map(|one| one.account));
        for (fence, one) in self.fences.iter_mut().zip(pair.into_iter().flatten()) {
            if one == by {
                *fence = on;
            }
        }
    }

    /// Refuses to pass what one of the two does not want.
    pub(super) fn check_fences(&self, who: &Identity) -> Result<(), Refusal> {
        let two = pair(&self.kind).into_iter().flatten().zip(self.fences);
        let mut blocking = two.filter(|(_, blocks)| *blocks).map(|(one, _)| one);
        blocking.next().map_or(Ok(()), |by| Err(blocked(by, who)))
    }

    /// Whether `who` may act against `target`.
    pub fn may_against(&self, who: &Identity, target: &Identity) -> Result<(), Refusal> {
        if matches!(self.kind, Kind::Direct(_)) {
            return Err(Refusal::new(Code::Denied, "a direct room has no ranks"));
        }
        let own = weight(who, self.rank(who));
        let theirs = weight(target, self.rank(target));
        if own > theirs || who.account == target.account {
            return Ok(());
        }
        let text = format!("{} has the same rank as you, or a higher one", target.name);
        Err(Refusal::new(Code::Denied, text))
    }

    /// Whether an account may know that the room is there. Administrators see more, by [`may`](Self::may).
    #[must_use]
    pub fn is_visible_to(&self, account: AccountId) -> bool {
        match &self.kind {
            Kind::Direct(pair) => pair.iter().any(|one| one.account == account),
            Kind::Room => {
                let Standing { resident, invited, rank, .. } = self.standing(account);
                let known = resident || invited || rank > Rank::Member;
                known || self.settings.access == Access::Public
            }
        }
    }

    /// Changes how an account stands to the room; gives how it stood before, if that is different.
    pub fn stand(
        &mut self,
        who: &Identity,
        change: impl FnOnce(&mut Standing),
    ) -> Result<Option<Standing>, Refusal> {
        let account = who.account;
        let before = self.standing(account);
        let mut standing = before;
        change(&mut standing);
        if standing == before {
            return Ok(None);
        }
        if standing == Standing::default() {
            self.standings.remove(&account);
        } else {
            let is_full = || self.standings.len() >= self.bound;
            if is_full() && !self.standings.contains_key(&account) && !self.forget_guest() {
                let (used, allowed) = (self.bound as u64 + 1, self.bound as u64);
                let text = "the room has as many residents, bans and invitations as it takes";
                return Err(Refusal::new(Code::Quota, text).limit("members_max", used, allowed));
            }
            self.standings.insert(account, (Arc::clone(who.name.shared()), standing));
        }
        Ok(Some(before))
    }

    /// Makes place: the guest that has been known for longest goes, most likely it is gone.
    fn forget_guest(&mut self) -> bool {
        let first = self.standings.range(AccountId::first_guest(1)..).next();
        let first = first.map(|(&account, _)| account);
        first.is_some_and(|account| self.standings.remove(&account).is_some())
    }

    /// Changes how the room is set.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes back what was not stored.
    pub fn restore(&mut self, account: AccountId, name: &Arc<str>, standing: Standing) {
        if standing == Standing::default() {
            self.standings.remove(&account);
        } else {
            self.standings.insert(account, (Arc::clone(name), standing));
        }
    }
}

/// How long something still holds.
fn left(until: Option<u64>, time: u64) -> Option<u64> {
    until.map(|until| until.saturating_sub(time)).filter(|left| *left > 0)
}

fn until(left: Option<u64>, text: &'static str) -> Result<(), Refusal> {
    let Some(left) = left else { return Ok(()) };
    let refusal = Refusal::new(Code::Denied, text);
    // What holds for good has no time to come back.
    let lasting = left > FOREVER / 2;
    Err(if lasting { refusal } else { refusal.retry_after(Duration::from_millis(left)) })
}

/// What somebody is told who would write to another directly, while `by` blocks.
#[must_use]
pub fn blocked(by: &Identity, who: &Identity) -> Refusal {
    if by.account == who.account {
        return Refusal::new(Code::Denied, "you block this account: unblock it to write");
    }
    Refusal::new(Code::Denied, format!("{} takes no direct messages from you", by.name))
}

/// A time that never comes.
pub const FOREVER: u64 = 1 << 52;

/// The two of a direct room, or nobody.
#[must_use]
pub fn pair(kind: &Kind) -> Option<&[Arc<Identity>; 2]> {
    match kind {
        Kind::Direct(pair) => Some(pair),
        Kind::Room => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::UserName;

    fn person(account: u64) -> Identity {
        let name = UserName::parse(&format!("p-{account}")).unwrap();
        Identity { account: AccountId(account), name, admin: false }
    }

    #[test]
    fn at_the_bound_guests_are_forgotten_and_accounts_are_not() {
        let mut rights = Rights::new(Kind::Room, House::default(), 2);
        let guest = AccountId::first_guest(1).0;
        let mut invite =
            |account| rights.stand(&person(account), |standing| standing.invited = true).map(drop);
        invite(guest).unwrap();
        invite(1).unwrap();
        invite(2).unwrap();
        assert_eq!(invite(3).unwrap_err().code, Code::Quota);
        assert!(!rights.standing(AccountId(guest)).invited);
        assert!(rights.standing(AccountId(1)).invited);
    }

    #[test]
    fn what_was_not_stored_is_taken_back_whole() {
        let mut rights = Rights::new(Kind::Room, House::default(), 2);
        let (ann, home) = (person(1), |standing: &mut Standing| standing.resident = true);
        rights.stand(&ann, home).unwrap();
        let before = rights.stand(&ann, |standing| standing.resident = false).unwrap().unwrap();
        rights.restore(ann.account, ann.name.shared(), before);
        assert!(rights.standing(ann.account).resident);
    }
}
