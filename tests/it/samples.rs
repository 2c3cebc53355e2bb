//! One value of every kind that travels: with the least it can hold, and with all.

use std::sync::Arc;
use std::time::Duration;

use klatch::base::id::{Epoch, Key, Seq};
use klatch::base::limits;
use klatch::base::secret::Token;
use klatch::protocol::codec;
use klatch::protocol::event::{
    Bye, Configured, Deleted, Edited, Event, Gone, Invited, Joined, LeaveReason, Left, Marked,
    Message, Ranked, Reacted, Removed, Renamed, ServerPing, TopicChanged, TypingChanged, Unreacted,
};
use klatch::protocol::reply::{
    Administered, BlockInfo, BlockList, DeviceInfo, DeviceList, Durability, Empty, Entry,
    EntryKind, HistoryPage, Hit, Limits, LoggedIn, MemberInfo, MemberList, Page, Pong, Reaction,
    Registration, Role, RoomInfo, RoomKind, RoomList, RoomState, Said, SearchPage, StandingInfo,
    StandingList, TopicState, UnreadInfo, UnreadList, Welcome,
};
use klatch::protocol::request::{
    Admin, Ban, Block, Blocks, Configure, Create, Delete, DeleteRoom, Devices, Direct, Edit, Hello,
    History, Invite, Join, Kick, Leave, Login, Logout, MarkRead, Members, Mute, Passwd, Ping, Quit,
    Rank, React, Register, RenameRoom, Request, Revoke, Rooms, Say, Search, Standings, Topic,
    Typing, Unread, Unregister,
};
use klatch::protocol::status::{Code, Refusal};

const KEY: Key = Key([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
fn token() -> Token {
    Token::from([0x5a; 32])
}

const TIME: u64 = 1_800_000_000_000;
const WAIT: Option<u32> = Some(5_000);

/// Requests with only what they must have, and with everything.
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn requests() -> Vec<(&'static str, Request)> {
    use Request as R;
    let room = || "ops".into();
    vec![
        ("minimal", R::Hello(Hello { version: 1, version_min: None, client: None, timeout_ms: None })),
        ("full", R::Hello(Hello { version: 2, version_min: Some(1), client: Some("klatch 0.1.0".into()), timeout_ms: WAIT })),
        ("minimal", R::Login(Login::guest("alice".into()))),
        ("full", R::Login(Login { name: "Zoë".into(), password: Some("correct horse".into()), token: Some(token()), device: Some("Firefox".into()), timeout_ms: WAIT })),
        ("minimal", R::Register(Register { name: "alice".into(), password: "correct horse".into(), invite: None, device: None, timeout_ms: None })),
        ("full", R::Register(Register { name: "Zoë".into(), password: "пароль".into(), invite: Some("0123456789abcdefghjk".into()), device: Some("klatch on laptop".into()), timeout_ms: WAIT })),
        ("minimal", R::Quit(Quit { timeout_ms: None })),
        ("full", R::Passwd(Passwd { old: "correct horse".into(), new: "battery staple".into(), timeout_ms: WAIT })),
        ("full", R::Unregister(Unregister { password: "correct horse".into(), timeout_ms: WAIT })),
        ("minimal", R::Devices(Devices { timeout_ms: None })),
        ("full", R::Revoke(Revoke { device: 7, timeout_ms: WAIT })),
        ("minimal", R::Logout(Logout { all: None, timeout_ms: None })),
        ("full", R::Logout(Logout { all: Some(true), timeout_ms: WAIT })),
        ("minimal", R::Ping(Ping { timeout_ms: None })),
        ("full", R::Ping(Ping { timeout_ms: Some(u32::MAX) })),
        ("minimal", R::Rooms(Rooms { after: None, limit: None, timeout_ms: None })),
        ("full", R::Rooms(Rooms { after: Some("lobby".into()), limit: Some(50), timeout_ms: WAIT })),
        ("minimal", R::Create(Create { room: room(), topic: None, private: None, timeout_ms: None })),
        ("full", R::Create(Create { room: "山田".into(), topic: Some("What runs, and what does not".into()), private: Some(true), timeout_ms: WAIT })),
        ("minimal", R::Join(Join { room: room(), timeout_ms: None })),
        ("full", R::Join(Join { room: room(), timeout_ms: WAIT })),
        ("minimal", R::Leave(Leave { room: room(), timeout_ms: None })),
        ("full", R::Leave(Leave { room: "@000000000000002a".into(), timeout_ms: WAIT })),
        ("minimal", R::Members(Members { room: room(), after: None, limit: None, timeout_ms: None })),
        ("full", R::Members(Members { room: room(), after: Some(u64::MAX), limit: Some(200), timeout_ms: WAIT })),
        ("minimal", R::Topic(Topic { room: room(), topic: None, timeout_ms: None })),
        ("full", R::Topic(Topic { room: room(), topic: Some("".into()), timeout_ms: WAIT })),
        ("longest", R::Topic(Topic { room: "r".repeat(32).as_str().into(), topic: Some("t".repeat(limits::TOPIC_BYTES).as_str().into()), timeout_ms: None })),
        ("minimal", R::Say(Say { room: room(), text: "hi".into(), re: None, key: None, timeout_ms: None })),
        ("full", R::Say(Say { room: room(), text: "two\nlines,\ta tab and 😀".into(), re: Some(Seq(41)), key: Some(KEY), timeout_ms: WAIT })),
        ("minimal", R::Edit(Edit { room: room(), seq: Seq(1), text: "ho".into(), key: None, timeout_ms: None })),
        ("full", R::Edit(Edit { room: room(), seq: Seq(u64::MAX), text: "two\nlines".into(), key: Some(KEY), timeout_ms: WAIT })),
        ("minimal", R::Delete(Delete { room: room(), seq: Seq(1), key: None, timeout_ms: None })),
        ("full", R::Delete(Delete { room: room(), seq: Seq(300), key: Some(KEY), timeout_ms: WAIT })),
        ("minimal", R::React(React { room: room(), seq: Seq(1), reaction: "👍".into(), on: true, key: None, timeout_ms: None })),
        ("full", R::React(React { room: room(), seq: Seq(300), reaction: "👩‍👩‍👧‍👦".into(), on: false, key: Some(KEY), timeout_ms: WAIT })),
        ("longest", R::React(React { room: room(), seq: Seq(1), reaction: "r".repeat(limits::REACTION_BYTES).as_str().into(), on: true, key: None, timeout_ms: None })),
        ("minimal", R::History(History { room: room(), before: None, after: None, around: None, at: None, limit: None, timeout_ms: None })),
        ("full", R::History(History { room: room(), before: Some(Seq(300)), after: Some(Seq(100)), around: None, at: None, limit: Some(0), timeout_ms: WAIT })),
        ("around", R::History(History { room: room(), before: None, after: None, around: Some(Seq(300)), at: None, limit: None, timeout_ms: None })),
        ("from a time on", R::History(History { room: room(), before: None, after: None, around: None, at: Some(TIME), limit: None, timeout_ms: None })),
        ("minimal", R::Search(Search { text: "deploy".into(), room: None, from: None, before: None, limit: None, timeout_ms: None })),
        ("full", R::Search(Search { text: "日本 deploy".into(), room: Some(room()), from: Some("alice".into()), before: Some(4_711), limit: Some(10), timeout_ms: WAIT })),
        ("minimal", R::MarkRead(MarkRead { room: room(), seq: Seq(0), timeout_ms: None })),
        ("full", R::MarkRead(MarkRead { room: room(), seq: Seq(300), timeout_ms: WAIT })),
        ("minimal", R::Unread(Unread { after: None, limit: None, timeout_ms: None })),
        ("full", R::Unread(Unread { after: Some("lobby".into()), limit: Some(50), timeout_ms: WAIT })),
        ("minimal", R::Typing(Typing { room: room(), active: true, timeout_ms: None })),
        ("full", R::Typing(Typing { room: room(), active: false, timeout_ms: Some(0) })),
        ("minimal", R::Direct(Direct { name: "bob".into(), timeout_ms: None })),
        ("full", R::Direct(Direct { name: "bob".into(), timeout_ms: WAIT })),
        ("full", R::Invite(Invite { room: room(), name: "bob".into(), timeout_ms: WAIT })),
        ("minimal", R::Kick(Kick { room: room(), name: "bob".into(), text: None, timeout_ms: None })),
        ("full", R::Kick(Kick { room: room(), name: "bob".into(), text: Some("enough".into()), timeout_ms: WAIT })),
        ("minimal", R::Ban(Ban { room: room(), name: "bob".into(), ms: None, text: None, timeout_ms: None })),
        ("full", R::Ban(Ban { room: room(), name: "bob".into(), ms: Some(3_600_000), text: Some("enough".into()), timeout_ms: WAIT })),
        ("full", R::Mute(Mute { room: room(), name: "bob".into(), ms: Some(0), timeout_ms: WAIT })),
        ("full", R::Rank(Rank { room: room(), name: "bob".into(), role: Role::Moderator, timeout_ms: WAIT })),
        ("minimal", R::Configure(Configure { room: room(), private: None, announcement: None, slow_ms: None, keep_ms: None, keep_entries: None, keep_bytes: None, timeout_ms: None })),
        ("full", R::Configure(Configure { room: room(), private: Some(true), announcement: Some(true), slow_ms: Some(5_000), keep_ms: Some(2_592_000_000), keep_entries: Some(10_000), keep_bytes: Some(0), timeout_ms: WAIT })),
        ("full", R::RenameRoom(RenameRoom { room: room(), name: "dev".into(), timeout_ms: WAIT })),
        ("full", R::DeleteRoom(DeleteRoom { room: room(), timeout_ms: WAIT })),
        ("full", R::Block(Block { name: "bob".into(), on: true, timeout_ms: WAIT })),
        ("minimal", R::Blocks(Blocks { after: None, limit: None, timeout_ms: None })),
        ("full", R::Blocks(Blocks { after: Some(7), limit: Some(50), timeout_ms: WAIT })),
        ("full", R::Standings(Standings { room: room(), after: Some(7), limit: Some(50), timeout_ms: WAIT })),
        ("minimal", R::Admin(Admin { command: "status".into(), arguments: None, timeout_ms: None })),
        ("full", R::Admin(Admin { command: "kick".into(), arguments: Some("{\"who\":\"bob\"}".into()), timeout_ms: WAIT })),
    ]
}

/// Every event, with only what it must have, and with everything.
#[rustfmt::skip]
pub(crate) fn events() -> Vec<(&'static str, Event)> {
    use Event as E;
    let (room, alice) = (|| Arc::from("ops"), || Arc::from("alice"));
    let gone = |reason| Gone { name: alice(), reason };
    let bye = |code: Code| Bye {
        code: code.number(), name: code.name().into(), text: code.meaning().into(),
        retry_after_ms: None, resume: false, limit: None, used: None, allowed: None,
    };
    vec![
        ("short", E::Message(Message { room: room(), seq: Seq(1), time: TIME, from: alice(), text: "hi".into(), re: None })),
        ("answer", E::Message(Message { room: room(), seq: Seq(2), time: TIME, from: alice(), text: "hi".into(), re: Some(Seq(1)) })),
        ("long", E::Message(Message { room: room(), seq: Seq(u64::MAX), time: TIME, from: alice(), text: "é\n".repeat(90).into(), re: None })),
        ("set", E::TopicChanged(TopicChanged { room: room(), seq: Seq(2), time: TIME, from: alice(), text: "News".into() })),
        ("cleared", E::TopicChanged(TopicChanged { room: room(), seq: Seq(3), time: TIME, from: alice(), text: "".into() })),
        ("full", E::Edit(Edited { room: room(), seq: Seq(4), time: TIME, from: alice(), re: Seq(1), text: "ho".into() })),
        ("full", E::Delete(Deleted { room: room(), seq: Seq(5), time: TIME, from: alice(), re: Seq(1) })),
        ("full", E::React(Reacted { room: room(), seq: Seq(6), time: TIME, from: alice(), re: Seq(2), text: "👍".into() })),
        ("full", E::Unreact(Unreacted { room: room(), seq: Seq(7), time: TIME, from: alice(), re: Seq(2), text: "👍".into() })),
        ("public", E::Room(room_state())),
        ("direct", E::Room(direct_state())),
        ("one", E::Joined(Joined { room: room(), names: Page(vec![alice()]), count: 1, members: 2 })),
        ("many", E::Joined(Joined { room: room(), names: Page(vec![alice(); limits::PRESENCE_NAMES]), count: 5_000, members: 70_000 })),
        ("reasons", E::Left(Left {
            room: room(),
            gone: Page([LeaveReason::Left, LeaveReason::Logout, LeaveReason::Lost, LeaveReason::Timeout, LeaveReason::Removed, LeaveReason::Shutdown, LeaveReason::Kicked, LeaveReason::Banned, LeaveReason::Deleted].map(gone).to_vec()),
            count: 9, members: 1,
        })),
        ("device", E::Removed(Removed { room: room(), reason: LeaveReason::Left, by: None, text: None, until: None })),
        ("banned", E::Removed(Removed { room: room(), reason: LeaveReason::Banned, by: Some(alice()), text: Some("enough".into()), until: Some(TIME) })),
        ("full", E::Invited(Invited { room: room(), by: alice() })),
        ("full", E::Configured(Configured { room: room(), kind: RoomKind::Private, announcement: true, slow_ms: 5_000, keep_ms: Some(1), keep_entries: None, keep_bytes: None, by: alice() })),
        ("full", E::Renamed(Renamed { room: room(), name: "dev".into(), by: alice() })),
        ("full", E::Ranked(Ranked { room: room(), name: "bob".into(), role: Role::Moderator, by: alice() })),
        ("full", E::Read(Marked { room: room(), seq: Seq(300) })),
        ("begun", E::Typing(TypingChanged { room: room(), from: alice(), active: true })),
        ("ended", E::Typing(TypingChanged { room: room(), from: alice(), active: false })),
        ("empty", E::Ping(ServerPing {})),
        ("logout", E::Bye(bye(Code::Logout))),
        ("full", E::Bye(Bye {
            retry_after_ms: Some(2_000), resume: true, limit: Some("outbox_bytes".into()),
            used: Some(1_050_000), allowed: Some(1_048_576), ..bye(Code::SlowConsumer)
        })),
    ]
}

fn room_state() -> RoomState {
    RoomState {
        room: "ops".into(),
        kind: RoomKind::Public,
        with: None,
        epoch: Epoch(7),
        seq: Seq(0),
        first: Seq(1),
        topic: "".into(),
        members: 1,
        role: Role::Owner,
        announcement: false,
        slow_ms: 0,
        keep_ms: None,
        keep_entries: None,
        keep_bytes: None,
        read: None,
    }
}

fn direct_state() -> RoomState {
    RoomState {
        room: "@000000000000002a".into(),
        kind: RoomKind::Direct,
        with: Some("bob".into()),
        epoch: Epoch(1 << 63),
        seq: Seq(4_000),
        first: Seq(3_001),
        topic: "".into(),
        members: 2,
        role: Role::Member,
        announcement: false,
        slow_ms: 0,
        keep_ms: Some(86_400_000),
        keep_entries: Some(1_000),
        keep_bytes: Some(1_048_576),
        read: Some(Seq(3_990)),
    }
}

fn advertised() -> Limits {
    let bytes = |n: usize| u64::try_from(n).expect("a limit");
    Limits {
        frame_bytes: bytes(limits::FRAME_BYTES),
        frame_bytes_before_login: bytes(limits::FRAME_BYTES_BEFORE_LOGIN),
        text_bytes: bytes(limits::TEXT_BYTES),
        topic_bytes: bytes(limits::TOPIC_BYTES),
        name_bytes: bytes(limits::NAME_BYTES),
        inflight: 32,
        requests_per_s: 100,
        requests_burst: 200,
        bytes_per_s: 65_536,
        bytes_burst: 262_144,
        rooms_per_session: 256,
        history_page: 200,
        list_page: 200,
        outbox_bytes: 1_048_576,
        outbox_ms: 5_000,
        login_ms: 5_000,
        ping_ms: 30_000,
        dead_ms: 75_000,
        idle_ms: 86_400_000,
    }
}

/// Results of every method: name, method, and the frame that answers request 7 with it.
#[rustfmt::skip]
pub(crate) fn results() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let alice = || Arc::from("alice");
    let welcome = Welcome {
        version: 1, server: "klatchd 0.1.0".into(), durability: Durability::Memory,
        capabilities: vec![], limits: advertised(), time: TIME, guests: true, registration: Registration::Open, motd: None,
    };
    let full = Welcome {
        durability: Durability::Durable, capabilities: vec!["search".into()],
        guests: false, registration: Registration::Invite, motd: Some("Be kind.".into()), ..welcome.clone()
    };
    let entry = |seq, kind| Entry::new(Seq(seq), TIME, kind, alice(), "hi".into());
    let about = |seq, kind| Entry { re: Some(Seq(1)), ..entry(seq, kind) };
    let reaction = Reaction { text: "👍".into(), count: 12, names: Page(vec![alice()]) };
    let reacted = Entry {
        edited: Some(TIME), reactions: Some(Page(vec![reaction])), ..about(3, EntryKind::Message)
    };
    let found = reacted.clone();
    let deleted = Entry { deleted: Some(TIME), text: "".into(), ..entry(4, EntryKind::Message) };
    let topic = TopicState { topic: "News".into(), by: Some(alice()), time: Some(TIME), seq: Some(Seq(2)) };
    let info = |kind| RoomInfo { room: "ops".into(), kind, topic: "News".into(), members: 3 };
    vec![
        ("minimal", "hello", result(&welcome)),
        ("full", "hello", result(&full)),
        ("minimal", "login", result(&LoggedIn { name: alice(), guest: false, admin: true, token: token(), hold_ms: 0, rooms: vec![] })),
        ("full", "login", result(&LoggedIn { name: alice(), guest: true, admin: false, token: token(), hold_ms: 120_000, rooms: vec!["lobby".into(), "ops".into()] })),
        ("full", "register", result(&LoggedIn { name: alice(), guest: false, admin: false, token: token(), hold_ms: 0, rooms: vec!["lobby".into()] })),
        ("full", "devices", result(&DeviceList { devices: Page(vec![DeviceInfo { id: 7, device: "Firefox".into(), since: TIME, seen: TIME, online: true, current: false }]) })),
        ("full", "standings", result(&StandingList { standings: Page(vec![StandingInfo { id: 7, name: alice(), role: Role::Moderator, invited: true, banned_until: Some(TIME), muted_until: None }]), more: false })),
        ("minimal", "admin", result(&Administered { answer: "[]".into(), failed: None, left_out: 3 })),
        ("full", "admin", result(&Administered { answer: "null".into(), failed: Some("nobody is connected as \"bob\"".into()), left_out: 0 })),
        ("empty", "logout", result(&Empty {})),
        ("empty", "quit", result(&Empty {})),
        ("empty", "passwd", result(&Empty {})),
        ("empty", "unregister", result(&Empty {})),
        ("empty", "revoke", result(&Empty {})),
        ("empty", "invite", result(&Empty {})),
        ("empty", "kick", result(&Empty {})),
        ("empty", "ban", result(&Empty {})),
        ("empty", "mute", result(&Empty {})),
        ("empty", "rank", result(&Empty {})),
        ("empty", "configure", result(&Empty {})),
        ("full", "ping", result(&Pong { time: TIME })),
        ("empty", "rooms", result(&RoomList { rooms: Page(vec![]), more: false })),
        ("full", "rooms", result(&RoomList { rooms: Page(vec![info(RoomKind::Public), info(RoomKind::Direct)]), more: true })),
        ("full", "create", result(&room_state())),
        ("full", "join", result(&room_state())),
        ("empty", "leave", result(&Empty {})),
        ("full", "members", result(&MemberList { members: Page(vec![MemberInfo { id: 42, name: alice(), since: TIME, role: Role::Owner, guest: false }]), total: 300, more: true })),
        ("minimal", "topic", result(&TopicState { topic: "".into(), by: None, time: None, seq: None })),
        ("full", "topic", result(&topic)),
        ("first", "say", result(&Said { seq: Seq(1), time: TIME, dup: false })),
        ("again", "say", result(&Said { seq: Seq(1), time: TIME, dup: true })),
        ("empty", "history", result(&HistoryPage { epoch: Epoch(7), entries: Page(vec![]), first: Seq(1), head: Seq(0), more: false })),
        ("full", "history", result(&HistoryPage { epoch: Epoch(7), entries: Page(vec![entry(1, EntryKind::Message), entry(2, EntryKind::Topic)]), first: Seq(1), head: Seq(9), more: true })),
        ("changed", "history", result(&HistoryPage { epoch: Epoch(7), entries: Page(vec![reacted, deleted, about(5, EntryKind::Edit), about(6, EntryKind::Delete), about(7, EntryKind::React), about(8, EntryKind::Unreact)]), first: Seq(1), head: Seq(9), more: false })),
        ("empty", "search", result(&SearchPage { hits: Page(vec![]), next: None })),
        ("full", "search", result(&SearchPage { hits: Page(vec![Hit { room: "ops".into(), entry: found }]), next: Some(4_711) })),
        ("first", "edit", result(&Said { seq: Seq(4), time: TIME, dup: false })),
        ("first", "delete", result(&Said { seq: Seq(5), time: TIME, dup: false })),
        ("already", "react", result(&Said { seq: Seq(1), time: TIME, dup: true })),
        ("empty", "rename_room", result(&Empty {})),
        ("empty", "delete_room", result(&Empty {})),
        ("empty", "block", result(&Empty {})),
        ("full", "blocks", result(&BlockList { blocks: Page(vec![BlockInfo { id: 7, name: alice() }]), more: false })),
        ("empty", "mark_read", result(&Empty {})),
        ("empty", "unread", result(&UnreadList { rooms: Page(vec![]), more: false })),
        ("full", "unread", result(&UnreadList { rooms: Page(vec![UnreadInfo { room: "ops".into(), read: Seq(300), unread: 500, mentions: 2 }]), more: true })),
        ("empty", "typing", result(&Empty {})),
        ("full", "direct", result(&direct_state())),
    ]
}

fn result(value: &impl serde::Serialize) -> Vec<u8> {
    codec::result_frame(7, value).to_vec()
}

/// Every status code that a response can carry, and one error with every field.
pub(crate) fn refusals() -> Vec<(String, Vec<u8>)> {
    let frame = |refusal: &Refusal| codec::refusal_frame(7, refusal).to_vec();
    let full = Refusal::from(Code::NameTaken)
        .limit("name_bytes", 70, 64)
        .retry_after(Duration::from_millis(1_500))
        .suggest("alice2".into());
    let codes = Code::ALL.iter().filter(|code| **code != Code::Logout);
    codes
        .map(|code| (code.name().to_owned(), frame(&(*code).into())))
        .chain([("full".to_owned(), frame(&full))])
        .collect()
}
