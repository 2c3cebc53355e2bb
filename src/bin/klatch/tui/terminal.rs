//! The terminal itself: asking before the screen is taken, taking it, giving it back.
//!
//! **Invariant:** the screen is given back however the program ends, also by a panic.

use std::io::{self, BufRead, Write};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use klatch::client::{Client, Error, Events};
use ratatui::{DefaultTerminal, Frame};

use super::work;
use crate::args::Args;
use crate::clean;
use crate::exit;
use crate::login;

/// The screen; given back when it is dropped.
pub(super) struct Terminal {
    screen: DefaultTerminal,
}

impl Terminal {
    /// Takes the screen.
    pub(super) fn take() -> io::Result<Self> {
        // Ratatui gives the screen back on a panic, and then calls this hook.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            drop(execute!(io::stdout(), DisableBracketedPaste));
            hook(panic);
        }));
        let screen = ratatui::try_init()?;
        let terminal = Self { screen };
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(terminal)
    }

    pub(super) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.screen.draw(picture).map(drop)
    }

    /// Forgets what is on the screen: the next picture is drawn whole.
    pub(super) fn clear(&mut self) {
        // A terminal that cannot be cleared fails at the next picture.
        drop(self.screen.clear());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(execute!(io::stdout(), DisableBracketedPaste));
        ratatui::restore();
    }
}

/// Connects; asks for a name if there is none, or none that the server takes.
pub(super) async fn connect(args: &Args) -> Result<(Client, Events), Error> {
    let mut name = args.name_or_user();
    loop {
        let this = match name.take() {
            Some(name) => name,
            None => ask_name().ok_or(Error::Ended)?,
        };
        let refused = match login::connect(args, &this, work::asking, true).await {
            Err(error) if exit::is_about_name(&error) => error,
            other => return other,
        };
        exit::note(&refused.to_string());
    }
}

/// Asks on the terminal; `None` if there is no answer.
fn ask_name() -> Option<String> {
    let mut out = io::stdout().lock();
    write!(out, "Your name: ").and_then(|()| out.flush()).ok()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    let name = clean::line(answer.trim()).into_owned();
    (!name.is_empty()).then_some(name)
}
