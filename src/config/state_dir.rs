//! Where the server keeps what it must not lose.

use std::path::PathBuf;

use super::keys::Server;

/// There is no place to keep state in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is neither $STATE_DIRECTORY nor $HOME; set server.state_dir to a directory")]
pub struct NoStateDir;

impl Server {
    /// The state directory: as configured, else systemd's, else by the custom of the platform.
    pub fn state_directory(
        &self,
        environment: &[(String, String)],
        is_root: bool,
    ) -> Result<PathBuf, NoStateDir> {
        let lookup = |name: &str| {
            let found = environment.iter().find(|(key, value)| key == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        if let Some(configured) = &self.state_dir {
            return Ok(configured.clone());
        }
        // systemd gives a list, with ':' between; the first one is ours.
        if let Some(first) = lookup("STATE_DIRECTORY").and_then(|list| list.split(':').next()) {
            return Ok(first.into());
        }
        if is_root {
            return Ok("/var/lib/klatchd".into());
        }
        let xdg = lookup("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || lookup("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        xdg.or_else(home).map(|base| base.join("klatchd")).ok_or(NoStateDir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(state_dir: Option<&str>, environment: &[(&str, &str)], root: bool, expected: &str) {
        let server = Server { state_dir: state_dir.map(PathBuf::from), ..Server::default() };
        let environment: Vec<(String, String)> =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(server.state_directory(&environment, root), Ok(expected.into()));
    }

    #[test]
    fn state_directory_is_the_first_that_is_given() {
        let systemd = ("STATE_DIRECTORY", "/var/lib/klatchd:/var/lib/other");
        let home = ("HOME", "/home/kim");
        check(Some("/srv/chat"), &[systemd, home], true, "/srv/chat");
        check(None, &[systemd, home], false, "/var/lib/klatchd");
        check(None, &[home], true, "/var/lib/klatchd");
        check(None, &[home], false, "/home/kim/.local/state/klatchd");
        check(None, &[home, ("XDG_STATE_HOME", "/state")], false, "/state/klatchd");
        check(None, &[home, ("XDG_STATE_HOME", "state")], false, "/home/kim/.local/state/klatchd");
    }

    #[test]
    fn state_directory_without_any_place_is_refused() {
        assert_eq!(Server::default().state_directory(&[], false), Err(NoStateDir));
    }
}
