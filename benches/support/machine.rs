//! What the kernel knows of a process: its CPU time and its memory; and what it is asked for: a
//! core of its own, and enough file descriptors.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{Failure, Result};

/// Where the server runs while it is pinned.
pub(crate) const SERVER_CORE: usize = 0;
/// Where the load generator runs while the server is pinned.
pub(crate) const GENERATOR_CORE: usize = 1;

/// Whether server and generator can have a core each.
pub(crate) fn has_two_cores() -> Result<bool> {
    let allowed = sched_getaffinity(None)?;
    Ok(allowed.is_set(SERVER_CORE) && allowed.is_set(GENERATOR_CORE))
}

/// Keeps this thread, and the children that it starts from now on, on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Allows this process, and the children that it starts, at least `needed` open files.
pub(crate) fn raise_open_files(needed: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::try_from(needed)?;
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(Failure::new(format!(
            "{needed} open files are needed, but the hard limit allows {} (see ulimit -Hn)",
            limit.maximum.unwrap_or_default()
        )));
    }
    // All that is allowed: the servers inherit it, and count their own needs.
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

/// CPU time of all threads of a process so far, user and kernel.
///
/// Taken from the scheduler's own count in nanoseconds: `stat` counts in ticks of 10 ms.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
        let run: u64 = schedstat.split_whitespace().next().unwrap_or_default().parse()?;
        nanos += run;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .ok_or_else(|| Failure::new(format!("process {pid} has no resident memory")))?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// CPU time that all processes together have used so far, on all cores.
pub(crate) fn busy_time() -> Result<Duration> {
    /// What `/proc/stat` counts in, on every architecture that Linux shows to user space.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/stat")?;
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks = fields.map(str::parse).collect::<std::result::Result<Vec<u32>, _>>()?;
    // User, nice, system, idle, waiting for I/O, interrupts, soft interrupts.
    let [user, nice, system, _, _, hard, soft, ..] = ticks[..] else {
        return Err(Failure::new("/proc/stat is not what it should be"));
    };
    Ok(TICK * (user + nice + system + hard + soft))
}
