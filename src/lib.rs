//! Klatch.
pub mod base;
pub mod fanout;
pub mod protocol;
pub mod scheduler;
pub mod throttle;
pub mod transport;
