//! Whom the Lua programs believe: authorities and names, fingerprints, what is remembered.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rcgen::generate_simple_self_signed;
use tempfile::TempDir;

use super::process::{INTERPRETERS, Program, interpreter, lua};
use crate::support::TestServer;

/// The exit code of a certificate that is not to be trusted.
const CERTIFICATE: Option<i32> = Some(76);

/// Runs the chat program without input; its code and what it said about errors.
fn klatch(name: &str, home: &TempDir, args: &[&str]) -> (Option<i32>, String) {
    let mut command = interpreter(name, &lua("bin/klatch.lua"));
    command.args(["--name", "ann"]).args(args).env("XDG_STATE_HOME", home.path());
    command.env_remove("SSL_CERT_FILE");
    let (code, errors, _) = Program::start(&mut command).end();
    (code, errors)
}

/// A server whose certificate is for these names; the file is also its authority.
fn server_for(names: &[&str], home: &TempDir) -> (TestServer, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = generate_simple_self_signed(names).expect("made");
    let (certificate, key) = (home.path().join("cert.pem"), home.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let certificate = certificate.display().to_string();
    let keys = [format!("tls.certificate={certificate}"), format!("tls.key={}", key.display())];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    (TestServer::with(&keys), certificate)
}

#[test]
fn an_authority_vouches_for_a_name_and_no_other() {
    let (right_home, wrong_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (right, authority) = server_for(&["chat.example", "127.0.0.1"], &right_home);
    let (wrong, wrong_authority) = server_for(&["other.example", "127.0.0.2"], &wrong_home);
    for name in INTERPRETERS {
        let home = tempfile::tempdir().unwrap();
        let called = |server: &TestServer, authority: &str| {
            let address = server.address.to_string();
            klatch(name, &home, &["--server", &address, "--ca", authority])
        };
        let (code, errors) = called(&right, &authority);
        assert_eq!(code, Some(0), "{name}: {errors}");
        // The chain is good, the name is another's.
        let (code, errors) = called(&wrong, &wrong_authority);
        assert_eq!(code, CERTIFICATE, "{name}: {errors}");
        assert!(errors.contains("is not for 127.0.0.1"), "{name}: {errors}");
        // The name is good, the authority is another's.
        let (code, errors) = called(&right, &wrong_authority);
        assert_eq!(code, CERTIFICATE, "{name}: {errors}");
        assert!(errors.contains("self-signed") || errors.contains("verify"), "{name}: {errors}");
        assert!(
            !home.path().join("klatch").exists(),
            "{name}: nothing is trusted on first use then"
        );
    }
}

#[test]
fn a_server_is_remembered_for_both_clients_and_a_changed_one_refused() {
    let server = TestServer::start();
    let address = server.address.to_string();
    for name in INTERPRETERS {
        let home = tempfile::tempdir().unwrap();
        let known = home.path().join("klatch/known_servers");
        let (code, errors) = klatch(name, &home, &["--server", &address]);
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert!(
            errors.contains("is not known") && errors.contains(&server.fingerprint),
            "{errors}"
        );
        let line = format!("{address} sha256:{}\n", server.fingerprint);
        assert_eq!(fs::read_to_string(&known).unwrap(), line, "{name}");
        let mode = known.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");

        let (code, errors) = klatch(name, &home, &["--server", &address]);
        assert_eq!((code, errors.contains("is not known")), (Some(0), false), "{name}: {errors}");
        // The client in Rust reads the same file.
        let rust = Command::new(env!("CARGO_BIN_EXE_klatch"))
            .args(["--line", "--name", "rust", "--server", &address])
            .env("XDG_STATE_HOME", home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&rust.stderr);
        assert!(rust.status.success() && !errors.contains("is not known"), "{errors}");

        let other = format!("sha256:{}", "00".repeat(32));
        fs::write(&known, format!("# mine\n{address} {other}\n")).unwrap();
        let (code, errors) = klatch(name, &home, &["--server", &address]);
        assert_eq!(code, CERTIFICATE, "{name}: {errors}");
        for part in [&other, &server.fingerprint, "line 2", "Nothing was sent"] {
            assert!(errors.contains(part), "{name}: {errors}");
        }
        // A pin that cannot be read is not passed over.
        fs::write(&known, format!("{address} sha256:12\n")).unwrap();
        assert_eq!(klatch(name, &home, &["--server", &address]).0, CERTIFICATE, "{name}");
    }
}

#[test]
fn a_given_fingerprint_is_all_that_counts() {
    let server = TestServer::start();
    let address = server.address.to_string();
    let wrong = "00".repeat(32);
    for name in INTERPRETERS {
        let home = tempfile::tempdir().unwrap();
        let given =
            |print: &str| klatch(name, &home, &["--server", &address, "--fingerprint", print]);
        assert_eq!(given(&server.fingerprint).0, Some(0), "{name}");
        let (code, errors) = given(&wrong);
        assert_eq!(code, CERTIFICATE, "{name}");
        assert!(errors.contains("which was asked for"), "{name}: {errors}");
        assert_eq!(given("12").0, Some(64), "{name}");
    }
}
