#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An authority whose clock is forward by 40 days: what cannot be undone waits
for a day, and once the clock is right again nothing is lost."""

import json
import os
import secrets
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import Account, Authority, Keys, b64, sign_headers
from skerrytest import FAKETIME, with_clock

FORWARD = 40 * 86400
tap = skerrytest.Tap()
a = Authority()
real = a.binary


def rows(table):
    db = sqlite3.connect(a.config["database"], timeout=10)
    try:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        db.close()


def ahead():
    return skerrytest.metrics(a.metrics_port)["clock_ahead_seconds"]


def ask(acc, nonce=None, at=0):
    """A session's request of the time that the authority has."""
    body = json.dumps(acc.session_body()).encode()
    return a.send("/v1/session", body, sign_headers(
        acc.device, a.host, "/v1/session", body, nonce=nonce,
        created=int(time.time()) + at))


def jump():
    acc, phone, nonce = Account(a), Keys(), secrets.token_hex(16)
    tap.eq(acc.create().status, 200, "an account")
    tap.eq(ask(acc, nonce).status, 200, "a request")
    tap.eq(a.ask("/v1/enrolments", {
        "ed": b64(phone.ed_pub), "box": b64(phone.box_pub)},
        phone).status, 200, "an enrolment, for a day")
    a.run_command("invite", "new", "--config", a.config_file())
    a.run_command("custody", "announce", "--config", a.config_file(), "--key",
                  a.policy_key, "--mode", "standard", "--holders", "beta",
                  "--space", acc.space.hex())
    tap.ok(ask(acc).json["custody"]["announced"],
           "a set that is to be in force in 30 days")
    a.process.kill()
    a.binary = with_clock(real, "+40d")
    a.start()
    said = a.process.event("clock-ahead")
    tap.ok(said and abs(said["seconds"] - FORWARD) < 3600,
           "the log says by how much the clock is ahead")
    r = ask(acc, at=FORWARD)
    tap.eq(r.status, 200, "a request of that time")
    tap.ok(r.json["custody"]["announced"], "the set is not in force yet")
    tap.ok(abs(ahead() - FORWARD) < 3600, "metrics say so, too")
    time.sleep(1.5)
    tap.eq(ask(acc, at=FORWARD).status, 200, "and another, a second later")
    tap.eq((rows("enrolment"), rows("invitation")), (1, 1),
           "what has expired by that clock is there")
    tap.eq(a.ask("/v1/enrolments/lookup", {
        "account": acc.id.hex(), "device": phone.id.hex()}, acc.device,
        created=int(time.time()) + FORWARD).code, "NOT_FOUND",
        "if of no use")
    a.process.kill()
    a.binary = real
    a.start()
    tap.ok(a.process.event("clock-ahead") is None, "with the right time")
    tap.eq(ask(acc, nonce).code, "TAMPERED", "no nonce was forgotten")
    tap.eq(a.ask("/v1/enrolments/lookup", {
        "account": acc.id.hex(), "device": phone.id.hex()},
        acc.device).status, 200, "the enrolment is good")
    tap.ok(ask(acc).json["custody"]["announced"], "the set is announced")
    tap.eq(rows("invitation"), 1, "and the invitation is there")
    a.process.term()
    tap.eq(a.process.wait(60), 0, "ends well")


if FAKETIME is None or os.environ.get("SKERRY_SANITIZED"):
    tap.skip("the clock jumps", "no faketime, or none with sanitizers")
    tap.done()
tap.run(jump)
