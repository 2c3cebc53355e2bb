//! Bodies: the three shapes of MessagePack-RPC, read from bytes and written to bytes.
//!
//! **Never:** panics or reserves more than is present, whatever the bytes: [`scan::check`] stands
//! before every decoder, and the declaration of each map is checked before serde sees it.

use bytes::buf::Writer;
use bytes::{BufMut, Bytes, BytesMut};
use rmp_serde::Serializer;
use rmp_serde::config::{DefaultConfig, StructMapConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cursor::Cursor;
use super::describe::Describe;
use super::event::Event;
use super::request::{Params, Request};
use super::scan::{self, ScanError};
use super::status::{Code, ErrorBody, Refusal};
use super::{frame, shape};
use crate::base::limits::FRAME_HEADER_BYTES;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const EVENT: u8 = 2;
const NIL: u8 = 0xc0;

/// Writes structs as maps.
pub type MapSerializer<W> = Serializer<W, StructMapConfig<DefaultConfig>>;

/// A request with the number that its response will carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Chosen by the client, unique among its unanswered requests.
    pub id: u32,
    /// The request.
    pub request: Request,
}

/// Why a body is not a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// The body is not of this protocol: the session cannot go on.
    Malformed(Refusal),
    /// The body is a request that cannot be done: the session goes on.
    Refused {
        /// The request's number.
        id: u32,
        /// Why not.
        refusal: Refusal,
    },
}

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The answer to the request `id`; a result is still in MessagePack, see [`result`].
    Response {
        /// The request's number.
        id: u32,
        /// The result's bytes, or the error.
        outcome: Result<Bytes, ErrorBody>,
    },
    /// An event.
    Event(Event),
    /// An event of a later version: to be ignored.
    UnknownEvent,
}

/// Decodes the body of one frame from a client.
pub fn decode_request(body: &[u8]) -> Result<Numbered, RequestError> {
    scan::check(body).map_err(|error| RequestError::Malformed(malformed(&error)))?;
    let mut rest = body;
    let (id, method) = request_head(&mut rest)
        .ok_or_else(|| RequestError::Malformed(Refusal::new(Code::BadFrame, SHAPE)))?;
    let request = match rmp::decode::read_array_len(&mut rest) {
        Ok(1) => Request::decode(method, rest),
        Ok(0) => Request::decode(method, &[0x80]),
        _ => Err(Refusal::new(Code::BadParams, "the parameters are not an array of one map")),
    };
    match request {
        Ok(request) => Ok(Numbered { id, request }),
        Err(refusal) => Err(RequestError::Refused { id, refusal }),
    }
}

const SHAPE: &str = "the body is not a request: [0, id, method, [params]]";

fn request_head<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a str)> {
    let items = rmp::decode::read_array_len(rest).ok()?;
    let kind: u8 = rmp::decode::read_int(rest).ok()?;
    let id: u32 = rmp::decode::read_int(rest).ok()?;
    (items == 4 && kind == REQUEST).then_some(())?;
    Some((id, string(rest)?))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (text, after) = rmp::decode::read_str_from_slice(*rest).ok()?;
    *rest = after;
    Some(text)
}

fn malformed(error: &ScanError) -> Refusal {
    let code = if *error == ScanError::TooDeep { Code::TooDeep } else { Code::BadFrame };
    Refusal::new(code, error.to_string())
}

/// Decodes and checks the parameters of one method.
pub(super) fn params<T: Params>(bytes: &[u8]) -> Result<T, Refusal> {
    let params: T = map(bytes).map_err(|why| Refusal::new(Code::BadParams, why))?;
    params.check("params")?;
    Ok(params)
}

/// Decodes one map; the error names the field.
pub(super) fn map<T: Describe + DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    shape::check(T::FIELDS, bytes)?;
    rmp_serde::from_slice(bytes).map_err(|_| "the map does not decode".into())
}

/// Decodes the body of one frame from the server.
pub fn decode_incoming(body: &[u8]) -> Result<Incoming, String> {
    const NEITHER: &str = "the body is neither a response nor an event";
    scan::check(body).map_err(|error| error.to_string())?;
    let mut rest = body;
    let items = rmp::decode::read_array_len(&mut rest).map_err(|_| NEITHER)?;
    let kind: u8 = rmp::decode::read_int(&mut rest).map_err(|_| NEITHER)?;
    match (items, kind) {
        (4, RESPONSE) => response_tail(rest).ok_or_else(|| NEITHER.to_owned()),
        (3, EVENT) => {
            let name = string(&mut rest).ok_or(NEITHER)?;
            if !matches!(rmp::decode::read_array_len(&mut rest), Ok(1)) {
                return Err(NEITHER.to_owned());
            }
            Ok(Event::decode(name, rest)?.map_or(Incoming::UnknownEvent, Incoming::Event))
        }
        _ => Err(NEITHER.to_owned()),
    }
}

fn response_tail(mut rest: &[u8]) -> Option<Incoming> {
    let id = rmp::decode::read_int(&mut rest).ok()?;
    let outcome = if let Some(result) = rest.strip_prefix(&[NIL]) {
        Ok(Bytes::copy_from_slice(result))
    } else {
        let mut cursor = Cursor::new(rest);
        cursor.skip().ok()?;
        // An error stands in place of a result, not beside one.
        (cursor.rest() == [NIL]).then_some(())?;
        Err(map::<ErrorBody>(rest).ok()?)
    };
    Some(Incoming::Response { id, outcome })
}

/// The code of a refusal, if a frame is one: a look at the few bytes where it stands.
#[must_use]
pub fn refused(frame: &[u8]) -> Option<Code> {
    let mut rest = frame.get(FRAME_HEADER_BYTES..)?;
    let items = rmp::decode::read_array_len(&mut rest).ok()?;
    let kind: u8 = rmp::decode::read_int(&mut rest).ok()?;
    let _id: u32 = rmp::decode::read_int(&mut rest).ok()?;
    if items != 4 || kind != RESPONSE || rest.first() == Some(&NIL) {
        return None;
    }
    // The code is the first field that our own errors have.
    rmp::decode::read_map_len(&mut rest).ok()?;
    (string(&mut rest)? == "code").then_some(())?;
    Code::from_number(rmp::decode::read_int(&mut rest).ok()?)
}

/// The limit that a refusal names, if a frame is one and it does.
#[must_use]
pub fn limit_of(frame: &[u8]) -> Option<String> {
    match decode_incoming(frame.get(FRAME_HEADER_BYTES..)?).ok()? {
        Incoming::Response { outcome: Err(error), .. } => error.limit.clone(),
        Incoming::Response { .. } | Incoming::Event(_) | Incoming::UnknownEvent => None,
    }
}

/// Decodes the result of a response; the error names the field.
pub fn result<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut decoder = rmp_serde::Deserializer::from_read_ref(bytes);
    serde_path_to_error::deserialize(&mut decoder)
        .map_err(|error| excerpt(&error.to_string(), 200).to_owned())
}

/// The first `chars` characters of a text that may quote a peer: an error never grows with its cause.
pub(super) fn excerpt(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// One frame with a request.
pub fn request<T: Params>(id: u32, params: &T) -> Bytes {
    frame::single(|out| write(out, &(REQUEST, id, T::METHOD, (params,))))
}

/// One frame with a successful response.
pub fn result_frame<T: Serialize>(id: u32, result: &T) -> Bytes {
    frame::single(|out| write(out, &(RESPONSE, id, (), result)))
}

/// One frame with a refusal.
pub fn refusal_frame(id: u32, refusal: &Refusal) -> Bytes {
    frame::single(|out| write(out, &(RESPONSE, id, refusal.body(), ())))
}

/// One frame with an event.
pub fn event_frame(event: &Event) -> Bytes {
    let mut out = BytesMut::with_capacity(128);
    append_event(&mut out, event);
    out.freeze()
}

/// Appends one frame with an event.
pub fn append_event(out: &mut BytesMut, event: &Event) {
    frame::append(out, |out| {
        write(out, &EventHead(event.name()));
        let mut serializer = serializer(out);
        // Writing to memory cannot fail: the buffer grows, and no type of ours refuses.
        let written = event.serialize_payload(&mut serializer);
        debug_assert!(written.is_ok(), "{written:?}");
    });
}

/// `[2, name, [` as raw bytes: an array of three, whose last item is an array of one.
struct EventHead(&'static str);

impl Serialize for EventHead {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Declares three items and one, and leaves the payload to be written behind.
        use serde::ser::SerializeSeq;
        let mut items = serializer.serialize_seq(Some(3))?;
        items.serialize_element(&EVENT)?;
        items.serialize_element(self.0)?;
        items.serialize_element(&ArrayOfOne)?;
        items.end()
    }
}

struct ArrayOfOne;

impl Serialize for ArrayOfOne {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        serializer.serialize_seq(Some(1))?.end()
    }
}

fn serializer(out: &mut BytesMut) -> MapSerializer<Writer<&mut BytesMut>> {
    Serializer::new(out.writer()).with_struct_map()
}

fn write<T: Serialize>(out: &mut BytesMut, value: &T) {
    let written = value.serialize(&mut serializer(out));
    // Writing to memory cannot fail: the buffer grows, and no type of ours refuses.
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Checks the bounds of what is about to be sent; a client finds its own mistakes this way.
pub fn check_params<T: Params>(params: &T) -> Result<(), Refusal> {
    params.check("params")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stands_in_place_of_a_result() {
        let error = rmp_serde::to_vec_named(&Refusal::from(Code::Busy).body()).expect("an error");
        let response = |result: &[u8]| [b"\x94\x01\x07", &error[..], result].concat();
        let sound = decode_incoming(&response(&[NIL]));
        assert!(matches!(sound, Ok(Incoming::Response { id: 7, outcome: Err(_) })), "{sound:?}");
        // A result that happens to end in nil is a result nevertheless.
        for beside in [&b"\x81\xa1a\xc0"[..], b"\x91\xc0", b"\x01", b"\xc4\x01\xc0"] {
            assert!(decode_incoming(&response(beside)).is_err(), "{beside:x?}");
        }
    }

    #[test]
    fn a_word_of_a_newer_server_is_something_else_and_no_error() {
        let entry =
            serde_json::json!({"seq": 3, "time": 0, "kind": "hologram", "from": "al", "text": ""});
        let page = serde_json::json!(
            {"epoch": 1, "entries": [entry], "first": 1, "head": 3, "more": false}
        );
        let body = rmp_serde::to_vec(&(1, 7, (), page)).expect("a response");
        let Ok(Incoming::Response { outcome: Ok(page), .. }) = decode_incoming(&body) else {
            panic!("not read");
        };
        let page: crate::protocol::reply::HistoryPage = result(&page).expect("a page");
        assert_eq!(page.entries.0[0].kind, crate::protocol::reply::EntryKind::Unknown);
    }

    #[test]
    fn a_refusal_is_told_from_every_other_frame() {
        for id in [0, 127, 128, 70_000, u32::MAX] {
            for &code in Code::ALL {
                assert_eq!(refused(&refusal_frame(id, &code.into())), Some(code));
            }
            assert_eq!(refused(&result_frame(id, &super::super::reply::Empty {})), None);
        }
        let ping = Event::Ping(super::super::event::ServerPing {});
        assert_eq!(refused(&event_frame(&ping)), None);
        assert_eq!(refused(&[0, 0]), None);
    }

    #[test]
    fn an_unknown_method_is_quoted_in_part() {
        let name = "x".repeat(1_000);
        let body = rmp_serde::to_vec(&(0, 7, name, [(); 0])).expect("a request");
        let Err(RequestError::Refused { id: 7, refusal }) = decode_request(&body) else {
            panic!("not refused");
        };
        assert_eq!(refusal.code, Code::UnknownMethod);
        assert_eq!(refusal.text, format!("the server knows no method {:?}", "x".repeat(40)));
    }
}
