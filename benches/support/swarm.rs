//! All clients of one run, on one thread and one epoll.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use klatch::base::clock::{Clock, Moment, SystemClock};
use mio::{Events, Interest, Poll, Token};
use openssl::ssl::SslConnector;

use super::frames::{self, Glance};
use super::link::Link;
use super::server::Kind;
use super::{Failure, Result};

const READ_BYTES: usize = 256 * 1024;
const EVENTS: usize = 4_096;
/// Clients between connecting and being a member at any time: less than what a server's accept
/// queue holds, and enough to keep it busy.
const WINDOW: usize = 64;
/// A server that is silent for so long while something is due has lost it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// A server that is silent for so long has said all that it had to say.
const SILENCE: Duration = Duration::from_millis(150);
/// The same where joins of a large room are gathered before the others are told.
const LONG_SILENCE: Duration = Duration::from_millis(750);
/// Members from which on a room is large.
const LARGE: usize = 100;

/// Who received, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) client: usize,
    pub(crate) now: Moment,
}

/// Takes what the clients receive. What it appends to `out` is sent by the client that received.
pub(crate) trait Inbox {
    /// A frame came for `client`.
    fn frame(&mut self, at: At, body: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// The connection of `client` came up.
    fn up(&mut self, client: usize, out: &mut Vec<u8>) -> Result<()> {
        let _ = (client, out);
        Ok(())
    }
}

/// How many rooms there are, and how many clients are in each. Client number `n` is in room
/// `n / members`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seats {
    pub(crate) rooms: usize,
    pub(crate) members: usize,
}

impl Seats {
    /// All clients.
    pub(crate) const fn clients(self) -> usize {
        self.rooms * self.members
    }

    /// The room of a client.
    pub(crate) const fn room_of(self, client: usize) -> usize {
        client / self.members
    }
}

/// The clients.
pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    links: Vec<Option<Link>>,
    buffer: Vec<u8>,
    clock: SystemClock,
    /// Reads that brought something, so far.
    pub(crate) reads: u64,
}

impl Swarm {
    /// Connects all clients and makes each a member of its room.
    pub(crate) fn assemble(
        kind: Kind,
        server: SocketAddr,
        seats: Seats,
        tls: Option<&SslConnector>,
    ) -> Result<Self> {
        let mut swarm = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            links: Vec::new(),
            buffer: vec![0; READ_BYTES],
            clock: SystemClock::default(),
            reads: 0,
        };
        swarm.links.resize_with(seats.clients(), || None);
        let mut assembly = Assembly { kind, seats, steps: vec![0; seats.clients()], ready: 0 };
        // Whoever makes a room comes first, so that the others find it.
        let first = |client: &usize| client.is_multiple_of(seats.members);
        let makers = (0..seats.clients()).filter(first);
        swarm.connect(makers, &mut assembly, server, tls)?;
        let guests = (0..seats.clients()).filter(|client| !first(client));
        swarm.connect(guests, &mut assembly, server, tls)?;
        swarm.settle(if seats.members < LARGE { SILENCE } else { LONG_SILENCE })?;
        Ok(swarm)
    }

    fn connect(
        &mut self,
        clients: impl Iterator<Item = usize>,
        assembly: &mut Assembly,
        server: SocketAddr,
        tls: Option<&SslConnector>,
    ) -> Result<()> {
        let mut clients = clients.peekable();
        let mut begun = assembly.ready;
        let mut progress = self.now();
        while clients.peek().is_some() || assembly.ready < begun {
            while begun - assembly.ready < WINDOW
                && let Some(client) = clients.next()
            {
                let mut link = Link::open(client, server, tls)?;
                // Edge-triggered: writability is reported once the link is up, and then only after
                // the socket was full.
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.poll.registry().register(link.source(), Token(client), interest)?;
                self.links[client] = Some(link);
                begun += 1;
            }
            let ready = assembly.ready;
            self.turn(PATIENCE, assembly)?;
            if assembly.ready > ready {
                progress = self.now();
            } else if self.now().since(progress) > PATIENCE {
                let due = begun - assembly.ready;
                return Err(Failure::new(format!("{due} clients wait in vain to be let in")));
            }
        }
        Ok(())
    }

    /// Waits until nothing more comes: others are told of each join.
    fn settle(&mut self, silence: Duration) -> Result<()> {
        while self.turn(silence, &mut Ignore)? > 0 {}
        Ok(())
    }

    /// The time, for all that measures.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// What `client` will send with the next [`flush`](Self::flush).
    pub(crate) fn outgoing(&mut self, client: usize) -> Result<&mut Vec<u8>> {
        let link = self.links[client].as_mut();
        link.map(Link::outgoing).ok_or_else(|| Failure::new("the client is not connected"))
    }

    /// Sends what waits at `client`.
    pub(crate) fn flush(&mut self, client: usize) -> Result<()> {
        self.links[client].as_mut().map_or(Ok(()), Link::flush)
    }

    /// One turn: waits for something to come, and hands it out. Returns the number of sockets that
    /// had something.
    pub(crate) fn turn(&mut self, wait: Duration, inbox: &mut impl Inbox) -> Result<usize> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(0),
            other => other?,
        }
        let mut count = 0;
        for event in &self.events {
            count += 1;
            let client = event.token().0;
            let Some(link) = self.links[client].as_mut() else { continue };
            if link.came_up()? {
                inbox.up(client, link.outgoing())?;
            }
            let at = At { client, now: self.clock.now() };
            self.reads += link
                .receive(&mut self.buffer, |body, out| inbox.frame(at, body, out))
                .map_err(|error| Failure::new(format!("client {client}: {error}")))?;
            link.flush()?;
        }
        Ok(count)
    }
}

/// The step of a client that got all answers.
const READY: u8 = u8::MAX;

/// Leads each client from its connection into its room, one answer at a time.
struct Assembly {
    kind: Kind,
    seats: Seats,
    /// Answers that each client has got.
    steps: Vec<u8>,
    /// Clients that got them all.
    ready: usize,
}

impl Assembly {
    fn next_request(&mut self, client: usize, out: &mut Vec<u8>) -> Result<()> {
        let room = self.seats.room_of(client);
        let requests = match self.kind {
            Kind::Relay => vec![frames::relay_join(room)?],
            Kind::Klatchd => {
                let create = client.is_multiple_of(self.seats.members);
                frames::introduction(client, &frames::room_name(room), create)
            }
        };
        if let Some(request) = requests.get(usize::from(self.steps[client])) {
            out.extend_from_slice(request);
        } else {
            self.ready += 1;
            self.steps[client] = READY;
        }
        Ok(())
    }
}

impl Inbox for Assembly {
    fn frame(&mut self, at: At, body: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match frames::glance(body)? {
            // Answers to signs of life come later as well: they are no step.
            Glance::Answer if self.steps[at.client] == READY => {}
            Glance::Answer => {
                self.steps[at.client] += 1;
                self.next_request(at.client, out)?;
            }
            Glance::Ping => out.extend_from_slice(&frames::sign_of_life()),
            Glance::Message { .. } | Glance::Other => {}
        }
        Ok(())
    }

    fn up(&mut self, client: usize, out: &mut Vec<u8>) -> Result<()> {
        self.next_request(client, out)
    }
}

/// Looks at nothing.
struct Ignore;

impl Inbox for Ignore {
    fn frame(&mut self, _: At, _: &[u8], _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
