//! How frequent what the index holds is, by a sample: a question asks the index for the rarest of it
//! alone, since each list of a frequent one costs milliseconds to go through.
//!
//! **Owns:** at most [`KNOWN`] frequencies. What is not known is rare, or new: a wrong guess costs time,
//! never an answer.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::index;

/// Entries of the sample, at even distances.
const SAMPLES: i64 = 512;
/// So much of each text is looked at.
const CHARACTERS: i64 = 512;
/// Most frequencies that are kept (about 4 MiB).
const KNOWN: usize = 65_536;
/// A sample serves so many questions.
const QUESTIONS: u32 = 1_000;

/// The sample.
#[derive(Debug, Default)]
pub(super) struct Rarity {
    counts: HashMap<Box<str>, u32>,
    left: u32,
}

impl Rarity {
    /// Takes another sample, if the last one has served for long.
    pub(super) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.left == 0 {
            self.counts = sample(connection)?;
            self.left = QUESTIONS;
        }
        self.left -= 1;
        Ok(())
    }

    /// The rarest of some marks.
    pub(super) fn rarest(&self, mut marks: Vec<String>, most: usize) -> Vec<String> {
        marks.sort_unstable();
        marks.dedup();
        marks.sort_by_key(|mark| self.counts.get(mark.as_str()).copied().unwrap_or(0));
        marks.truncate(most);
        marks
    }
}

fn sample(connection: &Connection) -> rusqlite::Result<HashMap<Box<str>, u32>> {
    let mut counts: HashMap<Box<str>, u32> = HashMap::new();
    let mut next = connection.prepare(
        "SELECT room, name, substr(text, 1, ?2) FROM entry WHERE id >= ?1 ORDER BY id LIMIT 1",
    )?;
    let last: Option<i64> =
        connection.query_row("SELECT max(id) FROM entry", [], |row| row.get(0))?;
    let last = last.unwrap_or(0);
    let step = (last / SAMPLES).max(1);
    let mut id = 1;
    while id <= last {
        let read = |row: &rusqlite::Row<'_>| {
            let (name, text) = (row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?);
            Ok(index::document(row.get(0)?, name, text))
        };
        let document = next.query_row((id, CHARACTERS), read).optional()?.unwrap_or_default();
        for mark in document.split(' ') {
            if let Some(count) = counts.get_mut(mark) {
                *count += 1;
            } else if counts.len() < KNOWN {
                counts.insert(mark.into(), 1);
            }
        }
        id += step;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_fewer_messages_is_asked_first_and_what_is_unknown_before_all() {
        let counts = [("the", 9), ("hea", 5), ("qui", 1)].map(|(mark, count)| (mark.into(), count));
        let rarity = Rarity { counts: HashMap::from(counts), left: 1 };
        let marks = ["the", "hea", "qui", "zzz", "the"].map(str::to_owned).to_vec();
        assert_eq!(rarity.rarest(marks.clone(), 3), ["zzz", "qui", "hea"]);
        assert_eq!(rarity.rarest(marks, 9).len(), 4);
    }
}
