#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two devices store into one folder at once.  One of them finds the head moved,
merges and tries again: every acknowledged version is in the tree afterwards,
under its name or beside it as *.conflict-*."""

import os
import shutil
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
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
    t.ok(conflicts > 0, "heads moved under puts")
    t.note(f"{conflicts} in {ROUNDS} rounds")
    out = fetched("both")
    want = {f"{who} in round {i}".encode() for i in range(ROUNDS)
            for who in "ab"}
    t.eq(all_contents(out), want, "all files of both are there")
    t.eq(len(os.listdir(os.path.join(out, "both"))), 2 * ROUNDS,
         "each under its own name")


def same_names():
    """Whole folders, and the same files in them."""
    said, renamed = set(), 0
    for i in range(ROUNDS):
        for d, who in (a, "a"), (b, "b"):
            write(src(d, "same", f"f{i % 3}"), f"f{i % 3} by {who} in {i}")
        r = both((a, ("put", "--to", f"r{i}", src(a, "same"))),
                 (b, ("put", "--to", f"r{i}", src(b, "same"))))
        if [x.code for x in r] != [0, 0]:
            t.ok(False, f"round {i}")
            t.note(r)
            return
        merged = sum(x.json["conflicts"] for x in r) != 0
        renamed += sum(x.json["renamed"] for x in r)
        if merged:
            said |= {f"f{i % 3} by {who} in {i}".encode() for who in "ab"}
            got = all_contents(fetched(f"r{i}"))
            want = {content(src(d, "same", n)) for d in (a, b)
                    for n in os.listdir(src(d, "same"))}
            if got != want:
                t.ok(False, f"round {i}: both versions are there")
                t.note(f"{got} {want}")
                return
    t.ok(renamed > 0, "both versions of a file are kept")
    t.note(f"{renamed} renamed in {ROUNDS} rounds")
    t.ok(said <= all_contents(fetched()), "to the end")


def raced(first, second):
    """Runs both at once until one had to merge; the JSON results.  first and
    second prepare a round and give (device, arguments)."""
    for i in range(40):
        r = both(first(i), second(i))
        if [x.code for x in r] != [0, 0]:
            t.ok(False, "both are done")
            t.note(r)
            return i, r
        if sum(x.json.get("conflicts", 0) for x in r) != 0:
            return i, r
    return i, None


def collisions():
    """A file against a folder of the same name."""
    def file(i):
        write(src(a, f"x{i}", "thing"), f"file {i}")
        return a, ("put", "--to", f"k{i}", src(a, f"x{i}", "thing"))

    def tree(i):
        write(src(b, f"x{i}", "thing", "below"), f"below {i}")
        return b, ("put", "--to", f"k{i}", src(b, f"x{i}", "thing"))

    i, r = raced(file, tree)
    if not t.ok(r is not None, "a file and a folder collide"):
        return
    out = fetched(f"k{i}")
    t.eq(all_contents(out), {f"file {i}".encode(), f"below {i}".encode()},
         "both are kept")
    names = sorted(os.listdir(os.path.join(out, f"k{i}")))
    t.ok(names[0] == "thing" and names[1].startswith("thing.conflict-")
         and os.path.isdir(os.path.join(out, f"k{i}", "thing")),
         "the folder keeps the name") or t.note(names)


def folder_replaced():
    """A folder becomes a file here, while a file in it changes there."""
    def prepare(i):
        write(src(a, f"y{i}", "d", "in"), f"first {i}")
        if a.run("put", "--to", f"m{i}", src(a, f"y{i}", "d")).code != 0:
            t.ok(False, "prepare")
        b.run("ls")
        shutil.rmtree(src(a, f"y{i}", "d"))
        write(src(a, f"y{i}", "d"), f"now a file {i}")
        return a, ("put", "--to", f"m{i}", src(a, f"y{i}", "d"))

    def change(i):
        write(src(b, f"y{i}", "in"), f"second {i}")
        return b, ("put", "--to", f"m{i}/d", src(b, f"y{i}", "in"))

    met = set()
    for i in range(60):
        r = both(prepare(i), change(i))
        # Who begins after the file was stored finds it in the way.
        codes = [x.code for x in r]
        if codes[0] != 0 or codes[1] not in (0, 21):
            t.ok(False, "both are done")
            t.note(r)
            return
        merged = [i for i in (0, 1)
                  if codes == [0, 0] and r[i].json["conflicts"] != 0]
        if merged and merged[0] not in met:
            met.add(merged[0])
            t.eq(all_contents(fetched(f"m{i}")),
                 {f"now a file {i}".encode(), f"second {i}".encode()},
                 "the file that replaced a folder, and the change in it: "
                 + ("the one" if merged[0] else "the other") + " merges")
        if met == {0, 1}:
            return
    t.note(f"only met by {met}")


def deletions():
    """rm here, a change there: the change stays."""
    def prepare(i):
        write(src(a, f"z{i}", "one"), "one")
        write(src(a, f"z{i}", "two"), "two")
        if a.run("put", src(a, f"z{i}")).code != 0:
            t.ok(False, "prepare")
        return a, ("rm", f"z{i}")

    def change(i):
        write(src(b, f"z{i}", "one"), f"changed {i}")
        return b, ("put", "--to", f"z{i}", src(b, f"z{i}", "one"))

    # rm does not say that it merged: look at what came of it.
    for i in range(40):
        r = both(prepare(i), change(i))
        codes = [x.code for x in r]
        if codes != [0, 0]:
            t.ok(False, "both are done")
            t.note(r)
            return
        out = all_contents(fetched(f"z{i}"))
        if f"changed {i}".encode() not in out:
            # rm began after the put had ended, and knew of it.
            if r[0].json["commit"] > r[1].json["commit"]:
                continue
            t.ok(False, "a change is stronger than a deletion")
            t.note(out)
            return
        if r[0].json["commit"] > r[1].json["commit"]:
            t.eq(out, {f"changed {i}".encode()}, "a change is stronger than "
                 "a deletion, the rest is removed")
            return
    t.ok(True, "a change is stronger than a deletion (never met)")


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
