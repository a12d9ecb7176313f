#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rotation and shredding: history and hard links come along, no chunk moves,
the old key is gone from yesterday's backup, a kill at any point loses nothing,
and somebody else's put is not lost."""

import base64
import glob
import hashlib
import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PublicKey)

import insider  # noqa: E402
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, wait_for  # noqa: E402

t = Tap()
s = Site()
a = s.first()
b = s.device().join(a)
data = os.path.join(a.dir, "data")
os.makedirs(os.path.join(data, "private"))
shared = os.urandom(900000)
secret, second = os.urandom(700000), os.urandom(300000)


def write(name, content, root=data):
    with open(os.path.join(root, name), "wb") as f:
        f.write(content)


def digest(content):
    return hashlib.sha256(content).digest()


write("plain", os.urandom(500000))
write("copy", shared)
write("private/secret.txt", secret)
write("private/same", shared)
write("linked", os.urandom(200000))
os.link(os.path.join(data, "linked"), os.path.join(data, "link"))
big = os.path.join(data, "sparse")
with open(big, "wb") as f:
    f.seek(5 << 20)
    f.write(os.urandom(400000))


def ok(r, text):
    if r.code != 0:
        t.note(repr(r))
    return t.ok(r.code == 0, text)


def tree(d, *args):
    """What a device gets, from the authority's keys and not from a lease."""
    d.lock()
    to = os.path.join(d.dir, f"got-{time.monotonic_ns()}")
    r = d.run("get", "--to", to, *args)
    if r.code != 0:
        t.note(repr(r))
        return None
    out = {}
    for base, _, names in os.walk(to):
        for n in names:
            path = os.path.join(base, n)
            with open(path, "rb") as f:
                out[os.path.relpath(path, to)] = (
                    digest(f.read()), os.stat(path).st_nlink)
    return out


def objects():
    out = {}
    for base, _, names in os.walk(s.depot.data):
        for n in names:
            path = os.path.join(base, n)
            out[path] = os.path.getsize(path)
    return out


def rotation():
    ok(a.run("put", data), "a first commit")
    write("private/secret.txt", second)
    ok(a.run("put", data), "a second")
    # Over 110 chunks: its content list is in chunks of its own.
    write("private/long", os.urandom(66 << 20))
    ok(a.run("put", os.path.join(data, "private/long"), "--to",
             "data/private"), "and a long file")
    os.unlink(os.path.join(data, "private/long"))
    before = tree(b, "data"), tree(b, "--commit", "1", "data")
    old = objects()
    r = a.run("rotate", "--json")
    if not ok(r, "rotates"):
        return
    t.eq((r.json["epoch"], r.json["commit"]), (2, 4),
         "epoch 2, a commit on top")
    grown = sum(objects().values()) - sum(old.values())
    t.ok(grown < 400000, f"no chunk moved ({grown} bytes more at the depot)")
    t.eq(len(r.json["receipts"]), 1, "one receipt")
    t.eq(len(glob.glob(os.path.join(a.home, "receipt-1-offshore"))), 1,
         "which is kept")
    t.eq(s.authority.epochs(), [2], "the authority has one secret")
    after = tree(b, "data"), tree(b, "--commit", "1", "data")
    t.ok(before[0] is not None and before == after,
         "another device reads both commits as before")
    t.eq(before[0]["data/link"][1], 2, "hard links are still links")
    t.eq([x["number"] for x in a.json("log")["commits"]], [4, 3, 2, 1],
         "the log is whole")
    ok(a.run("check", "--full", "--history"), "and everything holds")
    sent = a.json("put", os.path.join(data, "copy"))["stored"]
    t.ok(sent < 1 << 20, "what is there is found, and not sent again")
    write("new", b"new")
    ok(b.run("put", os.path.join(data, "new")), "another device stores")
    ok(a.run("rotate"), "rotates again")
    ok(b.run("cat", "new"), "and again it reads")


def receipt(epoch):
    """spec/55, Epochs: by the authority's public key and no code of ours."""
    with open(os.path.join(a.home, f"receipt-{epoch}-offshore"), "rb") as f:
        raw = f.read()
    Ed25519PublicKey.from_public_bytes(base64.b64decode(
        s.authority.public["signing"])).verify(
            raw[64:], b"skerry receipt v1\0" + raw[:64])
    return raw


def shred():
    yesterday = insider.Backup(s.authority)
    epoch = max(e for k, e in yesterday.slots)
    key = yesterday.space_key(epoch)
    t.ok(key is not None, "(before: root key and backup open the keyslot)")
    got = insider.restored(s.depot.data, key, yesterday.head)
    t.ok({digest(secret), digest(second), digest(shared)} <= got,
         "(and with it the depot's bytes, both versions)")
    t.ok(a.run("shred", "data/private").code != 0,
         "without a terminal it does not go on unasked")
    t.ok(a.run("shred", "--yes", "nowhere").code != 0,
         "what is nowhere is not shredded")
    r = a.run("shred", "--yes", "--json", "data/private")
    if not ok(r, "shreds"):
        return
    t.note(str({k: v for k, v in r.json.items() if isinstance(v, int)}))
    t.ok(r.json["removed"] > 0 and r.json["chunks_dropped"] >= 66 / 2 + 2,
         "entries and chunks")  # of 2 MiB at most
    t.eq(r.json["messages"], 1, "and a message that named them")
    t.ok(r.json["chunks_kept"] > 0, "what others share is said to stay")
    t.ok(len(r.json["unproven"]) >= 3, "it says what it cannot prove")
    raw = receipt(epoch)
    t.eq((raw[:24], raw[32:64]),
         (struct.pack(">BBHI", 1, 1, 0, epoch) + yesterday.space,
          digest(yesterday.slots[1, epoch] + yesterday.slots[2, epoch])),
         "the receipt is for the keyslots that the backup has")
    now = max(s.authority.epochs())
    t.eq(s.authority.epochs(), [now], "one secret is left")
    t.eq(yesterday.space_key(epoch), None,
         "root key and yesterday's database open nothing")
    today = insider.Backup(s.authority)
    new = today.space_key(now)
    t.ok(new is not None and new != key, "(today's opens today's key)")
    t.ok(insider.recover(s.depot.data, new, yesterday.head, "--log"
                         ).returncode != 0, "which opens no old head")
    left = insider.restored(s.depot.data, new, today.head)
    t.ok(digest(shared) in left, "with it all that stayed is read")
    t.ok(not {digest(secret), digest(second)} & left,
         "and of what was shredded nothing")
    t.ok(digest(secret) in insider.restored(s.depot.data, key,
                                            yesterday.head),
         "(the depot has the bytes still: it is the key that is gone)")
    for d in (a, b):
        for n in [x["number"] for x in d.json("log")["commits"]]:
            got = tree(d, "--commit", str(n))
            t.ok(got is not None and not any("private" in p for p in got),
                 f"commit {n} has no such path")
    log = a.run("log").out + a.run("log", "--json").out
    t.ok("private" not in log, "nor does the log")
    ok(a.run("check", "--full", "--history"), "everything else holds")
    ok(b.run("put", os.path.join(data, "plain")), "another device goes on")


def recovery():
    c = s.device()
    r = c.run(*c.enrol_args(), "--recovery-in", a.recovery)
    ok(r, "the same code signs a device in")
    t.ok(tree(c, "data") is not None, "and it reads")


def kills():
    random.seed(5)
    want = tree(b)
    took = time.monotonic()
    ok(a.run("rotate"), "once more, for the time it takes")
    took = time.monotonic() - took
    for i in range(12):
        p = a.start("rotate", "--quiet")
        time.sleep(random.uniform(0, took * 1.1))
        p.send_signal(signal.SIGKILL)
        p.wait()
        got = tree(b)
        if not t.ok(got == want, f"kill {i}: all is there"):
            return
        if i % 3 == 2:
            ok(b.run("put", os.path.join(data, "plain")), "a put goes on")
            want = tree(b)
    ok(a.run("rotate"), "and then one that ends")
    t.eq(len(s.authority.epochs()), 1, "leaves one epoch")
    t.eq(tree(b), want, "and all files")
    ok(a.run("check", "--full", "--history"), "which hold")


def conflict():
    more = os.path.join(b.dir, "more")
    os.mkdir(more)
    for i in range(6):
        write(f"f{i}", os.urandom(3 << 20), more)
        p, q = a.start("rotate"), b.start("put", more)
        codes = p.wait(), q.wait()
        if codes != (0, 0):
            t.note(f"{codes} {p.stderr.read()} {q.stderr.read()}")
        t.eq(codes, (0, 0), f"rotate and put at the same time ({i})")
        got = tree(a, "more")
        t.ok(got is not None and len(got) == i + 1, "nothing is lost")
    ok(a.run("check", "--full", "--history"), "all holds")


def listed():
    """Seconds that it takes another device to get the key and list."""
    b.lock()
    began = time.monotonic()
    if b.run("ls").code != 0:
        t.ok(False, "others are served")
    return time.monotonic() - began


def under_a_backup():
    """Who reads the database keeps what was deleted in it: then nothing is
    said to be destroyed, and it is as soon as that is over."""
    path = os.path.join(s.authority.home, "db", "authority.sqlite")
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True,
                         isolation_level=None)
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM leaf").fetchall()
    old, = s.authority.epochs()
    usual = listed()
    r = a.run("rotate")
    t.ok(r.code == 17 and "not destroyed everywhere" in r.err,
         "a rotation under a backup: PARTIAL") or t.note(repr(r))
    t.ok(old in s.authority.epochs(), "the old secret is still there")
    p, took = a.start("rotate"), []
    while p.poll() is None:
        took.append(listed())
    t.eq(p.returncode, 17, "and another one")
    # A machine that stands still does so for some of them.
    t.ok(sorted(took)[len(took) // 2] < 3 + 20 * usual,
         "others are served meanwhile, and at once") \
        or t.note(f"{took} s, else {usual:.1f} s")
    db.close()
    t.ok(wait_for(lambda: old not in s.authority.epochs()),
         "once the backup is done, it goes")


def both():
    for i in range(3):
        p = a.start("rotate")
        time.sleep(random.uniform(0, 0.5))
        q = b.start("rotate")
        codes = p.wait(), q.wait()
        if codes != (0, 0):
            t.note(f"{codes} {p.stderr.read()} {q.stderr.read()}")
        t.eq(codes, (0, 0), f"two devices rotate at once ({i})")
    t.eq(len(s.authority.epochs()), 1, "one epoch is left")
    t.eq(tree(a), tree(b), "and both read the same")
    ok(a.run("check", "--full", "--history"), "all holds")


t.run(rotation, shred, recovery, kills, conflict, under_a_backup, both)
