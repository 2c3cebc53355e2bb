//! The way back: stop accepting, tell everybody, let the last bytes go, stop the threads.

use std::time::Duration;

use futures_util::future::join_all;

use super::Server;
use crate::mail;
use crate::reception::actor::Drain;
use crate::throttle::actor::Count;

/// When clients may come back, at the earliest; each gets a time between once and twice this, and adds
/// a random part of the same length.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// The same, for each session, when there are many: they come back over three times this, which is
/// slower than they can be let in with TLS (2,000/s on two cores).
const RETRY_AFTER_EACH: Duration = Duration::from_micros(200);
/// How long an accept loop may take to hand on the connection in its hands.
const ACCEPTING: Duration = Duration::from_secs(1);
/// How often the sessions that are left are counted.
const COUNT_EVERY: Duration = Duration::from_millis(10);

/// How a shutdown went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Everything was brought home.
    Clean,
    /// The deadline came first, for so many sessions.
    Cut {
        /// Sessions that were not done.
        sessions: u32,
    },
}

impl Server {
    /// Shuts down within `deadline`.
    pub async fn shut_down(&self, deadline: Duration) -> Shutdown {
        self.shut_down_over(deadline, self.retry_after().await).await
    }

    /// When clients may come back at the earliest, as many as there are.
    pub(super) async fn retry_after(&self) -> Duration {
        RETRY_AFTER.max(RETRY_AFTER_EACH * self.sessions().await)
    }

    /// The same; clients may come back after `retry_after` at the earliest, spread over as much again.
    pub async fn shut_down_over(&self, deadline: Duration, retry_after: Duration) -> Shutdown {
        self.closed.cancel();
        let accepting = self.accepting.take();
        // What is in their hands is handed on first, so that it is told like all others.
        if tokio::time::timeout(ACCEPTING, join_all(accepting)).await.is_err() {
            log::warn!("a listener did not end in time");
        }
        for reception in &self.receptions {
            // Once per worker.
            mail::post(&reception.clone().recipient(), Drain { retry_after });
        }
        let outcome = match tokio::time::timeout(deadline, self.emptied()).await {
            Ok(()) => Shutdown::Clean,
            Err(_) => Shutdown::Cut { sessions: self.sessions().await },
        };
        let arbiters = self.arbiters.take();
        for arbiter in &arbiters {
            arbiter.stop();
        }
        for arbiter in arbiters {
            if arbiter.join().is_err() {
                log::error!("a worker ended by a panic");
            }
        }
        self.store.close();
        outcome
    }

    async fn emptied(&self) {
        let mut interval = tokio::time::interval(COUNT_EVERY);
        while self.sessions().await > 0 {
            interval.tick().await;
        }
    }

    /// Connections that are open.
    pub async fn sessions(&self) -> u32 {
        self.throttle.send(Count).await.unwrap_or(0)
    }
}
