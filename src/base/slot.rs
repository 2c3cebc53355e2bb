//! A place for one value that is looked at and changed through a shared reference, on one thread.
//!
//! Like a `RefCell`, but without the word that counts its borrows: thousands of sessions have
//! several such places. While the value is in use, the place is empty.

use std::cell::Cell;
use std::fmt;

/// The place.
pub struct Slot<T>(Cell<Option<T>>);

impl<T> Slot<T> {
    /// A place that holds `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Cell::new(Some(value)))
    }

    /// Looks at the value, if there is one.
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.change(|value| value.as_ref().map(look))
    }

    /// Changes the value, or whether there is one.
    pub fn change<R>(&self, change: impl FnOnce(&mut Option<T>) -> R) -> R {
        let mut value = self.0.take();
        let result = change(&mut value);
        self.0.set(value);
        result
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Cell::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.change(|value| value.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_stays_until_it_is_taken() {
        let slot = Slot::default();
        assert_eq!(slot.look(|word: &String| word.len()), None);
        slot.change(|word| *word = Some("abc".into()));
        assert_eq!(slot.look(String::len), Some(3));
        assert_eq!(format!("{slot:?}"), "Some(\"abc\")");
        assert_eq!(slot.change(Option::take).as_deref(), Some("abc"));
        assert_eq!(slot.look(String::len), None);
        assert_eq!(Slot::new(7).look(|number| *number), Some(7));
    }
}
