//! What a room has to ask storage for before it can do something.

pub(super) mod actor;

use crate::base::id::{Key, Seq};

/// What storage has to be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// What was done under this key?
    Key(Key),
    /// What is this message now?
    Message(Seq),
}
