//! Reactions as an entry shows them, and what an entry weighs with them.

use std::sync::Arc;

use crate::base::id::Seq;
use crate::base::limits::{REACTION_KINDS, REACTION_NAMES};
use crate::protocol::reply::{Entry, Page, Reaction};

/// What an entry weighs in a page besides its texts.
const ENTRY_BYTES: usize = 96;
/// What a reaction weighs besides its texts.
const REACTION_BYTES: usize = 32;

/// One account's reaction.
#[derive(Debug, Clone)]
pub struct Given {
    /// The entry that added it.
    pub seq: Seq,
    /// The reaction.
    pub text: Arc<str>,
    /// The account's name.
    pub name: Arc<str>,
}

/// The reactions to one message, the one that was used first before the others.
#[must_use]
pub fn summary(mut given: Vec<Given>) -> Option<Page<Reaction, REACTION_KINDS>> {
    given.sort_unstable_by_key(|given| given.seq);
    let mut reactions: Vec<Reaction> = Vec::new();
    for Given { text, name, .. } in given {
        let at = reactions.iter().position(|known| known.text == text).unwrap_or_else(|| {
            reactions.push(Reaction { text, count: 0, names: Page(Vec::new()) });
            reactions.len() - 1
        });
        if let Some(reaction) = reactions.get_mut(at) {
            reaction.count += 1;
            if reaction.names.0.len() < REACTION_NAMES {
                reaction.names.0.push(name);
            }
        }
    }
    reactions.truncate(REACTION_KINDS);
    (!reactions.is_empty()).then_some(Page(reactions))
}

/// What an entry weighs in a page.
#[must_use]
pub fn size(entry: &Entry) -> usize {
    let reactions = entry.reactions.iter().flat_map(|reactions| &reactions.0);
    let weight = |reaction: &Reaction| {
        let names: usize = reaction.names.0.iter().map(|name| name.len() + 2).sum();
        reaction.text.len() + names + REACTION_BYTES
    };
    let reactions: usize = reactions.map(weight).sum();
    entry.text.len() + entry.from.len() + ENTRY_BYTES + reactions
}

/// Keeps as many of the first entries as weigh `bytes` together; says whether others were dropped.
pub fn fit(entries: &mut Vec<Entry>, bytes: usize) -> bool {
    let mut left = bytes;
    let fitting = entries.iter().take_while(|entry| {
        let size = size(entry);
        let fits = left >= size;
        left = left.saturating_sub(size);
        fits
    });
    let count = fitting.count();
    let dropped = count < entries.len();
    entries.truncate(count);
    dropped
}
