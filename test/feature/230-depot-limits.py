#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Quotas, a full disk, long lists, many connections."""

import json
import os
import secrets
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import (UNCLEAR, Depot, Disk, Tap, folder,  # noqa: E402
                        new_id, unanswered)

t = Tap()
d = Depot()


def quota():
    def put(n, limit, prefix):
        token = d.signer.capability(prefix, quota=limit)
        old, d.prefix = d.prefix, prefix
        try:
            o = new_id()
            return d.put(o, os.urandom(n), token=token), o, token
        finally:
            d.prefix = old

    p = new_id()
    t.eq(put(600, 1000, p)[0].status, 201, "within the quota")
    r = put(401, 1000, p)[0]
    t.eq((r.status, r.code), (507, "quota"), "a byte over it")
    r, o, token = put(400, 1000, p)
    t.eq(r.status, 201, "exactly full")
    t.eq(put(0, 1000, p)[0].status, 201, "an empty object still fits")
    t.eq(put(1, 1000, p)[0].status, 507, "full")
    t.eq(put(1, 1002, p)[0].status, 201, "a new capability gives more")
    d.request("DELETE", f"/v1/{p}/{o}", token=token)
    t.eq(put(399, 1000, p)[0].status, 201, "deleting gives room")
    d.restart()
    t.eq(put(1, 1000, p)[0].status, 507, "a restart counts anew")
    t.eq(put(1, 0, p)[0].status, 201, "0 is no limit")


def operator_quota():
    other = Depot(quota=1000)
    t.eq(other.put(new_id(), bytes(1000)).status, 201, "operator's quota")
    t.eq(other.put(new_id(), bytes(1)).status, 507, "holds where none is said")
    other.process.kill()


def full_disk():
    disk = Disk("4m")
    if not disk.good:
        t.skip("full disk", "cannot mount")
        return
    small = Depot(data=disk.path)
    kept = []
    for i in range(8):
        o = new_id()
        r = small.put(o, bytes([i]) * (1 << 20))
        if r.status != 201:
            break
        kept.append((o, i))
    t.eq((r.status, r.code), (507, "full"), "a full disk is 507 full")
    t.ok(all(small.put(new_id(), bytes(1 << 20)).status == 507
             for _ in range(9)), "again and again")
    small.process.wait_event("store")
    t.eq([x["code"] for x in small.process.lines if x["event"] == "store"],
         ["SPACE"], "the log says so, once")
    t.eq(small.files()[1], [], "nothing is left in tmp")
    t.eq(sorted(small.files()[0]), sorted(o for o, _ in kept),
         "what was acknowledged is there")
    t.ok(all(small.get(o).body == bytes([i]) * (1 << 20) for o, i in kept),
         "and whole")
    t.eq(small.put(kept[0][0], bytes([0]) * (1 << 20)).status, 200,
         "a repeat needs no room")
    t.eq(small.request("DELETE", small.path(kept[0][0])).status, 204,
         "deleting works on a full disk")
    t.eq(small.put(new_id(), bytes(1 << 20)).status, 201, "and gives room")
    small.process.term()
    t.eq(small.process.wait(), 0, "ends well")


def paging():
    prefix, sizes = new_id(), {}
    base = os.path.join(d.data, "v1", prefix)
    for i in range(2500):
        # Crowd some folders, so that pages end within them.
        o = ("00" if i % 3 == 0 else secrets.token_hex(1)) + \
            secrets.token_hex(15)
        os.makedirs(os.path.join(base, o[:2]), exist_ok=True)
        with open(os.path.join(base, o[:2], o), "wb") as f:
            f.write(bytes(i))
        sizes[o] = i
    for junk in ("00/junk", "00/" + "ff" * 16, "00/" + "A" * 32):
        open(os.path.join(base, junk), "w").close()
    token = d.signer.capability(prefix)

    def pages(limit):
        after, out, rounds = None, [], 0
        while True:
            q = [f"limit={limit}"] if limit else []
            q += [f"after={after}"] if after else []
            r = d.request("GET", f"/v1/{prefix}" +
                          ("?" + "&".join(q) if q else ""), token=token)
            page = json.loads(r.body)
            assert list(page) == ["objects", "next"], page.keys()
            assert len(page["objects"]) <= (limit or 1000)
            out += [(x["id"], x["size"]) for x in page["objects"]]
            rounds, after = rounds + 1, page["next"]
            if after is None:
                return out, rounds
            assert after == page["objects"][-1]["id"]

    for limit, rounds in ((None, 3), (1000, 3), (500, 5), (333, 8), (7, 358)):
        t.eq(pages(limit), (sorted(sizes.items()), rounds),
             f"2,500 objects in pages of {limit}")
    r = json.loads(d.request("GET", f"/v1/{new_id()}",
                             token=d.signer.capability(new_id())).body)
    t.eq(r["error"]["code"], "denied", "another's list")
    empty = new_id()
    r = d.request("GET", f"/v1/{empty}", token=d.signer.capability(empty))
    t.eq(r.body, b'{"objects":[],"next":null}', "an empty list")
    last = max(sizes)
    r = d.request("GET", f"/v1/{prefix}?after={last}", token=token)
    t.eq(json.loads(r.body)["objects"], [], "after the last")


def many_writers_one_quota():
    """What is acknowledged never exceeds the quota."""
    prefix, done = new_id(), []
    token = d.signer.capability(prefix, quota=50_000)
    d.prefix, d.token = prefix, token

    def one():
        for _ in range(4):
            done.append(d.put(new_id(), os.urandom(3000)).status)

    threads = [threading.Thread(target=one) for _ in range(10)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    t.eq((done.count(201), done.count(507)), (16, 24),
         "16 of 40 objects fit")


def connections():
    """Above the limit they wait until others end."""
    other = Depot(max_connections=4, max_per_address=99, threads=2)
    held = [other.raw() for _ in range(4)]
    codes = []

    def late():
        codes.append(other.request("GET", "/healthz", token=None).status)

    threads = [threading.Thread(target=late) for _ in range(8)]
    for x in threads:
        x.start()
    for s in held:
        s.close()
    for x in threads:
        x.join()
    t.eq(codes, [200] * 8, "what waits is served when others have ended")
    other.process.kill()


def few_descriptors():
    """Connections wait, or make way; no request fails for want of one."""
    path = os.path.join(folder(), "depot")
    with open(path, "w") as f:
        f.write(f'#!/bin/sh\nulimit -n 200\nexec {d.binary} "$@"\n')
    os.chmod(path, 0o755)
    few = Depot(path, threads=2, max_per_address=1000)
    most = few.process.event("descriptors")["max_connections"]
    t.ok(16 <= most < 100, f"the log says that {most} are possible")
    o, c = new_id(), few.connect()
    t.eq(few.put(o, b"x" * 100000, conn=c).status, 201, "an object")
    held = []

    def hold():
        for _ in range(150):
            held.append(socket.create_connection(
                ("127.0.0.1", few.port), 30))

    holder = threading.Thread(target=hold)
    holder.start()
    holder.join()
    codes = [few.put(new_id(), b"x" * 100000).status for _ in range(5)]
    codes += [few.get(o).status for _ in range(5)]
    t.eq(codes, [201] * 5 + [200] * 5, "all is served beside 150 others")
    few.process.term()
    t.eq(few.process.wait(), 0, "ends well")


def unclear():
    t.eq(unanswered(d.raw, d.path(new_id())), len(UNCLEAR),
         "a request of two lengths, or none that is known, is no request")


def cut_short():
    """An object that fails while it is sent: the operator hears of it."""
    o = new_id()
    d.put(o, os.urandom(32 << 20))
    s = d.raw()
    s.sendall(f"GET {d.path(o)} HTTP/1.1\r\nHost: x\r\n"
              f"Authorization: Bearer {d.token}\r\n\r\n".encode())
    s.recv(1000)
    os.truncate(d.files()[0][o], 100000)
    n = 0
    while True:
        got = s.recv(1 << 20)
        if not got:
            break
        n += len(got)
    t.ok(n < 32 << 20, "the answer is cut")
    said = d.process.wait_event("store")
    t.ok(said and said["code"] == "IO" and o in said["text"],
         "and the log names the object")


t.run(connections, few_descriptors, unclear, cut_short, quota, operator_quota, full_disk, paging, many_writers_one_quota)
