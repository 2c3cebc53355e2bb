//! Who is not let in at all: a network or a name, why, and until when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::name::UserName;

/// What a ban is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All addresses of a network; a single one is a network too.
    Network(IpNet),
    /// A name, and all that look like it.
    Name(UserName),
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// What it is of.
    pub target: Target,
    /// Why, for those who meet it.
    pub reason: Option<Arc<str>>,
    /// Since when, in milliseconds since 1970 UTC.
    pub since: u64,
    /// Until when, likewise; for good if there is none.
    pub until: Option<u64>,
}

impl Target {
    /// Reads an address, a network, or else a name.
    pub fn parse(text: &str) -> Option<Self> {
        let length = if text.contains(':') { 128 } else { 32 };
        let network = text.parse().or_else(|_| format!("{text}/{length}").parse());
        match network {
            Ok(network) => Some(Self::Network(canonical(network))),
            Err(_) => UserName::parse(text).ok().map(Self::Name),
        }
    }
}

/// The network as it is compared: without bits of hosts, and IPv4 as IPv4.
#[must_use]
pub fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let v4 = match network {
        IpNet::V6(v6) if v6.prefix_len() >= MAPPED => v6.addr().to_ipv4_mapped(),
        IpNet::V6(_) | IpNet::V4(_) => None,
    };
    let network = v4.map_or(network, |address| {
        IpNet::new(address.into(), network.prefix_len() - MAPPED).unwrap_or(network)
    });
    network.trunc()
}

impl fmt::Display for Target {
    /// A single address without its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(one) if one.prefix_len() == one.max_prefix_len() => one.addr().fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl Ban {
    /// How long it holds; `None` if it does not hold any more.
    #[must_use]
    pub fn left(&self, unix_ms: u64) -> Option<Duration> {
        match self.until {
            None => Some(Duration::MAX),
            Some(until) if until > unix_ms => Some(Duration::from_millis(until - unix_ms)),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_an_address_a_network_or_a_name() {
        for (text, shown) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("mallory", "mallory"),
        ] {
            assert_eq!(Target::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "192.0.2.7/33", "a b", "2001:db8::/129"] {
            assert_eq!(Target::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_ban_ends_at_its_time() {
        let target = Target::parse("mallory").unwrap();
        let mut ban = Ban { target, reason: None, since: 0, until: Some(10) };
        assert_eq!(ban.left(7), Some(Duration::from_millis(3)));
        assert_eq!(ban.left(10), None);
        ban.until = None;
        assert_eq!(ban.left(u64::MAX), Some(Duration::MAX));
    }
}
