//! `kill -9` in the middle of everything: nothing that was acknowledged or seen is lost, doubled or
//! moved.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use klatch::base::id::{Key, Seq};
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::Event;
use klatch::protocol::reply::Said;
use rand::Rng;

use crate::support::client::{now, say};
use crate::support::daemon::Daemon;
use crate::support::{TestClient, open_limits};

/// Senders, and requests that each has on the way.
const SENDERS: usize = 4;
const WINDOW: usize = 8;

/// One text, from before it was sent until it is settled.
struct Text {
    key: Key,
    words: String,
    said: Option<Said>,
}

/// Times that the daemon is killed; more when asked.
fn cycles() -> usize {
    std::env::var("KLATCH_CRASH_CYCLES").map_or(5, |cycles| cycles.parse().unwrap())
}

#[test]
fn nothing_acknowledged_or_seen_is_lost_whenever_it_is_killed() {
    let keys: Vec<_> = open_limits().into_iter().flat_map(|key| ["--set", key]).collect();
    let mut daemon = Daemon::usual(&keys);
    let (mut texts, mut seen) = (Vec::new(), HashMap::new());
    for cycle in 0..cycles() {
        let enough = rand::rng().random_range(1..400);
        let (more, watched) = chat_until(&daemon, cycle, enough);
        daemon = daemon.kill_and_restart(&keys);
        // Who watched may have seen the last of it after the kill: what was in the socket.
        seen.extend(watched.join().unwrap());
        for sender in more {
            texts.extend(settle(&daemon, sender.join().unwrap()));
        }
        compare(&daemon, &texts, &seen);
    }
}

type Sender = std::thread::JoinHandle<(String, Vec<Text>)>;
type Watcher = std::thread::JoinHandle<HashMap<Seq, String>>;

/// Lets senders send and somebody watch; returns when so many texts were acknowledged.
fn chat_until(daemon: &Daemon, cycle: usize, enough: usize) -> (Vec<Sender>, Watcher) {
    let acknowledged: &AtomicUsize = Box::leak(Box::default());
    let mut watcher = daemon.login(&format!("watcher{cycle}"));
    let watched = std::thread::spawn(move || {
        let mut seen = HashMap::new();
        while let Some(incoming) = watcher.receive() {
            if let Incoming::Event(Event::Message(message)) = incoming {
                seen.insert(message.seq, message.text.to_string());
            }
        }
        seen
    });
    let senders = (0..SENDERS).map(|number| {
        let name = format!("s-{number}-{cycle}");
        let mut client = daemon.login(&name);
        std::thread::spawn(move || (name.clone(), send(&mut client, &name, acknowledged)))
    });
    let senders = senders.collect();
    while acknowledged.load(Ordering::Relaxed) < enough {
        std::thread::yield_now();
    }
    (senders, watched)
}

/// Sends until the connection breaks.
fn send(client: &mut TestClient, name: &str, acknowledged: &AtomicUsize) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    let mut answered = 0;
    loop {
        while texts.len() < answered + WINDOW {
            let text = format!("{name} {}", texts.len());
            let key = Key::made_at(now());
            texts.push(Text { key, words: text, said: None });
            let index = texts.len() - 1;
            let Text { key, words, .. } = &texts[index];
            let frame =
                codec::request(u32::try_from(index).unwrap(), &say("lobby", words, Some(*key)));
            if !client.try_send_raw(&frame) {
                break;
            }
        }
        match client.receive() {
            Some(Incoming::Response { id, outcome }) => {
                let said = codec::result(&outcome.unwrap()).unwrap();
                texts[usize::try_from(id).unwrap()].said = Some(said);
                answered += 1;
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Some(Incoming::Event(_) | Incoming::UnknownEvent) => {}
            None => return texts,
        }
    }
}

/// Sends again what was not acknowledged, with the same keys.
fn settle(daemon: &Daemon, (name, mut texts): (String, Vec<Text>)) -> Vec<Text> {
    let mut client = daemon.login(&name);
    for text in texts.iter_mut().filter(|text| text.said.is_none()) {
        text.said = Some(client.request(&say("lobby", &text.words, Some(text.key))).unwrap());
    }
    texts
}

/// Compares what is stored with what was acknowledged and seen.
fn compare(daemon: &Daemon, texts: &[Text], seen: &HashMap<Seq, String>) {
    let mut client = daemon.login("auditor");
    let entries = client.whole_history("lobby").into_iter();
    let stored: BTreeMap<Seq, String> =
        entries.map(|entry| (entry.seq, entry.text.to_string())).collect();
    assert_eq!(stored.len(), texts.len(), "each text is stored once");
    assert_eq!(stored.keys().next_back().map(|seq| seq.0), Some(stored.len() as u64), "no hole");
    for text in texts {
        let seq = text.said.as_ref().unwrap().seq;
        assert_eq!(
            stored.get(&seq),
            Some(&text.words),
            "acknowledged, and where it was said to be"
        );
    }
    for (seq, text) in seen {
        assert_eq!(stored.get(seq), Some(text), "seen, and still there");
    }
}
