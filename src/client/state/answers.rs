//! What the client does with what the server says.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::{
    Core, FAREWELL, FETCHES, HELD, Identity, Phase, Purpose, ROOMS, Ready, Right, SETTLING,
};
use crate::base::clock::Moment;
use crate::base::id::Seq;
use crate::base::limits;
use crate::client::Error;
use crate::client::event::Event;
use crate::client::requests::{Outcome, Owner};
use crate::client::room::Room;
use crate::protocol::VERSION;
use crate::protocol::codec;
use crate::protocol::event as wire;
use crate::protocol::reply::{HistoryPage, LoggedIn, RoomState, Welcome};
use crate::protocol::request::{Direct, History, Join, Login, Ping, Quit, Register};
use crate::protocol::status::ErrorBody;

impl<T> Core<T> {
    pub(super) fn answered(
        &mut self,
        id: u32,
        outcome: Result<Bytes, ErrorBody>,
        now: Moment,
    ) -> Result<(), Error> {
        let outcome = outcome.map_err(Error::from);
        match self.requests.answered(id) {
            Some(Owner::Own(purpose)) => self.own_answered(purpose, outcome, now),
            Some(Owner::Caller { reply, purpose, .. }) => {
                let noted = self.note(&purpose, &outcome);
                self.answers.push_back((reply, outcome));
                noted
            }
            None => Err(Error::Protocol(format!("an answer to request {id}, which is not open"))),
        }
    }

    /// What a caller's answer changes for the client itself.
    fn note(&mut self, purpose: &Purpose, outcome: &Outcome) -> Result<(), Error> {
        match (purpose, outcome) {
            (Purpose::Enter, Ok(result)) => self.enter(decode(result)?),
            (Purpose::Leave(room), Ok(_)) => {
                self.gone(room, None);
                Ok(())
            }
            // A logout that was refused is no logout.
            (Purpose::Logout, Err(_)) => {
                self.leaving = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn own_answered(
        &mut self,
        purpose: Purpose,
        outcome: Outcome,
        now: Moment,
    ) -> Result<(), Error> {
        match purpose {
            Purpose::Hello => self.welcomed(decode(&outcome?)?),
            Purpose::Login => self.logged_in(decode(&outcome?)?, now),
            Purpose::Return(room) => self.returned(&room, outcome, now),
            Purpose::Fetch(room) => self.fetched(&room, outcome, now),
            // The answer to a ping says nothing but that it is there.
            Purpose::Ping
            | Purpose::Say
            | Purpose::Enter
            | Purpose::Leave(_)
            | Purpose::Logout
            | Purpose::Other => Ok(()),
        }
    }

    fn welcomed(&mut self, welcome: Welcome) -> Result<(), Error> {
        if welcome.version != VERSION {
            let why = format!("version {} was chosen, {VERSION} was offered", welcome.version);
            return Err(Error::Protocol(why));
        }
        self.requests.limit(&welcome.limits);
        self.welcome = Some(Arc::new(welcome));
        let Identity { name, device, right, .. } = self.identity.clone();
        let login = Login { name, password: None, token: None, device, timeout_ms: None };
        match (self.token.clone(), right) {
            (Some(token), _) | (None, Right::Token(token)) => {
                self.ask(&Login { token: Some(token), device: None, ..login }, Purpose::Login);
            }
            (None, Right::Guest) => self.ask(&login, Purpose::Login),
            (None, Right::Password(password)) => {
                self.ask(&Login { password: Some(password), ..login }, Purpose::Login);
            }
            (None, Right::Register(password, invite)) => {
                let Login { name, device, .. } = login;
                let register = Register { name, password, invite, device, timeout_ms: None };
                self.ask(&register, Purpose::Login);
            }
        }
        Ok(())
    }

    /// The name is held. What the server does not put the client back into, it enters itself.
    fn logged_in(&mut self, login: LoggedIn, now: Moment) -> Result<(), Error> {
        let Some(welcome) = self.welcome.clone() else {
            return Err(Error::Protocol("a login was answered before hello".into()));
        };
        self.token = Some(login.token.clone());
        self.backlog.push(Event::Connected {
            name: Arc::clone(&login.name),
            server: welcome.server.clone(),
            motd: welcome.motd.clone(),
        });
        let wanted: Vec<_> = if self.was_ready {
            self.rooms.iter().map(|(name, room)| (Arc::clone(name), room.with().cloned())).collect()
        } else {
            self.identity.rooms.iter().map(|name| (Arc::clone(name), None)).collect()
        };
        let mut waiting: BTreeSet<_> = login.rooms.iter().take(ROOMS).cloned().collect();
        for (room, with) in wanted {
            if waiting.insert(Arc::clone(&room)) {
                self.come_back(room, with);
            }
        }
        if !self.was_ready {
            let rooms = login.rooms;
            self.ready = Some(Ok(Ready {
                name: login.name,
                guest: login.guest,
                token: login.token,
                welcome,
                rooms,
            }));
        }
        self.phase = Phase::Settling { waiting, until: now.after(SETTLING) };
        self.settle(None, now);
        Ok(())
    }

    /// A direct room is opened anew: its name does not outlive the server.
    fn come_back(&mut self, room: Arc<str>, with: Option<Arc<str>>) {
        if let Some(with) = with {
            self.ask(&Direct { name: with.into(), timeout_ms: None }, Purpose::Return(room));
        } else {
            let join = Join { room: Arc::clone(&room).into(), timeout_ms: None };
            self.ask(&join, Purpose::Return(room));
        }
    }

    fn returned(&mut self, room: &Arc<str>, outcome: Outcome, now: Moment) -> Result<(), Error> {
        match outcome {
            Ok(result) => {
                let state: RoomState = decode(&result)?;
                let renamed = state.room != *room;
                self.enter(state)?;
                if renamed {
                    self.gone(room, None);
                }
            }
            Err(error) if !self.was_ready => self.give_up(error.about(room), now),
            // A server in trouble is tried again, from the start.
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => self.gone(room, Some(error)),
        }
        self.settle(Some(room), now);
        Ok(())
    }

    /// The first connection is not what the caller asked for. It ends with a logout: a name that
    /// was just taken would be kept for a while otherwise, also from the caller's next attempt.
    fn give_up(&mut self, error: Error, now: Moment) {
        if self.failed.is_none() {
            self.failed = Some(error);
            self.leaving = true;
            self.phase = Phase::Greeting { until: now.after(FAREWELL) };
            self.ask(&Quit { timeout_ms: None }, Purpose::Logout);
        }
    }

    fn fetched(&mut self, room: &str, outcome: Outcome, now: Moment) -> Result<(), Error> {
        let Some(room) = self.rooms.get_mut(room) else { return Ok(()) };
        match outcome {
            Ok(result) => room.page(decode::<HistoryPage>(&result)?, &mut self.backlog),
            Err(error) => {
                let wait = error.retry_after().unwrap_or_default();
                let wait = error.is_temporary().then_some(wait);
                room.page_refused(wait, now, &mut self.backlog);
            }
        }
        Ok(())
    }

    pub(super) fn event(&mut self, event: wire::Event, now: Moment) -> Result<(), Error> {
        if let Some((room, seq)) = event.place() {
            let room = Arc::clone(room);
            if let Some(event) = Event::stored(event) {
                self.live(&room, seq, event);
            }
            return Ok(());
        }
        match event {
            wire::Event::Room(state) => {
                let room = Arc::clone(&state.room);
                self.enter(state)?;
                self.settle(Some(&room), now);
            }
            wire::Event::Joined(joined) => self.offer(&joined.room.clone(), Event::Joined(joined)),
            wire::Event::Left(left) => self.offer(&left.room.clone(), Event::Left(left)),
            wire::Event::Typing(typing) => self.offer(&typing.room.clone(), Event::Typing(typing)),
            wire::Event::Removed(removed) => {
                if self.rooms.remove(&removed.room).is_some() {
                    self.backlog.push(Event::Removed(removed));
                }
            }
            wire::Event::Invited(invited) => self.backlog.offer(Event::Invited(invited)),
            wire::Event::Configured(set) => self.offer(&set.room.clone(), Event::Configured(set)),
            wire::Event::Renamed(renamed) => self.rename(renamed),
            wire::Event::Ranked(ranked) => self.offer(&ranked.room.clone(), Event::Ranked(ranked)),
            wire::Event::Read(mark) => self.offer(&mark.room.clone(), Event::Read(mark)),
            wire::Event::Ping(_) => self.ask(&Ping { timeout_ms: None }, Purpose::Ping),
            wire::Event::Bye(bye) => {
                self.backlog.push(Event::Bye(bye.clone()));
                self.bye = Some(bye);
            }
            // They have a place in a room's order.
            wire::Event::Message(_)
            | wire::Event::TopicChanged(_)
            | wire::Event::Edit(_)
            | wire::Event::Delete(_)
            | wire::Event::React(_)
            | wire::Event::Unreact(_) => {}
        }
        Ok(())
    }

    fn live(&mut self, room: &str, seq: Seq, event: Event) {
        let held: usize = if self.behind { self.rooms.values().map(Room::held).sum() } else { 0 };
        // A room that was just left may still be heard of.
        let Some(room) = self.rooms.get_mut(room) else { return };
        room.live(seq, event, held < HELD, &mut self.backlog);
        self.behind |= room.is_behind();
    }

    fn offer(&mut self, room: &str, event: Event) {
        if self.rooms.contains_key(room) {
            self.backlog.offer(event);
        }
    }

    /// A room has another name from now on, and goes on as it is.
    fn rename(&mut self, renamed: wire::Renamed) {
        if let Some(mut room) = self.rooms.remove(&renamed.room) {
            room.rename(&renamed.name);
            self.behind |= room.is_behind();
            self.rooms.insert(Arc::clone(&renamed.name), room);
            self.backlog.push(Event::Renamed(renamed));
        }
    }

    fn enter(&mut self, state: RoomState) -> Result<(), Error> {
        // While the client was away the room may have got another name: its epoch tells.
        let same =
            |(_, room): &(&Arc<str>, &Room)| room.epoch() == state.epoch && state.epoch.0 != 0;
        if !self.rooms.contains_key(&state.room)
            && let Some(old) = self.rooms.iter().find(same).map(|(name, _)| Arc::clone(name))
        {
            let (room, name) = (old, Arc::clone(&state.room));
            self.rename(wire::Renamed { room, name, by: "".into() });
        }
        if let Some(room) = self.rooms.get_mut(&state.room) {
            room.enter(&state, &mut self.backlog);
            self.behind |= room.is_behind();
        } else if self.rooms.len() < ROOMS {
            self.rooms.insert(Arc::clone(&state.room), Room::new(&state));
        } else {
            return Err(Error::Protocol(format!("more than {ROOMS} rooms")));
        }
        self.backlog.push(Event::Room(state));
        Ok(())
    }

    fn gone(&mut self, room: &Arc<str>, why: Option<Error>) {
        if self.rooms.remove(room).is_some() {
            self.backlog.push(Event::Gone { room: Arc::clone(room), why });
        }
    }

    /// One room less to wait for; with the last the callers' requests flow.
    fn settle(&mut self, entered: Option<&Arc<str>>, now: Moment) {
        let Phase::Settling { waiting, .. } = &mut self.phase else { return };
        if let Some(room) = entered {
            waiting.remove(room);
        }
        if waiting.is_empty() {
            self.online(now);
        }
    }

    pub(super) fn online(&mut self, now: Moment) {
        self.phase = Phase::Online { since: now };
        self.was_ready = true;
    }

    /// Tells what can be told, and asks for what is missing.
    pub(super) fn catch_up(&mut self, now: Moment) {
        if !self.behind || !self.is_online() {
            return;
        }
        let mut asks = Vec::new();
        self.behind = false;
        let mut fetching = self.rooms.values().filter(|room| room.is_fetching()).count();
        for (name, room) in &mut self.rooms {
            room.drain(&mut self.backlog);
            self.behind |= room.is_behind();
            if fetching < FETCHES
                && let Some(after) = room.wants_page(now, &self.backlog)
            {
                room.fetching();
                fetching += 1;
                asks.push((Arc::clone(name), after));
            }
        }
        for (room, after) in asks {
            self.fetch(room, after);
        }
    }

    fn fetch(&mut self, room: Arc<str>, after: Seq) {
        let limit = u32::try_from(self.backlog.free()).unwrap_or(limits::HISTORY_PAGE);
        let page = History {
            room: Arc::clone(&room).into(),
            before: None,
            after: Some(after),
            around: None,
            at: None,
            limit: Some(limit.min(limits::HISTORY_PAGE)),
            timeout_ms: None,
        };
        self.ask(&page, Purpose::Fetch(room));
    }
}

fn decode<R: serde::de::DeserializeOwned>(result: &[u8]) -> Result<R, Error> {
    codec::result(result).map_err(Error::Protocol)
}
