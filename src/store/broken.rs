//! A history that cannot be opened: people can meet in the room, and are told why they cannot talk.

use std::sync::Arc;

use super::{Changes, Finder, Journal, Keys, Looker, Range, Reader, Receipt, StoreError};
use crate::base::id::{Epoch, Key, Seq};
use crate::protocol::reply::TopicState;

/// Stands in for the journal.
#[derive(Debug)]
pub struct Broken(pub StoreError);

impl Journal for Broken {
    fn epoch(&self) -> Epoch {
        Epoch(0)
    }

    fn head(&self) -> Seq {
        Seq(0)
    }

    fn first(&self) -> Seq {
        Seq(1)
    }

    fn topic(&self) -> Option<TopicState> {
        None
    }

    fn keys(&mut self) -> Keys {
        Keys::default()
    }

    fn append(&mut self, _: Changes) -> Receipt {
        Receipt::Failed(self.0)
    }

    fn read(&self, _: Range, _: usize, _: usize, reader: Reader) {
        reader(Err(self.0));
    }

    fn find(&self, _: &Arc<str>, _: Key, finder: Finder) {
        finder(Err(self.0));
    }

    fn look(&self, _: Seq, looker: Looker) {
        looker(Err(self.0));
    }
}
