//! What those who run the server ask of the directory: a list of all, and other bounds.

use actix::{Handler, Message, MessageResult};

use super::Rooms;
use crate::base::name::RoomName;
use crate::mail;
use crate::room::actor::Adopt;
use crate::room::card::Card;
use crate::room::kind::Kind;
use crate::room::state::Policy;

/// What rooms there are, for those who run the server.
#[derive(Debug)]
pub struct Inventory;

impl Message for Inventory {
    type Result = Vec<Listing>;
}

/// One room of an inventory.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Its name.
    pub name: RoomName,
    /// Its kind, in a word.
    pub kind: &'static str,
    /// How many accounts are in it.
    pub members: u32,
}

/// Other rooms are permanent, and other bounds hold for rooms, from here on.
#[derive(Debug, Clone)]
pub struct Retune {
    /// The rooms that are always there.
    pub permanent: Vec<RoomName>,
    /// The bounds of each room.
    pub policy: Policy,
}

impl Message for Retune {
    type Result = ();
}

impl Handler<Inventory> for Rooms {
    type Result = MessageResult<Inventory>;

    fn handle(&mut self, _: Inventory, _: &mut Self::Context) -> Self::Result {
        let listing = |(name, kind, card): (&RoomName, &Kind, &Card)| Listing {
            name: name.clone(),
            kind: kind.name(card.is_public()),
            members: card.members(),
        };
        MessageResult(self.directory.all().map(listing).collect())
    }
}

impl Handler<Retune> for Rooms {
    type Result = ();

    fn handle(&mut self, retune: Retune, _: &mut Self::Context) {
        self.around.policy = retune.policy;
        for room in self.actors.values() {
            // Once for each room and reload.
            mail::post(&room.adopt, Adopt(retune.policy));
        }
        self.directory.adopt(retune.permanent.clone());
        self.make_permanent(retune.permanent);
    }
}
