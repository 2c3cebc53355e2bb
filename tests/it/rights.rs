//! Rooms with an owner: who may see, enter, write and put out, on every path.

use klatch::base::id::Seq;
use klatch::protocol::event::{Event, LeaveReason};
use klatch::protocol::reply::{Role, RoomKind};
use klatch::protocol::request::{
    Ban, Configure, Create, History, Invite, Join, Kick, Leave, Members, Mute, Params, Rank, Rooms,
    Say, Standings, Topic, Typing,
};
use klatch::protocol::status::{Code, ErrorBody};

use crate::support::people::{account, again};
use crate::support::{TestClient, TestServer};

fn private(client: &mut TestClient, room: &str) {
    let topic = Some("secret plans".into());
    let create = Create { room: room.into(), topic, private: Some(true), timeout_ms: None };
    assert_eq!(client.request(&create).unwrap().kind, RoomKind::Private);
}

fn configure(room: &str) -> Configure {
    Configure::of(room.into())
}

fn kick(name: &str) -> Kick {
    Kick { room: "den".into(), name: name.into(), text: Some("enough".into()), timeout_ms: None }
}

fn ban(name: &str, ms: Option<u64>) -> Ban {
    Ban { room: "den".into(), name: name.into(), ms, text: None, timeout_ms: None }
}

fn mute(name: &str, ms: Option<u64>) -> Mute {
    Mute { room: "den".into(), name: name.into(), ms, timeout_ms: None }
}

fn rank(name: &str, role: Role) -> Rank {
    Rank { room: "den".into(), name: name.into(), role, timeout_ms: None }
}

fn say(room: &str) -> Say {
    Say { room: room.into(), text: "hi".into(), re: None, key: None, timeout_ms: None }
}

fn join(room: &str) -> Join {
    Join { room: room.into(), timeout_ms: None }
}

fn removed(event: &Event) -> Option<(LeaveReason, Option<String>)> {
    match event {
        Event::Removed(removed) => {
            Some((removed.reason, removed.by.as_ref().map(ToString::to_string)))
        }
        _ => None,
    }
}

/// Every way in which somebody could learn of a room.
fn refusals(client: &mut TestClient, room: &str) -> Vec<Code> {
    fn code<P: Params>(client: &mut TestClient, params: &P) -> Code
    where
        P::Reply: std::fmt::Debug,
    {
        client.refused(params)
    }
    let name = || room.into();
    let (after, limit, timeout_ms) = (None, None, None);
    let history = History {
        room: name(),
        before: None,
        after: Some(Seq(0)),
        around: None,
        at: None,
        limit,
        timeout_ms,
    };
    vec![
        code(client, &join(room)),
        code(client, &say(room)),
        code(client, &history),
        code(client, &Members { room: name(), after, limit, timeout_ms }),
        code(client, &Topic { room: name(), topic: None, timeout_ms }),
        code(client, &Topic { room: name(), topic: Some("x".into()), timeout_ms }),
        code(client, &Typing { room: name(), active: true, timeout_ms }),
        code(client, &Leave { room: name(), timeout_ms }),
        code(client, &Standings { room: name(), after, limit, timeout_ms }),
        code(client, &Invite { room: name(), name: "ann".into(), timeout_ms }),
        code(client, &Kick { room: name(), name: "ann".into(), text: None, timeout_ms }),
        code(client, &Ban { room: name(), name: "ann".into(), ms: None, text: None, timeout_ms }),
        code(client, &Mute { room: name(), name: "ann".into(), ms: None, timeout_ms }),
        code(client, &Rank { room: name(), name: "ann".into(), role: Role::Owner, timeout_ms }),
        code(client, &configure(room)),
    ]
}

#[test]
fn a_private_room_is_not_there_for_others_on_any_path() {
    let server = TestServer::start();
    let mut ann = account(&server, "ann");
    let mut eve = account(&server, "eve");
    let absent = refusals(&mut eve, "den");
    assert!(absent.iter().all(|code| *code == Code::NotFound), "{absent:?}");
    private(&mut ann, "den");
    assert_eq!(refusals(&mut eve, "den"), absent);
    let list = |client: &mut TestClient| {
        let list = client.request(&Rooms { after: None, limit: None, timeout_ms: None }).unwrap();
        list.rooms.0.into_iter().map(|info| info.room.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(&mut eve), ["lobby"]);
    assert_eq!(list(&mut ann), ["den", "lobby"]);
    // Its name is taken, and that is all that can be learnt of it.
    let create =
        |room: &str| Create { room: room.into(), topic: None, private: None, timeout_ms: None };
    assert_eq!(eve.refused(&create("den")), eve.refused(&create("admin")));
    // Nor after a restart, from its first moment on.
    let token = ann.token.clone();
    let server = server.restart(&[]);
    let (mut eve, _) = again(&server, "eve", &eve);
    assert_eq!(refusals(&mut eve, "den"), absent);
    assert_eq!(list(&mut eve), ["lobby"]);
    ann.token = token;
    let (mut ann, logged_in) = again(&server, "ann", &ann);
    assert!(logged_in.rooms.iter().any(|room| &**room == "den"));
    ann.request(&say("den")).unwrap();
}

#[test]
fn what_is_said_in_a_private_room_is_found_by_its_members_only() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    let mut eve = account(&server, "eve");
    private(&mut ann, "den");
    ann.request(&Invite { room: "den".into(), name: "bob".into(), timeout_ms: None }).unwrap();
    bob.join("den");
    ann.say("den", "the treasure is here");
    let hits = |client: &mut TestClient, room: Option<&str>| {
        let search = klatch::protocol::request::Search {
            text: "treasure".into(),
            room: room.map(Into::into),
            from: None,
            before: None,
            limit: None,
            timeout_ms: None,
        };
        client.request(&search).map(|page| page.hits.0.len()).map_err(|error| error.code)
    };
    assert_eq!((hits(&mut ann, None), hits(&mut bob, None)), (Ok(1), Ok(1)));
    assert_eq!(hits(&mut eve, None), Ok(0));
    assert_eq!(hits(&mut eve, Some("den")), hits(&mut eve, Some("nowhere")));
    ann.request(&kick("bob")).unwrap();
    bob.expect(removed);
    assert_eq!(hits(&mut bob, None), Ok(0));
}

#[test]
fn who_is_invited_may_come_in() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    private(&mut ann, "den");
    let invite = Invite { room: "den".into(), name: "bob".into(), timeout_ms: None };
    ann.request(&invite).unwrap();
    let by = bob.expect(|event| match event {
        Event::Invited(invited) => Some((invited.room.to_string(), invited.by.to_string())),
        _ => None,
    });
    assert_eq!(by, ("den".into(), "ann".into()));
    let state = bob.request(&join("den")).unwrap();
    assert_eq!((state.kind, state.role), (RoomKind::Private, Role::Member));
    // A member cannot invite, nor set the room.
    let other = Invite { room: "den".into(), name: "eve".into(), timeout_ms: None };
    let _eve = account(&server, "eve");
    assert_eq!(bob.refused(&other), Code::Denied);
    assert_eq!(bob.refused(&Configure { private: Some(false), ..configure("den") }), Code::Denied);
    // Who is put out needs a new invitation.
    ann.request(&kick("bob")).unwrap();
    assert_eq!(bob.expect(removed), (LeaveReason::Kicked, Some("ann".into())));
    assert_eq!(bob.refused(&join("den")), Code::NotFound);
    // An account that is away is invited too.
    drop(bob);
    ann.request(&invite).unwrap();
}

#[test]
fn moderators_keep_order_below_them() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    let mut eve = account(&server, "eve");
    assert_eq!(ann.create("den").role, Role::Owner);
    bob.join("den");
    eve.join("den");
    assert_eq!(bob.refused(&kick("eve")), Code::Denied);
    ann.request(&rank("bob", Role::Moderator)).unwrap();
    let ranked = eve.expect(|event| match event {
        Event::Ranked(ranked) => Some((ranked.name.to_string(), ranked.role)),
        _ => None,
    });
    assert_eq!(ranked, ("bob".into(), Role::Moderator));
    assert_eq!(bob.refused(&kick("ann")), Code::Denied, "a higher rank");
    assert_eq!(bob.refused(&rank("eve", Role::Owner)), Code::Denied);
    bob.request(&kick("eve")).unwrap();
    assert_eq!(eve.expect(removed), (LeaveReason::Kicked, Some("bob".into())));
    let reason = ann.expect(|event| match event {
        Event::Left(left) => Some(left.gone.0[0].reason),
        _ => None,
    });
    assert_eq!(reason, LeaveReason::Kicked);
    assert_eq!(eve.refused(&say("den")), Code::NotMember);
    // A kick is no ban.
    eve.join("den");
    let list =
        bob.request(&Members { room: "den".into(), after: None, limit: None, timeout_ms: None });
    let roles: Vec<_> =
        list.unwrap().members.0.iter().map(|one| (one.name.to_string(), one.role)).collect();
    assert!(roles.contains(&("ann".into(), Role::Owner)), "{roles:?}");
    assert!(roles.contains(&("bob".into(), Role::Moderator)));
    // Ranks survive.
    let server = server.restart(&[]);
    let (mut bob, _) = again(&server, "bob", &bob);
    let (_eve, _) = again(&server, "eve", &eve);
    bob.request(&kick("eve")).unwrap();
}

#[test]
fn who_is_banned_stays_out_until_it_is_over() {
    let server = TestServer::at_a_standstill(&[]);
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    ann.create("den");
    bob.join("den");
    ann.request(&ban("bob", Some(60_000))).unwrap();
    assert_eq!(bob.expect(removed).0, LeaveReason::Banned);
    let refusal: ErrorBody = bob.request(&join("den")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Denied.number(), Some(60_000)));
    server.advance(std::time::Duration::from_secs(61));
    bob.join("den");
    // For good, until it is lifted.
    ann.request(&ban("bob", None)).unwrap();
    assert_eq!(bob.request(&join("den")).unwrap_err().retry_after_ms, None);
    let standings = Standings { room: "den".into(), after: None, limit: None, timeout_ms: None };
    let list = ann.request(&standings).unwrap().standings.0;
    let shown: Vec<_> =
        list.iter().map(|one| (&*one.name, one.role, one.banned_until.is_some())).collect();
    assert_eq!(shown, [("ann", Role::Owner, false), ("bob", Role::Member, true)]);
    assert_eq!(bob.refused(&standings), Code::NotMember);
    ann.request(&ban("bob", Some(0))).unwrap();
    bob.join("den");
}

#[test]
fn who_is_muted_reads_and_does_not_write() {
    let server = TestServer::at_a_standstill(&[]);
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    ann.create("den");
    bob.join("den");
    ann.request(&mute("bob", Some(5_000))).unwrap();
    let refusal = bob.request(&say("den")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Denied.number(), Some(5_000)));
    ann.say("den", "quiet now");
    assert_eq!(&*bob.message().text, "quiet now");
    server.advance(std::time::Duration::from_secs(5));
    bob.request(&say("den")).unwrap();
}

#[test]
fn only_moderators_write_where_things_are_announced() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    ann.create("den");
    bob.join("den");
    ann.request(&Configure { announcement: Some(true), ..configure("den") }).unwrap();
    let told = bob.expect(|event| match event {
        Event::Configured(configured) => Some(configured.announcement),
        _ => None,
    });
    assert!(told);
    assert_eq!(bob.refused(&say("den")), Code::Denied);
    let topic = Topic { room: "den".into(), topic: Some("mine".into()), timeout_ms: None };
    assert_eq!(bob.refused(&topic), Code::Denied);
    ann.say("den", "hear, hear");
    assert_eq!(&*bob.message().text, "hear, hear");
    let server = server.restart(&[]);
    let (mut bob, _) = again(&server, "bob", &bob);
    assert_eq!(bob.refused(&say("den")), Code::Denied);
}

#[test]
fn in_slow_mode_members_wait_between_messages() {
    let server = TestServer::at_a_standstill(&[]);
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    ann.create("den");
    bob.join("den");
    ann.request(&Configure { slow_ms: Some(10_000), ..configure("den") }).unwrap();
    bob.request(&say("den")).unwrap();
    let refusal = bob.request(&say("den")).unwrap_err();
    assert_eq!(refusal.limit.as_deref(), Some("slow_ms"));
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Rate.number(), Some(10_000)));
    ann.request(&say("den")).unwrap();
    ann.request(&say("den")).unwrap();
    server.advance(std::time::Duration::from_secs(10));
    bob.request(&say("den")).unwrap();
}

#[test]
fn a_room_that_becomes_private_keeps_who_is_in() {
    let server = TestServer::start();
    let (mut ann, mut guest) = (account(&server, "ann"), server.login("guest-1"));
    let mut eve = account(&server, "eve");
    ann.create("den");
    guest.join("den");
    ann.request(&Configure { private: Some(true), ..configure("den") }).unwrap();
    guest.request(&say("den")).unwrap();
    assert_eq!(eve.refused(&join("den")), Code::NotFound);
    ann.request(&Configure { private: Some(false), ..configure("den") }).unwrap();
    eve.join("den");
}
