//! `lua/klatch/protocol.lua` and `marks.lua`: what the Lua library knows of the protocol and of
//! Unicode, made from the declarations that the server itself uses.
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` rewrites them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use klatch::base::limits;
use klatch::protocol::describe::{Field, Shape};
use klatch::protocol::event::EVENTS;
use klatch::protocol::request::METHODS;
use klatch::protocol::status::{Code, ErrorBody};
use klatch::protocol::{ALPN, PORT, VERSION, VERSION_MIN};

use crate::docs;

const HEAD: &str = "\
-- The protocol as a table: what the library is driven by. Generated from the server's declarations;
-- do not edit. `UPDATE_GENERATED=1 cargo test --test it generated` writes it anew.
return {
";

const MARKS_HEAD: &str = "\
-- Combining marks of Unicode, as pairs of first and last code point. Generated; do not edit.
-- `UPDATE_GENERATED=1 cargo test --test it generated` writes it anew.
return {
";

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "lua", "klatch", file].iter().collect()
}

/// A text as Lua writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn prose(doc: &[&str]) -> String {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    quoted(&lines.join(" "))
}

/// The name of the map in a description: `array of at most 32 map: Gone` is `Gone`.
fn map_name(kind: &str) -> &str {
    kind.rsplit("map: ").next().unwrap_or_default()
}

/// The maps that stand inside others or are a result, by name.
type Maps = BTreeMap<String, &'static [Field]>;

fn shape(shape: &'static Shape, kind: &str, maps: &mut Maps) -> String {
    match shape {
        Shape::Bool => "{ \"bool\" }".into(),
        // More than 2^53 - 1 is no number of Lua's; the decoder knows the form.
        Shape::Uint(u64::MAX) => "{ \"uint\" }".into(),
        Shape::Uint(max) => format!("{{ \"uint\", max = {max} }}"),
        Shape::Str => "{ \"str\" }".into(),
        Shape::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("{{ \"word\", words = {{ {} }} }}", words.join(", "))
        }
        Shape::Bin(size) => format!("{{ \"bin\", size = {size} }}"),
        Shape::Array(item, max) => {
            format!("{{ \"array\", max = {max}, of = {} }}", self::shape(item, kind, maps))
        }
        Shape::Map(fields) => {
            collect(map_name(kind), fields, maps);
            format!("{{ \"map\", name = {} }}", quoted(map_name(kind)))
        }
    }
}

fn collect(name: &str, fields: &'static [Field], maps: &mut Maps) {
    if maps.insert(name.to_owned(), fields).is_none() {
        for field in fields {
            shape(field.shape, &(field.kind)(), maps);
        }
    }
}

fn field_lines(out: &mut String, indent: &str, fields: &'static [Field], maps: &mut Maps) {
    for field in fields {
        let kind = (field.kind)();
        let optional = if field.optional { ", optional = true" } else { "" };
        writeln!(
            out,
            "{indent}{{ name = {}, shape = {}{optional}, kind = {}, doc = {} }},",
            quoted(field.name),
            shape(field.shape, &kind, maps),
            quoted(&kind),
            prose(field.doc),
        )
        .unwrap();
    }
}

fn bounds(out: &mut String) {
    out.push_str("  bounds = {\n");
    for (name, value) in [
        ("frame_header_bytes", limits::FRAME_HEADER_BYTES),
        ("frame_bytes", limits::FRAME_BYTES),
        ("frame_bytes_before_login", limits::FRAME_BYTES_BEFORE_LOGIN),
        ("depth", limits::DEPTH),
        ("map_entries", limits::MAP_ENTRIES),
        ("array_items", limits::ARRAY_ITEMS),
        ("text_bytes", limits::TEXT_BYTES),
        ("topic_bytes", limits::TOPIC_BYTES),
        ("name_bytes", limits::NAME_BYTES),
        ("name_chars", limits::NAME_CHARS),
        ("client_bytes", limits::CLIENT_BYTES),
        ("presence_names", limits::PRESENCE_NAMES),
        ("reaction_kinds", limits::REACTION_KINDS),
        ("reaction_names", limits::REACTION_NAMES),
        ("page_bytes", limits::PAGE_BYTES),
        ("history_page", limits::HISTORY_PAGE as usize),
        ("list_page", limits::LIST_PAGE as usize),
    ] {
        writeln!(out, "    {name} = {value},").unwrap();
    }
    out.push_str("  },\n");
}

fn statuses(out: &mut String) {
    out.push_str("  statuses = {\n");
    for code in Code::ALL {
        let (number, name, meaning) = (code.number(), quoted(code.name()), quoted(code.meaning()));
        writeln!(out, "    {{ number = {number}, name = {name}, meaning = {meaning} }},").unwrap();
    }
    out.push_str("  },\n");
}

fn methods(out: &mut String, maps: &mut Maps) {
    out.push_str("  methods = {\n");
    for method in METHODS {
        let result = (method.result)();
        collect(map_name(&result), method.reply, maps);
        let errors: Vec<String> = method.errors.iter().map(|code| quoted(code.name())).collect();
        writeln!(
            out,
            "    {{\n      name = {}, class = {}, result = {},\n      doc = {},\n      errors = {{ {} }},\n      params = {{",
            quoted(method.name),
            quoted(method.class.name()),
            quoted(map_name(&result)),
            prose(method.doc),
            errors.join(", "),
        )
        .unwrap();
        field_lines(out, "        ", method.params, maps);
        out.push_str("      },\n    },\n");
    }
    out.push_str("  },\n");
}

fn events(out: &mut String, maps: &mut Maps) {
    out.push_str("  events = {\n");
    for event in EVENTS {
        writeln!(
            out,
            "    {{\n      name = {}, stored = {},\n      doc = {},\n      fields = {{",
            quoted(event.name),
            event.stored,
            prose(event.doc),
        )
        .unwrap();
        field_lines(out, "        ", event.fields, maps);
        out.push_str("      },\n    },\n");
    }
    out.push_str("  },\n");
}

fn protocol() -> String {
    use klatch::protocol::describe::Describe;
    let mut maps = Maps::new();
    let mut out = String::from(HEAD);
    writeln!(out, "  version = {VERSION},\n  version_min = {VERSION_MIN},").unwrap();
    writeln!(out, "  alpn = {},\n  port = {PORT},", quoted(ALPN)).unwrap();
    bounds(&mut out);
    statuses(&mut out);
    methods(&mut out, &mut maps);
    events(&mut out, &mut maps);
    collect("ErrorBody", ErrorBody::FIELDS, &mut maps);
    out.push_str("  maps = {\n");
    for (name, fields) in maps.clone() {
        writeln!(out, "    {name} = {{").unwrap();
        field_lines(&mut out, "      ", fields, &mut maps);
        out.push_str("    },\n");
    }
    out.push_str("  },\n}\n");
    out
}

fn marks() -> String {
    let is_mark = |point: &u32| {
        char::from_u32(*point).is_some_and(unicode_normalization::char::is_combining_mark)
    };
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for point in (0..=0x0010_ffff).filter(is_mark) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == point => *last = point,
            _ => ranges.push((point, point)),
        }
    }
    let mut out = String::from(MARKS_HEAD);
    for line in ranges.chunks(6) {
        let pairs: Vec<String> =
            line.iter().map(|(first, last)| format!("{first:#x}, {last:#x},")).collect();
        writeln!(out, "  {}", pairs.join(" ")).unwrap();
    }
    out.push_str("}\n");
    out
}

#[test]
fn the_generated_tables_of_lua_are_current() {
    docs::compare(&path("protocol.lua"), &protocol());
    docs::compare(&path("marks.lua"), &marks());
}
