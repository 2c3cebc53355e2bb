//! Which rooms there are, and where each is to be found.

pub mod actor;
pub mod search;
pub mod state;
