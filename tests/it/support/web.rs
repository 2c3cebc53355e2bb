//! HTTP by hand, and a WebSocket by an implementation that is not ours.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::event::{Bye, Event};
use klatch::protocol::request::{Hello, Login, Params};
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

use super::TestServer;

/// Longer than anything takes; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// A plain connection.
pub(crate) fn plain(server: &TestServer) -> TcpStream {
    let stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// A connection over TLS that offers these protocols, each behind its length.
pub(crate) fn tls(server: &TestServer, alpn: &[u8]) -> SslStream<TcpStream> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("a builder");
    builder.set_verify(SslVerifyMode::NONE);
    if !alpn.is_empty() {
        builder.set_alpn_protos(alpn).expect("protocols");
    }
    builder.build().connect("localhost", plain(server)).expect("a handshake")
}

/// What a server answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Reads one; `head` if no body follows it, whatever its length says.
    pub(crate) fn read(stream: &mut dyn Read, head: bool) -> Self {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a whole head");
            bytes.push(byte[0]);
        }
        let text = String::from_utf8(bytes).expect("text");
        let mut lines = text.lines();
        let status = lines.next().expect("a status line").split(' ').nth(1).expect("a status");
        let status = status.parse().expect("a number");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Self { status, headers, body: Vec::new() };
        let length =
            answer.header("content-length").map_or(0, |text| text.parse().expect("a number"));
        if !head && status != 304 {
            answer.body = vec![0; length];
            stream.read_exact(&mut answer.body).expect("a whole body");
        }
        answer
    }
}

/// Asks on a connection that stays.
pub(crate) fn ask(stream: &mut dyn Wire, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).expect("the server reads");
    Answer::read(stream, request.starts_with("HEAD"))
}

/// Asks for a path on a plain connection of its own.
pub(crate) fn get(server: &TestServer, path: &str, more: &str) -> Answer {
    ask(&mut plain(server), &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"))
}

/// The request that opens a WebSocket, with these headers besides.
pub(crate) fn upgrade(more: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: klatch.1\r\n{more}\r\n"
    )
}

/// A client over a WebSocket.
pub(crate) struct WebClient {
    pub(crate) socket: WebSocket<Box<dyn Wire>>,
    events: VecDeque<Event>,
    next_id: u32,
}

impl WebClient {
    pub(crate) fn over(stream: impl Wire + 'static, scheme: &str) -> Self {
        let mut request =
            format!("{scheme}://localhost/ws").into_client_request().expect("a request");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "klatch.1".parse().expect("a value"));
        let stream: Box<dyn Wire> = Box::new(stream);
        let (socket, answer) = tungstenite::client(request, stream).expect("a WebSocket");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "klatch.1");
        Self { socket, events: VecDeque::new(), next_id: 1 }
    }

    pub(crate) fn connect(server: &TestServer) -> Self {
        Self::over(plain(server), "ws")
    }

    pub(crate) fn login(server: &TestServer, name: &str) -> Self {
        let mut client = Self::connect(server);
        client.enter(name);
        client
    }

    pub(crate) fn enter(&mut self, name: &str) {
        self.request(&Hello { version: 1, version_min: None, client: None, timeout_ms: None });
        self.request(&Login::guest(name.into()));
        self.expect(|event| matches!(event, Event::Room(_)).then_some(()));
    }

    /// The body of a request.
    pub(crate) fn body(&mut self, params: &impl Params) -> Vec<u8> {
        self.next_id += 1;
        codec::request(self.next_id, params)[4..].to_vec()
    }

    pub(crate) fn send(&mut self, params: &impl Params) {
        let body = self.body(params);
        self.socket.send(Message::binary(body)).expect("the server reads");
    }

    /// Sends a request, and waits for its result.
    pub(crate) fn request<P: Params>(&mut self, params: &P) -> P::Reply {
        self.send(params);
        self.answer()
    }

    pub(crate) fn answer<T: serde::de::DeserializeOwned>(&mut self) -> T {
        loop {
            match self.receive().expect("an answer before the end") {
                Incoming::Response { outcome, .. } => {
                    return codec::result(&outcome.expect("a result")).expect("of the method");
                }
                Incoming::Event(event) => self.events.push_back(event),
                Incoming::UnknownEvent => panic!("an event that the codec does not know"),
            }
        }
    }

    /// The next body; none behind a close frame.
    pub(crate) fn receive(&mut self) -> Option<Incoming> {
        loop {
            match self.socket.read().expect("a frame") {
                Message::Binary(body) => {
                    return Some(codec::decode_incoming(&body).expect("a body of the protocol"));
                }
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a binary message: {other:?}"),
            }
        }
    }

    /// Waits for an event that `pick` takes; others, and answers, are passed over.
    pub(crate) fn expect<T>(&mut self, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => match self.receive().expect("an event before the end") {
                    Incoming::Event(event) => event,
                    _ => continue,
                },
            };
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    pub(crate) fn message(&mut self) -> String {
        self.expect(|event| {
            if let Event::Message(message) = event { Some(message.text.to_string()) } else { None }
        })
    }

    /// Waits for the `bye`, and for the close frame behind it.
    pub(crate) fn bye(&mut self) -> (Bye, u16) {
        let bye =
            self.expect(|event| if let Event::Bye(bye) = event { Some(bye.clone()) } else { None });
        (bye, self.close_code())
    }

    pub(crate) fn close_code(&mut self) -> u16 {
        match self.socket.read().expect("a frame") {
            Message::Close(Some(CloseFrame { code, .. })) => code.into(),
            other => panic!("not a close frame: {other:?}"),
        }
    }
}
