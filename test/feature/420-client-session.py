#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions: the lease and its agent, heads and the mirror, an authority that is
away, shows old heads, or has another clock."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import FAKETIME, Tap, wait_for  # noqa: E402

PROBE = os.environ["SKERRY_SESSION_PROBE"]
t = Tap()
s = Site(lease="1h")
a = s.first()
b = s.device().join(a)


def probe(d, what, env=None, prefix=()):
    p = subprocess.run([*prefix, PROBE, what], env={**d.env, **(env or {})},
                       stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    return json.loads(p.stdout)


def mirror(d=None):
    for where, _, names in os.walk(os.path.join(s.depot.data, "v1")):
        if "head" in names:
            return os.path.join(where, "head")


def head_moves():
    r = probe(a, "write")
    t.eq((r["fault"], r["head"], r["offshore"]), ("OK", 0, 1),
         "a new space is empty")
    r = probe(a, "move")
    t.eq((r["fault"], r["head"], r["offshore"]), ("OK", 1, 2),
         "a write is two requests offshore")
    t.ok(r["offshore_bytes"] < 16384, "and less than 16 KiB, TLS and all")
    t.note(f"{r['offshore_bytes']} bytes")
    r = probe(b, "write")
    t.eq((r["head"], r["mirror"]), (1, False), "the other device sees it")
    r = probe(b, "stale")
    t.eq((r["fault"], r["head"]), ("CONFLICT", 1),
         "a head made without knowing it is CONFLICT, and shows it")
    t.eq(probe(b, "move")["head"], 2, "the next one is taken")


def reads_under_the_lease():
    r = probe(a, "read")
    t.eq((r["fault"], r["offshore"], r["mirror"], r["head"]),
         ("OK", 0, True, 2), "a read under a lease asks nobody offshore")
    left = a.json("status")["lease"]
    t.ok(3500 < left <= 3600, "status says how long the lease is")
    s.authority.stop()
    t.eq(probe(a, "read")["fault"], "OK", "authority down: still reads")
    r = probe(a, "write")
    t.eq(r["fault"], "AUTHORITY", "but does not write")
    r = a.run("devices", "--json")
    t.eq((r.code, r.json["fresh"]), (0, False), "devices as last seen")
    t.eq(a.run("lock").code, 0, "lock")
    t.eq(a.json("status")["lease"], 0, "forgets the lease")
    t.eq(probe(a, "read")["fault"], "AUTHORITY", "then nothing is read")
    s.authority.start()
    r = probe(a, "read")
    t.eq((r["fault"], r["offshore"]), ("OK", 1), "until it is back")


def old_mirror():
    probe(a, "write")
    probe(b, "write")
    with open(mirror(), "rb") as f:
        old = f.read()
    t.eq(probe(a, "move")["head"], 3, "the head moves")
    with open(mirror(), "wb") as f:
        f.write(old)
    r = probe(a, "read")
    t.eq((r["head"], r["offshore"], r["mirror"]), (3, 0, False),
         "who has seen a later head does not believe an old mirror")
    bad = bytearray(old)
    bad[15] = 200
    with open(mirror(), "wb") as f:
        f.write(bad)
    r = probe(a, "read")
    t.eq((r["fault"], r["head"], r["offshore"]), ("OK", 3, 1),
         "a forged mirror is left to the authority")
    os.unlink(mirror())
    r = probe(a, "read")
    t.eq((r["fault"], r["head"], r["offshore"]), ("OK", 3, 0),
         "without a mirror, the head last seen serves")


def unknown_device():
    """A head by a device that this one has not heard of."""
    probe(a, "write")
    c = s.device().join(b)
    t.eq(probe(c, "move")["head"], 4, "a third device writes")
    r = probe(a, "read")
    t.eq((r["fault"], r["head"], r["offshore"]), ("OK", 4, 1),
         "the first asks once who that is")
    r = probe(a, "read")
    t.eq((r["fault"], r["head"], r["offshore"]), ("OK", 4, 0), "and knows it")
    t.eq(b.run("revoke", c.json("status")["device"]).code, 17,
         "it is revoked; no key is changed where there is no commit")
    r = probe(a, "write")
    t.eq((r["fault"], r["head"]), ("OK", 4), "its head stays the space's")
    t.eq(probe(a, "move")["head"], 5, "until the next one")


def rollback():
    """An authority that is set back to an older database."""
    d = s.first()
    t.eq(d.run("put", PROBE).code, 0, "a space with a commit")
    s.authority.stop()
    db = os.path.join(s.authority.home, "db")
    kept = os.path.join(s.dir, "db")
    shutil.copytree(db, kept)
    s.authority.start()
    t.eq(d.run("rotate").code, 0, "gets a new key")
    s.authority.stop()
    new = os.path.join(s.dir, "new")
    shutil.move(db, new)
    shutil.copytree(kept, db)
    s.authority.start()
    r = probe(d, "write")
    t.ok(r["fault"] == "AUTHORITY" and "epoch 1: its secret was destroyed"
         in r["text"], "no key is to be had from it, and it says why")
    t.note(r["text"])
    s.authority.stop()
    shutil.rmtree(db)
    shutil.move(new, db)
    s.authority.start()
    t.eq(probe(d, "write")["fault"], "OK", "with the right one all is well")


def clock_skew():
    if shutil.which("faketime") is None:
        t.skip("clock skew", "no faketime")
        return
    if "-asan" in PROBE or os.environ.get("SKERRY_SANITIZED"):
        t.skip("clock skew", "faketime and ASan do not mix")
        return
    r = probe(a, "write", prefix=("faketime", "-f", "+2h"))
    t.eq(r["fault"], "CLOCK", "two hours off: CLOCK")
    t.ok(r["text"].count(" UTC") == 2 and " s apart" in r["text"],
         "names both clocks and the difference")
    t.note(r["text"])


def day_off(d, what, env=None, prefix=()):
    for args in (("ls",), ("custody",), ("audit",)):
        d.run("lock")
        r = d.run(*args, env=env, prefix=prefix)
        t.eq(r.code, 15, f"{what}: {args[0]} ends (CLOCK)")
        t.ok(r.err.count(" UTC") == 2 and "86" in r.err
             and s.authority.url in r.err,
             f"{what}: it names both clocks, and whose they are")
        t.ok("ALARM" not in r.err, f"{what}: and it is no alarm")
        t.note(r.err.strip())


def a_day_off():
    """Live answers, of one whose clock is a day off, or to one."""
    if FAKETIME is None or os.environ.get("SKERRY_SANITIZED"):
        t.skip("a day off", "no faketime here, or not with ASan")
        return
    d = s.first()
    t.eq(d.run("put", __file__).code, 0, "put")
    for days in ("+1d", "-1d"):
        s.authority.stop()
        s.authority.start(env={"LD_PRELOAD": FAKETIME, "FAKETIME": days})
        day_off(d, f"an authority at {days}")
    s.authority.stop()
    s.authority.start()
    # The certificate is of yesterday: one that is younger is no clock's fault.
    day_off(d, "a device at +1d", {"LD_PRELOAD": FAKETIME, "FAKETIME": "+1d"})
    d.run("lock")
    t.eq((d.run("ls").code, d.run("audit").code), (0, 0),
         "with the right time all is well")


def agents():
    probe(a, "write")
    runtime = os.path.join(a.env["XDG_RUNTIME_DIR"], "skerry")
    t.eq(len(os.listdir(runtime)), 1, "one agent, with a socket")
    p = subprocess.run([PROBE, "write"], env={**a.env, "SKERRY_AGENT": "off"},
                       stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                       timeout=60)
    t.eq(p.returncode, 0, "does without, if told so")
    c = s.first()
    p = subprocess.run([PROBE, "write"], env=c.env, stdout=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, timeout=60)
    t.eq(json.loads(p.stdout)["fault"], "OK", "another device has its own, "
         "which does not hold the caller's output open")
    shutil.rmtree(c.home)
    runtime = os.path.join(c.env["XDG_RUNTIME_DIR"], "skerry")
    t.ok(wait_for(lambda: not os.listdir(runtime)),
         "an agent does not outlive its folder")
    t.eq(a.run("agent").code, 2, "agent is not for people (USAGE)")


t.run(head_moves, reads_under_the_lease, old_mirror, unknown_device, rollback,
      clock_skew, a_day_off, agents)
