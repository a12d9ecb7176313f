# SPDX-License-Identifier: Apache-2.0
"""The public log as spec/60-log.md and the pages that it names have it, written
from those pages alone: notes, trees, proofs, entries and evidence.  Public keys
are all that judging takes."""

import base64
import hashlib
import hmac
import json
import re
import struct

from custodyset import Bad, Chain, need, signed_by

TYPES = {1: "enrolment", 2: "device added", 3: "device revoked",
         4: "custody set", 5: "release", 6: "epoch rotated", 7: "request",
         8: "policy", 9: "epoch destroyed"}


def raw(text):
    return base64.b64decode(text, validate=True)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def node(left, right):
    return sha(b"\1", left, right)


class Key:
    """A verifier key, name+id+key."""

    def __init__(self, text):
        self.name, ident, key = text.strip().split("+", 2)
        key = raw(key)
        self.id = sha(self.name.encode(), b"\n", key)[:4]
        need(self.id.hex() == ident and len(key) == 33, "verifier key")
        self.type, self.pub = key[0], key[1:]


class Checkpoint:
    """Signed by the log; cosigned by those of the witnesses that did."""

    def __init__(self, note, log, witnesses=()):
        text, _, lines = note.rpartition("\n\n")
        need(lines.endswith("\n"), "note")
        text += "\n"
        self.text = text
        signed, self.cosigned = False, []
        for line in lines[:-1].split("\n"):
            dash, name, blob = line.split(" ")
            need(dash == "\u2014", "signature line")
            blob = raw(blob)
            if name == log.name and blob[:4] == log.id:
                need(signed_by(log.pub, text.encode(), blob[4:]),
                     "the log's signature")
                signed = True
            for w in witnesses:
                if name == w.name and blob[:4] == w.id:
                    time = struct.unpack(">Q", blob[4:12])[0]
                    need(signed_by(w.pub, b"cosignature/v1\ntime %d\n" % time
                                   + text.encode(), blob[12:]),
                         "a witness's signature")
                    self.cosigned.append(w.name)
        need(signed, "the log did not sign it")
        origin, size, root = text.split("\n")[:3]
        need(origin == log.name, "another log's")
        self.size, self.root = int(size), raw(root)


def check_inclusion(path, index, size, leaf, root):
    """RFC 9162, 2.1.3.2."""
    need(index < size, "index")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn != 0, "too long a path")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node(r, p)
        fn >>= 1
        sn >>= 1
    need(sn == 0 and r == root, "inclusion")


def check_consistency(path, old, size, old_root, root):
    """RFC 9162, 2.1.4.2."""
    need(0 < old < size, "sizes")
    if old & (old - 1) == 0:
        path = [old_root, *path]
    need(path, "empty proof")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn != 0, "too long a proof")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node(sr, c)
        fn >>= 1
        sn >>= 1
    need(sn == 0 and fr == old_root and sr == root, "consistency")


class Entry:
    def __init__(self, entry):
        need(len(entry) >= 92 and entry[0] == 1, "entry")
        self.type = entry[1]
        self.time, self.nonce = struct.unpack(">Q16s", entry[2:26])
        self.tag, self.commitment = entry[26:58], entry[58:90]
        self.public = entry[92:]
        need(len(self.public) == struct.unpack(">H", entry[90:92])[0],
             "public part")
        self.bound = (bytes([self.type]) + struct.pack(">Q", self.time) +
                      self.nonce + sha(self.public))

    def mac(self, key, what, *more):
        return hmac.new(key, b"skerry log v1 " + what + self.bound +
                        b"".join(more), "sha256").digest()

    def recognised(self, key):
        return self.tag == self.mac(key, b"tag")

    def opens(self, key, body):
        return self.recognised(key) and self.commitment == self.mac(
            key, b"body", body)


class Request:
    """The public part of an entry of type 7."""

    STATES = {1: "entered", 2: "approved", 3: "refused", 4: "withdrawn",
              5: "served"}
    NEXT = {0: (1,), 1: (2, 3, 4), 2: (3, 4, 5)}

    def __init__(self, public):
        need(len(public) in (19, 27), "public part")
        self.state, self.id = public[0], public[1:17]
        self.jurisdiction = public[17:19].decode("ascii", "replace")
        self.until = int.from_bytes(public[19:], "big")
        need(self.state in self.STATES, "state")
        need(re.fullmatch("[a-z]{2}", self.jurisdiction), "jurisdiction")
        need(len(public) == 19 or 0 < self.until < 253402300800, "until")

    @staticmethod
    def text(body):
        """What the body says."""
        need(1 <= len(body) <= 4096, "length of the text")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Bad("text is not UTF-8")
        need(not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f]", text), "control")
        return text


class Release:
    """The body of an entry of type 5."""

    def __init__(self, b):
        need(len(b) >= 174, "body")
        self.account, self.space = b[:16], b[16:32]
        self.epoch, self.device = struct.unpack(">I16s", b[32:52])
        self.created, self.nonce = struct.unpack(">Q16s", b[52:76])
        self.digest, self.signature = b[76:108], b[108:172]
        self.host = b[173:].decode()
        need(len(self.host) == b[172], "host")

    def asked(self, pub):
        """Whether that device signed the request to /v1/session."""
        digest = base64.b64encode(self.digest).decode()
        base = (f'"@method": POST\n"@authority": {self.host}\n'
                f'"@path": /v1/session\n"content-digest": '
                f'sha-256=:{digest}:\n"@signature-params": ("@method" '
                f'"@authority" "@path" "content-digest");created='
                f'{self.created};nonce="{self.nonce.hex()}";keyid='
                f'"{self.device.hex()}";alg="ed25519";tag="skerry"')
        return signed_by(pub, base.encode(), self.signature)


class Opened:
    """A tlog-proof whose extra opens the entry, in a log's tree."""

    def __init__(self, text, log, witnesses=()):
        head, _, note = text.partition("\n\n")
        first, extra, index, *path = head.split("\n")
        need(first == "c2sp.org/tlog-proof@v1", "first line")
        need(extra.startswith("extra ") and index.startswith("index "),
             "lines")
        extra, self.index = raw(extra[6:]), int(index[6:])
        self.checkpoint = Checkpoint(note, log, witnesses)
        self.key, n = extra[:32], struct.unpack(">H", extra[32:34])[0]
        self.raw, self.body = extra[34:34 + n], extra[34 + n:]
        check_inclusion([raw(p) for p in path], self.index,
                        self.checkpoint.size, sha(b"\0", self.raw),
                        self.checkpoint.root)
        self.entry = Entry(self.raw)

    @property
    def opens(self):
        return self.entry.opens(self.key, self.body)


def judge_request(it, before=None):
    """An entry that is published otherwise than it has to be."""
    if before is not None:
        need(it.entry.type == before.entry.type == 7 and
             before.index < it.index, "no two requests")
        a, b = Request(before.entry.public), Request(it.entry.public)
        need(a.id == b.id, "two requests")
        if (a.state > 2 or b.state <= a.state or
                a.jurisdiction != b.jurisdiction):
            return True, "a state that cannot come after another one"
        return False, "a state that cannot come right after another one"
    if it.entry.type != 7:
        return False, "an entry that is no request"
    try:
        Request(it.entry.public)
        if it.opens:
            Request.text(it.body)
    except Bad:
        return True, "a request of another form"
    return False, "a request, and what is wrong is the writer's word"


def judge(path, vkey=None):
    """What a file of evidence shows: (proved, text).  Bad where it shows
    nothing, or is of another log than vkey's."""
    with open(path) as f:
        e = json.load(f)
    need(e["v"] == 1 and e["what"] == "log", "no evidence of a log")
    need(vkey in (None, e["log"]), "of another log")
    log = Key(e["log"])
    notes = [Checkpoint(n, log) for n in e["notes"]]
    kind = e["kind"]
    if kind == "fork":
        a, b = notes
        need(a.size == b.size and a.root != b.root, "no fork")
        return True, "two trees of one size are signed"
    if kind == "rollback":
        a, b = notes
        need(b.size < a.size, "no rollback")
        return False, "both are signed; their order is the writer's word"
    if kind == "inconsistent":
        a, b = notes
        need(a.size < b.size, "sizes")
        c = e["consistency"]
        if c is None:
            return False, "both are signed"
        check_consistency([raw(h) for h in c["hashes"]], a.size, b.size,
                          raw(c["root"]), b.root)
        need(raw(c["root"]) != a.root, "they are consistent")
        return True, "the later tree begins otherwise than the earlier one"
    if kind in ("inclusion", "opening", "key", "proof"):
        return False, "what was shown does not hold"
    proofs = [Opened(p, log) for p in e["proofs"]]
    if kind == "withheld":
        p = proofs[0]
        need(p.entry.recognised(p.key) and not p.opens, "it is opened")
        return False, "an entry of the space is not opened"
    if kind == "request":
        return judge_request(*proofs)
    need(all(p.opens for p in proofs), "an entry does not open")
    if kind == "double":
        a, b = (Release(p.body) for p in proofs)
        need(proofs[0].index != proofs[1].index and
             (a.device, a.nonce, a.epoch) == (b.device, b.nonce, b.epoch),
             "no double")
        return True, "two releases for one request"
    need(kind in ("release", "unasked"), "kind")
    if proofs[0].entry.type != 5:
        return False, "an entry that does not belong there"
    r = Release(proofs[0].body)
    if not e["chain"] or raw(e["chain"][0])[40:56] != r.account:
        return False, "a release of another account"
    pub = Chain([raw(x) for x in e["chain"]]).device(r.device)
    if pub is None:
        return True, "released to no device of the chain"
    if not r.asked(pub):
        return True, "released for a request that no device signed"
    return False, "released for a request that the device's key signed"


def vectors():
    """The frozen entries of requests, made from nothing but this file."""
    def fill(tag, n):
        return hashlib.sha512(b"skerry vector " + tag).digest()[:n]
    desk, ident, cases = fill(b"desk key", 32), fill(b"request", 16), []
    text = "Produce the files of one user.\n\tScope: all. \u2014 \u5317\u4eac\n"

    def case(name, public, body=text, result="OK", key=None, said=None):
        body = body if isinstance(body, bytes) else body.encode()
        nonce = fill(b"nonce of " + name.encode(), 16)
        right = hmac.new(desk, b"skerry log v1 key" + nonce, "sha256").digest()
        head = b"\1\7" + struct.pack(">Q", 1800000000) + nonce
        tail = struct.pack(">H", len(public)) + public
        e = Entry(head + bytes(64) + tail)
        cases.append({
            "name": name, "key": (key or right).hex(),
            "bytes": (head + e.mac(right, b"tag") + e.mac(right, b"body", body)
                      + tail).hex(),
            "body": (said or body).hex(), "result": result})

    def public(state, until=None, where=b"cn"):
        return bytes([state]) + ident + where + (
            b"" if until is None else struct.pack(">Q", until))
    for state, name in Request.STATES.items():
        case(name, public(state))
        case(f"{name}, under a gag", public(state, 1900000000))
    case("a gag to the end", public(1, 253402300799))
    case("one character", public(1), "-")
    case("the longest text", public(1), "x" * 4096)
    case("a text too long", public(1), "x" * 4097, "LIMIT")
    case("no text", public(1), "", "MALFORMED")
    for name, body in (("NUL", "a\0b"), ("CR", "a\r\n"), ("ESC", "\x1b[0m"),
                       ("DEL", "\x7f"), ("U+0085", "\x85"),
                       ("U+009F", "\x9f"), ("not UTF-8", b"\xff"),
                       ("half a character", b"a\xe2\x80"),
                       ("a surrogate", b"\xed\xa0\x80"),
                       ("an overlong form", b"\xc0\x8a")):
        case(f"text with {name}", public(1), body, "MALFORMED")
    case("text with U+00A0", public(1), "\xa0")
    for state in (0, 6, 255):
        case(f"state {state}", public(state), result="MALFORMED")
    for where in (b"CN", b"c1", b"c\0", b"\0c", b"{z"):
        case(f"jurisdiction {where!r}", public(1, where=where),
             result="MALFORMED")
    case("until 0", public(1, 0), result="MALFORMED")
    case("until after 9999", public(1, 253402300800), result="MALFORMED")
    case("a byte too few", public(1)[:-1], result="MALFORMED")
    case("a byte too many", public(1) + b"\0", result="MALFORMED")
    case("until, a byte too few", public(1, 1900000000)[:-1],
         result="MALFORMED")
    case("until, a byte too many", public(1, 1900000000) + b"\0",
         result="MALFORMED")
    case("no public part", b"", result="MALFORMED")
    case("another key", public(1), result="TAMPERED", key=fill(b"other", 32))
    case("another text", public(1), result="TAMPERED", said=b"Nothing.\n")
    case("the text and more", public(1), result="TAMPERED",
         said=text.encode() + b"\n")
    for name, at in (("state", 92), ("id", 93), ("jurisdiction", 110),
                     ("until", 118), ("time", 9)):
        case(f"another {name}", public(1, 1900000000), result="TAMPERED")
        e = bytearray.fromhex(cases[-1]["bytes"])
        e[at] ^= 3 if name == "state" else 1
        cases[-1]["bytes"] = e.hex()
    return {"log/request": {"format": "request", "desk_key": desk.hex(),
                            "cases": cases}}


__all__ = ["Bad", "Checkpoint", "Entry", "Key", "Opened", "Release", "Request",
           "check_consistency", "check_inclusion", "judge", "vectors"]
