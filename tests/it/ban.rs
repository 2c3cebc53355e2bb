//! Bans: who is banned is gone at once, told why, and not let in again; nobody else notices.

use std::time::Duration;

use klatch::protocol::codec;
use klatch::protocol::event::{Event, LeaveReason};
use klatch::protocol::reply::LoggedIn;
use klatch::protocol::request::{Login, Ping, Register};
use klatch::protocol::status::{Code, ErrorBody};

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin, admin_text};
use crate::support::client::code_of;
use crate::support::daemon::Daemon;

fn from(daemon: &Daemon, address: &str) -> TestClient {
    TestClient::connect_from(address, daemon.address)
}

fn guest(daemon: &Daemon, address: &str, name: &str) -> TestClient {
    let mut client = from(daemon, address);
    client.hello();
    client.login(name);
    client
}

/// Whether a connection from this address is closed before it is told anything.
fn is_shut_out(daemon: &Daemon, address: &str) -> bool {
    let mut client = from(daemon, address);
    // It may be closed already.
    client.try_send_raw(&codec::request(1, &Ping { timeout_ms: None }));
    client.receive().is_none()
}

fn with_password(daemon: &Daemon, name: &str, password: &str) -> Result<LoggedIn, ErrorBody> {
    let mut client = from(daemon, "127.0.0.9");
    client.hello();
    let login = Login { password: Some(password.into()), ..Login::guest(name.into()) };
    client.request(&login)
}

fn register(client: &mut TestClient, name: &str) -> Result<LoggedIn, ErrorBody> {
    client.request(&Register {
        name: name.into(),
        password: "correct horse".into(),
        invite: None,
        device: None,
        timeout_ms: None,
    })
}

#[test]
fn a_banned_address_is_told_and_gone_and_shut_out_until_it_is_lifted_even_by_a_restart() {
    let daemon = Daemon::usual(&[]);
    let mut ann = daemon.login("ann");
    let mut mallory = guest(&daemon, "127.0.0.66", "mallory");
    let (code, answer, stderr) = admin(&daemon, &["ban", "127.0.0.64/30", "2h", "spam"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!((&answer["banned"], &answer["kept"]), (&"127.0.0.64/30".into(), &true.into()));
    let bye = mallory.bye();
    assert_eq!((bye.code, bye.resume), (Code::Banned.number(), false));
    assert!(bye.text.ends_with(": spam"), "{}", bye.text);
    assert!(bye.retry_after_ms.is_some_and(|ms| ms > 3_600_000 && ms <= 7_200_000), "{bye:?}");
    let reason = ann.expect(|event| match event {
        Event::Left(left) => left.gone.0.first().map(|gone| gone.reason),
        _ => None,
    });
    assert_eq!(reason, LeaveReason::Removed);
    assert!(is_shut_out(&daemon, "127.0.0.67"));
    let _next_door = guest(&daemon, "127.0.0.68", "nora");
    let (_, bans, _) = admin(&daemon, &["bans"]);
    assert_eq!((&bans[0]["banned"], &bans[0]["by"]), (&"127.0.0.64/30".into(), &"command".into()));

    let daemon = daemon.kill_and_restart(&[]);
    assert!(is_shut_out(&daemon, "127.0.0.66"));
    assert_eq!(
        admin(&daemon, &["unban", "127.0.0.64"]).0,
        Some(1),
        "the network is, not one of it"
    );
    assert_eq!(admin(&daemon, &["unban", "127.0.0.64/30"]).0, Some(0));
    let _mallory = guest(&daemon, "127.0.0.66", "mallory");
    let daemon = daemon.kill_and_restart(&[]);
    let _mallory = guest(&daemon, "127.0.0.66", "mallory");
}

#[test]
fn a_banned_name_is_told_only_to_who_has_the_password() {
    let daemon = Daemon::usual(&[]);
    let mut mallory = from(&daemon, "127.0.0.8");
    mallory.hello();
    let token = register(&mut mallory, "mallory").expect("an account").token;
    let mut alias = daemon.login("trudy");
    assert_eq!(admin(&daemon, &["ban", "mallory", "ever", "fraud"]).0, Some(0));
    assert_eq!(admin(&daemon, &["ban", "trudy"]).0, Some(0));
    for gone in [&mut mallory, &mut alias] {
        assert_eq!(gone.bye().code, Code::Banned.number());
    }
    // Known and banned, unknown and banned, known to nobody: the same answer.
    for name in ["mallory", "trudy", "nobody.else"] {
        let refused = with_password(&daemon, name, "wrong horse").unwrap_err();
        let told = (code_of(&refused), refused.text.as_str(), refused.retry_after_ms);
        assert_eq!(told, (Code::BadCredentials, Code::BadCredentials.meaning(), None), "{name}");
    }
    let refused = with_password(&daemon, "mallory", "correct horse").unwrap_err();
    assert_eq!((code_of(&refused), refused.retry_after_ms), (Code::Banned, None));
    assert!(refused.text.ends_with(": fraud"), "{}", refused.text);
    let mut back = from(&daemon, "127.0.0.9");
    back.hello();
    assert_eq!(code_of(&back.try_login("mallory", Some(token)).unwrap_err()), Code::Banned);
    // A name that nobody has is no secret; nor is one that looks like it.
    assert_eq!(code_of(&back.try_login("TRUDY", None).unwrap_err()), Code::Banned);
    assert_eq!(code_of(&register(&mut back, "trudy").unwrap_err()), Code::Banned);
    assert_eq!(code_of(&back.try_login("mallory", None).unwrap_err()), Code::NameRegistered);
    back.login("somebody");
    let (_, users, _) = admin(&daemon, &["users", "ma"]);
    assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
    assert_eq!((&users[0]["name"], &users[0]["banned"]), (&"mallory".into(), &true.into()));
    assert_eq!(admin(&daemon, &["unban", "mallory"]).0, Some(0));
    with_password(&daemon, "mallory", "correct horse").expect("its account is as it was");
}

#[test]
fn bans_of_the_configuration_come_and_go_with_a_reload_and_nobody_else_is_dropped() {
    let file = ConfigFile::new("[limits]\ninflight = 30\n");
    let daemon = file.start(&[]);
    let mut ann = daemon.login("ann");
    let mut by_address = guest(&daemon, "127.0.0.66", "mallory");
    let mut by_name = daemon.login("trudy");
    file.write("[bans]\nnetworks = [\"127.0.0.66\"]\nnames = [\"trudy\"]\n");
    let (code, report, _) = admin(&daemon, &["reload"]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(by_address.bye().code, Code::Banned.number());
    assert_eq!(by_name.bye().code, Code::Banned.number());
    assert!(is_shut_out(&daemon, "127.0.0.66"));
    ann.say("lobby", "still here");
    let (code, _, stderr) = admin(&daemon, &["unban", "trudy"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("banned by the configuration"), "{stderr}");
    file.write("[limits]\ninflight = 30\n");
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    // The name that it had is kept for a while.
    let _back = guest(&daemon, "127.0.0.66", "malory.again");
    ann.say("lobby", "and here");
}

#[test]
fn a_ban_ends_by_itself() {
    let daemon = Daemon::usual(&[]);
    assert_eq!(admin(&daemon, &["ban", "127.0.0.66", "1s"]).0, Some(0));
    assert!(is_shut_out(&daemon, "127.0.0.66"));
    let back = (0..400).find(|_| {
        std::thread::sleep(Duration::from_millis(50));
        !is_shut_out(&daemon, "127.0.0.66")
    });
    assert!(back.is_some(), "it lasts for ever");
    let (_, bans, _) = admin(&daemon, &["bans"]);
    assert_eq!(bans.as_array().unwrap().len(), 0);
}

#[test]
fn what_cannot_be_banned_is_said() {
    let daemon = Daemon::usual(&[]);
    for (arguments, why) in [
        (&["ban", "a b"][..], "no address"),
        (&["ban", "mallory", "soon"], "no time"),
        (&["ban", "mallory", "1h", "one\ntwo"], "one line"),
        (&["unban", "mallory"], "is not banned"),
    ] {
        let (code, _, stderr) = admin_text(&daemon, arguments);
        assert_eq!(code, Some(1));
        assert!(stderr.contains(why), "{stderr}");
    }
}
