//! Who is banned, found by address or by name.
//!
//! **Owns:** at most [`CAPACITY`] bans. **Invariants:** of several networks that hold an address the
//! widest answers; a ban whose time is over is as if it were not there. An address is looked up once
//! for each length of network that there is, however many bans there are.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::base::ban::{Ban, Target, canonical};
use crate::base::name::UserName;
use crate::protocol::status::{Code, Refusal};

/// Most bans (about 16 MiB).
pub const CAPACITY: usize = 65_536;

/// The longest time that a refusal tells to wait; a ban for good says nothing.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// All bans.
#[derive(Debug, Clone, Default)]
pub struct Bans {
    networks: BTreeMap<u8, HashMap<IpNet, Ban>>,
    names: HashMap<Arc<str>, Ban>,
}

impl Bans {
    /// Adds a ban, or puts it in the place of an older one; false if there are as many as may be.
    pub fn set(&mut self, ban: Ban) -> bool {
        if self.find(&ban.target).is_none() && self.len() >= CAPACITY {
            return false;
        }
        match &ban.target {
            Target::Network(network) => {
                let network = canonical(*network);
                self.networks.entry(network.prefix_len()).or_default().insert(network, ban);
            }
            Target::Name(name) => {
                self.names.insert(Arc::clone(name.skeleton()), ban);
            }
        }
        true
    }

    /// Lifts a ban; false if there was none.
    pub fn lift(&mut self, target: &Target) -> bool {
        match target {
            Target::Network(network) => {
                let network = canonical(*network);
                let Some(same) = self.networks.get_mut(&network.prefix_len()) else { return false };
                let lifted = same.remove(&network).is_some();
                if same.is_empty() {
                    self.networks.remove(&network.prefix_len());
                }
                lifted
            }
            Target::Name(name) => self.names.remove(name.skeleton()).is_some(),
        }
    }

    /// The ban of just this.
    #[must_use]
    pub fn find(&self, target: &Target) -> Option<&Ban> {
        match target {
            Target::Network(network) => {
                let network = canonical(*network);
                self.networks.get(&network.prefix_len())?.get(&network)
            }
            Target::Name(name) => self.names.get(name.skeleton()),
        }
    }

    /// The ban that holds for an address.
    #[must_use]
    pub fn address(&self, address: IpAddr, unix_ms: u64) -> Option<&Ban> {
        let address = address.to_canonical();
        self.networks.iter().find_map(|(&length, same)| {
            // A length that is too long for IPv4 holds networks of IPv6 only.
            let network = IpNet::new(address, length).ok()?.trunc();
            same.get(&network).filter(|ban| ban.left(unix_ms).is_some())
        })
    }

    /// The ban that holds for a name.
    #[must_use]
    pub fn name(&self, name: &UserName, unix_ms: u64) -> Option<&Ban> {
        self.names.get(name.skeleton()).filter(|ban| ban.left(unix_ms).is_some())
    }

    /// All of them that hold: networks by length, then names.
    pub fn all(&self, unix_ms: u64) -> impl Iterator<Item = &Ban> {
        let networks = self.networks.values().flat_map(HashMap::values);
        networks.chain(self.names.values()).filter(move |ban| ban.left(unix_ms).is_some())
    }

    /// Forgets those whose time is over.
    pub fn let_go(&mut self, unix_ms: u64) {
        for same in self.networks.values_mut() {
            same.retain(|_, ban| ban.left(unix_ms).is_some());
        }
        self.networks.retain(|_, same| !same.is_empty());
        self.names.retain(|_, ban| ban.left(unix_ms).is_some());
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.networks.values().map(HashMap::len).sum::<usize>() + self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.names.is_empty()
    }
}

/// What somebody is told who meets a ban.
#[must_use]
pub fn refusal(ban: &Ban, unix_ms: u64) -> Refusal {
    let what = match ban.target {
        Target::Network(_) => "the address is banned from this server",
        Target::Name(_) => "the name is banned from this server",
    };
    let refusal = match &ban.reason {
        Some(reason) => Refusal::new(Code::Banned, format!("{what}: {reason}")),
        None => Refusal::new(Code::Banned, what),
    };
    match ban.left(unix_ms) {
        Some(left) if left <= LONGEST => refusal.retry_after(left),
        _ => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ban(target: &str, until: Option<u64>) -> Ban {
        Ban { target: Target::parse(target).unwrap(), reason: None, since: 0, until }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_found_in_its_networks_until_the_time_is_over() {
        let mut bans = Bans::default();
        assert!(bans.set(ban("192.0.2.0/24", Some(10))));
        assert!(bans.set(ban("2001:db8::/32", None)));
        assert!(bans.address(ip("192.0.2.9"), 9).is_some());
        assert!(bans.address(ip("::ffff:192.0.2.9"), 9).is_some());
        assert!(bans.address(ip("192.0.2.9"), 10).is_none());
        assert!(bans.address(ip("192.0.3.9"), 0).is_none());
        assert!(bans.address(ip("2001:db8:ffff::1"), 0).is_some());
        assert!(bans.address(ip("2001:db9::1"), 0).is_none());
        assert_eq!(bans.all(10).count(), 1);
        bans.let_go(10);
        assert_eq!(bans.len(), 1);
        assert!(bans.lift(&Target::parse("2001:db8::5/32").unwrap()));
        assert!(!bans.lift(&Target::parse("2001:db8::/32").unwrap()));
        assert!(bans.is_empty());
    }

    #[test]
    fn a_name_is_banned_with_all_that_look_like_it() {
        let mut bans = Bans::default();
        bans.set(ban("paul", None));
        assert!(bans.name(&UserName::parse("PAU1").unwrap(), 0).is_some());
        assert!(bans.name(&UserName::parse("paula").unwrap(), 0).is_none());
    }

    #[test]
    fn there_is_an_end_to_bans_and_an_old_one_can_still_be_changed() {
        let mut bans = Bans::default();
        for number in 0..u32::try_from(CAPACITY).unwrap() {
            assert!(bans.set(ban(&std::net::Ipv4Addr::from_bits(number).to_string(), None)));
        }
        assert!(!bans.set(ban("mallory", None)));
        assert!(bans.set(ban("0.0.0.1", Some(1))));
        assert_eq!(bans.len(), CAPACITY);
    }

    #[test]
    fn who_meets_one_is_told_why_and_for_how_long() {
        let mut one = ban("mallory", Some(5_000));
        one.reason = Some("spam".into());
        let told = refusal(&one, 2_000);
        assert!(told.text.ends_with(": spam"), "{}", told.text);
        assert_eq!(told.retry_after, Some(Duration::from_secs(3)));
        one.until = None;
        assert_eq!(refusal(&one, 0).retry_after, None);
    }

    proptest! {
        /// An address is banned exactly if one of the networks has it.
        #[test]
        fn the_lookup_is_that_of_a_search_through_all(
            nets in proptest::collection::vec((any::<u32>(), 0_u8..=32), 0..20),
            picks in proptest::collection::vec((0_usize..20, any::<u32>(), 0_u32..=32), 0..40),
        ) {
            let all: Vec<IpNet> = nets.iter()
                .map(|&(bits, length)| IpNet::new(std::net::Ipv4Addr::from_bits(bits).into(), length).unwrap())
                .collect();
            let mut bans = Bans::default();
            for &network in &all {
                bans.set(Ban { target: Target::Network(network), reason: None, since: 0, until: None });
            }
            for (near, bits, keep) in picks {
                // Near one of the networks, or anywhere.
                let mask = u32::MAX.checked_shl(32 - keep).unwrap_or(0);
                let base = nets.get(near).map_or(0, |&(base, _)| base);
                let address = IpAddr::from(std::net::Ipv4Addr::from_bits(base & mask | bits & !mask));
                let expected = all.iter().any(|network| network.contains(&address));
                prop_assert_eq!(bans.address(address, 0).is_some(), expected);
            }
        }
    }
}
