//! The way back: stop accepting, tell everybody, let the last bytes go, stop the threads.

use std::time::Duration;

use super::Server;
use crate::mail;
use crate::reception::actor::Drain;
use crate::throttle::actor::Count;

/// When clients may come back, at the earliest; each gets a time between once and twice this.
const RETRY_AFTER: Duration = Duration::from_millis(500);
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
    pub async fn shut_down(self, deadline: Duration) -> Shutdown {
        for task in &self.accepting {
            task.abort();
        }
        for drain in &self.drains {
            // Once per worker.
            mail::post(drain, Drain { retry_after: RETRY_AFTER });
        }
        let outcome = match tokio::time::timeout(deadline, self.emptied()).await {
            Ok(()) => Shutdown::Clean,
            Err(_) => Shutdown::Cut { sessions: self.sessions().await },
        };
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
        for arbiter in self.arbiters {
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
