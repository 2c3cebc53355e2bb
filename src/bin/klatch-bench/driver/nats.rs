//! NATS core: a room is a subject, its members are subscribers. Each sender's messages keep their
//! order; two members may receive those of different senders in different orders.

use memchr::memchr;

use super::{Driver, Glance, Nature, Seen, TEXT_BYTES, Template, room_name, text};
use crate::error::{Failure, Result};
use crate::tag::Tag;

/// Longest line of control: the `INFO` of a server is about half a KiB.
const LINE_BYTES: usize = 32 * 1024;

/// nats-server.
#[derive(Debug)]
pub(crate) struct Nats;

impl Driver for Nats {
    fn nature(&self) -> Nature {
        Nature {
            numbered: false,
            acknowledged: false,
            echoes: true,
            speaks_before_tls: true,
            pipelines: false,
        }
    }

    #[inline]
    fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<Seen<'a>>> {
        let Some(end) = memchr(b'\n', bytes) else {
            if bytes.len() > LINE_BYTES {
                return Err(Failure::new("a line without an end"));
            }
            return Ok(None);
        };
        let line = bytes[..end].trim_ascii_end();
        if line.starts_with(b"MSG ") {
            let payload = payload_bytes(line)?;
            let total = end + 1 + payload + 2;
            let Some(frame) = bytes.get(..total) else { return Ok(None) };
            let tag = Tag::at_end(&frame[..total - 2]);
            let glance = tag.map_or(Glance::Other, |tag| Glance::Message { seq: 0, tag });
            return Ok(Some(Seen { glance, frame }));
        }
        let glance = match line {
            b"PING" => Glance::Ping,
            b"PONG" => Glance::Answer { id: 0 },
            line if line.starts_with(b"-ERR") => Glance::Bye,
            _ => Glance::Other,
        };
        Ok(Some(Seen { glance, frame: &bytes[..=end] }))
    }

    fn explain(&self, frame: &[u8]) -> String {
        String::from_utf8_lossy(frame.trim_ascii_end()).into_owned()
    }

    fn introduction(&self, who: &str, room: usize, _: bool) -> Vec<Vec<u8>> {
        let room = room_name(room);
        let connect = format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"echo\":true,\"name\":\"{who}\"}}\r\n\
             SUB {room} 1\r\nPING\r\n"
        );
        vec![connect.into_bytes()]
    }

    fn template(&self, room: usize) -> Template {
        let frame = format!("PUB {} {TEXT_BYTES}\r\n{}\r\n", room_name(room), text());
        Template::new(frame.into_bytes(), 2)
    }

    fn sign_of_life(&self, _: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"PONG\r\n");
    }
}

/// The last word of the line.
fn payload_bytes(line: &[u8]) -> Result<usize> {
    let word = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    Ok(std::str::from_utf8(word)?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_with_its_payload() {
        let message = b"MSG room-0 1 10\r\nxxabcdefgh\r\nPING\r\n";
        let seen = Nats.next(message).unwrap().unwrap();
        let tag = Tag::at_end(b"abcdefgh").unwrap();
        assert_eq!(seen.glance, Glance::Message { seq: 0, tag });
        assert_eq!(Nats.next(&message[seen.frame.len()..]).unwrap().unwrap().glance, Glance::Ping);
        for cut in 0..seen.frame.len() {
            assert!(Nats.next(&message[..cut]).unwrap().is_none(), "{cut}");
        }
    }
}
