#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk below the database: SPACE, nothing half done, and on it goes
when there is room again."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import Account, Authority, head, unb64

tap = skerrytest.Tap()
a = Authority(start=False)
where = os.path.dirname(a.config["database"])
disk = skerrytest.Disk("2m", where)
if not disk.good:
    tap.skip("a full disk", "cannot mount a small one")
    tap.done()
a.start()
acc = Account(a)
acc.create()
acc.put_head(0, head(1))
n = 1


def full():
    global n
    disk.fill()
    last, r = None, None
    for _ in range(400):
        last = head(n + 1)
        r = acc.put_head(n, last)
        if r.status != 200:
            break
        n += 1
        before = last
    tap.eq((r.status, r.code), (503, "SPACE"), "a full disk is SPACE")
    r = Account(a).create()
    tap.eq((r.status, r.code), (503, "SPACE"), "for a new account, too")
    told = [x for x in a.process.lines if x.get("event") == "request-failed"]
    tap.eq([x["code"] for x in told], ["SPACE"], "the log says so, once")
    tap.eq(sorted(a.roles()), ["front", "keys", "ledger"], "nobody died")
    disk.free()
    r = acc.session()
    tap.eq(r.status, 200, "with room again it serves")
    if n > 1:
        tap.ok(unb64(r.json["head"]) == before, "the last head that it took")
    tap.eq(acc.put_head(n, last).json, {"number": n + 1},
           "and takes the one that it refused")
    a.process.kill()
    a.start()
    tap.eq(unb64(acc.session().json["head"]), last, "which is there")
    check = subprocess.run(
        [sys.executable, "-c", "import sqlite3, sys\nprint(sqlite3.connect("
         "sys.argv[1]).execute('PRAGMA integrity_check').fetchall())",
         a.config["database"]], capture_output=True, text=True)
    tap.ok("('ok',)" in check.stdout, "the database is sound")
    a.process.kill()


tap.run(full)
