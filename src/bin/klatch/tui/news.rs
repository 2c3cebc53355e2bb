//! What the app does with events of the connection and with answers.

use std::sync::Arc;

use klatch::client::{Error, Event};
use klatch::protocol::event::{Joined, Left, Renamed};
use klatch::protocol::reply::{Page, RoomList, RoomState, TopicState};

use super::app::{App, Done, Effect, Link};
use super::chat::{Chat, Item, Kind, Older};
use super::layout::mentions;
use super::messages::Change;
use super::{members, plural};

/// In larger rooms comings and goings are only counted.
const INTIMATE: u32 = 50;

impl App {
    /// The connection has news.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what later versions add is not shown")]
    pub(super) fn event(&mut self, event: Event) {
        match event {
            Event::Connected { name, server, motd } => self.connected(name, &server, motd),
            Event::Disconnected { why, retry_in: Some(_) } => {
                self.link = Link::Lost(why.to_string());
                self.typing.clear();
            }
            Event::Disconnected { why, retry_in: None } => {
                self.link = Link::Over(why.to_string());
                self.note(&format!("{why}. /name NAME connects again, /quit leaves."));
            }
            Event::Room(state) => self.entered(&state),
            Event::Gone { room, why } => self.gone(&room, why.as_ref()),
            Event::Message(said) => {
                let item = Item::new(said.seq, said.time, Kind::Said, said.from, said.text);
                self.live(&said.room, Item { re: said.re, ..item });
            }
            Event::Topic(topic) => {
                if let Some(chat) = self.find(&topic.room) {
                    chat.topic = Arc::clone(&topic.text);
                }
                let (seq, time) = (topic.seq, topic.time);
                self.live(&topic.room, Item::new(seq, time, Kind::Topic, topic.from, topic.text));
            }
            Event::Edit(new) => self.changed(&new.room, new.re, new.seq, Change::Edit(&new.text)),
            Event::Delete(gone) => self.changed(&gone.room, gone.re, gone.seq, Change::Delete),
            Event::React(new) => {
                self.changed(&new.room, new.re, new.seq, Change::React(&new.text, &new.from));
            }
            Event::Unreact(gone) => {
                self.changed(
                    &gone.room,
                    gone.re,
                    gone.seq,
                    Change::Unreact(&gone.text, &gone.from),
                );
            }
            Event::Joined(joined) => self.joined(&joined),
            Event::Left(left) => self.left(&left),
            Event::Typing(typing) => {
                self.typing.retain(|(room, who, _)| (room, who) != (&typing.room, &typing.from));
                if typing.active && typing.from != self.me && self.typing.len() < 100 {
                    self.typing.push((typing.room, typing.from, self.now));
                }
            }
            Event::Gap { room, from, to } => {
                let count = to.0.saturating_sub(from.0).saturating_add(1);
                let text = format!("{} missing here", plural(count, "message is", "messages are"));
                self.note_in(&room, &text);
            }
            Event::Reset { room, .. } => {
                if let Some(chat) = self.find(&room) {
                    chat.reset();
                }
                self.note_in(&room, "the room's history starts anew here");
            }
            Event::Read(marked) => self.read_elsewhere(&marked),
            Event::Removed(_)
            | Event::Invited(_)
            | Event::Configured(_)
            | Event::Renamed(_)
            | Event::Ranked(_) => {
                self.ruled(&event);
            }
            // What follows it says the same.
            Event::Bye(_) => {}
            _ => {}
        }
    }

    /// Somebody has used a right.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are news of other kinds")]
    fn ruled(&mut self, event: &Event) {
        match event {
            Event::Removed(removed) => {
                let text = super::put_out(removed);
                if let Some(chat) = self.find(&removed.room) {
                    chat.joined = false;
                }
                self.note_in(&removed.room, &text);
            }
            Event::Invited(invited) => {
                let text = format!("{} invites you: /join {} enters", invited.by, invited.room);
                self.note(&text);
            }
            Event::Configured(set) => {
                let (by, kind) = (&set.by, set.kind.word());
                let who = if set.announcement { "moderators write" } else { "everybody writes" };
                let pause = set.slow_ms / 1_000;
                let slow =
                    if pause > 0 { format!(", one message in {pause} s") } else { String::new() };
                self.note_in(&set.room, &format!("{by} set the room: {kind}, {who}{slow}"));
            }
            Event::Renamed(Renamed { room, name, by }) => {
                if let Some(chat) = self.find(room) {
                    chat.room = Arc::clone(name);
                }
                let by = if by.is_empty() { "somebody" } else { by };
                self.note_in(name, &format!("{by} renamed the room from {room} to {name}"));
            }
            Event::Ranked(ranked) => {
                let (name, role, by) = (&ranked.name, ranked.role.word(), &ranked.by);
                self.note_in(&ranked.room, &format!("{by} made {name} {role}"));
            }
            _ => {}
        }
    }

    fn connected(&mut self, name: Arc<str>, server: &str, motd: Option<String>) {
        let again = self.link != Link::Online;
        (self.me, self.link) = (name, Link::Online);
        self.begin_reading();
        let text = if again { "connected again" } else { "connected" };
        let time = self.unix_ms;
        let (me, address) = (Arc::clone(&self.me), self.server.clone());
        if let Some(page) = self.chats.first_mut() {
            page.note(time, &format!("{text} to {address} ({server}) as {me}; /help helps"));
            if let Some(motd) = motd {
                page.note(time, &motd);
            }
        }
    }

    fn entered(&mut self, state: &RoomState) {
        let index = self.place(state);
        let Some(chat) = self.chats.get_mut(index) else { return };
        let room = Arc::clone(&state.room);
        let has_news = chat.enter(state);
        self.ask_unread(state.read);
        if has_news {
            self.effect(Effect::History { room: Arc::clone(&room), before: None });
        }
        let awaited = self.awaited.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&room));
        if awaited || self.current == 0 {
            self.awaited = None;
            self.show(index);
        }
        if index == self.current {
            self.effect(Effect::Members { room });
        }
    }

    /// The page of a room: an old one if there is one, also of the same person under another
    /// number, else a new one in its place by name.
    fn place(&mut self, state: &RoomState) -> usize {
        let same = |chat: &Chat| {
            chat.room == state.room || (state.with.is_some() && chat.with == state.with)
        };
        if let Some(index) = self.chats.iter().skip(1).position(same) {
            return index + 1;
        }
        let mut chat = Chat::new(Arc::clone(&state.room));
        chat.with.clone_from(&state.with);
        let key = |chat: &Chat| (chat.with.is_some(), chat.title());
        let index = 1 + self.chats.iter().skip(1).filter(|other| key(other) < key(&chat)).count();
        self.chats.insert(index, chat);
        if self.current >= index {
            self.current += 1;
        }
        index
    }

    fn gone(&mut self, room: &str, why: Option<&Error>) {
        let Some(index) = self.chats.iter().skip(1).position(|chat| *chat.room == *room) else {
            return;
        };
        let index = index + 1;
        if let Some(why) = why {
            if let Some(chat) = self.chats.get_mut(index) {
                chat.joined = false;
            }
            self.note_in(room, &format!("you are not in this room any more: {why}"));
            return;
        }
        self.chats.remove(index);
        if self.current >= index {
            let current = self.current - 1;
            self.show(if current == 0 && self.chats.len() > 1 { 1 } else { current });
        }
    }

    /// A stored entry, new at the end.
    fn live(&mut self, room: &str, item: Item) {
        let seen = *self.chat().room == *room;
        let (me, mine) = (Arc::clone(&self.me), item.from == self.me);
        self.typing.retain(|(place, who, _)| (&**place, who) != (room, &item.from));
        let Some(chat) = self.find(room) else { return };
        if item.seq <= chat.newest() {
            return;
        }
        if mine && chat.unsaid.front().is_some_and(|unsaid| unsaid.text == item.text) {
            chat.unsaid.pop_front();
        }
        if !mine && !seen {
            chat.unread = chat.unread.saturating_add(1);
            chat.mentioned |= chat.with.is_some() || mentions(&item.text, &me);
        }
        chat.push(item);
    }

    fn note_in(&mut self, room: &str, text: &str) {
        let time = self.unix_ms;
        if let Some(chat) = self.find(room) {
            chat.note(time, text);
        }
    }

    fn joined(&mut self, joined: &Joined) {
        let Some(chat) = self.find(&joined.room) else { return };
        chat.count = joined.members;
        chat.arrive(&joined.names.0);
        let more = usize::try_from(joined.count).is_ok_and(|count| count > joined.names.0.len());
        if joined.members <= INTIMATE && !more && chat.with.is_none() {
            let text = format!("→ {} joined", joined.names.0.join(", "));
            self.note_in(&joined.room, &text);
        }
        if more {
            self.effect(Effect::Members { room: Arc::clone(&joined.room) });
        }
    }

    fn left(&mut self, left: &Left) {
        let Some(chat) = self.find(&left.room) else { return };
        chat.count = left.members;
        for gone in &left.gone.0 {
            chat.depart(&gone.name);
        }
        let more = usize::try_from(left.count).is_ok_and(|count| count > left.gone.0.len());
        if left.members <= INTIMATE && !more {
            let gone = &left.gone.0;
            let gone =
                gone.iter().map(|gone| format!("{} left ({})", gone.name, gone.reason.word()));
            let text = format!("← {}", gone.collect::<Vec<_>>().join(", "));
            self.note_in(&left.room, &text);
        }
        if more {
            self.effect(Effect::Members { room: Arc::clone(&left.room) });
        }
    }

    /// What was wanted is done, or not.
    pub(super) fn done(&mut self, done: Done) {
        match done {
            Done::Said { room, id, result } => self.said(&room, id, result.err()),
            Done::History { room, result } => {
                let Some(chat) = self.find(&room) else { return };
                match result {
                    Ok(page) => chat.merge(page.entries.0, page.head, page.more),
                    Err(_) => chat.older = Older::Maybe,
                }
            }
            Done::Members { room, result } => {
                if let (Some(chat), Ok(list)) = (self.find(&room), result) {
                    chat.members = list.into_iter().map(|member| member.name).collect();
                }
            }
            Done::Entered { result: Ok(state), text } => {
                let index = self.place(&state);
                self.entered(&state);
                self.show(index);
                if let Some(text) = text {
                    self.say(&text);
                }
            }
            Done::Topic { room, result: Ok(topic) } => self.topic(&room, &topic),
            Done::Rooms { result: Ok(list) } => self.rooms(&list),
            Done::Found { text, result: Ok(page) } => self.found(&text, &page),
            Done::Renamed { result: Ok(name) } => self.renamed(&name),
            Done::Unread { result: Ok(list) } => self.unread(&list),
            // The counts are a help; without them nothing is lost.
            Done::Unread { result: Err(_) } => {}
            Done::Acted { result: Ok(text) } => self.note(&text),
            Done::Acted { result: Err(error) } => self.note(&error.to_string()),
            Done::Left { result: Ok(()) } | Done::Nothing => {}
            Done::Entered { result: Err(error), .. }
            | Done::Topic { result: Err(error), .. }
            | Done::Rooms { result: Err(error) }
            | Done::Found { result: Err(error), .. }
            | Done::Renamed { result: Err(error) }
            | Done::Left { result: Err(error) } => self.note(&error.to_string()),
        }
    }

    /// A text was acknowledged, or refused: then it is shown, so that it is not lost.
    fn said(&mut self, room: &str, id: u64, error: Option<Error>) {
        let time = self.unix_ms;
        let Some(chat) = self.find(room) else { return };
        let Some(at) = chat.unsaid.iter().position(|unsaid| unsaid.id == id) else { return };
        let Some(unsaid) = chat.unsaid.remove(at) else { return };
        if let Some(error) = error {
            chat.note(time, &format!("not sent: {error}\n{}", unsaid.text));
        }
    }

    fn topic(&mut self, room: &str, topic: &TopicState) {
        if let Some(chat) = self.find(room) {
            chat.topic = Arc::clone(&topic.topic);
        }
        let text = match (&topic.by, topic.topic.is_empty()) {
            (_, true) => "there is no topic".into(),
            (Some(by), false) => format!("the topic, set by {by}: {}", topic.topic),
            (None, false) => format!("the topic: {}", topic.topic),
        };
        self.note_in(room, &text);
    }

    fn rooms(&mut self, list: &RoomList) {
        let Page(rooms) = &list.rooms;
        let mut lines = vec!["Rooms:".to_owned()];
        for room in rooms.iter().filter(|room| !room.room.starts_with('@')) {
            let line = format!("  #{} ({}) {}", room.room, members(room.members), room.topic);
            lines.push(line.trim_end().to_owned());
        }
        if list.more {
            lines.push("  and more".to_owned());
        }
        self.note(&lines.join("\n"));
    }

    /// Another session goes on where the old one was: its rooms are entered anew.
    fn renamed(&mut self, name: &Arc<str>) {
        self.me = Arc::clone(name);
        self.link = Link::Online;
        for chat in self.chats.iter_mut().skip(1) {
            chat.joined = false;
            chat.members.clear();
        }
        let rooms: Vec<_> = self.chats.iter().skip(1).map(|chat| Arc::clone(&chat.room)).collect();
        for room in rooms.into_iter().filter(|room| !room.starts_with('@')) {
            self.effect(Effect::Join { room: room.as_ref().into() });
        }
        self.note(&format!("you are {name} now"));
    }

    /// The seq of the newest entry that is shown.
    #[cfg(test)]
    pub(super) fn newest(&self) -> klatch::base::id::Seq {
        self.chat().newest()
    }
}
