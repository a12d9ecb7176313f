#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Admission: with `admission: invitation` an account is made by an invitation
that is good, once for each of its uses, whatever is repeated, raced or killed."""

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import skerrytest  # noqa: E402
from authoritytest import Account, Authority, b64  # noqa: E402
from logtest import Traced, can_trace, wait_ledger, whole  # noqa: E402

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FORM = re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}")
STEPS = ("fsync", "fdatasync", "renameat", "sendto", "sendmsg")
t = skerrytest.Tap()
a = Authority(admission="invitation")


def raw(code):
    """The 20 bytes of a code, by spec/10 alone."""
    n = int("".join(f"{ALPHABET.index(c):05b}"
                    for c in code.replace("-", "")[:32]), 2).to_bytes(20, "big")
    check = int.from_bytes(hashlib.sha256(
        b"skerry invitation v1" + n).digest()[:3], "big") >> 4
    last = "".join(ALPHABET[check >> s & 31] for s in (15, 10, 5, 0))
    assert code.replace("-", "")[32:] == last
    return n


def invite(*args, stdout=subprocess.PIPE, at=None):
    return subprocess.run(
        [a.binary, "invite", *args, "--config", (at or a).config_file()],
        stdout=stdout, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})


def new(*args, at=None):
    """Id and bytes of a new one."""
    r = invite("new", "--json", *args, at=at)
    if r.returncode != 0:
        raise RuntimeError(r.stderr)
    j = json.loads(r.stdout)
    return j["invitation"], raw(j["code"])


def listed(at=None):
    """Uses left, by id."""
    return {x["invitation"]: x["uses"] for x in json.loads(
        invite("list", "--json", at=at).stdout)["invitations"]}


def guest(code, at=None):
    acc = Account(at or a)
    if code is not None:
        acc.body["invitation"] = b64(code)
    return acc


def refused(code):
    r = guest(code).create()
    return r.status, r.json["error"]


def change(what, *args):
    db = sqlite3.connect(a.config["database"], timeout=10)
    db.execute(what, args)
    db.commit()
    db.close()


def key():
    for value, status in (("open", 0), ("invitation", 0), ("closed", 3),
                          ("Invitation", 3)):
        a.config["admission"] = value
        r = subprocess.run([a.binary, "check-config", "--config",
                            a.config_file()], capture_output=True, text=True)
        t.ok(r.returncode == status and (status == 0 or
                                         "admission: " in r.stderr),
             f"check-config, admission: {value}") or t.note(r)
    a.config["admission"] = "invitation"


def command():
    r = invite("new")
    code = r.stdout.strip()
    t.ok(r.returncode == 0 and r.stdout.count("\n") == 1
         and FORM.fullmatch(code), "new prints one code and nothing else")
    ident = re.search(r"invitation ([0-9a-f]{32}): for 1 account until",
                      r.stderr)
    t.ok(ident, "its id, uses and end are beside it") or t.note(r.stderr)
    ident = ident.group(1)
    other, _ = new("--uses", "3", "--days", "90")
    r = invite("list")
    t.ok(re.search(rf"^{ident} +1  20", r.stdout, re.M)
         and re.search(rf"^{other} +3  20", r.stdout, re.M),
         "list has both, with their uses") or t.note(r.stdout)
    j = json.loads(invite("list", "--json").stdout)["invitations"]
    t.ok([x["uses"] for x in j] == [1, 3] and
         [round((x["expires"] - time.time()) / 86400) for x in j] == [30, 90],
         "list --json, with their ends") or t.note(j)
    with open(a.config["database"] + "-wal", "rb") as f:
        stored = a.files() + f.read()
    t.ok(raw(code) not in stored and code.encode() not in stored
         and code not in r.stdout + json.dumps(j),
         "the code is neither stored nor listed")
    at_rest = hashlib.sha256(b"skerry invitation v1 at rest"
                             + raw(code)).digest()
    t.ok(at_rest in stored, "its hash is")
    t.ok(at_rest.hex() not in json.dumps(j), "and that is not listed")
    for args, status, words in (
            (("withdraw", "00" * 16), 4, "no invitation has this id"),
            (("withdraw",), 2, "32 hex"), (("withdraw", "x"), 2, "32 hex"),
            (("new", "--uses", "0"), 2, "--uses 0"),
            (("new", "--uses", "2x"), 2, "--uses 2x"),
            (("new", "--uses", "+2"), 2, "--uses +2"),
            (("new", "--uses", "1000001"), 2, "--uses"),
            (("new", "--days", ""), 2, "--days"),
            (("new", "--days", "99999999999999999999"), 2, "--days"),
            (("new", "x"), 2, "x: not understood")):
        r = invite(*args)
        t.ok(r.returncode == status and words in r.stderr, f"{args}: {status}"
             ) or t.note(r)
    with open("/dev/full", "w") as full:
        r = invite("new", stdout=full)
    lost = re.search(r"[0-9a-f]{32}", r.stderr)
    t.ok(r.returncode == 18 and lost and "withdraw" in r.stderr,
         "a code that cannot be printed: the error has its id")
    for i in (ident, other, lost.group()):
        t.eq(invite("withdraw", i).returncode, 0, "withdraw")
    t.eq(listed(), {}, "none is left")


def one_answer():
    """All that is no good looks alike."""
    status, error = refused(None)
    t.ok(status == 403 and error["code"] == "DENIED"
         and "--invitation" in error["text"], "without one: DENIED, and why")
    _, used = new()
    t.eq(guest(used).create().status, 200, "by a good one an account is made")
    ident, gone = new()
    invite("withdraw", ident)
    ident, late = new()
    change("UPDATE invitation SET expires = ? WHERE id = ?",
           int(time.time()) - 1, bytes.fromhex(ident))
    t.ok(ident not in listed(), "one that has expired is not listed")
    answers = [refused(c) for c in (used, gone, late, os.urandom(20))]
    t.ok(answers[0][0] == 403 and answers[0][1]["code"] == "DENIED"
         and answers.count(answers[0]) == 4,
         "used, withdrawn, expired, unknown: one answer") or t.note(answers)
    t.ok(skerrytest.wait_for(lambda: guest(None).create().status == 403
                             and not kept(ident)),
         "what has expired is deleted")
    for bad in (b64(b"x" * 19), b64(b"x" * 21), "", 1, None, "x"):
        acc = Account(a)
        acc.body["invitation"] = bad
        t.eq(acc.create().status, 400, f"{bad!r} is MALFORMED")


def kept(ident):
    db = sqlite3.connect(a.config["database"])
    n = db.execute("SELECT count(*) FROM invitation WHERE id = ?",
                   (bytes.fromhex(ident),)).fetchone()[0]
    db.close()
    return n


def uses():
    ident, code = new("--uses", "3")
    first, second = guest(code), guest(code)
    t.eq(first.create().status, 200, "the first use")
    t.eq((first.create().status, listed()[ident]), (200, 2),
         "the same again is no other use")
    bad = guest(code)
    bad.body["residency"] = "nowhere"
    t.eq((bad.create().status, listed()[ident]), (403, 2),
         "a request that fails for another reason is none")
    t.eq((second.create().status, guest(code).create().status),
         (200, 200), "the other two")
    t.eq((guest(code).create().status, ident in listed()), (403, False),
         "and no more")
    t.eq((first.create().status, first.session().status), (200, 200),
         "what was made stays, repeated or used")
    ident, code = new("--uses", "2")
    third = guest(code)
    t.eq(third.create().status, 200, "a use")
    invite("withdraw", ident)
    t.eq((third.create().status, guest(code).create().status), (200, 403),
         "withdrawn, it makes no more; the account stays, and repeats")


def at_once():
    wins = []
    for _ in range(10):
        _, code = new()
        crowd = [guest(code) for _ in range(6)]
        got, start = [], threading.Barrier(len(crowd))

        def run(acc):
            c = a.connect()
            c.connect()
            start.wait()
            got.append(acc.create(conn=c).status)
            c.close()
        threads = [threading.Thread(target=run, args=(x,)) for x in crowd]
        for x in threads:
            x.start()
        for x in threads:
            x.join()
        wins.append((got.count(200), got.count(403)))
    t.eq(wins, [(1, 5)] * 10, "of six at once exactly one is let in")


def nobody_is_linked():
    """Beside the account there is nothing of the invitation, nor the reverse:
    the table has these columns and no other has its id or hash."""
    ident, code = new("--uses", "2")
    acc = guest(code)
    acc.create()
    db = sqlite3.connect(a.config["database"])
    columns = [r[1] for r in db.execute("PRAGMA table_info(invitation)")]
    t.eq(columns, ["id", "hash", "uses", "expires"], "what is kept of one")
    marks = (bytes.fromhex(ident), hashlib.sha256(
        b"skerry invitation v1 at rest" + code).digest(), code)
    found = [name for (name,) in db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'")
        for row in db.execute(f"SELECT * FROM {name}")
        for v in row if isinstance(v, bytes) and any(m in v for m in marks)]
    t.eq(found, ["invitation"] * 2, "and it is in no other table")
    db.close()
    invite("withdraw", ident)


def killed():
    """The ledger, at each step of a request: it may have had its effect or
    not; repeated, it has it once."""
    if os.environ.get("SKERRY_SANITIZED") or not can_trace(t):
        t.skip("kills at each step", "without the sanitizers, with strace")
        return
    _, code = new()
    trace = Traced(a.roles()["ledger"], "-e", "trace=" + ",".join(STEPS))
    r = guest(code).create()
    lines = trace.end()
    t.eq(r.status, 200, "a traced request is answered")
    made, nothing, bad, kills = 0, 0, [], 0
    for name in STEPS:
        n = sum(re.match(rf"\d+ +{name}\(", x) is not None for x in lines)
        for i in range(1, n + 1):
            if kills % 4 == 0:  # the parent waits longer after each
                a.process.kill()
                a.start()
            ident, code = new()
            acc, pid = guest(code), a.roles()["ledger"]
            trace = Traced(pid, "-e", f"trace={name}", "-e",
                           f"inject={name}:signal=SIGKILL:when={i}")
            r = acc.create()
            trace.end()
            dead = not skerrytest.alive(pid)
            kills += dead
            if not wait_ledger(a, pid if dead else None):
                bad.append((name, i, "does not come back"))
                break
            made += dead and ident not in listed()
            nothing += dead and ident in listed()
            again, other = acc.create(), guest(code).create()
            if (again.status, other.status, ident in listed()) != (
                    200, 403, False) or not whole(a):
                bad.append((name, i, r, again, other))
    t.eq(bad, [], f"{kills} kills: repeated, it is one account and one use")
    t.ok(made > 0 and nothing > 0, f"{made} after the commit, {nothing} "
         "before it")


def opened():
    """What operators change: the key, and the release, back and forth."""
    _, code = new()
    ident, other = new()
    a.process.kill()
    a.start()
    t.eq(guest(code).create().status, 200, "a restart keeps them")
    a.process.kill()
    del a.config["admission"]
    a.start()
    t.eq((guest(None).create().status, guest(other).create().status,
          guest(os.urandom(20)).create().status), (200, 200, 200),
         "without the key nobody needs one")
    t.eq(ident in listed(), True, "and none is used up")
    r = invite("new")
    t.ok(r.returncode == 0 and "admission is open" in r.stderr,
         "new says so")
    a.process.kill()
    change("DROP TABLE invitation")
    a.config["admission"] = "invitation"
    a.start()
    t.eq((listed(), guest(None).create().status), ({}, 403),
         "a database of before there were any is taken up")
    _, code = new()
    t.eq(guest(code).create().status, 200, "and has them")


t.run(key, command, one_answer, uses, at_once, nobody_is_linked, killed,
      opened)
