"""Load on a klatchd at port 5528, through restarts: nothing acknowledged is lost, no connect
is refused.

    load.py SECONDS

Talkers say numbered texts with keys, one after the other, each until it is acknowledged, and come
back by themselves when the connection ends. Knockers connect, say hello and close. At the end the
whole history is read: every acknowledged text must be there once, in order of each talker.
"""

import os
import socket
import ssl
import struct
import sys
import threading
import time

import msgpack

ADDRESS = ("127.0.0.1", 5528)
TALKERS = 6
KNOCKERS = 3
SECONDS = float(sys.argv[1])
RUN = os.urandom(3).hex()

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE

counts = {"acknowledged": 0, "connects": 0, "refused": 0, "ended": 0}
acknowledged = {}
lock = threading.Lock()
faults = []


def count(what):
    with lock:
        counts[what] += 1


class Ended(Exception):
    pass


class Client:
    def __init__(self):
        try:
            raw = socket.create_connection(ADDRESS, timeout=30)
        except ConnectionRefusedError:
            count("refused")
            raise Ended()
        count("connects")
        try:
            self.stream = context.wrap_socket(raw)
        except (OSError, ssl.SSLError) as error:
            raise Ended() from error
        self.number = 0

    def request(self, method, params):
        self.number += 1
        body = msgpack.packb([0, self.number, method, [params]])
        try:
            self.stream.sendall(struct.pack(">I", len(body)) + body)
            while True:
                answer = self.receive()
                if answer[0] == 1 and answer[1] == self.number:
                    return answer[2], answer[3]
        except (OSError, ssl.SSLError) as error:
            raise Ended() from error

    def receive(self):
        header = self.exactly(4)
        return msgpack.unpackb(self.exactly(struct.unpack(">I", header)[0]), raw=False)

    def exactly(self, length):
        data = b""
        while len(data) < length:
            part = self.stream.recv(length - len(data))
            if not part:
                raise Ended()
            data += part
        return data

    def close(self):
        self.stream.close()


def hello(client):
    error, result = client.request("hello", {"version": 1})
    if error:
        faults.append(f"hello: {error}")
    return result


def talk(index, until):
    name, token, said = f"t{index}-{RUN}", None, 0
    acknowledged[name] = []
    while time.monotonic() < until:
        client = None
        try:
            client = Client()
            hello(client)
            params = {"name": name}
            if token:
                params["token"] = token
            error, result = client.request("login", params)
            if error:
                # After a restart of a server that keeps guests in memory, the token is unknown.
                token = None
                time.sleep(0.05)
                continue
            token = result["token"]
            while time.monotonic() < until:
                text = f"{name} {said}"
                key = key_of(index, said)
                error, result = client.request("say", {"room": "lobby", "text": text, "key": key})
                if error:
                    if error["code"] in (301, 404, 400):
                        time.sleep(0.02)
                        continue
                    faults.append(f"say: {error}")
                    break
                acknowledged[name].append((said, result["seq"]))
                said += 1
                count("acknowledged")
                time.sleep(0.002)
        except Ended:
            count("ended")
            time.sleep(0.05)
        finally:
            if client:
                client.close()


def key_of(index, number):
    """The same for a repeated text: UUID version 7 of the moment when the run began."""
    millis = int(START * 1000).to_bytes(6, "big")
    rest = bytes.fromhex(RUN) + bytes([index]) + number.to_bytes(4, "big")
    raw = bytearray(millis + b"\0\0" + rest)
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return bytes(raw[:16])


def knock(until):
    while time.monotonic() < until:
        try:
            client = Client()
            hello(client)
            client.close()
        except Ended:
            count("ended")
        time.sleep(0.2)


def history():
    client = Client()
    hello(client)
    error, _ = client.request("login", {"name": f"reader-{RUN}"})
    assert not error, error
    entries, after = [], 0
    while True:
        while True:
            error, page = client.request("history", {"room": "lobby", "after": after, "limit": 200})
            if error and error["code"] == 301:
                time.sleep(0.05)
                continue
            break
        assert not error, error
        entries += page["entries"]
        if not page["more"]:
            return entries
        after = page["entries"][-1]["seq"]


START = time.time()
until = time.monotonic() + SECONDS
threads = [threading.Thread(target=talk, args=(index, until)) for index in range(TALKERS)]
threads += [threading.Thread(target=knock, args=(until,)) for _ in range(KNOCKERS)]
for thread in threads:
    thread.start()
print("talking", flush=True)
for thread in threads:
    thread.join()

stored = {}
for entry in history():
    name, _, number = entry["text"].partition(" ")
    if name in acknowledged and number.isdigit():
        stored.setdefault(name, []).append((int(number), entry["seq"]))
lost = doubled = disordered = 0
for name, all_of_it in acknowledged.items():
    there = stored.get(name, [])
    lost += len(set(all_of_it) - set(there))
    numbers = [number for number, _ in there]
    doubled += len(numbers) - len(set(numbers))
    disordered += numbers != sorted(numbers)
print(
    f"{counts['acknowledged']} acknowledged, {lost} lost, {doubled} doubled, "
    f"{disordered} out of order; {counts['connects']} connects, {counts['refused']} refused, "
    f"{counts['ended']} connections ended; faults: {faults[:3]}"
)
sys.exit(1 if lost or doubled or disordered or counts["refused"] or faults or not counts["acknowledged"] else 0)
