//! Klatch.
pub mod base;
pub mod client;
pub mod protocol;
