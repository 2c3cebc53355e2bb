//! `GET /ws`: whether a request becomes a WebSocket (RFC 6455, section 4.2).

use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request;
use hyper::http::uri::Authority;
use hyper::{StatusCode, Version};

use super::conversation::Guest;
use super::headers::{self, Answer, set};
use super::{Site, host};
use crate::protocol::websocket::SUBPROTOCOL;

/// What the standard has the server hash behind the client's key.
const KEY_TAIL: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Agrees to a WebSocket, or says why not.
pub(super) fn answer(
    site: &Site,
    guest: &Guest,
    parts: &request::Parts,
    host: &Authority,
) -> Answer {
    let asked = &parts.headers;
    let upgrades = lists(asked, &CONNECTION, "upgrade") && lists(asked, &UPGRADE, "websocket");
    if parts.version != Version::HTTP_11 || !upgrades {
        let mut answer =
            headers::text(StatusCode::UPGRADE_REQUIRED, "This is the address of a WebSocket.\n");
        set(&mut answer, "upgrade", HeaderValue::from_static("websocket"));
        set(&mut answer, "connection", HeaderValue::from_static("upgrade, close"));
        return answer;
    }
    if !host::may_connect(asked, host, guest.tls, &site.policy.read().origins) {
        log::debug!(peer:% = guest.peer; "a WebSocket of a page from elsewhere is refused");
        return headers::text(StatusCode::FORBIDDEN, "Pages from elsewhere may not connect.\n");
    }
    if asked.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut answer =
            headers::text(StatusCode::UPGRADE_REQUIRED, "Only version 13 is spoken here.\n");
        set(&mut answer, "sec-websocket-version", HeaderValue::from_static("13"));
        headers::close(&mut answer);
        return answer;
    }
    let Some(accept) = asked.get(SEC_WEBSOCKET_KEY).and_then(accept) else {
        return bad("The key is not 16 bytes in base64.\n");
    };
    if !lists(asked, &SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return bad("Ask for the sub-protocol klatch.1.\n");
    }
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    set(&mut answer, "upgrade", HeaderValue::from_static("websocket"));
    set(&mut answer, "connection", HeaderValue::from_static("upgrade"));
    set(&mut answer, "sec-websocket-accept", accept);
    set(&mut answer, "sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    guest.meter.upgraded.set(true);
    answer
}

fn bad(why: &'static str) -> Answer {
    let mut answer = headers::text(StatusCode::BAD_REQUEST, why);
    headers::close(&mut answer);
    answer
}

/// Whether a header, a list with commas, has this item.
fn lists(headers: &HeaderMap, name: &HeaderName, item: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(item))
}

/// The proof that the server has read the key.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.as_bytes();
    let decoded = openssl::base64::decode_block(key.try_into().ok().and_then(text)?).ok()?;
    if decoded.len() != 16 {
        return None;
    }
    let hash = openssl::sha::sha1(&[key, KEY_TAIL].concat());
    HeaderValue::try_from(openssl::base64::encode_block(&hash)).ok()
}

fn text(bytes: &[u8; 24]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_is_answered_as_the_standard_does() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for bad in ["", "AAAA", "dGhlIHNhbXBsZSBub25jZSE=", "????????????????????????"] {
            assert_eq!(accept(&HeaderValue::from_static(bad)), None, "{bad}");
        }
    }
}
