//! Who is registered, in the database.

use std::sync::Arc;

use crossbeam_channel::Sender;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::journal::ask;
use super::writer::Command;
use super::{Read, accounts, failed, unread};
use crate::base::id::{AccountId, DeviceId};
use crate::base::name::{Identity, RoomName};
use crate::store::StoreError;
use crate::store::registry::{
    AccountRecord, Change, Changed, DeviceRecord, Everybody, Hash, Registry, Told, Unread,
};

/// The registry.
pub(super) struct SqliteRegistry {
    pub(super) catalogue: Arc<Mutex<Connection>>,
    pub(super) writes: Sender<Command>,
    pub(super) reads: Sender<Read>,
    pub(super) run: u32,
}

impl Registry for SqliteRegistry {
    fn run(&self) -> u32 {
        self.run
    }

    fn everybody(&self) -> Result<Everybody, StoreError> {
        accounts::everybody(&self.catalogue.lock()).map_err(|error| failed(&error))
    }

    fn account(&self, account: AccountId, told: Told<Option<AccountRecord>>) {
        ask(&self.reads, move |connection| accounts::account(connection, account), told);
    }

    fn device(&self, token: Hash, told: Told<Option<(AccountRecord, DeviceId)>>) {
        ask(&self.reads, move |connection| accounts::device(connection, &token), told);
    }

    fn devices(&self, account: AccountId, told: Told<Vec<DeviceRecord>>) {
        ask(&self.reads, move |connection| accounts::devices(connection, account), told);
    }

    fn unread(
        &self,
        who: Arc<Identity>,
        after: Option<RoomName>,
        most: usize,
        told: Told<Vec<Unread>>,
    ) {
        let unread = move |connection: &Connection| {
            let moment = connection.unchecked_transaction()?;
            unread::unread(&moment, &who, after.as_ref(), most)
        };
        ask(&self.reads, unread, told);
    }

    fn change(&self, change: Change, told: Told<Changed>) {
        if let Err(refused) = self.writes.try_send(Command::Change(change, told))
            && let Command::Change(_, told) = refused.into_inner()
        {
            told(Err(StoreError::Unavailable));
        }
    }
}
