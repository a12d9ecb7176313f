#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that hold connections and make little use of them."""

import http.client
import os
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import (Depot, Tap, digest, ends,  # noqa: E402
                        handshakes_that_wait, lasts, new_id, wait_for)

IDLE = 2
RATE = 1000
BIG = 32 << 20

t = Tap()
d = Depot(idle_seconds=IDLE, least_rate=RATE)


def upload_head(o, length, token):
    return (f"PUT {d.path(o)} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token}\r\nIf-None-Match: *\r\n"
            f"Content-Digest: {digest(b'')}\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def plain(depot=d, source=None):
    return socket.create_connection(("127.0.0.1", depot.port), 30,
                                    source and (source, 0))


def cuts(why, depot=d):
    return depot.metrics()[f'cut_total{{why="{why}"}}']


def heads():
    t.ok(ends(plain(), b""), "who is silent is cut")
    s = plain()
    s.sendall(b"\x16\x03\x01\x40\x00")
    t.ok(ends(s, b"\x01"), "a handshake, byte by byte")
    t.ok(ends(d.raw(), b""), "silent after the handshake")
    s = d.raw()
    s.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    t.ok(ends(s, b"x"), "a head, byte by byte")
    t.eq(cuts("idle"), 4, "all of them counted as idle")
    t.ok(once(kept), "a request now and then keeps a connection")


def once(good):
    """A busy machine may be too late at times, but not always."""
    return any(good() for _ in range(5))


def kept():
    c = d.connect()
    try:
        for _ in range(4):
            time.sleep(IDLE * 0.7)
            d.request("GET", "/healthz", conn=c)
        return True
    except (OSError, http.client.HTTPException):
        return False


def bodies():
    def begun(token):
        s = d.raw()
        s.sendall(upload_head(new_id(), 1 << 20, token))
        return s

    before = cuts("slow")
    t.ok(ends(begun(d.token), b"x"), "a body, byte by byte")
    t.ok(ends(begun("none"), bytes(RATE)),
         "one above the least rate, where the capability is not good")
    t.eq(cuts("slow") - before, 2, "they count as slow")
    t.ok(once(lambda: lasts(begun(d.token), bytes(4 * RATE), 4 * IDLE)),
         "where it is good that goes on")
    t.ok(wait_for(lambda: not d.files()[1]), "nothing is left in tmp")


def get(o, rate, seconds):
    """Reads an object at this rate: whether the connection lasts so long, and
    whether anything was read."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    raw.settimeout(30)
    raw.connect(("127.0.0.1", d.port))
    s = d.tls.wrap_socket(raw, server_hostname="127.0.0.1")
    s.sendall(f"GET {d.path(o)} HTTP/1.1\r\nHost: x\r\n"
              f"Authorization: Bearer {d.token}\r\n\r\n".encode())
    before, end, got = cuts("slow"), time.monotonic() + seconds, 0
    while time.monotonic() < end and cuts("slow") == before:
        if rate:
            got += len(s.recv(rate // 4))
        time.sleep(0.25)
    s.close()
    return cuts("slow") == before, got > 0


def answers():
    o = new_id()
    t.eq(d.put(o, bytes(BIG)).status, 201, "a large object")
    t.eq(get(o, 0, 60), (False, False), "an answer that nobody reads is cut")
    t.ok(once(lambda: get(o, 64 * RATE, 4 * IDLE) == (True, True)),
         "one that is read slowly goes on")


def of_one_address():
    other = Depot(max_per_address=4)
    held = [other.raw() for _ in range(4)]
    for _ in range(2):
        try:
            other.raw()
            t.ok(False, "one address has so many connections")
        except OSError:
            t.ok(True, "one address has so many connections")
    s = other.tls.wrap_socket(plain(other, "127.0.0.2"),
                              server_hostname="127.0.0.1")
    s.close()
    held.pop().close()
    t.ok(wait_for(lambda: other.raw().close() is None),
         "when one ends there is room for another")
    t.ok(cuts("address", other) >= 2, "the refused are counted")
    other.process.kill()


def of_all():
    """Whoever holds a place without a use gives way to who comes."""
    other = Depot(max_connections=8, max_per_address=100)
    known = other.connect()
    other.get(new_id(), conn=known)
    moving = other.raw()
    body = os.urandom(1000)
    o = new_id()
    moving.sendall(
        (f"PUT {other.path(o)} HTTP/1.1\r\nHost: x\r\n"
         f"Authorization: Bearer {other.token}\r\nIf-None-Match: *\r\n"
         f"Content-Digest: {digest(body)}\r\nContent-Length: 1000\r\n"
         "\r\n").encode() + body[:10])
    strangers = [other.raw() for _ in range(6)]
    time.sleep(2.5)  # what is new is let be for two seconds
    answers = []

    def one():
        answers.append(other.request("GET", "/healthz", token=None).status)

    # No more than there are strangers: when those are gone, who has a place
    # and no request gives way, too.
    threads = [threading.Thread(target=one) for _ in strangers]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    t.eq(answers, [200] * 6, "all others are served")
    t.ok(0 < cuts("full", other) <= 6, "by strangers that gave way")
    t.eq(other.get(new_id(), conn=known).status, 404,
         "who had a good request was let be")
    moving.sendall(body[10:])
    t.ok(moving.recv(1000).startswith(b"HTTP/1.1 201"),
         "and who is at one")
    del strangers
    other.process.kill()


def hundreds():
    """Of one that sends a byte now and then, and begins anew when cut."""
    other = Depot(max_connections=200, max_per_address=200, idle_seconds=5)
    stop = threading.Event()

    def hold():
        held = []
        while not stop.is_set():
            while len(held) < 100:
                held.append(plain(other))
                held[-1].send(b"\x16\x03\x01\x40\x00")
            for s in list(held):
                try:
                    s.send(b"\x01")
                except OSError:
                    held.remove(s)
            time.sleep(0.3)

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for x in threads:
        x.start()
    time.sleep(1)
    worst, codes = 0, []
    for _ in range(5):
        begun = time.monotonic()
        codes.append(other.put(new_id(), bytes(1000)).status)
        worst = max(worst, time.monotonic() - begun)
    stop.set()
    for x in threads:
        x.join()
    t.eq(codes, [201] * 5, "hundreds of slow clients lock nobody out")
    t.note(f"the slowest of five took {worst:.1f} s")
    other.process.term()
    t.eq(other.process.wait(), 0, "and the depot ends well")


def handshakes():
    """One that waits for its client costs nothing while it does."""
    other = Depot()
    used = handshakes_that_wait(other.port, other.process.proc.pid)
    t.ok(used < 0.5, f"20 in their first bytes: {used:.2f} s of 2 s")
    held = [plain(other) for _ in range(20)]
    for s in held:
        s.sendall(b"\x16\x03\x01")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = other.tls.wrap_bio(incoming, outgoing,
                             server_hostname="127.0.0.1")
    raw = plain(other)
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            for b in outgoing.read():
                raw.sendall(bytes([b]))
            incoming.write(raw.recv(65536))
    tls.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    for b in outgoing.read():
        raw.sendall(bytes([b]))
    incoming.write(raw.recv(65536))
    answer = b""
    while not answer:
        try:
            answer = tls.read(1000)
        except ssl.SSLWantReadError:
            incoming.write(raw.recv(65536))
    t.ok(answer.startswith(b"HTTP/1.1 200"), "one by the byte is served")
    other.process.term()
    t.eq(other.process.wait(60), 0, "a stop amid handshakes ends well")


def of_one_prefix():
    """Much work for one prefix is done in turns with that of others."""
    other = Depot(disk_threads=1)
    o, body = new_id(), os.urandom(BIG)
    t.eq(other.put(o, body).status, 201, "a large object")
    asked = [other.raw() for _ in range(60)]
    for s in asked:
        s.sendall(f"HEAD {other.path(o)} HTTP/1.1\r\nHost: x\r\n"
                  f"Want-Repr-Digest: sha-256=1\r\n"
                  f"Authorization: Bearer {other.token}\r\n\r\n".encode())
    other.prefix = new_id()
    other.token = other.signer.capability(other.prefix)
    t.eq(other.put(new_id(), b"x").status, 201, "another prefix's upload")
    before = [x for x in map(answered, asked) if x]
    t.ok(len(before) < len(asked), f"waited for {len(before)} of them")
    after = [s.recv(1000) for s in asked if s.gettimeout()]
    t.eq([x[:12] for x in before + after], [b"HTTP/1.1 200"] * len(asked),
         "all are answered")
    other.process.kill()


def answered(s):
    """The answer, where it is there already; else the socket waits for it."""
    s.settimeout(0)
    try:
        return s.recv(1000)
    except ssl.SSLWantReadError:
        s.settimeout(60)


t.run(heads, bodies, answers, of_one_address, of_all, hundreds, handshakes,
      of_one_prefix)
