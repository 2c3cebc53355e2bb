//! The index of letters in a row: what is put into it, and how it fills beside the writing.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::rows::{self, signed, unsigned};
use crate::base::id::Seq;
use crate::protocol::reply::EntryKind;
use crate::store::search::fold;

/// Marks what names a room or an account, and is none that a text can have.
const ROOM: char = '\u{f8fe}';
const NAME: char = '\u{f8ff}';
/// Where ASCII that is no letter or digit is put, so that the tokenizer leaves it alone.
const SHIFTED: u32 = 0xe000;

/// A character as the index has it.
fn mark(c: char) -> char {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        char::from_u32(SHIFTED + u32::from(c)).unwrap_or(c)
    } else {
        c
    }
}

/// Neighbours in a word: two, or three.
type Gram = (char, char, Option<char>);

fn pairs(word: &str) -> impl Iterator<Item = Gram> {
    let marks = || word.chars().map(mark);
    marks().zip(marks().skip(1)).map(|(one, two)| (one, two, None))
}

fn triples(word: &str) -> impl Iterator<Item = Gram> {
    let marks = || word.chars().map(mark);
    marks()
        .zip(marks().skip(1))
        .zip(marks().skip(2))
        .map(|((one, two), three)| (one, two, Some(three)))
}

fn push(out: &mut String, (one, two, three): Gram) {
    out.extend([one, two]);
    out.extend(three);
}

/// What a text must have in the index to have this word: triples, which fewer texts have, or the pair
/// that a word of two letters is.
pub(super) fn sought(word: &str) -> impl Iterator<Item = String> {
    let short = word.chars().nth(2).is_none();
    pairs(word).filter(move |_| short).chain(triples(word)).map(|gram| {
        let mut out = String::new();
        push(&mut out, gram);
        out
    })
}

/// What stands for a room.
pub(super) fn room_mark(room: i64) -> String {
    format!("{ROOM}{room}")
}

/// What stands for an account.
pub(super) fn name_mark(folded: &str) -> String {
    let name: String = folded.chars().map(mark).collect();
    format!("{NAME}{name}")
}

/// The row of a message.
pub(super) fn document(room: i64, name: &str, text: &str) -> String {
    let mut out = room_mark(room);
    out.push(' ');
    out.push_str(&name_mark(&fold(name)));
    let folded = fold(text);
    let mut grams: Vec<Gram> = Vec::with_capacity(2 * folded.len());
    for word in folded.split_whitespace() {
        grams.extend(pairs(word).chain(triples(word)));
    }
    grams.sort_unstable();
    grams.dedup();
    for gram in grams {
        out.push(' ');
        push(&mut out, gram);
    }
    out
}

/// Up to which entry the index is filled.
pub(super) fn indexed(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT indexed FROM search_state")?.query_row([], |row| row.get(0))
}

/// Notes that the text of a message is another one.
pub(super) fn changed(transaction: &Transaction<'_>, room: i64, seq: Seq) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO search_again (entry) SELECT id FROM entry
             WHERE room = ? AND seq = ? AND id <= (SELECT indexed FROM search_state)",
        )?
        .execute([room, signed(seq.0)])?;
    Ok(())
}

/// Takes a message out that is deleted.
pub(super) fn removed(transaction: &Transaction<'_>, room: i64, seq: Seq) -> rusqlite::Result<()> {
    const ID: &str = "(SELECT id FROM entry WHERE room = ? AND seq = ?
                       AND id <= (SELECT indexed FROM search_state))";
    for table in ["search WHERE rowid", "search_again WHERE entry"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} = {ID}"))?
            .execute([room, signed(seq.0)])?;
    }
    Ok(())
}

/// Puts some entries into the index; returns how many, 0 if it is complete.
pub(super) fn fill(connection: &mut Connection, most: usize) -> rusqlite::Result<usize> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let filled = {
        let message = rows::kind_number(EntryKind::Message);
        let mut add =
            transaction.prepare_cached("INSERT INTO search (rowid, grams) VALUES (?, ?)")?;
        let (mut count, mut last) = (0, None);
        let mut new = transaction.prepare_cached(
            "SELECT id, room, name, text, kind = ?2 AND deleted IS NULL FROM entry
             WHERE id > (SELECT indexed FROM search_state) ORDER BY id LIMIT ?1",
        )?;
        let mut rows = new.query([most, message])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if row.get(4)? {
                let (name, text) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
                add.execute(params![id, document(row.get(1)?, name, text)])?;
            }
            (count, last) = (count + 1, Some(id));
        }
        if let Some(last) = last {
            transaction.prepare_cached("UPDATE search_state SET indexed = ?")?.execute([last])?;
        }
        let mut again = transaction.prepare_cached(
            "SELECT id, room, name, text FROM entry
             WHERE id IN (SELECT entry FROM search_again LIMIT ?)",
        )?;
        let mut rows = again.query([most])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let (name, text) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
            transaction.prepare_cached("DELETE FROM search WHERE rowid = ?")?.execute([id])?;
            add.execute(params![id, document(row.get(1)?, name, text)])?;
            transaction
                .prepare_cached("DELETE FROM search_again WHERE entry = ?")?
                .execute([id])?;
            count += 1;
        }
        count
    };
    transaction.commit()?;
    Ok(filled)
}

/// How many entries are not in the index.
pub(super) fn missing(connection: &Connection) -> rusqlite::Result<usize> {
    let missing: i64 = connection.query_row(
        "SELECT coalesce((SELECT max(id) FROM entry), 0) - (SELECT indexed FROM search_state)
             + (SELECT count(*) FROM search_again)",
        [],
        |row| row.get(0),
    )?;
    Ok(usize::try_from(unsigned(missing)).unwrap_or(usize::MAX))
}
