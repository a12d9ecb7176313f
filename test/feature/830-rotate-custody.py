#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The key changes where somebody is left: what a former holder and a revoked
device kept opens nothing that comes after; receipts of every holder, checked
with their public keys alone; rotation with holders away, killed, and by two
devices at once."""

import base64
import glob
import hashlib
import os
import random
import shutil
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PublicKey)

import custodyset  # noqa: E402
import insider  # noqa: E402
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402

t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")))
ch, ie, iceland = s.authorities
a = s.first()
b = s.device().join(a)
data = os.path.join(a.dir, "data")
os.mkdir(data)
for name in ("one", "two"):
    with open(os.path.join(data, name), "wb") as out:
        out.write(os.urandom(400000))


def ok(r, text):
    if r.code != 0:
        t.note(repr(r))
    return t.ok(r.code == 0, text)


class Kept:
    """All that somebody with an authority could have kept at a time: database,
    and the folder of epoch secrets as it was."""

    def __init__(self, authority):
        self.backup = insider.Backup(authority)
        self.secrets = os.path.join(folder(), "epochs")
        shutil.copytree(os.path.join(authority.home, "epochs"), self.secrets)


def opens(key, head):
    r = insider.recover(s.depot.data, key, head, "--log")
    return r.returncode == 0


def receipts(epoch, holders, what):
    """spec/55, Epochs: by the holders' keys, which the policy has."""
    for x in holders:
        path = os.path.join(a.home, f"receipt-{epoch}-{x.name}")
        with open(path, "rb") as f:
            raw = f.read()
        Ed25519PublicKey.from_public_bytes(base64.b64decode(
            x.public["signing"])).verify(
                raw[64:], b"skerry receipt v1\0" + raw[:64])
        t.eq((len(raw), raw[:8]), (128, struct.pack(">BBHI", 1, 1, 0, epoch)),
             f"{what}: a receipt of {x.name} for epoch {epoch} holds")


def blobs(backup, epoch):
    """SHA-256 of an epoch's keyslots, by kind, then device."""
    whole = [backup.slots[k, epoch] for k in (1, 2)
             if (k, epoch) in backup.slots]
    shares = [x for _, x in backup.shares.get(epoch, ())]
    devices = backup.devices.get(epoch, {})
    return hashlib.sha256(b"".join(
        whole + shares + [devices[d] for d in sorted(devices)])).digest()


def to_split():
    ok(a.run("put", data), "put")
    was = Kept(ch)
    key = was.backup.space_key(1)
    t.ok(key is not None and opens(key, was.backup.head),
         "(in standard custody the authority alone can)")
    r = a.run("custody", "set", "split", "--holders",
              "offshore,ireland,iceland", "--threshold", "2", "--json")
    ok(r, "to split custody")
    t.eq(r.json["epoch"], 2, "which changes the key")
    receipts(1, [ch], "standard")
    t.eq([x.epochs() for x in s.authorities], [[2]] * 3, "at every holder")
    now = insider.Backup(ch)
    t.ok(not opens(key, now.head), "the authority's old key is of no use now")
    t.ok(was.backup.space_key(1) is None, "nor does its backup open it")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both devices read")


def rotates_in_split():
    was = [Kept(x).backup for x in s.authorities]
    r = a.run("rotate", "--json")
    ok(r, "rotates in split custody")
    t.eq((r.json["epoch"], len(r.json["receipts"])), (3, 3),
         "epoch 3, and three receipts")
    receipts(2, s.authorities, "split")
    for x, old in zip(s.authorities, was):
        with open(os.path.join(a.home, f"receipt-2-{x.name}"), "rb") as f:
            t.eq(f.read()[32:64], blobs(old, 2),
                 f"it is for the keyslots that {x.name} had")
    t.eq([list(insider.Backup(x).shares) for x in s.authorities], [[3]] * 3,
         "each holder has a share of the new, none of the old")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both devices read")


def leaves_a_holder():
    kept = [Kept(x) for x in s.authorities]
    shares = {}
    for k in kept:
        shares |= k.backup.share(3, k.secrets)
    old = custodyset.join({i: shares[i] for i in (2, 3)})
    t.ok(opens(old, kept[0].backup.head),
         "(two holders that kept all can join epoch 3)")
    r = a.run("custody", "set", "split", "--holders", "offshore,iceland",
              "--threshold", "2", "--json")
    ok(r, "a holder is left")
    t.eq(r.json["epoch"], 4, "which changes the key")
    now = [insider.Backup(x) for x in s.authorities]
    t.eq([list(x.shares) for x in now], [[4], [], [4]],
         "the one that was left gets no share of it")
    t.eq(ie.epochs(), [], "and has destroyed its secrets of before")
    t.eq(kept[1].backup.share(3), {},
         "its backup opens nothing with what it has today")
    t.ok(not opens(old, now[0].head),
         "what two kept of before does not open what is now")
    fresh = now[0].share(4) | now[2].share(4)
    t.eq(sorted(fresh), [1, 2], "(the two that hold now have shares)")
    t.ok(opens(custodyset.join(fresh), now[0].head), "(which do)")
    t.ok(not opens(custodyset.join({**now[0].share(4),
                                    2: shares[2]}), now[0].head),
         "an old share beside a new one is worth nothing")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both devices read")
    r = a.run("custody", "set", "split", "--holders",
              "offshore,ireland,iceland", "--threshold", "2", "--json")
    ok(r, "one more holder again")
    t.ok("receipts" not in r.json, "leaves nobody, and the key as it is")


def with_a_holder_away():
    ie.stop()
    r = a.run("rotate")
    t.eq(r.code, 12, "a holder away: no rotation (AUTHORITY)")
    t.eq((a.reads(data), b.reads(data)), (True, True), "which harms nobody")
    ok(b.run("put", data), "nor a put")
    ie.start()
    ok(a.run("rotate"), "with all there it goes")
    t.eq([len(x.epochs()) for x in s.authorities], [1, 1, 1],
         "and leaves one epoch everywhere")


def killed_in_split():
    random.seed(7)
    took = time.monotonic()
    ok(a.run("rotate"), "once more, for the time it takes")
    took = time.monotonic() - took
    for i in range(6):
        p = a.start("rotate", "--quiet")
        time.sleep(random.uniform(0, took * 1.1))
        p.send_signal(signal.SIGKILL)
        p.wait()
        t.eq((a.reads(data), b.reads(data)), (True, True),
             f"kill {i}: both read")
    ok(a.run("custody", "set", "split", "--holders",
             "offshore,ireland,iceland", "--threshold", "2"),
       "what was begun is not in the way of a new custody")
    ok(a.run("rotate"), "nor of a rotation")
    t.eq([len(x.epochs()) for x in s.authorities], [1, 1, 1],
         "one epoch everywhere")


def both_at_once(custody):
    for i in range(3):
        p = a.start("rotate")
        time.sleep(random.uniform(0, 0.5))
        q = b.start("rotate")
        codes = p.wait(), q.wait()
        if codes != (0, 0):
            t.note(f"{codes} {p.stderr.read()} {q.stderr.read()}")
        t.eq(codes, (0, 0), f"{custody}: two devices rotate at once ({i})")
    t.eq([len(x.epochs()) for x in s.authorities if x.epochs()],
         [1, 1, 1] if custody == "split" else [1], "one epoch is left")
    t.eq((a.reads(data), b.reads(data)), (True, True), "and both read")


def split_both():
    both_at_once("split")


def sealed():
    r = a.run("custody", "set", "sealed", "--json")
    ok(r, "to sealed custody")
    now = insider.Backup(ch)
    t.eq((list(now.devices), now.shares, [k for k, _ in now.slots]),
         ([r.json["epoch"]], {}, [2]),
         "devices' keyslots and the recovery one, of the new epoch alone")
    t.eq([x.epochs() for x in (ie, iceland)], [[], []],
         "the others have destroyed theirs")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both devices read")
    ok(a.run("rotate"), "rotates in sealed custody")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both devices read")
    both_at_once("sealed")


def revokes():
    c = s.device().join(a)
    t.ok(c.reads(data), "a third device")
    ident = bytes.fromhex(c.json("status")["device"])
    kept = Kept(ch)
    (epoch, slots), = kept.backup.devices.items()
    t.ok(ident in slots, "the authority keeps a keyslot for it")
    t.ok(kept.backup.covered(4, epoch, slots[ident]) is not None,
         "(which it can uncover, and not open)")
    r = a.run("revoke", "--json", ident.hex())
    ok(r, "revoked")
    t.eq((r.json["rotated"], r.json["epoch"] > epoch), (True, True),
         "which changes the key")
    now = insider.Backup(ch)
    (new, slots_now), = now.devices.items()
    t.eq((new, sorted(slots_now)), (r.json["epoch"],
                                    sorted(set(slots) - {ident})),
         "no keyslot of the new epoch is for it")
    t.ok(kept.backup.covered(4, epoch, slots[ident]) is None,
         "and its old one is not to be had from a backup")
    t.ok(c.run("get", "--to", os.path.join(c.dir, "x")).code != 0,
         "it is out")
    t.eq((a.reads(data), b.reads(data)), (True, True), "the others read")
    d = s.device().join(a)
    ident = d.json("status")["device"]
    r = a.run("revoke", "--no-rotate", "--json", ident)
    ok(r, "revoked without a rotation")
    now = insider.Backup(ch)
    t.eq((list(now.devices), len(now.devices[new]), r.json["rotated"]),
         ([new], 2, False), "its keyslot is gone all the same")
    t.eq((a.reads(data), b.reads(data)), (True, True), "the others read")
    r = a.run("revoke", "--json", ident)
    t.eq((r.code, r.json["rotated"], list(insider.Backup(ch).devices) > [new]),
         (0, True, True), "broken off so and run again, it changes the key")


def back():
    r = a.run("custody", "set", "standard", "--json")
    ok(r, "to standard custody")
    t.ok("receipts" not in r.json, "leaves nobody, and the key as it is")
    ok(a.run("check", "--full", "--history"), "everything holds")
    c = s.device()
    ok(c.run(*c.enrol_args(), "--recovery-in", a.recovery),
       "the code still lets a device in")
    t.ok(c.reads(data), "which reads")


t.run(to_split, rotates_in_split, leaves_a_holder, with_a_holder_away,
      killed_in_split, split_both, sealed, revokes, back)
