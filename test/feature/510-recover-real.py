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


def dump():
    """What a copy of the authority's database gives."""
    database, = glob.glob(path("site", "authority", "**", "*.sqlite*"),
                          recursive=True) or glob.glob(
        path("site", "authority", "**", "*.db"), recursive=True)
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


