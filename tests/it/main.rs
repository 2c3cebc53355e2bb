//! The integration tests: one binary, one module for each subject.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::result_large_err,
    clippy::unchecked_time_subtraction,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on panics, may read the clock to see that something was not \
              slow, and passes over the events that it does not ask for; the in-tests switches do \
              not reach its helpers"
)]

mod abuse;
mod account;
mod acme;
mod admin;
mod ban;
mod bench;
mod block;
mod check;
mod client;
mod corpus;
mod crash;
mod cut;
mod daemon;
mod docs;
mod durability;
mod fate;
mod history;
mod hostile;
mod isolation;
mod login;
mod lua;
mod memory;
mod messages;
mod mutated;
mod notation;
mod observe;
mod office;
mod oracle;
mod package;
mod proxy;
mod pulse;
mod reload;
mod restart;
mod retention;
mod rights;
mod room;
mod samples;
mod search;
mod secrets;
mod shutdown;
mod stranger;
mod support;
mod systemd;
mod terminal;
mod tidy;
mod timeout;
mod timing;
mod tls;
mod typescript;
mod unread;
mod upgrade;
mod vectors;
mod wallclock;
mod web;
mod websocket;
mod websocket_vectors;
mod why;
mod worked;
