//! How long a large room gathers what is said before it stores and sends it.
//!
//! To write to a thousand sockets takes milliseconds, to read a request microseconds: what comes in the
//! turns of the thread right after the first request goes out with the same writes, which are nearly
//! all of the price, and into the same commit.

use crate::base::limits::GATHERING_TURNS;

/// The turns for which a room has gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gathering {
    turns: u32,
    /// Whether something came since the last of them.
    more: bool,
}

impl Gathering {
    /// Whether to go on: the room was woken, by the end of a turn or by something that came. It goes on
    /// until a turn brings nothing, and not for long.
    pub fn goes_on(&mut self, turn_passed: bool) -> bool {
        if !turn_passed {
            self.more = true;
            return true;
        }
        self.turns += 1;
        std::mem::take(&mut self.more) && self.turns <= GATHERING_TURNS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_a_turn_that_brings_nothing() {
        let mut gathering = Gathering::default();
        assert!(gathering.goes_on(false), "the first request");
        assert!(gathering.goes_on(true), "the turn in which it came");
        assert!(gathering.goes_on(false), "another one");
        assert!(gathering.goes_on(true));
        assert!(!gathering.goes_on(true), "a quiet turn");
    }

    #[test]
    fn it_ends_however_much_comes() {
        let mut gathering = Gathering::default();
        for _ in 0..GATHERING_TURNS {
            assert!(gathering.goes_on(false));
            assert!(gathering.goes_on(true));
        }
        assert!(gathering.goes_on(false));
        assert!(!gathering.goes_on(true));
    }
}
