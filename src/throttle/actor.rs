//! The Throttle actor: limits per address before anything is read, and the time by which silence is
//! measured.
//!
//! **Receives** [`Admit`] and [`Expect`] from the accept loop, [`Tick`] from its own interval, [`Retune`], [`Enforce`],
//! [`Guest`], [`Why`], [`Survey`] and [`Count`] from the server's own house-keeping.
//! **Sends** [`Sweep`] to every worker, which then looks at the deadlines that have come: login,
//! ping, idle, write. There is no timer per session.
//! **Bound:** one `Admit` at a time for each listener; one `Sweep` per worker and tick.
//!
//! The budgets of requests and bytes are not asked for by message: a session charges the cells that
//! its [`Permit`] carries.

use std::net::IpAddr;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, Recipient};

use super::admission::{Admission, Denied, Fill, Policy, too_much};
use super::bans::{self, Bans};
use super::budget::{Rates, Standing};
use super::permit::Permit;
use crate::base::clock::{Clock, Moment};
use crate::base::memory::{Gauge, Level, level};
use crate::base::met::{Met, Note};
use crate::base::wheel::TICK;
use crate::mail;
use crate::protocol::status::Code;
use crate::transport::address::{Prefix, prefixes};

/// A connection asks to be let in.
#[derive(Debug)]
pub struct Admit(pub IpAddr);

impl Message for Admit {
    type Result = Result<Permit, Denied>;
}

/// A connection of a proxy waits to hear whose it is.
#[derive(Debug)]
pub struct Expect;

impl Message for Expect {
    type Result = Result<Permit, Denied>;
}

/// Time goes on.
#[derive(Debug)]
pub struct Tick;

impl Message for Tick {
    type Result = ();
}

/// A worker is to look at the deadlines that have come.
#[derive(Debug, Clone, Copy)]
pub struct Sweep(pub Moment);

impl Message for Sweep {
    type Result = ();
}

/// How many connections are open.
#[derive(Debug)]
pub struct Count;

impl Message for Count {
    type Result = u32;
}

/// Other limits hold from here on.
#[derive(Debug)]
pub struct Retune(pub Policy);

impl Message for Retune {
    type Result = ();
}

/// These bans hold from here on. For everybody who lets somebody in, or has let them in.
#[derive(Debug, Clone)]
pub struct Enforce(pub Arc<Bans>);

impl Message for Enforce {
    type Result = ();
}

/// The server itself wants to be connected, to see whether that works.
#[derive(Debug)]
pub struct Guest;

impl Message for Guest {
    type Result = Permit;
}

/// How does an address stand?
#[derive(Debug, Clone, Copy)]
pub struct Why(pub IpAddr, pub Rates);

/// How an address stands.
#[derive(Debug, Clone, Default)]
pub struct Because {
    /// Which limits it met before it was let in.
    pub met: Vec<Note>,
    /// Its budgets, and those of the networks around it.
    pub standings: Vec<(Prefix, Standing)>,
    /// Whether no limit per address holds for it.
    pub exempt: bool,
}

impl Message for Why {
    type Result = Because;
}

/// How full is it?
#[derive(Debug)]
pub struct Survey;

impl Message for Survey {
    type Result = Fill;
}

/// The actor.
pub struct Throttle {
    admission: Admission,
    bans: Arc<Bans>,
    met: Met<Prefix>,
    gauge: Gauge,
    clock: Arc<dyn Clock>,
    workers: Vec<Recipient<Sweep>>,
}

impl Throttle {
    /// Nobody is connected.
    pub fn new(
        policy: Policy,
        bans: Arc<Bans>,
        gauge: Gauge,
        clock: Arc<dyn Clock>,
        workers: Vec<Recipient<Sweep>>,
    ) -> Self {
        let (admission, met) = (Admission::new(policy), Met::default());
        Self { admission, bans, met, gauge, clock, workers }
    }

    fn admit(&mut self, address: IpAddr) -> Result<Permit, Denied> {
        let (unix_ms, prefix) = (self.clock.unix_ms(), prefixes(address).0[0].0);
        if let Some(ban) = self.bans.address(address, unix_ms) {
            // It is not told: that would take a handshake, for as often as it comes.
            let refusal = Box::new(bans::refusal(ban, unix_ms));
            self.admission.count_denied("banned");
            self.met.note(prefix, "banned", unix_ms);
            return Err(Denied { refusal, permit: None });
        }
        let (now, (held, ceiling)) = (self.clock.now(), self.gauge.look());
        let admitted = match level(held, ceiling) {
            Level::Free => self.admission.admit(address, now),
            Level::Tight | Level::Full => {
                Err(self.admission.deny(too_much(Code::ServerFull, held, ceiling), now))
            }
        };
        admitted.inspect_err(|denied| {
            if let Some(limit) = denied.refusal.limit {
                self.met.note(prefix, limit.name, unix_ms);
            }
        })
    }

    fn why(&self, address: IpAddr, rates: &Rates) -> Because {
        Because {
            met: self.met.of(&prefixes(address).0[0].0),
            standings: self.admission.standings(address, rates, self.clock.now()),
            exempt: self.admission.is_exempt(address),
        }
    }

    fn sweep(&self) {
        let now = self.clock.now();
        for worker in &self.workers {
            // Bounded by the tick.
            mail::post(worker, Sweep(now));
        }
    }
}

impl Actor for Throttle {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(TICK, |throttle, _| throttle.sweep());
    }
}

impl Handler<Admit> for Throttle {
    type Result = MessageResult<Admit>;

    fn handle(&mut self, admit: Admit, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.admit(admit.0))
    }
}

impl Handler<Expect> for Throttle {
    type Result = MessageResult<Expect>;

    fn handle(&mut self, _: Expect, _: &mut Self::Context) -> Self::Result {
        let (now, (held, ceiling)) = (self.clock.now(), self.gauge.look());
        MessageResult(match level(held, ceiling) {
            Level::Free => self.admission.expect(now),
            Level::Tight | Level::Full => {
                Err(self.admission.deny(too_much(Code::ServerFull, held, ceiling), now))
            }
        })
    }
}

impl Handler<Tick> for Throttle {
    type Result = ();

    fn handle(&mut self, _: Tick, _: &mut Self::Context) {
        self.sweep();
    }
}

impl Handler<Retune> for Throttle {
    type Result = ();

    fn handle(&mut self, retune: Retune, _: &mut Self::Context) {
        self.admission.adopt(retune.0);
    }
}

impl Handler<Enforce> for Throttle {
    type Result = ();

    fn handle(&mut self, enforce: Enforce, _: &mut Self::Context) {
        self.bans = enforce.0;
    }
}

impl Handler<Guest> for Throttle {
    type Result = MessageResult<Guest>;

    fn handle(&mut self, _: Guest, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.admission.guest())
    }
}

impl Handler<Why> for Throttle {
    type Result = MessageResult<Why>;

    fn handle(&mut self, why: Why, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.why(why.0, &why.1))
    }
}

impl Handler<Survey> for Throttle {
    type Result = MessageResult<Survey>;

    fn handle(&mut self, _: Survey, _: &mut Self::Context) -> Self::Result {
        let (bans, memory) = ((self.bans.len(), bans::CAPACITY), self.gauge.look());
        MessageResult(Fill { memory, bans, ..self.admission.fill() })
    }
}

impl Handler<Count> for Throttle {
    type Result = MessageResult<Count>;

    fn handle(&mut self, _: Count, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.admission.connections())
    }
}
