//! The full screen as a value: keys, events and answers go in; requests come out.
//!
//! **Owns:** the rooms as they are looked at, the line being written, what the status line says.
//! **Never:** touches the terminal, the connection or a clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use klatch::base::clock::Moment;
use klatch::base::id::Seq;
use klatch::client::Error;
use klatch::protocol::reply::{
    HistoryPage, MemberInfo, RoomList, RoomState, Said, SearchPage, TopicState, UnreadList,
};

use super::act::Act;
use super::chat::{Chat, Older};
use super::command::{self, COMMANDS, Command, KEYS};
use super::composer::Composer;
use super::keys::Key;
use super::layout::Frame;
use super::reading::Reading;
use crate::clean;
use crate::clock::Zone;

/// How often others are told that the account is typing.
const TYPING_EVERY: Duration = Duration::from_secs(4);

/// What the app wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    Say { room: Arc<str>, id: u64, text: Arc<str> },
    History { room: Arc<str>, before: Option<Seq> },
    Reply { room: Arc<str>, re: Seq, text: String },
    Edit { room: Arc<str>, seq: Seq, text: String },
    Delete { room: Arc<str>, seq: Seq },
    React { room: Arc<str>, seq: Seq, reaction: String, on: bool },
    Members { room: Arc<str> },
    Join { room: String },
    Create { room: String, topic: Option<String> },
    Direct { name: String, text: Option<String> },
    Leave { room: Arc<str> },
    Topic { room: Arc<str>, topic: Option<String> },
    Search { text: String },
    Rooms,
    Typing { room: Arc<str> },
    MarkRead { room: Arc<str>, seq: Seq },
    Unread,
    Rename { name: String },
    Act { room: Arc<str>, act: Act },
    Redraw,
    Quit,
}

/// How what was wanted went.
#[derive(Debug)]
pub(super) enum Done {
    Said {
        room: Arc<str>,
        id: u64,
        result: Result<Said, Error>,
    },
    History {
        room: Arc<str>,
        result: Result<HistoryPage, Error>,
    },
    Members {
        room: Arc<str>,
        result: Result<Vec<MemberInfo>, Error>,
    },
    /// A room was entered; a text may be waiting to be said there.
    Entered {
        result: Result<RoomState, Error>,
        text: Option<String>,
    },
    /// A command was carried out; this is to be said about it.
    Acted {
        result: Result<String, Error>,
    },
    Left {
        result: Result<(), Error>,
    },
    Topic {
        room: Arc<str>,
        result: Result<TopicState, Error>,
    },
    Rooms {
        result: Result<RoomList, Error>,
    },
    Found {
        text: String,
        result: Result<SearchPage, Error>,
    },
    Renamed {
        result: Result<Arc<str>, Error>,
    },
    Unread {
        result: Result<UnreadList, Error>,
    },
    Nothing,
}

/// The connection as the status line shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    Online,
    /// It will come back.
    Lost(String),
    /// It will not.
    Over(String),
}

/// The whole state. The first of `chats` is the client's own page.
#[derive(Debug)]
pub(super) struct App {
    pub(super) me: Arc<str>,
    pub(super) server: String,
    pub(super) zone: Zone,
    pub(super) link: Link,
    pub(super) chats: Vec<Chat>,
    pub(super) current: usize,
    pub(super) composer: Composer,
    pub(super) show_members: bool,
    /// Columns and rows of the scrollback.
    pub(super) window: (usize, usize),
    /// Who types where, and when that was last heard.
    pub(super) typing: Vec<(Arc<str>, Arc<str>, Moment)>,
    pub(super) reading: Reading,
    effects: VecDeque<Effect>,
    last_id: u64,
    typed_at: Option<Moment>,
    pub(super) now: Moment,
    pub(super) unix_ms: u64,
    /// A room that was asked for and is to be shown when it is entered.
    pub(super) awaited: Option<String>,
}

impl App {
    pub(super) fn new(me: Arc<str>, server: String, zone: Zone) -> Self {
        Self {
            me,
            server,
            zone,
            link: Link::Online,
            chats: vec![Chat::new("".into())],
            current: 0,
            composer: Composer::default(),
            show_members: true,
            window: (80, 20),
            typing: Vec::new(),
            reading: Reading::default(),
            effects: VecDeque::new(),
            last_id: 0,
            typed_at: None,
            now: Moment(0),
            unix_ms: 0,
            awaited: None,
        }
    }

    /// Tells the time; everything that follows happens then.
    pub(super) fn at(&mut self, now: Moment, unix_ms: u64) {
        (self.now, self.unix_ms) = (now, unix_ms);
        self.typing.retain(|(.., since)| now.since(*since) < Duration::from_secs(10));
        self.mark_read();
    }

    pub(super) fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(super) fn chat(&self) -> &Chat {
        // The client's own page is always there.
        self.chats.get(self.current).unwrap_or(&self.chats[0])
    }

    pub(super) fn chat_mut(&mut self) -> &mut Chat {
        let current = if self.current < self.chats.len() { self.current } else { 0 };
        &mut self.chats[current]
    }

    pub(super) fn find(&mut self, room: &str) -> Option<&mut Chat> {
        self.chats.iter_mut().skip(1).find(|chat| *chat.room == *room)
    }

    /// Tells the person something, on the page that is shown.
    pub(super) fn note(&mut self, text: &str) {
        let time = self.unix_ms;
        self.chat_mut().note(time, text);
    }

    /// A key was pressed.
    pub(super) fn key(&mut self, key: Key) {
        match key {
            Key::Quit => self.effect(Effect::Quit),
            Key::Redraw => self.effect(Effect::Redraw),
            Key::NextRoom => self.show((self.current + 1) % self.chats.len()),
            Key::PreviousRoom => {
                self.show(self.current.checked_sub(1).unwrap_or(self.chats.len() - 1));
            }
            Key::NextNews => self.next_news(),
            Key::Room(index) => self.show(index + 1),
            Key::PageUp => self.page_up(),
            Key::PageDown => self.scroll_down(self.window.1.saturating_sub(2).max(1)),
            Key::Newest => self.scroll_down(usize::MAX / 2),
            Key::Members => self.show_members = !self.show_members,
            Key::Send => self.send(),
            Key::Break => self.composer.insert("\n"),
            Key::Older => self.composer.older(),
            Key::Newer => self.composer.newer(),
            Key::Complete => {
                let names = self.chat().names();
                let names: Vec<_> = names.into_iter().filter(|name| *name != self.me).collect();
                let commands: Vec<_> = COMMANDS.iter().map(|(command, ..)| *command).collect();
                self.composer.complete(&names, &commands);
            }
            Key::Type(c) => {
                self.composer.edit(tui_input::InputRequest::InsertChar(c));
                self.typing();
            }
            Key::Edit(request) => self.composer.edit(request),
        }
    }

    /// Text was pasted.
    pub(super) fn paste(&mut self, text: &str) {
        // Line ends of all kinds are kept, what the server would refuse is not.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.composer.insert(&clean::outgoing(&text));
    }

    /// Shows the page with this index, if there is one.
    pub(super) fn show(&mut self, index: usize) {
        if index >= self.chats.len() {
            return;
        }
        self.current = index;
        let chat = self.chat_mut();
        (chat.unread, chat.mentioned) = (0, false);
        let wants_members = chat.joined && chat.members.is_empty();
        let room = Arc::clone(&chat.room);
        if wants_members {
            self.effect(Effect::Members { room });
        }
    }

    /// Those who were called by name come first.
    fn next_news(&mut self) {
        let count = self.chats.len();
        let order = (1..count).map(|step| (self.current + step) % count);
        let unread = |index: &usize| self.chats.get(*index).is_some_and(|chat| chat.unread > 0);
        let called = |index: &usize| self.chats.get(*index).is_some_and(|chat| chat.mentioned);
        let next = order.clone().find(called).or_else(|| order.clone().find(unread));
        if let Some(index) = next {
            self.show(index);
        }
    }

    fn page_up(&mut self) {
        let (width, height) = self.window;
        let (zone, me) = (self.zone.clone(), Arc::clone(&self.me));
        let frame = Frame { width, zone: &zone, me: &me };
        let chat = self.chat_mut();
        let met_oldest = frame.up(chat, height.saturating_sub(2).max(1), height);
        if met_oldest && chat.joined && chat.older == Older::Maybe {
            chat.older = Older::Asked;
            let (room, before) = (Arc::clone(&chat.room), chat.oldest());
            self.effect(Effect::History { room, before });
        }
    }

    fn scroll_down(&mut self, by: usize) {
        let width = self.window.0;
        let (zone, me) = (self.zone.clone(), Arc::clone(&self.me));
        Frame { width, zone: &zone, me: &me }.down(self.chat_mut(), by);
    }

    /// Tells the others that something is being written, now and then.
    fn typing(&mut self) {
        let recent = self.typed_at.is_some_and(|at| self.now.since(at) < TYPING_EVERY);
        let command = self.composer.input().value().starts_with('/');
        if recent || command || self.link != Link::Online || !self.chat().joined {
            return;
        }
        self.typed_at = Some(self.now);
        let room = Arc::clone(&self.chat().room);
        self.effect(Effect::Typing { room });
    }

    /// The line is finished.
    fn send(&mut self) {
        let line = self.composer.take();
        if line.trim().is_empty() {
            return;
        }
        self.typed_at = None;
        match command::parse(&line) {
            Ok(command) => self.command(command),
            Err(why) => self.note(&why),
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Say(text) => self.say(&text),
            Command::Join(room) => {
                self.awaited = Some(room.clone());
                self.effect(Effect::Join { room });
            }
            Command::Create(room, topic) => {
                self.awaited = Some(room.clone());
                self.effect(Effect::Create { room, topic });
            }
            Command::Message(name, text) => self.effect(Effect::Direct { name, text }),
            Command::Leave(Some(room)) => self.effect(Effect::Leave { room: room.into() }),
            Command::Leave(None) => self.in_room(|room| Effect::Leave { room }),
            Command::Members => {
                self.show_members = true;
                self.in_room(|room| Effect::Members { room });
            }
            Command::Topic(topic) => self.in_room(|room| Effect::Topic { room, topic }),
            Command::Reply(back, text) => {
                self.about_any(back, |room, re| Effect::Reply { room, re, text });
            }
            Command::Edit(back, text) => {
                self.about_own(back, |room, seq| Effect::Edit { room, seq, text });
            }
            Command::Delete(back) => self.about_own(back, |room, seq| Effect::Delete { room, seq }),
            Command::React(back, reaction, on) => {
                self.about_any(back, |room, seq| Effect::React { room, seq, reaction, on });
            }
            Command::Search(text) => self.effect(Effect::Search { text }),
            Command::Rooms => self.effect(Effect::Rooms),
            Command::Name(name) => self.effect(Effect::Rename { name }),
            Command::Act(act) if !act.is_about_a_room() => {
                self.effect(Effect::Act { room: "".into(), act });
            }
            Command::Act(act) => self.in_room(|room| Effect::Act { room, act }),
            Command::Help => self.help(),
            Command::Quit => self.effect(Effect::Quit),
        }
    }

    fn in_room(&mut self, effect: impl FnOnce(Arc<str>) -> Effect) {
        if self.chat().joined {
            let effect = effect(Arc::clone(&self.chat().room));
            self.effect(effect);
        } else {
            self.note("this page is not a room that you are in; /join one first");
        }
    }

    /// Says a text in the room that is shown; it is seen at once, and marked until acknowledged.
    pub(super) fn say(&mut self, text: &str) {
        if !self.chat().joined {
            self.note("this page is not a room that you are in; /join one first");
            return;
        }
        self.last_id += 1;
        let (id, text) = (self.last_id, Arc::from(text));
        let chat = self.chat_mut();
        chat.unsaid.push_back(super::chat::Unsaid { id, text: Arc::clone(&text) });
        chat.scroll = super::chat::Scroll::Follow;
        let room = Arc::clone(&chat.room);
        self.effect(Effect::Say { room, id, text });
    }

    fn help(&mut self) {
        let mut lines = vec!["Commands:".to_owned()];
        for (command, form, what) in COMMANDS {
            let form = format!("{command} {form}");
            lines.push(format!("  {form:<24}{what}"));
        }
        lines.push("Keys:".to_owned());
        lines.extend(KEYS.iter().map(|(keys, what)| format!("  {keys}: {what}")));
        self.note(&lines.join("\n"));
    }
}
