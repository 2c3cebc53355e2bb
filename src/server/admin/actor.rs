//! The Office actor: does what administrators ask over the protocol, by the same [`table`] as the
//! Unix socket.
//!
//! **Receives** [`Administer`] from the workers' routers, which look at who asks.
//! **Sends** the answer to the session's worker.
//! **Bound:** requests are bounded by the sessions' credit; a full mailbox refuses them.

use std::rc::{Rc, Weak};

use actix::dev::channel::AddressReceiver;
use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use serde_json::Value;

use super::table::{self, Failure, Given};
use crate::base::limits::FRAME_BYTES;
use crate::protocol::reply::Administered;
use crate::server::daemon::Daemon;
use crate::session::mail::Administer;

/// What of a frame an answer may fill: the rest is for what stands around it.
const ROOM: usize = FRAME_BYTES - 4096;

/// The actor.
pub struct Office {
    daemon: Weak<Daemon>,
}

impl Office {
    /// Opens, for what has come to `mail` and for what will come.
    pub(in crate::server) fn open(mail: AddressReceiver<Self>, daemon: &Rc<Daemon>) {
        let office = Context::with_receiver(mail);
        drop(office.run(Self { daemon: Rc::downgrade(daemon) }));
    }
}

impl Actor for Office {
    type Context = Context<Self>;
}

impl Handler<Administer> for Office {
    type Result = ();

    fn handle(&mut self, asked: Administer, ctx: &mut Self::Context) {
        let Administer { who, command, arguments, asker } = asked;
        let Some(daemon) = self.daemon.upgrade() else { return };
        log::debug!(who:% = who.name, command = &*command; "an administrator asked something");
        let work = async move {
            let answer = match given(arguments.as_deref()) {
                Ok(given) => table::run(daemon, &command, given).await,
                Err(failure) => Err(failure),
            };
            asker.answer(&administered(answer));
        };
        ctx.spawn(work.into_actor(self));
    }
}

fn given(arguments: Option<&str>) -> Result<Given, Failure> {
    let parsed = serde_json::from_str(arguments.unwrap_or("{}"));
    parsed.map_err(|error| format!("arguments is no JSON object of strings: {error}").into())
}

fn administered(answer: table::Answer) -> Administered {
    let (answer, failed) = match answer {
        Ok(answer) => (answer, None),
        Err(Failure { why, details }) => (details, Some(why)),
    };
    let (answer, left_out) = fit(answer, ROOM);
    Administered { answer, failed, left_out }
}

/// An answer as JSON of at most `room` bytes, and how many rows had to be left out for that.
fn fit(answer: Value, room: usize) -> (String, u32) {
    let text = answer.to_string();
    let (true, Value::Array(rows)) = (text.len() > room, answer) else { return (text, 0) };
    let mut kept = Vec::new();
    let mut used = 2;
    let all = rows.len();
    for row in rows {
        used += row.to_string().len() + 1;
        if used > room {
            break;
        }
        kept.push(row);
    }
    let left_out = u32::try_from(all - kept.len()).unwrap_or(u32::MAX);
    (Value::Array(kept).to_string(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let rows: Vec<Value> = (0..100).map(|row| json!({"row": row})).collect();
        let (text, left_out) = fit(Value::Array(rows.clone()), 120);
        let kept: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(text.len() <= 120, "{}", text.len());
        assert_eq!((kept.len() + left_out as usize, &kept[..]), (100, &rows[..kept.len()]));
        assert!(kept.len() > 5);
        assert_eq!(fit(json!([1, 2]), 120), ("[1,2]".into(), 0));
    }
}
