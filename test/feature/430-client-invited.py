#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry init --invitation: at an authority that wants one, with runs that did
not finish, and with holders of split custody that want one, too."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import AUTHORITY, Site  # noqa: E402
from skerrytest import Tap  # noqa: E402

# Nine groups of four, as an invitation has, and each its own last one.
CODE = "M2GT-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-J7HC"
RECOVERY = "M2GT-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-KR8W"
t = Tap()
s = Site(start=False, others=(("ireland", "ie"), ("iceland", "is")))
for authority in s.authorities:
    with open(authority.config, "a") as out:
        out.write("admission: invitation\n")
    authority.start()


def init(d, *more):
    return d.run("init", "--policy", s.policy, "--residency", "germany",
                 *more)


def invite(*args):
    return subprocess.run(
        [AUTHORITY, "invite", *args, "--config", s.authority.config],
        check=True, capture_output=True, text=True).stdout


def new(*args):
    return invite("new", *args).strip()


def uses():
    return sum(x["uses"] for x in json.loads(
        invite("list", "--json"))["invitations"])


def needed():
    d = s.device()
    r = init(d)
    t.ok(r.code == 5 and s.authority.url in r.err and "--invitation" in r.err
         and r.err.count("\n") == 1,
         "without one: DENIED, the authority and the option are named"
         ) or t.note(r)
    t.eq((d.run("status").code, os.path.exists(os.path.join(
        d.home, "pending"))), (3, False), "nothing is half made")
    r = init(d, "--invitation", new(), "--json")
    t.eq((r.code, r.json["wire"]["offshore"]["requests"]), (0, 1),
         "init again, with one: one request")
    t.eq(uses(), 0, "it is used up")
    t.eq(d.run("devices").code, 0, "the account is there")


def no_good():
    d = s.device()
    for code, status, words in (
            (RECOVERY, 6, "invitation: mistyped"),
            (CODE[:-1] + "D", 6, "invitation: mistyped"),
            (CODE[:-5], 6, "nine groups"), ("", 6, "nine groups")):
        r = init(d, "--json", "--invitation", code)
        t.ok(r.code == status and words in r.json["error"]["text"] and
             r.json["wire"]["offshore"]["requests"] == 0,
             f"{code!r}: {status}, and nothing is sent") or t.note(r)
    t.ok(not os.path.exists(d.home), "nor made")
    r = init(d, "--invitation", CODE)
    t.ok(r.code == 5 and s.authority.url in r.err and CODE not in r.err,
         "one that is not known: DENIED") or t.note(r)
    code = new()
    t.eq(init(s.device(), "--invitation", code).code, 0, "another's")
    again = init(d, "--invitation", code)
    t.eq((again.code, again.err), (5, r.err), "is as one that is not known")
    t.eq(init(d, "--invitation", new()).code, 0, "init still works")


def from_a_file():
    d = s.device()
    path = os.path.join(d.dir, "code")
    r = init(d, "--invitation-in", path)
    t.ok(r.code == 4 and path in r.err, "no such file: NOT_FOUND") or t.note(r)
    code = new()
    with open(path, "w") as f:
        f.write(code.lower().replace("-", " ") + "\n")
    t.eq(init(d, "--invitation", code, "--invitation-in", path).code, 2,
         "both: USAGE")
    t.eq(init(d, "--invitation-in", path).code, 0, "from a file, as typed")


def unfinished():
    """The authority is away while there is no code, or another."""
    for first in ((), ("--invitation", CODE)):
        d = s.device()
        s.authority.stop()
        t.eq(init(d, *first).code, 12, f"away, {first[:1]}")
        s.authority.start()
        r = init(d, "--invitation", new(), "--json")
        t.eq((r.code, r.json["wire"]["offshore"]["requests"]), (0, 2),
             "what was begun is refused, and begun anew with the code")
        t.eq(uses(), 0, "which is used up")
    d = s.device()
    s.authority.stop()
    init(d)
    s.authority.start()
    t.eq((init(d).code, d.run("status").code), (5, 3),
         "begun without one: DENIED, and not begun any more")


def lost_answer():
    """The account was made, but the device died before it knew."""
    d = s.device()
    code = new("--uses", "2")
    s.authority.stop()
    t.eq(init(d, "--invitation", code).code, 12, "away")
    kept = {}
    for name in ("pending", "binding"):
        with open(os.path.join(d.home, name), "rb") as f:
            kept[name] = f.read()
    s.authority.start()
    first = init(d, "--json").json
    t.eq(uses(), 1, "the code of the run before is used, once")
    for name, data in kept.items():
        path = os.path.join(d.home, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o600)
    r = init(d, "--json", "--invitation", code)
    t.eq((r.code, r.json.get("recovery_code"), uses()),
         (0, first["recovery_code"], 1),
         "the same account and code, and no other use")
    invite("withdraw", json.loads(
        invite("list", "--json"))["invitations"][0]["invitation"])


def at_once():
    code = new()
    crowd = [s.device().start("init", "--policy", s.policy, "--residency",
                              "germany", "--invitation", code)
             for _ in range(2)]
    for p in crowd:
        p.communicate(timeout=120)
    t.eq(sorted(p.returncode for p in crowd), [0, 5],
         "of two at once one is let in")


def split():
    """Others hold shares of who was admitted at the home."""
    d = s.device()
    t.eq(init(d, "--invitation", new()).code, 0, "an account")
    data = os.path.join(d.dir, "data")
    with open(data, "wb") as f:
        f.write(os.urandom(100000))
    t.eq(d.run("put", data).code, 0, "put")
    r = d.run("custody", "set", "split", "--holders",
              "offshore,ireland,iceland", "--threshold", "2")
    t.ok(r.code == 0, "split custody wants no other invitation") or t.note(r)
    t.eq(d.reads(data), True, "and opens")


t.run(needed, no_good, from_a_file, unfinished, lost_answer, at_once, split)
