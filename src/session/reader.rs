//! Bytes as they come, bodies as they are taken: out of frames, or out of a WebSocket's messages.
//!
//! All sessions of a worker read into one buffer; a session keeps only what it could not take yet:
//! an incomplete frame, or frames for which it has no credit.
//!
//! **Invariants:** keeps at most one read and one frame; every split of the stream gives the same
//! frames.

use bytes::{Buf, BytesMut};

use crate::protocol::frame::{self, FrameError, Split};
use crate::protocol::websocket::{Decoder, Unit, WebSocketError};

/// What a session has read and not taken; nothing, for most of them and most of the time.
#[derive(Debug, Default)]
pub struct Reader(Option<Box<Rest>>);

#[derive(Debug, Default)]
struct Rest {
    kept: BytesMut,
    /// Where bodies come as messages of a WebSocket.
    websocket: Option<Decoder>,
}

/// What became of the bytes that were offered.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Everything whole was taken.
    All,
    /// The taker had enough: there may be whole frames left.
    Enough,
    /// What follows is not a frame.
    Bad(FrameError),
    /// What follows is not a WebSocket's frame, or not one for us.
    BadMessage(WebSocketError),
}

/// Whether a taker wants the next frame too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// It does.
    Yes,
    /// Not now.
    No,
}

impl Reader {
    /// A reader of a WebSocket's messages.
    #[must_use]
    pub fn of_websocket() -> Self {
        Self(Some(Box::new(Rest { kept: BytesMut::new(), websocket: Some(Decoder::default()) })))
    }

    /// Frames of a WebSocket that were read since it was asked last; `None` if it is none.
    pub fn take_frames(&mut self) -> Option<u64> {
        let decoder = self.0.as_mut()?.websocket.as_mut()?;
        Some(decoder.take_frames())
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|rest| rest.kept.is_empty())
    }

    /// Bytes that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |rest| rest.kept.len() + rest.websocket.as_ref().map_or(0, Decoder::held))
    }

    /// Offers each whole frame to `take`, those kept before first, until it has enough. `bound` is
    /// asked before each frame, since it may change with one.
    pub fn read(
        &mut self,
        fresh: &[u8],
        bound: impl Fn() -> usize,
        mut take: impl FnMut(Unit<'_>) -> More,
    ) -> Taken {
        let Some(rest) = &mut self.0 else {
            let (taken, left) = take_frames(fresh, bound, &mut take);
            if !left.is_empty() {
                self.0 = Some(Box::new(Rest { kept: left.into(), websocket: None }));
            }
            return taken;
        };
        if let Some(decoder) = &mut rest.websocket {
            return take_messages(decoder, &mut rest.kept, fresh, &bound, &mut take);
        }
        rest.kept.extend_from_slice(fresh);
        let (taken, left) = take_frames(&rest.kept, bound, &mut take);
        if left.is_empty() {
            self.0 = None;
        } else {
            rest.kept.advance(rest.kept.len() - left.len());
        }
        taken
    }
}

fn take_messages(
    decoder: &mut Decoder,
    kept: &mut BytesMut,
    fresh: &[u8],
    bound: &impl Fn() -> usize,
    take: &mut impl FnMut(Unit<'_>) -> More,
) -> Taken {
    let mut joined = std::mem::take(kept);
    let mut input = fresh;
    if !joined.is_empty() {
        joined.extend_from_slice(fresh);
        input = &joined;
    }
    let taken = loop {
        match decoder.decode(&mut input, bound()) {
            Ok(Some(unit)) if take(unit) == More::Yes => {}
            Ok(Some(_)) => break Taken::Enough,
            Ok(None) => break Taken::All,
            Err(error) => break Taken::BadMessage(error),
        }
    };
    decoder.relax();
    let left = if matches!(taken, Taken::BadMessage(_)) { 0 } else { input.len() };
    if joined.is_empty() {
        kept.extend_from_slice(fresh.get(fresh.len() - left..).unwrap_or_default());
    } else if left > 0 {
        joined.advance(joined.len() - left);
        *kept = joined;
    }
    taken
}

fn take_frames<'a>(
    mut bytes: &'a [u8],
    bound: impl Fn() -> usize,
    take: &mut impl FnMut(Unit<'_>) -> More,
) -> (Taken, &'a [u8]) {
    loop {
        match frame::split(bytes, bound()) {
            Ok(Split::Frame { body, rest }) => {
                bytes = rest;
                if take(Unit::Body(body)) == More::No {
                    return (Taken::Enough, bytes);
                }
            }
            Ok(Split::Incomplete { .. }) => return (Taken::All, bytes),
            Err(error) => return (Taken::Bad(error), &[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Cut anywhere, and taken in any number at a time, the bodies are the same.
        #[test]
        fn every_split_gives_the_same_bodies(
            websocket: bool,
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..30), 1..12),
            cut in 1_usize..40,
            credit in 1_usize..5,
        ) {
            let mut stream = BytesMut::new();
            for body in &bodies {
                if websocket {
                    let length = u8::try_from(body.len()).expect("short");
                    stream.extend_from_slice(&[0x82, 0x80 | length, 0, 0, 0, 0]);
                    stream.extend_from_slice(body);
                } else {
                    frame::append(&mut stream, |out| out.extend_from_slice(body));
                }
            }
            let mut reader = if websocket { Reader::of_websocket() } else { Reader::default() };
            let mut got = Vec::new();
            for chunk in stream.chunks(cut) {
                let mut fresh = chunk;
                loop {
                    let mut left = credit;
                    let taken = reader.read(fresh, || 64, |unit| {
                        if let Unit::Body(body) = unit { got.push(body.to_vec()); }
                        left -= 1;
                        if left == 0 { More::No } else { More::Yes }
                    });
                    fresh = &[];
                    if taken == Taken::All { break; }
                }
            }
            prop_assert_eq!(got, bodies);
            prop_assert!(reader.is_empty());
        }
    }

    #[test]
    fn a_bad_length_is_found_before_its_body_comes() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(&[0, 0], || 9, |_| More::Yes), Taken::All);
        let taken = reader.read(&[0, 10], || 9, |_| More::Yes);
        assert_eq!(taken, Taken::Bad(FrameError::TooLarge { used: 10, allowed: 9 }));
    }
}
