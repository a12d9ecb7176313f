#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A capability that ends in the midst of a command: the device asks for another
and goes on, or says what is the matter; nothing is lost, nothing sent twice."""

import os
import shutil
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from evil import Impatient  # noqa: E402
from skerrysite import Site  # noqa: E402
from skerrytest import FAKETIME, Tap, folder, with_clock  # noqa: E402
from trees import compare, noise, write  # noqa: E402

SANITIZED = bool(os.environ.get("SKERRY_SANITIZED"))
PACK = 16 << 20
t = Tap()
work = folder()

# A real one of a minute, at a depot whose clock is as far ahead as it may be:
# it is good for 63 seconds, and the put below takes longer.
brief = None
if FAKETIME and not SANITIZED:
    brief = Site(lease="1m", tap=True)
    brief.depot.binary = with_clock(brief.depot.binary, "+57s")
    brief.depot.restart()
    brief_a = brief.first()
    brief_src = os.path.join(work, "brief")
    for n in range(10):
        write(os.path.join(brief_src, f"{n}"), noise(8 << 20))
    brief.depot_tap.rate = 300_000
    brief_put = brief_a.start("put", "--json", brief_src)
    brief_late = []

    def faster():
        brief_late.append(brief_put.poll() is None)
        brief.depot_tap.rate = 0
    brief_timer = threading.Timer(70, faster)
    brief_timer.daemon = True
    brief_timer.start()

s = Site(tap=True)
depot = Impatient(s)
a = s.first()
b = s.device().join(a)
src = os.path.join(work, "src")


def fresh():
    shutil.rmtree(src, ignore_errors=True)
    for n in range(8):
        write(os.path.join(src, f"{n}"), noise(PACK // 2))


def fails(r, status, *words):
    lines = r.err.splitlines()
    good = (r.code == status and len(lines) == 1
            and all(w in lines[0] for w in words))
    t.ok(good, f"exit {status}, and says {', '.join(words)}") or t.note(r)
    t.note(r.err)


def ends_after(n):
    depot.seen, depot.after = 0, n


def in_a_put():
    fresh()
    before = s.depot_tap.sent
    s.authority_tap.reset()
    ends_after(2)
    # A second token of the same second would be the same.
    s.depot_tap.rate = 10 << 20
    r = a.run("put", "--json", src)
    s.depot_tap.rate = 0
    t.ok(r.code == 0 and r.json["changed"], "expires in a put: it goes on") \
        or t.note(r)
    t.eq(r.json["wire"]["offshore"]["requests"], 3,
         "with one request more, whatever the number of threads")
    t.ok(s.authority_tap.total <= 24576, "of a few KiB")
    t.ok(s.depot_tap.sent - before < 4 * PACK * 1.1 + 2 * PACK,
         "only what was refused is sent again")
    t.note(f"{s.authority_tap.total} bytes offshore, "
           f"{(s.depot_tap.sent - before) >> 20} MiB onshore")
    t.eq(len(depot.over), 1, "one token was over")
    out = os.path.join(work, "out")
    t.eq((b.run("get", "--to", out).code,
          compare(src, os.path.join(out, "src"))), (0, ""),
         "all of it is there")


def in_a_get():
    shutil.rmtree(os.path.join(b.dir, "cache"))
    out = os.path.join(work, "out2")
    ends_after(3)
    r = b.run("get", "--json", "--to", out)
    t.eq((r.code, r.json["wire"]["offshore"]["requests"],
          compare(src, os.path.join(out, "src"))), (0, 1, ""),
         "expires in a get under the lease: it goes on, with one request")
    r = b.run("ls", "--json")
    t.eq(r.code, 0, "a token that was over before the command began")


def nobody_to_ask():
    fresh()
    depot.then = s.authority.stop
    ends_after(2)
    fails(a.run("put", src), 12, "capability has expired",
          "authority https://")
    depot.then = None
    s.authority.start()
    r = a.run("put", "--json", src)
    t.ok(r.code == 0 and r.json["stored"] < 4.2 * PACK, "up again: put")
    t.eq(b.run("check", "--full").code, 0, "all good")


def of_no_use():
    write(os.path.join(src, "more"), noise(1000))
    depot.all = True
    fails(a.run("put", src), 22, "expired", "depot https://")
    depot.all = False
    t.eq(a.run("put", src).code, 0, "as it was: put")


def revoked_meanwhile():
    c = s.device().join(a)
    t.eq(c.run("ls").code, 0, "a device has a lease")
    t.eq(a.run("revoke", c.json("status")["device"]).code, 0, "is revoked")
    ends_after(0)
    shutil.rmtree(os.path.join(c.dir, "cache"))
    r = c.run("get", "--to", os.path.join(work, "never"))
    t.ok(r.code == 5 and "revoked" in r.err,
         "its capability ends: DENIED") or t.note(r)


def by_the_clock():
    if brief is None:
        t.skip("a lease of a minute", "no faketime here")
        return
    brief_timer.join()
    t.eq(brief_late, [True], "a put that takes longer than its lease")
    out, err = brief_put.communicate(timeout=120)
    t.eq(brief_put.returncode, 0, "is finished") or t.note(err)
    t.ok(b'"offshore":{"requests":3,' in out, "with a second capability") \
        or t.note(out)
    r = brief_a.run("check", "--full")
    t.eq(r.code, 0, "and all good") or t.note(r)


t.run(in_a_put, in_a_get, nobody_to_ask, of_no_use, revoked_meanwhile,
      by_the_clock)
