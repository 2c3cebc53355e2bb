//! The headers that every response carries, whatever it is.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// What a page from here may do: load its own files, talk to its own server, and nothing else.
/// `data:` images are the GUI's small icons; Trusted Types leave it one policy for its own markup.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types default klatch 'allow-duplicates'";

/// On every response. `Strict-Transport-Security` is not among them: docs/decisions/0007.
pub const ALWAYS: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
];

/// A response of ours.
pub(super) type Answer = Response<Full<Bytes>>;

/// Puts on what every response carries.
pub(super) fn put_on(answer: &mut Answer) {
    let headers = answer.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(hyper::header::CACHE_CONTROL).or_insert(no_store);
}

/// A response of a few words.
pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(Full::new(text.into()));
    *answer.status_mut() = status;
    set(&mut answer, "content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Sets one header.
pub(super) fn set(answer: &mut Answer, name: &'static str, value: HeaderValue) {
    answer.headers_mut().insert(HeaderName::from_static(name), value);
}

/// Has the connection close behind this answer.
pub(super) fn close(answer: &mut Answer) {
    set(answer, "connection", HeaderValue::from_static("close"));
}

/// The answer to what is not a request, written out: hyper's own has no headers of ours.
pub(super) fn refusal(status: u16) -> Bytes {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!(
        "HTTP/1.1 {} {reason}\r\nconnection: close\r\ncache-control: no-store\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n",
        status.as_u16(),
        reason.len() + 1
    );
    for (name, value) in ALWAYS {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.extend(["\r\n", reason, "\n"]);
    Bytes::from(head)
}

/// The status of a response that hyper made by itself; `None` if these bytes are no such thing.
pub(super) fn bare_refusal(bytes: &[u8]) -> Option<u16> {
    let head = std::str::from_utf8(bytes).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?;
    let fields = head.strip_suffix("\r\n\r\n")?;
    let status: u16 = status.get(..3)?.parse().ok()?;
    let ours = fields.contains("\r\ncontent-security-policy:");
    ((400..500).contains(&status) && !ours).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyper_s_own_answers_are_told_from_ours() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(bare_refusal(bare), Some(431));
        let ours = refusal(431);
        let (head, _) = ours.split_at(ours.len() - "Request Header Fields Too Large\n".len());
        assert!(head.ends_with(b"\r\n\r\n"));
        assert_eq!(bare_refusal(head), None);
        assert_eq!(bare_refusal(b"HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(bare_refusal(b"\xff\r\n\r\n"), None);
    }
}
