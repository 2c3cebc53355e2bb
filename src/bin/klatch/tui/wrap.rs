//! Text in columns: wrapping and cutting by what a terminal shows, not by bytes or characters.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Breaks `text` into rows of at most `width` columns: at line breaks, else between words, else
/// between letters. There is always one row at least.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut rows = Vec::new();
    for line in text.split('\n') {
        let mut row = Row::default();
        for word in line.split_inclusive(' ') {
            let space = word.len() - word.trim_end_matches(' ').len();
            let (word, space) = word.split_at(word.len() - space);
            row.add(word, width, &mut rows);
            row.space(space, width);
        }
        rows.push(row.text);
    }
    rows
}

#[derive(Default)]
struct Row {
    text: String,
    width: usize,
}

impl Row {
    fn add(&mut self, word: &str, width: usize, rows: &mut Vec<String>) {
        let wide = word.width();
        if self.width + wide <= width {
            self.text.push_str(word);
            self.width += wide;
            return;
        }
        if wide <= width {
            self.turn(rows);
            self.text.push_str(word);
            self.width = wide;
            return;
        }
        for letter in word.graphemes(true) {
            let wide = letter.width();
            if self.width + wide > width && self.width > 0 {
                self.turn(rows);
            }
            self.text.push_str(letter);
            self.width += wide;
        }
    }

    /// The space at the end of a row is not carried to the next.
    fn space(&mut self, space: &str, width: usize) {
        if self.width + space.len() <= width {
            self.text.push_str(space);
            self.width += space.len();
        }
    }

    fn turn(&mut self, rows: &mut Vec<String>) {
        let text = std::mem::take(&mut self.text);
        rows.push(text.trim_end().to_owned());
        self.width = 0;
    }
}

/// Cuts `text` to `width` columns; an ellipsis shows that it was cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for letter in text.graphemes(true) {
        if used + letter.width() + 1 > width {
            break;
        }
        used += letter.width();
        shown.push_str(letter);
    }
    if width > 0 {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_never_pass_the_width() {
        let texts = [
            "the quick brown fox",
            "日本語のテキスト",
            "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧",
            "aaaaaaaaaaaaaaaaaaaa bb",
            "",
            " x",
        ];
        for text in texts {
            for width in 2..12 {
                let rows = wrap(text, width);
                assert!(rows.iter().all(|row| row.width() <= width), "{width} {rows:?}");
                let letters = |text: &str| text.split_whitespace().collect::<String>();
                assert_eq!(letters(&rows.concat()), letters(text), "nothing is lost");
            }
        }
    }

    #[test]
    fn rows_break_between_words_where_they_can() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("see https://example.org/a", 10), ["see https:", "//example.", "org/a"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn what_is_cut_is_marked() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("x", 0), "");
    }
}
