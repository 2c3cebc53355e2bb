//! Who holds which name.
//!
//! **Owns:** the names of guests, as many as there are sessions with a name, and those that are kept
//! for a while after a connection was lost, at most as many again.
//! **Invariants:** no two accounts hold names that look alike; an account is never given to a name
//! that comes later; only the token takes a held name again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Moment;
use crate::base::id::{AccountId, Key, RoomId, SessionId};
use crate::base::name::{Identity, UserName, is_reserved};
use crate::protocol::status::{Code, Refusal};

/// The rules of names.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Reserved besides those that always are.
    pub reserved: Vec<UserName>,
    /// How long a name is kept for its token after its connection was lost.
    pub hold: Duration,
    /// Most names that are kept so.
    pub held: usize,
}

/// The table of names.
#[derive(Debug)]
pub struct Accounts {
    policy: Policy,
    holders: HashMap<Arc<str>, Holder>,
    /// Names kept for their token, in the order in which they fall free; some are in use again.
    held: VecDeque<(Moment, Arc<str>)>,
    next: u64,
}

#[derive(Debug)]
struct Holder {
    who: Arc<Identity>,
    token: Key,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Online(SessionId),
    /// Kept until then, with the rooms that it was in.
    Held(Moment, Vec<RoomId>),
}

/// A name was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Entered {
    /// Who it is.
    pub who: Arc<Identity>,
    /// The secret that takes the name again.
    pub token: Key,
    /// An older session of the same account: it must go, and its rooms are to be passed on.
    pub replaced: Option<SessionId>,
    /// Rooms that the account was in when its connection was lost.
    pub rooms: Vec<RoomId>,
}

impl Accounts {
    /// Nobody holds a name.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, holders: HashMap::new(), held: VecDeque::new(), next: 1 }
    }

    /// Takes a name for a session.
    pub fn enter(
        &mut self,
        name: UserName,
        token: Option<Key>,
        session: SessionId,
        now: Moment,
    ) -> Result<Entered, Refusal> {
        self.let_go(now);
        if self.is_reserved(&name) {
            return Err(Code::NameReserved.into());
        }
        let Some(holder) = self.holders.get_mut(name.skeleton()) else {
            return Ok(self.open(name, session));
        };
        // Both are random and 128 bits long: a comparison that stops early tells nothing of use,
        // but costs nothing to avoid.
        if !token.is_some_and(|token| openssl::memcmp::eq(&token.0, &holder.token.0)) {
            let suggestion = self.suggest(&name);
            let refusal = Refusal::from(Code::NameTaken);
            return Err(match suggestion {
                Some(free) => refusal.suggest(free),
                None => refusal,
            });
        }
        let before = std::mem::replace(&mut holder.place, Place::Online(session));
        let (replaced, rooms) = match before {
            Place::Online(old) => (Some(old), Vec::new()),
            Place::Held(_, rooms) => (None, rooms),
        };
        Ok(Entered { who: Arc::clone(&holder.who), token: holder.token, replaced, rooms })
    }

    fn open(&mut self, name: UserName, session: SessionId) -> Entered {
        let account = AccountId(self.next);
        self.next += 1;
        let skeleton = Arc::clone(name.skeleton());
        let who = Arc::new(Identity { account, name });
        let token = Key::random();
        let holder = Holder { who: Arc::clone(&who), token, place: Place::Online(session) };
        self.holders.insert(skeleton, holder);
        Entered { who, token, replaced: None, rooms: Vec::new() }
    }

    /// Gives up a name: at once, or kept for its token with the rooms it was in.
    ///
    /// Returns the session that the account is at now, if this one was replaced.
    pub fn release(
        &mut self,
        who: &Identity,
        session: SessionId,
        kept: Option<Vec<RoomId>>,
        now: Moment,
    ) -> Option<SessionId> {
        self.let_go(now);
        let skeleton = who.name.skeleton();
        let holder = self.holders.get_mut(skeleton)?;
        match holder.place {
            Place::Online(known) if known == session => {}
            Place::Online(other) if holder.who.account == who.account => return Some(other),
            Place::Online(_) | Place::Held(..) => return None,
        }
        match kept {
            Some(rooms) if !self.policy.hold.is_zero() => {
                let until = now.after(self.policy.hold);
                holder.place = Place::Held(until, rooms);
                self.held.push_back((until, Arc::clone(skeleton)));
                if self.held.len() > self.policy.held {
                    self.drop_oldest();
                }
            }
            _ => {
                self.holders.remove(skeleton);
            }
        }
        None
    }

    /// Lets the names go whose time is over.
    fn let_go(&mut self, now: Moment) {
        while self.held.front().is_some_and(|(until, _)| *until <= now) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((until, skeleton)) = self.held.pop_front() else { return };
        let stale = |holder: &Holder| matches!(holder.place, Place::Held(at, _) if at == until);
        if self.holders.get(&skeleton).is_some_and(stale) {
            self.holders.remove(&skeleton);
        }
    }

    /// Who is online under this name, and where.
    #[must_use]
    pub fn find(&self, name: &UserName) -> Option<(&Arc<Identity>, SessionId)> {
        let holder = self.holders.get(name.skeleton())?;
        match holder.place {
            Place::Online(session) => Some((&holder.who, session)),
            Place::Held(..) => None,
        }
    }

    /// How many names are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.holders.len()
    }

    /// Whether no name is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }

    fn is_reserved(&self, name: &UserName) -> bool {
        let own = || self.policy.reserved.iter().any(|own| own.skeleton() == name.skeleton());
        is_reserved(name.skeleton()) || own()
    }

    /// A free name like this one: with the first number behind it that makes it so.
    fn suggest(&self, name: &UserName) -> Option<String> {
        let free = |number: u32| {
            let text = format!("{name}{number}");
            let candidate = UserName::parse(&text).ok()?;
            let free = !self.holders.contains_key(candidate.skeleton());
            free.then_some(text)
        };
        // After a few that are taken, a random one: the search stays short however many there are.
        (2..10)
            .find_map(free)
            .or_else(|| (0..8).find_map(|_| free(rand::random_range(10..100_000))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::WorkerId;

    fn accounts() -> Accounts {
        let reserved = vec![UserName::parse("boss").unwrap()];
        Accounts::new(Policy { reserved, hold: Duration::from_secs(60), held: 2 })
    }

    fn session(slot: u32) -> SessionId {
        SessionId { worker: WorkerId(0), slot, generation: 0 }
    }

    fn enter(
        accounts: &mut Accounts,
        name: &str,
        token: Option<Key>,
        slot: u32,
        now_s: u64,
    ) -> Result<Entered, Refusal> {
        let now = Moment(now_s * 1_000_000_000);
        accounts.enter(UserName::parse(name).unwrap(), token, session(slot), now)
    }

    #[test]
    fn a_name_is_held_by_one_and_another_is_offered() {
        let mut accounts = accounts();
        enter(&mut accounts, "Alice", None, 1, 0).unwrap();
        for name in ["alice", "ALICE", "a1ice"] {
            let refusal = enter(&mut accounts, name, None, 2, 0).unwrap_err();
            assert_eq!(refusal.code, Code::NameTaken);
            let free = refusal.suggestion.unwrap();
            assert!(enter(&mut accounts, &free, None, 3, 0).is_ok(), "{free}");
        }
    }

    #[test]
    fn reserved_names_are_refused_in_every_disguise() {
        let mut accounts = accounts();
        for name in ["admin", "Admin", "r00t", "BOSS", "b0ss", "klatch"] {
            let refusal = enter(&mut accounts, name, None, 1, 0).unwrap_err();
            assert_eq!(refusal.code, Code::NameReserved, "{name}");
        }
    }

    #[test]
    fn the_token_takes_a_lost_name_again_and_nothing_else_does() {
        let mut accounts = accounts();
        let first = enter(&mut accounts, "ann", None, 1, 0).unwrap();
        let rooms = vec![RoomId(3)];
        assert_eq!(accounts.release(&first.who, session(1), Some(rooms.clone()), Moment(0)), None);
        assert!(enter(&mut accounts, "ann", Some(Key([0; 16])), 2, 10).is_err());
        assert!(accounts.find(&first.who.name).is_none(), "held is not online");
        let again = enter(&mut accounts, "ann", Some(first.token), 2, 59).unwrap();
        assert_eq!((again.who.account, again.rooms), (first.who.account, rooms));
        assert_eq!(again.replaced, None);
    }

    #[test]
    fn a_name_falls_free_after_its_time_and_is_another_account_then() {
        let mut accounts = accounts();
        let first = enter(&mut accounts, "ann", None, 1, 0).unwrap();
        accounts.release(&first.who, session(1), Some(vec![]), Moment(0));
        assert!(enter(&mut accounts, "ann", None, 2, 59).is_err());
        let second = enter(&mut accounts, "ann", Some(first.token), 2, 60).unwrap();
        assert_ne!(second.who.account, first.who.account);
        // A name that was logged out is free at once.
        accounts.release(&second.who, session(2), None, Moment(0));
        assert!(enter(&mut accounts, "ann", None, 3, 60).is_ok());
    }

    #[test]
    fn an_older_session_is_replaced_and_its_end_changes_nothing() {
        let mut accounts = accounts();
        let first = enter(&mut accounts, "ann", None, 1, 0).unwrap();
        let second = enter(&mut accounts, "ann", Some(first.token), 2, 1).unwrap();
        assert_eq!(second.replaced, Some(session(1)));
        let now_at = accounts.release(&first.who, session(1), Some(vec![]), Moment(0));
        assert_eq!(now_at, Some(session(2)));
        assert_eq!(accounts.find(&first.who.name).map(|(_, at)| at), Some(session(2)));
    }

    #[test]
    fn kept_names_are_bounded() {
        let mut accounts = accounts();
        for number in 0..5 {
            let entered = enter(&mut accounts, &format!("p-{number}x"), None, number, 0).unwrap();
            accounts.release(&entered.who, session(number), Some(vec![]), Moment(0));
        }
        assert_eq!(accounts.len(), 2);
        assert!(enter(&mut accounts, "p-0x", None, 9, 0).is_ok());
        assert!(enter(&mut accounts, "p-4x", None, 9, 0).is_err());
    }
}
