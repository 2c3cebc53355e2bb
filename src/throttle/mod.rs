//! Limits: who may connect, how much each may spend, and how long each may be silent.
//!
//! Over budget nothing is dropped: the session is simply not read for a while, so that TCP itself
//! slows the sender, and the server does not burn a core decoding what it would throw away.

pub mod actor;
pub mod admission;
pub mod bans;
pub mod bucket;
pub mod budget;
pub mod ledger;
pub mod permit;
