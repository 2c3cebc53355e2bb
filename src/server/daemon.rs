//! The running daemon, as those who run it see it: the server, its configuration, and what may be
//! asked of it.

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc};

use super::acme::Standing;
use super::{Parts, Server, limits};
use crate::base::clock::Moment;
use crate::config::{Loaded, Sources};
use crate::store::StoreError;

/// A server and what belongs to running it; lives on the main thread.
pub struct Daemon {
    pub(super) server: Server,
    pub(super) sources: Sources,
    /// What holds now.
    pub(super) loaded: RefCell<Loaded>,
    pub(super) parts: Parts,
    pub(super) reloading: Mutex<()>,
    /// Told of each reload that is applied.
    pub(super) reloaded: Notify,
    /// How the certificate from an authority stands.
    pub(super) acme: RefCell<Standing>,
    pub(super) started: Moment,
    orders: mpsc::Sender<Order>,
}

/// What the main loop is to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// End; clients may come back after this time at the earliest.
    ShutDown(Duration),
}

impl Daemon {
    /// The daemon around a server that was just started, and where its orders come.
    pub(super) fn new(
        server: Server,
        sources: Sources,
        loaded: Loaded,
        parts: Parts,
    ) -> (Self, mpsc::Receiver<Order>) {
        let (orders, ordered) = mpsc::channel(8);
        let started = parts.clock.now();
        let loaded = RefCell::new(loaded);
        let (reloading, reloaded, acme) = (Mutex::new(()), Notify::new(), RefCell::default());
        let daemon =
            Self { server, sources, loaded, parts, reloading, reloaded, acme, started, orders };
        (daemon, ordered)
    }

    /// Has the main loop do something; one that does much already will end anyway.
    pub(super) fn order(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            log::debug!("the server is ending already");
        }
    }

    /// How long a shutdown may take.
    pub(super) fn drain_time(&self) -> Duration {
        self.loaded.borrow().config.timeouts.drain
    }

    /// Has storage take away what is not to be kept any longer.
    pub(super) fn sweep(&self) {
        let retention = limits::retention(&self.loaded.borrow().config);
        let told = Box::new(|swept: Result<u64, StoreError>| match swept {
            Ok(0) => {}
            Ok(entries) => log::info!(entries = entries; "entries were not kept any longer"),
            Err(error) => log::warn!(error:% = error; "what is too much could not be taken away"),
        });
        self.server.store.sweep(retention, self.parts.clock.unix_ms(), told);
    }

    /// How it is, in a line.
    pub(super) async fn status_line(&self) -> String {
        let survey = self.server.actors.look_around().await;
        let (open, most) = survey.fill.connections;
        format!("{open} of {most} connections, {} rooms", survey.rooms.0)
    }
}
