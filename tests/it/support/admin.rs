//! What operators do to a daemon: ask it, rewrite its configuration, have it reload.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::daemon::{Daemon, klatchd};

/// `klatchd admin --json` at a daemon: exit status, the answer, what is told besides.
pub(crate) fn admin(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let mut all = vec!["admin", "--json"];
    all.extend_from_slice(arguments);
    let Output { status, stdout, stderr } =
        klatchd(&all).env("STATE_DIRECTORY", daemon.home()).output().expect("klatchd runs");
    let answer = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
    (status.code(), answer, String::from_utf8(stderr).expect("text"))
}

/// The same as people see it.
pub(crate) fn admin_text(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut all = vec!["admin"];
    all.extend_from_slice(arguments);
    let Output { status, stdout, stderr } =
        klatchd(&all).env("STATE_DIRECTORY", daemon.home()).output().expect("klatchd runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

/// A configuration file that can be written anew.
pub(crate) struct ConfigFile {
    folder: tempfile::TempDir,
}

impl ConfigFile {
    pub(crate) fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().expect("a folder") };
        file.write(text);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("klatchd.toml")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(), text).expect("a writable file");
    }

    /// A daemon that is run by it.
    pub(crate) fn start(&self, more: &[&str]) -> Daemon {
        let path = self.path();
        let mut arguments = vec!["--config", path.to_str().expect("text")];
        arguments.extend_from_slice(more);
        Daemon::usual(&arguments)
    }
}

/// A certificate for `localhost` and its key, as files in `folder`; valid for so many days.
pub(crate) fn certificate(folder: &Path, name: &str, days: i64) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let now = std::time::SystemTime::now();
    // A little less, so that whole days are the same a second later.
    let days = u64::try_from(days).expect("days") * 86_400 - 3_600;
    let days = std::time::Duration::from_secs(days);
    params.not_after = (now + days).into();
    let certificate = params.self_signed(&key).expect("a certificate");
    let paths = [format!("{name}.pem"), format!("{name}-key.pem")].map(|name| folder.join(name));
    let [path, key_path] = paths;
    std::fs::write(&path, certificate.pem()).expect("a writable file");
    std::fs::write(&key_path, key.serialize_pem()).expect("a writable file");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&key_path, private).expect("own file");
    (path, key_path)
}
