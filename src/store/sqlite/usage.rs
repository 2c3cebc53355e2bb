//! What takes the space, counted from the rows.

use rusqlite::Connection;

use super::rows::{signed, unsigned};
use crate::base::id::AccountId;
use crate::store::retention::{AccountUsage, ENTRY_BYTES, RoomUsage, Usage};

/// Rooms and accounts in the report: those that take most.
const LINES: u64 = 1_000;

/// Counts everything.
pub(super) fn report(connection: &Connection) -> rusqlite::Result<Usage> {
    let moment = connection.unchecked_transaction()?;
    let pragma =
        |name| moment.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(unsigned);
    let page = pragma("page_size")?;
    let bytes = |entries: u64, text: i64| entries * ENTRY_BYTES + unsigned(text);
    let mut rooms = moment.prepare(
        "SELECT room.name, room.deleted, count(*) AS entries, sum(octet_length(text)) AS text,
             min(time)
         FROM entry JOIN room ON room.id = entry.room GROUP BY entry.room
         ORDER BY entries * ?1 + text DESC LIMIT ?2",
    )?;
    let rooms = rooms.query_map([signed(ENTRY_BYTES), signed(LINES)], |row| {
        let (name, deleted): (String, bool) = (row.get(0)?, row.get(1)?);
        let entries = unsigned(row.get(2)?);
        Ok(RoomUsage {
            room: (!deleted).then(|| name.into()),
            entries,
            bytes: bytes(entries, row.get(3)?),
            oldest: unsigned(row.get(4)?),
        })
    })?;
    let rooms = rooms.collect::<rusqlite::Result<_>>()?;
    let mut accounts = moment.prepare(
        "SELECT account.id, account.name, count(*) AS entries, sum(octet_length(text)) AS text
         FROM entry LEFT JOIN account ON account.id = entry.account GROUP BY account.id
         ORDER BY entries * ?1 + text DESC LIMIT ?2",
    )?;
    let accounts = accounts.query_map([signed(ENTRY_BYTES), signed(LINES)], |row| {
        let id: Option<i64> = row.get(0)?;
        let name: Option<String> = row.get(1)?;
        let entries = unsigned(row.get(2)?);
        Ok(AccountUsage {
            account: id.zip(name).map(|(id, name)| (AccountId(unsigned(id)), name.into())),
            entries,
            bytes: bytes(entries, row.get(3)?),
        })
    })?;
    let accounts = accounts.collect::<rusqlite::Result<_>>()?;
    Ok(Usage {
        file_bytes: pragma("page_count")? * page,
        free_bytes: pragma("freelist_count")? * page,
        rooms,
        accounts,
    })
}
