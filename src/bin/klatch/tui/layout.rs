//! From entries to rows of the terminal: who, when, what, with a day above the first of each day.
//!
//! Every text passes [`clean`] here, before it is measured.

use std::sync::Arc;

use jiff::civil::Date;
use unicode_width::UnicodeWidthStr;

use super::chat::{Chat, Item, Kind, Scroll};
use super::wrap::{cut, wrap};
use crate::clean;
use crate::clock::{Zone, long_date};

/// Columns for names, where there is space for columns.
const NAMES: usize = 14;
/// From this width on, names have a column of their own.
const WIDE: usize = 60;

/// One row of the scrollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// The first row of a message.
    First { time: String, pad: usize, from: String, text: String, mentions: bool },
    /// A row of text that goes on.
    More { indent: usize, text: String, mentions: bool },
    /// What is not somebody's word.
    Note { time: String, text: String },
    /// A new day.
    Day(String),
    /// A text on its way.
    Unsaid(String),
}

/// What the rows depend on, besides the entries.
#[derive(Debug, Clone)]
pub(super) struct Frame<'a> {
    pub(super) width: usize,
    pub(super) zone: &'a Zone,
    pub(super) me: &'a Arc<str>,
}

impl Frame<'_> {
    /// The rows of the entry at `index`.
    pub(super) fn rows(&self, chat: &Chat, index: usize) -> Vec<Row> {
        let Some(item) = chat.items.get(index) else { return Vec::new() };
        let mut rows = Vec::new();
        let before = index.checked_sub(1).and_then(|index| chat.items.get(index));
        let day = self.date(item);
        if before.is_none_or(|before| self.date(before) != day) {
            rows.push(Row::Day(long_date(day)));
        }
        match item.kind {
            Kind::Said => self.said(item, &chat.words(item), &mut rows),
            Kind::Topic => {
                let text = format!("{} set the topic: {}", item.from, item.text);
                self.note(item, &text, &mut rows);
            }
            Kind::Note => self.note(item, &item.text, &mut rows),
        }
        rows
    }

    fn date(&self, item: &Item) -> Date {
        self.zone.date(item.time)
    }

    fn said(&self, item: &Item, words: &str, rows: &mut Vec<Row>) {
        let mentions = item.from != *self.me && mentions(&item.text, self.me);
        let wide = self.width >= WIDE;
        let from = clean::line(&item.from);
        let from = if wide { cut(&from, NAMES) } else { format!("<{}>", cut(&from, NAMES)) };
        let pad = if wide { NAMES.saturating_sub(from.width()) } else { 0 };
        // "12:03 " before the name, one column after it.
        let indent = if wide { 6 + NAMES + 1 } else { 6 };
        let text = clean::lines(words);
        let time = self.zone.minute(item.time);
        let (first, rest) = if wide {
            let mut texts = wrap(&text, self.width.saturating_sub(indent + 1)).into_iter();
            (texts.next().unwrap_or_default(), texts.collect())
        } else {
            hanging(&text, self.width.saturating_sub(indent), from.width() + 1)
        };
        rows.push(Row::First { time, pad, from, text: first, mentions });
        rows.extend(rest.into_iter().map(|text| Row::More { indent, text, mentions }));
    }

    fn note(&self, item: &Item, text: &str, rows: &mut Vec<Row>) {
        let time = self.zone.minute(item.time);
        let texts = wrap(&clean::lines(text), self.width.saturating_sub(8));
        for (index, text) in texts.into_iter().enumerate() {
            let time = if index == 0 { time.clone() } else { String::new() };
            rows.push(Row::Note { time, text });
        }
    }

    /// The rows of the window, the lowest last; `height` is its size.
    pub(super) fn window(&self, chat: &Chat, height: usize) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let mut index = match chat.scroll {
            Scroll::Follow => {
                for unsaid in chat.unsaid.iter().rev() {
                    let text = clean::lines(&unsaid.text);
                    let texts = wrap(&text, self.width.saturating_sub(8));
                    rows.extend(texts.into_iter().rev().map(Row::Unsaid));
                }
                chat.items.len()
            }
            Scroll::At { id, cut } => {
                let index = index_of(chat, id);
                let mut lowest = self.rows(chat, index);
                lowest.truncate(lowest.len().saturating_sub(cut));
                rows.extend(lowest.into_iter().rev());
                index
            }
        };
        while rows.len() < height && index > 0 {
            index -= 1;
            rows.extend(self.rows(chat, index).into_iter().rev());
        }
        rows.truncate(height);
        rows.reverse();
        rows
    }

    /// Moves the window up by `by` rows. Says whether it met the oldest entry.
    pub(super) fn up(&self, chat: &mut Chat, by: usize, height: usize) -> bool {
        let (mut index, cut) = lowest(chat);
        let mut hidden = by + cut;
        let mut rows = self.rows(chat, index).len();
        while hidden >= rows && index > 0 {
            hidden -= rows;
            index -= 1;
            rows = self.rows(chat, index).len();
        }
        // The window is not moved so far that there is less to show than fits.
        let above: usize = (0..index)
            .rev()
            .map(|index| self.rows(chat, index).len())
            .scan(0, |sum, rows| {
                *sum += rows;
                Some(*sum)
            })
            .find(|sum| *sum >= height)
            .unwrap_or(0);
        if above + rows.saturating_sub(hidden) >= height {
            chat.scroll = Scroll::At { id: id_of(chat, index), cut: hidden };
            return false;
        }
        self.to_top(chat, height);
        true
    }

    /// Moves the window so that the oldest row is its first.
    fn to_top(&self, chat: &mut Chat, height: usize) {
        let mut sum = 0;
        for index in 0..chat.items.len() {
            sum += self.rows(chat, index).len();
            if sum >= height {
                let last = index + 1 == chat.items.len() && sum == height;
                let at = Scroll::At { id: id_of(chat, index), cut: sum - height };
                chat.scroll = if last { Scroll::Follow } else { at };
                return;
            }
        }
        chat.scroll = Scroll::Follow;
    }

    /// Moves the window down by `by` rows; at the newest entry it follows again.
    pub(super) fn down(&self, chat: &mut Chat, by: usize) {
        if chat.scroll == Scroll::Follow {
            return;
        }
        let (mut index, mut cut) = lowest(chat);
        let mut left = by;
        loop {
            if left < cut {
                chat.scroll = Scroll::At { id: id_of(chat, index), cut: cut - left };
                return;
            }
            left -= cut;
            if index + 1 >= chat.items.len() {
                chat.scroll = Scroll::Follow;
                return;
            }
            if left == 0 {
                chat.scroll = Scroll::At { id: id_of(chat, index), cut: 0 };
                return;
            }
            index += 1;
            cut = self.rows(chat, index).len();
        }
    }
}

/// The entry that is lowest in the window, and how many of its rows are below it.
fn lowest(chat: &Chat) -> (usize, usize) {
    match chat.scroll {
        Scroll::Follow => (chat.items.len().saturating_sub(1), 0),
        Scroll::At { id, cut } => (index_of(chat, id), cut),
    }
}

fn id_of(chat: &Chat, index: usize) -> i64 {
    chat.base.saturating_add(i64::try_from(index).unwrap_or(i64::MAX))
}

fn index_of(chat: &Chat, id: i64) -> usize {
    let index = usize::try_from(id.saturating_sub(chat.base)).unwrap_or(0);
    index.min(chat.items.len().saturating_sub(1))
}

/// Wraps a text whose first row begins after `first` columns.
fn hanging(text: &str, width: usize, first: usize) -> (String, Vec<String>) {
    // Blanks stand for the name while the rows are measured; a name is no place to break.
    let name = "\u{a0}".repeat(first.min(width.saturating_sub(2)));
    let mut rows = wrap(&format!("{name}{text}"), width).into_iter();
    let row = rows.next().unwrap_or_default();
    let row = row.trim_start_matches('\u{a0}').to_owned();
    (row, rows.collect())
}

/// Whether `text` calls `name`: as a word, in any case.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    if name.is_empty() {
        return false;
    }
    let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(&name).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        edge(before) && edge(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use klatch::base::id::Seq;

    fn chat(count: u64) -> Chat {
        let mut chat = Chat::new("ops".into());
        for seq in 1..=count {
            let (time, kind) = (seq * 60_000, Kind::Said);
            let text = seq.to_string().into();
            chat.push(Item::new(Seq(seq), time, kind, "al".into(), text));
        }
        chat
    }

    fn texts(rows: &[Row]) -> String {
        let text = |row: &Row| match row {
            Row::First { text, .. } | Row::More { text, .. } => text.clone(),
            Row::Day(_) => "day".into(),
            Row::Note { text, .. } | Row::Unsaid(text) => text.clone(),
        };
        rows.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_window_moves_by_rows_and_stays_when_something_comes() {
        let (zone, me) = (Zone::utc(), Arc::from("me"));
        let frame = Frame { width: 80, zone: &zone, me: &me };
        let mut chat = chat(20);
        let shown = |chat: &Chat| texts(&frame.window(chat, 4));
        assert_eq!(shown(&chat), "17 18 19 20");
        assert!(!frame.up(&mut chat, 3, 4));
        assert_eq!(shown(&chat), "14 15 16 17");
        chat.note(0, "new");
        assert_eq!(shown(&chat), "14 15 16 17");
        frame.down(&mut chat, 2);
        assert_eq!(shown(&chat), "16 17 18 19");
        assert!(frame.up(&mut chat, 100, 4), "the oldest entry is met");
        assert_eq!(shown(&chat), "day 1 2 3");
        frame.down(&mut chat, 100);
        assert_eq!(chat.scroll, Scroll::Follow);
        frame.up(&mut chat, 1, 50);
        assert_eq!(chat.scroll, Scroll::Follow, "all of it fits");
    }

    #[test]
    fn a_message_taller_than_the_window_can_be_read() {
        let (zone, me) = (Zone::utc(), Arc::from("me"));
        let frame = Frame { width: 80, zone: &zone, me: &me };
        let mut chat = chat(1);
        let text = (1..=30).map(|n| format!("r{n}")).collect::<Vec<_>>().join("\n").into();
        chat.push(Item { text, seq: Seq(2), ..chat.items[0].clone() });
        assert_eq!(texts(&frame.window(&chat, 3)), "r28 r29 r30");
        frame.up(&mut chat, 2, 3);
        assert_eq!(texts(&frame.window(&chat, 3)), "r26 r27 r28");
        frame.up(&mut chat, 24, 3);
        assert_eq!(texts(&frame.window(&chat, 3)), "r2 r3 r4");
        frame.down(&mut chat, 1);
        assert_eq!(texts(&frame.window(&chat, 3)), "r3 r4 r5");
        assert!(frame.up(&mut chat, 3, 3) || frame.up(&mut chat, 3, 3));
        assert_eq!(texts(&frame.window(&chat, 3)), "day 1 r1");
    }

    #[test]
    fn a_mention_is_a_whole_word_in_any_case() {
        for text in ["al: hi", "hi Al!", "@al", "AL"] {
            assert!(mentions(text, "al"), "{text}");
        }
        for text in ["also", "pal", "al_x", ""] {
            assert!(!mentions(text, "al"), "{text}");
        }
    }
}
