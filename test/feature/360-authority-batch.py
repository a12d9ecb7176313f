#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many devices at once: one batch, to each its own key and proof; a bad request
harms none beside it; the next batch begins while keys works on this one, and
what an operator enters then is of the next tree; whoever is killed meanwhile,
no key without its entry; and who comes when too many wait is told so."""

import base64
import json
import os
import re
import secrets
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import logjudge
import skerrytest
from authoritytest import Account, Answer, Authority, Keys, head, sign_headers
from logtest import (Traced, can_trace, good_release, rows, sealed, served,
                     wait_ledger, whole)

tap = skerrytest.Tap()
MANY = 60
UNDER_WAY = 512


def metric(a, name):
    return skerrytest.metrics(a.metrics_port)[name]


def accounts(a, n):
    out, conn = [Account(a) for _ in range(n)], a.connect()
    for acc in out:
        r = acc.create(conn=conn)
        if r.status != 200:
            raise RuntimeError(r)
    return out


def connections(a, n):
    out = [a.connect() for _ in range(n)]
    for c in out:
        c.connect()
    return out


def post(conn, path, body, headers):
    """Head and body at once, so that what counts as under way is all there."""
    parts = []
    conn.send = parts.append
    conn.request("POST", path, body, headers)
    del conn.send
    conn.send(b"".join(parts))


def put(a, conn, path, body, keys, **sign):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    post(conn, path, body, sign_headers(keys, a.host, path, body, **sign))


def got(conn):
    """The answer, or None from one who is gone."""
    try:
        r = conn.getresponse()
        return Answer(r.status, r.read())
    except OSError:
        return None


class Stopped:
    """The ledger waits until the front has so many requests under way."""

    def __init__(self, a):
        self.a, self.pid = a, a.roles()["ledger"]
        os.kill(self.pid, signal.SIGSTOP)

    def go(self, n):
        if not skerrytest.wait_for(lambda: metric(self.a, "requests_in_flight") == n):
            tap.note(f"{metric(self.a, 'requests_in_flight')} under way, not {n}")
        os.kill(self.pid, signal.SIGCONT)


def session(a, acc, conn, **sign):
    put(a, conn, "/v1/session", acc.session_body(), acc.device, **sign)


def together():
    all_, conns = accounts(a, MANY), connections(a, MANY)
    for turn in range(2):
        before = metric(a, "log_appends_total"), len(rows(a))
        s = Stopped(a)
        for acc, c in zip(all_, conns):
            session(a, acc, c)
        s.go(MANY)
        rs = [got(c) for c in conns]
        tap.ok(all(good_release(a, acc, r) for acc, r in zip(all_, rs)),
               f"together: {MANY} devices, to each its key and its proof")
        tap.eq(len({r.log["checkpoint"] for r in rs}), 1,
               "together: all under one checkpoint")
        tap.eq((metric(a, "log_appends_total") - before[0],
                len(rows(a)) - before[1]), (1, MANY),
               "together: in one append, an entry for each")
    tap.ok(whole(a), "together: the log is that of the database")


def one_bad():
    good = accounts(a, 12)
    other, stranger = good[0], Keys()
    new = Account(a)
    nonce = secrets.token_hex(16)
    said = other.session_body()
    spoilt = json.dumps(said).encode()
    bad = [
        # (path, body, keys, how it is signed), code
        (("/v1/session", said, stranger, {}), "DENIED"),
        (("/v1/session", good[1].session_body(), other.device, {}), "DENIED"),
        (("/v1/session", b"{", other.device, {}), "MALFORMED"),
        (("/v1/session", said, other.device, {"created": 1}), "CLOCK"),
        (("/v1/nothing", {}, other.device, {}), "NOT_FOUND"),
        (("/v1/head", {"space": other.space.hex(), "expect": 7,
                       "head": base64.b64encode(head(8)).decode()},
          other.device, {}), "CONFLICT"),
        (("/v1/accounts", {**new.body, "residency": "ch-not-here"},
          new.device, {}), "DENIED"),
    ]
    before = metric(a, "log_appends_total"), len(rows(a))
    conns = connections(a, len(good) + len(bad) + 3)
    s = Stopped(a)
    at = 0
    for i, acc in enumerate(good):  # the bad ones between them
        session(a, acc, conns[at])
        at += 1
        if i < len(bad):
            path, body, keys, sign = bad[i][0]
            put(a, conns[at], path, body, keys, **sign)
            at += 1
    for _ in range(2):  # one of the two is a repetition
        session(a, good[5], conns[at], nonce=nonce)
        at += 1
    headers = sign_headers(other.device, a.host, "/v1/session", spoilt)
    post(conns[at], "/v1/session", spoilt.replace(b"user", b"usex"), headers)
    s.go(len(conns))
    rs = [got(c) for c in conns]
    ours, theirs = [], []
    for i in range(len(good)):
        ours.append(rs.pop(0))
        if i < len(bad):
            theirs.append(rs.pop(0))
    tap.eq([r.code for r in theirs], [code for _, code in bad],
           "one bad: each is told what is wrong with it")
    tap.eq((sorted(r.code for r in rs[:2]), rs[2].code),
           (["OK", "TAMPERED"], "TAMPERED"),
           "one bad: a nonce twice, an altered body")
    tap.eq(sum(bool(sealed(r)) for r in theirs + rs), 1,
           "one bad: and none gets a key")
    tap.ok(all(good_release(a, acc, r) for acc, r in zip(good, ours)),
           "one bad: all others get theirs")
    tap.eq((metric(a, "log_appends_total") - before[0],
            len(rows(a)) - before[1]), (1, len(good) + 1),
           "one bad: in the same batch, with no entry for the bad ones")
    r = new.create()
    tap.eq(r.status, 200, "one bad: what was refused left nothing behind")
    tap.ok(whole(a), "one bad: the log is that of the database")


def killed():
    """At system calls of a batch of many: before it is durable, within the
    append, among the messages to keys, among the answers."""
    if not can_trace(tap):
        tap.skip("killed in a batch", "strace cannot attach")
        return
    many = accounts(a, MANY)
    points = [("fdatasync", 1), ("fsync", 1), ("renameat", 3), ("write", 1),
              ("write", 2), ("write", 5), ("write", 20), ("write", 70)]
    if os.environ.get("SKERRY_SANITIZED"):
        points = points[3::2]
    answered = 0
    for kills, (call, when) in enumerate(points):
        if kills % 3 == 0:  # the parent waits longer after each
            a.process.kill()
            a.start()
        conns = connections(a, MANY)
        s = Stopped(a)
        for acc, c in zip(many, conns):
            session(a, acc, c)
        skerrytest.wait_for(lambda: metric(a, "requests_in_flight") == MANY)
        t = Traced(s.pid, "-e", f"trace={call}", "-e",
                   f"inject={call}:signal=SIGKILL:when={when}")
        s.go(MANY)
        rs = [got(c) for c in conns]
        t.end()
        where = f"killed at {call} {when}"
        tap.ok(wait_ledger(a, s.pid), f"{where}: it comes back")
        log = served(a)[1]
        with_key = [(acc, r) for acc, r in zip(many, rs)
                    if r is not None and sealed(r)]
        answered += len(with_key)
        tap.ok(all(good_release(a, acc, r) and entry_of(r) in log
                   for acc, r in with_key) and whole(a),
               f"{where}: {len(with_key)} keys, each with its entry")
        tap.ok(all(r is None or r.status == 503 or sealed(r) for r in rs),
               f"{where}: the others are told to come again")
        tap.ok(len(with_key) < MANY, f"{where}: which some are")
    tap.ok(answered > 0, f"killed: {answered} had their answer before")
    tap.ok(all(good_release(a, acc, acc.session()) for acc in many[::7]),
           "killed: and then all is as it was")


def entry_of(r):
    """The entry that its proof is of."""
    extra = re.search(r"^extra (.*)$", r.log["proofs"][0], re.M).group(1)
    b = base64.b64decode(extra)
    return b[34:34 + int.from_bytes(b[32:34], "big")]


def keys_killed():
    many, conns = accounts(a, MANY), connections(a, MANY)
    pid = a.roles()["keys"]
    s = Stopped(a)
    for acc, c in zip(many, conns):
        session(a, acc, c)
    skerrytest.wait_for(lambda: metric(a, "requests_in_flight") == MANY)
    os.kill(pid, signal.SIGKILL)
    s.go(MANY)
    rs = [got(c) for c in conns]
    tap.ok(all(r.status == 503 or good_release(a, acc, r)
               for acc, r in zip(many, rs)),
           "keys killed: each has its key with its entry, or none")
    tap.ok(skerrytest.wait_for(lambda: good_release(
        a, many[0], many[0].session())), "keys killed: they are started anew")
    tap.ok(all(good_release(a, acc, acc.session()) for acc in many[::7]) and
           whole(a), "keys killed: and then all is as it was")


class Waves:
    """Sessions of a batch that keys is slow to answer, and what else comes as
    soon as the first of them is answered: sessions, accounts (for which keys is
    asked, too), a head, and what is refused."""

    def __init__(self, *trace):
        self.old, self.new = accounts(a, MANY), [Account(a) for _ in range(6)]
        first, then = connections(a, MANY), connections(a, 30)
        nonce, stranger = secrets.token_hex(16), Keys()
        self.pids = a.roles()
        slow = Traced(self.pids["keys"], "-e", "trace=write", "-e",
                      "inject=write:delay_enter=40000")
        s = Stopped(a)
        for i, (acc, c) in enumerate(zip(self.old, first)):
            session(a, acc, c, **({} if i else {"nonce": nonce}))
        skerrytest.wait_for(lambda: metric(a, "requests_in_flight") == MANY)
        self.trace = Traced(s.pid, "-e", "trace=read,write", *trace)
        s.go(MANY)
        answers = [got(first[0])]
        for acc, c in zip(self.old, then[:20]):
            session(a, acc, c)
        for acc, c in zip(self.new, then[20:]):
            put(a, c, "/v1/accounts", acc.body, acc.device)
        put(a, then[26], "/v1/head", {
            "space": self.old[0].space.hex(), "expect": 0,
            "head": base64.b64encode(head(1)).decode()}, self.old[0].device)
        session(a, self.old[0], then[27], nonce=nonce)
        put(a, then[28], "/v1/session", self.old[0].session_body(), stranger)
        put(a, then[29], "/v1/session", b"{", self.old[0].device)
        self.sent()
        self.first = answers + [got(c) for c in first[1:]]
        rs = [got(c) for c in then]
        self.then, self.made, self.others = rs[:20], rs[20:26], rs[26:]
        self.lines = self.trace.end()
        slow.end()

    def sent(self):
        """All is on its way."""

    def released(self):
        return [(acc, r) for acc, r in zip(
            self.old + self.old[:20], self.first + self.then)
            if r is not None and sealed(r)]


def meanwhile():
    if not can_trace(tap):
        tap.skip("meanwhile", "strace cannot attach")
        return
    # On a busy machine the next may come too late at times.
    for _ in range(10):
        before = metric(a, "log_appends_total")
        w = Waves()
        # On the link to the front: a request among the answers.
        link = [m.group(1) for m in (re.search(r"(read|write)\(7,", x)
                                     for x in w.lines) if m]
        among = "read" in link[link.index("write"):][:MANY]
        if among:
            break
    tap.ok(among,
           "meanwhile: the next batch begins before this one is answered")
    tap.ok(len(w.released()) == MANY + 20 and
           all(good_release(a, acc, r) for acc, r in w.released()),
           "meanwhile: to each its key and its proof")
    tap.eq([r.code for r in w.made], ["OK"] * 6,
           "meanwhile: what needs keys has its answer among them")
    tap.eq([r.code for r in w.others],
           ["OK", "TAMPERED", "DENIED", "MALFORMED"],
           "meanwhile: others have theirs, a nonce of the batch before counts")
    tap.eq(len({r.log["checkpoint"] for r in w.first}), 1,
           "meanwhile: which is one tree still")
    tap.ok(metric(a, "log_appends_total") - before > 2,
           "meanwhile: and the next another")
    tap.ok(all(good_release(a, acc, acc.session()) for acc in w.new) and
           whole(a), "meanwhile: the log is that of the database")


def entered_meanwhile():
    """A row that an operator's command makes while answers are under way is
    for the next tree, and not for these answers."""
    if not can_trace(tap):
        tap.skip("entered meanwhile", "strace cannot attach")
        return
    many, conns = accounts(a, MANY), connections(a, MANY + 1)
    seen = served(a)[0]
    slow = Traced(a.roles()["keys"], "-e", "trace=write", "-e",
                  "inject=write:delay_enter=100000")
    s = Stopped(a)
    for acc, c in zip(many, conns):
        put(a, c, "/v1/session", acc.session_body(log_seen=seen.size),
            acc.device)
    s.go(MANY)
    rs = [got(conns[0])]
    a.run_command("request", "enter", "--config", a.config_file(),
                  "--jurisdiction", "de", "--text", a.passphrase)
    put(a, conns[MANY], "/v1/session", many[0].session_body(),
        many[0].device)
    rs += [got(c) for c in conns[1:MANY]]
    last = got(conns[MANY])
    slow.end()
    tap.ok(all(good_release(a, acc, r) for acc, r in zip(many, rs)) and
           all(continues(a, r, seen) for r in rs),
           "entered meanwhile: each answer is of one tree, and leads to it")
    tap.eq(len({r.log["checkpoint"] for r in rs}), 1,
           "entered meanwhile: all of the same")
    tap.ok(good_release(a, many[0], last) and whole(a) and
           any(e[1] == 7 for e in served(a)[1]),
           "entered meanwhile: and the row is in the next")


def continues(a, r, seen):
    """The one checkpoint of an answer continues that of before."""
    c = logjudge.Checkpoint(r.log["checkpoint"],
                            logjudge.Key(a.public["log"]))
    try:
        logjudge.check_consistency(
            [base64.b64decode(h) for h in r.log["consistency"]], seen.size,
            c.size, seen.root, c.root)
    except logjudge.Bad:
        return False
    return all(p.endswith(r.log["checkpoint"]) for p in r.log["proofs"])


def meanwhile_killed():
    if not can_trace(tap):
        tap.skip("killed meanwhile", "strace cannot attach")
        return
    for when in [25, 60] if os.environ.get("SKERRY_SANITIZED") else \
            [12, 25, 40, 60, 90]:
        a.process.kill()
        a.start()
        w = Waves("-e", f"inject=write:signal=SIGKILL:when={when}")
        killed_meanwhile(w, f"ledger killed at write {when} of two batches")
        tap.ok(wait_ledger(a, w.pids["ledger"]), "it comes back")
        comes_again(w)
    w = KeysKilled()
    killed_meanwhile(w, "keys killed between two batches")
    tap.ok(skerrytest.wait_for(lambda: good_release(
        a, w.old[0], w.old[0].session())), "they are started anew")
    comes_again(w)


class KeysKilled(Waves):
    def sent(self):
        os.kill(self.pids["keys"], signal.SIGKILL)


def killed_meanwhile(w, where):
    ok = skerrytest.wait_for(lambda: a.roles().get("ledger"))
    log = served(a)[1]
    tap.ok(ok and all(good_release(a, acc, r) and entry_of(r) in log
                      for acc, r in w.released()),
           f"{where}: {len(w.released())} keys, each with its entry")
    tap.ok(all(r is None or r.status == 503 or sealed(r)
               for r in w.first + w.then) and
           all(r is None or r.status in (200, 503) for r in w.made),
           f"{where}: the others are told to come again")


def comes_again(w):
    tap.eq([acc.create().code for acc in w.new], ["OK"] * 6,
           "accounts that were made are there, the others are made")
    tap.ok(all(good_release(a, acc, acc.session())
               for acc in w.new + w.old[::7]) and whole(a),
           "and then all is as it was")


def too_many():
    if os.environ.get("SKERRY_SANITIZED"):
        tap.skip("too many", "so many connections take too long")
        return
    acc = accounts(a, 1)[0]
    body = json.dumps(acc.session_body()).encode()
    conns = connections(a, UNDER_WAY + 3)
    signed = [sign_headers(acc.device, a.host, "/v1/session", body)
              for _ in conns]
    s = Stopped(a)
    for c, h in zip(conns[3:], signed):
        c.request("POST", "/v1/session", body, h)
    skerrytest.wait_for(lambda: metric(a, "requests_in_flight") == UNDER_WAY)
    for c, h in zip(conns[:3], signed[UNDER_WAY:]):
        c.request("POST", "/v1/session", body, h)
    rs = [got(c) for c in conns[:3]]
    tap.eq([(r.status, r.code) for r in rs], [(503, "AUTHORITY")] * 3,
           "too many: the next ones are refused at once")
    tap.ok("too many" in rs[0].body.decode(), "too many: which is said")
    s.go(UNDER_WAY)
    rs = [got(c) for c in conns[3:]]
    tap.ok(all(good_release(a, acc, r) for r in rs[::37]) and
           all(r.status == 200 for r in rs), "too many: the others have keys")
    tap.ok(good_release(a, acc, acc.session()), "too many: and so has the next")


a = Authority(max_per_address=1024)
tap.run(together, one_bad, meanwhile, entered_meanwhile, killed, meanwhile_killed, keys_killed,
        too_many)
