//! How long a refused login takes does not tell whether there is such an account.
//!
//! Welch's t-test of the times that a client sees. `KLATCH_TIMING_SAMPLES=4000` takes so many of each
//! kind; then the bound is 4.5, as usual for such tests (dudect). With the few of the short form it is
//! 6: by chance it is met less than once in a million runs.

use std::time::{Duration, Instant};

use klatch::protocol::request::{Login, Register};
use klatch::protocol::status::Code;

use crate::support::TestServer;
use crate::support::client::code_of;

/// Samples of each kind.
const SHORT: usize = 80;
const LONG: usize = 4_000;
/// A wrong password costs 30 seconds of those of its name; the clock is the test's.
const FORGOTTEN: Duration = Duration::from_secs(31);

/// Of two names of one length, whether the account is there.
const NAMES: [(&str, bool); 2] = [("rosalind", true), ("maryanne", false)];

/// Mean and variance, as they come (Welford).
#[derive(Debug, Default, Clone, Copy)]
struct Sample {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
    }

    fn variance_of_mean(self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

fn welch(one: Sample, other: Sample) -> f64 {
    (one.mean - other.mean) / (one.variance_of_mean() + other.variance_of_mean()).sqrt()
}

/// How long it takes until a wrong password for this name is refused, in milliseconds.
fn refused_after(server: &TestServer, name: &str) -> f64 {
    let mut client = server.connect();
    client.hello();
    let password = Some("not the password".into());
    let login = Login { password, ..Login::guest(name.into()) };
    let begun = Instant::now();
    let id = client.send(&login);
    let error = client.answer(id).expect_err("a refusal");
    let took = begun.elapsed();
    assert_eq!(code_of(&error), Code::BadCredentials, "{name}");
    drop(client);
    server.advance(FORGOTTEN);
    took.as_secs_f64() * 1_000.0
}

#[test]
fn the_time_of_a_refusal_does_not_tell_who_has_an_account() {
    let samples =
        std::env::var("KLATCH_TIMING_SAMPLES").map_or(SHORT, |samples| samples.parse().unwrap());
    let server = TestServer::at_a_standstill(&[]);
    let mut owner = server.connect();
    owner.hello();
    let register = Register {
        name: NAMES[0].0.into(),
        password: "correct horse".into(),
        invite: None,
        device: None,
        timeout_ms: None,
    };
    owner.request(&register).expect("an account");
    drop(owner);
    // The first of each kind also makes what all later ones use.
    for (name, _) in NAMES {
        refused_after(&server, name);
    }
    let [mut known, mut unknown] = [Sample::default(); 2];
    for _ in 0..samples {
        // In an order that has nothing to do with what else the machine does.
        let mut pair = NAMES;
        if rand::random() {
            pair.reverse();
        }
        for (name, is_known) in pair {
            let took = refused_after(&server, name);
            if is_known { known.add(took) } else { unknown.add(took) }
        }
    }
    let t = welch(known, unknown);
    let bound = if samples >= LONG { 4.5 } else { 6.0 };
    let (known, unknown) = (known.mean, unknown.mean);
    println!("t = {t:.2} of {samples} samples each: known {known:.3} ms, unknown {unknown:.3} ms");
    assert!(t.abs() < bound, "t = {t:.1}: known {known:.3} ms, unknown {unknown:.3} ms");
}
