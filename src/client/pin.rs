//! Fingerprints of certificates, and the file in which known servers are remembered.
//!
//! One line for each: `host:port sha256:HEX`; empty lines and lines that begin with `#` are kept as
//! they are. The functions on texts are pure; [`KnownServers`] reads and writes the file, whole and
//! by renaming, for its owner only.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// A file of known servers that is longer is not one.
const FILE_BYTES: u64 = 1 << 20;

/// The SHA-256 of a certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 fingerprint has 64 hexadecimal digits, as in sha256:0f1e...")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads `sha256:HEX`; the prefix may be missing, and colons may stand between the bytes.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let text = text.trim();
        let digits = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("SHA256:"));
        let digits: Vec<u8> = digits
            .unwrap_or(text)
            .chars()
            .filter(|&c| c != ':')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(FingerprintError)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4) | low).collect();
        match (rest.is_empty(), bytes.try_into()) {
            (true, Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(FingerprintError),
        }
    }
}

/// A remembered certificate, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The line in the file, from 1.
    pub line: usize,
    /// The certificate.
    pub fingerprint: Fingerprint,
}

/// The file of known servers.
#[derive(Debug, Clone)]
pub struct KnownServers {
    path: PathBuf,
}

impl KnownServers {
    /// The file at `path`; it need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The user's own: `$XDG_STATE_HOME/klatch/known_servers`, or the same in `~/.local/state`.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        use etcetera::base_strategy::{BaseStrategy, Xdg};
        let state = Xdg::new().ok()?.state_dir()?;
        Some(Self::at(state.join("klatch").join("known_servers")))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is remembered of `server` (`host:port`).
    pub fn pins(&self, server: &str) -> io::Result<Vec<Pin>> {
        let text = self.read()?;
        pins(&text, server).map_err(|line| {
            let why = format!("line {line} names {server} but has no sha256 fingerprint");
            io::Error::new(io::ErrorKind::InvalidData, why)
        })
    }

    /// Remembers a certificate of `server`.
    pub fn remember(&self, server: &str, fingerprint: Fingerprint) -> io::Result<()> {
        let text = with_pin(&self.read()?, server, fingerprint);
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Written beside it and renamed: a crash leaves the old file or the new one, whole.
        let new = folder.join(format!(".known_servers.{:016x}", rand::random::<u64>()));
        let written = write_new(&new, &text).and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            drop(fs::remove_file(&new));
        }
        written
    }

    fn read(&self) -> io::Result<String> {
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(FILE_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > FILE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too long"));
        }
        Ok(text)
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The pins of `server` in the text of a file. A line that names it and cannot be read is an error
/// (its number): to pass over it would be to forget a pin.
fn pins(text: &str, server: &str) -> Result<Vec<Pin>, usize> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        if words.next().is_some_and(|name| name.eq_ignore_ascii_case(server)) {
            let fingerprint = words.next().and_then(|word| word.parse().ok()).ok_or(index + 1)?;
            found.push(Pin { line: index + 1, fingerprint });
        }
    }
    Ok(found)
}

fn with_pin(text: &str, server: &str, fingerprint: Fingerprint) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}{server} {fingerprint}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(byte: u8) -> Fingerprint {
        Fingerprint([byte; 32])
    }

    #[test]
    fn fingerprints_are_read_in_the_forms_that_people_paste() {
        let hex = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for text in [&hex, &format!("sha256:{hex}"), &format!(" SHA256:{colons}\n"), &colons] {
            assert_eq!(text.parse(), Ok(print(0xab)), "{text}");
        }
        for text in ["", "sha256:", &hex[1..], &format!("{hex}ab"), &"xy".repeat(32), "é"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
        assert_eq!(print(0xab).to_string(), format!("sha256:{hex}"));
    }

    #[test]
    fn lines_are_found_by_host_and_port() {
        let (one, two) = (print(1), print(2));
        let text = format!(
            "# mine\n\na.example:5528 {one}\nb.example:5528 {one} office\nnonsense\nA.example:5528 {two}\n"
        );
        let at = |line, fingerprint| Pin { line, fingerprint };
        assert_eq!(pins(&text, "a.example:5528"), Ok(vec![at(3, one), at(6, two)]));
        assert_eq!(pins(&text, "b.example:5528"), Ok(vec![at(4, one)]));
        assert_eq!(pins(&text, "b.example:1"), Ok(vec![]));
        assert_eq!(pins(&text, "example:5528"), Ok(vec![]));
    }

    #[test]
    fn a_pin_that_cannot_be_read_is_not_passed_over() {
        assert_eq!(pins("\nx:1 sha256:12\n", "x:1"), Err(2));
        assert_eq!(pins("x:1", "x:1"), Err(1));
        assert_eq!(pins("x:1", "y:1"), Ok(vec![]));
    }

    #[test]
    fn a_pin_is_added_and_all_else_kept() {
        assert_eq!(with_pin("", "x:1", print(1)), format!("x:1 {}\n", print(1)));
        assert_eq!(with_pin("# no end", "x:1", print(1)), format!("# no end\nx:1 {}\n", print(1)));
    }

    #[test]
    fn the_file_is_made_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let known = KnownServers::at(folder.path().join("state/klatch/known_servers"));
        assert_eq!(known.pins("x:1").expect("no file is no pin"), vec![]);
        known.remember("x:1", print(7)).expect("written");
        known.remember("y:1", print(8)).expect("written");
        assert_eq!(known.pins("y:1").expect("read"), [Pin { line: 2, fingerprint: print(8) }]);
        let mode = fs::metadata(known.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(known.path().parent().expect("a folder")).expect("read").count();
        assert_eq!(files, 1, "no temporary file is left");
    }
}
