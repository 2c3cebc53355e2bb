//! All clients of one run, on one thread and one epoll.

use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use klatch::base::clock::{Clock, Moment, SystemClock};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::assembly::Assembly;
use crate::driver::{Glance, Seen};
use crate::error::{Failure, Result};
use crate::link::{Link, Sources, Way};

const READ_BYTES: usize = 256 * 1024;
const EVENTS: usize = 4_096;
const ALARM: Token = Token(usize::MAX);
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
    /// A frame came for a client.
    fn frame(&mut self, at: At, seen: Seen<'_>, out: &mut Vec<u8>) -> Result<()>;

    /// The connection of `client` came up.
    fn up(&mut self, at: At, out: &mut Vec<u8>) -> Result<()> {
        let _ = (at, out);
        Ok(())
    }

    /// The connection of `client` has ended. Unless this is taken well, the run ends.
    fn lost(&mut self, client: usize, why: Box<dyn std::error::Error>) -> Result<()> {
        Err(Failure::new(format!("client {client}: {why}")))
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
    alarm: Option<OwnedFd>,
    /// Reads that brought something, so far.
    pub(crate) reads: u64,
}

/// What is known of how the clients came in.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// From the first connection until the last client was a member.
    pub(crate) took: Duration,
    /// The same for each client, in nanoseconds.
    pub(crate) each: Vec<u64>,
}

impl Swarm {
    /// Nobody yet.
    pub(crate) fn new(seats: Seats) -> Result<Self> {
        let mut links = Vec::new();
        links.resize_with(seats.clients(), || None);
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            links,
            buffer: vec![0; READ_BYTES],
            clock: SystemClock::default(),
            alarm: None,
            reads: 0,
        })
    }

    /// Connects all clients, at most `window` at a time, and makes each a member of its room.
    pub(crate) fn assemble(
        way: Way<'_>,
        seats: Seats,
        sources: Sources,
        window: usize,
    ) -> Result<(Self, Arrival)> {
        let mut swarm = Self::new(seats)?;
        let mut assembly = Assembly::new(way.driver, seats);
        let begin = swarm.now();
        // Whoever makes a room comes first, so that the others find it.
        let first = |client: &usize| client.is_multiple_of(seats.members);
        let makers = (0..seats.clients()).filter(first);
        swarm.connect(makers, &mut assembly, way, sources, window)?;
        let guests = (0..seats.clients()).filter(|client| !first(client));
        swarm.connect(guests, &mut assembly, way, sources, window)?;
        let arrival = Arrival { took: swarm.now().since(begin), each: assembly.took };
        swarm.settle(way, if seats.members < LARGE { SILENCE } else { LONG_SILENCE })?;
        Ok((swarm, arrival))
    }

    fn connect(
        &mut self,
        clients: impl Iterator<Item = usize>,
        assembly: &mut Assembly,
        way: Way<'_>,
        sources: Sources,
        window: usize,
    ) -> Result<()> {
        let mut clients = clients.peekable();
        let mut begun = assembly.ready;
        let mut progress = self.now();
        while clients.peek().is_some() || assembly.ready < begun {
            while begun - assembly.ready < window
                && let Some(client) = clients.next()
            {
                self.open(client, way, sources)?;
                assembly.begun(client, self.clock.now());
                begun += 1;
            }
            let ready = assembly.ready;
            self.turn(way, PATIENCE, assembly)?;
            if assembly.ready > ready {
                progress = self.now();
            } else if self.now().since(progress) > PATIENCE {
                let due = begun - assembly.ready;
                return Err(Failure::new(format!("{due} clients wait in vain to be let in")));
            }
        }
        Ok(())
    }

    /// A client begins to connect.
    pub(crate) fn open(&mut self, client: usize, way: Way<'_>, sources: Sources) -> Result<()> {
        let mut link = Link::open(way, sources.of(client))?;
        // Edge-triggered: writability is reported once the link is up, and then only after the socket was
        // full.
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(link.source(), Token(client), interest)?;
        self.links[client] = Some(link);
        Ok(())
    }

    /// Waits until nothing more comes: others are told of each join. So many clients may be asked
    /// for signs of life that it never falls silent: there is an end to waiting.
    fn settle(&mut self, way: Way<'_>, silence: Duration) -> Result<()> {
        let begin = self.now();
        while self.turn(way, silence, &mut Ignore(way))? > 0 && self.now().since(begin) < PATIENCE {
        }
        Ok(())
    }

    /// Ends a turn after so long at the latest, to the microsecond: the timeout of an epoll knows only
    /// milliseconds. Once.
    pub(crate) fn set_alarm(&mut self, after: Duration) -> Result<()> {
        if self.alarm.is_none() {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let descriptor = timer.as_raw_fd();
            let registry = self.poll.registry();
            registry.register(&mut SourceFd(&descriptor), ALARM, Interest::READABLE)?;
            self.alarm = Some(timer);
        }
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Zero would put it off.
        let after = Timespec::try_from(after.max(Duration::from_nanos(1)))?;
        let setting = Itimerspec { it_interval: once, it_value: after };
        if let Some(timer) = &self.alarm {
            timerfd_settime(timer, TimerfdTimerFlags::empty(), &setting)?;
        }
        Ok(())
    }

    /// The time, for all that measures.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// What `client` will send with the next [`flush`](Self::flush); none if it is gone.
    pub(crate) fn outgoing(&mut self, client: usize) -> Option<&mut Vec<u8>> {
        self.links[client].as_mut().map(Link::outgoing)
    }

    /// Sends what waits at `client`.
    pub(crate) fn flush(&mut self, client: usize, inbox: &mut impl Inbox) -> Result<()> {
        let Some(link) = self.links[client].as_mut() else { return Ok(()) };
        let Err(error) = link.flush() else { return Ok(()) };
        self.links[client] = None;
        inbox.lost(client, error)
    }

    /// One turn: waits for something to come, and hands it out. Returns the number of sockets that
    /// had something.
    pub(crate) fn turn(
        &mut self,
        way: Way<'_>,
        wait: Duration,
        inbox: &mut impl Inbox,
    ) -> Result<usize> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(0),
            other => other?,
        }
        let mut count = 0;
        for event in &self.events {
            if event.token() == ALARM {
                let timer = self.alarm.as_ref().ok_or_else(|| Failure::new("no alarm"))?;
                rustix::io::read(timer, &mut [0; 8]).ok();
                continue;
            }
            count += 1;
            let client = event.token().0;
            let Some(link) = self.links[client].as_mut() else { continue };
            let at = At { client, now: self.clock.now() };
            let mut serve = || -> Result<u64> {
                if link.came_up()? {
                    inbox.up(at, link.outgoing())?;
                }
                // A plain connection that has only come up has nothing to read.
                let reads = if event.is_readable() || way.tls.is_some() {
                    link.receive(way.driver, &mut self.buffer, |seen, out| {
                        inbox.frame(at, seen, out)
                    })?
                } else {
                    0
                };
                link.flush()?;
                Ok(reads)
            };
            match serve() {
                Ok(reads) => self.reads += reads,
                Err(error) => {
                    self.links[client] = None;
                    inbox.lost(client, error)?;
                }
            }
        }
        Ok(count)
    }
}

/// Looks at nothing but the server's wish for a sign of life.
struct Ignore<'a>(Way<'a>);

impl Inbox for Ignore<'_> {
    fn frame(&mut self, _: At, seen: Seen<'_>, out: &mut Vec<u8>) -> Result<()> {
        match seen.glance {
            Glance::Ping => self.0.driver.sign_of_life(seen.frame, out),
            Glance::Bye => return Err(Failure::new(self.0.driver.explain(seen.frame))),
            Glance::Message { .. }
            | Glance::Answer { .. }
            | Glance::Refused { .. }
            | Glance::Other => {}
        }
        Ok(())
    }
}
