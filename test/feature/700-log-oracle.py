#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Verifiers that are not ours read our log: golang.org/x/mod over the static
files.  And a kill at any point loses nothing that was acknowledged."""

import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import Tap, folder  # noqa: E402

t = Tap()
MKLOG = os.environ["SKERRY_MKLOG"]
DIR = folder()
KEY = os.path.join(DIR, "key")
ORACLE = os.path.join(DIR, "oracle")
with open(KEY, "wb") as f:
    f.write(os.urandom(32))


def mklog(where, *args, check=True):
    return subprocess.run([MKLOG, where, KEY, *map(str, args)], check=check,
                          capture_output=True, text=True).stdout


VKEY = mklog(DIR, "key").strip()


def oracle(where, *earlier):
    r = subprocess.run([ORACLE, os.path.join(where, "log"), VKEY, *earlier],
                       capture_output=True, text=True)
    return r.stdout.strip() or r.stderr.strip()


def build():
    source = os.path.join(os.environ["SKERRY_TOP"], "test/oracle/main.go")
    if not shutil.which("go") or not os.path.isdir(
            "/usr/share/gocode/src/golang.org/x/mod"):
        t.skip("all", "golang-go and golang-golang-x-mod-dev are missing")
        t.done()
    r = subprocess.run(
        ["go", "build", "-o", ORACLE, source], capture_output=True, text=True,
        env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "-p=2",
             "GOPATH": "/usr/share/gocode",
             **({} if "HOME" in os.environ else
                {"GOCACHE": os.path.join(DIR, "go-cache")})})
    t.ok(r.returncode == 0, "the oracle builds")
    t.note(r.stderr)


def large_log():
    where = os.path.join(DIR, "large")
    os.mkdir(where)
    earlier = []
    for leaves, batch in ((1, 1), (254, 254), (1, 1), (1, 1), (255, 100),
                          (64488, 4096), (536, 536), (4464, 1000)):
        mklog(where, leaves, batch)
        earlier.append(os.path.join(where, f"earlier-{len(earlier)}"))
        shutil.copy(os.path.join(where, "log/checkpoint"), earlier[-1])
    t.eq(oracle(where, *earlier), "70000 leaves, 8 earlier checkpoints",
         "70,000 leaves and 8 checkpoints")
    tile = os.path.join(where, "log/tile")
    t.eq(sorted(os.listdir(tile)), ["0", "1", "2", "entries"], "its levels")
    t.eq(os.listdir(os.path.join(tile, "0/273.p"))[-1:] and
         os.path.exists(os.path.join(tile, "0/273.p/112")), True,
         "partial tile of 112")
    t.ok(os.path.exists(os.path.join(tile, "1/001.p/17")) and
         os.path.exists(os.path.join(tile, "2/000.p/1")),
         "partial tiles of 17 and 1")
    t.eq(len(glob.glob(os.path.join(tile, "0/[0-9][0-9][0-9]"))), 273,
         "273 full tiles")
    path = os.path.join(tile, "entries/100")
    with open(path, "r+b") as f:
        f.seek(500)
        b = f.read(1)
        f.seek(500)
        f.write(bytes([b[0] ^ 1]))
    t.ok("leaf" in oracle(where), "the oracle sees one changed bit")


def kills():
    where = os.path.join(DIR, "killed")
    os.mkdir(where)
    acknowledged, good, earlier = 0, True, []
    rng = random.Random(7)
    for i in range(25):
        p = subprocess.Popen(
            [MKLOG, where, KEY, "100000", str(rng.choice((1, 7, 100, 300)))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out = "" if i % 5 == 4 else p.stdout.readline()
        time.sleep(rng.random() * 0.2)
        p.send_signal(signal.SIGKILL)
        more, err = p.communicate()
        out += more
        lines = [l for l in out.splitlines(True) if l.endswith("\n")]
        if err:
            t.note(err)
            good = False
        if lines:
            acknowledged = int(lines[-1].split()[1])
        if acknowledged == 0:
            continue
        good &= mklog(where, "check") == ""
        with open(os.path.join(where, "signed")) as f:
            good &= int(f.read().split("\n")[1]) >= acknowledged
        path = os.path.join(where, f"earlier-{i}")
        shutil.copy(os.path.join(where, "signed"), path)
        earlier.append(path)
    t.ok(good and acknowledged > 0,
         f"25 kills: nothing of {acknowledged} acknowledged leaves is lost")
    mklog(where, 300, 300)
    t.ok(oracle(where, *earlier).endswith(
        f"{len(earlier)} earlier checkpoints"),
        "and every checkpoint on the way is consistent with the last")


t.run(build, large_log, kills)
