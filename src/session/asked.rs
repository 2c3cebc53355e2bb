//! Requests about messages, as the rooms and the store understand them.

use super::sorting::room_name;
use crate::directory::search::Question;
use crate::protocol::request::{History, React, Search};
use crate::protocol::status::{Code, Refusal};
use crate::room::say::Act;
use crate::store::Range;
use crate::store::search::{Search as Query, fold};

/// What a search asks of the store.
pub(super) fn question(search: Search) -> Result<Question, Refusal> {
    let Search { text, room, from, before, limit, .. } = search;
    let words = Query::words(&text.0).ok_or_else(|| {
        Refusal::new(Code::BadParams, "text has no word of two characters or more")
    })?;
    let room = room.as_ref().map(room_name).transpose()?;
    let from = from.map(|name| fold(&name.0));
    Ok(Question { words, room, from, before, limit })
}

/// Which entries a page of history is to have.
pub(super) fn range_of(history: &History) -> Result<Range, Refusal> {
    Ok(match (history.after, history.before, history.around, history.at) {
        (Some(after), before, None, None) => Range::After(after, before),
        (None, Some(before), None, None) => Range::Before(before),
        (None, None, None, None) => Range::Newest,
        (None, None, Some(seq), None) => Range::Around(seq),
        (None, None, None, Some(time)) => Range::At(time),
        _ => {
            let text = "around, at, and before with after exclude one another";
            return Err(Refusal::new(Code::BadParams, text));
        }
    })
}

/// What a reaction does.
pub(super) fn reaction(react: &React) -> Act {
    let (re, reaction) = (react.seq, react.reaction.0.clone());
    if react.on { Act::React { re, reaction } } else { Act::Unreact { re, reaction } }
}
