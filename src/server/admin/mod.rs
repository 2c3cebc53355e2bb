//! What those who run the server ask of it, over a Unix socket: `klatchd admin`.
//!
//! [`table`] has every command with its name, parameters and help; the command line, the socket and
//! the documentation are made from it. A new command is a row there and a function in [`commands`].

pub mod actor;
pub mod ask;
mod bans;
pub mod commands;
mod figures;
pub mod show;
pub(super) mod socket;
pub mod table;
mod why;

use std::path::{Path, PathBuf};

use crate::config::Config;

/// The socket's name in its folder.
const NAME: &str = "admin.sock";

/// Where the packaged service has its socket.
const PACKAGED: &str = "/run/klatchd/admin.sock";

/// Where the server listens for those who run it.
#[must_use]
pub fn socket_path(config: &Config, environment: &[(String, String)], state: &Path) -> PathBuf {
    if let Some(path) = &config.server.admin {
        return path.clone();
    }
    let runtime = environment.iter().find(|(name, _)| name == "RUNTIME_DIRECTORY");
    let first =
        runtime.and_then(|(_, list)| list.split(':').next()).filter(|path| !path.is_empty());
    first.map_or_else(|| state.to_owned(), PathBuf::from).join(NAME)
}

/// Where to look for a server's socket, from outside the service.
#[must_use]
pub fn find_socket(config: &Config, environment: &[(String, String)], state: &Path) -> PathBuf {
    let own = socket_path(config, environment, state);
    let packaged = PathBuf::from(PACKAGED);
    if own.exists() || config.server.admin.is_some() || !packaged.exists() { own } else { packaged }
}
