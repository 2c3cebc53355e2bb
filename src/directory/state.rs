//! Which rooms there are: names, and who may see them.
//!
//! **Owns:** at most as many rooms as its bound, and those that were stored. At the bound a new room
//! takes the place of the one that has been empty for the longest time, if nothing is lost with it;
//! if there is none, it is refused.
//! **Invariants:** no two rooms have names that look alike; a direct room is found by its two
//! accounts and by nobody else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::base::clock::Moment;
use crate::base::id::{AccountId, RoomId};
use crate::base::limits::LIST_PAGE;
use crate::base::name::{Identity, NameError, RoomName, is_reserved};
use crate::protocol::reply::{Page, RoomInfo, RoomList};
use crate::protocol::status::{Code, Refusal};
use crate::room::card::Card;
use crate::room::kind::{Kind, not_found};
use crate::store::RoomRecord;
use crate::store::search::Sight;

/// The table of rooms.
#[derive(Debug)]
pub struct Directory {
    bound: usize,
    permanent: Vec<RoomName>,
    rooms: HashMap<RoomId, Listed>,
    by_name: BTreeMap<RoomName, RoomId>,
    by_skeleton: HashMap<Arc<str>, RoomId>,
    by_pair: HashMap<[AccountId; 2], RoomId>,
    next: u32,
    /// Names that rooms are about to take.
    reserved: HashMap<RoomId, (RoomName, Arc<str>)>,
}

#[derive(Debug)]
struct Listed {
    name: RoomName,
    kind: Kind,
    card: Arc<Card>,
}

impl Listed {
    fn may_be_seen_by(&self, who: &Identity) -> bool {
        match &self.kind {
            Kind::Direct(pair) => pair.iter().any(|one| one.account == who.account),
            Kind::Room => who.admin || self.card.may_see(who.account),
        }
    }
}

/// A room that was just listed: its actor is to be made.
#[derive(Debug)]
pub struct Made {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// Its kind.
    pub kind: Kind,
    /// What it shows of itself.
    pub card: Arc<Card>,
    /// The room that had to go for it.
    pub retired: Option<RoomId>,
}

impl Directory {
    /// As many rooms as there may be.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// An empty table for at most `bound` rooms, of which the `permanent` are never retired.
    #[must_use]
    pub fn new(bound: usize, permanent: Vec<RoomName>) -> Self {
        Self {
            bound,
            permanent,
            rooms: HashMap::new(),
            by_name: BTreeMap::new(),
            by_skeleton: HashMap::new(),
            by_pair: HashMap::new(),
            next: 0,
            reserved: HashMap::new(),
        }
    }

    /// Has other rooms be permanent from here on.
    pub fn adopt(&mut self, permanent: Vec<RoomName>) {
        self.permanent = permanent;
    }

    /// Every room, in the order in which they were made.
    pub fn all(&self) -> impl Iterator<Item = (&RoomName, &Kind, &Card)> {
        let mut rooms: Vec<_> = self.rooms.iter().collect();
        rooms.sort_unstable_by_key(|(id, _)| **id);
        rooms.into_iter().map(|(_, room)| (&room.name, &room.kind, room.card.as_ref()))
    }

    /// The room of this name, if it may be seen.
    pub fn find(&self, name: &RoomName, who: &Identity) -> Result<RoomId, Refusal> {
        let found = self.by_name.get(name).filter(|id| self.may_see(**id, who));
        found.copied().ok_or_else(not_found)
    }

    fn may_see(&self, id: RoomId, who: &Identity) -> bool {
        self.rooms.get(&id).is_some_and(|room| room.may_be_seen_by(who))
    }

    /// Lists a new room; `founder` is who may know of it, if it is private.
    pub fn create(
        &mut self,
        name: RoomName,
        founder: Option<AccountId>,
        now: Moment,
    ) -> Result<Made, Refusal> {
        let skeleton = self.check_free(&name)?;
        let made = self.list(name, Kind::Room, now)?;
        made.card.show_to(founder.map(|founder| HashSet::from([founder])));
        self.by_skeleton.insert(skeleton, made.id);
        Ok(made)
    }

    /// What a free name looks like.
    fn check_free(&self, name: &RoomName) -> Result<Arc<str>, Refusal> {
        let skeleton = name.skeleton();
        if name.is_direct() {
            return Err(invalid(&NameError::Character('@')));
        }
        if is_reserved(&skeleton) {
            return Err(Code::NameReserved.into());
        }
        if let Some(known) = self.by_skeleton.get(&skeleton).and_then(|id| self.rooms.get(id)) {
            if !known.card.is_public() {
                // What is hidden must not be told from what nobody may have.
                return Err(Code::NameReserved.into());
            }
            let known = known.name.as_str();
            let text = format!("the room {known} exists, and its name looks the same");
            return Err(Refusal::new(Code::Exists, text));
        }
        Ok(skeleton)
    }

    /// Refuses a fate that the configuration would undo.
    pub fn check_may_go(&self, room: RoomId) -> Result<(), Refusal> {
        let listed = self.rooms.get(&room).ok_or_else(not_found)?;
        if self.permanent.contains(&listed.name) {
            let text = "the room is one of the server's own: its configuration names it";
            return Err(Refusal::new(Code::Denied, text));
        }
        Ok(())
    }

    /// Keeps a name free for a room that is to take it.
    pub fn reserve(&mut self, room: RoomId, name: &RoomName) -> Result<(), Refusal> {
        self.check_may_go(room)?;
        if self.reserved.contains_key(&room) {
            let wait = std::time::Duration::from_millis(100);
            return Err(Refusal::from(Code::Busy).retry_after(wait));
        }
        if self.by_name.get(name) == Some(&room) {
            return Err(Refusal::new(Code::Exists, "the room is called so already"));
        }
        let own = self.by_skeleton.get(&name.skeleton()) == Some(&room);
        let skeleton = if own { name.skeleton() } else { self.check_free(name)? };
        self.by_skeleton.insert(Arc::clone(&skeleton), room);
        self.reserved.insert(room, (name.clone(), skeleton));
        Ok(())
    }

    /// The room does not take the name that was kept for it.
    pub fn release(&mut self, room: RoomId) {
        let Some((_, skeleton)) = self.reserved.remove(&room) else { return };
        let own = self.rooms.get(&room).map(|listed| listed.name.skeleton());
        if own.is_none_or(|own| own != skeleton) {
            self.by_skeleton.remove(&skeleton);
        }
    }

    /// The room takes the name that was kept for it; gives the one that it had.
    pub fn rename(&mut self, room: RoomId, name: RoomName) -> Option<RoomName> {
        let (_, skeleton) = self.reserved.remove(&room)?;
        let listed = self.rooms.get_mut(&room)?;
        let before = std::mem::replace(&mut listed.name, name.clone());
        self.by_name.remove(&before);
        self.by_name.insert(name, room);
        if before.skeleton() != skeleton {
            self.by_skeleton.remove(&before.skeleton());
        }
        Some(before)
    }

    /// Unlists a room; its name.
    pub fn remove(&mut self, id: RoomId) -> Option<RoomName> {
        let room = self.rooms.remove(&id)?;
        self.by_name.remove(&room.name);
        self.by_skeleton.retain(|_, known| *known != id);
        self.by_pair.retain(|_, known| *known != id);
        self.reserved.remove(&id);
        Some(room.name)
    }

    /// The direct room of two accounts, if there is one.
    #[must_use]
    pub fn direct_room(&self, one: AccountId, other: AccountId) -> Option<RoomId> {
        let mut pair = [one, other];
        pair.sort_unstable();
        self.by_pair.get(&pair).copied()
    }

    /// Lists a room that was stored before. A private one shows itself when it is there.
    pub fn restore(
        &mut self,
        name: RoomName,
        record: &RoomRecord,
        kind: Kind,
        now: Moment,
    ) -> Made {
        let skeleton = name.skeleton();
        let made = self.enlist(name, kind, now);
        made.card.keep();
        made.card.set_topic(&record.topic);
        if record.is_private {
            made.card.show_to(Some(HashSet::new()));
        }
        match &made.kind {
            Kind::Room => {
                self.by_skeleton.insert(skeleton, made.id);
            }
            Kind::Direct(pair) => {
                let mut pair = pair.each_ref().map(|one| one.account);
                pair.sort_unstable();
                self.by_pair.insert(pair, made.id);
            }
        }
        made
    }

    /// The direct room of two accounts, and what is to be made if it is new.
    pub fn direct(
        &mut self,
        one: &Arc<Identity>,
        other: &Arc<Identity>,
        now: Moment,
    ) -> Result<(RoomId, Option<Made>), Refusal> {
        let mut pair = [one.account, other.account];
        pair.sort_unstable();
        if let Some(&id) = self.by_pair.get(&pair) {
            return Ok((id, None));
        }
        let name = RoomName::direct(rand::random());
        let kind = Kind::Direct([Arc::clone(one), Arc::clone(other)]);
        let made = self.list(name, kind, now)?;
        self.by_pair.insert(pair, made.id);
        Ok((made.id, Some(made)))
    }

    fn list(&mut self, name: RoomName, kind: Kind, now: Moment) -> Result<Made, Refusal> {
        let retired = if self.rooms.len() >= self.bound { Some(self.retire()?) } else { None };
        Ok(Made { retired, ..self.enlist(name, kind, now) })
    }

    fn enlist(&mut self, name: RoomName, kind: Kind, now: Moment) -> Made {
        let id = RoomId(self.next);
        self.next = self.next.wrapping_add(1);
        let card = Arc::new(Card::new(now));
        self.by_name.insert(name.clone(), id);
        let listed = Listed { name: name.clone(), kind: kind.clone(), card: Arc::clone(&card) };
        self.rooms.insert(id, listed);
        Made { id, name, kind, card, retired: None }
    }

    /// Unlists the room that has been empty for the longest time.
    fn retire(&mut self) -> Result<RoomId, Refusal> {
        let empty = self.rooms.iter().filter(|(_, room)| !self.permanent.contains(&room.name));
        let oldest = empty
            .filter_map(|(&id, room)| room.card.idle_since().map(|since| (since, id)))
            .min()
            .map(|(_, id)| id);
        let allowed = self.bound as u64;
        let id = oldest.ok_or_else(|| {
            Refusal::new(
                Code::Quota,
                "the server has as many rooms as it takes, and each is in use",
            )
            .limit("rooms_max", allowed + 1, allowed)
            .retry_after(std::time::Duration::from_secs(60))
        })?;
        self.remove(id);
        Ok(id)
    }

    /// A page of the rooms that somebody may see, by name.
    #[must_use]
    pub fn list_for(
        &self,
        who: &Identity,
        after: Option<&RoomName>,
        limit: Option<u32>,
    ) -> RoomList {
        let limit = limit.unwrap_or(LIST_PAGE).min(LIST_PAGE) as usize;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut visible = self
            .by_name
            .range::<RoomName, _>((start, Bound::Unbounded))
            .filter_map(|(_, id)| self.rooms.get(id))
            .filter(|room| room.may_be_seen_by(who));
        let rooms = visible.by_ref().take(limit).map(|room| RoomInfo {
            room: Arc::clone(room.name.shared()),
            kind: room.kind.word(room.card.is_public()),
            topic: room.card.topic(),
            members: room.card.members(),
        });
        RoomList { rooms: Page(rooms.collect()), more: visible.next().is_some() }
    }

    /// Which of the stored rooms somebody may search in: those that are listed and may be seen. The
    /// one place where that is decided.
    #[must_use]
    pub fn sight(&self, who: &Identity) -> Sight {
        let names = |direct: bool, seen: bool| -> HashSet<String> {
            let rooms = self.rooms.values();
            let rooms = rooms.filter(|room| room.name.is_direct() == direct);
            let rooms = rooms.filter(|room| room.may_be_seen_by(who) == seen);
            rooms.map(|room| room.name.as_str().to_owned()).collect()
        };
        // Few rooms are hidden, and few direct rooms are one's own.
        let (hidden, own) = (names(false, false), names(true, true));
        Arc::new(
            move |name| {
                if name.starts_with('@') { own.contains(name) } else { !hidden.contains(name) }
            },
        )
    }

    /// Whether there is a room of this name.
    #[must_use]
    pub fn contains(&self, name: &RoomName) -> bool {
        self.by_name.contains_key(name)
    }

    /// How many rooms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }
}

/// The refusal of a text that is not a name.
#[must_use]
pub fn invalid(error: &NameError) -> Refusal {
    Refusal::new(Code::NameInvalid, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::UserName;

    fn name(text: &str) -> RoomName {
        RoomName::parse(text).unwrap()
    }

    fn person(account: u64) -> Arc<Identity> {
        let name = UserName::parse(&format!("p{account}")).unwrap();
        Arc::new(Identity { account: AccountId(account), name, admin: false })
    }

    #[test]
    fn rooms_that_look_alike_are_one() {
        let mut directory = Directory::new(10, vec![]);
        directory.create(name("pau1"), None, Moment(0)).unwrap();
        let refusal = directory.create(name("paul"), None, Moment(0)).unwrap_err();
        assert_eq!(refusal.code, Code::Exists);
        assert!(refusal.text.contains("pau1"));
        assert_eq!(
            directory.create(name("admin"), None, Moment(0)).unwrap_err().code,
            Code::NameReserved
        );
        assert_eq!(directory.find(&name("paul"), &person(1)).unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn a_direct_room_is_one_for_its_two_and_none_for_others() {
        let mut directory = Directory::new(10, vec![]);
        let (ann, bob) = (person(1), person(2));
        let (id, made) = directory.direct(&ann, &bob, Moment(0)).unwrap();
        let direct = made.unwrap().name;
        assert_eq!(directory.direct(&bob, &ann, Moment(0)).unwrap().0, id);
        assert_eq!(directory.find(&direct, &ann), Ok(id));
        assert_eq!(directory.find(&direct, &person(3)).unwrap_err().code, Code::NotFound);
        assert_eq!(directory.list_for(&person(3), None, None).rooms.0.len(), 0);
        assert_eq!(directory.list_for(&bob, None, None).rooms.0.len(), 1);
    }

    #[test]
    fn at_the_bound_the_longest_empty_room_goes() {
        let mut directory = Directory::new(3, vec![name("lobby")]);
        let lobby = directory.create(name("lobby"), None, Moment(0)).unwrap();
        let busy = directory.create(name("busy"), None, Moment(1)).unwrap();
        busy.card.set_members(1, Moment(1));
        let old = directory.create(name("old"), None, Moment(2)).unwrap();
        let new = directory.create(name("new"), None, Moment(3)).unwrap();
        assert_eq!(new.retired, Some(old.id));
        assert!(directory.find(&name("old"), &person(1)).is_err());
        new.card.set_members(1, Moment(4));
        let refusal = directory.create(name("one-more"), None, Moment(5)).unwrap_err();
        assert_eq!(refusal.limit.map(|l| (l.name, l.used, l.allowed)), Some(("rooms_max", 4, 3)));
        assert_eq!(directory.find(&name("lobby"), &person(1)), Ok(lobby.id));
    }

    #[test]
    fn lists_come_in_pages_by_name() {
        let mut directory = Directory::new(10, vec![]);
        for text in ["b", "a", "c"] {
            directory.create(name(text), None, Moment(0)).unwrap();
        }
        let page = directory.list_for(&person(1), None, Some(2));
        assert_eq!((&*page.rooms.0[1].room, page.more), ("b", true));
        let page = directory.list_for(&person(1), Some(&name("b")), Some(2));
        assert_eq!((&*page.rooms.0[0].room, page.rooms.0.len(), page.more), ("c", 1, false));
    }
}
