#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Custody: moves between standard, split and sealed, holders that are away,
announced changes, and an authority that changes custody without a word."""

import base64
import glob
import json
import os
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import custodyset  # noqa: E402
from evil import Evil, policy_key  # noqa: E402
from skerrysite import AUTHORITY, Site, read  # noqa: E402
from skerrytest import Tap  # noqa: E402

# Within this a dozen commands have to end, on a busy machine too.
DELAY = 60 if os.environ.get("SKERRY_SANITIZED") else 30
t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")), delay=DELAY)
evil = Evil(s.authority)
a = s.first()
b = s.device().join(a)
data = os.path.join(a.dir, "data")
os.mkdir(data)
for name in ("one", "two"):
    with open(os.path.join(data, name), "wb") as out:
        out.write(os.urandom(700000))
more = os.path.join(a.dir, "more")
with open(more, "w") as out:
    out.write("more")


def move(d, *args):
    r = d.run("custody", "set", "--json", *args)
    if r.code != 0:
        t.note(repr(r))
    return r


SPLIT = ("split", "--holders", "offshore,ireland,iceland", "--threshold",
         "2")


def tables(authority):
    db = sqlite3.connect(f"file:{authority.home}/db/authority.sqlite?mode=ro",
                         uri=True)
    return {n: db.execute(f"SELECT count(*) FROM {q}").fetchone()[0]
            for n, q in (("whole", "keyslot WHERE kind = 1"),
                         ("share", "share"), ("device", "device_slot"))}


def standard():
    r = a.run("put", data, "--json")
    t.eq(r.code, 0, "put")
    t.eq((r.json["wire"]["offshore"]["requests"],
          r.json["wire"]["offshore"]["sent"] +
          r.json["wire"]["offshore"]["received"] < 16384), (2, True),
         "in 2 requests and 16 KiB, custody and all")
    j = a.json("custody", "show")
    t.eq((j["custody"], j["serial"], j["threshold"], j["verified"],
          j["announced"], [h["jurisdiction"] for h in j["holders"]]),
         ("standard", 1, 1, True, None, ["ch"]), "custody show")
    t.eq(b.reads(data), True, "the other device reads")


def split():
    before = s.depot.files()[0].keys()
    r = move(a, *SPLIT, "--no-rotate")
    t.eq((r.code, r.json["custody"], r.json["serial"],
          [h["jurisdiction"] for h in r.json["holders"]]),
         (0, "split", 2, ["ch", "ie", "is"]), "standard to split 2 of 3")
    t.ok(r.json["wire"]["onshore"]["sent"] < 65536, "no data moved")
    t.eq(s.depot.files()[0].keys(), before, "nor any object")
    t.eq([tables(x) for x in s.authorities],
         [{"whole": 0, "share": 1, "device": 0}] * 3,
         "each holder has a share, and none the key")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both devices read")
    j = b.json("custody")
    t.eq((j["custody"], j["threshold"], j["serial"]), ("split", 2, 2),
         "the other device pinned it")
    t.eq(b.run("put", more, "--to", "x").code, 0, "and writes")


def again():
    r = move(a, *SPLIT)
    t.eq((r.code, r.json["serial"]), (0, 3), "split anew")
    t.eq([tables(x)["share"] for x in s.authorities], [1, 1, 1],
         "old shares are gone")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both read")


def one_down():
    s.others[0].stop()
    t.eq((a.reads(data), b.reads(data)), (True, True),
         "a holder down: both read")
    t.eq(a.run("put", more).code, 0, "and write")
    c = s.device().join(a)
    s.others[0].start()
    t.eq(c.reads(data), True, "a device that joined meanwhile is made known")
    r = move(a, "split", "--holders", "offshore,ireland", "--threshold", "1")
    t.eq(r.code, 2, "a threshold of 1 is no split (USAGE)")
    for k in ("258", "2x", "-254", ""):
        r = move(a, "split", "--holders", "offshore,ireland", "--threshold",
                 k)
        t.ok(r.code == 2 and f"--threshold: {k} " in r.json["error"]["text"],
             f"nor is {k!r} one")


def home_down():
    s.authority.stop()
    a.run("lock")
    r = a.run("get", "--to", os.path.join(a.dir, "h"), "--json")
    t.eq((r.code, r.json.get("home_away")), (0, True),
         "the home down: two others do for reading")
    t.eq(a.run("put", data).code, 12, "writing waits for it (AUTHORITY)")
    s.authority.start()


def two_down():
    a.run("lock")
    t.eq(a.run("ls").code, 0, "a lease")
    for x in s.others:
        x.stop()
    t.eq(a.run("get", "--to", os.path.join(a.dir, "l")).code, 0,
         "two down: a live lease still reads")
    a.lock()
    r = a.run("get", "--to", os.path.join(a.dir, "m"))
    t.eq(r.code, 12, "without one, AUTHORITY")
    t.ok("1 of the 2 holders" in r.err, "which says how many are missing")
    t.note(r.err.strip())
    d = s.device()
    code = d.json(*d.enrol_args(), "--no-wait")["code"]
    r = a.run("approve", "--yes", code)
    t.eq((r.code, "the device is in" in r.err), (12, True),
         "approve says that it has let a device in all the same")
    for x in s.others:
        x.start()
    t.eq(a.run("approve", "--yes", code).code, 0, "and can be repeated")
    t.eq(a.run("revoke", "--no-rotate", a.json("approve", "--yes", code)[
        "device"]).code, 0, "(and out again)")


def sealed():
    r = move(b, "sealed")
    t.eq((r.code, r.json["custody"], r.json["serial"]), (0, "sealed", 4),
         "split to sealed")
    t.eq([tables(x)["share"] for x in s.authorities], [0, 0, 0],
         "no holder has a share any more")
    t.eq(tables(s.authority), {"whole": 0, "share": 0, "device": 3},
         "the authority keeps what devices open")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both read")
    d = s.device().join(a)
    t.eq(d.reads(data), True, "a device let in by another reads")
    e = s.device()
    t.eq((e.run(*e.enrol_args(), "--recovery-in", a.recovery).code,
          e.reads(data)),
         (0, True), "and so does one let in by the recovery code")


def code_that_opens_nothing():
    """The recovery keyslot was exchanged: said while it can be mended."""
    def plan(path, j):
        if path == "/v1/recovery":
            j["keyslots"][0]["blob"] = base64.b64encode(
                os.urandom(80)).decode()
        return j
    e = s.device()
    evil.plan = plan
    r = e.run(*e.enrol_args(), "--recovery-in", a.recovery)
    evil.plan = None
    t.eq((r.code, "recovery code" in r.err), (9, True),
         "a recovery keyslot that the code does not open: TAMPERED")
    t.eq(e.reads(data), True, "the device is let in all the same")


def back():
    r = move(a, "standard")
    t.eq((r.code, r.json["custody"], r.json["serial"]), (0, "standard", 5),
         "sealed to standard")
    t.eq(tables(s.authority), {"whole": 1, "share": 0, "device": 0},
         "its keyslot is there, the devices' are gone")
    t.eq((a.reads(data), b.reads(data)), (True, True), "both read")


def verdict(d, r, code, what):
    """The exit code, and what a third party makes of the evidence."""
    t.eq(r.code, code, f"{what}: exit {code}")
    files = glob.glob(os.path.join(d.home, "evidence-*.json"))
    if not t.ok(len(files) == 1 and files[0] in r.err + r.out,
                "the evidence is named"):
        t.note(repr(r))
        return
    try:
        t.note(custodyset.judge(files[0]))
        t.ok(True, "and proves it with public keys alone")
    except custodyset.Bad as e:
        t.ok(False, f"and proves it: {e}")
    os.unlink(files[0])


def current(d):
    with open(os.path.join(d.home, "custody"), "rb") as f:
        raw = f.read()[4:]
    return custodyset.Set(raw[2:2 + int.from_bytes(raw[:2], "big")])


def lie(d, alter, code, what):
    def plan(path, j):
        if path == "/v1/session":
            alter(j)
        return j
    evil.plan = plan
    d.lock()
    r = d.run("ls")
    evil.plan = None
    verdict(d, r, code, what)
    t.eq(d.run("ls").code, 0, "with the truth it goes on")


def operator_set(d, since, until, key=None, signer=bytes(16), kind=2):
    c = current(d)
    raw = custodyset.encode(
        custodyset.STANDARD, 1, c.serial + 1, c.epoch, c.space, c.hash,
        since, until, [(h, w.decode()) for h, w in c.holders],
        kind, signer, key or policy_key(s))
    return base64.b64encode(raw).decode()


def unannounced():
    now = int(time.time())

    def swap(x):
        def alter(j):
            j["custody"].update(current=x, sets=[x])
        return alter
    lie(a, swap(operator_set(a, now - 1000, now - 1)), 24,
        "a set of the operator's that nobody was shown")
    lie(a, swap(operator_set(a, now, now, signer=bytes(range(16)), kind=1)),
        24, "a set by a device that is none")
    lie(a, lambda j: j["custody"].update(announced=operator_set(
        a, now, now + DELAY - 1)), 24, "an announcement at short notice")
    old = custodyset.Set(base64.b64decode(first_set))
    lie(a, lambda j: j["custody"].update(
        current=base64.b64encode(old.raw).decode(), sets=[]), 24,
        "an old set")


def ghost():
    from authoritytest import ADD, Keys
    ghosts = Keys()

    def alter(j):
        chain = json.loads(chain_of(a))
        last = base64.b64decode(chain[-1])
        entry = ghosts.entry(ADD, j["chain_length"],
                             custodyset.hashlib.sha256(last).digest(),
                             last[40:56], ghosts)
        j["chain"].append(base64.b64encode(entry).decode())
        j["chain_length"] += 1
    lie(a, alter, 13, "a ghost device")
    t.ok(ghosts.id.hex() not in a.run("devices").out, "it is not let in")


def chain_of(d):
    with open(os.path.join(d.home, "chain"), "rb") as f:
        raw = f.read()[4:-16]
    return json.dumps([base64.b64encode(raw[i:i + 216]).decode()
                       for i in range(0, len(raw), 216)])


due = 0


def until_due():
    time.sleep(max(0, due - time.time()))


def announce(*args):
    global due
    out = json.loads(subprocess.run(
        [AUTHORITY, "custody", "announce", "--config", s.authority.config,
         "--key", s.policy_key, *args], check=True,
        stdout=subprocess.PIPE).stdout)
    due = time.time() + DELAY + 2
    return out


def announced():
    t.eq(announce("all", "--mode", "standard", "--holders", "ireland"),
         {"announced": 1}, "the operator announces")
    a.lock()
    r = a.run("ls")
    t.eq(r.code, 0, "commands go on")
    t.ok("ANNOUNCED" in r.err, "and show it")
    for what in (("ls",), ("status",), ("log",), ("--quiet", "devices")):
        t.ok("ANNOUNCED" in a.run(*what).err, f"so does {what[-1]}")
    t.ok("custody_announced" in a.json("status"), "and --json")
    j = a.json("custody")
    t.eq((j["announced"]["custody"],
          [h["jurisdiction"] for h in j["announced_holders"]]),
         ("standard", ["ie"]), "custody show says more")
    lie(a, lambda j: j["custody"].update(announced=None), 24,
        "an announcement taken back in silence")
    r = a.run("custody", "refuse", "--json")
    t.eq((r.code, r.json["custody"]), (0, "sealed"), "refuse seals")
    t.ok("ANNOUNCED" not in a.run("ls").err, "and the announcement falls")
    t.eq(a.run("custody", "refuse").code, 4, "once (NOT_FOUND)")
    until_due()
    t.eq((a.reads(data), a.json("custody")["custody"]), (True, "sealed"),
         "nor does it take effect")


def takes_effect():
    t.eq(move(a, "standard").code, 0, "standard again")
    t.eq(b.run("ls").code, 0, "the other knows")
    announce("--space", a.json("status")["space"], "--mode", "standard",
             "--holders", "offshore")
    a.lock()
    t.eq(a.run("ls").code, 0, "one device is shown an announcement")
    until_due()
    a.lock()
    r = a.run("ls")
    t.eq(r.code, 0, "takes it when it is due")
    t.ok("custody is now" in r.err, "and says so")
    for _ in range(2):
        t.ok("the key is that of before" in a.run("ls").err,
             "and that it has the key of before, until that is changed")
    t.eq(a.json("custody")["signer"], "operator", "it is the operator's")
    b.lock()
    verdict(b, b.run("ls"), 24, "a device that was not shown it in time")
    r = move(a, "standard")
    t.eq((r.code, len(r.json["receipts"])), (0, 1),
         "a device that was stands for it, which changes the key")
    t.ok("the key is that of before" not in a.run("ls").err, "that is over")
    t.eq(b.run("ls").code, 0, "then the other goes on")


def not_the_home():
    """An authority that only holds a share of a space announces nothing to it,
    and what it had announced before has no effect."""
    ie = s.others[0]
    t.eq(move(a, *SPLIT).code, 0, "split again")
    space = a.json("status")["space"]
    run = [AUTHORITY, "custody", "announce", "--config", ie.config, "--key",
           s.policy_key, "--mode", "standard", "--holders", "ireland"]
    r = subprocess.run([*run, "all"], capture_output=True)
    t.eq((r.returncode, r.stdout and json.loads(r.stdout)),
         (0, {"announced": 0}), "announced to all that were made there")
    r = subprocess.run([*run, "--space", space], capture_output=True,
                       text=True)
    t.ok(r.returncode == 4 and "not made here" in r.stderr,
         "or to this one: NOT_FOUND")
    now = int(time.time())
    c = current(a)
    raw = custodyset.encode(
        custodyset.STANDARD, 1, c.serial + 1, c.epoch, c.space, c.hash, now,
        now, [(h, w.decode()) for h, w in c.holders[:1]], 2, bytes(16),
        policy_key(s))
    db = sqlite3.connect(f"{ie.home}/db/authority.sqlite")
    db.execute("INSERT OR REPLACE INTO announced VALUES (?, ?)",
               (bytes.fromhex(space), raw))
    db.commit()
    db.close()
    a.lock()
    t.eq((a.run("ls").code, a.run("rotate").code, a.reads(data)),
         (0, 0, True), "one of before is not in force there")


def way_out():
    to = os.path.join(a.dir, "out")
    t.eq(a.run("export", "--to", to).code, 2, "export asks (USAGE)")
    t.eq(a.run("export", "--yes", "--to", to).code, 0, "export")
    t.ok(open(os.path.join(to, "files", "data", "one"), "rb").read() ==
         open(os.path.join(data, "one"), "rb").read(), "has the files")
    mode = os.stat(os.path.join(to, "space.key")).st_mode & 0o777
    t.eq(mode, 0o600, "and the key, for its owner only")
    tool = os.path.join(os.environ["SKERRY_TOP"], "recover",
                        "skerry-recover")
    got = os.path.join(a.dir, "recovered")
    r = subprocess.run(
        ["/usr/bin/python3", tool, "--depot", s.depot.data, "--space-key",
         os.path.join(to, "space.key"), "--chain", os.path.join(to, "chain"),
         "--to", got], capture_output=True)
    if r.returncode != 0:
        t.note(r.stderr.decode())
    t.eq(r.returncode, 0, "the second reader opens the depot with them")
    os.unlink(os.path.join(to, "chain"))
    os.unlink(os.path.join(to, "files", "data", "one"))
    t.eq((a.run("export", "--yes", "--to", to).code,
          os.path.exists(os.path.join(to, "chain")),
          os.path.exists(os.path.join(to, "files", "data", "one"))),
         (0, True, True), "an export that was broken off goes on")
    with open(os.path.join(to, "space.key"), "a") as f:
        f.write("x")
    r = a.run("export", "--yes", "--to", to)
    t.ok(r.code == 21 and "space.key" in r.err,
         "what is another is not written over (EXISTS)") or t.note(r)
    for name in ("space.key", "files"):
        at = os.path.join(to, name)
        os.rename(at, at + ".was")
        os.mkfifo(at)
        r = a.run("export", "--yes", "--to", to)
        t.ok(r.code == 21 and at in r.err,
             f"a FIFO in the place of {name} is not waited for") or t.note(r)
        os.unlink(at)
        os.rename(at + ".was", at)


def outsiders():
    """Keyslots are for devices of the account; sets are signed by senders."""
    x = s.first()
    t.eq(x.run("custody", "set", "sealed").code, 3,
         "an empty space cannot be sealed (CONFIG)")
    t.eq(x.run("put", more).code, 0, "put")
    t.eq(x.run("custody", "set", "sealed").code, 0, "a space of its own")
    j = x.json("custody")
    t.eq((j["custody"], j["serial"]), ("sealed", 2), "is another")
    r = x.run("custody", "set", "split", "--holders", "ireland,iceland",
              "--threshold", "2")
    t.eq(r.code, 2, "the home has to be a holder (USAGE)")


first_set = None


def remember():
    global first_set
    first_set = base64.b64encode(current(a).raw).decode()


t.run(standard, remember, split, again, one_down, home_down, two_down, sealed,
      back, code_that_opens_nothing, unannounced, ghost, announced, takes_effect,
      not_the_home, way_out, outsiders)
