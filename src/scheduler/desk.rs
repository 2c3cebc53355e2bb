//! Where sessions hand in their requests: done at once while nobody waits, in fair order otherwise.
//!
//! On an idle worker a request costs no queue, no wake-up and no other task. The allowance of such
//! shortcuts is small and is renewed by the Scheduler's own turn, so that a flood falls into the
//! queue after a few requests.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::task::Waker;

use super::queue::{Place, Queue};
use crate::base::tally::Tally;
use crate::protocol::request::Class;

/// Requests done without the queue between two turns of the Scheduler.
const ALLOWANCE: u32 = 16;

/// What is to be done with a job that was handed in.
#[derive(Debug, PartialEq, Eq)]
pub enum Submitted<J> {
    /// Do it now: nobody waits.
    Now(J),
    /// It waits for its turn.
    Queued,
    /// The queue is full.
    Full(J),
}

/// The desk of one worker.
#[derive(Debug)]
pub struct Desk<J> {
    queue: RefCell<Queue<J>>,
    allowance: Cell<u32>,
    scheduler: RefCell<Option<Waker>>,
    tally: Arc<Tally>,
}

impl<J> Desk<J> {
    /// A desk with a queue for at most `bound` jobs, which `tally` counts.
    #[must_use]
    pub fn new(bound: usize, tally: Arc<Tally>) -> Self {
        Self {
            queue: RefCell::new(Queue::new(bound)),
            allowance: Cell::new(ALLOWANCE),
            scheduler: RefCell::new(None),
            tally,
        }
    }

    /// Hands in a job.
    pub fn submit(&self, place: Place, job: J) -> Submitted<J> {
        let mut queue = self.queue.borrow_mut();
        if queue.is_empty() && self.allowance.get() > 0 {
            self.allowance.set(self.allowance.get() - 1);
            return Submitted::Now(job);
        }
        match queue.push(place, job) {
            Ok(()) => {
                self.count(&queue);
                if let Some(scheduler) = self.scheduler.borrow().as_ref() {
                    scheduler.wake_by_ref();
                }
                Submitted::Queued
            }
            Err(job) => Submitted::Full(job),
        }
    }

    /// The class in which a job of `class` that must not overtake others of its flow has to wait.
    #[must_use]
    pub fn behind_others(&self, class: Class, group: u64, flow: u32) -> Class {
        let lowest = self.queue.borrow().lowest_class_of(group, flow);
        lowest.map_or(class, |lowest| lowest.max(class))
    }

    /// Whether others wait than this flow.
    #[must_use]
    pub fn has_others(&self, group: u64, flow: u32) -> bool {
        self.queue.borrow().has_others(group, flow)
    }

    /// Takes the next job.
    pub(super) fn take(&self) -> Option<J> {
        let mut queue = self.queue.borrow_mut();
        let job = queue.pop();
        self.count(&queue);
        job
    }

    /// Takes out all jobs of a class.
    pub fn shed(&self, class: Class) -> Vec<J> {
        let mut queue = self.queue.borrow_mut();
        let jobs = queue.shed(class);
        self.count(&queue);
        jobs
    }

    fn count(&self, queue: &Queue<J>) {
        for (count, waiting) in self.tally.queued.iter().zip(queue.by_class()) {
            count.set(waiting as u64);
        }
    }

    /// Begins a turn of the Scheduler.
    pub(super) fn begin_turn(&self, scheduler: &Waker) {
        self.allowance.set(ALLOWANCE);
        let mut known = self.scheduler.borrow_mut();
        match known.as_mut() {
            Some(known) => known.clone_from(scheduler),
            None => *known = Some(scheduler.clone()),
        }
    }

    /// Jobs that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_done_at_once_and_a_flood_waits() {
        let tally = Arc::new(Tally::default());
        let desk = Desk::new(3, Arc::clone(&tally));
        let place = Place { class: Class::Interactive, group: 1, flow: 1, cost: 1 };
        for job in 0..ALLOWANCE {
            assert_eq!(desk.submit(place, job), Submitted::Now(job));
        }
        for job in 0..3 {
            assert_eq!(desk.submit(place, job), Submitted::Queued);
        }
        assert_eq!(desk.submit(place, 9), Submitted::Full(9));
        assert_eq!(tally.queued[Class::Interactive.place()].get(), 3);
        assert_eq!(desk.behind_others(Class::Control, 1, 1), Class::Interactive);
        assert_eq!(desk.behind_others(Class::Control, 1, 2), Class::Control);
        desk.begin_turn(Waker::noop());
        assert_eq!(desk.submit(place, 9), Submitted::Full(9), "never past those who wait");
        while desk.take().is_some() {}
        assert_eq!(tally.queued[Class::Interactive.place()].get(), 0);
        assert_eq!(desk.submit(place, 9), Submitted::Now(9));
    }
}
