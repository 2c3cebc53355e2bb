//! Events as lines: the stable format of line mode, and JSON.

use std::collections::HashMap;
use std::sync::Arc;

use klatch::client::Event;
use klatch::protocol::event::{Joined, Left};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::clean;
use crate::clock::Zone;

/// How events are shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Text,
    Json,
}

/// What the text of an event depends on, besides itself.
pub(super) struct Context<'a> {
    pub(super) zone: &'a Zone,
    /// The time of an event that has none, in milliseconds since 1970.
    pub(super) now: u64,
    /// The other account of each direct room.
    pub(super) direct: &'a HashMap<Arc<str>, Arc<str>>,
}

/// A line, and where it belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What was asked for.
    Out(String),
    /// News of the connection.
    Note(String),
}

impl Format {
    /// The line of an event, if it has one.
    pub(super) fn event(self, event: &Event, context: &Context<'_>) -> Option<Shown> {
        match self {
            Self::Text => text(event, context),
            Self::Json => Some(Shown::Out(safe_json(&json_of(event).to_string()))),
        }
    }
}

impl Context<'_> {
    fn line(&self, time: u64, room: &str, rest: &str) -> Shown {
        let (mark, name) = self.direct.get(room).map_or(('#', room), |with| ('@', with));
        let time = self.zone.time(time);
        Shown::Out(format!("{time} {mark}{} {}", clean::line(name), one_line(rest)))
    }
}

fn one_line(text: &str) -> String {
    clean::lines(text).replace('\n', " \u{23ce} ")
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not a line is not shown, nor what later versions add"
)]
fn text(event: &Event, context: &Context<'_>) -> Option<Shown> {
    let now = context.now;
    Some(match event {
        Event::Message(said) => {
            context.line(said.time, &said.room, &format!("<{}> {}", said.from, said.text))
        }
        Event::Edit(edit) => {
            let text = format!("* {} edited #{}: {}", edit.from, edit.re.0, edit.text);
            context.line(edit.time, &edit.room, &text)
        }
        Event::Delete(gone) => {
            context.line(gone.time, &gone.room, &format!("* {} deleted #{}", gone.from, gone.re.0))
        }
        Event::React(new) => {
            let text = format!("* {} reacted to #{}: {}", new.from, new.re.0, new.text);
            context.line(new.time, &new.room, &text)
        }
        Event::Unreact(gone) => {
            let text = format!("* {} took back from #{}: {}", gone.from, gone.re.0, gone.text);
            context.line(gone.time, &gone.room, &text)
        }
        Event::Topic(topic) => {
            let text = format!("* {} set the topic: {}", topic.from, topic.text);
            context.line(topic.time, &topic.room, &text)
        }
        Event::Joined(joined) => context.line(now, &joined.room, &came(joined)),
        Event::Left(left) => context.line(now, &left.room, &went(left)),
        Event::Gap { room, from, to } => {
            let count = to.0.saturating_sub(from.0).saturating_add(1);
            context.line(now, room, &format!("! {count} messages are missing"))
        }
        Event::Reset { room, .. } => context.line(now, room, "! the history starts anew"),
        Event::Removed(removed) => Shown::Note(crate::tui::put_out(removed)),
        Event::Invited(by) => Shown::Note(format!("{} invites you to #{}", by.by, by.room)),
        Event::Gone { room, why: Some(why) } => Shown::Note(format!("left {room}: {why}")),
        Event::Connected { name, server, motd } => {
            let motd = motd.as_ref().map(|motd| format!(": {motd}")).unwrap_or_default();
            Shown::Note(format!("connected to {server} as {name}{motd}"))
        }
        Event::Disconnected { why, retry_in: Some(wait) } => {
            Shown::Note(format!("{why}; trying again in {:.1} s", wait.as_secs_f64()))
        }
        // The last one is the error that the program ends with.
        _ => return None,
    })
}

fn came(joined: &Joined) -> String {
    let names: Vec<_> = joined.names.0.iter().map(ToString::to_string).collect();
    presence('+', &names, joined.count, joined.members)
}

fn went(left: &Left) -> String {
    let gone = left.gone.0.iter().map(|gone| format!("{}:{}", gone.name, gone.reason.word()));
    presence('-', &gone.collect::<Vec<_>>(), left.count, left.members)
}

/// Names are bounded, the count is not.
fn presence(mark: char, names: &[String], count: u32, members: u32) -> String {
    let more = count.saturating_sub(u32::try_from(names.len()).unwrap_or(u32::MAX));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{mark} {}{more} ({})", names.join(" "), crate::tui::members(members))
}

fn json_of(event: &Event) -> Value {
    match event {
        Event::Message(payload) => named("message", payload),
        Event::Topic(payload) => named("topic", payload),
        Event::Edit(payload) => named("edit", payload),
        Event::Delete(payload) => named("delete", payload),
        Event::React(payload) => named("react", payload),
        Event::Unreact(payload) => named("unreact", payload),
        Event::Room(payload) => named("room", payload),
        Event::Joined(payload) => named("joined", payload),
        Event::Left(payload) => named("left", payload),
        Event::Typing(payload) => named("typing", payload),
        Event::Bye(payload) => named("bye", payload),
        Event::Connected { name, server, motd } => {
            json!({ "event": "connected", "name": name.as_ref(), "server": server, "motd": motd })
        }
        Event::Disconnected { why, retry_in } => json!({
            "event": "disconnected",
            "why": why.to_string(),
            "retry_ms": retry_in.map(|wait| wait.as_millis().min(u128::from(u64::MAX))),
        }),
        Event::Gone { room, why } => json!({
            "event": "gone",
            "room": room.as_ref(),
            "why": why.as_ref().map(ToString::to_string),
        }),
        Event::Gap { room, from, to } => {
            json!({ "event": "gap", "room": room.as_ref(), "from": from, "to": to })
        }
        Event::Reset { room, epoch } => {
            json!({ "event": "reset", "room": room.as_ref(), "epoch": epoch })
        }
        Event::Removed(payload) => named("removed", payload),
        Event::Invited(payload) => named("invited", payload),
        Event::Configured(payload) => named("configured", payload),
        Event::Renamed(payload) => named("renamed", payload),
        Event::Ranked(payload) => named("ranked", payload),
        Event::Read(payload) => named("read", payload),
        _ => json!({ "event": "unknown" }),
    }
}

fn named(event: &str, payload: &impl Serialize) -> Value {
    let mut fields = Map::from_iter([("event".to_owned(), Value::from(event))]);
    if let Ok(Value::Object(payload)) = serde_json::to_value(payload) {
        fields.extend(payload);
    }
    Value::Object(fields)
}

/// JSON may be looked at in a terminal: what must not reach one is written as an escape.
fn safe_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if clean::is_unsafe(c) {
            safe.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests;
