//! How far back a thread stands when the processor is wanted by others.

/// Has this thread stand back by so much (nice). Linux keeps that for each thread; who has no right to it goes
/// on without.
pub fn stand_back(nice: i32) {
    let own = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(own), nice) {
        log::debug!(error:% = error, nice = nice; "a thread stands with the others");
    }
}
