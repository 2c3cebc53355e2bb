//! Listening sockets, and what to do when there are no file descriptors left.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::SocketFlags;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Connections that the kernel completes and holds while the daemon is busy.
const BACKLOG: i32 = 4_096;
/// How long the accept loop rests when it could not get a descriptor: 10 tries a second cost nothing.
const REST: Duration = Duration::from_millis(100);

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", advice(source))]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why.
    pub source: io::Error,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are open: most have no advice")]
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program listens there: stop it, or choose another port in server.listen"
        }
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need CAP_NET_BIND_SERVICE or a socket unit of systemd"
        }
        io::ErrorKind::AddrNotAvailable => "; no interface of this machine has that address",
        _ => "",
    }
}

/// Listens on `address`; `[::]` takes IPv4 as well.
pub fn bind(address: SocketAddr) -> Result<Socket, BindError> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    };
    bind().map_err(|source| BindError { address, source })
}

/// Accepts connections; keeps one descriptor back for the moment when there are none.
#[derive(Debug)]
pub struct Acceptor {
    listener: AsyncFd<Socket>,
    reserve: Option<File>,
}

/// What the listener brought.
#[derive(Debug)]
pub enum Arrival {
    /// A connection, in non-blocking mode.
    Connection(TcpStream, SocketAddr),
    /// A connection that must be turned away: it sits on the reserve descriptor.
    Surplus(TcpStream),
}

impl Acceptor {
    /// Takes over a bound listener; must be called where it will be used.
    pub fn new(listener: Socket) -> io::Result<Self> {
        // Coalescing is done by the Fanout; the kernel must not wait for more. Connections inherit it.
        listener.set_tcp_nodelay(true)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe; a Socket owns its descriptor, as asked"
        )]
        let listener = AsyncFd::new(listener)?;
        Ok(Self { listener, reserve: reserve() })
    }

    /// Waits for the next connection. Errors of single connections are passed over; without a
    /// descriptor it rests, so that it does not spin on a listener that stays readable.
    pub async fn accept(&mut self) -> Arrival {
        loop {
            if self.reserve.is_none() {
                self.reserve = reserve();
            }
            match self.listener.async_io(Interest::READABLE, accept_one).await {
                Ok((stream, peer)) => return Arrival::Connection(stream, peer),
                Err(error) if out_of_descriptors(&error) => {
                    if self.reserve.take().is_some()
                        && let Ok((surplus, _)) = accept_one(self.listener.get_ref())
                    {
                        return Arrival::Surplus(surplus);
                    }
                    self.rest().await;
                }
                Err(error) => log::debug!("a connection failed before it was accepted: {error}"),
            }
        }
    }

    /// Rests after a connection was turned away for want of a descriptor.
    pub async fn rest(&self) {
        tokio::time::sleep(REST).await;
    }
}

/// Accepts by hand: tokio would register the socket with this thread, and it belongs to a worker.
fn accept_one(listener: &Socket) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (socket, peer) = rustix::net::acceptfrom_with(listener, flags)?;
    let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
    Ok((TcpStream::from(socket), peer.ok_or(io::ErrorKind::AddrNotAvailable)?))
}

fn reserve() -> Option<File> {
    File::open("/dev/null").ok()
}

fn out_of_descriptors(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(
        number,
        Some(
            rustix::io::Errno::MFILE
                | rustix::io::Errno::NFILE
                | rustix::io::Errno::NOBUFS
                | rustix::io::Errno::NOMEM
        )
    )
}
