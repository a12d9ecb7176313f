#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry-recover restores what skerry put: from the depot's folder and the
recovery code, with the keyslot, ids, head and chain out of the authority's
database, which is all that a ruined site would have left."""

import glob
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("SKERRY_BUILD", os.path.join(TOP, "build"))
SKERRY = os.environ.get("SKERRY", os.path.join(BUILD, "client", "skerry"))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "test", "lib"))

from skerrytest import Tap                                      # noqa: E402

tap = Tap()
WORK = tempfile.mkdtemp(prefix="skerry-510-")


def path(*names):
    return os.path.join(WORK, *names)


def run(*argv, **how):
    return subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, **how)


def good(*argv, **how):
    done = run(*argv, **how)
    if done.returncode:
        raise RuntimeError(f"{argv[:3]}: {done.returncode}, "
                           f"{done.stderr.decode(errors='replace')}")
    return done.stdout


def site(what):
    # Its programs outlive it, and would keep a pipe open.
    subprocess.run([os.path.join(TOP, "tool", "site"), what, path("site"),
                    *([BUILD] if what == "start" else [])], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   timeout=120)


def skerry(*args, device="one"):
    home = path("site", device)
    os.makedirs(home, exist_ok=True)
    runtime = path("site", device, "run")
    os.makedirs(runtime, 0o700, exist_ok=True)
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith(("SKERRY", "XDG_"))}
    return good(SKERRY, *args, env={
        **clean, "HOME": home, "SKERRY_HOME": os.path.join(home, "state"),
        "XDG_RUNTIME_DIR": runtime,
        "XDG_CACHE_HOME": os.path.join(home, "cache")})


def recover(*args, chain=True):
    if chain:
        args += ("--chain", path("chain"))
    return run(
        "/usr/bin/python3", "-B", os.path.join(TOP, "recover",
                                               "skerry-recover"),
        "--depot", path("site", "depot"), "--recovery-code", path("code"),
        "--keyslot", path("keyslot"), "--account", ids["account"],
        "--space", ids["space"], "--epoch", ids["epoch"], *args)


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data)


def tree(number):
    return path("tree", str(number))


def make_trees():
    """Oddities; many small files; files that are cut into several chunks, and
    one that is large enough for a content list of its own."""
    noise = random.Random(510).randbytes
    os.makedirs(tree(1))
    good(os.path.join(TOP, "tool", "oddities"), tree(1))
    for n in range(60):
        os.makedirs(path("tree", "2", f"d{n % 7}"), exist_ok=True)
        for m in range(20):
            write(os.path.join("tree", "2", f"d{n % 7}", f"f{n}-{m}"),
                  noise(n * m))
    write("tree/2/several chunks", noise(9_000_001))
    write("tree/2/twice", noise(3_000_000) * 2)
    # Its own list of chunks is over INLINE_MAX.
    write("tree/2/long list", noise(70 << 20))


ids = {}
KIND_RECOVERY = 2


def dump():
    """What a copy of the authority's database gives."""
    database = path("site", "authority", "db", "authority.sqlite")
    db = sqlite3.connect(database)
    (account, space), = db.execute("SELECT account, id FROM space")
    (epoch, blob), = db.execute(
        "SELECT epoch, blob FROM keyslot WHERE length(blob) = 60 AND kind = ?"
        " AND space = ?", (KIND_RECOVERY, space))
    (head,), = db.execute("SELECT head FROM head WHERE space = ?", (space,))
    chain = db.execute("SELECT entry FROM chain WHERE account = ? ORDER BY seq",
                       (account,)).fetchall()
    db.close()
    ids.update(account=account.hex(), space=space.hex(), epoch=str(epoch))
    write("keyslot", blob)
    write("head", head)
    write("chain", b"".join(entry for entry, in chain))


def store():
    site("start")
    skerry("init", "--policy", path("site", "policy.txt"), "--residency", "cn",
           "--recovery-out", path("code"))
    make_trees()
    skerry("put", tree(1))
    skerry("put", "--to", "sub/folder", tree(2))
    with open(path("tree", "2", "added"), "wb") as file:
        file.write(b"later")
    skerry("put", "--to", "sub/folder", tree(2))
    dump()
    tap.ok(True, "a space was stored by the real programs")


def compare(a, b):
    return run(os.path.join(TOP, "tool", "compare"), a, b)


def restores_the_depots_folder():
    done = recover("--to", path("out"))
    tap.eq(done.returncode, 0, "restores from the depot's folder and the code")
    tap.note(done.stderr.decode(errors="replace"))
    for stored, restored in ((tree(1), "1"), (tree(2), "sub/folder/2")):
        done = compare(stored, path("out", *restored.split("/")))
        tap.ok(done.returncode == 0, f"{restored} is the same, byte for byte")
        tap.note(done.stdout.decode(errors="replace"))


def restores_an_earlier_commit():
    done = recover("--to", path("old"), "--commit", "2")
    tap.eq(done.returncode, 0, "restores an earlier commit")
    tap.ok(not os.path.exists(path("old", "sub", "folder", "2", "added")) and
           os.path.exists(path("old", "sub", "folder", "2", "twice")),
           "as it was then")


def checks_everything():
    done = recover("--check")
    tap.eq(done.returncode, 0, "checks all that the head reaches")
    tap.note(done.stdout.decode() + done.stderr.decode())


def takes_the_authoritys_head():
    done = recover("--head", path("head"), "--list")
    tap.ok(done.returncode == 0 and b"several chunks" in done.stdout,
           "the head of the authority opens the same commit")


def names_a_bad_object():
    names = glob.glob(path("site", "depot", "v1", "*", "*", "*"))
    largest = max(names, key=os.path.getsize)
    with open(largest, "r+b") as file:
        file.seek(5_000_000)
        byte = file.read(1)
        file.seek(5_000_000)
        file.write(bytes([byte[0] ^ 1]))
    done = recover("--to", path("harmed"))
    tap.ok(done.returncode in (9, 17) and
           os.path.basename(largest).encode() in done.stderr,
           "a flipped bit costs what needs it, and its object is named")


def refuses_another_code():
    write("code", b"0000-" * 8 + b"0000\n")
    tap.ok(recover("--list").returncode in (6, 7), "refuses another code")


def end():
    site("stop")
    subprocess.run(["chmod", "-R", "u+rwX", WORK], check=False)
    shutil.rmtree(WORK, ignore_errors=True)


try:
    tap.run(store, restores_the_depots_folder, restores_an_earlier_commit,
            checks_everything, takes_the_authoritys_head, names_a_bad_object,
            refuses_another_code)
finally:
    end()
