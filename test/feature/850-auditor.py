#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of doc/auditor.md, as they stand there, on what a site and an
owner hand out."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import AUTHORITY, Site, read  # noqa: E402
from skerrytest import FAKETIME, Tap, folder, wait_for  # noqa: E402

t = Tap()
DIR = folder()
PAGE = read(os.path.join(os.environ["SKERRY_TOP"], "doc/auditor.md"))
s = Site()
a = s.first()


def hand_out(name, *args):
    with open(os.path.join(DIR, name), "wb") as f:
        return subprocess.run(a.argv("audit", *args), env=a.env, stdout=f,
                              stderr=subprocess.PIPE).returncode


def given():
    demands()
    path = os.path.join(a.dir, "file")
    for text in ("one", "two"):
        with open(path, "w") as f:
            f.write(text)
        t.eq(a.run("put", path).code, 0, "put")
    r = a.run("rotate")
    t.eq(r.code, 0, "rotate")
    if r.code != 0:
        t.note(repr(r))
    items = a.json("audit", "--full")["logs"][0]["entries"]
    release = [e["index"] for e in items if e["what"] == "release"][-1]
    t.eq([hand_out("entry.proof", "--open", str(release)),
          hand_out("chain", "--open", "chain"),
          hand_out("custody", "--open", "custody")], [0, 0, 0],
         "the owner hands out an entry, the chain, the custody set")
    shutil.copy(s.policy, os.path.join(DIR, "policy.txt"))
    receipts = glob.glob(os.path.join(a.home, "receipt-*"))
    t.eq(len(receipts), 1, "and a receipt")
    shutil.copy(receipts[0], os.path.join(DIR, "receipt"))


def request(*args, text="Text.\n"):
    return json.loads(subprocess.run(
        [AUTHORITY, "request", *args, "--config", s.authority.config,
         "--text", "-"], input=text.encode(), stdout=subprocess.PIPE,
        check=True).stdout)


def demands():
    """More than a page of them, one with a text of later."""
    global gagged, spoken
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86400))
    one = request("enter", "--jurisdiction", "cn", text="All of it.\n")
    spoken = one["index"]
    request("state", one["request"], "refused", text="No: \u5317.\n")
    gagged = request("enter", "--jurisdiction", "de", "--gag-until",
                     day)["index"]
    for _ in range(40):
        request("enter", "--jurisdiction", "is")


def page():
    """Each block, in the order of the page, by a shell that stops at errors."""
    said = ""
    for i, block in enumerate(re.findall(r"```sh\n(.*?)```", PAGE, re.S)):
        r = subprocess.run(["bash", "-euo", "pipefail", "-c", block],
                           cwd=DIR, capture_output=True, text=True)
        t.eq(r.returncode, 0, f"block {i + 1} of the page")
        if r.returncode != 0:
            t.note(r.stdout + r.stderr)
        said += r.stdout
    t.note(said)
    for what in ("policy: signed by", "Signature Verified Successfully",
                 "entries lead to the root that is signed", "chain: ",
                 "which asked for it", "custody: standard, 1 of 1, in ch",
                 "destroyed at", "cn, entered: 'All of it.\\n'",
                 "cn, refused: 'No: \\u5317.\\n'", "de, entered: under a gag",
                 "is: 40 entered", "requests: 42 in 43 entries; 42 opened, "
                 "1 not yet"):
        t.ok(what in said, f"it says: {what}")


def grown():
    """The log has grown since its checkpoint was fetched."""
    with open(os.path.join(DIR, "checkpoint")) as f:
        size = int(f.readlines()[1])
    for _ in range(257 - size):
        request("enter", "--jurisdiction", "fr")
    url = read(os.path.join(DIR, "authority.url"))

    def bundle(name):
        return subprocess.run(
            ["curl", "-sf", "--cacert", "authority.ca",
             f"{url}/log/tile/entries/000{name}"], cwd=DIR,
            capture_output=True).returncode
    wait_for(lambda: bundle("") == 0 and bundle(f".p/{size}") != 0)
    fetch, = (b for b in re.findall(r"```sh\n(.*?)```", PAGE, re.S)
              if "size=" in b)
    r = subprocess.run(["bash", "-euo", "pipefail", "-c", fetch], cwd=DIR,
                       capture_output=True, text=True)
    t.eq((r.returncode, f"log: {size} entries lead" in r.stdout), (0, True),
         "a log that has grown meanwhile")
    t.note(r.stderr)


def forged():
    """What the page finds where a bit is turned."""
    def fails(name, at, script):
        path = os.path.join(DIR, name)
        with open(path, "rb") as f:
            good = f.read()
        bad = bytearray(good)
        bad[at] ^= 1
        with open(path, "wb") as f:
            f.write(bad)
        r = subprocess.run(["python3", script], cwd=DIR, capture_output=True)
        t.ok(r.returncode != 0, f"{script} refuses another {name}")
        with open(path, "wb") as f:
            f.write(good)
    fails("policy.txt", 100, "policy.py")
    fails("entries", 50, "tree.py")
    fails("chain", 80, "chain.py")
    fails("entry.proof", 200, "release.py")
    fails("custody", 70, "custody.py")
    fails("receipt", 40, "receipt.py")


def untrue_list():
    """An authority that leaves out a demand, opens one wrongly, or keeps
    silent for longer than it said."""
    path = os.path.join(DIR, "requests")
    good = read(path)

    def run(said, change=None, *prefix):
        pages = [json.loads(line) for line in good.splitlines()]
        if change is not None:
            change({r["index"]: r for p in pages for r in p["requests"]},
                   pages)
        with open(path, "w") as f:
            f.writelines(json.dumps(p) + "\n" for p in pages)
        r = subprocess.run([*prefix, "python3", "requests.py"], cwd=DIR,
                           capture_output=True, text=True)
        t.ok((r.returncode == 0) == (said is None) and (
            said or "requests:") in r.stderr + r.stdout,
            f"the report: {said or 'is made'}")

    def leave_out(listed, pages):
        pages[0]["requests"].remove(listed[gagged])

    def swap(member):
        def change(listed, pages):
            listed[spoken][member], listed[spoken + 1][member] = (
                listed[spoken + 1][member], listed[spoken][member])
        return change

    def later(listed, pages):
        listed[gagged]["until"] += 86400

    def hide(listed, pages):
        del listed[spoken]["key"], listed[spoken]["body"]
        listed[spoken]["until"] = listed[gagged]["until"]
    run(None)
    run("LEFT OUT", leave_out)
    run("another KEY", swap("key"))
    run("another TEXT", swap("body"))
    run("another DATE", later)
    run("another DATE", hide)
    run("no request", lambda listed, pages: pages[0]["requests"].append(
        {**listed[spoken], "index": 0}))
    if FAKETIME is None:
        t.skip("PROMISED", "faketime is missing")
    else:
        run("PROMISED", None, "env", f"LD_PRELOAD={FAKETIME}",
            "FAKETIME=+5d")
    with open(path, "w") as f:
        f.write(good)


def by_skerry():
    key = read(os.path.join(DIR, "authority.log"))
    r = s.device().run("audit", "--json", "--verify",
                       os.path.join(DIR, "entry.proof"), "--log", key,
                       "--chain", os.path.join(DIR, "chain"))
    t.eq((r.code, r.json.get("asked")), (0, True), "skerry says the same")


t.run(given, page, forged, untrue_list, by_skerry, grown)
