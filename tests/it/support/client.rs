//! A client with one thread and no cleverness: what it waits for comes within a deadline, or the
//! test fails.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use klatch::base::clock::{Clock, SystemClock};
use klatch::base::id::{Key, Seq};
use klatch::base::secret::Token;
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::{Bye, Event, Message};
use klatch::protocol::frame::{self, Split};
use klatch::protocol::reply::{Entry, LoggedIn, RoomState, Said, Welcome};
use klatch::protocol::request::{Create, Hello, History, Join, Login, Params, Ping, Say};
use klatch::protocol::status::{Code, ErrorBody};

use super::spilt;

/// Longer than anything takes; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

/// The client.
pub(crate) struct TestClient {
    stream: TcpStream,
    received: Vec<u8>,
    events: VecDeque<Event>,
    next_id: u32,
    pub(crate) token: Option<Token>,
}

impl TestClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("a connection"))
    }

    /// The same, from another address of this machine.
    pub(crate) fn connect_from(address: &str, server: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        let from = SocketAddr::new(address.parse().expect("an address"), 0);
        socket.bind(&from.into()).expect("an address of this machine");
        socket.connect(&server.into()).expect("a connection");
        Self::over(socket.into())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        let (received, events) = (Vec::new(), VecDeque::new());
        Self { stream, received, events, next_id: 1, token: None }
    }

    pub(crate) fn hello(&mut self) -> Welcome {
        let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
        self.request(&hello).expect("a welcome")
    }

    /// Logs in, and waits for the default rooms.
    pub(crate) fn login(&mut self, name: &str) -> LoggedIn {
        let logged_in = self.try_login(name, self.token.clone()).expect("a name");
        self.token = Some(logged_in.token.clone());
        for _ in &logged_in.rooms {
            self.expect(|event| matches!(event, Event::Room(_)).then_some(()));
        }
        logged_in
    }

    pub(crate) fn try_login(
        &mut self,
        name: &str,
        token: Option<Token>,
    ) -> Result<LoggedIn, ErrorBody> {
        self.request(&Login { token, ..Login::guest(name.into()) })
    }

    pub(crate) fn create(&mut self, room: &str) -> RoomState {
        let create = Create { room: room.into(), topic: None, private: None, timeout_ms: None };
        self.request(&create).expect("a room")
    }

    pub(crate) fn join(&mut self, room: &str) -> RoomState {
        self.request(&Join { room: room.into(), timeout_ms: None }).expect("a room")
    }

    pub(crate) fn say(&mut self, room: &str, text: &str) -> Said {
        self.request(&say(room, text, None)).expect("an acknowledgement")
    }

    /// Sends a request without waiting for its answer; returns its number.
    pub(crate) fn send<P: Params>(&mut self, params: &P) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        if spilt::METHODS.contains(&P::METHOD) {
            spilt::note(params);
        }
        self.send_raw(&codec::request(id, params));
        id
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// Sends what the server may not want any more.
    pub(crate) fn try_send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends a request and waits for its answer; events that come before are kept.
    pub(crate) fn request<P: Params>(&mut self, params: &P) -> Result<P::Reply, ErrorBody> {
        let id = self.send(params);
        let result = codec::result(&self.answer(id)?).expect("a result of the method");
        if spilt::METHODS.contains(&P::METHOD) {
            spilt::note(&result);
        }
        Ok(result)
    }

    /// Waits for the answer to request `id`.
    pub(crate) fn answer(&mut self, id: u32) -> Result<bytes::Bytes, ErrorBody> {
        loop {
            match self.receive().expect("an answer before the end") {
                Incoming::Response { id: answered, outcome } => {
                    assert_eq!(answered, id, "an answer to another request");
                    return outcome;
                }
                Incoming::Event(event) => self.events.push_back(event),
                Incoming::UnknownEvent => panic!("an event that the codec does not know"),
            }
        }
    }

    /// The code with which request `id` is refused.
    pub(crate) fn refusal_of(&mut self, id: u32) -> Code {
        code_of(&self.answer(id).expect_err("a refusal"))
    }

    /// The number of the next answer, whichever it is; events are passed over.
    pub(crate) fn answer_any(&mut self) -> Option<u32> {
        loop {
            if let Incoming::Response { id, .. } = self.receive()? {
                return Some(id);
            }
        }
    }

    /// The code with which a request is refused.
    #[track_caller]
    pub(crate) fn refused<P: Params>(&mut self, params: &P) -> Code
    where
        P::Reply: std::fmt::Debug,
    {
        code_of(&self.request(params).expect_err("a refusal"))
    }

    /// The next event, or the next answer's body if that comes first.
    pub(crate) fn receive(&mut self) -> Option<Incoming> {
        let body = self.frame()?;
        Some(codec::decode_incoming(&body).expect("a body of the protocol"))
    }

    pub(crate) fn event(&mut self) -> Event {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        match self.receive().expect("an event before the end") {
            Incoming::Event(event) => event,
            other => panic!("not an event: {other:?}"),
        }
    }

    /// Waits for an event that `pick` takes; others are passed over.
    pub(crate) fn expect<T>(&mut self, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(&self.event()) {
                return found;
            }
        }
    }

    /// Forgets the events that have come, and says whether one of them was such.
    pub(crate) fn take_event(&mut self, such: impl Fn(&Event) -> bool) -> bool {
        self.events.drain(..).filter(such).count() > 0
    }

    pub(crate) fn message(&mut self) -> Message {
        self.expect(|event| if let Event::Message(m) = event { Some(m.clone()) } else { None })
    }

    /// Waits for the `bye`, and for the end of the connection after it.
    #[track_caller]
    pub(crate) fn bye(&mut self) -> Bye {
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => match self.receive().expect("a bye before the end") {
                    Incoming::Event(event) => event,
                    Incoming::Response { .. } => continue,
                    Incoming::UnknownEvent => panic!("an event that the codec does not know"),
                },
            };
            if let Event::Bye(bye) = event {
                assert_eq!(self.frame(), None, "nothing follows a bye");
                return bye;
            }
        }
    }

    /// Waits for the end, whatever comes before it.
    pub(crate) fn wait_for_end(&mut self) {
        while self.frame().is_some() {}
    }

    /// Asks and waits for the answer; other answers are passed over, events are kept.
    pub(crate) fn sync(&mut self) {
        let ping = self.send(&Ping { timeout_ms: None });
        loop {
            match self.receive().expect("a pong before the end") {
                Incoming::Response { id, .. } if id == ping => return,
                Incoming::Response { .. } | Incoming::UnknownEvent => {}
                Incoming::Event(event) => self.events.push_back(event),
            }
        }
    }

    /// All that is kept of a room, page by page from the oldest.
    pub(crate) fn whole_history(&mut self, room: &str) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = Some(entries.last().map_or(Seq(0), |entry| entry.seq));
            let history = History { after, ..history(room) };
            let page = self.request(&history).expect("a page");
            entries.extend(page.entries.0);
            if !page.more {
                return entries;
            }
        }
    }

    /// Sends no more, and still reads.
    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).expect("a shutdown");
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("linger");
    }

    /// The bytes that come before the end, frames or not.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.received);
        self.stream.read_to_end(&mut rest).expect("the end");
        rest
    }

    fn frame(&mut self) -> Option<Vec<u8>> {
        loop {
            let split = frame::split(&self.received, usize::MAX).expect("a frame");
            if let Split::Frame { body, rest } = split {
                let (body, rest) = (body.to_vec(), rest.to_vec());
                self.received = rest;
                return Some(body);
            }
            let mut buffer = [0; 16_384];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came in time: {error}"),
            }
        }
    }
}

/// The time that keys are made of.
pub(crate) fn now() -> u64 {
    SystemClock::default().unix_ms()
}

pub(crate) fn say(room: &str, text: &str, key: Option<Key>) -> Say {
    Say { room: room.into(), text: text.into(), re: None, key, timeout_ms: None }
}

/// Asks for the newest page of a room.
pub(crate) fn history(room: &str) -> History {
    let (before, after, around, at, limit) = (None, None, None, None, None);
    History { room: room.into(), before, after, around, at, limit, timeout_ms: None }
}

pub(crate) fn code_of(error: &ErrorBody) -> Code {
    Code::from_number(error.code).expect("a code of this version")
}
