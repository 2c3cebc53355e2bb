//! The order in which a worker's requests are done.
//!
//! While nobody waits a request is done at once: a client is delayed only because somebody else is
//! waiting. [`queue`] is the order, [`desk`] the place where sessions hand in, [`actor`] the turn.

pub mod actor;
pub mod desk;
pub mod queue;
