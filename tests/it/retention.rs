//! What is kept, for how long, and who is told what takes the space.

use klatch::protocol::event::Event;
use klatch::protocol::reply::HistoryPage;
use klatch::protocol::request::Configure;

use crate::support::TestClient;
use crate::support::admin::{ConfigFile, admin};
use crate::support::client::history;

/// The history of the lobby, as soon as it begins with `first`.
fn history_from(client: &mut TestClient, first: u64) -> HistoryPage {
    loop {
        let page = client.request(&history("lobby")).unwrap();
        if page.first.0 == first {
            return page;
        }
        assert!(page.first.0 < first, "more is gone than should be: {page:?}");
        client.sync();
    }
}

#[test]
fn a_reload_takes_away_what_is_not_to_be_kept_and_tells_what_is() {
    let file = ConfigFile::new("[store]\nengine = \"sqlite\"\n");
    let daemon = file.start(&[]);
    let (mut ann, mut bob) = (daemon.login("ann"), daemon.login("bob"));
    for count in 1..=100 {
        ann.say("lobby", &format!("message {count}"));
    }
    let (code, usage, stderr) = admin(&daemon, &["usage"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!((&usage[0]["room"], &usage[0]["entries"]), (&"lobby".into(), &100.into()));
    file.write("[store]\nengine = \"sqlite\"\n[retention]\nentries_per_room = 10\n");
    let (code, report, _) = admin(&daemon, &["reload"]);
    assert_eq!(
        (code, &report["applied"][0]["key"]),
        (Some(0), &"retention.entries_per_room".into())
    );
    let page = history_from(&mut bob, 91);
    assert_eq!((page.entries.0.len(), page.head.0, page.more), (10, 100, false));
    // Who comes now is told where it begins.
    let mut eve = daemon.login("eve");
    assert_eq!(eve.join("lobby").first.0, 91);
    assert_eq!(ann.say("lobby", "and on").seq.0, 101);
    let (_, usage, _) = admin(&daemon, &["usage", "account"]);
    assert_eq!(usage[0]["account"], "(guests)");
    let (code, _, stderr) = admin(&daemon, &["usage", "weather"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("room, or account"), "{stderr}");
}

#[test]
fn an_owner_has_a_room_keep_less_and_everybody_is_told() {
    let file = ConfigFile::new("[server]\nmotd = \"one\"\n");
    let daemon = file.start(&[]);
    let (mut ann, mut bob) = (daemon.login("ann"), daemon.login("bob"));
    ann.create("plans");
    bob.join("plans");
    let configure = Configure { keep_entries: Some(3), ..Configure::of("plans".into()) };
    ann.request(&configure).unwrap();
    let told = bob.expect(|event| match event {
        Event::Configured(set) => Some(set.keep_entries),
        _ => None,
    });
    assert_eq!(told, Some(3));
    for count in 1..=9 {
        ann.say("plans", &format!("message {count}"));
    }
    // A reload sweeps, as a minute that has passed does.
    file.write("[server]\nmotd = \"two\"\n");
    assert_eq!(admin(&daemon, &["reload"]).0, Some(0));
    while bob.request(&history("plans")).unwrap().entries.0.len() > 3 {
        bob.sync();
    }
    let state = daemon.login("eve").join("plans");
    assert_eq!((state.first.0, state.keep_entries, state.keep_ms), (7, Some(3), None));
    let none = Configure { keep_entries: Some(0), ..Configure::of("plans".into()) };
    ann.request(&none).unwrap();
    assert_eq!(daemon.login("joe").join("plans").keep_entries, None);
}
