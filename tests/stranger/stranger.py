#!/usr/bin/env python3
"""A client of the Klatch protocol, written from docs/PROTOCOL.md alone, and its checks of a server.

    python3 stranger.py HOST PORT FINGERPRINT_SHA256_HEX

HOST must be a loopback address, since the checks use plain TCP as well as TLS. Python 3.8 or newer
and the package msgpack are needed. Every name is new in each run, so a server may be checked again.
"""
import contextlib
import hashlib
import os
import random
import secrets
import socket
import ssl
import struct
import sys
import time

import msgpack

TIMEOUT = 4.0  # seconds until an answer counts as missing
CODES = {
    "logout": 0, "bad_frame": 100, "frame_too_large": 101, "too_deep": 102, "bad_params": 103,
    "unexpected": 104, "version": 105, "unknown_method": 106, "auth_required": 201, "replaced": 206,
    "name_invalid": 210, "name_reserved": 211, "name_taken": 212, "denied": 300, "not_member": 301,
    "not_found": 303, "key_conflict": 304, "exists": 306, "too_many_connections": 402,
    "too_large": 403, "deadline": 405, "flood": 415,
}
HOST, PORT, PIN = "", 0, ""
passed = failed = 0
prefix = ""


def check(label, ok, seen=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'ok  ' if ok else 'FAIL'} {prefix}{label}" + ("" if ok else f" -- saw {str(seen)[:300]}"))


@contextlib.contextmanager
def group(label):
    """Whatever goes wrong inside without having been asked about is one failed check."""
    try:
        yield
    except Exception as error:
        check(label, False, repr(error))


class Ended(Exception):
    """The session is over; `bye` is the payload of the event, or None if there was none."""

    def __init__(self, bye=None):
        super().__init__(bye)
        self.bye = bye or {}


class Refused(Exception):
    pass


class Client:
    def __init__(self, tls):
        self.sock = socket.create_connection((HOST, PORT), TIMEOUT)
        self.events, self.last_id = [], 0
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the pin is trusted
            context.set_alpn_protocols(["klatch/1"])
            self.sock = context.wrap_socket(self.sock)
            if hashlib.sha256(self.sock.getpeercert(binary_form=True)).hexdigest() != PIN:
                sys.exit("the certificate is not the one of the fingerprint")
        self.stream = self.sock.makefile("rb")

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.stream.close()
        self.sock.close()

    def body(self, body):
        self.sock.sendall(struct.pack(">I", len(body)) + body)

    def send(self, method, **params):
        self.last_id += 1
        self.body(msgpack.packb([0, self.last_id, method, [params]]))
        return self.last_id

    def read(self):
        """The next response or event; Ended after `bye`, or when there is nothing more."""
        try:
            header = self.stream.read(4)
            if len(header) < 4:
                raise Ended()
            size, = struct.unpack(">I", header)
            assert 0 < size <= 65536, f"a frame of {size} bytes"
            value = msgpack.unpackb(self.stream.read(size))
        except ConnectionError:
            raise Ended() from None
        if value[0] == 2:
            _, name, [payload] = value
            if name == "bye":
                raise Ended(payload)
        else:
            kind, _, error, result = value
            assert kind == 1 and (error is None) != (result is None), value
        return value

    def answer(self, wanted):
        """(error, result) of a request; the events before it are kept."""
        while True:
            value = self.read()
            if value[0] == 1 and value[1] == wanted:
                return value[2], value[3]
            if value[0] == 2:
                self.events.append((value[1], value[2][0]))

    def ask(self, method, **params):
        return self.answer(self.send(method, **params))

    def call(self, method, **params):
        error, result = self.ask(method, **params)
        if error:
            raise Refused(f"{method}: {error}")
        return result

    def event(self, name, **fields):
        """The next event of that name with those fields; other ones stay where they are."""
        index = 0
        while True:
            while index == len(self.events):
                value = self.read()
                if value[0] == 2:
                    self.events.append((value[1], value[2][0]))
            found, payload = self.events[index]
            if found == name and all(payload.get(k) == v for k, v in fields.items()):
                return self.events.pop(index)[1]
            index += 1

    def end(self):
        """The payload of `bye`, and whether the connection was closed after it."""
        while True:
            try:
                self.read()
            except Ended as ended:
                try:
                    return ended.bye, self.stream.read(1) == b""
                except OSError:
                    return ended.bye, True


def connect(tls, first):
    """A connection on which `first(client)` was done. Whoever connects too fast waits as told."""
    for _ in range(20):
        client = Client(tls)
        try:
            first(client)
            return client
        except (Ended, ConnectionError) as error:
            bye = getattr(error, "bye", {})
            if bye and bye["name"] != "too_many_connections":
                raise
            wait = bye.get("retry_after_ms", 1000) / 1000
            time.sleep(wait + random.uniform(0, wait))
    raise Ended(bye)


def greet(tls):
    return connect(tls, lambda client: client.call("hello", version=1, client="stranger"))


def login(tls, name, **more):
    client = greet(tls)
    client.me = client.call("login", name=name, **more)
    for room in client.me["rooms"]:
        client.event("room", room=room)
    return client


def refused(label, session, names, method, /, **params):
    """The request is refused with one of the codes, completely, and the session goes on."""
    names = names.split()
    error, result = session.ask(method, **params)
    ok = (error is not None and error["name"] in names and error["code"] == CODES[error["name"]]
          and error["applied"] == "no" and isinstance(error["text"], str) and error["text"])
    if ok and error["name"] == "too_large":
        ok = "limit" in error and error["used"] > error["allowed"]
    goes_on = session.ask("ping")[0] is None
    numbers = " or ".join(f"{CODES[name]} {name}" for name in names)
    check(f"refused, {label}: {numbers}, and goes on", ok and goes_on, error or result)
    return error or {}


def ended(label, client, name):
    """The session ends with `bye` of that code, and then the connection."""
    bye, closed = client.end()
    ok = (closed and bye.get("name") == name and bye["code"] == CODES[name]
          and isinstance(bye["text"], str) and isinstance(bye["resume"], bool))
    check(f"ended, {label}: {CODES[name]} {name}", ok, bye)
    client.close()


# ---------------------------------------------------------------------------------------------------


def before_a_name(tls, tag):
    client = connect(tls, lambda client: client.call("ping"))
    if tls:
        check("TLS 1.2 or 1.3", client.sock.version() in ("TLSv1.2", "TLSv1.3"), client.sock.version())
        check("ALPN klatch/1", client.sock.selected_alpn_protocol() == "klatch/1")
    check("ping is answered before hello", "time" in client.call("ping"))
    refused("login before hello", client, "unexpected", "login", name="x" + tag)
    refused("say before hello", client, "auth_required unexpected", "say", room="lobby", text="x")
    refused("hello without a version", client, "bad_params", "hello")
    refused("hello, version a text", client, "bad_params", "hello", version="1")
    refused("hello, version of 17 bits", client, "bad_params", "hello", version=65536)
    refused("hello, client too long", client, "too_large", "hello", version=1, client="x" * 129)
    refused("hello, client of two lines", client, "bad_params", "hello", version=1, client="a\nb")
    welcome = client.call("hello", version=9, version_min=1, client="x" * 128, unknown=[{"a": None}])
    check("hello: the version that both speak", welcome["version"] == 1, welcome)
    check("hello: durability", welcome["durability"] in ("memory", "durable"), welcome)
    limits = welcome["limits"]
    check("hello: all limits", len(limits) >= 19 and all(
        isinstance(value, int) and value >= 0 for value in limits.values()), limits)
    check("hello: the limits are those of version 1 or less", limits["frame_bytes"] <= 65536
          and limits["frame_bytes_before_login"] <= 4096 and limits["text_bytes"] <= 16384, limits)
    refused("a second hello", client, "unexpected", "hello", version=1)
    for method, params in (("say", {"room": "lobby", "text": "x"}), ("rooms", {}),
                           ("join", {"room": "lobby"}), ("direct", {"name": "x"})):
        refused(f"{method} before login", client, "auth_required", method, **params)
    client.body(padded(4096))
    check("a body of 4096 bytes before a name", client.answer(99)[0] is None)
    for first, low in ((0, 0), (9, 2)):
        other = connect(tls, lambda client: client.call("ping"))
        error, _ = other.ask("hello", version=first, version_min=low)
        check(f"versions {low} to {first} are refused", error and error["code"] == CODES["version"], error)
        ended("no common version", other, "version")
    check("logout without a name", client.call("logout") == {})
    ended("logout", client, "logout")


def names(tls, tag):
    holder, client = login(tls, "Paul" + tag), greet(tls)
    check("login: the name keeps its case", holder.me["name"] == "Paul" + tag, holder.me)
    check("login: a token of 16 bytes", len(holder.me["token"]) == 16 and type(holder.me["token"]) is bytes)
    check("login: put into a default room", holder.me["rooms"] == ["lobby"], holder.me)
    for label, name in (("empty", ""), ("a blank", "a b"), ("begins with -", "-a"), ("ends with .", "a."),
                        ("another mark", "a!b"), ("33 characters", "a" * 33), ("two scripts", "p\u0430ul"),
                        ("5 marks on a letter", "a" + "\u0323" * 5), ("bidi control", "a\u202eb")):
        refused(f"name, {label}", client, "name_invalid", "login", name=name)
    refused("name, a control character", client, "name_invalid bad_params", "login", name="a\tb")
    refused("name, 65 bytes", client, "too_large", "login", name="a" * 65)
    refused("name, bin", client, "bad_params", "login", name=b"abc")
    refused("name, missing", client, "bad_params", "login")
    refused("token of 15 bytes", client, "bad_params", "login", name="a" + tag, token=bytes(15))
    for name in ("admin", "Admin", "everyone"):
        refused(f"name, {name}", client, "name_reserved", "login", name=name)
    for name in ("Paul" + tag, "PAUL" + tag.upper(), "pau1" + tag):
        error = refused(f"name {name[:4]} is taken", client, "name_taken", "login", name=name)
    refused("a wrong token does not help", client, "name_taken", "login", name="Paul" + tag, token=bytes(16))
    result = client.call("login", name=error["suggestion"])
    check("login with the suggested name", result["name"] == error["suggestion"], result)
    refused("a second login", client, "unexpected", "login", name="x" + tag)
    for room, names in (("a b", "name_invalid"), ("", "name_invalid"), ("x" * 33, "name_invalid"),
                        ("x" * 65, "too_large"), ("everyone", "name_reserved"), ("a\nb", "name_invalid bad_params")):
        refused(f"create {room[:9]!r} ({len(room)} bytes)", client, names, "create", room=room)
    wide = login(tls, "\uff37\uff49de" + tag)
    check("full width becomes ordinary width", wide.me["name"] == "Wide" + tag, wide.me)
    for one in (holder, client, wide):
        one.close()


def talk(tls, tag):
    a, b, c = (login(tls, name + tag) for name in ("Ann-", "Bob-", "Cleo-"))
    ann, bob, room = a.me["name"], b.me["name"], "tea-" + tag
    state = a.call("create", room="Tea-" + tag.upper(), topic="green")
    check("create: the name in lower case", state["room"] == room and state["kind"] == "public", state)
    topic = a.event("topic", room=room) if not state["seq"] else {"text": state["topic"]}
    check("create: the topic is in the state or follows", topic["text"] == "green", topic)
    refused("create a room that exists", b, "exists", "create", room=room)
    refused("create its like", b, "exists", "create", room="TEA-" + tag)
    refused("join a room that is not", b, "not_found", "join", room="no-" + tag)
    refused("say as no member", b, "not_member", "say", room=room, text="x")
    refused("history as no member", b, "not_member", "history", room=room)
    refused("members as no member", b, "not_member", "members", room=room)
    check("join", b.call("join", room="TEA-" + tag)["members"] == 2)
    joined = a.event("joined", room=room)
    check("joined is told to the other", joined["names"] == [bob] and joined["members"] == 2, joined)
    again = b.call("join", room=room)
    check("join twice: the same state", again["epoch"] == state["epoch"] and again["topic"] == "green", again)

    page = a.call("members", room=room, limit=1)
    rest = a.call("members", room=room, after=page["members"][0]["id"])
    found = [member["name"] for member in page["members"] + rest["members"]]
    check("members, by pages, in the order of login", found == [ann, bob] and page["more"] and not rest["more"]
          and page["total"] == 2, (page, rest))

    check("topic is read", a.call("topic", room=room)["topic"] == "green")
    changed = b.call("topic", room=room, topic="black")
    told = [one.event("topic", room=room, seq=changed["seq"]) for one in (a, b)]
    check("topic is set, and all are told", all(t["text"] == "black" and t["from"] == bob for t in told), told)
    b.call("topic", room=room, topic="")
    check("topic is cleared", a.call("topic", room=room)["topic"] == "")

    key = secrets.token_bytes(16)
    said = a.call("say", room=room, text="Grüße\n\tan alle \u202e", key=key)
    told = [one.event("message", room=room, seq=said["seq"]) for one in (a, b)]
    check("say: acknowledged, and told to both", not said["dup"] and told[0] == told[1]
          and told[0]["text"] == "Grüße\n\tan alle \u202e" and told[0]["from"] == ann, told)
    again = a.call("say", room=room, text="Grüße\n\tan alle \u202e", key=key)
    check("the same key: dup, the same seq and time", again == {**said, "dup": True}, again)
    refused("the same key, another text", a, "key_conflict", "say", room=room, text="x", key=key)
    refused("the same key, another room", a, "key_conflict", "say", room="lobby", text="Grüße\n\tan alle \u202e", key=key)
    other = b.call("say", room=room, text="mine", key=key)
    check("the same key of another account", not other["dup"] and other["seq"] == said["seq"] + 1, other)

    waiting = [a.send("say", room=room, text=f"{n}") for n in range(40)]
    seqs = {wanted: None for wanted in waiting}
    while None in seqs.values():  # responses may come in any order
        value = a.read()
        if value[0] == 1:
            seqs[value[1]] = value[3]["seq"]
    first = other["seq"] + 1
    check("40 requests at once keep their order", list(seqs.values()) == list(range(first, first + 40)), seqs)
    told = [b.event("message", room=room, **{"from": ann}) for _ in range(40)]
    check("the other sees them in order", [(e["seq"], e["text"]) for e in told]
          == [(first + n, f"{n}") for n in range(40)], told)
    longest = b.call("say", room=room, text="x" * 16384)
    check("a text of 16384 bytes", longest["seq"] == first + 40, longest)

    head, back, more, before = longest["seq"], [], True, {}
    while more:
        page = b.call("history", room=room, limit=7, **before)
        back, more = page["entries"] + back, page["more"]
        before = {"before": back[0]["seq"]}
    check("history backwards: all, without gaps", [e["seq"] for e in back] == list(range(1, head + 1))
          and page["first"] == 1 and page["head"] == head, page)
    forth, more = [], True
    while more:
        page = b.call("history", room=room, limit=7, after=forth[-1]["seq"] if forth else 0)
        forth, more = forth + page["entries"], page["more"]
    check("history forwards: the same", forth == back and {e["kind"] for e in back} == {"message", "topic"})
    page = b.call("history", room=room, after=3, before=9, limit=2)
    check("history between two", [e["seq"] for e in page["entries"]] == [4, 5] and page["more"], page)
    page = b.call("history", room=room, after=head)
    check("history after the newest: nothing", not page["entries"] and not page["more"], page)

    check("typing is acknowledged", a.call("typing", room=room, active=True) == {})
    typing = b.event("typing", room=room)
    check("typing is told", typing["from"] == ann and typing["active"] is True, typing)
    a.call("typing", room=room, active=True)
    b.event("message", room=room, seq=a.call("say", room=room, text="typed")["seq"])
    check("typing again at once is not passed on", not [e for e in b.events if e[0] == "typing"], b.events)

    direct = a.call("direct", name=bob.upper())
    check("direct: its name, kind and other one", direct["room"][0] == "@" and len(direct["room"]) == 17
          and direct["kind"] == "direct" and direct["with"] == bob, direct)
    check("direct: both are members at once", direct["members"] == 2, direct)
    told = b.event("room", room=direct["room"])
    check("direct: the other is told", told["with"] == ann and told["members"] == 2, told)
    check("direct: found from the other side", b.call("direct", name=ann)["room"] == direct["room"])
    said = a.call("say", room=direct["room"], text="psst")
    check("direct: talk", b.event("message", room=direct["room"])["seq"] == said["seq"] == 1)
    refused("join of a direct room by a third", c, "not_found", "join", room=direct["room"])
    refused("direct with nobody", a, "not_found", "direct", name="no-" + tag)
    for who, listed in ((a, True), (c, False)):
        rooms, more = [], True
        while more:
            page = who.call("rooms", limit=3, **({"after": rooms[-1]} if rooms else {}))
            rooms, more = rooms + [info["room"] for info in page["rooms"]], page["more"]
        check(f"rooms, by pages: the direct one is {'' if listed else 'not '}there", room in rooms
              and (direct["room"] in rooms) == listed and len(set(rooms)) == len(rooms), rooms)

    check("leave", b.call("leave", room=room) == {})
    gone = a.event("left", room=room)
    check("left is told", gone["gone"] == [{"name": bob, "reason": "left"}] and gone["members"] == 1, gone)
    refused("leave twice", b, "not_member", "leave", room=room)
    refused("typing after leaving", b, "not_member", "typing", room=room, active=True)

    key = secrets.token_bytes(16)
    refused("say, timeout_ms 0", a, "deadline", "say", room=room, text="late", key=key, timeout_ms=0)
    check("what was too late was not said", a.call("say", room=room, text="late", key=key)["dup"] is False)
    refused("history, timeout_ms 0", a, "deadline", "history", room=room, timeout_ms=0)
    check("timeout_ms nil is none", "seq" in a.call("say", room=room, text="x", timeout_ms=None))

    c.call("join", room=room)
    waiting = [c.send("say", room=room, text=f"{n}") for n in range(3)] + [c.send("logout")]
    answers = []
    while not answers or answers[-1] != waiting[-1]:
        value = c.read()
        answers += [value[1]] if value[0] == 1 else []
    check("logout is answered after all earlier requests", sorted(answers) == waiting, answers)
    ended("logout", c, "logout")
    gone = a.event("left", room=room)
    check("left with the reason logout", gone["gone"] == [{"name": "Cleo-" + tag, "reason": "logout"}], gone)
    again = login(tls, "Cleo-" + tag)
    check("the name is free after logout", again.me["name"] == "Cleo-" + tag)
    for one in (a, b, again):
        one.close()


def parameters(tls, tag):
    client, ok = login(tls, "Dora-" + tag), {"room": "lobby", "text": "x"}
    refused("a method that is not", client, "unknown_method", "wibble")
    for label, params in (("text missing", {"text": None}), ("text an integer", {"text": 5}),
                          ("text of type bin", {"text": b"x"}), ("text empty", {"text": ""}),
                          ("room nil", {"room": None}), ("room a map", {"room": {}}), ("BEL", {"text": "a\x07"}),
                          ("NUL", {"text": "\0"}), ("CR", {"text": "a\r\n"}), ("DEL", {"text": "\x7f"}),
                          ("C1", {"text": "\x85"}), ("U+2028", {"text": "\u2028"}), ("U+2029", {"text": "\u2029"}),
                          ("key of 15 bytes", {"key": bytes(15)}), ("key of 17 bytes", {"key": bytes(17)}),
                          ("key a text", {"key": "k" * 16}), ("timeout_ms a text", {"timeout_ms": "1"}),
                          ("timeout_ms negative", {"timeout_ms": -1}), ("timeout_ms of 33 bits", {"timeout_ms": 2**32})):
        refused(f"say, {label}", client, "bad_params", "say", **{**ok, **params})
    refused("say, 16385 bytes", client, "too_large", "say", room="lobby", text="x" * 16385)
    refused("say, bytes are counted", client, "too_large", "say", room="lobby", text="é" * 8193)
    refused("say in no room", client, "not_member not_found", "say", room="no-" + tag, text="x")
    refused("topic of two lines", client, "bad_params", "topic", room="lobby", topic="a\nb")
    refused("topic, 1025 bytes", client, "too_large", "topic", room="lobby", topic="x" * 1025)
    refused("typing without active", client, "bad_params", "typing", room="lobby")
    refused("typing, active 1", client, "bad_params", "typing", room="lobby", active=1)
    refused("history, before -1", client, "bad_params", "history", room="lobby", before=-1)
    refused("history, limit of 33 bits", client, "bad_params", "history", room="lobby", limit=2**32)
    client.body(msgpack.packb([0, 98, "say", ["lobby", "x"]]))
    error = client.answer(98)[0]
    check("refused, the fields as an array: 103 bad_params", error and error["code"] == 103, error)
    client.call("ping", x=None, y=[{"z": b"\xff"}], timeout_ms=None)
    client.body(padded(65536))
    check("a body of 65536 bytes with a name", client.answer(99)[0] is None)
    client.close()
    client = greet(tls)
    error, _ = client.ask("login", name="Late-" + tag, timeout_ms=0)
    if error:
        check("login, timeout_ms 0: 405 deadline", error["code"] == CODES["deadline"], error)
        error, _ = client.ask("login", name="Late-" + tag)
        check("login again after it", error is None, error)
    client.close()


def padded(size):
    """A ping (id 99) whose body is of that size, by a field that the server does not know."""
    empty = len(msgpack.packb([0, 99, "ping", [{"x": b""}]])) - 2
    return msgpack.packb([0, 99, "ping", [{"x": bytes(size - empty - (2 if size - empty < 258 else 3))}]])


def bodies(tls, tag):
    def ping(value):  # a request with a parameter of those bytes, which would be ignored
        return b"\x94\x00\x63\xa4ping\x91\x81\xa1x" + value

    pack, fine = msgpack.packb, ping(b"\x01")
    client = greet(tls)
    for label, body in (
            ("depth 8", ping(b"\x91" * 4 + b"\x90")), ("a map of 64", pack([0, 99, "ping", [{str(n): n for n in range(64)}]])),
            ("an array of 1024", ping(pack([0] * 1024))), ("[] for [{}]", pack([0, 99, "ping", []])),
            ("the longest forms", b"\xdd\0\0\0\4\xcf" + bytes(8) + b"\xd3" + bytes(7) + b"\x63\xdb\0\0\0\4ping\xdc\0\1\xdf" + bytes(4))):
        client.body(body)
        check(f"taken: {label}", client.answer(99)[0] is None)
    for byte in struct.pack(">I", len(fine)) + fine:
        client.sock.sendall(bytes([byte]))
    check("taken: a frame byte by byte", client.answer(99)[0] is None)
    client.sock.sendall(2 * (struct.pack(">I", len(fine)) + fine))
    check("taken: two frames at once", client.answer(99)[0] is None and client.answer(99)[0] is None)
    client.close()
    bad = [("a byte after the value", fine + b"\xc0"), ("cut inside a value", fine[:-1]),
           ("the same key twice", b"\x94\x00\x63\xa4ping\x91\x82\xa1x\x01\xa1x\x02"),
           ("a key that is no string", b"\x94\x00\x63\xa4ping\x91\x81\x01\x02"),
           ("an extension", ping(b"\xd4\x01\x00")), ("a timestamp", ping(b"\xd6\xff" + bytes(4))),
           ("0xc1", ping(b"\xc1")), ("no UTF-8", ping(b"\xa2\xc3\x28")), ("a surrogate", ping(b"\xa3\xed\xa0\x80")),
           ("depth 9", ping(b"\x91" * 5 + b"\x90")), ("an array of 1025", ping(pack([0] * 1025))),
           ("an array without end", ping(b"\xdd\xff\xff\xff\xff")),
           ("a map of 65", pack([0, 99, "ping", [{str(n): n for n in range(65)}]])),
           ("a response", pack([1, 99, None, {}])), ("an event", pack([2, "ping", [{}]])),
           ("an integer", b"\x05"), ("a map", b"\x80"), ("five items", pack([0, 99, "ping", [{}], 1])),
           ("id a text", pack([0, "99", "ping", [{}]])), ("id of 33 bits", pack([0, 2**32, "ping", [{}]])),
           ("id negative", pack([0, -1, "ping", [{}]])), ("method of type bin", pack([0, 99, b"ping", [{}]]))]
    for number, (label, body) in enumerate(bad):  # half of them before a name is held, half after
        client = login(tls, f"E{number}-{tag}") if (number + tls) % 2 else greet(tls)
        client.body(body)
        ended(label, client, "too_deep" if label == "depth 9" else "bad_frame")


def frames(tls, tag):
    for label, name, size, code in (("length 0", "", 0, "bad_frame"), ("length 0 with a name", "F1-", 0, "bad_frame"),
                                    ("4097 bytes before a name", "", 4097, "frame_too_large"),
                                    ("65537 bytes with a name", "F2-", 65537, "frame_too_large"),
                                    ("HTTP within a session", "F3-", 0x47455420, "frame_too_large")):
        client = login(tls, name + tag) if name else greet(tls)
        client.sock.sendall(struct.pack(">I", size))
        ended(label, client, code)
    for label, sent in (("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("SSH", b"SSH-2.0-x\r\n"), ("0xff", b"\xff\xff")):
        heard = b"too_many_connections"
        while b"too_many_connections" in heard:  # wait for a place by an ordinary connection
            greet(tls).close()
            client = Client(tls)
            client.sock.sendall(sent)
            heard = client.stream.read()
            client.close()
        lines = heard.decode("ascii").splitlines()
        check(f"{label} as the first bytes: text, and closed", len(lines) == 1 or heard.startswith(b"HTTP/1."), heard)
    if not tls:
        with contextlib.suppress(ConnectionError):
            client = Client(False)
            client.sock.sendall(b"\x16\x03\x01\x00\x05hello")
            heard = client.stream.read()
            check("a bad TLS handshake: closed, without a frame", heard[:1] in (b"", b"\x15"), heard)
            client.close()


def again(tls, tag):
    a, room = login(tls, "Gina-" + tag), "gin-" + tag
    a.call("create", room=room)
    b = login(tls, "Hal-" + tag)
    b.call("join", room=room)
    a.call("say", room=room, text="one", key=bytes(16))
    a.close()
    b.call("say", room=room, text="two")
    found = greet(tls)
    result = found.call("login", name="Gina-" + tag, token=a.me["token"])
    states = [found.event("room", room=name) for name in ("lobby", room)]
    check("resumed: the name and the rooms", result["name"] == "Gina-" + tag and states[1]["seq"] == 2, states)
    check("resumed: the same key is a dup", found.call("say", room=room, text="one", key=bytes(16))["dup"])
    page = found.call("history", room=room, after=1)
    check("resumed: what was missed", [e["text"] for e in page["entries"]] == ["two"], page)
    third = login(tls, "Gina-" + tag, token=result["token"])
    ended("the same client logged in again", found, "replaced")
    bye = {}
    try:
        for _ in range(2000):  # one after the other, so that the goodbye is not lost
            third.ask("join")
    except Ended as end:
        bye = end.bye
    check("ended, refused too often: 415 flood", bye.get("code") == CODES["flood"], bye)
    third.close()
    b.close()


def main():
    global HOST, PORT, PIN, prefix
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    HOST, PORT, PIN = sys.argv[1], int(sys.argv[2]), sys.argv[3].lower().replace("sha256:", "").replace(":", "")
    for tls in (False, True):
        prefix = "TLS: " if tls else "plain: "
        for step in (before_a_name, names, talk, parameters, bodies, frames, again):
            with group(step.__name__):
                step(tls, secrets.token_hex(3))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
