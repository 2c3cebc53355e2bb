//! `tests/vectors/websocket.json`: frames of a client's WebSocket, and what a server makes of them.
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` writes it anew.

use std::io::Write;
use std::path::PathBuf;

use klatch::base::limits::FRAME_BYTES_BEFORE_LOGIN;
use klatch::protocol::websocket::{Decoder, Unit};
use serde_json::{Value, json};

use crate::docs;
use crate::notation::{from_text, to_text};
use crate::support::TestServer;
use crate::support::web::WebClient;
use crate::vectors::{bytes_of, load};

const FILE: &str = "websocket.json";
/// Every vector is for a client that has not logged in.
const ALLOWED: usize = FRAME_BYTES_BEFORE_LOGIN;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame, in the notation of the vectors. What is long is masked by nothing, to be written
/// in short.
fn frame(first: u8, payload: &str) -> String {
    let payload = from_text(payload);
    let mask = if payload.len() > 200 { [0; 4] } else { MASK };
    let mut out = vec![first];
    match u16::try_from(payload.len()).expect("a short frame") {
        length @ 0..=125 => out.push(0x80 | u8::try_from(length).expect("a byte")),
        length => {
            out.push(0xfe);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    to_text(&out)
}

fn vector(name: &str, frames: &[String], units: &[Value], end: &Value) -> Value {
    let bytes = to_text(&from_text(&frames.join(" ")));
    json!({ "name": name, "allowed": ALLOWED, "bytes": bytes, "units": units, "end": end })
}

/// What a client may send.
fn taken() -> Vec<Value> {
    let mut all = Vec::new();
    let mut add = |name: &str, frames: &[String], units: &[Value], end: &Value| {
        all.push(vector(name, frames, units, end));
    };
    let (body, ping, close) = (
        |bytes: &str| json!({ "body": bytes }),
        |bytes: &str| json!({ "ping": bytes }),
        |code: u16| json!({ "close": code }),
    );
    let (whole, missing) = (json!("whole"), json!("missing"));
    add("nothing", &[], &[], &whole);
    add("a body", &[frame(0x82, "c0")], &[body("c0")], &whole);
    add(
        "two bodies",
        &[frame(0x82, "c0"), frame(0x82, "c2c3")],
        &[body("c0"), body("c2c3")],
        &whole,
    );
    for length in [125, 126, ALLOWED] {
        let long = to_text(&vec![0x61; length]);
        add(&format!("{length} bytes"), &[frame(0x82, &long)], &[body(&long)], &whole);
    }
    let parts = [frame(0x02, "c0c1"), frame(0x89, "70"), frame(0x00, "c2"), frame(0x80, "c3")];
    add("a body in parts, a ping between them", &parts, &[ping("70"), body("c0c1c2c3")], &whole);
    let parts = [frame(0x02, "c0c1"), frame(0x80, "")];
    add("a last part that is empty", &parts, &[body("c0c1")], &whole);
    add("an empty ping", &[frame(0x89, "")], &[ping("")], &whole);
    let long = to_text(&[0x61; 125]);
    add("the longest ping", &[frame(0x89, &long)], &[ping(&long)], &whole);
    add("a pong that nobody asked for", &[frame(0x8a, "70")], &[], &whole);
    add("a close without a code", &[frame(0x88, "")], &[close(1000)], &whole);
    add(
        "a close, and what stands behind it",
        &[frame(0x88, "03e9"), frame(0x82, "c0")],
        &[close(1001)],
        &whole,
    );
    add("a close with a reason", &[frame(0x88, "0fa0 627965")], &[close(4000)], &whole);
    for bytes in ["82", "8281 37fa21", "8282 37fa213d f7", "82fe01"] {
        add(&format!("cut short: {bytes}"), &[bytes.to_owned()], &[], &missing);
    }
    all
}

/// What ends the session, with the code of the end.
fn refused() -> Vec<Value> {
    let cases = [
        ("not masked", "8201c0".to_owned(), 1002),
        ("text", frame(0x81, "78"), 1003),
        ("compressed, which was not agreed on", frame(0xc2, "c0"), 1002),
        ("a reserved kind of data", frame(0x83, "c0"), 1002),
        ("a reserved kind of control", frame(0x8b, ""), 1002),
        ("a part of nothing", frame(0x80, "c0"), 1002),
        ("a message inside another", [frame(0x02, "c0"), frame(0x82, "c1")].concat(), 1002),
        ("an empty message", frame(0x82, ""), 1007),
        ("a ping in parts", frame(0x09, "70"), 1002),
        ("a ping of 126 bytes", "89fe007e".to_owned(), 1002),
        ("a close with half a code", frame(0x88, "03"), 1002),
        ("a close with a code that must not travel", frame(0x88, "03ed"), 1002),
        ("a close whose reason is no text", frame(0x88, "03e8ff"), 1002),
        ("a length not in the shortest way", "82fe0001 00000000".to_owned(), 1002),
        ("a long length not in the shortest way", "82ff000000000000ffff 00000000".to_owned(), 1002),
        ("a length with its highest bit set", "82ff8000000000000000 00000000".to_owned(), 1002),
        ("one byte too many", format!("82fe{:04x} 00000000", ALLOWED + 1), 1009),
        ("as many as can be", "82ff7fffffffffffffff 00000000".to_owned(), 1009),
        (
            "too many in all parts",
            [frame(0x02, "c0"), format!("80fe{ALLOWED:04x} 00000000")].concat(),
            1009,
        ),
    ];
    let cases = cases.into_iter();
    cases
        .map(|(name, frames, code)| vector(name, &[frames], &[], &json!({ "refused": code })))
        .collect()
}

fn vectors() -> Vec<Value> {
    [taken(), refused()].concat()
}

#[test]
fn the_generated_vectors_of_the_websocket_are_current() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", FILE].iter().collect();
    let lines: Vec<String> = vectors().iter().map(Value::to_string).collect();
    docs::compare(&path, &format!("[\n{}\n]\n", lines.join(",\n")));
}

/// The units of a stream that comes in pieces, and its end.
fn decoded(pieces: &[&[u8]], allowed: usize) -> (Vec<Value>, Value) {
    let (mut decoder, mut units) = (Decoder::default(), Vec::new());
    for mut input in pieces.iter().copied() {
        loop {
            match decoder.decode(&mut input, allowed) {
                Ok(Some(Unit::Body(body))) => units.push(json!({ "body": to_text(body) })),
                Ok(Some(Unit::Ping(payload))) => units.push(json!({ "ping": to_text(payload) })),
                Ok(Some(Unit::Close(code))) => units.push(json!({ "close": code })),
                Ok(None) => break,
                Err(error) => return (units, json!({ "refused": error.close_code() })),
            }
        }
    }
    (units, json!("whole"))
}

#[test]
fn every_websocket_gives_its_units_however_it_is_cut() {
    for vector in load(FILE) {
        let stream = bytes_of(&vector);
        let units = vector["units"].as_array().expect("units");
        let end = if vector["end"] == "missing" { &json!("whole") } else { &vector["end"] };
        for at in (0..=stream.len()).filter(|at| (*at).min(stream.len() - at) < 64) {
            let (got, ended) = decoded(&[&stream[..at], &stream[at..]], ALLOWED);
            assert_eq!((&got, &ended), (units, end), "cut at {at}: {}", vector["name"]);
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(&decoded(&bytes, ALLOWED).0, units, "byte by byte: {}", vector["name"]);
        // What ends inside a frame must go on with the rest of it.
        if vector["end"] == "missing" {
            let later = decoded(&[&stream, &[0; 300]], ALLOWED);
            assert_ne!(later, (units.clone(), json!("whole")), "{}", vector["name"]);
        }
    }
}

#[test]
fn a_server_closes_with_the_code_of_the_vector() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let mut seen = 0;
    for vector in load(FILE) {
        let Some(code) = vector.pointer("/end/refused") else { continue };
        let mut client = WebClient::connect(&server);
        client.socket.get_mut().write_all(&bytes_of(&vector)).expect("it is read");
        assert_eq!(json!(client.bye().1), *code, "{}", vector["name"]);
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}
