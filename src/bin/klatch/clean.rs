//! The one way from the network to the terminal.
//!
//! **Invariant:** what [`line()`] and [`lines`] return has no character that acts on a terminal, breaks
//! a line (but LF, from `lines`), hides, or turns the direction of what stands around it. Such a
//! character is shown instead: controls as their pictures (`␛`), the others as `<U+202E>`. Names,
//! texts, topics, errors and everything else that a server says pass through here, in both modes.

use std::borrow::Cow;

/// Combining marks on one letter that are shown; more would climb over the neighbouring lines.
const MARKS: usize = 8;

/// A text for one line of the terminal.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    clean(text, |_| false)
}

/// A text of any number of lines; tabs become spaces, since their width is not known.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    clean(text, |c| c == '\n')
}

/// A text on its way to the server, which takes no control characters but LF and TAB: output of
/// programs is full of them. All else is left as it was written.
pub(crate) fn outgoing(text: &str) -> Cow<'_, str> {
    let refused = |c: char| (c.is_control() && c != '\n' && c != '\t') || is_separator(c);
    if !text.contains(refused) {
        return Cow::Borrowed(text);
    }
    let shown =
        |c: char| if refused(c) { line(c.encode_utf8(&mut [0; 4])).into_owned() } else { c.into() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Line and paragraph separators.
fn is_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether `c` must not reach a terminal.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Characters that are not seen but change what is: direction, line breaks, hidden text.
fn is_invisible(c: char) -> bool {
    matches!(c,
        // Soft hyphen, Arabic letter mark, Hangul and Khmer fillers, Mongolian separators.
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}'
        // Zero-width space, direction marks; joiners (200C, 200D) belong to scripts and emoji.
        | '\u{200b}' | '\u{200e}' | '\u{200f}'
        // Line and paragraph separators, bidirectional embeddings, overrides and isolates.
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Byte order mark, interlinear annotation, musical and shorthand formatting.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tags: invisible copies of ASCII; private use: whatever the font makes of it.
        | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
    )
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn clean(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let marked = text.chars().filter(|&c| is_mark(c)).count() > MARKS;
    if !marked && !text.chars().any(|c| is_unsafe(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().saturating_add(16));
    let mut marks = 0;
    for c in text.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            _ if marks > MARKS => {}
            _ if keep(c) || !is_unsafe(c) => shown.push(c),
            '\t' => shown.push_str("    "),
            '\0'..='\x1f' => shown.push(picture(c)),
            '\x7f' => shown.push('\u{2421}'),
            _ => shown += &code_point(c),
        }
    }
    Cow::Owned(shown)
}

fn code_point(c: char) -> String {
    format!("<U+{:04X}>", u32::from(c))
}

/// The picture of a C0 control, from the block made for them.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests;
