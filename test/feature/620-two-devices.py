#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two devices put at once: one of them meets a moved head and merges.  What was
acknowledged is in the final tree, under its name or beside it as *.conflict-*."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import content, settle, write  # noqa: E402

SANITIZED = bool(os.environ.get("SKERRY_SANITIZED"))
ROUNDS = int(os.environ.get("ROUNDS", "8" if SANITIZED else "25"))

t = Tap()
s = Site()
a = s.first()
b = s.device().join(a)
work = folder()
r = random.Random(7)


def side(device):
    return os.path.join(work, "a" if device is a else "b", "shared")


def both(*args):
    """Starts the same command on both devices; waits for both."""
    runs = [d.start(*[x(d) if callable(x) else x for x in args]) for d in (a, b)]
    return [(p.communicate(timeout=120), p.returncode) for p in runs]


def fetched(name):
    """What the space holds: content to file name."""
    out = os.path.join(work, name)
    g = a.run("get", "--to", out)
    if g.code != 0:
        t.ok(False, name)
        t.note(g)
    return {content(os.path.join(w, n)): n for w, _, ns in os.walk(out)
            for n in ns}


def disjoint_and_conflicting_names():
    """A put makes its folder what it is on the device, so a later put of one
    round's folder by the other side would rightly replace it: each round has
    a folder of its own, put once by each."""
    lost, merged, conflicts = [], 0, 0
    for i in range(ROUNDS):
        want = {}
        for d in (a, b):
            for n in range(r.randrange(1, 5)):
                name = f"both{n}" if r.random() < 0.5 else f"{d is a}{n}"
                data = f"{i} {d is a} {n} {r.random()}".encode()
                write(os.path.join(work, "a" if d is a else "b", f"round{i}",
                                   name), data)
                want[data] = name
        done = both("put", "--json", lambda d: os.path.join(
            work, "a" if d is a else "b", f"round{i}"))
        for (out, err), code in done:
            if code != 0:
                t.ok(False, f"round {i}")
                t.note(out + err)
            merged += b'"conflicts":0' not in out
            conflicts += b'"renamed":0' not in out
        found = fetched(f"out{i}")
        lost += [w for w in want if w not in found]
    t.eq(lost, [], f"{ROUNDS} rounds of two puts at once lose nothing")
    t.ok(merged > 0, "some of them met a moved head")
    t.note(f"{merged} merged, {conflicts} kept both versions")


def lay(device, name, files):
    for path, data in files.items():
        write(os.path.join(side(device), name, path), data)


def folder_against_file():
    """One makes a folder where the other makes a file."""
    for i in range(6):
        lay(a, f"clash{i}", {"x/inside": b"in folder %d" % i})
        lay(b, f"clash{i}", {"x": b"as file %d" % i})
        done = both("put", "--json",
                    lambda d: os.path.join(side(d), f"clash{i}"))
        codes = [code for _, code in done]
        found = fetched(f"clash-out{i}")
        if b'"conflicts":0' in done[0][0][0] and \
                b'"conflicts":0' in done[1][0][0]:
            continue  # one after the other: the second replaced the first
        ok = codes == [0, 0] and b"in folder %d" % i in found and \
            b"as file %d" % i in found
        t.ok(ok, "a folder and a file of one name both stay") or \
            t.note(f"{codes} {found}")


def everything_is_whole():
    c = a.run("check", "--full", "--history", "--json", timeout=300)
    t.ok(c.code == 0 and c.json["good"], "every commit is whole") or t.note(c)
    settle()
    for d in (a, b):
        x = d.run("put", "--json", os.path.join(work, "a", "round0"))
        t.ok(x.code == 0, "and puts go on") or t.note(x)


t.run(disjoint_and_conflicting_names, folder_against_file, everything_is_whole)
