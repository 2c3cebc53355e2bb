//! Who is who: names, and the accounts that hold them.

pub mod actor;
pub mod state;
