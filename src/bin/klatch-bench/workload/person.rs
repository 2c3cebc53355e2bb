//! A client of klatchd with one thread and no cleverness, for what must be compared afterwards.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use klatch::base::id::Seq;
use klatch::protocol::codec::{self, Incoming};
use klatch::protocol::frame::{self, Split};
use klatch::protocol::reply::Entry;
use klatch::protocol::request::{Hello, History, Login, Params};

use crate::error::{Failure, Result};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);
const READ_BYTES: usize = 64 * 1024;

/// A connection that holds a name.
pub(super) struct Person {
    stream: TcpStream,
    received: Vec<u8>,
    /// Where in `received` the next frame begins.
    next: usize,
    id: u32,
}

impl Person {
    pub(super) fn login(server: SocketAddr, name: &str) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut person = Self { stream, received: Vec::new(), next: 0, id: 0 };
        let program = Some("klatch-bench".into());
        let hello = Hello { version: 1, version_min: None, client: program, timeout_ms: None };
        person.request(&hello)?;
        person.request(&Login::guest(name.into()))?;
        Ok(person)
    }

    /// Sends a frame; false if the connection is broken.
    pub(super) fn send(&mut self, frame: &[u8]) -> bool {
        self.stream.write_all(frame).is_ok()
    }

    /// Sends a request and waits for its answer; events that come before are dropped.
    pub(super) fn request<P: Params>(&mut self, params: &P) -> Result<P::Reply> {
        self.id += 1;
        self.stream.write_all(&codec::request(self.id, params))?;
        loop {
            match self.receive()? {
                Some(Incoming::Response { id, outcome }) if id == self.id => {
                    let refused = |error: klatch::protocol::status::ErrorBody| {
                        Failure::new(format!("refused: {} ({})", error.text, error.name))
                    };
                    return Ok(codec::result(&outcome.map_err(refused)?)?);
                }
                Some(_) => {}
                None => return Err(Failure::new("the server closed the connection")),
            }
        }
    }

    /// What comes next; nothing if the connection has ended.
    pub(super) fn receive(&mut self) -> Result<Option<Incoming>> {
        loop {
            let split = frame::split(&self.received[self.next..], usize::MAX)?;
            if let Split::Frame { body, rest } = split {
                let incoming = codec::decode_incoming(body)?;
                self.next = self.received.len() - rest.len();
                return Ok(Some(incoming));
            }
            drop(self.received.drain(..self.next));
            self.next = 0;
            let length = self.received.len();
            self.received.resize(length + READ_BYTES, 0);
            let read = self.stream.read(&mut self.received[length..]);
            self.received.truncate(length + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    let silence = format!("the server has said nothing for {PATIENCE:?}");
                    return Err(Failure::new(silence));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All that is kept of a room after `last`, page by page.
    pub(super) fn history(&mut self, room: &str, last: Seq) -> Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = Some(entries.last().map_or(last, |entry| entry.seq));
            let room = room.into();
            let history = History {
                room,
                before: None,
                after,
                around: None,
                at: None,
                limit: None,
                timeout_ms: None,
            };
            let page = self.request(&history)?;
            entries.extend(page.entries.0);
            if !page.more {
                return Ok(entries);
            }
        }
    }
}
