//! The tables of docs/PROTOCOL.md, rendered from the declarations that the codec itself uses.
//!
//! A test compares them with the document, so that neither can change without the other.

use super::describe::{Describe, Field, WireType};
use super::event::{EVENTS, Gone};
use super::reply::{
    Administered, BlockInfo, BlockList, DeviceInfo, DeviceList, Empty, Entry, HistoryPage, Hit,
    Limits, LoggedIn, MemberInfo, MemberList, Pong, Reaction, RoomInfo, RoomList, RoomState, Said,
    SearchPage, StandingInfo, StandingList, TopicState, UnreadInfo, UnreadList, Welcome,
};
use super::request::METHODS;
use super::status::{Code, ErrorBody};
use crate::base::limits;

/// The parameter that every method takes; the document explains it once.
const COMMON: &str = "timeout_ms";

/// Every method: a table of all, then each with its parameters.
#[must_use]
pub fn methods() -> String {
    let mut out =
        String::from("| Method | Class | Result | Errors of its own |\n|---|---|---|---|\n");
    for method in METHODS {
        let name = method.name;
        let errors: Vec<String> = method.errors.iter().map(|code| code_of(*code)).collect();
        let result = link(&(method.result)());
        line(
            &mut out,
            &format!(
                "| [`{name}`](#method-{name}) | {} | {result} | {} |",
                method.class.name(),
                errors.join(", "),
            ),
        );
    }
    for method in METHODS {
        let params: Vec<Field> =
            method.params.iter().filter(|field| field.name != COMMON).copied().collect();
        section(&mut out, "method", method.name, method.doc);
        fields(&mut out, "Parameter", &params);
    }
    out
}

/// Every event: a table of all, then each with its payload.
#[must_use]
pub fn events() -> String {
    let mut out = String::from("| Event | Kind | Meaning |\n|---|---|---|\n");
    for event in EVENTS {
        let kind = if event.stored { "stored, has a `seq`" } else { "volatile" };
        let (name, meaning) = (event.name, prose(event.doc));
        line(&mut out, &format!("| [`{name}`](#event-{name}) | {kind} | {} |", cell(&meaning)));
    }
    for event in EVENTS {
        section(&mut out, "event", event.name, event.doc);
        fields(&mut out, "Field", event.fields);
    }
    out
}

/// Every status code by number.
#[must_use]
pub fn statuses() -> String {
    let mut out = String::from("| Number | Name | Meaning |\n|---:|---|---|\n");
    for code in Code::ALL {
        let (number, name) = (code.number(), code.name());
        line(&mut out, &format!("| {number} | `{name}` | {} |", cell(code.meaning())));
    }
    out
}

/// Every map that is a result, an error, or stands inside another.
#[must_use]
pub fn maps() -> String {
    let mut out = String::new();
    map::<Welcome>(&mut out);
    map::<Limits>(&mut out);
    map::<LoggedIn>(&mut out);
    map::<DeviceList>(&mut out);
    map::<DeviceInfo>(&mut out);
    map::<RoomState>(&mut out);
    map::<Said>(&mut out);
    map::<HistoryPage>(&mut out);
    map::<SearchPage>(&mut out);
    map::<Hit>(&mut out);
    map::<Entry>(&mut out);
    map::<Reaction>(&mut out);
    map::<BlockList>(&mut out);
    map::<BlockInfo>(&mut out);
    map::<UnreadList>(&mut out);
    map::<UnreadInfo>(&mut out);
    map::<StandingList>(&mut out);
    map::<StandingInfo>(&mut out);
    map::<TopicState>(&mut out);
    map::<RoomList>(&mut out);
    map::<RoomInfo>(&mut out);
    map::<MemberList>(&mut out);
    map::<MemberInfo>(&mut out);
    map::<Gone>(&mut out);
    map::<Administered>(&mut out);
    map::<Pong>(&mut out);
    map::<Empty>(&mut out);
    map::<ErrorBody>(&mut out);
    out.trim_start().to_owned()
}

/// The bounds that version 1 fixes, whatever a server advertises.
#[must_use]
pub fn bounds() -> String {
    let rows: [(&str, usize, &str); 21] = [
        ("Body of a frame once a name is held", limits::FRAME_BYTES, "bytes"),
        ("Body of a frame before that", limits::FRAME_BYTES_BEFORE_LOGIN, "bytes"),
        ("Nesting of arrays and maps in a body", limits::DEPTH, "levels"),
        ("Entries of one map", limits::MAP_ENTRIES, "entries"),
        ("Items of one array", limits::ARRAY_ITEMS, "items"),
        ("Text of a message", limits::TEXT_BYTES, "bytes of UTF-8"),
        ("Topic", limits::TOPIC_BYTES, "bytes of UTF-8"),
        ("Name of an account or a room", limits::NAME_BYTES, "bytes of UTF-8"),
        ("Name of an account or a room", limits::NAME_CHARS, "characters"),
        ("Combining marks on one letter of a name", limits::NAME_MARKS, "marks"),
        ("Password", limits::PASSWORD_BYTES, "bytes of UTF-8"),
        ("`device` of `login` and `register`", limits::DEVICE_BYTES, "bytes of UTF-8"),
        ("Devices of one account", limits::DEVICES, "devices"),
        ("`client` of `hello`", limits::CLIENT_BYTES, "bytes of UTF-8"),
        ("Names in one `joined` or `left`", limits::PRESENCE_NAMES, "names"),
        ("`text` of `search`", limits::SEARCH_BYTES, "bytes of UTF-8"),
        ("A reaction", limits::REACTION_BYTES, "bytes of UTF-8"),
        ("Different reactions to one message", limits::REACTION_KINDS, "reactions"),
        ("Reactions to one message, of all accounts", limits::REACTIONS, "reactions"),
        ("Names of one reaction in an entry", limits::REACTION_NAMES, "names"),
        ("Body of a frame with a page of history or of a list", limits::PAGE_BYTES, "bytes"),
    ];
    let mut out = String::from("| What | At most | Unit |\n|---|---:|---|\n");
    for (what, most, unit) in rows {
        line(&mut out, &format!("| {what} | {most} | {unit} |"));
    }
    out
}

fn map<T: Describe + WireType>(out: &mut String) {
    let kind = T::describe();
    section(out, "map", kind.trim_start_matches("map: "), T::DOC);
    fields(out, "Field", T::FIELDS);
}

/// A heading whose anchor is `#kind-name`, and the documentation.
fn section(out: &mut String, kind: &str, name: &str, doc: &[&str]) {
    line(out, &format!("\n#### {kind} `{name}`\n\n{}", prose(doc)));
}

fn fields(out: &mut String, title: &str, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    line(out, &format!("\n| {title} | Type | | Meaning |\n|---|---|---|---|"));
    for field in fields {
        let presence = if field.optional { "optional" } else { "required" };
        let (kind, doc) = (link(&(field.kind)()), cell(&prose(field.doc)));
        line(out, &format!("| `{}` | {kind} | {presence} | {doc} |", field.name));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn code_of(code: Code) -> String {
    format!("`{}`", code.name())
}

/// Documentation comments as one paragraph.
fn prose(doc: &[&str]) -> String {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

/// A text that cannot end its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Turns `map: Name` into a link to that map's section.
fn link(kind: &str) -> String {
    match kind.split_once("map: ") {
        Some((before, name)) => {
            format!("{before}[`{name}`](#map-{})", name.to_lowercase())
        }
        None => cell(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_to_a_map_has_its_section() {
        let (all, maps) = (methods() + &events() + &maps(), maps());
        let mut links = 0;
        for after in all.split("(#map-").skip(1) {
            let name = after.split(')').next().unwrap_or_default();
            let section = |line: &str| line.to_lowercase() == format!("#### map `{name}`");
            assert!(maps.lines().any(section), "no section for {name}");
            links += 1;
        }
        assert!(links > 10);
    }

    #[test]
    fn nothing_that_is_declared_is_left_out() {
        let (methods, statuses) = (methods(), statuses());
        for method in METHODS {
            assert!(methods.contains(&format!("#### method `{}`", method.name)));
        }
        for code in Code::ALL {
            assert!(statuses.contains(&format!("| {} | `{}` |", code.number(), code.name())));
        }
        assert!(methods.contains("| `room` | str, one line, at most 64 bytes | required |"));
        assert!(!methods.contains(COMMON));
    }
}
