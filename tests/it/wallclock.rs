//! The wall clock jumps by a day, forth and back: nobody is disconnected, and order is order. Nor does
//! it matter how long the machine says that it has been up.

use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use klatch::base::clock::{Clock, ManualClock, Moment};
use klatch::base::id::Key;
use klatch::protocol::event::Event;

use crate::support::TestServer;
use crate::support::client::say;
use crate::support::daemon::{Daemon, klatchd};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A clock whose wall side can be set, as an operator or a time server does.
#[derive(Default)]
struct Jumping {
    manual: Arc<ManualClock>,
    offset: AtomicI64,
}

impl Clock for Jumping {
    fn now(&self) -> Moment {
        self.manual.now()
    }

    fn unix_ms(&self) -> u64 {
        self.manual.unix_ms().saturating_add_signed(self.offset.load(Ordering::SeqCst))
    }
}

#[test]
fn a_day_forth_and_back_disconnects_nobody_and_changes_no_order() {
    let clock = Arc::new(Jumping::default());
    let manual = Arc::clone(&clock.manual);
    let server = TestServer::by_the_clock(Arc::clone(&clock) as Arc<dyn Clock>, manual);
    let mut people: Vec<_> = (0..20).map(|n| server.login(&format!("guest{n}"))).collect();
    let mut said = Vec::new();
    let mut repeated = None;
    for (number, jump) in [0, DAY_MS, 0, -DAY_MS, 0, DAY_MS, -DAY_MS].into_iter().enumerate() {
        clock.offset.store(jump, Ordering::SeqCst);
        // Deadlines are looked at: none has come.
        server.advance(Duration::from_secs(1));
        for (index, person) in people.iter_mut().enumerate() {
            let text = format!("{number} {index}");
            // A key that tells its time, by the client's own clock, which did not jump.
            let millis = clock.manual.unix_ms().to_be_bytes();
            let mut key = [0x70_u8 | 1; 16];
            key[..6].copy_from_slice(&millis[2..]);
            let [number, index] = [number, index].map(|n| u8::try_from(n).expect("few"));
            key[8..].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, number, index]);
            let key = (number.is_multiple_of(2)).then_some(Key(key));
            let request = say("lobby", &text, key);
            match person.request(&request) {
                Ok(answer) => {
                    said.push((answer.seq, text.clone()));
                    if key.is_some() {
                        repeated = Some((usize::from(index), request, answer.seq));
                    }
                }
                Err(error) => panic!("{error:?} after a jump of {jump} ms"),
            }
        }
    }
    assert_eq!(server.sessions(), 20, "nobody is disconnected");
    let (index, request, seq) = repeated.expect("something with a key");
    let again = people[index].request(&request).expect("known");
    assert_eq!((again.seq, again.dup), (seq, true), "a retry across jumps is known");
    let kept: Vec<_> = people[0]
        .whole_history("lobby")
        .into_iter()
        .map(|entry| (entry.seq, entry.text.to_string()))
        .collect();
    assert_eq!(kept, said, "the order is that of saying, whatever the clock was");
}

/// `program` in a time namespace of its own, in which the machine has been up `days` longer.
fn up_longer(days: i64, program: &Command) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--time"]);
    for clock in ["--monotonic", "--boottime"] {
        unshare.args([clock, &(days * 86_400).to_string()]);
    }
    unshare.arg("--").arg(program.get_program()).args(program.get_args());
    unshare.env_clear().env("HOME", "/nonexistent");
    unshare
}

/// Seconds that the machine has been up, as somebody in such a namespace sees it.
fn uptime(days: i64) -> Option<f64> {
    let mut cat = Command::new("cat");
    let output = up_longer(days, cat.arg("/proc/uptime")).output().ok()?;
    String::from_utf8(output.stdout).ok()?.split(' ').next()?.parse().ok()
}

#[test]
fn time_namespaces_change_no_order_and_disconnect_nobody() {
    const YEAR: i64 = 365;
    let plain: f64 = std::fs::read_to_string("/proc/uptime")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    if uptime(YEAR).is_none_or(|up| up < plain + 364.0 * 86_400.0) {
        println!("no time namespaces on this machine: nothing was seen");
        return;
    }
    let mut home = Rc::new(tempfile::tempdir().unwrap());
    let mut expected = Vec::new();
    // Up for a year; started anew and up for minutes; then for ten years.
    for (run, days) in [YEAR, 0, 10 * YEAR].into_iter().enumerate() {
        let program = klatchd(&["--set", "server.listen=127.0.0.1:0", "--set", "timeouts.ping=1s"]);
        let daemon = Daemon::start_with(home, &mut up_longer(days, &program));
        let mut people: Vec<_> = (0..5).map(|n| daemon.login(&format!("guest{n}"))).collect();
        for n in 0..40 {
            let text = format!("{run} {n}");
            people[n % 5].say("lobby", &text);
            expected.push(text);
        }
        // Longer than the silence after which the server asks: all of them answer, and stay.
        for person in &mut people {
            person.expect(|event| matches!(event, Event::Ping(_)).then_some(()));
            person.sync();
        }
        let history = people[0].whole_history("lobby");
        let texts: Vec<_> = history.iter().map(|entry| entry.text.to_string()).collect();
        assert_eq!(texts, expected, "run {run}");
        assert!(history.is_sorted_by_key(|entry| entry.time), "the wall clock is one for all");
        home = daemon.stop();
    }
}
