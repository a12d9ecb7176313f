# SPDX-License-Identifier: Apache-2.0
"""Source trees for tests of put and get, and comparing them."""

import os
import random
import stat
import subprocess
import sys
import time

TOP = os.environ.get("SKERRY_TOP",
                     os.path.join(os.path.dirname(__file__), "../.."))


def write(path, data=b""):
    if isinstance(data, str):
        data = data.encode()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def content(path):
    with open(path, "rb") as f:
        return f.read()


def noise(n, seed=None):
    return random.Random(seed).randbytes(n) if seed is not None \
        else os.urandom(n)


def settle():
    """Until what was written can be told from what changes right now."""
    time.sleep(0.12)


def small_files(where, count, seed=1):
    r = random.Random(seed)
    for i in range(count):
        write(os.path.join(where, f"{i % 20:02}", f"file {i:05}"),
              r.randbytes(r.randrange(1, 3000)))


def oddities(where):
    os.mkdir(where)
    subprocess.run([sys.executable, os.path.join(TOP, "tool/oddities"),
                    where], check=True)


def compare(a, b):
    """'' where both trees are alike, else what differs."""
    p = subprocess.run(
        [sys.executable, os.path.join(TOP, "tool/compare"), a, b],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return "" if p.returncode == 0 else p.stdout.decode(errors="replace")


def deep(where, levels, name):
    """Folders one in another, whose path is longer than PATH_MAX, with a file
    in each, made by descriptors."""
    os.mkdir(where)
    here = os.open(where, os.O_RDONLY)
    for i in range(levels):
        f = os.open("file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=here)
        os.write(f, b"at level %d\n" % i)
        os.close(f)
        os.mkdir(name, dir_fd=here)
        down = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = down
    os.close(here)


def listing(where, dir_fd=None, depth=0):
    """(depth, name, mode, mtime, content) of all below, by descriptors."""
    here = os.open(where, os.O_RDONLY, dir_fd=dir_fd)
    out = []
    try:
        for name in sorted(os.listdir(here)):
            st = os.lstat(name, dir_fd=here)
            if stat.S_ISREG(st.st_mode):
                with open(os.open(name, os.O_RDONLY, dir_fd=here), "rb") as f:
                    body = f.read()
            else:
                body = None
            out.append((depth, name, st.st_mode, st.st_mtime_ns, body))
            if stat.S_ISDIR(st.st_mode):
                out += listing(name, here, depth + 1)
    finally:
        os.close(here)
    return out
