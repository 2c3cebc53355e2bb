//! Whom a request means to speak to, and which page it comes from.
//!
//! Without TLS, which is on this machine only, nothing but the name proves that a browser means
//! this server: a page of a stranger may have its own name point here (DNS rebinding). So a plain
//! request must name a loopback address, `localhost`, or the host of a configured origin.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::uri::Authority;

use crate::config::Origin;

/// The host that a request names: exactly one, and nothing else in it.
pub(super) fn named(headers: &HeaderMap) -> Option<Authority> {
    let mut all = headers.get_all(HOST).iter();
    let (host, more) = (all.next()?, all.next());
    let host = Authority::try_from(host.as_bytes()).ok()?;
    (more.is_none() && !host.as_str().contains('@') && !host.host().is_empty()).then_some(host)
}

/// Whether a plain request for this host is for us.
pub(super) fn is_own(host: &Authority, origins: &[Origin]) -> bool {
    let name = host.host().trim_end_matches('.').to_ascii_lowercase();
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.is_some_and(|name| name.parse::<Ipv6Addr>().is_ok_and(|v6| v6.is_loopback()))
        || origins.iter().any(|origin| origin.host() == name)
}

/// Whether a WebSocket may be opened from where this request comes. A browser always says which
/// page it is; a program that does not is no browser, and could say anything.
pub(super) fn may_connect(
    headers: &HeaderMap,
    host: &Authority,
    tls: bool,
    origins: &[Origin],
) -> bool {
    let mut all = headers.get_all(ORIGIN).iter();
    let (Some(origin), more) = (all.next(), all.next()) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(|text| Origin::parse(text).ok()) else {
        return false;
    };
    let scheme = if tls { "https" } else { "http" };
    let own = Origin::parse(&format!("{scheme}://{host}"));
    more.is_none() && (own.is_ok_and(|own| own == origin) || origins.contains(&origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let more = [Origin::parse("https://chat.example").unwrap()];
        for own in [
            "localhost:5528",
            "LOCALHOST",
            "a.localhost",
            "127.0.0.9:1",
            "[::1]:5528",
            "chat.example",
            "localhost.",
        ] {
            assert!(is_own(&own.parse().unwrap(), &more), "{own}");
        }
        for other in [
            "evil.example:5528",
            "127.0.0.1.evil.example",
            "[::2]",
            "10.0.0.1",
            "localhost.evil.example",
            "notlocalhost",
        ] {
            assert!(!is_own(&other.parse().unwrap(), &more), "{other}");
        }
    }

    #[test]
    fn a_host_is_given_once_and_is_nothing_else() {
        let headers = |hosts: &[&str]| {
            let mut map = HeaderMap::new();
            for host in hosts {
                map.append(HOST, host.parse().unwrap());
            }
            named(&map).map(|host| host.to_string())
        };
        assert_eq!(headers(&["chat.example:1"]).as_deref(), Some("chat.example:1"));
        for bad in [&[][..], &["a", "a"], &[""], &["a/b"], &["me@a"], &["a b"]] {
            assert_eq!(headers(bad), None, "{bad:?}");
        }
    }
}
