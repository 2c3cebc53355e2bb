//! Full screen: the shell around [`App`] that owns terminal, connection and clock.
//!
//! **Bounds:** [`DOING`] requests of the app are under way; what is drawn is drawn at most
//! [`FRAME`] apart, however fast events come.

mod act;
mod app;
mod chat;
mod command;
mod composer;
mod keys;
mod layout;
mod messages;
mod news;
mod reading;
mod terminal;
mod view;
mod work;
mod wrap;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use klatch::base::clock::{Clock, SystemClock};
use klatch::client::{Client, Error, Event, Events};
use klatch::protocol::event::Removed;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::Args;
use crate::clock::Zone;
use crate::exit::{self, fail};
use crate::login;
use act::{Act, Own};
use app::{App, Done, Effect, Link};
use terminal::Terminal;

/// The least time between two pictures.
const FRAME: Duration = Duration::from_millis(16);
/// Requests of the app that are under way at once; more are refused with a word.
const DOING: usize = 2_000;
/// How often the time is told while somebody types.
const TICK: Duration = Duration::from_secs(1);

/// Why the client is in a room no more.
pub(crate) fn put_out(removed: &Removed) -> String {
    let Removed { room, reason, by, text, .. } = removed;
    let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let text = text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("you are not in #{room} any more ({}{by}){text}", reason.word())
}

/// `1 member`, `7 members`
pub(crate) fn members(count: u32) -> String {
    plural(u64::from(count), "member", "members")
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(crate) async fn run(args: &Args) -> ExitCode {
    // Asked before the screen is taken: the answers are a matter of lines.
    let (client, events) = match terminal::connect(args).await {
        Ok(connected) => connected,
        Err(error) => return exit::fail_with(&error),
    };
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    let (Ok(terminate), Ok(hangup)) = signals else {
        return fail(exit::SYSTEM, "cannot watch for signals");
    };
    let terminal = match Terminal::take() {
        Ok(terminal) => terminal,
        Err(error) => return fail(exit::SYSTEM, &format!("cannot use the terminal: {error}")),
    };
    let app = App::new(Arc::clone(client.name()), args.server.clone(), Zone::of_user());
    let shell = Shell {
        args: args.clone(),
        app,
        client,
        doing: FuturesUnordered::new(),
        clock: SystemClock::default(),
        terminal,
    };
    Box::pin(shell.run(events, terminate, hangup)).await
}

type Work = BoxFuture<'static, (Done, Option<(Client, Events)>)>;

struct Shell {
    args: Args,
    app: App,
    client: Client,
    doing: FuturesUnordered<Work>,
    clock: SystemClock,
    terminal: Terminal,
}

/// Why the screen is given back.
enum Over {
    Quit,
    Failed(std::io::Error),
}

impl Shell {
    async fn run(
        mut self,
        mut events: Events,
        mut terminate: Signal,
        mut hangup: Signal,
    ) -> ExitCode {
        let mut input = EventStream::new();
        let mut stale = true;
        let mut drawn = tokio::time::Instant::now() - FRAME;
        let over = loop {
            tokio::select! {
                () = tokio::time::sleep_until(drawn + FRAME), if stale => {
                    if let Err(error) = self.draw() { break Over::Failed(error) }
                    (stale, drawn) = (false, tokio::time::Instant::now());
                    continue;
                }
                typed = input.next() => match typed {
                    Some(Ok(typed)) => self.typed(typed),
                    Some(Err(error)) => break Over::Failed(error),
                    None => break Over::Quit,
                },
                event = events.next(), if !self.is_over() => self.event(event),
                Some((done, renewed)) = self.doing.next() => {
                    self.tell_time();
                    if let Some((client, new)) = renewed {
                        self.replace(client);
                        events = new;
                    }
                    self.app.done(done);
                }
                () = tokio::time::sleep(TICK), if !self.app.typing.is_empty() || self.app.owes_mark() => self.tell_time(),
                _ = terminate.recv() => break Over::Quit,
                _ = hangup.recv() => break Over::Quit,
            }
            stale = true;
            if self.carry_out() {
                break Over::Quit;
            }
        };
        self.leave(over).await
    }

    fn is_over(&self) -> bool {
        matches!(self.app.link, Link::Over(_))
    }

    fn tell_time(&mut self) {
        self.app.at(self.clock.now(), self.clock.unix_ms());
    }

    fn typed(&mut self, typed: TerminalEvent) {
        self.tell_time();
        if let TerminalEvent::Key(event) = typed
            && let Some(key) = keys::key(event)
        {
            self.app.key(key);
        } else if let TerminalEvent::Paste(text) = typed {
            self.app.paste(&text);
        }
    }

    fn event(&mut self, event: Option<Event>) {
        self.tell_time();
        let event = event.unwrap_or(Event::Disconnected { why: Error::Ended, retry_in: None });
        self.app.event(event);
    }

    /// The session goes on by another one.
    fn replace(&mut self, client: Client) {
        let old = std::mem::replace(&mut self.client, client);
        self.doing.push(Box::pin(async move {
            drop(tokio::time::timeout(Duration::from_secs(3), old.quit()).await);
            (Done::Nothing, None)
        }));
    }

    /// Does what the app wants. Says whether that is to quit.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are requests")]
    fn carry_out(&mut self) -> bool {
        while let Some(effect) = self.app.next_effect() {
            match effect {
                Effect::Quit => return true,
                Effect::Redraw => self.terminal.clear(),
                Effect::Rename { name } => {
                    self.doing.push(work::rename(self.args.builder(&name)));
                }
                Effect::Act { act: Act::Own(Own::Logout(_)), .. } => {
                    login::forget(&self.args, self.client.name());
                    self.doing.push(work::start(&self.client, effect));
                }
                _ if self.doing.len() >= DOING => {
                    self.app.note("too much is waiting for the server; this was not done");
                }
                effect => self.doing.push(work::start(&self.client, effect)),
            }
        }
        false
    }

    fn draw(&mut self) -> std::io::Result<()> {
        let app = &mut self.app;
        self.terminal.draw(|screen| {
            let window = view::places(screen.area(), app.has_members()).scrollback;
            app.window = (usize::from(window.width), usize::from(window.height));
            view::draw(app, screen);
        })
    }

    /// Gives the screen back, then logs out.
    async fn leave(self, over: Over) -> ExitCode {
        drop(self.terminal);
        let lost = match &self.app.link {
            Link::Online => None,
            Link::Lost(why) | Link::Over(why) => Some(why.clone()),
        };
        let unsaid: usize = self.app.chats.iter().map(|chat| chat.unsaid.len()).sum();
        let goodbye = self.client.quit();
        let goodbye = tokio::time::timeout(Duration::from_secs(3), goodbye).await;
        match over {
            Over::Failed(error) => fail(exit::SYSTEM, &format!("the terminal failed: {error}")),
            Over::Quit if unsaid > 0 && !matches!(goodbye, Ok(Ok(()))) => {
                let what = plural(unsaid as u64, "message was", "messages were");
                let why = lost.unwrap_or_else(|| "the server did not answer".into());
                fail(exit::NO_CONNECTION, &format!("{what} not acknowledged: {why}"))
            }
            Over::Quit => ExitCode::SUCCESS,
        }
    }
}
