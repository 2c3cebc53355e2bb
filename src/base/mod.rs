//! The ground floor: identifiers, names, time and limits.
//!
//! Everything above may use this; this uses nothing of the project.

pub mod ban;
pub mod clock;
pub mod descriptors;
pub mod histogram;
pub mod id;
pub mod isolation;
pub mod limits;
pub mod memory;
pub mod mention;
pub mod met;
pub mod name;
pub mod priority;
pub mod secret;
pub mod slot;
pub mod tally;
pub mod wheel;
