//! The order in which a worker's requests are done.

pub mod queue;
