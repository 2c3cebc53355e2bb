//! How vectors are written down: bytes as hexadecimal text, MessagePack as JSON.
//!
//! The MessagePack reader and writer here are independent of the codec that they help to test.

use serde_json::{Map, Value, json};

/// Runs of one byte at least this long are written as `61*1024`.
const RUN: usize = 32;
/// The largest integer that every language reads from JSON without loss.
const SAFE: u64 = (1 << 53) - 1;

/// Bytes as text: hexadecimal, in which `61*1024` stands for a run of one byte.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    let mut words = vec![String::new()];
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() >= RUN {
            words.push(format!("{}*{}", hex(&run[..1]), run.len()));
            words.push(String::new());
        } else {
            words.last_mut().expect("never empty").push_str(&hex(run));
        }
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The bytes that a text stands for.
pub(crate) fn from_text(text: &str) -> Vec<u8> {
    text.split(' ')
        .filter(|word| !word.is_empty())
        .flat_map(|word| {
            let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
            unhex(digits).repeat(times.parse().expect("a count"))
        })
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    (0..digits.len()).step_by(2).map(digit).collect()
}

/// One whole MessagePack value as JSON.
pub(crate) fn to_json(bytes: &[u8]) -> Value {
    let mut rest = bytes;
    let value = read(&mut rest);
    assert!(rest.is_empty(), "{} bytes follow", rest.len());
    value
}

fn read(rest: &mut &[u8]) -> Value {
    let marker = take(rest, 1)[0];
    match marker {
        0x00..=0x7f => json!(marker),
        0x80..=0x8f => read_map(rest, u64::from(marker & 0x0f)),
        0x90..=0x9f => read_array(rest, u64::from(marker & 0x0f)),
        0xa0..=0xbf => read_str(rest, u64::from(marker & 0x1f)),
        0xc0 => Value::Null,
        0xc2 | 0xc3 => json!(marker == 0xc3),
        0xc4..=0xc6 => {
            let length = uint(rest, 1 << (marker - 0xc4));
            json!({ "$bin": hex(take(rest, length)) })
        }
        0xcc..=0xcf => match uint(rest, 1 << (marker - 0xcc)) {
            value if value > SAFE => json!({ "$uint": value.to_string() }),
            value => json!(value),
        },
        0xd9..=0xdb => {
            let length = uint(rest, 1 << (marker - 0xd9));
            read_str(rest, length)
        }
        0xdc | 0xdd => {
            let count = uint(rest, 2 << (marker - 0xdc));
            read_array(rest, count)
        }
        0xde | 0xdf => {
            let count = uint(rest, 2 << (marker - 0xde));
            read_map(rest, count)
        }
        other => panic!("no map of the protocol holds {other:#x}"),
    }
}

fn take<'a>(rest: &mut &'a [u8], count: u64) -> &'a [u8] {
    let (taken, after) = rest.split_at(usize::try_from(count).expect("a length"));
    *rest = after;
    taken
}

fn uint(rest: &mut &[u8], width: u64) -> u64 {
    take(rest, width).iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn read_str(rest: &mut &[u8], length: u64) -> Value {
    json!(std::str::from_utf8(take(rest, length)).expect("UTF-8"))
}

fn read_array(rest: &mut &[u8], count: u64) -> Value {
    (0..count).map(|_| read(rest)).collect()
}

fn read_map(rest: &mut &[u8], count: u64) -> Value {
    let mut map = Map::new();
    for _ in 0..count {
        let key = read(rest);
        map.insert(key.as_str().expect("a key").into(), read(rest));
    }
    Value::Object(map)
}

/// JSON as MessagePack. `{"$bin": "hex"}` makes bytes, and `{"$raw": "hex"}` stands as it is.
pub(crate) fn pack(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value);
    out
}

fn write(out: &mut Vec<u8>, value: &Value) {
    let length = |len: usize| u32::try_from(len).expect("a length");
    let ok = "memory takes everything";
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => drop(rmp::encode::write_uint(out, value).expect(ok)),
            (_, Some(value), _) => drop(rmp::encode::write_sint(out, value).expect(ok)),
            (_, _, value) => rmp::encode::write_f64(out, value.expect("a number")).expect(ok),
        },
        Value::String(text) => rmp::encode::write_str(out, text).expect(ok),
        Value::Array(items) => {
            let _ = rmp::encode::write_array_len(out, length(items.len())).expect(ok);
            for item in items {
                write(out, item);
            }
        }
        Value::Object(map) => match map.iter().next() {
            Some((key, Value::String(text))) if key == "$raw" => out.extend(from_text(text)),
            Some((key, Value::String(text))) if key == "$bin" => {
                rmp::encode::write_bin(out, &from_text(text)).expect(ok);
            }
            _ => {
                let _ = rmp::encode::write_map_len(out, length(map.len())).expect(ok);
                for (key, value) in map {
                    rmp::encode::write_str(out, key).expect(ok);
                    write(out, value);
                }
            }
        },
    }
}
