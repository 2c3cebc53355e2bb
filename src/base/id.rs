//! Identifiers as types of their own, so that a room can never be passed for a session.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One arbiter thread; the shard that a session or a room lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u16);

/// One connection. `slot` is reused after the session has ended, `generation` never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// The worker that owns the socket.
    pub worker: WorkerId,
    /// Index into that worker's table of links.
    pub slot: u32,
    /// Tells this session from the others that had the same slot.
    pub generation: u32,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.worker.0, self.slot, self.generation)
    }
}

/// One room, for as long as the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u32);

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who: a registered account, or a guest for as long as the name is held. Never reused, whoever takes
/// the name next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub u64);

impl AccountId {
    /// The first id of the guests of one run; storage counts the runs. Registered accounts stay
    /// below all of them.
    #[must_use]
    pub const fn first_guest(run: u32) -> Self {
        Self(((run as u64) << 32) | 1)
    }

    /// The lowest number of a guest; those of accounts lie below.
    pub const FIRST_GUEST: Self = Self(u32::MAX as u64 + 1);

    /// Whether nothing of it outlives its name.
    #[must_use]
    pub const fn is_guest(self) -> bool {
        self.0 >= Self::FIRST_GUEST.0
    }
}

/// One device of an account: what a token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub u64);

/// A room's order: starts at 1, grows by 1 for each stored event, is never reused.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The sequence number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Continuity of a room's history: it changes whenever sequence numbers start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// 128 bits made by the client, the same on every retry of one effect.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// A fresh key from the system's random source.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// A fresh key that begins with this time, in milliseconds since 1970: a UUID of version 7
    /// (RFC 9562, section 5.7).
    #[must_use]
    pub fn made_at(unix_ms: u64) -> Self {
        let uuid = uuid::Builder::from_unix_timestamp_millis(unix_ms, &rand::random());
        Self(uuid.into_uuid().into_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A login token is a key too: never print one.
        f.write_str("Key(..)")
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl serde::de::Visitor<'_> for KeyVisitor {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 bytes (bin)")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Key, E> {
                bytes.try_into().map(Key).map_err(|_| E::invalid_length(bytes.len(), &self))
            }
        }
        deserializer.deserialize_bytes(KeyVisitor)
    }
}
