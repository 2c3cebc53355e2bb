//! What the app wants, as futures that end in [`Done`].

use futures_util::future::FutureExt;
use klatch::client::{Builder, Client, Error};
use klatch::protocol::reply::{MemberInfo, Said};
use klatch::protocol::request::{MarkRead, Unread};

use super::app::{Done, Effect};
use super::chat::MEMBERS;
use super::{Work, act};
use crate::trust;

/// Starts what is wanted. A text is in order behind all earlier ones when this returns.
pub(super) fn start(client: &Client, effect: Effect) -> Work {
    if let Effect::Say { room, id, text } = effect {
        let answer = client.try_post(&room, &text);
        return async move {
            let result = match answer {
                Ok(answer) => answer.await,
                Err(error) => Err(error),
            };
            (Done::Said { room, id, result }, None)
        }
        .boxed();
    }
    let client = client.clone();
    async move { (ask(&client, effect).await, None) }.boxed()
}

async fn ask(client: &Client, effect: Effect) -> Done {
    match effect {
        Effect::History { room, before } => {
            let result = client.history(&room, before).await;
            Done::History { room, result }
        }
        Effect::Members { room } => {
            let result = members(client, &room).await;
            Done::Members { room, result }
        }
        Effect::Join { room } => Done::Entered { result: client.join(&room).await, text: None },
        Effect::Create { room, topic } => {
            let result = client.create(&room, topic.as_deref()).await;
            Done::Entered { result, text: None }
        }
        Effect::Direct { name, text } => Done::Entered { result: client.direct(&name).await, text },
        Effect::Leave { room } => Done::Left { result: client.leave(&room).await },
        Effect::Topic { room, topic: Some(topic) } => {
            // The change comes as an event.
            let result = client.topic(&room, Some(&topic)).await;
            result.map_or_else(|error| Done::Left { result: Err(error) }, |_| Done::Nothing)
        }
        Effect::Topic { room, topic: None } => {
            let result = client.topic(&room, None).await;
            Done::Topic { room, result }
        }
        Effect::Act { room, act } => {
            Done::Acted { result: act::carry_out(client, &room, act).await }
        }
        // What these change comes as an event.
        Effect::Reply { room, re, text } => told(client.reply(&room, re, &text).await),
        Effect::Edit { room, seq, text } => told(client.edit(&room, seq, &text).await),
        Effect::Delete { room, seq } => told(client.delete(&room, seq).await),
        Effect::React { room, seq, reaction, on } => {
            told(client.react(&room, seq, &reaction, on).await)
        }
        Effect::Search { text } => {
            let result = client.search(&text, None, None).await;
            Done::Found { text, result }
        }
        Effect::Rooms => Done::Rooms { result: client.rooms(None).await },
        Effect::MarkRead { room, seq } => {
            // Nobody waits for it; what is read later tells it again.
            let mark = MarkRead { room: room.into(), seq, timeout_ms: None };
            drop(client.request(&mark).await);
            Done::Nothing
        }
        Effect::Unread => {
            let ask = Unread { after: None, limit: None, timeout_ms: None };
            Done::Unread { result: client.request(&ask).await }
        }
        Effect::Typing { room } => {
            // Nobody waits for it, and whether it arrived does not matter.
            drop(client.typing(&room, true).await);
            Done::Nothing
        }
        Effect::Say { .. } | Effect::Rename { .. } | Effect::Redraw | Effect::Quit => Done::Nothing,
    }
}

/// Only a refusal is news.
fn told(result: Result<Said, Error>) -> Done {
    result.map_or_else(|error| Done::Left { result: Err(error) }, |_| Done::Nothing)
}

/// The members of a room, page after page, as many as are kept.
async fn members(client: &Client, room: &str) -> Result<Vec<MemberInfo>, Error> {
    let mut all: Vec<MemberInfo> = Vec::new();
    loop {
        let after = all.last().map(|member| member.id);
        let page = client.members(room, after).await?;
        let more = page.more && !page.members.0.is_empty();
        all.extend(page.members.0);
        if !more || all.len() >= MEMBERS {
            all.truncate(MEMBERS);
            return Ok(all);
        }
    }
}

/// Another session under another name. A server that was trusted is known by now.
pub(super) fn rename(builder: Builder) -> Work {
    async move {
        match builder.on_unknown_server(|_| false).connect().await {
            Ok((client, events)) => {
                let name = client.name().clone();
                (Done::Renamed { result: Ok(name) }, Some((client, events)))
            }
            Err(error) => (Done::Renamed { result: Err(error) }, None),
        }
    }
    .boxed()
}

/// The settings of the first session: here a person can be asked.
pub(super) fn asking(builder: Builder) -> Builder {
    builder.on_unknown_server(trust::ask)
}
