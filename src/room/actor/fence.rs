//! One of a direct room's two blocks the other.

use actix::Handler;

use super::ChatRoom;
use crate::room::mail::Fence;

impl Handler<Fence> for ChatRoom {
    type Result = ();

    fn handle(&mut self, fence: Fence, _: &mut Self::Context) {
        self.room.rights.fence(fence.by, fence.on);
    }
}
