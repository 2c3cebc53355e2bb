//! Listening sockets that the service manager has made: connections wait in them while the server
//! restarts, and the server needs no network of its own.

use std::io;

use listenfd::ListenFd;
use socket2::Socket;

/// The sockets that were handed over, ready to accept; none if there are none.
pub(super) fn listeners() -> io::Result<Vec<Socket>> {
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::with_capacity(handed.len());
    for index in 0..handed.len() {
        let Some(listener) = handed.take_tcp_listener(index)? else { continue };
        let socket = Socket::from(listener);
        socket.set_nonblocking(true)?;
        socket.set_cloexec(true)?;
        sockets.push(socket);
    }
    Ok(sockets)
}
