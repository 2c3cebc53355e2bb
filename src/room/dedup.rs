//! Which keys were used, so that a repeated request changes nothing.
//!
//! **Owns:** the newest keys of one room, as many as its bound. **Invariants:** an answer other than
//! [`Lookup::Unsure`] is right whatever was forgotten: a key that begins with the time of its making
//! (a UUID of version 7) cannot have been used long before that time.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::say::Act;
use crate::base::id::{Key, Seq};
use crate::base::limits::KEY_WINDOW_MS;
use crate::protocol::reply::EntryKind;
use crate::store::Known;

/// How far a client's clock may be ahead for the time in its keys to be of use.
const AHEAD_MS: u64 = 10 * 60 * 1000;

/// What was done under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The seq that the message got.
    pub seq: Seq,
    /// When.
    pub time: u64,
}

/// What came with a key, as far as it has to be told from something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    kind: EntryKind,
    re: Option<Seq>,
    /// A digest; none if the text is not known any more.
    text: Option<u64>,
}

impl Request {
    /// What asks for a act.
    #[must_use]
    pub fn of(act: &Act) -> Self {
        let text = act.text().map_or("", |text| text);
        Self { kind: act.kind(), re: act.re(), text: Some(digest_of(text)) }
    }

    /// What storage has of it.
    #[must_use]
    pub fn known(known: &Known) -> Self {
        Self { kind: known.kind, re: known.re, text: known.text.as_deref().map(digest_of) }
    }

    /// Whether `asked` is the same, as far as that is still known.
    #[must_use]
    pub fn is(&self, asked: &Self) -> bool {
        let same = self.text.is_none() || self.text == asked.text;
        (self.kind, self.re) == (asked.kind, asked.re) && same
    }
}

fn digest_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// It was not used.
    New,
    /// This was done under it, for the same request.
    Before(Done),
    /// It was used for something else.
    Conflict,
    /// It is older than any key that must be known.
    Expired,
    /// It may have been used and forgotten: storage knows.
    Unsure,
}

/// The keys of one room.
#[derive(Debug)]
pub struct Dedup {
    done: HashMap<(Arc<str>, Key), (Request, Done)>,
    order: VecDeque<(Arc<str>, Key)>,
    bound: usize,
    /// Keys made until then may have been used and forgotten; none was if there is no such time.
    horizon: Option<u64>,
}

impl Dedup {
    /// No key is known. Before `since`, if given, some may have been used.
    #[must_use]
    pub fn new(bound: usize, since: Option<u64>) -> Self {
        let horizon = since.map(|time| time.saturating_add(AHEAD_MS));
        Self { done: HashMap::new(), order: VecDeque::new(), bound, horizon }
    }

    /// What was done under a key of this name, if it was this act. It is the name that counts:
    /// a guest who comes back after a restart is another account.
    #[must_use]
    pub fn find(&self, from: &Arc<str>, key: Key, act: &Act, now_ms: u64) -> Lookup {
        if let Some(&(request, done)) = self.done.get(&(Arc::clone(from), key)) {
            let same = request.is(&Request::of(act));
            return if same { Lookup::Before(done) } else { Lookup::Conflict };
        }
        let made = made_at(key).filter(|&made| made <= now_ms.saturating_add(AHEAD_MS));
        match (self.horizon, made) {
            (Some(horizon), Some(made)) if made <= horizon => Lookup::Unsure,
            (Some(_), None) => Lookup::Unsure,
            _ => Lookup::New,
        }
    }

    /// What is so of a key that storage was asked for, and does not have; `complete` if it has
    /// everything that was ever said.
    #[must_use]
    pub fn not_found(key: Key, now_ms: u64, complete: bool) -> Lookup {
        let old = |made: u64| made.saturating_add(KEY_WINDOW_MS) < now_ms;
        if !complete && made_at(key).is_some_and(old) { Lookup::Expired } else { Lookup::New }
    }

    /// Notes what was done.
    pub fn note(&mut self, from: &Arc<str>, key: Key, request: Request, done: Done) {
        if self.order.len() >= self.bound
            && let Some(oldest) = self.order.pop_front()
            && let Some((_, done)) = self.done.remove(&oldest)
        {
            self.horizon = self.horizon.max(Some(done.time.saturating_add(AHEAD_MS)));
        }
        self.done.insert((Arc::clone(from), key), (request, done));
        self.order.push_back((Arc::clone(from), key));
    }

    /// Forgets what was done after `seq`: it was not committed.
    pub fn forget_after(&mut self, seq: Seq) {
        let Self { done, order, .. } = self;
        done.retain(|_, (_, done)| done.seq <= seq);
        order.retain(|key| done.contains_key(key));
    }
}

/// When a key was made, in milliseconds since 1970, if it says so (RFC 9562, section 5.7).
fn made_at(key: Key) -> Option<u64> {
    let uuid = uuid::Uuid::from_bytes(key.0);
    let (seconds, nanos) = uuid.get_timestamp().filter(|_| uuid.get_version_num() == 7)?.to_unix();
    Some(seconds.saturating_mul(1000).saturating_add(u64::from(nanos) / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn ann() -> Arc<str> {
        "ann".into()
    }

    fn text(text: &str) -> Act {
        Act::Say { text: text.into(), re: None }
    }

    /// A key that was made `ago` milliseconds before now.
    fn key(byte: u8, ago: i64) -> Key {
        let made = NOW.saturating_add_signed(-ago);
        let uuid = uuid::Builder::from_unix_timestamp_millis(made, &[byte; 10]).into_uuid();
        Key(uuid.into_bytes())
    }

    fn done(seq: u64, ago: u64) -> Done {
        Done { seq: Seq(seq), time: NOW - ago }
    }

    #[test]
    fn a_key_is_known_by_name_and_text() {
        let mut dedup = Dedup::new(2, None);
        dedup.note(&ann(), key(1, 0), Request::of(&text("hello")), done(1, 0));
        assert_eq!(dedup.find(&ann(), key(1, 0), &text("hello"), NOW), Lookup::Before(done(1, 0)));
        assert_eq!(dedup.find(&ann(), key(1, 0), &text("other"), NOW), Lookup::Conflict);
        assert_eq!(dedup.find(&"bob".into(), key(1, 0), &text("hello"), NOW), Lookup::New);
        assert_eq!(dedup.find(&ann(), key(2, 0), &text("hello"), NOW), Lookup::New);
        assert_eq!(dedup.find(&ann(), Key([1; 16]), &text("hello"), NOW), Lookup::New);
    }

    #[test]
    fn a_key_is_for_one_kind_of_deed_and_one_message() {
        let mut dedup = Dedup::new(9, None);
        let edit = |re| Act::Edit { re: Seq(re), text: "x".into() };
        dedup.note(&ann(), key(1, 0), Request::of(&edit(4)), done(5, 0));
        assert_eq!(dedup.find(&ann(), key(1, 0), &edit(4), NOW), Lookup::Before(done(5, 0)));
        assert_eq!(dedup.find(&ann(), key(1, 0), &edit(3), NOW), Lookup::Conflict);
        assert_eq!(dedup.find(&ann(), key(1, 0), &text("x"), NOW), Lookup::Conflict);
        let answer = Act::Say { text: "x".into(), re: Some(Seq(4)) };
        assert_eq!(dedup.find(&ann(), key(1, 0), &answer, NOW), Lookup::Conflict);
        // What was said is not known any more, since it was edited: it is not said again.
        let unknown = Request { text: None, ..Request::of(&text("y")) };
        dedup.note(&ann(), key(2, 0), unknown, done(6, 0));
        assert_eq!(dedup.find(&ann(), key(2, 0), &text("x"), NOW), Lookup::Before(done(6, 0)));
        assert_eq!(dedup.find(&ann(), key(2, 0), &edit(3), NOW), Lookup::Conflict);
    }

    #[test]
    fn what_may_have_been_forgotten_is_never_called_new() {
        let mut dedup = Dedup::new(2, None);
        for (seq, ago) in [(1, 3_600_000), (2, 3_000_000), (3, 2_000_000)] {
            let made = i64::try_from(ago).unwrap();
            dedup.note(&ann(), key(seq, made), Request::of(&text("x")), done(seq.into(), ago));
        }
        // The first is forgotten: its key, and any that may be as old, are storage's to know.
        assert_eq!(dedup.find(&ann(), key(1, 3_600_000), &text("x"), NOW), Lookup::Unsure);
        assert_eq!(dedup.find(&ann(), key(9, 3_100_000), &text("x"), NOW), Lookup::Unsure);
        assert_eq!(dedup.find(&ann(), key(9, 2_500_000), &text("x"), NOW), Lookup::New);
        assert_eq!(
            dedup.find(&ann(), key(3, 2_000_000), &text("x"), NOW),
            Lookup::Before(done(3, 2_000_000))
        );
        // A key that does not tell when it was made may be any that was forgotten.
        assert_eq!(dedup.find(&ann(), Key([1; 16]), &text("x"), NOW), Lookup::Unsure);
        // So may one from the future: its clock is wrong.
        assert_eq!(dedup.find(&ann(), key(9, -3_600_000), &text("x"), NOW), Lookup::Unsure);
    }

    #[test]
    fn a_room_that_was_opened_again_is_unsure_of_what_was_before() {
        let dedup = Dedup::new(2, Some(NOW - 3_600_000));
        assert_eq!(dedup.find(&ann(), key(9, 3_600_000), &text("x"), NOW), Lookup::Unsure);
        assert_eq!(dedup.find(&ann(), key(9, 0), &text("x"), NOW), Lookup::New);
    }

    #[test]
    fn a_key_beyond_the_window_is_refused_and_never_said_again() {
        let old = key(1, i64::try_from(KEY_WINDOW_MS).unwrap() + 1);
        assert_eq!(Dedup::new(2, Some(NOW)).find(&ann(), old, &text("x"), NOW), Lookup::Unsure);
        assert_eq!(Dedup::not_found(old, NOW, false), Lookup::Expired);
        assert_eq!(Dedup::not_found(old, NOW, true), Lookup::New, "whose clock is wrong");
        assert_eq!(Dedup::not_found(Key([1; 16]), NOW, false), Lookup::New);
    }

    #[test]
    fn what_was_not_committed_is_forgotten() {
        let mut dedup = Dedup::new(9, None);
        dedup.note(&ann(), key(1, 0), Request::of(&text("a")), done(1, 0));
        dedup.note(&ann(), key(2, 0), Request::of(&text("b")), done(2, 0));
        dedup.forget_after(Seq(1));
        assert_eq!(dedup.find(&ann(), key(2, 0), &text("b"), NOW), Lookup::New);
        assert_eq!(dedup.find(&ann(), key(1, 0), &text("a"), NOW), Lookup::Before(done(1, 0)));
    }
}
