//! The room as a value: all commands, members and strangers alike.

use super::*;
use crate::base::id::{Key, WorkerId};
use crate::base::name::UserName;
use crate::protocol::reply::Said;
use crate::room::say::{Act, Asked, Saying, Spoken};

const POLICY: Policy = Policy { members: 3, presence_members: 100, keys: 10 };

fn person(account: u64, name: &str) -> Arc<Identity> {
    let name = UserName::parse(name).unwrap();
    Arc::new(Identity { account: AccountId(account), name, admin: false })
}

fn session(slot: u32) -> SessionId {
    SessionId { worker: WorkerId(0), slot, generation: 0 }
}

fn room(kind: Kind) -> Room {
    let topic = TopicState { topic: "".into(), by: None, time: None, seq: None };
    let past = Past {
        epoch: Epoch(7),
        head: Seq(0),
        topic,
        keys: Keys::default(),
        house: House::default(),
    };
    Room::new(RoomName::parse("ops").unwrap(), kind, POLICY, past)
}

#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.expect_err("refused").code
}

fn say(room: &mut Room, account: u64, text: &str, key: Option<Key>) -> Result<Spoken, Refusal> {
    let act = Act::Say { text: text.into(), re: None };
    room.say(AccountId(account), Saying { act: &act, key, time: 0 }, &Asked::NOTHING)
}

#[track_caller]
fn said(room: &mut Room, account: u64, text: &str, key: Option<Key>) -> Seq {
    match say(room, account, text, key) {
        Ok(Spoken::New(entry)) => entry.entry.seq,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sequence_numbers_have_no_holes_whatever_is_said() {
    let mut room = room(Kind::Room);
    room.join(&person(1, "ann"), session(1), 0).unwrap();
    assert_eq!(said(&mut room, 1, "a", None), Seq(1));
    assert_eq!(room.set_topic(AccountId(1), "t".into(), 0).unwrap().entry.seq, Seq(2));
    assert_eq!(said(&mut room, 1, "b", None), Seq(3));
    assert_eq!(room.head(), Seq(3));
}

#[test]
fn who_is_not_a_member_can_do_nothing() {
    let mut room = room(Kind::Room);
    let stranger = AccountId(9);
    assert_eq!(code(say(&mut room, 9, "x", None)), Code::NotMember);
    assert_eq!(code(room.set_topic(stranger, "x".into(), 0)), Code::NotMember);
    assert_eq!(code(room.typing(stranger, true, Moment(0))), Code::NotMember);
    assert_eq!(code(room.members(stranger, None, None)), Code::NotMember);
    assert_eq!(code(room.check_member(stranger)), Code::NotMember);
    assert_eq!(room.leave(stranger, session(1), LeaveReason::Left), Departure::Unknown);
    assert_eq!(room.head(), Seq(0));
}

#[test]
fn a_direct_room_is_not_there_for_others() {
    let (ann, bob, eve) = (person(1, "ann"), person(2, "bob"), person(3, "eve"));
    let mut room = room(Kind::Direct([Arc::clone(&ann), Arc::clone(&bob)]));
    assert_eq!(code(room.join(&eve, session(3), 0)), Code::NotFound);
    assert_eq!(code(room.check_member(eve.account)), Code::NotFound);
    assert_eq!(code(room.typing(eve.account, true, Moment(0))), Code::NotFound);
    assert_eq!(code(room.check_member(ann.account)), Code::NotMember);
    room.join(&ann, session(1), 0).unwrap();
    assert_eq!(room.seen_by(ann.account, Seq(1)).with.as_deref(), Some("bob"));
    assert_eq!(room.seen_by(bob.account, Seq(1)).with.as_deref(), Some("ann"));
}

#[test]
fn an_account_comes_with_its_first_session_and_goes_with_its_last() {
    let mut room = room(Kind::Room);
    let ann = person(1, "ann");
    assert_eq!(room.join(&ann, session(1), 0), Ok(Arrival::Account));
    assert_eq!(room.join(&ann, session(1), 0), Ok(Arrival::Known));
    assert_eq!(room.join(&ann, session(2), 0), Ok(Arrival::Session));
    assert_eq!(room.size(), 1);
    assert_eq!(room.account_of(session(2)), Some(ann.account));
    assert_eq!(room.leave(ann.account, session(1), LeaveReason::Lost), Departure::Session);
    assert_eq!(room.leave(ann.account, session(1), LeaveReason::Lost), Departure::Unknown);
    assert_eq!(room.leave(ann.account, session(2), LeaveReason::Lost), Departure::Account);
    assert_eq!(room.size(), 0);
}

#[test]
fn a_full_room_names_its_limit() {
    let mut room = room(Kind::Room);
    for number in 1..=3 {
        room.join(&person(number, "ann"), session(0), 0).unwrap();
    }
    let refusal = room.join(&person(4, "ann"), session(0), 0).unwrap_err();
    let limit = refusal.limit.unwrap();
    assert_eq!((refusal.code, limit.used, limit.allowed), (Code::Quota, 4, 3));
}

#[test]
fn a_key_says_once_and_only_one_thing() {
    let mut room = room(Kind::Room);
    room.join(&person(1, "ann"), session(1), 0).unwrap();
    let key = Some(Key([1; 16]));
    assert_eq!(said(&mut room, 1, "a", key), Seq(1));
    let again = say(&mut room, 1, "a", key).unwrap();
    assert_eq!(again, Spoken::Before(Said { seq: Seq(1), time: 0, dup: true }));
    assert_eq!(code(say(&mut room, 1, "b", key)), Code::KeyConflict);
    assert_eq!(room.head(), Seq(1));
}

#[test]
fn what_was_not_committed_is_taken_back_whole() {
    let mut room = room(Kind::Room);
    room.join(&person(1, "ann"), session(1), 0).unwrap();
    room.set_topic(AccountId(1), "old".into(), 0).unwrap();
    assert_eq!(&*room.topic().topic, "", "not shown before its commit");
    room.committed(Seq(1));
    assert_eq!(&*room.topic().topic, "old");
    room.set_topic(AccountId(1), "new".into(), 0).unwrap();
    said(&mut room, 1, "a", Some(Key([1; 16])));
    room.roll_back(Seq(1));
    assert_eq!((&*room.topic().topic, room.head()), ("old", Seq(1)));
    assert_eq!(said(&mut room, 1, "a", Some(Key([1; 16]))), Seq(2));
}

#[test]
fn typing_is_told_once_in_a_while() {
    let mut room = room(Kind::Room);
    room.join(&person(1, "ann"), session(1), 0).unwrap();
    let mut tell = |active, s| {
        let now = Moment(0).after(Duration::from_secs(s));
        room.typing(AccountId(1), active, now).unwrap().is_some()
    };
    let told = [
        tell(false, 0),
        tell(true, 0),
        tell(true, 2),
        tell(true, 3),
        tell(false, 4),
        tell(true, 5),
        tell(false, 5),
    ];
    assert_eq!(told, [false, true, false, true, true, false, false]);
}

#[test]
fn members_come_in_pages() {
    let mut room = room(Kind::Room);
    for number in 1..=3 {
        room.join(&person(number, &format!("p{number}")), session(0), number).unwrap();
    }
    let page = room.members(AccountId(1), None, Some(2)).unwrap();
    let names: Vec<_> = page.members.0.iter().map(|member| &*member.name).collect();
    assert_eq!((names.as_slice(), page.total, page.more), (&["p1", "p2"][..], 3, true));
    let page = room.members(AccountId(1), Some(2), None).unwrap();
    assert_eq!((page.members.0.len(), page.more), (1, false));
}
