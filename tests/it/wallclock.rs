//! The wall clock jumps by a day, forth and back: nobody is disconnected, and order is order.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use klatch::base::clock::{Clock, ManualClock, Moment};
use klatch::base::id::Key;

use crate::support::TestServer;
use crate::support::client::say;

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
