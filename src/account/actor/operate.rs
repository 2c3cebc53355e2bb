//! What those who run the server ask of the Accounts: other rules, bans, a list of who is known.

use actix::{Handler, MessageResult};

use super::Names;
use crate::account::mail::{Failures, Retune, Roll};
use crate::base::name::UserName;
use crate::protocol::event::LeaveReason;
use crate::protocol::status::Refusal;
use crate::throttle::actor::Enforce;
use crate::throttle::bans;

impl Names {
    /// Why this name is not let in, if it is banned.
    pub(super) fn barred(&self, name: &UserName) -> Option<Refusal> {
        let unix_ms = self.clock.unix_ms();
        self.bans.name(name, unix_ms).map(|ban| bans::refusal(ban, unix_ms))
    }
}

impl Handler<Retune> for Names {
    type Result = ();

    fn handle(&mut self, retune: Retune, _: &mut Self::Context) {
        // Names that are held stay so.
        self.accounts.policy = retune.0;
    }
}

impl Handler<Enforce> for Names {
    type Result = ();

    fn handle(&mut self, enforce: Enforce, _: &mut Self::Context) {
        self.bans = enforce.0;
        let unix_ms = self.clock.unix_ms();
        let banned = |name: &UserName| self.bans.name(name, unix_ms).is_some();
        for (who, session) in self.accounts.sessions_of(banned) {
            if let Some(bye) = self.barred(&who.name) {
                self.end(session, LeaveReason::Removed, bye);
            }
        }
    }
}

impl Handler<Failures> for Names {
    type Result = MessageResult<Failures>;

    fn handle(&mut self, failures: Failures, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.penalties.failures(failures.0, self.clock.now()))
    }
}

impl Handler<Roll> for Names {
    type Result = MessageResult<Roll>;

    fn handle(&mut self, roll: Roll, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.accounts.roll(&roll.prefix, roll.most))
    }
}
