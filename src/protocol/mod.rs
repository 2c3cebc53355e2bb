//! The wire: bytes to values and back. docs/PROTOCOL.md is its normative text.
//!
//! **Owns:** nothing; it is functions and types.
//! **Never:** does I/O, reads a clock, panics, or allocates more than a small multiple of what it
//! was given.
//!
//! ```text
//! bytes ── frame::split ► body ── scan, shape::check ► codec::decode_request ──► Request
//! bytes ◄── frame::append ◄── codec::{result,refusal,event}_frame ◄── Reply · Refusal · Event
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)
)]

pub mod codec;
mod cursor;
pub mod describe;
pub mod entry;
pub mod event;
pub mod frame;
pub mod payload;
pub mod reply;
pub mod request;
pub mod scan;
mod shape;
pub mod spec;
pub mod status;
pub mod websocket;

/// The version of the protocol that this program speaks.
pub const VERSION: u16 = 1;
/// The lowest version that it still speaks.
pub const VERSION_MIN: u16 = 1;
/// The name of version 1 in TLS's application-layer protocol negotiation.
pub const ALPN: &str = "klatch/1";
/// The name of the other protocol on the same port: the GUI's pages, and frames over WebSocket.
pub const ALPN_HTTP: &str = "http/1.1";
/// Both; ours first, for who offers both.
pub const ALPN_ALL: &[&str] = &[ALPN, ALPN_HTTP];
/// The port that a server listens on unless told otherwise.
pub const PORT: u16 = 5528;
