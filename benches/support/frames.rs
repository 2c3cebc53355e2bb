//! The frames of the load: made once and patched, and read at a glance.
//!
//! A run delivers millions of messages in a second, so the generator looks at a few bytes of each,
//! where the codec would decode and allocate. What it relies on is the codec's own way of writing a
//! `message` event: `room` and `seq` come first and `text` comes last. Whatever looks different is
//! left to the codec.

use klatch::base::id::Seq;
use klatch::base::limits::{FRAME_BYTES, FRAME_HEADER_BYTES};
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::{Event, Message};
use klatch::protocol::frame::{self, Split};
use klatch::protocol::request::{Create, Hello, Join, Login, Ping, Say};

use super::{Failure, Result};

/// Bytes of the text of each message.
pub(crate) const TEXT_BYTES: usize = 100;
/// Bytes of the frame that joins a room of the relay: the length, and the room's number.
pub(crate) const JOIN_BYTES: usize = 8;

/// Marks one message: the last 8 bytes of its text, and so of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag(u64);

impl Tag {
    /// The mark of the message with this number; unlike all others of a run of 2^32.
    pub(crate) fn new(number: u32) -> Self {
        let mut digits = [0; size_of::<u64>()];
        for (place, digit) in digits.iter_mut().enumerate() {
            let nibble = (number >> (4 * place)) & 0xf;
            *digit = b"0123456789abcdef"[nibble as usize];
        }
        Self(u64::from_ne_bytes(digits))
    }

    fn at_end(bytes: &[u8]) -> Option<Self> {
        bytes.last_chunk().map(|bytes| Self(u64::from_ne_bytes(*bytes)))
    }
}

/// What a frame from a server is to the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glance {
    /// A message; the relay does not number them, its `seq` means nothing.
    Message { seq: u64, tag: Tag },
    /// The answer to a request, or to joining the relay.
    Answer,
    /// The server wants a sign of life.
    Ping,
    /// Any other event.
    Other,
}

/// Reads the body of a frame at a glance; a refusal or a `bye` is an error.
pub(crate) fn glance(body: &[u8]) -> Result<Glance> {
    const MESSAGE: &[u8] = b"\x93\x02\xa7message\x91\x85\xa4room";
    const RESPONSE: u8 = 0x94;
    if let Some(rest) = body.strip_prefix(MESSAGE)
        && let Some(seq) = seq_after_room(rest)
        && let Some(tag) = Tag::at_end(body)
    {
        return Ok(Glance::Message { seq, tag });
    }
    if body.len() == JOIN_BYTES - FRAME_HEADER_BYTES {
        return Ok(Glance::Answer);
    }
    if body.first() == Some(&RESPONSE) && is_success(body) {
        return Ok(Glance::Answer);
    }
    decoded(body)
}

/// The same by way of the codec: the truth that [`glance`] is compared with.
pub(crate) fn decoded(body: &[u8]) -> Result<Glance> {
    match codec::decode_incoming(body)? {
        Incoming::Response { outcome: Ok(_), .. } => Ok(Glance::Answer),
        Incoming::Response { id, outcome: Err(error) } => {
            Err(Failure::new(format!("request {id} was refused: {} ({})", error.text, error.name)))
        }
        Incoming::Event(Event::Message(message)) => Tag::at_end(message.text.as_bytes())
            .map(|tag| Glance::Message { seq: message.seq.0, tag })
            .ok_or_else(|| Failure::new("a message that the generator did not send")),
        Incoming::Event(Event::Bye(bye)) => {
            Err(Failure::new(format!("the server said goodbye: {} ({})", bye.text, bye.name)))
        }
        Incoming::Event(Event::Ping(_)) => Ok(Glance::Ping),
        Incoming::Event(_) | Incoming::UnknownEvent => Ok(Glance::Other),
    }
}

/// The number behind `"seq"`, if that key follows the room's name.
fn seq_after_room(rest: &[u8]) -> Option<u64> {
    const SHORT_STRING: u8 = 0xa0;
    let (&head, rest) = rest.split_first()?;
    let length = usize::from(head.checked_sub(SHORT_STRING).filter(|length| *length < 32)?);
    let mut number = rest.get(length..)?.strip_prefix(b"\xa3seq")?;
    rmp::decode::read_int(&mut number).ok()
}

/// Whether nil stands where a response has its error.
fn is_success(body: &[u8]) -> bool {
    let mut rest = body.get(2..).unwrap_or_default();
    let id: Option<u32> = rmp::decode::read_int(&mut rest).ok();
    id.is_some() && rest.first() == Some(&0xc0)
}

/// The length of the whole frames at the front of `bytes`.
pub(crate) fn whole(bytes: &[u8]) -> Result<usize> {
    let mut rest = bytes;
    while let Split::Frame { rest: after, .. } = frame::split(rest, FRAME_BYTES)? {
        rest = after;
    }
    Ok(bytes.len() - rest.len())
}

/// A frame with a text that is tagged anew each time it is sent.
pub(crate) struct Template {
    frame: Vec<u8>,
    /// Where the request's number stands, if it is a request.
    id: Option<usize>,
}

impl Template {
    /// `say` in a room.
    pub(crate) fn say(room: &str) -> Self {
        let text = "x".repeat(TEXT_BYTES).as_str().into();
        let say = Say { room: room.into(), text, key: None, timeout_ms: None };
        // A number that takes four bytes, so that any other fits in its place.
        let frame = codec::request(u32::MAX, &say).to_vec();
        let id = frame.windows(4).position(|bytes| bytes == u32::MAX.to_be_bytes());
        Self { frame, id }
    }

    /// The event that a member of a Klatch room would receive, so that the relay copies as many
    /// bytes as the daemon sends.
    pub(crate) fn relayed(room: &str) -> Self {
        let message = Message {
            room: room.into(),
            seq: Seq(10_000),
            time: 1_800_000_000_000,
            from: member_name(0).into(),
            text: "x".repeat(TEXT_BYTES).into(),
        };
        let mut frame = bytes::BytesMut::new();
        codec::append_event(&mut frame, &Event::Message(message));
        Self { frame: frame.to_vec(), id: None }
    }

    /// Whether the server answers it.
    pub(crate) const fn is_answered(&self) -> bool {
        self.id.is_some()
    }

    /// Appends the frame to `out`, numbered and tagged.
    pub(crate) fn append(&self, out: &mut Vec<u8>, number: u32, tag: Tag) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let end = out.len();
        out[end - size_of::<u64>()..].copy_from_slice(&tag.0.to_ne_bytes());
        if let Some(id) = self.id {
            out[start + id..][..4].copy_from_slice(&number.to_be_bytes());
        }
    }
}

/// The frame that joins a room of the relay.
pub(crate) fn relay_join(room: usize) -> Result<Vec<u8>> {
    let room = u32::try_from(room)?.to_be_bytes();
    Ok(frame::single(|body| body.extend_from_slice(&room)).to_vec())
}

/// The room that such a frame joins.
pub(crate) fn joined_room(frame: [u8; JOIN_BYTES]) -> Option<usize> {
    let [0, 0, 0, 4, room @ ..] = frame else { return None };
    usize::try_from(u32::from_be_bytes(room)).ok()
}

/// The requests that make a fresh connection a member of a room, in their order.
pub(crate) fn introduction(client: usize, room: &str, create: bool) -> Vec<Vec<u8>> {
    let program = Some("fanout bench".into());
    let hello = Hello { version: 1, version_min: None, client: program, timeout_ms: None };
    let login = Login { name: member_name(client).as_str().into(), token: None, timeout_ms: None };
    let room = room.into();
    let enter = if create {
        codec::request(3, &Create { room, topic: None, timeout_ms: None })
    } else {
        codec::request(3, &Join { room, timeout_ms: None })
    };
    vec![codec::request(1, &hello).to_vec(), codec::request(2, &login).to_vec(), enter.to_vec()]
}

/// The answer to the server's `ping`.
pub(crate) fn sign_of_life() -> Vec<u8> {
    codec::request(4, &Ping { timeout_ms: None }).to_vec()
}

/// What a room is called.
pub(crate) fn room_name(room: usize) -> String {
    format!("room-{room}")
}

fn member_name(client: usize) -> String {
    format!("user-{client}")
}
