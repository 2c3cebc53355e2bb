//! Who comes last in a worker's turn: strangers, those whose session ends, and those who ask for more
//! than their budget. They go on a few at a time, and between two portions the worker looks at all of its
//! sockets again, so that whoever chats waits for a few of them and never for the thousand that have come,
//! are cut, or flood in one moment.
//!
//! **Owns:** a place for each session that waits.
//! **Bound:** one place for each session, and [`APPROACHES`] connections on their way to this worker;
//! further ones wait in the listening socket.

pub mod actor;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::clock::Moment;
use crate::base::limits::{APPROACHES, LANE_SESSIONS, LANE_SESSIONS_ALONE};
use crate::fanout::link::{Link, Turn};

/// How long somebody who chats counts as being here.
const COMPANY: Duration = Duration::from_secs(1);
/// How long a session lasts before what it does counts as chatting: thousands who come back at once are not
/// in each other's way.
const SETTLED: Duration = Duration::from_secs(2);

/// The part that a connection on its way to the worker has, until the lane has had a turn.
pub type Approach = OwnedSemaphorePermit;

/// How many connections may be on their way to one worker.
#[derive(Debug, Clone)]
pub struct Approaches(Arc<Semaphore>);

impl Default for Approaches {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(APPROACHES)))
    }
}

impl Approaches {
    /// Waits until one more may come.
    pub async fn next(&self) -> Option<Approach> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }

    /// Whether one more may come now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.0.available_permits() > 0
    }
}

/// Those who wait, in three lines that go on by turns: who logs in stands behind no flood, and behind none
/// of the thousand that are cut in one moment.
#[derive(Debug, Default)]
struct Waiting {
    others: VecDeque<Rc<Link>>,
    strained: VecDeque<Rc<Link>>,
    ending: VecDeque<Rc<Link>>,
}

impl Waiting {
    fn join(&mut self, link: &Rc<Link>, now: Moment) {
        let line = if link.closing().is_some() {
            &mut self.ending
        } else if link.is_strained(now) {
            &mut self.strained
        } else {
            &mut self.others
        };
        line.push_back(Rc::clone(link));
    }

    /// The next one: of the line whose turn it is, or of the next that is not empty.
    fn next(&mut self, turn: usize) -> Option<Rc<Link>> {
        let mut lines = [&mut self.others, &mut self.strained, &mut self.ending];
        lines.rotate_left(turn % 3);
        lines.into_iter().find_map(VecDeque::pop_front)
    }

    fn is_empty(&self) -> bool {
        self.others.is_empty() && self.strained.is_empty() && self.ending.is_empty()
    }
}

/// The lane of one worker.
#[derive(Debug)]
pub struct Lane {
    /// How many have gone on in this turn.
    passed: Cell<usize>,
    /// How many may.
    size: Cell<usize>,
    /// Until when somebody chats here.
    company: Cell<Moment>,
    waiting: RefCell<Waiting>,
    /// The parts of those who have come in this turn: given back together, so that the next ones come
    /// together too.
    come: RefCell<Option<Approach>>,
    caller: RefCell<Option<Waker>>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            passed: Cell::new(0),
            size: Cell::new(LANE_SESSIONS_ALONE),
            company: Cell::new(Moment(0)),
            waiting: RefCell::default(),
            come: RefCell::default(),
            caller: RefCell::default(),
        }
    }
}

impl Lane {
    /// Whether a session may go on now; if not, its task is woken when it may.
    pub(super) fn pass(&self, link: &Rc<Link>, now: Moment) -> bool {
        if !link.comes_last(now) {
            if now >= link.since.get().after(SETTLED) {
                self.company.set(now.after(COMPANY));
            }
            return true;
        }
        let is_alone = now >= self.company.get();
        self.size.set(if is_alone { LANE_SESSIONS_ALONE } else { LANE_SESSIONS });
        match link.turn.get() {
            Turn::Given => link.turn.set(Turn::Unasked),
            Turn::Awaited => return false,
            Turn::Unasked if self.passed.get() < self.size.get() => {
                self.passed.set(self.passed.get() + 1);
            }
            Turn::Unasked => {
                link.turn.set(Turn::Awaited);
                self.waiting.borrow_mut().join(link, now);
                self.wake();
                return false;
            }
        }
        true
    }

    /// A connection has come; the next one may when the lane has had a turn.
    pub fn come(&self, approach: Approach) {
        let mut come = self.come.borrow_mut();
        match come.as_mut() {
            Some(parts) => parts.merge(approach),
            None => *come = Some(approach),
        }
        self.wake();
    }

    /// Begins a turn: calls those who have waited longest.
    fn call(&self) {
        drop(self.come.take());
        let mut waiting = self.waiting.borrow_mut();
        self.passed.set(0);
        for link in (0..self.size.get()).map_while(|turn| waiting.next(turn)) {
            self.passed.set(self.passed.get() + 1);
            link.turn.set(Turn::Given);
            link.wake();
        }
    }

    /// Whether anybody waits for a turn; if not, the caller is woken when somebody does.
    fn is_wanted(&self, cx: &Context<'_>) -> bool {
        let wanted = !self.waiting.borrow().is_empty() || self.come.borrow().is_some();
        *self.caller.borrow_mut() = (!wanted).then(|| cx.waker().clone());
        wanted
    }

    fn wake(&self) {
        if let Some(caller) = self.caller.take() {
            caller.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::base::id::{SessionId, WorkerId};
    use crate::protocol::event::LeaveReason;
    use crate::transport::Stream;

    const NOW: Moment = Moment(1);

    fn links(count: usize) -> Vec<Rc<Link>> {
        let link = |slot| {
            let id = SessionId { worker: WorkerId(0), slot, generation: 0 };
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
            Rc::new(Link::new(id, Stream::Closed, peer, Moment(0)))
        };
        (0..u32::try_from(count).unwrap()).map(link).collect()
    }

    #[test]
    fn a_few_pass_in_each_turn_and_nobody_overtakes() {
        let (lane, all) = (Lane::default(), links(3 * LANE_SESSIONS_ALONE));
        let passed = |lane: &Lane| -> Vec<usize> {
            let passed = all.iter().filter(|link| lane.pass(link, NOW));
            passed.map(|link| link.id().slot as usize).collect()
        };
        let turn = |turn: usize| -> Vec<usize> {
            (turn * LANE_SESSIONS_ALONE..(turn + 1) * LANE_SESSIONS_ALONE).collect()
        };
        assert_eq!(passed(&lane), turn(0));
        // They ask again, and so stand in line as the others do.
        assert!(passed(&lane).is_empty());
        for next in [1, 2, 0, 1] {
            lane.call();
            assert_eq!(passed(&lane), turn(next));
        }
    }

    #[test]
    fn who_logs_in_stands_behind_no_flood_and_behind_none_who_are_cut() {
        const EACH: usize = 2 * LANE_SESSIONS_ALONE;
        let (lane, all) = (Lane::default(), links(4 * EACH));
        let (strained, others) = all.split_at(2 * EACH);
        let (ending, strangers) = others.split_at(EACH);
        for link in strained {
            link.strained.set(Moment(2));
        }
        for link in ending {
            link.set_closing(LeaveReason::Timeout, NOW);
        }
        let passed = all.iter().filter(|link| lane.pass(link, NOW)).count();
        assert_eq!(passed, LANE_SESSIONS_ALONE);
        let called = |links: &[Rc<Link>]| {
            let given = links.iter().filter(|link| link.turn.get() == Turn::Given);
            given.map(|link| link.turn.set(Turn::Unasked)).count()
        };
        lane.call();
        let (strangers, ending, strained) = (called(strangers), called(ending), called(strained));
        assert_eq!(strangers, LANE_SESSIONS_ALONE.div_ceil(3));
        assert_eq!(ending, LANE_SESSIONS_ALONE / 3);
        assert_eq!(strangers + ending + strained, LANE_SESSIONS_ALONE);
    }

    #[test]
    fn an_empty_line_leaves_its_turn_to_the_others() {
        let prepare: [fn(&Link); 3] = [
            |_| (),
            |link| link.strained.set(Moment(2)),
            |link| link.set_closing(LeaveReason::Timeout, NOW),
        ];
        for prepare in prepare {
            let (lane, all) = (Lane::default(), links(3 * LANE_SESSIONS_ALONE));
            for link in &all {
                prepare(link);
            }
            assert_eq!(all.iter().filter(|link| lane.pass(link, NOW)).count(), LANE_SESSIONS_ALONE);
            lane.call();
            let given = all.iter().filter(|link| link.turn.get() == Turn::Given).count();
            assert_eq!(given, LANE_SESSIONS_ALONE);
        }
    }

    #[test]
    fn fewer_pass_while_somebody_chats() {
        let (lane, all) = (Lane::default(), links(3 * LANE_SESSIONS_ALONE));
        let (strangers, chatting) = all.split_at(2 * LANE_SESSIONS_ALONE);
        let passed = |now| strangers.iter().filter(|link| lane.pass(link, now)).count();
        chatting[0].named.set(true);
        // One who has only just come is in nobody's company.
        assert!(lane.pass(&chatting[0], NOW));
        assert_eq!(passed(NOW), LANE_SESSIONS_ALONE);
        let now = NOW.after(SETTLED);
        assert!(lane.pass(&chatting[0], now));
        for _ in 0..2 {
            assert_eq!(passed(now), 0);
            lane.call();
            assert_eq!(passed(now), LANE_SESSIONS);
        }
        let later = now.after(COMPANY);
        // The turn has room for more again.
        assert_eq!(passed(later), LANE_SESSIONS);
        lane.call();
        assert_eq!(passed(later), LANE_SESSIONS_ALONE);
    }

    #[test]
    fn what_a_turn_has_left_is_for_those_who_come() {
        let (lane, all) = (Lane::default(), links(2 * LANE_SESSIONS_ALONE));
        let passed =
            |from: usize| all.iter().skip(from).filter(|link| lane.pass(link, NOW)).count();
        assert_eq!(passed(LANE_SESSIONS_ALONE - 1), LANE_SESSIONS_ALONE);
        lane.call();
        assert_eq!(passed(0), LANE_SESSIONS_ALONE);
    }

    #[test]
    fn the_next_may_come_when_the_lane_has_had_a_turn() {
        let (lane, approaches) = (Lane::default(), Approaches::default());
        let next = || Arc::clone(&approaches.0).try_acquire_owned();
        for _ in 0..APPROACHES {
            lane.come(next().unwrap());
        }
        assert!(next().is_err() && !approaches.has_room());
        lane.call();
        assert!(next().is_ok());
    }
}
