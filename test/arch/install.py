#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""install.py BUILD: what is installed: each program that a page is about, each page that a text names; and from there
they run and are read."""
import glob
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAMED = re.compile(r"(skerry(?:-[a-z]+)?(?:\.yaml)?)\*?\((\d)\)")
bad = []


def texts():
    for pattern in "README.md", "doc/**/*.md", "recover/*.md", "*/*.scd":
        for name in glob.glob(os.path.join(TOP, pattern), recursive=True):
            with open(name) as f:
                yield os.path.relpath(name, TOP), f.read()


def works(*argv):
    r = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if r.returncode != 0 or not r.stdout:
        bad.append(f"{' '.join(argv)}: {r.returncode} {r.stderr}")


with tempfile.TemporaryDirectory() as where:
    subprocess.run(["meson", "install", "-C", sys.argv[1], "--no-rebuild", "--quiet", "--destdir", where], check=True,
                   stdout=subprocess.DEVNULL)
    there = {os.path.relpath(path, where) for path in glob.glob(where + "/**", recursive=True) if os.path.isfile(path)}
    prefix = os.path.dirname(os.path.dirname(next(x for x in there if x.endswith("bin/skerry"))))
    pages, wanted = {f"{name}({n})" for text in texts() for name, n in NAMED.findall(text[1])}, set()
    for page in pages:
        name, n = page[:-3], page[-2]
        wanted.add(f"{prefix}/share/man/man{n}/{name}.{n}")
        if n == "1":
            wanted.add(f"{prefix}/bin/{name}")
    for x in sorted(wanted - there):
        bad.append(f"{x} is not installed")
    for x in sorted(there - wanted):
        bad.append(f"{x} is installed, and no text names it")
    for x in sorted(wanted & there):
        if "/bin/" in x:
            works(os.path.join(where, x), "--help")
    if len(pages) < 8:
        bad.append(f"{len(pages)} pages are named: the texts were not understood")

for x in bad:
    print(x)
sys.exit(bool(bad))
