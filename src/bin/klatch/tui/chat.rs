//! One room as a person looks at it: what was said, what is unread, who is there.
//!
//! **Bounds:** [`ENTRIES`] entries and [`BYTES`] bytes of text; a new entry pushes out the oldest,
//! an older page is not fetched when there is no space for it. [`MEMBERS`] names are kept.

use std::collections::VecDeque;
use std::sync::Arc;

use klatch::base::id::{Epoch, Seq};
use klatch::protocol::reply::{Entry, EntryKind, Reaction, RoomState};

const ENTRIES: usize = 5_000;
const BYTES: usize = 4 << 20;
pub(super) const MEMBERS: usize = 1_000;

/// What an entry of the scrollback is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody said it.
    Said,
    /// Somebody set the topic.
    Topic,
    /// The client or the server has something to tell: presence, answers to commands, trouble.
    Note,
}

/// One entry of the scrollback.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its place; a note has that of the entry before it.
    pub(super) seq: Seq,
    pub(super) time: u64,
    pub(super) kind: Kind,
    pub(super) from: Arc<str>,
    pub(super) text: Arc<str>,
    /// The message that it answers.
    pub(super) re: Option<Seq>,
    pub(super) edited: bool,
    pub(super) deleted: bool,
    pub(super) reactions: Vec<Reaction>,
    /// Changes up to this one are in it.
    pub(super) as_of: Seq,
}

impl Item {
    /// What is new, and about nothing else.
    pub(super) fn new(seq: Seq, time: u64, kind: Kind, from: Arc<str>, text: Arc<str>) -> Self {
        let (re, edited, deleted, reactions) = (None, false, false, Vec::new());
        Self { seq, time, kind, from, text, re, edited, deleted, reactions, as_of: seq }
    }

    fn bytes(&self) -> usize {
        self.text.len()
    }
}

/// What is known of the entries before the oldest that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Older {
    /// There may be some.
    Maybe,
    /// They were asked for.
    Asked,
    /// There are none, or no space for them.
    None,
}

/// Where the window on the scrollback stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scroll {
    /// At the newest entry, and stays there.
    Follow,
    /// So that the entry `id` is the lowest, without its last `cut` rows.
    At { id: i64, cut: usize },
}

/// A text that is on its way.
#[derive(Debug, Clone)]
pub(super) struct Unsaid {
    pub(super) id: u64,
    pub(super) text: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Chat {
    /// The room's name; empty for the client's own page.
    pub(super) room: Arc<str>,
    pub(super) with: Option<Arc<str>>,
    pub(super) topic: Arc<str>,
    pub(super) count: u32,
    pub(super) members: Vec<Arc<str>>,
    /// Whether the client is in the room.
    pub(super) joined: bool,
    pub(super) items: VecDeque<Item>,
    /// The id of the first of `items`: ids stay when older ones come before.
    pub(super) base: i64,
    bytes: usize,
    pub(super) older: Older,
    pub(super) scroll: Scroll,
    pub(super) unread: u32,
    pub(super) mentioned: bool,
    pub(super) unsaid: VecDeque<Unsaid>,
    /// How far the server knows it to be read; none for a guest.
    pub(super) mark: Option<Seq>,
    epoch: Option<Epoch>,
    /// The oldest entry of the pages that were read.
    read: Option<Seq>,
}

impl Chat {
    pub(super) fn new(room: Arc<str>) -> Self {
        Self {
            room,
            with: None,
            topic: "".into(),
            count: 0,
            members: Vec::new(),
            joined: false,
            items: VecDeque::new(),
            base: 0,
            bytes: 0,
            older: Older::None,
            scroll: Scroll::Follow,
            unread: 0,
            mentioned: false,
            unsaid: VecDeque::new(),
            mark: None,
            epoch: None,
            read: None,
        }
    }

    /// The client is in the room. Says whether the newest entries are to be fetched.
    pub(super) fn enter(&mut self, state: &RoomState) -> bool {
        let anew = !self.joined || self.epoch != Some(state.epoch);
        self.room = Arc::clone(&state.room);
        self.with.clone_from(&state.with);
        self.topic = Arc::clone(&state.topic);
        self.count = state.members;
        self.mark = state.read;
        self.epoch = Some(state.epoch);
        self.joined = true;
        if anew && state.seq > Seq(0) {
            self.older = Older::Asked;
        }
        anew && state.seq > Seq(0)
    }

    /// The history starts anew: numbers are not comparable with the old ones.
    pub(super) fn reset(&mut self) {
        self.items.iter_mut().for_each(|item| item.seq = Seq(0));
        self.older = Older::None;
        self.read = None;
    }

    /// How it is called on the screen.
    pub(super) fn title(&self) -> String {
        match &self.with {
            Some(with) => format!("@{with}"),
            None if self.room.is_empty() => "klatch".into(),
            None => format!("#{}", self.room),
        }
    }

    pub(super) fn newest(&self) -> Seq {
        self.items.back().map_or(Seq(0), |item| item.seq)
    }

    /// The oldest entry that history knows too, shown or not.
    pub(super) fn oldest(&self) -> Option<Seq> {
        let shown = self.items.iter().find(|item| item.kind != Kind::Note).map(|item| item.seq);
        shown.into_iter().chain(self.read).min()
    }

    /// Adds something at the end that history does not know.
    pub(super) fn note(&mut self, time: u64, text: &str) {
        let (seq, from) = (self.newest(), Arc::from(""));
        self.push(Item::new(seq, time, Kind::Note, from, text.into()));
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.bytes();
        self.items.push_back(item);
        while self.items.len() > ENTRIES || self.bytes > BYTES {
            let Some(oldest) = self.items.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.base += 1;
            self.older = Older::None;
        }
    }

    /// A text has another size now.
    pub(super) fn resized(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes.saturating_sub(before) + after;
    }

    /// Puts a page of history, as it was at `head`, where it belongs; what is there already is left
    /// as it is.
    pub(super) fn merge(&mut self, page: Vec<Entry>, head: Seq, more: bool) {
        self.read = page.first().map(|entry| entry.seq).into_iter().chain(self.read).min();
        for entry in page.into_iter().rev() {
            if self.items.len() >= ENTRIES || self.bytes + entry.text.len() > BYTES {
                self.older = Older::None;
                return;
            }
            let at = self.items.partition_point(|item| item.seq < entry.seq);
            let known = self.items.iter().skip(at).take_while(|item| item.seq == entry.seq);
            if known.into_iter().any(|item| item.kind != Kind::Note) {
                continue;
            }
            let Some(item) = item(entry, head) else { continue };
            self.bytes += item.bytes();
            self.items.insert(at, item);
            self.base -= 1;
        }
        self.older = if more { Older::Maybe } else { Older::None };
    }

    /// The newest of the members who are there and the speakers who were, for completion.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let speakers = self.items.iter().rev().filter(|item| item.kind == Kind::Said).take(200);
        for name in speakers.map(|item| &item.from).chain(&self.members) {
            if !names.contains(name) {
                names.push(Arc::clone(name));
            }
        }
        names
    }

    pub(super) fn arrive(&mut self, names: &[Arc<str>]) {
        for name in names {
            if self.members.len() < MEMBERS && !self.members.contains(name) {
                self.members.push(Arc::clone(name));
            }
        }
    }

    pub(super) fn depart(&mut self, name: &str) {
        self.members.retain(|member| **member != *name);
    }
}

/// An entry as it is shown, as it was at `head`; none of those that are shown as what they changed,
/// or of a kind that this version does not know.
fn item(entry: Entry, head: Seq) -> Option<Item> {
    let Entry { seq, time, kind, from, text, re, edited, deleted, reactions } = entry;
    let kind = match kind {
        EntryKind::Message => Kind::Said,
        EntryKind::Topic => Kind::Topic,
        EntryKind::Edit
        | EntryKind::Delete
        | EntryKind::React
        | EntryKind::Unreact
        | EntryKind::Unknown => return None,
    };
    let reactions = reactions.map_or_else(Vec::new, |reactions| reactions.0);
    Some(Item {
        re,
        edited: edited.is_some(),
        deleted: deleted.is_some(),
        reactions,
        as_of: head,
        ..Item::new(seq, time, kind, from, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> Entry {
        let (kind, text) = (EntryKind::Message, seq.to_string().into());
        Entry::new(Seq(seq), 0, kind, "al".into(), text)
    }

    fn texts(chat: &Chat) -> String {
        chat.items.iter().map(|item| &*item.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn pages_are_put_where_they_belong_and_nothing_twice() {
        let mut chat = Chat::new("ops".into());
        chat.push(item(entry(7), Seq(7)).unwrap());
        chat.note(0, "note");
        chat.push(item(entry(8), Seq(8)).unwrap());
        chat.merge([5, 6, 7].map(entry).into(), Seq(8), true);
        assert_eq!((texts(&chat).as_str(), chat.older), ("5 6 7 note 8", Older::Maybe));
        assert_eq!((chat.base, chat.oldest()), (-2, Some(Seq(5))));
        chat.merge([1, 2, 3, 4].map(entry).into(), Seq(8), false);
        assert_eq!((texts(&chat).as_str(), chat.older), ("1 2 3 4 5 6 7 note 8", Older::None));
    }

    #[test]
    fn the_scrollback_is_bounded() {
        let mut chat = Chat::new("ops".into());
        for seq in 1..=ENTRIES as u64 + 10 {
            chat.push(item(entry(seq), Seq(seq)).unwrap());
        }
        assert_eq!((chat.items.len(), chat.base), (ENTRIES, 10));
        chat.merge([1, 2].map(entry).into(), Seq(8), true);
        assert_eq!((chat.items.len(), chat.older), (ENTRIES, Older::None));
        let text: Arc<str> = "x".repeat(BYTES / 2 + 1).into();
        for seq in 9_000..9_003 {
            chat.push(Item { text: Arc::clone(&text), ..item(entry(seq), Seq(seq)).unwrap() });
        }
        assert_eq!(chat.items.len(), 1);
    }
}
