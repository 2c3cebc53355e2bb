//! What one connection of a mob does.

use klatch::base::limits::FRAME_HEADER_BYTES;
use klatch::protocol::codec;
use klatch::protocol::frame;
use klatch::protocol::request::{Join, Leave, Login, Say};

use super::kind::Misdeed;
use crate::driver::{Driver, Template, room_name};

/// Rooms of a mob begin here, so that they are nobody else's.
const FIRST_ROOM: usize = 100_000;
/// Members of a room of flooders.
const FLOODERS: usize = 20;
/// The room of the polite people.
const POLITE_ROOM: usize = 0;
/// Of the mob of slow readers, those who give the others something to read.
const BIG_SENDERS: usize = 20;
/// Messages that are written at a time.
const BATCH: usize = 32;
/// A text that fills an outbox soon.
const BIG_TEXT: usize = 15_000;

/// What a connection does once it has come up.
pub(super) enum Role {
    /// Becomes a member of a room and says as much as the server takes.
    Flood { room: usize, first: bool, says: Template, said: u32 },
    /// Sends these bytes and waits.
    Wait { bytes: Vec<u8> },
    /// Sends these bytes one by one.
    Drip { bytes: Vec<u8>, sent: usize },
    /// Logs in if asked to, and sends these bytes.
    Bad { login: bool, bytes: Vec<u8> },
    /// Joins and leaves.
    Churn { joins: bool, id: u32 },
    /// Becomes a member of a busy room, and does not read.
    Deaf,
    /// Fills that room.
    Big { first: bool, frame: Vec<u8> },
    /// Tries one name and password after the other; at the mob's pace, if it has one.
    Guess { number: usize, id: u32, paced: bool, waits: bool },
    /// Logs in and goes.
    Login { times: u32 },
}

/// What becomes of a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    Close,
}

impl Role {
    /// The role of the `number`th connection.
    pub(super) fn of(misdeed: Misdeed, number: usize, paced: bool, driver: &dyn Driver) -> Self {
        match misdeed {
            Misdeed::FloodOneAddress | Misdeed::FloodManyAddresses => {
                let room = FIRST_ROOM + number / FLOODERS;
                let first = number.is_multiple_of(FLOODERS);
                Self::Flood { room, first, says: driver.template(room), said: 0 }
            }
            Misdeed::HalfOpenTls => Self::Wait { bytes: half_a_hello() },
            Misdeed::Silent | Misdeed::NoDescriptors => Self::Wait { bytes: Vec::new() },
            Misdeed::Drip => {
                let bytes = driver.introduction("drip", FIRST_ROOM, true).concat();
                Self::Drip { bytes, sent: 0 }
            }
            Misdeed::BadFrames => Self::Bad { login: number % 2 == 1, bytes: bad_frame(number) },
            Misdeed::Churn => Self::Churn { joins: false, id: 10 },
            Misdeed::SlowReaders if number < BIG_SENDERS => {
                Self::Big { first: number == 0, frame: big_frame() }
            }
            Misdeed::SlowReaders => Self::Deaf,
            Misdeed::LoginFlood => Self::Login { times: 0 },
            Misdeed::GuessPasswords => Self::Guess { number, id: 1, paced, waits: false },
        }
    }

    /// Whether others can only come in when this one is in.
    pub(super) const fn is_first(&self) -> bool {
        matches!(self, Self::Flood { first: true, .. } | Self::Big { first: true, .. })
    }

    /// The requests before it can misbehave. A room is made only once, when it comes `anew`.
    pub(super) fn introduction(&self, who: &str, anew: bool, driver: &dyn Driver) -> Vec<Vec<u8>> {
        let mut requests = match self {
            Self::Flood { room, first, .. } => {
                return driver.introduction(who, *room, *first && anew);
            }
            Self::Big { first, .. } => return driver.introduction(who, FIRST_ROOM, *first && anew),
            Self::Deaf => return driver.introduction(who, FIRST_ROOM, false),
            Self::Churn { .. } => return driver.introduction(who, POLITE_ROOM, false),
            Self::Bad { login: true, .. } | Self::Login { .. } => {
                driver.introduction(who, FIRST_ROOM, true)
            }
            Self::Guess { .. } => {
                // A greeting is enough.
                return driver.introduction(who, FIRST_ROOM, true).into_iter().take(1).collect();
            }
            Self::Wait { .. } | Self::Drip { .. } | Self::Bad { .. } => return Vec::new(),
        };
        // A name is enough.
        requests.truncate(2);
        requests
    }

    /// It is in, or never wanted to be: what it sends first.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) -> Next {
        match self {
            Self::Wait { bytes } | Self::Bad { bytes, .. } => out.extend_from_slice(bytes),
            Self::Churn { .. } => self.turn(out),
            Self::Guess { .. } => self.answered(out),
            Self::Login { times } => {
                *times += 1;
                return Next::Close;
            }
            Self::Drip { sent, .. } => *sent = 0,
            Self::Flood { .. } | Self::Deaf | Self::Big { .. } => {}
        }
        Next::Stay
    }

    /// An answer has come while it misbehaves.
    pub(super) fn answered(&mut self, out: &mut Vec<u8>) {
        let Self::Guess { number, id, paced, waits } = self else { return self.turn(out) };
        if *paced {
            *waits = true;
        } else {
            guess(*number, id, out);
        }
    }

    /// Goes on at the mob's pace; false if it does not wait for that.
    pub(super) fn go(&mut self, out: &mut Vec<u8>) -> bool {
        let Self::Guess { number, id, waits: waits @ true, .. } = self else { return false };
        *waits = false;
        guess(*number, id, out);
        true
    }

    /// Joins if it left, and leaves if it joined.
    fn turn(&mut self, out: &mut Vec<u8>) {
        if let Self::Churn { joins, id } = self {
            let room = || room_name(POLITE_ROOM).as_str().into();
            *id += 1;
            out.extend_from_slice(&if *joins {
                codec::request(*id, &Join { room: room(), timeout_ms: None })
            } else {
                codec::request(*id, &Leave { room: room(), timeout_ms: None })
            });
            *joins = !*joins;
        }
    }

    /// Writes on, if it is one that writes all the time.
    pub(super) fn refill(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Flood { says, said, .. } => {
                for _ in 0..BATCH {
                    says.append(out, *said);
                    *said = said.wrapping_add(1) % (u32::MAX / 2);
                }
            }
            Self::Big { frame, .. } => out.extend_from_slice(frame),
            Self::Wait { .. }
            | Self::Drip { .. }
            | Self::Bad { .. }
            | Self::Churn { .. }
            | Self::Deaf
            | Self::Guess { .. }
            | Self::Login { .. } => {}
        }
    }

    /// Sends the next byte, if it is one that drips.
    pub(super) fn drip(&mut self, out: &mut Vec<u8>) {
        if let Self::Drip { bytes, sent } = self
            && let Some(byte) = bytes.get(*sent)
        {
            out.push(*byte);
            *sent += 1;
        }
    }

    pub(super) const fn reads(&self) -> bool {
        !matches!(self, Self::Deaf)
    }
}

/// One more name and password.
fn guess(number: usize, id: &mut u32, out: &mut Vec<u8>) {
    *id += 1;
    let name = format!("victim{}", number + 1_000 * usize::try_from(*id % 97).unwrap_or(0));
    let password = format!("correct horse {id}").as_str().into();
    let login = Login { password: Some(password), ..Login::guest(name.as_str().into()) };
    out.extend_from_slice(&codec::request(*id, &login));
}

/// A record of TLS that announces 512 bytes of a greeting, and a part of them.
fn half_a_hello() -> Vec<u8> {
    let mut bytes = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    bytes.resize(100, 0x5a);
    bytes
}

/// One of the frames that no server may fall for.
fn bad_frame(number: usize) -> Vec<u8> {
    let lie = |body: &[u8]| frame::single(|out| out.extend_from_slice(body)).to_vec();
    let garbage = vec![0xc1; 64 * 1024];
    match number / 2 % 4 {
        // The greatest length that still begins with the byte of a frame.
        0 => [&[0, 0xff, 0xff, 0xff][..], &garbage].concat(),
        // A byte more than is allowed after login.
        1 => [&[0, 1, 0, 1][..], &garbage].concat(),
        // An array and a map of 4 billion, and a string of as many bytes.
        2 => lie(b"\x94\x00\x01\xa5hello\xdd\xff\xff\xff\xff"),
        _ => lie(b"\x94\x00\x01\xa5hello\x91\x81\xdb\xff\xff\xff\xff"),
    }
}

fn big_frame() -> Vec<u8> {
    let (room, text) = (room_name(FIRST_ROOM).as_str().into(), "y".repeat(BIG_TEXT));
    let say = Say { room, text: text.as_str().into(), re: None, key: None, timeout_ms: None };
    let frame = codec::request(9, &say).to_vec();
    debug_assert!(frame.len() > BIG_TEXT + FRAME_HEADER_BYTES);
    frame
}
