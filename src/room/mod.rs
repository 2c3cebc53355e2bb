//! A room: the only place that orders what is said in it.
//!
//! [`state`] is the room as a value; [`actor`] drains the mailbox through it; [`batch`] holds what a
//! turn has to send, and [`pipeline`] lets it go when it is committed.

pub mod actor;
pub mod batch;
pub mod card;
pub mod dedup;
pub mod fate;
pub mod gathering;
pub mod kind;
mod lookup;
pub mod mail;
mod marking;
pub mod moderation;
pub mod pipeline;
pub mod presence;
mod requests;
pub mod rights;
pub mod say;
pub mod state;
pub mod targets;
