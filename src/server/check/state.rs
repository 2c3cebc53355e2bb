//! What lies on the disk: rights of files, the database, the space that is left.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bytesize::ByteSize;

use super::{Finding, Scene};
use crate::config::Engine;
use crate::server::DATABASE;
use crate::store::sqlite::backup;

/// Below this the server is about to stop storing.
const FULL: u64 = 100 << 20;
/// Below this somebody should look.
const SCARCE: u64 = 1 << 30;

pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = vec![directory(scene.state_dir)];
    findings.extend(scene.sources.file.as_deref().and_then(config_file));
    findings.push(database(scene));
    findings.extend(space(scene.state_dir));
    findings
}

fn directory(path: &Path) -> Finding {
    const SUBJECT: &str = "state";
    let shown = path.display();
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() => Finding::problem(
            SUBJECT,
            format!("{shown} is not a directory: move it away, or set server.state_dir"),
        ),
        Ok(found) if found.mode() & 0o077 != 0 => Finding::advice(
            SUBJECT,
            format!(
                "{shown} is open to others (mode {:03o}); do: chmod 700 {shown}",
                found.mode() & 0o777
            ),
        ),
        Ok(found) => {
            let me = rustix::process::geteuid().as_raw();
            if found.uid() != me && me != 0 {
                let text = format!(
                    "{shown} belongs to user {}, and you are {me}: check as that user, or as root",
                    found.uid()
                );
                return Finding::problem(SUBJECT, text);
            }
            Finding::good(SUBJECT, format!("{shown} is the server's alone"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::good(
            SUBJECT,
            format!("{shown} is not there yet: the server makes it when it starts"),
        ),
        Err(error) => Finding::problem(
            SUBJECT,
            format!("{shown} cannot be looked at: {error}; check as root"),
        ),
    }
}

fn config_file(path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.mode() & 0o777;
    (mode & 0o022 != 0).then(|| {
        let path = path.display();
        let text =
            format!("{path} can be changed by others (mode {mode:03o}); do: chmod go-w {path}");
        Finding::problem("configuration", text)
    })
}

fn database(scene: &Scene<'_>) -> Finding {
    const SUBJECT: &str = "database";
    if scene.loaded.config.store.engine == Engine::Memory {
        let text = "store.engine is \"memory\": what is said is lost when the server stops";
        return Finding::advice(SUBJECT, text);
    }
    let path = scene.state_dir.join(DATABASE);
    if !path.exists() {
        return Finding::good(SUBJECT, "there is none yet: the server makes it when it starts");
    }
    match backup::verify(&path) {
        Ok(holdings) => Finding::good(SUBJECT, format!("read through and sound: {holdings}")),
        Err(error) => Finding::problem(
            SUBJECT,
            format!(
                "{error}. Stop the server, keep a copy of {}, then: klatchd restore BACKUP",
                path.display()
            ),
        ),
    }
}

fn space(state_dir: &Path) -> Option<Finding> {
    let there = state_dir.ancestors().find(|path| path.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    Some(judge_space(free, there))
}

fn judge_space(free: u64, there: &Path) -> Finding {
    const SUBJECT: &str = "disk";
    let (left, there) = (ByteSize(free), there.display());
    if free < FULL {
        let text = format!(
            "{left} are left at {there}: soon nothing can be said any more (storage_full). Make room now"
        );
        return Finding::problem(SUBJECT, text);
    }
    if free < SCARCE {
        let text = format!(
            "{left} are left at {there}: make room, or move server.state_dir to a larger disk"
        );
        return Finding::advice(SUBJECT, text);
    }
    Finding::good(SUBJECT, format!("{left} are left at {there}"))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn little_space_is_told_before_there_is_none() {
        let verdict = |free| judge_space(free, Path::new("/")).verdict;
        assert_eq!(verdict(FULL - 1), Verdict::Problem);
        assert_eq!(verdict(SCARCE - 1), Verdict::Advice);
        assert_eq!(verdict(SCARCE), Verdict::Good);
    }
}
