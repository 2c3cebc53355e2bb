//! Giving others their turn.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

/// Has the task come again after everybody else, the sockets included.
///
/// Waking oneself is not enough: the woken task runs again within the same round of the thread's
/// tasks, many times before anybody looks at the sockets. tokio's own `yield_now` is woken only
/// after that look; polled once, it has noted whom to wake.
pub fn come_again(cx: &mut Context<'_>) {
    let noted: Poll<()> = pin!(tokio::task::yield_now()).poll(cx);
    debug_assert!(noted.is_pending(), "the first poll never is the last");
}

/// The turns of the thread, for a task that is woken by other things too and must tell them apart.
#[derive(Debug, Default)]
pub struct Turns {
    signal: Arc<Signal>,
    /// Whether it is to be woken after this turn.
    coming: bool,
}

/// So much work in each turn of the thread, however often the task is woken in it.
#[derive(Debug)]
pub struct Portion {
    turns: Turns,
    all: usize,
    left: usize,
    begins: bool,
}

impl Portion {
    /// A portion of so much.
    #[must_use]
    pub fn new(all: usize) -> Self {
        Self { turns: Turns::default(), all, left: all, begins: false }
    }

    /// How much may still be done in this turn.
    pub fn left(&mut self) -> usize {
        self.begins = self.turns.has_passed();
        if self.begins {
            self.left = self.all;
        }
        self.left
    }

    /// Whether the thread has looked at its sockets since the task was there last.
    pub fn begins(&self) -> bool {
        self.begins
    }

    /// Notes what was done. The task comes again if there is more; also to learn that a turn has passed,
    /// but not for each trifle: that costs a look at the sockets.
    pub fn take(&mut self, done: usize, is_more: bool, cx: &mut Context<'_>) {
        self.left = self.left.saturating_sub(done);
        if is_more || self.left <= self.all / 2 {
            self.turns.come_again(cx);
        }
    }
}

/// Notes that a turn has passed, and wakes the task.
#[derive(Debug, Default)]
struct Signal {
    passed: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.passed.store(true, Ordering::Relaxed);
        if let Some(task) = self.task.lock().as_ref() {
            task.wake_by_ref();
        }
    }
}

impl Turns {
    /// Has the task come again after this turn.
    pub fn come_again(&mut self, cx: &mut Context<'_>) {
        let mut task = self.signal.task.lock();
        match task.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *task = Some(cx.waker().clone()),
        }
        drop(task);
        if !self.coming {
            self.coming = true;
            let waker = Waker::from(Arc::clone(&self.signal));
            come_again(&mut Context::from_waker(&waker));
        }
    }

    /// Whether it has come for that reason; told once.
    pub fn has_passed(&mut self) -> bool {
        let passed = self.signal.passed.swap(false, Ordering::Relaxed);
        self.coming &= !passed;
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_portion_is_there_again_in_the_next_turn_and_not_before() {
        let mut portion = Portion::new(8);
        let mut polls = Vec::new();
        std::future::poll_fn(|cx| {
            polls.push(portion.left());
            portion.take(3, false, cx);
            polls.push(portion.left());
            // It is woken again in the same turn.
            portion.take(5, true, cx);
            polls.push(portion.left());
            if polls.len() < 6 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        assert_eq!(polls, [8, 5, 0, 8, 5, 0]);
    }

    #[tokio::test]
    async fn trifles_add_up_until_a_new_portion_is_asked_for() {
        let mut portion = Portion::new(8);
        std::future::poll_fn(|cx| {
            portion.take(3, false, cx);
            assert!(!portion.turns.coming);
            portion.take(1, false, cx);
            assert!(portion.turns.coming, "half of it is used up");
            Poll::Ready(())
        })
        .await;
    }
}
