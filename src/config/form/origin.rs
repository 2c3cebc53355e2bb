//! Where a page comes from, as browsers write it (RFC 6454): scheme, host and port.

use std::fmt;

use hyper::http::uri::Authority;

/// An origin, in its one form: lower case, without the port that the scheme has anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads an origin; nothing may follow the port.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let (https, authority) =
            match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
                (Some(rest), _) => (true, rest),
                (_, Some(rest)) => (false, rest),
                _ => return Err("this does not begin with https:// or http://".into()),
            };
        let bad = || "this is not a host, with a port or without".to_owned();
        let authority: Authority = authority.parse().map_err(|_| bad())?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(bad());
        }
        let digits = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let port = match digits.strip_prefix(':') {
            None if digits.is_empty() => {
                if https {
                    443
                } else {
                    80
                }
            }
            None => return Err(bad()),
            Some(digits) => digits.parse().map_err(|_| bad())?,
        };
        Ok(Self { https, host: authority.host().to_owned(), port })
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (written, shown) in [
            ("https://Chat.Example", "https://chat.example"),
            ("https://chat.example:443", "https://chat.example"),
            ("HTTP://chat.example:80", "http://chat.example"),
            ("https://chat.example:80", "https://chat.example:80"),
            ("http://[::1]:5528", "http://[::1]:5528"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ] {
            assert_eq!(Origin::parse(written).unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "null",
            "chat.example",
            "https://",
            "https://a/",
            "https://a/b",
            "ftp://a",
            "https://me@a",
            "https://a:b",
            "https://a:99999",
            "https://a b",
            "https://a?x",
            "https://a#x",
            "https://*.a/",
            "https://a,https://b",
            "file://",
            "https://a:",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
