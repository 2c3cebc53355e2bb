//! The integration tests: one binary, one file for each subject.

mod corpus;
mod docs;
mod hostile;
mod notation;
mod samples;
mod vectors;
mod worked;
