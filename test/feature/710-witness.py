#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry-witness against a log and a client made here, after the C2SP pages."""

import base64
import hashlib
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from cryptography.exceptions import InvalidSignature  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: E402
from skerrytest import (UNCLEAR, Process, Tap, certificate,  # noqa: E402
                        ends, folder, handshakes_that_wait, metrics, scrape,
                        unanswered, wait_for)

t = Tap()
BINARY = os.environ["SKERRY_WITNESS"]


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(data):
    return base64.b64encode(data).decode()


def mth(d):
    if not d:
        return sha()
    if len(d) == 1:
        return sha(b"\0", d[0])
    k = 1 << (len(d) - 1).bit_length() - 1
    return sha(b"\1", mth(d[:k]), mth(d[k:]))


def subproof(m, d, whole):
    if m == len(d):
        return [] if whole else [mth(d)]
    k = 1 << (len(d) - 1).bit_length() - 1
    if m <= k:
        return subproof(m, d[:k], whole) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


class Log:
    def __init__(self, name, leaves=(), key=None):
        self.name, self.leaves = name, list(leaves)
        self.key = key or ed25519.Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes_raw() if hasattr(
            self.key.public_key(), "public_bytes_raw") else raw(self.key)
        self.id = sha(name.encode(), b"\n\1", self.public)[:4]

    @property
    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{b64(bytes([1]) + self.public)}"

    def text(self, size, root=None):
        return (f"{self.name}\n{size}\n"
                f"{b64(root or mth(self.leaves[:size]))}\n").encode()

    def note(self, size, root=None, extra=b""):
        text = self.text(size, root) + extra
        sig = f"\u2014 {self.name} {b64(self.id + self.key.sign(text))}\n"
        return text + b"\n" + sig.encode()

    def body(self, old, size, proof=None, note=None):
        if proof is None:
            proof = subproof(old, self.leaves[:size], True) if 0 < old else []
        return (f"old {old}\n" + "".join(b64(h) + "\n" for h in proof)
                + "\n").encode() + (note or self.note(size))


def raw(key):
    from cryptography.hazmat.primitives import serialization
    return key.public_key().public_bytes(serialization.Encoding.Raw,
                                         serialization.PublicFormat.Raw)


LEAVES = [b"leaf %d" % i for i in range(3000)]


class Witness:
    def __init__(self, *logs, **config):
        self.dir = folder()
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state)
        self.keyfile = os.path.join(self.dir, "key")
        self.vkey = subprocess.run(
            [BINARY, "keygen", "witness.example/w1", self.keyfile],
            check=True, capture_output=True, text=True).stdout.strip()
        self.name, self.id, key = self.vkey.split("+", 2)
        key = base64.b64decode(key)
        assert key[0] == 4
        self.key = ed25519.Ed25519PublicKey.from_public_bytes(key[1:])
        self.config = {"listen": "127.0.0.1:0", "key": self.keyfile,
                       "state": self.state, "logs": [l.vkey for l in logs],
                       **config}
        self.start()

    def start(self):
        path = os.path.join(self.dir, "witness.yaml")
        with open(path, "w") as f:
            json.dump(self.config, f)
        self.path = path
        self.process = Process([BINARY, "--config", path])
        ready = self.process.wait_ready()
        self.port, self.metrics_port = ready["port"], ready.get("metrics_port")

    def request(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            c.request(method, path, body)
            r = c.getresponse()
            return r.status, r.read(), r.headers
        finally:
            c.close()

    def add(self, body):
        return self.request("POST", "/add-checkpoint", body)

    def cosigned(self, answer, text):
        """The time of a cosignature, verified as the page says."""
        status, line, _ = answer
        if status != 200:
            return None
        dash, name, sig = line.decode().rstrip("\n").split(" ")
        blob = base64.b64decode(sig)
        when = int.from_bytes(blob[4:12], "big")
        try:
            self.key.verify(blob[12:], b"cosignature/v1\ntime %d\n" % when
                            + text)
        except InvalidSignature:
            return None
        good = (dash, name, blob[:4].hex(), len(blob)) == (
            "\u2014", self.name, self.id, 76)
        return when if good else None


log = Log("log.example/a", LEAVES)
other = Log("log.example/b", LEAVES)
stranger = Log("log.example/c", LEAVES)
w = Witness(log, other)


def grows():
    now = int(time.time())
    when = w.cosigned(w.add(log.body(0, 5)), log.text(5))
    t.ok(when is not None and abs(when - now) < 60, "a first checkpoint")
    t.ok(w.cosigned(w.add(log.body(5, 5)), log.text(5)), "the same again")
    old = 5
    for size in (6, 7, 8, 9, 255, 256, 257, 1000):
        t.ok(w.cosigned(w.add(log.body(old, size)), log.text(size)),
             f"from {old} to {size}")
        old = size
    t.ok(w.cosigned(w.add(other.body(0, 0)), other.text(0)),
         "another log, empty")
    t.ok(w.cosigned(w.add(other.body(0, 3)), other.text(3)), "and growing")
    note = log.note(1001, extra=b"extension line\n")
    text = note[:note.index(b"\n\n") + 1]
    t.ok(w.cosigned(w.add(log.body(1000, 1001, note=note)), text),
         "extension lines are cosigned as they are")


def refuses():
    def status(body):
        return w.add(body)[0]

    s, body, h = w.add(log.body(5, 2000))
    t.eq((s, body, h["Content-Type"]), (409, b"1001\n", "text/x.tlog.size"),
         "409 with the size that it has, for an old size")
    t.eq(w.add(log.body(0, 2000))[:2], (409, b"1001\n"), "and for 0")
    t.eq(status(log.body(1500, 2000)), 409, "and for a size to come")
    t.eq(status(log.body(1001, 1000, proof=[])), 400, "old above new")
    t.eq(status(stranger.body(0, 5)), 404, "unknown log")
    t.eq(status(log.body(0, 5, note=stranger.note(5))), 404,
         "the origin counts, not the signature")
    fake = Log(log.name, LEAVES)
    t.eq(status(fake.body(1001, 2000)), 403, "another key of that name")
    good = log.note(2000)
    bad = good[:-10] + bytes([good[-10] ^ 1]) + good[-9:]
    t.eq(status(log.body(1001, 2000, note=bad)) in (400, 403), True,
         "a changed signature")
    wrong = log.note(2000) + log.note(1999).split(b"\n\n")[1]
    t.eq(status(log.body(1001, 2000, note=wrong)), 403,
         "a wrong signature beside the right one")
    proof = subproof(1001, LEAVES[:2000], True)
    for name, p in (("a changed hash", [sha(b"x")] + proof[1:]),
                    ("one less", proof[:-1]), ("one more", proof + [sha()]),
                    ("none", []), ("reversed", proof[::-1])):
        t.eq(status(log.body(1001, 2000, proof=p)), 422, f"proof: {name}")
    t.eq(status(log.body(1001, 1001, note=log.note(1001, sha(b"x")))), 422,
         "another root of the same size")
    t.eq(status(log.body(1001, 1001, proof=[sha()])), 422,
         "a proof where none is needed")
    fork = Log(log.name, LEAVES[:500] + [b"other"] + LEAVES[501:], log.key)
    t.eq(status(fork.body(1001, 2000)), 422, "a fork by the log's own key")
    new = Log("log.example/d", [], log.key)
    for name, body in (
            ("empty", b""), ("no blank line", b"old 1\n"),
            ("no checkpoint", b"old 1001\n\n"), ("+1", b"old +1\n\n" + good),
            ("leading zero", b"old 01001\n\n" + good),
            ("bad base64", b"old 1001\nAAAA\n\n" + good),
            ("64 hashes", log.body(1001, 2000, proof=[sha()] * 64)),
            ("trailing", log.body(1001, 2000) + b"x"),
            ("not UTF-8", b"old 1001\n\n\xff" + good)):
        t.eq(status(body), 400, f"malformed: {name}")
    t.eq(status(b"old 1\n" + b"A" * 200_000), 413, "too large")
    t.eq(status(new.body(0, 0)), 404, "still only its logs")
    t.eq(w.request("GET", "/add-checkpoint")[0], 405, "GET of it")
    t.ok(w.cosigned(w.add(log.body(1001, 1002)), log.text(1002)),
         "and after all that, the right one is cosigned")


def shows():
    def get(l):
        return w.request(
            "GET", "/" + sha(l.name.encode()).hex() + "/checkpoint")

    s, body, _ = get(log)
    text, sigs = body.split(b"\n\n")
    t.eq((s, text + b"\n", len(sigs.splitlines())), (200, log.text(1002), 2),
         "the last checkpoint, with both signatures")
    t.eq(get(stranger)[0], 404, "unknown log")
    t.eq(w.request("GET", "/healthz")[0], 200, "healthz")
    t.eq(w.request("GET", "/../state")[0], 404, "other paths")


def restarts():
    w.process.term()
    t.eq(w.process.wait(), 0, "SIGTERM ends it with 0")
    t.ok(w.process.event("stopped") is not None, "and says so")
    w.start()
    t.eq(w.add(log.body(0, 5))[:2], (409, b"1002\n"), "it remembers")
    t.eq(w.add(log.body(1001, 2000))[:2], (409, b"1002\n"), "no rollback")
    r = subprocess.run([BINARY, "--config", w.path], capture_output=True)
    t.eq(r.returncode, 16, "the state has one owner")
    w.process.kill()
    path = os.path.join(w.state, sha(log.name.encode()).hex())
    with open(path, "rb") as f:
        good = f.read()
    with open(path, "wb") as f:
        f.write(good.replace(b"1002", b"1001", 1))
    r = subprocess.run([BINARY, "--config", w.path], capture_output=True)
    t.eq(r.returncode, 9, "state that nobody signed is not believed")
    with open(path, "wb") as f:
        f.write(good)
    w.start()


def concurrent():
    """Many forks from one tree at once: one is cosigned."""
    for round in range(5):
        base = 1002 if round == 0 else size
        size = base + 10
        mine = LEAVES[:base]
        forks = [Log(log.name, mine + [b"%d %d" % (i, n) for n in range(10)],
                     log.key) for i in range(8)]
        answers = [None] * 8
        start = threading.Barrier(8)

        def one(i):
            start.wait()
            answers[i] = w.add(forks[i].body(base, size))

        threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
        for x in threads:
            x.start()
        for x in threads:
            x.join()
        got = [i for i in range(8) if answers[i][0] == 200]
        t.ok(len(got) == 1 and
             w.cosigned(answers[got[0]], forks[got[0]].text(size)) and
             all(a[0] == 409 for i, a in enumerate(answers) if i != got[0]),
             f"round {round}: one of 8 forks")
        LEAVES[:] = forks[got[0]].leaves + LEAVES[size:]
        log.leaves = LEAVES


def kills():
    """Two forks are pushed while the witness is killed; what it cosigned, over
    all its lives, is one chain."""
    rng = random.Random(11)
    name = "log.example/kill"
    a = Log(name, [b"a%d" % i for i in range(600)])
    b = Log(name, [b"b%d" % i for i in range(600)], a.key)
    v = Witness(a)
    roots, order, stop = {}, [], threading.Event()
    lock = threading.Lock()

    def push(l):
        size = 0
        while not stop.is_set():
            try:
                new = min(size + rng.randrange(1, 4), 600)
                answer = v.add(l.body(size, new))
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
                continue
            if answer[0] == 200 and v.cosigned(answer, l.text(new)):
                with lock:
                    roots.setdefault(new, set()).add(l.text(new))
                    order.append(new)
                size = new
            elif answer[0] == 409:
                size = min(int(answer[1]), 600)
                time.sleep(0.002)
            else:
                time.sleep(0.01)

    threads = [threading.Thread(target=push, args=(l,)) for l in (a, b, a)]
    for x in threads:
        x.start()
    for _ in range(20):
        time.sleep(rng.random() * 0.15)
        v.process.kill()
        v.start()
    wait_for(lambda: order)
    stop.set()
    for x in threads:
        x.join()
    t.ok(order and all(len(r) == 1 for r in roots.values()),
         f"20 kills, {len(order)} cosignatures: never two roots of one size")
    whole = [l for l in (a, b)
             if all(l.text(s) in r for s, r in roots.items())]
    t.eq(len(whole), 1, "and all of one tree")
    answer = v.add(a.body(0, 1))
    t.ok(answer[0] == 409 and int(answer[1]) >= max(order),
         "and it has not gone back")


def commands():
    def run(*args):
        r = subprocess.run([BINARY, *args], capture_output=True, text=True)
        return r.returncode, r.stdout

    t.eq(run("key", w.keyfile), (0, w.vkey + "\n"), "key prints it again")
    t.eq(os.stat(w.keyfile).st_mode & 0o777, 0o600, "only its owner reads it")
    t.eq(run("keygen", "x", w.keyfile)[0], 21, "keygen overwrites nothing")
    with open("/dev/full", "w") as full:
        for args in ("key", w.keyfile), ("keygen", "x", w.keyfile + "3"):
            t.eq(subprocess.run([BINARY, *args], stdout=full,
                                stderr=subprocess.DEVNULL).returncode, 18,
                 f"{args[0]}: an answer that could not be given is no success")
    t.eq(run("key", w.keyfile + "3")[0], 0, "the key is there")
    t.eq(run("keygen", "a b", w.keyfile + "2")[0], 2, "names have no spaces")
    t.eq(run("check-config", w.path)[0], 0, "check-config")
    for args, word in (((), "no command"), (("--what",), "--what: "),
                       (("frob", "x"), "frob: "), (("key",), "wants KEYFILE"),
                       (("keygen", "a"), "wants NAME KEYFILE"),
                       (("keygen", "a", "b", "c"), "c: "),
                       (("--config",), "wants FILE")):
        r = subprocess.run([BINARY, *args], capture_output=True, text=True)
        t.ok((r.returncode, r.stdout) == (2, "") and word in r.stderr and
             r.stderr.startswith("skerry-witness: "),
             f"usage: {args}: {r.stderr.strip()}")
    for name, change in (("unknown key", {"color": 1}),
                         ("bad log", {"logs": ["x"]}),
                         ("a witness as log", {"logs": [w.vkey]}),
                         ("bad listen", {"listen": "here"}),
                         ("half of TLS", {"certificate": w.keyfile})):
        path = os.path.join(w.dir, "bad.yaml")
        with open(path, "w") as f:
            json.dump({**w.config, **change}, f)
        t.eq(run("check-config", path)[0], 3, f"config: {name}")
    # What it names; the witness has the state and is not in the way.
    names = sorted(os.listdir(w.state))
    files = [n for n in names if len(n) == 64]
    bad = os.path.join(w.dir, "badstate")
    shutil.copytree(w.state, bad)
    with open(os.path.join(bad, files[0]), "w") as f:
        f.write("nothing\n")
    cert, key = certificate(w.dir)
    taken = os.path.join(w.dir, "taken")
    os.mkdir(taken)
    open(os.path.join(taken, "tmp"), "w").close()
    tls = {"certificate": cert, "private_key": key}
    for want, change, word in (
            (3, {"key": w.dir + "/none"}, "key"),
            (3, {"key": cert}, "key"),
            (3, {"state": w.dir + "/none"}, "state"),
            (3, {"state": cert}, "state"),
            (3, {"state": taken}, "state"),
            (9, {"state": bad}, "state"),
            (3, {**tls, "certificate": key}, "certificate"),
            (3, {**tls, "certificate": bad}, "certificate"),
            (3, {**tls, "private_key": cert}, "private_key"),
            (3, {**tls, "private_key": bad}, "private_key"),
            (0, tls, None)):
        with open(path, "w") as f:
            json.dump({**w.config, **change}, f)
        r = subprocess.run([BINARY, "check-config", path],
                           capture_output=True, text=True)
        t.ok(r.returncode == want and (word is None or r.stderr.startswith(
            f"skerry-witness: {path}: {word}: ")),
             f"config: {change}")
        t.note(r.stderr)
    t.eq(sorted(os.listdir(w.state)), names, "it changes nothing there")
    empty = os.path.join(w.dir, "empty")
    os.mkdir(empty)
    with open(path, "w") as f:
        json.dump({**w.config, "state": empty}, f)
    t.eq((run("check-config", path)[0], os.listdir(empty)), (0, []),
         "a state that is empty stays so")
    for text in "", "# nothing\n", "---\n":
        with open(path, "w") as f:
            f.write(text)
        t.eq(run("check-config", path)[0], 3, f"config: {text!r}")


def operator():
    v = Witness(log, metrics="127.0.0.1:0")
    t.eq(v.add(log.body(0, 5))[0], 200, "a witness with metrics")
    v.add(b"nothing")
    v.request("GET", "/none")
    t.ok(wait_for(lambda: metrics(v.metrics_port)["requests_in_flight"] == 0),
         "metrics: in flight")
    got = metrics(v.metrics_port)
    t.eq({k: n for k, n in got.items() if k.startswith("requests_total")},
         {'requests_total{path="/add-checkpoint",status="200"}': 1,
          'requests_total{path="/add-checkpoint",status="400"}': 1,
          'requests_total{path="other",status="404"}': 1},
         "metrics: requests by path and status")
    t.eq(got["request_seconds_count"], 3, "metrics: histogram")
    t.eq(got['cut_total{why="slow"}'], 0, "metrics: who was cut")
    t.ok(log.name not in scrape(v.metrics_port).body.decode(),
         "which name no log")
    t.eq(scrape(v.metrics_port, "/healthz").body, b"ok", "healthz beside them")
    t.eq(v.request("GET", "/metrics")[0], 404, "no metrics where all can ask")
    v.process.kill()
    taken = socket.create_server(("127.0.0.1", 0))
    for where, word in (("0.0.0.0:1", "metrics"), (
            f"127.0.0.1:{taken.getsockname()[1]}", "metrics: ")):
        with open(v.path, "w") as f:
            json.dump({**v.config, "metrics": where}, f)
        p = Process([BINARY, "--config", v.path])
        t.ok(p.wait() == 3 and word in p.raw, f"metrics not at {where}")


def slow_handshakes():
    cert, key = certificate(folder())
    v = Witness(log, certificate=cert, private_key=key)
    used = handshakes_that_wait(v.port, v.process.proc.pid)
    t.ok(used < 0.5, f"20 in their first bytes: {used:.2f} s of 2 s")
    v.process.kill()


def drips():
    v = Witness(log, idle_seconds=2, max_per_address=3)

    def begun(text):
        s = socket.create_connection(("127.0.0.1", v.port), 30)
        s.sendall(text)
        return s

    t.ok(ends(begun(b""), b""), "who is silent is cut")
    t.ok(ends(begun(b"GET /healthz HTTP/1.1\r\nX: "), b"x"),
         "a head, byte by byte")
    t.ok(ends(begun(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Length: 100000\r\n\r\n"), b"x"),
         "a body, byte by byte")
    v.process.kill()
    del v.config["idle_seconds"]
    v.start()
    held = [begun(b"") for _ in range(3)]
    t.ok(ends(begun(b""), b""), "one address has so many connections")
    held.pop().close()
    t.ok(wait_for(lambda: asked(v) == 200),
         "when one ends there is room for another")
    del held
    t.eq(unanswered(lambda: begun(b""), "/add-checkpoint"), len(UNCLEAR),
         "a request of two lengths, or none that is known, is no request")
    v.process.term()
    t.eq(v.process.wait(), 0, "and it ends well")


def asked(v):
    try:
        return v.request("GET", "/healthz")[0]
    except (OSError, http.client.HTTPException):
        return None


t.run(grows, refuses, shows, restarts, concurrent, kills, commands,
      operator, slow_handshakes, drips)
