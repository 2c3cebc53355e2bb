//! The port behind accounts: who is registered, with which devices, and who was invited.
//!
//! **The durability contract** is that of the journals: what is told as done has been committed.
//! Secrets come here hashed; storage never sees one.

use std::sync::Arc;

use super::StoreError;
use crate::base::ban::{Ban, Target};
use crate::base::id::{AccountId, DeviceId, Seq};
use crate::base::name::{Identity, RoomName, UserName};

/// Takes an outcome, on any thread.
pub type Told<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// What is kept of a secret that is random itself: its SHA-256.
pub type Hash = [u8; 32];

/// An account, as far as a login needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Its id.
    pub id: AccountId,
    /// Its password's hash, as a PHC string.
    pub password: Arc<str>,
    /// Whether it may administer the server.
    pub admin: bool,
}

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Its id.
    pub id: DeviceId,
    /// What it called itself.
    pub label: Arc<str>,
    /// When it logged in with the password, in milliseconds since 1970 UTC.
    pub since: u64,
    /// When it logged in last, likewise.
    pub seen: u64,
}

/// A device that logs in for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// What it calls itself.
    pub label: Arc<str>,
    /// Its token's hash.
    pub token: Hash,
    /// When, in milliseconds since 1970 UTC.
    pub time: u64,
}

/// Devices of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// This one.
    One(DeviceId),
    /// All but this one.
    Others(DeviceId),
}

impl Which {
    /// Whether this one is meant.
    #[must_use]
    pub fn includes(self, device: DeviceId) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == device,
            Self::Others(one) => one != device,
        }
    }
}

/// A change of who is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new account with its first device.
    Register {
        /// Its name.
        name: UserName,
        /// Its password's hash, as a PHC string.
        password: Arc<str>,
        /// The hash of the invitation that it comes with.
        invitation: Option<Hash>,
        /// Its first device.
        device: NewDevice,
    },
    /// A new device, if the password's hash is still this one. The device that was away for longest
    /// goes if there are too many.
    Device(AccountId, Arc<str>, NewDevice),
    /// A device came back at this time.
    Seen(DeviceId, u64),
    /// Devices are logged out.
    Revoke(AccountId, Which),
    /// A new password, as a PHC string; all devices but this one are logged out.
    Password(AccountId, Arc<str>, DeviceId),
    /// The account is deleted.
    Unregister(AccountId),
    /// An account no longer takes direct messages from another, or takes them again.
    Block {
        /// Who blocks.
        by: AccountId,
        /// Whom.
        of: AccountId,
        /// Whether it does.
        on: bool,
    },
    /// An invitation.
    Invite {
        /// Its code's hash.
        code: Hash,
        /// Until when it is good, in milliseconds since 1970 UTC.
        until: Option<u64>,
        /// Whether who comes with it may administer the server.
        admin: bool,
    },
    /// A ban, in the place of an older one of the same.
    Ban(Ban),
    /// The end of a ban.
    Unban(Target),
}

/// What a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// There is a new account.
    Registered {
        /// Its id.
        account: AccountId,
        /// Its first device.
        device: DeviceId,
        /// Whether it may administer the server.
        admin: bool,
    },
    /// There is a new device.
    Device(DeviceId),
    /// It is done, to so many.
    Done(usize),
    /// Another account has the name, or one that looks like it.
    NameTaken,
    /// The invitation is not known, or not good any more.
    NotInvited,
}

/// What an account has to read in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The room.
    pub room: Arc<str>,
    /// How far it has read.
    pub read: Seq,
    /// How many messages of others come after that, counted up to a bound.
    pub messages: u32,
    /// How many of them mention it.
    pub mentions: u32,
}

/// What storage has of everybody at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Everybody {
    /// The accounts.
    pub accounts: Vec<Arc<Identity>>,
    /// The rooms that each is a member of.
    pub homes: Vec<(AccountId, RoomName)>,
    /// Who blocks whom.
    pub blocks: Vec<(AccountId, Arc<Identity>)>,
    /// Whether one of them may administer the server.
    pub has_admin: bool,
    /// Who is banned; some of it may be over.
    pub bans: Vec<Ban>,
}

/// Who is registered.
pub trait Registry: Send + Sync {
    /// How often the storage was opened: what tells one run's guests from another's.
    fn run(&self) -> u32;
    /// Everybody; read once, at the start.
    fn everybody(&self) -> Result<Everybody, StoreError>;
    /// An account.
    fn account(&self, account: AccountId, told: Told<Option<AccountRecord>>);
    /// The account and the device that a token's hash belongs to.
    fn device(&self, token: Hash, told: Told<Option<(AccountRecord, DeviceId)>>);
    /// The devices of an account, the newest first.
    fn devices(&self, account: AccountId, told: Told<Vec<DeviceRecord>>);
    /// In which of its rooms after this one an account has messages of others to read: at most so many,
    /// by name.
    fn unread(
        &self,
        who: Arc<Identity>,
        after: Option<RoomName>,
        most: usize,
        told: Told<Vec<Unread>>,
    );
    /// Makes a change.
    fn change(&self, change: Change, told: Told<Changed>);
}

/// The registry of a server that keeps nothing: nobody is registered, and nobody can be.
#[derive(Debug)]
pub struct Nobody;

impl Registry for Nobody {
    fn run(&self) -> u32 {
        1
    }

    fn everybody(&self) -> Result<Everybody, StoreError> {
        Ok(Everybody::default())
    }

    fn account(&self, _: AccountId, told: Told<Option<AccountRecord>>) {
        told(Ok(None));
    }

    fn device(&self, _: Hash, told: Told<Option<(AccountRecord, DeviceId)>>) {
        told(Ok(None));
    }

    fn devices(&self, _: AccountId, told: Told<Vec<DeviceRecord>>) {
        told(Ok(Vec::new()));
    }

    fn unread(&self, _: Arc<Identity>, _: Option<RoomName>, _: usize, told: Told<Vec<Unread>>) {
        told(Ok(Vec::new()));
    }

    fn change(&self, _: Change, told: Told<Changed>) {
        told(Err(StoreError::Unavailable));
    }
}
