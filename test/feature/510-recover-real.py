#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry-recover restores what skerry put: from the depot's folder and the
recovery code, with the keyslot, ids, head and chain out of the authority's
database, which is all that a ruined site would have left: the keyslot is
covered there, and the authority's keyfile takes that off."""

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

import insider                                                  # noqa: E402
from skerrytest import Tap                                      # noqa: E402

tap = Tap()
WORK = tempfile.mkdtemp(prefix="skerry-510-")


def path(*names):
    return os.path.join(WORK, *names)


def run(*argv, **how):
    return subprocess.run(argv, **{"stdout": subprocess.PIPE, "stderr":
                                   subprocess.PIPE, "timeout": 300, **how})


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


def skerry(*args):
    home = path("site", "one")
    os.makedirs(home, exist_ok=True)
    runtime = path("site", "one", "run")
    os.makedirs(runtime, 0o700, exist_ok=True)
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith(("SKERRY", "XDG_"))}
    return good(SKERRY, *args, env={
        **clean, "HOME": home, "SKERRY_HOME": os.path.join(home, "state"),
        "XDG_RUNTIME_DIR": runtime,
        "XDG_CACHE_HOME": os.path.join(home, "cache")})


def recover(*args, **kw):
    return run(
        "/usr/bin/python3", "-B", os.path.join(TOP, "recover",
                                               "skerry-recover"),
        "--depot", path("site", "depot"), "--recovery-code", path("code"),
        "--keyslot", path("keyslot"), "--account", ids["account"],
        "--space", ids["space"], "--epoch", ids["epoch"],
        "--chain", path("chain"), *args, **kw)


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
    for at in 1, 2:
        write(f"tree/{at}/text", b"".join(b"%d bottles\n" % n
                                          for n in range(200_000)))
    # Its own list of chunks is over INLINE_MAX.
    write("tree/2/long list", noise(100 << 20))


ids = {}


class Folder:
    home = path("site", "authority")


def dump():
    """What a copy of the authority's database gives."""
    db = sqlite3.connect(path("site", "authority", "db", "authority.sqlite"))
    (account, space), = db.execute("SELECT account, id FROM space")
    (head,), = db.execute("SELECT head FROM head WHERE space = ?", (space,))
    chain = db.execute("SELECT entry FROM chain WHERE account = ? ORDER BY seq",
                       (account,)).fetchall()
    db.close()
    with open(path("site", "passphrase"), "rb") as file:
        authority = insider.Backup(Folder, file.read().strip())
    (epoch, keyslot), = ((e, blob) for (kind, e), blob
                         in authority.slots.items() if kind == 2)
    ids.update(account=account.hex(), space=space.hex(), epoch=str(epoch))
    write("keyslot", authority.covered(2, epoch, keyslot))
    write("head", head)
    write("chain", b"".join(entry for entry, in chain))


def restored(name, *args, trees=("1", "sub/folder/2")):
    """Restores into a folder of that name, and compares the trees in it."""
    done = recover("--to", path(name), *args)
    tap.eq(done.returncode, 0, f"{name}: restores")
    tap.note(done.stderr.decode(errors="replace"))
    tap.eq(sorted(os.listdir(path(name))),
           sorted(at.partition("/")[0] for at in trees), f"{name}: and no more")
    for at in trees:
        compared = run(os.path.join(TOP, "tool", "compare"),
                       tree(os.path.basename(at)), path(name, at))
        tap.ok(compared.returncode == 0, f"{name}: {at} is the same")
        tap.note(compared.stdout.decode(errors="replace"))
    return done.stderr


def restores_what_was_put():
    site("start")
    make_trees()
    skerry("init", "--policy", path("site", "policy.txt"), "--residency", "cn",
           "--recovery-out", path("code"))
    skerry("put", tree(1), "--compression", "fast")
    skerry("put", "--to", "sub/folder", tree(2), "--compression", "max")
    dump()
    tap.ok(b"warning" not in restored("now"), "a live device: no warning")
    restored("before", "--commit", "1", trees=("1",))


def checks_what_was_put():
    done = recover("--check", "--all")
    tap.ok(done.returncode == 0, "all commits are good")
    tap.note(done.stderr.decode())
    log = recover("--log").stdout.decode().splitlines()
    tap.eq([line.split()[0] for line in log], ["2", "1"], "log has both")
    listed = recover("--list").stdout.decode().splitlines()
    count = sum(len(folders) + len(files)
                for _, folders, files in os.walk(path("tree")))
    tap.eq(len(listed), count + 2, "list has every entry, and --to's folders")


def follows_many_commits_and_removals():
    """Segments are merged, nodes taken over, chunks found again."""
    for number in range(12):
        write(f"tree/2/new {number}", b"%d" % number * 1000)
        skerry("put", "--to", "sub/folder", tree(2))
    skerry("rm", "sub/folder/2/twice")   # which leaves the folder's time alone
    kept = os.stat(tree(2))
    os.remove(path("tree", "2", "twice"))
    os.utime(tree(2), ns=(kept.st_atime_ns, kept.st_mtime_ns))
    restored("later")
    tap.eq(recover("--check", "--all").returncode, 0, "15 commits are good")


def takes_the_authoritys_head_without_a_mirror():
    dump()
    mirror, = glob.glob(path("site", "depot", "v1", "*", "head"))
    os.rename(mirror, mirror + "-gone")
    tap.eq(recover("--log").returncode, 4, "no mirror, no head")
    done = recover("--log", "--head", path("head"))
    tap.eq(done.returncode, 0, "the authority's head opens")
    tap.eq(len(done.stdout.splitlines()), 15, "and has every commit")
    os.rename(mirror + "-gone", mirror)


def takes_a_revoked_devices_head_with_a_warning():
    device = recover("--log").stdout.split()[3].decode()
    skerry("revoke", "--self", device)
    dump()
    done = recover("--log")
    tap.eq(done.returncode, 0, "a revoked device's head is taken")
    tap.ok(b"warning" in done.stderr and b"revoked" in done.stderr,
           "with a warning")


def names_a_bad_object():
    names = glob.glob(path("site", "depot", "v1", "*", "*", "*"))
    full = max(map(os.path.getsize, names))
    harmed = [x for x in names if os.path.getsize(x) == full]
    # One of them may have the bit in what was removed.
    for name in harmed:
        with open(name, "r+b") as file:
            file.seek(5_000_000)
            byte = file.read(1)
            file.seek(5_000_000)
            file.write(bytes([byte[0] ^ 1]))
    done = recover("--to", path("harmed"))
    named = [x for x in harmed if os.path.basename(x).encode() in done.stderr]
    tap.ok(len(harmed) > 2 and done.returncode in (9, 17) and named,
           "a flipped bit costs what needs it, and its object is named")
    tap.note(f"{len(named)} named of {len(harmed)}: {done.returncode}")


def says_that_its_output_is_not_written():
    for what in "--list", "--log":
        with open("/dev/full", "wb") as full:
            done = recover(what, stdout=full)
        tap.ok(done.returncode == 18 and
               done.stderr.splitlines()[-1].startswith(b"skerry-recover: standard output: "),
               f"{what} to a full disk: IO")


def refuses_another_code():
    write("code", b"0000-" * 8 + b"0000\n")
    tap.eq(recover("--list").returncode, 6, "refuses another code")


try:
    tap.run(restores_what_was_put, checks_what_was_put,
            follows_many_commits_and_removals,
            takes_the_authoritys_head_without_a_mirror,
            takes_a_revoked_devices_head_with_a_warning, names_a_bad_object,
            says_that_its_output_is_not_written, refuses_another_code)
finally:
    site("stop")
    subprocess.run(["chmod", "-R", "u+rwX", WORK], check=False)
    shutil.rmtree(WORK, ignore_errors=True)
