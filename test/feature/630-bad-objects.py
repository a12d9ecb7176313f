#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A depot that alters, cuts, loses or swaps objects: found, named, and costs the
files that need them; nothing else."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import compare, noise, write  # noqa: E402

t = Tap()
s = Site()
a = s.first()
b = s.device().join(a)
work = folder()
kept = os.path.join(work, "kept")


def objects():
    found = []
    for where, _, names in os.walk(os.path.join(s.depot.data, "v1")):
        found += [os.path.join(where, n) for n in names if n != "head"]
    return found


def fresh_cache():
    shutil.rmtree(os.path.join(b.dir, "cache"), ignore_errors=True)


def store():
    """Three puts, so that data, tree and index lie in packs apart."""
    for n in range(3):
        before = set(objects())
        for i in range(12):
            write(os.path.join(work, f"part{n}", f"f{i}"),
                  noise(2_500_000, 100 * n + i))
        r = a.run("put", "--json", os.path.join(work, f"part{n}"))
        t.ok(r.code == 0, f"part {n} is put") or t.note(r)
        packs[n] = sorted(set(objects()) - before, key=os.path.getsize)
    shutil.copytree(s.depot.data, kept)


packs = {}


def heal():
    for path in objects():
        os.unlink(path)
    shutil.copytree(kept, s.depot.data, dirs_exist_ok=True)
    fresh_cache()


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x20]))


def lost(n, what, code):
    """What a get and a check say of harm to the data of part n."""
    fresh_cache()
    out = os.path.join(work, "out")
    shutil.rmtree(out, ignore_errors=True)
    g = b.run("get", "--json", "--to", out)
    t.ok(g.code == 17, f"{what}: get is PARTIAL") or t.note(g)
    gone = {w["path"] for w in g.json["warnings"]}
    t.ok(gone and all(p.startswith(f"part{n}/") for p in gone),
         f"{what}: it names the paths, all of part {n}") or t.note(g)
    for m in range(3):
        for i in range(12):
            name = f"part{m}/f{i}"
            there = os.path.exists(os.path.join(out, name))
            if there == (name in gone):
                t.ok(False, f"{what}: {name}")
    for m in {0, 1, 2} - {n}:
        t.eq(compare(os.path.join(work, f"part{m}"),
                     os.path.join(out, f"part{m}")), "",
             f"{what}: part {m} is whole")
    c = b.run("check", "--full", "--json")
    t.ok(c.code == code and not c.json["good"],
         f"{what}: check --full ends with {code}") or t.note(c)
    named = {x["path"] for x in c.json["findings"] if x["what"] == "path"}
    t.ok(named == gone, f"{what}: and names the same paths") or \
        t.note(f"{sorted(named)} {sorted(gone)} {c.json}")


def altered():
    flip(packs[0][-1], 1_000_000)
    lost(0, "a flipped bit", 9)
    heal()


def cut_short():
    with open(packs[0][-1], "r+b") as f:
        f.truncate(9_000_000)
    lost(0, "a truncated object", 10)
    heal()


def missing():
    os.unlink(packs[0][-1])
    lost(0, "a missing object", 10)
    heal()


def swapped():
    x, y = packs[0][-1], packs[1][-1]
    os.rename(x, x + ".x")
    os.rename(y, x)
    os.rename(x + ".x", y)
    fresh_cache()
    g = b.run("get", "--json", "--to", os.path.join(work, "swapped"))
    t.ok(g.code == 17 and
         all(w["path"].startswith(("part0/", "part1/"))
             for w in g.json["warnings"]), "two swapped objects are found") \
        or t.note(g)
    heal()


def no_commit():
    """The pack of the last commit, tree and index."""
    for path in packs[2]:
        os.unlink(path)
    fresh_cache()
    g = b.run("get", "--json", "--to", os.path.join(work, "none"))
    t.ok(g.code == 10 and "object" in g.json["error"]["text"],
         "a lost commit is named, with its object: MISSING") or t.note(g)
    heal()
    g = b.run("ls", "part0")
    t.eq(g.code, 0, "and all is well when it is back")


t.run(store, altered, cut_short, missing, swapped, no_commit)
