//! Accounts: made, entered by password and by token, on many devices, left, and deleted.

use std::time::Duration;

use klatch::base::secret::Token;
use klatch::protocol::event::{Event, LeaveReason};
use klatch::protocol::reply::{DeviceInfo, LoggedIn, Registration};
use klatch::protocol::request::{
    Devices, Leave, Login, Logout, Passwd, Quit, Register, Revoke, Unregister,
};
use klatch::protocol::status::{Code, ErrorBody};

use crate::support::{TestClient, TestServer};

const PASSWORD: &str = "correct horse";

fn register(client: &mut TestClient, name: &str) -> Result<LoggedIn, ErrorBody> {
    client.request(&Register {
        name: name.into(),
        password: PASSWORD.into(),
        invite: None,
        device: Some("first".into()),
        timeout_ms: None,
    })
}

/// A new account, online.
fn registered(server: &TestServer, name: &str) -> TestClient {
    let mut client = greeted(server);
    let logged_in = register(&mut client, name).expect("an account");
    settle(&mut client, &logged_in);
    client.token = Some(logged_in.token);
    client
}

fn greeted(server: &TestServer) -> TestClient {
    let mut client = server.connect();
    client.hello();
    client
}

fn settle(client: &mut TestClient, logged_in: &LoggedIn) {
    for _ in &logged_in.rooms {
        client.expect(|event| matches!(event, Event::Room(_)).then_some(()));
    }
}

fn with_password(
    client: &mut TestClient,
    name: &str,
    password: &str,
) -> Result<LoggedIn, ErrorBody> {
    let password = Some(password.into());
    let login = Login { password, device: Some("other".into()), ..Login::guest(name.into()) };
    let logged_in = client.request(&login)?;
    settle(client, &logged_in);
    client.token = Some(logged_in.token.clone());
    Ok(logged_in)
}

fn with_token(server: &TestServer, name: &str, token: &Token) -> Result<TestClient, Code> {
    let mut client = greeted(server);
    let refused = |error: ErrorBody| Code::from_number(error.code).expect("a code");
    let logged_in = client.try_login(name, Some(token.clone())).map_err(refused)?;
    settle(&mut client, &logged_in);
    client.token = Some(logged_in.token);
    Ok(client)
}

fn devices(client: &mut TestClient) -> Vec<DeviceInfo> {
    client.request(&Devices { timeout_ms: None }).expect("a list").devices.0
}

#[test]
fn an_account_is_made_and_entered_again_and_survives_a_restart() {
    let server = TestServer::start();
    let mut ann = greeted(&server);
    let made = register(&mut ann, "Ann").unwrap();
    assert_eq!((&*made.name, made.guest, made.admin), ("Ann", false, false));
    settle(&mut ann, &made);
    ann.say("lobby", "here to stay");
    let server = server.restart(&[]);
    let mut by_password = greeted(&server);
    // The name comes back as it was written when it was made.
    assert_eq!(&*with_password(&mut by_password, "ANN", PASSWORD).unwrap().name, "Ann");
    let mut by_token = with_token(&server, "ann", &made.token).unwrap();
    by_token.say("lobby", "and again");
    assert_eq!(&*by_password.message().text, "and again");
    assert_eq!(&*by_password.whole_history("lobby")[0].text, "here to stay");
}

#[test]
fn wrong_passwords_and_unknown_names_get_one_answer() {
    let server = TestServer::start();
    registered(&server, "ann");
    let mut eve = greeted(&server);
    let wrong = with_password(&mut eve, "ann", "wrong horse").unwrap_err();
    let unknown = with_password(&mut eve, "nobody-here", "wrong horse").unwrap_err();
    assert_eq!(wrong, unknown);
    assert_eq!(wrong.code, Code::BadCredentials.number());
    let token = Token::from([7; 32]);
    assert_eq!(with_token(&server, "ann", &token).err(), Some(Code::BadCredentials));
    // A token of one account opens no other.
    let bob = registered(&server, "bob").token.unwrap();
    assert_eq!(with_token(&server, "ann", &bob).err(), Some(Code::BadCredentials));
}

#[test]
fn who_guesses_waits_and_the_owner_does_not() {
    let server = TestServer::at_a_standstill(&["server.listen=127.0.0.1:0"]);
    registered(&server, "ann");
    let mut eve = greeted(&server);
    let refusals: Vec<_> =
        (0..6).map(|_| with_password(&mut eve, "ann", "wrong horse").unwrap_err()).collect();
    let last = refusals.last().unwrap();
    assert_eq!(last.limit.as_deref(), Some("login_failures"));
    assert_eq!(last.code, Code::Rate.number());
    assert!(last.retry_after_ms.is_some_and(|wait| wait > 20_000));
    // From elsewhere the account is open to its owner.
    let mut ann = server.connect_from("127.0.0.2");
    ann.hello();
    with_password(&mut ann, "ann", PASSWORD).unwrap();
}

#[test]
fn names_of_accounts_are_nobody_elses() {
    let server = TestServer::start();
    let ann = registered(&server, "ann");
    drop(ann);
    let mut eve = greeted(&server);
    for name in ["ann", "ANN", "Ann"] {
        let refusal = eve.try_login(name, None).unwrap_err();
        assert_eq!(refusal.code, Code::NameRegistered.number(), "{name}");
        assert!(refusal.suggestion.is_some());
        assert_eq!(register(&mut eve, name).unwrap_err().code, Code::NameTaken.number());
    }
    // Nor is a guest's name registered by somebody else.
    let _bob = server.login("bob");
    assert_eq!(register(&mut eve, "b0b").unwrap_err().code, Code::NameTaken.number());
    assert_eq!(register(&mut eve, "admin").unwrap_err().code, Code::NameReserved.number());
}

#[test]
fn passwords_that_are_guessed_first_are_refused() {
    let server = TestServer::start();
    let mut ann = greeted(&server);
    for weak in ["short", "aaaaaaaaaa", "me-is-ann"] {
        let refusal = ann.request(&Register {
            name: "ann".into(),
            password: weak.into(),
            invite: None,
            device: None,
            timeout_ms: None,
        });
        assert_eq!(refusal.unwrap_err().code, Code::PasswordWeak.number(), "{weak}");
    }
    register(&mut ann, "ann").unwrap();
}

#[test]
fn who_may_register_is_configured() {
    let server = TestServer::with(&["accounts.registration=closed", "accounts.guests=off"]);
    let mut ann = server.connect();
    let welcome = ann.hello();
    assert_eq!((welcome.registration, welcome.guests), (Registration::Closed, false));
    assert_eq!(register(&mut ann, "ann").unwrap_err().code, Code::RegistrationClosed.number());
    assert_eq!(ann.try_login("ann", None).unwrap_err().code, Code::GuestsDenied.number());
    let server = TestServer::with(&["accounts.registration=invite"]);
    let mut ann = greeted(&server);
    assert_eq!(register(&mut ann, "ann").unwrap_err().code, Code::RegistrationClosed.number());
    let with_code = Register {
        name: "ann".into(),
        password: PASSWORD.into(),
        invite: Some("0123456789abcdefghjk".into()),
        device: None,
        timeout_ms: None,
    };
    assert_eq!(ann.refused(&with_code), Code::InviteInvalid);
    // A server that keeps nothing keeps no accounts.
    let server = TestServer::with(&["store.engine=memory"]);
    let mut ann = greeted(&server);
    assert_eq!(register(&mut ann, "ann").unwrap_err().code, Code::RegistrationClosed.number());
}

#[test]
fn the_first_administrator_comes_with_the_code_of_the_start() {
    let server = TestServer::with(&["accounts.registration=closed"]);
    let code = server.first_admin.clone().expect("a code: there is no administrator");
    let with_code = |name: &str| Register {
        name: name.into(),
        password: PASSWORD.into(),
        invite: Some(code.to_uppercase().as_str().into()),
        device: None,
        timeout_ms: None,
    };
    let mut ann = greeted(&server);
    let logged_in = ann.request(&with_code("ann")).unwrap();
    assert!(logged_in.admin);
    let mut eve = greeted(&server);
    assert_eq!(eve.refused(&with_code("eve")), Code::InviteInvalid, "it is good for one");
    let server = server.restart(&[]);
    assert_eq!(server.first_admin, None);
    let again = with_token(&server, "ann", &logged_in.token).unwrap();
    drop(again);
}

#[test]
fn an_account_is_one_member_however_many_its_devices() {
    let server = TestServer::start();
    let mut watcher = server.login("watcher");
    let mut first = registered(&server, "ann");
    watcher.expect(|event| matches!(event, Event::Joined(_)).then_some(()));
    let mut second = greeted(&server);
    with_password(&mut second, "ann", PASSWORD).unwrap();
    // What one says, both hear.
    first.say("lobby", "one");
    assert_eq!(&*first.message().text, "one");
    assert_eq!(&*second.message().text, "one");
    // Where one goes, the other follows; where one leaves, the other is out too.
    first.create("den");
    let followed = |event: &Event| match event {
        Event::Room(room) => Some(room.room.to_string()),
        _ => None,
    };
    assert_eq!(second.expect(followed), "den");
    second.request(&Leave { room: "den".into(), timeout_ms: None }).unwrap();
    let removed = |event: &Event| match event {
        Event::Removed(removed) => Some((removed.room.to_string(), removed.reason)),
        _ => None,
    };
    assert_eq!(first.expect(removed), ("den".into(), LeaveReason::Left));
    // Only the last device's end is news.
    drop(first);
    server.wait_for_sessions(2);
    second.say("lobby", "still here");
    drop(second);
    let told = watcher.expect(|event| match event {
        Event::Message(message) => Some(message.text.to_string()),
        Event::Left(_) => Some("left".into()),
        _ => None,
    });
    assert_eq!(told, "one");
    let told = watcher.expect(|event| match event {
        Event::Message(message) => Some(message.text.to_string()),
        Event::Left(_) | Event::Joined(_) => Some("presence".into()),
        _ => None,
    });
    assert_eq!(told, "still here");
    watcher.expect(|event| matches!(event, Event::Left(_)).then_some(()));
}

#[test]
fn an_account_comes_back_to_its_rooms_after_a_restart() {
    let server = TestServer::start();
    let mut ann = registered(&server, "ann");
    let mut bob = registered(&server, "bob");
    ann.create("den");
    ann.create("attic");
    ann.request(&Leave { room: "attic".into(), timeout_ms: None }).unwrap();
    let direct =
        ann.request(&klatch::protocol::request::Direct { name: "bob".into(), timeout_ms: None });
    let direct = direct.unwrap().room;
    bob.expect(|event| match event {
        Event::Room(room) if room.room == direct => Some(()),
        _ => None,
    });
    let token = ann.token.clone().unwrap();
    let server = server.restart(&[]);
    let mut again = greeted(&server);
    let logged_in = again.try_login("ann", Some(token)).unwrap();
    let mut rooms: Vec<_> = logged_in.rooms.iter().map(ToString::to_string).collect();
    rooms.sort_unstable();
    let mut expected = vec![direct.to_string(), "den".to_owned(), "lobby".to_owned()];
    expected.sort_unstable();
    assert_eq!(rooms, expected);
    settle(&mut again, &logged_in);
    // The direct room is theirs as before, though the other is away.
    assert_eq!(again.say(&direct, "are you there?").seq.0, 1);
    let mut bob = with_token(&server, "bob", &bob.token.unwrap()).unwrap();
    let history = bob.whole_history(&direct);
    assert_eq!(&*history[0].text, "are you there?");
}

#[test]
fn a_direct_message_waits_for_who_is_away() {
    let server = TestServer::start();
    let bob = registered(&server, "bob").token.unwrap();
    server.wait_for_sessions(0);
    let mut ann = registered(&server, "ann");
    let open = klatch::protocol::request::Direct { name: "bob".into(), timeout_ms: None };
    let direct = ann.request(&open).unwrap().room;
    ann.say(&direct, "when you are back");
    let mut bob = with_token(&server, "bob", &bob).unwrap();
    assert_eq!(&*bob.whole_history(&direct)[0].text, "when you are back");
}

#[test]
fn devices_are_listed_and_logged_out() {
    let server = TestServer::start();
    let mut first = registered(&server, "ann");
    let mut second = greeted(&server);
    with_password(&mut second, "ann", PASSWORD).unwrap();
    let list = devices(&mut second);
    let shown: Vec<_> = list.iter().map(|one| (&*one.device, one.online, one.current)).collect();
    assert_eq!(shown, [("other", true, true), ("first", true, false)]);
    let device = list[1].id;
    second.request(&Revoke { device, timeout_ms: None }).unwrap();
    assert_eq!(first.bye().code, Code::Revoked.number());
    let token = first.token.unwrap();
    assert_eq!(with_token(&server, "ann", &token).err(), Some(Code::BadCredentials));
    assert_eq!(second.refused(&Revoke { device, timeout_ms: None }), Code::NotFound);
    assert_eq!(devices(&mut second).len(), 1);
    // A guest has none.
    let mut guest = server.login("guest-7");
    assert_eq!(guest.refused(&Devices { timeout_ms: None }), Code::NoAccount);
}

#[test]
fn one_device_more_than_allowed_logs_out_the_one_that_was_away_longest() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let mut ann = registered(&server, "ann");
    let first = ann.token.clone().unwrap();
    for _ in 0..32 {
        let mut next = greeted(&server);
        with_password(&mut next, "ann", PASSWORD).unwrap();
        ann = next;
    }
    assert_eq!(devices(&mut ann).len(), 32);
    assert_eq!(with_token(&server, "ann", &first).err(), Some(Code::BadCredentials));
}

#[test]
fn quitting_keeps_the_token_and_logging_out_does_not() {
    let server = TestServer::start();
    let mut ann = registered(&server, "ann");
    let token = ann.token.clone().unwrap();
    ann.request(&Quit { timeout_ms: None }).unwrap();
    assert_eq!(ann.bye().code, Code::Logout.number());
    let mut ann = with_token(&server, "ann", &token).unwrap();
    ann.request(&Logout { all: None, timeout_ms: None }).unwrap();
    assert_eq!(ann.bye().code, Code::Logout.number());
    assert_eq!(with_token(&server, "ann", &token).err(), Some(Code::BadCredentials));
}

#[test]
fn logging_out_everywhere_ends_every_session() {
    let server = TestServer::start();
    let mut first = registered(&server, "ann");
    let mut second = greeted(&server);
    with_password(&mut second, "ann", PASSWORD).unwrap();
    second.request(&Logout { all: Some(true), timeout_ms: None }).unwrap();
    assert_eq!(second.bye().code, Code::Logout.number());
    assert_eq!(first.bye().code, Code::Revoked.number());
    for client in [first, second] {
        let token = client.token.unwrap();
        assert_eq!(with_token(&server, "ann", &token).err(), Some(Code::BadCredentials));
    }
}

#[test]
fn a_new_password_logs_the_other_devices_out() {
    let server = TestServer::start();
    let mut first = registered(&server, "ann");
    let mut second = greeted(&server);
    with_password(&mut second, "ann", PASSWORD).unwrap();
    let passwd =
        |old: &str, new: &str| Passwd { old: old.into(), new: new.into(), timeout_ms: None };
    assert_eq!(second.refused(&passwd("wrong horse", "battery staple")), Code::BadCredentials);
    assert_eq!(second.refused(&passwd(PASSWORD, "short")), Code::PasswordWeak);
    second.request(&passwd(PASSWORD, "battery staple")).unwrap();
    assert_eq!(first.bye().code, Code::Revoked.number());
    let mut third = greeted(&server);
    assert!(with_password(&mut third, "ann", PASSWORD).is_err());
    with_password(&mut third, "ann", "battery staple").unwrap();
    // The one that changed it goes on.
    second.say("lobby", "mine");
}

#[test]
fn a_deleted_account_leaves_its_words_and_frees_its_name() {
    let server = TestServer::start();
    let mut ann = registered(&server, "ann");
    ann.say("lobby", "remember me");
    let gone = |password: &str| Unregister { password: password.into(), timeout_ms: None };
    assert_eq!(ann.refused(&gone("wrong horse")), Code::BadCredentials);
    ann.request(&gone(PASSWORD)).unwrap();
    assert_eq!(ann.bye().code, Code::Logout.number());
    let mut other = greeted(&server);
    assert!(with_password(&mut other, "ann", PASSWORD).is_err());
    register(&mut other, "ann").unwrap();
    assert_eq!(&*other.whole_history("lobby")[0].text, "remember me");
}

#[test]
fn a_login_with_the_token_replaces_the_devices_older_session() {
    let server = TestServer::start();
    let mut old = registered(&server, "ann");
    let token = old.token.clone().unwrap();
    let mut new = with_token(&server, "ann", &token).unwrap();
    assert_eq!(old.bye().code, Code::Replaced.number());
    new.say("lobby", "here");
    assert_eq!(&*new.message().text, "here");
}

#[test]
fn a_flood_of_logins_is_told_busy_and_polite_people_chat_on() {
    let server = TestServer::with(&[
        "accounts.hash_threads=1",
        "limits.exempt=127.0.0.0/8",
        "timeouts.login=60s",
    ]);
    registered(&server, "ann");
    let mut bob = server.login("bob");
    let mut flood: Vec<TestClient> = (0..100).map(|_| greeted(&server)).collect();
    let ids: Vec<u32> = flood
        .iter_mut()
        .enumerate()
        .map(|(number, client)| {
            let password = Some("wrong horse".into());
            let name = format!("user{number}x");
            client.send(&Login { password, ..Login::guest(name.as_str().into()) })
        })
        .collect();
    bob.say("lobby", "unmoved");
    let codes: Vec<Code> =
        flood.iter_mut().zip(ids).map(|(client, id)| client.refusal_of(id)).collect();
    let busy = codes.iter().filter(|code| **code == Code::Busy).count();
    assert!(busy > 0, "{codes:?}");
    assert!(
        codes.iter().all(|code| { matches!(code, Code::Busy | Code::BadCredentials | Code::Rate) })
    );
    // Who comes back later is served.
    let mut ann = greeted(&server);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while let Err(error) = with_password(&mut ann, "ann", PASSWORD) {
        assert!(std::time::Instant::now() < until, "{error:?}");
        std::thread::yield_now();
    }
}
