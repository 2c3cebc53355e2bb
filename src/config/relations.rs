//! Relations between keys: each value is right by itself, together they may not be.

use super::keys::{Config, SECTIONS};
use super::layers::Loaded;
use super::problem::Problem;

/// A relation that must hold.
struct Relation {
    /// The two keys that take part.
    keys: [&'static str; 2],
    /// Whether it holds.
    holds: fn(&Config) -> bool,
    /// What must hold, and why.
    rule: &'static str,
}

/// The first key must be at least the second: `a.b >= c.d, "why"`.
macro_rules! at_least {
    ($($large:ident.$large_key:ident >= $small:ident.$small_key:ident, $why:literal;)*) => {
        &[$(
            Relation {
                keys: [
                    concat!(stringify!($large), ".", stringify!($large_key)),
                    concat!(stringify!($small), ".", stringify!($small_key)),
                ],
                holds: |config| config.$large.$large_key >= config.$small.$small_key,
                rule: concat!(
                    stringify!($large), ".", stringify!($large_key), " must be at least ",
                    stringify!($small), ".", stringify!($small_key), ": ", $why
                ),
            },
        )*]
    };
}

const ORDER: &[Relation] = at_least! {
    rooms.rooms_max >= rooms.rooms_per_session, "a session cannot be in more rooms than there are";
    history.bytes_total >= history.bytes_per_room, "a room's share is part of the whole";
    limits.connection_burst_per_address >= limits.connection_rate_per_address,
        "a burst allows what a second does";
    limits.requests_burst >= limits.requests_per_s, "a burst allows what a second does";
    limits.bytes_burst >= limits.bytes_per_s, "a burst allows what a second does";
    limits.address_requests_burst >= limits.address_requests_per_s,
        "a burst allows what a second does";
    limits.address_bytes_burst >= limits.address_bytes_per_s, "a burst allows what a second does";
    limits.refusals_burst >= limits.refusals_per_s, "a burst allows what a second does";
    limits.address_requests_per_s >= limits.requests_per_s,
        "an address is allowed what one of its sessions is";
    limits.address_requests_burst >= limits.requests_burst,
        "an address is allowed what one of its sessions is";
    limits.address_bytes_per_s >= limits.bytes_per_s,
        "an address is allowed what one of its sessions is";
    limits.address_bytes_burst >= limits.bytes_burst,
        "an address is allowed what one of its sessions is";
    timeouts.drain >= timeouts.write, "a shutdown waits for slow readers too";
};

const OTHERS: &[Relation] = &[
    Relation {
        keys: ["timeouts.dead", "timeouts.ping"],
        holds: |config| config.timeouts.dead > config.timeouts.ping,
        rule: "timeouts.dead must be longer than timeouts.ping: leave room for two pings",
    },
    Relation {
        keys: ["tls.certificate", "tls.key"],
        holds: |config| config.tls.certificate.is_some() == config.tls.key.is_some(),
        rule: "tls.certificate and tls.key belong together: give both, or neither",
    },
    Relation {
        keys: ["acme.domains", "tls.certificate"],
        holds: |config| config.acme.domains.is_empty() || config.tls.certificate.is_none(),
        rule: "acme.domains and tls.certificate exclude each other: a certificate is got by the \
               server, or comes from you",
    },
    Relation {
        keys: ["rooms.default", "rooms.rooms_per_session"],
        holds: |config| config.rooms.default.len() <= config.rooms.rooms_per_session,
        rule: "rooms.default must not have more rooms than rooms.rooms_per_session allows",
    },
];

/// Adds what does not go together, but for keys that have a problem of their own.
pub(super) fn check(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let broken: Vec<Problem> = ORDER
        .iter()
        .chain(OTHERS)
        .filter(|relation| !(relation.holds)(&loaded.config))
        .filter(|relation| !problems.iter().any(|one| relation.keys.contains(&one.key.as_str())))
        .map(|relation| told(loaded, relation))
        .collect();
    problems.extend(broken);
}

/// The problem stands at a key that somebody has set, with the other one beside it.
fn told(loaded: &Loaded, relation: &Relation) -> Problem {
    let [a, b] = relation.keys;
    let (key, other) = if loaded.origin.contains_key(a) { (a, b) } else { (b, a) };
    let beside = format!("{other} is {} ({})", shown(&loaded.config, other), loaded.origin(other));
    Problem {
        layer: loaded.origin(key).into(),
        key: key.into(),
        value: shown(&loaded.config, key),
        advice: format!("{beside}; {}", relation.rule),
    }
}

fn shown(config: &Config, path: &str) -> String {
    let mut keys = SECTIONS.iter().flat_map(|section| section.keys);
    keys.find(|key| key.path() == path)
        .map(|key| (key.show)(config).to_string())
        .unwrap_or_default()
}
