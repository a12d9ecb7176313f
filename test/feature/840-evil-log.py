#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An authority whose log lies, in each of the ways that there are: refused, with
the exit status that says so, and with evidence that others can judge."""

import base64
import glob
import hashlib
import hmac
import json
import os
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import logjudge  # noqa: E402
from evil import Evil, EvilLog, Tree  # noqa: E402
from skerrysite import Site, read  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402

LOG, ALARM, CLOCK = 25, 26, 15
t = Tap()
s = Site()
evil = Evil(s.authority, EvilLog(s.authority.public["log"].split("+")[0]))
members = s.members(2)
members["authorities"][0]["log"] = evil.log.vkey
s.policy = s.make_policy("devices.txt", 2,
                         authorities=members["authorities"])


def space():
    d = s.first()
    path = os.path.join(d.dir, "file")
    with open(path, "w") as f:
        f.write("text")
    r = d.run("put", path)
    if r.code != 0:
        t.note(repr(r))
    return d


a, b = space(), space()


def verdict(d, r, code, what, proved, text=""):
    t.eq(r.code, code, f"{what}: exit {code}")
    if r.code != code:
        t.note(repr(r))
    said = r.err + r.out
    t.ok(text in said, f"it is named: {text}")
    files = glob.glob(os.path.join(d.home, "evidence-log-*.json"))
    if proved is None:
        t.eq(files, [], "nothing that is signed shows it")
        return
    good = len(files) == 1 and files[0] in said
    t.ok(good, "the evidence is named")
    if not good:
        t.note(repr(r) + repr(files))
        return
    try:
        shown, why = logjudge.judge(files[0], evil.log.vkey)
        t.eq(shown, proved, f"a judge in another language: {why}")
    except logjudge.Bad as e:
        t.ok(False, f"a judge in another language: {e}")
    v = s.device().run("audit", "--json", "--verify", files[0], "--log",
                       evil.log.vkey)
    t.eq((v.code, v.json.get("proved")), (0, proved),
         "--verify, without an account")
    os.unlink(files[0])


def truth(d):
    evil.plan = evil.files = None
    d.lock()
    r = d.run("ls")
    t.eq(r.code, 0, "with the truth it goes on")
    if r.code != 0:
        t.note(repr(r))


def session(d, alter):
    """What ls does where the answer to its session is altered."""
    def plan(path, j):
        if path == "/v1/session":
            alter(j["log"], j)
        return j
    evil.plan = plan
    d.lock()
    r = d.run("ls")
    evil.plan = None
    return r


def shows(tree):
    """Files of another tree than the real one."""
    def files(name, real):
        if name == "checkpoint":
            return evil.log.sign(len(tree.entries), tree.root()).encode()
        return tree.file(name)
    return files


def prove(tree, index, extra):
    path = "".join(base64.b64encode(h).decode() + "\n"
                   for h in tree.path(index, len(tree.entries)))
    return (f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex {index}\n{path}"
            f"\n{evil.log.sign(len(tree.entries), tree.root())}")


def extra_of(proof):
    return proof.split("\n")[1][len("extra "):]


def pinned(d):
    """Size of the pinned tree."""
    raw = open(os.path.join(d.home, "logs"), "rb").read()[4:]
    return struct.unpack(">Q", raw[1 + raw[0]:9 + raw[0]])[0]


def swapped(entries, at):
    other = list(entries)
    other[at] = other[at][:-1] + bytes([other[at][-1] ^ 1])
    return Tree(other)


def honest():
    t.eq(a.run("audit").code, 0, "the truth, signed by the liar: good")


def split_view():
    truth(a)
    size = pinned(a)
    other = swapped(evil.entries()[:size], 0)

    def same_size(log, j):
        log["checkpoint"] = evil.log.sign(size, other.root())
        log["consistency"], log["proofs"] = [], []
    verdict(a, session(a, same_size), LOG, "a split view, of one size", True,
            "split view")
    truth(a)
    evil.files = shows(swapped(evil.entries()[:pinned(a)], 0))
    verdict(a, a.run("audit"), LOG, "the same to an audit", True,
            "split view")
    truth(a)

    def larger(log, j):
        tree = swapped(evil.entries(), 0)
        evil.files = shows(tree)
        log["checkpoint"] = evil.log.sign(len(tree.entries), tree.root())
        log["proofs"] = [prove(tree, len(tree.entries) - 1, extra_of(p))
                         for p in log["proofs"]]
    verdict(a, session(a, larger), LOG, "a split view, of another size",
            True, "split view")
    truth(a)
    b.lock()
    t.eq(b.run("ls").code, 0, "the log grows")
    evil.files = shows(swapped(evil.entries(), 0))
    verdict(a, a.run("audit"), LOG, "the same to an audit", True,
            "split view")
    truth(a)


def rollback():
    old = Tree(evil.entries()[:pinned(a) - 1])

    def older(log, j):
        log["checkpoint"] = evil.log.sign(len(old.entries), old.root())
        log["consistency"], log["proofs"] = [], []
    verdict(a, session(a, older), LOG, "a rollback", False, "rollback")
    truth(a)
    evil.files = shows(Tree(evil.entries()[:pinned(a) - 1]))
    verdict(a, a.run("audit"), LOG, "the same to an audit", False,
            "rollback")
    truth(a)


def wrong_proof():
    def bad_path(log, j):
        lines = log["proofs"][0].split("\n")
        lines[3] = base64.b64encode(bytes(32)).decode()
        log["proofs"] = ["\n".join(lines)]
    verdict(a, session(a, bad_path), LOG, "a wrong inclusion proof", False,
            "is not in the tree")

    def bad_consistency(log, j):
        log["consistency"] = [base64.b64encode(bytes(32)).decode()]
    verdict(a, session(a, bad_consistency), LOG,
            "a wrong consistency proof between good trees", False,
            "consistency proof")

    def missing(log, j):
        log["proofs"] = []
    verdict(a, session(a, missing), LOG, "a release without its entry", None,
            "without an entry")

    def left_out(log, j):
        """The tree without the entry, and the proof of it from another."""
        entries = evil.entries()[:-1]
        tree = Tree(entries)
        old = pinned(a)
        log["checkpoint"] = evil.log.sign(len(entries), tree.root())
        log["consistency"] = [base64.b64encode(h).decode() for h in
                              tree.consistency(old, len(entries))] \
            if old < len(entries) else []
        log["proofs"] = [log["proofs"][0].partition("\n\n")[0] + "\n\n" +
                         log["checkpoint"]]
    verdict(a, session(a, left_out), LOG, "a leaf that is left out", False,
            "is not in the tree")

    def silent(log, j):
        del j["log"]
    verdict(a, session(a, silent), LOG, "no word of the log", None,
            "says nothing of the log")
    truth(a)


def wrong_release():
    kept = []

    def keep(log, j):
        kept.extend(log["proofs"])
    session(b, keep)

    def anothers(log, j):
        tree = Tree(evil.entries())
        index = int(kept[0].split("\n")[2].split()[1])
        log["proofs"] = [prove(tree, index, extra_of(kept[0]))]
    verdict(a, session(a, anothers), LOG,
            "the release of another space's device", False, "another space")

    mine = []
    session(a, lambda log, j: mine.extend(log["proofs"]))
    truth(a)

    def earlier(log, j):
        tree = Tree(evil.entries())
        index = int(mine[0].split("\n")[2].split()[1])
        log["proofs"] = [prove(tree, index, extra_of(mine[0]))]
    verdict(a, session(a, earlier), LOG, "an earlier release of this device",
            False, "another request")

    def epoch(log, j):
        j["keys"][0]["epoch"] = 2
    r = session(a, epoch)
    verdict(a, r, LOG, "the release of another epoch", False,
            "an epoch that was not released")
    truth(a)


def log_key(d):
    return open(os.path.join(d.home, "log.key"), "rb").read()[4:36]


def leaf(d, body, public=b"\1", at=None, kind=5):
    """An entry under the space's log key, which an authority has."""
    at, nonce = int(at or time.time()), os.urandom(16)
    key = hmac.digest(log_key(d), b"skerry log v1 key" + nonce, "sha256")
    bound = (bytes([kind]) + struct.pack(">Q", at) + nonce +
             hashlib.sha256(public).digest())
    return key, (bytes([1, kind]) + struct.pack(">Q", at) + nonce +
                 hmac.digest(key, b"skerry log v1 tag" + bound, "sha256") +
                 hmac.digest(key, b"skerry log v1 body" + bound + body,
                             "sha256") +
                 struct.pack(">H", len(public)) + public)


def clock():
    def tomorrow(log, j):
        entries = evil.entries()
        raw = base64.b64decode(extra_of(log["proofs"][0]))
        body = raw[34 + int.from_bytes(raw[32:34], "big"):]
        key, entry = leaf(a, body, at=time.time() + 86400)
        tree = Tree(entries[:-1] + [entry])
        old = pinned(a)
        log["checkpoint"] = evil.log.sign(len(entries), tree.root())
        log["consistency"] = [base64.b64encode(h).decode() for h in
                              tree.consistency(old, len(entries))]
        log["proofs"] = [prove(tree, len(entries) - 1, base64.b64encode(
            key + struct.pack(">H", len(entry)) + entry + body).decode())]
    verdict(a, session(a, tomorrow), CLOCK, "a log that is a day ahead",
            None, "ahead of this device's")
    truth(a)


def bad_files():
    b.lock()
    t.eq(b.run("ls").code, 0, "the log grows")

    def files(kind, alter):
        def get(name, real):
            return alter(real) if f"tile/{kind}/" in name else real
        return get

    def flip(raw):
        return raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]
    evil.files = files("0", flip)
    verdict(a, a.run("audit"), LOG, "a tile with a bit turned", None,
            "tile")
    evil.files = files("entries", flip)
    verdict(a, a.run("audit", "--full"), LOG, "an entry that was rewritten",
            None, "entry 0 is not the one")
    evil.files = files("entries", lambda raw: raw[2 + (raw[0] << 8 |
                                                       raw[1]):])
    verdict(a, a.run("audit", "--full"), LOG, "an entry that is missing",
            None, "tile/entries/000")
    evil.files = files("entries", lambda raw: None)
    verdict(a, a.run("audit", "--full"), LOG, "entries that are missing",
            None, "is missing")
    truth(a)
    t.eq(a.run("audit", "--full").code, 0, "the truth is good")


def withheld():
    def plan(path, j):
        if path == "/v1/entries":
            j["entries"] = j["entries"][:-1]
        return j
    t.eq(a.run("audit").code, 0, "so far good")
    a.lock()
    t.eq(a.run("ls").code, 0, "a release")
    evil.plan = plan
    verdict(a, a.run("audit"), ALARM, "an entry that is not opened", False,
            "does not open it")

    def other(path, j):
        if path == "/v1/entries":
            e = j["entries"][-1]
            raw = bytearray(base64.b64decode(e["body"]))
            raw[40] ^= 1
            e["body"] = base64.b64encode(raw).decode()
        return j
    evil.plan = other
    verdict(a, a.run("audit", "--full"), ALARM,
            "an entry that is opened to something else", False,
            "opens it to something else")
    evil.plan = None
    t.eq(a.run("audit", "--full").code, 0, "when it is opened, it is good")


def additions(d, *more, args=()):
    """Entries that the authority makes of itself, at the log's end."""
    entries = evil.entries()
    tree = Tree(entries + [entry for _, entry, _ in more])
    evil.files = shows(tree)

    def plan(path, j):
        if path == "/v1/entries":
            j["entries"] += [
                {"index": len(entries) + i,
                 "body": base64.b64encode(body).decode()}
                for i, (_, _, body) in enumerate(more)]
        return j
    evil.plan = plan
    r = d.run("audit", *args)
    evil.plan = evil.files = None
    return r


def last_body(d):
    got = []

    def plan(path, j):
        if path == "/v1/entries":
            got.extend(j["entries"])
        return j
    evil.plan = plan
    d.run("audit", "--full")
    evil.plan = None
    return base64.b64decode(got[-1]["body"])


def made_up():
    c = space()
    body = last_body(c)
    unsigned = body[:60] + os.urandom(16) + body[76:]
    key, entry = leaf(c, unsigned)
    verdict(c, additions(c, (key, entry, unsigned)), ALARM,
            "a release that no device signed", True,
            "no device signed the request")
    c = space()
    body = last_body(c)
    key, entry = leaf(c, body)
    verdict(c, additions(c, (key, entry, body)), ALARM,
            "a second release for one request", True, "a second release")
    c = space()
    body = last_body(c)
    ghost = body[:36] + os.urandom(16) + body[52:]
    key, entry = leaf(c, ghost)
    verdict(c, additions(c, (key, entry, ghost)), ALARM,
            "a release to a ghost device", True,
            "that the chain does not have")
    c = space()
    body = last_body(c)[:32] + os.urandom(32)
    body = body[:16] + os.urandom(16) + body[32:]
    key, entry = leaf(c, body, public=b"", kind=2)
    verdict(c, additions(c, (key, entry, body)), ALARM,
            "a device that the chain does not have", False,
            "device entry that the chain does not have")


def forged(d, body):
    """A release that no device signed."""
    body = body[:60] + os.urandom(16) + body[76:]
    return (*leaf(d, body), body)


def evidence(d):
    return len(glob.glob(os.path.join(d.home, "evidence-*")))


def accepted():
    """An alarm whose reason its owner knows does not go on for ever."""
    c = space()
    body = last_body(c)
    one, two = forged(c, body), forged(c, body)
    r = additions(c, one, args=("--json",))
    t.eq((r.code, [x["accepted"] for x in r.json["alarms"]]), (ALARM, [False]),
         "an alarm")
    ident = r.json["alarms"][0]["id"]
    kept = evidence(c)
    r = additions(c, one)
    t.ok(r.code == ALARM and ident in r.err and "--accept" in r.err,
         "it comes again, with an id and what to do")
    t.eq(additions(c, one, args=("--accept", "0" * 16)).code, 4,
         "another id is none (NOT_FOUND)")
    t.eq(additions(c, one, args=("--accept", "nonsense")).code, 2,
         "nor is something else (USAGE)")
    r = additions(c, one, args=("--accept", ident))
    t.eq((r.code, "1 accepted" in r.out, "ALARM" in r.err), (0, True, False),
         "accepted, it is counted, and alarms no more")
    r = additions(c, one)
    t.eq((r.code, "1 accepted" in r.out, "ALARM" in r.err), (0, True, False),
         "nor in the next command")
    r = additions(c, one, args=("--full",))
    t.eq((r.code, f"accepted {ident}" in r.out), (0, True), "--full lists it")
    r = additions(c, one, args=("--json",))
    t.eq((r.code, [(x["id"], x["accepted"], x["new"])
                   for x in r.json["alarms"]]), (0, [(ident, True, False)]),
         "and so does --json")
    t.eq(evidence(c), kept, "its evidence stays, once")
    r = additions(c, one, two, args=("--json",))
    t.eq((r.code, sorted(x["accepted"] for x in r.json["alarms"])),
         (ALARM, [False, True]), "another one alarms")
    with open(os.path.join(c.home, "accepted"), "r+b") as f:
        f.seek(8)
        f.write(b"x")
    r = additions(c, one)
    t.eq((r.code, "accepted: damaged" in r.err), (3, True),
         "a damaged list is named (CONFIG)")


def many():
    """More alarms than are listed: none goes without a word."""
    c = space()
    body = last_body(c)
    more = [forged(c, body) for _ in range(300)]
    r = additions(c, *more, args=("--json",))
    t.eq((r.code, len(r.json["alarms"]), r.json["alarms_not_listed"],
          "300 alarms" in r.json["error"]["text"]), (ALARM, 256, 44, True),
         "300 alarms: 256 are listed, 44 are counted")
    t.eq(evidence(c), 256, "those that are listed have their evidence")
    ids = ",".join(x["id"] for x in r.json["alarms"])
    r = additions(c, *more, args=("--accept", ids))
    t.ok(r.code == ALARM and "44 alarms" in r.err and r.err.count(
        "\nskerry: ALARM") >= 43, "with those accepted the rest is listed")


def told_once():
    """A log that goes on lying is told once of each kind, with the evidence."""
    def rounds(n, *args):
        p = a.start("audit", "--watch", "1", "--json", "--hook",
                    f"echo >> {ran}", *args)
        errors = [json.loads(p.stdout.readline())["logs"][0]["error"]
                  for _ in range(n)]
        p.send_signal(signal.SIGTERM)
        t.eq(p.wait(120), LOG, "a watch of it ends with LOG")
        return ([e["code"] for e in errors], [e["new"] for e in errors],
                os.path.getsize(ran) if os.path.exists(ran) else 0)

    def kept():
        return len(glob.glob(os.path.join(a.home, "evidence-log-*.json")))
    ran = os.path.join(folder(), "hook")
    truth(a)
    old = evil.entries()[:pinned(a) - 2]
    before = kept()
    evil.files = shows(Tree(old))
    t.eq(rounds(3), (["LOG"] * 3, [True, False, False], 1),
         "new in the first round, and the hook is for that")
    evil.files = shows(Tree(old[:-1]))
    t.eq(rounds(2), (["LOG"] * 2, [False] * 2, 1), "the next watch knows it")
    t.eq(kept(), before + 1, "the evidence is kept once")
    evil.files = shows(swapped(evil.entries()[:pinned(a)], 0))
    t.eq(rounds(2), (["LOG"] * 2, [True, False], 2), "another lie is new")
    t.eq(kept(), before + 2, "and has its own evidence")
    evil.files = lambda name, real: b"x"
    t.eq(rounds(2), (["LOG"] * 2, [True, False], 3),
         "so is one that nothing signed shows")
    t.eq(kept(), before + 2, "and that leaves none")
    r = a.run("audit", "--hook", f"echo >> {ran}")
    t.ok(r.code == LOG and "ALARM" in r.err and os.path.getsize(ran) == 3,
         "what is known is said when it is asked for")
    truth(a)


def nonsense():
    """What an authority answers ends no watch."""
    ran = os.path.join(folder(), "hook")
    c = space()
    truth(c)
    for alter, code, says, new, end, hooks in (
            (lambda j: {}, "MALFORMED", "not understood", None, 130, 0),
            (lambda j: {**j, "account": "0" * 32}, "TRUST",
             "another account", True, 13, 1)):
        evil.plan = lambda path, j: alter(j) if path == "/v1/account" else j
        p = c.start("audit", "--watch", "1", "--json", "--hook",
                    f"echo >> {ran}")
        errors = [json.loads(p.stdout.readline())["logs"][0]["error"]
                  for _ in range(2)]
        p.send_signal(signal.SIGTERM)
        t.eq((p.wait(120), [e["code"] for e in errors],
              [e.get("new") for e in errors]),
             (end, [code] * 2, [new, new and False]),
             f"{code}: is named, and the watch goes on")
        t.ok(says in errors[1]["text"], f"{code}: {says}")
        t.eq(os.path.getsize(ran) if os.path.exists(ran) else 0, hooks,
             f"{code}: and runs the hook where it is an alarm, once")
    evil.plan = None
    t.eq(c.run("audit").code, 0, "with the truth it is well")


def early():
    """The entry of a device behind those of its releases."""
    c = space()
    d = s.device().join(c)
    t.eq(d.run("ls").code, 0, "another device")
    t.eq(c.run("audit").code, 0, "its entry is in front of its release")
    entries = evil.entries()
    at = [i for i, e in enumerate(entries) if e[1] == 2][-1]
    order = [i for i in range(len(entries)) if i != at] + [at]
    now = {was: i for i, was in enumerate(order)}
    for path in glob.glob(os.path.join(c.home, "audit-*")) + [
            os.path.join(c.home, "logs")]:
        os.unlink(path)
    evil.files = shows(Tree([entries[i] for i in order]))

    def plan(path, j):
        if path == "/v1/entries":
            for e in j["entries"]:
                e["index"] = now[e["index"]]
            j["entries"].sort(key=lambda e: e["index"])
        return j
    evil.plan = plan
    r = c.run("audit")
    evil.plan = evil.files = None
    t.eq(r.code, ALARM, "a release in front of its device's entry")
    t.ok("to a device before it was added" in r.err, "is named")


def not_logged():
    """Chain and custody without entries: the log of a space is another's."""
    c = space()
    entries = evil.entries()
    cut = [i for i, e in enumerate(entries) if e[1] in (1, 4)][-2:]
    tree = Tree([e for i, e in enumerate(entries) if i not in cut])
    os.unlink(os.path.join(c.home, "logs"))
    evil.files = shows(tree)
    real = evil.entries

    def plan(path, j):
        if path == "/v1/entries":
            for e in j["entries"]:
                e["index"] -= sum(i < e["index"] for i in cut)
            j["entries"] = j["entries"][len(cut):]
        return j
    evil.plan = plan
    r = c.run("audit")
    evil.plan = evil.files = None
    t.eq(r.code, ALARM, "an account and its custody that are not logged")
    t.ok("entry 0 of the device chain is not in it" in r.err and
         "custody set 1 is not in it" in r.err, "are named")
    assert real == evil.entries


t.run(honest, split_view, rollback, wrong_proof, wrong_release, clock,
      bad_files, withheld, made_up, accepted, many,
      told_once, nonsense, early, not_logged)
