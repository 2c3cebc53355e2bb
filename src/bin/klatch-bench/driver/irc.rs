//! IRC, for ngIRCd and `InspIRCd`: a room is a channel. Who says something does not receive it.

use memchr::{memchr, memmem};

use super::{Driver, Glance, Nature, Seen, Template, room_name, text};
use crate::error::{Failure, Result};
use crate::tag::Tag;

/// Longest line with its tags that any server may send.
const LINE_BYTES: usize = 16 * 1024;

/// An IRC daemon.
#[derive(Debug)]
pub(crate) struct Irc;

impl Driver for Irc {
    fn nature(&self) -> Nature {
        Nature {
            numbered: false,
            acknowledged: false,
            echoes: false,
            speaks_before_tls: false,
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
        let frame = &bytes[..=end];
        Ok(Some(Seen { glance: glance(frame.trim_ascii_end()), frame }))
    }

    fn explain(&self, frame: &[u8]) -> String {
        String::from_utf8_lossy(frame.trim_ascii_end()).into_owned()
    }

    fn introduction(&self, who: &str, room: usize, _: bool) -> Vec<Vec<u8>> {
        let login = format!("NICK {who}\r\nUSER {who} 0 * :klatch-bench\r\n");
        let join = format!("JOIN #{}\r\n", room_name(room));
        vec![login.into_bytes(), join.into_bytes()]
    }

    fn template(&self, room: usize) -> Template {
        let line = format!("PRIVMSG #{} :{}\r\n", room_name(room), text());
        Template::new(line.into_bytes(), 2)
    }

    fn sign_of_life(&self, frame: &[u8], out: &mut Vec<u8>) {
        let word = frame.trim_ascii_end().strip_prefix(b"PING ").unwrap_or(b":klatch-bench");
        out.extend_from_slice(b"PONG ");
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

fn glance(line: &[u8]) -> Glance {
    if line.starts_with(b"PING ") {
        return Glance::Ping;
    }
    if line.starts_with(b"ERROR ") {
        return Glance::Bye;
    }
    let Some(space) = memchr(b' ', line).filter(|_| line.starts_with(b":")) else {
        return Glance::Other;
    };
    let rest = &line[space + 1..];
    if rest.starts_with(b"PRIVMSG #") {
        return Tag::at_end(line).map_or(Glance::Other, |tag| Glance::Message { seq: 0, tag });
    }
    let numeric = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    match numeric {
        // The end of the greeting, which is missing or empty on some; the end of the names.
        b"376" | b"422" | b"366" => Glance::Answer { id: 0 },
        // Refused: any numeric of an error but those of a greeting without a message of the day.
        [b'4', _, _] if memmem::find(rest, b" :").is_some() => Glance::Refused { id: 0 },
        _ => Glance::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_they_are() {
        let message = format!(":u1!u1@host PRIVMSG #room-0 :xxx{}\r\n", "abcdefgh");
        let seen = Irc.next(message.as_bytes()).unwrap().unwrap();
        let tag = Tag::at_end(b"abcdefgh").unwrap();
        assert_eq!(
            (seen.glance, seen.frame.len()),
            (Glance::Message { seq: 0, tag }, message.len())
        );
        for (line, glance) in [
            ("PING :abc\r\n", Glance::Ping),
            ("ERROR :Closing link\r\n", Glance::Bye),
            (":irc.local 376 u1 :End of MOTD\r\n", Glance::Answer { id: 0 }),
            (":irc.local 366 u1 #room-0 :End of NAMES\r\n", Glance::Answer { id: 0 }),
            (":irc.local 433 * u1 :Nickname is already in use.\r\n", Glance::Refused { id: 0 }),
            (":u2!u2@host JOIN :#room-0\r\n", Glance::Other),
        ] {
            assert_eq!(Irc.next(line.as_bytes()).unwrap().unwrap().glance, glance, "{line}");
        }
        assert!(Irc.next(b"PING :ab").unwrap().is_none());
    }
}
