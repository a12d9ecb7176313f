#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever held keyslots of a custody that is left signs that they are
destroyed: receipts that hold by public keys alone and are in the holder's log;
a holder that is down, one that gives none, one that gives a wrong one, and a
client that is killed before it could ask."""

import base64
import glob
import hashlib
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PublicKey)

import insider  # noqa: E402
import logjudge  # noqa: E402
from evil import Evil  # noqa: E402
from skerrysite import Site  # noqa: E402
from skerrytest import Tap  # noqa: E402

t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")))
ch, ie, iceland = s.authorities
evil = {x.name: Evil(x) for x in (ch, ie)}
a = s.first()
data = os.path.join(a.dir, "data")
with open(data, "wb") as out:
    out.write(os.urandom(100000))

ALL = ("split", "--holders", "offshore,ireland,iceland", "--threshold", "2")
TWO = ("split", "--holders", "offshore,ireland", "--threshold", "2")
OTHER = ("split", "--holders", "offshore,iceland", "--threshold", "2")


def move(*args, want=0, what):
    r = a.run("custody", "set", "--json", *args)
    t.eq(r.code, want, what)
    if r.code != want:
        t.note(repr(r))
    return r.json


def proved(j):
    return sorted((x["holder"], x["epoch"]) for x in j["left"])


def unproved(j):
    return sorted((x["holder"], x["epochs"]) for x in j["unproved"])


def holds(raw, holder):
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(
            holder.public["signing"])).verify(
                raw[64:], b"skerry receipt v1\0" + raw[:64])
        return len(raw) == 128
    except InvalidSignature:
        return False


def kept(epoch, holder, serial):
    path = os.path.join(a.home, f"receipt-{epoch}-{holder.name}-left-{serial}")
    with open(path, "rb") as f:
        return f.read()


def had(holder, epoch):
    """SHA-256 of an epoch's keyslots that a custody has, as they are now."""
    b = insider.Backup(holder)
    return hashlib.sha256(b"".join(
        [x for k, x in b.slots.items() if k == (1, epoch)] +
        [x for _, x in b.shares.get(epoch, ())])).digest()


def check(epoch, holder, serial, before, what):
    raw = kept(epoch, holder, serial)
    t.ok(holds(raw, holder), f"{what}: the receipt of {holder.name} holds")
    t.eq((raw[:8], raw[8:24].hex(), raw[32:64]),
         (struct.pack(">BBHI", 1, 2, 0, epoch), a.json("status")["space"],
          before), f"{what}: for what it had of epoch {epoch}")
    return raw


def in_log(holder, raw, what):
    """Its entry, as the owner opens it to an auditor."""
    hidden = {}
    for x in a.json("audit", "--full")["logs"]:
        for e in x.get("entries", ()):
            if x["authority"] == holder.name and e["what"] == \
                    "epoch destroyed":
                hidden[e["index"]] = e["good"]
    bodies = []
    for i in hidden:
        p = subprocess.run(
            a.argv("audit", "--open", str(i), "--authority", holder.name),
            capture_output=True, env=a.env)
        bodies.append(logjudge.Opened(p.stdout.decode(), logjudge.Key(
            holder.public["log"])).body)
    want = raw[8:24] + raw[4:8] + hashlib.sha256(raw).digest()
    t.ok(all(hidden.values()) and [b[16:] for b in bodies].count(want) == 1,
         f"{what}: the log of {holder.name} has one entry of it")


def leaves():
    t.eq(a.run("put", data).code, 0, "put")
    before = had(ch, 1)
    j = move(*ALL, what="from standard to split custody")
    t.eq((proved(j), unproved(j)), ([("offshore", 1)], []),
         "the authority shows that it destroyed the whole key")
    raw = check(1, ch, 2, before, "standard left")
    in_log(ch, raw, "standard left")
    before = {x.name: had(x, 2) for x in s.authorities}
    j = move(*TWO, what="a holder is left")
    t.eq((proved(j), unproved(j)), ([("iceland", 2), ("ireland", 2),
                                     ("offshore", 2)], []),
         "all three show that they destroyed the shares of before")
    for x in s.authorities:
        raw = check(2, x, 3, before[x.name], "a holder left")
        in_log(x, raw, "a holder left")
    r = a.run("custody")
    t.ok("receipt:" not in r.out and "unproved" not in r.out,
         "once: there is nothing left to ask")


def shares(holder):
    return list(insider.Backup(holder).shares)


def down():
    move(*ALL, what="three again")
    iceland.stop()
    j = move(*TWO, want=17, what="the one that is left is down: PARTIAL")
    t.eq(unproved(j), [("iceland", [3])], "what is not proved, and of whom")
    t.ok("does not answer" in j["unproved"][0]["why"] or
         "iceland" in j["error"]["text"], "and why")
    t.note(j["error"]["text"])
    t.eq((j["custody"], j["epoch"]), ("split", 4),
         "the custody is changed, and the key: what it has opens no more")
    r = a.run("custody")
    t.ok(r.code == 0 and "unproved" in r.out and "iceland" in r.out,
         "custody show says so, too")
    debts = os.path.join(a.home, "leaving")
    shutil.copy(debts, debts + "-then")
    r = a.run("custody", "forget", "ireland")
    t.eq(r.code, 4, "forget: one of which nothing is unproved")
    j = a.run("custody", "forget", "iceland", "--json")
    t.eq((j.code, [(x["holder"], x["epochs"]) for x in
                   j.json["forgotten"]]), (0, [("iceland", [3])]),
         "forget: what stays unproved is said")
    r = a.run("custody")
    t.ok(r.code == 0 and "unproved" not in r.out, "and it is asked no more")
    os.rename(debts + "-then", debts)
    iceland.start()
    before = had(iceland, 3)
    t.eq(shares(iceland), [3], "(it is back, and still has its share)")
    j = a.json("custody")
    t.eq((proved(j), unproved(j)), ([("iceland", 3)], []),
         "asked again, it shows that it is destroyed")
    t.eq(shares(iceland), [], "which it is")
    check(3, iceland, 5, before, "later")
    j = a.json("custody")
    t.eq((j["left"], j["unproved"]), ([], []), "and is asked no more")


def lies(alter, want, what, why):
    """ireland is left, and lies; then it tells the truth."""
    move(*ALL, what=f"{what}: three again")
    epoch = a.json("status")["epoch"]

    def plan(path, j):
        if path == "/v1/custody" and "receipts" in j:
            alter(j)
        return j
    evil["ireland"].plan = plan
    j = move(*OTHER, "--no-rotate", want=want, what=f"{what}: exit {want}")
    t.eq(unproved(j), [("ireland", [epoch])], f"{what}: nothing is proved")
    t.ok(why in j["unproved"][0]["why"], f"{what}: {why}")
    t.eq(glob.glob(os.path.join(a.home, f"receipt-*-ireland-left-"
                                f"{j['serial']}")), [],
         f"{what}: and nothing is kept as a proof")
    t.eq(unproved(a.json("custody")), [("ireland", [epoch])],
         f"{what}: nor later")
    t.eq(a.run("custody", "forget", "ireland").code, 5,
         f"{what}: nobody gives up while what it kept opens the space")
    evil["ireland"].plan = None
    j = a.json("custody")
    t.eq((proved(j), unproved(j)), ([("ireland", epoch)], []),
         f"{what}: the truth does")


def evil_holders():
    def swap(raw):
        def alter(j):
            j["receipts"] = [base64.b64encode(raw).decode()]
        return alter

    def flip(j):
        raw = bytearray(base64.b64decode(j["receipts"][0]))
        raw[40] ^= 1
        j["receipts"] = [base64.b64encode(raw).decode()]
    none = "gave no receipt"
    wrong = "does not hold"
    lies(lambda j: j["receipts"].clear(), 17, "no receipt", none)
    lies(flip, 13, "an altered receipt", wrong)
    lies(swap(kept(2, ch, 3)), 13, "another's receipt", wrong)
    lies(swap(kept(2, ie, 3)), 17, "an old receipt of its own", none)
    t.eq(a.run("rotate").code, 0, "rotate")
    path = glob.glob(os.path.join(a.home, "receipt-*-offshore"))[-1]
    with open(path, "rb") as f:
        raw = f.read()
    move("standard", what="back to standard")
    evil["offshore"].plan = lambda path, j: {
        **j, "receipts": [base64.b64encode(raw).decode()]} if \
        path == "/v1/custody" and j.get("receipts") else j
    j = move("sealed", "--no-rotate", want=13,
             what="a receipt for an epoch, which is not for a custody: TRUST")
    evil["offshore"].plan = None
    t.eq(unproved(j)[0][0], "offshore", "of the home, too")
    t.eq(a.json("custody")["unproved"], [], "the truth is asked for")


def nonsense():
    """A holder whose answer is none is named in an audit, and no other is."""
    move(*ALL, what="three again")
    evil["ireland"].plan = lambda path, j: \
        {} if path == "/v1/entries" else j
    j = a.json("audit", "--full")
    evil["ireland"].plan = None
    t.eq({x["authority"]: x.get("error", {}).get("code") for x in j["logs"]},
         {"offshore": None, "ireland": "MALFORMED", "iceland": None},
         "an audit reads the logs of the others")
    t.eq(j["error"]["code"], "MALFORMED", "and ends with that")
    ch.stop()
    j = a.json("audit", "--full")
    ch.start()
    t.eq({x["authority"]: x.get("error", {}).get("code") for x in j["logs"]},
         {"offshore": "AUTHORITY", "ireland": None, "iceland": None},
         "so where the home is away")
    move("sealed", "--no-rotate", what="and away again")


def drips():
    """A holder whose answer comes byte by byte is not in the way of the
    others, of which there are enough."""
    move(*ALL, what="three again")
    evil["ireland"].drips = "/v1/session"
    try:
        a.lock()
        r = a.run("ls", timeout=60)
        t.eq(r.code, 0, "the keys come from the others")
    except subprocess.TimeoutExpired:
        t.ok(False, "the keys come from the others: it hangs")
    evil["ireland"].drips = None
    move("sealed", "--no-rotate", what="and away again")


def never_rotated():
    """An epoch that a holder knows by a move alone: its secret goes, too."""
    move("standard", what="a key that only the home has")
    epoch = a.json("status")["epoch"]
    move(*ALL, "--no-rotate", what="the others get shares")
    t.eq((shares(iceland), iceland.epochs()), ([epoch], [epoch]),
         "one has a share, and a secret for it")
    move(*TWO, "--no-rotate", what="it is left")
    t.eq((shares(iceland), iceland.epochs()), ([], []),
         "it has destroyed both")
    move("sealed", what="and away again")


def cut_off(where, *argv):
    """At the answer of one of them to /v1/custody."""
    p = None

    def plan(path, j):
        if path == "/v1/custody":
            p.kill()
            p.wait()
        return j
    evil[where].plan = plan
    p = a.start("custody", "set", *argv)
    p.wait()
    evil[where].plan = None


def broken_off():
    """Before the home had the set: the shares that others got of it go with
    the key that they are of."""
    move("standard", what="a key that only the home has")
    for away in False, True:
        epoch = a.json("status")["epoch"]
        cut_off("ireland", *ALL)
        t.eq((shares(ie), ie.epochs()), ([epoch], [epoch]),
             "a move is broken off, and a share is left")
        j = a.json("custody")
        t.eq((j["custody"], j["given"]), ("standard", True),
             "custody says so")
        if away:
            ie.stop()
            r = a.run("rotate")
            t.ok(r.code == 17 and "ireland" in r.err,
                 "who has it is away: PARTIAL") or t.note(repr(r))
            ie.start()
        t.eq(a.run("custody" if away else "rotate").code, 0,
             "the next command" if away else "a rotation")
        with open(os.path.join(a.home, f"receipt-{epoch}-ireland"),
                  "rb") as f:
            t.ok(holds(f.read(), ie), "has it destroyed, with a receipt")
        t.eq((shares(ie), ie.epochs()), ([], []), "which is so")
        t.eq(a.json("custody")["given"], False, "and that is over")
    cut_off("ireland", *ALL)
    move("standard", what="another move, by which it does not hold either")
    t.eq((shares(ie), ie.epochs()), ([], []), "changes the key, too")


def untold():
    """After the home had it, and before those who hold for the first time."""
    cut_off("offshore", *ALL)
    r = a.run("rotate", "--json")
    t.eq((r.code, a.json("custody")["custody"]), (0, "split"),
         "broken off at the moment of change: a rotation tells the others")
    t.eq((shares(ie), shares(iceland)), ([r.json.get("epoch")],) * 2,
         "which have shares of the new key")
    t.ok(a.reads(data), "that opens")
    move("sealed", what="and away again")


def killed():
    """After the home has taken the set, before anybody was asked."""
    epoch = a.json("status")["epoch"]
    p = None

    def plan(path, j):
        if path == "/v1/custody":
            p.kill()
            p.wait()
        return j
    evil["offshore"].plan = plan
    p = a.start("custody", "set", "standard")
    p.wait()
    evil["offshore"].plan = None
    j = a.json("custody")
    t.eq((j["custody"], j["serial"], proved(j), unproved(j)),
         ("standard", j["serial"], [("offshore", epoch)], []),
         "killed at the moment of change: asked for by the next command")
    j = move("standard", what="the same move again")
    t.ok(j["epoch"] > epoch, "changes the key, which was left to do")
    epoch = j["epoch"]
    j = move("standard", what="and once more")
    t.eq(j["epoch"], epoch, "leaves it, since nobody was left")


t.run(leaves, down, evil_holders, nonsense, drips, never_rotated,
      broken_off, untold, killed)
