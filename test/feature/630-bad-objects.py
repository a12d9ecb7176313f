#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Objects that are altered, cut short, gone or changed for others at the depot:
check names what is affected, get loses that and nothing else; and a mirror of
the head that is set back."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap, folder  # noqa: E402
from trees import compare, content, noise, write  # noqa: E402

t = Tap()
s = Site()
a = s.first()
b = s.device().join(a)
work = folder()
src = os.path.join(work, "src")
held = os.path.join(work, "held")  # objects as they were


def objects():
    return s.depot.files()[0]


def stored(step):
    """Runs a step; the paths of the objects that it stored, largest first."""
    before = set(objects())
    step()
    now = objects()
    return sorted((now[x] for x in now if x not in before),
                  key=os.path.getsize, reverse=True)


def put(*args):
    r = a.run("put", "--json", *args)
    if r.code != 0:
        raise RuntimeError(repr(r))
    return r.json


def flip(path, at=None):
    with open(path, "r+b") as f:
        at = os.path.getsize(path) // 2 if at is None else at
        f.seek(at)
        x = f.read(1)
        f.seek(at)
        f.write(bytes([x[0] ^ 1]))


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


class Harm:
    """Does something to an object's file, and takes it back."""

    def __init__(self, path, how):
        self.path, self.how = path, how

    def __enter__(self):
        shutil.copy2(self.path, held)
        self.how(self.path)

    def __exit__(self, *_):
        shutil.copy2(held, self.path)


def findings():
    r = b.run("check", "--full", "--json")
    return r, r.json.get("findings", [])


def names(found):
    return {x["path"] for x in found if x["what"] == "path"}


def got(d=b):
    out = os.path.join(work, "out")
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(os.path.join(d.dir, "cache"), ignore_errors=True)
    r = d.run("get", "--json", "--to", out)
    have = set()
    for where, _, files in os.walk(out):
        have |= {os.path.relpath(os.path.join(where, n), out) for n in files}
    return r, have


def all_right(what):
    r, found = findings()
    g, have = got()
    t.eq((r.code, found, g.code, compare(src, os.path.join(work, "out/src"))),
         (0, [], 0, ""), what)


packs = {}


def fill():
    """One pack after another, so that it is known what is in which."""
    for n in "ab":
        write(os.path.join(src, n), noise(3 << 20))
        packs[n] = stored(lambda: put("--to", "src", os.path.join(src, n)))[0]
    for n in "ab":
        shutil.copystat(src, src)
    packs["all"] = stored(lambda: put(src))
    t.ok(os.path.getsize(packs["a"]) > 3 << 20, "each file in its pack")
    all_right("all is well at first")


def data_packs():
    codes = {"altered": (flip, "TAMPERED"), "cut short": (truncate, "MISSING"),
             "gone": (os.unlink, "MISSING")}
    for what, (how, code) in codes.items():
        with Harm(packs["a"], how):
            r, found = findings()
            t.ok(r.code in (9, 10), f"{what}: check fails") or t.note(r)
            t.ok(code in {x["code"] for x in found}, f"says {code}") \
                or t.note(found)
            t.eq(names(found), {"src/a"}, "and names the file")
            g, have = got()
            t.eq((g.code, have), (17, {"src/b"}),
                 "get loses that file and no other")
            t.eq([w["path"] for w in g.json["warnings"]], ["src/a"],
                 "and names it")
            t.eq(content(os.path.join(work, "out/src/b")),
                 content(os.path.join(src, "b")), "the other one is whole")
            t.ok(os.path.basename(packs["a"]) in r.out, "the object's id too")
        all_right("put back: all is well")


def swapped():
    """Two objects of one size with each other's bytes; from elsewhere too."""
    def swap(path):
        shutil.copyfile(packs["b"], path)
    with Harm(packs["a"], swap):
        r, found = findings()
        t.eq((r.code, names(found)), (9, {"src/a"}),
             "with another object's bytes: TAMPERED, named")
        g, have = got()
        t.eq((g.code, have), (17, {"src/b"}), "only that is lost")


def tree_packs():
    """The pack with the newest root, index and commit."""
    for what, how, codes in (("altered", lambda p: flip_all(p), {9}),
                             ("gone", os.unlink, {10})):
        with Harm(packs["all"][0], how):
            r, found = findings()
            t.ok(r.code in codes, f"tree and commit {what}: check fails") \
                or t.note(r)
            g, have = got()
            t.ok(g.code in codes and have == set(),
                 "get ends with the same") or t.note(g)
            t.ok(os.path.basename(packs["all"][0]) in g.out + r.out
                 or "commit" in g.out, "and says what is at fault") \
                or t.note(g)
    all_right("put back: all is well")


def flip_all(path):
    data = bytearray(content(path))
    for i in range(0, len(data), 64):
        data[i] ^= 1
    with open(path, "wb") as f:
        f.write(data)


def nodes_of_many():
    """A tree of several leaves, of which one is lost."""
    many = os.path.join(work, "many")
    for i in range(3000):
        write(os.path.join(many, f"{i:05}" + "n" * 60), b"x%d" % i)
    first = stored(lambda: put(many))
    write(os.path.join(many, "00000" + "n" * 60), b"changed")
    put(many)
    # The newest pack has commit, root and one leaf; the rest is in `first`.
    with Harm(first[0], os.unlink):
        r, found = findings()
        t.ok(r.code == 10 and found, "nodes are gone: MISSING") or t.note(r)
        lost = [x for x in found if x["what"] == "paths"]
        t.ok(lost and all(x["path"].startswith("many/") for x in lost),
             "check names from where on, and how many") or t.note(found[:5])
        t.note([(x["path"][:12], x.get("entries")) for x in lost])
        g, have = got()
        # The index was merged into that pack: what is newer has its own.
        t.eq((g.code, have), (17, {"many/00000" + "n" * 60}),
             "what was stored later comes back")
        t.ok(os.path.basename(first[0]) in g.out, "the object is named")
        out = os.path.join(work, "many-out")
        path = lost[-1]["path"]
        g = b.run("get", "--to", out, path)
        t.ok(g.code == 10 and path in g.err and not os.path.exists(out),
             "a path that is lost: MISSING") or t.note(g)
        g = b.run("get", "--json", "--to", out, path, *have)
        t.eq((g.code, [w["path"] for w in g.json["warnings"]],
              len(os.listdir(out))), (17, [path], 1),
             "beside another, which is restored: PARTIAL")
    r = a.run("rm", "many")
    t.eq(r.code, 0, "rm")
    all_right("put back: all is well")


def mirror_set_back():
    old = content(head_of_a())
    b.run("ls")
    write(os.path.join(src, "new"), b"new")
    put(src)
    t.eq(b.run("cat", "src/new").out, "new", "b has seen the new head")
    with Harm(head_of_a(), lambda p: write(p, old)):
        r = b.run("cat", "src/new")
        t.eq((r.code, r.out), (0, "new"),
             "who has seen a later head does not go back with the mirror")
    write(os.path.join(src, "newer"), b"newer")
    with Harm(head_of_a(), lambda p: None):
        kept = content(head_of_a())
        put(src)
        write(head_of_a(), kept)
        r = b.run("ls", "src/newer")
        t.eq(r.code, 4, "who has not, is shown the older state under a lease")
        b.run("lock")
        t.eq(b.run("cat", "src/newer").out, "newer",
             "until the authority is asked again")
        t.eq(b.run("cat", "src/newer").out, "newer", "and then no more")
    put(src)


def mirror_left_behind():
    """As a put leaves it that is killed when the authority has its head."""
    b.run("ls")
    state = os.path.join(a.home, "head")
    mirror, seen = content(head_of_a()), content(state)
    write(os.path.join(src, "late"), b"late")
    put(src)
    write(head_of_a(), mirror)
    write(state, seen)
    t.eq(b.run("ls", "src/late").code, 4, "a mirror that was left behind")
    t.eq(put(src)["changed"], False, "the next put has nothing to do")
    t.eq(b.run("cat", "src/late").out, "late", "but sees to the mirror")


def mirror_of_others():
    """The head of another space, and garbage."""
    other = s.first()
    other.run("put", os.path.join(src, "new"))
    mine = head_of_a()
    theirs = next(p for p in heads() if p != mine)
    body = content(theirs)
    for what, bad in (("another space's", body), ("garbage", noise(284)),
                      ("cut", body[:100])):
        with Harm(mine, lambda p, bad=bad: write(p, bad)):
            r = b.run("cat", "src/newer")
            t.eq((r.code, r.out), (0, "newer"),
                 f"{what} head in the mirror does no harm") or t.note(r)


def heads():
    return [os.path.join(where, "head") for where, _, files in
            os.walk(os.path.join(s.depot.data, "v1")) if "head" in files]


def head_of_a():
    """By the prefix that holds a's first pack."""
    prefix = os.path.dirname(os.path.dirname(packs["a"]))
    return os.path.join(prefix, "head")


def damaged_cache():
    """What is altered on the device itself is fetched anew."""
    def step(*args):
        n = 0
        for where, _, files in os.walk(os.path.join(a.dir, "cache")):
            for name in files:
                path = os.path.join(where, name)
                if os.path.getsize(path) != 0:
                    flip(path)
                    n += 1
        r = a.run(*args)
        t.ok(n != 0 and r.code == 0, f"{args[0]} from {n} damaged files") \
            or t.note(r)

    write(os.path.join(src, "last"), "and again")
    step("put", src)
    step("rotate")
    step("put", "--to", "more", src)
    step("shred", "--yes", "more/src/last")
    step("check", "--full")
    step("get", "--to", os.path.join(work, "sound"), "src")
    t.eq(compare(src, os.path.join(work, "sound/src")), "",
         "everything is as it was put")


def lost_and_sent_anew():
    """What is gone at the depot and still here is stored by the put after a
    check that found it; a put before knows nothing of it."""
    os.unlink(packs["a"])
    t.eq(put(src)["changed"], False, "nothing is known to be lost")
    r = a.run("check", "--full")
    t.ok(r.code == 10 and "sends it again" in r.err, "check says it") \
        or t.note(r)
    r = put(src)
    t.ok(r["changed"] and r["stored"] > 3 << 20, "it is sent again") or t.note(r)
    all_right("all is well again")
    out = os.path.join(work, "earlier")
    r = b.run("get", "--commit", "1", "--to", out)
    t.eq((r.code, content(os.path.join(out, "src/a"))),
         (0, content(os.path.join(src, "a"))), "also in the first commit")
    r = b.run("check", "--full", "--history")
    t.eq(r.code, 0, "and check says so") or t.note(r)
    r = put(src)
    t.eq((r["changed"], r["files_read"]), (False, 0), "once")
    a.run("check", "--full")
    r = put(src)
    t.eq((r["changed"], r["stored"]), (False, 0), "nothing is lost any more")


def lost_commit():
    """The pack of commit 3 of 5 is gone: who has no copy of it gets at 4 and 5,
    and is told; who has one gets at all, and stores it for everybody."""
    x = s.first()
    y = s.device().join(x)
    past = os.path.join(work, "past")
    third = None
    for i in range(1, 6):
        write(os.path.join(past, str(i)), b"%d" % i)
        new = stored(lambda: t.eq(x.run("put", past).code, 0, f"put {i}"))
        third = new[0] if i == 3 else third
    os.unlink(third)
    name = os.path.basename(third)

    def log(d):
        r = d.run("log", "--json")
        return r.code, [c["number"] for c in r.json["commits"]], r.out

    code, numbers, said = log(y)
    t.eq((code, numbers), (10, [5, 4]), "log without a copy: what is before "
         "the lost one")
    t.ok("commit 3 is lost" in said and "from 4 on" in said and name in said,
         "says what is lost, and what is not") or t.note(said)
    out = os.path.join(work, "past-out")
    t.eq(y.run("get", "--commit", "4", "--to", out, "past/2").code, 0,
         "commit 4 can be read")
    for n in "23":
        r = y.run("get", "--commit", n, "--to", out)
        t.ok(r.code == 10 and "commit 3 is lost" in r.err,
             f"commit {n}: the same words") or t.note(r)
    r = y.run("check", "--history")
    t.ok(r.code == 10 and r.out.count("commits before it is lost") == 1,
         "check says that the way back is lost") or t.note(r)
    r = y.run("shred", "--yes", "past/1")
    t.ok(r.code == 10 and "nothing was shredded" in r.err,
         "what is lost cannot be searched") or t.note(r)
    r = y.run("rotate", "--json")
    t.ok(r.code == 10 and r.json["lost"] == 1 and r.json["commits"] == 3 and
         r.json["receipts"], "what is there gets a new key") or t.note(r)
    t.ok("commit 3 is lost" in r.json["warnings"][0]["text"],
         "and what is not is named")
    t.eq(log(y)[:2], (10, [6, 5, 4]), "it stays named")

    t.eq(log(x)[:2], (0, [6, 5, 4, 3, 2, 1]), "log with a copy: all")
    r = x.run("check", "--history")
    t.ok(r.code == 10 and "is lost with it" not in r.out and
         r.out.splitlines()[-1].startswith("5 commits"),
         "check goes on by the copy") or t.note(r)
    t.eq(x.run("put", past).code, 0, "put with nothing new")
    code, numbers, _ = log(y)
    t.eq((code, numbers), (0, [7, 6, 5, 4, 3, 2, 1]), "all is there for all")
    t.eq(y.run("get", "--commit", "2", "--to", out, "past/1").code, 0,
         "what was cut off can be read")
    r = x.run("put", "--json", past)
    t.eq(r.json["changed"], False, "once")


def lost_latest_commit():
    """A device that saw an earlier head can still go by that."""
    x = s.first()
    y, z = s.device().join(x), s.device().join(x)
    top = os.path.join(work, "top")
    for i in range(1, 4):
        write(os.path.join(top, str(i)), b"%d" % i)
        new = stored(lambda: t.eq(x.run("put", top).code, 0, f"put {i}"))
        if i == 2:
            t.eq(y.run("ls").code, 0, "y has seen commit 2")
    os.unlink(new[0])
    r = y.run("ls")
    t.ok(r.code == 10 and "commit 3, the latest, is lost" in r.err and
         "up to commit 2" in r.err, "what is lost, and what is not") \
        or t.note(r)
    r = z.run("ls")
    t.ok(r.code == 10 and "is lost" in r.err and "up to" not in r.err,
         "who has seen none has none") or t.note(r)
    for d, n, code in ((y, 1, 0), (y, 2, 0), (y, 3, 10), (z, 2, 10)):
        out = os.path.join(work, f"top-out{n}")
        r = d.run("get", "--commit", str(n), "--to", out, "top/1")
        t.eq(r.code, code, f"commit {n}") or t.note(r)
    t.eq(y.run("put", top).code, 10, "nothing is stored on top of that")
    x.run("check")
    t.eq((x.run("put", top).code, y.run("ls").code, z.run("log").code),
         (0, 0, 0), "who has a copy stores it again")


def begun_anew():
    """No device has a copy of the latest commit: put --repair goes on from what
    was seen, and says what that costs."""
    x = s.first()
    y, z = s.device().join(x), s.device().join(x)
    top = os.path.join(work, "anew")
    for i in range(1, 4):
        write(os.path.join(top, str(i)), b"%d" % i)
        new = stored(lambda: t.eq(x.run("put", top).code, 0, f"put {i}"))
        if i == 1:
            t.eq(y.run("ls").code, 0, "y has seen commit 1")
    os.unlink(new[0])
    one = os.path.join(top, "1")
    r = y.run("put", one)
    t.ok(r.code == 10 and "put --repair goes on from there" in r.err,
         "says what can be done") or t.note(r)
    r = y.run("put", "--json", "--repair", "--to", "again", one)
    t.ok(r.code == 0 and r.json["commit"] == 4 and
         "goes on from commit 1" in r.json["warnings"][0]["text"],
         "goes on from what was seen") or t.note(r)

    def log(d):
        r = d.run("log", "--json")
        return [(c["number"], c["message"]) for c in r.json["commits"]]

    t.eq(log(z), [(4, "put again/1"), (3, "(lost)"), (2, "(lost)"),
                  (1, "put anew")], "the log shows it")
    t.eq(x.run("put", top).code, 0, "the others go on from there")
    t.eq(z.run("check", "--full", "--history").code, 0, "all is good")

    write(os.path.join(top, "4"), b"4")
    new = stored(lambda: t.eq(x.run("put", top).code, 0, "put"))
    os.unlink(new[0])
    w = s.device().join(x)
    t.eq(w.run("ls").code, 10, "who comes now cannot read it")
    r = w.run("put", "--repair", one)
    t.ok(r.code == 0 and "none before it is known here" in r.err,
         "begins anew") or t.note(r)
    t.eq(log(z), [(7, "put 1"), (6, "(lost)")], "the log shows that, too")
    t.eq(z.run("check", "--full", "--history").code, 0, "all is good")
    out = os.path.join(work, "anew-out")
    t.eq(z.run("get", "--to", out).code, 0, "get")
    t.eq(os.listdir(out), ["1"], "what was put is there")


def shredded_all_the_same():
    """What is lost can be given up, so that no key is left to it."""
    x = s.first()
    y = s.device().join(x)
    top = os.path.join(work, "shred")
    for i in range(1, 5):
        write(os.path.join(top, str(i)), b"%d" % i)
        new = stored(lambda: t.eq(x.run("put", top).code, 0, f"put {i}"))
        second = new[0] if i == 2 else None if i == 1 else second
    os.unlink(second)
    r = y.run("shred", "--yes", "shred/1")
    t.ok(r.code == 10 and "--repair" in r.err, "says what can be done") \
        or t.note(r)
    r = y.run("shred", "--json", "--repair", "--yes", "shred/1")
    t.ok(r.code == 10 and r.json["lost"] != 0 and r.json["removed"] == 2 and r.json["given_up"] == 0 and
         r.json["receipts"], "done, and says that something was lost") \
        or t.note(r)
    r = y.run("log", "--json")
    t.eq((r.code, [c["number"] for c in r.json["commits"]]), (0, [5, 4, 3]),
         "what was before the lost commit is given up")
    t.eq(x.run("check", "--full", "--history").code, 10,
         "the content of 2 was in the lost object")
    t.eq(x.run("put", top).code, 0, "put of it")
    t.eq(x.run("check", "--full").code, 0, "all is good")


t.run(fill, data_packs, swapped, tree_packs, nodes_of_many, mirror_set_back,
      mirror_left_behind, mirror_of_others, damaged_cache, lost_and_sent_anew,
      lost_commit, lost_latest_commit, begun_anew,
      shredded_all_the_same)
