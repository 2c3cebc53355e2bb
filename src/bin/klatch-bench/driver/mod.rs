//! What the load needs to know of a server's protocol, and nothing more: how to become a member of
//! a room, how to say something there, and what a frame that comes is.
//!
//! A run delivers millions of messages in a second, so a driver looks at a few bytes of each.

mod irc;
mod klatch;
mod mqtt;
mod nats;
mod relay;

use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Result;
use crate::tag::Tag;

pub(crate) use irc::Irc;
pub(crate) use klatch::Klatch;
pub(crate) use mqtt::Mqtt;
pub(crate) use nats::Nats;
pub(crate) use relay::{JOIN_BYTES, Relay, joined_room, whole};

/// Bytes of the text of each message.
pub(crate) const TEXT_BYTES: usize = 100;

/// What a frame from a server is to the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glance {
    /// A message; `seq` means something only if the server is [`numbered`](Nature::numbered).
    Message { seq: u64, tag: Tag },
    /// The answer to a request.
    Answer { id: u32 },
    /// A request was refused.
    Refused { id: u32 },
    /// The server ends the connection, and says so.
    Bye,
    /// The server wants a sign of life.
    Ping,
    /// Anything else.
    Other,
}

/// A whole frame at the front of what has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) glance: Glance,
    /// All its bytes; what follows comes after them.
    pub(crate) frame: &'a [u8],
}

/// How a protocol's servers behave, as far as the load depends on it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Nature {
    /// Whether each message has a number in its room's order, without gaps.
    pub(crate) numbered: bool,
    /// Whether each message is answered.
    pub(crate) acknowledged: bool,
    /// Whether who says something receives it too.
    pub(crate) echoes: bool,
    /// Whether the server says a line in the clear before TLS begins.
    pub(crate) speaks_before_tls: bool,
    /// Whether the requests of an introduction may be sent without waiting for answers.
    pub(crate) pipelines: bool,
}

/// One protocol.
pub(crate) trait Driver: Sync {
    /// How its servers behave.
    fn nature(&self) -> Nature;

    /// The frame at the front of `bytes`, once it is all there.
    fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<Seen<'a>>>;

    /// What a frame that is bad news says.
    fn explain(&self, frame: &[u8]) -> String;

    /// The requests that make a fresh connection a member of a room, in their order. Each is sent
    /// when the one before is answered, unless they may all be sent at once.
    fn introduction(&self, who: &str, room: usize, first: bool) -> Vec<Vec<u8>>;

    /// A message to a room.
    fn template(&self, room: usize) -> Template;

    /// Appends the sign of life that `frame` asks for.
    fn sign_of_life(&self, frame: &[u8], out: &mut Vec<u8>);

    /// Looks at the frame in full, and says whether it is what it looks like; slow, for tests.
    fn verify(&self, seen: Seen<'_>) -> bool {
        let _ = seen;
        true
    }
}

/// A frame with a text that is tagged anew each time it is sent.
#[derive(Debug)]
pub(crate) struct Template {
    frame: Vec<u8>,
    /// Where the tag stands.
    tag: usize,
    /// Where the request's number stands, in four bytes, if it has one.
    id: Option<usize>,
}

impl Template {
    /// A frame whose text [`text`] ends `after` bytes before its end.
    fn new(frame: Vec<u8>, after: usize) -> Self {
        let tag = frame.len() - after - Tag::BYTES;
        Self { frame, tag, id: None }
    }

    /// The same, with the request's number at `id`.
    fn numbered(self, id: Option<usize>) -> Self {
        Self { id, ..self }
    }

    /// Appends the frame to `out` as the message with this number.
    pub(crate) fn append(&self, out: &mut Vec<u8>, number: u32) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        out[start + self.tag..][..Tag::BYTES].copy_from_slice(&Tag::new(number).letters());
        if let Some(id) = self.id {
            out[start + id..][..4].copy_from_slice(&number.to_be_bytes());
        }
    }
}

/// The text of a message, before it is tagged.
fn text() -> String {
    "x".repeat(TEXT_BYTES)
}

/// What a room is called.
pub(crate) fn room_name(room: usize) -> String {
    format!("{}room-{room}", prefix())
}

/// What a client is called: short enough for the strictest of the servers, which takes nine letters.
pub(crate) fn member_name(client: usize) -> String {
    format!("{}u{client}", prefix())
}

/// The run, if the server has seen others: then its names must be unlike theirs.
static RUN: AtomicU32 = AtomicU32::new(0);

/// Tells the runs against a server apart; with 0, names are as short as can be.
pub(crate) fn set_run(run: u32) {
    RUN.store(run, Ordering::Relaxed);
}

/// What [`set_run`] was given.
pub(crate) fn run() -> u32 {
    RUN.load(Ordering::Relaxed)
}

/// Three letters, none for run 0.
fn prefix() -> String {
    const LETTERS: u32 = 26;
    let letter = |place| char::from_digit(run() / LETTERS.pow(place) % LETTERS + 10, 36);
    if run() == 0 { String::new() } else { (0..3).filter_map(letter).collect() }
}
