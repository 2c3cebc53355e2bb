//! A client for Klatch servers: connects, keeps connected, loses nothing.
//!
//! ```no_run
//! # async fn example() -> Result<(), klatch::client::Error> {
//! use klatch::client::{Client, Event};
//!
//! let (client, mut events) =
//!     Client::builder("chat.example").name("bot").room("lobby").connect().await?;
//! client.say("lobby", "hello").await?;
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         println!("<{}> {}", message.from, message.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **What is promised.** A text is said once, however often the connection is lost before its
//! acknowledgement. Every entry of a room is told once and in order, also those that came while the
//! connection was away; what the server does not have any more is told as a
//! [`Gap`](Event::Gap) or a [`Reset`](Event::Reset). The client keeps to the limits that the server
//! advertises, so it is never refused for them.
//!
//! **A slow reader of events** costs a bounded amount of memory and never blocks requests: entries
//! that find no space are fetched from the server's history when there is some; see [`Event`].
//!
//! **Never:** uses a module of the server.

mod backoff;
mod budget;
mod builder;
mod connect;
mod error;
mod event;
mod pin;
mod requests;
mod room;
mod state;
mod task;
mod trust;

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use builder::Builder;
pub use connect::Address;
pub use error::Error;
pub use event::Event;
pub use pin::{Fingerprint, FingerprintError, KnownServers, Pin};
pub use trust::{TrustError, UnknownServer};

pub use crate::base::secret::{Password, Token};

use crate::base::clock::{Clock, SystemClock};
use crate::base::id::{Key, Seq};
use crate::base::name::RoomName;
use crate::protocol::codec;
use crate::protocol::reply::{
    Empty, HistoryPage, MemberList, RoomList, RoomState, Said, SearchPage, TopicState, Welcome,
};
use crate::protocol::request::{
    Create, Delete, Direct, Edit, History, Join, Leave, Logout, Members, Params, Quit, React,
    Rooms, Say, Search, Topic, Typing,
};
use requests::Outcome;
use state::{Command, Purpose, Ready};
use task::Reply;

/// A handle to one session. Clones are cheap and can be used from any task or thread; with the last
/// of them the connection closes.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<Command<Reply>>,
    ids: AtomicU32,
    ready: Ready,
    /// How far the server's clock is ahead of this one.
    ahead_ms: i64,
    _task: Owner,
}

/// The connection's task, which ends with its owner.
#[derive(Debug)]
struct Owner(JoinHandle<()>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The events of a session, in order.
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<Event>,
}

impl Events {
    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

/// The answer to a request that is on its way. To drop it is not to take the request back.
#[derive(Debug)]
#[must_use = "the answer tells whether the request was done"]
pub struct Answer<R> {
    answer: oneshot::Receiver<Outcome>,
    result: PhantomData<fn() -> R>,
}

impl<R: serde::de::DeserializeOwned> Future for Answer<R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pinned<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pinned::new(&mut self.answer).poll(cx));
        let result = outcome.unwrap_or(Err(Error::Ended));
        Poll::Ready(result.and_then(|bytes| codec::result(&bytes).map_err(Error::Protocol)))
    }
}

impl Client {
    /// Begins to describe a client of `server`: `HOST` or `HOST:PORT`.
    pub fn builder(server: &str) -> Builder {
        Builder::new(server)
    }

    /// The client's own name, as everybody sees it.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.shared.ready.name
    }

    /// Whether it holds its name as a guest, without an account.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.shared.ready.guest
    }

    /// The secret that takes the name again: an account's, for as long as this device is not logged
    /// out; see [`Builder::token`].
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.shared.ready.token
    }

    /// What the server said of itself and its limits at the first connection.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.shared.ready.welcome
    }

    /// The rooms that the server put the client in at the first connection.
    #[must_use]
    pub fn default_rooms(&self) -> &[Arc<str>] {
        &self.shared.ready.rooms
    }

    /// A key for a request that may be sent again: of the server's time, whatever this clock says.
    #[must_use]
    pub fn key(&self) -> Key {
        let now = SystemClock::default().unix_ms();
        Key::made_at(now.saturating_add_signed(self.shared.ahead_ms))
    }

    /// Says a text and waits for the acknowledgement.
    pub async fn say(&self, room: &str, text: &str) -> Result<Said, Error> {
        self.post(room, text).await?.await
    }

    /// Says a text; it is in order behind all earlier ones when this returns. The [`Answer`] is the
    /// acknowledgement. Waits while too much is waiting already.
    pub async fn post(&self, room: &str, text: &str) -> Result<Answer<Said>, Error> {
        self.submit(&self.saying(room, text)).await
    }

    /// Says a text as an answer to the message `re`, and waits for the acknowledgement.
    pub async fn reply(&self, room: &str, re: Seq, text: &str) -> Result<Said, Error> {
        self.request(&Say { re: Some(re), ..self.saying(room, text) }).await
    }

    /// Gives one's own message another text.
    pub async fn edit(&self, room: &str, seq: Seq, text: &str) -> Result<Said, Error> {
        let (room, text, key) = (room.into(), text.into(), Some(self.key()));
        self.request(&Edit { room, seq, text, key, timeout_ms: None }).await
    }

    /// Deletes one's own message.
    pub async fn delete(&self, room: &str, seq: Seq) -> Result<Said, Error> {
        let (room, key) = (room.into(), Some(self.key()));
        self.request(&Delete { room, seq, key, timeout_ms: None }).await
    }

    /// Adds a reaction to a message, or takes it back.
    pub async fn react(
        &self,
        room: &str,
        seq: Seq,
        reaction: &str,
        on: bool,
    ) -> Result<Said, Error> {
        let (room, reaction, key) = (room.into(), reaction.into(), Some(self.key()));
        self.request(&React { room, seq, reaction, on, key, timeout_ms: None }).await
    }

    fn saying(&self, room: &str, text: &str) -> Say {
        let (room, text, key) = (room.into(), text.into(), Some(self.key()));
        Say { room, text, re: None, key, timeout_ms: None }
    }

    /// As [`post`](Self::post), but fails with [`Error::Full`] rather than wait.
    pub fn try_post(&self, room: &str, text: &str) -> Result<Answer<Said>, Error> {
        self.try_submit(&self.saying(room, text))
    }

    /// Joins a room.
    pub async fn join(&self, room: &str) -> Result<RoomState, Error> {
        self.request(&Join { room: room.into(), timeout_ms: None }).await
    }

    /// Leaves a room.
    pub async fn leave(&self, room: &str) -> Result<(), Error> {
        let Empty {} = self.request(&Leave { room: room.into(), timeout_ms: None }).await?;
        Ok(())
    }

    /// Makes a room and joins it.
    pub async fn create(&self, room: &str, topic: Option<&str>) -> Result<RoomState, Error> {
        let topic = topic.map(Into::into);
        self.request(&Create { room: room.into(), topic, private: None, timeout_ms: None }).await
    }

    /// Opens the direct room with another account.
    pub async fn direct(&self, name: &str) -> Result<RoomState, Error> {
        self.request(&Direct { name: name.into(), timeout_ms: None }).await
    }

    /// Lists rooms: one page, after the room `after`.
    pub async fn rooms(&self, after: Option<&str>) -> Result<RoomList, Error> {
        let after = after.map(Into::into);
        self.request(&Rooms { after, limit: None, timeout_ms: None }).await
    }

    /// Lists the members of a room: one page, after the member with the id `after`.
    pub async fn members(&self, room: &str, after: Option<u64>) -> Result<MemberList, Error> {
        self.request(&Members { room: room.into(), after, limit: None, timeout_ms: None }).await
    }

    /// Reads the newest entries of a room, or the newest before `before`: one page.
    pub async fn history(&self, room: &str, before: Option<Seq>) -> Result<HistoryPage, Error> {
        self.request(&History { before, ..newest(room) }).await
    }

    /// Reads the entries around one: one page.
    pub async fn history_around(&self, room: &str, seq: Seq) -> Result<HistoryPage, Error> {
        self.request(&History { around: Some(seq), ..newest(room) }).await
    }

    /// Reads the entries from a time on, in milliseconds since 1970 UTC: one page.
    pub async fn history_at(&self, room: &str, time: u64) -> Result<HistoryPage, Error> {
        self.request(&History { at: Some(time), ..newest(room) }).await
    }

    /// Searches what was said, in one room or in all that may be seen: one page, the newest first.
    /// `before` is the `next` of the page before it.
    pub async fn search(
        &self,
        text: &str,
        room: Option<&str>,
        before: Option<u64>,
    ) -> Result<SearchPage, Error> {
        let (text, room) = (text.into(), room.map(Into::into));
        let search = Search { text, room, from: None, before, limit: None, timeout_ms: None };
        self.request(&search).await
    }

    /// Reads a room's topic, or sets it.
    pub async fn topic(&self, room: &str, topic: Option<&str>) -> Result<TopicState, Error> {
        let topic = topic.map(Into::into);
        self.request(&Topic { room: room.into(), topic, timeout_ms: None }).await
    }

    /// Tells the others that the account is typing, or has stopped.
    pub async fn typing(&self, room: &str, active: bool) -> Result<(), Error> {
        let typing = Typing { room: room.into(), active, timeout_ms: None };
        let Empty {} = self.request(&typing).await?;
        Ok(())
    }

    /// Ends the session politely: everything asked before is answered first. The token of an account
    /// stays good.
    pub async fn quit(&self) -> Result<(), Error> {
        let Empty {} = self.request(&Quit { timeout_ms: None }).await?;
        Ok(())
    }

    /// Ends the session as [`quit`](Self::quit) does, and logs this device out.
    pub async fn logout(&self) -> Result<(), Error> {
        let Empty {} = self.request(&Logout { all: None, timeout_ms: None }).await?;
        Ok(())
    }

    /// Sends any request and waits for its answer.
    ///
    /// A request that was cut off by a lost connection fails with [`Error::Disconnected`]; only
    /// [`Say`], [`Edit`], [`Delete`] and [`React`] with a key are sent again by themselves.
    pub async fn request<P: Params + 'static>(&self, params: &P) -> Result<P::Reply, Error> {
        self.submit(params).await?.await
    }

    /// Sends any request; the [`Answer`] is waited for apart.
    pub async fn submit<P: Params + 'static>(&self, params: &P) -> Result<Answer<P::Reply>, Error> {
        let (command, answer) = self.command(params)?;
        self.shared.commands.send(command).await.map_err(|_| Error::Ended)?;
        Ok(Answer { answer, result: PhantomData })
    }

    /// As [`submit`](Self::submit), but fails with [`Error::Full`] rather than wait.
    pub fn try_submit<P: Params + 'static>(&self, params: &P) -> Result<Answer<P::Reply>, Error> {
        let (command, answer) = self.command(params)?;
        self.shared.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Full,
            mpsc::error::TrySendError::Closed(_) => Error::Ended,
        })?;
        Ok(Answer { answer, result: PhantomData })
    }

    fn command<P: Params + 'static>(
        &self,
        params: &P,
    ) -> Result<(Command<Reply>, oneshot::Receiver<Outcome>), Error> {
        codec::check_params(params)?;
        // The upper half of the numbers is for the client's own requests.
        let id = self.shared.ids.fetch_add(1, Ordering::Relaxed) & (u32::MAX >> 1);
        let (frame, purpose) = (codec::request(id, params), purpose(params));
        let (reply, answer) = oneshot::channel();
        Ok((Command { id, frame, purpose, reply }, answer))
    }
}

/// Asks for the newest page of a room.
fn newest(room: &str) -> History {
    let (before, after, around, at, limit) = (None, None, None, None, None);
    History { room: room.into(), before, after, around, at, limit, timeout_ms: None }
}

/// What a request means to the client itself, besides its answer.
fn purpose<P: Any>(params: &P) -> Purpose {
    let params: &dyn Any = params;
    let keys = [
        params.downcast_ref::<Say>().map(|say| say.key),
        params.downcast_ref::<Edit>().map(|edit| edit.key),
        params.downcast_ref::<Delete>().map(|delete| delete.key),
        params.downcast_ref::<React>().map(|react| react.key),
    ];
    if let Some(key) = keys.into_iter().flatten().next() {
        return if key.is_some() { Purpose::Say } else { Purpose::Other };
    }
    if let Some(leave) = params.downcast_ref::<Leave>() {
        let written = &leave.room.0;
        let room =
            RoomName::parse(written).map_or(Arc::clone(written), |room| room.shared().clone());
        return Purpose::Leave(room);
    }
    if params.is::<Join>() || params.is::<Create>() || params.is::<Direct>() {
        return Purpose::Enter;
    }
    let ends = params.is::<Logout>() || params.is::<Quit>();
    if ends { Purpose::Logout } else { Purpose::Other }
}
