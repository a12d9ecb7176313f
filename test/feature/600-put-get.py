#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""put, get and what shows the space, on two devices: everything that a folder
can hold comes back as it was; the budget of the border, on the wire."""

import glob
import os
import pty
import re
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import (compare, content, deep, listing, noise,  # noqa: E402
                   oddities, settle, small_files, write)

SANITIZED = bool(os.environ.get("SKERRY_SANITIZED"))
t = Tap()
s = Site(tap=True)
a = s.first()
b = s.device().join(a)
work = folder()


def path(*names):
    return os.path.join(work, *names)


def put(d, *args, **more):
    return d.run("put", "--json", *args, **more)


def get(d, to, *args, **more):
    return d.run("get", "--json", "--to", path(to), *args, **more)


def round_trip():
    oddities(path("odd"))
    settle()
    r = put(a, path("odd"))
    t.ok(r.code == 0 and r.json["commit"] == 1 and r.json["changed"],
         "everything odd is put") or t.note(r)
    t.eq((r.err, r.json["left_out"], r.json["unsteady"]), ("", 0, 0),
         "quiet where nobody watches, and nothing is left out")
    r = get(b, "out")
    t.ok(r.code == 0 and r.err == "", "the other device gets it") or t.note(r)
    t.eq(compare(path("odd"), path("out", "odd")), "", "byte for byte")
    t.eq(set(r.json), {"commit", "entries", "bytes", "kept", "left_out",
                       "incomplete", "fetches", "seconds", "warnings", "wire"},
         "members of get --json")
    n = sum(os.path.islink(os.path.join(where, x)) or x not in dirs
            for where, dirs, names in os.walk(path("out"))
            for x in dirs + names)
    r = get(b, "out")
    t.eq((r.code, r.json["kept"], r.json["fetches"]), (0, n, 0),
         "what is there already is not fetched again")
    r = b.run("get", "--to", path("new", "above", "out"), "odd")
    t.eq((r.code, compare(path("odd"), path("new", "above", "out", "odd"))), (0, ""),
         "folders above the target are made, too")
    t.eq(b.run("get", "--to", "").code, 2, "a target without a name: USAGE")
    for where, _, names in os.walk(path("out")):
        for name in names:
            os.utime(os.path.join(where, name), (1, 1), follow_symlinks=False)
    r = get(b, "out")
    left = r.json["left_out"]
    t.eq((r.code, len(r.json["warnings"])), (17, left),
         "what is otherwise is not replaced: PARTIAL, each path is named")
    r = b.run("get", "--to", path("out"))
    t.ok(len(r.err.splitlines()) == 22 and r.err.splitlines()[20] ==
         f"skerry: get: and {left - 20} more; --verbose names them all",
         "text names the first 20 of them") or t.note(r)
    t.ok(b.run("get", "--verbose", "--to", path("out")).err.count(
        "is there already") == left, "--verbose all")
    r = get(b, "out", "--overwrite")
    t.eq((r.code, compare(path("odd"), path("out", "odd"))), (0, ""),
         "--overwrite replaces it")
    r = get(b, "part", "odd/deep", "odd/a\nb")
    t.eq((r.code, sorted(os.listdir(path("part")))), (0, ["a\nb", "deep"]),
         "parts, under their last names")
    t.eq(get(b, "none", "odd", "odd/nothing").code, 4,
         "what is not there: NOT_FOUND")
    t.ok(not os.path.exists(path("none")), "and no folder is made for it")
    write(path("file"), "in the way")
    r = get(b, "file", "odd")
    t.ok(r.code == 21 and path("file") in r.out, "a file in the place of the "
         "folder: EXISTS") or t.note(r)
    r = get(b, "none", "odd/deep", "else/deep")
    t.ok(r.code == 2 and "odd/deep" in r.json["error"]["text"],
         "two paths for one place: USAGE") or t.note(r)
    r = get(b, "none", "odd/deep", "/")
    t.ok(r.code == 2 and "/ is everything" in r.json["error"]["text"],
         "everything, and a path: USAGE") or t.note(r)


def unchanged():
    r = put(a, path("odd"))
    t.eq((r.code, r.json["changed"], r.json["commit"]), (0, False, 1),
         "nothing changed: no commit")
    t.eq(r.json["wire"]["offshore"]["requests"], 1, "one request offshore")
    if shutil.which("strace") is None or SANITIZED:
        t.skip("an unchanged put opens no file", "no strace here")
        return
    out = path("trace")
    r = put(a, path("odd"), prefix=(
        "strace", "-ff", "-y", "-qq", "-o", out, "-e",
        "trace=open,openat,read,pread64,readv,preadv,mmap"))
    # A file a thread: in one, a call may be broken over two lines.
    lines = [x for name in glob.glob(out + ".*") for x in content(
        name).decode(errors="replace").splitlines()]
    mine = [x for x in lines if path("odd") in x and "O_DIRECTORY" not in x]
    t.ok(r.code == 0 and len(lines) > 20, "traced") or t.note(r)
    t.eq(mine, [], "an unchanged put opens no file")


def budget():
    small_files(path("many"), 60 if SANITIZED else 2000)
    s.authority_tap.reset()
    r = put(a, path("many"))
    wire, tap = r.json["wire"]["offshore"], s.authority_tap
    t.eq((r.code, wire["requests"]), (0, 2), "a put is two requests offshore")
    t.ok(0 < tap.total <= 16384, "and at most 16 KiB, on the wire")
    t.ok(abs(tap.total - wire["sent"] - wire["received"]) < 512,
         "which is what the command says")
    t.note(f"{tap.connections} connections, {tap.total} bytes, {wire}")
    s.authority_tap.reset()
    r = get(a, "many.out", "many")
    t.eq((r.code, tap.connections, tap.total), (0, 0, 0),
         "a read under the lease sends nothing offshore")
    t.eq(compare(path("many"), path("many.out", "many")), "", "all is there")


def where_to():
    write(path("f1"), "one")
    write(path("f2"), "two")
    os.makedirs(path("d", "sub"))
    write(path("d", "sub", "x"), "x")
    r = put(a, "--to", "new/folder", path("f1"), path("f2"), path("d"))
    t.eq((r.code, r.json["files"]), (0, 3), "several sources, --to a new folder")
    r = get(b, "to", "new")
    t.eq((r.code, content(path("to/new/folder/f2")),
          content(path("to/new/folder/d/sub/x"))), (0, b"two", b"x"),
         "they are there")
    write(path("else", "f1"), "ONE")
    t.eq(put(a, "--to", "new/folder", path("else", "f1")).code, 0,
         "one file is replaced")
    t.eq(b.run("cat", "new/folder/f1").out, "ONE", "by the later one")
    t.eq(b.run("cat", "new/folder/f2").out, "two", "and its neighbour stays")
    r = put(a, path("f1"), path("else", "f1"))
    t.eq(r.code, 2, "two sources for one place: USAGE")
    r = put(a, "--to", "new/folder/f1", path("f2"))
    t.ok(r.code == 21 and "new/folder/f1 is" in r.json["error"]["text"],
         "below a file: EXISTS, and its path") or t.note(r)
    os.symlink("d", path("lead"))
    r = put(a, path("lead") + "/")
    t.eq((r.code, [w["path"] for w in r.json["warnings"]],
          b.run("ls", "-l", "lead").out.split()[-3:]),
         (0, ["lead"], ["lead", "->", "d"]), "a link is one, and that is said")
    r = put(a, path("lead", "."))
    t.eq((r.code, r.json["warnings"], b.run("cat", "d/sub/x").out),
         (0, [], "x"), "the folder that it leads to, under its own name")
    a.run("rm", "lead", "d")
    r = put(a, path("nothing here"))
    t.ok(r.code == 4 and "nothing here" in r.json["error"]["text"],
         "no such source: NOT_FOUND, and its name") or t.note(r)


def changes():
    """File to folder, folder to link, and back."""
    src = path("c")
    write(path("c", "x"), "a file")
    write(path("c", "x.y"), "sorts between x and what is below it")
    write(path("c", "y", "z"), "below")
    put(a, src)
    os.unlink(path("c", "x"))
    write(path("c", "x", "now", "a folder"), "deep")
    shutil.rmtree(path("c", "y"))
    os.symlink("x", path("c", "y"))
    t.eq(put(a, src).code, 0, "a file becomes a folder, a folder a link")
    t.eq((get(b, "c1", "c").code, compare(src, path("c1", "c"))), (0, ""),
         "and comes back so")
    shutil.rmtree(path("c", "x"))
    write(path("c", "x"), "a file again")
    os.unlink(path("c", "y"))
    write(path("c", "y", "z"), "below")
    t.eq(put(a, src).code, 0, "and back")
    t.eq((get(b, "c2", "c").code, compare(src, path("c2", "c"))), (0, ""),
         "comes back so")
    settle()
    before = os.stat(path("c", "x"))
    with open(path("c", "x"), "r+b") as f:
        f.write(b"A FILE AGAIN")
    os.utime(path("c", "x"), ns=(before.st_atime_ns, before.st_mtime_ns))
    t.eq(put(a, src).json["changed"], True,
         "a file of the same size and mtime is seen to have changed")
    os.chmod(path("c", "x"), 0o600)
    r = put(a, src)
    t.eq((r.json["changed"], get(b, "c3", "c").code,
          compare(src, path("c3", "c"))), (True, 0, ""), "so is a mode")


def stale_links():
    """Names of one file, of which some were stored before it changed."""
    for n in "x/1", "y/2", "y/3":
        if n == "x/1":
            write(path("l", n), "before")
        else:
            os.makedirs(path("l", "y"), exist_ok=True)
            os.link(path("l", "x/1"), path("l", n))
    put(a, path("l"))
    write(path("l", "x/1"), "it has changed")
    t.eq(put(a, "--to", "l", path("l", "y")).code, 0,
         "two of three names are stored anew")
    t.eq(get(b, "l1", "l").code, 0, "a file of two contents is restored")
    t.eq([content(path("l1", "l", n)) for n in ("x/1", "y/2", "y/3")],
         [b"before", b"it has changed", b"it has changed"], "both are there")
    t.eq([os.stat(path("l1", "l", n)).st_nlink for n in ("x/1", "y/2")],
         [1, 2], "and what is alike is one file")
    os.unlink(path("l1", "l", "y/2"))
    write(path("l1", "l", "y/2"), "of somebody else")
    r = get(b, "l1", "l")
    t.eq((r.code, r.json["kept"], [w["path"] for w in r.json["warnings"]]),
         (17, 2, ["l/y/2"]), "of names that are there the one is named that "
         "is another file by now")


def history():
    r = a.run("log", "--json", "-n", "3").json["commits"]
    n = r[0]["number"]
    t.eq([c["number"] for c in r], [n, n - 1, n - 2], "log, latest first")
    t.eq(set(r[0]), {"number", "epoch", "time", "device", "entries", "bytes",
                     "message"}, "its members")
    whole = a.run("log", "--json").json["commits"]
    t.eq([c["number"] for c in whole], list(range(n, 0, -1)), "to the first")
    t.eq(b.run("rm", "new", "c", "new/folder").code, 0, "rm")
    r = b.run("ls", "--json").json
    t.eq([e["name"] for e in r["entries"]], ["many", "odd"], "they are gone")
    r = b.run("rm", "many", "nothing")
    t.ok(r.code == 4 and "nothing" in r.err, "rm of what is not there")
    t.eq(b.run("ls", "many").code, 0, "removes nothing at all")
    r = get(b, "old", "--commit", str(n), "c", "new")
    t.eq((r.code, compare(path("c"), path("old", "c"))), (0, ""),
         "an earlier commit has them")
    t.eq(b.run("cat", "--commit", str(n), "new/folder/f1").out, "ONE",
         "cat of an earlier commit")
    t.eq(get(b, "old2", "--commit", "9999").code, 4, "a commit to come")
    r = b.run("check", "--full", "--history", "--json")
    t.ok(r.code == 0 and r.json["good"] and r.json["findings"] == [],
         "check finds all good") or t.note(r)


def status():
    last = a.run("log", "--json", "-n1").json["commits"][0]
    s.depot_tap.reset()
    s.authority_tap.reset()
    r = a.run("status", "--json").json
    t.eq((r["head"], r["entries"], r["bytes"], r["by"]),
         (last["number"], last["entries"], last["bytes"], last["device"]),
         "status has the commit last seen")
    text = a.run("status").out
    t.ok(all(x in text for x in ("entries", " bytes", "custody set 1",
                                 "standard", " left")), "and in words") \
        or t.note(text)
    shutil.rmtree(os.path.join(b.dir, "cache"))
    r = b.run("status", "--json")
    t.eq((r.code, "entries" in r.json), (0, False),
         "or not, where neither lease nor cache have it")
    t.eq(s.depot_tap.connections + s.authority_tap.connections, 0,
         "and asks nobody")


def listings():
    r = a.run("ls", "-R", "--json", "odd").json
    kinds = {e.get("name"): e["type"] for e in r["entries"]}
    t.eq([kinds[k] for k in ("empty folder", "link", "fifo", "sparse")],
         ["folder", "symlink", "fifo", "file"], "ls -R --json")
    text = a.run("ls", "-l", "odd").out
    t.ok("-r--------" in text and "link -> one" in text, "ls -l")
    for more in (), ("--json",):
        r = a.run("ls", "-R", *more, "many", prefix=(
            "sh", "-c", 'exec "$@" >/dev/full', "-"))
        t.eq((r.code, r.err), (14, "skerry: standard output: No space left on "
                               "device\n"),
             "ls to a full disk: the path is not to blame")
    for command in ("ls", "-R", "many"), ("cat", "odd/repeating"):
        r = a.run(*command, prefix=(
            sys.executable, "-c", "import os, sys; r, w = os.pipe(); "
            "os.close(r); os.dup2(w, 1); os.execvp(sys.argv[1], sys.argv[1:])"
        ))
        t.eq((r.code, r.err), (18, ""), f"{command[0]} to who has seen "
             "enough: IO, and not a word")
    for same in "./odd//deep/.", "/odd/./deep/":
        t.eq(a.run("ls", same).out, a.run("ls", "odd/deep").out,
             f"{same} is odd/deep")
    t.eq(a.run("ls", ".").out, a.run("ls").out, ". is the root")
    for bad in "odd/../odd", "n" * 256:
        r = a.run("ls", bad)
        t.ok(r.code == 2 and bad in r.err and "255" in r.err,
             f"{bad[:20]}: USAGE") or t.note(r)
    r = a.run("put", "")
    t.eq((r.code, "a name is empty" in r.err), (2, True), "put of ''")
    t.ok(len(a.run("ls", "odd").out.splitlines()) >= len(
        os.listdir(path("odd"))), "ls")


def very_deep():
    """100 names of 200 bytes: five times PATH_MAX."""
    deep(path("deep"), 100, "n" * 200)
    r = put(a, path("deep"))
    t.ok(r.code == 0 and r.json["left_out"] == 0,
         "100 levels of 200 bytes are put") or t.note(r)
    r = get(b, "deep.out", "deep")
    t.ok(r.code == 0, "and fetched") or t.note(r)
    t.ok(listing(path("deep")) == listing(path("deep.out", "deep")),
         "all levels are alike")
    deep(path("deeper"), 180, "n" * 200)
    write(path("beside"), "beside")
    r = put(a, path("beside"), path("deeper"))
    t.eq((r.code, r.json["left_out"], r.json["warnings"][0]["text"]),
         (17, 1, "the path of something in it is too long"),
         "beyond the longest key: says so")
    t.eq((b.run("cat", "beside").out, b.run("ls", "deeper").code),
         ("beside", 0), "and the rest is stored")
    t.eq(a.run("rm", "beside", "deeper").code, 0, "rm")


def deeper_than_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if shutil.which("prlimit") is None or hard < 2000:
        t.skip("more levels than descriptors by default", "not here")
        return
    deep(path("thin"), 1500, "n")
    few = ("prlimit", f"--nofile=1024:{hard}")
    r = put(a, path("thin"), prefix=few)
    t.eq((r.code, r.json["files"]), (0, 1500),
         "more levels than descriptors by default")
    r = get(b, "thin.out", "thin", prefix=few)
    t.eq((r.code, r.json["entries"]), (0, 3001), "and back")
    subprocess.run(["rm", "-rf", path("thin"), path("thin.out")], check=True)


def no_files():
    """What the kernel says of them is not what is in them, or too much."""
    r = put(a, "/proc/self/status")
    t.eq((r.code, r.json["changed"], [w["text"] for w in r.json["warnings"]]),
         (17, False, ["it has content, but no size"]),
         "a file without a size is left out")
    try:
        many = tempfile.NamedTemporaryFile(dir="/dev/shm")
        for n in range(20):
            os.setxattr(many.name, f"user.{n}", bytes(60000))
    except OSError:
        t.skip("too many attributes", "no file system for that here")
        return
    r = put(a, many.name)
    t.eq((r.code, [w["text"] for w in r.json["warnings"]]),
         (17, ["its attributes are too long"]),
         "neither is one with attributes of more than a MiB")
    for n in range(20):
        os.removexattr(many.name, f"user.{n}")
    for n in range(1025):
        os.setxattr(many.name, f"user.{n}", b"")
    r = put(a, many.name)
    t.eq((r.code, [w["text"] for w in r.json["warnings"]]),
         (17, ["too many attributes"]), "nor one with more than 1024")


def no_attributes():
    """Of a folder all but its attributes is stored; of what is no folder any
    more and cannot be read, what was there stays."""
    top = tempfile.mkdtemp(dir="/dev/shm")
    bare = os.path.join(top, "bare")
    write(os.path.join(bare, "in"), "in it")
    try:
        for n in range(1025):
            os.setxattr(bare, f"user.{n}", b"")
    except OSError:
        shutil.rmtree(top)
        t.skip("a folder of too many attributes", "no file system for that")
        return
    name = os.path.basename(top)
    r = put(a, top)
    t.eq((r.code, [w["text"] for w in r.json["warnings"]]),
         (17, ["stored without its attributes: too many attributes"]),
         "a folder of too many attributes is named")
    t.eq((a.run("check", "--full").code, get(b, "bare", name).code,
          content(path("bare", name, "bare", "in"))), (0, 0, b"in it"),
         "it and what is in it are stored")
    os.unlink(os.path.join(bare, "in"))
    os.rename(bare, bare + ".was")
    write(bare, "no folder")
    for n in range(1025):
        os.setxattr(bare, f"user.{n}", b"")
    t.eq(put(a, bare, "--to", name).code, 17, "a file of too many instead")
    t.eq(b.run("cat", f"{name}/bare/in").out, "in it",
         "what the space has of it stays")
    shutil.rmtree(top)


def without_proc():
    """The attributes of what is no file are read all the same."""
    if os.environ.get("SKERRY_SANITIZED"):
        t.skip("attributes without /proc", "the sanitizers want /proc")
        return
    away = ("unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$@"', "sh")
    top = path("bare")
    os.makedirs(os.path.join(top, "folder"))
    os.symlink("nowhere", os.path.join(top, "link"))
    os.mkfifo(os.path.join(top, "fifo"))
    try:
        os.setxattr(os.path.join(top, "folder"), "user.x", b"of it")
        os.setxattr(os.path.join(top, "link"), "trusted.x", b"of the link",
                    follow_symlinks=False)
        subprocess.run([*away, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as e:
        t.skip("attributes without /proc", f"cannot be tried here: {e}")
        return
    r = put(a, "bare", prefix=("env", "-C", path("."), *away))
    t.eq((r.code, r.json["warnings"]), (0, []), "put without /proc")
    t.eq(get(b, "bare.out", "bare").code, 0, "get")
    t.eq(compare(top, path("bare.out/bare")), "", "all is as it was")
    out = path("bare.out/bare")
    t.eq((os.getxattr(os.path.join(out, "folder"), "user.x"),
          os.getxattr(os.path.join(out, "link"), "trusted.x",
                      follow_symlinks=False)), (b"of it", b"of the link"),
         "with its attributes")


def vanishing():
    """A file is there when its folder is read, and not when it is."""
    if shutil.which("strace") is None or SANITIZED:
        t.skip("files that vanish", "no strace here")
        return
    write(path("busy", "gone"), "1")
    write(path("busy", "new"), "1")
    write(path("busy", "stays"), "1")
    os.unlink(path("busy", "new"))
    t.eq(put(a, path("busy")).code, 0, "put")
    for name in "gone", "new", "stays":
        write(path("busy", name), "22")
    vanish = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", "gone", "-P",
              "new", "-e", "inject=openat:error=ENOENT")
    r = put(a, path("busy"), prefix=vanish)
    t.eq((r.code, r.json["warnings"], r.json["files"], r.json["removed"]),
         (0, [], 1, 1), "a put, while some of it vanishes")
    t.eq((a.run("ls", "busy").out, a.run("cat", "busy/stays").out),
         ("stays\n", "22"), "has the rest")
    r = put(a, path("busy", "gone"), "--to", "busy", prefix=vanish)
    t.eq((r.code, [w["path"] for w in r.json["warnings"]]),
         (17, ["busy/gone"]), "what was named itself is missed: PARTIAL")


def largest_file():
    if shutil.which("prlimit") is None:
        t.skip("a limit on the size of files", "no prlimit here")
        return
    write(path("sizes", "a"), noise(100_000))
    write(path("sizes", "b"), "b")
    t.eq(put(a, path("sizes")).code, 0, "put")
    a.run("ls")
    r = get(a, "sizes.out", "sizes", prefix=("prlimit", "--fsize=50000"))
    t.eq((r.code, [w["path"] for w in r.json["warnings"]], sorted(
        os.listdir(path("sizes.out", "sizes")))), (17, ["sizes/a"], ["b"]),
         "get to where no large file may be: the others are there")


def closed_descriptors():
    """No file and no connection gets the number of standard output."""
    t.eq(a.run("cat", "odd/one", prefix=(
        "sh", "-c", 'exec "$@" >&-', "-")).code, 18,
         "no standard output: IO")
    if shutil.which("strace") is None or SANITIZED:
        t.skip("closed descriptors stay", "no strace here")
        return
    out = path("closed")
    write(path("f1"), "closed")
    r = put(a, path("f1"), prefix=(
        "strace", "-ff", "-qq", "-o", out, "-e", "trace=openat,socket",
        "sh", "-c", 'exec "$@" <&- >&- 2>&-', "-"))
    lines = [x for name in glob.glob(out + ".*") for x in content(
        name).decode(errors="replace").splitlines()]
    mine = [x for x in lines if "socket(" in x or a.dir in x]
    t.ok(r.code == 18 and len(mine) > 5, "traced") or t.note(r)
    t.eq([x for x in mine if re.search(r"= [012]$", x)], [],
         "closed descriptors stay")


def bytes_in_errors():
    r = a.run("put", "--json", b"/nonexistent/\xff\xc3")
    t.eq((r.code, r.json["error"]["text"]), (4, "/nonexistent/??: No such "
         "file or directory"), "an error with a name that is no text")


def unreadable():
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        t.skip("an unreadable file", "not root")
        return
    c = s.device()
    shutil.copy(s.policy, os.path.join(c.dir, "policy"))
    src = os.path.join(c.dir, "src")
    write(os.path.join(src, "fine"), "fine")
    write(os.path.join(src, "closed"), "closed")
    write(os.path.join(src, "shut", "in"), "in")
    for where, dirs, names in os.walk(c.dir):
        for n in dirs + names + [""]:
            os.chown(os.path.join(where, n), 65534, 65534)
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if c.run("status", prefix=user).code == 126:
        t.skip("an unreadable file", "the program is not for all users")
        return
    r = c.run("init", "--policy", os.path.join(c.dir, "policy"),
              "--residency", "germany", "--recovery-out",
              os.path.join(c.dir, "recovery"), prefix=user)
    t.ok(r.code == 0, "init as another user") or t.note(r)
    t.eq(put(c, src, prefix=user).code, 0, "put while all is readable")
    write(os.path.join(src, "fine"), "fine, and new")
    os.chown(os.path.join(src, "closed"), 0, 0)
    os.chmod(os.path.join(src, "closed"), 0o600)
    write(os.path.join(src, "closed"), "changed, and not to be read")
    os.chmod(os.path.join(src, "shut"), 0)
    r = put(c, src, prefix=user)
    t.eq((r.code, r.json["left_out"], r.json["changed"]), (17, 2, True),
         "unreadable file and folder: PARTIAL, the rest is stored")
    t.eq(sorted(w["path"] for w in r.json["warnings"]),
         ["src/closed", "src/shut"], "and they are named")
    t.eq((c.run("cat", "src/fine", prefix=user).out,
          c.run("cat", "src/closed", prefix=user).out,
          c.run("cat", "src/shut/in", prefix=user).out),
         ("fine, and new", "closed", "in"),
         "what the space had of them stays")
    os.chmod(os.path.join(src, "shut"), 0o444)
    r = put(c, src, prefix=user)
    t.eq((r.code, r.json["left_out"], r.json["removed"]), (17, 2, 0),
         "likewise where a folder shows its names alone")
    t.eq((c.run("cat", "src/shut/in", prefix=user).out,
          c.run("ls", "src/shut", prefix=user).out), ("in", "in\n"),
         "and what is in it stays")
    c.run("lock", prefix=user)


def changing():
    write(path("live", "log"), noise(24 << 20))
    write(path("live", "quiet"), "quiet")
    stop = subprocess.Popen(
        [sys.executable, "-c", "import os,sys\n"
         "f=os.open(sys.argv[1],os.O_WRONLY)\n"
         "print(flush=True)\n"
         "while True: os.pwrite(f,os.urandom(64),0)",
         path("live", "log")], stdout=subprocess.PIPE)
    try:
        stop.stdout.readline()
        # On a busy machine it may not run while the file is read.
        while (r := put(a, path("live"))).code == 0:
            pass
    finally:
        stop.kill()
        stop.wait()
    t.eq((r.code, r.json["unsteady"]), (17, 1),
         "a file that changes all the time: PARTIAL")
    t.eq([w["path"] for w in r.json["warnings"]], ["live/log"], "named")
    t.eq(b.run("cat", "live/quiet").out, "quiet", "the rest is stored")
    with open(path("live", "log"), "r+b") as f:
        f.write(b"for the last time")
    r = put(a, path("live"))
    t.eq((r.code, r.json["changed"]), (0, True), "the next put has it")
    get(b, "live.out", "live")
    t.eq(compare(path("live"), path("live.out", "live")), "", "as it is")


def watched(*args):
    """Exit status, what a terminal shows, standard output."""
    master, slave = pty.openpty()
    p = subprocess.Popen(a.argv(*args), env=a.env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=slave, start_new_session=True)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    return p.wait(), shown.decode(), p.stdout.read().decode()


def progress():
    write(path("slow"), noise(100 << 20))
    s.depot_tap.rate = 30 << 20
    code, text, out = watched("put", path("slow"))
    s.depot_tap.rate = 0
    t.eq(code, 0, "a put that is watched")
    t.ok(re.search(r"put [\d.]+ MiB of 100\.0 MiB, [\d.]+ MiB/s", text),
         "shows bytes and rate") or t.note(repr(text))
    t.ok(re.search(r"\d:\d\d left", text), "and how long it will take") \
        or t.note(repr(text))
    t.ok("onshore: " in text and "offshore: 2 requests" in text,
         "and at the end what was moved")
    last = [x for x in text.split("\r") if "of 100.0 MiB" in x][-1]
    t.note(last)
    t.ok(out.startswith("commit "), "the outcome is on standard output")
    s.depot_tap.rate = 50 << 20
    code, text, _ = watched("get", "--to", path("slow.out"), "slow", "odd/one")
    s.depot_tap.rate = 0
    t.ok(code == 0 and re.search(r"get [\d.]+ MiB of 100\.0 MiB, [\d.]+ MiB/s,"
                                 r" \d of 2 entries", text),
         "a get of paths knows what they have from the start") or t.note(
             repr(text))
    r = a.run("put", "--quiet", path("slow"))
    t.eq((r.code, r.err), (0, ""), "--quiet")


def own_state():
    """The keys of a device do not leave it."""
    me = path("me")
    write(path("me", "doc"), "mine")
    shutil.copytree(a.home, path("me", "state"), symlinks=True)
    env = {"SKERRY_HOME": path("me", "state"),
           "XDG_CACHE_HOME": path("me", "cache")}
    r = put(a, me, env=env)
    t.eq((r.code, r.json["left_out"], r.json["unsteady"]), (0, 0, 0),
         "a folder with the device's state and cache")
    seen = b.run("ls", "-R", "me").out.split("\n")
    t.ok("me/doc" in seen or "doc" in seen, "is stored") or t.note(seen)
    t.eq([x for x in seen if "state" in x or "device.key" in x], [],
         "without the state")
    t.eq(put(a, me, env=env).json["changed"], False, "nor the space's cache")
    for x in "state", "state/device.key":
        r = put(a, path("me", x), env=env)
        t.ok(r.code == 2 and x in r.json["error"]["text"],
             f"{x} by itself: USAGE")
    a.run("lock", env=env)
    shutil.rmtree(me)


def portable():
    """What the processor does specially, done by OpenSSL alone."""
    plain = {"SKERRY_BULK": "openssl"}
    write(path("either", "noise"), noise(3 << 20))
    write(path("either", "text"), "one of many\n" * 100_000)
    t.eq(put(a, path("either"), env=plain).code, 0, "put without vectors")
    r = put(a, path("either"), env={"SKERRY_BULK": "openssh"})
    t.ok(r.code == 3 and "SKERRY_BULK: openssh" in r.json["error"]["text"],
         "one that is not there is named (CONFIG)")
    t.eq(get(b, "either.1", "either").code, 0, "and get with them")
    write(path("either", "more"), noise(3 << 20))
    t.eq(put(a, path("either")).code, 0, "put with vectors")
    t.eq(get(b, "either.2", "either", env=plain).code, 0,
         "and get without them")
    t.eq((compare(path("either"), path("either.2", "either")),
          content(path("either.1/either/text"))),
         ("", content(path("either/text"))), "the same bytes")


t.run(round_trip, unchanged, budget, where_to, changes, history, status,
      listings, very_deep, deeper_than_descriptors, no_files,
      no_attributes, without_proc, vanishing, largest_file,
      closed_descriptors, bytes_in_errors, unreadable, changing, own_state,
      stale_links, progress, portable)
