//! The promises of the configuration, in tables.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::keys::SECTIONS;
use super::*;

/// Sources with `file` as the text of klatchd.toml; the directory lives as long as they do.
fn sources(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[&str],
) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("klatchd.toml");
    fs::write(&path, file).unwrap();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let overrides = flags.iter().map(|flag| (*flag).to_owned()).collect();
    (dir, Sources { file: Some(path), environment, overrides })
}

#[track_caller]
fn loaded(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> Loaded {
    let (_dir, sources) = sources(file, environment, flags);
    load(&sources).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The problems, one per line, with the directory of the file left out.
#[track_caller]
fn told(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> String {
    let (dir, sources) = sources(file, environment, flags);
    let problems = load(&sources).expect_err("this configuration is wrong");
    problems.to_string().replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn defaults_are_valid_and_read_back_to_themselves() {
    let nothing = load(&Sources::default()).unwrap();
    assert_eq!(nothing.config, Config::default());
    assert_eq!(nothing.config.rooms.default.len(), 1);
    assert_eq!(nothing.origin("timeouts.ping"), "default");
    let again = loaded(&print(&nothing), &[], &[]);
    assert_eq!(again.config, Config::default());
}

#[test]
fn example_file_says_the_defaults_with_and_without_comment_marks() {
    assert_eq!(loaded(&example(), &[], &[]).config, Config::default());
    // A key begins right behind its mark, a comment after a space.
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ");
    let text = example();
    let bare: Vec<&str> =
        text.lines().map(|line| if is_key(line) { &line[1..] } else { line }).collect();
    let set = loaded(&bare.join("\n"), &[], &[]);
    assert_eq!(set.config, Config::default());
    let keys: usize = SECTIONS.iter().map(|section| section.keys.len()).sum();
    assert_eq!(set.origin.len(), keys);
}

#[test]
fn example_file_in_config_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/klatchd.toml");
    if env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, example()).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == example(), "config/klatchd.toml is stale: run UPDATE_GENERATED=1 cargo test");
}

#[test]
fn every_key_has_docs_that_fit_the_page() {
    for key in SECTIONS.iter().flat_map(|section| section.keys) {
        assert!(!key.doc.is_empty(), "{}", key.path());
    }
    for line in example().lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn later_layers_win() {
    let file = "[timeouts]\nlogin = \"7s\"\nping = \"11s\"\nwrite = \"3s\"";
    let environment = [("KLATCHD__TIMEOUTS__PING", "12s"), ("KLATCHD__TIMEOUTS__WRITE", "4s")];
    let all = loaded(file, &environment, &["timeouts.write=2s", "timeouts.write=1500ms"]);
    let timeouts = &all.config.timeouts;
    assert_eq!(timeouts.login, Duration::from_secs(7));
    assert_eq!(timeouts.ping, Duration::from_secs(12));
    assert_eq!(timeouts.write, Duration::from_millis(1500));
    assert_eq!(timeouts.dead, Duration::from_secs(75));
    assert!(all.origin("timeouts.login").ends_with("klatchd.toml"));
    assert_eq!(all.origin("timeouts.ping"), "KLATCHD__TIMEOUTS__PING");
    assert_eq!(all.origin("timeouts.write"), "--set timeouts.write");
    assert!(print(&all).contains("write = \"1500ms\" # --set timeouts.write\n"));
}

#[test]
fn environment_holds_lists_and_ignores_what_is_not_ours() {
    let environment = [
        ("KLATCHD__LIMITS__EXEMPT", "10.0.0.0/8, 2001:db8::1"),
        ("KLATCHD__ROOMS__DEFAULT", ""),
        ("KLATCHD__SERVER__WORKERS", "4"),
        ("KLATCHD_OTHER", "x"),
        ("PATH", "/bin"),
    ];
    let config = loaded("", &environment, &["names.reserved=billing,Press"]).config;
    let exempt: Vec<String> = config.limits.exempt.iter().map(ToString::to_string).collect();
    assert_eq!(exempt, ["10.0.0.0/8", "2001:db8::1/128"]);
    assert!(config.rooms.default.is_empty());
    assert_eq!(config.server.workers, Some(4));
    assert_eq!(config.names.reserved.len(), 2);
}

#[test]
fn values_may_be_written_in_several_ways() {
    for (flag, same) in [
        ("limits.outbox=1 MiB", "limits.outbox=1048576"),
        ("limits.outbox=256KiB", "limits.outbox=256 kib"),
        ("timeouts.idle=1h 30m", "timeouts.idle=90m"),
        ("timeouts.ping=1m", "timeouts.ping=60s"),
        ("log.level=DEBUG", "log.level=debug"),
        ("limits.exempt=10.0.0.1", "limits.exempt=10.0.0.1/32"),
        ("rooms.default=Lobby,ops", "rooms.default=lobby, ops,"),
    ] {
        assert_eq!(loaded("", &[], &[flag]).config, loaded("", &[], &[same]).config, "{flag}");
    }
    let off = loaded("[timeouts]\nidle = 0\n[limits]\nconnections = 0", &[], &["server.workers=0"]);
    assert_eq!(off.config.timeouts.idle, None);
    assert_eq!(off.config.limits.connections, None);
    assert_eq!(off.config.server.workers, None);
}

/// A file with one problem, and what is said of it.
const WRONG: &[(&str, &str)] = &[
    // Unknown.
    (
        "[timeouts]\npnig = \"3s\"",
        "timeouts.pnig = \"3s\": there is no such key; did you mean timeouts.ping?",
    ),
    (
        "[timeout]\nping = \"3s\"",
        "timeout.ping = \"3s\": there is no such key; did you mean timeouts.ping?",
    ),
    (
        "[server]\nbytes_total = 1",
        "server.bytes_total = 1: there is no such key; did you mean history.bytes_total?",
    ),
    ("ping = \"3s\"", "ping = \"3s\": there is no such key; did you mean timeouts.ping?"),
    ("[log]\ncolour = true", "log.colour = true: there is no such key; [log] has level"),
    (
        "[kitchen]\nsink = 1",
        "kitchen.sink = 1: there is no such section; there are server, tls, acme, rooms, store, history, retention, names, accounts, timeouts, web, limits, bans, log",
    ),
    ("log = \"debug\"", "log = \"debug\": this is a section; write [log] and its keys below"),
    (
        "[log.level]\nall = 1",
        "log.level = {..}: a table does not fit; write \"off\" or \"error\" or \"warn\" or \"info\" or \"debug\" or \"trace\"",
    ),
    // Of the wrong type.
    (
        "[server]\nlisten = 5528",
        "server.listen = 5528: a plain number does not fit; write a list of at least 1, each an address with a port, such as \"[::]:5528\" or \"127.0.0.1:5528\"",
    ),
    (
        "[limits]\ninflight = true",
        "limits.inflight = true: a truth value does not fit; write a whole number from 1 to 1024",
    ),
    (
        "[limits]\ninflight = 2.5",
        "limits.inflight = 2.5: a fraction does not fit; write a whole number from 1 to 1024",
    ),
    (
        "[timeouts]\nping = 30",
        "timeouts.ping = 30: a plain number does not fit; write a time with its unit, such as \"250ms\", \"5s\", \"10m\" or \"24h\"",
    ),
    // Out of range, or with a unit that is none.
    (
        "[limits]\ninflight = 1025",
        "limits.inflight = 1025: this is out of range; write a whole number from 1 to 1024",
    ),
    (
        "[limits]\ninflight = -1",
        "limits.inflight = -1: this is out of range; write a whole number from 1 to 1024",
    ),
    (
        "[limits]\nrequests_burst = 49\nrequests_per_s = 1",
        "limits.requests_burst = 49: this is out of range; write a whole number from 50 to 1000000000",
    ),
    (
        "[limits]\noutbox = \"1 MiX\"",
        "limits.outbox = \"1 MiX\": this is not a size; write a size with its unit or a plain number of bytes, from \"128 KiB\" to \"1 TiB\"",
    ),
    (
        "[limits]\noutbox = \"4 KiB\"",
        "limits.outbox = \"4 KiB\": this is out of range; write a size with its unit or a plain number of bytes, from \"128 KiB\" to \"1 TiB\"",
    ),
    (
        "[timeouts]\nwrite = \"0\"",
        "timeouts.write = \"0\": this is not between 1ms and a year; write a time with its unit, such as \"250ms\", \"5s\", \"10m\" or \"24h\"",
    ),
    (
        "[timeouts]\nidle = \"5 parsecs\"",
        "timeouts.idle = \"5 parsecs\": this is not a time; write a time with its unit, such as \"250ms\", \"5s\", \"10m\" or \"24h\"; or 0",
    ),
    (
        "[timeouts]\nidle = \"1500us\"",
        "timeouts.idle = \"1500us\": this is finer than a millisecond; write a time with its unit, such as \"250ms\", \"5s\", \"10m\" or \"24h\"; or 0",
    ),
    // Not what it should name.
    (
        "[server]\nplain = \"always\"",
        "server.plain = \"always\": this word has no meaning here; write \"loopback\" or \"never\"",
    ),
    (
        "[server]\nmotd = \"a\\u001b[1m\"",
        "server.motd = \"a\\u{1b}[1m\": this has the control character U+001B; write one line of at most 1024 bytes; or \"\"",
    ),
    (
        "[server]\nlisten = []",
        "server.listen = []: the list is too short; write a list of at least 1, each an address with a port, such as \"[::]:5528\" or \"127.0.0.1:5528\"",
    ),
    (
        "[server]\nlisten = [\"[::]:1\", \"[::]:1\"]",
        "server.listen = [\"[::]:1\", \"[::]:1\"]: \"[::]:1\" stands there twice; write a list of at least 1, each an address with a port, such as \"[::]:5528\" or \"127.0.0.1:5528\"",
    ),
    (
        "[tls]\nnames = [\"no name\"]",
        "tls.names = [\"no name\"]: \"no name\": this is neither a DNS name nor an address; write a list, each a DNS name or an address, such as \"chat.example.org\" or \"192.0.2.7\"",
    ),
    (
        "[limits]\nexempt = [\"10/8\"]",
        "limits.exempt = [\"10/8\"]: \"10/8\": this is neither a network nor an address; write a list, each a network or an address, such as \"10.0.0.0/8\" or \"2001:db8::1\"",
    ),
    (
        "[rooms]\ndefault = [\"a b\"]",
        "rooms.default = [\"a b\"]: \"a b\": ' ' is not allowed in a name: letters, digits, '-', '_' and '.' are; write a list, each the name of a room, such as \"lobby\"",
    ),
    (
        "[rooms]\ndefault = [\"@0123456789abcdef\"]",
        "rooms.default = [\"@0123456789abcdef\"]: \"@0123456789abcdef\": this names the talk of two people; write a list, each the name of a room, such as \"lobby\"",
    ),
    (
        "[names]\nreserved = [\"-\"]",
        "names.reserved = [\"-\"]: \"-\": a name begins and ends with a letter or a digit; write a list, each a name that a person could take, such as \"billing\"",
    ),
    (
        "[acme]\ndomains = [\"chat\"]",
        "acme.domains = [\"chat\"]: \"chat\": this is a name of your own network: no public authority vouches for it; write a list, each a public DNS name, such as \"chat.example.org\"",
    ),
    (
        "[acme]\ndomains = [\"*.example.org\"]",
        "acme.domains = [\"*.example.org\"]: \"*.example.org\": one connection proves one name: name each, without the star; write a list, each a public DNS name, such as \"chat.example.org\"",
    ),
    (
        "[acme]\ndomains = [\"192.0.2.7\"]",
        "acme.domains = [\"192.0.2.7\"]: \"192.0.2.7\": this is not a DNS name; write a list, each a public DNS name, such as \"chat.example.org\"",
    ),
    (
        "[acme]\ndirectory = \"http://ca.example\"",
        "acme.directory = \"http://ca.example\": this does not begin with https:// and a host; write an https address, such as \"https://ca.example.org/directory\"",
    ),
    (
        "[acme]\ncontact = \"ops\"",
        "acme.contact = \"ops\": this is not an address of mail; write an address, such as \"chat@example.org\"; or \"\"",
    ),
    // Right alone, wrong together.
    (
        "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n[acme]\ndomains = \"chat.example.org\"",
        "acme.domains = [\"chat.example.org\"]: tls.certificate is \"c.pem\" (klatchd.toml); acme.domains and tls.certificate exclude each other: a certificate is got by the server, or comes from you",
    ),
    (
        "[timeouts]\ndead = \"30s\"",
        "timeouts.dead = \"30s\": timeouts.ping is \"30s\" (default); timeouts.dead must be longer than timeouts.ping: leave room for two pings",
    ),
    (
        "[timeouts]\nping = \"80s\"",
        "timeouts.ping = \"80s\": timeouts.dead is \"75s\" (default); timeouts.dead must be longer than timeouts.ping: leave room for two pings",
    ),
    (
        "[tls]\nkey = \"k.pem\"",
        "tls.key = \"k.pem\": tls.certificate is \"\" (default); tls.certificate and tls.key belong together: give both, or neither",
    ),
    (
        "[limits]\nbytes_burst = \"128 KiB\"",
        "limits.bytes_burst = \"128 KiB\": limits.bytes_per_s is \"256 KiB\" (default); limits.bytes_burst must be at least limits.bytes_per_s: a burst allows what a second does",
    ),
    (
        "[history]\nbytes_per_room = \"1 GiB\"",
        "history.bytes_per_room = \"1 GiB\": history.bytes_total is \"64 MiB\" (default); history.bytes_total must be at least history.bytes_per_room: a room's share is part of the whole",
    ),
    (
        "[rooms]\nrooms_per_session = 1\ndefault = [\"a\", \"b\"]",
        "rooms.default = [\"a\", \"b\"]: rooms.rooms_per_session is 1 (klatchd.toml); rooms.default must not have more rooms than rooms.rooms_per_session allows",
    ),
];

#[test]
fn what_is_wrong_is_told_with_key_value_and_remedy() {
    for (file, expected) in WRONG {
        assert_eq!(told(file, &[], &[]), format!("klatchd.toml: {expected}"), "{file}");
    }
}

#[test]
fn all_problems_of_all_layers_are_told_at_once() {
    let all = told(
        "[timeouts]\nping = \"soon\"\n[limits]\ninflght = 3",
        &[("KLATCHD__SERVER__WORKERS", "many"), ("KLATCHD__SERVRE__MOTD", "hi")],
        &["timeouts.dead=1s", "log.level=loud", "verbose", "no such.key[=1"],
    );
    let heads: Vec<&str> = all.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "--set verbose",
            "KLATCHD__SERVER__WORKERS",
            "klatchd.toml",
            "klatchd.toml",
            "--set log.level",
            "--set no such.key[",
            "KLATCHD__SERVRE__MOTD",
        ],
        "{all}"
    );
    assert!(all.contains("did you mean limits.inflight?"), "{all}");
    assert!(all.contains("did you mean server.motd?"), "{all}");
    assert!(!all.contains("longer than"), "ping is wrong by itself: {all}");
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_place() {
    assert_eq!(
        told("[log]\nlevel = \"info\"\nlevel = \"warn\"", &[], &[]),
        "klatchd.toml:3: this is not TOML: duplicate key"
    );
    let missing = Sources { file: Some("/nonexistent/k.toml".into()), ..Sources::default() };
    let problems = load(&missing).expect_err("there is no such file").to_string();
    assert!(problems.starts_with("/nonexistent/k.toml: cannot read this file: "), "{problems}");
}

#[test]
fn long_values_are_cut_and_stay_on_one_line() {
    let flag = format!("timeouts.ping={}\n", "x".repeat(500));
    let line = told("", &[], &[&flag]);
    assert!(line.len() < 250 && !line.contains('\n'), "{line}");
}

#[test]
fn changes_tell_what_a_reload_applies() {
    let new = loaded("", &[], &["log.level=warn", "server.workers=2"]).config;
    let changes = changes(&Config::default(), &new);
    let seen: Vec<(&str, &str, &str, Reload)> = changes
        .iter()
        .map(|one| (one.key.as_str(), one.old.as_str(), one.new.as_str(), one.reload))
        .collect();
    assert_eq!(
        seen,
        [
            ("server.workers", "0", "2", Reload::Restart),
            ("log.level", "\"info\"", "\"warn\"", Reload::Reload),
        ]
    );
}
