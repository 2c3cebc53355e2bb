//! Messages after they were said: answers, edits, deletions, reactions; on both stores.

use klatch::base::id::{Key, Seq};
use klatch::base::limits::{REACTION_KINDS, REACTION_NAMES, TEXT_BYTES};
use klatch::protocol::event::Event;
use klatch::protocol::reply::{Entry, EntryKind, Said};
use klatch::protocol::request::{Delete, Edit, React, Say};
use klatch::protocol::status::{Code, ErrorBody};

use crate::support::client::{code_of, now, say};
use crate::support::{TestClient, TestServer, open_limits};

const STORES: [&str; 2] = ["store.engine=memory", "store.engine=sqlite"];

/// Servers with each of the stores, and limits that nobody meets.
fn servers() -> impl Iterator<Item = TestServer> {
    STORES.into_iter().map(|store| {
        let mut keys = open_limits();
        keys.extend([store, "history.messages_per_room=5000", "history.bytes_per_room=8388608"]);
        TestServer::with(&keys)
    })
}

fn edit(seq: Seq, text: &str, key: Option<Key>) -> Edit {
    Edit { room: "lobby".into(), seq, text: text.into(), key, timeout_ms: None }
}

fn delete(seq: Seq, key: Option<Key>) -> Delete {
    Delete { room: "lobby".into(), seq, key, timeout_ms: None }
}

fn react(seq: Seq, reaction: &str, on: bool) -> React {
    let (room, reaction) = ("lobby".into(), reaction.into());
    React { room, seq, reaction, on, key: None, timeout_ms: None }
}

fn answer(re: Seq, text: &str) -> Say {
    Say { re: Some(re), ..say("lobby", text, None) }
}

/// The next stored event, with its seq.
fn stored(client: &mut TestClient) -> Event {
    client.expect(|event| event.place().map(|_| event.clone()))
}

fn entry(client: &mut TestClient, seq: Seq) -> Entry {
    let all = client.whole_history("lobby");
    all.into_iter().find(|entry| entry.seq == seq).expect("the entry")
}

/// The reactions of an entry, as text: `+1=2:ann,bob`.
fn reactions(entry: &Entry) -> Vec<String> {
    let reactions = entry.reactions.iter().flat_map(|page| &page.0);
    let shown = reactions.map(|reaction| {
        format!("{}={}:{}", reaction.text, reaction.count, reaction.names.0.join(","))
    });
    shown.collect()
}

/// Says so much that what was said before is known to storage only.
fn bury(client: &mut TestClient) {
    let ids: Vec<_> = (0..200).map(|n| client.send(&say("lobby", &n.to_string(), None))).collect();
    for id in ids {
        client.answer(id).unwrap();
    }
}

#[test]
fn a_change_is_an_entry_that_all_members_see_and_history_shows_both() {
    for server in servers() {
        let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
        let first = ann.say("lobby", "frist").seq;
        let second = bob.request(&answer(first, "you mean first")).unwrap().seq;
        let third = ann.request(&edit(first, "first", None)).unwrap();
        ann.request(&react(second, "👍", true)).unwrap();
        ann.request(&react(second, "👍", false)).unwrap();
        bob.request(&delete(second, None)).unwrap();
        assert_eq!((third.seq, third.dup), (Seq(3), false));

        let Event::Message(message) = stored(&mut bob) else { panic!("the message") };
        assert_eq!((message.seq, message.re), (first, None));
        let Event::Message(message) = stored(&mut bob) else { panic!("the answer") };
        assert_eq!((message.seq, message.re), (second, Some(first)));
        let Event::Edit(edited) = stored(&mut bob) else { panic!("the edit") };
        assert_eq!((&*edited.from, edited.re, &*edited.text), ("ann", first, "first"));
        let Event::React(reacted) = stored(&mut bob) else { panic!("the reaction") };
        assert_eq!((&*reacted.from, reacted.re, &*reacted.text), ("ann", second, "👍"));
        let Event::Unreact(gone) = stored(&mut bob) else { panic!("the end of it") };
        assert_eq!((gone.seq, gone.re, &*gone.text), (Seq(5), second, "👍"));
        let Event::Delete(gone) = stored(&mut bob) else { panic!("the end of the answer") };
        assert_eq!((gone.seq, &*gone.from, gone.re), (Seq(6), "bob", second));

        let all = ann.whole_history("lobby");
        let kinds: Vec<_> = all.iter().map(|entry| entry.kind).collect();
        let expected = [
            EntryKind::Message,
            EntryKind::Message,
            EntryKind::Edit,
            EntryKind::React,
            EntryKind::Unreact,
            EntryKind::Delete,
        ];
        assert_eq!(kinds, expected);
        let [said, reply, edit, ..] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((&*said.text, said.edited, said.deleted), ("first", Some(edit.time), None));
        assert_eq!((&*reply.text, reply.re, reply.edited), ("", Some(first), None));
        assert_eq!(reply.deleted, Some(all[5].time));
        assert_eq!(all[5].re, Some(second));
    }
}

#[test]
fn what_may_not_be_changed_is_refused_and_nothing_happens() {
    for server in servers() {
        let (mut ann, mut bob) = (server.login("ann"), server.login("bob"));
        let said = ann.say("lobby", "mine").seq;
        let topic = klatch::protocol::request::Topic {
            room: "lobby".into(),
            topic: Some("news".into()),
            timeout_ms: None,
        };
        let topic = ann.request(&topic).unwrap().seq.expect("a seq");
        let deleted = ann.say("lobby", "gone").seq;
        ann.request(&delete(deleted, None)).unwrap();
        bury(&mut ann);
        let head = ann.whole_history("lobby").len();
        // Both of what the room knows and of what it has to look up.
        let fresh = ann.say("lobby", "fresh").seq;
        for seq in [said, fresh] {
            assert_eq!(bob.refused(&edit(seq, "yours", None)), Code::Denied);
            assert_eq!(bob.refused(&delete(seq, None)), Code::Denied);
        }
        for seq in [Seq(0), topic, deleted, Seq(9_999), Seq(u64::MAX)] {
            assert_eq!(ann.refused(&edit(seq, "x", None)), Code::NotFound, "{seq:?}");
            assert_eq!(ann.refused(&delete(seq, None)), Code::NotFound);
            assert_eq!(ann.refused(&react(seq, "+1", true)), Code::NotFound);
            assert_eq!(ann.refused(&answer(seq, "x")), Code::NotFound);
        }
        let elsewhere = React { room: "nowhere".into(), ..react(said, "+1", true) };
        assert_eq!(bob.refused(&elsewhere), Code::NotFound);
        ann.create("ops");
        ann.say("ops", "not yours");
        let stranger = React { room: "ops".into(), ..react(Seq(1), "+1", true) };
        assert_eq!(bob.refused(&stranger), Code::NotMember);
        for empty in ["", "two\nlines", &"x".repeat(65)] {
            let code = bob.refused(&react(said, empty, true));
            assert!(matches!(code, Code::BadParams | Code::TooLarge), "{code:?}");
        }
        assert_eq!(ann.whole_history("lobby").len(), head + 1);
        assert_eq!(&*entry(&mut ann, said).text, "mine");
    }
}

#[test]
fn a_repeated_change_is_done_once() {
    for server in servers() {
        let mut ann = server.login("ann");
        let said = ann.say("lobby", "a").seq;
        let key = || Some(Key::made_at(now()));
        let first = edit(said, "b", key());
        let done = ann.request(&first).unwrap();
        let again = ann.request(&first).unwrap();
        assert_eq!(again, Said { dup: true, ..done });
        // The key is for this text, this message and this method.
        assert_eq!(ann.refused(&edit(said, "c", first.key)), Code::KeyConflict);
        assert_eq!(ann.refused(&delete(said, first.key)), Code::KeyConflict);
        assert_eq!(ann.refused(&say("lobby", "b", first.key)), Code::KeyConflict);
        let last = React { key: key(), ..react(said, "+1", true) };
        let done = ann.request(&last).unwrap();
        assert_eq!(ann.request(&last).unwrap(), Said { dup: true, ..done });
        let gone = delete(said, key());
        let done = ann.request(&gone).unwrap();
        assert_eq!(ann.request(&gone).unwrap(), Said { dup: true, ..done });
        // Also that which was done to it before.
        assert!(ann.request(&first).unwrap().dup);
        assert!(ann.request(&last).unwrap().dup);
        assert_eq!(ann.whole_history("lobby").len(), 4);
    }
}

#[test]
fn a_retry_after_a_restart_says_nothing_again_though_the_text_is_another() {
    let server = TestServer::with(&open_limits());
    let mut ann = server.login("ann");
    let keys: Vec<_> = (0..3).map(|_| Some(Key::made_at(now()))).collect();
    let edited = ann.request(&say("lobby", "a", keys[0])).unwrap();
    let deleted = ann.request(&say("lobby", "b", keys[1])).unwrap();
    ann.request(&edit(edited.seq, "c", None)).unwrap();
    let edit_of_deleted = ann.request(&edit(deleted.seq, "d", keys[2])).unwrap();
    ann.request(&delete(deleted.seq, None)).unwrap();
    let check = |ann: &mut TestClient| {
        let again = ann.request(&say("lobby", "a", keys[0])).unwrap();
        assert_eq!(again, Said { dup: true, ..edited });
        let again = ann.request(&say("lobby", "b", keys[1])).unwrap();
        assert_eq!(again, Said { dup: true, ..deleted });
        let again = ann.request(&edit(deleted.seq, "d", keys[2])).unwrap();
        assert_eq!(again, Said { dup: true, ..edit_of_deleted });
        assert_eq!(ann.refused(&delete(edited.seq, keys[0])), Code::KeyConflict);
    };
    check(&mut ann);
    drop(ann);
    let server = server.restart(&open_limits());
    let mut ann = server.login("ann");
    check(&mut ann);
    // And when the room has forgotten the keys, and storage is asked.
    let ids: Vec<_> = (0..1_500)
        .map(|n| ann.send(&say("lobby", &n.to_string(), Some(Key::made_at(now())))))
        .collect();
    for id in ids {
        ann.answer(id).unwrap();
    }
    check(&mut ann);
}

#[test]
fn nothing_of_a_deleted_message_can_be_read_again() {
    let server = TestServer::with(&open_limits());
    let mut ann = server.login("ann");
    let words = ["zanzibar", "quixotic", &"lengthy".repeat(1_500)];
    let said = ann.say("lobby", words[0]).seq;
    ann.request(&edit(said, words[1], None)).unwrap();
    ann.request(&edit(said, words[2], None)).unwrap();
    ann.request(&react(said, "+1", true)).unwrap();
    bury(&mut ann);
    ann.request(&delete(said, None)).unwrap();
    for entry in ann.whole_history("lobby") {
        assert!(!words.contains(&&*entry.text), "{entry:?}");
        assert!(entry.reactions.is_none(), "{entry:?}");
        let of_it = entry.seq == said || (entry.kind == EntryKind::Edit && entry.re == Some(said));
        assert_eq!(entry.deleted.is_some(), of_it, "{entry:?}");
    }
    drop(ann);
    // Nor from the file, once the log has gone into it.
    let server = server.restart(&[]);
    let file = std::fs::read(server.state_dir.path().join("klatch.db")).unwrap();
    for word in [words[0], words[1], "lengthylengthy"] {
        let bytes = word.as_bytes();
        assert!(!file.windows(bytes.len()).any(|window| window == bytes), "{word}");
    }
}

#[test]
fn a_reaction_is_one_for_each_account_message_and_text() {
    for server in servers() {
        let mut ann = server.login("ann");
        let mut bob = server.login("bob");
        let said = ann.say("lobby", "hello").seq;
        bury(&mut bob);
        let first = bob.request(&react(said, "👍", true)).unwrap();
        assert!(!first.dup);
        let again = bob.request(&react(said, "👍", true)).unwrap();
        assert_eq!((again.dup, again.seq), (true, said), "nothing is done twice");
        assert!(!ann.request(&react(said, "👍", true)).unwrap().dup);
        assert!(!ann.request(&react(said, "🎉", true)).unwrap().dup);
        assert!(ann.request(&react(said, "🙈", false)).unwrap().dup, "it is not there");
        assert_eq!(reactions(&entry(&mut ann, said)), ["👍=2:bob,ann", "🎉=1:ann"]);
        assert!(!bob.request(&react(said, "👍", false)).unwrap().dup);
        bury(&mut bob);
        assert!(bob.request(&react(said, "👍", false)).unwrap().dup);
        assert_eq!(reactions(&entry(&mut ann, said)), ["👍=1:ann", "🎉=1:ann"]);
    }
}

#[test]
fn reactions_of_many_are_bounded_in_kinds_and_names_and_fit_a_page() {
    for server in servers() {
        let mut people: Vec<_> =
            (0..12).map(|n| server.login(&format!("p{n}-{}", "n".repeat(20)))).collect();
        let said: Vec<_> =
            (0..4).map(|_| people[0].say("lobby", &"é".repeat(TEXT_BYTES / 2)).seq).collect();
        let kind = |n: usize| format!("{n:03}{}", "👍".repeat(15));
        for seq in &said {
            for person in &mut people {
                let ids: Vec<_> = (0..REACTION_KINDS)
                    .map(|n| person.send(&react(*seq, &kind(n), true)))
                    .collect();
                for id in ids {
                    person.answer(id).unwrap();
                }
            }
            let one_more: ErrorBody = people[0].request(&react(*seq, &kind(99), true)).unwrap_err();
            assert_eq!(code_of(&one_more), Code::Quota);
            assert_eq!(one_more.limit.as_deref(), Some("reaction_kinds"));
        }
        let mut reader = server.login("reader");
        let all = reader.whole_history("lobby");
        assert_eq!(all.len(), 4 + 4 * 12 * REACTION_KINDS);
        let shown = all[0].reactions.as_ref().unwrap();
        assert_eq!(shown.0.len(), REACTION_KINDS);
        assert!(shown.0.iter().all(|one| (one.count, one.names.0.len()) == (12, REACTION_NAMES)));
    }
}

#[test]
fn what_is_asked_for_at_once_is_done_in_order() {
    for server in servers() {
        let mut ann = server.login("ann");
        let head = ann.say("lobby", "first").seq;
        // None waits for the answer, so most are done before anything is committed.
        let mut ids = Vec::new();
        for n in 0..20_u64 {
            let seq = Seq(head.0 + 1 + n * 4);
            ids.push(ann.send(&say("lobby", "x", None)));
            ids.push(ann.send(&react(seq, "+1", true)));
            ids.push(ann.send(&edit(seq, "y", None)));
            ids.push(ann.send(&react(seq, "+1", false)));
        }
        for id in ids {
            ann.answer(id).unwrap();
        }
        let all = ann.whole_history("lobby");
        assert_eq!(all.len(), 81);
        let messages: Vec<_> = all.iter().filter(|e| e.kind == EntryKind::Message).collect();
        assert_eq!(messages.len(), 21);
        assert!(messages[1..].iter().all(|e| &*e.text == "y" && e.reactions.is_none()));
    }
}

#[test]
fn a_change_survives_a_restart_and_old_messages_can_be_reacted_to() {
    let server = TestServer::with(&open_limits());
    let mut ann = server.login("ann");
    let said = ann.say("lobby", "a").seq;
    ann.request(&edit(said, "b", None)).unwrap();
    ann.request(&react(said, "+1", true)).unwrap();
    let before = ann.whole_history("lobby");
    drop(ann);
    let server = server.restart(&open_limits());
    let (_ann, mut bob) = (server.login("ann"), server.login("bob"));
    assert_eq!(bob.whole_history("lobby"), before);
    bob.request(&react(said, "+1", true)).unwrap();
    bob.request(&answer(said, "indeed")).unwrap();
    assert_eq!(reactions(&entry(&mut bob, said)), ["+1=2:ann,bob"]);
}
