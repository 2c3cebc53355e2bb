//! The link is cut after a text was sent and before its acknowledgement came; the text is sent again
//! with the same key, and stands in the history once.
//!
//! `KLATCH_CUTS=10000` cuts it so often.

use std::collections::HashMap;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use klatch::base::id::{Key, Seq};
use klatch::base::secret::Token;
use klatch::protocol::codec;
use klatch::protocol::reply::Said;
use rand::Rng;

use crate::support::client::{now, say};
use crate::support::daemon::Daemon;
use crate::support::{TestClient, open_limits};

/// Who talks at the same time.
const TALKERS: usize = 4;
/// More bytes than the acknowledgement and the message take together.
const ANSWER: usize = 160;
/// The number of the request: not one that the client gives itself here.
const ID: u32 = 1_000;

fn texts() -> usize {
    std::env::var("KLATCH_CUTS").map_or(300, |cuts| cuts.parse().unwrap())
}

/// Somebody who talks over a bad link.
struct Talker {
    name: String,
    token: Option<Token>,
    /// Times that the link was cut after a text was sent.
    cuts: usize,
}

impl Talker {
    /// Comes back under its name; besides the client, its socket.
    fn connect(&mut self, server: SocketAddr) -> (TestClient, TcpStream) {
        let stream = TcpStream::connect(server).unwrap();
        let socket = stream.try_clone().unwrap();
        let mut client = TestClient::over(stream);
        client.token = self.token.take();
        client.hello();
        client.login(&self.name);
        self.token.clone_from(&client.token);
        (client, socket)
    }

    /// Says a text until it is acknowledged; the link is cut once at least, mostly after all was sent.
    fn say(&mut self, server: SocketAddr, text: &str, key: Key) -> Said {
        let mut rng = rand::rng();
        let frame = codec::request(ID, &say("lobby", text, Some(key)));
        for attempt in 0.. {
            let (mut client, mut socket) = self.connect(server);
            if attempt > 0 && rng.random() {
                client.send_raw(&frame);
                let answer = client.answer(ID).expect("said");
                return codec::result(&answer).expect("an acknowledgement");
            }
            let is_whole = rng.random_ratio(4, 5);
            let sent = if is_whole { frame.len() } else { rng.random_range(0..frame.len()) };
            client.send_raw(&frame[..sent]);
            if is_whole {
                self.cuts += 1;
                let mut read = vec![0; rng.random_range(0..ANSWER)];
                // As much as comes soon: nobody knows how much there will be.
                let soon = Duration::from_millis(rng.random_range(1..20));
                socket.set_read_timeout(Some(soon)).unwrap();
                let _come: Result<_, _> = socket.read_exact(&mut read);
            }
            if rng.random() {
                client.reset();
            }
        }
        unreachable!("it tries for ever")
    }
}

/// Half of them begin with the time, as they should; the others the server has to look for.
fn key() -> Key {
    let mut key: [u8; 16] = rand::random();
    if rand::random() {
        key[..6].copy_from_slice(&now().to_be_bytes()[2..]);
        key[6] = key[6] & 0x0f | 0x70;
        key[8] = key[8] & 0x3f | 0x80;
    }
    Key(key)
}

#[test]
fn a_text_stands_once_however_often_the_link_is_cut_before_its_acknowledgement() {
    let keys: Vec<_> = open_limits().into_iter().flat_map(|key| ["--set", key]).collect();
    let daemon = Daemon::usual(&keys);
    let server = daemon.address;
    let talk = |number: usize| {
        let mut talker = Talker { name: format!("talker-{number}"), token: None, cuts: 0 };
        let count = texts() / TALKERS;
        let said = (0..count).map(|text| {
            let text = format!("{number}/{text}");
            let said = talker.say(server, &text, key());
            (text, said)
        });
        let said: Vec<(String, Said)> = said.collect();
        (said, talker.cuts)
    };
    let (said, cuts): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
        let talkers: Vec<_> =
            (0..TALKERS).map(|number| scope.spawn(move || talk(number))).collect();
        talkers.into_iter().map(|talker| talker.join().unwrap()).unzip()
    });
    let said: Vec<(String, Said)> = said.into_iter().flatten().collect();
    let mut places: HashMap<String, Vec<Seq>> = HashMap::new();
    let history = daemon.login("reader").whole_history("lobby");
    for entry in &history {
        places.entry(entry.text.to_string()).or_default().push(entry.seq);
    }
    assert_eq!(history.len(), said.len(), "as many as were said");
    for (text, said) in &said {
        assert_eq!(
            places.get(text),
            Some(&vec![said.seq]),
            "{text} once, where it was acknowledged"
        );
    }
    let done_before = said.iter().filter(|(_, said)| said.dup).count();
    println!(
        "{} cuts, {} texts, {done_before} of them done before",
        cuts.iter().sum::<usize>(),
        said.len()
    );
    // Otherwise it was always cut too early, or never, to be a test.
    assert!(done_before > said.len() / 20 && done_before < said.len(), "{done_before}");
}
