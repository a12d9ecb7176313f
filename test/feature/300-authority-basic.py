#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole life of an account, by an independent client."""

import base64
import json
import hashlib
import os
import secrets
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from cryptography.hazmat.primitives.asymmetric import ed25519

import skerrytest
from authoritytest import (ADD, RECOVERY, REVOKE, Account, Authority, Keys,
                           b64, head, hpke_open, hpke_seal, unb64)

tap = skerrytest.Tap()
a = Authority()
acc = Account(a)
phone, laptop = Keys(), Keys()


def commands():
    out = json.loads(a.run_command("public", "--config",
                                   a.config_file()).stdout)
    tap.eq(out, a.public, "public prints what init printed")
    a.run_command("check-config", "--config", a.config_file())
    tap.ok(True, "check-config takes the configuration")
    show = a.run_command("policy", "show", a.config["policy"]).stdout
    tap.ok(a.pin in show and "madrid" in show, "policy show shows it")
    tap.ok("skerry-authority 0." in a.run_command("--version").stdout,
           "--version")
    for args, says in ((["request"], "request: enter, state or list is wanted"),
                       (["invite", "x"], "invite x: new, list or withdraw is"),
                       (["custody"], "custody: announce is wanted"),
                       (["x"], "x: no such command")):
        r = a.run_command(*args, want=2)
        tap.ok(says in r.stderr, says)
    for name in ("init", "run", "public", "check-config", "policy"):
        tap.ok(name in a.run_command(name, "--help").stdout, f"{name} --help")
    r = a.run_command("policy", "nonsense", want=2)
    tap.ok("policy nonsense: " in r.stderr, "a wrong command is named")
    r = a.run_command("policy", "show", a.config_file(), want=7)
    tap.ok(a.config_file() + ": " in r.stderr, "and what is no policy")
    r = a.run_command("init", "--dir", want=2)
    tap.ok("--dir wants a value" in r.stderr, "wrong usage is status 2")


def account():
    r = acc.create()
    tap.eq((r.status, r.json), (200, {}), "an account is made")
    tap.eq(acc.create().json, {}, "and made again with the same request")
    other = Account(a)
    other.body["account"] = acc.id.hex()
    first = other.device.entry(ADD, 0, bytes(32), acc.id, other.device)
    other.body["chain"][0] = b64(first)
    tap.eq(other.create().code, "EXISTS", "another of that id is refused")


def session():
    r = acc.session(seen=0)
    tap.eq(r.status, 200, "a session")
    tap.eq(acc.open_release(r), acc.space_key, "releases the space key")
    tap.eq(sorted(r.json), ["chain", "chain_length", "custody", "depot", "head", "keys",
                            "lease", "now"], "has the members of the spec")
    tap.eq([unb64(e) for e in r.json["chain"]], acc.chain, "the chain")
    tap.eq((r.json["chain_length"], r.json["lease"], r.json["head"]),
           (2, 43200, None), "length, lease, no head")
    tap.eq(acc.session(seen=2).json["chain"], [], "no entry twice")
    token = r.json["depot"]["capability"]
    signed = base64.urlsafe_b64decode(token[10:] + "==")
    payload, sig = signed[:-64], signed[-64:]
    ed25519.Ed25519PublicKey.from_public_bytes(a.signing).verify(
        sig, skerrytest.Signer.pae(b"v4.public.", payload, b"", b""))
    cap = json.loads(payload)
    tap.eq((cap["depot"], cap["prefix"], sorted(cap["verbs"])),
           ("madrid", r.json["depot"]["prefix"], ["get", "list", "put"]),
           "a writer's capability for the depot")
    tap.eq(cap["exp"], r.json["now"] + r.json["lease"], "for the lease")
    tap.eq(r.json["depot"]["name"], "madrid", "named")
    tap.eq(acc.session().json["depot"]["prefix"], cap["prefix"],
           "the prefix stays")


def heads():
    h1, h2 = head(1), head(2)
    tap.eq(acc.put_head(0, h1).json, {"number": 1}, "the first head")
    tap.eq(acc.put_head(0, h1).json, {"number": 1}, "and once more")
    tap.eq(unb64(acc.session().json["head"]), h1, "is what a session shows")
    r = acc.put_head(0, head(1))
    tap.eq((r.status, r.code), (409, "CONFLICT"), "another first is refused")
    tap.eq(unb64(r.json["head"]), h1, "with the current one")
    tap.eq(acc.put_head(5, head(6)).code, "CONFLICT", "and one too high")
    tap.eq(acc.put_head(1, head(3)).code, "MALFORMED",
           "number is not expect + 1")
    tap.eq(acc.put_head(1, head(2, epoch=2)).code, "DENIED",
           "no such epoch")
    bad = b"\2" + h2[1:]
    tap.eq(acc.put_head(1, bad).code, "VERSION", "no such version")
    tap.eq(acc.put_head(1, h2).json, {"number": 2}, "the second head")
    other = Account(a)
    other.create()
    r = other.put_head(4, head(5))
    tap.eq((r.code, r.json["head"]), ("CONFLICT", None),
           "conflict without a head")


def enrolment():
    body = {"ed": b64(phone.ed_pub), "box": b64(phone.box_pub)}
    r = a.ask("/v1/enrolments", body, phone)
    tap.ok(r.json["expires"] > 0, "a device asks to be let in")
    tap.eq(a.ask("/v1/enrolments", body, phone).json, r.json, "and again")
    tap.eq(a.ask("/v1/enrolments", body, laptop).code, "DENIED",
           "but not for others")
    look = {"account": acc.id.hex(), "device": phone.id.hex()}
    tap.eq(a.ask("/v1/enrolments/lookup", look, acc.device).json, body,
           "a device sees its keys")
    look["device"] = secrets.token_hex(16)
    tap.eq(a.ask("/v1/enrolments/lookup", look, acc.device).code,
           "NOT_FOUND", "an unknown one is not found")


def devices():
    tap.eq(acc.session(device=phone).code, "DENIED", "no session before")
    e = acc.next_entry(ADD, phone)
    tap.eq(acc.add_entry(e).json, {"seq": 2}, "a device lets it in")
    tap.eq(acc.add_entry(e, seen=2).json, {"seq": 2}, "and again")
    r = acc.session(device=phone, seen=0)
    tap.eq(acc.open_release(r, phone), acc.space_key, "it gets the key")
    tap.eq(acc.put_head(2, head(3), phone).json, {"number": 3},
           "and moves the head")
    e = acc.next_entry(ADD, laptop, signer=acc.recovery)
    tap.eq(acc.add_entry(e, signer=acc.recovery, seen=2).code, "CONFLICT",
           "who has not seen all entries is told")
    r = acc.add_entry(e, signer=acc.recovery, seen=2)
    tap.eq([unb64(x) for x in r.json["chain"]], acc.chain[2:], "which")
    tap.eq(acc.add_entry(e, signer=acc.recovery).json, {"seq": 3},
           "the recovery key lets one in")
    tap.eq(acc.open_release(acc.session(laptop), laptop), acc.space_key,
           "it gets the key too")
    e = acc.next_entry(ADD, Keys(), signer=phone)
    tap.eq(acc.add_entry(e, signer=laptop).code, "DENIED",
           "an entry is sent by its signer")
    stranger = Keys()
    e = acc.next_entry(ADD, Keys(), signer=stranger)
    tap.eq(acc.add_entry(e, signer=stranger).code, "DENIED",
           "a stranger lets nobody in")
    e = acc.next_entry(ADD, phone)
    tap.eq(acc.add_entry(e).code, "DENIED", "nobody is let in twice")


def revoke():
    e = acc.next_entry(REVOKE, phone)
    tap.eq(acc.add_entry(e).json, {"seq": 4}, "a device is revoked")
    tap.eq(acc.session(phone).code, "DENIED", "and denied at once")
    tap.eq(acc.put_head(3, head(4), phone).code, "DENIED", "its head, too")
    tap.eq(a.ask("/v1/account", {"device": phone.id.hex(), "chain_seen": 0},
                 phone).code, "DENIED", "and what it may ask otherwise")
    tap.eq(acc.add_entry(e).json, {"seq": 4}, "revoking again is the same")


def recovery():
    r = a.ask("/v1/account", {"device": acc.recovery.id.hex(),
                              "chain_seen": 0}, acc.recovery)
    tap.eq(r.json["account"], acc.id.hex(), "the recovery key finds all")
    tap.eq([unb64(x) for x in r.json["chain"]], acc.chain, "the chain")
    tap.eq(r.json["spaces"], [{"space": acc.space.hex(), "residency": "es",
                               "depot": "madrid"}], "the spaces")
    body = {"account": acc.id.hex(), "space": acc.space.hex()}
    r = a.ask("/v1/recovery", body, acc.recovery)
    slot = unb64(r.json["keyslots"][0]["blob"])
    aad = acc.id + acc.space + struct.pack(">I", 1)
    tap.eq(hpke_open(acc.recovery.box, b"skerry recovery v1",
                                   aad, slot),
           acc.space_key, "and the keyslot that it opens")
    tap.eq(a.ask("/v1/recovery", body, acc.device).code, "DENIED",
           "not for a device")
    tap.eq(acc.session(acc.recovery).code, "DENIED",
           "nothing is released to the recovery key")
    tap.eq(acc.put_head(3, head(4), acc.recovery).code, "DENIED",
           "and it moves no head")


def stored():
    files = a.files()
    tap.ok(len(files) > 4096, "there is a database")
    for form in (acc.space_key, acc.space_key.hex().encode(),
                 base64.b64encode(acc.space_key)):
        tap.ok(form not in files, "the space key is not in it")
    tap.ok(acc.space in files, "(what is there is found)")


def epochs():
    """A second epoch, and the end of the first."""
    key = secrets.token_bytes(32)
    aad = acc.id + acc.space + struct.pack(">I", 2)

    def body(epoch=2, kinds=("authority", "recovery"), custody=1):
        blob = {"authority": lambda: hpke_seal(
                    a.intake, b"skerry admit v1", aad, key),
                "recovery": lambda: hpke_seal(
                    acc.recovery.box_pub, b"skerry recovery v1", aad, key)}
        return {"space": acc.space.hex(), "epoch": epoch,
                "custody": custody, "keyslots": [
            {"epoch": epoch, "kind": k, "blob": b64(blob[k]())}
            for k in kinds]}

    def destroy(epoch):
        return a.ask("/v1/epochs/destroy", {
            "space": acc.space.hex(), "epoch": epoch}, acc.device)

    tap.eq(a.ask("/v1/epochs", body(1002), acc.device).code, "CONFLICT",
           "a number that is far from the latest is none")
    tap.eq(a.ask("/v1/epochs", body(1), acc.device).code, "CONFLICT",
           "nor begun again")
    tap.eq(a.ask("/v1/epochs", body(custody=2), acc.device).code, "CONFLICT",
           "nor be for another custody")
    tap.eq(a.ask("/v1/epochs", body(kinds=["authority"]), acc.device).code,
           "DENIED", "nor be without a recovery keyslot")
    tap.eq(a.ask("/v1/epochs", body(kinds=["recovery"]), acc.device).code,
           "MALFORMED", "nor be without another")
    tap.eq(a.ask("/v1/epochs", body(), acc.recovery).code, "DENIED",
           "a recovery key begins none")
    tap.eq(acc.put_head(3, head(4, 2)).code, "DENIED",
           "a head of an epoch that is not there is not taken")
    second = body()
    tap.eq(a.ask("/v1/epochs", second, acc.device).json, {}, "epoch 2")
    tap.eq(a.ask("/v1/epochs", second, acc.device).json, {}, "asked again")
    tap.eq(a.ask("/v1/epochs", body(), acc.device).code, "CONFLICT",
           "another with its number")
    r = acc.session()
    tap.eq([k["epoch"] for k in r.json["keys"]], [1, 2],
           "both are released")
    tap.eq(acc.open_release(r), acc.space_key, "the first")
    r.json["keys"].pop(0)
    tap.eq(acc.open_release(r), key, "and the second")
    r = a.ask("/v1/recovery", {"account": acc.id.hex(),
                               "space": acc.space.hex()}, acc.recovery)
    tap.eq(hpke_open(acc.recovery.box, b"skerry recovery v1", aad,
                     unb64(r.json["keyslots"][1]["blob"])), key,
           "the code opens the second as well")
    tap.eq(destroy(1).code, "DENIED", "the head's epoch is not destroyed")
    tap.eq(destroy(2000).code, "NOT_FOUND", "nor one that is not there")
    nothing = unb64(destroy(3).json["receipt"])
    tap.eq(nothing[32:64], hashlib.sha256().digest(),
           "the next number is used up, and a receipt says: for nothing")
    tap.eq(a.ask("/v1/epochs", body(3), acc.device).code, "CONFLICT",
           "so that whoever has begun it elsewhere does not go on here")
    tap.eq(acc.put_head(3, head(4, 2)).json, {"number": 4}, "the head moves")
    tap.eq(acc.put_head(4, head(5, 1)).code, "DENIED", "and not back")
    kept = a.secrets(acc.space)
    tap.eq(sorted(kept), [1, 2], "there are two secrets outside the database")
    r = destroy(1)
    receipt = unb64(r.json["receipt"])
    ed25519.Ed25519PublicKey.from_public_bytes(a.signing).verify(
        receipt[64:], b"skerry receipt v1\0" + receipt[:64])
    tap.eq(receipt[:24], struct.pack(">BBHI", 1, 1, 0, 1) + acc.space,
           "the receipt says what was destroyed")
    tap.eq(destroy(1).json["receipt"], b64(receipt), "again: the same one")
    tap.eq(sorted(a.secrets(acc.space)), [2], "one secret is left")
    files = a.files()
    tap.ok(kept[1] not in files, "and the database never had the other")
    r = acc.session()
    tap.eq([k["epoch"] for k in r.json["keys"]], [2], "one is released")
    tap.eq(destroy(2).code, "DENIED", "the last one stays")
    acc.space_key = key


def another_recovery_key():
    """Its keyslots come with the entry that brings it into force."""
    old, next_key, aad = acc.recovery, Keys(), acc.id + acc.space
    asked = {"account": acc.id.hex(), "space": acc.space.hex()}

    def sealed(to, epoch, key):
        return b64(hpke_seal(to.box_pub, b"skerry recovery v1",
                             aad + struct.pack(">I", epoch), key))

    def slot(epoch=2, **more):
        return {"space": acc.space.hex(), "epoch": epoch, "kind": "recovery",
                "blob": sealed(next_key, epoch, acc.space_key), **more}

    def epoch(number, to, **more):
        return a.ask("/v1/epochs", {
            "space": acc.space.hex(), "epoch": number, "custody": 1,
            "keyslots": [
                {"epoch": number, "kind": "authority", "blob": b64(hpke_seal(
                    a.intake, b"skerry admit v1",
                    aad + struct.pack(">I", number), acc.space_key))},
                {"epoch": number, "kind": "recovery",
                 "blob": sealed(to, number, acc.space_key), **more}]},
            acc.device)

    def destroy(number):
        return a.ask("/v1/epochs/destroy", {
            "space": acc.space.hex(), "epoch": number}, acc.device).code

    def opens(keys):
        slots = a.ask("/v1/recovery", asked, keys).json["keyslots"]
        return [hpke_open(keys.box, b"skerry recovery v1",
                          aad + struct.pack(">I", s["epoch"]),
                          unb64(s["blob"])) == acc.space_key for s in slots]

    e = acc.next_entry(REVOKE, old)
    tap.eq(acc.add_entry(e).code, "DENIED", "the only one is not revoked")
    tap.eq(acc.add_entry(e, keyslots=[slot()]).code, "DENIED",
           "whatever comes with that")
    e = acc.next_entry(RECOVERY, next_key)
    tap.eq(acc.add_entry(e, keyslots=[slot()]).code, "DENIED",
           "a second one brings no keyslots")
    tap.eq(acc.add_entry(e).code, "OK", "and is let in")
    spare = Keys()
    acc.add_entry(acc.next_entry(RECOVERY, spare))
    e = acc.next_entry(REVOKE, spare)
    tap.eq(acc.add_entry(e, keyslots=[slot()]).code, "DENIED",
           "nor does the end of one that is not in force")
    tap.eq(acc.add_entry(e).code, "OK", "which goes by itself")
    tap.eq(opens(old), [True], "until then the first one opens all")

    e = acc.next_entry(REVOKE, old)
    tap.eq(acc.add_entry(e).code, "DENIED", "its end wants keyslots")
    for bad in ([], [slot(1)], [slot(), slot(3)], [slot(), slot()],
                [slot(space=bytes(16).hex())]):
        tap.eq(acc.add_entry(e, keyslots=bad).code, "CONFLICT",
               "those of the live epochs, no other")
    for bad in ([slot(kind="device")], [slot(blob="")], [slot(index=1)], [1]):
        tap.eq(acc.add_entry(e, keyslots=bad).code, "MALFORMED", "of its form")
    tap.eq(opens(old), [True], "nothing of that was taken")
    tap.eq(epoch(4, next_key, device=next_key.id.hex()).code, "CONFLICT",
           "no epoch is begun for one that is not in force")
    tap.eq(epoch(4, old, device=old.id.hex()).code, "OK", "but for that")
    tap.eq(acc.add_entry(e, keyslots=[slot()]).code, "CONFLICT",
           "an epoch that was begun meanwhile wants one, too")
    tap.eq(acc.add_entry(e, keyslots=[slot(4), slot()]).code, "OK", "there")
    tap.eq(acc.add_entry(e, seen=7, keyslots=[slot()]).code, "OK",
           "again: the same")
    tap.eq(opens(next_key), [True, True], "now the next one opens all")
    tap.eq(a.ask("/v1/recovery", asked, old).code, "DENIED",
           "and the first may ask for nothing")
    tap.eq(destroy(4), "OK", "(an end)")
    tap.eq((epoch(5, old).code, epoch(5, old, device=old.id.hex()).code),
           ("CONFLICT", "CONFLICT"), "who does not know it begins no epoch")
    tap.eq(epoch(5, next_key, device=next_key.id.hex()).code, "OK",
           "who does begins one")
    tap.eq(destroy(5), "OK", "(an end)")
    acc.recovery = next_key


def revokes_itself():
    """The answer may be lost: only that request is answered again."""
    tablet, n = Keys(), len(acc.chain)
    acc.add_entry(acc.next_entry(ADD, tablet))
    other = acc.next_entry(ADD, Keys(), tablet)
    tap.eq(acc.add_entry(other, tablet).json, {"seq": n + 1},
           "a device lets another in")
    e = acc.next_entry(REVOKE, tablet, tablet)
    tap.eq(acc.add_entry(e, tablet).json, {"seq": n + 2}, "and revokes itself")
    r = acc.add_entry(e, tablet)
    tap.eq((r.json, len(r.log["proofs"])), ({"seq": n + 2}, 1),
           "which it is told again")
    tap.eq(acc.add_entry(e, tablet, seen=0).json, {"seq": n + 2},
           "whatever it has seen")
    for what, entry in (("what it did before", other),
                        ("anything new", acc.next_entry(ADD, Keys(), tablet)),
                        ("its end once more",
                         acc.next_entry(REVOKE, tablet, tablet))):
        r = acc.add_entry(entry, tablet, seen=0)
        tap.eq((r.code, "chain" in r.json), ("DENIED", False), f"not {what}")
    tap.eq(a.ask("/v1/account", {"device": tablet.id.hex(), "chain_seen": 0},
                 tablet).code, "DENIED", "nor what else it asks")


def drains():
    a.process.term()
    tap.eq(a.process.wait(), 0, "SIGTERM ends it")
    log = a.process.raw
    tap.ok(acc.id.hex() not in log and acc.device.id.hex() not in log
           and "127.0.0.1" not in log, "the log names nobody")
    a.start()
    tap.eq(acc.session().json["chain_length"], 12, "all is there again")


tap.run(commands, account, session, heads, enrolment, devices, revoke,
        recovery, stored, epochs, another_recovery_key,
        revokes_itself, drains)
