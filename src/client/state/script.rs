//! A server of a few lines, on the other side of the core.

use super::*;
use crate::base::id::{Epoch, Seq};
use crate::protocol::event::Event as WireEvent;
use crate::protocol::frame::{self, Split};
use crate::protocol::reply::{
    Durability, Limits, LoggedIn, Registration, Role, RoomKind, RoomState,
};
use crate::protocol::request::Request;
use crate::protocol::status::Refusal;

pub(crate) fn limits() -> Limits {
    Limits {
        frame_bytes: 65_536,
        frame_bytes_before_login: 4_096,
        text_bytes: 16_384,
        topic_bytes: 1_024,
        name_bytes: 64,
        inflight: 32,
        requests_per_s: 0,
        requests_burst: 0,
        bytes_per_s: 0,
        bytes_burst: 0,
        rooms_per_session: 256,
        history_page: 200,
        list_page: 200,
        outbox_bytes: 1 << 20,
        outbox_ms: 5_000,
        login_ms: 5_000,
        ping_ms: 30_000,
        dead_ms: 75_000,
        idle_ms: 0,
    }
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        version: 1,
        server: "klatchd/test".into(),
        durability: Durability::Memory,
        capabilities: Vec::new(),
        limits: limits(),
        time: 0,
        guests: true,
        registration: Registration::Open,
        motd: None,
    }
}

pub(crate) fn room(name: &str, epoch: u64, seq: u64) -> RoomState {
    RoomState {
        room: name.into(),
        kind: if name.starts_with('@') { RoomKind::Direct } else { RoomKind::Public },
        with: name.starts_with('@').then(|| "bob".into()),
        epoch: Epoch(epoch),
        seq: Seq(seq),
        first: Seq(1),
        topic: "".into(),
        members: 1,
        role: Role::Member,
        announcement: false,
        slow_ms: 0,
        keep_ms: None,
        keep_entries: None,
        keep_bytes: None,
        read: None,
    }
}

pub(crate) fn message(room: &str, seq: u64) -> WireEvent {
    WireEvent::Message(wire::Message {
        room: room.into(),
        seq: Seq(seq),
        time: 0,
        from: "bob".into(),
        text: seq.to_string().into(),
        re: None,
    })
}

/// The core, and what it asked of the server.
pub(crate) struct Pair {
    pub(crate) core: Core<&'static str>,
    pub(crate) now: Moment,
    pub(crate) asked: VecDeque<(u32, Request)>,
}

impl Pair {
    pub(crate) fn new(rooms: &[&str]) -> Self {
        let rooms = rooms.iter().map(|&room| room.into()).collect();
        let identity = Identity {
            name: "al".into(),
            right: Right::Guest,
            device: None,
            program: "test".into(),
            rooms,
        };
        Self { core: Core::new(identity), now: Moment(1), asked: VecDeque::new() }
    }

    /// Connected and logged in; `rooms` are those that the server puts the client in.
    pub(crate) fn login(&mut self, rooms: &[&str]) {
        self.core.opened(self.now);
        self.answer("hello", Ok(&welcome()));
        let login = LoggedIn {
            name: "al".into(),
            guest: true,
            admin: false,
            token: Token::from([7; 32]),
            hold_ms: 60_000,
            rooms: rooms.iter().map(|&room| room.into()).collect(),
        };
        self.answer("login", Ok(&login));
    }

    /// Connected, with the rooms `lobby` at seq 5.
    pub(crate) fn online() -> Self {
        let mut pair = Self::new(&[]);
        pair.login(&["lobby"]);
        pair.event(&WireEvent::Room(room("lobby", 1, 5)));
        pair
    }

    pub(crate) fn submit<P: Params + 'static>(&mut self, id: u32, name: &'static str, params: &P) {
        let (frame, purpose) = (codec::request(id, params), crate::client::purpose(params));
        self.core.submit(Command { id, frame, purpose, reply: name });
    }

    pub(crate) fn say(&mut self, id: u32, text: &'static str) {
        let key = Some(crate::base::id::Key([u8::try_from(id).unwrap_or(0); 16]));
        let say = crate::protocol::request::Say {
            room: "lobby".into(),
            text: text.into(),
            re: None,
            key,
            timeout_ms: None,
        };
        self.submit(id, text, &say);
    }

    /// Takes what the core sends now.
    pub(crate) fn flush(&mut self) {
        while let Some(frame) = self.core.next_frame(self.now) {
            let Ok(Split::Frame { body, .. }) = frame::split(&frame, 65_536) else {
                panic!("not a frame")
            };
            let numbered = codec::decode_request(body).expect("a request");
            self.asked.push_back((numbered.id, numbered.request));
        }
    }

    /// What the core asked since, as words.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the name alone tells the others")]
    pub(crate) fn asks(&mut self) -> String {
        self.flush();
        let words = self.asked.drain(..).map(|(_, request)| match request {
            Request::Say(say) => format!("say:{}", say.text.0),
            Request::Join(join) => format!("join:{}", join.room.0),
            Request::Direct(direct) => format!("direct:{}", direct.name.0),
            Request::History(page) => format!("after:{}", page.after.unwrap_or_default().0),
            Request::Login(login) => {
                format!("login:{}", if login.token.is_some() { "token" } else { "anew" })
            }
            other => other.method().to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Answers the oldest open request, which must be `method`.
    #[track_caller]
    pub(crate) fn answer<R: serde::Serialize>(&mut self, method: &str, with: Result<&R, Refusal>) {
        self.try_answer(method, with).expect("accepted");
    }

    #[track_caller]
    pub(crate) fn try_answer<R: serde::Serialize>(
        &mut self,
        method: &str,
        with: Result<&R, Refusal>,
    ) -> Result<(), Error> {
        self.flush();
        let (id, request) = self.asked.pop_front().expect("a request");
        assert_eq!(request.method(), method);
        self.deliver(&match with {
            Ok(result) => codec::result_frame(id, result),
            Err(refusal) => codec::refusal_frame(id, &refusal),
        })
    }

    pub(crate) fn event(&mut self, event: &WireEvent) {
        self.deliver(&codec::event_frame(event)).expect("accepted");
    }

    fn deliver(&mut self, frame: &[u8]) -> Result<(), Error> {
        let incoming = codec::decode_incoming(&frame[4..]).expect("an incoming frame");
        self.core.receive(incoming, self.now)
    }

    pub(crate) fn lose(&mut self) -> Next {
        self.core.lost(Error::Disconnected, self.now, 0.0)
    }

    /// What the core told since, as words.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the dialogues have no others")]
    pub(crate) fn tells(&mut self) -> String {
        let mut words = Vec::new();
        while let Some(event) = self.core.next_event(self.now) {
            words.push(match event {
                Event::Connected { .. } => "connected".into(),
                Event::Disconnected { retry_in, .. } => {
                    format!("disconnected:{}", retry_in.map_or(0, |wait| wait.as_millis()))
                }
                Event::Room(state) => format!("room:{}", state.room),
                Event::Gone { room, why } => {
                    format!("gone:{room}{}", if why.is_some() { "!" } else { "" })
                }
                Event::Message(message) => message.seq.0.to_string(),
                Event::Reset { epoch, .. } => format!("reset:{}", epoch.0),
                Event::Gap { from, to, .. } => format!("gap:{}-{}", from.0, to.0),
                Event::Renamed(renamed) => format!("renamed:{}>{}", renamed.room, renamed.name),
                Event::Bye(_) => "bye".into(),
                other => format!("{other:?}"),
            });
        }
        words.join(" ")
    }

    /// The answers that callers got since, as words.
    pub(crate) fn answers(&mut self) -> String {
        let mut words = Vec::new();
        while let Some((name, outcome)) = self.core.next_answer() {
            words.push(match outcome {
                Ok(_) => format!("{name}:ok"),
                Err(error) => format!("{name}:{error}"),
            });
        }
        words.join(" ")
    }
}
