#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What was when: commits by number and by time, what differs between two."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import write  # noqa: E402

t = Tap()
s = Site()
a = s.first()
work = folder()


def path(*names):
    return os.path.join(work, *names)


def nothing_yet():
    for command in ("ls", "log", "check"):
        r = a.run(command)
        t.ok(r.code == 0 and r.err ==
             "skerry: nothing was put into the space yet\n",
             f"{command} of an empty space says so") or t.note(r)
    t.eq(a.run("ls", "--quiet").err, "", "--quiet does not")


def commits():
    """1: a, b; 2: b is another, c is new; 3: a is gone."""
    write(path("d", "a"), "a")
    write(path("d", "b"), "b")
    write(path("d", "in", "deep"), "deep")
    for change in (None, lambda: (write(path("d", "b"), "other"),
                                  write(path("d", "c"), "c")),
                   lambda: (os.unlink(path("d", "a")),
                            os.chmod(path("d", "c"), 0o600))):
        if change:
            time.sleep(1.1)  # so that their times tell them apart
            change()
        t.eq(a.run("put", path("d")).code, 0, "put")


def by_time():
    log = a.json("log")["commits"]
    for c in log:
        for form in (c["time"][:19], c["time"][:19] + "Z"):
            r = a.run("ls", "--json", "--commit", form)
            t.eq((r.code, r.json["commit"]), (0, c["number"]),
                 f"the second of commit {c['number']}")
    for n in (16, 13, 10, 7):
        same = [c for c in log if c["time"][:n] == log[-1]["time"][:n]]
        t.eq(a.json("ls", "--commit", log[-1]["time"][:n])["commit"],
             same[0]["number"], f"a time of {n} characters: to its end")
    t.eq(a.run("cat", "--commit", log[-1]["time"][:19], "d/b").out, "b",
         "cat by time")
    t.eq(a.run("get", "--commit", log[-1]["time"][:19], "--to", path("then"),
               "d").code, 0, "get by time")
    t.eq(sorted(os.listdir(path("then", "d"))), ["a", "b", "in"], "as then")
    r = a.run("ls", "--commit", "2001-01-01")
    t.ok(r.code == 4 and "that old" in r.err, "before the first: NOT_FOUND"
         ) or t.note(r)
    t.eq(a.run("ls", "--commit", "1969-12-31T23:59:59Z").code, 4,
         "the second before 1970")
    for bad in ("yesterday", "2027-13-01", "2027-01-31 08:15", "2027-01-31Zx",
                "", "0", "-1", "1.5"):
        r = a.run("ls", "--commit", bad)
        t.ok(r.code == 2 and "--commit" in r.err, f"{bad!r}: USAGE"
             ) or t.note(r)


t.run(nothing_yet, commits, by_time)
