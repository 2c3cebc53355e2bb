//! Searching in memory: all that is kept is looked at, the newest first.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::Shelf;
use crate::protocol::reply::Entry;
use crate::store::reactions;
use crate::store::search::{Hits, Search};

/// Finds what is asked for; the rooms are bounded in bytes together, and so is the work.
pub(super) fn find(rooms: &[Weak<Mutex<Shelf>>], search: &Search) -> Hits {
    let before = search.before.unwrap_or(u64::MAX);
    let mut found: Vec<(u64, Arc<str>, Entry)> = Vec::new();
    for shelf in rooms.iter().filter_map(Weak::upgrade) {
        let shelf = shelf.lock();
        let name = &shelf.name;
        let wanted = search.room.as_ref().is_none_or(|room| room.as_str() == &**name);
        if !(wanted && (search.sees)(name)) {
            continue;
        }
        let older = shelf.entries.iter().rev().filter(|kept| kept.order < before);
        // Of one room no more can be shown than of all, and one tells that there are more.
        let hits = older.filter(|kept| search.matches(&kept.entry)).take(search.limit + 1);
        found.extend(hits.map(|kept| (kept.order, Arc::clone(name), kept.shown())));
    }
    found.sort_unstable_by_key(|(order, ..)| std::cmp::Reverse(*order));
    let (mut hits, mut left, mut last) = (Vec::new(), search.bytes, None);
    for (order, name, entry) in found {
        let size = reactions::size(&entry) + name.len();
        if hits.len() >= search.limit || size > left {
            return Hits { hits, next: last };
        }
        left -= size;
        last = Some(order);
        hits.push((name, entry));
    }
    Hits { hits, next: None }
}
