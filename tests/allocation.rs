//! No bytes of a peer make the decoders reserve more than a small multiple of themselves.
//!
//! One test, so that nothing else allocates while it measures.
//!
//! **The bound:** four times the body, and a constant. Decoding copies each text twice at most
//! (serde's `String`, then the `Arc<str>` that is shared); four leaves room for a growing vector.
//! The constants are for what a tiny body can cause:
//! - [`ERROR_BYTES`]: an error is a text of its own, which quotes at most 40 characters of the input.
//! - [`NAMES_BYTES`], for a client only: a name of one byte in `joined` or `left` becomes an
//!   `Arc<str>` with two counters, and there may be 32 of them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;

use klatch::base::limits::{FRAME_BYTES, PRESENCE_NAMES};
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::Gone;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[path = "it/notation.rs"]
#[expect(dead_code, reason = "only the bytes of the vectors are needed here")]
mod notation;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const FACTOR: usize = 4;
const ERROR_BYTES: usize = 512;
/// Each name with its counters and its place in the list, which is copied once when it grows.
const NAMES_BYTES: usize = PRESENCE_NAMES * (24 + 2 * size_of::<Gone>());

#[test]
fn decoding_reserves_a_small_multiple_of_the_body() {
    let bodies = vectors();
    for body in &bodies {
        check(body).expect("within the bound");
    }
    for body in crafted() {
        check(&body).expect("within the bound");
    }
    let cases =
        |cases| TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let random = proptest::collection::vec(any::<u8>(), 0..4_096);
    cases(2_000).run(&random, |body| check(&body)).expect("within the bound");
    cases(20_000).run(&mutated(bodies), |body| check(&body)).expect("within the bound");
    bombs_on_a_small_stack();
}

/// Decodes as a server and as a client would, and compares the heap's peak with the bound.
fn check(body: &[u8]) -> Result<(), TestCaseError> {
    let request = peak(|| codec::decode_request(body));
    let allowed = FACTOR * body.len() + ERROR_BYTES;
    prop_assert!(
        request <= allowed,
        "{request} bytes for a request of {}: {}",
        body.len(),
        show(body)
    );

    let incoming = peak(|| codec::decode_incoming(body));
    let allowed = allowed + NAMES_BYTES;
    prop_assert!(
        incoming <= allowed,
        "{incoming} bytes for a body of {}: {}",
        body.len(),
        show(body)
    );
    Ok(())
}

/// The most bytes that were reserved at once while `decode` ran.
fn peak<T>(decode: impl FnOnce() -> T) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let value = decode();
    let peak = HEAP.peak_usage().saturating_sub(before);
    drop(value);
    peak
}

fn show(body: &[u8]) -> String {
    notation::to_text(&body[..body.len().min(200)])
}

fn vectors() -> Vec<Vec<u8>> {
    let files = ["requests.json", "events.json", "responses.json", "hostile.json"];
    let bodies = files.iter().flat_map(|file| {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", file].iter().collect();
        let text = std::fs::read_to_string(path).expect("a file of vectors");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        vectors.into_iter().map(|v| notation::from_text(v["bytes"].as_str().expect("bytes")))
    });
    bodies.collect()
}

/// Bodies of the full length, each meant to be repeated, escaped or copied by a careless decoder.
fn crafted() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for filler in ["a", "\u{1}", "\u{10ffff}", "\"", "\u{301}"] {
        let text = filler.repeat((FRAME_BYTES - 100) / filler.len());
        let half = filler.repeat((FRAME_BYTES - 200) / filler.len() / 2);
        let bodies = [
            serde_json::json!([0, 7, text, [{}]]),
            serde_json::json!([0, 7, "ping", [{ "timeout_ms": text }]]),
            serde_json::json!([0, 7, "typing", [{ "room": half, "active": half }]]),
            serde_json::json!([0, 7, "say", [{ "room": half, "text": half }]]),
            serde_json::json!([0, 7, "join", [{ text.as_str(): 1 }]]),
            serde_json::json!([2, text, [{}]]),
            serde_json::json!([2, "message", [{ "room": half, "seq": half }]]),
            serde_json::json!([2, "left", [{ "room": "x", "gone": [{ "name": "x", "reason": text }] }]]),
            serde_json::json!([1, 7, { "code": 1, "name": "x", "text": half, "applied": half }, null]),
            serde_json::json!([1, 7, null, text]),
        ];
        all.extend(bodies.iter().map(notation::pack));
    }
    for items in [32, 33, 1_024, 1_025] {
        let names = vec![serde_json::json!("x"); items];
        let gone = vec![serde_json::json!({ "name": "", "reason": "left" }); items];
        for payload in [
            serde_json::json!([2, "joined", [{ "room": "", "names": names, "count": 1, "members": 1 }]]),
            serde_json::json!([2, "left", [{ "room": "", "gone": gone, "count": 1, "members": 1 }]]),
        ] {
            all.push(notation::pack(&payload));
        }
    }
    all
}

/// One change of a valid body that keeps most of its structure.
#[derive(Debug, Clone, Copy)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8, usize),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize, usize),
    Length(prop::sample::Index, u8, u32),
}

fn mutated(bodies: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let at = any::<prop::sample::Index>;
    let marker = prop::sample::select((0x80..=0xdf).collect::<Vec<u8>>());
    let change = prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), any::<u8>(), 1..20_000_usize).prop_map(|(at, byte, n)| Change::Insert(at, byte, n)),
        (at(), 1..8_usize).prop_map(|(at, n)| Change::Remove(at, n)),
        (at(), 1..16_usize, 1..1_100_usize).prop_map(|(at, n, times)| Change::Repeat(at, n, times)),
        (at(), marker, 0..2_000_u32).prop_map(|(at, marker, n)| Change::Length(at, marker, n)),
    ];
    let changes = proptest::collection::vec(change, 1..5);
    (prop::sample::select(bodies), changes).prop_map(|(mut body, changes)| {
        for change in changes {
            apply(&mut body, change);
            body.truncate(FRAME_BYTES);
        }
        body
    })
}

fn apply(body: &mut Vec<u8>, change: Change) {
    if body.is_empty() {
        return;
    }
    let place = |at: prop::sample::Index, body: &[u8]| at.index(body.len());
    match change {
        Change::Set(at, byte) => {
            let at = place(at, body);
            body[at] = byte;
        }
        Change::Insert(at, byte, times) => {
            let at = place(at, body);
            body.splice(at..at, std::iter::repeat_n(byte, times));
        }
        Change::Remove(at, count) => {
            let at = place(at, body);
            let end = body.len().min(at + count);
            body.drain(at..end);
        }
        Change::Repeat(at, count, times) => {
            let at = place(at, body);
            let piece = body[at..body.len().min(at + count)].repeat(times);
            body.splice(at..at, piece);
        }
        Change::Length(at, marker, length) => {
            let at = place(at, body);
            let length = length.to_be_bytes();
            let width = if matches!(marker, 0xdb | 0xdd | 0xdf | 0xc6) { 4 } else { 2 };
            body.splice(at..=at, [&[marker], &length[4 - width..]].concat());
        }
    }
}

/// Nesting must not be followed: an overflowing stack cannot be caught, it ends the process.
fn bombs_on_a_small_stack() {
    const STACK: usize = 128 * 1_024;
    let decode = || {
        for depth in [9, 100, 1_000, 10_000, FRAME_BYTES - 8, 1_000_000] {
            for opening in [&[0x91][..], b"\x81\xa1x", b"\xdc\x00\x01", b"\xdf\x00\x00\x00\x01\xa0"]
            {
                let bomb = opening.repeat(depth);
                let ping = [b"\x94\x00\x07\xa4ping\x91\x81\xa1x", &bomb[..], b"\xc0"].concat();
                let event = [b"\x93\x02\xa4ping\x91\x81\xa1x", &bomb[..], b"\xc0"].concat();
                let result = [b"\x94\x01\x07\xc0", &bomb[..], b"\xc0"].concat();
                for body in [&bomb, &ping, &event, &result] {
                    assert!(codec::decode_request(body).is_err());
                    let incoming: Result<Incoming, String> = codec::decode_incoming(body);
                    assert!(incoming.is_err());
                }
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(decode);
    thread.expect("a thread").join().expect("no overflow");
}
