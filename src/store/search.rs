//! Searching: what is asked, how texts are compared, what is found.
//!
//! A text is found if it has every word of the question somewhere in it, also inside of other words,
//! whatever the case and the form of the letters.

use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::StoreError;
use crate::base::name::RoomName;
use crate::protocol::reply::{Entry, EntryKind};

/// Decides whether the asker may see a room.
pub type Sight = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What is searched for.
#[derive(Clone)]
pub struct Search {
    /// In this room only.
    pub room: Option<RoomName>,
    /// The words, folded.
    pub words: Vec<String>,
    /// Said by this account only, by its folded name.
    pub from: Option<String>,
    /// Go on after this place.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
    /// About so many bytes of text.
    pub bytes: usize,
    /// Which rooms the asker may see.
    pub sees: Sight,
}

impl Search {
    /// The words of a question; none if it has no word of two characters or more.
    #[must_use]
    pub fn words(text: &str) -> Option<Vec<String>> {
        let words: Vec<_> = fold(text).split_whitespace().map(str::to_owned).collect();
        words.iter().any(|word| word.chars().nth(1).is_some()).then_some(words)
    }

    /// Whether an entry is what is searched for, in a room that the asker sees.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        let sought = entry.kind == EntryKind::Message && entry.deleted.is_none();
        sought && self.finds(&entry.from, &entry.text, &mut String::new())
    }

    /// Whether a message of `from` with this text is what is searched for; `scratch` spares memory where
    /// many are looked at.
    #[must_use]
    pub fn finds(&self, from: &str, text: &str, scratch: &mut String) -> bool {
        let mut is_of = |name: &String| {
            fold_into(from, scratch);
            *name == *scratch
        };
        self.from.as_ref().is_none_or(&mut is_of) && is_in(&self.words, text, scratch)
    }
}

fn is_in(words: &[String], text: &str, scratch: &mut String) -> bool {
    fold_into(text, scratch);
    words.iter().all(|word| scratch.contains(word.as_str()))
}

/// A text as it is compared: NFKC and case folding (Unicode, section 3.13, D146).
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// The same, in the place of what is in `folded`. What is ASCII is itself in every normal form, and
/// never joins what is before it: only the rest is looked up in Unicode's tables, together with the
/// ASCII character before it, which may be the letter under an accent.
fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    let mut rest = text;
    while !rest.is_ascii() {
        let foreign = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or_default();
        let (plain, other) = rest.split_at(foreign.saturating_sub(1));
        let end = other.bytes().skip(1).position(|byte| byte.is_ascii());
        let (piece, after) = other.split_at(end.map_or(other.len(), |end| end + 1));
        push_lower(plain, folded);
        let normal: String = piece.nfkc().collect();
        folded.extend(caseless::default_case_fold_str(&normal).nfkc());
        rest = after;
    }
    push_lower(rest, folded);
}

fn push_lower(ascii: &str, folded: &mut String) {
    let start = folded.len();
    folded.push_str(ascii);
    if let Some(pushed) = folded.get_mut(start..) {
        pushed.make_ascii_lowercase();
    }
}

/// What was found, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// Each with its room.
    pub hits: Vec<(Arc<str>, Entry)>,
    /// Where to go on, if there may be more.
    pub next: Option<u64>,
}

/// Takes what was found, on any thread.
pub type Searcher = Box<dyn FnOnce(Result<Hits, StoreError>) + Send>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_found_in_any_case_form_and_language() {
        for (words, text, found) in [
            ("hello", "Oh, HELLO there", true),
            ("there oh", "Oh, hello there", true),
            ("hello bye", "hello", false),
            ("strasse", "Große STRAẞE", true),
            ("ΣΊΣΥΦΟΣ", "σίσυφος", true),
            ("ﬁne", "FINE", true),
            ("ｈａｌｆ", "half", true),
            ("東京", "今日は東京へ行く", true),
            ("京都", "今日は東京へ行く", false),
            ("cafe\u{301}", "CAFÉ", true),
            ("+1", "c++11", true),
        ] {
            let words = Search::words(words).unwrap();
            assert_eq!(is_in(&words, text, &mut String::new()), found, "{words:?} in {text}");
        }
    }

    proptest! {
        /// Piece by piece it is the same as all at once.
        #[test]
        fn folding_is_that_of_unicode(text in proptest::collection::vec(letter(), 0..12)) {
            let text: String = text.into_iter().collect();
            let at_once = caseless::default_case_fold_str(&text.nfkc().collect::<String>());
            prop_assert_eq!(fold(&text), at_once.nfkc().collect::<String>());
        }
    }

    /// Letters that join what is before them, or become several, among all others.
    fn letter() -> impl Strategy<Value = char> {
        let joining: Vec<char> =
            "\u{300}\u{301}\u{308}\u{323}\u{345}\u{1161}\u{11a8}ᄀ가ǅİıſKﬁẞŉ".chars().collect();
        let joining = proptest::sample::select(joining);
        prop_oneof![proptest::char::range(' ', '~'), joining, any::<char>()]
    }

    #[test]
    fn a_question_has_a_word_of_two_characters() {
        assert!(Search::words("a b").is_none());
        assert!(Search::words(" ").is_none());
        assert_eq!(Search::words("a bc"), Some(vec!["a".into(), "bc".into()]));
        assert!(Search::words("日本").is_some());
    }
}
