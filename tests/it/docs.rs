//! What is generated into the repository is what the declarations say.
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` rewrites it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use klatch::protocol::spec;

use crate::worked;

/// Compares a file with what it should hold, or rewrites it.
#[track_caller]
pub(crate) fn compare(path: &Path, expected: &str) {
    compare_bytes(path, expected.as_bytes());
}

/// [`compare`] for a file that is not text.
#[track_caller]
pub(crate) fn compare_bytes(path: &Path, expected: &[u8]) {
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, expected).expect("a writable file");
    }
    let found = fs::read(path).unwrap_or_default();
    let path = path.display();
    assert!(
        found == expected,
        "{path} is out of date: run UPDATE_GENERATED=1 cargo test --test it generated"
    );
}

/// Puts `content` between `<!-- generated: name -->` and `<!-- end -->`.
fn fill(document: &str, name: &str, content: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, after) = document.split_once(&begin).unwrap_or_else(|| panic!("no block {name}"));
    let (_, after) =
        after.split_once("<!-- end -->").unwrap_or_else(|| panic!("{name} has no end"));
    format!("{before}{begin}{}\n<!-- end -->{after}", content.trim_end())
}

#[test]
fn the_generated_blocks_of_the_protocol_are_current() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "docs", "PROTOCOL.md"].iter().collect();
    let mut document = fs::read_to_string(&path).expect("docs/PROTOCOL.md");
    for (name, content) in [
        ("bounds", spec::bounds()),
        ("methods", spec::methods()),
        ("events", spec::events()),
        ("maps", spec::maps()),
        ("statuses", spec::statuses()),
        ("worked session", worked::session()),
    ] {
        document = fill(&document, name, &content);
    }
    compare(&path, &document);
}

#[test]
fn every_link_inside_the_protocol_leads_somewhere() {
    let document = include_str!("../../docs/PROTOCOL.md");
    let anchors: Vec<String> = document
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept =
                title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect();
    for after in document.split("](#").skip(1) {
        let link = after.split(')').next().unwrap_or_default();
        assert!(anchors.iter().any(|anchor| anchor == link), "no heading for #{link}");
    }
}
