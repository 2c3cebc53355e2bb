//! What one session may spend, checked on every read without a message: its own budget, and that of
//! its address, which it shares with the address's other sessions.

use std::time::Duration;

use super::admission::Permit;
use super::bucket::{Bucket, Rate};
use crate::base::clock::Moment;

/// The rates of all budgets.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Requests of one session.
    pub requests: Rate,
    /// Bytes of one session.
    pub bytes: Rate,
    /// Requests of all sessions of one address.
    pub address_requests: Rate,
    /// Bytes of all sessions of one address.
    pub address_bytes: Rate,
    /// Refused requests of one session: beyond this it is a flood, and the session ends.
    pub refusals: Rate,
}

/// The budgets of one session.
#[derive(Debug)]
pub struct Budget {
    permit: Permit,
    requests: Bucket,
    bytes: Bucket,
    refusals: Bucket,
}

impl Budget {
    /// Full budgets.
    #[must_use]
    pub fn new(permit: Permit) -> Self {
        Self {
            permit,
            requests: Bucket::default(),
            bytes: Bucket::default(),
            refusals: Bucket::default(),
        }
    }

    /// Charges one read; returns how long the session is not to be read.
    pub fn charge(&self, requests: u64, bytes: u64, now: Moment, rates: &Rates) -> Duration {
        let own = self.requests.charge(requests, now, rates.requests).max(self.bytes.charge(
            bytes,
            now,
            rates.bytes,
        ));
        let Some(address) = self.permit.account() else { return own };
        own.max(address.requests.charge(requests, now, rates.address_requests))
            .max(address.bytes.charge(bytes, now, rates.address_bytes))
    }

    /// Charges one refused request; `Err` when there were too many.
    pub fn charge_refusal(&self, now: Moment, rates: &Rates) -> Result<(), Duration> {
        self.refusals.try_charge(1, now, rates.refusals)
    }

    /// The right to be connected.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}
