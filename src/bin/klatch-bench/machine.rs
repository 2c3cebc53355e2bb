//! What the kernel knows of a process: its CPU time and its memory; and what it is asked for: a
//! core of its own, the least priority, and enough file descriptors.

use std::fs;
use std::time::Duration;

use klatch::base::descriptors;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use crate::error::{Failure, Result};

/// Where the server runs while it is pinned.
pub(crate) const SERVER_CORE: usize = 0;
/// Where the load generator runs while the server is pinned.
pub(crate) const GENERATOR_CORE: usize = 1;
/// Descriptors besides the connections.
const OTHER_FILES: usize = 100;

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

/// Has this thread run only when nobody else wants to (`SCHED_IDLE`). The least priority of the others
/// would not do: whoever wakes still waits for the rest of its time, 3 ms.
pub(crate) fn stand_back() -> std::result::Result<(), thread_priority::Error> {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle)
}

/// The connections that one process can hold.
pub(crate) fn connections_max() -> usize {
    let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(hard).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES)
}

/// Allows this process, and the children that it starts, as many open files as the system lets it; and makes
/// room for them, so that it does not stand still while it measures.
pub(crate) fn raise_open_files() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    // Only a nicety.
    drop(descriptors::make_room(limit.maximum.unwrap_or(u64::MAX)));
    Ok(())
}

/// Whether a process of its own, which is the server, can hold so many connections.
pub(crate) fn check_connections(needed: usize) -> Result<()> {
    let allowed = connections_max();
    if allowed >= needed {
        return Ok(());
    }
    let files = needed + OTHER_FILES;
    Err(Failure::new(format!(
        "{needed} connections need {files} open files in the server, but the hard limit is {}: as \
         root, run `ulimit -Hn {files}` first, or raise nofile in /etc/security/limits.conf, or ask \
         for fewer connections",
        allowed + OTHER_FILES
    )))
}

/// CPU time of all threads of a process so far, user and kernel.
///
/// Taken from the scheduler's own count in nanoseconds: `stat` counts in ticks of 10 ms.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .map_err(|error| Failure::new(format!("the server, process {pid}: {error}")))?;
    let mut nanos = 0;
    for task in tasks {
        // A thread that ends meanwhile takes its share with it.
        let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanos += schedstat.split_whitespace().next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Resident memory of a process now, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    status(pid, "VmRSS:")
}

/// The most that it has ever been, in bytes.
pub(crate) fn resident_peak_bytes(pid: u32) -> Result<u64> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, field: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|error| Failure::new(format!("the server, process {pid}: {error}")))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"))
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
