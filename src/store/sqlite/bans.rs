//! Bans as rows.

use rusqlite::{Connection, params};

use super::rows::{signed, unsigned};
use crate::base::ban::{Ban, Target, canonical};

/// The kind and the key under which a ban stands.
fn key(target: &Target) -> (i64, String) {
    match target {
        Target::Network(network) => (1, canonical(*network).to_string()),
        Target::Name(name) => (2, name.skeleton().to_string()),
    }
}

/// All of them.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Ban>> {
    let mut statement = connection.prepare("SELECT shown, reason, since, until FROM ban")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        // What was a name when it was stored may be none for a stricter version.
        match Target::parse(&row.get::<_, String>(0)?) {
            Some(target) => all.push(Ban {
                target,
                reason: row.get::<_, Option<String>>(1)?.map(Into::into),
                since: unsigned(row.get(2)?),
                until: row.get::<_, Option<i64>>(3)?.map(unsigned),
            }),
            None => log::warn!("a ban is of nothing that this version knows: left alone"),
        }
    }
    Ok(all)
}

/// Adds one, and forgets those that were over when it began.
pub(super) fn set(connection: &Connection, ban: &Ban) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM ban WHERE until <= ?")?.execute([signed(ban.since)])?;
    let (kind, target) = key(&ban.target);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO ban (kind, target, shown, reason, since, until)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            kind,
            target,
            ban.target.to_string(),
            ban.reason.as_deref(),
            signed(ban.since),
            ban.until.map(signed)
        ])
}

/// Takes one away.
pub(super) fn lift(connection: &Connection, target: &Target) -> rusqlite::Result<usize> {
    let (kind, target) = key(target);
    connection
        .prepare_cached("DELETE FROM ban WHERE kind = ? AND target = ?")?
        .execute(params![kind, target])
}
