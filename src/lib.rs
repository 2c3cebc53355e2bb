//! Klatch: a chat daemon (`klatchd`), and what its clients stand on.
//!
//! A folder may use what stands below it, and nothing above:
//!
//! ```text
//! bin        klatchd · klatch · klatch-bench   (the last two see client and protocol only)
//! server     composition root, shutdown, signals
//! web        HTTP: pages, the WebSocket's handshake, health, metrics
//! reception  takes connections in, watches over them
//! session    one connection: state · reader · actor · router
//! directory  which rooms there are
//! room · account                         state (pure) · actor          client beside them
//! scheduler · throttle · fanout · store · config
//! protocol                               frames, bodies, requests, events, status codes: pure
//! transport · base                       sockets, TLS · ids, names, time, limits
//! ```
//!
//! [`mail`] is the only way to send to an actor.

pub mod account;
pub mod base;
pub mod client;
pub mod config;
pub mod directory;
pub mod fanout;
pub mod mail;
pub mod protocol;
pub mod reception;
pub mod room;
pub mod scheduler;
pub mod server;
pub mod session;
pub mod store;
pub mod throttle;
pub mod transport;
pub mod web;
