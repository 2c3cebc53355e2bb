//! Line mode: for pipes and scripts.
//!
//! **Bounds:** [`WINDOW`] texts are unacknowledged at once, then input is not read; a line of input
//! longer than the server takes is refused, not cut.

mod format;
mod input;

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use klatch::base::clock::{Clock, SystemClock};
use klatch::client::{Answer, Builder, Client, Error, Event, Events};
use klatch::protocol::reply::Said;
use klatch::protocol::request::Say;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::args::Args;
use crate::clean;
use crate::clock::Zone;
use crate::exit::{self, fail, note};
use crate::login;
use crate::trust;
use format::Format;

/// Texts that are unacknowledged at once.
const WINDOW: usize = 256;
/// How often a text that a limit refused is tried.
const TRIES: u32 = 8;

pub(crate) async fn run(args: &Args) -> ExitCode {
    let Some(name) = args.name_or_user() else {
        return fail(exit::USAGE, "no name: give one with --name");
    };
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(interrupt), Ok(terminate)) = signals else {
        return fail(exit::SYSTEM, "cannot watch for signals");
    };
    let trusting = |builder: Builder| builder.on_unknown_server(trust::accept);
    let (client, events) = match login::connect(args, &name, trusting, false).await {
        Ok(connected) => connected,
        Err(error) => return exit::fail_with(&error),
    };
    let room = args.rooms.first().map(|room| room.as_str().into());
    let room = room.or_else(|| client.default_rooms().first().cloned());
    let session = Session {
        client,
        room,
        printer: Printer::new(args.json),
        said: FuturesUnordered::new(),
        refused: false,
    };
    let input = if args.listen { None } else { Some(input::lines()) };
    session.run(events, input, interrupt, terminate).await
}

/// One run of line mode.
struct Session {
    client: Client,
    /// Where texts go.
    room: Option<Arc<str>>,
    printer: Printer,
    said: FuturesUnordered<BoxFuture<'static, Result<(), String>>>,
    refused: bool,
}

/// Why a run is over.
enum Over {
    /// There is no more input and nothing unacknowledged.
    Done,
    /// Nobody reads the output any more.
    NoReader,
    Interrupted,
    Failed(ExitCode),
}

impl Session {
    async fn run(
        mut self,
        mut events: Events,
        mut input: Option<mpsc::Receiver<input::Line>>,
        mut interrupt: Signal,
        mut terminate: Signal,
    ) -> ExitCode {
        let listening = input.is_none();
        let over = loop {
            if input.is_none() && self.said.is_empty() && !listening {
                break Over::Done;
            }
            let room_for_more = self.said.len() < WINDOW;
            tokio::select! {
                line = next_line(&mut input), if input.is_some() && room_for_more => match line {
                    Some(line) => if let Err(code) = self.say(line).await { break Over::Failed(code) },
                    None => input = None,
                },
                Some(said) = self.said.next() => self.acknowledged(said),
                event = events.next() => match self.event(event) {
                    Ok(()) => {}
                    Err(over) => break over,
                },
                _ = interrupt.recv() => break Over::Interrupted,
                _ = terminate.recv() => break Over::Interrupted,
            }
        };
        self.leave(over, events).await
    }

    /// Posts a line of input; the order of the lines is the order of the texts.
    async fn say(&mut self, line: input::Line) -> Result<(), ExitCode> {
        let Some(room) = &self.room else {
            return Err(fail(exit::USAGE, "no room to speak in: give one with --room"));
        };
        let text = clean::outgoing(&line.text);
        if text.trim().is_empty() {
            return Ok(());
        }
        let say = Say {
            room: Arc::clone(room).into(),
            text: text.as_ref().into(),
            re: None,
            key: Some(self.client.key()),
            timeout_ms: None,
        };
        let answer = self.client.submit(&say).await;
        self.said.push(deliver(self.client.clone(), say, answer, line.number).boxed());
        Ok(())
    }

    fn acknowledged(&mut self, said: Result<(), String>) {
        if let Err(why) = said {
            note(&why);
            self.refused = true;
        }
    }

    fn event(&mut self, event: Option<Event>) -> Result<(), Over> {
        let Some(event) = event else { return Err(Over::Failed(exit::NO_CONNECTION.into())) };
        self.printer.print(&event).map_err(|_| Over::NoReader)?;
        if let Event::Disconnected { why, retry_in: None } = event {
            return Err(Over::Failed(exit::fail_with(&why)));
        }
        Ok(())
    }

    /// Logs out, and prints what still comes until the server closes.
    async fn leave(mut self, over: Over, mut events: Events) -> ExitCode {
        let code = match over {
            Over::Failed(code) => return code,
            Over::NoReader | Over::Done if self.refused => exit::REFUSED.into(),
            Over::NoReader | Over::Done => ExitCode::SUCCESS,
            Over::Interrupted => exit::INTERRUPTED.into(),
        };
        let goodbye = async {
            drop(self.client.quit().await);
            while let Some(event) = events.next().await {
                let last = matches!(event, Event::Bye(_) | Event::Disconnected { .. });
                if last || self.printer.print(&event).is_err() {
                    break;
                }
            }
        };
        // A server that does not say goodbye must not keep a script from ending.
        drop(tokio::time::timeout(Duration::from_secs(3), goodbye).await);
        code
    }
}

async fn next_line(input: &mut Option<mpsc::Receiver<input::Line>>) -> Option<input::Line> {
    input.as_mut()?.recv().await
}

/// Says one text; what a limit or a struggling server refused is said again, with the same key.
async fn deliver(
    client: Client,
    say: Say,
    mut answer: Result<Answer<Said>, Error>,
    number: u64,
) -> Result<(), String> {
    for tries in 1.. {
        let result = match answer {
            Ok(answer) => answer.await,
            Err(error) => Err(error),
        };
        let Err(error) = result else { break };
        if tries >= TRIES || !error.is_temporary() {
            return Err(format!("line {number} was not said: {error}"));
        }
        let wait = error.retry_after().unwrap_or(Duration::from_millis(500));
        tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
        answer = client.submit(&say).await;
    }
    Ok(())
}

/// Writes events to standard output.
struct Printer {
    format: Format,
    clock: SystemClock,
    zone: Zone,
    /// The other account of each direct room.
    direct: HashMap<Arc<str>, Arc<str>>,
}

impl Printer {
    fn new(json: bool) -> Self {
        let format = if json { Format::Json } else { Format::Text };
        let (clock, zone) = (SystemClock::default(), Zone::of_user());
        Self { format, clock, zone, direct: HashMap::new() }
    }

    fn print(&mut self, event: &Event) -> std::io::Result<()> {
        if let Event::Room(state) = event
            && let Some(with) = &state.with
        {
            self.direct.insert(Arc::clone(&state.room), Arc::clone(with));
        }
        let context =
            format::Context { zone: &self.zone, now: self.clock.unix_ms(), direct: &self.direct };
        match self.format.event(event, &context) {
            Some(format::Shown::Out(line)) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "{line}").and_then(|()| out.flush())
            }
            Some(format::Shown::Note(text)) => {
                note(&text);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
