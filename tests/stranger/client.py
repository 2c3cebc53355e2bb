"""A small client of the Klatch protocol, written from docs/PROTOCOL.md alone. It needs msgpack."""
import contextlib
import hashlib
import socket
import ssl
import struct

from msgpack import packb, unpackb

TIMEOUT = 4.0  # seconds until an answer counts as missing


class Ended(Exception):
    """The session is over; `bye` is the payload of the event, empty if there was none."""

    def __init__(self, bye=None):
        super().__init__(bye)
        self.bye = bye or {}


class Client:
    def __init__(self, host, port, pin=None):
        """Over TLS if there is a pin, else in the clear."""
        self.sock = socket.create_connection((host, port), TIMEOUT)
        self.events, self.last_id = [], 0
        if pin:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the pin is trusted
            context.set_alpn_protocols(["klatch/1"])
            self.sock = context.wrap_socket(self.sock)
            found = hashlib.sha256(self.sock.getpeercert(binary_form=True)).hexdigest()
            if found != pin:
                raise ssl.SSLError(f"the certificate is {found}, not {pin}")
        self.stream = self.sock.makefile("rb")

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.stream.close()
        self.sock.close()

    def body(self, *bodies):
        self.sock.sendall(b"".join(struct.pack(">I", len(body)) + body for body in bodies))

    def send(self, method, **params):
        self.last_id += 1
        self.body(packb([0, self.last_id, method, [params]]))
        return self.last_id

    def read(self):
        """One frame: (id, error, result) of a response, or None after storing an event."""
        try:
            header = self.stream.read(4)
            if len(header) < 4:
                raise Ended()
            size, = struct.unpack(">I", header)
            assert 0 < size <= 65536, f"a frame of {size} bytes"
            kind, *rest = unpackb(self.stream.read(size))
        except ConnectionError:
            raise Ended() from None
        if kind == 1:
            number, error, result = rest
            assert (error is None) != (result is None), rest
            return number, error, result
        name, [payload] = rest
        if kind != 2 or name == "bye":
            raise Ended(payload)
        self.events.append((name, payload))

    def answer(self, wanted):
        """(error, result) of the request with that id."""
        while True:
            number, error, result = self.read() or (None, None, None)
            if number == wanted:
                return error, result

    def ask(self, method, **params):
        return self.answer(self.send(method, **params))

    def call(self, method, **params):
        error, result = self.ask(method, **params)
        assert error is None, f"{method}: {error}"
        return result

    def event(self, name, **fields):
        """The first event of that name with those fields; the others stay where they are."""
        index = 0
        while True:
            while index == len(self.events):
                self.read()
            found, payload = self.events[index]
            if found == name and all(payload.get(key) == value for key, value in fields.items()):
                return self.events.pop(index)[1]
            index += 1

    def end(self):
        """The payload of `bye`, and whether the connection was closed after it."""
        try:
            while True:
                self.read()
        except Ended as ended:
            with contextlib.suppress(ConnectionError):
                return ended.bye, self.stream.read(1) == b""
            return ended.bye, True
