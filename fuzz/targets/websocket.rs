//! Fuzzes `properties::websocket`.
#![no_main]

#[path = "../properties.rs"]
#[allow(dead_code, reason = "each target uses one property of the file")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::websocket(bytes));
