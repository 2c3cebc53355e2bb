//! The bare relay's own protocol: frames, of which the first chooses a room.
//!
//! What is said has the bytes that a member of a Klatch room would receive, so that the relay copies
//! as many as the daemon sends.

use bytes::BytesMut;
use klatch::base::id::Seq;
use klatch::base::limits::{FRAME_BYTES, FRAME_HEADER_BYTES};
use klatch::protocol::codec;
use klatch::protocol::event::{Event, Message};
use klatch::protocol::frame::{self, Split};

use super::{Driver, Glance, Nature, Seen, Template, room_name, run, text};
use crate::error::Result;
use crate::tag::Tag;

/// Bytes of the frame that joins a room: the length, and the room's number.
pub(crate) const JOIN_BYTES: usize = 8;

/// The relay.
#[derive(Debug)]
pub(crate) struct Relay;

impl Driver for Relay {
    fn nature(&self) -> Nature {
        Nature {
            numbered: false,
            acknowledged: false,
            echoes: true,
            speaks_before_tls: false,
            pipelines: false,
        }
    }

    #[inline]
    fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<Seen<'a>>> {
        let Split::Frame { body, .. } = frame::split(bytes, FRAME_BYTES)? else {
            return Ok(None);
        };
        let frame = &bytes[..FRAME_HEADER_BYTES + body.len()];
        let glance = match Tag::at_end(body) {
            Some(tag) => Glance::Message { seq: 0, tag },
            None => Glance::Answer { id: 0 },
        };
        Ok(Some(Seen { glance, frame }))
    }

    fn explain(&self, _: &[u8]) -> String {
        "the relay says nothing of its own".into()
    }

    fn introduction(&self, _: &str, room: usize, _: bool) -> Vec<Vec<u8>> {
        // Each run has numbers of its own, as with others it has names.
        let room = u32::try_from(room).unwrap_or_default() | run() << 20;
        let room = room.to_be_bytes();
        vec![frame::single(|body| body.extend_from_slice(&room)).to_vec()]
    }

    fn template(&self, room: usize) -> Template {
        let message = Message {
            room: room_name(room).as_str().into(),
            seq: Seq(10_000),
            time: 1_800_000_000_000,
            from: "user-0".into(),
            text: text().as_str().into(),
            re: None,
        };
        let mut frame = BytesMut::new();
        codec::append_event(&mut frame, &Event::Message(message));
        Template::new(frame.to_vec(), 0)
    }

    fn sign_of_life(&self, _: &[u8], _: &mut Vec<u8>) {}
}

/// The room that such a frame joins.
pub(crate) fn joined_room(frame: [u8; JOIN_BYTES]) -> Option<usize> {
    let [0, 0, 0, 4, room @ ..] = frame else { return None };
    usize::try_from(u32::from_be_bytes(room)).ok()
}

/// The length of the whole frames at the front of `bytes`.
pub(crate) fn whole(bytes: &[u8]) -> Result<usize> {
    let mut rest = bytes;
    while let Split::Frame { rest: after, .. } = frame::split(rest, FRAME_BYTES)? {
        rest = after;
    }
    Ok(bytes.len() - rest.len())
}
