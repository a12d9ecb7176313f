#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One file out of many costs few requests, whatever the space went through:
counted by the command, with a warm cache and with an empty one, under a lease
and without.  And a folder is not fetched leaf by leaf, nor is what a put
compares with."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import compare  # noqa: E402

# More than ten times as many as MORE, so that their index is left alone.
MANY, MORE = 12000, 1100
COLD = 16  # requests; five to seven as a rule
t = Tap()
s = Site()
d = s.first()
work = folder()


def put(folder_name, first, n):
    top = os.path.join(work, folder_name)
    os.makedirs(top, exist_ok=True)
    for i in range(first, first + n):
        with open(os.path.join(top, f"file{i:06}"), "wb") as f:
            f.write(b"%d " % i * 5)
    r = d.json("put", "--quiet", top, timeout=300)
    t.eq(r["changed"], True, f"{n} files are put")


def get(path):
    out = os.path.join(work, "out")
    shutil.rmtree(out, ignore_errors=True)
    r = d.json("get", "--to", out, path)
    number = int(path[-6:])
    with open(os.path.join(out, os.path.basename(path)), "rb") as f:
        t.eq(f.read(), b"%d " % number * 5, f"{path} is what was put")
    return r["wire"]["onshore"], r["wire"]["offshore"]["requests"]


def forget():
    shutil.rmtree(os.path.join(d.dir, "cache"))


def costs_little(path):
    """With an empty cache the index and the tree are walked: how many levels
    the tree has, and which blocks, the space's key decides."""
    forget()
    on, off = get(path)
    t.ok(off == 0 and on["requests"] <= COLD,
         f"empty cache: {off} offshore, {on['requests']} onshore")
    t.ok(on["received"] < 1 << 20, f"of {on['received']} bytes")
    on, off = get(path)
    t.ok(off == 0 and on["requests"] <= 2,
         f"warm: {off} offshore, {on['requests']} onshore")
    d.lock()
    forget()
    on, off = get(path)
    t.ok(off == 1 and on["requests"] <= COLD,
         f"no lease: {off} offshore, {on['requests']} onshore")


def one_of_many():
    put("many", 0, MANY)
    on, off = get(f"many/file{MANY // 4:06}")
    t.ok(off == 0 and on["requests"] <= 2,
         f"where it was put: {off} offshore, {on['requests']} onshore")
    costs_little(f"many/file{MANY // 2:06}")


def after_many_commits():
    put("more", MANY, MORE)
    for i in range(12):
        put("few", MANY + MORE + i, 1)
    for path in (f"many/file{MANY // 3:06}", f"more/file{MANY + 7:06}",
                 f"few/file{MANY + MORE:06}"):
        costs_little(path)


def a_folder_is_fetched_in_pieces():
    forget()
    r = d.json("ls", "many")
    t.eq(len(r["entries"]), MANY, "all entries are listed")
    n = r["wire"]["onshore"]["requests"]
    t.ok(n <= MANY // 500, f"in {n} requests")
    r = d.json("ls", "many")
    t.eq(r["wire"]["onshore"]["requests"], 1, "and in one when it is known")


def put_compares_with_little():
    forget()
    r = d.json("put", "--quiet", os.path.join(work, "many"), timeout=300)
    t.eq((r["files"], r["removed"]), (MANY, 0), "all is put again")
    n = r["wire"]["onshore"]["requests"]
    t.ok(n <= MANY // 400, f"in {n} requests")
    t.eq((r["changed"], r["objects"]), (False, 0), "and nothing is stored")


def put_stores_what_differs():
    """Of a tree that is compared by its content alone, to both ends."""
    many, out = os.path.join(work, "many"), os.path.join(work, "out")
    last = MANY - 1
    for i in 0, MANY // 3, last:
        with open(f"{many}/file{i:06}", "ab") as f:
            f.write(b"more")
    for i in (*range(MANY // 2, MANY // 2 + 5), last - 1):
        os.unlink(f"{many}/file{i:06}")
    for name in "a", f"file{MANY // 4:06}-", "z":
        with open(f"{many}/{name}", "wb") as f:
            f.write(name.encode())
    forget()
    r = d.json("put", "--quiet", many, timeout=300)
    t.eq((r["changed"], r["removed"]), (True, 6), "changes are found")
    t.ok(r["stored"] < 1 << 18, f"by {r['stored']} bytes")
    shutil.rmtree(out, ignore_errors=True)
    d.json("get", "--to", out, "many")
    t.eq(compare(many, out + "/many"), "", "the tree has them all")
    d.json("check")


t.run(one_of_many, after_many_commits, a_folder_is_fetched_in_pieces,
      put_compares_with_little, put_stores_what_differs)
