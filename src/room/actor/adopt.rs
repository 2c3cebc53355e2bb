//! A reload changes the bounds of a room.

use actix::{Handler, Message};

use super::ChatRoom;
use crate::room::state::Policy;

/// Other bounds hold from here on.
#[derive(Debug, Clone, Copy)]
pub struct Adopt(pub Policy);

impl Message for Adopt {
    type Result = ();
}

impl Handler<Adopt> for ChatRoom {
    type Result = ();

    fn handle(&mut self, adopt: Adopt, _: &mut Self::Context) {
        self.room.adopt(adopt.0);
    }
}
