//! A room: the only place that orders what is said in it.
//!
//! [`state`] is the room as a value; [`actor`] drains the mailbox through it; [`batch`] holds what a
//! turn has to send until it is committed.

pub mod actor;
pub mod batch;
pub mod card;
pub mod dedup;
pub mod presence;
pub mod state;
