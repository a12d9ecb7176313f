#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A put that is stopped halfway, by Ctrl-C or by kill -9, changes nothing; the
next one goes on where it stopped and sends nothing twice."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import compare, noise, settle, write  # noqa: E402

PACK = 16 << 20
PACKS = 6

t = Tap()
s = Site(tap=True)
a = s.first()
work = folder()


def make(name):
    for i in range(PACKS * 4):
        write(os.path.join(work, name, f"f{i:02}"), noise(PACK // 4, i * 7 +
                                                           len(name)))
    settle()


def stop_halfway(name, how):
    """Stops a paced put when some packs are through; bytes that it sent."""
    s.depot_tap.reset()
    s.depot_tap.rate = 40 << 20
    p = a.start("put", "--json", os.path.join(work, name))
    begun = time.monotonic()
    while s.depot_tap.sent < 2.5 * PACK and p.poll() is None and \
            time.monotonic() - begun < 60:
        time.sleep(0.01)
    p.send_signal(how)
    out, err = p.communicate(timeout=60)
    s.depot_tap.rate = 0
    return p.returncode, s.depot_tap.sent, out, err


def goes_on(name, how, want):
    make(name)
    before = a.run("log", "--json", "-n1").json.get("commits", [])
    code, first, out, err = stop_halfway(name, how)
    t.ok(code == want, f"{name}: the put ends with {want}") or \
        t.note(f"{code} {out} {err}")
    after = a.run("log", "--json", "-n1").json.get("commits", [])
    t.eq(after, before, f"{name}: nothing was committed")
    s.depot_tap.reset()
    r = a.run("put", "--json", os.path.join(work, name))
    t.ok(r.code == 0, f"{name}: the next put works") or t.note(r)
    both, data = first + s.depot_tap.sent, PACKS * PACK
    # What was under way or open at the moment may go again.
    spare = {signal.SIGINT: 0.06 * data, signal.SIGKILL: 4 * PACK}[how]
    t.ok(both < data * 1.06 + spare and s.depot_tap.sent < data * 0.9,
         f"{name}: and does not send again what is there")
    t.note(f"first {first >> 20} MiB, then {s.depot_tap.sent >> 20} MiB,"
           f" of {data >> 20} MiB")
    out = os.path.join(work, "out-" + name)
    a.run("get", "--to", out, name)
    t.eq(compare(os.path.join(work, name), os.path.join(out, name)), "",
         f"{name}: all of it is there")


def interrupted():
    goes_on("ctrl-c", signal.SIGINT, 130)


def killed():
    goes_on("kill", signal.SIGKILL, -9)


def cut_lines():
    """A broken line during the put is made good without anybody noticing."""
    make("cut")
    s.depot_tap.rate = 60 << 20
    p = a.start("put", "--json", os.path.join(work, "cut"))
    for _ in range(4):
        time.sleep(0.3)
        s.depot_tap.cut()
    out, err = p.communicate(timeout=120)
    s.depot_tap.rate = 0
    t.ok(p.returncode == 0, "a put over a line that breaks four times works") \
        or t.note(out + err)
    out = os.path.join(work, "out-cut")
    a.run("get", "--to", out, "cut")
    t.eq(compare(os.path.join(work, "cut"), os.path.join(out, "cut")), "",
         "and is whole")


t.run(interrupted, killed, cut_lines)
