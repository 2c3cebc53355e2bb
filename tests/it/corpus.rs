//! The seeds of the fuzzers, replayed without one.
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` writes them from the vectors.

use std::fs;
use std::path::PathBuf;

use klatch::base::name::RESERVED;
use serde_json::Value;

use crate::docs;
use crate::vectors::{bytes_of, generated, load};

#[path = "../../fuzz/properties.rs"]
pub(crate) mod properties;

/// What is longer than this only slows a fuzzer down.
const SEED_BYTES: usize = 512;
type Property = fn(&[u8]);
const TARGETS: [(&str, Property); 5] = [
    ("frame", properties::frame),
    ("request", properties::request),
    ("incoming", properties::incoming),
    ("websocket", properties::websocket),
    ("name", properties::name),
];

fn folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", target].iter().collect()
}

/// A seed's file name and its bytes.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let bodies = |files: &[&str]| -> Vec<(String, Vec<u8>)> {
        let vectors = generated().into_iter().filter(|(file, _)| files.contains(file));
        vectors
            .flat_map(|(_, vectors)| vectors)
            .map(|vector| (slug(&vector), bytes_of(&vector)))
            .collect()
    };
    let mut seeds = match target {
        "frame" => bodies(&["frames.json"]),
        "request" => bodies(&["requests.json", "hostile.json"]),
        "incoming" => bodies(&["events.json", "responses.json"]),
        "websocket" => websocket(),
        _ => names(),
    };
    if matches!(target, "frame" | "websocket") {
        // The first byte says how the stream is cut.
        for (_, bytes) in &mut seeds {
            bytes.insert(0, 2);
        }
    }
    seeds.retain(|(_, bytes)| bytes.len() <= SEED_BYTES);
    seeds
}

/// A client's frames: whole, in parts, beside control frames, and wrong ones.
fn websocket() -> Vec<(String, Vec<u8>)> {
    let frame = |first: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).expect("short");
        let mask = [1, 2, 3, 4];
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [&[first, 0x80 | length][..], &mask, &masked.collect::<Vec<_>>()].concat()
    };
    let words: [(&str, Vec<Vec<u8>>); 12] = [
        ("a-reserved-bit", vec![frame(0xc2, b"x")]),
        ("an-unknown-kind", vec![frame(0x83, b"x")]),
        ("an-empty-message", vec![frame(0x82, b"")]),
        ("a-message-within-another", vec![frame(2, b"a"), frame(0x82, b"b")]),
        ("a-part-of-nothing", vec![frame(0x80, b"x")]),
        ("a-close-with-half-a-code", vec![frame(0x88, b"\x03")]),
        ("one-message", vec![frame(0x82, b"body")]),
        ("parts-and-a-ping", vec![frame(2, b"bo"), frame(0x89, b"hey"), frame(0x80, b"dy")]),
        ("a-close-with-a-reason", vec![frame(0x88, b"\x03\xe8bye"), frame(0x82, b"late")]),
        ("text", vec![frame(0x81, b"text")]),
        ("not-masked", vec![vec![0x82, 1, 0xc0]]),
        (
            "a-length-that-lies",
            vec![vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 3, 4]],
        ),
    ];
    words.into_iter().map(|(name, frames)| (name.to_owned(), frames.concat())).collect()
}

fn slug(vector: &Value) -> String {
    let name = vector["name"].as_str().expect("a name");
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn names() -> Vec<(String, Vec<u8>)> {
    let others = [
        "alice",
        "Bob-2",
        "Zoë",
        "Юлия",
        "山田太郎",
        "محمد",
        "ἈΝΔΡΈΑΣ",
        "a.b_c",
        "ＡＢＣ",
        "İstanbul",
        "ẞtraße",
        "ŉame",
        "ǅ",
        "ﬁne",
        "각",
        "e\u{301}\u{323}",
        "аlice",
        "＠0123456789abcdef",
        "@0123456789abcdef",
        "＇a",
        "a\u{200d}b",
        "\u{202e}abc",
        "-a",
        "",
        "x\u{0}",
    ];
    let names = RESERVED.iter().chain(&others).enumerate();
    names.map(|(index, name)| (format!("name-{index:02}"), name.as_bytes().to_vec())).collect()
}

#[test]
fn the_generated_seeds_are_current() {
    for (target, _) in TARGETS {
        for (name, bytes) in seeds(target) {
            docs::compare_bytes(&folder(target).join(name), &bytes);
        }
    }
}

#[test]
fn every_input_that_was_kept_holds_its_property() {
    for (target, property) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(folder(target)).expect("a corpus") {
            property(&fs::read(entry.expect("an entry").path()).expect("an input"));
            count += 1;
        }
        assert!(count > 10, "{target} has {count} inputs");
    }
}

#[test]
fn every_vector_holds_the_properties_whatever_its_length() {
    for file in ["requests.json", "hostile.json", "events.json", "responses.json"] {
        for vector in load(file) {
            properties::request(&bytes_of(&vector));
            properties::incoming(&bytes_of(&vector));
        }
    }
}
