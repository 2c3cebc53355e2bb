//! Pictures of the screen, as text.

use super::*;
use crate::clock::Zone;
use crate::tui::app::{Done, Effect};
use crate::tui::keys::Key;
use klatch::base::clock::Moment;
use klatch::base::id::{Epoch, Seq};
use klatch::client::{Error, Event};
use klatch::protocol::event::{
    Deleted, Edited, Joined, Marked, Message, Reacted, Renamed, TypingChanged, Unreacted,
};
use klatch::protocol::reply::{
    Entry, EntryKind, HistoryPage, Page, RoomKind, RoomState, Said, UnreadInfo, UnreadList,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const NOON: u64 = 1_800_014_400_000;

fn room(name: &str, with: Option<&str>) -> RoomState {
    RoomState {
        room: name.into(),
        kind: if with.is_some() { RoomKind::Direct } else { RoomKind::Public },
        with: with.map(Arc::from),
        epoch: Epoch(1),
        seq: Seq(0),
        first: Seq(1),
        topic: "deploys and incidents".into(),
        members: 2,
        role: klatch::protocol::reply::Role::Member,
        announcement: false,
        slow_ms: 0,
        keep_ms: None,
        keep_entries: None,
        keep_bytes: None,
        read: None,
    }
}

fn message(room: &str, seq: u64, from: &str, text: &str) -> Event {
    let time = NOON + seq * 60_000;
    let (room, from, text) = (room.into(), from.into(), text.into());
    Event::Message(Message { room, seq: Seq(seq), time, from, text, re: None })
}

/// Somebody in the rooms `lobby` and `ops`, who looks at `lobby`.
fn app() -> App {
    let mut app = App::new("alice".into(), "chat.example:5528".into(), Zone::utc());
    app.at(Moment(1), NOON);
    let connected =
        Event::Connected { name: "alice".into(), server: "klatchd/1".into(), motd: None };
    app.event(connected);
    app.event(Event::Room(room("lobby", None)));
    app.event(Event::Room(room("ops", None)));
    let names = Page(vec!["alice".into(), "bob".into()]);
    app.event(Event::Joined(Joined { room: "lobby".into(), names, count: 2, members: 2 }));
    while app.next_effect().is_some() {}
    app
}

fn effects(app: &mut App) -> Vec<Effect> {
    std::iter::from_fn(|| app.next_effect()).collect()
}

fn type_line(app: &mut App, line: &str) {
    app.paste(line);
    app.key(Key::Send);
}

fn picture(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    let paint = |screen: &mut Screen<'_>| {
        let window = places(screen.area(), app.has_members()).scrollback;
        app.window = (usize::from(window.width), usize::from(window.height));
        draw(app, screen);
    };
    terminal.draw(paint).expect("drawn");
    let buffer = terminal.backend().buffer();
    let row = |y| {
        let cells = (0..width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(app: &mut App, (width, height): (u16, u16), want: &str) {
    let got = picture(app, width, height);
    assert_eq!(got, want.trim_matches('\n'), "\n{got}");
}

#[test]
fn a_room_with_its_lists() {
    let mut app = app();
    app.event(message("lobby", 1, "bob", "hello"));
    app.event(message(
        "lobby",
        2,
        "carol",
        "hi alice, a long line that does not fit into one row at all",
    ));
    app.event(message("ops", 1, "bob", "deployed"));
    app.event(message("ops", 2, "bob", "alice: look"));
    app.paste("on it");
    check(
        &mut app,
        (90, 9),
        "
klatch             │ #lobby · deploys and incidents                   │ 2 members
#lobby             │                                                  │ alice
#ops              2│──────────── Friday, 15 January 2027 ──────────── │ bob
                   │12:00  → alice, bob joined                        │
                   │12:01 <bob> hello                                 │
                   │12:02 <carol> hi alice, a long line that does not │
                   │      fit into one row at all                     │
 ● alice · chat.example:5528                                           Alt-↓ rooms  /help
> on it
",
    );
}

#[test]
fn a_narrow_screen_shows_the_room_alone() {
    let mut app = app();
    app.event(message("lobby", 1, "bob", "日本語のテキストは広い"));
    check(
        &mut app,
        (30, 8),
        "
 #lobby · deploys and inciden…

── Friday, 15 January 2027 ──
12:00  → alice, bob joined
12:01 <bob> 日 本 語 の テ キ ス ト は
      広 い
 ● alice · chat.example:5528
>
",
    );
}

#[test]
fn messages_change_on_the_screen_and_commands_name_them() {
    let mut app = app();
    app.event(message("lobby", 1, "bob", "frist"));
    let (room, from) = (|| Arc::from("lobby"), || Arc::from("bob"));
    let time = NOON;
    let re = Seq(1);
    app.event(Event::Message(Message {
        re: Some(re),
        room: room(),
        seq: Seq(2),
        time,
        from: "alice".into(),
        text: "eh?".into(),
    }));
    let edit = Edited { room: room(), seq: Seq(3), time, from: from(), re, text: "first".into() };
    app.event(Event::Edit(edit));
    for (seq, name) in [(4, "alice"), (5, "carol")] {
        let (from, text) = (name.into(), "+1".into());
        let seq = Seq(seq);
        app.event(Event::React(Reacted { room: room(), seq, time, from, re, text }));
    }
    let shown = picture(&mut app, 80, 12);
    assert!(shown.contains("first (edited)") && shown.contains("[+1 2]"), "{shown}");
    assert!(shown.contains("\u{21aa} bob: first \u{2502} eh?"), "{shown}");
    effects(&mut app);
    for line in ["/react ^1 -+1", "/edit what?", "/reply yes", "/delete"] {
        type_line(&mut app, line);
    }
    let (room_of, own) = (room, Seq(2));
    let wanted = [
        Effect::React { room: room_of(), seq: re, reaction: "+1".into(), on: false },
        Effect::Edit { room: room_of(), seq: own, text: "what?".into() },
        Effect::Reply { room: room_of(), re: own, text: "yes".into() },
        Effect::Delete { room: room_of(), seq: own },
    ];
    assert_eq!(effects(&mut app), wanted);
    app.event(Event::Unreact(Unreacted {
        room: room(),
        seq: Seq(6),
        time,
        from: "carol".into(),
        re,
        text: "+1".into(),
    }));
    app.event(Event::Delete(Deleted { room: room(), seq: Seq(7), time, from: from(), re: own }));
    let shown = picture(&mut app, 80, 12);
    assert!(shown.contains("[+1 1]") && shown.contains("(deleted)"), "{shown}");
    assert!(!shown.contains("eh?"), "{shown}");
}

#[test]
fn a_text_is_seen_at_once_and_stays_until_acknowledged() {
    let mut app = app();
    type_line(&mut app, "one\ntwo");
    let wanted = effects(&mut app);
    let say = Effect::Say { room: "lobby".into(), id: 1, text: "one\ntwo".into() };
    assert_eq!(wanted, [say]);
    let lost =
        Event::Disconnected { why: Error::Disconnected, retry_in: Some(std::time::Duration::ZERO) };
    app.event(lost);
    let shown = picture(&mut app, 100, 8);
    assert!(shown.contains("...  one\n") || shown.contains("...  one "), "{shown}");
    assert!(shown.contains("chat.example:5528: reconnecting"), "{shown}");
    assert!(shown.contains("1 unsent"), "{shown}");
    app.event(message("lobby", 1, "alice", "one\ntwo"));
    let said = Said { seq: Seq(1), time: NOON, dup: true };
    app.done(Done::Said { room: "lobby".into(), id: 1, result: Ok(said) });
    let shown = picture(&mut app, 100, 8);
    assert!(!shown.contains("...") && shown.contains("alice  one"), "{shown}");
}

#[test]
fn a_text_that_was_refused_is_not_lost() {
    let mut app = app();
    type_line(&mut app, "precious");
    app.done(Done::Said { room: "lobby".into(), id: 1, result: Err(Error::Full) });
    let shown = picture(&mut app, 80, 8);
    assert!(shown.contains("not sent: too many requests") && shown.contains("precious"), "{shown}");
}

#[test]
fn unread_messages_are_counted_and_found() {
    let mut app = app();
    app.event(Event::Room(room("@00000000000000aa", Some("bob"))));
    app.event(message("ops", 1, "bob", "deployed"));
    app.event(message("@00000000000000aa", 1, "bob", "psst"));
    assert_eq!(app.chat().title(), "#lobby");
    app.key(Key::NextNews);
    assert_eq!(app.chat().title(), "@bob", "a direct message calls louder");
    app.key(Key::NextNews);
    assert_eq!((app.chat().title().as_str(), app.chat().unread), ("#ops", 0));
    app.key(Key::PreviousRoom);
    assert_eq!(app.chat().title(), "#lobby");
}

#[test]
fn a_direct_room_keeps_its_page_when_its_number_changes() {
    let mut app = app();
    app.event(Event::Room(room("@00000000000000aa", Some("bob"))));
    app.event(message("@00000000000000aa", 1, "bob", "psst"));
    let pages = app.chats.len();
    app.event(Event::Room(RoomState { epoch: Epoch(2), ..room("@00000000000000bb", Some("bob")) }));
    let gone = Event::Gone { room: "@00000000000000aa".into(), why: None };
    app.event(gone);
    assert_eq!(app.chats.len(), pages);
    app.event(message("@00000000000000bb", 2, "bob", "again"));
    let chat = app.find("@00000000000000bb").expect("the page");
    assert_eq!(chat.items.len(), 2);
}

#[test]
fn scrolling_up_at_the_top_asks_for_older_messages() {
    let mut app = app();
    app.event(Event::Gone { room: "ops".into(), why: None });
    app.event(Event::Room(RoomState { seq: Seq(40), ..room("ops", None) }));
    let asked = effects(&mut app);
    assert!(asked.contains(&Effect::History { room: "ops".into(), before: None }), "{asked:?}");
    let entry = |seq: u64| {
        Entry::new(Seq(seq), NOON, EntryKind::Message, "bob".into(), seq.to_string().into())
    };
    let page = |seqs: std::ops::RangeInclusive<u64>, more| HistoryPage {
        epoch: Epoch(1),
        entries: Page(seqs.map(entry).collect()),
        first: Seq(1),
        head: Seq(40),
        more,
    };
    app.done(Done::History { room: "ops".into(), result: Ok(page(21..=40, true)) });
    app.key(Key::Room(1));
    picture(&mut app, 80, 24);
    effects(&mut app);
    app.key(Key::PageUp);
    let older = Effect::History { room: "ops".into(), before: Some(Seq(21)) };
    assert_eq!(effects(&mut app), [older]);
    app.key(Key::PageUp);
    assert_eq!(effects(&mut app), [], "asked once only");
    app.done(Done::History { room: "ops".into(), result: Ok(page(1..=20, false)) });
    app.key(Key::PageUp);
    app.key(Key::PageUp);
    let shown = picture(&mut app, 80, 24);
    assert_eq!(app.newest(), Seq(40));
    assert!(shown.contains("bob  1\n"), "{shown}");
    assert!(shown.contains("scrolled"), "{shown}");
}

#[test]
fn typing_is_told_now_and_then_and_shown_for_a_while() {
    let mut app = app();
    app.key(Key::Type('a'));
    app.key(Key::Type('b'));
    assert_eq!(effects(&mut app), [Effect::Typing { room: "lobby".into() }]);
    let typing = TypingChanged { room: "lobby".into(), from: "bob".into(), active: true };
    app.event(Event::Typing(typing));
    assert!(picture(&mut app, 80, 6).contains("bob is typing"));
    app.at(Moment(0).after(std::time::Duration::from_secs(11)), NOON);
    assert!(!picture(&mut app, 80, 6).contains("typing"));
}

#[test]
fn nothing_from_the_network_acts_on_the_terminal() {
    let attack = "\x1b]52;c;x\x07\u{9b}2J\u{202e}\u{2028}\r\x08";
    let mut app = App::new(attack.into(), attack.into(), Zone::utc());
    let motd = Some(attack.into());
    app.event(Event::Connected { name: attack.into(), server: attack.into(), motd });
    app.event(Event::Room(RoomState { topic: attack.into(), ..room(attack, None) }));
    app.event(Event::Room(room("@00000000000000aa", Some(attack))));
    app.event(message(attack, 1, attack, attack));
    let names = Page(vec![attack.into()]);
    app.event(Event::Joined(Joined { room: attack.into(), names, count: 1, members: 2 }));
    let typing = TypingChanged { room: attack.into(), from: attack.into(), active: true };
    app.event(Event::Typing(typing));
    app.event(Event::Disconnected { why: Error::Protocol(attack.into()), retry_in: None });
    app.paste(attack);
    for index in 0..app.chats.len() {
        app.show(index);
        for width in [20, 40, 70, 100, 200] {
            let shown = picture(&mut app, width, 20);
            let bad = shown.chars().find(|&c| c != '\n' && clean::is_unsafe(c));
            assert_eq!(bad, None, "{shown}");
        }
    }
}

#[test]
fn any_size_of_screen_can_be_drawn() {
    let mut app = app();
    app.event(message("lobby", 1, "bob", "a line of some length, and 日本語"));
    for width in 1..100 {
        for height in [1, 2, 3, 4, 24] {
            picture(&mut app, width, height);
            app.key(Key::PageUp);
            app.key(Key::PageDown);
        }
    }
}

/// How far is told to have been read.
fn marks(app: &mut App) -> Vec<u64> {
    let mark = |effect| if let Effect::MarkRead { seq, .. } = effect { Some(seq.0) } else { None };
    effects(app).into_iter().filter_map(mark).collect()
}

#[test]
fn what_is_seen_is_told_at_most_once_a_second_and_never_by_a_guest() {
    let mut app = app();
    app.event(message("lobby", 1, "bob", "for a guest"));
    app.at(Moment(10_000_000_000), NOON);
    assert_eq!((marks(&mut app), app.owes_mark()), (vec![], false));
    app.event(Event::Room(RoomState { read: Some(Seq(1)), seq: Seq(1), ..room("lobby", None) }));
    app.event(Event::Room(RoomState { read: Some(Seq(0)), ..room("ops", None) }));
    assert!(effects(&mut app).contains(&Effect::Unread));
    app.event(message("lobby", 2, "bob", "two"));
    app.event(message("ops", 1, "bob", "elsewhere"));
    app.at(Moment(11_000_000_000), NOON);
    assert_eq!(marks(&mut app), [2]);
    app.event(message("lobby", 3, "bob", "three"));
    app.at(Moment(11_500_000_000), NOON);
    assert_eq!((marks(&mut app), app.owes_mark()), (vec![], true));
    app.at(Moment(12_100_000_000), NOON);
    assert_eq!((marks(&mut app), app.owes_mark()), (vec![3], false));
}

#[test]
fn what_came_meanwhile_is_counted_and_what_was_read_elsewhere_is_not() {
    let mut app = app();
    let info = UnreadInfo { room: "ops".into(), read: Seq(4), unread: 12, mentions: 1 };
    let list = UnreadList { rooms: Page(vec![info]), more: false };
    app.done(Done::Unread { result: Ok(list) });
    assert!(picture(&mut app, 80, 12).contains("12│"));
    app.event(Event::Read(Marked { room: "ops".into(), seq: Seq(20) }));
    assert!(!picture(&mut app, 80, 12).contains("12│"));
}

#[test]
fn a_room_keeps_its_page_under_another_name() {
    let mut app = app();
    app.event(message("lobby", 1, "bob", "before"));
    let (room, name, by) = ("lobby".into(), "hall".into(), "bob".into());
    app.event(Event::Renamed(Renamed { room, name, by }));
    app.event(message("hall", 2, "bob", "after"));
    let picture = picture(&mut app, 80, 12);
    assert!(picture.contains("before") && picture.contains("after"), "{picture}");
    assert!(picture.contains("bob renamed the room from lobby to hall"), "{picture}");
}
