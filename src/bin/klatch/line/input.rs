//! Standard input, line by line, read by a thread of its own since a pipe cannot be awaited.
//!
//! **Bounds:** [`LINES`] lines wait; a line has at most [`BYTES`] bytes, and the rest of a longer
//! one is passed over.

use std::io::{BufRead, Read};

use klatch::base::limits::TEXT_BYTES;
use tokio::sync::mpsc;

const LINES: usize = 64;
/// One more than a text can have: the server's own refusal then says what is wrong.
const BYTES: u64 = TEXT_BYTES as u64 + 1;

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    pub(super) text: String,
}

/// Starts to read.
pub(super) fn lines() -> mpsc::Receiver<Line> {
    let (send, receive) = mpsc::channel(LINES);
    // It ends with the input, or when nobody receives any more, or with the process.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        for number in 1.. {
            let Some(text) = next(&mut input) else { return };
            if send.blocking_send(Line { number, text }).is_err() {
                return;
            }
        }
    });
    receive
}

/// The next line; `None` at the end or when reading fails.
fn next(input: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    if input.by_ref().take(BYTES).read_until(b'\n', &mut line).ok()? == 0 {
        return None;
    }
    let whole = line.last() == Some(&b'\n');
    if whole {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else {
        input.skip_until(b'\n').ok()?;
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_and_bounded() {
        let long = "x".repeat(40_000);
        let mut input = std::io::Cursor::new(format!("one\r\n\n{long}\n\u{e9}\nend").into_bytes());
        let lines: Vec<_> = std::iter::from_fn(|| next(&mut input)).collect();
        let lengths: Vec<_> = lines.iter().map(String::len).collect();
        assert_eq!(lengths, [3, 0, TEXT_BYTES + 1, 2, 3]);
        assert_eq!(lines.last().map(String::as_str), Some("end"));
    }

    #[test]
    fn bytes_that_are_not_text_do_not_stop_it() {
        let mut input = std::io::Cursor::new(b"a\xffb\n".to_vec());
        assert_eq!(next(&mut input).as_deref(), Some("a\u{fffd}b"));
    }
}
