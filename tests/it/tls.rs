//! TLS on the one port: versions, the negotiated protocol, the fingerprint, and who may do without.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use klatch::protocol::ALPN;
use klatch::protocol::codec;
use klatch::protocol::request::Hello;
use openssl::hash::MessageDigest;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};

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
