#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry audit: what the logs of all holders have of a space, what is wrong with
it, and what its owner can show of it to others."""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import logjudge  # noqa: E402
from skerrysite import Site, read  # noqa: E402
from skerrytest import Disk, Tap, certificate, folder, wait_for  # noqa: E402

t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")))
a = s.first()
data = os.path.join(a.dir, "data")
os.mkdir(data)
with open(os.path.join(data, "one"), "wb") as out:
    out.write(os.urandom(100000))
DIR = folder()
VKEY = s.authority.public["log"]


def audit(d, *args):
    r = d.run("audit", "--json", *args)
    if r.code != 0:
        t.note(repr(r))
    return r


def what(r, authority=0):
    return [e["what"] for e in r.json["logs"][authority]["entries"]]


def first():
    t.eq(a.run("put", data).code, 0, "put")
    r = audit(a)
    t.eq((r.code, what(r), r.json["alarms"]),
         (0, ["enrolment", "custody set", "release"], []),
         "an account, its custody set and a release are in the log")
    t.ok(all(e["good"] for e in r.json["logs"][0]["entries"]), "all good")
    t.eq(r.json["wire"]["onshore"]["requests"], 0, "the depot is not asked")
    r = audit(a)
    t.eq((r.code, what(r)), (0, []), "again: nothing new, and no release")
    r = audit(a, "--full")
    t.eq((r.code, len(what(r))), (0, 3), "--full shows all")
    r = a.run("audit", "--full")
    t.ok("this device" in r.out and "release" in r.out and
         "; no alarm\n" in r.out, "as a table")


def budget():
    with open(os.path.join(data, "two"), "w") as f:
        f.write("more")
    r = a.run("put", "--json", data)
    w = r.json["wire"]["offshore"]
    t.eq((r.code, w["requests"], w["sent"] + w["received"] < 16384),
         (0, 2, True), "a put has 2 requests and 16 KiB, proofs and all")


def devices():
    global b
    b = s.device().join(a)
    t.eq(b.run("ls").code, 0, "another device")
    r = audit(b)
    t.eq((r.code, r.json["alarms"]), (0, []), "sees a good log")
    t.ok("device added" in what(r), "with its own coming")
    t.ok(b.json("status")["device"] in
         [e["device"] for e in r.json["logs"][0]["entries"]],
         "and its releases")
    c = s.device().join(a)
    t.eq(c.run("ls").code, 0, "a third")
    t.eq(a.run("revoke", c.json("status")["device"]).code, 0, "is revoked")
    r = audit(a)
    t.eq((r.code, r.json["alarms"]), (0, []), "which is good")
    t.ok("device revoked" in what(r), "and in the log")


def opened():
    path = os.path.join(DIR, "entry.proof")
    chain = os.path.join(DIR, "chain")
    r = audit(a, "--full")
    mine = [e for e in r.json["logs"][0]["entries"] if e["what"] == "release"
            and e["device"] == a.json("status")["device"]]
    with open(path, "w") as f:
        f.write(a.run("audit", "--open", str(mine[0]["index"])).out)
    with open(chain, "wb") as f:
        subprocess.run(a.argv("audit", "--open", "chain"), env=a.env,
                       stdout=f, check=True)
    log = logjudge.Key(VKEY)
    p = logjudge.Opened(read(path), log)
    t.ok(p.opens, "an opened entry opens, by another language")
    release = logjudge.Release(p.body)
    raw = open(chain, "rb").read()
    keys = logjudge.Chain([raw[i:i + 216] for i in range(0, len(raw), 216)])
    t.ok(release.asked(keys.device(release.device)),
         "and has the device's signed request")
    nobody = s.device()
    v = nobody.run("audit", "--json", "--verify", path, "--log", VKEY,
                   "--chain", chain)
    t.eq((v.code, v.json["what"], v.json["asked"], v.json["index"]),
         (0, "release", True, mine[0]["index"]),
         "--verify needs no account")
    other = s.others[0].public["log"]
    t.eq(nobody.run("audit", "--verify", path, "--log", other).code, 25,
         "nor does it take another log's (LOG)")
    with open(path, "r+") as f:
        text = f.read().replace("index ", "index 1")
        f.seek(0)
        f.write(text)
    t.eq(nobody.run("audit", "--verify", path, "--log", VKEY).code, 25,
         "nor another place (LOG)")
    t.eq(a.run("audit", "--open", "0").code, 4,
         "an entry of somebody else is not opened (NOT_FOUND)")
    t.eq(a.run("audit", "--open", "100000").code, 4, "nor is one beyond")


def trust():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
    import base64
    import hashlib
    pub = b"\4" + ed25519.Ed25519PrivateKey.generate().public_key(
        ).public_bytes(serialization.Encoding.Raw,
                       serialization.PublicFormat.Raw)
    ident = hashlib.sha256(b"w.example\n" + pub).hexdigest()[:8]
    path = os.path.join(DIR, "trust")
    logs = "".join(f"log {x.public['log']}\n" for x in s.authorities)
    with open(path, "w") as f:
        f.write(f"{logs}witness w w.example+{ident}+"
                f"{base64.b64encode(pub).decode()}\nquorum w\n")
    t.eq(a.run("policy", "--trust", path).code, 0, "a trust file is pinned")
    a.lock()
    r = a.run("ls")
    t.eq(r.code, 25, "a checkpoint without its quorum: no key is used (LOG)")
    t.ok("trust file" in r.err, "which is said")
    t.eq(audit(a).code, 25, "nor does an audit take it")
    with open(path, "w") as f:
        f.write("quorum all of them\n")
    t.eq(a.run("policy", "--trust", path).code, 7,
         "a bad one is refused (MALFORMED)")
    open(path, "w").close()
    t.eq(a.run("policy", "--trust", path).code, 0, "an empty one goes back")
    t.eq(a.run("ls").code, 0, "to the policy's")


def holders():
    t.eq(a.run("custody", "set", "split", "--holders",
               "offshore,ireland,iceland", "--threshold", "2").code, 0,
         "split")
    a.lock()
    t.eq(a.run("ls").code, 0, "read from shares")
    r = audit(a)
    t.eq((r.code, [x["authority"] for x in r.json["logs"]],
          r.json["alarms"]),
         (0, ["offshore", "ireland", "iceland"], []),
         "the logs of all holders are read")
    t.ok(all("release" in what(r, i) for i in range(3)),
         "each has its own release")
    s.others[0].stop()
    a.lock()
    t.eq(a.run("ls").code, 0, "one holder down: read")
    r = audit(a)
    t.eq(r.code, 12, "the audit says so (AUTHORITY)")
    t.ok("error" in r.json["logs"][1], "and names it")
    t.ok("release" in what(r, 0) and "release" in what(r, 2),
         "and reads the others")
    right = tls(s.others[1])
    with_certificate(certificate(folder()), s.others[1])
    t.eq(audit(a).code, 13, "one that is not who it says matters more (TRUST)")
    with_certificate(right, s.others[1])
    s.others[0].start()
    r = audit(a)
    t.eq(r.code, 0, "when it is back, it is read")


def stolen():
    """The device's keys in other hands: the authority sees no difference."""
    home = os.path.join(DIR, "copy")
    shutil.copytree(a.home, home)
    a.lock()
    r = a.run("ls", env={"SKERRY_HOME": home, "SKERRY_AGENT": "off"})
    t.eq(r.code, 0, "a copy of the device reads")
    hook = os.path.join(DIR, "hook")
    r = audit(a, "--hook", f"cat > {hook}")
    t.eq(r.code, 26, "the device is alarmed (ALARM)")
    t.eq(len(r.json["alarms"]), 3, "at each holder")
    t.ok("did not ask" in r.json["alarms"][0]["text"], "and says why")
    t.eq(json.loads(read(hook))["alarms"], r.json["alarms"],
         "the hook is told")
    files = sorted(glob.glob(os.path.join(a.home, "evidence-log-*.json")))
    t.eq(len(files), 3, "evidence is kept")
    proved, text = logjudge.judge(files[0])
    t.ok(not proved and "device's key" in text,
         "which shows what it can: the device's key asked")
    v = s.device().run("audit", "--json", "--verify", files[0])
    t.eq((v.code, v.json["proved"], v.json["kind"]), (0, False, "unasked"),
         "--verify says the same")
    os.unlink(hook)
    for more in [], ["--full"]:
        r = audit(a, "--hook", f"touch {hook}", *more)
        t.eq((r.code, [x["new"] for x in r.json["alarms"]],
              os.path.exists(hook)), (26, [False] * 3, False),
             "the next audit still is alarmed, the hook is for new ones")
    t.eq(len(glob.glob(os.path.join(a.home, "evidence-log-*.json"))), 3,
         "evidence is kept once")
    os.rename(os.path.join(a.home, "told"), os.path.join(DIR, "told"))
    r = audit(a, "--hook", f"touch {hook}")
    t.eq((r.code, [x["new"] for x in r.json["alarms"]],
          os.path.exists(hook)), (26, [True] * 3, True),
         "what was told is in a file of the state folder")
    t.eq(audit(b).code, 0, "another device cannot tell")


def at_once():
    """Several audits that find the same do not lose each other's evidence."""
    def files():
        return glob.glob(os.path.join(a.home, "evidence-log-*.json"))
    os.unlink(os.path.join(a.home, "told"))
    before = set(files())
    running = [a.start("audit", "--json") for _ in range(6)]
    new = sum(x["new"] for p in running
              for x in json.loads(p.communicate()[0])["alarms"])
    kept = set(files()) - before
    t.eq((len(kept), new >= 3), (new, True), "a file for each")
    t.ok(all(logjudge.judge(x)[1] for x in kept), "which can be judged")


def full_disk():
    """What was found is said, though there is no room to keep it."""
    with Disk("1m") as disk:
        if not disk.good:
            t.skip("a full disk", "cannot mount")
            return
        home = os.path.join(disk.path, "home")
        shutil.copytree(a.home, home)
        os.unlink(os.path.join(home, "told"))
        disk.fill()
        hook = os.path.join(DIR, "full")
        for _ in range(2):
            r = a.run("audit", "--json", "--hook", f"cat > {hook}",
                      env={"SKERRY_HOME": home})
            t.eq((r.code, [x["new"] for x in r.json["alarms"]]),
                 (26, [True] * 3), "a full disk: it is alarmed all the same")
            t.eq(len(json.loads(read(hook))["alarms"]), 3,
                 "the hook is told, and again, as that could not be kept")
            os.unlink(hook)
        t.eq([(x["error"]["code"], len(x["entries"])) for x in
              r.json["logs"]], [("SPACE", 0)] * 3, "each log was read")
        t.ok("No space left" in r.json["error"]["text"],
             "and the disk is named")
        t.note(r.json["error"]["text"])
        r = a.run("audit", env={"SKERRY_HOME": home})
        t.ok("NOT KEPT: " in r.out and "No space left" in r.err,
             "also to who reads it") or t.note(r)
        disk.free()
        r = a.run("audit", "--json", env={"SKERRY_HOME": home})
        t.eq((r.code, ["error" in x for x in r.json["logs"]]),
             (26, [False] * 3), "with room, it is kept")


def asked_lost():
    """A file of requests that has lost some accuses nobody."""
    path = os.path.join(b.home, "asked")
    for _ in range(2):
        b.lock()
        b.run("ls")
    t.eq(audit(b).code, 0, "a device that is not alarmed")
    whole = open(path, "rb").read()
    for cut in 0, 32, len(whole) - 40:
        with open(path, "wb") as f:
            f.write(whole[:cut])
        for more in [], ["--full"]:
            r = audit(b, *more)
            t.ok(r.code == 3 and "asked: damaged" in r.json["error"]["text"]
                 and r.json["alarms"] == [], f"cut to {cut} of {len(whole)} "
                 "bytes: CONFIG, which names it")
    with open(path, "wb") as f:
        f.write(whole + whole[:20])
    t.eq(audit(b).code, 0, "a torn record at the end is nothing")
    t.eq(glob.glob(os.path.join(b.home, "evidence-*")), [],
         "no evidence was made")


def hangs():
    """A hook that neither reads nor ends is not in the way of a signal."""
    os.unlink(os.path.join(a.home, "told"))
    hook = os.path.join(DIR, "hangs")
    p = a.start("audit", "--watch", "1", "--json", "--hook",
                f"touch {hook}; sleep 60")
    wait_for(lambda: os.path.exists(hook))
    p.send_signal(signal.SIGTERM)
    t.eq(p.wait(50), 26, "a watch ends while its hook hangs")
    t.eq([x["new"] for x in json.loads(p.stdout.readline())["alarms"]],
         [True] * 3, "and has told what it found")


def tls(x=s.authority):
    kept = folder()
    return [shutil.copy(os.path.join(x.home, name), kept)
            for name in ("tls.pem", "tls.key")]


def with_certificate(files, x=s.authority):
    x.stop()
    for name, path in zip(("tls.pem", "tls.key"), files):
        shutil.copy(path, os.path.join(x.home, name))
    x.start()


def watch():
    p = b.start("audit", "--watch", "1", "--json")
    line = json.loads(p.stdout.readline())
    t.eq(line["alarms"], [], "--watch: a line for each time")
    b.run("lock")
    t.eq(b.run("ls").code, 0, "a release meanwhile")
    seen = []
    deadline = time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        seen = json.loads(p.stdout.readline())["logs"][0]["entries"]
    t.ok(seen and seen[0]["what"] == "release", "is seen by the next one")
    right, wrong = tls(), certificate(folder())
    for files, error in (wrong, "TRUST"), (right, None):
        with_certificate(files)
        seen = 0
        while seen != error:
            log = json.loads(p.stdout.readline())["logs"][0]
            seen = log["error"]["code"] if "error" in log else None
        t.ok(True, f"another certificate, and it goes on: {seen}")
    p.send_signal(signal.SIGTERM)
    t.eq(p.wait(120), 13, "a signal ends it, with the worst that it saw")
    p = b.start("audit", "--watch", "1", "--json")
    p.stdout.readline()
    p.send_signal(signal.SIGTERM)
    t.eq(p.wait(120), 130, "which was nothing (INTERRUPTED)")


t.run(first, budget, devices, opened, trust, holders, stolen, at_once, full_disk,
      asked_lost, hangs,
      watch)
