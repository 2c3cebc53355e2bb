//! Mentions: `@name` in a text.

/// Whether a text mentions somebody. What ends a sentence does not belong to the name.
#[must_use]
pub fn mentions(text: &str, name: &str) -> bool {
    let inner = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
    let wanted = name.to_lowercase();
    text.split('@').skip(1).any(|rest| {
        let end = rest.find(|letter| !inner(letter) && !is_mark(letter)).unwrap_or(rest.len());
        let run = rest.get(..end).unwrap_or_default();
        run.trim_end_matches(['_', '.', '-']).to_lowercase() == wanted
    })
}

/// Letters that stand on others belong to the name.
fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_name_is_mentioned_as_a_whole() {
        for text in ["@ann", "hi @Ann!", "@ann.", "(@ANN)", "@bob@ann", "@ann-"] {
            assert!(mentions(text, "ann"), "{text}");
        }
        for text in ["ann", "@anna", "@an", "@ ann", "@ann.lee", "@ann_b", ""] {
            assert!(!mentions(text, "ann"), "{text}");
        }
        assert!(mentions("@Zoë, look", "zoë"));
        assert!(mentions("см. @Анна…", "анна"));
    }
}
