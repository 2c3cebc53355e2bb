//! Accounts, devices and invitations as rows.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bans;
use super::rows::{signed, unsigned};
use crate::base::id::{AccountId, DeviceId};
use crate::base::limits::DEVICES;
use crate::base::name::{Identity, RoomName, UserName};
use crate::store::registry::{
    AccountRecord, Change, Changed, DeviceRecord, Everybody, Hash, NewDevice, Which,
};

/// Counts one more run of a server.
pub(super) fn begin_run(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("UPDATE server SET runs = runs + 1 RETURNING runs", [], |row| row.get(0))
}

/// Everybody who is registered.
pub(super) fn everybody(connection: &Connection) -> rusqlite::Result<Everybody> {
    let mut all = Everybody::default();
    let mut statement = connection.prepare("SELECT id, name, admin FROM account")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, admin): (String, bool) = (row.get(1)?, row.get(2)?);
        all.has_admin |= admin;
        // What was a name when it was stored may be none for a stricter version.
        match UserName::parse(&name) {
            Ok(name) => {
                let account = account_id(row, 0)?;
                all.accounts.push(Arc::new(Identity { account, name, admin }));
            }
            Err(_) => log::warn!("an account has a name that is none in this version: left alone"),
        }
    }
    let mut statement = connection.prepare(
        "SELECT account, room.name FROM standing JOIN room ON room.id = standing.room
         WHERE resident ORDER BY account, room.name",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Ok(room) = RoomName::parse(&row.get::<_, String>(1)?) {
            all.homes.push((account_id(row, 0)?, room));
        }
    }
    let known: HashMap<_, _> =
        all.accounts.iter().map(|who| (who.account, Arc::clone(who))).collect();
    let mut statement = connection.prepare("SELECT account, blocked FROM block")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(blocked) = known.get(&account_id(row, 1)?) {
            all.blocks.push((account_id(row, 0)?, Arc::clone(blocked)));
        }
    }
    all.bans = bans::all(connection)?;
    Ok(all)
}

fn account_id(row: &Row<'_>, index: usize) -> rusqlite::Result<AccountId> {
    row.get(index).map(|id| AccountId(unsigned(id)))
}

fn device_id(row: &Row<'_>, index: usize) -> rusqlite::Result<DeviceId> {
    row.get(index).map(|id| DeviceId(unsigned(id)))
}

fn record(row: &Row<'_>) -> rusqlite::Result<AccountRecord> {
    let password: String = row.get(1)?;
    Ok(AccountRecord { id: account_id(row, 0)?, password: password.into(), admin: row.get(2)? })
}

/// An account.
pub(super) fn account(
    connection: &Connection,
    account: AccountId,
) -> rusqlite::Result<Option<AccountRecord>> {
    connection
        .prepare_cached("SELECT id, password, admin FROM account WHERE id = ?")?
        .query_row([signed(account.0)], record)
        .optional()
}

/// Whose token this is the hash of.
pub(super) fn device(
    connection: &Connection,
    token: &Hash,
) -> rusqlite::Result<Option<(AccountRecord, DeviceId)>> {
    connection
        .prepare_cached(
            "SELECT account.id, password, admin, device.id
             FROM device JOIN account ON account.id = device.account WHERE token = ?",
        )?
        .query_row([&token[..]], |row| Ok((record(row)?, device_id(row, 3)?)))
        .optional()
}

/// The devices of an account, the newest first.
pub(super) fn devices(
    connection: &Connection,
    account: AccountId,
) -> rusqlite::Result<Vec<DeviceRecord>> {
    connection
        .prepare_cached(
            "SELECT id, label, created, seen FROM device WHERE account = ? ORDER BY id DESC",
        )?
        .query_map([signed(account.0)], |row| {
            Ok(DeviceRecord {
                id: device_id(row, 0)?,
                label: row.get::<_, String>(1)?.into(),
                since: unsigned(row.get(2)?),
                seen: unsigned(row.get(3)?),
            })
        })?
        .collect()
}

/// Makes a change, inside a transaction.
pub(super) fn change(connection: &Connection, change: &Change) -> rusqlite::Result<Changed> {
    match change {
        Change::Register { name, password, invitation, device } => {
            register(connection, name, password, invitation.as_ref(), device)
        }
        Change::Device(account, password, device) => {
            let is_current = connection
                .prepare_cached("SELECT 1 FROM account WHERE id = ? AND password = ?")?
                .exists(params![signed(account.0), &**password])?;
            if !is_current {
                return Ok(Changed::Done(0));
            }
            let id = add_device(connection, *account, device)?;
            connection
                .prepare_cached(
                    "DELETE FROM device WHERE account = ?1 AND id <> ?2 AND id NOT IN
                     (SELECT id FROM device WHERE account = ?1 ORDER BY seen DESC, id DESC LIMIT ?3)",
                )?
                .execute(params![signed(account.0), signed(id.0), signed(DEVICES as u64)])?;
            Ok(Changed::Device(id))
        }
        Change::Seen(device, time) => {
            done(connection, "UPDATE device SET seen = ?2 WHERE id = ?1", [device.0, *time])
        }
        Change::Revoke(account, which) => revoke(connection, *account, *which),
        Change::Password(account, password, keep) => {
            connection
                .prepare_cached("UPDATE account SET password = ? WHERE id = ?")?
                .execute(params![&**password, signed(account.0)])?;
            revoke(connection, *account, Which::Others(*keep))
        }
        Change::Unregister(account) => {
            done(connection, "DELETE FROM account WHERE id = ?", [account.0])
        }
        Change::Block { by, of, on: true } => {
            // Of two accounts that are still there.
            let sql = "INSERT OR IGNORE INTO block (account, blocked)
                       SELECT one.id, other.id FROM account AS one, account AS other
                       WHERE one.id = ? AND other.id = ?";
            done(connection, sql, [by.0, of.0])
        }
        Change::Block { by, of, on: false } => {
            done(connection, "DELETE FROM block WHERE account = ? AND blocked = ?", [by.0, of.0])
        }
        Change::Invite { code, until, admin } => {
            let until = until.map(signed);
            connection
                .prepare_cached("INSERT INTO invitation (code, until, admin) VALUES (?, ?, ?)")?
                .execute(params![&code[..], until, admin])
                .map(Changed::Done)
        }
        Change::Ban(ban) => bans::set(connection, ban).map(Changed::Done),
        Change::Unban(target) => bans::lift(connection, target).map(Changed::Done),
    }
}

fn done<const N: usize>(
    connection: &Connection,
    sql: &str,
    values: [u64; N],
) -> rusqlite::Result<Changed> {
    connection
        .prepare_cached(sql)?
        .execute(rusqlite::params_from_iter(values.map(signed)))
        .map(Changed::Done)
}

fn register(
    connection: &Connection,
    name: &UserName,
    password: &Arc<str>,
    invitation: Option<&Hash>,
    device: &NewDevice,
) -> rusqlite::Result<Changed> {
    let taken = connection
        .prepare_cached("SELECT 1 FROM account WHERE skeleton = ?")?
        .exists([&**name.skeleton()])?;
    if taken {
        return Ok(Changed::NameTaken);
    }
    let mut admin = false;
    if let Some(code) = invitation {
        let used = connection
            .prepare_cached(
                "DELETE FROM invitation WHERE code = ? AND coalesce(until > ?, TRUE)
                 RETURNING admin",
            )?
            .query_row(params![&code[..], signed(device.time)], |row| row.get(0))
            .optional()?;
        let Some(may_administer) = used else { return Ok(Changed::NotInvited) };
        admin = may_administer;
    }
    connection
        .prepare_cached(
            "INSERT INTO account (name, skeleton, password, admin, created) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            name.as_str(),
            &**name.skeleton(),
            &**password,
            admin,
            signed(device.time)
        ])?;
    let account = AccountId(unsigned(connection.last_insert_rowid()));
    let device = add_device(connection, account, device)?;
    Ok(Changed::Registered { account, device, admin })
}

fn add_device(
    connection: &Connection,
    account: AccountId,
    device: &NewDevice,
) -> rusqlite::Result<DeviceId> {
    let NewDevice { label, token, time } = device;
    connection
        .prepare_cached(
            "INSERT INTO device (account, token, label, created, seen) VALUES (?1, ?2, ?3, ?4, ?4)",
        )?
        .execute(params![signed(account.0), &token[..], &**label, signed(*time)])?;
    Ok(DeviceId(unsigned(connection.last_insert_rowid())))
}

fn revoke(connection: &Connection, account: AccountId, which: Which) -> rusqlite::Result<Changed> {
    match which {
        Which::All => done(connection, "DELETE FROM device WHERE account = ?", [account.0]),
        Which::One(device) => done(
            connection,
            "DELETE FROM device WHERE account = ? AND id = ?",
            [account.0, device.0],
        ),
        Which::Others(device) => done(
            connection,
            "DELETE FROM device WHERE account = ? AND id <> ?",
            [account.0, device.0],
        ),
    }
}
