#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two devices store into one folder at once.  One of them finds the head moved,
merges and tries again: every acknowledged version is in the tree afterwards,
under its name or beside it as *.conflict-*."""

import os
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Result, Site  # noqa: E402
from skerrytest import Tap, folder, metrics, wait_for  # noqa: E402
from trees import compare, content, write  # noqa: E402

ROUNDS = 8 if os.environ.get("SKERRY_SANITIZED") else 25
t = Tap()
s = Site()
a = s.first()
b = s.device().join(a)
c = s.device().join(a)
work = folder()


def src(d, *names):
    return os.path.join(work, "ab"[d is b], *names)


def both(*jobs):
    """Runs each (device, arguments) at the same time; their JSON results."""
    results = [None] * len(jobs)

    def one(i, d, args):
        results[i] = d.run(args[0], "--json", *args[1:])

    threads = [threading.Thread(target=one, args=(i, d, args))
               for i, (d, args) in enumerate(jobs)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    return results


def sessions():
    port = s.authority.process.event("ready")["metrics_port"]
    return metrics(port).get('requests_total{path="/v1/session",status="200"}',
                             0)


def merged(first, then):
    """Runs both (device, arguments), which see the same head: then goes on when
    first has moved it, and has to merge.  Their results."""
    depot, before = s.depot.process.proc, sessions()
    depot.send_signal(signal.SIGSTOP)
    p, q = (d.start(args[0], "--json", *args[1:]) for d, args in (first, then))
    seen = wait_for(lambda: sessions() == before + 2)
    q.send_signal(signal.SIGSTOP)
    depot.send_signal(signal.SIGCONT)
    out = [p.communicate(timeout=120)]
    q.send_signal(signal.SIGCONT)
    out.append(q.communicate(timeout=120))
    r = [Result(subprocess.CompletedProcess(x.args, x.returncode, *y))
         for x, y in zip((p, q), out)]
    if not seen or [x.code for x in r] != [0, 0]:
        t.note(f"{seen} {r}")
    return r


def fetched(*paths):
    out = os.path.join(work, "out")
    shutil.rmtree(out, ignore_errors=True)
    r = c.run("get", "--to", out, *paths)
    if r.code != 0:
        t.note(r)
    return out


def all_contents(where):
    return {content(os.path.join(top, n))
            for top, _, names in os.walk(where) for n in names}


def disjoint():
    """Single files, so that no put removes what the other stored."""
    conflicts = 0
    for i in range(ROUNDS):
        for d, who in (a, "a"), (b, "b"):
            write(src(d, f"{who}{i}"), f"{who} in round {i}")
        r = both((a, ("put", "--to", "both", src(a, f"a{i}"))),
                 (b, ("put", "--to", "both", src(b, f"b{i}"))))
        if [x.code for x in r] != [0, 0]:
            t.ok(False, f"round {i}")
            t.note(r)
            return
        conflicts += sum(x.json["conflicts"] for x in r)
    t.note(f"{conflicts} heads moved under puts in {ROUNDS} rounds")
    for i in ROUNDS, ROUNDS + 1:
        for d, who in (a, "a"), (b, "b"):
            write(src(d, f"{who}{i}"), f"{who} in round {i}")
        jobs = [(d, ("put", "--to", "both", src(d, f"{who}{i}")))
                for d, who in ((a, "a"), (b, "b"))]
        r = merged(*jobs[::(1, -1)[i % 2]])
        t.eq([x.json["conflicts"] for x in r], [0, 1],
             "a head moved under a put")
    out = fetched("both")
    want = {f"{who} in round {i}".encode() for i in range(ROUNDS + 2)
            for who in "ab"}
    t.eq(all_contents(out), want, "all files of both are there")
    t.eq(len(os.listdir(os.path.join(out, "both"))), 2 * ROUNDS + 4,
         "each under its own name")


def same_names():
    """Whole folders, and the same files in them."""
    said = set()
    for i in range(6):
        for d, who in (a, "a"), (b, "b"):
            write(src(d, "same", f"f{i % 3}"), f"f{i % 3} by {who} in {i}")
        jobs = [(d, ("put", "--to", f"r{i}", src(d, "same"))) for d in (a, b)]
        r = merged(*jobs[::(1, -1)[i % 2]])
        t.ok(r[1].json["conflicts"] == 1 and r[1].json["renamed"] > 0,
             f"round {i}: both versions of a file are kept")
        said |= {f"f{i % 3} by {who} in {i}".encode() for who in "ab"}
        got = all_contents(fetched(f"r{i}"))
        t.eq(got, {content(src(d, "same", n)) for d in (a, b)
                   for n in os.listdir(src(d, "same"))},
             f"round {i}: both versions are there")
    t.ok(said <= all_contents(fetched()), "to the end")


def collisions():
    """A file against a folder of the same name, whoever merges."""
    write(src(a, "x", "thing"), "file")
    write(src(b, "x", "thing", "below"), "below")
    for i in 0, 1:
        jobs = [(d, ("put", "--to", f"k{i}", src(d, "x", "thing")))
                for d in (a, b)]
        merged(*jobs[::(1, -1)[i]])
        out = fetched(f"k{i}")
        t.eq(all_contents(out), {b"file", b"below"},
             "a file and a folder collide: both are kept")
        names = sorted(os.listdir(os.path.join(out, f"k{i}")))
        t.ok(names[0] == "thing" and names[1].startswith("thing.conflict-")
             and os.path.isdir(os.path.join(out, f"k{i}", "thing")),
             "the folder keeps the name") or t.note(names)


def folder_replaced():
    """A folder becomes a file here, while a file in it changes there."""
    for i in 0, 1:
        write(src(a, f"y{i}", "d", "in"), f"first {i}")
        t.eq(a.run("put", "--to", f"m{i}", src(a, f"y{i}", "d")).code, 0,
             "a folder")
        b.run("ls")
        shutil.rmtree(src(a, f"y{i}", "d"))
        write(src(a, f"y{i}", "d"), f"now a file {i}")
        write(src(b, f"y{i}", "in"), f"second {i}")
        jobs = [(a, ("put", "--to", f"m{i}", src(a, f"y{i}", "d"))),
                (b, ("put", "--to", f"m{i}/d", src(b, f"y{i}", "in")))]
        r = merged(*jobs[::(1, -1)[i]])
        t.eq(r[1].json["conflicts"], 1, ("the one", "the other")[i]
             + " merges")
        t.eq(all_contents(fetched(f"m{i}")),
             {f"now a file {i}".encode(), f"second {i}".encode()},
             "the file that replaced a folder, and the change in it")


def deletions():
    """rm here, a change there: the change stays."""
    for i in 0, 1:
        write(src(a, f"z{i}", "one"), "one")
        write(src(a, f"z{i}", "two"), "two")
        t.eq(a.run("put", src(a, f"z{i}")).code, 0, "a folder")
        write(src(b, f"z{i}", "one"), f"changed {i}")
        jobs = [(a, ("rm", f"z{i}")),
                (b, ("put", "--to", f"z{i}", src(b, f"z{i}", "one")))]
        r = merged(*jobs[::(1, -1)[i]])
        t.ok(r[0].json["commit"] < r[1].json["commit"],
             ("the change", "the deletion")[i] + " merges")
        t.eq(all_contents(fetched(f"z{i}")), {f"changed {i}".encode()},
             "a change is stronger than a deletion, the rest is removed")


def what_is_not_here():
    """A put makes the folder what it is on this device, and says what went."""
    for i in "one", "two":
        write(src(a, "here", i), i.encode())
    write(src(b, "here", "three"), b"three")
    a.run("put", src(a, "here"))
    r = b.run("put", src(b, "here"))
    t.ok(r.code == 0 and "1 file" in r.out and ", 2 removed;" in r.out,
         "a put says how many entries others had put") or t.note(r)
    t.eq(all_contents(fetched("here")), {b"three"}, "which are gone from the "
         "latest commit")
    n = b.run("log", "--json").json["commits"][1]["number"]
    r = b.run("cat", "--commit", str(n), "here/one")
    t.eq(r.out, "one", "and are in the one before") or t.note(r)


def invariants():
    r = c.run("check", "--full", "--history", "--json")
    t.ok(r.code == 0 and r.json["good"], "all commits are whole") or t.note(r)
    r = a.run("log", "--json").json["commits"]
    t.eq([x["number"] for x in r], list(range(len(r), 0, -1)),
         "the history is one line")


t.run(disjoint, same_names, collisions, folder_replaced, deletions,
      what_is_not_here, invariants)
