#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The authority writes its log: nothing is released that is not in it, whenever
the ledger is killed, with a full disk, and while its witnesses are away."""

import os
import re
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import logjudge
import skerrytest
from authoritytest import ADD, Account, Authority, Keys, head
from logtest import (Liar, Traced, Witness, can_trace, get, good_release,
                     note_line, root, rows, sealed, served, wait_ledger,
                     want_one_of, whole)

tap = skerrytest.Tap()
LEDGER_KEYS_WRITE = 6
KILLED_AT = ("pwrite64", "fdatasync", "fsync", "renameat", "write", "sendto",
             "sendmsg", "unlinkat")


def steps(a, ask):
    """What calls one request makes, by name, and the lines."""
    t = Traced(a.roles()["ledger"], "-e", "trace=" + ",".join(KILLED_AT))
    r = ask()
    lines = t.end()
    tap.eq(r.status, 200, "a traced request is answered")
    count = {}
    for line in lines:
        m = re.match(r"\d+ +(\w+)\(", line)
        if m:
            count[m.group(1)] = count.get(m.group(1), 0) + 1
    return count, lines


def kill_at_each_step(a, what, names, make):
    """make() gives a request that was not made yet and can be repeated, and a
    check of its answer."""
    count, lines = steps(a, make()[0])
    tap.note(f"{what}: {count}")
    kills, none, leaf, bad = 0, 0, 0, []
    for name in names:
        for n in range(1, count.get(name, 0) + 1):
            where = f"{name} {n}"
            if kills % 4 == 0:  # the parent waits longer after each
                a.process.kill()
                a.start()
            ask, check = make()
            before, pid = len(rows(a)), a.roles()["ledger"]
            t = Traced(pid, "-e", f"trace={name}", "-e",
                       f"inject={name}:signal=SIGKILL:when={n}")
            r = ask()
            t.end()
            killed = not skerrytest.alive(pid)
            kills += killed
            if not killed:
                tap.note(f"{where}: not reached")
            elif r.status == 200 or sealed(r):
                bad.append((where, "answered", r))
            if not wait_ledger(a, pid if killed else None):
                bad.append((where, "does not come back", a.process.raw[-600:]))
                a.process.kill()
                a.start()
            after = len(rows(a))
            none += after == before
            leaf += after > before
            if not whole(a):
                bad.append((where, "log and database differ"))
            r = ask()
            if r.status != 200 or not check(r):
                bad.append((where, "repeated", r))
            if not whole(a):
                bad.append((where, "log and database differ afterwards"))
    for b in bad:
        tap.note(b)
    tap.eq(len(bad), 0, f"{what}: {kills} kills, one at each step")
    tap.ok(none > 0 and leaf > 0, f"{what}: {none} kills left nothing, "
           f"{leaf} an entry without a release")
    return lines


def crash():
    if not can_trace(tap):
        tap.skip("kills at each step", "strace cannot attach")
        return
    a = Authority()
    acc = Account(a)
    tap.eq(acc.create().status, 200, "an account")
    tap.ok(whole(a), "its entries are those of the database")
    lines = kill_at_each_step(a, "session", KILLED_AT, lambda: (
        acc.session, lambda r: good_release(a, acc, r)))
    order(lines)

    def account():
        new = Account(a)
        return new.create, lambda r: good_release(a, new, new.session())
    if os.environ.get("SKERRY_SANITIZED"):  # the steps are the same
        a.process.kill()
        return
    kill_at_each_step(a, "account", ("fsync", "fdatasync", "renameat"),
                      account)
    a.process.kill()


def order(lines):
    """In one session, as it was traced: durable, signed, shown, released,
    answered."""
    def find(pattern, last=False):
        at = [i for i, x in enumerate(lines) if re.search(pattern, x)]
        return at[-1 if last else 0] if at else -1
    got = [find(r"pwrite64\("), find(r"fdatasync\("),
           find(r'renameat\(.*"signed"'),
           find(r'renameat\(.*"log/checkpoint"'),
           find(rf" (write|sendto|sendmsg)\({LEDGER_KEYS_WRITE},", True)]
    tap.ok(-1 not in got and got == sorted(got),
           f"committed, signed, shown, only then released: {got}")
    if -1 in got:
        tap.note("\n".join(lines))


def full():
    """No room where the log is, but in the database there is."""
    a = Authority(start=False)
    where = os.path.join(os.path.dirname(a.config["database"]), "log")
    os.makedirs(where, exist_ok=True)
    disk = skerrytest.Disk("512k", where)
    if not disk.good:
        tap.skip("a full disk", "cannot mount a small one")
        return
    a.start()
    acc = Account(a)
    tap.eq(acc.create().status, 200, "full: an account")
    disk.fill()
    before, size = len(rows(a)), served(a)[0].size
    for i in range(3):
        r = acc.session()
        tap.eq((r.status, r.code, "keys" in r.json), (503, "SPACE", False),
               f"full: SPACE and no key ({i})")
    r = Account(a).create()
    tap.eq((r.status, r.code), (503, "SPACE"), "full: for a new one, too")
    tap.ok(len(rows(a)) <= before + 1, "full: entries do not pile up")
    tap.eq(served(a)[0].size, size, "full: the log shows what it has")
    pids = a.roles()
    tap.eq(sorted(pids), ["front", "keys", "ledger"], "full: nobody died")
    os.kill(pids["ledger"], 9)
    skerrytest.wait_for(lambda: a.roles().get("ledger") not in (
        None, pids["ledger"]))
    r = acc.session()
    tap.eq((r.status, "keys" in r.json), (503, False),
           "full: nor after a start with a full disk")
    disk.free()
    tap.ok(good_release(a, acc, served_again(acc)),
           "full: with room again it releases")
    tap.ok(whole(a), "full: and the log has all that the database has")
    a.process.kill()
    disk.end()


def restored():
    """Old copies put back: of the database, of the log."""
    a = Authority()
    acc = Account(a)
    acc.create()
    a.process.term()
    a.process.wait()
    where = os.path.dirname(a.config["database"])
    old = os.path.join(a.dir, "old")
    shutil.copytree(where, old)
    a.start()
    tap.ok(good_release(a, acc, acc.session()), "restored: a release")
    a.process.term()
    a.process.wait()
    new = os.path.join(a.dir, "new")
    shutil.copytree(where, new)

    def put(database, log):
        for name in os.listdir(where):
            if name != "log":
                os.unlink(os.path.join(where, name))
        for name in os.listdir(database):
            if name != "log":
                shutil.copy2(os.path.join(database, name), where)
        shutil.rmtree(os.path.join(where, "log"))
        if log is not None:
            shutil.copytree(os.path.join(log, "log"),
                            os.path.join(where, "log"))

    put(old, new)
    p = skerrytest.Process([a.binary, "run", "--config", a.config_file()])
    code = p.wait(60)
    tap.eq(code, 23, "restored: an older database is not served")
    tap.ok(re.search(r'"ROLLBACK".*older than the log', p.raw),
           "restored: and it is said why")
    if code != 23:
        tap.note(p.raw)
    for name, log in (("an older log", old), ("no log", None)):
        put(new, log)
        a.start()
        tap.ok(whole(a), f"restored: {name} is made up for from the database")
        c, entries = served(a)
        was = logjudge.Checkpoint(
            open(os.path.join(new, "log", "log", "checkpoint")).read(),
            logjudge.Key(a.public["log"]))
        tap.eq(root(entries[:was.size]), was.root,
               f"restored: {name}: it continues what was shown")
        tap.ok(good_release(a, acc, acc.session()),
               f"restored: {name}: a release")
        a.process.term()
        a.process.wait()


def served_again(acc):
    got = []

    def served():
        got.append(acc.session())
        return got[-1].status != 503
    skerrytest.wait_for(served)
    return got[-1]


def witnessed():
    a = Authority(start=False)
    ws = [Witness(f"witness.example/w{i}", a.public["log"]) for i in range(2)]
    keys = [logjudge.Key(w.vkey) for w in ws]
    want_one_of(a, ws)
    a.start()
    tap.eq(sorted(a.roles()), ["courier", "front", "keys", "ledger"],
           "witnesses: there is a courier")
    acc = Account(a)
    tap.eq(acc.create().status, 200, "witnesses: an account")
    r = acc.session()
    tap.ok(good_release(a, acc, r, keys),
           "witnesses: a release is under a cosigned checkpoint")
    tap.ok(len(served(a, keys)[0].cosigned) >= 1 and whole(a, keys),
           "witnesses: which is served")
    ws[0].stop()
    tap.ok(good_release(a, acc, acc.session(), keys),
           "witnesses: one of two is enough")
    ws[1].stop()
    phone = Keys()
    entry = acc.next_entry(ADD, phone)
    r = acc.add_entry(entry)
    tap.eq((r.status, r.code, "keys" in r.json, "witness" in r.body.decode()),
           (503, "AUTHORITY", False, True),
           "witnesses: with none no device is added, and it is said why")
    r = acc.session()
    tap.eq((r.status, r.code, "keys" in r.json, "witness" in r.body.decode()),
           (503, "AUTHORITY", False, True),
           "witnesses: and there is no key")
    if r.status != 503 or len(r.json) > 2:
        tap.note(r)
    for who in acc.device, phone:
        r = a.ask("/v1/account", {"device": who.id.hex(), "chain_seen": 2},
                  who)
        tap.eq((r.status, r.code, "chain" in r.json), (503, "AUTHORITY", False),
               "witnesses: nobody is told of an entry that is not shown")
    other = Keys()
    r = a.ask("/v1/account", {"device": other.id.hex(), "chain_seen": 0},
              other)
    tap.eq(r.code, "DENIED", "witnesses: who is in no chain waits in vain")
    before = len(rows(a))
    for _ in range(3):
        r = acc.session()
        tap.eq((r.status, r.code, "keys" in r.json),
               (503, "AUTHORITY", False), "witnesses: nor later")
    r = Account(a).create()
    tap.eq((r.status, r.code), (503, "AUTHORITY"), "witnesses: nor an account")
    tap.eq(len(rows(a)), before, "witnesses: and no new entries")
    tap.eq(acc.put_head(0, head(1)).status, 200,
           "witnesses: what needs no entry is served")
    ws[1].start()
    r = served_again(acc)
    tap.ok(good_release(a, acc, r, keys),
           "witnesses: one is back, and so are releases")
    tap.eq(acc.add_entry(entry).json, {"seq": 2},
           "witnesses: the device was added then")
    tap.ok(whole(a, keys), "witnesses: with all entries")
    for w in ws:
        w.stop()
    acc.session()
    a.process.kill()
    a.start()
    r = acc.session()
    tap.eq((r.status, r.code), (503, "AUTHORITY"),
           "witnesses: started while they are away")
    for w in ws:
        w.start()
    tap.ok(good_release(a, acc, served_again(acc), keys),
           "witnesses: which ends when they are there")
    os.kill(a.roles()["courier"], 9)
    tap.ok(good_release(a, acc, served_again(acc), keys),
           "witnesses: a courier that died is replaced")
    tap.ok(whole(a, keys), "witnesses: in the end the log is whole")
    a.process.term()
    tap.eq(a.process.wait(), 0, "witnesses: SIGTERM ends all")


def short_of_descriptors():
    """A file that cannot be opened now is not one that is missing, which would
    be a false log."""
    if not can_trace(tap):
        tap.skip("descriptors", "the front's limits cannot be changed")
        return
    a = Authority()
    tap.eq(Account(a).create().status, 200, "descriptors: an account")
    front = a.roles()["front"]
    was = resource.prlimit(front, resource.RLIMIT_NOFILE)
    tap.eq(was[0], was[1], "descriptors: the front has all it may have")
    c = a.connect()

    def ask(name):
        c.request("GET", "/log/" + name)
        r = c.getresponse()
        r.read()
        return r.status
    tap.eq((ask("checkpoint"), ask("nothing")), (200, 404),
           "descriptors: a file, and none")
    used = {int(n) for n in os.listdir(f"/proc/{front}/fd")}
    full = min(set(range(len(used) + 1)) - used)
    resource.prlimit(front, resource.RLIMIT_NOFILE, (full, was[1]))
    tap.eq((ask("checkpoint"), ask("tile/0/000")), (503, 503),
           "descriptors: with none left, both say so")
    resource.prlimit(front, resource.RLIMIT_NOFILE, was)
    tap.eq(ask("checkpoint"), 200, "descriptors: and then it is there")
    a.process.term()
    a.process.wait()


def lied_to():
    """A witness that lies keeps nobody's line out, and no checkpoint back."""
    a = Authority(start=False)
    origin, log_id, _ = a.public["log"].split("+", 2)
    junk = [note_line(f"junk.example/{i}", bytes(5)) for i in range(31)]
    good = Witness("witness.example/w0", a.public["log"])
    full = Liar("witness.example/w1", lambda _, own: own + "".join(junk))
    a.sign_policy({**a.policy(), "trust":
                   f"log {a.public['log']}\nwitness w0 {good.vkey}\n"
                   f"witness w1 {full.vkey}\ngroup both all w0 w1\n"
                   "quorum both\n"})
    wrong = Liar("witness.example/w2", lambda *_: note_line(
        origin, bytes.fromhex(log_id) + bytes(64)))
    long = Liar("witness.example/w3", lambda *_: note_line(
        "x", bytes(5 + 2048)) + junk[0])
    a.config["witnesses"] = [
        {"name": n, "url": w.url, "ca": w.cert}
        for n, w in (("w0", good), ("w1", full), ("w2", wrong),
                     ("w3", long))]
    a.start()
    acc = Account(a)
    tap.eq(acc.create().status, 200, "liars: an account")
    keys = [logjudge.Key(w.vkey) for w in (good, full)]
    tap.ok(good_release(a, acc, acc.session(), keys),
           "liars: a release is under a good checkpoint")
    c, _ = served(a, keys)
    tap.eq(len(c.cosigned), 2, "liars: with the line of each witness")
    tap.ok(whole(a, keys), "liars: the log is whole")
    a.process.term()
    a.process.wait()

    a.sign_policy({**a.policy(), "trust": f"log {a.public['log']}\n"
                   "quorum none\n"})
    a.start()
    tap.ok(good_release(a, acc, acc.session()),
           "liars: so where no quorum is wanted")
    lines = get(a, "checkpoint")[1].partition(b"\n\n")[2].splitlines()
    tap.ok(len(lines) <= 4, "liars: with one line of each witness at most")
    a.process.term()
    a.process.wait()
    good.stop()


def oracle():
    """Another's verifier reads what was fetched."""
    if not shutil.which("go") or not os.path.isdir(
            "/usr/share/gocode/src/golang.org/x/mod"):
        tap.skip("oracle", "golang-go and golang-golang-x-mod-dev are missing")
        return
    where = skerrytest.folder()
    binary = os.path.join(where, "oracle")
    r = subprocess.run(
        ["go", "build", "-o", binary,
         os.path.join(os.environ["SKERRY_TOP"], "test/oracle/main.go")],
        capture_output=True, text=True,
        env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "-p=2",
             "GOPATH": "/usr/share/gocode",
             "GOCACHE": os.path.join(where, "go-cache")})
    tap.ok(r.returncode == 0, "the oracle builds")
    a = Authority()
    acc, earlier = Account(a), []
    acc.create()
    conn = a.connect()
    for i in range(300):
        if i % 60 == 0:
            earlier.append(os.path.join(where, f"earlier-{i}"))
            with open(earlier[-1], "wb") as f:
                f.write(get(a, "checkpoint")[1])
        if acc.session(conn=conn).status != 200:
            tap.ok(False, f"session {i}")
            break
    size = served(a)[0].size
    names, n, level = ["checkpoint"], size, 0
    while n > 0:
        for i in range((n + 255) // 256):
            width = min(256, n - i * 256)
            part = f".p/{width}" if width < 256 else ""
            names.append(f"tile/{level}/{i:03}{part}")
            if level == 0:
                names.append(f"tile/entries/{i:03}{part}")
        n, level = n // 256, level + 1
    for name in names:
        status, data = get(a, name)
        path = os.path.join(where, "log", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        if status != 200:
            tap.ok(False, f"{name}: {status}")
    r = subprocess.run([binary, os.path.join(where, "log"), a.public["log"],
                        *earlier], capture_output=True, text=True)
    tap.eq(r.stdout.strip() or r.stderr.strip(),
           f"{size} leaves, {len(earlier)} earlier checkpoints",
           "the oracle finds it in order")
    a.process.kill()


tap.run(crash, full, restored, witnessed, lied_to,
        short_of_descriptors, oracle)
