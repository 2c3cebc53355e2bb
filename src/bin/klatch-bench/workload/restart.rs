//! The server is stopped and started again under people who chat, as at an upgrade.
//!
//! The clients are those of the library, which come back by themselves. Each notes what it is told;
//! afterwards every member of a room must have every acknowledged message once, in one order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hdrhistogram::Histogram;
use klatch::base::clock::{Clock, SystemClock};
use klatch::base::id::Seq;
use klatch::client::{Client, Event, Events};
use tokio::sync::Barrier;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Work, figure};
use crate::args::Common;
use crate::error::{Failure, Result};
use crate::report::Figures;
use crate::subject::kind::{Kind, Store};
use crate::subject::{Server, Target};

/// How long a client may take to get what it is still due.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is restarted.
#[derive(Debug, Clone, Args)]
pub(crate) struct Restart {
    /// Clients that chat.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) clients: usize,

    /// Members of each room.
    #[arg(long, value_name = "M", default_value_t = 20)]
    pub(crate) members: usize,

    /// Times that the server is stopped and started again.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) restarts: usize,

    /// Messages of each client in a second.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) rate: usize,
}

impl Restart {
    fn rooms(&self, options: &Common) -> (usize, usize) {
        let members = options.size(self.members, 4).max(1);
        (options.size(self.clients, 8).div_ceil(members).max(1), members)
    }
}

impl Work for Restart {
    fn name(&self) -> String {
        "restart".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        let (rooms, members) = self.rooms(options);
        Figures::from([
            ("sessions", figure(rooms * members)),
            ("members", figure(members)),
            ("restarts", figure(options.size(self.restarts, 1))),
        ])
    }

    fn servers(&self, _: &Common) -> Vec<Kind> {
        vec![Kind::Klatchd]
    }

    fn suits(&self, kind: Kind) -> bool {
        kind == Kind::Klatchd
    }

    fn by(&self) -> &'static str {
        "caught_up_p99_ms"
    }

    fn rounds(&self, _: &Common) -> usize {
        1
    }

    fn connections(&self, options: &Common) -> usize {
        let (rooms, members) = self.rooms(options);
        rooms * members
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Disk);
        let mut server = Server::start(target, setup, options)?;
        let (rooms, members) = self.rooms(options);
        let (over, is_over) = watch::channel(false);
        let crowd = Arc::new(Crowd::new(rooms, members, self.rate.max(1), is_over)?);
        let (told, news) = mpsc::channel();
        let (shared, address) = (Arc::clone(&crowd), server.address());
        let thread = std::thread::spawn(move || {
            let outcome = converse(&shared, address, &told).map_err(|error| error.to_string());
            drop(told);
            outcome
        });
        let (_, pause) = options.times();
        // The first news is that all are in; those of a crowd that has failed end at once, and it
        // says why when it is joined.
        news.recv_timeout(PATIENCE).ok();
        let restarts = options.size(self.restarts, 1);
        for restart in 0..restarts {
            news.recv_timeout(pause).ok();
            crowd.down();
            server.stop()?;
            server = server.restart(setup, options)?;
            crowd.back();
            // The news is that everybody has caught up.
            news.recv_timeout(PATIENCE).ok();
            options.progress.tick(|| format!("{} of {restarts} restarts", restart + 1));
        }
        over.send_replace(true);
        let logs = thread.join().map_err(|_| Failure::new("the clients panicked"))?;
        let logs = logs.map_err(|error| server.explain(&error))?;
        let mut figures = compare(&logs, members);
        let caught = crowd.caught.lock().unwrap_or_else(PoisonError::into_inner);
        let ms = |quantile| caught.value_at_quantile(quantile) as f64 / 1e6;
        figures.extend([("caught_up_p50_ms", ms(0.5)), ("caught_up_p99_ms", ms(0.99))]);
        figures.insert("caught_up", caught.len() as f64);
        Ok(figures)
    }
}

/// What the clients and the one who restarts the server share.
struct Crowd {
    rooms: usize,
    members: usize,
    rate: usize,
    is_over: watch::Receiver<bool>,
    clock: SystemClock,
    /// How often the server went down, and when it was back the last time.
    downs: AtomicUsize,
    back: AtomicU64,
    /// Clients that have caught up since.
    ready: AtomicUsize,
    /// From the moment at which the server listened again until a client had all, in nanoseconds.
    caught: Mutex<Histogram<u64>>,
    /// Messages that were acknowledged, in each room.
    acked: Vec<AtomicUsize>,
    /// Where all meet when nothing more will be said.
    meeting: Barrier,
}

impl Crowd {
    fn new(
        rooms: usize,
        members: usize,
        rate: usize,
        is_over: watch::Receiver<bool>,
    ) -> Result<Self> {
        Ok(Self {
            rooms,
            members,
            rate,
            is_over,
            clock: SystemClock::default(),
            downs: AtomicUsize::new(0),
            back: AtomicU64::new(0),
            ready: AtomicUsize::new(0),
            caught: Mutex::new(Histogram::new_with_bounds(1, 600_000_000_000, 3)?),
            acked: (0..rooms).map(|_| AtomicUsize::new(0)).collect(),
            meeting: Barrier::new(rooms * members),
        })
    }

    /// The server is about to stop.
    fn down(&self) {
        self.back.store(u64::MAX, Ordering::SeqCst);
        self.ready.store(0, Ordering::SeqCst);
        self.downs.fetch_add(1, Ordering::SeqCst);
    }

    /// The server listens again.
    fn back(&self) {
        self.back.store(self.clock.now().0, Ordering::SeqCst);
    }

    /// A client has all that was said while it was away. The last one tells.
    fn caught_up(&self, told: &mpsc::Sender<()>) {
        let back = self.back.load(Ordering::SeqCst);
        let took = self.clock.now().0.saturating_sub(back).max(1);
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(took);
        if self.ready.fetch_add(1, Ordering::SeqCst) + 1 == self.rooms * self.members {
            // Whoever does not listen any more has been told enough.
            told.send(()).ok();
        }
    }
}

/// One message: who said it, and its place among those of that one.
type Said = (u32, u32);

/// What one client was told.
struct Log {
    room: usize,
    /// Its own messages that were acknowledged.
    acked: Vec<Said>,
    /// All that it received, in order.
    received: Vec<Said>,
    /// Entries that it was told to be gone.
    gaps: u64,
}

/// Lets all clients in and chat until it is over.
fn converse(crowd: &Arc<Crowd>, server: SocketAddr, told: &mpsc::Sender<()>) -> Result<Vec<Log>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut clients = Vec::new();
        for number in 0..crowd.rooms * crowd.members {
            let name = format!("c{number}");
            let builder = Client::builder(&server.to_string()).plain().name(&name);
            let (client, events) = builder.connect().await?;
            let room = format!("room-{}", number / crowd.members);
            if number.is_multiple_of(crowd.members) {
                client.create(&room, None).await?;
            } else {
                client.join(&room).await?;
            }
            clients.push((client, events));
        }
        told.send(()).ok();
        let mut talks = JoinSet::new();
        for (number, (client, events)) in clients.into_iter().enumerate() {
            let (crowd, told) = (Arc::clone(crowd), told.clone());
            talks.spawn(async move { Talk::new(crowd, number, client).go(events, told).await });
        }
        let mut logs = Vec::new();
        while let Some(log) = talks.join_next().await {
            logs.push(log?.map_err(Failure::new)?);
        }
        Ok(logs)
    })
}

/// One client that chats.
struct Talk {
    crowd: Arc<Crowd>,
    number: usize,
    client: Client,
    log: Log,
    /// The newest entry that it has, and the one that it must reach to have caught up.
    last: Seq,
    target: Option<Seq>,
    /// How often the server had gone down when it last came back.
    downs: usize,
}

impl Talk {
    fn new(crowd: Arc<Crowd>, number: usize, client: Client) -> Self {
        let room = number / crowd.members;
        let log = Log { room, acked: Vec::new(), received: Vec::new(), gaps: 0 };
        Self { crowd, number, client, log, last: Seq(0), target: None, downs: 0 }
    }

    async fn go(
        mut self,
        mut events: Events,
        told: mpsc::Sender<()>,
    ) -> std::result::Result<Log, String> {
        let mut is_over = self.crowd.is_over.clone();
        let mut beat = interval(Duration::from_secs_f64(1.0 / figure(self.crowd.rate)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answers = FuturesUnordered::new();
        let (mut said, room) = (0, format!("room-{}", self.log.room));
        while !*is_over.borrow() || !answers.is_empty() {
            let goes_on = !*is_over.borrow();
            tokio::select! {
                event = events.next() => self.take(event.ok_or("the client ended")?)?,
                _ = beat.tick(), if goes_on => {
                    let text = format!("{} {said}", self.number);
                    // While the connection is away, only so much is kept to be said later.
                    if let Ok(answer) = self.client.try_post(&room, &text) {
                        let place = said;
                        answers.push(async move { answer.await.map(|_| place) });
                        said += 1;
                    }
                }
                Some(outcome) = answers.next(), if !answers.is_empty() => {
                    let place = outcome.map_err(|error| error.to_string())?;
                    let number = u32::try_from(self.number).map_err(|error| error.to_string())?;
                    self.log.acked.push((number, place));
                    self.crowd.acked[self.log.room].fetch_add(1, Ordering::SeqCst);
                }
                changed = is_over.changed(), if goes_on => {
                    changed.map_err(|_| "the run has ended")?;
                }
            }
            if self.target.take_if(|target| *target <= self.last).is_some() {
                self.crowd.caught_up(&told);
            }
        }
        self.crowd.meeting.wait().await;
        let due = self.crowd.acked[self.log.room].load(Ordering::SeqCst);
        while self.log.received.len() < due {
            match timeout(PATIENCE, events.next()).await {
                Ok(Some(event)) => self.take(event)?,
                // What has not come is found by comparing.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(self.log)
    }

    fn take(&mut self, event: Event) -> std::result::Result<(), String> {
        match event {
            Event::Message(message) => {
                self.last = message.seq;
                let said = message.text.split_once(' ');
                let said =
                    said.and_then(|(who, place)| Some((who.parse().ok()?, place.parse().ok()?)));
                // Nobody has said this: it is found as such.
                self.log.received.push(said.unwrap_or((u32::MAX, u32::MAX)));
            }
            Event::Room(state) => {
                let downs = self.crowd.downs.load(Ordering::SeqCst);
                if downs > std::mem::replace(&mut self.downs, downs) {
                    self.target = Some(state.seq);
                }
            }
            Event::Gap { from, to, .. } => {
                self.log.gaps += to.0.saturating_sub(from.0) + 1;
                self.last = to;
            }
            Event::Reset { .. } => return Err("the room's history began anew".into()),
            Event::Gone { why, .. } => return Err(format!("out of the room: {why:?}")),
            Event::Disconnected { why, retry_in: None } => return Err(why.to_string()),
            Event::Connected { .. }
            | Event::Disconnected { .. }
            | Event::Topic(_)
            | Event::Joined(_)
            | Event::Left(_)
            | Event::Typing(_)
            | Event::Bye(_)
            | _ => {}
        }
        Ok(())
    }
}

/// What each member of a room has, against what was acknowledged there, and against the others.
fn compare(logs: &[Log], members: usize) -> Figures {
    let rooms = logs.len() / members.max(1);
    let (mut acked, mut lost, mut duplicated, mut reordered, mut phantom) = (0, 0, 0, 0, 0);
    for room in 0..rooms {
        let logs: Vec<&Log> = logs.iter().filter(|log| log.room == room).collect();
        let due: Vec<Said> = logs.iter().flat_map(|log| log.acked.iter().copied()).collect();
        acked += due.len();
        let places = |log: &Log| {
            let mut places: HashMap<Said, usize> = HashMap::new();
            for (place, said) in log.received.iter().enumerate() {
                places.entry(*said).or_insert(place);
            }
            places
        };
        let first = logs.first().map(|log| places(log)).unwrap_or_default();
        for log in &logs {
            let own = places(log);
            lost += due.iter().filter(|said| !own.contains_key(said)).count();
            duplicated += log.received.len() - own.len();
            phantom += own.keys().filter(|(who, _)| !is_member(*who, room, members)).count();
            let known = log.received.iter().filter_map(|said| first.get(said));
            reordered += usize::from(!known.is_sorted());
        }
    }
    let gaps: u64 = logs.iter().map(|log| log.gaps).sum();
    Figures::from([
        ("acked", figure(acked)),
        ("lost", figure(lost) + gaps as f64),
        ("duplicated", figure(duplicated)),
        ("reordered", figure(reordered)),
        ("phantom", figure(phantom)),
    ])
}

fn is_member(who: u32, room: usize, members: usize) -> bool {
    usize::try_from(who).is_ok_and(|who| who / members == room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(received: [&[Said]; 2], wrong: &[&str]) {
        let acked = [vec![(0, 0), (0, 1)], vec![(1, 0)]];
        let log = |(acked, received): (Vec<Said>, &[Said])| Log {
            room: 0,
            acked,
            received: received.to_vec(),
            gaps: 0,
        };
        let logs: Vec<Log> = acked.into_iter().zip(received).map(log).collect();
        let figures = compare(&logs, 2);
        let names = ["lost", "duplicated", "reordered", "phantom"];
        let found: Vec<&str> = names.into_iter().filter(|name| figures[name] > 0.0).collect();
        assert_eq!(found, wrong, "{figures:?}");
    }

    #[test]
    fn a_comparison_finds_what_is_wrong() {
        let all: &[Said] = &[(0, 0), (1, 0), (0, 1)];
        check([all, all], &[]);
        check([all, &all[..2]], &["lost"]);
        check([all, &[(0, 0), (1, 0), (0, 1), (0, 1)]], &["duplicated"]);
        check([all, &[(1, 0), (0, 0), (0, 1)]], &["reordered"]);
        check([all, &[(0, 0), (1, 0), (0, 1), (7, 0)]], &["phantom"]);
    }
}
