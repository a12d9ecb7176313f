#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Uploads that race, break off, or meet a killed depot."""

import collections
import hashlib
import os
import random
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import Depot, Tap, digest, new_id, wait_for  # noqa: E402

t = Tap()
d = Depot()


def truncated():
    body = os.urandom(8 << 20)
    for sent in (0, 1, 100_000, len(body) - 1):
        o = new_id()
        s = d.raw()
        s.sendall((f"PUT {d.path(o)} HTTP/1.1\r\nHost: x\r\n"
                   f"Authorization: Bearer {d.token}\r\n"
                   f"If-None-Match: *\r\nContent-Digest: {digest(body)}\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode())
        s.sendall(body[:sent])
        s.close()
        t.ok(wait_for(lambda: d.files() == ({}, [])),
             f"cut after {sent} bytes: nothing is left")
        t.eq(d.get(o).status, 404, "and nothing is there")
    s = d.raw()
    s.sendall((f"PUT {d.path(new_id())} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {d.token}\r\nIf-None-Match: *\r\n"
               f"Content-Digest: {digest(body)}\r\n"
               f"Content-Length: {len(body)}\r\n\r\n").encode() + body[:4096])
    t.ok(wait_for(lambda: len(d.files()[1]) == 1), "an upload is in tmp")
    s.close()
    wait_for(lambda: not d.files()[1])


def race(bodies, name):
    o, answers = new_id(), []

    def one(body):
        c = d.connect()
        c.connect()
        gate.wait()
        answers.append((d.put(o, body, conn=c).status, body))
        c.close()

    gate = threading.Barrier(len(bodies))
    threads = [threading.Thread(target=one, args=(b,)) for b in bodies]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    count = collections.Counter(s for s, _ in answers)
    t.eq(count[201], 1, f"{name}: exactly one 201")
    winner = next(b for s, b in answers if s == 201)
    same = sum(b == winner for b in bodies)
    t.eq((count[200], count[412]), (same - 1, len(bodies) - same),
         f"{name}: 200 for the same bytes, 412 for others")
    t.ok(d.get(o).body == winner, f"{name}: the winner's bytes")
    t.eq(d.files()[1], [], f"{name}: nothing in tmp")


def races():
    a, b = os.urandom(200_000), os.urandom(200_000)
    race([a] * 50, "50 of the same")
    race([a, b] * 25, "25 of each of two")


def killed():
    """kill -9 during uploads, five times over."""
    sent, acknowledged, lock = {}, set(), threading.Lock()
    stop = threading.Event()

    def writer(seed):
        r = random.Random(seed)
        while not stop.is_set():
            o = new_id()
            body = r.randbytes(r.choice((1, 5000, 300_000, 2_000_000)))
            with lock:
                sent[o] = hashlib.sha256(body).digest()
            try:
                status = d.put(o, body).status
            except Exception:
                time.sleep(0.02)
                continue
            if status == 201:
                with lock:
                    acknowledged.add(o)

    threads = [threading.Thread(target=writer, args=(i,)) for i in range(6)]
    for x in threads:
        x.start()
    for i in range(1, 6):
        time.sleep(0.7)
        wait_for(lambda: len(acknowledged) > 4 * i)
        d.restart()
    stop.set()
    for x in threads:
        x.join()
    t.note(f"{len(acknowledged)} of {len(sent)} uploads acknowledged")
    t.ok(len(acknowledged) > 20, "some were acknowledged")
    d.restart()
    objects, tmp = d.files()
    t.eq(tmp, [], "tmp is empty after a start")
    mine = {o: p for o, p in objects.items() if o in sent}
    t.eq([o for o in acknowledged if o not in mine], [],
         "every acknowledged object is there")
    whole = [o for o, p in mine.items()
             if hashlib.sha256(open(p, "rb").read()).digest() == sent[o]]
    t.eq(len(whole), len(mine), "every object is whole")
    listed, after = set(), ""
    while True:
        r = d.request("GET", f"/v1/{d.prefix}" +
                      (f"?after={after}" if after else ""))
        page = __import__("json").loads(r.body)
        listed |= {x["id"] for x in page["objects"]}
        after = page["next"]
        if after is None:
            break
    t.eq(listed, set(objects), "the list is what is on disk")


def one_depot_a_folder():
    from skerrytest import Process
    p = Process([d.binary, "--config", d.config_file("second.yaml")])
    t.eq(p.wait(), 16, "a second depot on the same folder exits: conflict")
    t.ok("in use" in p.raw, "and says so")


def folders_removed():
    """Folders that others take away are made again, and nobody is told that
    the object that he stores is not there."""
    o = new_id()
    t.eq(d.put(o, b"x").status, 201, "an object")
    shutil.rmtree(os.path.join(d.data, "v1", d.prefix, o[:2]))
    t.eq(d.put(o, b"x").status, 201, "its folder was removed: stored again")
    os.rmdir(os.path.join(d.data, "tmp"))
    t.eq(d.put(new_id(), b"x").status, 500, "tmp was removed: a fault")
    d.restart()
    t.eq((d.get(o).body, d.put(new_id(), b"x").status), (b"x", 201),
         "after a start all is well")


class Gate:
    """While it is shut the depot reads no name of a folder."""

    def __init__(self):
        self.path = os.path.join(d.dir, "gate")
        d.process.kill()
        d.start({"LD_PRELOAD": os.environ["SKERRY_GATED_READDIR"],
                 "GATE": self.path})
        open(self.path, "w").close()

    def open(self):
        os.unlink(self.path)


def counted_slowly():
    """The first upload to a space of many objects waits for them to be
    counted, and nobody else does."""
    d.prefix = new_id()
    d.token = d.signer.capability(d.prefix)
    for _ in range(40):
        d.put(new_id(), b"x")
    gate = Gate()
    others = [d.connect() for _ in range(2 * (os.cpu_count() or 1))]
    for c in others:
        d.request("GET", "/healthz", conn=c)
    answers, codes = [], []
    first = threading.Thread(
        target=lambda: answers.append(d.put(new_id(), b"y").status))
    first.start()
    t.ok(wait_for(lambda: d.metrics()["requests_in_flight"] == 1),
         "an upload is under way")
    for c in others * 5:
        codes.append(d.request("GET", "/healthz", conn=c).status)
    t.eq((set(codes), answers), ({200}, []), "others do not wait for it")
    gate.open()
    first.join()
    t.eq(answers, [201], "it is stored")
    t.eq(d.put(new_id(), b"z" * 3000000).status, 201, "and the next one")
    d.restart()


def counted_slowly_by_many():
    """However many want a prefix that is being counted, and whatever of it:
    who wants another one has the disk threads."""
    prefix = new_id()
    token = d.signer.capability(prefix)
    names = [f"{i:02x}" + new_id()[2:] for i in range(50)]

    def ask(method, o, body=None, **fields):
        return d.request(method, f"/v1/{prefix}/{o}", body, token=token,
                         **fields).status

    def put(o, body):
        return ask("PUT", o, body, If_None_Match="*",
                   Content_Digest=digest(body))

    for o in names:
        put(o, b"x" * 100)
    d.config["disk_threads"] = 4
    gate = Gate()
    d.prefix = new_id()
    d.token = d.signer.capability(d.prefix)
    answers = []

    def one(i):
        answers.append(put(new_id(), b"y"))
        answers.append(ask("DELETE", names[i]))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(20)]
    deleted = threading.Thread(target=lambda: ask("DELETE", names[49]))
    for x in threads:
        x.start()
    t.ok(wait_for(lambda: d.metrics()["requests_in_flight"] == 20),
         "twenty uploads wait")
    deleted.start()
    deleted.join()
    waited = len(answers)
    other = d.put(new_id(), b"z")
    waited = waited, len(answers)
    gate.open()
    for x in threads:
        x.join()
    t.eq(sorted(answers), [201] * 20 + [204] * 20, "all are answered")
    t.eq(other.status, 201, "another prefix's upload is stored")
    t.eq(waited, (0, 0), "a deletion did not, nor did who wanted another")
    token = d.signer.capability(prefix, quota=29 * 100 + 20 + 50)
    t.eq(put(new_id(), bytes(51)), 507, "what went meanwhile is not counted")
    t.eq(put(new_id(), bytes(50)), 201, "nor is anything else missing")
    del d.config["disk_threads"]
    d.restart()


t.run(truncated, races, killed, one_depot_a_folder, folders_removed,
      counted_slowly, counted_slowly_by_many)
