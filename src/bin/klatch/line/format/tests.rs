//! The lines as they are documented in `--help`: programs rely on them.

use super::*;
use klatch::base::id::{Epoch, Seq};
use klatch::client::Error;
use klatch::protocol::event::{
    Deleted, Edited, Gone, LeaveReason, Message, Reacted, TopicChanged, Unreacted,
};
use klatch::protocol::reply::Page;

fn message(room: &str, text: &str) -> Event {
    let time = 43_384_000;
    Event::Message(Message {
        room: room.into(),
        seq: Seq(7),
        time,
        from: "alice".into(),
        text: text.into(),
        re: None,
    })
}

#[track_caller]
fn check(event: &Event, want: &str) {
    let direct = HashMap::from([("@00000000000000aa".into(), "bob".into())]);
    let context = Context { zone: &Zone::utc(), now: 43_384_000, direct: &direct };
    let shown = Format::Text.event(event, &context);
    assert_eq!(shown, Some(Shown::Out(want.into())));
}

#[test]
fn messages_and_topics() {
    check(&message("ops", "text"), "12:03:04 #ops <alice> text");
    check(&message("@00000000000000aa", "psst"), "12:03:04 @bob <alice> psst");
    check(&message("ops", "one\ntwo"), "12:03:04 #ops <alice> one ⏎ two");
    check(&message("ops", "\x1b[2J"), "12:03:04 #ops <alice> ␛[2J");
    let topic = Event::Topic(TopicChanged {
        room: "ops".into(),
        seq: Seq(1),
        time: 43_384_000,
        from: "alice".into(),
        text: "deploys".into(),
    });
    check(&topic, "12:03:04 #ops * alice set the topic: deploys");
}

#[test]
fn what_becomes_of_messages() {
    let (seq, re, time) = (Seq(9), Seq(4), 43_384_000);
    let (room, from, text) = (|| "ops".into(), || "al".into(), || Arc::from("+1"));
    let edit = Edited { room: room(), seq, time, from: from(), re, text: text() };
    check(&Event::Edit(edit), "12:03:04 #ops * al edited #4: +1");
    let delete = Deleted { room: room(), seq, time, from: from(), re };
    check(&Event::Delete(delete), "12:03:04 #ops * al deleted #4");
    let react = Reacted { room: room(), seq, time, from: from(), re, text: text() };
    check(&Event::React(react), "12:03:04 #ops * al reacted to #4: +1");
    let unreact = Unreacted { room: room(), seq, time, from: from(), re, text: text() };
    check(&Event::Unreact(unreact), "12:03:04 #ops * al took back from #4: +1");
}

#[test]
fn who_comes_and_goes() {
    let names = Page(vec!["alice".into(), "bob".into()]);
    let joined = Joined { room: "ops".into(), names, count: 2, members: 7 };
    check(&Event::Joined(joined.clone()), "12:03:04 #ops + alice bob (7 members)");
    let many = Joined { count: 40, members: 45, ..joined };
    check(&Event::Joined(many), "12:03:04 #ops + alice bob and 38 more (45 members)");
    let gone = Page(vec![Gone { name: "bob".into(), reason: LeaveReason::Lost }]);
    let left = Left { room: "ops".into(), gone, count: 1, members: 1 };
    check(&Event::Left(left), "12:03:04 #ops - bob:lost (1 member)");
}

#[test]
fn what_is_missing() {
    let gap = Event::Gap { room: "ops".into(), from: Seq(6), to: Seq(8) };
    check(&gap, "12:03:04 #ops ! 3 messages are missing");
    let reset = Event::Reset { room: "ops".into(), epoch: Epoch(2) };
    check(&reset, "12:03:04 #ops ! the history starts anew");
}

#[test]
fn json_is_exact_and_harmless() {
    let direct = HashMap::new();
    let context = Context { zone: &Zone::utc(), now: 0, direct: &direct };
    let json = |event: &Event| match Format::Json.event(event, &context) {
        Some(Shown::Out(line)) => line,
        other => panic!("{other:?}"),
    };
    let attack = "a\u{9b}31m\u{202e}\x1b\u{e0041}\né";
    let line = json(&message("ops", attack));
    assert!(!line.chars().any(clean::is_unsafe), "{line}");
    let back: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&back["event"], &back["text"]), (&json!("message"), &json!(attack)));
    let lost = Event::Disconnected { why: Error::Disconnected, retry_in: None };
    let back: Value = serde_json::from_str(&json(&lost)).expect("JSON");
    assert_eq!(back["retry_ms"], Value::Null);
}
