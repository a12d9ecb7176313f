#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""put that leaves out: each rule of the patterns, caches, other file systems;
what an earlier commit had of it is gone in the new one."""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder, wait_for  # noqa: E402
from trees import content, noise, settle, write  # noqa: E402

SANITIZED = bool(os.environ.get("SKERRY_SANITIZED"))
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"
t = Tap()
s = Site(tap=True)
a = s.first()
work = folder()
got = 0


def path(*names):
    return os.path.join(work, *names)


def put(*args, **more):
    return a.run("put", "--json", *args, **more)


def names(where):
    """All below, as bytes."""
    top = os.fsencode(where)
    return sorted(os.path.relpath(os.path.join(d, n), top)
                  for d, dirs, files in os.walk(top) for n in dirs + files)


def stored(name):
    """What the space has below name."""
    global got
    got += 1
    out = path(f"out{got}")
    r = a.run("get", "--to", out, name)
    t.ok(r.code == 0, f"get {name}") or t.note(r)
    return names(os.path.join(out, name))


def without(where, *gone):
    return [n for n in names(where) if n.decode(errors="replace") not in gone]


def tree(name, *files):
    for n in files:
        write(path(name, n), n)
    return path(name)


def patterns():
    src = tree("src", "core", "a.o", "a.c", ".hidden.o", "sub/core/x",
               "sub/a.o", "sub/Core", "sub/b/x.log", "sub/b/deep/x.log",
               "build/out", "sub/build/out", "tmp", "sub/tmp/x", "#note",
               "sub/[x]")
    for args, gone in (
            (["core"], ["core", "sub/core", "sub/core/x"]),
            (["*.o"], ["a.o", ".hidden.o", "sub/a.o"]),
            (["/core"], ["core"]),
            (["/build"], ["build", "build/out"]),
            (["sub/b/*.log"], ["sub/b/x.log"]),
            (["/sub/b/*.log"], ["sub/b/x.log"]),
            (["b/*.log"], []),
            (["**/b/*.log"], ["sub/b/x.log"]),
            (["sub/**/x.log"], ["sub/b/deep/x.log", "sub/b/x.log"]),
            (["**/b/deep"], ["sub/b/deep", "sub/b/deep/x.log"]),
            (["tmp/"], ["sub/tmp", "sub/tmp/x"]),
            (["/tmp/"], []),
            (["?ore"], ["core", "sub/core", "sub/core/x", "sub/Core"]),
            (["[a-c]ore"], ["core", "sub/core", "sub/core/x"]),
            (["\\[x]"], ["sub/[x]"]),
            (["#note"], ["#note"]),
            (["nothing"], []),
            (["a.?", "Core", "build"],
             ["a.o", "a.c", "sub/a.o", "sub/Core", "build", "build/out",
              "sub/build", "sub/build/out"])):
        r = put(*(f"--exclude={p}" for p in args), src)
        top = [n for n in gone if os.path.dirname(n) not in gone]
        t.eq((r.code, r.json["excluded"], r.json["left_out"]),
             (0, len(top), 0), f"{args}: as many are said to be left out")
        t.eq(stored("src"), without(src, *gone), f"{args}: and are")


def earlier():
    """As if it had been removed; and back again."""
    src = tree("e", "keep", "big/one", "big/two")
    settle()
    first = put(src).json["commit"]
    r = put("--exclude", "big", src)
    t.eq((r.json["changed"], r.json["removed"], r.json["files"],
          r.json["bytes"]), (True, 3, 1, 4),
         "what an earlier commit has of it is removed, and not counted")
    t.eq(stored("e"), [b"keep"], "it is gone")
    t.eq(a.run("cat", "--commit", str(first), "e/big/one").out, "big/one",
         "the earlier commit has it")
    r = put("--exclude", "big", src)
    t.eq((r.json["changed"], r.json["excluded"]), (False, 1),
         "again: nothing changed")
    r = a.run("put", "--exclude", "big", src)
    t.ok(r.out.startswith("nothing changed"), "in words") or t.note(r)
    write(path("e", "more"), "more")
    r = a.run("put", "--exclude", "big", src)
    t.ok(re.search(r"2 files, .* read\), 1 excluded; stored", r.out),
         "and how many, with a commit") or t.note(r)
    r = put(src)
    t.eq((r.json["changed"], r.json["excluded"]), (True, 0),
         "without the pattern it is there again")
    t.eq(stored("e"), names(src), "all of it")


def arguments():
    src = tree("arg.o", "x.o", "y")
    one = tree("one", "core")
    r = put("--exclude", "*.o", "--exclude", "core", "--exclude", "/one",
            src, os.path.join(one, "core"), "--to", "args")
    t.eq((r.code, r.json["excluded"]), (0, 1), "arguments that match")
    t.eq(stored("args"), [b"arg.o", b"arg.o/y", b"core"],
         "are stored, and what is below is judged")


def from_files():
    src = tree("ff", "a", "b", "c d", "#e", "f/g", "h")
    write(path("p1"), "# comment\n\na\nc d\n\\#e")
    write(path("p2"), "f/\n")
    r = put("--exclude-from", path("p1"), "--exclude-from", path("p2"),
            "--exclude", "h", src)
    t.eq((r.code, r.json["excluded"]), (0, 5), "patterns of two files and one")
    t.eq(stored("ff"), [b"b"], "each line is one, but comments")
    for text, code, why in (
            (b"a\nb\0\n", 7, "p1:2: a zero byte"),
            (b"\n\n" + b"x" * 4097, 19,
             "p1:3: a line of more than 4096 bytes"),
            (b"/\n", 7, "p1:1: a pattern without a name"),
            ("[ä]\n".encode(), 7,
             "p1:1: a pattern with more than ASCII between [ and ]")):
        write(path("p1"), text)
        r = put("--exclude-from", path("p1"), src)
        t.ok(r.code == code and r.json["error"]["text"].endswith(why),
             f"refused: {why}") or t.note(r)
    r = put("--exclude-from", path("nothing"), src)
    t.ok(r.code == 4 and "nothing" in r.json["error"]["text"],
         "no such file: NOT_FOUND, and its name") or t.note(r)
    t.eq(put("--exclude-from", work, src).code, 18, "a folder: IO")
    r = put("--exclude", "", src)
    t.ok(r.code == 2 and "without a name" in r.json["error"]["text"],
         "an empty pattern: USAGE") or t.note(r)


def no_text():
    """Names are bytes, in every locale."""
    src = os.fsencode(tree("raw", "plain"))
    for n in b"\xff\xfe.tmp", b"\xff", b"\xc3\xa4.tmp", b"\xc3":
        with open(os.path.join(src, n), "wb") as f:
            f.write(n)
    for args, gone in ((["*.tmp"], [b"\xff\xfe.tmp", b"\xc3\xa4.tmp"]),
                       ([b"\xff"], [b"\xff"]),
                       ([b"\xff*"], [b"\xff", b"\xff\xfe.tmp"]),
                       ([b"/\xc3"], [b"\xc3"]),
                       (["?"], [b"\xff", b"\xc3"])):
        for locale in "C", "C.UTF-8":
            r = put(*(x for p in args for x in ("--exclude", p)), src,
                    env={"LC_ALL": locale})
            t.eq((r.code, r.json["excluded"]), (0, len(gone)),
                 f"{args} in {locale}")
            t.eq(stored("raw"), [n for n in names(src) if n not in gone],
                 "leaves out bytes")


def caches():
    src = tree("cs", "c/data", "c/sub/x", "odd/data", "plain")
    write(path("cs", "c", "CACHEDIR.TAG"), SIGNATURE + "# a cache")
    write(path("cs", "odd", "CACHEDIR.TAG"), "x" + SIGNATURE)
    t.eq((put(src).json["excluded"], stored("cs")), (0, names(src)),
         "a cache is stored if nobody asks")
    r = put("--exclude-caches", src)
    t.eq((r.code, r.json["excluded"]), (0, 2), "--exclude-caches")
    t.eq(stored("cs"), without(src, "c/data", "c/sub", "c/sub/x"),
         "of it there is the folder and its tag")
    t.eq((put("--exclude-caches", path("cs", "c")).code, stored("c")),
         (0, [b"CACHEDIR.TAG"]), "of one that was named, too")


def file_systems():
    src = tree("fs", "x", "m/under")
    inner = path("fs", "m")
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", inner],
            stderr=subprocess.DEVNULL).returncode != 0:
        t.skip("another file system", "no mount here")
        return
    try:
        write(os.path.join(inner, "over"), "over")
        r = put(src)
        t.eq((r.json["excluded"], stored("fs")),
             (0, [b"m", b"m/over", b"x"]), "both are stored")
        for option in "-x", "--one-file-system":
            r = put(option, src)
            t.eq((r.code, r.json["excluded"], stored("fs")),
                 (0, 1, [b"m", b"x"]), f"{option}: the other's is empty")
        t.eq((put("-x", inner).json["excluded"], stored("m")), (0, [b"over"]),
             "the argument says which it is")
    finally:
        subprocess.run(["umount", "-l", inner], check=True)


def not_opened():
    src = tree("no", "out/in", "file.o", "keep/x")
    if shutil.which("strace") is None or SANITIZED:
        t.skip("what matches is not looked at", "no strace here")
        return
    out = path("trace")
    r = put("--exclude", "out", "--exclude", "*.o", src, prefix=(
        "strace", "-ff", "-qq", "-o", out, "-e",
        "trace=open,openat,newfstatat,statx,lstat,stat"))
    lines = [x for name in glob.glob(out + ".*") for x in content(
        name).decode(errors="replace").splitlines()]
    t.ok(r.code == 0 and any('"keep"' in x for x in lines), "traced") \
        or t.note(r)
    t.eq([x for x in lines if '"out"' in x or '"file.o"' in x], [],
         "what matches is neither opened nor looked at")


def links():
    """Of two names of a file one is left out, and then the other."""
    src = tree("hl", "a")
    os.link(path("hl", "a"), path("hl", "b"))
    t.eq((put(src).code, stored("hl")), (0, [b"a", b"b"]), "two names")
    for gone, left in ("a", "b"), ("b", "a"):
        t.eq((put("--exclude", gone, src).code, stored("hl")),
             (0, [left.encode()]), f"without {gone}")
        t.eq(content(path(f"out{got}", "hl", left)), b"a",
             "the other has the content")
    t.eq(put(src).code, 0, "both again")
    stored("hl")
    t.eq(os.stat(path(f"out{got}", "hl", "a")).st_nlink, 2,
         "are one file again")


def journaled():
    return any(os.path.getsize(j) for j in glob.glob(
        os.path.join(a.dir, "cache", "**", "journal"), recursive=True))


def interrupted():
    """A put that goes on without a part of what was stored already."""
    size = 4 << 20
    for n in range(20):
        write(path("int", f"{n:02}{'ab'[n % 2]}"), noise(size))
    src = path("int")
    s.depot_tap.rate = 16 << 20
    p = a.start("put", src)
    t.ok(wait_for(journaled) and p.poll() is None,
         "some of it is at the depot, and no commit names it")
    p.kill()
    p.communicate(timeout=60)
    s.depot_tap.rate = 0
    r = put("--exclude", "*a", src)
    t.eq((r.code, r.json["files"], r.json["excluded"]), (0, 10, 10),
         "the next put leaves half of it out")
    t.ok(r.json["stored"] < 10 * size, "and goes on") or t.note(r)
    t.eq(stored("int"), [n for n in names(src) if n.endswith(b"b")],
         "what it leaves out is not there")
    r = a.run("check", "--full", "--history", "--json")
    t.ok(r.code == 0 and r.json["good"], "check finds all good") or t.note(r)


def many():
    """Thousands of patterns, and nothing changed."""
    src = tree("many", *(f"{d}/{n}" for d in range(20) for n in range(20)))
    settle()
    write(path("patterns"), "".join(
        f"no{n}\n/no/{n}\n*.no{n}\n**/x{n}/*.y\n" for n in range(2500)))
    t.eq(put("--exclude-from", path("patterns"), src).json["excluded"], 0,
         "10,000 patterns of which none matches")
    r = put("--exclude-from", path("patterns"), src)
    t.eq((r.json["changed"], r.json["files_read"]), (False, 0),
         "and again")
    t.note(f"{r.json['seconds']} s")


t.run(patterns, earlier, arguments, from_files, no_text, caches, file_systems,
      not_opened, links, interrupted, many)
