//! The worked session of docs/PROTOCOL.md, written by the codec, so that it is true.

use std::fmt::Write as _;

use klatch::base::id::{Epoch, Key, Seq};
use klatch::base::secret::Token;
use klatch::protocol::codec;
use klatch::protocol::event::{Bye, Event, Message};
use klatch::protocol::reply::{Empty, LoggedIn, Role, RoomKind, RoomState, Said};
use klatch::protocol::request::{Hello, Login, Logout};
use klatch::protocol::status::Code;
use serde_json::Value;

use crate::corpus::properties::encode_event;
use crate::notation::{hex, to_json};
use crate::samples;

const TIME: u64 = 1_800_000_000_000;

/// Every frame of a short session: who sends it, what it says, and its bytes.
pub(crate) fn session() -> String {
    let welcome = samples::results().into_iter().find(|(_, method, _)| *method == "hello");
    let (_, _, welcome) = welcome.expect("a sample");
    let key = Key(*b"0123456789abcdef");
    let room = RoomState {
        room: "lobby".into(),
        kind: RoomKind::Public,
        with: None,
        epoch: Epoch(7),
        seq: Seq(41),
        first: Seq(1),
        topic: "".into(),
        members: 2,
        role: Role::Member,
        announcement: false,
        slow_ms: 0,
        keep_ms: None,
        keep_entries: None,
        keep_bytes: None,
        read: None,
    };
    let logged_in = LoggedIn {
        name: "alice".into(),
        guest: true,
        admin: false,
        token: Token::from([0xaa; 32]),
        hold_ms: 120_000,
        rooms: vec!["lobby".into()],
    };
    let message = Message {
        room: "lobby".into(),
        seq: Seq(42),
        time: TIME,
        from: "alice".into(),
        text: "Hello".into(),
        re: None,
    };
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    let login = Login::guest("alice".into());
    let say = crate::support::client::say("lobby", "Hello", Some(key));
    let bye = Bye {
        code: Code::Logout.number(),
        name: Code::Logout.name().into(),
        text: Code::Logout.meaning().into(),
        retry_after_ms: None,
        resume: false,
        limit: None,
        used: None,
        allowed: None,
    };
    let mut out = String::new();
    sends(&mut out, "Client", &codec::request(1, &hello));
    sends(&mut out, "Server", &respond(7, &welcome));
    sends(&mut out, "Client", &codec::request(2, &login));
    sends(&mut out, "Server", &answer(2, &logged_in));
    sends(&mut out, "Server", &encode_event(&Event::Room(room)));
    sends(&mut out, "Client", &codec::request(3, &say));
    sends(&mut out, "Server", &answer(3, &Said { seq: Seq(42), time: TIME, dup: false }));
    sends(&mut out, "Server", &encode_event(&Event::Message(message)));
    sends(&mut out, "Client", &codec::request(4, &Logout { all: None, timeout_ms: None }));
    sends(&mut out, "Server", &answer(4, &Empty {}));
    sends(&mut out, "Server", &encode_event(&Event::Bye(bye)));
    out
}

/// The sample answers request 7; here it answers request 1.
fn respond(sample_id: u8, frame: &[u8]) -> Vec<u8> {
    const ID: usize = 6;
    let mut frame = frame.to_vec();
    assert_eq!(frame[ID], sample_id);
    frame[ID] = 1;
    frame
}

fn answer(id: u32, result: &impl serde::Serialize) -> Vec<u8> {
    codec::result_frame(id, result).to_vec()
}

fn sends(out: &mut String, who: &str, frame: &[u8]) {
    const HEADER: usize = 4;
    let meaning = short(&to_json(&frame[HEADER..]));
    let lines: Vec<String> = frame.chunks(32).map(hex).collect();
    let digits = lines.join("\n");
    write!(out, "{who}: `{meaning}`\n\n```text\n{digits}\n```\n\n").expect("memory takes it");
}

/// JSON with bytes as hexadecimal text in quotes of their own.
fn short(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(",");
    match value {
        Value::Array(items) => format!("[{}]", joined(items.iter().map(short).collect())),
        Value::Object(map) => {
            if let Some(digits) = map.get("$bin").and_then(Value::as_str) {
                return format!("h'{digits}'");
            }
            let entry = |(key, value)| format!("\"{key}\":{}", short(value));
            format!("{{{}}}", joined(map.iter().map(entry).collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
