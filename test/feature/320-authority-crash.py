#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Roles and parent are killed at random points while clients run: what was
acknowledged is there, and the service comes back by itself."""

import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import Account, Authority, head, unb64

SECONDS = float(os.environ.get("SKERRY_TEST_SECONDS", "12"))
CLIENTS = 3

tap = skerrytest.Tap()
a = Authority()
stop = threading.Event()


class Client(threading.Thread):
    """Moves its head, repeating each request until it is acknowledged."""

    def __init__(self):
        super().__init__(daemon=True)
        self.acc, self.n, self.last, self.bad = Account(a), 0, None, []
        self.conn = None
        self.pending = None

    def attempt(self, what):
        try:
            if self.conn is None:
                self.conn = a.connect(timeout=20)
            r = what(self.conn)
        except Exception:
            self.conn = None
            time.sleep(0.05)
            return None
        if r.status == 503:
            time.sleep(0.02)
            return None
        if r.code != "OK":
            self.bad.append(r)
        return r

    def until(self, what):
        while not stop.is_set():
            r = self.attempt(what)
            if r is not None:
                return r
        return None

    def run(self):
        if self.until(lambda c: self.acc.create(conn=c)) is None:
            return
        while not stop.is_set():
            self.pending = head(self.n + 1)
            r = self.until(lambda c: self.acc.put_head(
                self.n, self.pending, conn=c))
            if r is None or r.code != "OK":
                return
            self.n, self.last, self.pending = self.n + 1, self.pending, None


def crowd():
    """Clients of which one has moved its head."""
    stop.clear()
    clients = [Client() for _ in range(CLIENTS)]
    for c in clients:
        c.start()
    skerrytest.wait_for(lambda: any(c.n > 0 for c in clients))
    return clients


def check(clients, what):
    stop.set()
    for c in clients:
        c.join(60)
    good, total = True, 0
    for c in clients:
        tap.eq(c.bad, [], f"{what}: no answer but 200 and 503")
        if c.n == 0:
            continue
        r = c.acc.session()
        got = unb64(r.json["head"])
        good &= got in (c.last, c.pending)
        if r.json["keys"] == [] or c.acc.open_release(r) != c.acc.space_key:
            good = False
        total += c.n
    tap.ok(good, f"{what}: every acknowledged head is there")
    tap.ok(total > 0, f"{what}: {total} heads were acknowledged")


def roles():
    clients, kills, end = crowd(), 0, time.time() + SECONDS
    while time.time() < end:
        time.sleep(random.uniform(0.1, 0.9))
        found = a.roles()
        if found:
            try:
                os.kill(random.choice(list(found.values())), signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
    tap.ok(skerrytest.wait_for(lambda: len(a.roles()) == 3),
           f"all roles are back after {kills} kills")
    tap.ok(skerrytest.wait_for(lambda: Account(a).create().status == 200),
           "the service came back by itself")
    check(clients, "roles")
    tap.eq(a.process.proc.poll(), None, "the parent lived")


def parent():
    for i in range(3):
        clients = crowd()
        time.sleep(random.uniform(0, 1))
        before = a.roles()
        a.process.proc.kill()
        a.process.proc.wait()
        skerrytest.wait_for(lambda: not any(
            map(skerrytest.alive, before.values())))
        tap.ok(not a.roles(), "no role outlives the parent")
        a.start()
        time.sleep(0.5)
        check(clients, f"parent {i}")


def terminated():
    clients = crowd()
    a.process.term()
    tap.eq(a.process.wait(), 0, "SIGTERM under load ends it")
    a.start()
    check(clients, "SIGTERM")


tap.run(roles, parent, terminated)
