//! Copies of the database: made while the server runs, and put back while it does not.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::schema::{self, OpenError};
use super::{fresh_epoch, rows};
use crate::base::name::{RoomName, UserName};

/// Why a copy was not made or not put back.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A file would be written over.
    #[error("{} exists; give another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// The copy is damaged.
    #[error("{} is damaged, nothing was changed: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such room.
    #[error("no room {0} is stored; nothing was ever said there")]
    NoRoom(RoomName),
    /// There is no such account.
    #[error("no account {0} is registered")]
    NoAccount(UserName),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `SQLite` refuses.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Rooms.
    pub rooms: u64,
    /// Entries of all rooms.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, entries, bytes } = self;
        write!(f, "{entries} entries of {rooms} rooms in {bytes} bytes")
    }
}

/// Copies the database as it is at one moment, whoever writes meanwhile, and verifies the copy.
pub fn backup(database: &Path, to: &Path) -> Result<Holdings, CopyError> {
    let unfinished = beside(to, "unfinished");
    for path in [to, &unfinished] {
        if path.exists() {
            return Err(CopyError::Exists(path.to_owned()));
        }
    }
    let source = read(database)?;
    let made = copy(&source, &unfinished).and_then(|()| verify(&unfinished)).and_then(|holdings| {
        fs::rename(&unfinished, to).map_err(io(to))?;
        sync_folder(to)?;
        Ok(holdings)
    });
    if made.is_err() {
        // What is there of it is of no use to anybody.
        drop(fs::remove_file(&unfinished));
    }
    made
}

/// Puts a copy in the place of the database, which is kept beside it: where, is returned. Every
/// room gets a new epoch, so that clients know that their numbers mean nothing any more.
pub fn restore(database: &Path, from: &Path) -> Result<(Holdings, Option<PathBuf>), CopyError> {
    let _lock = schema::lock(database)?;
    verify(from)?;
    let coming = beside(database, "restoring");
    drop(fs::remove_file(&coming));
    copy(&read(from)?, &coming)?;
    renew_epochs(&coming)?;
    let holdings = verify(&coming)?;
    let kept = keep(database)?;
    // In one step: whenever the power fails, there is a database.
    fs::rename(&coming, database).map_err(io(database))?;
    sync_folder(database)?;
    Ok((holdings, kept))
}

pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::Io { path: path.clone(), source }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

/// Opens a database that may be in use.
pub(super) fn read(path: &Path) -> Result<Connection, CopyError> {
    // SQLite's own message does not say that there is no file.
    File::open(path).map_err(io(path))?;
    let failed = |source| CopyError::Sqlite { path: path.to_owned(), source };
    let connection = schema::open_reader(path).map_err(failed)?;
    schema::check(&connection, path)?;
    Ok(connection)
}

/// Copies everything in one transaction: writers go on, and are not seen.
fn copy(source: &Connection, to: &Path) -> Result<(), CopyError> {
    let mut options = OpenOptions::new();
    // SQLite fills an empty file, and leaves its mode as it is.
    options.create_new(true).write(true).mode(0o600).open(to).map_err(io(to))?;
    let failed = |source| CopyError::Sqlite { path: to.to_owned(), source };
    source.execute("VACUUM INTO ?", [to.to_string_lossy()]).map_err(failed)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(io(to))
}

/// Reads every page of a database, and compares tables with indexes, while the server runs or not.
pub fn verify(path: &Path) -> Result<Holdings, CopyError> {
    let connection = read(path)?;
    let failed = |source: rusqlite::Error| CopyError::Damaged {
        path: path.to_owned(),
        why: source.to_string(),
    };
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if verdict != "ok" {
        return Err(CopyError::Damaged { path: path.to_owned(), why: verdict });
    }
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).map(rows::unsigned).map_err(failed)
    };
    let bytes = fs::metadata(path).map_err(io(path))?.len();
    Ok(Holdings { rooms: count("room")?, entries: count("entry")?, bytes })
}

fn renew_epochs(path: &Path) -> Result<(), CopyError> {
    let failed = |source| CopyError::Sqlite { path: path.to_owned(), source };
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    let rooms: Vec<i64> = {
        let mut statement = transaction.prepare("SELECT id FROM room").map_err(failed)?;
        let ids = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        ids.collect::<rusqlite::Result<_>>().map_err(failed)?
    };
    for room in rooms {
        let epoch = rows::signed(fresh_epoch().0);
        let update = "UPDATE room SET epoch = ? WHERE id = ?";
        transaction.execute(update, [epoch, room]).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Gives the database a second name, so that it stays when its place is taken.
fn keep(database: &Path) -> Result<Option<PathBuf>, CopyError> {
    if !database.exists() {
        return Ok(None);
    }
    // What is only in the log goes into the file; with its last connection the log is removed.
    drop(schema::open_writer(database)?);
    let free = |path: &PathBuf| !path.exists();
    let mut names = (1_u32..).map(|number| beside(database, &format!("before-restore-{number}")));
    let Some(kept) = names.find(free) else { return Ok(None) };
    fs::hard_link(database, &kept).map_err(io(&kept))?;
    Ok(Some(kept))
}

fn sync_folder(path: &Path) -> Result<(), CopyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::Epoch;
    use crate::store::sqlite::SqliteStore;
    use crate::store::sqlite::tests::{open, say};

    /// A database with so many entries.
    fn database(folder: &Path, entries: u64) -> (PathBuf, SqliteStore) {
        let path = folder.join("klatch.db");
        let store = SqliteStore::open(&path).unwrap();
        let (mut journal, told) = open(&store);
        for seq in 1..=entries {
            say(&mut *journal, &told, seq, &format!("text {seq}")).unwrap();
        }
        (path, store)
    }

    fn epoch(store: &SqliteStore) -> Epoch {
        open(store).0.epoch()
    }

    #[test]
    fn a_copy_is_made_while_others_write_and_is_put_back_with_new_epochs() {
        let dir = tempfile::tempdir().unwrap();
        let (path, store) = database(dir.path(), 50);
        let copy = dir.path().join("copy.db");
        let holdings = backup(&path, &copy).unwrap();
        assert_eq!((holdings.rooms, holdings.entries), (1, 50));
        assert!(matches!(backup(&path, &copy), Err(CopyError::Exists(_))));
        let before = epoch(&store);
        let (mut journal, told) = open(&store);
        say(&mut *journal, &told, 51, "after the copy").unwrap();
        assert!(
            matches!(restore(&path, &copy), Err(CopyError::Open(OpenError::InUse(_)))),
            "not under a running server"
        );
        drop((journal, store));

        let (holdings, kept) = restore(&path, &copy).unwrap();
        assert_eq!(holdings.entries, 50);
        assert!(kept.is_some_and(|kept| verify(&kept).unwrap().entries == 51), "nothing is lost");
        let store = SqliteStore::open(&path).unwrap();
        assert_ne!(epoch(&store), before);
        let (mut journal, told) = open(&store);
        say(&mut *journal, &told, 51, "and on").unwrap();
    }

    #[test]
    fn a_damaged_copy_is_refused_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, store) = database(dir.path(), 500);
        let copy = dir.path().join("copy.db");
        backup(&path, &copy).unwrap();
        drop(store);
        let mut bytes = fs::read(&copy).unwrap();
        let end = bytes.len();
        bytes[end - 9_000..end - 5_000].fill(0x5a);
        fs::write(&copy, bytes).unwrap();
        let before = fs::read(&path).unwrap();
        let refused = restore(&path, &copy).unwrap_err();
        assert!(refused.to_string().contains("damaged, nothing was changed"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::write(&copy, b"no database at all").unwrap();
        assert!(restore(&path, &copy).is_err());
        assert!(matches!(restore(&path, &dir.path().join("none")), Err(CopyError::Io { .. })));
    }
}
