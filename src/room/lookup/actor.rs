//! What a room has to ask storage for before it can do something: a key, a message.
//!
//! The room waits meanwhile, so that everything keeps its order. This happens to what is retried
//! late, to clients whose keys do not tell when they were made, and to what is done to a message
//! that is not one of the newest.

use actix::fut::ActorFutureExt;
use actix::{AsyncContext, Context, WrapFuture};

use super::Need;
use crate::base::id::Seq;
use crate::room::actor::ChatRoom;
use crate::room::mail::{Action, Ask};
use crate::room::pipeline::store_refusal;
use crate::room::say::{Asked, Found};
use crate::store::{Known, StoreError, Target};

/// What storage answers.
enum Answer {
    Key(Option<Known>),
    Message(Seq, Option<Target>),
}

impl ChatRoom {
    /// Says something, or does something to a message, as soon as what it needs is known.
    pub(in crate::room) fn attempt(&mut self, ask: Ask, asked: Asked, ctx: &mut Context<Self>) {
        let Ask { id: Some(id), action: Action::Say { act, key }, .. } = &ask else { return };
        if let Some(need) = self.say(&ask, *id, (act, *key), &asked) {
            self.look_up(need, ask, asked, ctx);
        }
    }

    fn look_up(&mut self, need: Need, ask: Ask, mut asked: Asked, ctx: &mut Context<Self>) {
        let (told, answer) = tokio::sync::oneshot::channel();
        // If the room is gone meanwhile, nobody needs the answer.
        match need {
            Need::Key(key) => {
                let finder =
                    Box::new(|found: Result<_, _>| drop(told.send(found.map(Answer::Key))));
                self.pipeline.journal().find(ask.who.name.shared(), key, finder);
            }
            Need::Message(seq) => {
                let looker = Box::new(move |found: Result<_, _>| {
                    drop(told.send(found.map(|target| Answer::Message(seq, target))));
                });
                self.pipeline.journal().look(seq, looker);
            }
        }
        ctx.wait(answer.into_actor(self).map(move |answer, room, ctx| {
            match answer.unwrap_or(Err(StoreError::Unavailable)) {
                Ok(Answer::Key(found)) => {
                    let complete = room.pipeline.journal().first() <= Seq(1);
                    asked.key = found.map_or(Found::Nothing { complete }, Found::Known);
                }
                Ok(Answer::Message(seq, Some(target))) => room.room.found(seq, target),
                Ok(Answer::Message(_, None)) => asked.missing = true,
                Err(error) => {
                    if let Some(id) = ask.id {
                        room.batch.refuse(ask.from, id, &store_refusal(error));
                    }
                    return;
                }
            }
            room.attempt(ask, asked, ctx);
        }));
    }
}
