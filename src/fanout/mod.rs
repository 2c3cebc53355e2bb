//! Delivery: from one message of a room to many sockets.
//!
//! A room sends one [`Deliver`](actor::Deliver) to each worker that has members. There the Fanout puts
//! the same bytes into the outbox of each local member, and writes to each socket once for all that
//! came in one turn. Sockets of a large room are written to in pieces, with turns for others between.
//!
//! **Slow consumers.** An outbox is bounded in bytes and in the age of its oldest byte. Past either,
//! what waits is dropped at a frame's end, `bye{slow_consumer}` follows, and the session ends;
//! everything dropped is in the rooms' history. Nobody else is slowed.

pub mod actor;
pub mod encounter;
pub mod farewell;
mod flush;
mod held;
pub mod link;
pub mod outbox;
pub mod shard;
