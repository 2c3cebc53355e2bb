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
        sought
            && self.from.as_ref().is_none_or(|from| *from == fold(&entry.from))
            && is_in(&self.words, &entry.text)
    }
}

fn is_in(words: &[String], text: &str) -> bool {
    let text = fold(text);
    words.iter().all(|word| text.contains(word.as_str()))
}

/// A text as it is compared: NFKC and case folding (Unicode, section 3.13, D146).
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect()
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
            assert_eq!(is_in(&Search::words(words).unwrap(), text), found, "{words} in {text}");
        }
    }

    #[test]
    fn a_question_has_a_word_of_two_characters() {
        assert!(Search::words("a b").is_none());
        assert!(Search::words(" ").is_none());
        assert_eq!(Search::words("a bc"), Some(vec!["a".into(), "bc".into()]));
        assert!(Search::words("日本").is_some());
    }
}
