//! Which certificate the server shows: the configured one, systemd's credentials, the one that an
//! authority gave it, or its own.

use std::path::{Path, PathBuf};

use super::{Parts, StartError};
use crate::config::Config;
use crate::protocol::ALPN_ALL;
use crate::transport::certificate;
use crate::transport::tls::Identity;

/// The names under which systemd's credentials, and the state directory, hold the two.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// Seconds of a day.
const DAY: i64 = 24 * 3600;
/// Days before the end from which on a certificate is warned of.
pub const WARN_DAYS: i64 = 21;

/// Where certificate and key lie, if they are not the server's own.
#[must_use]
pub fn files(config: &Config, credentials: Option<&Path>) -> Option<(PathBuf, PathBuf)> {
    if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        return Some((resolve(certificate, credentials), resolve(key, credentials)));
    }
    let credentials = credentials?;
    let (certificate, key) = (credentials.join(CERTIFICATE), credentials.join(KEY));
    (certificate.is_file() && key.is_file()).then_some((certificate, key))
}

/// A bare name is that of a credential, if there is one.
fn resolve(path: &Path, credentials: Option<&Path>) -> PathBuf {
    let bare = path.components().count() == 1 && path.is_relative();
    let credential = credentials.filter(|_| bare).map(|folder| folder.join(path));
    credential.filter(|path| path.is_file()).unwrap_or_else(|| path.to_owned())
}

/// Loads the certificate; makes one if it is to be the server's own.
pub fn load(config: &Config, parts: &Parts) -> Result<Identity, StartError> {
    if let Some((certificate, key)) = files(config, parts.credentials.as_deref()) {
        return Ok(Identity::load(&certificate, &key, ALPN_ALL, &parts.challenges)?);
    }
    if let Some(identity) = gained(config, parts) {
        return Ok(identity);
    }
    let names = certificate_names(&config.tls.names);
    let files = certificate::ensure(&parts.state_dir, &names)?;
    Ok(Identity::load(&files.certificate, &files.key, ALPN_ALL, &parts.challenges)?)
}

/// Where the certificate that the server got from an authority lies, with its key.
#[must_use]
pub fn gained_file(state_dir: &Path) -> PathBuf {
    state_dir.join("acme.pem")
}

/// The certificate from an authority, if one is to be used and there is one. A file that cannot be
/// used stops nothing: the server has its own certificate until there is another.
fn gained(config: &Config, parts: &Parts) -> Option<Identity> {
    let path = gained_file(&parts.state_dir);
    if config.acme.domains.is_empty() || !path.exists() {
        return None;
    }
    let loaded = Identity::load(&path, &path, ALPN_ALL, &parts.challenges);
    loaded
        .inspect_err(|error| log::error!("{error}; the server's own certificate is used meanwhile"))
        .ok()
}

/// The names of the self-signed certificate: those configured, and what this machine is called.
fn certificate_names(configured: &[String]) -> Vec<String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let own = [host, "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let mut names: Vec<String> = Vec::new();
    for name in configured.iter().cloned().chain(own) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// How soon a certificate ends, if that is near: whole days, fewer than none if it has ended. One
/// that the server renews by itself is renewed with a third of its life left: only what has less
/// than a quarter is worth a word, also where lives are short.
#[must_use]
pub fn ends_soon((begins, expires): (i64, i64), now: i64, renewed: bool) -> Option<i64> {
    let left = expires - now;
    let warned = WARN_DAYS * DAY;
    let near = if renewed { warned.min((expires - begins) / 4) } else { warned };
    (left < near).then_some(left.div_euclid(DAY))
}

/// What to do about a certificate that ends.
#[must_use]
pub fn remedy(renewed: bool) -> &'static str {
    if renewed {
        "the server has not been able to renew it: klatchd admin status tells why"
    } else {
        "renew it, then: klatchd admin reload"
    }
}

/// Whether the server gets its certificate by itself: domains are named, and nothing else is given.
#[must_use]
pub fn is_renewed(config: &Config, credentials: Option<&Path>) -> bool {
    !config.acme.domains.is_empty() && files(config, credentials).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_of_from_21_days_on() {
        let left = |expires, now| ends_soon((-90 * DAY, expires), now, false);
        assert_eq!(left(21 * DAY, 0), None);
        assert_eq!(left(21 * DAY - 1, 0), Some(20));
        assert_eq!(left(DAY, 0), Some(1));
        assert_eq!(left(0, 1), Some(-1));
    }

    #[test]
    fn one_that_is_renewed_in_time_is_not_warned_of() {
        let left = |days, life| ends_soon(((days - life) * DAY, days * DAY), 0, true);
        assert_eq!(left(22, 90), None);
        assert_eq!(left(20, 90), Some(20));
        assert_eq!(left(3, 6), None, "short lives are renewed late");
        assert_eq!(left(1, 6), Some(1));
    }

    #[test]
    fn credentials_are_taken_by_name_and_configured_paths_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        assert_eq!(files(&config, Some(folder.path())), None);
        for name in [CERTIFICATE, KEY, "mine.pem"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let [certificate, key] = [CERTIFICATE, KEY].map(|name| folder.path().join(name));
        assert_eq!(files(&config, Some(folder.path())), Some((certificate, key.clone())));
        config.tls.certificate = Some("mine.pem".into());
        config.tls.key = Some("/etc/key.pem".into());
        let mine = folder.path().join("mine.pem");
        assert_eq!(files(&config, Some(folder.path())), Some((mine, "/etc/key.pem".into())));
        assert_eq!(files(&config, None), Some(("mine.pem".into(), "/etc/key.pem".into())));
    }
}
