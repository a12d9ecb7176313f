#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Three devices do what comes by chance with trees that chance made: put, rm,
rotate, shred, kill -9, caches damaged and thrown away.  A model of the space, a
map from paths to what is there, says what ls and get must show of each commit.
ROUNDS=1000 takes some twelve minutes; SEED=N is another run, the same each time
but for its kills."""

import base64
import hashlib
import os
import random
import shutil
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site  # noqa: E402
from skerrytest import Tap  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS") or
             (15 if os.environ.get("SKERRY_SANITIZED") else 30))
SEED = int(os.environ.get("SEED", "670"))
NAMES = [b"a", b"b", b"a.", b"a\x01", b"ab", b"\xff\xfe", b"x\ny", b"n" * 255]
t = Tap()
t.note(f"SEED={SEED} ROUNDS={ROUNDS}")
r = random.Random(SEED)
blobs = [r.randbytes(n) for n in (0, 1, 4096, 65536, 300_000, 3 << 20)]
s = Site()
devices = [s.first()]
devices += [s.device().join(devices[0]) for _ in range(2)]
for d in devices:
    d.src = os.path.join(os.fsencode(d.dir), b"src")
    os.mkdir(d.src)
space, commits = {}, {}  # {path as names: entry}; {number: space then}


def scan(path, key=()):
    """What is at a path and below: {names: entry}."""
    st = os.lstat(path)
    e = {"type": stat.S_IFMT(st.st_mode), "mtime": st.st_mtime_ns,
         "mode": stat.S_IMODE(st.st_mode)}
    out = {key: e}
    if stat.S_ISLNK(st.st_mode):
        e["target"] = os.readlink(path)
    elif stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            e["content"] = hashlib.sha256(f.read()).digest()
        e["size"] = st.st_size
        e["link"] = st.st_ino if st.st_nlink > 1 else 0
    else:
        for n in os.listdir(path):
            out |= scan(os.path.join(path, n), (*key, n))
    return out


def below(top):
    return sorted(os.path.join(at, n) for at, dirs, names in os.walk(top)
                  for n in dirs + names)


def is_folder(path):
    return stat.S_ISDIR(os.lstat(path).st_mode)


def remove(path):
    shutil.rmtree(path) if is_folder(path) else os.unlink(path)


def create(path):
    kind = r.randrange(7)
    if kind < 2:
        os.mkdir(path)
        for n in r.sample(NAMES, r.randrange(4) if len(path) < 1000 else 0):
            create(os.path.join(path, n))
    elif kind == 2:
        os.symlink(r.choice([b"a", b"/nowhere", b"x" * 4000]), path)
    else:
        with open(path, "wb") as f:
            for _ in range(r.randrange(4)):
                f.seek(r.choice([0, 0, 4096, 2 << 20]), os.SEEK_CUR)
                f.write(r.choice(blobs)[r.choice([0, 0, 100]):])
            f.truncate(f.tell() + r.choice([0, 0, 1 << 20]))
    dress(path)


def dress(path):
    when = r.choice([0, -1, 1 << 30, 4_102_444_800_123_456_789])
    os.path.islink(path) or os.chmod(path, r.randrange(0o1000) | 0o700)
    os.utime(path, ns=(when, when), follow_symlinks=False)


def mutate(top):
    """Some paths come, go, change, move and turn into others."""
    for _ in range(r.randrange(1, 6)):
        there = below(top)
        old = r.choice(there) if there else None
        new = os.path.join(r.choice([top, *filter(is_folder, there)]),
                           r.choice(NAMES))
        kind = r.randrange(6) if old else 0
        if kind < 4 and (os.path.lexists(new) or len(new) > 1500):
            continue
        if kind < 2:
            create(new)
        elif kind == 2 and not new.startswith(old + b"/") and \
                max(map(len, [old, *below(old)])) < 1500:
            os.rename(old, new)
        elif kind == 3 and stat.S_ISREG(os.lstat(old).st_mode):
            os.link(old, new)
        elif kind == 4:
            remove(old)
            r.random() < 0.5 and create(old)
        elif kind == 5:
            dress(old)
    for p in below(top)[60:]:
        os.path.lexists(p) and remove(p)


def without(tree, keys):
    return {k: tree[k] for k in tree
            if not any(k[:len(x)] == x for x in keys)}


def linked(tree):
    """Sets of paths that are one file: of one inode, and alike."""
    sets = {}
    for k in [k for k in tree if tree[k].get("link")]:
        sets.setdefault(repr(tree[k]), set()).add(k)
    return {frozenset(x) for x in sets.values() if len(x) > 1}


def differences(want, got):
    """mtime None is any."""
    out = [f"only in one: {k}" for k in want.keys() ^ got.keys()]
    for k in want.keys() & got.keys():
        out += [f"{k}: {what}" for what in want[k] if what != "link" and
                want[k][what] not in (None, got[k].get(what))]
    return out + (["hard links"] if linked(want) != linked(got) else [])


def restored(d, tree, *args, key=()):
    """What is wrong with what a device gets."""
    out = os.path.join(os.fsencode(d.dir), b"out")
    x = d.run("get", "--to", out, *args, "--",
              *([b"/".join(key)] if key else []))
    if x.code != 0:
        return [repr(x)]
    got = scan(out)
    del got[()]
    shutil.rmtree(out)
    return differences({k[max(len(key) - 1, 0):]: e for k, e in tree.items()
                        if k[:len(key)] == key}, got)


def settle(d, tree, past):
    """This is what the space holds now; what is wrong with that."""
    global space, commits
    d.lock()  # the authority is asked
    x = d.run("ls", "-R", "--json")
    there = {}
    for e in x.json["entries"] if x.code == 0 else []:
        name = base64.b64decode(e["name_base64"]) if "name_base64" in e \
            else e["name"].encode()
        there[tuple(name.split(b"/"))] = e["mode"], e.get("size", 0)
    if x.code != 0 or there != {k: (f"{e['mode']:04o}", e.get("size", 0))
                                for k, e in tree.items()}:
        return [repr(x), repr(sorted(tree))]
    space, commits = tree, {**past, x.json["commit"]: tree}
    return []


def change(d):
    """Arguments, and the space and its past afterwards."""
    kind = r.randrange(10) if space else 9
    keys = r.sample(sorted(space), min(2, len(space)))
    paths = map(b"/".join, keys)
    if kind == 0:
        return ["rotate"], (space, commits)
    if kind == 1:
        return ["rm", "--", *paths], (without(space, keys), commits)
    if kind == 2:
        past = {n: without(tree, keys) for n, tree in commits.items()}
        return ["shred", "--yes", "--", *paths], (without(space, keys), past)
    mutate(d.src)
    to = r.choice([(), (), (b"to",), (b"to", b"a"), (b"a.", b"\xff\xfe")])
    some = r.random() < 0.4 and below(d.src) or [d.src]
    sources = {os.path.basename(p): p for p in
               r.sample(some, min(len(some), r.randrange(1, 4)))}
    new = without(space, [(*to, n) for n in sources])
    for up in [to[:i] for i in range(1, len(to) + 1)]:
        made = {"type": stat.S_IFDIR, "mode": 0o755, "mtime": None}
        if new.setdefault(up, made)["type"] != stat.S_IFDIR:
            return change(d)
    for n, p in sources.items():
        new.update({(*to, n, *k): e for k, e in scan(p).items()})
    where = ["--to", b"/".join(to)] if to else []
    return ["put", *where, "--", *sources.values()], (new, commits)


def damage(d):
    """Some files of the cache, and now and then all."""
    cache = os.path.join(os.fsencode(d.dir), b"cache")
    for path in filter(os.path.isfile, below(cache)):
        size = os.path.getsize(path)
        if r.random() < 0.4 and size != 0:
            with open(path, "r+b") as f:
                f.seek(r.randrange(size))
                f.write(r.randbytes(1))
            os.truncate(path, r.choice([size, size, size // 2, 0]))
    if r.random() < 0.2:
        shutil.rmtree(cache, ignore_errors=True)


def one_round():
    d, other = r.sample(devices, 2)
    if r.random() < 0.3:
        damage(d)
    args, after = change(d)
    killed = r.random() < 0.2
    if killed:
        p = d.start(*args)
        time.sleep(r.uniform(0, 0.3))
        p.kill()
        p.communicate()
    x = d.run(*args)  # once more may find nothing left to remove
    if x.code != 0 and not (killed and x.code == 4):
        return [repr(args), repr(x)]
    wrong = settle(other, *after)
    if not wrong and space and r.random() < 0.5:
        wrong = restored(r.choice(devices), space,
                         key=r.choice([(), r.choice(sorted(space))]))
    return wrong and [f"{args}"] + wrong


def rounds():
    wrong = next(filter(None, (one_round() for _ in range(ROUNDS))), [])
    t.eq(wrong, [], f"{ROUNDS} rounds, {max(commits, default=0)} commits")
    t.note("\n".join(wrong)[:9000])


def at_last():
    c = devices[1].run("check", "--full", "--history", "--json")
    t.ok(c.code == 0 and c.json["good"], "everything is whole") or t.note(c)
    wrong = [x for n, tree in commits.items() for x in
             restored(devices[2], tree, "--commit", str(n))]
    t.eq(wrong, [], f"each of {len(commits)} commits comes back as it was")


t.run(rounds, at_last)
