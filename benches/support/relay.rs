//! The yardstick: a bare relay that knows frames and rooms, and nothing else of a chat.
//!
//! The first frame of a connection is the number of a room, in 4 bytes; the relay answers with the
//! same frame. Every later frame is copied, as it is, to all members of that room, the sender
//! included. There are no names, rights, sequence numbers, acknowledgements, limits or history.
//!
//! One thread and one epoll, edge-triggered. What a turn reads for a room is collected, and each
//! member gets it in one write at the end of the turn; since a connection has one room, that is one
//! contiguous slice, and `writev` would have nothing to gather. What is left to pay is the kernel's
//! price of a read and of a write, which no server on this machine can go below.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::{Failure, Result, frames};

const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1_024;
const BACKLOG: i32 = 1_024;

/// One connection.
struct Peer {
    stream: TcpStream,
    /// Its index in `Relay::rooms`, once it has said so.
    room: Option<usize>,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// What the socket would not take; empty in a run that means anything.
    backlog: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    /// The frames of this turn.
    pending: Vec<u8>,
}

struct Relay {
    poll: Poll,
    listener: TcpListener,
    peers: Vec<Option<Peer>>,
    rooms: Vec<Room>,
    /// Rooms with something pending.
    dirty: Vec<usize>,
    buffer: Vec<u8>,
}

/// Serves until the process is killed; says on standard output where it listens.
pub(crate) fn run() -> Result<()> {
    let mut relay = Relay::bind()?;
    println!("listening on {}", relay.listener.local_addr()?);
    let mut events = Events::with_capacity(EVENTS);
    loop {
        match relay.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            if event.token() == LISTENER {
                relay.accept()?;
            } else {
                relay.ready(event.token().0, event.is_writable());
            }
        }
        relay.flush();
    }
}

impl Relay {
    fn bind() -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(socket.into());
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (peers, rooms, dirty) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { poll, listener, peers, rooms, dirty, buffer: vec![0; READ_BYTES] })
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            // Writability is edge-triggered too: it is reported once, and again only after a full
            // socket has drained.
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(self.peers.len()), interest)?;
            let (partial, backlog) = (Vec::new(), Vec::new());
            self.peers.push(Some(Peer { stream, room: None, partial, backlog }));
        }
    }

    fn ready(&mut self, index: usize, writable: bool) {
        let Some(peer) = self.peers.get_mut(index).and_then(Option::as_mut) else { return };
        let drained = !writable || peer.backlog.is_empty() || peer.drain().is_ok();
        if !drained || self.read(index).is_err() {
            self.close(index);
        }
    }

    fn read(&mut self, index: usize) -> Result<()> {
        let Some(peer) = self.peers[index].as_mut() else { return Ok(()) };
        loop {
            let count = match peer.stream.read(&mut self.buffer) {
                Ok(0) => return Err(Failure::new("closed")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let read = &self.buffer[..count];
            if peer.partial.is_empty() {
                let whole = frames::whole(read)?;
                pass_on(peer, index, &mut self.rooms, &mut self.dirty, &read[..whole])?;
                peer.partial.extend_from_slice(&read[whole..]);
            } else {
                peer.partial.extend_from_slice(read);
                let whole = frames::whole(&peer.partial)?;
                let rest = peer.partial.split_off(whole);
                let run = std::mem::replace(&mut peer.partial, rest);
                pass_on(peer, index, &mut self.rooms, &mut self.dirty, &run)?;
            }
            // A short read emptied the socket: what comes later makes a new edge.
            if count < self.buffer.len() {
                return Ok(());
            }
        }
    }

    fn flush(&mut self) {
        for room in std::mem::take(&mut self.dirty) {
            let pending = std::mem::take(&mut self.rooms[room].pending);
            let members = std::mem::take(&mut self.rooms[room].members);
            for &member in &members {
                let Some(peer) = self.peers[member].as_mut() else { continue };
                if peer.write(&pending).is_err() {
                    self.close(member);
                }
            }
            // Put back, so that neither is allocated again.
            let room = &mut self.rooms[room];
            room.members = members;
            room.pending = pending;
            room.pending.clear();
        }
    }

    fn close(&mut self, index: usize) {
        if let Some(room) = self.peers[index].take().and_then(|peer| peer.room) {
            self.rooms[room].members.retain(|&member| member != index);
        }
    }
}

/// Adds a run of whole frames to the room of `peer`; its first frame chooses that room.
fn pass_on(
    peer: &mut Peer,
    index: usize,
    rooms: &mut Vec<Room>,
    dirty: &mut Vec<usize>,
    mut run: &[u8],
) -> Result<()> {
    if peer.room.is_none() {
        let Some((join, rest)) = run.split_first_chunk::<{ frames::JOIN_BYTES }>() else {
            return Ok(());
        };
        let room = frames::joined_room(*join).ok_or_else(|| Failure::new("not a join"))?;
        if rooms.len() <= room {
            rooms.resize_with(room + 1, Room::default);
        }
        rooms[room].members.push(index);
        peer.room = Some(room);
        peer.write(join)?;
        run = rest;
    }
    if let Some(room) = peer.room.filter(|_| !run.is_empty()) {
        if rooms[room].pending.is_empty() {
            dirty.push(room);
        }
        rooms[room].pending.extend_from_slice(run);
    }
    Ok(())
}

impl Peer {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut written = 0;
        if self.backlog.is_empty() {
            while written < bytes.len() {
                match self.stream.write(&bytes[written..]) {
                    Ok(count) => written += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.backlog.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    fn drain(&mut self) -> Result<()> {
        let backlog = std::mem::take(&mut self.backlog);
        self.write(&backlog)
    }
}
