//! The codec against frames that are made by hand, cut anywhere, and against any bytes.

use proptest::prelude::*;

use bytes::Bytes;

use super::*;
use crate::protocol::frame;

/// A client's frame.
fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(MASKED | u8::try_from(length).unwrap()),
        length @ 126..=0xffff => {
            out.push(MASKED | 0x7e);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            out.push(MASKED | 0x7f);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Everything that comes out, in words, for bytes that come in pieces of `cut`.
fn decoded(bytes: &[u8], cut: usize, allowed: usize) -> (Vec<String>, Option<WebSocketError>) {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(cut.max(1)) {
        let mut input = piece;
        loop {
            match decoder.decode(&mut input, allowed) {
                Ok(Some(Unit::Body(body))) => out.push(format!("body {body:x?}")),
                Ok(Some(Unit::Ping(payload))) => out.push(format!("ping {payload:x?}")),
                Ok(Some(Unit::Close(code))) => out.push(format!("close {code}")),
                Ok(None) => break,
                Err(error) => return (out, Some(error)),
            }
        }
        assert!(input.is_empty(), "all that is there is taken");
        decoder.relax();
    }
    (out, None)
}

#[track_caller]
fn refused(bytes: &[u8], error: WebSocketError) {
    for cut in [1, 2, 7, bytes.len()] {
        assert_eq!(decoded(bytes, cut, 100).1, Some(error), "cut by {cut}");
    }
}

#[test]
fn what_a_client_must_not_send_is_refused() {
    use WebSocketError as E;
    refused(&frame(0xc2, b"x", MASK), E::Reserved);
    refused(&frame(0xa2, b"x", MASK), E::Reserved);
    refused(&frame(0x92, b"x", MASK), E::Reserved);
    refused(&frame(0x81, b"x", MASK), E::Text);
    refused(&frame(0x01, b"x", MASK), E::Text);
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        refused(&frame(0x80 | opcode, b"x", MASK), E::Opcode(opcode));
    }
    refused(&[0x82, 1, b'x'], E::Unmasked);
    refused(&frame(0x09, b"x", MASK), E::Control);
    refused(&frame(0x89, &[0; 126], MASK), E::Control);
    refused(&frame(0x80, b"x", MASK), E::Parts);
    refused(&[frame(0x02, b"x", MASK), frame(0x82, b"y", MASK)].concat(), E::Parts);
    refused(&[0x82, 0xfe, 0, 125, 0, 0, 0, 0], E::Length);
    refused(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], E::Length);
    refused(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], E::Length);
    refused(&frame(0x88, &[3], MASK), E::Close);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        refused(&frame(0x88, &code.to_be_bytes(), MASK), E::Close);
    }
    refused(&frame(0x88, b"\x03\xe8\xff", MASK), E::Close);
    refused(&frame(0x82, b"", MASK), E::Empty);
}

#[test]
fn the_bound_holds_for_the_header_alone_and_for_all_parts_together() {
    let announced = |length: u64| [&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    for length in [65_536, u64::MAX >> 1] {
        let used = usize::try_from(length).unwrap();
        refused(&announced(length), WebSocketError::TooLarge { used, allowed: 100 });
    }
    let parts = [frame(0x02, &[1; 60], MASK), frame(0x80, &[2; 41], MASK)].concat();
    refused(&parts, WebSocketError::TooLarge { used: 101, allowed: 100 });
    let fits = [frame(0x02, &[1; 60], MASK), frame(0x80, &[2; 40], MASK)].concat();
    assert_eq!(decoded(&fits, 9, 100).1, None);
}

#[test]
fn parts_with_control_frames_between_are_one_message_and_nothing_follows_a_close() {
    let bytes = [
        frame(0x02, b"ab", MASK),
        frame(0x89, b"are you there", MASK),
        frame(0x00, b"", MASK),
        frame(0x8a, b"unasked", MASK),
        frame(0x80, b"c", [9, 8, 7, 6]),
        frame(0x88, b"\x03\xe9going", MASK),
        frame(0x82, b"late", MASK),
    ]
    .concat();
    let expected = vec![
        format!("ping {:x?}", b"are you there"),
        format!("body {:x?}", b"abc"),
        "close 1001".into(),
    ];
    for cut in 1..bytes.len() {
        assert_eq!(decoded(&bytes, cut, 100), (expected.clone(), None));
    }
    assert_eq!(decoded(&frame(0x88, b"", MASK), 1, 9).0, ["close 1000"]);
}

#[test]
fn an_idle_decoder_keeps_no_memory() {
    let mut decoder = Decoder::default();
    let bytes = [frame(0x82, &[7; 90], MASK), frame(0x89, &[7; 90], MASK)].concat();
    let mut input = &bytes[..];
    while decoder.decode(&mut input, 100).unwrap().is_some() {}
    decoder.relax();
    assert_eq!((decoder.message.capacity(), decoder.control.capacity()), (0, 0));
    assert_eq!((decoder.take_frames(), decoder.take_frames()), (2, 0));
}

#[test]
fn frames_become_messages_whoever_holds_them() {
    for length in [1_usize, 125, 126, 127, 65_535, 65_536] {
        let body = vec![b'x'; length];
        let framed = frame::single(|out| out.extend_from_slice(&body));
        let head: &[u8] = match length {
            1 => &[0x82, 1],
            125 => &[0x82, 125],
            126 => &[0x82, 126, 0, 126],
            127 => &[0x82, 126, 0, 127],
            65_535 => &[0x82, 126, 0xff, 0xff],
            _ => &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0],
        };
        let expected = [head, &body].concat();
        let shared = framed.clone();
        assert_eq!(messages(framed), expected, "shared, {length}");
        assert_eq!(messages(shared), expected, "alone, {length}");
        let two = [&frame::single(|out| out.extend_from_slice(&body))[..]; 2].concat();
        assert_eq!(messages(Bytes::from(two)), [&expected[..]; 2].concat());
    }
}

#[test]
fn control_frames_of_the_server_are_as_the_standard_writes_them() {
    assert_eq!(pong(b"Hello"), b"\x8a\x05Hello"[..]);
    assert_eq!(close(1001), b"\x88\x02\x03\xe9"[..]);
    assert_eq!(close_code(Code::Logout), 1000);
    assert_eq!(close_code(Code::SlowConsumer), 1008);
    assert_eq!(close_code(Code::TooDeep), 1007);
}

proptest! {
    /// Cut anywhere and in any parts, the same bodies come out.
    #[test]
    fn every_split_gives_the_same_messages(
        bodies in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 1..300), 1_usize..60, any::<[u8; 4]>()), 0..6),
        cut in 1_usize..200,
    ) {
        let mut bytes = Vec::new();
        for (body, part, mask) in &bodies {
            let parts: Vec<&[u8]> = body.chunks(*part).collect();
            for (index, payload) in parts.iter().enumerate() {
                let opcode = if index == 0 { BINARY } else { CONTINUATION };
                let last = if index + 1 == parts.len() { FINAL } else { 0 };
                bytes.extend(frame(last | opcode, payload, *mask));
            }
        }
        let expected: Vec<String> = bodies.iter().map(|(body, ..)| format!("body {body:x?}")).collect();
        prop_assert_eq!(decoded(&bytes, cut, 300), (expected, None));
    }

    /// Any bytes give units or an error, and the same whichever way they are cut.
    #[test]
    fn any_bytes_mean_the_same_however_they_are_cut(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 1_usize..50,
    ) {
        prop_assert_eq!(decoded(&bytes, cut, 64), decoded(&bytes, bytes.len(), 64));
    }
}
