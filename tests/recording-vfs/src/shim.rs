//! The VFS itself: SQLite's tables of functions, each of which asks the VFS below and tells what was done.
//!
//! **Layout.** SQLite reserves `szOsFile` bytes for each open file: first ours ([`File`]), behind it
//! the file of the VFS below, which sees nothing of us.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{
    SQLITE_IOERR, SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::{Act, tell};

/// An open file, as SQLite sees it.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// Made by `Box::into_raw`; null for a file without a name, which nobody can find after a crash.
    path: *mut PathBuf,
}

/// The VFS below, at an address that never changes.
struct Below(*mut sqlite3_vfs);

// SAFETY: it is SQLite's own static table, which its threads share in the same way.
unsafe impl Send for Below {}
// SAFETY: as above; nothing is written to it.
unsafe impl Sync for Below {}

static BELOW: OnceLock<Below> = OnceLock::new();

fn below() -> *mut sqlite3_vfs {
    BELOW.get().map_or(ptr::null_mut(), |below| below.0)
}

/// Puts the VFS in front of the default one; false if SQLite refuses.
pub(crate) fn register() -> bool {
    // SAFETY: SQLite is linked in; null asks for the default VFS, which is never freed.
    let default = unsafe { sqlite3_vfs_find(ptr::null()) };
    if default.is_null() || BELOW.set(Below(default)).is_err() {
        return false;
    }
    // SAFETY: it was found a moment ago; the table is plain data.
    let mut own = unsafe { ptr::read(default) };
    own.pNext = ptr::null_mut();
    own.zName = c"recording".as_ptr();
    own.szOsFile += c_int::try_from(size_of::<File>()).unwrap_or(0);
    // What is not set here goes to the VFS below by its own functions, which know nothing of files.
    own.xOpen = Some(open);
    own.xDelete = Some(delete);
    // SAFETY: SQLite keeps the table for as long as the process lives, so it is leaked.
    unsafe { sqlite3_vfs_register(Box::into_raw(Box::new(own)), 1) == SQLITE_OK }
}

/// The file of the VFS below.
fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // `szOsFile` has room for both.
    file.wrapping_byte_add(size_of::<File>())
}

/// The path of a file of ours; none if it has no name.
fn path_of<'a>(file: *mut sqlite3_file) -> Option<&'a Path> {
    // SAFETY: SQLite hands over files that `open` has filled in, and no other; `path` lives until `close`.
    unsafe { (*file.cast::<File>()).path.as_ref().map(PathBuf::as_path) }
}

/// A path that SQLite names.
fn path_at<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: SQLite's names end with a zero, and outlive the call.
    (!name.is_null())
        .then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let own = file.cast::<File>();
    // SAFETY: SQLite gave `szOsFile` bytes at `file`; the VFS below gets those behind ours, and the
    // arguments unchanged.
    unsafe {
        (*inner(file)).pMethods = ptr::null();
        let Some(open) = (*below()).xOpen else { return SQLITE_IOERR };
        let code = open(below(), name, inner(file), flags, out);
        // Without methods SQLite does not close a file that could not be opened.
        let is_open = !(*inner(file)).pMethods.is_null();
        let path = path_at(name).filter(|_| is_open);
        (*own).base.pMethods = if is_open { &raw const METHODS } else { ptr::null() };
        (*own).path = path.map_or(ptr::null_mut(), |path| Box::into_raw(Box::new(path.to_owned())));
        code
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, flush: c_int) -> c_int {
    // SAFETY: the arguments go on unchanged.
    let code = unsafe {
        let Some(delete) = (*below()).xDelete else { return SQLITE_IOERR };
        delete(below(), name, flush)
    };
    if let Some(path) = path_at(name).filter(|_| code == SQLITE_OK) {
        tell(Some(path), || Act::Delete { file: path.to_owned(), flushed: flush != 0 });
    }
    code
}

/// Asks the same of the file below; a method that it lacks is an error.
macro_rules! below {
    ($file:expr, $method:ident $(, $argument:expr)*) => {
        // SAFETY: `open` has let the VFS below fill in its file, with its methods; the arguments are
        // those that SQLite gave for this very method.
        unsafe {
            let file = inner($file);
            (*(*file).pMethods).$method.map(|method| method(file $(, $argument)*))
        }
    };
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let code = below!(file, xClose).unwrap_or(SQLITE_IOERR);
    let own = file.cast::<File>();
    // SAFETY: `open` has made it, and SQLite closes a file once.
    unsafe {
        if !(*own).path.is_null() {
            drop(Box::from_raw((*own).path));
            (*own).path = ptr::null_mut();
        }
    }
    code
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    count: c_int,
    at: sqlite3_int64,
) -> c_int {
    below!(file, xRead, to, count, at).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: sqlite3_int64,
) -> c_int {
    let code = below!(file, xWrite, from, count, at).unwrap_or(SQLITE_IOERR);
    if let Some(path) = path_of(file) {
        let count = usize::try_from(count).unwrap_or(0);
        // SAFETY: SQLite gave so many bytes to be read, until this function returns.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count) };
        let at = u64::try_from(at).unwrap_or(0);
        tell(Some(path), || Act::Write { file: path.to_owned(), at, bytes: bytes.to_vec() });
    }
    code
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let code = below!(file, xTruncate, size).unwrap_or(SQLITE_IOERR);
    if let Some(path) = path_of(file) {
        let size = u64::try_from(size).unwrap_or(0);
        tell(Some(path), || Act::Truncate { file: path.to_owned(), size });
    }
    code
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let code = below!(file, xSync, flags).unwrap_or(SQLITE_IOERR);
    if let Some(path) = path_of(file).filter(|_| code == SQLITE_OK) {
        tell(Some(path), || Act::Sync { file: path.to_owned() });
    }
    code
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    below!(file, xFileSize, size).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    below!(file, xLock, level).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    below!(file, xUnlock, level).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, result: *mut c_int) -> c_int {
    below!(file, xCheckReservedLock, result).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn file_control(
    file: *mut sqlite3_file,
    what: c_int,
    argument: *mut c_void,
) -> c_int {
    below!(file, xFileControl, what, argument).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    below!(file, xSectorSize).unwrap_or(0)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    below!(file, xDeviceCharacteristics).unwrap_or(0)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    at: *mut *mut c_void,
) -> c_int {
    below!(file, xShmMap, page, size, extend, at).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    below!(file, xShmLock, first, count, flags).unwrap_or(SQLITE_IOERR)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    below!(file, xShmBarrier).unwrap_or(());
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    below!(file, xShmUnmap, delete).unwrap_or(SQLITE_IOERR)
}

/// Version 2 has shared memory, which the log needs; version 3 would have the file mapped, and what is
/// written past us.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
