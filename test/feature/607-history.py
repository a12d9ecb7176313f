#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What was when: commits by number and by time, what differs between two, and
what a put would do."""

import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import oddities, settle, write  # noqa: E402

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


def named(listed):
    return [(c["change"], c.get("name") or c["name_base64"]) for c in listed]


def changes(*args):
    r = a.run("diff", "--json", *args)
    j = r.json
    return r.code, j["from"], j["commit"], named(j["changes"])


def differences():
    t.eq(changes("--commit", "1"), (0, 0, 1, [
        ("added", "d"), ("added", "d/a"), ("added", "d/b"),
        ("added", "d/in"), ("added", "d/in/deep")]),
        "the first commit: all of it is added")
    t.eq(changes("--commit", "2"), (0, 1, 2, [
        ("content", "d/b"), ("added", "d/c")]), "another, against its parent")
    t.eq(changes(), (0, 2, 3, [("removed", "d/a")]), "the latest")
    t.eq(changes("--metadata"), (0, 2, 3, [
        ("metadata", "d"), ("removed", "d/a"), ("metadata", "d/c")]),
        "and what has other metadata alone")
    t.eq(changes("--from", "1"), (0, 1, 3, [
        ("removed", "d/a"), ("content", "d/b"), ("added", "d/c")]),
        "since an earlier one")
    t.eq(changes("--from", "3", "--commit", "1")[3], [
        ("added", "d/a"), ("content", "d/b"), ("removed", "d/c")],
        "the other way round")
    t.eq(changes("--from", "1", "d/in")[3], [], "of a path: nothing")
    t.eq(changes("--from", "1", "d/c")[3], [("added", "d/c")], "a file")
    t.eq(changes("--commit", "3", "--from", "3")[3], [], "of one with itself")
    j = a.json("diff", "--commit", "2")
    t.eq(j["changes"], [
        {"name": "d/b", "change": "content", "type": "file", "size": 5,
         "was_size": 1},
        {"name": "d/c", "change": "added", "type": "file", "size": 1}],
        "types and sizes")
    t.eq((j["added"], j["removed"], j["modified"], j["metadata"]),
         (1, 0, 1, 1), "how many of each")
    r = a.run("diff", "--commit", "2")
    t.eq(r.out, "M d/b\n+ d/c\ncommit 1 to 2: 1 added, 0 removed, 1 modified, "
         "1 in metadata alone\n", "as text")
    r = a.run("diff", "d/nothing")
    t.ok(r.code == 4 and "d/nothing" in r.err, "a path that neither has: "
         "NOT_FOUND") or t.note(r)
    t.eq(a.run("diff", "a", "b").code, 2, "two paths: USAGE")
    t.eq(a.run("diff", "--from", "9").code, 4, "no such commit: NOT_FOUND")
    t.eq(a.run("diff", prefix=("sh", "-c", 'exec "$@" >/dev/full', "-")).code,
         14, "a full standard output")


def types():
    os.unlink(path("d", "c"))
    os.symlink("b", path("d", "c"))
    t.eq(a.run("put", path("d")).code, 0, "a file becomes a link: put")
    j = a.json("diff")
    t.eq(j["changes"], [{
        "name": "d/c", "change": "type", "type": "symlink",
        "was_type": "file", "was_size": 1}], "another type")
    t.ok("T d/c\n" in a.run("diff").out, "as text")
    os.unlink(path("d", "c"))
    os.symlink("a", path("d", "c"))
    t.eq(a.run("put", path("d")).code, 0, "the link leads elsewhere: put")
    t.eq(changes()[3], [("content", "d/c")], "its target is its content")
    write(path("one"), "x")
    t.eq(a.run("put", path("one")).code, 0, "another folder's put")
    t.eq(changes("--metadata")[3], [("added", "one")], "touches no other")


def log_of():
    def numbers(*args):
        r = a.run("log", "--json", *args)
        return r.code, [c["number"] for c in r.json["commits"]]
    t.eq(numbers("d/a"), (0, [3, 1]), "of a file: what changed it")
    t.eq(numbers("d/in"), (0, [1]), "of a folder")
    t.eq(numbers("d"), (0, [5, 4, 3, 2, 1]), "of what changed below it, too")
    t.eq(numbers("-n", "1", "d/b"), (0, [2]), "the first of these")
    t.eq(numbers("one"), (0, [6]), "what is new")
    t.eq(numbers(), (0, [6, 5, 4, 3, 2, 1]), "of nothing: all")
    t.eq(numbers("d/in/deep/x")[0], 4, "in no commit: NOT_FOUND")
    t.eq(a.run("log", "a", "b").code, 2, "two paths: USAGE")


def messages():
    text = "before the move, Umzug nach 海岸"
    write(path("one"), "y")
    t.eq(a.run("put", "--message", text, path("one")).code, 0,
         "put with a message")
    t.eq(a.json("log", "-n", "1")["commits"][0]["message"], text,
         "log shows it")
    t.eq(a.run("put", "-m", "x" * 1024, path("d", "a"), path("one")).code, 4,
         "what is to be stored is not there: NOT_FOUND")
    write(path("one"), "z")
    t.eq(a.run("put", "-m", "x" * 1024, path("one")).code, 0, "1024 bytes")
    for bad in ("x" * 1025, b"\xff"):
        t.eq(a.run("put", "-m", bad, path("one")).code, 2,
             "longer, or not UTF-8: USAGE")
    r = a.run("shred", "--yes", "one")
    t.eq(r.code, 0, "shred") or t.note(r)
    t.eq([c["message"] for c in a.json("log")["commits"] if text in
          c["message"]], [text], "who shreds sees to messages that do not "
         "name what is shredded")


def dry(*args, **more):
    r = a.run("put", "--json", "--dry-run", *args, **more)
    return r, named(r.json["changes"])


def dry_run():
    def objects():
        return sorted(n for _, _, names in os.walk(s.depot.dir)
                      for n in names)
    oddities(path("odd"))
    settle()
    before = objects(), a.json("log")["commits"]
    r, listed = dry(path("odd"))
    t.eq((r.code, {c for c, _ in listed}), (0, {"added"}), "all is new")
    j = r.json
    t.eq((j["files_read"], j["bytes_read"]), (j["files"], j["bytes"]),
         "all would be read")
    t.eq(set(j), {"changes", "dry_run", "commit", "files", "bytes",
                  "files_read", "bytes_read", "added", "removed", "modified",
                  "metadata", "excluded", "left_out", "warnings", "wire"},
         "its members")
    t.eq((objects(), a.json("log")["commits"]), before, "nothing is stored")
    t.eq(a.run("put", path("odd")).code, 0, "put")
    t.eq(changes()[3], listed, "adds what was foretold")
    r, listed = dry(path("odd"))
    t.eq((r.code, listed, r.json["files_read"]), (0, [], 0),
         "nothing would be done")
    t.eq(r.json["wire"]["offshore"]["requests"], 0, "under the lease")
    os.unlink(path("odd", "one"))
    os.mkdir(path("odd", "one"))
    os.unlink(path("odd", "empty"))
    os.chmod(path("odd", "private"), 0o640)
    write(path("odd", "deep", "new"), "new")
    write(path("odd", "repeating"), "other")
    os.unlink(path("odd", "link"))
    os.symlink("elsewhere", path("odd", "link"))
    settle()
    r, listed = dry(path("odd"), "--exclude", "nn*")
    t.eq((r.code, r.json["excluded"]), (0, 1), "after changes")
    t.eq(listed, [
        ("added", "odd/deep/new"), ("removed", "odd/empty"),
        ("content", "odd/link"), ("removed", "odd/" + "n" * 255),
        ("type", "odd/one"), ("content", "odd/repeating")], "the list")
    r = a.run("put", "-n", path("odd"), "--exclude", "nn*")
    t.ok("\nT odd/one\n" in r.out and r.out.splitlines()[-1].startswith(
        "dry run: 1 added, 2 removed, 3 modified, "), "as text") or t.note(r)
    t.eq(a.run("put", path("odd"), "--exclude", "nn*").code, 0, "put")
    t.eq(changes()[3], listed, "does what was foretold")
    to = path("back")
    t.eq(a.run("get", "--to", to, "odd").code, 0, "get")
    r, listed = dry(os.path.join(to, "odd"))
    t.eq((r.code, listed), (0, []), "what was got is as in the space")
    t.ok(r.json["files_read"] == r.json["files"], "and would be read: this "
         "device did not store it from there") or t.note(r)
    for more in (), ("-n",):
        r = a.run("put", *more, "--to", "d/b/x", path("one"))
        t.ok(r.code == 21 and "d/b is in the way" in r.err,
             f"put {more} below a file: EXISTS") or t.note(r)
    r = a.run("put", "-n", "--repair", path("odd"))
    t.ok(r.code == 2 and "--repair" in r.err, "--repair: USAGE") or t.note(r)


def dry_unreadable():
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        t.skip("what cannot be read", "not root, or no setpriv")
        return
    write(path("shut", "no"), "x")
    write(path("shut", "yes"), "x")
    t.eq(a.run("put", path("shut")).code, 0, "put")
    write(path("shut", "no"), "xy")
    os.chmod(path("shut", "no"), 0)
    r, listed = dry(path("shut"), prefix=(
        "setpriv", "--bounding-set", "-dac_override,-dac_read_search"))
    t.eq((r.code, listed, r.json["left_out"]), (17, [], 1),
         "what cannot be read would stay as it is: PARTIAL")
    t.eq([w["path"] for w in r.json["warnings"]], ["shut/no"], "it is named")


t.run(nothing_yet, commits, by_time, differences, types, log_of, messages, dry_run,
      dry_unreadable)
