//! The self-signed certificate of a first start: ECDSA P-256, made once, its key readable by nobody
//! else.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};

/// Where a certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name cannot stand in a certificate.
    #[error("cannot make a certificate for {names:?}: {source}")]
    Names {
        /// The names asked for.
        names: Vec<String>,
        /// Why.
        source: rcgen::Error,
    },
}

/// The files in `state_dir`; makes them for `names` if they are not there yet.
pub fn ensure(state_dir: &Path, names: &[String]) -> Result<Files, MakeError> {
    let files =
        Files { certificate: state_dir.join("certificate.pem"), key: state_dir.join("key.pem") };
    // Key first: a start that was cut short leaves no certificate, and the next one begins anew.
    if fs::exists(&files.certificate).unwrap_or(false) && fs::exists(&files.key).unwrap_or(false) {
        return Ok(files);
    }
    let failed = |source| MakeError::Names { names: names.to_vec(), source };
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "klatchd");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_after = rcgen::date_time_ymd(2099, 12, 31);
    let certificate = params.self_signed(&key).map_err(failed)?;
    write(&files.key, key.serialize_pem().as_bytes(), 0o600)?;
    write(&files.certificate, certificate.pem().as_bytes(), 0o644)?;
    Ok(files)
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), MakeError> {
    let failed = |source| MakeError::Write { path: path.to_owned(), source };
    let partial = path.with_extension("partial");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&partial)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::challenge::Challenges;
    use crate::transport::tls::{Identity, TlsError};
    use std::os::unix::fs::PermissionsExt;

    fn load(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
        Identity::load(certificate, key, &["test"], &Challenges::default())
    }

    #[test]
    fn a_made_certificate_loads_and_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let files = ensure(dir.path(), &names).unwrap();
        let mode = fs::metadata(&files.key).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let first = load(&files.certificate, &files.key).unwrap();
        assert_eq!(first.fingerprint().len(), 64);
        let again = ensure(dir.path(), &names).unwrap();
        let second = load(&again.certificate, &again.key).unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let files = ensure(dir.path(), &["localhost".to_owned()]).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o644)).unwrap();
        let error = load(&files.certificate, &files.key).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let names = ["localhost".to_owned()];
        let (one, two) = (ensure(one.path(), &names).unwrap(), ensure(two.path(), &names).unwrap());
        let error = load(&one.certificate, &two.key).unwrap_err();
        assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    }
}
