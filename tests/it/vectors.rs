//! tests/vectors: made from the declarations, then read back as any other client would read them.
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` rewrites the files.

use std::collections::HashSet;
use std::path::PathBuf;

use klatch::base::limits::{FRAME_BYTES, FRAME_BYTES_BEFORE_LOGIN};
use klatch::protocol::codec::{self, Incoming, Numbered, RequestError};
use klatch::protocol::event::EVENTS;
use klatch::protocol::frame::{self, FrameError, Split};
use klatch::protocol::request::{
    Admin, Ban, Block, Blocks, Configure, Create, Delete, DeleteRoom, Devices, Direct, Edit, Hello,
    History, Invite, Join, Kick, Leave, Login, Logout, METHODS, MarkRead, Members, Mute, Params,
    Passwd, Ping, Quit, Rank, React, Register, RenameRoom, Request, Revoke, Rooms, Say, Search,
    Standings, Topic, Typing, Unread, Unregister,
};
use klatch::protocol::status::Code;
use serde_json::{Value, json};

use crate::corpus::properties::{encode_event, encode_request};
use crate::hostile::{self, Outcome};
use crate::notation::{from_text, pack, to_json, to_text};
use crate::{docs, samples};

const HEADER: usize = 4;

/// The vectors of one file.
pub(crate) fn load(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path(file)).expect("a file of vectors");
    serde_json::from_str(&text).expect("JSON")
}

/// The bytes of one vector.
pub(crate) fn bytes_of(vector: &Value) -> Vec<u8> {
    from_text(text(vector, "bytes"))
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("{key} of {vector}"))
}

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", file].iter().collect()
}

/// The parameters of a request, as JSON.
pub(crate) fn params_of(request: &Request) -> Value {
    let frame = encode_request(&Numbered { id: 7, request: request.clone() });
    to_json(&frame[HEADER..])[3][0].clone()
}

/// Every file that is made from the declarations, with its vectors.
pub(crate) fn generated() -> [(&'static str, Vec<Value>); 5] {
    [
        ("requests.json", requests()),
        ("events.json", events()),
        ("responses.json", responses()),
        ("hostile.json", hostile()),
        ("frames.json", frames()),
    ]
}

fn requests() -> Vec<Value> {
    let canonical = samples::requests().into_iter().map(|(kind, request)| {
        let method = request.method();
        let params = params_of(&request);
        let frame = encode_request(&Numbered { id: 7, request });
        let name = format!("{method} {kind}");
        json!({ "name": name, "bytes": to_text(&frame[HEADER..]), "id": 7, "method": method,
            "params": params, "canonical": true })
    });
    let mut all: Vec<Value> = canonical.collect();
    // Numbers at their bounds.
    let id = |id: u32, bytes: &str| {
        json!({ "name": format!("id {id}"), "bytes": bytes, "id": id, "method": "ping",
            "params": {}, "canonical": true })
    };
    all.push(id(0, "940000a470696e679180"));
    all.push(id(u32::MAX, "9400ceffffffffa470696e679180"));
    // [0, 7, "ping", [{}]] in ways that nobody needs and everybody must take.
    let mut other = |name: &str, bytes: &str| {
        all.push(json!({ "name": name, "bytes": bytes, "id": 7, "method": "ping",
            "params": {}, "canonical": false }));
    };
    other("params is an empty array", "940007a470696e6790");
    other("str 8 for a short text", "940007d90470696e679180");
    other("str 16 for a short text", "940007da000470696e679180");
    other("str 32 for a short text", "940007db0000000470696e679180");
    other("array 16, array 32, map 16", "dc00040007a470696e67dd00000001de0000");
    other("map 32", "940007a470696e6791df00000000");
    for form in ["cc07", "cd0007", "ce00000007", "cf0000000000000007"].into_iter().chain([
        "d007",
        "d10007",
        "d200000007",
        "d30000000000000007",
    ]) {
        let bytes = format!("9400{form}a470696e679180");
        other(&format!("integer in the form {}", &form[..2]), &bytes);
    }
    let ping = |params: Value| to_text(&pack(&json!([0, 7, "ping", [params]])));
    other("nil for an optional field", &ping(json!({ "timeout_ms": null })));
    let unknown = json!({ "x": [1, -1, 1.5, { "y": null }], "z": { "$bin": "00ff" } });
    other("unknown fields", &ping(unknown));
    all
}

fn events() -> Vec<Value> {
    let known = samples::events().into_iter().map(|(kind, event)| {
        let body = encode_event(&event).split_off(HEADER);
        let name = format!("{} {kind}", event.name());
        json!({ "name": name, "bytes": to_text(&body), "event": event.name(),
            "payload": to_json(&body)[2][0], "canonical": true })
    });
    let later = pack(&json!([2, "reaction", [{ "room": "ops", "emoji": "👍" }]]));
    let later = json!({ "name": "an event of a later version", "bytes": to_text(&later),
        "event": null, "payload": null, "canonical": false });
    known.chain([later]).collect()
}

fn responses() -> Vec<Value> {
    let results = samples::results().into_iter().map(|(kind, method, frame)| {
        let body = &frame[HEADER..];
        json!({ "name": format!("{method} {kind}"), "bytes": to_text(body), "id": 7,
            "method": method, "result": to_json(body)[3] })
    });
    let errors = samples::refusals().into_iter().map(|(name, frame)| {
        let body = &frame[HEADER..];
        json!({ "name": format!("error {name}"), "bytes": to_text(body), "id": 7,
            "error": to_json(body)[2] })
    });
    results.chain(errors).collect()
}

fn hostile() -> Vec<Value> {
    let bodies = hostile::bodies().into_iter().map(|body| {
        let outcome = match body.outcome {
            Outcome::Accepted => json!("accepted"),
            Outcome::Refused(code) => json!({ "refused": code, "id": 7 }),
            Outcome::Malformed(code) => json!({ "malformed": code }),
        };
        json!({ "name": body.name, "bytes": to_text(&body.bytes), "outcome": outcome })
    });
    bodies.collect()
}

fn frames() -> Vec<Value> {
    let mut all = Vec::new();
    let mut add = |name: &str, allowed: usize, bytes: &str, bodies: &[&str], end: Value| {
        all.push(json!({ "name": name, "allowed": allowed, "bytes": bytes, "bodies": bodies,
            "end": end }));
    };
    let (small, large) = (FRAME_BYTES_BEFORE_LOGIN, FRAME_BYTES);
    let (error, whole) = (|code: &str| json!({ "error": code }), json!("whole"));
    add("nothing", small, "", &[], whole.clone());
    add("one byte", small, "00000001 c0", &["c0"], whole.clone());
    add(
        "three in a row",
        small,
        "00000001c0 00000002c0c1 00000003c2c3c4",
        &["c0", "c0c1", "c2c3c4"],
        whole.clone(),
    );
    add(
        "lengths inside a body",
        small,
        "00000008 0000000100000001 00000001c0",
        &["0000000100000001", "c0"],
        whole.clone(),
    );
    for (name, allowed) in [("before login", small), ("after login", large)] {
        let at = format!("{allowed:08x} 61*{allowed} 00000001c0");
        let over = format!("00000001c0 {:08x} 61*64", allowed + 1);
        add(
            &format!("at the bound {name}"),
            allowed,
            &at,
            &[&format!("61*{allowed}"), "c0"],
            whole.clone(),
        );
        add(&format!("over the bound {name}"), allowed, &over, &["c0"], error("frame_too_large"));
    }
    for length in ["00010001", "00ffffff", "01000000", "7fffffff", "80000000", "ffffffff"] {
        add(&format!("length {length}"), large, length, &[], error("frame_too_large"));
    }
    add("text of another protocol", small, "474554202f", &[], error("frame_too_large"));
    add("length 0", small, "00000001c0 00000000 00000001c0", &["c0"], error("bad_frame"));
    add("a header cut short", small, "00000001c0 000000", &["c0"], json!({ "missing": 1 }));
    add("a body cut short", small, "00000001c0 00000003c0", &["c0"], json!({ "missing": 2 }));
    all
}

#[test]
fn the_generated_vectors_are_current() {
    for (file, vectors) in generated() {
        let lines: Vec<String> = vectors.iter().map(Value::to_string).collect();
        docs::compare(&path(file), &format!("[\n{}\n]\n", lines.join(",\n")));
    }
}

#[test]
fn every_request_is_read_as_what_it_means() {
    for vector in load("requests.json") {
        let body = bytes_of(&vector);
        let got = codec::decode_request(&body).unwrap_or_else(|why| panic!("{why:?}: {vector}"));
        assert_eq!(json!(got.id), vector["id"], "{vector}");
        assert_eq!(got.request.method(), text(&vector, "method"), "{vector}");
        assert_eq!(params_of(&got.request), vector["params"], "{vector}");
        let same = encode_request(&got)[HEADER..] == body;
        assert_eq!(json!(same), vector["canonical"], "{vector}");
    }
}

#[test]
fn every_event_is_read_as_what_it_means() {
    for vector in load("events.json") {
        let body = bytes_of(&vector);
        match codec::decode_incoming(&body) {
            Ok(Incoming::Event(event)) => {
                let written = &encode_event(&event)[HEADER..];
                assert_eq!(event.name(), text(&vector, "event"));
                assert_eq!(to_json(written)[2][0], vector["payload"], "{vector}");
                assert_eq!(written, body, "{vector}");
            }
            Ok(Incoming::UnknownEvent) => assert_eq!(vector["event"], Value::Null, "{vector}"),
            other => panic!("{other:?}: {vector}"),
        }
    }
}

#[test]
fn every_response_is_read_as_what_it_means() {
    for vector in load("responses.json") {
        let body = bytes_of(&vector);
        let Ok(Incoming::Response { id, outcome }) = codec::decode_incoming(&body) else {
            panic!("no response: {vector}");
        };
        assert_eq!(json!(id), vector["id"], "{vector}");
        match outcome {
            Ok(result) => {
                let written = rewrite(text(&vector, "method"), &result);
                assert_eq!(to_json(&written), vector["result"], "{vector}");
                assert_eq!(written, result, "{vector}");
            }
            Err(error) => {
                let written = rmp_serde::to_vec_named(&(1, id, &error, ())).expect("an error");
                assert_eq!(to_json(&written)[2], vector["error"], "{vector}");
                assert_eq!(written, body, "{vector}");
            }
        }
    }
}

/// Reads the result of `method` and writes it again.
fn rewrite(method: &str, result: &[u8]) -> Vec<u8> {
    macro_rules! rewrite {
        ($($params:ident)*) => {
            match method {
                $(<$params as Params>::METHOD => {
                    let reply = codec::result::<<$params as Params>::Reply>(result);
                    rmp_serde::to_vec_named(&reply.expect("a result")).expect("a result")
                })*
                _ => panic!("no method {method}"),
            }
        };
    }
    rewrite!(
        Hello Register Login Quit Logout Passwd Unregister Devices Revoke Ping Rooms Create Join
        Leave Members Topic Say Edit Delete React History Search MarkRead Unread Typing Direct Invite Kick Ban Mute
        Rank Configure RenameRoom DeleteRoom Block Blocks Standings Admin
    )
}

#[test]
fn every_hostile_body_comes_to_its_end() {
    for vector in load("hostile.json") {
        let got = match codec::decode_request(&bytes_of(&vector)) {
            Ok(_) => json!("accepted"),
            Err(RequestError::Refused { id, refusal }) => {
                json!({ "refused": refusal.code.name(), "id": id })
            }
            Err(RequestError::Malformed(refusal)) => json!({ "malformed": refusal.code.name() }),
        };
        assert_eq!(got, vector["outcome"], "{}", vector["name"]);
    }
}

#[test]
fn every_stream_gives_its_frames_however_it_is_cut() {
    for vector in load("frames.json") {
        let (stream, allowed) = (bytes_of(&vector), vector["allowed"].as_u64());
        let allowed = usize::try_from(allowed.expect("a bound")).expect("a bound");
        let texts = vector["bodies"].as_array().expect("bodies").iter();
        let bodies: Vec<_> = texts.map(|body| from_text(body.as_str().expect("text"))).collect();
        // Every split point of a short stream; of a long one those near its ends.
        for at in (0..=stream.len()).filter(|at| (*at).min(stream.len() - at) < 64) {
            let (got, end) = split_all(&[&stream[..at], &stream[at..]], allowed);
            assert!(got == bodies, "cut at {at}: {}", vector["name"]);
            assert_eq!(end, vector["end"], "cut at {at}: {}", vector["name"]);
        }
    }
}

fn split_all(pieces: &[&[u8]], allowed: usize) -> (Vec<Vec<u8>>, Value) {
    let (mut bodies, mut pending) = (Vec::new(), Vec::new());
    let mut end = json!("whole");
    for piece in pieces {
        pending.extend_from_slice(piece);
        end = loop {
            match frame::split(&pending, allowed) {
                Ok(Split::Frame { body, rest }) => {
                    bodies.push(body.to_vec());
                    pending = rest.to_vec();
                }
                Ok(Split::Incomplete { .. }) if pending.is_empty() => break json!("whole"),
                Ok(Split::Incomplete { missing }) => break json!({ "missing": missing }),
                Err(FrameError::Empty) => return (bodies, json!({ "error": "bad_frame" })),
                Err(FrameError::TooLarge { .. }) => {
                    return (bodies, json!({ "error": "frame_too_large" }));
                }
            }
        };
    }
    (bodies, end)
}

#[test]
fn nothing_that_is_declared_lacks_a_vector() {
    let seen = |file: &str, key: &str| -> HashSet<String> {
        load(file).iter().filter_map(|v| v.pointer(key)?.as_str().map(str::to_owned)).collect()
    };
    let (asked, answered) = (seen("requests.json", "/method"), seen("responses.json", "/method"));
    for method in METHODS {
        assert!(asked.contains(method.name) && answered.contains(method.name), "{}", method.name);
    }
    let events = seen("events.json", "/event");
    for event in EVENTS {
        assert!(events.contains(event.name), "{}", event.name);
    }
    let (errors, byes) =
        (seen("responses.json", "/error/name"), seen("events.json", "/payload/name"));
    for code in Code::ALL {
        assert!(errors.contains(code.name()) || byes.contains(code.name()), "{}", code.name());
    }
}

#[test]
fn bytes_survive_being_written_down() {
    let bytes = [&[1, 2][..], &[0x61; 40], &[3], &[0; 31]].concat();
    assert_eq!(to_text(&bytes), format!("0102 61*40 03{}", "00".repeat(31)));
    assert_eq!(from_text(&to_text(&bytes)), bytes);
}
