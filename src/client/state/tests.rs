//! Sessions told as dialogues between the core and a scripted server.

use super::script::{Pair, message, room, welcome};
use super::*;
use crate::base::id::{Epoch, Seq};
use crate::protocol::event::{Bye, Event as WireEvent, ServerPing};
use crate::protocol::reply::{Empty, Entry, EntryKind, HistoryPage, Page, Said};
use crate::protocol::request::{Leave, Logout, Request, Rooms};
use crate::protocol::status::{Code, Refusal};

fn said(seq: u64) -> Said {
    Said { seq: Seq(seq), time: 0, dup: false }
}

fn page(seqs: std::ops::RangeInclusive<u64>, head: u64) -> HistoryPage {
    let entry = |seq: u64| {
        Entry::new(Seq(seq), 0, EntryKind::Message, "bob".into(), seq.to_string().into())
    };
    let more = *seqs.end() < head;
    let entries = Page(seqs.map(entry).collect());
    HistoryPage { epoch: Epoch(1), entries, first: Seq(1), head: Seq(head), more }
}

fn bye(code: Code, retry_after_ms: Option<u64>) -> WireEvent {
    WireEvent::Bye(Bye {
        code: code.number(),
        name: code.name().into(),
        text: code.meaning().into(),
        retry_after_ms,
        resume: true,
        limit: None,
        used: None,
        allowed: None,
    })
}

#[test]
fn the_first_connection_is_ready_once_the_rooms_are_entered() {
    let mut pair = Pair::new(&["ops", "lobby"]);
    pair.login(&["lobby"]);
    assert!(pair.core.take_ready().is_none());
    pair.event(&WireEvent::Room(room("lobby", 1, 5)));
    assert!(pair.core.take_ready().is_none());
    pair.answer("join", Ok(&room("ops", 3, 0)));
    let ready = pair.core.take_ready().expect("ready").expect("well");
    assert_eq!((&*ready.name, ready.rooms.len()), ("al", 1));
    assert_eq!(pair.tells(), "connected room:lobby room:ops");
}

#[test]
fn a_first_connection_that_is_refused_is_not_repeated() {
    let mut pair = Pair::new(&[]);
    pair.core.opened(pair.now);
    pair.answer("hello", Ok(&welcome()));
    let refused = pair.try_answer::<Empty>("login", Err(Code::ServerFull.into()));
    assert_eq!(pair.core.lost(refused.expect_err("refused"), pair.now, 0.0), Next::End);
    let error = pair.core.take_ready().expect("an outcome").expect_err("an error");
    assert_eq!(error.code(), Some(Code::ServerFull));
}

#[test]
fn a_room_that_cannot_be_entered_fails_the_first_connection() {
    let mut pair = Pair::new(&["nowhere"]);
    pair.login(&[]);
    pair.answer::<Empty>("join", Err(Code::NotFound.into()));
    assert!(pair.core.take_ready().is_none(), "the name is given back first");
    pair.answer("quit", Ok(&Empty {}));
    assert_eq!(pair.lose(), Next::End);
    let error = pair.core.take_ready().expect("an outcome").expect_err("an error");
    assert_eq!(error.code(), Some(Code::NotFound));
    assert!(error.to_string().starts_with("nowhere: "), "{error}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let mut pair = Pair::new(&[]);
    pair.core.opened(pair.now);
    assert!(pair.core.timer(pair.now).is_ok());
    assert!(pair.core.timer(pair.now.after(GREETING)).is_err());

    let mut pair = Pair::online();
    pair.asks();
    pair.now = pair.now.after(Duration::from_millis(30_500));
    pair.core.timer(pair.now).expect("not yet");
    pair.core.timer(pair.now).expect("not yet");
    assert_eq!(pair.asks(), "ping");
    assert!(pair.core.timer(pair.now.after(Duration::from_secs(60))).is_err());
}

#[test]
fn a_ping_is_answered_even_when_texts_wait() {
    let mut pair = Pair::online();
    for id in 0..40 {
        pair.say(id, "text");
    }
    pair.asks();
    pair.event(&WireEvent::Ping(ServerPing {}));
    assert_eq!(pair.asks(), "ping");
}

#[test]
fn unacknowledged_texts_are_said_again_in_order_and_with_the_same_key() {
    let mut pair = Pair::online();
    pair.say(1, "one");
    pair.say(2, "two");
    pair.say(3, "three");
    pair.submit(4, "rooms", &Rooms { after: None, limit: None, timeout_ms: None });
    pair.flush();
    let before = pair.asked.clone();
    pair.answer("say", Ok(&said(6)));
    assert_eq!(pair.lose(), Next::Retry(Duration::from_millis(250)));
    let lost = Error::Disconnected.to_string();
    assert_eq!(pair.answers(), format!("one:ok rooms:{lost}"));
    pair.asked.clear();
    pair.say(5, "four");

    pair.login(&["lobby"]);
    assert_eq!(pair.asks(), "", "nothing is said before the room is entered");
    pair.event(&WireEvent::Room(room("lobby", 1, 5)));
    pair.flush();
    assert_eq!(pair.asked.iter().take(2).collect::<Vec<_>>(), [&before[1], &before[2]]);
    assert_eq!(pair.asks(), "say:two say:three say:four");
}

#[test]
fn the_token_takes_the_name_again() {
    let mut pair = Pair::online();
    pair.lose();
    pair.core.opened(pair.now);
    pair.answer("hello", Ok(&welcome()));
    assert_eq!(pair.asks(), "login:token");
}

#[test]
fn what_was_missed_comes_before_what_is_live() {
    let mut pair = Pair::online();
    pair.event(&message("lobby", 6));
    pair.lose();
    pair.login(&["lobby"]);
    pair.event(&WireEvent::Room(room("lobby", 1, 8)));
    assert_eq!(pair.tells(), "connected room:lobby 6 disconnected:250 connected room:lobby");
    pair.event(&message("lobby", 9));
    assert_eq!(pair.tells(), "");
    pair.flush();
    pair.answer("history", Ok(&page(7..=8, 8)));
    assert_eq!(pair.tells(), "7 8 9");
    assert_eq!(pair.asks(), "");
}

#[test]
fn a_server_that_lost_its_history_resets_the_room() {
    let mut pair = Pair::online();
    pair.tells();
    pair.lose();
    pair.login(&["lobby"]);
    pair.event(&WireEvent::Room(room("lobby", 2, 1)));
    pair.event(&message("lobby", 2));
    assert_eq!(pair.tells(), "disconnected:250 connected reset:2 room:lobby 2");
}

#[test]
fn rooms_that_the_server_did_not_keep_are_entered_again() {
    let mut pair = Pair::online();
    pair.event(&WireEvent::Room(room("ops", 3, 0)));
    pair.event(&WireEvent::Room(room("@00000000000000aa", 4, 0)));
    pair.event(&WireEvent::Room(room("old", 5, 0)));
    pair.tells();
    pair.lose();
    pair.login(&["lobby"]);
    pair.event(&WireEvent::Room(room("lobby", 1, 5)));
    pair.say(1, "text");
    pair.flush();
    pair.answer("direct", Ok(&room("@00000000000000bb", 2, 0)));
    pair.answer::<Empty>("join", Err(Code::NotFound.into()));
    assert_eq!(pair.asks(), "join:ops", "texts wait for the last room");
    let told = pair.tells();
    assert!(told.ends_with("room:@00000000000000bb gone:@00000000000000aa gone:old!"), "{told}");
}

#[test]
fn a_room_that_got_another_name_goes_on_where_it_was() {
    let mut pair = Pair::online();
    pair.event(&WireEvent::Room(room("plans", 3, 0)));
    pair.event(&message("plans", 1));
    let (old, new, by) = ("plans".into(), "dreams".into(), "bob".into());
    pair.event(&WireEvent::Renamed(wire::Renamed { room: old, name: new, by }));
    pair.event(&message("dreams", 2));
    pair.tells();
    // While it is away there is another name again: the epoch tells which room it is.
    pair.lose();
    pair.login(&["lobby", "hall"]);
    pair.event(&WireEvent::Room(room("hall", 3, 2)));
    let told = pair.tells();
    assert!(told.contains("renamed:dreams>hall room:hall"), "{told}");
    pair.event(&message("hall", 3));
    assert_eq!(pair.tells(), "3");
}

#[test]
fn a_goodbye_decides_whether_to_come_back() {
    for (code, hint, want) in [
        (Code::GoingAway, Some(2_000), Some(2_000)),
        (Code::SlowConsumer, None, Some(250)),
        (Code::Idle, None, Some(250)),
        (Code::Replaced, None, None),
        (Code::Logout, None, None),
        (Code::NameTaken, None, None),
        (Code::Version, None, None),
        (Code::AuthRequired, None, None),
        (Code::BadFrame, None, None),
    ] {
        let mut pair = Pair::online();
        pair.tells();
        pair.event(&bye(code, hint));
        let want = want.map_or(Next::End, |ms| Next::Retry(Duration::from_millis(ms)));
        assert_eq!(pair.lose(), want, "{}", code.name());
        assert!(pair.tells().starts_with("bye disconnected:"));
    }
}

#[test]
fn restarts_of_the_server_do_not_add_up_but_failures_do() {
    let mut pair = Pair::online();
    for _ in 0..3 {
        pair.event(&bye(Code::GoingAway, Some(200)));
        assert_eq!(pair.lose(), Next::Retry(Duration::from_millis(200)));
        pair.login(&["lobby"]);
        pair.event(&WireEvent::Room(room("lobby", 1, 5)));
    }
    for wait in [400, 800, 1_600] {
        assert_eq!(pair.lose(), Next::Retry(Duration::from_millis(wait)));
        pair.login(&["lobby"]);
        pair.event(&WireEvent::Room(room("lobby", 1, 5)));
    }
}

#[test]
fn after_a_logout_nothing_comes_back() {
    let mut pair = Pair::online();
    pair.say(1, "last");
    pair.submit(2, "logout", &Logout { all: None, timeout_ms: None });
    pair.flush();
    pair.answer("say", Ok(&said(6)));
    pair.answer("logout", Ok(&Empty {}));
    assert_eq!(pair.lose(), Next::End);
    pair.say(3, "late");
    assert_eq!(pair.answers(), "last:ok logout:ok late:the client has ended");
}

#[test]
fn a_room_that_was_left_is_not_entered_again() {
    let mut pair = Pair::online();
    pair.submit(1, "leave", &Leave { room: "Lobby".into(), timeout_ms: None });
    pair.flush();
    pair.answer("leave", Ok(&Empty {}));
    pair.event(&message("lobby", 6));
    pair.lose();
    pair.login(&[]);
    assert_eq!(pair.tells(), "connected room:lobby gone:lobby disconnected:250 connected");
    assert_eq!(pair.asks(), "");
}

#[test]
fn a_refusal_goes_to_the_caller_and_the_session_goes_on() {
    let mut pair = Pair::online();
    pair.say(1, "text");
    pair.flush();
    pair.answer::<Empty>("say", Err(Refusal::new(Code::NotMember, "not a member")));
    assert_eq!(pair.answers(), "text:not a member");
}

#[test]
fn a_reader_that_stops_costs_bounded_memory_and_misses_nothing() {
    let mut pair = Pair::online();
    for seq in 6..=5_000 {
        pair.event(&message("lobby", seq));
    }
    assert_eq!(pair.asks(), "");
    assert!(!pair.core.is_stuffed(), "requests must still be answered");
    let mut told = Vec::new();
    let mut most = 0;
    loop {
        told.extend(pair.tells().split_whitespace().filter_map(|word| word.parse::<u64>().ok()));
        pair.flush();
        let Some((_, Request::History(asked))) = pair.asked.front() else { break };
        let after = asked.after.unwrap_or_default().0;
        most = most.max(asked.limit.unwrap_or_default());
        let last = (after + u64::from(asked.limit.unwrap_or(1))).min(5_000);
        pair.answer("history", Ok(&page(after + 1..=last, 5_000)));
    }
    assert_eq!(told, (6..=5_000).collect::<Vec<_>>());
    assert!(most <= 200);
}
