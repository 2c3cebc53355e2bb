//! The threads that hash passwords: few, behind a short line, and last in turn for the processor.
//!
//! **Bound:** as many hashes in memory as there are threads (19 MiB each), and a line that refuses
//! when it is full: a flood of logins costs neither memory nor the time of those who chat.

use std::io;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::password::Scratch;
use crate::base::priority::stand_back;

/// Jobs that may wait: less than a second's work.
const LINE: usize = 32;
/// How far back its threads stand when the processor is wanted by others (nice). Not as far as can
/// be: with 19 they get one part in seventy of a processor that something else keeps busy, and logins
/// beside four busy threads took three times as long (measured); with 10 it is one in ten.
const NICE: i32 = 10;

/// How long a thread without work keeps the memory that it hashes in.
const KEEP: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce(&mut Scratch) + Send>;

/// The way to the threads. They end when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Hasher(Sender<Job>);

/// The line is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl Hasher {
    /// Starts so many threads.
    pub fn start(threads: usize) -> io::Result<Self> {
        let (line, jobs) = bounded(LINE);
        for number in 0..threads.max(1) {
            let jobs: Receiver<Job> = jobs.clone();
            thread::Builder::new().name(format!("hash-{number}")).spawn(move || {
                stand_back(NICE);
                work(&jobs);
            })?;
        }
        Ok(Self(line))
    }

    /// Has something done, and its result told on the thread that did it.
    pub fn run(&self, job: impl FnOnce(&mut Scratch) + Send + 'static) -> Result<(), Busy> {
        self.0.try_send(Box::new(job)).map_err(|_| Busy)
    }
}

fn work(jobs: &Receiver<Job>) {
    let mut scratch = Scratch::default();
    loop {
        let job = jobs.recv_timeout(KEEP).or_else(|error| {
            if error == RecvTimeoutError::Timeout {
                scratch = Scratch::default();
            }
            jobs.recv()
        });
        let Ok(job) = job else { return };
        job(&mut scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_line_is_bounded_and_its_threads_stand_back() {
        let hasher = Hasher::start(1).unwrap();
        let (told, nice) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        hasher
            .run(move |_| {
                let own = rustix::thread::gettid();
                told.send(rustix::process::getpriority_process(Some(own)).unwrap()).unwrap();
                assert!(wait.recv().is_err());
            })
            .unwrap();
        assert_eq!(nice.recv().unwrap(), NICE);
        let taken = (0..=LINE).take_while(|_| hasher.run(|_| {}) == Ok(())).count();
        assert_eq!(taken, LINE);
        drop(go);
    }
}
