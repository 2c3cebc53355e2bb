//! The Klatch protocol, read at a glance.
//!
//! It relies on the codec's own way of writing a `message` event: `room` and `seq` come first and
//! `text` comes last. Whatever looks different is left to the codec.

use klatch::base::limits::{FRAME_BYTES, FRAME_HEADER_BYTES};
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::Event;
use klatch::protocol::frame::{self, Split};
use klatch::protocol::request::{Create, Hello, Join, Login, Ping, Say};

use super::{Driver, Glance, Nature, Seen, Template, room_name, text};
use crate::error::{Failure, Result};
use crate::tag::Tag;

/// The number of the answer to a `ping`, which no message has.
const SIGN_OF_LIFE: u32 = u32::MAX - 1;

/// klatchd.
#[derive(Debug)]
pub(crate) struct Klatch;

impl Driver for Klatch {
    fn nature(&self) -> Nature {
        Nature {
            numbered: true,
            acknowledged: true,
            echoes: true,
            speaks_before_tls: false,
            pipelines: true,
        }
    }

    #[inline]
    fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<Seen<'a>>> {
        let Split::Frame { body, .. } = frame::split(bytes, FRAME_BYTES)? else {
            return Ok(None);
        };
        let frame = &bytes[..FRAME_HEADER_BYTES + body.len()];
        Ok(Some(Seen { glance: glance(body)?, frame }))
    }

    fn explain(&self, frame: &[u8]) -> String {
        let body = frame.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        match codec::decode_incoming(body) {
            Ok(Incoming::Response { outcome: Err(error), .. }) => {
                format!("a request was refused: {} ({})", error.text, error.name)
            }
            Ok(Incoming::Event(Event::Bye(bye))) => {
                format!("the server said goodbye: {} ({})", bye.text, bye.name)
            }
            Ok(other) => format!("{other:?}"),
            Err(error) => error,
        }
    }

    fn introduction(&self, who: &str, room: usize, first: bool) -> Vec<Vec<u8>> {
        let [hello, login] = greeting(who);
        let room = room_name(room).as_str().into();
        let enter = if first {
            codec::request(3, &Create { room, topic: None, private: None, timeout_ms: None })
        } else {
            codec::request(3, &Join { room, timeout_ms: None })
        };
        vec![hello, login, enter.to_vec()]
    }

    fn template(&self, room: usize) -> Template {
        let (room, text) = (room_name(room).as_str().into(), text().as_str().into());
        let say = Say { room, text, re: None, key: None, timeout_ms: None };
        // A number that takes four bytes, so that any other fits in its place.
        let frame = codec::request(u32::MAX, &say).to_vec();
        let id = frame.windows(4).position(|bytes| bytes == u32::MAX.to_be_bytes());
        Template::new(frame, 0).numbered(id)
    }

    fn sign_of_life(&self, _: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&codec::request(SIGN_OF_LIFE, &Ping { timeout_ms: None }));
    }

    fn verify(&self, seen: Seen<'_>) -> bool {
        let body = seen.frame.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        decoded(body).is_ok_and(|glance| glance == seen.glance)
    }
}

/// The requests that give a connection a name.
pub(crate) fn greeting(who: &str) -> [Vec<u8>; 2] {
    let program = Some("klatch-bench".into());
    let hello = Hello { version: 1, version_min: None, client: program, timeout_ms: None };
    let login = Login::guest(who.into());
    [codec::request(1, &hello).to_vec(), codec::request(2, &login).to_vec()]
}

/// Reads the body of a frame at a glance.
fn glance(body: &[u8]) -> Result<Glance> {
    const MESSAGE: &[u8] = b"\x93\x02\xa7message\x91\x85\xa4room";
    const RESPONSE: u8 = 0x94;
    if let Some(rest) = body.strip_prefix(MESSAGE)
        && let Some(seq) = seq_after_room(rest)
        && let Some(tag) = Tag::at_end(body)
    {
        return Ok(Glance::Message { seq, tag });
    }
    if body.first() == Some(&RESPONSE)
        && let Some(id) = success(body)
    {
        return Ok(if id == SIGN_OF_LIFE { Glance::Other } else { Glance::Answer { id } });
    }
    decoded(body)
}

/// The same by way of the codec: the truth that [`glance`] is compared with.
fn decoded(body: &[u8]) -> Result<Glance> {
    Ok(match codec::decode_incoming(body)? {
        Incoming::Response { id: SIGN_OF_LIFE, outcome: Ok(_) } => Glance::Other,
        Incoming::Response { id, outcome: Ok(_) } => Glance::Answer { id },
        Incoming::Response { id, outcome: Err(_) } => Glance::Refused { id },
        Incoming::Event(Event::Message(message)) => {
            let tag = Tag::at_end(message.text.as_bytes());
            let tag = tag.ok_or_else(|| Failure::new("a message that nobody here has said"))?;
            Glance::Message { seq: message.seq.0, tag }
        }
        Incoming::Event(Event::Bye(_)) => Glance::Bye,
        Incoming::Event(Event::Ping(_)) => Glance::Ping,
        Incoming::Event(_) | Incoming::UnknownEvent => Glance::Other,
    })
}

/// The number behind `"seq"`, if that key follows the room's name.
fn seq_after_room(rest: &[u8]) -> Option<u64> {
    const SHORT_STRING: u8 = 0xa0;
    let (&head, rest) = rest.split_first()?;
    let length = usize::from(head.checked_sub(SHORT_STRING).filter(|length| *length < 32)?);
    let mut number = rest.get(length..)?.strip_prefix(b"\xa3seq")?;
    rmp::decode::read_int(&mut number).ok()
}

/// The request's number, if nil stands where a response has its error.
fn success(body: &[u8]) -> Option<u32> {
    let mut rest = body.get(2..)?;
    let id = rmp::decode::read_int(&mut rest).ok()?;
    (rest.first() == Some(&0xc0)).then_some(id)
}
