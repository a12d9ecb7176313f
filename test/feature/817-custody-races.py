#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A device that is let in, a move of the custody and a rotation, two of them at
once by two devices, each at the worst moment: one of both begins anew or is
refused with what to do, nothing is lost, and what was destroyed stays so."""

import os
import random
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import insider  # noqa: E402
from evil import Evil  # noqa: E402
from skerrysite import Site  # noqa: E402
from skerrytest import Tap  # noqa: E402

t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")))
ch, ie, iceland = s.authorities
evil = Evil(ch)
a = s.first()
b = s.device().join(a)
data = os.path.join(a.dir, "data")
with open(data, "wb") as out:
    out.write(os.urandom(200000))
if a.run("put", data).code != 0:
    raise RuntimeError("put")
SPLIT = ("split", "--holders", "offshore,ireland,iceland", "--threshold", "2")
OTHER = ("split", "--holders", "offshore,ireland", "--threshold", "2")


def ok(r, text):
    if not t.ok(r.code == 0, text):
        t.note(repr(r))


def sound(what, *devices):
    ok(devices[0].run("rotate"), f"{what}: and can rotate")
    t.ok(all(len(x.epochs()) <= 1 for x in s.authorities),
         f"{what}: which leaves one epoch")
    t.ok(all([d.reads(data) for d in devices]), f"{what}: and all read")


def meanwhile(path, what, skip=0):
    """Once, between the home's answer to a path and who asked."""
    left = [skip + 1]
    lock = threading.Lock()

    def plan(p, j):
        with lock:
            now = p == path
            left[0] -= now
            now = now and left[0] == 0
        if now:
            what()
        return j
    evil.plan = plan


def let_in(at, what):
    """While b rotates a sealed space, a lets a third device in."""
    c = s.device()
    b.lock()
    meanwhile(at, lambda: c.join(a))
    r = b.run("rotate")
    evil.plan = None
    ok(r, f"{what}: the rotation ends well")
    t.ok(c.reads(data), f"{what}: the device reads")
    ok(a.run("revoke", c.json("status")["device"]),
       f"{what}: it goes again, with another key")
    t.eq((len(ch.epochs()), b.reads(data)), (1, True),
         f"{what}: one epoch is left")


def joins():
    ok(a.run("custody", "set", "sealed"), "sealed")
    let_in("/v1/session", "let in before the new epoch")
    let_in("/v1/epochs", "let in after the new epoch began")
    let_in("/v1/head", "let in after the head moved")
    ok(a.run("custody", "set", "standard"), "standard")
    c = s.device()
    b.lock()
    meanwhile("/v1/session", lambda: c.join(a))
    ok(b.run("custody", "set", "sealed"), "let in while it is sealed")
    evil.plan = None
    t.ok(c.reads(data), "the device reads")
    ok(a.run("revoke", c.json("status")["device"]), "it goes again")


def admits_under_a_rotation():
    """The other way round: b rotates, whole, while a lets a device in."""
    c = s.device()
    code = c.json(*c.enrol_args(), "--no-wait")["code"]
    a.lock()
    meanwhile("/v1/session", lambda: ok(b.run("rotate"), "a rotation"))
    ok(a.run("approve", "--yes", code), "approved under a rotation")
    evil.plan = None
    ok(c.run(*c.enrol_args()), "let in")
    t.ok(c.reads(data), "the device reads")
    ok(a.run("revoke", c.json("status")["device"]), "it goes again")


def moves_under_a_rotation():
    for mode in (SPLIT, ("standard",)):
        a.lock()
        was = ch.epochs()
        meanwhile("/v1/session", lambda: ok(b.run("rotate"), "a rotation"))
        ok(a.run("custody", "set", *mode),
           f"to {mode[0]}, with a rotation before it")
        evil.plan = None
        t.ok(not set(was) & set(ch.epochs()),
             "what that destroyed does not come back")
        sound(f"to {mode[0]}", a, b)


def rotates_under_a_move():
    ok(a.run("custody", "set", *SPLIT), "split")
    for at, mode in (("/v1/session", OTHER), ("/v1/epochs", SPLIT)):
        b.lock()
        meanwhile(at, lambda: ok(a.run("custody", "set", *mode), "a move"))
        r = b.run("rotate")
        evil.plan = None
        ok(r, f"a move under a rotation, at {at}: it begins anew")
        sound(f"a move at {at}", a, b)
    ok(a.run("custody", "set", *OTHER), "a holder is left")
    t.eq(list(insider.Backup(iceland).shares), [], "and holds nothing")


def two_moves():
    ok(b.run("custody"), "both know the custody")
    b.lock()
    meanwhile("/v1/session", lambda: ok(a.run(
        "custody", "set", "standard", "--no-rotate"), "a move"))
    r = b.run("custody", "set", *SPLIT)
    evil.plan = None
    refused = r.code == 16 and "nothing was changed by this command" in r.err
    # Where it had receipts to ask for first, it was told of the other's.
    told = r.code == 0 and "the custody is now standard" in r.err
    t.ok(refused or told,
         "of two moves at once one is refused (CONFLICT), or comes later") \
        or t.note(repr(r))
    t.eq(a.json("custody")["custody"], "standard" if refused else "split",
         "that of the one that was not counts")
    sound("two moves", a, b)
    p = [a.start("custody", "set", "sealed") for _ in range(2)]
    codes = [(x.communicate(timeout=120)[1], x.returncode) for x in p]
    t.ok(all(c == 0 or (c == 16 and b"under way" in e) for e, c in codes) and
         any(c == 0 for _, c in codes),
         "two by one device: in turn, or one is told of the other") \
        or t.note(repr(codes))
    sound("two by one device", a, b)


def shares(holder):
    path = os.path.join(holder.home, "db", "authority.sqlite")
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    n = db.execute("SELECT count(*) FROM share").fetchone()[0]
    db.close()
    return n


def broken_off():
    """Moves that the home never heard of, and one that it alone heard of."""
    if a.json("custody")["custody"] != "standard":
        ok(a.run("custody", "set", "standard"), "standard")
    was = shares(ie), shares(iceland)
    evil.drips = "/v1/custody"
    for i in range(5):
        before = shares(ie), shares(iceland)
        time.sleep(1.1)  # sets of one second are one set
        p = a.start("custody", "set", *SPLIT)
        while p.poll() is None and (shares(ie) == before[0] or
                                    shares(iceland) == before[1]):
            time.sleep(0.05)
        p.kill()
        p.communicate()
    evil.drips = None
    t.eq((shares(ie), shares(iceland)), (was[0] + 5, was[1] + 5),
         "five moves were broken off")
    time.sleep(1.1)
    meanwhile("/v1/custody", lambda: (p.kill(), p.wait()))
    p = a.start("custody", "set", *SPLIT)
    p.communicate()
    evil.plan = None
    t.eq((shares(ie), shares(iceland)), (was[0] + 6, was[1] + 6),
         "the sixth came into force, and nobody but the home knows")
    t.ok(b.reads(data), "another device reads")
    t.eq((shares(ie), shares(iceland)), (1, 1),
         "and has told the holders, which keep their share of that one")
    sound("broken off", a, b)


def at_random():
    if os.environ.get("SKERRY_SANITIZED"):  # the moments above are the same
        return
    random.seed(3)
    for i, mode in enumerate((SPLIT, ("sealed",))):
        p = b.start("rotate")
        time.sleep(random.uniform(0, 0.6))
        q = a.start("custody", "set", *mode)
        codes = p.wait(), q.wait()
        t.ok(set(codes) <= {0, 16, 17}, f"at once ({i}): {codes}")
        if codes != (0, 0):
            t.note(p.stderr.read().decode() + q.stderr.read().decode())
        sound(f"at once ({i})", a, b)


t.run(joins, admits_under_a_rotation, moves_under_a_rotation,
      rotates_under_a_move, two_moves, broken_off, at_random)
