#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who is let in, by tokens made with another implementation of PASETO."""

import email.utils
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import (Depot, Signer, Tap, digest, new_id,  # noqa: E402
                        wait_for)

t = Tap()
d = Depot()
O, BODY = new_id(), b"sealed" * 1000


def now():
    return int(time.time())


def cap(**changes):
    return d.signer.capability(d.prefix, **changes)


def get(token):
    return d.request("GET", d.path(O), token=token)


def refused(token, status, code, name):
    r = get(token)
    t.eq((r.status, r.code), (status, code), name)
    return r


def tokens():
    d.put(O, BODY)
    t.eq(get(cap()).status, 200, "a good token")
    t.eq(get(cap()).status, 200, "and once more")
    refused(None, 401, "unauthenticated", "no token")
    r = refused("x", 401, "unauthenticated", "not a token")
    t.eq(r.headers["WWW-Authenticate"], "Bearer", "says what is wanted")
    good = cap()
    refused(good[:-1], 401, "unauthenticated", "truncated")
    refused(good + "A", 401, "unauthenticated", "extended")
    refused(good + ".Zm9v", 401, "unauthenticated", "with a footer")
    refused("v4.local." + good[10:], 401, "unauthenticated", "v4.local")
    flipped = good[:40] + ("A" if good[40] != "A" else "B") + good[41:]
    refused(flipped, 401, "unauthenticated", "altered")
    refused(Signer().capability(d.prefix), 401, "unauthenticated",
            "signed by another")
    refused(cap(depot="elsewhere"), 403, "denied", "for another depot")
    refused(d.signer.capability(new_id()), 403, "denied",
            "for another prefix")
    refused("v4.public." + "A" * 2100, 401, "unauthenticated", "too long")
    for field in ("Basic " + good, good, "Bearer  " + good, "Bearer"):
        r = d.request("GET", d.path(O), token=None, Authorization=field)
        t.eq(r.status, 401, "Authorization: " + field[:12])


def payloads():
    refused(cap(v=2), 401, "unauthenticated", "another version")
    refused(cap(more=1), 401, "unauthenticated", "a member too many")
    refused(cap(verbs=[]), 401, "unauthenticated", "no verbs")
    refused(cap(verbs=["get", "get"]), 401, "unauthenticated", "verb twice")
    refused(cap(verbs=["GET"]), 401, "unauthenticated", "unknown verb")
    refused(cap(quota=-1), 401, "unauthenticated", "negative quota")
    refused(cap(quota=True), 401, "unauthenticated", "quota not a number")
    refused(cap(exp=now() + 3600.5), 401, "unauthenticated", "fraction")
    refused(d.signer.token(b"[]"), 401, "unauthenticated", "not an object")
    refused(d.signer.token(b"\xff"), 401, "unauthenticated", "not text")
    refused(d.signer.capability(d.prefix.upper()), 401, "unauthenticated",
            "upper-case prefix")


def times():
    r = refused(cap(nbf=now() - 100, exp=now() - 61), 401, "expired",
                "expired")
    date = email.utils.parsedate_to_datetime(r.headers["Date"])
    t.ok(abs(date.timestamp() - time.time()) < 60, "with the depot's Date")
    t.eq(get(cap(nbf=now() - 100, exp=now() - 30)).status, 200,
         "expired within the tolerance")
    refused(cap(nbf=now() + 100), 401, "expired", "not good yet")
    t.eq(get(cap(nbf=now() + 40)).status, 200,
         "not good yet within the tolerance")
    # A token that was good is not good for ever, though it is remembered.
    for left in (3, 10, 50):  # a busy machine may come too late with it
        token = cap(nbf=now() - 200, exp=now() - 60 + left)
        if get(token).status == 200:
            break
    t.ok(wait_for(lambda: get(token).status != 200, 120), "good, and then not")
    refused(token, 401, "expired", "as it has expired")


def verbs():
    def status(method, path, verb, body=None, **f):
        token = cap(verbs=verb)
        return d.request(method, path, body, token=token, **f).status

    p, head = d.path(O), f"/v1/{d.prefix}/head"
    new = {"If_None_Match": "*", "Content_Digest": digest(BODY)}
    h = b"\1" + bytes(7) + (1).to_bytes(8, "big") + bytes(268)
    others = {"get": ["put", "list", "delete"],
              "put": ["get", "list", "delete"],
              "list": ["get", "put", "delete"],
              "delete": ["get", "put", "list"]}
    for verb, method, path, body, f, want in (
            ("get", "GET", p, None, {}, 200),
            ("get", "HEAD", p, None, {}, 200),
            ("put", "PUT", d.path(new_id()), BODY, new, 201),
            ("list", "GET", f"/v1/{d.prefix}", None, {}, 200),
            ("put", "PUT", head, h, {"Content_Digest": digest(h)}, 204),
            ("get", "GET", head, None, {}, 200),
            ("delete", "DELETE", p, None, {}, 204)):
        what = f"{method} {path.replace(d.prefix, '{p}')[:12]}"
        t.eq(status(method, path, others[verb], body, **f), 403,
             f"{what} without {verb}")
        t.eq(status(method, path, [verb], body, **f), want,
             f"{what} with {verb}")


def log():
    d.process.term()
    t.eq(d.process.wait(), 0, "exits with 0")
    t.ok("v4." not in d.process.raw, "no token in the log")
    t.ok("127.0.0.1" not in d.process.raw, "no address in the log")


t.run(tokens, payloads, times, verbs, log)
