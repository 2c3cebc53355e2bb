//! The Accounts actor: gives out names and takes them back.
//!
//! **Receives** [`Enter`] and [`Find`] from sessions, [`Release`] when a session has ended.
//! **Sends** the outcome to the session that asked, [`Replace`] and [`Restore`] to the worker of a
//! session that it concerns.
//! **Bound:** requests are bounded by the sessions' credit; a full mailbox refuses them.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, Recipient};

use super::state::{Accounts, Entered, Policy};
use crate::base::clock::Clock;
use crate::base::id::{Key, RoomId, SessionId};
use crate::base::limits::MAILBOX;
use crate::base::name::{Identity, UserName};
use crate::mail;
use crate::protocol::status::Refusal;

/// A session wants a name.
pub struct Enter {
    /// The session.
    pub session: SessionId,
    /// The number of its request.
    pub id: u32,
    /// The name.
    pub name: UserName,
    /// The token of an earlier login.
    pub token: Option<Key>,
    /// Who is told.
    pub answer: Recipient<Outcome>,
}

impl Message for Enter {
    type Result = ();
}

/// What became of it.
#[derive(Debug)]
pub struct Outcome {
    /// The number of the request.
    pub id: u32,
    /// The name, or why not.
    pub entered: Result<Entered, Refusal>,
}

impl Message for Outcome {
    type Result = ();
}

/// A session has ended, or its name is given up.
#[derive(Debug)]
pub struct Release {
    /// The session.
    pub session: SessionId,
    /// Who it was.
    pub who: Arc<Identity>,
    /// The rooms that it was in, if its connection was lost and the name is to be kept.
    pub kept: Option<Vec<RoomId>>,
}

impl Message for Release {
    type Result = ();
}

/// Takes who was found, and where.
pub type Finder = Box<dyn FnOnce(Option<(Arc<Identity>, SessionId)>) + Send>;

/// Somebody is sought by name.
pub struct Find {
    /// The name.
    pub name: UserName,
    /// Told on the Accounts' thread; must not wait.
    pub answer: Finder,
}

impl Message for Find {
    type Result = ();
}

/// A session is replaced by a newer one of the same account.
#[derive(Debug)]
pub struct Replace(pub SessionId);

impl Message for Replace {
    type Result = ();
}

/// A session goes on where an older one of the same account ended.
#[derive(Debug)]
pub struct Restore {
    /// The session.
    pub session: SessionId,
    /// Who it is.
    pub who: Arc<Identity>,
    /// The rooms that the account was in.
    pub rooms: Vec<RoomId>,
}

impl Message for Restore {
    type Result = ();
}

/// Who is told of sessions on one worker.
pub struct Place {
    /// Ends a session.
    pub replace: Recipient<Replace>,
    /// Puts a session back into rooms.
    pub restore: Recipient<Restore>,
}

/// The actor.
pub struct Names {
    accounts: Accounts,
    clock: Arc<dyn Clock>,
    workers: Vec<Place>,
}

impl Names {
    /// Nobody holds a name.
    pub fn new(policy: Policy, clock: Arc<dyn Clock>, workers: Vec<Place>) -> Self {
        Self { accounts: Accounts::new(policy), clock, workers }
    }

    fn place(&self, session: SessionId) -> Option<&Place> {
        self.workers.get(usize::from(session.worker.0))
    }
}

impl Actor for Names {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Enter> for Names {
    type Result = ();

    fn handle(&mut self, enter: Enter, _: &mut Self::Context) {
        let now = self.clock.now();
        let entered = self.accounts.enter(enter.name, enter.token, enter.session, now);
        if let Ok(Entered { replaced: Some(old), .. }) = &entered
            && let Some(place) = self.place(*old)
        {
            // Bounded: one for each login.
            mail::post(&place.replace, Replace(*old));
        }
        let who = entered.as_ref().ok().map(|entered| Arc::clone(&entered.who));
        let refused = mail::offer(&enter.answer, Outcome { id: enter.id, entered }).is_err();
        if let (true, Some(who)) = (refused, who) {
            // The session ended while it waited: the name must not stay taken.
            self.accounts.release(&who, enter.session, None, now);
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
        let found = self.accounts.find(&find.name);
        (find.answer)(found.map(|(who, session)| (Arc::clone(who), session)));
    }
}
