//! What moderators and owners do to a room and to others, and who is at home in it.

use std::sync::Arc;

use super::actor::ChatRoom;
use super::kind::role_of;
use super::mail::Ask;
use super::rights::{Deed, FOREVER};
use crate::base::id::{AccountId, Seq, SessionId};
use crate::base::limits::LIST_PAGE;
use crate::base::name::{Identity, RoomName};
use crate::protocol::event::{Configured, Event, Invited, LeaveReason, Ranked, Removed};
use crate::protocol::reply::{Page, StandingInfo, StandingList};
use crate::protocol::status::{Code, Refusal};
use crate::store::retention::Keep;
use crate::store::standing::{Access, Rank, Standing};

/// What is done to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// It may come in.
    Invite,
    /// Out, with a word about it.
    Kick(Option<Arc<str>>),
    /// Out and kept out, for so many milliseconds or for good, with a word about it; 0 ends it.
    Ban(Option<u64>, Option<Arc<str>>),
    /// Silent, likewise.
    Mute(Option<u64>),
    /// It may do this.
    Rank(Rank),
}

impl Measure {
    /// What somebody must be allowed to who takes it.
    fn deed(&self) -> Deed {
        match self {
            Self::Invite => Deed::Invite,
            Self::Kick(_) | Self::Ban(..) | Self::Mute(_) => Deed::Moderate,
            Self::Rank(_) => Deed::Rule,
        }
    }
}

/// How a room is to be set; what is absent stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Whether it is for those who are invited.
    pub private: Option<bool>,
    /// Whether only moderators write.
    pub announcement: Option<bool>,
    /// What a member must wait between two messages, in milliseconds.
    pub slow_ms: Option<u32>,
    /// What is kept at most; 0: as the server does.
    pub keep: Keep,
}

/// Somebody to whom something is done.
#[derive(Debug, Clone)]
pub struct Target {
    /// Who.
    pub who: Arc<Identity>,
    /// Where it is online.
    pub sessions: Vec<SessionId>,
}

/// What is to be kept after a change: what is absent stays, 0 is no bound.
fn newer(before: Keep, set: Keep) -> Keep {
    let one = |before: Option<u64>, set: Option<u64>| {
        set.map_or(before, |set| Some(set).filter(|set| *set > 0))
    };
    Keep {
        age_ms: one(before.age_ms, set.age_ms),
        entries: one(before.entries, set.entries),
        bytes: one(before.bytes, set.bytes),
    }
}

fn until(ms: Option<u64>, now: u64) -> Option<u64> {
    match ms {
        Some(0) => None,
        Some(ms) => Some(now.saturating_add(ms).min(FOREVER)),
        None => Some(FOREVER),
    }
}

impl ChatRoom {
    /// Does something to somebody.
    pub(super) fn moderate(&mut self, ask: &Ask, id: u32, target: &Target, measure: &Measure) {
        match self.try_moderate(ask, target, measure) {
            Ok(()) => self.batch.acknowledge_change(ask.from, id),
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
    }

    fn try_moderate(
        &mut self,
        ask: &Ask,
        target: &Target,
        measure: &Measure,
    ) -> Result<(), Refusal> {
        let (who, now) = (&ask.who, self.around.clock.unix_ms());
        self.room.check_member_or_admin(who)?;
        let deed = measure.deed();
        self.room.rights.may(who, deed, now)?;
        if *measure != Measure::Invite {
            self.room.rights.may_against(who, &target.who)?;
        }
        let (name, by) = (Arc::clone(self.room.name()), Arc::clone(who.name.shared()));
        match measure {
            Measure::Invite => {
                // Who is let in is not kept out: an invitation ends a ban.
                self.stand(&target.who, |standing| {
                    (standing.invited, standing.banned_until) = (true, None);
                })?;
                let event = Event::Invited(Invited { room: name, by });
                for &session in &target.sessions {
                    self.batch.inform(session, &event);
                }
            }
            Measure::Kick(text) => {
                if self.room.check_member(target.who.account).is_err() {
                    return Err(Refusal::new(Code::NotFound, "nobody of that name is in the room"));
                }
                self.stand(&target.who, |standing| {
                    (standing.resident, standing.invited, standing.read) = (false, false, Seq(0));
                })?;
                let (reason, text) = (LeaveReason::Kicked, text.clone());
                let (by, until) = (Some(by), None);
                self.put_out(
                    ask.from,
                    &target.who,
                    Removed { room: name, reason, by, text, until },
                );
            }
            Measure::Ban(ms, text) => {
                let until = until(*ms, now);
                self.stand(&target.who, |standing| {
                    standing.banned_until = until;
                    if until.is_some() {
                        (standing.resident, standing.invited) = (false, false);
                        standing.rank = Rank::Member;
                    }
                })?;
                if until.is_some() {
                    let (reason, text, by) = (LeaveReason::Banned, text.clone(), Some(by));
                    let until = until.filter(|until| *until < FOREVER);
                    self.put_out(
                        ask.from,
                        &target.who,
                        Removed { room: name, reason, by, text, until },
                    );
                }
            }
            Measure::Mute(ms) => {
                self.stand(&target.who, |standing| standing.muted_until = until(*ms, now))?;
            }
            Measure::Rank(rank) => {
                self.stand(&target.who, |standing| {
                    standing.rank = *rank;
                    if *rank > Rank::Member {
                        standing.banned_until = None;
                    }
                })?;
                let target = Arc::clone(target.who.name.shared());
                let ranked = Ranked { room: name, name: target, role: role_of(*rank), by };
                self.batch.tell(&self.attached, &Event::Ranked(ranked));
            }
        }
        Ok(())
    }

    /// Changes how an account stands to the room, and has it stored.
    pub(super) fn stand(
        &mut self,
        who: &Identity,
        change: impl FnOnce(&mut Standing),
    ) -> Result<(), Refusal> {
        let Some(before) = self.room.rights.stand(who, change)? else { return Ok(()) };
        let now = self.room.rights.standing(who.account);
        self.batch.settle(who, before, now);
        if self.room.rights.settings().access == Access::Private {
            self.card.show_to(self.room.rights.seers());
        }
        Ok(())
    }

    /// Lets an account be at home in the room, or no more; its other devices follow.
    pub(super) fn settle(&mut self, who: &Arc<Identity>, session: SessionId, stays: bool) {
        let is_private = self.room.rights.settings().access == Access::Private;
        let was = self.room.rights.standing(who.account).resident;
        if who.account.is_guest() {
            if stays && is_private {
                // A moderator among the guests is still let in when it is none any more.
                let known = self.stand(who, |standing| standing.invited = true);
                debug_assert!(known.is_ok(), "who may come in has a standing already");
            }
            return;
        }
        if was == stays {
            return;
        }
        // What was said before it came is not new to it.
        let read = if stays { self.room.head() } else { Seq(0) };
        let settle = |standing: &mut Standing| {
            (standing.resident, standing.read) = (stays, read);
        };
        if let Err(refusal) = self.stand(who, settle) {
            return log::debug!(session:% = session; "not at home in a room: {}", refusal.text);
        }
        (self.around.settled)(Settled {
            who: Arc::clone(who),
            room: self.room.room_name().clone(),
            session,
            stays,
        });
    }

    /// Puts an account out: all its sessions are told, and the others that it left.
    fn put_out(&mut self, session: SessionId, who: &Arc<Identity>, removed: Removed) {
        let reason = removed.reason;
        let sessions = self.room.remove(who.account, reason);
        let event = Event::Removed(removed);
        for &gone in &sessions {
            self.batch.detach(&mut self.attached, gone);
            self.batch.inform(gone, &event);
        }
        if !sessions.is_empty() {
            self.announce();
        }
        if !who.account.is_guest() {
            // Also of one that is away: it must not be brought back at its next login.
            let (who, room) = (Arc::clone(who), self.room.room_name().clone());
            (self.around.settled)(Settled { who, room, session, stays: false });
        }
    }

    /// An account leaves, with all its sessions; false if it was not in.
    pub(super) fn leave(&mut self, who: &Arc<Identity>, session: SessionId) -> bool {
        let sessions = self.room.remove(who.account, LeaveReason::Left);
        let removed = Event::Removed(Removed {
            room: Arc::clone(self.room.name()),
            reason: LeaveReason::Left,
            by: None,
            text: None,
            until: None,
        });
        for &gone in &sessions {
            self.batch.detach(&mut self.attached, gone);
            if gone != session {
                self.batch.inform(gone, &removed);
            }
        }
        self.settle(who, session, false);
        if sessions.is_empty() {
            return false;
        }
        self.announce();
        true
    }

    /// Sets the room.
    pub(super) fn configure(&mut self, ask: &Ask, id: u32, setting: Setting) {
        match self.try_configure(ask, setting) {
            Ok(()) => self.batch.acknowledge_change(ask.from, id),
            Err(refusal) => self.batch.refuse(ask.from, id, &refusal),
        }
    }

    fn try_configure(&mut self, ask: &Ask, setting: Setting) -> Result<(), Refusal> {
        let now = self.around.clock.unix_ms();
        self.room.check_member_or_admin(&ask.who)?;
        self.room.rights.may(&ask.who, Deed::Rule, now)?;
        if self.room.rights.is_direct() {
            return Err(Refusal::new(Code::Denied, "a direct room cannot be set"));
        }
        let before = self.room.rights.settings();
        let mut settings = before;
        if let Some(private) = setting.private {
            settings.access = if private { Access::Private } else { Access::Public };
        }
        settings.announcement = setting.announcement.unwrap_or(settings.announcement);
        settings.slow_ms = setting.slow_ms.unwrap_or(settings.slow_ms);
        settings.keep = newer(settings.keep, setting.keep);
        if settings == before {
            return Ok(());
        }
        if settings.access == Access::Private && before.access == Access::Public {
            for member in self.room.identities() {
                self.stand(&member, |standing| standing.invited = true)?;
            }
        }
        self.room.rights.set(settings);
        self.batch.configure(before, settings);
        self.card.show_to(self.room.rights.seers());
        let configured = Configured {
            room: Arc::clone(self.room.name()),
            kind: self.room.rights.kind().word(settings.access == Access::Public),
            announcement: settings.announcement,
            slow_ms: settings.slow_ms,
            keep_ms: settings.keep.age_ms,
            keep_entries: settings.keep.entries,
            keep_bytes: settings.keep.bytes,
            by: Arc::clone(ask.who.name.shared()),
        };
        self.batch.tell(&self.attached, &Event::Configured(configured));
        Ok(())
    }

    /// Who is more, or less, than a member.
    pub(super) fn standings(
        &self,
        ask: &Ask,
        after: Option<u64>,
        limit: Option<u32>,
    ) -> Result<StandingList, Refusal> {
        let now = self.around.clock.unix_ms();
        self.room.check_member_or_admin(&ask.who)?;
        self.room.rights.may(&ask.who, Deed::Moderate, now)?;
        let limit = limit.unwrap_or(LIST_PAGE).min(LIST_PAGE) as usize;
        let is_of_note = |standing: &Standing| {
            let Standing { resident, read, .. } = *standing;
            let plain = Standing { resident, read, ..Standing::default() };
            *standing != plain
        };
        let mut rest = self
            .room
            .rights
            .standings(after.map(AccountId))
            .filter(|(_, _, standing)| is_of_note(standing));
        let page = rest.by_ref().take(limit).map(|(account, name, standing)| StandingInfo {
            id: account.0,
            name: Arc::clone(name),
            role: role_of(standing.rank),
            invited: standing.invited,
            banned_until: standing.banned_until.filter(|until| *until > now),
            muted_until: standing.muted_until.filter(|until| *until > now),
        });
        Ok(StandingList { standings: Page(page.collect()), more: rest.next().is_some() })
    }
}

/// An account is at home in a room from now on, or no more.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The account.
    pub who: Arc<Identity>,
    /// The room.
    pub room: RoomName,
    /// The session that did it, or one of those that it was done to.
    pub session: SessionId,
    /// Whether it stays.
    pub stays: bool,
}
