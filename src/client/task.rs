//! The I/O shell around [`Core`]: one task owns the socket, the clock and the channels.
//!
//! **Bounds:** at most one frame and one read are buffered on the way in, [`OUTPUT`] bytes on the
//! way out; commands stay in their channel while the core does not accept more.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use rand::random;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::Error;
use super::connect::{Connector, Stream};
use super::event::Event;
use super::requests::Outcome;
use super::state::{Command, Core, Next, Ready};
use crate::base::clock::{Clock, Moment, SystemClock};
use crate::base::limits;
use crate::protocol::codec;
use crate::protocol::frame::{self, Split};

/// Bytes that wait to be written; frames beyond stay in the core.
const OUTPUT: usize = limits::FRAME_BYTES;
/// Time in which the server's last words are read after it stopped listening.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How far away a deadline is when there is none.
const FAR: Duration = Duration::from_secs(3600);

pub(super) type Reply = oneshot::Sender<Outcome>;

pub(super) struct Task {
    core: Core<Reply>,
    connector: Connector,
    clock: SystemClock,
    commands: mpsc::Receiver<Command<Reply>>,
    events: mpsc::Sender<Event>,
    ready: Option<oneshot::Sender<Result<Ready, Error>>>,
}

/// What one turn of the loop met.
enum Turn {
    Read(std::io::Result<usize>),
    Wrote(std::io::Result<usize>),
    Other,
    /// Nobody holds the client any more.
    Abandoned,
}

impl Task {
    pub(super) fn new(
        core: Core<Reply>,
        connector: Connector,
        commands: mpsc::Receiver<Command<Reply>>,
        events: mpsc::Sender<Event>,
        ready: oneshot::Sender<Result<Ready, Error>>,
    ) -> Self {
        let clock = SystemClock::default();
        Self { core, connector, clock, commands, events, ready: Some(ready) }
    }

    /// Runs until the session is over for good.
    pub(super) async fn run(mut self, stream: Stream) {
        let mut stream = Some(stream);
        while let Some(open) = stream {
            let cause = self.converse(open).await;
            stream = self.reopen(cause).await;
        }
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            self.core.submit(command);
        }
        self.hand_out();
        let now = self.clock.now();
        while let Some(event) = self.core.next_event(now) {
            if self.events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Waits and connects again until it succeeds; `None` if there is nothing to come back to.
    async fn reopen(&mut self, mut cause: Error) -> Option<Stream> {
        loop {
            let next = self.core.lost(cause, self.clock.now(), random());
            self.hand_out();
            let Next::Retry(wait) = next else { return None };
            cause = match self.attempt(wait).await? {
                Ok(stream) => return Some(stream),
                Err(error) => error,
            };
        }
    }

    /// One attempt, after a wait; callers and reader are served meanwhile.
    async fn attempt(&mut self, wait: Duration) -> Option<Result<Stream, Error>> {
        let Self { core, connector, clock, commands, events, .. } = self;
        let attempt = async {
            tokio::time::sleep(wait).await;
            connector.open().await
        };
        tokio::pin!(attempt);
        loop {
            tokio::select! {
                opened = &mut attempt => return Some(opened),
                command = commands.recv(), if core.accepts() => core.submit(command?),
                permit = events.reserve(), if core.has_events() => tell(core, permit, clock.now()),
            }
            hand_out(core);
        }
    }

    /// One connection, from hello to its end; says why it ended.
    async fn converse(&mut self, stream: Stream) -> Error {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
        self.core.opened(self.clock.now());
        loop {
            self.hand_out();
            self.fill(&mut output);
            let turn = self.turn(&mut reader, &mut input, &mut writer, &mut output).await;
            let now = self.clock.now();
            let went = match turn {
                Turn::Read(Ok(0)) => Err(closed()),
                Turn::Read(Ok(_)) => self.take_frames(&mut input),
                Turn::Read(Err(error)) => Err(Error::io("reading from the server", error)),
                Turn::Wrote(Ok(_)) | Turn::Other => self.core.timer(now),
                Turn::Wrote(Err(error)) => {
                    self.last_words(&mut reader, &mut input).await;
                    Err(Error::io("writing to the server", error))
                }
                Turn::Abandoned => Err(Error::Ended),
            };
            if let Err(cause) = went {
                return cause;
            }
        }
    }

    /// Waits for whatever comes first.
    async fn turn(
        &mut self,
        reader: &mut ReadHalf<Stream>,
        input: &mut BytesMut,
        writer: &mut WriteHalf<Stream>,
        output: &mut BytesMut,
    ) -> Turn {
        let Self { core, clock, commands, events, .. } = self;
        let now = clock.now();
        let wait = core.deadline().map_or(FAR, |deadline| deadline.since(now));
        input.reserve(limits::READ_BYTES);
        tokio::select! {
            read = reader.read_buf(input), if !core.is_stuffed() => Turn::Read(read),
            wrote = writer.write(output), if !output.is_empty() => {
                if let Ok(count) = wrote {
                    output.advance(count);
                }
                Turn::Wrote(wrote)
            }
            command = commands.recv(), if core.accepts() => match command {
                Some(command) => {
                    core.submit(command);
                    Turn::Other
                }
                None => Turn::Abandoned,
            },
            permit = events.reserve(), if core.has_events() => {
                tell(core, permit, now);
                Turn::Other
            }
            () = tokio::time::sleep(wait) => Turn::Other,
        }
    }

    /// Moves frames that may be sent now to the output.
    fn fill(&mut self, output: &mut BytesMut) {
        let now = self.clock.now();
        while output.len() < OUTPUT
            && let Some(frame) = self.core.next_frame(now)
        {
            output.extend_from_slice(&frame);
        }
    }

    /// Takes every whole frame off the input.
    fn take_frames(&mut self, input: &mut BytesMut) -> Result<(), Error> {
        let now = self.clock.now();
        loop {
            let body = match frame::split(input, limits::FRAME_BYTES) {
                Ok(Split::Frame { body, .. }) => body,
                Ok(Split::Incomplete { .. }) => return Ok(()),
                Err(error) => return Err(Error::Protocol(error.to_string())),
            };
            let incoming = codec::decode_incoming(body).map_err(Error::Protocol)?;
            input.advance(limits::FRAME_HEADER_BYTES + body.len());
            self.core.receive(incoming, now)?;
        }
    }

    /// The server does not listen any more; what it said before, a goodbye perhaps, still counts.
    async fn last_words(&mut self, reader: &mut ReadHalf<Stream>, input: &mut BytesMut) {
        let reading = async {
            while let Ok(1..) = reader.read_buf(input).await {
                if self.take_frames(input).is_err() {
                    return;
                }
            }
        };
        // Whether it ended or took too long, the connection is over.
        drop(tokio::time::timeout(LAST_WORDS, reading).await);
    }

    /// Hands out answers, and the outcome of the first connection.
    fn hand_out(&mut self) {
        hand_out(&mut self.core);
        if let Some(outcome) = self.core.take_ready()
            && let Some(ready) = self.ready.take()
        {
            drop(ready.send(outcome));
        }
    }
}

type Permit<'a> = Result<mpsc::Permit<'a, Event>, mpsc::error::SendError<()>>;

/// Tells the next event; a reader that has gone is told nothing.
fn tell(core: &mut Core<Reply>, permit: Permit<'_>, now: Moment) {
    if let Some(event) = core.next_event(now)
        && let Ok(permit) = permit
    {
        permit.send(event);
    }
}

fn hand_out(core: &mut Core<Reply>) {
    while let Some((reply, outcome)) = core.next_answer() {
        // A caller that stopped waiting is no error.
        drop(reply.send(outcome));
    }
}

fn closed() -> Error {
    Error::io("the server closed the connection", std::io::ErrorKind::UnexpectedEof.into())
}
