//! Klatch.
pub mod base;
pub mod config;
pub mod protocol;
