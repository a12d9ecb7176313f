#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A database that cannot be written, as on a full disk or while another process
has it: SPACE or AUTHORITY, nothing half done, and on it goes afterwards."""

import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import Account, Authority, head, unb64

tap = skerrytest.Tap()
a = Authority(start=False)
where = os.path.dirname(a.config["database"])
disk = skerrytest.Disk("2m", where)
a.start()
acc = Account(a)
acc.create()
acc.put_head(0, head(1))
n = 1


def told(code):
    return [x for x in a.process.lines if x.get("event") == "request-failed"
            and x["code"] == code]


def locked():
    global n
    other = sqlite3.connect(a.config["database"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    h, said = head(n + 1), []

    def refused():
        r = acc.put_head(n, h)
        said.append((r.status, r.code, int(r.headers["Retry-After"]) > 0))
        return "locked" in r.json["error"]["text"]

    for _ in range(2):
        tap.ok(skerrytest.wait_for(refused),
               "locked by another process for too long")
    tap.eq(set(said), {(503, "AUTHORITY", True)}, "try again, and when")
    tap.eq(len(told("AUTHORITY")), 1, "the log says so, once")
    r = subprocess.run(
        [a.binary, "invite", "new", "--config", a.config_file()],
        capture_output=True, text=True, timeout=60)
    tap.eq((r.returncode, "locked" in r.stderr), (12, True),
           "a command says so, too")
    other.execute("ROLLBACK")
    other.close()
    n += 1
    tap.eq(acc.put_head(n - 1, h).json, {"number": n},
           "and takes it once the other has let go")


def full():
    global n
    if not disk.good:
        tap.skip("a full disk", "cannot mount a small one")
        return
    disk.fill()
    before, last, r = None, None, None
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
    tap.eq(len(told("SPACE")), 1, "the log says so, once")
    tap.eq(sorted(a.roles()), ["front", "keys", "ledger"], "nobody died")
    disk.free()
    r = acc.session()
    tap.eq(r.status, 200, "with room again it serves")
    if before is not None:
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
    a.process.term()
    a.process.wait()
    disk.fill()
    p = skerrytest.Process([a.binary, "run", "--config", a.config_file()])
    tap.ok(p.wait() == 14 and "No space left" in p.raw,
           "it does not start on a full disk, and says why") or tap.note(p.raw)
    disk.free()
    disk.writable(False)
    p = skerrytest.Process([a.binary, "run", "--config", a.config_file()])
    tap.ok(p.wait() == 18 and "readonly" in p.raw,
           "nor on one that is read-only") or tap.note(p.raw)
    disk.writable(True)
    a.start()
    tap.eq(acc.session().status, 200, "and starts with room again")
    a.process.kill()


tap.run(locked, full)
