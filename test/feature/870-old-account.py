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
import custodyset  # noqa: E402
from authoritytest import (ADD, REVOKE, Answer, Keys, b64,  # noqa: E402
                           sha256, sign_headers, unb64)
from skerrysite import Site  # noqa: E402
from skerrytest import Tap  # noqa: E402

CHAIN_MAX, CHAIN_SPARE = 1024, 16

t = Tap()
s = Site(others=(("ireland", "ie"), ("iceland", "is")))
a = s.first()
data = os.path.join(a.dir, "data")
with open(data, "w") as f:
    f.write("of long ago")
SPLIT = ("split", "--holders", "offshore,ireland,iceland", "--threshold", "2")


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


def lengths():
    return [chain_length(x) for x in s.authorities]


def refused(device):
    """Of each holder, whether it knows the device, and as one that is out."""
    return [database(x).execute("SELECT live FROM device WHERE id = ?",
                                (keys_of(device).id,)).fetchall() == [(0,)]
            for x in s.authorities]


def long_chain():
    """More entries than one request to another holder has room for."""
    t.eq(a.run("put", data).code, 0, "put")
    age(s.authority, a, 300)
    b = s.device().join(a)  # is behind what one request has room for
    n = chain_length(s.authority)
    r = b.run("custody", "set", *SPLIT, "--no-rotate")
    t.eq((r.code, lengths()), (0, [n] * 3), "a late device splits") or t.note(r)
    t.eq((a.reads(data), b.reads(data)), (True, True), "both read")
    c = s.device().join(a)
    t.eq((c.reads(data), lengths()), (True, [n + 1] * 3), "so does another")
    r = a.run("revoke", keys_of(c).id.hex())
    t.eq((r.code, refused(c)), (0, [True] * 3),
         "and is shut out at each holder") or t.note(r)
    before = chain_length(s.others[0])
    s.others[0].stop()
    age(s.authority, a, 480)
    d = s.device().join(a)
    s.others[0].start()
    n = chain_length(s.authority)
    t.eq(lengths(), [n, before, n], "a holder that was away for long")
    t.eq((d.reads(data), lengths()), (True, [n] * 3), "is told of all")
    t.eq(a.run("custody", "set", "standard", "--no-rotate").code, 0,
         "back to standard custody")


def parts():
    """By hand: what a part of the chain has to be."""
    by, (account, entries) = keys_of(a), chain(s.authority)
    space, residency = database(s.authority).execute(
        "SELECT id, residency FROM space").fetchone()
    body = {"device": by.id.hex(), "account": account.hex(),
            "space": space.hex(), "residency": residency, "capability": "",
            "set": b64(database(s.authority).execute(
                "SELECT raw FROM custody WHERE serial = 2").fetchone()[0])}

    def send(first, last, keys=by, more=False, name=by, **other):
        return ask(s.others[0], "/v1/holders", {
            **body, "device": name.id.hex(),
            "chain": [b64(x) for x in entries[first:last]],
            "part": {"from": first, "more": more, "ed": b64(name.ed_pub),
                     "box": b64(name.box_pub)}, **other}, keys).code

    n, new = len(entries), Keys()
    t.eq((send(n - 5, n), send(0, 7, more=True), send(0, 0, more=True)),
         ("OK", "OK", "OK"), "what is known already")
    t.eq(send(n + 1, n + 1), "CONFLICT", "a gap")
    entries[9], entries[8] = entries[8:10]
    t.eq(send(5, 20, more=True), "CONFLICT", "another chain")
    entries[9], entries[8] = entries[8:10]
    t.eq(send(n - 1, n, keys=new), "DENIED", "not signed by its sender")
    t.eq(send(n - 1, n, keys=new, name=new), "DENIED",
         "the last one, by a stranger")
    t.eq(send(0, 9, more=True, account=os.urandom(16).hex()), "DENIED",
         "for another account")
    entries.append(by.entry(ADD, n, sha256(entries[-1]), account, new)[:-1]
                   + b"x")
    t.ok(send(n, n + 1, more=True) in ("TAMPERED", "DENIED"),
         "a signature that does not hold")
    t.eq(ask(s.others[0], "/v1/holders", {
        **body, "chain": [], "part": {"from": 0, "more": 1}}, by).code,
         "MALFORMED", "of another form")
    t.eq(chain_length(s.others[0]), n, "and nothing was taken")


def move_often(authority, device, until, between=None):
    """Custody sets of a device in the authority's database, up to that serial,
    which is as the one that is there; those before it by default, too."""
    authority.stop()
    by, db = keys_of(device), database(authority)
    last = custodyset.Set(db.execute("SELECT raw FROM custody ORDER BY serial "
                                     "DESC LIMIT 1").fetchone()[0])
    same = (last.mode, last.k, [(k, w.decode()) for k, w in last.holders])
    for serial in range(last.serial + 1, until + 1):
        mode, k, holders = same if serial == until else between or same
        last = custodyset.Set(custodyset.encode(
            mode, k, serial, last.epoch, last.space, sha256(last.raw),
            last.time, last.time, holders, custodyset.DEVICE, by.id, by.ed))
        db.execute("INSERT INTO custody VALUES (?, ?, ?)",
                   (last.space, serial, last.raw))
    db.commit()
    db.close()
    authority.start()
    return last


def many_sets():
    """More custody sets than a session has room for, and than the authority
    looked through for a move."""
    last = move_often(s.authority, a, 1000)
    t.eq(a.run("put", data, "--to", "moved").code, 0,
         "a device that was away goes on")
    t.eq(a.json("custody", "show")["serial"], 1000, "with the last set")
    b = s.device().join(a)
    t.eq(b.reads(data), True, "a new device reads")
    r = b.json("custody", "set", "standard", "--no-rotate")
    t.eq((r.get("serial"), a.reads(data)), (1001, True), f"and moves: {r}")
    by, space = keys_of(b), last.space.hex()
    for after, want in ((0, range(1, 257)), (1000, [1001]), (1001, []),
                        (2 ** 32 - 1, [])):
        r = ask(s.authority, "/v1/custody/sets",
                {"space": space, "after": after}, by)
        t.eq([custodyset.Set(unb64(x)).serial for x in r.json["sets"]],
             list(want), f"those after {after}")
    for body, code in (({"space": space, "after": 2 ** 32}, "MALFORMED"),
                       ({"space": space, "after": -1}, "MALFORMED"),
                       ({"space": space}, "MALFORMED"),
                       ({"space": "00" * 16, "after": 0}, "DENIED")):
        t.eq(ask(s.authority, "/v1/custody/sets", body, by).code, code,
             f"{body}")


def full_chain():
    """What is left of the chain is for revoking."""
    for x in live(a)[2:]:
        t.eq(a.run("revoke", "--no-rotate", x).code, 0, "revoke")
    b = s.device().join(a)
    age(s.authority, a, CHAIN_MAX - CHAIN_SPARE - 5)
    n = chain_length(s.authority)
    c = s.device().join(a)
    t.eq((chain_length(s.authority), len(live(c))), (n + 1, 4),
         "the last device that there is room for")
    code = s.device().json(*a.enrol_args(), "--no-wait")["code"]
    r = a.run("approve", "--yes", code)
    t.ok(r.code == 19 and "kept to revoke devices" in r.err,
         "one more is refused, and why (LIMIT)") or t.note(r)
    d = s.device()
    r = d.run(*d.enrol_args(), "--recovery", "--recovery-in", a.recovery)
    t.ok(r.code == 19 and "kept to revoke devices" in r.err,
         "by the recovery code, too") or t.note(r)
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
         "the last that there is room for; and nothing is begun") or t.note(new[1])
    me = keys_of(a).id.hex()
    for x in b, c:
        r = a.run("revoke", keys_of(x).id.hex())
        t.eq(r.code, 0, "each device can be revoked") or t.note(r)
    t.ok(live(a)[0] == me and len(live(a)) == 2, "all but this one")
    t.eq(b.run("get", "--to", os.path.join(b.dir, "x")).code, 5,
         "who was revoked is out (DENIED)")
    t.eq((a.reads(data), a.run("put", data, "--to", "more").code), (True, 0),
         "this one reads and writes")


def long_answer():
    """Fewer sets, but with the chain's entries more than one answer is."""
    other = Site()
    d = other.first()
    t.eq(d.run("put", data).code, 0, "put")
    move_often(other.authority, d, 250, (custodyset.SPLIT, 2, [
        (os.urandom(32), "a" + chr(ord("a") + i)) for i in range(16)]))
    age(other.authority, d, 1000)
    t.eq((d.reads(data), d.json("custody", "show")["serial"]), (True, 250),
         "a device that was away for both reads")


t.run(long_chain, parts, many_sets, full_chain, long_answer)
