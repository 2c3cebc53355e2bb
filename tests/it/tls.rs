//! TLS on the one port: versions, the negotiated protocol, the fingerprint, and who may do without.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use klatch::protocol::ALPN;
use klatch::protocol::codec;
use klatch::protocol::request::Hello;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::{X509, X509NameBuilder};

use crate::support::TestServer;

fn handshake(
    server: &TestServer,
    version: SslVersion,
) -> Result<SslStream<TcpStream>, openssl::ssl::HandshakeError<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_security_level(0);
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    let wire = [&[u8::try_from(ALPN.len()).unwrap()], ALPN.as_bytes()].concat();
    builder.set_alpn_protos(&wire).unwrap();
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    builder.build().connect("localhost", stream)
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_nothing_older() {
    let server = TestServer::start();
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let mut stream = handshake(&server, version).unwrap();
        assert_eq!(stream.ssl().selected_alpn_protocol(), Some(ALPN.as_bytes()));
        let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
        stream.write_all(&codec::request(1, &hello)).unwrap();
        let mut header = [0; 4];
        stream.read_exact(&mut header).unwrap();
        assert_eq!(header[..2], [0, 0]);
    }
    for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
        assert!(handshake(&server, version).is_err());
    }
}

#[test]
fn the_printed_fingerprint_is_the_certificate_s() {
    let server = TestServer::start();
    let stream = handshake(&server, SslVersion::TLS1_3).unwrap();
    let digest = stream.ssl().peer_certificate().unwrap().digest(MessageDigest::sha256()).unwrap();
    let hex = klatch::transport::certificate::hex(&digest);
    assert_eq!(hex, server.fingerprint);
    assert!(server.state_dir.path().join("key.pem").is_file());
}

#[test]
fn plain_can_be_switched_off() {
    let server = TestServer::with(&["server.plain=never"]);
    let mut client = server.connect();
    client.send(&Hello { version: 1, version_min: None, client: None, timeout_ms: None });
    assert_eq!(client.bye().code, klatch::protocol::status::Code::TlsRequired.number());
    assert!(handshake(&server, SslVersion::TLS1_3).is_ok());
}

#[test]
fn a_large_history_comes_whole_through_tls_in_small_pieces() {
    // Several records, read a few bytes at a time: the server must go on where it stopped.
    let server = TestServer::start();
    let mut ann = server.login("ann");
    let text = "y".repeat(16_000);
    for _ in 0..20 {
        ann.say("lobby", &text);
    }
    let mut stream = handshake(&server, SslVersion::TLS1_3).unwrap();
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    let login = klatch::protocol::request::Login::guest("bob".into());
    let history = klatch::protocol::request::History {
        room: "lobby".into(),
        before: None,
        after: None,
        around: None,
        at: None,
        limit: None,
        timeout_ms: None,
    };
    stream.write_all(&codec::request(1, &hello)).unwrap();
    stream.write_all(&codec::request(2, &login)).unwrap();
    let mut frames = 0;
    let mut asked = false;
    loop {
        let mut header = [0; 4];
        stream.read_exact(&mut header).unwrap();
        let length = u32::from_be_bytes(header) as usize;
        let mut body = vec![0; length];
        for piece in body.chunks_mut(1_000) {
            stream.read_exact(piece).unwrap();
        }
        frames += 1;
        match codec::decode_incoming(&body).unwrap() {
            codec::Incoming::Event(_) if !asked => {
                asked = true;
                stream.write_all(&codec::request(3, &history)).unwrap();
            }
            codec::Incoming::Response { id: 3, outcome } => {
                let page: klatch::protocol::reply::HistoryPage =
                    codec::result(&outcome.unwrap()).unwrap();
                assert!(page.entries.0.iter().all(|entry| *entry.text == text));
                assert!(page.more && page.entries.0.len() == 3, "as many as fit a frame");
                break;
            }
            _ => assert!(frames < 20, "the history never came"),
        }
    }
}

/// A server with a certificate of the older kind, whose suites are other ones.
fn with_rsa() -> (TestServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut made = X509::builder().unwrap();
    made.set_version(2).unwrap();
    made.set_subject_name(&name).unwrap();
    made.set_issuer_name(&name).unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    made.set_not_after(&Asn1Time::days_from_now(90).unwrap()).unwrap();
    made.sign(&key, MessageDigest::sha256()).unwrap();
    let (certificate, private) = (folder.path().join("rsa.pem"), folder.path().join("rsa-key.pem"));
    std::fs::write(&certificate, made.build().to_pem().unwrap()).unwrap();
    std::fs::write(&private, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&private, mode).unwrap();
    let keys = [
        format!("tls.certificate={}", certificate.display()),
        format!("tls.key={}", private.display()),
        "limits.exempt=127.0.0.0/8".to_owned(),
    ];
    (TestServer::with(&keys.each_ref().map(String::as_str)), folder)
}

/// The suites of TLS 1.2 that a server agrees to, each offered alone.
fn suites(server: &TestServer) -> Vec<String> {
    let known =
        Command::new("openssl").args(["ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]).output();
    let known = String::from_utf8(known.expect("openssl").stdout).unwrap();
    let old: Vec<String> = known
        .trim()
        .split(':')
        .filter(|name| !name.starts_with("TLS_"))
        .map(str::to_owned)
        .collect();
    assert!(old.len() > 60, "there is something to try: {}", old.len());
    old.into_iter()
        .filter(|name| {
            let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
            builder.set_verify(SslVerifyMode::NONE);
            builder.set_security_level(0);
            builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
            builder.set_cipher_list(name).unwrap();
            let stream = TcpStream::connect(server.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            builder.build().connect("localhost", stream).is_ok()
        })
        .collect()
}

#[test]
fn every_suite_that_is_agreed_to_has_forward_secrecy_and_authenticates() {
    let (rsa, _folder) = with_rsa();
    let ecdsa = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    for server in [&ecdsa, &rsa] {
        let agreed = suites(server);
        assert_eq!(agreed.len(), 3, "{agreed:?}");
        for suite in agreed {
            let aead = suite.contains("GCM") || suite.contains("CHACHA20");
            assert!(suite.starts_with("ECDHE-") && aead, "{suite}");
        }
    }
}

#[test]
fn a_handshake_is_not_begun_anew() {
    let server = TestServer::start();
    let mut client = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-connect", &server.address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl");
    // A line with this letter asks for it.
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"R\n").unwrap();
    let said = client.wait_with_output().unwrap();
    drop(input);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("RENEGOTIATING"), "it was asked for: {said}");
    assert!(said.contains("no renegotiation"), "{said}");
}

#[test]
fn keys_are_agreed_on_by_elliptic_curves_only() {
    let server = TestServer::with(&["limits.exempt=127.0.0.0/8"]);
    let agrees = |group: &str| {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_groups_list(group).unwrap();
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        builder.build().connect("localhost", stream).is_ok()
    };
    for (group, spoken) in [
        ("X25519", true),
        ("P-256", true),
        ("P-384", true),
        ("ffdhe2048", false),
        ("ffdhe8192", false),
    ] {
        assert_eq!(agrees(group), spoken, "{group}");
    }
}
