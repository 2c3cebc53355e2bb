//! `kill -9` under load, again and again: nothing that was acknowledged or seen may be lost, doubled
//! or moved.
//!
//! The audit shares nothing with the server but the protocol: it compares what clients were told,
//! in answers and in events, with the whole history that a client reads afterwards.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use clap::Args;
use klatch::base::clock::{Clock, SystemClock};
use klatch::base::id::{Key, Seq};
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::Event;
use klatch::protocol::reply::{Entry, Said};
use klatch::protocol::request::{Create, Join, Say};
use rand::Rng;

use super::person::Person;
use super::{Work, figure};
use crate::args::Common;
use crate::error::{Failure, Result};
use crate::report::Figures;
use crate::subject::kind::{Kind, Store};
use crate::subject::{Server, Target};

const ROOM: &str = "crash";

/// A server that is killed.
#[derive(Debug, Clone, Args)]
pub(crate) struct Crash {
    /// Times that the server is killed and started again.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) cycles: usize,

    /// Clients that send.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) senders: usize,

    /// Messages that each has on the way.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) in_flight: usize,

    /// The kill comes after a random number of acknowledgements up to this.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) most: usize,
}

/// A thread's failure, which must be able to travel.
type Threads<T> = JoinHandle<std::result::Result<T, String>>;

/// What somebody has seen in the room.
type Seen = HashMap<Seq, String>;

/// One text, from before it was sent until it is settled.
struct Text {
    key: Key,
    words: String,
    said: Option<Said>,
}

/// One who sends: its name, and all that it has said in its order.
struct Sender {
    name: String,
    texts: Vec<Text>,
}

impl Work for Crash {
    fn name(&self) -> String {
        "crash".into()
    }

    fn shape(&self, _: &Common) -> Figures {
        Figures::from([("senders", figure(self.senders)), ("in_flight", figure(self.in_flight))])
    }

    fn servers(&self, _: &Common) -> Vec<Kind> {
        vec![Kind::Klatchd]
    }

    fn suits(&self, kind: Kind) -> bool {
        kind == Kind::Klatchd
    }

    fn by(&self) -> &'static str {
        "acked"
    }

    fn rounds(&self, _: &Common) -> usize {
        1
    }

    fn connections(&self, _: &Common) -> usize {
        self.senders + 2
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let setup = options.setup(self, Store::Disk);
        let mut server = Server::start(target, setup, options)?;
        let mut books = Books::default();
        let cycles = options.size(self.cycles, 2).max(1);
        for cycle in 0..cycles {
            let enough = rand::rng().random_range(1..=options.size(self.most, 200).max(1));
            let (senders, watcher) = self.chat_until(&server, cycle, enough)?;
            server.kill()?;
            server = server.restart(setup, options)?;
            // Who watched may have seen the last of it after the kill: what was in the socket.
            books.seen.extend(joined(watcher)?);
            for sender in senders {
                books.senders.push(settle(server.address(), joined(sender)?)?);
            }
            options.progress.tick(|| format!("{} of {cycles} kills", cycle + 1));
        }
        let entries = Person::login(server.address(), "auditor").and_then(|mut auditor| {
            auditor.request(&Join { room: ROOM.into(), timeout_ms: None })?;
            auditor.history(ROOM, Seq(0))
        });
        let entries = entries.map_err(|error| server.explain(&error.to_string()))?;
        let mut figures = books.audit(&entries);
        figures.insert("cycles", figure(cycles));
        Ok(figures)
    }
}

impl Crash {
    /// Lets all senders send and somebody watch; returns when so many texts were acknowledged.
    fn chat_until(
        &self,
        server: &Server,
        cycle: usize,
        enough: usize,
    ) -> Result<(Vec<Threads<Sender>>, Threads<Seen>)> {
        let address = server.address();
        let explain = |error: Box<dyn std::error::Error>| server.explain(&error.to_string());
        let mut watcher = Person::login(address, &format!("watcher{cycle}")).map_err(explain)?;
        if cycle == 0 {
            watcher.request(&Create {
                room: ROOM.into(),
                topic: None,
                private: None,
                timeout_ms: None,
            })?;
        } else {
            watcher.request(&Join { room: ROOM.into(), timeout_ms: None })?;
        }
        let watched = std::thread::spawn(move || watch(&mut watcher).map_err(|e| e.to_string()));
        let acked = Arc::new(AtomicUsize::new(0));
        let (told, reached) = mpsc::channel();
        let mut senders = Vec::new();
        for number in 0..self.senders {
            let name = format!("s{number}-{cycle}");
            let mut person = enter(address, &name).map_err(explain)?;
            let (acked, told, in_flight) = (Arc::clone(&acked), told.clone(), self.in_flight);
            senders.push(std::thread::spawn(move || {
                let count = || {
                    if acked.fetch_add(1, Ordering::Relaxed) + 1 == enough {
                        told.send(()).ok();
                    }
                };
                send(&mut person, &name, in_flight, count).map_err(|error| error.to_string())
            }));
        }
        drop(told);
        if reached.recv().is_err() {
            return Err(server.explain("the server has ended by itself"));
        }
        Ok((senders, watched))
    }
}

fn enter(server: SocketAddr, name: &str) -> Result<Person> {
    let mut person = Person::login(server, name)?;
    person.request(&Join { room: ROOM.into(), timeout_ms: None })?;
    Ok(person)
}

fn joined<T>(thread: Threads<T>) -> Result<T> {
    let outcome = thread.join().map_err(|_| Failure::new("a client panicked"))?;
    outcome.map_err(Failure::new)
}

/// Notes all messages until the connection breaks.
fn watch(watcher: &mut Person) -> Result<Seen> {
    let mut seen = HashMap::new();
    while let Some(incoming) = watcher.receive()? {
        if let Incoming::Event(Event::Message(message)) = incoming {
            seen.insert(message.seq, message.text.to_string());
        }
    }
    Ok(seen)
}

/// Sends until the connection breaks.
fn send(person: &mut Person, name: &str, window: usize, acked: impl Fn()) -> Result<Sender> {
    let clock = SystemClock::default();
    let mut texts: Vec<Text> = Vec::new();
    let mut answered = 0;
    loop {
        while texts.len() < answered + window {
            let words = format!("{name} {}", texts.len());
            let key = Key::made_at(clock.unix_ms());
            let frame = codec::request(u32::try_from(texts.len())?, &say(&words, key));
            // Noted before it is sent: whatever the server has of it was said.
            texts.push(Text { key, words, said: None });
            if !person.send(&frame) {
                break;
            }
        }
        match person.receive()? {
            Some(Incoming::Response { id, outcome: Ok(result) }) => {
                let text = texts.get_mut(usize::try_from(id)?);
                let text = text.ok_or_else(|| Failure::new("an answer to nothing"))?;
                text.said = Some(codec::result(&result)?);
                answered += 1;
                acked();
            }
            Some(Incoming::Response { outcome: Err(error), .. }) => {
                return Err(Failure::new(format!("refused: {}", error.text)));
            }
            Some(Incoming::Event(_) | Incoming::UnknownEvent) => {}
            None => return Ok(Sender { name: name.to_owned(), texts }),
        }
    }
}

fn say(words: &str, key: Key) -> Say {
    Say { room: ROOM.into(), text: words.into(), re: None, key: Some(key), timeout_ms: None }
}

/// Sends again what was not acknowledged, with the same keys.
fn settle(server: SocketAddr, mut sender: Sender) -> Result<Sender> {
    let mut person = enter(server, &sender.name)?;
    for text in sender.texts.iter_mut().filter(|text| text.said.is_none()) {
        text.said = Some(person.request(&say(&text.words, text.key))?);
    }
    Ok(sender)
}

/// All that clients were told.
#[derive(Default)]
struct Books {
    senders: Vec<Sender>,
    seen: Seen,
}

impl Books {
    /// Compares it with what is stored.
    fn audit(&self, entries: &[Entry]) -> Figures {
        let stored: BTreeMap<Seq, &str> =
            entries.iter().map(|entry| (entry.seq, &*entry.text)).collect();
        let mut places: HashMap<&str, Vec<Seq>> = HashMap::new();
        for entry in entries {
            places.entry(&entry.text).or_default().push(entry.seq);
        }
        let (mut acked, mut lost, mut duplicated, mut reordered) = (0, 0, 0, 0);
        for sender in &self.senders {
            let mut last = Seq(0);
            for text in &sender.texts {
                let Some(said) = &text.said else { continue };
                acked += 1;
                match places.remove(&*text.words).as_deref() {
                    None => lost += 1,
                    Some(found) => {
                        duplicated += found.len() - 1;
                        // Elsewhere than it was said to be, or before one that was said earlier.
                        if !found.contains(&said.seq) || said.seq < last {
                            reordered += 1;
                        }
                        last = last.max(said.seq);
                    }
                }
            }
        }
        // What nobody has said; and holes in the numbers, in the place of which something was.
        let phantom: usize = places.values().map(Vec::len).sum();
        let head = stored.keys().next_back().map_or(0, |seq| seq.0);
        let holes = usize::try_from(head).unwrap_or(usize::MAX).saturating_sub(stored.len());
        let wrongly_seen = self
            .seen
            .iter()
            .filter(|(seq, text)| stored.get(seq).is_none_or(|stored| *stored != text.as_str()));
        Figures::from([
            ("acked", figure(acked)),
            ("seen", figure(self.seen.len())),
            ("lost", figure(lost + holes + wrongly_seen.count())),
            ("duplicated", figure(duplicated)),
            ("reordered", figure(reordered)),
            ("phantom", figure(phantom)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use klatch::protocol::reply::EntryKind;

    use super::*;

    fn entry(seq: u64, text: &str) -> Entry {
        let (kind, from) = (EntryKind::Message, "s0".into());
        Entry::new(Seq(seq), 0, kind, from, text.into())
    }

    /// Two senders, whose three texts were acknowledged at 1, 2 and 3, and seen.
    fn books() -> Books {
        let text = |words: &str, seq| Text {
            key: Key([0; 16]),
            words: words.into(),
            said: Some(Said { seq: Seq(seq), time: 0, dup: false }),
        };
        let one = Sender { name: "a".into(), texts: vec![text("a 0", 1), text("a 1", 3)] };
        let two = Sender { name: "b".into(), texts: vec![text("b 0", 2)] };
        let seen = [(1, "a 0"), (2, "b 0"), (3, "a 1")];
        let seen = seen.map(|(seq, text)| (Seq(seq), text.to_owned())).into();
        Books { senders: vec![one, two], seen }
    }

    #[track_caller]
    fn check(entries: &[(u64, &str)], wrong: &[&str]) {
        let entries: Vec<Entry> = entries.iter().map(|(seq, text)| entry(*seq, text)).collect();
        let figures = books().audit(&entries);
        let names = ["lost", "duplicated", "reordered", "phantom"];
        let found: Vec<&str> = names.into_iter().filter(|name| figures[name] > 0.0).collect();
        assert_eq!(found, wrong, "{figures:?}");
    }

    #[test]
    fn an_audit_finds_what_is_wrong() {
        check(&[(1, "a 0"), (2, "b 0"), (3, "a 1")], &[]);
        check(&[(1, "a 0"), (2, "b 0")], &["lost"]);
        check(&[(1, "a 0"), (2, "b 0"), (3, "a 1"), (4, "a 1")], &["duplicated"]);
        check(&[(1, "a 0"), (2, "b 0"), (3, "a 1"), (4, "c 0")], &["phantom"]);
        check(&[(1, "a 1"), (2, "b 0"), (3, "a 0")], &["lost", "reordered"]);
        check(&[(1, "a 0"), (2, "b 0"), (3, "a 1"), (5, "c")], &["lost", "phantom"]);
    }
}
