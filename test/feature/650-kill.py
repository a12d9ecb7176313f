#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of every program at random points, while a device stores: what was
acknowledged stays whole, and the next put works.  KILLS=1000 kills a thousand
times (some twelve minutes); SEED repeats a run as far as timing lets it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import compare, noise, write  # noqa: E402

SANITIZED = bool(os.environ.get("SKERRY_SANITIZED"))
KILLS = int(os.environ.get("KILLS", "20" if SANITIZED else "30"))
SEED = int(os.environ.get("SEED", time.time_ns() % 1000000))
EVERY = 25  # kills between full checks

t = Tap()
t.note(f"SEED={SEED} KILLS={KILLS}")
r = random.Random(SEED)
s = Site(tap=True)
a = s.first()
b = s.device().join(a)
work = folder()
src = os.path.join(work, "src")
acked = os.path.join(work, "acked")
acked_number = 0
tally = {}


def count(what):
    tally[what] = tally.get(what, 0) + 1


def change():
    """Some files come, change and go; now and then more than one pack."""
    big = r.random() < 0.1
    for _ in range(r.randrange(1, 8)):
        name = os.path.join(src, f"d{r.randrange(4)}", f"f{r.randrange(20)}")
        if os.path.exists(name) and r.random() < 0.3:
            os.unlink(name)
        else:
            write(name, noise(r.randrange(1, 200000), r.random()))
    if big:
        write(os.path.join(src, "big"), noise(20 << 20, r.random()))


def remember(number):
    """src is what the space has now, and must keep."""
    global acked_number
    acked_number = number
    shutil.rmtree(acked, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", src, acked], check=True)


def put():
    return a.start("put", "--json", src)


def outcome(p, timeout=90):
    out, err = p.communicate(timeout=timeout)
    return p.returncode, out, err


def authority_roles():
    parent = str(s.authority.process.proc.pid).encode()
    pids = [s.authority.process.proc.pid]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                argv = f.read().split(b"\0")
        except OSError:
            continue
        if len(argv) > 4 and argv[1] == b"role" and argv[4] == parent:
            pids.append(int(pid))
    return pids


def head_number():
    return a.run("log", "--json", "-n1").json["commits"][0]["number"]


def typical():
    """Seconds that a put takes here."""
    change()
    begun = time.monotonic()
    code, out, err = outcome(put())
    t.eq(code, 0, "a put without trouble") or t.note(err)
    remember(head_number())
    return max(time.monotonic() - begun, 0.05)


def put_again(why):
    end = time.monotonic() + 60  # what was killed may still be coming back
    while time.monotonic() < end:
        code, out, err = outcome(put())
        if code == 0:
            remember(head_number())
            return True
        time.sleep(0.3)
    t.ok(False, f"a put after {why} works")
    t.note(f"{code} {out} {err}")
    return False


def whole(where):
    """The last acknowledged state, as the other device gets it."""
    out = os.path.join(work, "out")
    shutil.rmtree(out, ignore_errors=True)
    g = b.run("get", "--commit", str(acked_number), "--to", out, "src")
    good = g.code == 0 and compare(acked, os.path.join(out, "src")) == ""
    c = b.run("check", "--full", "--json")
    good &= c.code == 0 and c.json["good"]
    if not t.ok(good, f"{where}: what was acknowledged is whole"):
        t.note(g)
        t.note(c)
        t.note(compare(acked, os.path.join(out, "src")))


def kill_client(span):
    p = put()
    time.sleep(r.uniform(0, 1.2 * span))
    p.send_signal(signal.SIGKILL)
    code, out, _ = outcome(p)
    count("client put" if code != 0 else "client put, too late")
    return code


def kill_depot(span):
    p = put()
    time.sleep(r.uniform(0, 1.2 * span))
    s.depot.process.kill()
    time.sleep(r.uniform(0, 0.2))
    s.depot.start()
    code, _, _ = outcome(p)
    count(f"depot, put ended {code}")
    if code not in (0, 11):
        t.ok(False, f"depot killed: a put ends OK or DEPOT, not {code}")
    return code


def kill_authority(span):
    p = put()
    time.sleep(r.uniform(0, 1.2 * span))
    pids = authority_roles()
    which = r.randrange(len(pids))
    if which == 0:  # who else starts a role again
        s.authority.restart()
    else:
        try:
            os.kill(pids[which], signal.SIGKILL)
        except ProcessLookupError:
            pass
    code, out, err = outcome(p)
    count(f"authority, {'parent' if which == 0 else 'a role'}, "
          f"put ended {code}")
    if code not in (0, 12):
        t.ok(False, "authority killed: a put ends OK or AUTHORITY, not "
             f"{code}")
        t.note(out + err)
    return code


def kill_get(span):
    out = os.path.join(work, "killed")
    shutil.rmtree(out, ignore_errors=True)
    p = b.start("get", "--to", out)
    time.sleep(r.uniform(0, span))
    p.send_signal(signal.SIGKILL)
    outcome(p)
    count("client get")
    g = b.run("get", "--overwrite", "--to", out)
    again = os.path.join(work, "again")
    n = b.run("get", "--to", again)
    differ = compare(os.path.join(again, "src"), os.path.join(out, "src"))
    shutil.rmtree(again, ignore_errors=True)
    if g.code != 0 or n.code != 0 or differ or os.listdir(out) != ["src"]:
        t.ok(False, "a get after a killed get is whole")
        t.note(f"{g} {n} {differ} {os.listdir(out)}")
        t.note(b.run("log", "-n", "6"))
    return None


def kill_rm(span):
    write(os.path.join(work, "extra"), noise(1000))
    x = a.run("put", os.path.join(work, "extra"))
    p = a.start("rm", "extra")
    time.sleep(r.uniform(0, span))
    p.send_signal(signal.SIGKILL)
    outcome(p)
    count("client rm")
    # Killed between the authority's answer and its own note of it, a device
    # shows the state before until it asks the authority again; so rm may
    # find nothing to do.
    if a.run("ls", "extra").code != 4:
        again = a.run("rm", "extra")
        if again.code not in (0, 4) or a.run("ls", "extra").code != 4:
            t.ok(False, "rm after a killed rm")
            t.note(f"{x} {again}")
    return None


def kill_enrol(span):
    d = s.device()
    p = d.start(*d.enrol_args(), "--no-wait")
    time.sleep(r.uniform(0, span))
    p.send_signal(signal.SIGKILL)
    outcome(p)
    code = d.json(*d.enrol_args(), "--no-wait")["code"]
    a.run("approve", "--yes", code)
    p = d.start(*d.enrol_args())
    time.sleep(r.uniform(0, span))
    p.send_signal(signal.SIGKILL)
    outcome(p)
    e = d.run(*d.enrol_args())
    x = d.run("ls")
    count("client enrol")
    if e.code not in (0, 21) or x.code != 0:
        t.ok(False, "enrol after a killed enrol")
        t.note(f"{e} {x}")
    me = d.run("status", "--json").json["device"]
    d.lock()
    a.run("revoke", me)
    shutil.rmtree(d.dir, ignore_errors=True)
    return None


def kills():
    span = typical()
    kinds = ([kill_client] * 9 + [kill_depot] * 5 + [kill_authority] * 5
             + [kill_get] * 2 + [kill_rm] * 2 + [kill_enrol])
    before = t.failed
    for i in range(KILLS):
        change()
        kind = kinds[i] if len(kinds) <= KILLS and i < len(kinds) \
            else r.choice(kinds)
        code = kind(span)
        if code is not None and t.failed == before:
            if code == 0:
                remember(head_number())
            else:
                put_again(kind.__name__)
        if t.failed != before:
            t.note(f"at kill {i}")
            break
        if i % EVERY == EVERY - 1:
            whole(f"after {i + 1} kills")
    whole("at the end")
    for what in sorted(tally):
        t.note(f"{tally[what]:5} {what}")


def at_last():
    c = b.run("check", "--full", "--history", "--json")
    t.ok(c.code == 0 and c.json["good"], "every commit ever made is whole") \
        or t.note(c)
    left = [n for n in os.listdir(a.home) if "tmp" in n or "new" in n]
    t.eq(left, [], "no temporary file is left in the state folder")
    caches = []
    for where, _, names in os.walk(os.path.join(a.dir, "cache")):
        caches += [n for n in names if n.startswith(("stat", "journal"))]
    t.ok(len(caches) <= 6, "nor do they add up in the cache")
    t.note(" ".join(sorted(caches)))


t.run(kills, at_last)
