//! A history that cannot be opened: people can meet in the room, and are told why they cannot talk.

use super::{Journal, Range, Reader, Receipt, StoreError};
use crate::base::id::{Epoch, Seq};
use crate::protocol::reply::Entry;

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

    fn append(&mut self, _: Vec<Entry>) -> Receipt {
        Receipt::Failed(self.0)
    }

    fn read(&self, _: Range, _: usize, _: usize, reader: Reader) {
        reader(Err(self.0));
    }
}
