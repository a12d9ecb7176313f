#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a device says and does when depot or authority are away, are others than
they should be, or when a disk is full: each has an exit status of its own and
a message that names what is at fault."""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import (  # noqa: E402
    FAKETIME, Disk, Tap, certificate, folder, with_clock)
from trees import compare, content, noise, small_files, write  # noqa: E402

SANITIZED = bool(os.environ.get("SKERRY_SANITIZED"))
t = Tap()
s = Site(tap=True)
a = s.first()
work = folder()
src = os.path.join(work, "src")
small_files(src, 50)

# Its lease ends while the other cases run.
brief = Site(lease="1m", tap=True)
brief_a = brief.first()
t.eq(brief_a.run("put", src).code, 0, "a lease of a minute: put")
begun = time.monotonic()


def fails(r, status, *words):
    """One line on standard error, with these words."""
    lines = r.err.splitlines()
    good = (r.code == status and lines
            and all(w in lines[-1] for w in words))
    t.ok(good, f"exit {status}, and says {', '.join(words)}") or t.note(r)


def depot_down():
    t.eq(a.run("put", src).code, 0, "put")
    write(os.path.join(src, "more"), noise(100))
    s.depot.process.kill()
    fails(a.run("put", src), 11, "depot", "127.0.0.1")
    out = os.path.join(work, "out")
    fails(a.run("get", "--to", out), 11, "depot")
    half = [os.path.join(where, n) for where, _, names in os.walk(out)
            for n in names]
    t.eq([p for p in half if content(p) != content(
        p.replace(out, work, 1))], [], "no file is left half done")
    fails(a.run("check"), 11, "depot")
    t.eq(a.run("status").code, 0, "status asks nobody")
    s.depot.start()
    t.eq(a.run("put", src).code, 0, "up again: put")


def authority_down():
    s.authority.stop()
    s.authority_tap.reset()
    out = os.path.join(work, "lease")
    t.eq((a.run("get", "--to", out).code,
          compare(src, os.path.join(out, "src"))), (0, ""),
         "authority down: get goes on under the lease")
    for args in (("ls", "-R"), ("log",), ("cat", "src/more"),
                 ("check", "--full")):
        t.eq(a.run(*args).code, 0, args[0])
    t.eq(s.authority_tap.connections, 0, "without one connection offshore")
    r = a.json("ls")
    t.eq(r["wire"]["offshore"],
         {"requests": 0, "sent": 0, "received": 0}, "--json says the same")
    fails(a.run("put", src), 12, "authority", "127.0.0.1")
    fails(a.run("rm", "src"), 12, "authority")
    a.run("lock")
    fails(a.run("ls"), 12, "authority")
    s.authority.start()
    t.eq(a.run("ls").code, 0, "up again: ls")


def lost_answer():
    """The line breaks after each stretch of bytes: nothing is done by halves."""
    before = len(a.json("log")["commits"])
    for n in range(4):
        write(os.path.join(src, "cut"), noise(200000 + n))
        p = a.start("put", src)
        time.sleep(0.05 * n)
        s.authority_tap.cut()
        s.depot_tap.cut()
        _, err = p.communicate(timeout=60)
        t.ok(p.returncode in (0, 11, 12), f"line cut {n}") or t.note(err)
    t.eq(a.run("put", src).code, 0, "then a put")
    t.ok(len(a.json("log")["commits"]) <= before + 5, "no commit twice")
    t.eq(a.run("check", "--full", "--history").code, 0, "all good")


def revoked():
    b = s.device().join(a)
    t.eq(b.run("ls").code, 0, "a second device reads")
    c = s.device().join(a)
    t.eq(c.run("ls").code, 0, "and a third")
    t.eq(a.run("revoke", "--no-rotate", b.json("status")["device"]).code, 0,
         "is revoked, and the key stays")
    fails(b.run("put", src), 5, "revoked")
    t.eq(b.run("ls").code, 0, "it reads until its lease ends")
    t.eq(a.run("revoke", c.json("status")["device"]).code, 0,
         "the other with a change of the key")
    fails(c.run("ls"), 5, "revoked")
    b.run("lock")
    fails(b.run("ls"), 5, "revoked")


def strangers():
    """Another site's certificate at the depot's or the authority's address."""
    other = certificate(folder())[0]
    for kind, who in ("depots", "depot"), ("authorities", "authority"):
        members = s.members(1)
        with open(other) as f:
            members[kind][0]["ca"] = f.read()
        policy = s.make_policy(f"{who}.policy", 1, **{kind: members[kind]})
        d = s.device()
        r = d.run("init", "--policy", policy, "--residency", "germany",
                  "--recovery-out", os.path.join(d.dir, "code"))
        if who == "depot":
            t.eq(r.code, 0, "init does not need the depot")
            r = d.run("put", src)
        fails(r, 13, who, "127.0.0.1")


def foreign_capability():
    """A depot that trusts another authority, or has another name."""
    right = dict(s.depot.config)
    s.depot.config["authority_keys"] = brief.depot.config["authority_keys"]
    s.depot.restart()
    write(os.path.join(src, "denied"), noise(100))
    fails(a.run("put", src), 5, "depot")
    s.depot.config = {**right, "name": "elsewhere"}
    s.depot.restart()
    fails(a.run("put", src), 5, "depot")
    fails(a.run("get", "--to", os.path.join(work, "d")), 5, "depot")
    s.depot.config = right
    s.depot.restart()
    t.eq(a.run("put", src).code, 0, "as it was: put")


def clocks():
    if FAKETIME is None or SANITIZED:
        t.skip("clocks", "no faketime here")
        return
    fails(a.run("put", src, prefix=("faketime", "-f", "+2h")), 15, "UTC")
    write(os.path.join(src, "clock"), noise(100))
    real = s.depot.binary
    s.depot.binary = with_clock(real, "+14h")
    s.depot.restart()
    r = a.run("put", src)
    t.ok(r.code in (15, 22) and "depot" in r.err.lower(),
         "a depot with another clock: CLOCK") or t.note(r)
    t.note(r.err)
    s.depot.binary = real
    s.depot.restart()
    t.eq(a.run("put", src).code, 0, "the right clock: put")


def depot_full():
    with Disk("44m") as disk:
        if not disk.good:
            t.skip("a full depot", "cannot mount")
            return
        full = Site(tap=True, data=os.path.join(disk.path, "data"))
        d = full.first()
        t.eq(d.run("put", src).code, 0, "a depot with little room: put")
        big = os.path.join(work, "big")
        for n in range(16):
            write(os.path.join(big, f"{n}"), noise(5 << 20))
        fails(d.run("put", big), 14, "depot")
        out = os.path.join(work, "full")
        t.eq((d.run("get", "--to", out).code,
              compare(src, os.path.join(out, "src"))), (0, ""),
             "what was there can be read")
        disk.resize("200m")
        before = full.depot_tap.sent
        r = d.run("put", big)
        t.ok(r.code == 0, "with more room: put") or t.note(r)
        sent = full.depot_tap.sent - before
        t.ok(sent < 70 << 20, "which sends only what is missing")
        t.note(f"{sent >> 20} of 80 MiB")
        t.eq(d.run("check", "--full").code, 0, "all good")
        full.depot.process.kill()
        full.authority.stop()


def few_descriptors():
    """It is this process that has none, not the peer that is away."""
    a.run("put", src)
    write(os.path.join(src, "few"), noise(100000))
    for n in 12, 6:
        r = a.run("put", src, prefix=("prlimit", f"--nofile={n}"))
        t.ok(r.code == 18 and "Too many open files" in r.err
             and "onnect to" not in r.err, f"{n} descriptors: IO, which "
             "names them") or t.note(r)
    t.eq(a.run("put", src).code, 0, "with more of them it goes on")


def client_full():
    with Disk("8m") as disk:
        if not disk.good:
            t.skip("a full disk at the device", "cannot mount")
            return
        a.run("put", src)
        disk.fill()
        r = a.run("get", "--to", os.path.join(disk.path, "out"))
        t.ok(r.code == 14 and "the target is full" in r.err,
             "get to a full disk: SPACE") or t.note(r)
        disk.free()
        r = a.run("get", "--overwrite", "--to",
                  os.path.join(disk.path, "out"))
        t.eq((r.code, compare(src, os.path.join(disk.path, "out", "src"))),
             (0, ""), "with room, all of it")
        # State and cache.
        d = s.device()
        d.env["XDG_CACHE_HOME"] = os.path.join(disk.path, "cache")
        d.home = d.env["SKERRY_HOME"] = os.path.join(disk.path, "home")
        d.join(a)
        t.eq(d.run("ls").code, 0, "a device on a small disk")
        disk.fill()
        write(os.path.join(src, "squeezed"), noise(1 << 20))
        r = d.run("put", src)
        t.ok(r.code in (0, 14), "put with state and cache on a full disk: "
             "works, or SPACE") or t.note(r)
        t.note(r.err)
        if r.code == 14 and "was made and is safe" in r.err:
            number = a.json("log", "-n1")["commits"][0]["number"]
            t.ok(f"commit {number} was made" in r.err
                 and "make room" in r.err, "and says that the commit is "
                 "there, and what to do")
        r = d.run("get", "--to", os.path.join(work, "sq"), "src")
        t.ok(r.code in (0, 14), "get likewise") or t.note(r)
        disk.free()
        r = d.run("put", src)
        t.ok(r.code == 0, "with room again: put") or t.note(r)
        r = d.run("get", "--overwrite", "--to", os.path.join(work, "sq"),
                  "src")
        t.eq((r.code, compare(src, os.path.join(work, "sq", "src"))), (0, ""),
             "and get")
        d.lock()
        e = s.device()
        e.home = e.env["SKERRY_HOME"] = os.path.join(disk.path, "home2")
        disk.fill()
        r = e.run("init", "--policy", s.policy, "--residency", "germany",
                  "--recovery-out", os.path.join(e.dir, "code"))
        t.ok(r.code == 14, "init on a full disk: SPACE") or t.note(r)
        disk.free()
        r = e.run("init", "--policy", s.policy, "--residency", "germany",
                  "--recovery-out", os.path.join(e.dir, "code"))
        t.ok(r.code == 0, "and with room") or t.note(r)
        e.lock()


def cache_full():
    with Disk("64k") as disk:
        if not disk.good:
            t.skip("a full cache folder", "cannot mount")
            return
        d = s.device().join(a)
        d.env["XDG_CACHE_HOME"] = disk.path
        write(os.path.join(src, "cached"), noise(400_000))
        r = d.run("put", src)
        t.ok(r.code == 0, "put with a full cache folder") or t.note(r)
        out = os.path.join(work, "from-full")
        r = d.run("get", "--to", out, "src")
        t.eq((r.code, compare(src, os.path.join(out, "src"))), (0, ""),
             "and get")
        for name in os.listdir(disk.path):
            shutil.rmtree(os.path.join(disk.path, name))
        d.run("ls")
        subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)
        write(os.path.join(src, "cached"), noise(400_000))
        r = d.run("put", src)
        t.ok(r.code == 0, "put with a cache folder that is read-only") \
            or t.note(r)
        t.eq((d.run("rm", "src/cached").code, d.run("rotate").code), (0, 0),
             "rm and rotate")
        t.eq(d.run("put", src).code, 0, "put")
        d.lock()


def no_cache():
    """A cache folder that cannot be made: said once, and everything works."""
    d = s.device().join(a)
    blocked = os.path.join(work, "no-folder")
    write(blocked, b"")
    d.env["XDG_CACHE_HOME"] = blocked
    out = os.path.join(work, "without-cache")
    write(os.path.join(src, "uncached"), noise(400_000))
    for args in (("put", src), ("ls",), ("get", "--to", out, "src"),
                 ("check", "--full"), ("rotate",), ("status",),
                 ("put", "--repair", src), ("rm", "src/uncached"),
                 ("put", src), ("shred", "--yes", "src/uncached"),
                 ("put", src)):
        r = d.run(*args)
        t.ok(r.code == 0 and r.err.count("without a cache") == 1 and
             blocked in r.err, f"no cache: {args[0]} goes on, and says so") \
            or t.note(r)
    t.eq(compare(src, os.path.join(out, "src")), "", "what was got is whole")
    r = d.run("ls", "--json")
    t.ok(r.code == 0 and blocked in r.json["no_cache"] and not r.err,
         "with --json too") or t.note(r)
    d.lock()


def read_only_home():
    """Under a lease, and with nothing new, there is nothing to write."""
    d = s.device().join(a)
    want = d.run("ls", "-R").out
    if subprocess.run(["mount", "--bind", d.dir, d.dir],
                      capture_output=True).returncode != 0:
        t.skip("a device's folder that is read-only", "cannot mount")
        return
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", d.dir], check=True)
        r = d.run("ls", "-R")
        t.eq((r.code, r.out), (0, want), "a read-only state folder: ls")
        out = os.path.join(work, "from-read-only")
        t.eq(d.run("get", "--to", out, "src").code, 0, "get")
        fails(d.run("put", src), 18, "Read-only")
    finally:
        subprocess.run(["umount", "-l", d.dir], check=True)
    d.lock()


def lease_ends():
    brief.authority.stop()
    if time.monotonic() < begun + 30:
        t.eq(brief_a.run("ls").code, 0, "authority down, under the lease: ls")
    time.sleep(max(0, begun + 61 - time.monotonic()))
    fails(brief_a.run("ls"), 12, "authority")
    t.eq(brief_a.json("status")["lease"], 0, "the lease has ended")
    brief.authority.start()
    t.eq(brief_a.run("ls").code, 0, "up again: ls")


t.run(depot_down, authority_down, lost_answer, revoked, strangers,
      foreign_capability, clocks, depot_full, few_descriptors, client_full,
      cache_full, no_cache, read_only_home, lease_ends)
