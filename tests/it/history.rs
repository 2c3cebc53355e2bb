//! Pages of history by time and around an entry, on both stores.

use std::time::Duration;

use klatch::base::id::Seq;
use klatch::base::limits::TEXT_BYTES;
use klatch::protocol::reply::HistoryPage;
use klatch::protocol::request::History;
use klatch::protocol::status::Code;

use crate::support::client::history;
use crate::support::{TestClient, TestServer};

const STORES: [&str; 2] = ["store.engine=memory", "store.engine=sqlite"];

fn page(client: &mut TestClient, ask: &History) -> (Vec<u64>, bool) {
    let HistoryPage { entries, more, .. } = client.request(ask).expect("a page");
    (entries.0.iter().map(|entry| entry.seq.0).collect(), more)
}

#[test]
fn a_page_around_an_entry_has_what_came_before_it_and_after() {
    for store in STORES {
        let server = TestServer::with(&[store]);
        let mut ann = server.login("ann");
        for n in 1..=20 {
            ann.say("lobby", &n.to_string());
        }
        for (seq, limit, expected, more) in [
            (10, 6, 7..=12, true),
            (10, 5, 8..=12, true),
            (2, 6, 1..=4, true),
            (20, 6, 15..=20, false),
            (17, 8, 13..=20, false),
            (99, 4, 17..=20, false),
        ] {
            let ask = History { around: Some(Seq(seq)), limit: Some(limit), ..history("lobby") };
            assert_eq!(page(&mut ann, &ask), (expected.collect(), more), "{seq} {limit}");
        }
        let all = History { around: Some(Seq(9)), ..history("lobby") };
        assert_eq!(page(&mut ann, &all), ((1..=20).collect(), false));
        let none = History { around: Some(Seq(9)), limit: Some(0), ..history("lobby") };
        assert_eq!(page(&mut ann, &none).0, [0; 0]);
    }
}

#[test]
fn a_page_around_an_entry_has_it_however_long_the_others_are() {
    for store in STORES {
        let server = TestServer::with(&[store]);
        let mut ann = server.login("ann");
        for _ in 0..9 {
            ann.say("lobby", &"x".repeat(TEXT_BYTES));
        }
        let ask = History { around: Some(Seq(5)), ..history("lobby") };
        assert_eq!(page(&mut ann, &ask), (vec![4, 5, 6], true));
    }
}

#[test]
fn a_page_from_a_time_on_begins_with_the_first_entry_of_that_time() {
    for store in STORES {
        let server = TestServer::at_a_standstill(&[store]);
        let mut ann = server.login("ann");
        let times: Vec<u64> = (0..30)
            .map(|n| {
                if n % 3 == 0 {
                    server.advance(Duration::from_secs(1));
                }
                ann.say("lobby", &n.to_string()).time
            })
            .collect();
        let at = |time| History { at: Some(time), limit: Some(4), ..history("lobby") };
        assert_eq!(page(&mut ann, &at(0)), ((1..=4).collect(), true));
        assert_eq!(page(&mut ann, &at(times[12])), ((13..=16).collect(), true));
        assert_eq!(page(&mut ann, &at(times[12] - 1)), ((13..=16).collect(), true));
        assert_eq!(page(&mut ann, &at(times[12] + 1)), ((16..=19).collect(), true));
        assert_eq!(page(&mut ann, &at(times[29])), ((28..=30).collect(), false));
        assert_eq!(page(&mut ann, &at(times[29] + 1)), (vec![], false));
        assert_eq!(page(&mut ann, &at(u64::MAX)), (vec![], false));
    }
}

#[test]
fn ways_to_ask_for_a_page_that_exclude_one_another_are_refused() {
    let server = TestServer::start();
    let mut ann = server.login("ann");
    let (seq, time) = (Some(Seq(1)), Some(1));
    for ask in [
        History { around: seq, at: time, ..history("lobby") },
        History { around: seq, before: seq, ..history("lobby") },
        History { at: time, after: seq, ..history("lobby") },
    ] {
        assert_eq!(ann.refused(&ask), Code::BadParams);
    }
}
