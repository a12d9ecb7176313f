#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The frozen vectors of custody sets and shares are what a second
implementation, in test/lib/custodyset.py, makes of spec/55-custody.md."""

import itertools
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import custodyset  # noqa: E402
from skerrytest import Tap  # noqa: E402

TOP = os.environ.get("SKERRY_TOP", ".")
t = Tap()


def path(name):
    return os.path.join(TOP, "vectors", name + ".json")


def frozen():
    for name, made in custodyset.vectors().items():
        with open(path(name)) as f:
            t.ok(json.load(f) == made, f"{name} is as frozen")


def sets_are_read():
    with open(path("custody/custody")) as f:
        for c in json.load(f)["cases"]:
            try:
                custodyset.Set(bytes.fromhex(c["bytes"]))
                is_good = True
            except custodyset.Bad:
                is_good = False
            t.eq(is_good, c["result"] == "OK", c["name"])


def receipts_are_read():
    with open(path("receipt/receipt")) as f:
        vector = json.load(f)
    for c in vector["cases"]:
        try:
            custodyset.receipt(bytes.fromhex(c["bytes"]),
                               bytes.fromhex(vector["signing"]))
            is_good = True
        except custodyset.Bad:
            is_good = False
        t.eq(is_good, c["result"] == "OK", c["name"])


def shares_join():
    with open(path("custody/shares")) as f:
        for c in json.load(f)["cases"]:
            key = c["coefficients"][0]
            shares = {i + 1: bytes.fromhex(s)
                      for i, s in enumerate(c["shares"])}
            some = itertools.islice(
                itertools.combinations(shares, c["k"]), 20)
            t.ok(all(custodyset.join({i: shares[i] for i in pick}).hex() ==
                     key for pick in some),
                 f"any {c['k']} of {c['n']} give the key")
            few = dict(list(shares.items())[:c["k"] - 1])
            t.ok(custodyset.join(few).hex() != key, "one less does not")


if sys.argv[1:] == ["--write"]:
    for name, made in custodyset.vectors().items():
        with open(path(name), "w") as f:
            json.dump(made, f, indent=1)
            f.write("\n")
else:
    t.run(frozen, sets_are_read, receipts_are_read, shares_join)
