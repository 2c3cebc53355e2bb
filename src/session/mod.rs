//! A session: one connection, from its first byte to its last.
//!
//! [`state`] is how far it has come, [`deadline`] how long it may be silent, [`lane`] who comes
//! last, [`reader`] its bytes as frames, [`connection`] what it does with them, [`visit`] a
//! connection that speaks HTTP, [`actor`] the Session itself; [`router`] hands
//! requests on, by [`mail`].

pub mod actor;
mod asked;
pub mod connection;
pub mod deadline;
pub mod job;
pub mod lane;
pub mod mail;
mod opening;
pub mod reader;
mod requests;
pub mod router;
mod sorting;
pub mod state;
pub mod visit;
pub mod worker;
