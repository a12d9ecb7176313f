#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A new recovery code: in every custody, killed at any step, two at once; at
any moment one of the two codes opens everything."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from evil import Evil  # noqa: E402
from skerrysite import Site, b64, read  # noqa: E402
from skerrytest import Tap  # noqa: E402

CODE = re.compile(r"([0-9A-Z]{4}-){8}[0-9A-Z]{4}")
t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")))
evil = Evil(s.authority)
a = s.first()
b = s.device().join(a)
data = os.path.join(a.dir, "data")
os.mkdir(data)
for name in ("one", "two"):
    with open(os.path.join(data, name), "wb") as out:
        out.write(os.urandom(300000))


def new(d, *args, **kw):
    r = d.run("recovery", "new", *args, **kw)
    if r.code != 0:
        t.note(repr(r))
    return r


def cut_off(which, d, *args):
    """A command killed before the answer to that path, which the authority has
    acted upon: its exit status."""
    def plan(path, j):
        if path == which and p.poll() is None:
            p.kill()
            p.wait()
            raise OSError
        return j
    evil.plan = plan
    p = d.start(*args)
    p.communicate(timeout=120)
    evil.plan = None
    return p.returncode


def codes(d):
    """The recovery keys that d sees: those that are live, and the others."""
    found = [x for x in d.json("devices")["devices"] if x["recovery"]]
    return ([x["device"] for x in found if not x["revoked"]],
            [x["device"] for x in found if x["revoked"]])


def enters(code):
    """Whether a new device gets in by a code, and reads everything."""
    d = s.device()
    path = os.path.join(d.dir, "code")
    with open(path, "w") as f:
        f.write(code + "\n")
    r = d.run(*d.enrol_args(), "--recovery-in", path)
    if r.code == 6:
        return False
    if r.code != 0:
        t.note(repr(r))
    return r.code == 0 and (not a.json("status")["head"] or d.reads(data))


def kept(d, code):
    """What of a code is on the disk of a device."""
    raw = code.replace("-", "")
    return [n for n in os.listdir(d.home)
            if n == "recovery" or raw in open(
                os.path.join(d.home, n), "rb").read().decode("latin-1")
            .replace("-", "")] if d else []


def empty_space():
    old = read(a.recovery).strip()
    first, _ = codes(b)
    r = new(a)
    t.eq(r.code, 0, "recovery new, where nothing is stored yet")
    code = CODE.search(r.out).group()
    t.eq(len(CODE.findall(r.out)), 1, "shows a code, once")
    t.ok(code != old, "another one")
    t.eq((enters(code), enters(old)), (True, False),
         "by which a device gets in, and not by the one before")
    live, gone = codes(b)
    t.eq((len(live), gone), (1, first), "another device sees both")
    t.eq(kept(a, code), [], "nothing of it stays on the disk")
    return code


def usage():
    taken = os.path.join(a.dir, "taken")
    with open(taken, "w") as f:
        f.write("x")
    before = codes(a)
    r = a.run("recovery", "new", "--recovery-out", taken)
    t.eq((r.code, taken in r.err), (21, True), "no file is overwritten")
    t.eq((read(taken), codes(a), a.json("status")["recovery_begun"]),
         ("x", before, False), "and nothing was begun")
    t.eq((a.run("recovery").code, a.run("recovery", "old").code,
          a.run("recovery", "new", "x").code), (2, 2, 2), "USAGE")
    t.eq(s.device().run("recovery", "new").code, 3, "no space yet: CONFIG")
    r = a.run("revoke", codes(a)[0][0])
    t.eq((r.code, "recovery new" in r.err), (5, True),
         "revoke says how a code is ended")
    r = b.run("recovery", "new", prefix=("sh", "-c", 'exec "$@" >/dev/full',
                                         "sh"))
    t.eq(r.code, 18, "a code that cannot be printed is a failure (IO)")
    t.eq(b.json("status")["recovery_begun"], True, "status says so")
    r = new(b, "--json")
    t.eq((r.code, len(codes(b)[0])), (0, 1), "the next run prints it")
    t.eq(b.json("status")["recovery_begun"], False, "and that is all")
    return r.json["recovery_code"]


def full_round(d, old, what):
    path = os.path.join(d.dir, "code-" + what)
    r = new(d, "--recovery-out", path, "--json")
    t.eq((r.code, r.json.get("rotated")), (0, True),
         f"{what}: a new code, and the key is changed")
    t.eq(os.stat(path).st_mode & 0o777, 0o600, f"{what}: for its owner alone")
    code = read(path).strip()
    t.ok("recovery_code" not in r.json and code not in r.out + r.err,
         f"{what}: in that file alone")
    t.eq(enters(code), True, f"{what}: it opens everything")
    t.eq(enters(old), False, f"{what}: the one before nothing")
    other = a if d is b else b
    t.eq(other.run("rotate").code, 0, f"{what}: another device rotates")
    t.eq(enters(code), True, f"{what}: the code opens that, too")
    return code


def standard(old):
    t.eq(a.run("put", data).code, 0, "(something is stored)")
    code = full_round(a, old, "standard")
    x = s.device()
    path = os.path.join(x.dir, "code")
    with open(path, "w") as f:
        f.write(old)
    r = x.run(*x.enrol_args(), "--recovery-in", path)
    t.ok("another has taken its place" in r.err and old not in r.err,
         "who enters the one before is told")
    r = new(a, "--no-rotate", "--json")
    t.eq((r.code, r.json["rotated"]), (0, False), "the key may stay")
    t.eq((enters(r.json["recovery_code"]), enters(code)), (True, False),
         "and the code is another")
    t.eq(a.run("audit").code, 0, "the audit finds nothing amiss")
    return r.json["recovery_code"]


def split(old):
    t.eq(a.run("custody", "set", "split", "--holders",
               "offshore,ireland,iceland", "--threshold", "2").code, 0,
         "(to split custody)")
    code = full_round(b, old, "split")
    s.others[1].stop()
    r = new(a, "--recovery-out", os.path.join(a.dir, "code-away"))
    t.eq((r.code, "rotate" in r.err), (17, True),
         "a holder is away: the code is changed, the key is not yet")
    s.others[1].start()
    t.eq(a.run("rotate").code, 0, "rotate goes on")
    t.eq(enters(code), False, "the code before opens nothing")
    return read(os.path.join(a.dir, "code-away")).strip()


def sealed(old):
    t.eq(b.run("custody", "set", "sealed").code, 0, "(to sealed custody)")
    return full_round(b, old, "sealed")


def killed(old):
    """After an answer of the authority, which has acted by then."""
    path = os.path.join(a.dir, "code-killed")

    ended = len(codes(b)[1])
    for which, entries in (("/v1/account", 0), ("/v1/devices", 2),
                           ("/v1/session", 2), ("/v1/devices", 1),
                           ("/v1/session", 1), ("/v1/recovery", 1)):
        t.eq(cut_off(which, a, "recovery", "new", "--recovery-out", path), -9,
             f"killed after an answer to {which}")
        live, gone = codes(b)
        t.eq((len(live), a.json("status")["recovery_begun"]),
             (entries or 1, entries != 0), "(so far it is)")
        if len(gone) == ended:
            t.eq(enters(old), True, "the code is the one of before")
    r = new(a, "--recovery-out", path)
    code = read(path).strip()
    t.eq((r.code, len(codes(b)[0])), (0, 1), "the next run goes on to the end")
    t.eq((enters(code), enters(old)), (True, False), "the code is the new one")
    r = new(a, "--recovery-out", path)
    t.eq((r.code, "is in force" in r.err), (21, True),
         "(it was the last step, and the file has that code)")
    return code


def killed_at_last(old):
    """In the rotation: the same command goes on with that alone."""
    for i, which in enumerate(("/v1/epochs", "/v1/head",
                               "/v1/epochs/destroy")):
        path = os.path.join(a.dir, f"code-late-{i}")
        args = ("recovery", "new", "--recovery-out", path)
        before = a.json("status")["epoch"]
        t.eq(cut_off(which, a, *args), -9, f"killed after {which}")
        code = read(path).strip()
        shown = a.json("status")["recovery_begun"]
        live = codes(b)[0]
        r = new(a, *args[2:], "--json")
        t.eq((r.code, r.json["rotated"], shown), (0, True, False),
             "the same command goes on with the key")
        t.eq((codes(b)[0], read(path).strip()), (live, code),
             "and leaves the code")
        t.ok(a.json("status")["epoch"] > before, "the key is another")
        t.eq((enters(code), a.run(*args).code), (True, 21), "which it opens")
    t.eq(enters(old), False, "(not the one of before)")
    path = os.path.join(a.dir, "code-late")
    cut_off("/v1/epochs", a, "recovery", "new", "--recovery-out", path)
    t.ok("run skerry rotate" in a.run("status").out, "status says so")
    t.eq(b.run("rotate").code, 0, "(another device rotates)")
    r = new(a, "--recovery-out", path)
    t.eq((r.code, "commit" in r.out), (0, False), "then nothing is left to do")
    cut_off("/v1/epochs", a, "recovery", "new", "--recovery-out", path + "2")
    r = new(a, "--json")
    t.eq((r.code, enters(r.json["recovery_code"]), enters(read(path + "2"))),
         (0, True, False), "without that file it is another code")
    return r.json["recovery_code"]


def begun_and_left(old):
    """By a device that never comes back: who makes a code next ends that."""
    x = s.device().join(a)
    cut_off("/v1/devices", x, "recovery", "new")
    t.eq((len(codes(a)[0]), enters(old)), (2, True), "one was begun")
    t.eq(a.run("rotate").code, 0, "a rotation meanwhile")
    t.eq(enters(old), True, "is for the code that there is")
    r = new(a, "--json")
    t.eq((len(codes(a)[0]), enters(r.json["recovery_code"])), (1, True),
         "another device makes one, which is the only one then")
    old = r.json["recovery_code"]
    r = new(x, "--json", "--no-rotate")
    t.eq((r.code, enters(r.json["recovery_code"]), enters(old)),
         (0, True, False), "the first one comes back after all: a new one")
    return r.json["recovery_code"]


def exchanged(old):
    """An authority that does not keep what it was given."""
    def plan(path, j):
        if path == "/v1/recovery":
            for x in j["keyslots"]:
                x["blob"] = b64(os.urandom(80))
        return j
    evil.plan = plan
    r = a.run("recovery", "new")
    evil.plan = None
    t.eq((r.code, CODE.search(r.out)), (9, None),
         "a code that opens nothing is not shown: TAMPERED")
    r = new(a, "--json")
    t.eq((r.code, enters(r.json["recovery_code"])), (0, True),
         "it is once it does")
    return r.json["recovery_code"]


def meanwhile(old):
    """Others rotate between two steps."""
    def at(which, n, f):
        """Before the n-th answer of that path."""
        def plan(path, j):
            seen.append(path)
            if seen.count(which) == n and path == which:
                evil.plan = None
                done.append(f())
            return j
        done, seen = [], []
        evil.plan = plan
        return done

    done = at("/v1/devices", 2, lambda: b.run("rotate").code)
    r = new(a, "--json", "--no-rotate")
    t.eq((r.code, done), (0, [0]), "the key was changed before it was proved")
    code = r.json["recovery_code"]
    t.eq((enters(code), enters(old)), (True, False), "the code opens that key")

    done = at("/v1/session", 1,
              lambda: new(a, "--json", "--no-rotate").json["recovery_code"])
    r = b.run("rotate")
    t.eq(r.code, 0, "the code was changed before an epoch was begun")
    t.eq((enters(done[0]), enters(code)), (True, False),
         "that is for the new one")

    cut_off("/v1/epochs", b, "rotate")
    r = new(a, "--json")
    t.eq((r.code, enters(r.json["recovery_code"]), enters(done[0])),
         (0, True, False), "an epoch that was begun and left is no obstacle")
    return r.json["recovery_code"]


def both(old):
    """At once, by two devices."""
    p = [d.start("recovery", "new", "--json", "--no-rotate") for d in (a, b)]
    r = [(x.communicate(timeout=120)[0], x.returncode) for x in p]
    t.note(repr([c for _, c in r]))
    t.ok(all(c in (0, 16) for _, c in r) and any(c == 0 for _, c in r),
         "each makes one, or says that the other did")
    t.eq(len(codes(a)[0]), 1, "one is live")
    shown = [m.group() for o, _ in r for m in [CODE.search(o.decode())] if m]
    t.eq([enters(c) for c in shown].count(True), 1, "which was shown")
    t.eq(enters(old), False, "and not the one before")


def in_turn():
    code = empty_space()
    t.eq(enters(code), True, "(again)")
    code = usage()
    for step in (standard, split, sealed, killed, killed_at_last,
                 begun_and_left, exchanged, meanwhile, both):
        code = step(code)


t.run(in_turn)
