//! What the server writes to a WebSocket: bodies behind their headers, and its control frames.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{BINARY, CLOSE, FINAL, PONG, SHORT};
use crate::base::limits::FRAME_HEADER_BYTES;
use crate::protocol::frame::{self, Split};

/// Writes the header of a server's frame.
fn put_head(out: &mut BytesMut, opcode: u8, length: usize) {
    out.put_u8(FINAL | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=SHORT), _) => out.put_u8(short),
        (_, Ok(medium)) => {
            out.put_u8(126);
            out.put_u16(medium);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(u64::try_from(length).unwrap_or(u64::MAX));
        }
    }
}

/// Whole frames of the protocol as messages of a WebSocket. A frame that nobody else holds is
/// changed where it lies.
#[must_use]
pub fn messages(frames: Bytes) -> Bytes {
    match frames.try_into_mut() {
        Ok(own) => single_in_place(own).unwrap_or_else(|own| copied(&own)),
        Err(shared) => copied(&shared),
    }
}

/// The same for frames that others hold too.
#[must_use]
pub fn copied(frames: &[u8]) -> Bytes {
    // No header is longer than the length that it stands for, but those of the very longest.
    let mut out = BytesMut::with_capacity(frames.len());
    let mut rest = frames;
    while let Ok(Split::Frame { body, rest: after }) = frame::split(rest, usize::MAX) {
        put_head(&mut out, BINARY, body.len());
        out.extend_from_slice(body);
        rest = after;
    }
    out.freeze()
}

/// Puts a header in the place of the length, which is never shorter.
fn single_in_place(mut frame: BytesMut) -> Result<Bytes, BytesMut> {
    let length = frame.len().saturating_sub(FRAME_HEADER_BYTES);
    let alone = matches!(frame::split(&frame, usize::MAX), Ok(Split::Frame { rest: [], .. }));
    if !alone || u16::try_from(length).is_err() {
        return Err(frame);
    }
    let mut head = BytesMut::with_capacity(FRAME_HEADER_BYTES);
    put_head(&mut head, BINARY, length);
    frame.advance(FRAME_HEADER_BYTES.saturating_sub(head.len()));
    match frame.get_mut(..head.len()) {
        Some(place) => place.copy_from_slice(&head),
        None => return Err(frame),
    }
    Ok(frame.freeze())
}

/// The answer to a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(payload.len().saturating_add(2));
    put_head(&mut out, PONG, payload.len());
    out.extend_from_slice(payload);
    out.freeze()
}

/// The last frame.
#[must_use]
pub fn close(code: u16) -> Bytes {
    let mut out = BytesMut::with_capacity(4);
    put_head(&mut out, CLOSE, 2);
    out.put_u16(code);
    out.freeze()
}
