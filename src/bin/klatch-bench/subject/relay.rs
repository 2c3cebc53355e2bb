//! The yardstick: a bare relay that knows frames and rooms, and nothing else of a chat.
//!
//! The first frame of a connection is the number of a room, in 4 bytes; the relay answers with the
//! same frame. Every later frame is copied, as it is, to all members of that room, the sender
//! included. There are no names, rights, sequence numbers, acknowledgements, limits or history.
//!
//! One thread and one epoll, edge-triggered. What comes for a room is appended to one log; each
//! member has a place in it, and gets all that lies behind its place in one write: a contiguous
//! slice, for which `writev` would have nothing to gather. Members are served in pieces, with a look
//! at the input in between, so that what comes in the meantime goes out with the same write: a
//! larger piece sends less at once, and costs more. What is left to pay is the kernel's price of a
//! read and of a write, and of those as few as can be.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use crate::driver::{JOIN_BYTES, joined_room, whole};
use crate::error::{Failure, Result};

const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1_024;
const BACKLOG: i32 = 1_024;
/// Sockets written to before the next look at the input.
const PIECE: usize = 64;
/// A log above this is cut at the front: it stays in the cache.
const LOG_BYTES: usize = 256 * 1024;

/// One connection.
struct Peer {
    stream: TcpStream,
    /// Its index in `Relay::rooms`, once it has said so.
    room: Option<usize>,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// How many bytes of the room's log it has got, counted from the first ever.
    place: usize,
    /// Whether it stands in `Relay::queue`.
    queued: bool,
}

/// The frames that not all members have yet.
#[derive(Default)]
struct Room {
    members: Vec<usize>,
    log: Vec<u8>,
    /// How many bytes have been cut from the front of the log.
    cut: usize,
    /// Members that have not got all of it.
    behind: usize,
}

impl Room {
    const fn end(&self) -> usize {
        self.cut + self.log.len()
    }

    fn cut_until(&mut self, place: usize) {
        self.log.drain(..place - self.cut);
        self.cut = place;
    }
}

struct Relay {
    poll: Poll,
    listener: TcpListener,
    peers: Vec<Option<Peer>>,
    rooms: Vec<Room>,
    /// Where in `rooms` each number that clients chose stands.
    numbers: HashMap<usize, usize>,
    /// Rooms that something came for since the last look at the input.
    fresh: Vec<usize>,
    /// Members that are due a write.
    queue: VecDeque<usize>,
    buffer: Vec<u8>,
}

/// Serves until the process is killed; says on standard output where it listens.
pub(crate) fn run() -> Result<()> {
    let mut relay = Relay::bind()?;
    println!("listening on {}", relay.listener.local_addr()?);
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let wait = (!relay.queue.is_empty()).then_some(Duration::ZERO);
        match relay.poll.poll(&mut events, wait) {
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
        relay.enqueue();
        for _ in 0..PIECE {
            let Some(index) = relay.queue.pop_front() else { break };
            relay.write(index);
        }
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
        let (peers, rooms, fresh) = (Vec::new(), Vec::new(), Vec::new());
        let numbers = HashMap::new();
        let (queue, buffer) = (VecDeque::new(), vec![0; READ_BYTES]);
        Ok(Self { poll, listener, peers, rooms, numbers, fresh, queue, buffer })
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
            let partial = Vec::new();
            self.peers.push(Some(Peer { stream, room: None, partial, place: 0, queued: false }));
        }
    }

    fn ready(&mut self, index: usize, writable: bool) {
        if self.read(index).is_err() {
            self.close(index);
        } else if writable {
            self.enqueue_late(index);
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
                let whole = whole(read)?;
                pass_on(
                    peer,
                    index,
                    (&mut self.rooms, &mut self.numbers),
                    &mut self.fresh,
                    &read[..whole],
                )?;
                peer.partial.extend_from_slice(&read[whole..]);
            } else {
                peer.partial.extend_from_slice(read);
                let whole = whole(&peer.partial)?;
                let rest = peer.partial.split_off(whole);
                let run = std::mem::replace(&mut peer.partial, rest);
                pass_on(peer, index, (&mut self.rooms, &mut self.numbers), &mut self.fresh, &run)?;
            }
            // A short read emptied the socket: what comes later makes a new edge.
            if count < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Puts the members of rooms with something new in the queue.
    fn enqueue(&mut self) {
        for room in self.fresh.drain(..) {
            let room = &mut self.rooms[room];
            room.behind = room.members.len();
            let mut least = room.end();
            for &member in &room.members {
                let Some(peer) = self.peers[member].as_mut() else { continue };
                least = least.min(peer.place);
                if !std::mem::replace(&mut peer.queued, true) {
                    self.queue.push_back(member);
                }
            }
            if room.log.len() > LOG_BYTES {
                room.cut_until(least);
            }
        }
    }

    /// A full socket has drained: its peer may have missed a write.
    fn enqueue_late(&mut self, index: usize) {
        let Some(peer) = self.peers[index].as_mut() else { return };
        let is_behind = peer.room.is_some_and(|room| peer.place < self.rooms[room].end());
        if is_behind && !std::mem::replace(&mut peer.queued, true) {
            self.queue.push_back(index);
        }
    }

    /// Gives a member all that it has not got. What its socket does not take has to wait.
    fn write(&mut self, index: usize) {
        let Some(peer) = self.peers[index].as_mut() else { return };
        peer.queued = false;
        let Some(room) = peer.room.map(|room| &mut self.rooms[room]) else { return };
        while peer.place < room.end() {
            match peer.stream.write(&room.log[peer.place - room.cut..]) {
                Ok(count) => peer.place += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.close(index),
            }
        }
        room.behind = room.behind.saturating_sub(1);
        if room.behind == 0 {
            room.cut_until(room.end());
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
    (rooms, numbers): (&mut Vec<Room>, &mut HashMap<usize, usize>),
    fresh: &mut Vec<usize>,
    mut run: &[u8],
) -> Result<()> {
    if peer.room.is_none() {
        let Some((join, rest)) = run.split_first_chunk::<{ JOIN_BYTES }>() else {
            return Ok(());
        };
        let room = joined_room(*join).ok_or_else(|| Failure::new("not a join"))?;
        let room = *numbers.entry(room).or_insert_with(|| {
            rooms.push(Room::default());
            rooms.len() - 1
        });
        rooms[room].members.push(index);
        (peer.room, peer.place) = (Some(room), rooms[room].end());
        // A fresh socket takes eight bytes.
        peer.stream.write_all(join)?;
        run = rest;
    }
    if let Some(room) = peer.room.filter(|_| !run.is_empty()) {
        rooms[room].log.extend_from_slice(run);
        // Its members come one after the other in most turns.
        if fresh.last() != Some(&room) {
            fresh.push(room);
        }
    }
    Ok(())
}
