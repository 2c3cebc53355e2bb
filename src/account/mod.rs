//! Who is who: names, the accounts that hold them, and how they prove it.

pub mod actor;
pub mod hasher;
pub mod homes;
pub mod invitation;
pub mod mail;
pub mod password;
pub mod penalty;
pub mod proof;
pub mod state;
pub mod wish;
