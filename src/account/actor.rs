//! The Accounts actor: gives out names and takes them back.
//!
//! **Receives** [`Enter`], [`Manage`] and [`Find`] from sessions, [`Release`] when a session has ended,
//! [`Settled`] from rooms, and what `operate` takes from those who run the server.
//! **Sends** the outcome to the session that asked, [`End`], [`Restore`] and [`Follow`] to the worker of
//! a session that it concerns.
//! **Bound:** requests are bounded by the sessions' credit; a full mailbox refuses them. What waits for
//! a hash or for storage is one request each.

mod operate;

use std::net::IpAddr;
use std::sync::Arc;

use actix::fut::ActorFutureExt;
use actix::{Actor, AsyncContext, Context, Handler, Recipient, WrapFuture};

use super::mail::{
    End, Enter, Find, Follow, Manage, Moved, Outcome, Release, Restore, Settled, Task,
};
use super::penalty::Penalties;
use super::proof::{Arriving, Prover};
use super::state::{Accounts, Entered, Proven};
use super::wish::{Claim, Wish};
use super::{invitation, password};
use crate::base::clock::Clock;
use crate::base::id::{DeviceId, RoomId, SessionId};
use crate::base::limits::{LIST_PAGE, MAILBOX};
use crate::base::name::{Identity, UserName};
use crate::base::secret::Token;
use crate::fanout::actor::{Deliver, Step};
use crate::mail;
use crate::protocol::codec;
use crate::protocol::event::LeaveReason;
use crate::protocol::reply::{DeviceInfo, DeviceList, Empty, Page, Registration};
use crate::protocol::status::{Code, Refusal};
use crate::store::registry::{DeviceRecord, Which};
use crate::throttle::bans::Bans;
use crate::throttle::budget::Purses;

/// Who is told of sessions on one worker.
pub struct Place {
    /// Ends a session.
    pub end: Recipient<End>,
    /// Puts a session back into rooms.
    pub restore: Recipient<Restore>,
    /// Takes a session into a room.
    pub follow: Recipient<Follow>,
    /// Answers requests.
    pub fanout: Recipient<Deliver>,
}

/// The actor.
pub struct Names {
    accounts: Accounts,
    penalties: Penalties,
    prover: Prover,
    registration: Registration,
    bans: Arc<Bans>,
    purses: Purses,
    clock: Arc<dyn Clock>,
    workers: Vec<Place>,
}

/// A login whose outcome is awaited.
struct Pending {
    session: SessionId,
    id: u32,
    peer: IpAddr,
    name: UserName,
    answer: Recipient<Outcome>,
}

impl Names {
    /// Nobody is online.
    pub fn new(
        accounts: Accounts,
        prover: Prover,
        registration: Registration,
        bans: Arc<Bans>,
        clock: Arc<dyn Clock>,
        workers: Vec<Place>,
    ) -> Self {
        let (penalties, purses) = (Penalties::default(), Purses::default());
        Self { accounts, penalties, prover, registration, bans, purses, clock, workers }
    }

    fn place(&self, session: SessionId) -> Option<&Place> {
        self.workers.get(usize::from(session.worker.0))
    }

    /// Takes a name that is free, or a guest's own; for anything else a proof is begun.
    fn enter(&mut self, enter: Enter, ctx: &mut Context<Self>) {
        let Enter { session, id, peer, wish: Wish { name, claim, device }, answer } = enter;
        let pending = Pending { session, id, peer, name: name.clone(), answer };
        let known = self.accounts.registered(&name).cloned();
        if let Err(refusal) = self.check(&claim, known.is_some(), &pending) {
            return self.tell(pending, Err(refusal));
        }
        let barred = self.barred(&name);
        let device = Arriving { label: device, time: self.clock.unix_ms() };
        let prover = self.prover.clone();
        match (claim, known) {
            (Claim::Guest, _) => self.admit_guest(pending, None),
            (Claim::Token(token), None) => self.admit_guest(pending, Some(&token)),
            (Claim::Token(token), Some(account)) => {
                let back = prover.come_back(account, token, device.time, barred);
                self.await_proof(pending, back, ctx);
            }
            (Claim::Password(password), known) => {
                self.await_proof(pending, prover.log_in(known, password, device, barred), ctx);
            }
            (Claim::Register(password, code), _) => {
                let code = code.map(|code| invitation::hash(&code));
                self.await_proof(pending, prover.register(name, password, code, device), ctx);
            }
        }
    }

    /// Whether a proof may be begun: takes the price of a wrong one in advance.
    fn check(&mut self, claim: &Claim, known: bool, pending: &Pending) -> Result<(), Refusal> {
        let (now, peer, name) = (self.clock.now(), pending.peer, &pending.name);
        match claim {
            // Who is registered under the name is told of a ban once the proof is there.
            Claim::Token(_) | Claim::Guest if !known => self.barred(name).map_or(Ok(()), Err),
            Claim::Guest => Ok(()),
            Claim::Token(_) | Claim::Password(_) => {
                self.penalties.charge(peer, name.skeleton(), now)
            }
            Claim::Register(password, code) => {
                self.check_open(code.is_some())?;
                if let Some(refusal) = self.barred(name).filter(|_| !known) {
                    return Err(refusal);
                }
                password::check(password, name)?;
                self.penalties.charge_registration(peer, now)?;
                self.accounts.claim(name, now)
            }
        }
    }

    fn check_open(&self, is_invited: bool) -> Result<(), Refusal> {
        let closed = |text| Err(Refusal::new(Code::RegistrationClosed, text));
        match self.registration {
            // An invitation opens every door: it is made by who administers the server.
            _ if is_invited => Ok(()),
            Registration::Open => Ok(()),
            Registration::Invite => closed("an account takes the code of an invitation here"),
            Registration::Closed | Registration::Unknown => {
                closed("new accounts are not made here")
            }
        }
    }

    fn admit_guest(&mut self, pending: Pending, token: Option<&Token>) {
        let (name, session, now) = (pending.name.clone(), pending.session, self.clock.now());
        let entered = self.accounts.enter(name, token, session, now);
        self.tell(pending, entered);
    }

    fn await_proof(
        &self,
        pending: Pending,
        proof: impl Future<Output = Result<Proven, Refusal>> + 'static,
        ctx: &mut Context<Self>,
    ) {
        ctx.spawn(proof.into_actor(self).map(|proven, names, _| names.proven(pending, proven)));
    }

    fn proven(&mut self, pending: Pending, proven: Result<Proven, Refusal>) {
        self.penalties.settle(pending.peer, pending.name.skeleton(), &proven);
        let who = proven.as_ref().ok().map(|proven| Arc::clone(&proven.who));
        self.accounts.settle(&pending.name, who);
        let session = pending.session;
        let entered = proven.and_then(|proven| {
            // It may have been banned while the proof was awaited.
            self.barred(&proven.who.name).map_or(Ok(()), Err)?;
            self.accounts.open(proven, session)
        });
        self.tell(pending, entered);
    }

    /// Tells a session what became of its login.
    fn tell(&mut self, pending: Pending, entered: Result<Entered, Refusal>) {
        let Pending { session, id, answer, .. } = pending;
        if let Ok(Entered { replaced: Some(old), .. }) = &entered {
            self.end(*old, LeaveReason::Lost, Code::Replaced.into());
        }
        let who = entered.as_ref().ok().map(|entered| Arc::clone(&entered.who));
        let account = who.as_ref().map(|who| who.account).filter(|account| !account.is_guest());
        let purse = account.map(|account| self.purses.of(account));
        let refused = mail::offer(&answer, Outcome { id, entered, purse }).is_err();
        if let (true, Some(who)) = (refused, who) {
            // The session ended while it waited: the name must not stay taken.
            self.accounts.release(&who, session, None, self.clock.now());
        }
    }

    fn end(&self, session: SessionId, reason: LeaveReason, bye: Refusal) {
        if let Some(place) = self.place(session) {
            // Bounded: once for each session.
            mail::post(&place.end, End { session, reason, bye });
        }
    }

    fn respond<T: serde::Serialize>(
        &self,
        session: SessionId,
        id: u32,
        result: Result<T, Refusal>,
    ) {
        let frame = match result {
            Ok(result) => codec::result_frame(id, &result),
            Err(refusal) => codec::refusal_frame(id, &refusal),
        };
        if let Some(place) = self.place(session) {
            // The answer to one request: bounded by its session's credit. No room is concerned.
            let steps = vec![Step::Respond(session, frame)];
            mail::post(&place.fanout, Deliver { room: RoomId(u32::MAX), steps });
        }
    }

    fn manage(&mut self, manage: Manage, ctx: &mut Context<Self>) -> Result<(), Refusal> {
        let Manage { session, who, id, peer, task } = manage;
        if who.account.is_guest() {
            return Err(Code::NoAccount.into());
        }
        let own = self.accounts.device_of(&who, session).ok_or(Code::NotFound)?;
        let (prover, account) = (self.prover.clone(), who.account);
        let asked = Asked { session, id, who };
        match task {
            Task::Devices => {
                let devices = prover.devices(account).into_actor(self);
                ctx.spawn(devices.map(move |devices, names, _| {
                    let list = devices.map(|devices| names.list(&asked.who, own, devices));
                    names.respond(session, id, list);
                }));
            }
            Task::Unread { after, limit } => {
                let limit = limit.unwrap_or(LIST_PAGE).min(LIST_PAGE);
                let unread = prover.unread(asked.who, after, limit).into_actor(self);
                ctx.spawn(unread.map(move |unread, names, _| names.respond(session, id, unread)));
            }
            Task::Passwd(old, new) => {
                password::check(&new, &asked.who.name)?;
                self.pay(peer, &asked.who)?;
                let changed = prover.passwd(account, own, old, new).into_actor(self);
                ctx.spawn(changed.map(move |others, names, _| {
                    names.penalties.settle(peer, asked.who.name.skeleton(), &others);
                    names.revoked(&asked, others);
                }));
            }
            Task::Unregister(password) => {
                self.pay(peer, &asked.who)?;
                let deleted = prover.unregister(account, password).into_actor(self);
                ctx.spawn(deleted.map(move |deleted, names, _| {
                    names.penalties.settle(peer, asked.who.name.skeleton(), &deleted);
                    if deleted.is_ok() {
                        names.accounts.forget(&asked.who);
                    }
                    names.revoked(&asked, deleted.map(|()| Which::All));
                }));
            }
            Task::Revoke(device) => self.revoke(asked, Which::One(device), ctx),
            Task::Logout(all) => {
                self.revoke(asked, if all { Which::All } else { Which::One(own) }, ctx);
            }
        }
        Ok(())
    }

    fn pay(&mut self, peer: IpAddr, who: &Identity) -> Result<(), Refusal> {
        self.penalties.charge(peer, who.name.skeleton(), self.clock.now())
    }

    fn revoke(&self, asked: Asked, which: Which, ctx: &mut Context<Self>) {
        let revoked = self.prover.clone().revoke(asked.who.account, which).into_actor(self);
        ctx.spawn(revoked.map(move |which, names, _| names.revoked(&asked, which)));
    }

    /// Devices were logged out: their sessions end. The one that asked is answered first.
    fn revoked(&self, asked: &Asked, which: Result<Which, Refusal>) {
        let Asked { session, id, who } = asked;
        let which = match which {
            Ok(which) => which,
            Err(refusal) => return self.respond::<Empty>(*session, *id, Err(refusal)),
        };
        self.respond(*session, *id, Ok(Empty {}));
        for gone in self.accounts.sessions_on(who, which) {
            let code = if gone == *session { Code::Logout } else { Code::Revoked };
            self.end(gone, LeaveReason::Logout, code.into());
        }
    }

    fn list(&self, who: &Identity, own: DeviceId, devices: Vec<DeviceRecord>) -> DeviceList {
        let sessions = self.accounts.sessions(who);
        let devices = devices.into_iter().map(|record| DeviceInfo {
            id: record.id.0,
            device: record.label,
            since: record.since,
            seen: record.seen,
            online: sessions.iter().any(|(_, device)| *device == record.id),
            current: record.id == own,
        });
        DeviceList { devices: Page(devices.collect()) }
    }

    fn follow(&self, settled: &Settled) {
        let Settled { who, room, session, .. } = settled;
        let others = self.accounts.sessions(who).iter().filter(|(other, _)| other != session);
        for &(session, _) in others {
            if let Some(place) = self.place(session) {
                let follow = Follow { session, who: Arc::clone(who), room: room.clone() };
                // Bounded by the devices of an account.
                mail::post(&place.follow, follow);
            }
        }
    }
}

/// A request to be answered.
struct Asked {
    session: SessionId,
    id: u32,
    who: Arc<Identity>,
}

impl Actor for Names {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Enter> for Names {
    type Result = ();

    fn handle(&mut self, enter: Enter, ctx: &mut Self::Context) {
        self.enter(enter, ctx);
    }
}

impl Handler<Manage> for Names {
    type Result = ();

    fn handle(&mut self, manage: Manage, ctx: &mut Self::Context) {
        let (session, id) = (manage.session, manage.id);
        if let Err(refusal) = self.manage(manage, ctx) {
            self.respond::<Empty>(session, id, Err(refusal));
        }
    }
}

impl Handler<Release> for Names {
    type Result = ();

    fn handle(&mut self, release: Release, _: &mut Self::Context) {
        let Release { session, who, kept } = release;
        let rooms = kept.clone().unwrap_or_default();
        let replaced_by = self.accounts.release(&who, session, kept, self.clock.now());
        if let Some(session) = replaced_by
            && !rooms.is_empty()
            && let Some(place) = self.place(session)
        {
            mail::post(&place.restore, Restore { session, who, rooms });
        }
    }
}

impl Handler<Find> for Names {
    type Result = ();

    fn handle(&mut self, find: Find, _: &mut Self::Context) {
        (find.answer)(self.accounts.find(&find.name));
    }
}

impl Handler<Settled> for Names {
    type Result = ();

    fn handle(&mut self, settled: Settled, _: &mut Self::Context) {
        if settled.stays {
            self.follow(&settled);
        }
        self.accounts.homes.settle(settled.who.account, settled.room, settled.stays);
    }
}

impl Handler<Moved> for Names {
    type Result = ();

    fn handle(&mut self, moved: Moved, _: &mut Self::Context) {
        self.accounts.homes.move_room(&moved.room, moved.name.as_ref());
    }
}
