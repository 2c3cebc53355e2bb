//! How far a person has read: told to the server, and taken over from other devices.

use std::time::Duration;

use klatch::base::clock::Moment;
use klatch::base::id::Seq;
use klatch::protocol::event::Marked;
use klatch::protocol::reply::UnreadList;

use super::app::{App, Effect, Link};

/// The server is told at most so often.
const PAUSE: Duration = Duration::from_secs(1);

/// What was told and asked.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// When the server was told last how far was read.
    told: Option<Moment>,
    /// Whether it was asked what is unread.
    asked: bool,
}

impl App {
    /// The seq up to which the shown room was read and the server does not know it; none for guests.
    fn owed(&self) -> Option<Seq> {
        let chat = self.chat();
        let newest = chat.newest();
        let online = matches!(self.link, Link::Online) && chat.joined;
        chat.mark.filter(|mark| online && *mark < newest).map(|_| newest)
    }

    /// Whether the server is to be told something, now or in a moment.
    pub(super) fn owes_mark(&self) -> bool {
        self.owed().is_some()
    }

    /// Tells the server how far was read, if it is time.
    pub(super) fn mark_read(&mut self) {
        let Some(seq) = self.owed() else { return };
        if self.reading.told.is_some_and(|told| self.now.since(told) < PAUSE) {
            return;
        }
        self.reading.told = Some(self.now);
        let chat = self.chat_mut();
        chat.mark = Some(seq);
        let room = std::sync::Arc::clone(&chat.room);
        self.effect(Effect::MarkRead { room, seq });
    }

    /// Another device has read so far.
    pub(super) fn read_elsewhere(&mut self, marked: &Marked) {
        let Some(chat) = self.find(&marked.room) else { return };
        chat.mark = chat.mark.max(Some(marked.seq));
        if marked.seq >= chat.newest() {
            (chat.unread, chat.mentioned) = (0, false);
        }
    }

    /// A session has begun: what is unread is to be asked for once.
    pub(super) fn begin_reading(&mut self) {
        self.reading = Reading::default();
    }

    /// Asks what came while the person was away; `mark` is what the server says of a room.
    pub(super) fn ask_unread(&mut self, mark: Option<Seq>) {
        if mark.is_some() && !self.reading.asked {
            self.reading.asked = true;
            self.effect(Effect::Unread);
        }
    }

    /// What came while the person was away.
    pub(super) fn unread(&mut self, list: &UnreadList) {
        let shown = std::sync::Arc::clone(&self.chat().room);
        for info in list.rooms.0.iter().filter(|info| info.room != shown) {
            if let Some(chat) = self.find(&info.room) {
                chat.unread = chat.unread.max(info.unread);
                chat.mentioned |= info.mentions > 0 || chat.with.is_some();
            }
        }
    }
}
