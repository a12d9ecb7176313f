#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A depot that is away, full, or another's; a device without room; capabilities
that have run out.  Each has its message and its exit status."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import compare, noise, write  # noqa: E402

t = Tap()
work = folder()
s = Site()
a = s.first()


def path(*names):
    return os.path.join(work, *names)


def mount(where, size):
    os.makedirs(where, exist_ok=True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                           "tmpfs", where],
                          stderr=subprocess.DEVNULL).returncode == 0


def depot_down():
    write(path("src", "one"), noise(300_000))
    t.eq(a.run("put", path("src")).code, 0, "a put")
    s.depot.process.kill()
    for args in (["put", path("src2")], ["get", "--to", path("x")]):
        write(path("src2", "two"), noise(300_000))
        shutil.rmtree(os.path.join(a.dir, "cache"), ignore_errors=True)
        r = a.run(*args, timeout=300)
        t.ok(r.code == 11 and "depot" in r.err and "127.0.0.1" in r.err,
             f"{args[0]} without a depot: DEPOT, and it is named") or t.note(r)
    s.depot.start()
    # It came back on another port: the policy's is the old one.
    s.depot.process.kill()
    s.depot.config["listen"] = "127.0.0.1:" + s.policy_port
    s.depot.start()
    r = a.run("put", path("src2"))
    t.ok(r.code == 0, "a put when it is back") or t.note(r)


def other_certificate():
    """Somebody else answers at the depot's address."""
    x = Site()
    s.depot.process.kill()
    keep = dict(s.depot.config)
    s.depot.config.update(cert=x.depot.cert, key=x.depot.key)
    s.depot.start()
    write(path("src3", "f"), b"3")
    r = a.run("put", path("src3"))
    t.ok(r.code == 13, "another's certificate: TRUST") or t.note(r)
    s.depot.process.kill()
    s.depot.config = keep
    s.depot.start()


def other_authority():
    """The depot believes another authority: capabilities are refused."""
    x = Site()
    s.depot.process.kill()
    keep = dict(s.depot.config)
    s.depot.config["authority_keys"] = [x.authority.public["signing"]]
    s.depot.start()
    r = a.run("put", path("src3"))
    t.ok(r.code == 5 and "depot" in r.err,
         "a capability of an authority that the depot does not know: DENIED") \
        or t.note(r)
    s.depot.process.kill()
    s.depot.config = keep
    s.depot.start()
    t.eq(a.run("put", path("src3")).code, 0, "and then again")


def full_depot():
    where = os.path.join(folder(), "small")
    if not mount(where, "6m"):
        t.skip("a depot whose disk is full", "mounting needs root")
        return
    try:
        x = Site(data=where)
        d = x.first()
        write(path("fits", "f"), noise(1_000_000))
        t.eq(d.run("put", path("fits")).code, 0, "what fits is put")
        write(path("big", "f"), noise(20_000_000))
        r = d.run("put", path("big"))
        t.ok(r.code == 14 and "depot" in r.err,
             "a depot whose disk is full: SPACE, and it is named") or t.note(r)
        t.eq([c["number"] for c in d.run("log", "--json").json["commits"]],
             [1], "and nothing was committed")
        write(path("fits", "g"), noise(100_000))
        r = d.run("put", path("fits"))
        t.ok(r.code == 0, "what fits still is put") or t.note(r)
        t.eq(d.run("check", "--full").code, 0, "and all of it is whole")
        x.depot.process.kill()
    finally:
        subprocess.run(["umount", "-l", where])


def full_device():
    write(path("large", "f"), noise(9_000_000))
    t.eq(a.run("put", path("large")).code, 0, "a put")
    where = os.path.join(folder(), "small")
    if not mount(where, "4m"):
        t.skip("a device whose disk is full", "mounting needs root")
        return
    try:
        r = a.run("get", "--to", os.path.join(where, "out"), "large")
        t.ok(r.code == 14, "get to a full disk: SPACE") or t.note(r)
        left = [n for _, _, ns in os.walk(where) for n in ns
                if not n.startswith(".skerry-part-")]
        t.eq(left, [], "and no part under a real name")
    finally:
        subprocess.run(["umount", "-l", where])
    r = a.run("get", "--to", path("room"), "large")
    t.eq((r.code, compare(path("large"), path("room", "large"))), (0, ""),
         "with room it is there")


def full_cache():
    """The cache folder is full: slower, not wrong."""
    cache = os.path.join(a.dir, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    if not mount(cache, "64k"):
        t.skip("a cache folder that is full", "mounting needs root")
        return
    try:
        write(path("again", "f"), noise(400_000))
        r = a.run("put", path("again"))
        t.ok(r.code == 0, "a put with a full cache folder") or t.note(r)
        r = a.run("get", "--to", path("from full"), "again")
        t.ok(r.code == 0, "a get with a full cache folder") or t.note(r)
    finally:
        subprocess.run(["umount", "-l", cache])


def no_lease():
    """While the authority is away: with a live lease reads go on, without one
    the message says who is away."""
    s.authority.stop()
    r = a.run("get", "--to", path("now"), "src")
    t.ok(r.code == 0, "under a live lease, reads go on without an authority") \
        or t.note(r)
    r = a.run("put", path("src3"))
    t.ok(r.code == 12 and "authority" in r.err,
         "a put does not: AUTHORITY, and it is named") or t.note(r)
    a.run("lock")
    r = a.run("get", "--to", path("later"), "src")
    t.ok(r.code == 12 and "authority" in r.err,
         "nor a read without a lease") or t.note(r)
    s.authority.start()


s.policy_port = str(s.depot.port)
t.run(depot_down, other_certificate, other_authority, full_depot, full_device,
      full_cache, no_lease)
