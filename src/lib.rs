//! Klatch.
pub mod base;
pub mod fanout;
pub mod mail;
pub mod protocol;
pub mod scheduler;
pub mod store;
pub mod throttle;
pub mod transport;
