//! What the Accounts are told, and what they tell.

use std::net::IpAddr;
use std::sync::Arc;

use actix::{Message, Recipient};

use super::state::{Entered, Policy};
use super::wish::Wish;
use crate::base::id::{DeviceId, RoomId, SessionId};
use crate::base::name::{Identity, RoomName, UserName};
use crate::base::secret::Password;
use crate::protocol::event::LeaveReason;
use crate::protocol::status::Refusal;
use crate::throttle::budget::Purse;

/// A session wants a name.
pub struct Enter {
    /// The session.
    pub session: SessionId,
    /// The number of its request.
    pub id: u32,
    /// Where it comes from.
    pub peer: IpAddr,
    /// The name, and by what right.
    pub wish: Wish,
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
    /// What the account may spend, if it is one's.
    pub purse: Option<Arc<Purse>>,
}

impl Message for Outcome {
    type Result = ();
}

/// A request of somebody about their own account.
#[derive(Debug)]
pub struct Manage {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub who: Arc<Identity>,
    /// The number of its request.
    pub id: u32,
    /// Where it comes from.
    pub peer: IpAddr,
    /// What it asks.
    pub task: Task,
}

/// What somebody asks about their own account.
#[derive(Debug)]
pub enum Task {
    /// A new password, and the one that holds.
    Passwd(Password, Password),
    /// The end of the account.
    Unregister(Password),
    /// Where am I logged in?
    Devices,
    /// What have I not read?
    Unread {
        /// After this room.
        after: Option<RoomName>,
        /// At most so many rooms.
        limit: Option<u32>,
    },
    /// Log this device out.
    Revoke(DeviceId),
    /// Log this session's device out, or all of them.
    Logout(bool),
}

impl Message for Manage {
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

/// Takes who was found, and on which sessions: a registered account may be on none.
pub type Finder = Box<dyn FnOnce(Option<(Arc<Identity>, Vec<SessionId>)>) + Send>;

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

/// An account is at home in a room from now on, or no more.
#[derive(Debug)]
pub struct Settled {
    /// The account.
    pub who: Arc<Identity>,
    /// The room.
    pub room: RoomName,
    /// The session that did it.
    pub session: SessionId,
    /// Whether it stays.
    pub stays: bool,
}

impl Message for Settled {
    type Result = ();
}

/// A room is called otherwise from now on, or is gone.
#[derive(Debug)]
pub struct Moved {
    /// The room, as it was called.
    pub room: RoomName,
    /// Its new name.
    pub name: Option<RoomName>,
}

impl Message for Moved {
    type Result = ();
}

/// A session is to end.
#[derive(Debug)]
pub struct End {
    /// The session.
    pub session: SessionId,
    /// Why, for its rooms.
    pub reason: LeaveReason,
    /// Why, for itself.
    pub bye: Refusal,
}

impl Message for End {
    type Result = ();
}

/// A session goes on where an older one of the same guest ended.
#[derive(Debug)]
pub struct Restore {
    /// The session.
    pub session: SessionId,
    /// Who it is.
    pub who: Arc<Identity>,
    /// The rooms that the guest was in.
    pub rooms: Vec<RoomId>,
}

impl Message for Restore {
    type Result = ();
}

/// A session goes into a room after another device of its account.
#[derive(Debug)]
pub struct Follow {
    /// The session.
    pub session: SessionId,
    /// Who it is.
    pub who: Arc<Identity>,
    /// The room.
    pub room: RoomName,
}

impl Message for Follow {
    type Result = ();
}

/// How many wrong passwords of this source are not forgiven yet, and how many are at once?
#[derive(Debug, Clone, Copy)]
pub struct Failures(pub IpAddr);

impl Message for Failures {
    type Result = (u64, u64);
}

/// Who is known by name: registered, or online as a guest?
#[derive(Debug)]
pub struct Roll {
    /// Only those whose names begin so, in small letters.
    pub prefix: String,
    /// Not more than so many.
    pub most: usize,
}

/// Somebody who is known by name.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who it is.
    pub who: Arc<Identity>,
    /// Sessions that are online.
    pub online: usize,
}

impl Message for Roll {
    type Result = Vec<Person>;
}

/// Other rules of names hold from here on.
#[derive(Debug)]
pub struct Retune(pub Policy);

impl Message for Retune {
    type Result = ();
}
