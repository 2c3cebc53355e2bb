//! Who is banned: what is kept, what the configuration adds, and telling everybody who lets people in.

use std::sync::Arc;

use super::Server;
use crate::base::ban::{Ban, Target};
use crate::config::Config;
use crate::throttle::actor::Enforce;
use crate::throttle::bans::Bans;

/// The bans that storage has, without those that are over.
fn kept(all: &[Ban], unix_ms: u64) -> Bans {
    let mut bans = Bans::default();
    for ban in all.iter().filter(|ban| ban.left(unix_ms).is_some()) {
        if !bans.set(ban.clone()) {
            log::warn!("there are more bans than the server takes: the rest does not hold");
            break;
        }
    }
    bans
}

/// The bans that are kept, and all that hold, when the server starts.
pub(super) fn at_start(all: &[Ban], config: &Config, unix_ms: u64) -> (Bans, Arc<Bans>) {
    let kept = kept(all, unix_ms);
    let all = Arc::new(with_configured(&kept, config));
    (kept, all)
}

/// The same with those of the configuration, which no command lifts.
pub(super) fn with_configured(kept: &Bans, config: &Config) -> Bans {
    let mut bans = kept.clone();
    let networks = config.bans.networks.iter().map(|network| Target::Network(*network));
    let names = config.bans.names.iter().map(|name| Target::Name(name.clone()));
    for target in networks.chain(names) {
        if !bans.set(Ban { target, reason: None, since: 0, until: None }) {
            log::warn!("there are more bans than the server takes: the rest does not hold");
            break;
        }
    }
    bans
}

impl Server {
    /// Has all parts go by the bans that hold now: who is banned is not let in, and ends who was.
    /// The Accounts and the Throttle come first, so that nobody slips through meanwhile.
    pub(super) async fn enforce(&self, config: &Config) -> bool {
        let bans = Arc::new(with_configured(&self.bans.borrow(), config));
        let mut told = self.names.send(Enforce(Arc::clone(&bans))).await.is_ok();
        told &= self.throttle.send(Enforce(Arc::clone(&bans))).await.is_ok();
        for reception in &self.receptions {
            told &= reception.send(Enforce(Arc::clone(&bans))).await.is_ok();
        }
        told
    }
}
