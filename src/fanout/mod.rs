//! Deliveries.
pub mod outbox;
