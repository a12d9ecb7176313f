# SPDX-License-Identifier: Apache-2.0
"""Custody sets, shares, device chains and evidence as spec/55-custody.md and
spec/15-devices.md have them, written from those pages alone: what the programs
write is held against this.  Public keys are all that verifying takes."""

import base64
import hashlib
import json
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

STANDARD, SPLIT, SEALED = 1, 2, 3
DEVICE, OPERATOR = 1, 2
LABEL = b"skerry custody v1\0"


class Bad(Exception):
    pass


def need(ok, why):
    if not ok:
        raise Bad(why)


def public(key):
    return key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def signed_by(pub, message, signature):
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(pub).verify(
            signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def encode(mode, k, serial, epoch, space, prev, time, effective, holders,
           kind, signer, key):
    body = struct.pack(">BBBBII", 1, mode, k, len(holders), serial, epoch)
    body += space + prev + struct.pack(">qq", time, effective)
    for pub, where in holders:
        body += pub + where.encode()
    body += bytes([kind]) + bytes(7) + signer
    return body + key.sign(LABEL + body)


class Set:
    def __init__(self, raw):
        self.raw = raw
        need(len(raw) >= 4 and raw[0] == 1, "version")
        self.mode, self.k, self.n = raw[1:4]
        need(len(raw) == 164 + 34 * self.n, "length")
        self.serial, self.epoch = struct.unpack(">II", raw[4:12])
        self.space, self.prev = raw[12:28], raw[28:60]
        self.time, self.effective = struct.unpack(">qq", raw[60:76])
        at = 76
        self.holders = []
        for _ in range(self.n):
            self.holders.append((raw[at:at + 32], raw[at + 32:at + 34]))
            at += 34
        self.kind, zero = raw[at], raw[at + 1:at + 8]
        self.signer = raw[at + 8:at + 24]
        self.signature = raw[at + 24:]
        if self.mode == SPLIT:
            need(2 <= self.k <= self.n <= 16, "k of n")
        else:
            need(self.mode in (STANDARD, SEALED) and self.k == self.n == 1,
                 "k of n")
        need(zero == bytes(7), "zero")
        need(self.serial >= 1 and self.epoch >= 1, "serial, epoch")
        need((self.serial == 1) == (self.prev == bytes(32)), "previous")
        for i in (0, 1):
            one = [h[i] for h in self.holders]
            need(len(set(one)) == len(one), "holders alike")
        need(all(97 <= c <= 122 for _, w in self.holders for c in w),
             "jurisdiction")
        need(0 <= self.time <= self.effective, "times")
        if self.kind == DEVICE:
            need(self.effective == self.time, "times")
        else:
            need(self.kind == OPERATOR and self.signer == bytes(16) and
                 self.serial > 1, "signer")

    @property
    def hash(self):
        return hashlib.sha256(self.raw).digest()

    def verifies(self, pub):
        return signed_by(pub, LABEL + self.raw[:-64], self.signature)

    def follows(self, before):
        return (self.space == before.space and self.prev == before.hash and
                self.serial == before.serial + 1 and
                self.epoch >= before.epoch)


class Chain:
    """Devices by id: (signing key, live, is a recovery key)."""

    def __init__(self, entries):
        self.devices, last = {}, bytes(32)
        for seq, e in enumerate(entries):
            need(len(e) == 216 and e[0] == 1, "entry")
            op = e[1]
            who, ed, box = e[56:72], e[72:104], e[104:136]
            signer = e[136:152]
            pair = hashlib.sha256(b"skerry device v1" + ed + box).digest()
            need(pair[:16] == who, "id of the keys")
            need(e[4:8] == struct.pack(">I", seq) and e[8:40] == last,
                 "does not continue the chain")
            by = ed if seq == 0 else self.live(signer)
            need(by is not None, "signer is not live")
            need(signed_by(by, b"skerry device v1 chain\0" + e[:152],
                           e[152:]), "signature")
            if op == 2:
                self.devices[who] = (ed, False, self.devices[who][2])
            else:
                need(who not in self.devices, "twice")
                self.devices[who] = (ed, True, op == 3)
            last = hashlib.sha256(e).digest()

    def live(self, who):
        d = self.devices.get(who)
        return d[0] if d and d[1] else None

    def device(self, who):
        d = self.devices.get(who)
        return d[0] if d and not d[2] else None


def multiply(a, b):
    r = 0
    while b:
        if b & 1:
            r ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11d
        b >>= 1
    return r


def invert(a):
    return next(b for b in range(1, 256) if multiply(a, b) == 1)


def split(coefficients, n):
    """coefficients[0] is the key; the shares of holders 1..n."""
    out = []
    for x in range(1, n + 1):
        share = bytearray(32)
        for i in range(32):
            for c in reversed(coefficients):
                share[i] = multiply(share[i], x) ^ c[i]
        out.append(bytes(share))
    return out


def join(shares):
    """{index: share} to the key."""
    key = bytearray(32)
    for x, share in shares.items():
        c = 1
        for m in shares:
            if m != x:
                c = multiply(c, multiply(m, invert(m ^ x)))
        for i in range(32):
            key[i] ^= multiply(c, share[i])
    return bytes(key)


def judge(path):
    """What a file of evidence proves, by public keys alone: raises Bad where it
    proves nothing, else says what was wrong with what the authority showed."""
    with open(path) as f:
        e = json.load(f)
    need(e["v"] == 1, "version")
    raw = base64.b64decode
    chain = Chain([raw(x) for x in e["chain"]])
    if e["what"] == "chain":
        try:
            Chain([raw(x) for x in e["chain"] + e["shown"]["entries"]])
        except Bad as why:
            return f"device chain: {why}"
        raise Bad("the chain is good")
    operator, delay = raw(e["policy_key"]), e["custody_delay"]
    pinned = Set(raw(e["pinned"])) if e["pinned"] else None
    if pinned:
        by = (chain.device(pinned.signer) if pinned.kind == DEVICE
              else operator)
        need(by and pinned.verifies(by), "the pinned set is not genuine")
    known = e["announced"] and Set(raw(e["announced"]["set"]))
    shown = e["shown"]
    try:
        before, sudden = pinned, False
        for s in [Set(raw(x)) for x in shown["sets"]]:
            if before is None:
                need(s.serial == 1, "does not begin with serial 1")
            else:
                if s.serial <= before.serial:
                    need(s.raw == before.raw, "another set of that serial")
                    continue
                need(s.follows(before), "does not follow the pinned set")
            if s.kind == DEVICE:
                by = chain.device(s.signer)
                need(by and s.verifies(by), "no device of the chain signed")
                sudden = False
            else:
                need(s.verifies(operator), "the operator did not sign")
                need(s.effective - s.time >= delay, "delay is too short")
                sudden = not pinned or not (
                    known and known.raw == s.raw and e["time"] >=
                    e["announced"]["first_shown"] + delay)
            before = s
        need(not (pinned and sudden), "was not announced")
        need(before and raw(shown["current"]) == before.raw,
             "the current set is not the one that the sets lead to")
        for holder, where in before.holders:
            need(where.decode() in e["keys"], "keys may not be there")
        if pinned and before.kind == DEVICE and before.raw != pinned.raw:
            known_then = Chain([raw(x) for x in
                                e["chain"][:e["chain_seen"]]])
            need(before.signer not in known_then.devices or
                 known_then.live(before.signer),
                 "its signer was revoked before")
        if shown["announced"]:
            a = Set(raw(shown["announced"]))
            need(a.kind == OPERATOR and a.follows(before),
                 "the announcement does not follow")
            need(a.verifies(operator), "the operator did not announce it")
            need(a.effective - a.time >= delay, "delay is too short")
        elif known and before.raw == pinned.raw:
            need(False, "an announcement was taken back in silence")
    except Bad as why:
        return f"custody: {why}"
    raise Bad("what was shown is in order")


def receipt(raw, pub):
    """The fields of a destruction receipt, or Bad: spec/55, Epochs."""
    need(raw[:1] == b"\1", "receipt: version")
    need(len(raw) == 128, "receipt: length")
    what, zero, epoch, space, time, blobs = struct.unpack(">BHI16sq32s",
                                                          raw[1:64])
    need(what in (1, 2) and zero == 0 and epoch >= 1 and time >= 0,
         "receipt: fields")
    need(signed_by(pub, b"skerry receipt v1\0" + raw[:64], raw[64:]),
         "receipt: signature")
    return what, epoch, space, time, blobs


def receipts(fill, key, space):
    def make(what=1, epoch=2, time=1000, version=1, zero=0):
        raw = struct.pack(">BBHI16sq32s", version, what, zero, epoch, space,
                          time, fill(b"blobs", 32))
        return raw + key.sign(b"skerry receipt v1\0" + raw)
    good = make()
    cases = [{"name": n, "bytes": raw.hex(), "result": r} for n, raw, r in (
        ("of an epoch", good, "OK"),
        ("of a custody left", make(what=2), "OK"),
        ("the last epoch", make(epoch=2**32 - 1), "OK"),
        ("nothing", b"", "MALFORMED"),
        ("a byte too few", good[:-1], "MALFORMED"),
        ("a byte too many", good + b"\0", "MALFORMED"),
        ("version 2", make(version=2), "VERSION"),
        ("what 0", make(what=0), "MALFORMED"),
        ("what 3", make(what=3), "MALFORMED"),
        ("reserved bytes", make(zero=1), "MALFORMED"),
        ("epoch 0", make(epoch=0), "MALFORMED"),
        ("a time before 1970", make(time=-1), "MALFORMED"),
        ("another epoch than was signed",
         good[:7] + b"\3" + good[8:], "TAMPERED"),
        ("other keyslots than were signed",
         good[:63] + bytes([good[63] ^ 1]) + good[64:], "TAMPERED"),
        ("another signature", good[:127] + bytes([good[127] ^ 1]),
         "TAMPERED"))]
    return {"format": "receipt", "signing": public(key).hex(), "cases": cases}


def vectors():
    """The frozen vectors, made from nothing but this file."""
    def fill(tag, n):
        return hashlib.sha512(b"skerry vector " + tag).digest()[:n]
    key = ed25519.Ed25519PrivateKey.from_private_bytes(fill(b"key", 32))
    holders = [(fill(b"holder %d" % i, 32), w) for i, w in
               enumerate(["ie", "ch", "is"])]
    space, signer = fill(b"space", 16), fill(b"signer", 16)
    one = encode(STANDARD, 1, 1, 1, space, bytes(32), 1000, 1000,
                 holders[:1], DEVICE, signer, key)
    two = encode(SPLIT, 2, 2, 2, space, Set(one).hash, 2000, 2000, holders,
                 DEVICE, signer, key)
    three = encode(SEALED, 1, 3, 3, space, Set(two).hash, 3000, 2595000,
                   holders[:1], OPERATOR, bytes(16), key)
    cases = []

    def case(name, raw, result="OK"):
        cases.append({"name": name, "bytes": raw.hex(), "result": result})

    def poke(name, raw, at, value, result="MALFORMED"):
        case(name, raw[:at] + value + raw[at + len(value):], result)
    for name, raw in (("standard", one), ("split", two), ("sealed", three)):
        case(name, raw)
        case(name + ", a byte too few", raw[:-1], "MALFORMED")
        case(name + ", a byte too many", raw + b"\0", "MALFORMED")
    case("nothing", b"", "MALFORMED")
    poke("version 2", one, 0, b"\x02", "VERSION")
    poke("mode 4", one, 1, b"\x04")
    poke("mode 0", one, 1, b"\x00")
    poke("k 2 in standard", one, 2, b"\x02")
    poke("k 1 in split", two, 2, b"\x01")
    poke("k 4 of 3", two, 2, b"\x04")
    poke("n too small", two, 3, b"\x02")
    poke("serial 0", one, 4, bytes(4))
    poke("epoch 0", one, 8, bytes(4))
    poke("serial 1 with a set before", one, 28, b"\1")
    poke("serial 2 without one", two, 28, bytes(32))
    poke("effective later, by a device", one, 75, b"\xff")
    poke("effective before time", three, 68, bytes(8))
    poke("jurisdiction in capitals", one, 108, b"IE")
    poke("two holders in one jurisdiction", two, 142, b"ie")
    poke("two holders alike", two, 110, holders[0][0])
    poke("signer kind 3", one, 110, b"\3")
    poke("reserved byte", one, 111, b"\1")
    poke("an operator with an id", three, 118, b"\1")
    shares = []
    for k, n in ((2, 3), (3, 5), (16, 16)):
        c = [fill(b"coefficient %d %d" % (k, i), 32) for i in range(k)]
        shares.append({
            "k": k, "n": n, "coefficients": [x.hex() for x in c],
            "shares": [x.hex() for x in split(c, n)]})
    return {"receipt/receipt": receipts(fill, key, space),
            "custody/custody": {"format": "custody", "cases": cases},
            "custody/shares": {"format": "shares", "cases": shares}}
