//! web/src/protocol/spec.gen.ts: the declarations as TypeScript, for the browser's client library.
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` rewrites it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use klatch::base::limits;
use klatch::protocol::describe::{Describe as _, Field, Shape};
use klatch::protocol::event::EVENTS;
use klatch::protocol::request::METHODS;
use klatch::protocol::status::{Code, ErrorBody};
use klatch::protocol::{VERSION, VERSION_MIN};

use crate::docs;

const HEAD: &str = "\
// The protocol's declarations, generated from those of the server; do not edit.
// `UPDATE_GENERATED=1 cargo test --test it generated` writes this file anew.

";

/// Every map by its name, found by walking through all that holds it.
type Maps = BTreeMap<String, &'static [Field]>;

fn collect(maps: &mut Maps, name: &str, fields: &'static [Field]) {
    if maps.insert(name.to_owned(), fields).is_none() {
        for field in fields {
            collect_shape(maps, &(field.kind)(), field.shape);
        }
    }
}

fn collect_shape(maps: &mut Maps, kind: &str, shape: &'static Shape) {
    match shape {
        Shape::Array(item, _) => collect_shape(maps, kind, item),
        Shape::Map(fields) => collect(maps, map_name(kind), fields),
        Shape::Bool | Shape::Uint(_) | Shape::Str | Shape::Word(_) | Shape::Bin(_) => {}
    }
}

fn map_name(kind: &str) -> &str {
    kind.split_once("map: ").unwrap_or_else(|| panic!("{kind} names no map")).1
}

/// The type that the checker of TypeScript sees.
fn type_of(kind: &str, shape: &Shape) -> String {
    match shape {
        Shape::Bool => "boolean".into(),
        Shape::Uint(most) if *most > u64::from(u32::MAX) => "Uint64".into(),
        Shape::Uint(_) => "number".into(),
        Shape::Str => "string".into(),
        Shape::Word(words) => {
            let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            quoted.join(" | ")
        }
        Shape::Bin(_) => "Uint8Array".into(),
        Shape::Array(item, _) => match type_of(kind, item) {
            item if item.contains(' ') => format!("({item})[]"),
            item => format!("{item}[]"),
        },
        Shape::Map(_) => map_name(kind).into(),
    }
}

/// The shape that is checked when a body is read: `shape.ts` knows the notation.
fn shape_of(kind: &str, shape: &Shape) -> String {
    match shape {
        Shape::Bool => "bool".into(),
        Shape::Uint(most) => format!("u{}", 64 - most.leading_zeros()),
        Shape::Str | Shape::Word(_) => "str".into(),
        Shape::Bin(bytes) => format!("bin{bytes}"),
        Shape::Array(item, most) => format!("{most}*{}", shape_of(kind, item)),
        Shape::Map(_) => map_name(kind).into(),
    }
}

fn interface(out: &mut String, name: &str, fields: &[Field]) {
    writeln!(out, "\nexport interface {name} {{").expect("a string");
    for field in fields {
        let doc: Vec<&str> = field.doc.iter().map(|line| line.trim()).collect();
        let mark = if field.optional { "?" } else { "" };
        let kind = type_of(&(field.kind)(), field.shape);
        writeln!(out, "  /** {} */\n  {}{mark}: {kind}", doc.join(" "), field.name)
            .expect("a string");
    }
    out.push_str("}\n");
}

fn shapes(out: &mut String, maps: &Maps) {
    out.push_str("\nexport const SHAPES: Record<string, Record<string, string>> = {\n");
    for (name, fields) in maps {
        let fields: Vec<String> = fields
            .iter()
            .map(|field| {
                let mark = if field.optional { "?" } else { "" };
                format!("{}: '{}{mark}'", field.name, shape_of(&(field.kind)(), field.shape))
            })
            .collect();
        writeln!(out, "  {name}: {{ {} }},", fields.join(", ")).expect("a string");
    }
    out.push_str("}\n");
}

fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in name.split('_') {
        let (first, rest) = word.split_at(1);
        out.push_str(&first.to_uppercase());
        out.push_str(rest);
    }
    out
}

fn methods(out: &mut String) {
    out.push_str("\n/** Each method with its parameters and its result. */\n");
    out.push_str("export interface Methods {\n");
    for method in METHODS {
        let (name, result) = (method.name, (method.result)());
        let (params, result) = (pascal(name), map_name(&result).to_owned());
        writeln!(out, "  {name}: {{ params: {params}Params; result: {result} }}")
            .expect("a string");
    }
    out.push_str("}\n\n/** The map that is each method's result. */\n");
    out.push_str("export const RESULTS: Record<keyof Methods, string> = {\n");
    for method in METHODS {
        let result = (method.result)();
        writeln!(out, "  {}: '{}',", method.name, map_name(&result)).expect("a string");
    }
    out.push_str("}\n");
    for method in METHODS {
        interface(out, &format!("{}Params", pascal(method.name)), method.params);
    }
}

fn event_map(name: &str) -> String {
    format!("{}Event", pascal(name))
}

fn events(out: &mut String) {
    out.push_str("\n/** Each event with its payload. */\nexport interface Events {\n");
    for event in EVENTS {
        writeln!(out, "  {}: {}", event.name, event_map(event.name)).expect("a string");
    }
    out.push_str("}\n\n/** The map that is each event's payload. */\n");
    out.push_str("export const EVENTS: Record<string, string> = {\n");
    for event in EVENTS {
        writeln!(out, "  {}: '{}',", event.name, event_map(event.name)).expect("a string");
    }
    out.push_str("}\n");
}

fn constants(out: &mut String) {
    writeln!(out, "export const VERSION = {VERSION}\nexport const VERSION_MIN = {VERSION_MIN}\n")
        .expect("a string");
    out.push_str("/** What version 1 fixes, whatever a server advertises. */\n");
    out.push_str("export const BOUNDS = {\n");
    for (name, value) in [
        ("frameBytes", limits::FRAME_BYTES),
        ("frameBytesBeforeLogin", limits::FRAME_BYTES_BEFORE_LOGIN),
        ("depth", limits::DEPTH),
        ("mapEntries", limits::MAP_ENTRIES),
        ("arrayItems", limits::ARRAY_ITEMS),
        ("nameBytes", limits::NAME_BYTES),
        ("nameChars", limits::NAME_CHARS),
        ("textBytes", limits::TEXT_BYTES),
        ("topicBytes", limits::TOPIC_BYTES),
    ] {
        writeln!(out, "  {name}: {value},").expect("a string");
    }
    out.push_str("} as const\n\n/** Status codes by name; act on the class, `code / 100`. */\n");
    out.push_str("export const STATUS = {\n");
    for code in Code::ALL {
        writeln!(out, "  {}: {},", code.name(), code.number()).expect("a string");
    }
    out.push_str("} as const\n\n");
    out.push_str("/** An integer of 64 bits: a bigint where a number would lose digits. */\n");
    out.push_str("export type Uint64 = number | bigint\n");
}

fn module() -> String {
    let mut maps = Maps::new();
    for method in METHODS {
        collect(&mut maps, map_name(&(method.result)()), method.reply);
    }
    for event in EVENTS {
        collect(&mut maps, &event_map(event.name), event.fields);
    }
    collect(&mut maps, "ErrorBody", ErrorBody::FIELDS);
    let mut out = HEAD.to_owned();
    constants(&mut out);
    for (name, fields) in &maps {
        interface(&mut out, name, fields);
    }
    shapes(&mut out, &maps);
    methods(&mut out);
    events(&mut out);
    out
}

#[test]
fn the_generated_typescript_is_current() {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "web", "src", "protocol", "spec.gen.ts"].iter().collect();
    docs::compare(&path, &module());
}

#[test]
fn the_generated_typescript_leaves_nothing_out() {
    let module = module();
    for method in METHODS {
        let result = (method.result)();
        assert!(module.contains(&format!("\nexport interface {} {{", map_name(&result))));
        assert!(module.contains(&format!("\nexport interface {}Params {{", pascal(method.name))));
    }
    for event in EVENTS {
        assert!(module.contains(&format!("\n  {}: '{}',", event.name, event_map(event.name))));
    }
    for code in Code::ALL {
        assert!(module.contains(&format!("\n  {}: {},", code.name(), code.number())));
    }
}
