#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The root key in a token: a whole life there, an installation that moves into
one, a token that is pulled out.  SoftHSM is the token, pkcs11-tool looks at it
from outside."""

import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import Account, Authority, head, unb64

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, LABEL = "4711-0815-secret", "skerry test"

tap = skerrytest.Tap()
if not (os.path.exists(MODULE) and shutil.which("softhsm2-util")
        and shutil.which("pkcs11-tool")):
    tap.skip("a token", "no SoftHSM, or no pkcs11-tool")
    tap.done()


class Token:
    def __init__(self):
        self.dir = skerrytest.folder()
        self.tokens = os.path.join(self.dir, "tokens")
        self.conf = os.path.join(self.dir, "softhsm2.conf")
        self.pin = os.path.join(self.dir, "pin")
        os.mkdir(self.tokens)
        with open(self.conf, "w") as f:
            f.write(f"directories.tokendir = {self.tokens}\n"
                    "objectstore.backend = file\nlog.level = ERROR\n")
        with open(self.pin, "w") as f:
            f.write(PIN + "\n")
        os.environ["SOFTHSM2_CONF"] = self.conf
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label",
                        LABEL, "--pin", PIN, "--so-pin", "12345678"],
                       check=True, capture_output=True)

    def objects(self):
        """Label -> what pkcs11-tool says of the secret key."""
        out = subprocess.run(
            ["pkcs11-tool", "--module", MODULE, "--token-label", LABEL,
             "--login", "--pin", PIN, "--list-objects", "--type", "secrkey"],
            check=True, capture_output=True, text=True).stdout
        found = {}
        for part in out.split("Secret Key Object")[1:]:
            label = next(x.split(":")[1].strip() for x in part.splitlines()
                         if x.strip().startswith("label:"))
            found[label] = part
        return found

    def unplug(self):
        self.kept = [os.path.join(self.tokens, x)
                     for x in os.listdir(self.tokens)]
        for x in self.kept:
            os.rename(x, os.path.join(self.dir, os.path.basename(x)))

    def plug(self):
        for x in self.kept:
            os.rename(os.path.join(self.dir, os.path.basename(x)), x)

    def options(self, key):
        return ["--module", MODULE, "--token", LABEL, "--pin-file", self.pin,
                "--key", key, "--paths", f"{self.tokens}:{self.conf}"]

    def config(self, name, **more):
        return {"module": MODULE, "token": LABEL, "pin_file": self.pin,
                "key": name, "paths": [self.tokens, self.conf], **more}


token = Token()
a = Authority()
first = Account(a)


def fails(config, want, *words, name):
    """A service under this configuration ends with status and words."""
    old, a.config = a.config, config
    p = skerrytest.Process([a.binary, "run", "--config", a.config_file()])
    code = p.wait(60)
    a.config = old
    tap.eq(code, want, f"{name}: status {want}")
    tap.ok(all(w in p.raw for w in words), f"{name}: says why")
    tap.ok(PIN not in p.raw and "wrong-pin" not in p.raw,
           f"{name}: without the PIN")
    if not all(w in p.raw for w in words):
        tap.note(p.raw)


def serves(account):
    return skerrytest.wait_for(lambda: account.session().status == 200)


def before():
    tap.eq(first.create().status, 200, "an account under a keyfile")
    tap.eq(first.put_head(0, head(1)).status, 200, "and its head")
    tap.eq(first.open_release(first.session()), first.space_key,
           "which a session opens")
    a.process.term()
    tap.eq(a.process.wait(), 0, "the service ends")


def migrates():
    global slots, plain
    slots = a.files()
    with open(a.config["keyfile"], "rb") as f:
        old = f.read()
    r = a.run_command("migrate", "--config", a.config_file(),
                      *token.options("moved"))
    with open(a.config["keyfile"], "rb") as f:
        new = f.read()
    tap.ok("keystore: pkcs11" in r.stdout and "passphrase_file" in r.stdout,
           "migrate says what to put into the configuration")
    tap.ok(PIN not in r.stdout + r.stderr, "and does not say the PIN")
    tap.ok(len(new) == 188 and new[0] == 2 and old[-112:] not in new,
           "the keyfile holds no root key")
    tap.eq(os.stat(a.config["keyfile"]).st_mode & 0o777, 0o600,
           "and is its owner's alone")
    tap.ok(not os.path.exists(a.config["keyfile"] + ".new"),
           "nothing is left over")
    tap.ok(a.files() == slots, "no byte of the database was touched")
    o = token.objects()["moved"]
    tap.ok("AES length 32" in o and "sensitive" in o
           and "extractable" not in o, "the key in the token stays there")
    r = a.run_command("migrate", "--config", a.config_file(),
                      *token.options("moved"), want=3)
    tap.ok("in a token" in r.stderr, "a second time it says so")
    # The old configuration does not open the new keyfile, and says why.
    fails(a.config, 3, "keystore: pkcs11", name="the old configuration")
    a.config["keystore"] = "pkcs11"
    a.config["pkcs11"] = token.config("moved")
    fails(a.config, 3, "passphrase_file", name="a passphrase and a token")
    del a.config["passphrase_file"]
    out = json.loads(a.run_command("public", "--config",
                                   a.config_file()).stdout)
    tap.eq(out, a.public, "the public keys are the same")
    a.run_command("check-config", "--config", a.config_file())
    tap.ok(True, "check-config opens the token")


def after():
    a.start()
    tap.eq(first.open_release(first.session()), first.space_key,
           "the old account's session works")
    tap.eq(first.put_head(1, head(2)).status, 200, "its head moves")
    other = Account(a)
    tap.eq(other.create().status, 200, "a new account is admitted")
    tap.eq(other.open_release(other.session()), other.space_key,
           "and its key released")
    with open(f"/proc/{a.roles()['keys']}/status") as f:
        status = f.read()
    tap.ok("NoNewPrivs:\t1" in status, "keys is confined")
    if not os.environ.get("SKERRY_SANITIZED"):
        tap.ok("Seccomp:\t2" in status, "and its calls filtered")


def unplugged():
    pid = a.roles()["keys"]
    token.unplug()
    r = first.session()
    tap.eq((r.status, r.code), (503, "AUTHORITY"), "without the token: 503")
    tap.ok("token" in r.json["error"]["text"], "and the text names it")
    r = Account(a).create()
    tap.eq((r.status, r.code), (503, "AUTHORITY"), "no account is made")
    tap.eq(first.put_head(2, head(3)).status, 200,
           "what needs no key goes on")
    lost = a.process.wait_event("keystore-lost")
    tap.ok(lost is not None and lost["level"] == "error"
           and "token" in lost["text"], "the log says it")
    tap.eq(sum(x.get("event") == "keystore-lost" for x in a.process.lines),
           1, "once")
    token.plug()
    tap.ok(serves(first), "with the token again it serves")
    tap.eq(first.open_release(first.session()), first.space_key,
           "the same key")
    tap.ok(a.process.wait_event("keystore-back") is not None,
           "the log says so")
    tap.eq(a.roles()["keys"], pid, "in the same process")


def killed_and_unplugged():
    """keys dies while the token is away: it comes back with it."""
    token.unplug()
    os.kill(a.roles()["keys"], 9)
    time.sleep(0.5)
    tap.eq(first.session().status, 503, "keys is dead and the token away")
    token.plug()
    tap.ok(serves(first), "both are back")


def wrong():
    a.process.term()
    tap.eq(a.process.wait(), 0, "SIGTERM ends it")
    tap.ok(PIN not in a.process.raw, "the PIN is in no line of the log")
    bad = os.path.join(token.dir, "bad")
    with open(bad, "w") as f:
        f.write("wrong-pin\n")

    def with_token(**more):
        return {**a.config, "pkcs11": token.config("moved", **more)}
    fails(with_token(pin_file=bad), 6, "wrong PIN", "CKR_PIN_INCORRECT",
          name="a wrong PIN")
    fails(with_token(token="nobody"), 12, "nobody", "plugged in",
          name="no such token")
    fails(with_token(key="nobody"), 3, "no AES key nobody",
          name="no such key")
    fails(with_token(module="/nonexistent.so"), 3, "module",
          name="no such module")
    fails(with_token(iv="token"), 3, "nonce",
          name="a nonce that the token does not make")
    fails(with_token(paths=["/nonexistent"]), 3, "/nonexistent",
          name="a path that is not there")
    token.unplug()
    fails(with_token(), 12, "plugged in", name="started without the token")
    token.plug()
    r = a.run_command("check-config", "--config", a.config_file())
    tap.eq(r.returncode, 0, "the right configuration is still right")
    for change, what in ((dict(slot=1), "either token or slot"),
                         (dict(mechanism="des"), "mechanism"),
                         (dict(iv="none"), "iv"),
                         (dict(mechanism="aes-key-wrap-pad", iv="token"),
                          "has none"),
                         (dict(sockets="all"), "sockets"),
                         (dict(id="xyz"), "hex"),
                         (dict(paths=["relative"]), "not absolute"),
                         (dict(colour="red"), "colour")):
        old, a.config = a.config, with_token(**change)
        r = a.run_command("check-config", "--config", a.config_file(),
                          want=3)
        a.config = old
        tap.ok(what in r.stderr, f"refuses {change}")
    old, a.config = a.config, {k: v for k, v in a.config.items()
                               if k != "keystore"}
    r = a.run_command("check-config", "--config", a.config_file(), want=3)
    a.config = old
    tap.ok("keystore: pkcs11" in r.stderr, "pkcs11 without keystore")


def made_in_the_token(key, mechanism):
    """init makes the key there; a whole life under it."""
    where = os.path.join(a.dir, key)
    args = ["init", "--dir", where, "--name", "alpha", "--jurisdiction", "ch",
            "--url", "https://" + a.host]
    opts = token.options(key) + ["--mechanism", mechanism]
    public = json.loads(a.run_command(*args, *opts).stdout)
    o = token.objects()[key]
    tap.ok("never extractable" in o and "always sensitive" in o,
           f"{mechanism}: the key was never outside of the token")
    with open(os.path.join(where, "authority.yaml")) as f:
        text = f.read()
    tap.ok("keystore: pkcs11" in text and PIN not in text,
           f"{mechanism}: the configuration names the token, not the PIN")
    r = a.run_command(*args[:2], where + "-2", *args[3:], *opts, want=21)
    tap.ok(key in r.stderr, f"{mechanism}: no second key of that name")
    a.public, a.intake = public, unb64(public["intake"])
    a.signing = unb64(public["signing"])
    a.sign_policy(a.policy(), name=f"policy-{key}.txt")
    a.config.update(
        policy=os.path.join(a.where, f"policy-{key}.txt"),
        keyfile=os.path.join(where, "keyfile"),
        database=os.path.join(where, "db", "authority.sqlite"),
        pkcs11=token.config(key, mechanism=mechanism))
    a.start()
    acc = Account(a)
    tap.eq(acc.create().status, 200, f"{mechanism}: an account")
    tap.eq(acc.open_release(acc.session()), acc.space_key,
           f"{mechanism}: its key is released")
    tap.ok(acc.space_key not in a.files(),
           f"{mechanism}: and not in the database")
    token.unplug()
    tap.eq(acc.session().status, 503, f"{mechanism}: unplugged")
    token.plug()
    tap.ok(serves(acc), f"{mechanism}: and back")
    a.process.term()
    tap.eq(a.process.wait(), 0, f"{mechanism}: SIGTERM ends it")
    tap.ok(PIN not in a.process.raw, f"{mechanism}: no PIN in the log")


def gcm():
    made_in_the_token("made-gcm", "aes-gcm")


def key_wrap():
    made_in_the_token("made-kwp", "aes-key-wrap-pad")


def usage():
    for args, what in ((["--passphrase-file", "/dev/null"], "either"),
                       (["--mechanism", "des"], "mechanism"),
                       (["--slot", "x"], "--slot")):
        r = a.run_command("init", "--dir", os.path.join(a.dir, "none"),
                          "--name", "x", "--jurisdiction", "ch", "--url",
                          "https://x", *token.options("none"), *args, want=2)
        tap.ok(what in r.stderr, f"init refuses {args[0]}")
    tap.ok(not os.path.exists(os.path.join(a.dir, "none")),
           "and makes nothing")


tap.run(before, migrates, after, unplugged, killed_and_unplugged, wrong, gcm,
        key_wrap, usage)
