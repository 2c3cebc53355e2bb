//! Where connections come in, and where those of one worker are watched over.

pub mod actor;
