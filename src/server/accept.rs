//! The accept loop: one per listener, on the main thread. It asks the Throttle about every
//! connection and hands those admitted to the workers in turn. Those that a listed proxy passes on wait
//! beside the loop until it has said whose they are.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use actix::{Addr, Recipient};
use ipnet::IpNet;
use parking_lot::RwLock;
use socket2::Socket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::StartError;
use super::worker::WorkerMail;
use crate::base::clock::{Clock, Moment};
use crate::fanout::farewell::bye_frame;
use crate::mail;
use crate::protocol::status::{Code, Refusal};
use crate::reception::actor::Arrived;
use crate::session::lane::Approaches;
use crate::throttle::actor::{Admit, Expect, Throttle};
use crate::throttle::admission::Denied;
use crate::throttle::permit::Permit;
use crate::transport::listener::{self, Acceptor, Arrival, BindError};
use crate::transport::proxied::{self, Origin};

/// Listens on `address`; on `0.0.0.0` in place of `[::]` where the machine has no IPv6.
pub(super) fn bind(address: SocketAddr) -> Result<Socket, BindError> {
    let no_ipv6 = |error: &io::Error| {
        error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
    };
    match listener::bind(address) {
        Err(BindError { source, .. }) if address.ip().is_unspecified() && no_ipv6(&source) => {
            log::warn!("this machine has no IPv6; listening on IPv4 only");
            listener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port()))
        }
        bound => bound,
    }
}

/// The proxies whose headers are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// Where they are.
    pub networks: Vec<IpNet>,
    /// How long one may take to say whose a connection is.
    pub patience: Duration,
}

impl Proxies {
    fn has(&self, peer: SocketAddr) -> bool {
        let address = peer.ip().to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Where connections are handed on to, and how many may be on their way there.
#[derive(Clone)]
struct Worker {
    reception: Recipient<Arrived>,
    approaches: Approaches,
}

impl Worker {
    /// Hands one on when the worker has had its turn with those before.
    async fn take(&self, arrived: Arrived) {
        let approach = self.approaches.next().await;
        // Bounded by the permits.
        mail::post(&self.reception, Arrived { approach, ..arrived });
    }
}

/// The way of a connection: who is asked, and to whom it is handed on.
#[derive(Clone)]
pub(super) struct Way {
    throttle: Addr<Throttle>,
    workers: Vec<Worker>,
    proxies: Arc<RwLock<Proxies>>,
    clock: Arc<dyn Clock>,
    closed: CancellationToken,
}

impl Way {
    /// By this Throttle to these workers, until `closed`.
    pub(super) fn new(
        throttle: &Addr<Throttle>,
        mail: &[WorkerMail],
        proxies: &Arc<RwLock<Proxies>>,
        clock: &Arc<dyn Clock>,
        closed: &CancellationToken,
    ) -> Self {
        let worker = |mail: &WorkerMail| Worker {
            reception: mail.reception.clone().recipient(),
            approaches: Approaches::default(),
        };
        Self {
            throttle: throttle.clone(),
            workers: mail.iter().map(worker).collect(),
            proxies: Arc::clone(proxies),
            clock: Arc::clone(clock),
            closed: closed.clone(),
        }
    }

    /// The worker whose turn it is; if it has its hands full, the next one that has not.
    fn worker(&self, turn: usize) -> Option<&Worker> {
        let (before, after) = self.workers.split_at_checked(turn)?;
        let mut all = after.iter().chain(before);
        all.clone().find(|worker| worker.approaches.has_room()).or_else(|| all.next())
    }

    /// Asks the Throttle, and hands on what it admits; false if the server is ending.
    async fn go(&self, arrival: Arriving, worker: &Worker) -> bool {
        let Arriving { stream, peer, since } = arrival;
        let Ok(admitted) = self.throttle.send(Admit(peer.ip())).await else { return false };
        if let Some((permit, denied)) = told(admitted, peer) {
            worker.take(Arrived { stream, peer, permit, denied, since, approach: None }).await;
        }
        true
    }

    /// Hears from a proxy whose connection it is, and goes on with that one's address.
    async fn go_behind(self, stream: TcpStream, proxy: SocketAddr, worker: Worker) {
        let since = Some(self.clock.now());
        let Ok(expected) = self.throttle.send(Expect).await else { return };
        // Who is not admitted could not be told: the first that is heard must be the header.
        let Ok(permit) = expected else { return };
        let patience = self.proxies.read().patience;
        let heard = tokio::select! {
            biased;
            () = self.closed.cancelled() => return,
            () = permit.evicted() => return,
            heard = tokio::time::timeout(patience, proxied::hear(stream)) => heard,
        };
        match heard {
            Ok(Ok((stream, Origin::Other(peer)))) => {
                drop(permit);
                self.go(Arriving { stream, peer, since }, &worker).await;
            }
            Ok(Ok((stream, Origin::Proxy))) => {
                let (peer, denied, approach) = (proxy, None, None);
                worker.take(Arrived { stream, peer, permit, denied, since, approach }).await;
            }
            Ok(Err(error)) => {
                log::warn!(peer:% = proxy; "a proxy is not heard: {error}");
            }
            Err(_) => log::debug!(peer:% = proxy; "a proxy did not say whose its connection is"),
        }
    }
}

/// A connection whose address is known.
struct Arriving {
    stream: TcpStream,
    peer: SocketAddr,
    since: Option<Moment>,
}

/// What is handed on: somebody who is admitted, or who is to be told why not.
fn told(admitted: Result<Permit, Denied>, peer: SocketAddr) -> Option<(Permit, Option<Refusal>)> {
    match admitted {
        Ok(permit) => Some((permit, None)),
        Err(Denied { refusal, permit }) => {
            log::debug!(peer:% = peer; "not admitted: {}", refusal.text);
            permit.map(|permit| (permit, Some(*refusal)))
        }
    }
}

/// Starts to accept at each listener.
pub(super) fn at(listeners: Vec<Socket>, way: &Way) -> Result<Vec<JoinHandle<()>>, StartError> {
    let accepting = listeners.into_iter().map(|listener| {
        let acceptor = Acceptor::new(listener)?;
        Ok(tokio::task::spawn_local(accept(acceptor, way.clone())))
    });
    accepting.collect()
}

async fn accept(mut acceptor: Acceptor, way: Way) {
    for turn in (0..way.workers.len()).cycle() {
        // A connection that was accepted is also handed on; the others wait in the socket, which may
        // outlive this process.
        let arrival = tokio::select! {
            biased;
            () = way.closed.cancelled() => return,
            arrival = acceptor.accept() => arrival,
        };
        let (stream, peer) = match arrival {
            Arrival::Connection(stream, peer) => (stream, peer),
            Arrival::Surplus(stream) => {
                turn_away(&stream);
                drop(stream);
                acceptor.rest().await;
                continue;
            }
        };
        let Some(worker) = way.worker(turn) else { return };
        if way.proxies.read().has(peer) {
            // Bounded by the permits; it may take as long as a login.
            tokio::task::spawn_local(way.clone().go_behind(stream, peer, worker.clone()));
        } else if !way.go(Arriving { stream, peer, since: None }, worker).await {
            return;
        }
    }
}

/// Says why, to those who speak plain; a TLS client sees the connection close.
fn turn_away(mut stream: &TcpStream) {
    let full = Refusal::from(Code::ServerFull).retry_after(Duration::from_secs(5));
    // The socket is new, so its buffer takes one frame; if not, closing says enough.
    let told = stream.write(&bye_frame(&full, false));
    drop(told);
    log::warn!("no file descriptor is left: a connection was turned away");
}
