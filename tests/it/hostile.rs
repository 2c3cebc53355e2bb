//! Bodies that a peer of ill will sends, and others that only look like them; each with what
//! must come of it.

use std::fmt::Write as _;

use klatch::base::limits;
use klatch::protocol::describe::{Field, Shape};
use klatch::protocol::request::METHODS;
use serde_json::{Value, json};

use crate::notation::{hex, pack, to_text};
use crate::{samples, vectors};

/// What a receiver does with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is a request like any other.
    Accepted,
    /// The request is answered with this code, and the session goes on.
    Refused(&'static str),
    /// The session ends with this code.
    Malformed(&'static str),
}

/// One body.
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) outcome: Outcome,
}

const BAD_FRAME: Outcome = Outcome::Malformed("bad_frame");
const BAD_PARAMS: Outcome = Outcome::Refused("bad_params");

/// Everything that a server must withstand.
pub(crate) fn bodies() -> Vec<Hostile> {
    let mut all = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>, outcome| {
        all.push(Hostile { name: name.into(), bytes, outcome });
    };
    structure(&mut add);
    lengths(&mut add);
    depths(&mut add);
    heads(&mut add);
    texts(&mut add);
    fields(&mut add);
    all
}

type Add<'a> = &'a mut dyn FnMut(&str, Vec<u8>, Outcome);

/// `ping` with one more entry in its map: the least body into which a value can be put.
fn ping_with(raw: &[u8]) -> Vec<u8> {
    pack(&json!([0, 7, "ping", [{ "x": { "$raw": hex(raw) } }]]))
}

/// A request `method` with these parameters.
fn request(method: &str, params: &Value) -> Vec<u8> {
    pack(&json!([0, 7, method, [params]]))
}

fn structure(add: Add<'_>) {
    add("empty body", vec![], BAD_FRAME);
    add("nil", vec![0xc0], BAD_FRAME);
    add("text of another protocol", b"GET / HTTP/1.1\r\n\r\n".to_vec(), BAD_FRAME);
    let ping = pack(&json!([0, 7, "ping", [{}]]));
    add("one byte after the value", [&ping[..], &[0xc0]].concat(), BAD_FRAME);
    add("two values", [&ping[..], &ping[..]].concat(), BAD_FRAME);
    for end in 1..ping.len() {
        add(&format!("cut after {end} bytes"), ping[..end].to_vec(), BAD_FRAME);
    }
    add("unused marker c1", ping_with(&[0xc1]), BAD_FRAME);
    for (marker, size) in [(0xd4, 1), (0xd5, 2), (0xd6, 4), (0xd7, 8), (0xd8, 16)] {
        let body = ping_with(&[vec![marker, 1], vec![0; size]].concat());
        add(&format!("extension type {marker:02x}"), body, BAD_FRAME);
    }
    for marker in [0xc7, 0xc8, 0xc9] {
        let length = vec![0; (1 << (marker - 0xc7)) - 1];
        let body = ping_with(&[vec![marker], length, vec![1, 1, 0]].concat());
        add(&format!("extension type {marker:02x}"), body, BAD_FRAME);
    }
    for (what, key) in [("integer", "01"), ("nil", "c0"), ("bytes", "c40178"), ("array", "90")] {
        let body = ping_with(&pack(&json!({ "$raw": format!("81{key}c0") })));
        add(&format!("key is {what}"), body, BAD_FRAME);
    }
    add("duplicate key", ping_with(b"\x82\xa1a\x01\xa1a\x02"), BAD_FRAME);
    add("duplicate key in another form", ping_with(b"\x82\xa1a\x01\xd9\x01a\x02"), BAD_FRAME);
    add(
        "duplicate parameter",
        pack(&json!([0, 7, "join", [{ "$raw": "82a4726f6f6da161a4726f6f6da162" }]])),
        BAD_FRAME,
    );
    add("float that is not a number", ping_with(b"\xcb\x7f\xf8\0\0\0\0\0\0"), Outcome::Accepted);
}

fn lengths(add: Add<'_>) {
    for (marker, width) in
        [(0xc4, 1), (0xd9, 1), (0xc5, 2), (0xda, 2), (0xdc, 2), (0xde, 2), (0xc6, 4), (0xdb, 4)]
            .into_iter()
            .chain([(0xdd, 4), (0xdf, 4)])
    {
        let lie = [vec![marker], vec![0xff; width]].concat();
        add(&format!("{marker:02x} lies about its length"), ping_with(&lie), BAD_FRAME);
        add(&format!("{marker:02x} lies, alone"), lie, BAD_FRAME);
        let cut = [vec![marker], vec![0; width - 1]].concat();
        add(&format!("{marker:02x} without its length"), cut, BAD_FRAME);
    }
    for marker in [0x9f, 0x8f, 0xbf] {
        add(&format!("{marker:02x} lies about its length"), vec![marker, 0xc0], BAD_FRAME);
    }
    let items = |count: usize| {
        let count = u16::try_from(count).expect("16 bits");
        let head = [vec![0xdc], count.to_be_bytes().to_vec()].concat();
        ping_with(&[head, vec![0xc0; usize::from(count)]].concat())
    };
    add("array at its bound", items(limits::ARRAY_ITEMS), Outcome::Accepted);
    add("array over its bound", items(limits::ARRAY_ITEMS + 1), BAD_FRAME);
    let entries = |count: usize| {
        // The parameters themselves, so that an unknown field is the only thing about them.
        let map: serde_json::Map<_, _> = (0..count).map(|n| (format!("x{n}"), json!(n))).collect();
        request("ping", &Value::Object(map))
    };
    add("map at its bound", entries(limits::MAP_ENTRIES), Outcome::Accepted);
    add("map over its bound", entries(limits::MAP_ENTRIES + 1), BAD_FRAME);
}

fn depths(add: Add<'_>) {
    const TOO_DEEP: Outcome = Outcome::Malformed("too_deep");
    // The body, the parameters and their map are three levels.
    let inside = limits::DEPTH - 3;
    let nest = |levels: usize| [vec![0x91; levels], vec![0xc0]].concat();
    let maps = |levels: usize| [b"\x81\xa1x".repeat(levels), vec![0xc0]].concat();
    add("arrays as deep as allowed", ping_with(&nest(inside)), Outcome::Accepted);
    add("arrays one deeper", ping_with(&nest(inside + 1)), TOO_DEEP);
    add("maps as deep as allowed", ping_with(&maps(inside)), Outcome::Accepted);
    add("maps one deeper", ping_with(&maps(inside + 1)), TOO_DEEP);
    add("depth 9", nest(9), TOO_DEEP);
    add("depth 65535", nest(65_535), TOO_DEEP);
    add("depth 100000", nest(100_000), TOO_DEEP);
    add("depth 100000 without an end", vec![0x91; 100_000], TOO_DEEP);
    add("maps nested 2000 deep", maps(2_000), TOO_DEEP);
}

fn heads(add: Add<'_>) {
    add("three items", pack(&json!([0, 7, "ping"])), BAD_FRAME);
    add("five items", pack(&json!([0, 7, "ping", [{}], null])), BAD_FRAME);
    add("not an array", pack(&json!({ "id": 7 })), BAD_FRAME);
    for (what, kind) in [("response", json!(1)), ("event", json!(2)), ("text", json!("0"))] {
        add(&format!("kind is {what}"), pack(&json!([kind, 7, "ping", [{}]])), BAD_FRAME);
    }
    let ids = [
        ("negative", json!(-1)),
        ("too large", json!(1_u64 << 32)),
        ("nil", json!(null)),
        ("a float", json!(7.0)),
        ("text", json!("7")),
    ];
    for (what, id) in ids {
        add(&format!("id is {what}"), pack(&json!([0, id, "ping", [{}]])), BAD_FRAME);
    }
    add("id at its bound", pack(&json!([0, u32::MAX, "ping", [{}]])), Outcome::Accepted);
    for (what, method) in [("an integer", json!(1)), ("bytes", json!({ "$bin": "70696e67" }))] {
        add(&format!("method is {what}"), pack(&json!([0, 7, method, [{}]])), BAD_FRAME);
    }
    for (what, method) in
        [("unknown", "nonsense".to_owned()), ("empty", String::new()), ("upper", "PING".into())]
            .into_iter()
            .chain([("of control characters", "\u{1}".repeat(4_000))])
    {
        let outcome = Outcome::Refused("unknown_method");
        add(&format!("method is {what}"), request(&method, &json!({})), outcome);
    }
    let params = [
        ("a map", json!({})),
        ("nil", json!(null)),
        ("two maps", json!([{}, {}])),
        ("an array of nil", json!([null])),
        ("an array in an array", json!([["ops"]])),
    ];
    for (what, params) in params {
        add(&format!("params is {what}"), pack(&json!([0, 7, "join", params])), BAD_PARAMS);
    }
    add("params is an empty array", pack(&json!([0, 7, "ping", []])), Outcome::Accepted);
}

fn texts(add: Add<'_>) {
    for (what, bytes) in [
        ("a lone continuation", &b"\x80"[..]),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("past U+10FFFF", b"\xf4\x90\x80\x80"),
        ("cut short", b"\xe2\x82"),
    ] {
        let text = [&pack(&json!("x".repeat(bytes.len())))[..1], bytes].concat();
        add(&format!("UTF-8: {what}"), ping_with(&text), BAD_FRAME);
        let key = [&[0x81][..], &text, &[0xc0]].concat();
        add(&format!("UTF-8 in a key: {what}"), ping_with(&key), BAD_FRAME);
    }
    let say = |text: &str| request("say", &json!({ "room": "ops", "text": text }));
    add("text at its bound", say(&"a".repeat(limits::TEXT_BYTES)), Outcome::Accepted);
    let too_large = Outcome::Refused("too_large");
    add("text over its bound", say(&"a".repeat(limits::TEXT_BYTES + 1)), too_large);
    add("empty text", say(""), BAD_PARAMS);
    let mut controls: Vec<char> = ('\0'..' ').chain('\u{7f}'..='\u{9f}').collect();
    controls.extend(['\u{2028}', '\u{2029}']);
    for c in controls {
        let outcome = if matches!(c, '\n' | '\t') { Outcome::Accepted } else { BAD_PARAMS };
        let mut name = String::from("text with ");
        write!(name, "U+{:04X}", u32::from(c)).expect("memory takes everything");
        add(&name, say(&format!("a{c}b")), outcome);
    }
    for (c, what) in [('\n', "LF"), ('\t', "TAB"), ('\u{1b}', "ESC")] {
        let topic = json!({ "room": "ops", "topic": format!("a{c}b") });
        add(&format!("topic with {what}"), request("topic", &topic), BAD_PARAMS);
    }
    let topic = "t".repeat(limits::TOPIC_BYTES + 1);
    let topic = json!({ "room": "ops", "topic": topic });
    add("topic over its bound", request("topic", &topic), too_large);
    let name = "n".repeat(limits::NAME_BYTES + 1);
    add("name over its bound", request("login", &json!({ "name": name })), too_large);
    let client = "c".repeat(limits::CLIENT_BYTES + 1);
    let hello = json!({ "version": 1, "client": client });
    add("client over its bound", request("hello", &hello), too_large);
}

/// Every field of every method: absent, nil, and of each wrong type.
fn fields(add: Add<'_>) {
    for method in METHODS {
        let (_, sample) = samples::requests()
            .into_iter()
            .find(|(_, request)| request.method() == method.name)
            .expect("a sample of every method");
        let Value::Object(params) = vectors::params_of(&sample) else {
            panic!("parameters are a map");
        };
        for field in method.params {
            let name = format!("{}.{}", method.name, field.name);
            let with = |value: Value| {
                let mut params = params.clone();
                params.insert(field.name.into(), value);
                request(method.name, &Value::Object(params))
            };
            if !field.optional {
                let mut params = params.clone();
                params.remove(field.name);
                add(
                    &format!("{name} is missing"),
                    request(method.name, &params.into()),
                    BAD_PARAMS,
                );
            }
            let nil = if field.optional { Outcome::Accepted } else { BAD_PARAMS };
            add(&format!("{name} is nil"), with(json!(null)), nil);
            for (what, value) in wrong(field) {
                add(&format!("{name} is {what}"), with(value), BAD_PARAMS);
            }
        }
    }
}

fn wrong(field: &Field) -> Vec<(&'static str, Value)> {
    let bin = |length: usize| json!({ "$bin": to_text(&vec![b'x'; length]) });
    let mut all = vec![
        ("an array", json!([])),
        ("a map", json!({})),
        ("a float", json!(1.5)),
        ("not a number", json!({ "$raw": "cb7ff8000000000000" })),
        ("negative", json!(-1)),
    ];
    match field.shape {
        Shape::Bool => all.extend([("an integer", json!(1)), ("text", json!("true"))]),
        Shape::Uint(max) => {
            all.extend([("text", json!("1")), ("a bool", json!(true))]);
            all.extend(max.checked_add(1).map(|over| ("too large", json!(over))));
        }
        Shape::Str | Shape::Word(_) => {
            all.extend([("an integer", json!(1)), ("bytes", bin(3))]);
        }
        Shape::Bin(length) => all.extend([
            ("text", json!("x".repeat(*length))),
            ("too short", bin(length - 1)),
            ("too long", bin(length + 1)),
        ]),
        Shape::Array(..) | Shape::Map(_) => panic!("no request has {field:?}"),
    }
    all
}
