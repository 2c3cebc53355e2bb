//! The dissector: tshark reads a recorded session, and says so when something is no Klatch.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use klatch::base::id::Seq;
use klatch::protocol::codec;
use klatch::protocol::event::Event;
use klatch::protocol::reply::Role;
use klatch::protocol::request::{
    Configure, Create, Delete, Devices, Edit, Hello, History, Invite, Kick, Login, Logout, Members,
    Rank, React, Register, Rooms, Say, Search, Standings, Topic, Typing,
};
use tempfile::TempDir;

use super::process::lua;
use crate::support::{TestClient, TestServer};

const CLIENT_PORT: u16 = 50_000;
const SERVER_PORT: u16 = 50_001;
/// The longest piece of a recorded stream: frames are cut and joined.
const PIECE: usize = 301;

/// Who sent, and what.
type Recording = Arc<Mutex<Vec<(bool, Vec<u8>)>>>;

/// Passes one connection on to the server, and records it.
fn relay(server: SocketAddr) -> (SocketAddr, Recording, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let recording = Recording::default();
    let record = Arc::clone(&recording);
    let thread = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let upstream = TcpStream::connect(server).unwrap();
        let pump = |mut from: TcpStream, mut to: TcpStream, by_client: bool, record: Recording| {
            std::thread::spawn(move || {
                let mut buffer = [0; PIECE];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    record.lock().unwrap().push((by_client, buffer[..count].to_vec()));
                    if to.write_all(&buffer[..count]).is_err() {
                        return;
                    }
                }
                drop(to.shutdown(std::net::Shutdown::Write));
            })
        };
        let forth = pump(
            client.try_clone().unwrap(),
            upstream.try_clone().unwrap(),
            true,
            Arc::clone(&record),
        );
        let back = pump(upstream, client, false, record);
        forth.join().unwrap();
        back.join().unwrap();
    });
    (address, recording, thread)
}

/// A file as tcpdump writes it: IPv4 and TCP around each piece.
fn pcap(path: &Path, pieces: &[(bool, Vec<u8>)]) {
    const RAW_IP: u32 = 101;
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(RAW_IP.to_le_bytes());
    let mut sent = [1_u32, 1];
    for (number, (by_client, bytes)) in pieces.iter().enumerate() {
        let (me, other) = if *by_client { (0, 1) } else { (1, 0) };
        let ports = [CLIENT_PORT, SERVER_PORT];
        let length = 40 + bytes.len();
        file.extend(u32::try_from(number).unwrap().to_le_bytes());
        file.extend(0_u32.to_le_bytes());
        file.extend(u32::try_from(length).unwrap().to_le_bytes());
        file.extend(u32::try_from(length).unwrap().to_le_bytes());
        file.extend([0x45, 0]);
        file.extend(u16::try_from(length).unwrap().to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        for end in [me, other] {
            file.extend([10, 0, 0, u8::try_from(end + 1).unwrap()]);
        }
        file.extend(ports[me].to_be_bytes());
        file.extend(ports[other].to_be_bytes());
        file.extend(sent[me].to_be_bytes());
        file.extend(sent[other].to_be_bytes());
        file.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        file.extend(bytes);
        sent[me] += u32::try_from(bytes.len()).unwrap();
    }
    fs::write(path, file).unwrap();
}

/// What tshark shows of the frames that this filter takes.
fn tshark(
    home: &TempDir,
    pieces: &[(bool, Vec<u8>)],
    filter: &str,
    fields: &[&str],
) -> Vec<String> {
    let path = home.path().join("session.pcap");
    pcap(&path, pieces);
    let script = format!("lua_script:{}", lua("wireshark/klatch.lua").display());
    let mut command = Command::new("tshark");
    command.args(["-X", &script, "-r"]).arg(&path).args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command
        .env("HOME", home.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("tshark: scripts/install-dependencies test");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("Lua"), "{errors}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// A session in the clear, as it went over the wire.
fn session() -> Vec<(bool, Vec<u8>)> {
    let server = TestServer::start();
    let (address, recording, thread) = relay(server.address);
    let mut client = TestClient::connect(address);
    client.hello();
    let refused = client.send(&Login::guest("a b".into()));
    assert!(client.answer(refused).is_err());
    client.login("ann");
    client.say("lobby", "short");
    client.say("lobby", &"long ".repeat(400));
    let id = client.send(&Logout { all: None, timeout_ms: None });
    client.answer(id).expect("answered");
    client.bye();
    drop(client);
    thread.join().unwrap();
    recording.lock().unwrap().clone()
}

/// What came with accounts, rights and messages that change: every kind of request and event.
fn long_session() -> Vec<(bool, Vec<u8>)> {
    let server = TestServer::start();
    let (address, recording, thread) = relay(server.address);
    let mut client = TestClient::connect(address);
    client.hello();
    let (room, timeout_ms) = (klatch::protocol::request::Name::from("lobby"), None);
    let register = Register {
        name: "ann".into(),
        password: "correct horse".into(),
        invite: None,
        device: Some("a laptop".into()),
        timeout_ms,
    };
    client.request(&register).expect("an account");
    let mut bob = server.login("bob");
    let first = client.say("lobby", "what is for lunch?").seq;
    let re = Some(first);
    let say = Say { room: room.clone(), text: "soup".into(), re, key: None, timeout_ms };
    let seq = client.request(&say).expect("answered").seq;
    let text = "good soup".into();
    client.request(&Edit { room: room.clone(), seq, text, key: None, timeout_ms }).expect("edited");
    for on in [true, false] {
        let (room, reaction) = (room.clone(), "+1".into());
        client.request(&React { room, seq, reaction, on, key: None, timeout_ms }).expect("done");
    }
    bob.request(&Typing { room: room.clone(), active: true, timeout_ms }).expect("told");
    client.request(&Delete { room: room.clone(), seq, key: None, timeout_ms }).expect("deleted");
    client
        .request(&Search {
            text: "lunch".into(),
            room: None,
            from: None,
            before: None,
            limit: None,
            timeout_ms,
        })
        .expect("found");
    let page = History {
        room: room.clone(),
        before: None,
        after: None,
        around: Some(Seq(2)),
        at: None,
        limit: None,
        timeout_ms,
    };
    client.request(&page).expect("a page");
    orders(&mut client, &mut bob);
    client.request(&Devices { timeout_ms }).expect("a list");
    client.request(&Rooms { after: None, limit: None, timeout_ms }).expect("a list");
    client.request(&Members { room, after: None, limit: None, timeout_ms }).expect("a list");
    let id = client.send(&Logout { all: None, timeout_ms: None });
    client.answer(id).expect("answered");
    client.bye();
    drop(client);
    thread.join().unwrap();
    recording.lock().unwrap().clone()
}

/// Keeps a private room in order.
fn orders(owner: &mut TestClient, guest: &mut TestClient) {
    let (room, name) = (klatch::protocol::request::Name::from("den"), || "bob".into());
    let timeout_ms = None;
    let create =
        Create { room: room.clone(), topic: Some("Plans".into()), private: Some(true), timeout_ms };
    owner.request(&create).expect("made");
    owner.request(&Invite { room: room.clone(), name: name(), timeout_ms }).expect("invited");
    guest.join("den");
    let role = Role::Moderator;
    owner.request(&Rank { room: room.clone(), name: name(), role, timeout_ms }).expect("ranked");
    owner
        .request(&Configure {
            announcement: Some(true),
            slow_ms: Some(1_000),
            ..Configure::of(room.clone())
        })
        .expect("set");
    owner
        .request(&Standings { room: room.clone(), after: None, limit: None, timeout_ms })
        .expect("a list");
    owner
        .request(&Topic { room: room.clone(), topic: Some("None".into()), timeout_ms })
        .expect("set");
    let text = Some("enough".into());
    owner.request(&Kick { room, name: name(), text, timeout_ms }).expect("out");
    guest.expect(|event| matches!(event, Event::Removed(_)).then_some(()));
}

#[test]
fn tshark_reads_accounts_orders_and_changes() {
    let home = tempfile::tempdir().unwrap();
    let pieces = long_session();
    let bad = "klatch.malformed || _ws.malformed || _ws.lua.error";
    let complaints = tshark(&home, &pieces, bad, &["frame.number"]);
    assert!(complaints.is_empty(), "{complaints:?}");
    let column = |field: &str| -> BTreeSet<String> {
        let lines = tshark(&home, &pieces, field, &[field]);
        lines.iter().flat_map(|line| line.split(',').map(str::to_owned)).collect()
    };
    let methods = column("klatch.method");
    for method in [
        "register",
        "say",
        "edit",
        "react",
        "delete",
        "search",
        "history",
        "create",
        "invite",
        "rank",
        "configure",
        "standings",
        "topic",
        "kick",
        "devices",
        "rooms",
        "members",
    ] {
        assert!(methods.contains(method), "{method} is not in {methods:?}");
    }
    let events = column("klatch.event");
    for event in [
        "room",
        "message",
        "edit",
        "react",
        "unreact",
        "delete",
        "typing",
        "ranked",
        "configured",
        "topic",
        "joined",
        "left",
        "bye",
    ] {
        assert!(events.contains(event), "{event} is not in {events:?}");
    }
    let edits = tshark(&home, &pieces, "klatch.event == \"edit\"", &["klatch.re", "klatch.text"]);
    assert!(edits.join("\n").contains("2\tgood soup"), "{edits:?}");
    // Answers are put to what was asked: the place of each is there, by its name.
    let found = "klatch.method == \"search\" && klatch.kind == 1";
    let hits = tshark(&home, &pieces, found, &["klatch.text", "klatch.from"]).join("\n");
    assert!(hits.contains("what is for lunch?\tann"), "{hits:?}");
}

#[test]
fn tshark_reads_a_recorded_session() {
    let home = tempfile::tempdir().unwrap();
    let pieces = session();
    assert!(pieces.len() > 10, "cut into pieces");
    let bad = "klatch.malformed || _ws.malformed || _ws.lua.error";
    let complaints = tshark(&home, &pieces, bad, &["frame.number"]);
    assert!(complaints.is_empty(), "{complaints:?}");
    let column = |field: &str| -> Vec<String> {
        let lines = tshark(&home, &pieces, field, &[field]);
        lines.iter().flat_map(|line| line.split(',').map(str::to_owned)).collect()
    };
    let methods = column("klatch.method");
    for method in ["hello", "login", "say", "logout"] {
        assert!(methods.iter().filter(|found| *found == method).count() >= 2, "{methods:?}");
    }
    let events = column("klatch.event");
    for event in ["room", "message", "bye"] {
        assert!(events.iter().any(|found| found == event), "{events:?}");
    }
    let refused = tshark(&home, &pieces, "klatch.code == 210", &["klatch.name", "klatch.method"]);
    assert_eq!(refused, ["name_invalid\tlogin"]);
    let texts = tshark(&home, &pieces, "klatch.event == \"message\"", &["klatch.text"]).join(",");
    assert!(texts.contains("short") && texts.contains(&"long ".repeat(400)), "{texts}");
    let epochs = column("klatch.epoch");
    assert!(epochs.iter().all(|epoch| epoch.parse::<u64>().is_ok()), "{epochs:?}");
}

#[test]
fn tshark_says_what_is_no_klatch() {
    let home = tempfile::tempdir().unwrap();
    let hello = Hello { version: 1, version_min: None, client: None, timeout_ms: None };
    let good = codec::request(1, &hello).to_vec();
    let deep = [&[0, 0, 0, 10][..], &[0x91; 9], &[0xc0]].concat();
    let twice = b"\0\0\0\x0c\x93\x02\xa1x\x91\x82\xa1a\x01\xa1a\x02".to_vec();
    for bad in [deep, twice, b"\0\0\0\x03\x93\x02\xc0".to_vec()] {
        let pieces = [(true, good.clone()), (false, bad.clone())];
        let found = tshark(&home, &pieces, "klatch.malformed", &["frame.number"]);
        assert_eq!(found, ["2"], "{bad:x?}");
        let errors = tshark(&home, &pieces, "_ws.lua.error", &["frame.number"]);
        assert!(errors.is_empty(), "{bad:x?}");
    }
}
