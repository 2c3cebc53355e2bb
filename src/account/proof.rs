//! What takes a while: passwords are hashed and storage is asked, while the actor goes on.
//!
//! Plain futures, without an actor in them; each ends with what the actor is to do, or a refusal.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::hasher::Hasher;
use super::password::{self, Scratch};
use super::state::Proven;
use crate::base::id::{AccountId, DeviceId};
use crate::base::name::{Identity, RoomName, UserName};
use crate::base::secret::{Password, Token};
use crate::protocol::reply::{Page, UnreadInfo, UnreadList};
use crate::protocol::status::{Code, Refusal};
use crate::store::StoreError;
use crate::store::registry::{
    AccountRecord, Change, Changed, DeviceRecord, Hash, NewDevice, Registry, Told, Which,
};

/// When to try again after the line for hashing was full, or storage failed.
const RETRY: Duration = Duration::from_secs(1);

/// Who proves things.
#[derive(Clone)]
pub struct Prover {
    registry: Arc<dyn Registry>,
    hasher: Hasher,
}

/// A device that logs in for the first time.
#[derive(Debug, Clone)]
pub struct Arriving {
    /// What it calls itself.
    pub label: Arc<str>,
    /// When, in milliseconds since 1970 UTC.
    pub time: u64,
}

impl Prover {
    /// A prover that asks these.
    pub fn new(registry: Arc<dyn Registry>, hasher: Hasher) -> Self {
        Self { registry, hasher }
    }

    /// Makes an account for a name that is claimed.
    pub async fn register(
        self,
        name: UserName,
        password: Password,
        invitation: Option<Hash>,
        device: Arriving,
    ) -> Result<Proven, Refusal> {
        let hash = self.hash(password).await?;
        let (device, token) = new_device(device);
        let change = Change::Register { name: name.clone(), password: hash, invitation, device };
        match self.change(change).await? {
            Changed::Registered { account, device, admin } => {
                Ok(Proven { who: Arc::new(Identity { account, name, admin }), device, token })
            }
            Changed::NotInvited => Err(Code::InviteInvalid.into()),
            Changed::NameTaken | Changed::Device(_) | Changed::Done(_) => {
                Err(Code::NameTaken.into())
            }
        }
    }

    /// Logs a new device in by password. `known` is the account of that name, if there is one; if it
    /// is `barred`, only who has the password learns it.
    pub async fn log_in(
        self,
        known: Option<Arc<Identity>>,
        password: Password,
        device: Arriving,
        barred: Option<Refusal>,
    ) -> Result<Proven, Refusal> {
        // An account that there is not is looked for and hashed like any other.
        let account = known.as_ref().map_or(AccountId(0), |known| known.account);
        let record = self.check(account, password).await?;
        let Some(who) = known else { return Err(Code::BadCredentials.into()) };
        barred.map_or(Ok(()), Err)?;
        let (device, token) = new_device(device);
        let changed = self.change(Change::Device(account, record.password, device)).await?;
        // Otherwise the password was changed while it was checked.
        let Changed::Device(device) = changed else { return Err(Code::BadCredentials.into()) };
        Ok(Proven { who, device, token })
    }

    /// Logs a known device in by its token; if its account is `barred`, that is told.
    pub async fn come_back(
        self,
        who: Arc<Identity>,
        token: Token,
        time: u64,
        barred: Option<Refusal>,
    ) -> Result<Proven, Refusal> {
        let hash = token.hash();
        let found = ask(|told| self.registry.device(hash, told)).await?;
        let Some((_, device)) = found.filter(|(record, _)| record.id == who.account) else {
            return Err(Code::BadCredentials.into());
        };
        barred.map_or(Ok(()), Err)?;
        // Nobody waits for this: it only tells people which of their devices they use.
        self.registry.change(Change::Seen(device, time), Box::new(drop));
        Ok(Proven { who, device, token })
    }

    /// Changes a password, and logs all other devices out.
    pub async fn passwd(
        self,
        account: AccountId,
        device: DeviceId,
        old: Password,
        new: Password,
    ) -> Result<Which, Refusal> {
        self.check(account, old).await?;
        let hash = self.hash(new).await?;
        self.change(Change::Password(account, hash, device)).await?;
        Ok(Which::Others(device))
    }

    /// Deletes an account.
    pub async fn unregister(self, account: AccountId, password: Password) -> Result<(), Refusal> {
        self.check(account, password).await?;
        self.change(Change::Unregister(account)).await.map(drop)
    }

    /// Logs devices out.
    pub async fn revoke(self, account: AccountId, which: Which) -> Result<Which, Refusal> {
        let changed = self.change(Change::Revoke(account, which)).await?;
        let is_unknown = changed == Changed::Done(0) && matches!(which, Which::One(_));
        if is_unknown { Err(Code::NotFound.into()) } else { Ok(which) }
    }

    /// The devices of an account.
    pub async fn devices(self, account: AccountId) -> Result<Vec<DeviceRecord>, Refusal> {
        ask(|told| self.registry.devices(account, told)).await
    }

    /// What an account has not read.
    pub async fn unread(
        self,
        who: Arc<Identity>,
        after: Option<RoomName>,
        limit: u32,
    ) -> Result<UnreadList, Refusal> {
        // One more tells whether there are more.
        let most = limit as usize + 1;
        let mut rooms = ask(|told| self.registry.unread(who, after, most, told)).await?;
        let more = rooms.len() == most;
        rooms.truncate(limit as usize);
        let rooms = rooms.into_iter().map(|unread| UnreadInfo {
            room: unread.room,
            read: unread.read,
            unread: unread.messages,
            mentions: unread.mentions,
        });
        Ok(UnreadList { rooms: Page(rooms.collect()), more })
    }

    /// The account, if this is its password.
    async fn check(
        &self,
        account: AccountId,
        password: Password,
    ) -> Result<AccountRecord, Refusal> {
        let record = ask(|told| self.registry.account(account, told)).await?;
        let kept = record.as_ref().map(|record| Arc::clone(&record.password));
        let right = self
            .hashing(move |scratch| password::verify(&password, kept.as_deref(), scratch))
            .await?;
        record.filter(|_| right).ok_or_else(|| Code::BadCredentials.into())
    }

    async fn hash(&self, password: Password) -> Result<Arc<str>, Refusal> {
        let hash = self.hashing(move |scratch| password::hash(&password, scratch)).await?;
        hash.ok_or_else(|| Code::PasswordWeak.into())
    }

    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (told, done) = oneshot::channel();
        // If the session is gone meanwhile, nobody needs the result.
        let job = move |scratch: &mut Scratch| drop(told.send(work(scratch)));
        let busy = || {
            Refusal::new(Code::Busy, "more passwords are being checked than the server can")
                .retry_after(RETRY)
        };
        self.hasher.run(job).map_err(|_| busy())?;
        done.await.map_err(|_| busy())
    }

    async fn change(&self, change: Change) -> Result<Changed, Refusal> {
        ask(|told| self.registry.change(change, told)).await
    }
}

fn new_device(arriving: Arriving) -> (NewDevice, Token) {
    let token = Token::random();
    let Arriving { label, time } = arriving;
    (NewDevice { label, token: token.hash(), time }, token)
}

/// Asks storage, and waits.
async fn ask<T: Send + 'static>(question: impl FnOnce(Told<T>)) -> Result<T, Refusal> {
    let (told, answer) = oneshot::channel();
    question(Box::new(move |outcome| drop(told.send(outcome))));
    let outcome = answer.await.unwrap_or(Err(StoreError::Unavailable));
    outcome.map_err(|error| {
        let code = match error {
            StoreError::Full => Code::StorageFull,
            StoreError::Unavailable => Code::Unavailable,
            StoreError::Busy => Code::Busy,
        };
        Refusal::from(code).retry_after(RETRY)
    })
}
