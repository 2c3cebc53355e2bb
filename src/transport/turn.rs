//! Giving others their turn.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

/// Has the task come again after everybody else, the sockets included.
///
/// Waking oneself is not enough: the woken task runs again within the same round of the thread's
/// tasks, many times before anybody looks at the sockets. tokio's own `yield_now` is woken only
/// after that look; polled once, it has noted whom to wake.
pub fn come_again(cx: &mut Context<'_>) {
    let noted: Poll<()> = pin!(tokio::task::yield_now()).poll(cx);
    debug_assert!(noted.is_pending(), "the first poll never is the last");
}
