//! What must hold for any bytes whatever. The fuzz targets search for bytes that break it, and
//! tests/it/corpus.rs replays the ones that are kept.

use bytes::BytesMut;
use klatch::base::limits::FRAME_BYTES;
use klatch::base::name::{RoomName, UserName};
use klatch::protocol::codec::{self, Incoming, Numbered};
use klatch::protocol::event::Event;
use klatch::protocol::frame::{self, FrameError, Split};
use klatch::protocol::reply::{
    Administered, BlockList, DeviceList, Empty, HistoryPage, LoggedIn, MemberList, Pong, RoomList,
    RoomState, Said, StandingList, TopicState, UnreadList, Welcome,
};
use klatch::protocol::request::Request;
use klatch::protocol::websocket::{Decoder, Unit, WebSocketError};

/// However a stream is cut, the same frames come out, and then the same error.
///
/// The first byte of the input says how: pieces of that many bytes, and one.
pub(crate) fn frame(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else { return };
    let whole = frames(&[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*cut) + 1).collect();
    assert_eq!(frames(&pieces), whole);
}

/// The bodies of all whole frames in the stream that arrives in these pieces.
fn frames(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    const ALLOWED: usize = 512;
    let (mut bodies, mut pending) = (Vec::new(), Vec::new());
    for piece in pieces {
        pending.extend_from_slice(piece);
        loop {
            match frame::split(&pending, ALLOWED) {
                Ok(Split::Frame { body, rest }) => {
                    bodies.push(body.to_vec());
                    pending = rest.to_vec();
                }
                Ok(Split::Incomplete { missing }) => {
                    assert!((1..=ALLOWED).contains(&missing));
                    break;
                }
                Err(error) => return (bodies, Err(error)),
            }
        }
    }
    (bodies, Ok(()))
}

/// However a WebSocket's bytes are cut, the same units come out, and then the same error; and what
/// is kept of a message never passes its bound.
///
/// The first byte of the input says how: pieces of that many bytes, and one.
pub(crate) fn websocket(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else { return };
    let whole = units(&[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*cut) + 1).collect();
    assert_eq!(units(&pieces), whole);
}

/// The units of the stream that arrives in these pieces, in words.
fn units(pieces: &[&[u8]]) -> (Vec<String>, Result<(), WebSocketError>) {
    const ALLOWED: usize = 512;
    let (mut units, mut decoder) = (Vec::new(), Decoder::default());
    for piece in pieces {
        let mut input = *piece;
        loop {
            match decoder.decode(&mut input, ALLOWED) {
                Ok(Some(unit)) => {
                    if let Unit::Body(body) = unit {
                        assert!((1..=ALLOWED).contains(&body.len()));
                    }
                    units.push(format!("{unit:x?}"));
                }
                Ok(None) => break,
                Err(error) => return (units, Err(error)),
            }
        }
        assert!(input.is_empty(), "all that is there is taken");
        decoder.relax();
    }
    (units, Ok(()))
}

/// A body is a request or an error; a request that is written and read again is the same.
pub(crate) fn request(body: &[u8]) {
    let Ok(numbered) = codec::decode_request(body) else { return };
    let written = encode_request(&numbered);
    let body = body_of(&written);
    assert_eq!(codec::decode_request(body).as_ref(), Ok(&numbered));
}

/// Writes a request as a client would.
pub(crate) fn encode_request(numbered: &Numbered) -> Vec<u8> {
    let id = numbered.id;
    macro_rules! encode {
        ($($method:ident)*) => {
            match &numbered.request { $(Request::$method(params) => codec::request(id, params),)* }
        };
    }
    encode!(
        Hello Register Login Quit Logout Passwd Unregister Devices Revoke Ping Rooms Create Join
        Leave Members Topic Say Edit Delete React History Search MarkRead Unread Typing Direct Invite Kick Ban Mute
        Rank Configure RenameRoom DeleteRoom Block Blocks Standings Admin
    )
    .to_vec()
}

/// A body is an event, a response or an error; what is written and read again is the same.
pub(crate) fn incoming(body: &[u8]) {
    match codec::decode_incoming(body) {
        Ok(Incoming::Event(event)) => {
            let written = encode_event(&event);
            let again = codec::decode_incoming(body_of(&written));
            assert_eq!(again, Ok(Incoming::Event(event)));
        }
        Ok(Incoming::Response { outcome: Ok(result), .. }) => results(&result),
        Ok(Incoming::Response { outcome: Err(_), .. } | Incoming::UnknownEvent) | Err(_) => {}
    }
}

/// Writes an event as the server would.
pub(crate) fn encode_event(event: &Event) -> Vec<u8> {
    let mut out = BytesMut::new();
    codec::append_event(&mut out, event);
    out.to_vec()
}

/// Bytes may be read as any method's result.
fn results(bytes: &[u8]) {
    macro_rules! read {
        ($($reply:ident)*) => {$(
            if let Ok(reply) = codec::result::<$reply>(bytes) {
                let out = codec::result_frame(1, &reply);
                // [1, 1, nil, result]
                assert_eq!(codec::result::<$reply>(&out[8..]).as_ref(), Ok(&reply));
            }
        )*};
    }
    read!(
        Administered BlockList DeviceList Empty HistoryPage LoggedIn MemberList Pong RoomList RoomState Said StandingList
        TopicState UnreadList Welcome
    );
}

fn body_of(frame: &[u8]) -> &[u8] {
    // What was accepted in a frame fits a frame when it is written in its shortest form.
    match frame::split(frame, FRAME_BYTES.max(frame.len())) {
        Ok(Split::Frame { body, rest: [] }) => body,
        other => unreachable!("not one frame: {other:?}"),
    }
}

/// A text is a name or is not; what was parsed parses to itself, and looks like itself.
pub(crate) fn name(bytes: &[u8]) {
    let Ok(raw) = std::str::from_utf8(bytes) else { return };
    if let Ok(user) = UserName::parse(raw) {
        let again = UserName::parse(user.as_str());
        assert_eq!(again.as_ref(), Ok(&user), "{raw:?}");
        assert_eq!(again.map(|name| name.skeleton().to_string()), Ok(user.skeleton().to_string()));
    }
    if let Ok(room) = RoomName::parse(raw) {
        let again = RoomName::parse(room.as_str());
        assert_eq!(again.as_ref(), Ok(&room), "{raw:?}");
        assert_eq!(room.is_direct(), raw.starts_with('@'), "{raw:?}");
        assert_eq!(again.map(|name| name.skeleton()), Ok(room.skeleton()), "{raw:?}");
    }
}
