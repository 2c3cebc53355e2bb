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
