//! Klatch in Lua: the tables that it is driven by, its specs, and its programs against a real server.
//!
//! `KLATCH_MUTANTS=250000 cargo test --test it lua::specs` reads a million mutated frames: so many
//! under each interpreter.

mod account;
mod capture;
mod chat;
mod messages;
mod process;
mod restart;
mod specs;
mod table;
mod trust;
