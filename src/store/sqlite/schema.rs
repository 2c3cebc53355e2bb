//! The database file: who may open it, how it is set up, and how it grows from version to version.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

/// Every version of the schema, as the step from the one before. Append only.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
];

/// "klat": tells the file from other programs' databases.
pub(super) const APPLICATION_ID: i32 = 0x6b6c_6174;

/// How long a connection waits for another one of this process.
const BUSY: Duration = Duration::from_secs(5);

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another klatchd; stop that one, or set server.state_dir", .0.display())]
    InUse(PathBuf),
    /// Others could read it.
    #[error("{} can be read by others (mode {mode:03o}); run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It was written by a newer version.
    #[error("{} has schema {found}, this version knows {known}: run the newer klatchd again, or restore a backup", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: usize,
        /// The newest that is known here.
        known: usize,
    },
    /// It is somebody else's.
    #[error("{} is a database of another program", .0.display())]
    Foreign(PathBuf),
    /// The system refuses.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `SQLite` refuses.
    #[error("cannot open {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// Makes sure that this process alone works on the database: as long as the file is held.
///
/// The lock lies beside the database, because closing any handle of a file drops the locks that
/// `SQLite` has on it (<https://sqlite.org/howtocorrupt.html>, section 2.2).
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    let path = database.with_extension("lock");
    let io = |source| OpenError::Io { path: path.clone(), source };
    let mut options = OpenOptions::new();
    let file = options.create(true).write(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

/// Makes the file if there is none, for this user alone; refuses one that others can read.
pub(super) fn guard(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).mode(0o600).open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(OpenError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Opens the connection that writes, and brings the schema up to date.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    // A power failure loses no commit: the log is flushed with each one.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 4000;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -32768;
             PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;
             PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(failed)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// Refuses a file of another program or of a newer version; returns its version.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let pragma = |name| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(failed)
    };
    let found = usize::try_from(pragma("user_version")?).unwrap_or(usize::MAX);
    let id = pragma("application_id")?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found > MIGRATIONS.len() {
        let known = MIGRATIONS.len();
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let found = check(connection, path)?;
    migrate_by(MIGRATIONS, found, connection, path)
}

fn migrate_by(
    migrations: &[&str],
    found: usize,
    connection: &mut Connection,
    path: &Path,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    if found > 0 && found < migrations.len() {
        keep_old(connection, path, found)?;
    }
    for (version, sql) in (1_i64..).zip(migrations).skip(found) {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        transaction.execute_batch(sql).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", version).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

/// Keeps a copy of a database that is about to be brought to a newer schema: the way back to the
/// version that wrote it. One that is there already is from an attempt that was cut short.
fn keep_old(connection: &Connection, path: &Path, found: usize) -> Result<(), OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".schema-{found}"));
    let copy = PathBuf::from(name);
    let io = |source| OpenError::Io { path: copy.clone(), source };
    // SQLite fills an empty file, and leaves its mode as it is.
    let mut options = OpenOptions::new();
    let file = options.create(true).write(true).truncate(true).mode(0o600).open(&copy);
    // What an attempt that was cut short has left may have another mode.
    let private = std::fs::Permissions::from_mode(0o600);
    file.and_then(|file| file.set_permissions(private)).map_err(io)?;
    let shown = copy.to_string_lossy().into_owned();
    connection
        .execute("VACUUM INTO ?", [shown])
        .map_err(|source| OpenError::Sqlite { path: copy.clone(), source })?;
    File::open(&copy).and_then(|file| file.sync_all()).map_err(io)?;
    log::info!(copy:% = copy.display(); "the database is brought to a newer schema; a copy is kept");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_keeps_a_copy_of_the_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("klatch.db");
        let mut connection = Connection::open(&path).unwrap();
        let first = &MIGRATIONS[..1];
        migrate_by(first, 0, &mut connection, &path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a new one needs no copy");
        connection
            .execute("INSERT INTO room (name, kind, epoch) VALUES ('lobby', 1, 7)", [])
            .unwrap();
        let second = [MIGRATIONS[0], "CREATE TABLE more (x INTEGER) STRICT;"];
        // Once more after a copy that was cut short.
        std::fs::write(folder.path().join("klatch.db.schema-1"), "half").unwrap();
        migrate_by(&second, 1, &mut connection, &path).unwrap();
        connection.execute("INSERT INTO more VALUES (1)", []).unwrap();

        let copy = folder.path().join("klatch.db.schema-1");
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o077, 0);
        let copy = Connection::open(&copy).unwrap();
        let rooms: i64 = copy.query_row("SELECT count(*) FROM room", [], |row| row.get(0)).unwrap();
        let version: i64 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!((rooms, version), (1, 1));
        assert!(copy.prepare("SELECT * FROM more").is_err(), "it is as it was");
    }
}
