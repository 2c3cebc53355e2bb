//! The process's table of file descriptors, made as long as it will have to be before anybody waits for it.
//!
//! The kernel doubles the table when it is full, and has a process of several threads wait until every
//! processor has seen that (`expand_fdtable` in Linux' fs/file.c): while thousands connect, nobody was
//! accepted for 10 to 40 ms at 512, 1,024, 2,048 descriptors, and so on.

use std::io::{self, stderr};

use rustix::io::fcntl_dupfd_cloexec;

/// So many at most, ahead of their time: the kernel holds 8 bytes for each.
const AHEAD: u64 = 65_536;

/// Makes room for so many descriptors, as far as the process may have them.
pub fn make_room(count: u64) -> io::Result<()> {
    let last = i32::try_from(count.clamp(1, AHEAD) - 1).unwrap_or(i32::MAX);
    // The copy that stands so far up is closed at once; the table stays.
    drop(fcntl_dupfd_cloexec(stderr(), last)?);
    Ok(())
}
