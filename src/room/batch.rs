//! What a room has to send after one turn: held together until its commit, then let go in order.
//!
//! **Invariants:** frames reach a member after it was let in and before it was let go, on every
//! worker; nothing that stands on an entry goes out before that entry's commit, or at all if the
//! commit failed.

use bytes::BytesMut;

use crate::base::id::{AccountId, Seq, SessionId, WorkerId};
use crate::base::limits::{FLUSH_SOCKETS, ROOM_BATCH_BYTES};
use crate::base::name::{Identity, RoomName};
use crate::fanout::actor::Step;
use crate::protocol::codec;
use crate::protocol::event::Event;
use crate::protocol::reply::{Empty, RoomState, Said, TopicState};
use crate::protocol::status::Refusal;
use crate::store::standing::{Settings, Standing};
use crate::store::{Changes, Fate, NewEntry};

/// Room for the frames of a quiet turn without growing.
const FRAMES_BYTES: usize = 256;

/// One turn's work of a room.
#[derive(Debug)]
pub struct Batch {
    /// What is to be stored.
    pub changes: Changes,
    /// How accounts stood to the room before: to go back to, if it is not.
    pub before: Vec<(AccountId, std::sync::Arc<str>, Standing)>,
    /// How the room was set before, likewise.
    pub settings_before: Option<Settings>,
    /// How the room was called before, likewise.
    pub name_before: Option<RoomName>,
    /// Whether something of it was to be stored.
    pub stores: bool,
    /// What becomes of the room with it.
    pub fate: Option<Fate>,
    plans: Vec<Vec<Planned>>,
    frames: BytesMut,
    frames_stored: bool,
}

/// A step that may hang on the commit.
#[derive(Debug)]
enum Planned {
    Step(Step),
    /// What shows something stored.
    Shown(Step),
    Said(SessionId, u32, Said),
    Topic(SessionId, u32, Box<TopicState>),
    Done(SessionId, u32),
    Room(SessionId, Answer, Box<RoomState>),
}

/// How a session that was let in learns of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// As the result of its request.
    Result(u32),
    /// By the event `room`.
    Event,
}

/// How many sessions of each worker are in the room.
#[derive(Debug)]
pub struct Attached(Vec<u32>);

impl Attached {
    /// None on any of `workers`.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self(vec![0; workers])
    }

    /// Whether they are more than are written to in one turn.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.0.iter().map(|&count| count as usize).sum::<usize>() > FLUSH_SOCKETS
    }

    fn count(&mut self, worker: WorkerId) -> &mut u32 {
        &mut self.0[usize::from(worker.0)]
    }
}

impl Batch {
    /// Nothing to send to any of `workers`.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self {
            changes: Changes::default(),
            before: Vec::new(),
            settings_before: None,
            name_before: None,
            fate: None,
            stores: false,
            plans: (0..workers).map(|_| Vec::new()).collect(),
            frames: BytesMut::new(),
            frames_stored: false,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.frames.is_empty() && self.plans.iter().all(Vec::is_empty)
    }

    /// Stores an entry and shows it to everybody.
    pub fn store(&mut self, attached: &Attached, room: &std::sync::Arc<str>, entry: NewEntry) {
        // Rooms make entries of kinds that they know.
        let Some(event) = Event::of(room, entry.entry.clone()) else { return };
        self.changes.entries.push(entry);
        self.append(attached, &event, true);
    }

    /// Stores how an account stands to the room; `before` is what holds if that fails.
    pub fn settle(&mut self, who: &Identity, before: Standing, now: Standing) {
        let account = who.account;
        self.before.push((account, std::sync::Arc::clone(who.name.shared()), before));
        if !account.is_guest() {
            self.changes.standings.push((account, now));
        }
    }

    /// Stores how the room is set; `before` is what holds if that fails.
    pub fn configure(&mut self, before: Settings, now: Settings) {
        self.settings_before.get_or_insert(before);
        self.changes.settings = Some(now);
    }

    /// Stores that the room is called otherwise, and shows it to everybody.
    pub fn rename(
        &mut self,
        attached: &Attached,
        name: RoomName,
        before: RoomName,
        renamed: &Event,
    ) {
        self.name_before.get_or_insert(before);
        self.changes.fate = Some(Fate::Renamed(name));
        self.append(attached, renamed, true);
    }

    /// Tells many sessions the same, whatever becomes of the changes.
    pub fn inform_all(&mut self, sessions: &[SessionId], event: &Event) {
        let frame = codec::event_frame(event);
        for &session in sessions {
            self.plan(session, Planned::Step(Step::Send(session, frame.clone())));
        }
    }

    /// Tells one session something, whatever becomes of the changes.
    pub fn inform(&mut self, session: SessionId, event: &Event) {
        self.plan(session, Planned::Step(Step::Send(session, codec::event_frame(event))));
    }

    /// Tells one session of a change, once it is stored.
    pub fn show(&mut self, session: SessionId, event: &Event) {
        self.plan(session, Planned::Shown(Step::Send(session, codec::event_frame(event))));
    }

    /// Acknowledges a change of this batch that has no result.
    pub fn acknowledge_change(&mut self, session: SessionId, id: u32) {
        self.plan(session, Planned::Done(session, id));
    }

    /// Tells everybody something that is not stored.
    pub fn tell(&mut self, attached: &Attached, event: &Event) {
        self.append(attached, event, false);
    }

    fn append(&mut self, attached: &Attached, event: &Event, stored: bool) {
        if self.frames_stored != stored || self.frames.len() >= ROOM_BATCH_BYTES {
            self.cut(attached);
        }
        self.frames_stored = stored;
        if self.frames.is_empty() {
            self.frames.reserve(FRAMES_BYTES);
        }
        codec::append_event(&mut self.frames, event);
    }

    /// Ends the run of frames: whoever comes next gets only what comes next.
    fn cut(&mut self, attached: &Attached) {
        if self.frames.is_empty() {
            return;
        }
        let frames = self.frames.split().freeze();
        for (plan, _) in self.plans.iter_mut().zip(&attached.0).filter(|(_, count)| **count > 0) {
            let step = Step::Broadcast(frames.clone());
            plan.push(if self.frames_stored { Planned::Shown(step) } else { Planned::Step(step) });
        }
    }

    fn plan(&mut self, session: SessionId, planned: Planned) {
        self.plans[usize::from(session.worker.0)].push(planned);
    }

    /// Lets a session receive everything from here on.
    pub fn attach(&mut self, attached: &mut Attached, session: SessionId) {
        self.cut(attached);
        *attached.count(session.worker) += 1;
        self.plan(session, Planned::Step(Step::Attach(session)));
    }

    /// Lets it receive nothing from here on.
    pub fn detach(&mut self, attached: &mut Attached, session: SessionId) {
        self.cut(attached);
        let count = attached.count(session.worker);
        *count = count.saturating_sub(1);
        self.plan(session, Planned::Step(Step::Detach(session)));
    }

    /// Answers a request, whatever becomes of the entries.
    pub fn respond<T: serde::Serialize>(&mut self, session: SessionId, id: u32, result: &T) {
        let frame = codec::result_frame(id, result);
        self.plan(session, Planned::Step(Step::Respond(session, frame)));
    }

    /// Refuses a request.
    pub fn refuse(&mut self, session: SessionId, id: u32, refusal: &Refusal) {
        let frame = codec::refusal_frame(id, refusal);
        self.plan(session, Planned::Step(Step::Respond(session, frame)));
    }

    /// Acknowledges a message of this batch.
    pub fn acknowledge(&mut self, session: SessionId, id: u32, said: Said) {
        self.plan(session, Planned::Said(session, id, said));
    }

    /// Acknowledges a topic of this batch.
    pub fn acknowledge_topic(&mut self, session: SessionId, id: u32, topic: TopicState) {
        self.plan(session, Planned::Topic(session, id, Box::new(topic)));
    }

    /// Shows the room to a session that was let in.
    pub fn show_room(&mut self, session: SessionId, answer: Answer, room: RoomState) {
        self.plan(session, Planned::Room(session, answer, Box::new(room)));
    }

    /// Ends the batch: nothing is added after this.
    pub fn seal(&mut self, attached: &Attached) {
        self.cut(attached);
    }

    /// The steps for each worker: after the commit, or after a failure that left the order at `Seq`.
    pub fn release(self, outcome: &Result<(), (Refusal, Seq)>) -> Vec<Vec<Step>> {
        let plans = self.plans.into_iter();
        plans.map(|plan| plan.into_iter().filter_map(|p| p.resolve(outcome)).collect()).collect()
    }
}

impl Planned {
    fn resolve(self, outcome: &Result<(), (Refusal, Seq)>) -> Option<Step> {
        let failed = outcome.as_ref().err();
        let answered = |session, id, frame: &dyn Fn() -> bytes::Bytes| {
            let frame = failed.map_or_else(frame, |(refusal, _)| codec::refusal_frame(id, refusal));
            Some(Step::Respond(session, frame))
        };
        match self {
            Self::Step(step) => Some(step),
            Self::Shown(step) => failed.is_none().then_some(step),
            Self::Said(session, id, said) => {
                answered(session, id, &|| codec::result_frame(id, &said))
            }
            Self::Topic(session, id, topic) => {
                answered(session, id, &|| codec::result_frame(id, &*topic))
            }
            Self::Done(session, id) => {
                answered(session, id, &|| codec::result_frame(id, &Empty {}))
            }
            Self::Room(session, answer, mut room) => {
                if let Some((_, head)) = failed {
                    room.seq = room.seq.min(*head);
                }
                Some(match answer {
                    Answer::Result(id) => Step::Respond(session, codec::result_frame(id, &*room)),
                    Answer::Event => Step::Send(session, codec::event_frame(&Event::Room(*room))),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::ServerPing;
    use crate::protocol::reply::{Entry, EntryKind};
    use crate::protocol::status::Code;

    fn session(worker: u16, slot: u32) -> SessionId {
        SessionId { worker: WorkerId(worker), slot, generation: 0 }
    }

    fn entry(seq: u64) -> NewEntry {
        let (kind, from, text) = (EntryKind::Message, "ann".into(), "hi".into());
        let entry = Entry::new(Seq(seq), 0, kind, from, text);
        NewEntry { entry, account: AccountId(1), key: None }
    }

    /// The steps as words: A(ttach) D(etach) B(roadcast) R(espond).
    fn words(steps: &[Step]) -> String {
        let word = |step: &Step| match step {
            Step::Attach(_) => 'A',
            Step::Detach(_) => 'D',
            Step::Broadcast(_) => 'B',
            Step::Respond(..) => 'R',
            Step::Send(..) => 'S',
        };
        steps.iter().map(word).collect()
    }

    fn filled() -> (Batch, Attached) {
        let (mut attached, mut batch) = (Attached::new(2), Batch::new(2));
        let room = "ops".into();
        batch.attach(&mut attached, session(0, 1));
        batch.store(&attached, &room, entry(1));
        batch.store(&attached, &room, entry(2));
        batch.acknowledge(session(0, 1), 5, Said { seq: Seq(1), time: 0, dup: false });
        batch.tell(&attached, &Event::Ping(ServerPing {}));
        batch.attach(&mut attached, session(1, 1));
        batch.store(&attached, &room, entry(3));
        batch.detach(&mut attached, session(0, 1));
        batch.tell(&attached, &Event::Ping(ServerPing {}));
        batch.seal(&attached);
        (batch, attached)
    }

    #[test]
    fn each_worker_gets_what_its_members_may_see_in_order() {
        let (batch, _) = filled();
        assert_eq!(batch.changes.entries.len(), 3);
        let steps = batch.release(&Ok(()));
        assert_eq!(words(&steps[0]), "ARBBBD", "the first two messages are one run");
        assert_eq!(words(&steps[1]), "ABB");
    }

    #[test]
    fn after_a_failed_commit_nothing_of_it_is_shown() {
        let (batch, _) = filled();
        let steps = batch.release(&Err((Code::StorageFull.into(), Seq(0))));
        assert_eq!(words(&steps[0]), "ARBD", "the broadcast left is the volatile one");
        assert_eq!(words(&steps[1]), "AB");
        let Step::Respond(_, frame) = &steps[0][1] else { panic!("{:?}", steps[0]) };
        let codec::Incoming::Response { id, outcome } =
            codec::decode_incoming(&frame[4..]).unwrap()
        else {
            panic!("a response");
        };
        assert_eq!((id, outcome.unwrap_err().code), (5, Code::StorageFull.number()));
    }
}
