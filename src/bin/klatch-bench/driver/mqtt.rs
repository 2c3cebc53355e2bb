//! MQTT 3.1.1 at quality of service 0, for Mosquitto: a room is a topic, its members are subscribers.

use super::{Driver, Glance, Nature, Seen, Template, room_name, text};
use crate::error::{Failure, Result};
use crate::tag::Tag;

/// An MQTT broker.
#[derive(Debug)]
pub(crate) struct Mqtt;

impl Driver for Mqtt {
    fn nature(&self) -> Nature {
        Nature {
            numbered: false,
            acknowledged: false,
            echoes: true,
            speaks_before_tls: false,
            pipelines: true,
        }
    }

    #[inline]
    fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<Seen<'a>>> {
        let Some((&kind, rest)) = bytes.split_first() else { return Ok(None) };
        let Some((length, digits)) = remaining_length(rest)? else { return Ok(None) };
        let Some(frame) = bytes.get(..1 + digits + length) else { return Ok(None) };
        let glance = match kind >> 4 {
            3 => Tag::at_end(frame).map_or(Glance::Other, |tag| Glance::Message { seq: 0, tag }),
            // The answers to CONNECT and SUBSCRIBE end with a code.
            2 if frame.last() == Some(&0) => Glance::Answer { id: 0 },
            9 if frame.last().is_some_and(|code| *code < 0x80) => Glance::Answer { id: 0 },
            2 | 9 => Glance::Refused { id: 0 },
            14 => Glance::Bye,
            _ => Glance::Other,
        };
        Ok(Some(Seen { glance, frame }))
    }

    fn explain(&self, frame: &[u8]) -> String {
        format!("the broker refused: {frame:02x?}")
    }

    fn introduction(&self, who: &str, room: usize, _: bool) -> Vec<Vec<u8>> {
        // Protocol level 4, a clean session, no keep-alive.
        let connect = [string("MQTT"), vec![4, 2, 0, 0], string(who)].concat();
        let subscribe = [vec![0, 1], string(&room_name(room)), vec![0]].concat();
        vec![packet(0x10, &connect), packet(0x82, &subscribe)]
    }

    fn template(&self, room: usize) -> Template {
        let publish = [string(&room_name(room)), text().into_bytes()].concat();
        Template::new(packet(0x30, &publish), 0)
    }

    /// A broker never asks.
    fn sign_of_life(&self, _: &[u8], _: &mut Vec<u8>) {}
}

/// The length in groups of seven bits, the lowest first, and how many groups there are.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut length = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((length, place + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Failure::new("a length without an end")) }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn string(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length, text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_one_and_two_groups_are_read() {
        for size in [8, 127, 128, 300] {
            let text = [vec![b'x'; size], b"abcdefgh".to_vec()].concat();
            let frame = packet(0x30, &text);
            let tag = Tag::at_end(b"abcdefgh").unwrap();
            let more = [frame.clone(), vec![0xd0, 0]].concat();
            let seen = Mqtt.next(&more).unwrap().unwrap();
            assert_eq!(seen.glance, Glance::Message { seq: 0, tag });
            assert_eq!(seen.frame, frame);
            assert!(Mqtt.next(&frame[..frame.len() - 1]).unwrap().is_none());
        }
        assert!(Mqtt.next(&[0x30, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
