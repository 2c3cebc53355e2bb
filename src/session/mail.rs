//! What a session hands to those who run the server: a command of an administrator.

use std::sync::Arc;

use actix::Message;

use crate::base::id::{RoomId, SessionId};
use crate::base::name::Identity;
use crate::fanout::actor::{Deliver, Step};
use crate::mail::{self, Mailbox};
use crate::protocol::codec;
use crate::protocol::reply::Administered;

/// A command of an administrator; whether it is one was looked at.
pub struct Administer {
    /// Who asks.
    pub who: Arc<Identity>,
    /// The command.
    pub command: Arc<str>,
    /// What it is given, as JSON.
    pub arguments: Option<Arc<str>>,
    /// Where the answer goes.
    pub asker: Asker,
}

impl Message for Administer {
    type Result = ();
}

/// A request that waits for its answer.
pub struct Asker {
    /// The session.
    pub session: SessionId,
    /// The number of its request.
    pub id: u32,
    /// What writes to it.
    pub fanout: Mailbox<Deliver>,
}

impl Asker {
    /// Answers it.
    pub fn answer(&self, answer: &Administered) {
        let step = Step::Respond(self.session, codec::result_frame(self.id, answer));
        // The answer to one request: bounded by its session's credit.
        mail::post(&self.fanout, Deliver { room: RoomId(u32::MAX), steps: vec![step] });
    }
}
