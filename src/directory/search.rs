//! Searching: the directory knows which rooms the asker may see, storage what was said there.

use crate::base::id::{RoomId, SessionId};
use crate::base::limits::{HISTORY_PAGE, PAGE_BYTES};
use crate::base::name::RoomName;
use crate::fanout::actor::{Deliver, Step};
use crate::mail;
use crate::protocol::codec;
use crate::protocol::reply::{Hit, Page, SearchPage};
use crate::room::actor::Surroundings;
use crate::room::pipeline::store_refusal;
use crate::store::StoreError;
use crate::store::search::{Hits, Search, Sight};

/// What is searched for, apart from who asks.
#[derive(Debug)]
pub struct Question {
    /// The words, folded.
    pub words: Vec<String>,
    /// In this room only.
    pub room: Option<RoomName>,
    /// Said by this account only, by its folded name.
    pub from: Option<String>,
    /// Go on after this place.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Has storage search, and answers when it has.
pub(super) fn begin(
    around: &Surroundings,
    sees: Sight,
    (from, id): (SessionId, u32),
    question: Question,
) {
    let Some(fanout) = around.fanouts.get(usize::from(from.worker.0)).cloned() else {
        return;
    };
    let Question { words, room, from: author, before, limit } = question;
    let search = Search {
        room,
        words,
        from: author,
        before,
        limit: limit.unwrap_or(HISTORY_PAGE).min(HISTORY_PAGE) as usize,
        bytes: PAGE_BYTES,
        sees,
    };
    let told = Box::new(move |found: Result<Hits, StoreError>| {
        let frame = match found {
            Ok(Hits { hits, next }) => {
                let hits = hits.into_iter().map(|(room, entry)| Hit { room, entry });
                codec::result_frame(id, &SearchPage { hits: Page(hits.collect()), next })
            }
            Err(error) => codec::refusal_frame(id, &store_refusal(error)),
        };
        let steps = vec![Step::Respond(from, frame)];
        // The answer to one request: bounded by its session's credit.
        mail::post(&fanout, Deliver { room: RoomId(u32::MAX), steps });
    });
    around.store.search(search, told);
}
