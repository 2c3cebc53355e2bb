//! Whether the server lives: one round trip through every part that a message needs.
//!
//! A session of the server's own says `hello` to each worker over a pair of sockets, so the Session,
//! its worker's thread and the Fanout are seen at work; the Throttle, the names, the directory, a room
//! and the storage are asked by message. A part that does not answer is named, and the watchdog is not
//! fed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::Server;
use crate::mail;
use crate::protocol::codec;
use crate::protocol::request::Hello;
use crate::reception::actor::{Arrived, Reception};
use crate::throttle::actor::Guest;
use crate::throttle::permit::Permit;
use crate::web::Probe as _;

/// The part that was asked last, for the case that it does not answer.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<&'static str>>);

impl Asked {
    fn now(&self, part: &'static str) {
        *self.0.lock() = part;
    }
}

impl Server {
    /// Goes once through everything; the part that fails, or does not answer in time, is named.
    pub async fn pulse(&self, deadline: Duration) -> Result<(), String> {
        let (asked, began) = (Asked::default(), self.clock.now());
        let done = tokio::time::timeout(deadline, self.go_round(&asked)).await;
        match done {
            Ok(Ok(())) => {
                self.health.pulse.note(self.clock.now().since(began));
                Ok(())
            }
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("{} does not answer", asked.0.lock())),
        }
    }

    async fn go_round(&self, asked: &Asked) -> Result<(), String> {
        asked.now("the throttle");
        let mut permits = Vec::with_capacity(self.receptions.len());
        for _ in &self.receptions {
            permits.push(self.throttle.send(Guest).await.map_err(|_| "the throttle is gone")?);
        }
        asked.now("a session");
        let visits = self.receptions.iter().zip(permits);
        for visited in join_all(visits.map(|(worker, permit)| visit(worker, permit))).await {
            visited.map_err(|error| format!("a session of the server's own failed: {error}"))?;
        }
        asked.now("a shared part (names, rooms, a room, the storage)");
        self.actors.ready().await.map_err(str::to_owned)
    }
}

/// Connects to a worker, says `hello`, and waits for what comes back. Where plain connections are
/// refused that is a goodbye, which is as good a sign of life.
async fn visit(worker: &actix::Addr<Reception>, permit: Permit) -> io::Result<()> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let stream = TcpStream::from(OwnedFd::from(theirs));
    // One for each worker and pulse.
    mail::post(
        &worker.clone().recipient(),
        Arrived { stream, peer, permit, denied: None, since: None, approach: None },
    );
    let mut ours = UnixStream::from_std(ours)?;
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    ours.write_all(&codec::request(1, &hello)).await?;
    if ours.read(&mut [0; 64]).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
