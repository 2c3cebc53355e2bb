//! The accept loop: one per listener, on the main thread. It asks the Throttle about every
//! connection and hands those admitted to the workers in turn.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use actix::Recipient;
use socket2::Socket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fanout::farewell::bye_frame;
use crate::mail;
use crate::protocol::status::{Code, Refusal};
use crate::reception::actor::Arrived;
use crate::throttle::actor::Admit;
use crate::throttle::admission::Denied;
use crate::transport::listener::{self, Acceptor, Arrival, BindError};

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

/// Starts accepting.
pub(super) fn spawn(
    listener: Socket,
    throttle: Recipient<Admit>,
    workers: Vec<Recipient<Arrived>>,
    closed: CancellationToken,
) -> io::Result<JoinHandle<()>> {
    let acceptor = Acceptor::new(listener)?;
    Ok(tokio::task::spawn_local(accept(acceptor, throttle, workers, closed)))
}

async fn accept(
    mut acceptor: Acceptor,
    throttle: Recipient<Admit>,
    workers: Vec<Recipient<Arrived>>,
    closed: CancellationToken,
) {
    for worker in workers.iter().cycle() {
        // A connection that was accepted is also handed on; the others wait in the socket, which may
        // outlive this process.
        let arrival = tokio::select! {
            biased;
            () = closed.cancelled() => return,
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
        let (permit, denied) = match throttle.send(Admit(peer.ip())).await {
            Ok(Ok(permit)) => (permit, None),
            Ok(Err(Denied { refusal, permit })) => {
                log::debug!(peer:% = peer; "not admitted: {}", refusal.text);
                match permit {
                    Some(permit) => (permit, Some(*refusal)),
                    None => continue,
                }
            }
            Err(_) => return,
        };
        // Bounded by the permits.
        mail::post(worker, Arrived { stream, peer, permit, denied });
    }
}

/// Says why, to those who speak plain; a TLS client sees the connection close.
fn turn_away(mut stream: &TcpStream) {
    let full = Refusal::from(Code::ServerFull).retry_after(std::time::Duration::from_secs(5));
    // The socket is new, so its buffer takes one frame; if not, closing says enough.
    let told = stream.write(&bye_frame(&full, false));
    drop(told);
    log::warn!("no file descriptor is left: a connection was turned away");
}
