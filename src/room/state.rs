//! A room as a value: who is in it, what its topic is, and what its order is.
//!
//! **Owns:** members, topic, rights, the sequence. **Never:** sends, stores, or reads a clock.
//! **Invariants:** this is the only place that assigns a `seq`; each is one more than the last, and
//! one that was not committed is given again. Who is not a member sees nothing and says nothing.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::dedup::{Dedup, Done, Request};
use super::kind::{Kind, not_found, role_of};
use super::presence::Presence;
use super::rights::{self, Deed, Rights};
use super::targets::Targets;
use crate::base::clock::Moment;
use crate::base::id::{AccountId, Epoch, Seq, SessionId};
use crate::base::limits::LIST_PAGE;
use crate::base::name::{Identity, RoomName};
use crate::protocol::event::{Event, LeaveReason, TypingChanged};
use crate::protocol::reply::{
    Entry, EntryKind, MemberInfo, MemberList, Page, RoomState, TopicState,
};
use crate::protocol::status::{Code, Refusal};
use crate::store::standing::{Access, Rank};
use crate::store::{House, Keys, NewEntry};

/// A member's typing is told again after this time at the earliest.
const TYPING_INTERVAL: Duration = Duration::from_secs(3);

/// The bounds of a room.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Most members.
    pub members: u32,
    /// Above so many members arrivals and departures are told in longer intervals.
    pub presence_members: u32,
    /// Keys of messages that are remembered.
    pub keys: usize,
}

/// The room.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    policy: Policy,
    epoch: Epoch,
    pub(super) head: Seq,
    /// The committed topic, and those set after it whose commit is under way.
    topics: SmallVec<[TopicState; 1]>,
    pub(super) members: BTreeMap<AccountId, Box<Member>>,
    pub(super) dedup: Dedup,
    /// Who may do what.
    pub rights: Rights,
    pub(super) targets: Targets,
    /// Arrivals and departures that are not told yet.
    pub presence: Presence,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) who: Arc<Identity>,
    sessions: SmallVec<[SessionId; 1]>,
    since: u64,
    typing: Typing,
    /// When it last said something, in milliseconds since 1970 UTC.
    pub(super) said: u64,
}

/// What the others were told of a member's typing, and when they were told that it had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Typing {
    #[default]
    Untold,
    Began(Moment),
    Ended(Moment),
}

/// What a room goes on from.
#[derive(Debug)]
pub struct Past {
    /// Continuity of the history.
    pub epoch: Epoch,
    /// The newest seq.
    pub head: Seq,
    /// The topic.
    pub topic: TopicState,
    /// The keys that were used last.
    pub keys: Keys,
    /// How it is set, and how accounts stand to it.
    pub house: House,
}

/// What a join comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The account was not a member: the others are told.
    Account,
    /// The account was a member by another session.
    Session,
    /// The session was in the room already.
    Known,
}

/// What a leave comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The account's last session left: the others are told.
    Account,
    /// The account has other sessions in the room.
    Session,
    /// The session was not in the room.
    Unknown,
}

impl Room {
    /// A room without members, that goes on where its history ends.
    #[must_use]
    pub fn new(name: RoomName, kind: Kind, policy: Policy, past: Past) -> Self {
        let Past { epoch, head, topic, keys, house } = past;
        let mut dedup = Dedup::new(policy.keys, keys.since);
        for known in keys.known {
            let (request, done) =
                (Request::known(&known), Done { seq: known.seq, time: known.time });
            dedup.note(&known.from, known.key, request, done);
        }
        let members = BTreeMap::new();
        let (topics, presence) = (SmallVec::from_elem(topic, 1), Presence::default());
        let rights = Rights::new(kind, house, policy.members as usize);
        let targets = Targets::new(head);
        Self { name, policy, epoch, head, topics, members, dedup, rights, targets, presence }
    }

    /// Has other bounds hold from here on; who is in it stays.
    pub fn adopt(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        self.name.shared()
    }

    /// Its name, as a name.
    #[must_use]
    pub fn room_name(&self) -> &RoomName {
        &self.name
    }

    /// Takes another name; gives back the one that it had.
    pub fn rename(&mut self, name: RoomName) -> RoomName {
        std::mem::replace(&mut self.name, name)
    }

    /// How many accounts are in it.
    #[must_use]
    pub fn size(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// Whether arrivals and departures are told in longer intervals.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.size() > self.policy.presence_members
    }

    /// The newest seq.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// The committed topic.
    #[must_use]
    pub fn topic(&self) -> TopicState {
        self.topics.first().cloned().unwrap_or_else(|| TopicState {
            topic: "".into(),
            by: None,
            time: None,
            seq: None,
        })
    }

    /// Lets a session in.
    pub fn join(
        &mut self,
        who: &Arc<Identity>,
        session: SessionId,
        time: u64,
    ) -> Result<Arrival, Refusal> {
        self.rights.may(who, Deed::Enter, time)?;
        if let Some(member) = self.members.get_mut(&who.account) {
            if member.sessions.contains(&session) {
                return Ok(Arrival::Known);
            }
            member.sessions.push(session);
            return Ok(Arrival::Session);
        }
        if self.size() >= self.policy.members {
            let (used, allowed) = (u64::from(self.size()) + 1, u64::from(self.policy.members));
            return Err(Refusal::new(Code::Quota, "the room is full")
                .limit("members_max", used, allowed)
                .retry_after(Duration::from_secs(60)));
        }
        self.presence.joined(who.name.shared());
        let sessions = SmallVec::from_elem(session, 1);
        let member =
            Member { who: Arc::clone(who), sessions, since: time, typing: Typing::Untold, said: 0 };
        self.members.insert(who.account, Box::new(member));
        Ok(Arrival::Account)
    }

    /// Lets a session go.
    pub fn leave(
        &mut self,
        account: AccountId,
        session: SessionId,
        reason: LeaveReason,
    ) -> Departure {
        let Some(member) = self.members.get_mut(&account) else { return Departure::Unknown };
        let Some(index) = member.sessions.iter().position(|&known| known == session) else {
            return Departure::Unknown;
        };
        member.sessions.swap_remove(index);
        if !member.sessions.is_empty() {
            return Departure::Session;
        }
        if let Some(member) = self.members.remove(&account) {
            self.presence.left(member.who.name.shared(), reason);
        }
        Departure::Account
    }

    /// Puts an account out with all its sessions; these.
    pub fn remove(&mut self, account: AccountId, reason: LeaveReason) -> SmallVec<[SessionId; 1]> {
        let Some(member) = self.members.remove(&account) else { return SmallVec::new() };
        self.presence.left(member.who.name.shared(), reason);
        member.sessions
    }

    /// Everybody who is in.
    #[must_use]
    pub fn identities(&self) -> Vec<Arc<Identity>> {
        self.members.values().map(|member| Arc::clone(&member.who)).collect()
    }

    /// The account of a session that is in the room.
    #[must_use]
    pub fn account_of(&self, session: SessionId) -> Option<AccountId> {
        let mut members = self.members.iter();
        members.find(|(_, member)| member.sessions.contains(&session)).map(|(&account, _)| account)
    }

    /// The room as `account` finds it, if a member.
    #[must_use]
    pub fn seen_by(&self, account: AccountId, first: Seq) -> RoomState {
        let pair = rights::pair(self.rights.kind());
        let with = pair.and_then(|pair| pair.iter().find(|one| one.account != account));
        let settings = self.rights.settings();
        let member = self.members.get(&account);
        RoomState {
            room: Arc::clone(self.name()),
            kind: self.rights.kind().word(settings.access == Access::Public),
            with: with.map(|peer| Arc::clone(peer.name.shared())),
            epoch: self.epoch,
            seq: self.head,
            first,
            topic: self.topic().topic,
            members: self.size(),
            role: role_of(member.map_or(Rank::Member, |member| self.rights.rank(&member.who))),
            announcement: settings.announcement,
            slow_ms: settings.slow_ms,
            keep_ms: settings.keep.age_ms,
            keep_entries: settings.keep.entries,
            keep_bytes: settings.keep.bytes,
            read: (!account.is_guest()).then(|| self.rights.standing(account).read),
        }
    }

    /// Sets the topic.
    pub fn set_topic(
        &mut self,
        account: AccountId,
        topic: Arc<str>,
        time: u64,
    ) -> Result<NewEntry, Refusal> {
        let member = self.member(account)?;
        self.rights.may(&member.who, Deed::SetTopic, time)?;
        let from = Arc::clone(member.who.name.shared());
        let seq = self.head.next();
        self.head = seq;
        self.topics.push(TopicState {
            topic: Arc::clone(&topic),
            by: Some(Arc::clone(&from)),
            time: Some(time),
            seq: Some(seq),
        });
        let entry = Entry::new(seq, time, EntryKind::Topic, from, topic);
        Ok(NewEntry { entry, account, key: None })
    }

    /// Notes that everything up to `seq` is committed.
    pub fn committed(&mut self, seq: Seq) {
        while self.topics.len() > 1 && self.topics.get(1).is_some_and(|next| next.seq <= Some(seq))
        {
            self.topics.remove(0);
        }
        self.targets.committed(seq);
    }

    /// Takes back everything after `seq`: it was not committed.
    pub fn roll_back(&mut self, seq: Seq) {
        self.head = seq;
        self.topics.retain(|topic| topic.seq <= Some(seq));
        self.dedup.forget_after(seq);
        self.targets.roll_back(seq);
    }

    /// Notes that a member is typing; the event to tell, unless it was told a moment ago.
    pub fn typing(
        &mut self,
        account: AccountId,
        active: bool,
        now: Moment,
    ) -> Result<Option<Event>, Refusal> {
        self.rights.check_fences(&self.member(account)?.who)?;
        let room = Arc::clone(self.name());
        let member = self.members.get_mut(&account).ok_or_else(not_member)?;
        member.typing = match (active, member.typing) {
            (true, Typing::Began(told) | Typing::Ended(told))
                if now.since(told) < TYPING_INTERVAL =>
            {
                return Ok(None);
            }
            (true, _) => Typing::Began(now),
            (false, Typing::Began(told)) => Typing::Ended(told),
            (false, _) => return Ok(None),
        };
        let from = Arc::clone(member.who.name.shared());
        Ok(Some(Event::Typing(TypingChanged { room, from, active })))
    }

    /// A page of the members, by account.
    pub fn members(
        &self,
        account: AccountId,
        after: Option<u64>,
        limit: Option<u32>,
    ) -> Result<MemberList, Refusal> {
        self.member(account)?;
        let limit = limit.unwrap_or(LIST_PAGE).min(LIST_PAGE) as usize;
        let start = after.map_or(Bound::Unbounded, |id| Bound::Excluded(AccountId(id)));
        let mut rest = self.members.range((start, Bound::Unbounded));
        let page = rest.by_ref().take(limit).map(|(id, member)| MemberInfo {
            id: id.0,
            name: Arc::clone(member.who.name.shared()),
            since: member.since,
            role: role_of(self.rights.rank(&member.who)),
            guest: id.is_guest(),
        });
        let members = Page(page.collect());
        Ok(MemberList { members, total: self.size(), more: rest.next().is_some() })
    }

    /// The sessions of a member.
    #[must_use]
    pub fn sessions_of(&self, account: AccountId) -> &[SessionId] {
        self.members.get(&account).map_or(&[], |member| &member.sessions)
    }

    /// Refuses who is not a member.
    pub fn check_member(&self, account: AccountId) -> Result<(), Refusal> {
        self.member(account).map(drop)
    }

    /// Refuses who is neither a member nor administers the server.
    pub fn check_member_or_admin(&self, who: &Identity) -> Result<(), Refusal> {
        if who.admin && !self.rights.is_direct() {
            return Ok(());
        }
        self.check_member(who.account)
    }

    pub(super) fn member(&self, account: AccountId) -> Result<&Member, Refusal> {
        // A room that may not be seen answers like one that is not there.
        let unknown =
            || if self.rights.is_visible_to(account) { not_member() } else { not_found() };
        self.members.get(&account).map(|member| &**member).ok_or_else(unknown)
    }
}

fn not_member() -> Refusal {
    Code::NotMember.into()
}

#[cfg(test)]
mod tests;
