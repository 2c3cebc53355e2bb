//! HTTP on the one port: pages, headers, health, metrics, and those who mean no good.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use klatch::web::headers::ALWAYS;

use crate::support::web::{Answer, ask, get, plain, tls, upgrade};
use crate::support::{TestServer, open_limits};

/// What comes before the end of the connection.
fn rest(mut stream: impl Read) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the end");
    rest
}

#[test]
fn every_answer_carries_every_header() {
    let server = TestServer::with(&open_limits());
    let never = TestServer::with(&["server.plain=never"]);
    let full = TestServer::with(&["limits.connections_per_address=1"]);
    let kept = full.login("ann");
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let etag = ask(&mut plain(&server), &get("/")).header("etag").expect("a tag").to_owned();
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(9_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(70));
    let cases: &[(&TestServer, u16, String)] = &[
        (&server, 200, get("/")),
        (&server, 200, get("/admin")),
        (&server, 200, get("/healthz")),
        (&server, 200, get("/readyz")),
        (&server, 200, get("/metrics")),
        (&server, 200, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (&server, 200, "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (
            &server,
            304,
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {etag}\r\n\r\n"),
        ),
        (&server, 404, get("/nothing")),
        (
            &server,
            404,
            "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi".into(),
        ),
        (&server, 405, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi".into()),
        (&server, 405, "DELETE /ws HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (&server, 405, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (&server, 400, "GET / HTTP/1.1\r\n\r\n".into()),
        (&server, 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into()),
        (&server, 400, "GET / HTTP/1.1\r\nno colon\r\n\r\n".into()),
        (&server, 400, "GET /\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (&server, 400, "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".into()),
        (&server, 431, long),
        (&server, 431, many),
        (&server, 421, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".into()),
        (&server, 426, get("/ws")),
        (&server, 403, upgrade("Origin: https://evil.example\r\n")),
        (&server, 101, upgrade("")),
        (&never, 308, get("/x?y")),
        (&never, 403, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (&full, 503, get("/")),
    ];
    for (server, status, request) in cases {
        let answer = ask(&mut plain(server), request);
        assert_eq!(answer.status, *status, "{request}");
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), Some(value), "{name} of {request}");
        }
        assert!(answer.header("cache-control").is_some(), "{request}");
        assert_eq!(answer.header("server"), None);
    }
    drop(kept);
}

#[test]
fn a_browser_without_tls_is_sent_to_the_same_place_with_it() {
    let server = TestServer::with(&["server.plain=never"]);
    let request = "GET /a?b=c HTTP/1.1\r\nHost: chat.example:5528\r\n\r\n";
    let answer = ask(&mut plain(&server), request);
    assert_eq!(answer.header("location"), Some("https://chat.example:5528/a?b=c"));
    let bad = "GET /a HTTP/1.1\r\nHost: evil.example/x\r\n\r\n";
    assert_eq!(ask(&mut plain(&server), bad).status, 400);
}

#[test]
fn no_path_leads_anywhere_but_to_a_key_of_the_table() {
    let server = TestServer::with(&open_limits());
    let ways = [
        "/../etc/passwd",
        "/..",
        "/.",
        "//",
        "///etc/passwd",
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/..%5c..%5cwindows",
        "/..\\..\\etc\\passwd",
        "/%252e%252e/etc/passwd",
        "/index.html/..",
        "/index.html/",
        "/index.html%00",
        "/index.html%00.js",
        "/%00",
        "/./index.html",
        "/INDEX.HTML",
        "/SOURCES.sha256",
        "/.git/config",
        "/src/web/mod.rs",
        "/assets",
        "/assets/",
        "/dist/index.html",
        "/file:///etc/passwd",
        "/%c0%ae%c0%ae/etc/passwd",
        "/....//etc/passwd",
        "/;/index.html",
        "/index.html;x",
        "/web",
        "/admin/",
        "/admin/..",
        "/admin/../../etc/passwd",
        "/ADMIN",
        "/admin%2f..%2findex.html",
        "/ws/",
        "/ws/..",
        "/healthz/",
        "/metrics/../healthz",
        "/%2fhealthz",
    ];
    for way in ways {
        let answer = get(&server, way, "");
        assert_eq!(
            (answer.status, answer.body.len()),
            (404, "There is no such page.\n".len()),
            "{way}"
        );
    }
    assert_eq!(get(&server, "/index.html?../../etc/passwd", "").status, 200);
    // The operator's page is a view of the same one.
    assert_eq!(get(&server, "/admin", "").body, get(&server, "/", "").body);
}

#[test]
fn pages_come_in_the_form_that_is_asked_for_and_only_once() {
    let server = TestServer::start();
    let mut stream = plain(&server);
    let get = |more: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
    let whole = ask(&mut stream, &get(""));
    assert!(
        whole.body.starts_with(b"<!doctype html>"),
        "{:?}",
        String::from_utf8_lossy(&whole.body)
    );
    assert_eq!(whole.header("cache-control"), Some("no-cache"));
    let mut tags = vec![whole.header("etag").expect("a tag").to_owned()];
    for (accepted, coding) in [("br, gzip", "br"), ("gzip", "gzip")] {
        let packed = ask(&mut stream, &get(&format!("Accept-Encoding: {accepted}\r\n")));
        assert_eq!(packed.header("content-encoding"), Some(coding));
        assert!(packed.body.len() < whole.body.len());
        tags.push(packed.header("etag").expect("a tag").to_owned());
        let again =
            format!("Accept-Encoding: {accepted}\r\nIf-None-Match: {}\r\n", tags.last().unwrap());
        let unchanged = ask(&mut stream, &get(&again));
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has a tag of its own");
    let head = ask(&mut stream, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()));
    // The connection still stands, so no body followed.
    assert_eq!(ask(&mut stream, &get("")).body, whole.body);
}

#[test]
fn both_protocols_are_offered_within_tls() {
    let server = TestServer::start();
    for (offered, chosen) in [
        (&b"\x08http/1.1"[..], &b"http/1.1"[..]),
        (b"\x02h2\x08http/1.1", b"http/1.1"),
        (b"\x08http/1.1\x08klatch/1", b"klatch/1"),
    ] {
        let stream = tls(&server, offered);
        assert_eq!(stream.ssl().selected_alpn_protocol(), Some(chosen));
    }
    for alpn in [&b"\x08http/1.1"[..], b""] {
        let request = "GET / HTTP/1.1\r\nHost: any.example\r\n\r\n";
        assert_eq!(ask(&mut tls(&server, alpn), request).status, 200, "{alpn:?}");
    }
    let mut garbage = tls(&server, b"\x08http/1.1");
    garbage.write_all(b"\0\0\0\x05hello\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut garbage, false).status, 400);
}

#[test]
fn who_is_not_admitted_is_told_when_to_come_back() {
    let server = TestServer::with(&["limits.connections_per_address=1"]);
    let _kept = server.login("ann");
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for answer in
        [ask(&mut plain(&server), request), ask(&mut tls(&server, b"\x08http/1.1"), request)]
    {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[test]
fn a_head_that_drips_is_cut_and_so_is_an_idle_connection() {
    let server = TestServer::with(&["timeouts.login=300ms"]);
    for begun in ["GET", "GET / HTTP/1.1\r\nHost: localhost\r\n", "GET / HTTP/1.1\r\nX: "] {
        let mut stream = plain(&server);
        stream.write_all(begun.as_bytes()).unwrap();
        assert_eq!(rest(stream), b"", "{begun:?}");
    }
    let standing = TestServer::at_a_standstill(&[]);
    let mut stream = plain(&standing);
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, request).status, 200);
        // Longer than a login may take: nobody logs in here.
        standing.advance(Duration::from_secs(10));
    }
    standing.advance(Duration::from_secs(20));
    assert_eq!(rest(stream), b"");
}

#[test]
fn a_request_under_way_is_answered_when_the_server_goes() {
    let server = TestServer::start();
    let mut idle = plain(&server);
    assert_eq!(ask(&mut idle, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    server.begin_shutdown(Duration::from_secs(10));
    assert_eq!(rest(idle), b"");
    assert_eq!(server.join(), klatch::server::shutdown::Shutdown::Clean);
}

#[test]
fn health_and_metrics_tell_what_is() {
    let server = TestServer::with(&open_limits());
    let text = |path: &str| String::from_utf8(get(&server, path, "").body).unwrap();
    assert_eq!((text("/healthz").as_str(), text("/readyz").as_str()), ("alive\n", "ready\n"));
    let mut ann = server.login("ann");
    let mut bob = server.login("bob");
    for n in 0..5 {
        ann.say("lobby", &n.to_string());
        bob.message();
    }
    let nowhere = klatch::protocol::request::Join { room: "nowhere".into(), timeout_ms: None };
    ann.refused(&nowhere);
    let metrics = text("/metrics");
    let value = |name: &str| -> u64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name}:\n{metrics}")).parse().unwrap()
    };
    assert_eq!(value("klatch_connections{kind=\"frames\"}"), 2);
    assert_eq!(value("klatch_connections{kind=\"http\"}"), 1);
    assert_eq!(value("klatch_sessions_named"), 2);
    assert_eq!(value("klatch_messages_total"), 5);
    assert_eq!(value("klatch_refusals_total{code=\"not_found\"}"), 1);
    assert!(value("klatch_deliveries_total") >= 10);
    assert!(value("klatch_received_bytes_total") > 100 && value("klatch_sent_bytes_total") > 100);
    assert_eq!(value("klatch_rooms"), 1);
    assert!(metrics.ends_with("# EOF\n"));
    drop((ann, bob));
    server.wait_for_sessions(0);
    let metrics = text("/metrics");
    assert!(metrics.contains("klatch_sessions_named 0\n"), "{metrics}");
    assert!(metrics.contains("klatch_connections{kind=\"frames\"} 0\n"), "{metrics}");
}

#[test]
fn a_server_without_rooms_is_ready_too() {
    let server = TestServer::with(&["rooms.default="]);
    assert_eq!(get(&server, "/readyz", "").status, 200);
}

#[test]
fn the_web_can_be_switched_off() {
    let server = TestServer::with(&["web.serve=off"]);
    let answer = get(&server, "/", "");
    assert_eq!(answer.status, 426);
    let mut stream = tls(&server, b"\x08http/1.1");
    assert_eq!(ask(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 426);
}

#[test]
fn a_thousand_visitors_leave_nothing_behind() {
    let server = TestServer::with(&open_limits());
    for n in 0..1_000 {
        let mut stream = plain(&server);
        let begun = match n % 5 {
            0 => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
            1 => "GET /he".to_owned(),
            2 => upgrade(""),
            3 => upgrade("")[..60].to_owned(),
            _ => "GET / HTTP/1.1\r\n:\r\n\r\n".to_owned(),
        };
        stream.write_all(begun.as_bytes()).unwrap();
        match n % 3 {
            0 => stream.shutdown(Shutdown::Write).unwrap(),
            1 => socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap(),
            _ => {}
        }
    }
    server.wait_for_sessions(0);
    let metrics = String::from_utf8(get(&server, "/metrics", "").body).unwrap();
    for kind in ["frames", "websocket"] {
        assert!(
            metrics.contains(&format!("klatch_connections{{kind=\"{kind}\"}} 0\n")),
            "{metrics}"
        );
    }
    assert!(metrics.contains("klatch_connections{kind=\"http\"} 1\n"), "{metrics}");
}
