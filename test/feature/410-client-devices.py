#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several devices: enrol and approve, recovery, revocation, strangers."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site, read  # noqa: E402
from skerrytest import Tap  # noqa: E402

PROBE = os.environ["SKERRY_SESSION_PROBE"]
t = Tap()
s = Site()
a = s.first()


def probe(d, what):
    import json
    import subprocess
    p = subprocess.run([PROBE, what], env=d.env, stdout=subprocess.PIPE,
                       stdin=subprocess.DEVNULL)
    return json.loads(p.stdout)


def listing(d):
    return {x["device"]: x for x in d.json("devices")["devices"]}


def enrol_and_approve():
    b = s.device()
    r = b.run(*b.enrol_args(), "--no-wait", "--json")
    t.eq((r.code, r.json["approved"]), (0, False), "enrol --no-wait")
    code = r.json["code"]
    t.eq(b.json("status")["code"], code, "status shows the code")
    t.eq(b.run("devices").code, 3, "not ready before approval (CONFIG)")
    t.eq(b.json(*b.enrol_args(), "--no-wait")["code"], code,
         "the code stays the same")
    r = a.run("approve", code)
    t.eq(r.code, 2, "no terminal to confirm at: USAGE")
    typed = code.lower().replace("-", " ")
    t.eq(a.run("approve", "--yes", typed).code, 0,
         "approve, however it is typed")
    t.eq(a.run("approve", "--yes", code).code, 0, "approve can be repeated")
    r = b.run(*b.enrol_args(), "--json")
    t.eq((r.code, r.json["approved"]), (0, True), "enrol goes on")
    t.eq(r.json["space"], a.json("status")["space"], "the same space")
    t.eq(b.run(*b.enrol_args()).code, 21, "a second enrol is EXISTS")
    mine = listing(b)[b.json("status")["device"]]
    t.eq((mine["own"], mine["revoked"], mine["recovery"]),
         (True, False, False), "devices marks the own one")
    t.eq(probe(a, "write")["key"], probe(b, "write")["key"],
         "both are released the same space key")


def account_check():
    b = s.device()
    code = b.json(*b.enrol_args(), "--no-wait")["code"]
    check = a.json("approve", "--yes", code)["account_check"]
    wrong = "0000-0000-0000-0000"
    t.eq(b.run(*b.enrol_args(), "--check", wrong).code, 13,
         "another account check: TRUST")
    t.eq(b.json("status")["state"], "waits for approval", "not bound to it")
    t.eq(b.run(*b.enrol_args(), "--check", "x").code, 2, "no check: USAGE")
    r = b.run(*b.enrol_args(), "--check", check, "--json")
    t.eq((r.code, r.json["account_check"]), (0, check), "the right one")


def waits():
    b = s.device()
    p = b.start(*b.enrol_args(), "--json")
    while not os.path.exists(os.path.join(b.home, "binding")):
        time.sleep(0.05)
    code = b.json("status")["code"]
    while a.run("approve", "--yes", code).code == 4:
        time.sleep(0.1)
    out, _ = p.communicate(timeout=60)
    t.eq(p.returncode, 0, "enrol waits until it is approved")


def interrupted():
    b = s.device()
    p = b.start(*b.enrol_args())
    said = more = b"x"
    while more and b"waiting" not in said:
        said += (more := os.read(p.stderr.fileno(), 1000))
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=60)
    t.eq(p.returncode, 130, "Ctrl-C ends the wait with 130")
    t.ok(b"run skerry enrol again" in err, "and says how to go on")
    code = b.json("status")["code"]
    t.eq(a.run("approve", "--yes", code).code, 0, "approved meanwhile")
    t.eq(b.run(*b.enrol_args()).code, 0, "the next run finishes")


def wrong_codes():
    code = "0000-0000-0000-0000-0000-0000-00"
    t.eq(a.run("approve", "--yes", code).code, 4, "unknown code: NOT_FOUND")
    for bad in ("", "0000", code + "0", code.replace("0", "u")):
        t.eq(a.run("approve", "--yes", bad).code, 2, f"{bad!r}: USAGE")


def strangers():
    """Another account's devices see nothing of this one."""
    x = s.first()
    t.eq(a.run("approve", "--yes", "0000-0000-0000-0000-0000-0000-00").code,
         4, "nothing waits")
    t.ok(set(listing(x)).isdisjoint(listing(a)), "apart")
    target = a.json("status")["device"]
    t.eq(x.run("revoke", target).code, 4, "cannot revoke a stranger's device")
    with open(os.path.join(a.home, "binding"), "rb") as f:
        stolen = f.read()
    path = os.path.join(x.home, "binding")
    own = open(path, "rb").read()
    with open(path, "wb") as f:
        f.write(stolen)
    t.ok(x.run("devices").code in (3, 5, 13),
         "another account's binding does not open it")
    with open(path, "wb") as f:
        f.write(own)


def recovery():
    b = s.device()
    r = b.run(*b.enrol_args(), "--recovery-in", a.recovery, "--json")
    t.eq((r.code, r.json.get("space")), (0, a.json("status")["space"]),
         "the recovery code lets a device in")
    t.eq(probe(b, "write")["key"], probe(a, "write")["key"],
         "which is released the space key")
    t.eq(sum(d["recovery"] for d in listing(b).values()), 1,
         "the code is in the list, as such")


def wrong_recovery():
    right = read(a.recovery).strip()
    other = read(s.first().recovery).strip()
    b = s.device()
    path = os.path.join(b.dir, "code")

    def tries(text):
        with open(path, "w") as f:
            f.write(text + "\n")
        return b.run(*b.enrol_args(), "--recovery-in", path)
    swapped = right[:-1] + ("0" if right[-1] != "0" else "1")
    t.eq(tries(swapped).code, 6, "mistyped: SECRET")
    t.eq(tries("hello").code, 6, "no code at all: SECRET")
    r = tries("0000-0000-0000-0000-0000-0000-0000-0000-0000")
    t.eq(r.code, 6, "a code of nobody: SECRET")
    t.ok(right not in r.err and "0000-" not in r.err, "no code in errors")
    r = b.run(*b.enrol_args(), "--recovery-in", path + "x")
    t.eq(r.code, 4, "no such file: NOT_FOUND")
    t.ok(path + "x" in r.err, "which is named")
    r = b.run(*b.enrol_args(), "--recovery")
    t.eq(r.code, 2, "no terminal to ask at: USAGE")
    t.ok("--recovery-in" in r.err, "and what to do")
    t.eq(tries(right.lower()).code, 0, "the right one, in small letters")
    c = s.device()
    with open(path, "w") as f:
        f.write(other)
    t.eq(c.run(*c.enrol_args(), "--recovery-in", path).code, 0, "another")
    t.ok(c.json("status")["space"] != a.json("status")["space"],
         "account's code leads to that account")


def revocation():
    b = s.device().join(a)
    own = a.json("status")["device"]
    other = b.json("status")["device"]
    probe(b, "write")
    t.eq(a.run("revoke", own).code, 2, "not the own device, without --self")
    t.eq(a.run("revoke", "zz").code, 2, "too short a prefix: USAGE")
    t.eq(a.run("revoke", "zzzzzz").code, 4, "no such device: NOT_FOUND")
    code = next(k for k, d in listing(a).items() if d["recovery"])
    t.eq(a.run("revoke", code).code, 5, "nor the recovery code: DENIED")
    t.ok(not listing(a)[code]["revoked"], "which stays")
    t.eq(a.run("revoke", other[:8]).code, 0, "by a prefix of the id")
    t.eq(a.run("revoke", other).code, 0, "can be repeated")
    t.ok(listing(a)[other]["revoked"], "devices marks it")
    t.eq(probe(b, "write")["fault"], "DENIED", "it is released nothing more")
    t.eq(b.run("devices").code, 5, "and asks in vain (DENIED)")
    t.eq(a.run("approve", "--yes", b.json(*b.enrol_args()).get(
        "code", "0000-0000-0000-0000-0000-0000-00")).code, 4,
        "and cannot enrol again")


def revokes_itself():
    b = s.device().join(a)
    probe(b, "write")
    own = b.json("status")["device"]
    t.eq(b.run("revoke", "--self", own).code, 0, "revoke --self")
    st = b.json("status")
    t.eq((st["state"], st["lease"]), ("revoked", 0), "and forgets its lease")
    t.eq(b.run("devices").code, 5, "DENIED from then on")
    t.ok(listing(a)[own]["revoked"], "others see it")


t.run(enrol_and_approve, account_check, waits, interrupted, wrong_codes, strangers, recovery,
      wrong_recovery, revocation, revokes_itself)
