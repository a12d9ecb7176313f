#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An account after many years: what has a limit ends with what it has room for,
and never with a device that cannot be revoked or files that cannot be read."""

import http.client
import json
import os
import sqlite3
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from authoritytest import (ADD, REVOKE, Answer, Keys, b64,  # noqa: E402
                           sha256, sign_headers)
from skerrysite import Site  # noqa: E402
from skerrytest import Tap  # noqa: E402

CHAIN_MAX, CHAIN_SPARE = 1024, 16

t = Tap()
s = Site()
a = s.first()
data = os.path.join(a.dir, "data")
with open(data, "w") as f:
    f.write("of long ago")


def database(authority):
    return sqlite3.connect(f"{authority.home}/db/authority.sqlite")


def keys_of(device):
    with open(os.path.join(device.home, "device.key"), "rb") as f:
        raw = f.read()
    return Keys(raw[4:36], raw[36:68])


def chain(authority):
    """The account, its entries."""
    rows = database(authority).execute(
        "SELECT account, entry FROM chain ORDER BY seq").fetchall()
    return rows[0][0], [r[1] for r in rows]


def chain_length(authority):
    return len(chain(authority)[1])


def ask(authority, path, body, keys):
    """A request made by hand."""
    host, body = authority.url[len("https://"):], json.dumps(body).encode()
    c = http.client.HTTPSConnection(
        host, context=ssl.create_default_context(
            cafile=os.path.join(authority.home, "tls.pem")))
    c.request("POST", path, body, sign_headers(keys, host, path, body))
    r = c.getresponse()
    answer = Answer(r.status, r.read())
    c.close()
    return answer


def age(authority, device, until):
    """Devices that a device let in and revoked, in the authority's database:
    chain entries up to that many."""
    authority.stop()
    by, db = keys_of(device), database(authority)
    account, entries = chain(authority)
    seq, last = len(entries) - 1, entries[-1]
    while seq + 3 <= until:
        d = Keys()
        for op in ADD, REVOKE:
            seq, last = seq + 1, by.entry(op, seq + 1, sha256(last), account,
                                          d)
            db.execute("INSERT INTO chain VALUES (?, ?, ?)",
                       (account, seq, last))
        db.execute("INSERT INTO device VALUES (?, ?, ?, ?, 0, 0)",
                   (d.id, account, d.ed_pub, d.box_pub))
    db.commit()
    db.close()
    authority.start()


def live(device):
    return [x["device"] for x in device.json("devices")["devices"]
            if not x["revoked"]]


def full_chain():
    """What is left of the chain is for revoking."""
    t.eq(a.run("put", data).code, 0, "put")
    b = s.device().join(a)
    n = CHAIN_MAX - CHAIN_SPARE - 5
    age(s.authority, a, n)
    c = s.device().join(a)
    t.eq((chain_length(s.authority), len(live(c))), (n + 1, 4),
         "the last device that there is room for")
    code = s.device().json(*a.enrol_args(), "--no-wait")["code"]
    r = a.run("approve", "--yes", code)
    t.ok(r.code == 19 and "kept to revoke devices" in r.err,
         f"one more is refused, and why (LIMIT): {r!r}")
    d = s.device()
    r = d.run(*d.enrol_args(), "--recovery", "--recovery-in", a.recovery)
    t.ok(r.code == 19 and "kept to revoke devices" in r.err,
         f"by the recovery code, too: {r!r}")
    by, (account, entries) = keys_of(a), chain(s.authority)
    r = ask(s.authority, "/v1/devices", {
        "account": account.hex(), "chain_seen": n + 1, "entry": b64(by.entry(
            ADD, n + 1, sha256(entries[-1]), account, Keys()))}, by)
    t.eq(r.code, "LIMIT", "by a client that does not know of that, too")
    t.eq(chain_length(s.authority), n + 1, "and nothing was changed")
    age(s.authority, a, n + 1 + CHAIN_SPARE - 2)
    new = [a.run("recovery", "new", "--no-rotate", "--recovery-out",
                 os.path.join(a.dir, f"r{i}")) for i in range(2)]
    t.eq(new[0].code, 0, "another recovery code")
    t.ok(new[1].code == 19 and "kept to revoke" in new[1].err and
         not os.path.exists(os.path.join(a.home, "recovery")),
         f"the last that there is room for; and nothing is begun: {new[1]!r}")
    me = keys_of(a).id.hex()
    for x in b, c:
        r = a.run("revoke", keys_of(x).id.hex())
        t.eq(r.code, 0, f"each device can be revoked: {r.err}")
    t.ok(live(a)[0] == me and len(live(a)) == 2, "all but this one")
    t.eq(b.run("get", "--to", os.path.join(b.dir, "x")).code, 5,
         "who was revoked is out (DENIED)")
    t.eq((a.reads(data), a.run("put", data, "--to", "more").code), (True, 0),
         "this one reads and writes")


t.run(full_chain)
