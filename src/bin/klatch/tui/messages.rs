//! Messages after they were said: answers, edits, deletions and reactions, on the screen and asked for.

use std::sync::Arc;

use klatch::base::id::Seq;
use klatch::base::limits::{REACTION_KINDS, REACTION_NAMES};
use klatch::protocol::reply::{Hit, Page, Reaction, SearchPage};

use super::app::{App, Effect};
use super::chat::{Chat, Item, Kind};
use super::wrap::cut;

/// Columns of what an answer quotes.
const QUOTED: usize = 24;
/// Messages that are shown of what was found.
const FOUND: usize = 20;

/// What changes about a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    Edit(&'a Arc<str>),
    Delete,
    React(&'a Arc<str>, &'a Arc<str>),
    Unreact(&'a Arc<str>, &'a Arc<str>),
}

impl Chat {
    /// Changes a message that is shown, unless what is shown has it already.
    pub(super) fn change(&mut self, re: Seq, seq: Seq, change: Change<'_>) {
        let at = self.items.partition_point(|item| item.seq < re);
        let mut known = self.items.iter_mut().skip(at).take_while(|item| item.seq == re);
        let Some(item) = known.find(|item| item.kind == Kind::Said) else { return };
        if item.as_of >= seq {
            return;
        }
        item.as_of = seq;
        let before = item.text.len();
        match change {
            Change::Edit(text) => (item.text, item.edited) = (Arc::clone(text), true),
            Change::Delete => {
                (item.text, item.deleted) = ("".into(), true);
                item.reactions.clear();
            }
            Change::React(text, name) => add(&mut item.reactions, text, name),
            Change::Unreact(text, name) => remove(&mut item.reactions, text, name),
        }
        let after = item.text.len();
        self.resized(before, after);
    }

    /// A message as it is shown: whom it answers, what it says, what others think of it.
    pub(super) fn words(&self, item: &Item) -> String {
        let mut words = String::new();
        if let Some(answered) = item.re.and_then(|re| self.message(re)) {
            let quoted = cut(answered.text.lines().next().unwrap_or_default(), QUOTED);
            words = format!("\u{21aa} {}: {quoted} \u{2502} ", answered.from);
        } else if item.re.is_some() {
            words.push_str("\u{21aa} ");
        }
        if item.deleted {
            words.push_str("(deleted)");
        } else {
            words.push_str(&item.text);
        }
        if item.edited && !item.deleted {
            words.push_str(" (edited)");
        }
        for (index, reaction) in item.reactions.iter().enumerate() {
            words.push(if index == 0 { '\n' } else { ' ' });
            for part in ["[", &reaction.text, " ", &reaction.count.to_string(), "]"] {
                words.push_str(part);
            }
        }
        words
    }

    fn message(&self, seq: Seq) -> Option<&Item> {
        let at = self.items.partition_point(|item| item.seq < seq);
        let mut known = self.items.iter().skip(at).take_while(|item| item.seq == seq);
        known.find(|item| item.kind == Kind::Said)
    }

    /// The message that is `back` before the newest of those that `such` takes.
    fn back(&self, back: usize, such: impl Fn(&Item) -> bool) -> Option<Seq> {
        let messages = self.items.iter().rev().filter(|item| item.kind == Kind::Said);
        let mut messages = messages.filter(|item| !item.deleted && such(item));
        messages.nth(back).map(|item| item.seq)
    }
}

fn add(reactions: &mut Vec<Reaction>, text: &Arc<str>, name: &Arc<str>) {
    let at = reactions.iter().position(|known| known.text == *text).unwrap_or_else(|| {
        reactions.push(Reaction { text: Arc::clone(text), count: 0, names: Page(Vec::new()) });
        reactions.len() - 1
    });
    if let Some(reaction) = reactions.get_mut(at) {
        reaction.count = reaction.count.saturating_add(1);
        if reaction.names.0.len() < REACTION_NAMES {
            reaction.names.0.push(Arc::clone(name));
        }
    }
    reactions.truncate(REACTION_KINDS);
}

fn remove(reactions: &mut Vec<Reaction>, text: &Arc<str>, name: &Arc<str>) {
    if let Some(reaction) = reactions.iter_mut().find(|known| known.text == *text) {
        reaction.count = reaction.count.saturating_sub(1);
        reaction.names.0.retain(|known| known != name);
    }
    reactions.retain(|reaction| reaction.count > 0);
}

impl App {
    /// Something about a message has changed.
    pub(super) fn changed(&mut self, room: &str, re: Seq, seq: Seq, change: Change<'_>) {
        if let Some(chat) = self.find(room) {
            chat.change(re, seq, change);
        }
    }

    /// Shows what a search has found, the newest last as everywhere.
    pub(super) fn found(&mut self, text: &str, page: &SearchPage) {
        let hits = page.hits.0.iter().take(FOUND).rev();
        let lines: Vec<String> = hits
            .map(|Hit { room, entry }| {
                let (date, time) = (self.zone.date(entry.time), self.zone.minute(entry.time));
                let said = entry.text.replace('\n', " ");
                format!("  {date} {time} {room} {}: {said}", entry.from)
            })
            .collect();
        let more = page.next.is_some() || page.hits.0.len() > FOUND;
        let title = match (lines.is_empty(), more) {
            (true, _) => format!("nothing found for \u{201c}{text}\u{201d}"),
            (false, true) => format!("found for \u{201c}{text}\u{201d}, the newest of more:"),
            (false, false) => format!("found for \u{201c}{text}\u{201d}:"),
        };
        self.note(&[vec![title], lines].concat().join("\n"));
    }

    /// Asks for something to be done to one's own message.
    pub(super) fn about_own(&mut self, back: usize, effect: impl FnOnce(Arc<str>, Seq) -> Effect) {
        let me = Arc::clone(&self.me);
        self.about(back, |item| item.from == me, "you said nothing here that is shown", effect);
    }

    /// Asks for something to be done to anybody's message.
    pub(super) fn about_any(&mut self, back: usize, effect: impl FnOnce(Arc<str>, Seq) -> Effect) {
        self.about(back, |_| true, "there is no message here", effect);
    }

    fn about(
        &mut self,
        back: usize,
        such: impl Fn(&Item) -> bool,
        none: &str,
        effect: impl FnOnce(Arc<str>, Seq) -> Effect,
    ) {
        let chat = self.chat();
        match chat.back(back, such) {
            Some(seq) => {
                let effect = effect(Arc::clone(&chat.room), seq);
                self.effect(effect);
            }
            None => self.note(none),
        }
    }
}
