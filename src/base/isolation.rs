//! Whose fault a panic would be: that of one session, or of something that all share.
//!
//! A session is contained: its panic ends it, and nobody else notices. Everything else on a worker's
//! thread is shared state that may be left half changed; there a panic ends the process, and systemd
//! starts it anew. The panic hook asks [`is_contained`]; the session says so with [`contain`].

use std::cell::Cell;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a session's own code.
pub fn contain<T>(work: impl FnOnce() -> T) -> T {
    with(true, work)
}

/// Runs shared code from within a session's.
pub fn share<T>(work: impl FnOnce() -> T) -> T {
    with(false, work)
}

fn with<T>(contained: bool, work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            CONTAINED.set(self.0);
        }
    }
    let _restore = Restore(CONTAINED.replace(contained));
    work()
}

/// Whether a panic here and now would end one session only.
#[must_use]
pub fn is_contained() -> bool {
    CONTAINED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_word_counts_and_a_panic_restores_it() {
        assert!(!is_contained());
        contain(|| {
            assert!(is_contained());
            share(|| assert!(!is_contained()));
            assert!(is_contained());
        });
        let caught = std::panic::catch_unwind(|| contain(|| panic!("as if")));
        assert!(caught.is_err());
        assert!(!is_contained());
    }
}
