//! Bodies as messages of a WebSocket (RFC 6455): one binary message for each, without the length
//! that stands before it in a stream of frames.
//!
//! Pure: bytes in, bytes out. The server's side only: what it reads is masked, what it writes is
//! not. No extension is known, so no bit is reserved for one; compression in particular is not
//! offered (docs/decisions/0007). The bound is checked on the header alone, before anything of the
//! message is kept, and nothing is reserved for a length that is only announced.

mod write;

use bytes::Buf;
use smallvec::SmallVec;

use super::status::Code;
pub use write::{close, copied, messages, pong};

/// The sub-protocol that client and server agree on.
pub const SUBPROTOCOL: &str = "klatch.1";

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
/// Longest payload whose length stands in the second byte; also the longest of a control frame.
const SHORT: u8 = 125;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The close code of an end that nothing is wrong with.
pub const CLOSE_NORMAL: u16 = 1000;

/// What a client's frames hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit<'a> {
    /// The body of a request, not empty.
    Body(&'a [u8]),
    /// To be answered by a pong with the same payload.
    Ping(&'a [u8]),
    /// The client is done; nothing follows. With the code for the answer.
    Close(u16),
}

/// What a client sent is not a WebSocket, or not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebSocketError {
    /// A reserved bit is set: no extension was agreed on.
    #[error("a frame has a reserved bit set, and no extension is in use")]
    Reserved,
    /// There is no such kind of frame.
    #[error("a frame of the unknown kind {0}")]
    Opcode(u8),
    /// Clients must mask.
    #[error("a frame is not masked")]
    Unmasked,
    /// Bodies are binary.
    #[error("a text message: send binary ones")]
    Text,
    /// A control frame is in parts, or too long.
    #[error("a control frame is in parts or longer than 125 bytes")]
    Control,
    /// A message begins within another, or goes on without having begun.
    #[error("the parts of messages do not fit together")]
    Parts,
    /// A length is not written in the shortest way.
    #[error("a length is not written in the shortest way")]
    Length,
    /// A close frame has half a code, a code that must not travel, or a reason that is no text.
    #[error("a close frame has a bad code or reason")]
    Close,
    /// No body is empty.
    #[error("an empty message")]
    Empty,
    /// The message passes the bound that holds now.
    #[error("a message of {used} bytes or more, {allowed} are allowed")]
    TooLarge {
        /// What was announced so far.
        used: usize,
        /// The bound.
        allowed: usize,
    },
}

impl WebSocketError {
    /// The code with which the connection closes.
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Text => 1003,
            Self::Empty => 1007,
            Self::TooLarge { .. } => 1009,
            Self::Reserved
            | Self::Opcode(_)
            | Self::Unmasked
            | Self::Control
            | Self::Parts
            | Self::Length
            | Self::Close => 1002,
        }
    }
}

/// The close code that goes with the code of a `bye`.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "codes are added; by class they are told apart")]
pub fn close_code(code: Code) -> u16 {
    match code {
        Code::Logout => CLOSE_NORMAL,
        Code::GoingAway => 1001,
        Code::FrameTooLarge => 1009,
        Code::Internal => 1011,
        Code::ServerFull | Code::Busy | Code::Unavailable => 1013,
        malformed if malformed.class() == 1 => 1007,
        _ => 1008,
    }
}

/// A frame whose payload is under way.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: u8,
    last: bool,
    remaining: usize,
    mask: [u8; 4],
}

/// Takes messages out of the bytes of one client, however they are cut.
#[derive(Debug, Default)]
pub struct Decoder {
    /// A header that is not whole yet.
    head: SmallVec<[u8; 14]>,
    frame: Option<Frame>,
    /// What is there of the message under way, unmasked.
    message: Vec<u8>,
    /// What is there of the control frame under way.
    control: Vec<u8>,
    /// A message is under way: its first part has come, its last has not.
    parted: bool,
    /// What the last call gave out is to be forgotten.
    given: bool,
    closed: bool,
    frames: u64,
}

impl Decoder {
    /// Bytes that it keeps.
    #[must_use]
    pub fn held(&self) -> usize {
        self.message.len().saturating_add(self.control.len())
    }

    /// Takes bytes off the front of `input` up to the end of the next unit; `None` if they end
    /// before it does. `allowed` is the longest message that is accepted now.
    pub fn decode(
        &mut self,
        input: &mut &[u8],
        allowed: usize,
    ) -> Result<Option<Unit<'_>>, WebSocketError> {
        if std::mem::take(&mut self.given) {
            self.message.clear();
        }
        if self.closed {
            // Whatever comes behind a close frame has no meaning.
            *input = &[];
            return Ok(None);
        }
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.head(input, allowed)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            self.payload(&mut frame, input);
            if frame.remaining > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            match frame.opcode {
                PONG => {}
                PING => return Ok(Some(Unit::Ping(&self.control))),
                CLOSE => {
                    self.closed = true;
                    return closing(&self.control).map(|code| Some(Unit::Close(code)));
                }
                _ if !frame.last => self.parted = true,
                _ => {
                    (self.parted, self.given) = (false, true);
                    if self.message.is_empty() {
                        return Err(WebSocketError::Empty);
                    }
                    return Ok(Some(Unit::Body(&self.message)));
                }
            }
        }
    }

    /// Frames that began since it was asked last.
    pub fn take_frames(&mut self) -> u64 {
        std::mem::take(&mut self.frames)
    }

    /// Gives back the memory of what was given out: an idle connection keeps none.
    pub fn relax(&mut self) {
        let opcode = self.frame.map(|frame| frame.opcode);
        if !self.parted && opcode.is_none_or(|opcode| opcode >= CLOSE) {
            (self.message, self.given) = (Vec::new(), false);
        }
        if opcode.is_none_or(|opcode| opcode < CLOSE) {
            self.control = Vec::new();
        }
    }

    /// Takes a header, and checks it as soon as it can be.
    fn head(&mut self, input: &mut &[u8], allowed: usize) -> Result<Option<Frame>, WebSocketError> {
        loop {
            let needed = match *self.head {
                [first, second, ..] => {
                    check_head(first, second, self.parted)?;
                    head_bytes(second)
                }
                _ => 2,
            };
            let missing = needed.saturating_sub(self.head.len());
            if missing == 0 {
                break;
            }
            if input.is_empty() {
                return Ok(None);
            }
            let (now, later) = input.split_at(missing.min(input.len()));
            self.head.extend_from_slice(now);
            *input = later;
        }
        self.frames = self.frames.saturating_add(1);
        let mut head = &self.head[..];
        let (first, second) = (head.get_u8(), head.get_u8());
        let remaining = length(second, &mut head)?;
        let mut mask = [0; 4];
        head.copy_to_slice(&mut mask);
        self.head.clear();
        let (opcode, last) = (first & OPCODE, first & FINAL != 0);
        if opcode < CLOSE {
            let used = self.message.len().saturating_add(remaining);
            if used > allowed {
                return Err(WebSocketError::TooLarge { used, allowed });
            }
        } else {
            self.control.clear();
        }
        Ok(Some(Frame { opcode, last, remaining, mask }))
    }

    /// Takes what is there of a payload, and unmasks it.
    fn payload(&mut self, frame: &mut Frame, input: &mut &[u8]) {
        let (now, later) = input.split_at(frame.remaining.min(input.len()));
        let to = if frame.opcode < CLOSE { &mut self.message } else { &mut self.control };
        // By whole masks first: that the compiler turns into wide instructions.
        let (whole, rest) = now.as_chunks::<4>();
        for chunk in whole {
            let mut bytes = *chunk;
            for (byte, mask) in bytes.iter_mut().zip(frame.mask) {
                *byte ^= mask;
            }
            to.extend_from_slice(&bytes);
        }
        to.extend(rest.iter().zip(frame.mask).map(|(byte, mask)| byte ^ mask));
        // The next byte meets the mask where this one left it.
        frame.mask.rotate_left(rest.len());
        frame.remaining = frame.remaining.saturating_sub(now.len());
        *input = later;
    }
}

/// What can be said on the first two bytes alone.
fn check_head(first: u8, second: u8, parted: bool) -> Result<(), WebSocketError> {
    let opcode = first & OPCODE;
    if first & RESERVED != 0 {
        return Err(WebSocketError::Reserved);
    }
    match opcode {
        TEXT => return Err(WebSocketError::Text),
        BINARY if parted => return Err(WebSocketError::Parts),
        CONTINUATION if !parted => return Err(WebSocketError::Parts),
        CONTINUATION | BINARY => {}
        CLOSE | PING | PONG if first & FINAL == 0 || second & LENGTH > SHORT => {
            return Err(WebSocketError::Control);
        }
        CLOSE | PING | PONG => {}
        unknown => return Err(WebSocketError::Opcode(unknown)),
    }
    if second & MASKED == 0 { Err(WebSocketError::Unmasked) } else { Ok(()) }
}

/// Bytes of a client's header whose second byte this is.
fn head_bytes(second: u8) -> usize {
    match second & LENGTH {
        127 => 14,
        126 => 8,
        _ => 6,
    }
}

/// The length of the payload; `head` is behind the second byte.
fn length(second: u8, head: &mut &[u8]) -> Result<usize, WebSocketError> {
    match second & LENGTH {
        127 => match head.get_u64() {
            length @ 0x1_0000..=0x7fff_ffff_ffff_ffff => {
                Ok(usize::try_from(length).unwrap_or(usize::MAX))
            }
            _ => Err(WebSocketError::Length),
        },
        126 => match head.get_u16() {
            length @ 126.. => Ok(length.into()),
            _ => Err(WebSocketError::Length),
        },
        length => Ok(length.into()),
    }
}

/// The code to answer a close frame with.
fn closing(payload: &[u8]) -> Result<u16, WebSocketError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(CLOSE_NORMAL) } else { Err(WebSocketError::Close) };
    };
    match u16::from_be_bytes(*code) {
        code @ (1000..=1003 | 1007..=1014 | 3000..=4999) if std::str::from_utf8(reason).is_ok() => {
            Ok(code)
        }
        _ => Err(WebSocketError::Close),
    }
}

#[cfg(test)]
mod tests;
