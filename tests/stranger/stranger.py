#!/usr/bin/env python3
"""Checks a Klatch server as a stranger sees it, who knows docs/PROTOCOL.md and nothing else.

    python3 stranger.py HOST PORT FINGERPRINT_SHA256_HEX

HOST must be a loopback address, since the checks use plain TCP as well as TLS. Python 3.8 or newer
and the package msgpack are needed. Every name is new in each run, so a server may be checked again.
"""
import random
import secrets
import struct
import sys
import time

from msgpack import packb, unpackb

sys.dont_write_bytecode = True
from client import Client, Ended  # noqa: E402

CODES = {
    "logout": 0, "bad_frame": 100, "frame_too_large": 101, "too_deep": 102, "bad_params": 103,
    "unexpected": 104, "version": 105, "unknown_method": 106, "auth_required": 201, "replaced": 206,
    "name_invalid": 210, "name_reserved": 211, "name_taken": 212, "not_member": 301,
    "not_found": 303, "key_conflict": 304, "exists": 306, "too_large": 403, "deadline": 405, "flood": 415,
}
HOST, PORT, PIN, prefix, results = "", 0, "", "", []


def check(label, ok, seen=""):
    results.append(bool(ok))
    print(f"{'ok  ' if ok else 'FAIL'} {prefix}{label}" + ("" if ok else f" -- saw {str(seen)[:300]}"))


def connect(tls, first):
    """A connection, and what `first(client)` gave. Whoever connects too fast waits as it is told."""
    for _ in range(8):
        client = Client(HOST, PORT, PIN if tls else None)
        try:
            return client, first(client)
        except (Ended, ConnectionError) as error:
            client.close()
            if getattr(error, "bye", {}).get("name", "too_many_connections") != "too_many_connections":
                raise
            wait = getattr(error, "bye", {}).get("retry_after_ms", 1000) / 1000
            time.sleep(wait + random.uniform(0, wait))
    raise Ended()


def greet(tls):
    return connect(tls, lambda client: client.call("hello", version=1, client="stranger"))[0]


def login(tls, name, **more):
    client = greet(tls)
    client.me = client.call("login", name=name, **more)
    for room in client.me["rooms"]:
        client.event("room", room=room)
    return client


def listed(session):
    """The names of all rooms, by pages of two."""
    names, more = [], True
    while more:
        page = session.call("rooms", limit=2, after=names[-1] if names else None)
        names, more = names + [info["room"] for info in page["rooms"]], page["more"]
    return names


def padded(size):
    """A ping (id 99) with a body of so many bytes, by a field that the server does not know."""
    return packb([0, 99, "ping", [{"x": bytes(size - 15)}]])


def refused(label, session, codes, method, /, **params):
    """The request is refused with one of the codes, and the session goes on."""
    error, result = session.ask(method, **params)
    error = error or {"name": ""}
    ok = (error["name"] in codes.split() and error["code"] == CODES[error["name"]]
          and error["applied"] == "no" and isinstance(error["text"], str) and error["text"])
    if ok and error["name"] == "too_large":
        ok = "limit" in error and error["used"] > error["allowed"]
    goes_on = session.ask("ping")[0] is None
    check(f"refused: {method}, {label}: {codes.replace(' ', ' or ')}", ok and goes_on, result or error)
    return error


def ended(label, session, code):
    """The session ends with `bye` of that code, and the connection with it."""
    bye, closed = session.end()
    ok = (closed and bye.get("name") == code and bye["code"] == CODES[code]
          and isinstance(bye["text"], str) and isinstance(bye["resume"], bool))
    check(f"ended: {label}: {code}", ok, bye)
    session.close()


def before_a_name(tls, tag):
    client, pong = connect(tls, lambda client: client.call("ping"))
    check("ping is answered before hello", "time" in pong, pong)
    if tls:
        check("TLS 1.2 or 1.3", client.sock.version() in ("TLSv1.2", "TLSv1.3"), client.sock.version())
        check("ALPN klatch/1", client.sock.selected_alpn_protocol() == "klatch/1")
    refused("before hello", client, "unexpected", "login", name="x" + tag)
    refused("before hello", client, "auth_required unexpected", "say", room="lobby", text="x")
    refused("no version", client, "bad_params", "hello")
    refused("version a text", client, "bad_params", "hello", version="1")
    refused("version of 17 bits", client, "bad_params", "hello", version=65536)
    refused("client too long", client, "too_large", "hello", version=1, client="x" * 129)
    refused("client of two lines", client, "bad_params", "hello", version=1, client="a\nb")
    welcome = client.call("hello", version=9, version_min=1, client="x" * 128, unknown=[{"a": None}])
    check("hello: the highest version that both speak", welcome["version"] == 1, welcome)
    check("hello: durability", welcome["durability"] in ("memory", "durable"), welcome)
    limits = welcome["limits"]
    check("hello: limits", len(limits) >= 19 and limits["frame_bytes_before_login"] <= 4096, limits)
    refused("twice", client, "unexpected", "hello", version=1)
    for method, params in (("say", {"room": "lobby", "text": "x"}), ("rooms", {}),
                           ("join", {"room": "lobby"}), ("direct", {"name": "x"})):
        refused("before login", client, "auth_required", method, **params)
    client.body(padded(4096))
    check("a body of 4096 bytes before a name", client.answer(99)[0] is None)
    for high, low in ((0, 0), (9, 2)):
        other, (error, _) = connect(tls, lambda client: client.ask("hello", version=high, version_min=low))
        check(f"versions {low} to {high} are refused", error and error["code"] == CODES["version"], error)
        ended("no common version", other, "version")
    check("logout without a name", client.call("logout") == {})
    ended("logout", client, "logout")


def names(tls, tag):
    paul, client = login(tls, "Paul" + tag), greet(tls)
    check("login: the name keeps its case", paul.me["name"] == "Paul" + tag, paul.me)
    check("login: a token of 32 bytes", type(paul.me["token"]) is bytes and len(paul.me["token"]) == 32)
    check("login: put into a default room", "lobby" in paul.me["rooms"], paul.me)
    for label, name, codes in (
            ("empty", "", "name_invalid"), ("a blank", "a b", "name_invalid"), ("- first", "-a", "name_invalid"),
            (". last", "a.", "name_invalid"), ("!", "a!b", "name_invalid"), ("33 characters", "a" * 33, "name_invalid"),
            ("two scripts", "p\u0430ul", "name_invalid"), ("5 marks", "a" + "\u0323" * 5, "name_invalid"),
            ("bidi control", "a\u202eb", "name_invalid"), ("a control", "a\tb", "name_invalid bad_params"),
            ("65 bytes", "a" * 65, "too_large"), ("bin", b"abc", "bad_params"), ("nil", None, "bad_params"),
            ("admin", "admin", "name_reserved"), ("Everyone", "Everyone", "name_reserved"),
            ("held", "Paul" + tag, "name_taken"), ("held, like pau1", "PAU1" + tag.upper(), "name_taken")):
        error = refused(label, client, codes, "login", name=name)
    refused("token of 31 bytes", client, "bad_params", "login", name="x" + tag, token=bytes(31))
    refused("held, and a wrong token", client, "name_taken", "login", name="Paul" + tag, token=bytes(32))
    result = client.call("login", name=error["suggestion"])
    check("login with the suggested name", result["name"] == error["suggestion"], result)
    refused("twice", client, "unexpected", "login", name="x" + tag)
    for room, codes in (("a b", "name_invalid"), ("", "name_invalid"), ("x" * 33, "name_invalid"),
                        ("x" * 65, "too_large"), ("everyone", "name_reserved"), ("a\nb", "name_invalid bad_params")):
        refused(f"{room[:9]!r}, {len(room)} bytes", client, codes, "create", room=room)
    wide = login(tls, "\uff37\uff49de" + tag)
    check("full width becomes ordinary width", wide.me["name"] == "Wide" + tag, wide.me)
    for session in (paul, client, wide):
        session.close()


def rooms(tls, tag):
    a, b = login(tls, "Ann-" + tag), login(tls, "Bob-" + tag)
    ann, bob, room = a.me["name"], b.me["name"], "tea-" + tag
    state = a.call("create", room="Tea-" + tag.upper(), topic="green")
    check("create: the name in lower case", state["room"] == room and state["kind"] == "public", state)
    topic = a.event("topic", room=room)["text"] if state["seq"] == 0 else state["topic"]
    check("create: the topic is in the state or follows", topic == "green", topic)
    refused("as no member", b, "not_member", "say", room=room, text="x")
    refused("as no member", b, "not_member", "history", room=room)
    refused("as no member", b, "not_member", "members", room=room)
    refused("one that exists", b, "exists", "create", room="TEA-" + tag)
    refused("one that is not", b, "not_found", "join", room="no-" + tag)
    check("join", b.call("join", room="TEA-" + tag)["members"] == 2)
    joined = a.event("joined", room=room)
    check("joined is told to the other", joined["names"] == [bob] and joined["members"] == 2, joined)
    again = b.call("join", room=room)
    check("join twice: the same state", again["epoch"] == state["epoch"] and again["topic"] == "green", again)
    found = a.call("members", room=room, limit=1)["members"]
    found += a.call("members", room=room, after=found[0]["id"])["members"]
    check("members, by pages, in the order of login", [m["name"] for m in found] == [ann, bob], found)
    check("topic is read", a.call("topic", room=room)["topic"] == "green")
    changed = b.call("topic", room=room, topic="black")
    told = [session.event("topic", room=room, seq=changed["seq"]) for session in (a, b)]
    check("topic is set, and all are told", all((t["text"], t["from"]) == ("black", bob) for t in told), told)
    b.call("topic", room=room, topic="")
    check("topic is cleared", a.call("topic", room=room)["topic"] == "")
    check("typing is acknowledged", a.call("typing", room=room, active=True) == {})
    typing = b.event("typing", room=room)
    check("typing is told", typing["from"] == ann and typing["active"] is True, typing)
    a.call("typing", room=room, active=True)
    b.event("message", room=room, seq=a.call("say", room=room, text="typed")["seq"])
    check("typing again at once is not passed on", "typing" not in [name for name, _ in b.events], b.events)

    direct = a.call("direct", name=bob.upper())
    check("direct: kind and other one", (direct["kind"], direct["with"]) == ("direct", bob), direct)
    check("direct: its name", direct["room"][0] == "@" and int(direct["room"][1:], 16) < 1 << 64, direct)
    check("direct: both are members at once", direct["members"] == 2, direct)
    told = b.event("room", room=direct["room"])
    check("direct: the other is told", told["with"] == ann and told["members"] == 2, told)
    check("direct: found from the other side", b.call("direct", name=ann)["room"] == direct["room"])
    said = a.call("say", room=direct["room"], text="psst")
    check("direct: talk", b.event("message", room=direct["room"])["seq"] == said["seq"] == 1)
    c = login(tls, "Cleo-" + tag)
    refused("a direct room of others", c, "not_found", "join", room=direct["room"])
    refused("with nobody", a, "not_found", "direct", name="no-" + tag)
    for session, own in ((a, True), (c, False)):
        found = listed(session)
        check(f"rooms, by pages: the direct room is {'' if own else 'not '}listed", room in found
              and len(set(found)) == len(found) and (direct["room"] in found) == own, found)

    check("leave", b.call("leave", room=room) == {})
    gone = a.event("left", room=room)
    check("left is told", gone["gone"] == [{"name": bob, "reason": "left"}] and gone["members"] == 1, gone)
    refused("twice", b, "not_member", "leave", room=room)
    refused("after leaving", b, "not_member", "typing", room=room, active=True)
    c.call("join", room=room)
    waiting, answers = [c.send("say", room=room, text=f"{n}") for n in range(3)] + [c.send("logout")], []
    while waiting[-1] not in answers:
        answers.append((c.read() or [None])[0])
    check("logout is answered after all earlier requests", set(waiting) <= set(answers), answers)
    ended("logout", c, "logout")
    gone = a.event("left", room=room)["gone"]
    check("left with the reason logout", gone == [{"name": "Cleo-" + tag, "reason": "logout"}], gone)
    c = login(tls, "Cleo-" + tag)
    check("the name is free after logout", c.me["name"] == "Cleo-" + tag)
    for session in (a, b, c):
        session.close()


def messages(tls, tag):
    a, b, room = login(tls, "Dora-" + tag), login(tls, "Emil-" + tag), "milk-" + tag
    a.call("create", room=room)
    b.call("join", room=room)
    key, text = secrets.token_bytes(16), "Grüße\n\tan alle \u202e"
    said = a.call("say", room=room, text=text, key=key)
    told = [session.event("message", room=room, seq=said["seq"]) for session in (a, b)]
    check("say: acknowledged, and told to both", not said["dup"] and told[0] == told[1]
          and (told[0]["text"], told[0]["from"], told[0]["time"]) == (text, "Dora-" + tag, said["time"]), told)
    again = a.call("say", room=room, text=text, key=key)
    check("the same key: dup, the same seq and time", again == {**said, "dup": True}, again)
    refused("the same key, another text", a, "key_conflict", "say", room=room, text="x", key=key)
    check("the same key in another room is another key",
          a.call("say", room="lobby", text=text, key=key)["dup"] is False)
    other = b.call("say", room=room, text=text, key=key)
    check("the same key of another account", not other["dup"] and other["seq"] == 2, other)
    waiting = [a.send("say", room=room, text=f"{n}") for n in range(3, 43)]
    found = {}
    while len(found) < 40:  # responses may come in any order
        number, _, result = a.read() or (None, None, None)
        found.update({number: result["seq"]} if result else {})
    check("40 requests at once keep their order", [found[number] for number in waiting] == list(range(3, 43)), found)
    told = [b.event("message", room=room, **{"from": "Dora-" + tag}) for _ in waiting]
    check("all are told in order", [(e["seq"], e["text"]) for e in told] == [(n, f"{n}") for n in range(3, 43)], told)
    check("a text of 16384 bytes", b.call("say", room=room, text="x" * 16384)["seq"] == 43)
    back, page = [], {"more": True}
    while page["more"]:
        page = b.call("history", room=room, limit=7, **({"before": back[0]["seq"]} if back else {}))
        back = page["entries"] + back
    check("history backwards: all, without gaps", [e["seq"] for e in back] == list(range(1, 44))
          and (page["first"], page["head"]) == (1, 43), page)
    forth = b.call("history", room=room, after=0, limit=1)["entries"]
    while page["head"] > forth[-1]["seq"]:
        page = b.call("history", room=room, limit=7, after=forth[-1]["seq"])
        forth += page["entries"]
    check("history forwards: the same", forth == back and not page["more"])
    page = b.call("history", room=room, after=3, before=9, limit=2)
    check("history between two", [e["seq"] for e in page["entries"]] == [4, 5] and page["more"], page)
    page = b.call("history", room=room, after=43)
    check("history after the newest: nothing", not page["entries"] and not page["more"], page)
    key = secrets.token_bytes(16)
    refused("timeout_ms 0", a, "deadline", "say", room=room, text="late", key=key, timeout_ms=0)
    refused("timeout_ms 0", a, "deadline", "history", room=room, timeout_ms=0)
    late = a.call("say", room=room, text="late", key=key, timeout_ms=None)
    check("what was too late was not said", (late["seq"], late["dup"]) == (44, False), late)
    a.close()
    b.close()


def parameters(tls, tag):
    client, ok = login(tls, "Fay-" + tag), {"room": "lobby", "text": "x"}
    refused("no such method", client, "unknown_method", "wibble")
    for label, params in (
            ("text nil", {"text": None}), ("text an integer", {"text": 5}), ("text bin", {"text": b"x"}),
            ("text empty", {"text": ""}), ("room nil", {"room": None}), ("room a map", {"room": {}}),
            ("BEL", {"text": "a\x07"}), ("NUL", {"text": "\0"}), ("CR", {"text": "a\r\n"}), ("DEL", {"text": "\x7f"}),
            ("C1", {"text": "\x85"}), ("U+2028", {"text": "\u2028"}), ("U+2029", {"text": "\u2029"}),
            ("key of 15 bytes", {"key": bytes(15)}), ("key of 17 bytes", {"key": bytes(17)}),
            ("key a text", {"key": "k" * 16}), ("timeout_ms a text", {"timeout_ms": "1"}),
            ("timeout_ms negative", {"timeout_ms": -1}), ("timeout_ms of 33 bits", {"timeout_ms": 2**32})):
        refused(label, client, "bad_params", "say", **{**ok, **params})
    for label, codes, method, params in (
            ("text missing", "bad_params", "say", {}),
            ("no such room", "not_member not_found", "say", {"text": "x", "room": "no-" + tag}),
            ("16385 bytes", "too_large", "say", {"text": "x" * 16385}),
            ("8193 letters", "too_large", "say", {"text": "é" * 8193}),
            ("two lines", "bad_params", "topic", {"topic": "a\nb"}),
            ("1025 bytes", "too_large", "topic", {"topic": "x" * 1025}),
            ("active missing", "bad_params", "typing", {}), ("active 1", "bad_params", "typing", {"active": 1}),
            ("before -1", "bad_params", "history", {"before": -1}),
            ("limit of 33 bits", "bad_params", "history", {"limit": 2**32})):
        refused(label, client, codes, method, **{"room": "lobby", **params})
    client.body(packb([0, 98, "say", ["lobby", "x"]]))
    error = client.answer(98)[0]
    check("refused: say, the fields in an array: bad_params", error and error["code"] == 103, error)
    client.body(padded(65536))
    check("a body of 65536 bytes with a name", client.answer(99)[0] is None)
    client.close()
    client = greet(tls)
    error, result = client.ask("login", name="Late-" + tag, timeout_ms=0)
    check("refused: login, timeout_ms 0: deadline", error and error["code"] == CODES["deadline"], result)
    error, _ = client.ask("login", name="Late-" + tag)
    check("login again after that", error is None, error)
    client.close()


def bodies(tls, tag):
    head = b"\x94\x00\x63\xa4ping\x91"  # [0, 99, "ping", [

    def ping(value):  # with a parameter of those bytes, which the server does not know
        return head + b"\x81\xa1x" + value

    def wide(count):
        return packb([0, 99, "ping", [{str(n): n for n in range(count)}]])

    fine, client = ping(b"\xc0"), greet(tls)
    longest = b"\xdd\0\0\0\4\xcf" + bytes(8) + b"\xd3" + bytes(7) + b"\x63\xdb\0\0\0\4ping\xdc\0\1\xdf" + bytes(4)
    for label, *good in (
            ("depth 8", ping(b"\x91" * 4 + b"\x90")), ("a map of 64", wide(64)),
            ("an array of 1024", ping(packb([0] * 1024))), ("no parameters", packb([0, 99, "ping", []])),
            ("two at once", fine, fine),
            ("the longest forms", longest)):
        client.body(*good)
        check(f"taken: {label}", all(client.answer(99)[0] is None for _ in good))
    for byte in struct.pack(">I", len(fine)) + fine:
        client.sock.sendall(bytes([byte]))
    check("taken: a frame byte by byte", client.answer(99)[0] is None)
    client.close()
    for number, (label, body) in enumerate((
            ("a byte after the value", fine + b"\xc0"), ("cut inside a value", fine[:-1]),
            ("a key twice", head + b"\x82\xa1x\x01\xa1x\x02"), ("a key that is no string", head + b"\x81\x01\x02"),
            ("an extension", ping(b"\xd4\x01\x00")), ("a timestamp", ping(b"\xd6\xff" + bytes(4))),
            ("0xc1", ping(b"\xc1")),
            ("no UTF-8", ping(b"\xa2\xc3\x28")), ("a surrogate", ping(b"\xa3\xed\xa0\x80")),
            ("depth 9", ping(b"\x91" * 5 + b"\x90")),
            ("an array of 1025", ping(packb([0] * 1025))), ("an array of 2^32 - 1", ping(b"\xdd\xff\xff\xff\xff")),
            ("a map of 65", wide(65)),
            ("a response", packb([1, 99, None, {}])), ("an event", packb([2, "ping", [{}]])), ("an integer", b"\x05"),
            ("a map", b"\x80"), ("five items", packb([0, 99, "ping", [{}], 1])),
            ("id a text", packb([0, "99", "ping", [{}]])),
            ("id of 33 bits", packb([0, 2**32, "ping", [{}]])), ("id negative", packb([0, -1, "ping", [{}]])),
            ("method bin", packb([0, 99, b"ping", [{}]])))):
        client = login(tls, f"G{number}-{tag}") if (number + tls) % 2 else greet(tls)  # with a name, or before
        client.body(body)
        ended(label, client, "too_deep" if label == "depth 9" else "bad_frame")


def frames(tls, tag):
    for label, name, size, code in (("length 0", "", 0, "bad_frame"), ("length 0 with a name", "H1-", 0, "bad_frame"),
                                    ("4097 bytes before a name", "", 4097, "frame_too_large"),
                                    ("65537 bytes with a name", "H2-", 65537, "frame_too_large"),
                                    ("HTTP inside a session", "H3-", 0x47455420, "frame_too_large")):
        client = login(tls, name + tag) if name else greet(tls)
        client.sock.sendall(struct.pack(">I", size))
        ended(label, client, code)
    for label, sent in (("HTTP", b"GET / HTTP/1.1\r\n\r\n"), ("SSH", b"SSH-2.0-x\r\n"), ("0xff", b"\xff\xff")):
        def talk(client):
            client.sock.sendall(sent)
            heard = client.stream.read()
            if b"too_many_connections" in heard:
                raise Ended(unpackb(heard[4:])[2][0])
            return heard
        client, heard = connect(tls, talk)
        ok = heard.isascii() and (heard.count(b"\n") == 1 or heard.startswith(b"HTTP/1.1 4"))
        check(f"{label} as the first bytes: a text, and closed", ok, heard)
        client.close()


def again(tls, tag):
    a, b, room = login(tls, "Ida-" + tag), login(tls, "Jon-" + tag), "gin-" + tag
    a.call("create", room=room)
    b.call("join", room=room)
    a.call("say", room=room, text="one", key=bytes(16))
    a.close()
    b.call("say", room=room, text="two")
    second = greet(tls)
    result = second.call("login", name="Ida-" + tag, token=a.me["token"])
    states = [second.event("room", room=name) for name in ("lobby", room)]
    check("resumed: the name and the rooms", result["name"] == "Ida-" + tag and states[1]["seq"] == 2, states)
    check("resumed: the same key is a dup", second.call("say", room=room, text="one", key=bytes(16))["dup"])
    page = second.call("history", room=room, after=1)
    check("resumed: what was missed", [e["text"] for e in page["entries"]] == ["two"], page)
    third = login(tls, "Ida-" + tag, token=result["token"])
    ended("the same client logged in again", second, "replaced")
    bye = {}
    try:
        for _ in range(2000):  # each waits for its answer, so that nothing is in the way of the last
            third.ask("join")
    except Ended as end:
        bye = end.bye
    check("ended: refused too often: flood", bye.get("code") == CODES["flood"], bye)
    third.close()
    b.close()


def main():
    global HOST, PORT, PIN, prefix
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    HOST, PORT, PIN = sys.argv[1], int(sys.argv[2]), sys.argv[3].lower().replace("sha256:", "").replace(":", "")
    for tls in (False, True):
        prefix = "TLS: " if tls else "plain: "
        for step in (before_a_name, names, rooms, messages, parameters, bodies, frames, again):
            try:
                step(tls, secrets.token_hex(3))
            except Exception as error:  # what goes wrong without having been asked about fails, too
                check(f"{step.__name__}: to the end", False, repr(error))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
