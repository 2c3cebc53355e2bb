//! What is stored of a room, as clients read it: entries, pages of them, and what a search finds.

use std::sync::Arc;

use super::describe::wire;
use super::reply::{EntryKind, Page};
use crate::base::id::{Epoch, Seq};
use crate::base::limits::{REACTION_KINDS, REACTION_NAMES};

wire! {
    /// The result of `history`: entries in ascending order.
    pub struct HistoryPage {
        /// Continuity of the history.
        pub epoch: Epoch,
        /// The entries.
        pub entries: Page<Entry>,
        /// The oldest seq that the server still has.
        pub first: Seq,
        /// The newest seq.
        pub head: Seq,
        /// Whether there are more in the direction asked for.
        pub more: bool,
    }
}

wire! {
    /// The result of `search`: the newest first.
    pub struct SearchPage {
        /// What was found.
        pub hits: Page<Hit>,
        /// Where to go on, as `before` of the next search; absent if everything was searched.
        pub next: Option<u64>,
    }
}

wire! {
    /// A message that was found.
    pub struct Hit {
        /// Its room.
        pub room: Arc<str>,
        /// The message, as it is now.
        pub entry: Entry,
    }
}

wire! {
    /// A stored event. A message is as it is now, at the page's `head`: edited, deleted, reacted to.
    pub struct Entry {
        /// Its place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// What it is.
        pub kind: EntryKind,
        /// The account that caused it.
        pub from: Arc<str>,
        /// The text of a message; the new topic; the new text of an `edit`; the reaction of `react` and
        /// `unreact`. Empty if it was deleted.
        pub text: Arc<str>,
        /// The message that it is about, or that it answers.
        pub re: Option<Seq>,
        /// When the message was last edited, in milliseconds since 1970 UTC.
        pub edited: Option<u64>,
        /// When the text was deleted, in milliseconds since 1970 UTC.
        pub deleted: Option<u64>,
        /// The reactions to the message, the one that was used first before the others.
        pub reactions: Option<Page<Reaction, REACTION_KINDS>>,
    }
}

impl Entry {
    /// What is said now, and about nothing else.
    #[must_use]
    pub fn new(seq: Seq, time: u64, kind: EntryKind, from: Arc<str>, text: Arc<str>) -> Self {
        let (re, edited, deleted, reactions) = (None, None, None, None);
        Self { seq, time, kind, from, text, re, edited, deleted, reactions }
    }
}

wire! {
    /// A reaction to a message.
    pub struct Reaction {
        /// The reaction.
        pub text: Arc<str>,
        /// How many accounts reacted so.
        pub count: u32,
        /// Their names, the first of them before the others; not more than 10, however many they are.
        pub names: Page<Arc<str>, REACTION_NAMES>,
    }
}
