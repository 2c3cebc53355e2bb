//! The integration tests: one binary, one file for each subject.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod corpus;
mod docs;
mod hostile;
mod notation;
mod samples;
mod vectors;
mod worked;
