//! Blocking: who takes no direct messages from whom.

use klatch::protocol::request::{Block, Blocks, Direct, History, Quit, Say, Topic, Typing};
use klatch::protocol::status::Code;

use crate::support::people::{account, again};
use crate::support::{TestClient, TestServer};

fn block(name: &str, on: bool) -> Block {
    Block { name: name.into(), on, timeout_ms: None }
}

fn direct(name: &str) -> Direct {
    Direct { name: name.into(), timeout_ms: None }
}

fn say(room: &str) -> Say {
    Say { room: room.into(), text: "hi".into(), re: None, key: None, timeout_ms: None }
}

fn blocked(client: &mut TestClient) -> Vec<String> {
    let list = client.request(&Blocks { after: None, limit: None, timeout_ms: None }).unwrap();
    list.blocks.0.iter().map(|one| one.name.to_string()).collect()
}

#[test]
fn who_is_blocked_writes_neither_in_a_new_direct_room_nor_in_an_old_one() {
    let server = TestServer::start();
    let (mut ann, mut bob) = (account(&server, "ann"), account(&server, "bob"));
    let room = bob.request(&direct("ann")).unwrap().room;
    bob.say(&room, "buy my things");
    ann.request(&block("bob", true)).unwrap();
    assert_eq!(blocked(&mut ann), ["bob"]);
    let error = bob.request(&say(&room)).unwrap_err();
    assert_eq!(error.code, Code::Denied.number());
    assert!(error.text.contains("ann takes no direct messages"), "{error:?}");
    let typing = Typing { room: (&*room).into(), active: true, timeout_ms: None };
    assert_eq!(bob.refused(&typing), Code::Denied);
    let topic = Topic { room: (&*room).into(), topic: Some("spam".into()), timeout_ms: None };
    assert_eq!(bob.refused(&topic), Code::Denied);
    assert_eq!(bob.refused(&direct("ann")), Code::Denied);
    // Who blocks does not write either: nobody could answer. What was said can be read.
    let error = ann.request(&say(&room)).unwrap_err();
    assert!(error.text.contains("you block"), "{error:?}");
    let history = History {
        room: (&*room).into(),
        before: None,
        after: None,
        around: None,
        at: None,
        limit: None,
        timeout_ms: None,
    };
    assert_eq!(bob.request(&history).unwrap().entries.0.len(), 1);
    // In rooms with others nothing changes.
    bob.say("lobby", "hello, all");

    let (token, server) = (ann.token.clone(), server.restart(&[]));
    let (mut bob, _) = again(&server, "bob", &bob);
    bob.join(&room);
    assert_eq!(bob.refused(&say(&room)), Code::Denied);
    ann = server.connect();
    ann.hello();
    ann.try_login("ann", token).unwrap();
    assert_eq!(blocked(&mut ann), ["bob"]);
    ann.request(&block("bob", false)).unwrap();
    assert_eq!(blocked(&mut ann), [""; 0]);
    bob.say(&room, "sorry");
    bob.request(&direct("ann")).unwrap();
}

#[test]
fn only_accounts_block_and_whom_they_know_but_not_themselves() {
    let server = TestServer::start();
    let mut ann = account(&server, "ann");
    let mut guest = server.login("gast");
    assert_eq!(guest.refused(&block("ann", true)), Code::NoAccount);
    assert_eq!(ann.refused(&block("nobody-here", true)), Code::NotFound);
    assert_eq!(ann.refused(&block("ann", true)), Code::Denied);
    ann.request(&block("gast", true)).unwrap();
    assert_eq!(guest.refused(&direct("ann")), Code::Denied);
    ann.request(&block("gast", false)).unwrap();
    assert_eq!(ann.refused(&block("gast", false)), Code::NotFound);
    guest.request(&direct("ann")).unwrap();

    // A guest who has gone is still listed, and can be lifted from there.
    ann.request(&block("gast", true)).unwrap();
    guest.request(&Quit { timeout_ms: None }).unwrap();
    guest.bye();
    let _another = server.login("gast");
    assert_eq!(blocked(&mut ann), ["gast"]);
    ann.request(&block("gast", false)).unwrap();
    assert_eq!(blocked(&mut ann), [""; 0]);
}
