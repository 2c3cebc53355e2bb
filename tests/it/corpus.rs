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
const TARGETS: [(&str, Property); 4] = [
    ("frame", properties::frame),
    ("request", properties::request),
    ("incoming", properties::incoming),
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
        _ => names(),
    };
    if target == "frame" {
        // The first byte says how the stream is cut.
        for (_, bytes) in &mut seeds {
            bytes.insert(0, 2);
        }
    }
    seeds.retain(|(_, bytes)| bytes.len() <= SEED_BYTES);
    seeds
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
