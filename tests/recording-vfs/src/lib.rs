//! A file system for SQLite that is the system's own, and records in which order what was written,
//! cut, flushed and deleted: what a disk may have after the power failed follows from that.
//!
//! It is a shim: every call goes on to the VFS that was the default before. `unsafe` is what SQLite's
//! interface in C takes, and stands in `shim.rs` alone.

#![deny(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

#[expect(unsafe_code, reason = "SQLite is told of a VFS by a table of functions in C")]
mod shim;

/// What happened to a file, or what the test said meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// These bytes were written here.
    Write {
        /// The file.
        file: PathBuf,
        /// The place of the first of them.
        at: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The file was given this length.
    Truncate {
        /// The file.
        file: PathBuf,
        /// Its length from then on.
        size: u64,
    },
    /// All before it is on the disk, when this has returned.
    Sync {
        /// The file.
        file: PathBuf,
    },
    /// The file was deleted.
    Delete {
        /// The file.
        file: PathBuf,
        /// Whether the folder was flushed after it.
        flushed: bool,
    },
    /// What the test noted at this point.
    Note(u64),
}

/// The recording of one folder.
struct Recording {
    folder: PathBuf,
    acts: Vec<Act>,
}

static RECORDING: Mutex<Option<Recording>> = Mutex::new(None);

fn recording() -> MutexGuard<'static, Option<Recording>> {
    RECORDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records from now on what happens in a folder, by every connection of this process that is opened
/// from now on.
///
/// # Panics
///
/// If SQLite does not take the VFS.
pub fn record(folder: &Path) {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    assert!(*REGISTERED.get_or_init(shim::register), "SQLite does not take the VFS");
    *recording() = Some(Recording { folder: folder.to_owned(), acts: Vec::new() });
}

/// Adds a note.
pub fn note(what: u64) {
    tell(None, || Act::Note(what));
}

/// Ends the recording, and gives it.
pub fn finish() -> Vec<Act> {
    recording().take().map(|recording| recording.acts).unwrap_or_default()
}

/// Adds an act, if it is in the folder that is recorded.
fn tell(file: Option<&Path>, act: impl FnOnce() -> Act) {
    if let Some(recording) = &mut *recording()
        && file.is_none_or(|file| file.starts_with(&recording.folder))
    {
        recording.acts.push(act());
    }
}
