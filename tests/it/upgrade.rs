//! What an earlier version left, its configuration and its database, goes on as it is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

use klatch::base::id::{Key, Seq};
use rusqlite::Connection;

use crate::support::client::say;
use crate::support::daemon::Daemon;

/// The versions whose state is kept here.
const VERSIONS: [&str; 1] = ["0.1.0"];

#[test]
fn every_earlier_version_s_configuration_and_database_still_work() {
    for version in VERSIONS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version);
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("klatch.db");
        let dump = std::fs::read_to_string(folder.join("klatch.sql")).unwrap();
        Connection::open(&database).unwrap().execute_batch(&dump).unwrap();
        std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o600)).unwrap();

        let config = folder.join("klatchd.toml");
        let daemon = Daemon::usual_in(Rc::new(home), &["--config", config.to_str().unwrap()]);
        let mut ann = daemon.login("ann");
        let history = ann.whole_history("lobby");
        let texts: Vec<_> = history.iter().map(|entry| entry.text.to_string()).collect();
        assert_eq!(texts, ["hello from 0.1.0", "hello ann"], "{version}");
        let again = say("lobby", "hello from 0.1.0", Some(Key(*b"0123456789abcdef")));
        let said = ann.request(&again).unwrap();
        assert_eq!((said.seq, said.dup), (Seq(1), true), "{version}: a retry is known");
        assert_eq!(ann.say("lobby", "and on").seq, Seq(3), "{version}: the order goes on");
        let copy = daemon.home().join("klatch.db.schema-1");
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let before = Connection::open_in_memory().unwrap();
        before.execute_batch(&dump).unwrap();
        let [before, copy] = [before, Connection::open(&copy).unwrap()].map(|one| entries(&one));
        assert_eq!(copy, before, "{version}: what there was is kept as it was");
    }
}

fn entries(database: &Connection) -> Vec<(i64, i64, String)> {
    let sql = "SELECT room, seq, coalesce(text, '') FROM entry ORDER BY room, seq";
    let mut query = database.prepare(sql).unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
