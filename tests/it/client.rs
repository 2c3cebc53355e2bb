//! The client library against a real server, through a wire that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klatch::client::{Client, Event, Events};
use klatch::protocol::event::Message;

use crate::support::{TestServer, open_limits};

/// Longer than anything takes; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

/// A way to the server that can be cut, and mends itself.
struct Wire {
    address: SocketAddr,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let streams = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&streams);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(server).expect("the server");
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let [from, to] = [from, to].map(|end| end.try_clone().expect("an end"));
                    std::thread::spawn(move || pump(from, to));
                }
                all.lock().expect("whole").extend([near, far]);
            }
        });
        Self { address, streams }
    }

    fn cut(&self) {
        for stream in self.streams.lock().expect("whole").drain(..) {
            // It may have been closed by its other end.
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

/// Runs a test's body; what hangs fails.
fn run<F: Future<Output = ()>>(body: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::time::timeout(DEADLINE, body).await.expect("done in time");
    });
}

async fn connect(address: SocketAddr, name: &str) -> (Client, Events) {
    let builder = Client::builder(&address.to_string()).name(name).plain();
    builder.connect().await.expect("connected")
}

async fn message(events: &mut Events) -> Message {
    loop {
        let event = events.next().await.expect("an event before the end");
        let whole = !matches!(event, Event::Gap { .. } | Event::Reset { .. });
        assert!(whole, "something is missing: {event:?}");
        if let Event::Message(message) = event {
            return message;
        }
    }
}

#[test]
fn texts_are_said_once_and_in_order_however_often_the_wire_is_cut() {
    let server = TestServer::with(&open_limits());
    let wire = Wire::to(server.address);
    let mut watcher = server.login("watcher");
    run(async {
        let (client, _events) = connect(wire.address, "ann").await;
        let mut answers = Vec::new();
        for n in 0..600 {
            answers.push(client.post("lobby", &n.to_string()).await.expect("posted"));
            if n % 200 == 75 {
                wire.cut();
            }
        }
        for answer in answers {
            answer.await.expect("acknowledged");
        }
    });
    for n in 0..600 {
        assert_eq!(*watcher.message().text, *n.to_string());
    }
}

#[test]
fn a_reader_misses_nothing_however_often_the_wire_is_cut() {
    let server = TestServer::with(&open_limits());
    let wire = Wire::to(server.address);
    let mut speaker = server.login("speaker");
    run(async {
        let (_client, mut events) = connect(wire.address, "ann").await;
        for round in 0..3 {
            for n in 0..40 {
                speaker.say("lobby", &format!("{round}.{n}"));
                if n == 20 {
                    wire.cut();
                }
            }
            for n in 0..40 {
                assert_eq!(*message(&mut events).await.text, *format!("{round}.{n}"));
            }
        }
    });
}

#[test]
fn a_reader_that_was_asleep_catches_up() {
    let server = TestServer::with(&open_limits());
    let mut speaker = server.login("speaker");
    run(async {
        let (client, mut events) = connect(server.address, "ann").await;
        for n in 0..900 {
            speaker.say("lobby", &n.to_string());
        }
        // Requests are answered although nobody reads the events.
        client.say("lobby", "awake").await.expect("acknowledged");
        for n in 0..900 {
            assert_eq!(*message(&mut events).await.text, *n.to_string());
        }
        assert_eq!(&*message(&mut events).await.text, "awake");
    });
}

#[test]
fn one_handle_serves_many_tasks() {
    let server = TestServer::with(&open_limits());
    run(async {
        let (client, _events) = connect(server.address, "ann").await;
        let says = (0..100).map(|n| {
            let client = client.clone();
            async move { client.say("lobby", &n.to_string()).await.map(|said| said.seq) }
        });
        let seqs: Result<Vec<_>, _> =
            futures_util::future::join_all(says).await.into_iter().collect();
        let mut seqs = seqs.expect("acknowledged");
        seqs.sort();
        seqs.dedup();
        assert_eq!(seqs.len(), 100);
        client.logout().await.expect("polite");
        assert!(client.say("lobby", "late").await.is_err());
    });
}
