//! Keys to meanings.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::InputRequest;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Redraw,
    NextRoom,
    PreviousRoom,
    NextNews,
    /// The room with this number, from 0.
    Room(usize),
    PageUp,
    PageDown,
    Newest,
    Members,
    Send,
    Break,
    Older,
    Newer,
    Complete,
    Type(char),
    Edit(InputRequest),
}

/// What a key means; `None` if nothing.
#[expect(clippy::wildcard_enum_match_arm, reason = "a keyboard has more keys than a chat needs")]
pub(super) fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    match event.code {
        KeyCode::Char(c) if alt && !control => with_alt(c),
        KeyCode::Char(c) if control && !alt => with_control(c),
        // Both together is how some keyboards type a letter.
        KeyCode::Char(c) => Some(Key::Type(c)),
        KeyCode::Up if alt => Some(Key::PreviousRoom),
        KeyCode::Down if alt => Some(Key::NextRoom),
        KeyCode::End if alt => Some(Key::Newest),
        KeyCode::Enter if alt => Some(Key::Break),
        KeyCode::Left if alt || control => Some(Key::Edit(InputRequest::GoToPrevWord)),
        KeyCode::Right if alt || control => Some(Key::Edit(InputRequest::GoToNextWord)),
        KeyCode::Backspace if alt => Some(Key::Edit(InputRequest::DeletePrevWord)),
        code => plain(code),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a keyboard has more keys than a chat needs")]
fn plain(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Enter => Key::Send,
        KeyCode::Tab => Key::Complete,
        KeyCode::Up => Key::Older,
        KeyCode::Down => Key::Newer,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::F(2) => Key::Members,
        KeyCode::Left => Key::Edit(InputRequest::GoToPrevChar),
        KeyCode::Right => Key::Edit(InputRequest::GoToNextChar),
        KeyCode::Home => Key::Edit(InputRequest::GoToStart),
        KeyCode::End => Key::Edit(InputRequest::GoToEnd),
        KeyCode::Backspace => Key::Edit(InputRequest::DeletePrevChar),
        KeyCode::Delete => Key::Edit(InputRequest::DeleteNextChar),
        _ => return None,
    })
}

fn with_control(c: char) -> Option<Key> {
    Some(match c.to_ascii_lowercase() {
        'c' => Key::Quit,
        'l' => Key::Redraw,
        'n' => Key::NextRoom,
        'p' => Key::PreviousRoom,
        'j' => Key::Break,
        'a' => Key::Edit(InputRequest::GoToStart),
        'e' => Key::Edit(InputRequest::GoToEnd),
        'b' => Key::Edit(InputRequest::GoToPrevChar),
        'f' => Key::Edit(InputRequest::GoToNextChar),
        'd' => Key::Edit(InputRequest::DeleteNextChar),
        'h' => Key::Edit(InputRequest::DeletePrevChar),
        'w' => Key::Edit(InputRequest::DeletePrevWord),
        'u' => Key::Edit(InputRequest::DeleteFromStart),
        'k' => Key::Edit(InputRequest::DeleteTillEnd),
        'y' => Key::Edit(InputRequest::Yank),
        _ => return None,
    })
}

fn with_alt(c: char) -> Option<Key> {
    Some(match c.to_ascii_lowercase() {
        'a' => Key::NextNews,
        'b' => Key::Edit(InputRequest::GoToPrevWord),
        'f' => Key::Edit(InputRequest::GoToNextWord),
        'd' => Key::Edit(InputRequest::DeleteNextWord),
        '1'..='9' => Key::Room(usize::try_from(c.to_digit(10)?).ok()? - 1),
        _ => return None,
    })
}
