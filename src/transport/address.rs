//! Addresses of peers, and the prefixes by which they are counted.
//!
//! One customer of an IPv6 provider has a /64 at least, so single IPv6 addresses are not counted;
//! the /56 and /48 above it have budgets of their own, with more room.

use std::net::IpAddr;

/// A block of addresses that shares a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// How many times the budget of the narrowest each prefix of an address has, the narrowest first.
pub const FACTORS: [u32; 3] = [1, 4, 16];

/// The prefixes of one address, the narrowest first, each with how many times the budget of the
/// narrowest it has.
#[must_use]
pub fn prefixes(address: IpAddr) -> ([(Prefix, u32); 3], usize) {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => ([(Prefix { address, length: 32 }, FACTORS[0]); 3], 1),
        IpAddr::V6(v6) => {
            let cut = |length: u8, factor| {
                let bits = v6.to_bits() & (u128::MAX << (128 - u32::from(length)));
                (Prefix { address: IpAddr::V6(bits.into()), length }, factor)
            };
            ([cut(64, FACTORS[0]), cut(56, FACTORS[1]), cut(48, FACTORS[2])], 3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(address: &str) -> Vec<String> {
        let (all, count) = prefixes(address.parse().unwrap());
        all[..count].iter().map(|(prefix, factor)| format!("{prefix} x{factor}")).collect()
    }

    #[test]
    fn ipv4_counts_alone_however_it_is_written() {
        assert_eq!(texts("192.0.2.7"), ["192.0.2.7/32 x1"]);
        assert_eq!(texts("::ffff:192.0.2.7"), ["192.0.2.7/32 x1"]);
    }

    #[test]
    fn ipv6_counts_by_64_and_its_parents() {
        assert_eq!(
            texts("2001:db8:1:2ff:a:b:c:d"),
            ["2001:db8:1:2ff::/64 x1", "2001:db8:1:200::/56 x4", "2001:db8:1::/48 x16"]
        );
    }
}
