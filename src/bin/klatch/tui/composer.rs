//! The line in which a person writes: editing, what was written before, completion.
//!
//! A line break in a message is shown as `⏎`, so that the message is one line to edit: what is
//! pasted stays one message. **Bounds:** [`HISTORY`] lines are remembered; what is pasted beyond
//! [`BYTES`] is refused by the server with the length in words, not cut.

use std::collections::VecDeque;
use std::sync::Arc;

use klatch::base::limits::TEXT_BYTES;
use tui_input::{Input, InputRequest};

const HISTORY: usize = 200;
/// Twice what the server takes: enough to see that it is too much.
const BYTES: usize = 2 * TEXT_BYTES;
/// Stands for a line break.
pub(super) const BREAK: char = '\u{23ce}';

#[derive(Debug, Default)]
pub(super) struct Composer {
    input: Input,
    history: VecDeque<String>,
    /// Which line of the history is shown, counted from the newest; 0 is the one being written.
    shown: usize,
    /// What was being written before the history was looked at.
    draft: String,
    completion: Option<Completion>,
}

/// A completion that the next Tab takes on.
#[derive(Debug)]
struct Completion {
    before: String,
    after: String,
    candidates: Vec<String>,
    next: usize,
}

impl Composer {
    pub(super) fn input(&self) -> &Input {
        &self.input
    }

    pub(super) fn text(&self) -> String {
        self.input.value().replace(BREAK, "\n")
    }

    pub(super) fn edit(&mut self, request: InputRequest) {
        self.completion = None;
        self.input.handle(request);
    }

    /// Puts text in at the cursor: typed breaks, and what was pasted.
    pub(super) fn insert(&mut self, text: &str) {
        self.completion = None;
        let space = BYTES.saturating_sub(self.input.value().len());
        let text = text.replace('\n', &BREAK.to_string());
        let mut end = text.len().min(space);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (before, after) = self.around_cursor();
        let text = text.get(..end).unwrap_or_default();
        let cursor = before.chars().count() + text.chars().count();
        self.set(&format!("{before}{text}{after}"), cursor);
    }

    /// Takes what was written.
    pub(super) fn take(&mut self) -> String {
        let text = self.text();
        let line = self.input.value_and_reset();
        if !line.is_empty() && self.history.front() != Some(&line) {
            self.history.push_front(line);
            self.history.truncate(HISTORY);
        }
        (self.shown, self.completion) = (0, None);
        text
    }

    /// Shows what was written before.
    pub(super) fn older(&mut self) {
        if self.shown < self.history.len() {
            if self.shown == 0 {
                self.draft = self.input.value().to_owned();
            }
            self.show(self.shown + 1);
        }
    }

    /// Shows what was written after it.
    pub(super) fn newer(&mut self) {
        if self.shown > 0 {
            self.show(self.shown - 1);
        }
    }

    fn show(&mut self, which: usize) {
        self.shown = which;
        self.completion = None;
        let line = match which.checked_sub(1) {
            Some(index) => self.history.get(index).cloned().unwrap_or_default(),
            None => std::mem::take(&mut self.draft),
        };
        self.set(&line, line.chars().count());
    }

    /// Completes the word before the cursor by one of `names`, or a command by one of `commands`;
    /// the next one if it was just completed.
    pub(super) fn complete(&mut self, names: &[Arc<str>], commands: &[&str]) {
        let mut completion = match self.completion.take() {
            Some(completion) => completion,
            None => match self.candidates(names, commands) {
                Some(completion) => completion,
                None => return,
            },
        };
        let Some(candidate) = completion.candidates.get(completion.next) else { return };
        let line = format!("{}{candidate}", completion.before);
        self.set(&format!("{line}{}", completion.after), line.chars().count());
        completion.next = (completion.next + 1) % completion.candidates.len().max(1);
        self.completion = Some(completion);
    }

    fn candidates(&self, names: &[Arc<str>], commands: &[&str]) -> Option<Completion> {
        let (before, after) = self.around_cursor();
        let start = before.rfind([' ', BREAK]).map_or(0, |at| {
            at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let (before, word) = before.split_at_checked(start)?;
        let wanted = word.trim_start_matches('@').to_lowercase();
        if wanted.is_empty() {
            return None;
        }
        let candidates: Vec<String> = if start == 0 && word.starts_with('/') {
            let found = commands.iter().filter(|command| command.starts_with(word));
            found.map(|command| format!("{command} ")).collect()
        } else {
            let found = names.iter().filter(|name| name.to_lowercase().starts_with(&wanted));
            let end = if start == 0 { ": " } else { " " };
            found.map(|name| format!("{name}{end}")).collect()
        };
        let (before, after) = (before.to_owned(), after.trim_start().to_owned());
        (!candidates.is_empty()).then_some(Completion { before, after, candidates, next: 0 })
    }

    fn around_cursor(&self) -> (String, String) {
        let value = self.input.value();
        let cursor = self.input.cursor();
        (value.chars().take(cursor).collect(), value.chars().skip(cursor).collect())
    }

    fn set(&mut self, line: &str, cursor: usize) {
        self.input = Input::new(line.to_owned()).with_cursor(cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composer(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.insert(text);
        composer
    }

    fn names() -> Vec<Arc<str>> {
        ["alice", "Alfred", "bob"].map(Arc::from).into()
    }

    #[test]
    fn what_is_pasted_is_one_message() {
        let mut composer = composer("one\ntwo\nthree");
        assert_eq!(composer.input().value(), "one⏎two⏎three");
        assert_eq!(composer.take(), "one\ntwo\nthree");
        assert_eq!(composer.take(), "");
    }

    #[test]
    fn a_paste_goes_in_at_the_cursor_and_is_bounded() {
        let mut composer = composer("ad");
        composer.edit(InputRequest::GoToPrevChar);
        composer.insert("bc");
        assert_eq!((composer.input().value(), composer.input().cursor()), ("abcd", 3));
        composer.insert(&"é".repeat(BYTES));
        assert!(composer.input().value().len() <= BYTES);
    }

    #[test]
    fn what_was_written_comes_back_and_the_draft_too() {
        let mut composer = composer("one");
        composer.take();
        composer.insert("two");
        composer.take();
        composer.insert("draft");
        let mut seen = Vec::new();
        for step in ["older", "older", "older", "newer", "newer", "newer"] {
            if step == "older" {
                composer.older();
            } else {
                composer.newer();
            }
            seen.push(composer.text());
        }
        assert_eq!(seen, ["two", "one", "one", "two", "draft", "draft"]);
    }

    #[test]
    fn tab_goes_through_the_names() {
        let mut composer = composer("al");
        let mut seen = Vec::new();
        for _ in 0..3 {
            composer.complete(&names(), &[]);
            seen.push(composer.text());
        }
        assert_eq!(seen, ["alice: ", "Alfred: ", "alice: "]);
    }

    #[test]
    fn tab_inside_a_line_leaves_the_rest() {
        let mut composer = composer("ask bo please");
        for _ in 0..7 {
            composer.edit(InputRequest::GoToPrevChar);
        }
        composer.complete(&names(), &[]);
        assert_eq!((composer.text().as_str(), composer.input().cursor()), ("ask bob please", 8));
        let mut composer = Composer::default();
        composer.insert("/he");
        composer.complete(&names(), &["/help", "/join"]);
        assert_eq!(composer.text(), "/help ");
        composer.complete(&names(), &["/help", "/join"]);
        assert_eq!(composer.text(), "/help ");
    }

    #[test]
    fn the_cursor_steps_over_whole_letters() {
        let mut composer = composer("a👩‍👩‍👧e\u{301}");
        composer.edit(InputRequest::DeletePrevChar);
        composer.edit(InputRequest::DeletePrevChar);
        assert_eq!(composer.text(), "a");
    }
}
