//! A session: one connection, from its first byte to its last.
//!
//! [`state`] is how far it has come, [`deadline`] how long it may be silent, [`reader`] its bytes as
//! frames, [`actor`] the Session itself. [`reception`] takes connections in and watches over those of
//! one worker; [`router`] hands requests on.

pub mod actor;
pub mod deadline;
pub mod job;
pub mod reader;
pub mod reception;
pub mod router;
pub mod state;
pub mod worker;
