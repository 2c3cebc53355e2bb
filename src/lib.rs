//! Klatch.
pub mod account;
pub mod base;
pub mod directory;
pub mod fanout;
pub mod mail;
pub mod protocol;
pub mod room;
pub mod scheduler;
pub mod session;
pub mod store;
pub mod throttle;
pub mod transport;
