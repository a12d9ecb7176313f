#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A put that is broken off, by Ctrl-C or by kill -9, takes up where it stopped:
both runs together send about what one whole put sends."""

import os
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder, wait_for  # noqa: E402
from trees import compare, noise, write  # noqa: E402

PACK = 16 << 20
RATE = 24 << 20
SIZE = 160 << 20  # of it 64 MiB may wait in memory
t = Tap()
s = Site(tap=True)
a = s.first()
work = folder()
src = os.path.join(work, "src")
for n in range(40):
    write(os.path.join(src, f"f{n:02}"), noise(SIZE // 40))


def stored():
    objects, _ = s.depot.files()
    return sum(os.path.getsize(p) for p in objects.values())


def whole(name):
    s.depot_tap.rate = 0
    out = os.path.join(work, "out")
    g = a.run("get", "--to", out, name)
    t.eq((g.code, compare(os.path.join(work, name),
                          os.path.join(out, name))), (0, ""), "all is there")
    shutil.rmtree(out)


def cut_off(name, how, want, slack):
    """Runs put, ends it when a part has arrived, and runs it again."""
    before = s.depot_tap.sent
    s.depot_tap.rate = RATE
    p = a.start("put", os.path.join(work, name))
    while s.depot_tap.sent - before < SIZE * 0.4 and p.poll() is None:
        time.sleep(0.02)
    p.send_signal(how)
    begun = time.monotonic()
    out, err = p.communicate(timeout=60)
    t.eq(p.returncode, want, "ended so") or t.note(err)
    t.note(f"{time.monotonic() - begun:.1f} s until it ended")
    if how == signal.SIGINT:
        t.eq(err, b"skerry: interrupted: nothing was committed; the same "
             b"put goes on from here\n", "and said so")
    t.ok(a.run("ls", name).code == 4, "nothing of it is to be seen")
    s.depot_tap.rate = 0
    first = s.depot_tap.sent - before
    r = a.run("put", "--json", os.path.join(work, name))
    both = s.depot_tap.sent - before
    t.ok(r.code == 0 and r.json["changed"], "the next put works") or t.note(r)
    t.ok(first > SIZE * 0.4 and both < SIZE * 1.03 + slack,
         "both together send what one sends, but for packs under way")
    t.note(f"{first >> 20} MiB, then {(both - first) >> 20} of "
           f"{SIZE >> 20} MiB")
    return r


def by_interrupt():
    before = stored()
    # The packs that it ends early are padded, and a chunk under way comes again.
    r = cut_off("src", signal.SIGINT, 130, PACK)
    t.ok(stored() - before < SIZE + PACK, "nothing is stored twice")
    t.ok(r.json["stored"] < SIZE * 0.7, "the second run stored the rest")
    whole("src")
    r = a.run("put", "--json", src)
    t.eq((r.code, r.json["changed"], r.json["objects"]), (0, False, 0),
         "a third one has nothing to do")


def fresh_source(name):
    os.makedirs(os.path.join(work, name))
    for n in range(40):
        write(os.path.join(work, name, f"f{n:02}"), noise(SIZE // 40))


def by_kill():
    fresh_source("killed")
    cut_off("killed", signal.SIGKILL, -9, 4 * PACK)
    whole("killed")


def pending(p, signal):
    """Whether a process has not taken it yet."""
    with open(f"/proc/{p.pid}/status") as f:
        mask = int(re.search(r"ShdPnd:\t(\w+)", f.read())[1], 16)
    return mask >> signal - 1 & 1


def twice():
    """The second signal does not wait."""
    fresh_source("twice")
    s.depot_tap.rate = 2 << 20
    before = s.depot_tap.sent
    p = a.start("put", os.path.join(work, "twice"))
    while s.depot_tap.sent - before < 1 << 20 and p.poll() is None:
        time.sleep(0.02)
    p.send_signal(signal.SIGINT)
    wait_for(lambda: not pending(p, signal.SIGINT))
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    t.eq(p.returncode, -2, "a second signal ends it at once")
    s.depot_tap.rate = 0
    t.eq(a.run("put", os.path.join(work, "twice")).code, 0, "a put goes on")
    whole("twice")


def hangup():
    """The terminal goes; nohup keeps a put."""
    fresh_source("gone")
    for prefix, code in ((), 130), (("nohup",), 0):
        s.depot_tap.rate = 2 << 20
        before = s.depot_tap.sent
        p = a.start("put", os.path.join(work, "gone"), prefix=prefix)
        while s.depot_tap.sent - before < 1 << 20 and p.poll() is None:
            time.sleep(0.02)
        p.send_signal(signal.SIGHUP)
        s.depot_tap.rate = 0
        _, err = p.communicate(timeout=60)
        t.ok(p.returncode == code and (code == 0 or b"the same put" in err),
             f"SIGHUP: {code}") or t.note(err.decode())
    whole("gone")


def get_interrupted():
    out = os.path.join(work, "got")
    p = a.start("get", "--to", out)
    wait_for(lambda: os.path.exists(out))
    p.send_signal(signal.SIGTERM)
    _, err = p.communicate(timeout=60)
    t.ok(p.returncode == 0 or p.returncode == 130 and
         (b"goes on from here" in err or b"object" not in err),
         f"SIGTERM in a get: {p.returncode}: {err.decode()}")
    g = a.run("get", "--to", out)
    t.eq((g.code, compare(src, os.path.join(out, "src"))), (0, ""),
         "the next get is whole")
    t.eq(sorted(os.listdir(out)), ["gone", "killed", "src", "twice"],
         "and nothing else is left")


t.run(by_interrupt, by_kill, twice, hangup, get_interrupted)
