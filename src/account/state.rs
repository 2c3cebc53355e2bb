//! Who holds which name.
//!
//! **Owns:** the names of all accounts; those of guests, as many as there are sessions with a name, and
//! those that are kept for a while after a connection was lost, at most as many again.
//! **Invariants:** no two accounts hold names that look alike, registered or not; a guest's account is
//! never given to a name that comes later; only the token takes a guest's name again. Whether a
//! password or a device's token is right is decided before: here it is believed.

mod roll;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::homes::Homes;
use crate::base::clock::Moment;
use crate::base::id::{AccountId, DeviceId, RoomId, SessionId};
use crate::base::name::{Identity, RoomName, UserName, is_reserved};
use crate::base::secret::Token;
use crate::protocol::status::{Code, Refusal};
use crate::store::registry::{Everybody, Which};

/// The rules of names.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Reserved besides those that always are.
    pub reserved: Vec<UserName>,
    /// How long a name is kept for its token after its connection was lost.
    pub hold: Duration,
    /// Most names that are kept so.
    pub held: usize,
    /// Whether there are guests.
    pub guests: bool,
    /// Most accounts that are registered.
    pub registered: usize,
}

/// The table of names.
#[derive(Debug)]
pub struct Accounts {
    pub(super) policy: Policy,
    holders: HashMap<Arc<str>, Box<Holder>>,
    /// Names kept for their token, in the order in which they fall free; some are in use again.
    held: VecDeque<(Moment, Arc<str>)>,
    next: AccountId,
    /// Who is registered, by skeleton.
    registered: HashMap<Arc<str>, Arc<Identity>>,
    /// Names that are just being registered.
    claimed: HashSet<Arc<str>>,
    /// The rooms that registered accounts come back to.
    /// Where accounts are at home.
    pub homes: Homes,
}

#[derive(Debug)]
struct Holder {
    who: Arc<Identity>,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    Guest(Token, Place),
    /// At least one session; each is on a device of its own.
    Account(SmallVec<[(SessionId, DeviceId); 1]>),
}

#[derive(Debug)]
enum Place {
    Online(SessionId),
    /// Kept until then, with the rooms that it was in.
    Held(Moment, Box<[RoomId]>),
}

/// A name was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Entered {
    /// Who it is.
    pub who: Arc<Identity>,
    /// The secret that takes the name again.
    pub token: Token,
    /// An older session of the same guest or device: it must go, and its rooms are to be passed on.
    pub replaced: Option<SessionId>,
    /// Rooms that the guest was in when its connection was lost.
    pub rooms: Vec<RoomId>,
    /// Rooms that the account comes back to.
    pub homes: Vec<RoomName>,
}

/// A login that was found to be right.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The account.
    pub who: Arc<Identity>,
    /// The device that it is at.
    pub device: DeviceId,
    /// The device's token.
    pub token: Token,
}

impl Accounts {
    /// Nobody holds a name; guests' ids begin at `first`.
    #[must_use]
    pub fn new(policy: Policy, first: AccountId, everybody: Everybody) -> Self {
        let mut accounts = Self {
            policy,
            holders: HashMap::new(),
            held: VecDeque::new(),
            next: first,
            registered: HashMap::new(),
            claimed: HashSet::new(),
            homes: Homes::new(everybody.homes),
        };
        for who in everybody.accounts {
            accounts.registered.insert(Arc::clone(who.name.skeleton()), who);
        }
        accounts
    }

    /// Takes a name for a guest's session.
    pub fn enter(
        &mut self,
        name: UserName,
        token: Option<&Token>,
        session: SessionId,
        now: Moment,
    ) -> Result<Entered, Refusal> {
        self.let_go(now);
        if self.is_reserved(&name) {
            return Err(Code::NameReserved.into());
        }
        if self.registered(&name).is_some() {
            let refusal = Refusal::from(Code::NameRegistered);
            return Err(self.with_suggestion(refusal, &name));
        }
        if !self.policy.guests {
            return Err(Code::GuestsDenied.into());
        }
        if self.claimed.contains(name.skeleton()) {
            return Err(self.taken(&name));
        }
        let Some(holder) = self.holders.get_mut(name.skeleton()) else {
            return Ok(self.open_guest(name, session));
        };
        let known = match &mut holder.hold {
            Hold::Guest(known, place) if token.is_some_and(|token| token.matches(known)) => {
                Some((known.clone(), std::mem::replace(place, Place::Online(session))))
            }
            Hold::Guest(..) | Hold::Account(_) => None,
        };
        let who = Arc::clone(&holder.who);
        let Some((token, before)) = known else { return Err(self.taken(&name)) };
        let (replaced, rooms) = match before {
            Place::Online(old) => (Some(old), Vec::new()),
            Place::Held(_, rooms) => (None, rooms.into_vec()),
        };
        Ok(Entered { who, token, replaced, rooms, homes: Vec::new() })
    }

    fn taken(&self, name: &UserName) -> Refusal {
        self.with_suggestion(Code::NameTaken.into(), name)
    }

    fn with_suggestion(&self, refusal: Refusal, name: &UserName) -> Refusal {
        match self.suggest(name) {
            Some(free) => refusal.suggest(free),
            None => refusal,
        }
    }

    fn open_guest(&mut self, name: UserName, session: SessionId) -> Entered {
        let account = self.next;
        self.next = AccountId(account.0 + 1);
        let skeleton = Arc::clone(name.skeleton());
        let who = Arc::new(Identity { account, name, admin: false });
        let token = Token::random();
        let hold = Hold::Guest(token.clone(), Place::Online(session));
        let holder = Holder { who: Arc::clone(&who), hold };
        self.holders.insert(skeleton, Box::new(holder));
        Entered { who, token, replaced: None, rooms: Vec::new(), homes: Vec::new() }
    }

    /// The account that a name belongs to.
    #[must_use]
    pub fn registered(&self, name: &UserName) -> Option<&Arc<Identity>> {
        self.registered.get(name.skeleton())
    }

    /// Keeps a name for an account that is being made; ends with [`settle`](Self::settle).
    pub fn claim(&mut self, name: &UserName, now: Moment) -> Result<(), Refusal> {
        self.let_go(now);
        if self.is_reserved(name) {
            return Err(Code::NameReserved.into());
        }
        let skeleton = name.skeleton();
        if self.holders.contains_key(skeleton) || self.registered.contains_key(skeleton) {
            return Err(self.taken(name));
        }
        let (used, allowed) = (self.registered.len() + self.claimed.len(), self.policy.registered);
        if used >= allowed {
            let refusal = Refusal::new(Code::Quota, "the server has as many accounts as it takes");
            return Err(refusal.limit("accounts_max", used as u64 + 1, allowed as u64));
        }
        if !self.claimed.insert(Arc::clone(skeleton)) {
            return Err(self.taken(name));
        }
        Ok(())
    }

    /// What became of a claim: the account that has the name now, if there is one.
    pub fn settle(&mut self, name: &UserName, who: Option<Arc<Identity>>) {
        self.claimed.remove(name.skeleton());
        if let Some(who) = who {
            self.registered.insert(Arc::clone(name.skeleton()), who);
        }
    }

    /// Opens an account's session, after its password or its token was found to be right.
    pub fn open(&mut self, proven: Proven, session: SessionId) -> Result<Entered, Refusal> {
        let Proven { who, device, token } = proven;
        if self.registered(&who.name).is_none_or(|known| known.account != who.account) {
            // It was deleted meanwhile.
            return Err(Code::BadCredentials.into());
        }
        let (account, skeleton) = (who.account, Arc::clone(who.name.skeleton()));
        let holder = self
            .holders
            .entry(skeleton)
            .or_insert_with(|| Box::new(Holder { who, hold: Hold::Account(SmallVec::new()) }));
        let Hold::Account(sessions) = &mut holder.hold else {
            return Err(Code::NameTaken.into());
        };
        let older = sessions.iter_mut().find(|(_, known)| *known == device);
        let replaced = older.map(|(known, _)| std::mem::replace(known, session));
        if replaced.is_none() {
            sessions.push((session, device));
        }
        let who = Arc::clone(&holder.who);
        Ok(Entered { who, token, replaced, rooms: Vec::new(), homes: self.homes.of(account) })
    }

    /// The sessions of an account on some of its devices.
    pub fn sessions(&self, who: &Identity) -> &[(SessionId, DeviceId)] {
        match self.holders.get(who.name.skeleton()).map(|holder| &**holder) {
            Some(Holder { hold: Hold::Account(sessions), who: known })
                if known.account == who.account =>
            {
                sessions
            }
            _ => &[],
        }
    }

    /// The device that a session is at.
    #[must_use]
    pub fn device_of(&self, who: &Identity, session: SessionId) -> Option<DeviceId> {
        let mut sessions = self.sessions(who).iter();
        sessions.find(|(known, _)| *known == session).map(|&(_, device)| device)
    }

    /// The sessions on these devices.
    #[must_use]
    pub fn sessions_on(&self, who: &Identity, which: Which) -> Vec<SessionId> {
        let sessions = self.sessions(who).iter();
        sessions
            .filter(|(_, device)| which.includes(*device))
            .map(|&(session, _)| session)
            .collect()
    }

    /// An account was deleted: its name is free.
    pub fn forget(&mut self, who: &Identity) {
        self.registered.remove(who.name.skeleton());
        self.homes.forget(who.account);
    }

    /// Gives up a name: at once, or, a guest's, kept for its token with the rooms it was in.
    ///
    /// Returns the session that the guest is at now, if this one was replaced.
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
        if holder.who.account != who.account {
            return None;
        }
        match &mut holder.hold {
            Hold::Account(sessions) => {
                sessions.retain(|(known, _)| *known != session);
                if sessions.is_empty() {
                    self.holders.remove(skeleton);
                }
                return None;
            }
            Hold::Guest(_, Place::Online(known)) if *known != session => return Some(*known),
            Hold::Guest(_, Place::Held(..)) => return None,
            Hold::Guest(_, place) => match kept {
                Some(rooms) if !self.policy.hold.is_zero() => {
                    let until = now.after(self.policy.hold);
                    *place = Place::Held(until, rooms.into_boxed_slice());
                    self.held.push_back((until, Arc::clone(skeleton)));
                }
                _ => {
                    self.holders.remove(skeleton);
                    return None;
                }
            },
        }
        if self.held.len() > self.policy.held {
            self.drop_oldest();
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
        let stale =
            |hold: &Hold| matches!(hold, Hold::Guest(_, Place::Held(at, _)) if *at == until);
        if self.holders.get(&skeleton).is_some_and(|holder| stale(&holder.hold)) {
            self.holders.remove(&skeleton);
        }
    }

    /// Who has this name, and on which sessions; a guest is found while it is online only.
    #[must_use]
    pub fn find(&self, name: &UserName) -> Option<(Arc<Identity>, Vec<SessionId>)> {
        match self.holders.get(name.skeleton()).map(|holder| &**holder) {
            Some(Holder { who, hold }) => match hold {
                Hold::Guest(_, Place::Online(session)) => Some((Arc::clone(who), vec![*session])),
                Hold::Guest(_, Place::Held(..)) => None,
                Hold::Account(sessions) => {
                    Some((Arc::clone(who), sessions.iter().map(|&(at, _)| at).collect()))
                }
            },
            None => self.registered(name).map(|who| (Arc::clone(who), Vec::new())),
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
            let skeleton = candidate.skeleton();
            let taken = self.holders.contains_key(skeleton)
                || self.registered.contains_key(skeleton)
                || self.claimed.contains(skeleton);
            (!taken).then_some(text)
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
        let hold = Duration::from_secs(60);
        let policy = Policy { reserved, hold, held: 2, guests: true, registered: 2 };
        Accounts::new(policy, AccountId::first_guest(1), Everybody::default())
    }

    fn session(slot: u32) -> SessionId {
        SessionId { worker: WorkerId(0), slot, generation: 0 }
    }

    fn enter(
        accounts: &mut Accounts,
        name: &str,
        token: Option<&Token>,
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
        assert!(enter(&mut accounts, "ann", Some(&Token::from([0; 32])), 2, 10).is_err());
        assert!(accounts.find(&first.who.name).is_none(), "held is not online");
        let again = enter(&mut accounts, "ann", Some(&first.token), 2, 59).unwrap();
        assert_eq!((again.who.account, again.rooms), (first.who.account, rooms));
        assert_eq!(again.replaced, None);
    }

    #[test]
    fn a_name_falls_free_after_its_time_and_is_another_account_then() {
        let mut accounts = accounts();
        let first = enter(&mut accounts, "ann", None, 1, 0).unwrap();
        accounts.release(&first.who, session(1), Some(vec![]), Moment(0));
        assert!(enter(&mut accounts, "ann", None, 2, 59).is_err());
        let second = enter(&mut accounts, "ann", Some(&first.token), 2, 60).unwrap();
        assert_ne!(second.who.account, first.who.account);
        // A name that was logged out is free at once.
        accounts.release(&second.who, session(2), None, Moment(0));
        assert!(enter(&mut accounts, "ann", None, 3, 60).is_ok());
    }

    #[test]
    fn an_older_session_is_replaced_and_its_end_changes_nothing() {
        let mut accounts = accounts();
        let first = enter(&mut accounts, "ann", None, 1, 0).unwrap();
        let second = enter(&mut accounts, "ann", Some(&first.token), 2, 1).unwrap();
        assert_eq!(second.replaced, Some(session(1)));
        let now_at = accounts.release(&first.who, session(1), Some(vec![]), Moment(0));
        assert_eq!(now_at, Some(session(2)));
        let found = accounts.find(&first.who.name);
        assert_eq!(found.map(|(_, at)| at), Some(vec![session(2)]));
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
