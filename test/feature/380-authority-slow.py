#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that hold connections to an authority and make little use of them;
and a front that is ended by itself, whose successor serves at the same door."""

import json
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import Account, Authority, sign_headers
from skerrytest import ends, lasts, wait_for

IDLE = 2
PATH = "/v1/session"

tap = skerrytest.Tap()


def plain(a, source=None):
    return socket.create_connection(("127.0.0.1", a.port), 30,
                                    source and (source, 0))


def raw(a, source=None):
    return a.tls.wrap_socket(plain(a, source), server_hostname="127.0.0.1")


def number(a, name):
    return skerrytest.metrics(a.metrics_port)[name]


def cuts(a, why):
    return number(a, f'cut_total{{why="{why}"}}')


def request(a, acc):
    """Head and body of a session's request, signed."""
    body = json.dumps(acc.session_body()).encode()
    fields = sign_headers(acc.device, a.host, PATH, body)
    head = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    return (f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}"
            f"Content-Length: {len(body)}\r\n\r\n").encode(), body


def drips():
    a = Authority(idle_seconds=IDLE)
    acc = Account(a)
    acc.create()
    tap.ok(ends(plain(a), b""), "who is silent is cut")
    s = plain(a)
    s.sendall(b"\x16\x03\x01\x40\x00")
    tap.ok(ends(s, b"\x01"), "a handshake, byte by byte")
    tap.ok(ends(raw(a), b""), "silent after the handshake")
    s = raw(a)
    s.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    tap.ok(ends(s, b"x"), "a head, byte by byte")
    tap.ok(cuts(a, "idle") >= 4, "all of them counted as idle")
    before = cuts(a, "slow")
    s = raw(a)
    s.sendall(request(a, acc)[0])
    tap.ok(ends(s, b" "), "a body, byte by byte")
    s = raw(a)
    s.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\n"
              b"Content-Length: 1000000\r\n\r\n")
    tap.ok(ends(s, bytes(1000)), "one that nobody vouched for, at any rate")
    tap.eq(cuts(a, "slow") - before, 2, "these count as slow")
    c = a.connect()
    for _ in range(4):
        time.sleep(IDLE * 0.7)
        acc.session(conn=c)
    tap.ok(True, "a request now and then keeps a connection")
    head, body = request(a, acc)
    s = raw(a)
    s.sendall(head)
    tap.ok(lasts(s, b"", IDLE / 4), "a request in two parts")
    s.sendall(body)
    s.settimeout(60)
    tap.ok(s.recv(1000).startswith(b"HTTP/1.1 200"), "is answered")
    a.process.kill()


def waits_for_the_ledger():
    """The time that the authority takes is nobody's fault."""
    a = Authority(idle_seconds=1)
    acc = Account(a)
    acc.create()
    ledger = a.roles()["ledger"]
    os.kill(ledger, signal.SIGSTOP)
    s = raw(a)
    s.sendall(b"".join(request(a, acc)))
    tap.ok(lasts(s, b"", 4), "a request that waits for the ledger goes on")
    os.kill(ledger, signal.SIGCONT)
    s.settimeout(60)
    tap.ok(s.recv(1000).startswith(b"HTTP/1.1 200"), "and is answered")
    a.process.kill()


def of_one_address():
    a = Authority(max_per_address=4)
    held = [raw(a) for _ in range(4)]
    for _ in range(2):
        try:
            raw(a)
            tap.ok(False, "one address has so many connections")
        except OSError:
            tap.ok(True, "one address has so many connections")
    raw(a, "127.0.0.2").close()
    held.pop().close()
    tap.ok(wait_for(lambda: raw(a).close() is None),
           "when one ends there is room for another")
    tap.ok(cuts(a, "address") >= 2, "the refused are counted")
    a.process.kill()


def of_all():
    """Whoever holds a place without a use gives way to who comes."""
    a = Authority(max_connections=8, max_per_address=100)
    acc = Account(a)
    acc.create()
    known = a.connect()
    tap.eq(acc.session(conn=known).status, 200, "a good request")
    strangers = [raw(a) for _ in range(7)]
    tap.eq(number(a, "connections"), 8, "all places are taken")
    answers = []

    def one():
        answers.append(a.send("/healthz", None, {}, method="GET").status)

    threads = [threading.Thread(target=one) for _ in range(7)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    tap.eq(answers, [200] * 7, "others are served")
    tap.ok(0 < cuts(a, "full") <= 7, "by strangers that gave way")
    tap.eq(acc.session(conn=known).status, 200,
           "who had a good request was let be")
    del strangers
    a.process.kill()


def another_front():
    a = Authority()
    acc = Account(a)
    acc.create()
    old = a.roles()["front"]
    os.kill(old, signal.SIGTERM)
    tap.ok(wait_for(lambda: a.roles().get("front", old) != old),
           "a front that is ended has a successor")
    tap.eq(acc.session().status, 200, "which serves")
    a.process.term()
    tap.eq(a.process.wait(60), 0, "SIGTERM ends all")


tap.run(drips, waits_for_the_ledger, of_one_address, of_all, another_front)
