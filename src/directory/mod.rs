//! Which rooms there are, and where each is to be found.

pub mod actor;
pub mod blocks;
pub mod mail;
pub mod search;
pub mod state;
