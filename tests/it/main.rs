//! The integration tests: one binary, one module for each subject.

#![allow(
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics; the in-tests switches do not reach its helpers"
)]

mod abuse;
mod client;
mod corpus;
mod daemon;
mod docs;
mod durability;
mod hostile;
mod isolation;
mod login;
mod notation;
mod room;
mod samples;
mod shutdown;
mod support;
mod terminal;
mod tidy;
mod timeout;
mod tls;
mod vectors;
mod worked;
