#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the authority does not do: bad signatures, bodies, policies, rights."""

import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import skerrytest
from authoritytest import (ADD, Account, Authority, Keys, b64, head,
                           sign_headers)

tap = skerrytest.Tap()
a = Authority(threads=2)
acc = Account(a)
acc.create()
PATH = "/v1/session"
BODY = json.dumps(acc.session_body()).encode()


def sent(body=BODY, path=PATH, change=None, **sign):
    h = sign_headers(acc.device, a.host, path, body, **sign)
    if change:
        change(h)
    return a.send(path, body, h)


def codes(r):
    return r.status, r.code


def signatures():
    tap.eq(codes(sent()), (200, "OK"), "a good request")
    nonce = secrets.token_hex(16)
    tap.eq(codes(sent(nonce=nonce)), (200, "OK"), "with a nonce")
    tap.eq(codes(sent(nonce=nonce)), (401, "TAMPERED"), "used once only")
    for days in (-1, 1):
        r = sent(created=int(time.time()) + days * 86400)
        tap.eq(codes(r), (401, "CLOCK"), "made at another time")
        tap.ok(abs(r.json["now"] - time.time()) < 60, "and told the time")
    h = sign_headers(acc.device, a.host, PATH, BODY)
    tap.eq(codes(a.send(PATH, BODY + b" ", h)), (401, "TAMPERED"),
           "another body than was signed")
    tap.eq(codes(a.send("/v1/head", BODY, h)), (401, "TAMPERED"),
           "another path than was signed")
    h = sign_headers(acc.device, "elsewhere:443", PATH, BODY)
    tap.eq(codes(a.send(PATH, BODY, h)), (401, "TAMPERED"),
           "another authority than was signed")

    def other_key(h):
        h["Signature"] = sign_headers(Keys(), a.host, PATH,
                                      BODY)["Signature"]
    tap.eq(codes(sent(change=other_key)), (401, "TAMPERED"),
           "signed by another key")
    tap.eq(codes(a.ask(PATH, acc.session_body(), Keys())), (403, "DENIED"),
           "by a device that is not known")
    for name in ("Content-Digest", "Signature-Input", "Signature"):
        tap.eq(codes(sent(change=lambda h: h.pop(name))),
               (400, "MALFORMED"), f"without {name}")
    for old, new in ((";alg=", ";ALG="), ('"@method" ', ""), ("created", " created"),
                     ("skerry=", "other="), ("ed25519", "hmac-sha256")):
        def change(h):
            h["Signature-Input"] = h["Signature-Input"].replace(old, new)
        tap.eq(codes(sent(change=change)), (400, "MALFORMED"),
               f"another form: {new or 'no ' + old}")

    def long(h):
        h["Signature"] = "skerry=:" + "A" * 600 + ":"
    tap.eq(codes(sent(change=long)), (400, "MALFORMED"), "a long header")


def bodies():
    good = acc.session_body()
    for name, body in (
            ("an unknown member", {**good, "more": 1}),
            ("a missing member",
             {k: v for k, v in good.items() if k != "reason"}),
            ("a member of another type", {**good, "chain_seen": "0"}),
            ("a negative number", {**good, "chain_seen": -1}),
            ("a fraction", {**good, "chain_seen": 0.5}),
            ("upper case hex", {**good, "space": acc.space.hex().upper()}),
            ("another reason", {**good, "reason": "government"}),
            ("an array", [])):
        tap.eq(codes(a.ask(PATH, body, acc.device)), (400, "MALFORMED"),
               name)
    double = BODY[:-1] + b', "reason": "user"}'
    for name, body in (("a member twice", double), ("no JSON", b"{"),
                       ("more after it", BODY + b"{}"), ("nothing", b""),
                       ("deep", b"[" * 60000)):
        tap.eq(codes(sent(body)), (400, "MALFORMED"), name)
    tap.eq(codes(sent(b" " * (65536 - len(BODY)) + BODY)), (200, "OK"),
           "64 KiB")
    tap.eq(codes(sent(b" " * (65537 - len(BODY)) + BODY)), (400, "LIMIT"),
           "one more")
    c = a.connect()
    c.putrequest("POST", PATH)
    c.putheader("Content-Length", (1 << 20) + 1)
    c.endheaders()
    tap.eq(c.getresponse().status, 400, "over 1 MiB, before it is sent")
    c = a.connect()
    c.putrequest("POST", PATH)
    for k, v in sign_headers(acc.device, a.host, PATH, BODY).items():
        c.putheader(k, v)
    c.putheader("Transfer-Encoding", "chunked")
    c.endheaders()
    for _ in range(80):
        c.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
    c.send(b"0\r\n\r\n")
    tap.eq(c.getresponse().status, 400, "too long without saying so")
    tap.eq(codes(a.send(PATH, None, {}, method="GET")), (400, "USAGE"),
           "GET")
    tap.eq(codes(sent(path="/v1/nothing")), (404, "NOT_FOUND"),
           "no such path")
    tap.eq(codes(sent(path="/v1/" + "x" * 300)), (404, "NOT_FOUND"),
           "a long path")


def rights():
    other = Account(a)
    other.create()
    tap.eq(codes(other.session(acc.device)), (403, "DENIED"),
           "another's session")
    tap.eq(codes(other.put_head(0, head(1), acc.device)), (403, "DENIED"),
           "another's head")
    nowhere = Account(a)
    tap.eq(codes(nowhere.put_head(0, head(1), acc.device)),
           (403, "DENIED"), "a space that is not there looks the same")
    tap.eq(codes(a.ask("/v1/enrolments/lookup", {
        "account": other.id.hex(), "device": other.device.id.hex()},
        acc.device)), (403, "DENIED"), "lookup for another's account")
    tap.eq(codes(a.ask("/v1/recovery", {
        "account": other.id.hex(), "space": other.space.hex()},
        acc.recovery)), (403, "DENIED"), "another's recovery")
    tap.eq(codes(other.add_entry(other.next_entry(ADD, Keys()),
                                 signer=acc.device)), (403, "DENIED"),
           "another's chain")
    tap.eq(codes(a.ask("/v1/account", {
        "device": other.device.id.hex(), "chain_seen": 0}, acc.device)),
        (403, "DENIED"), "another's account")


def new_accounts():
    for residency, depot in (("es", "sevilla"), ("es", "zurich"),
                             ("es", "nowhere"), ("ch-not-here", "zurich"),
                             ("nowhere", "madrid")):
        x = Account(a, residency, depot)
        tap.eq(codes(x.create()), (403, "DENIED"),
               f"residency {residency} with depot {depot}")
        tap.eq(x.session().code, "DENIED", "leaves nothing")
    before = sorted(os.listdir(os.path.join(a.where, "epochs")))
    x = Account(a)
    x.body["keyslots"][0]["blob"] = b64(secrets.token_bytes(80))
    tap.eq(codes(x.create()), (401, "TAMPERED"), "a blob that does not open")
    y = Account(a)
    x.body["keyslots"][0] = y.body["keyslots"][0]
    tap.eq(codes(x.create()), (401, "TAMPERED"), "a blob of another space")
    tap.eq(sorted(os.listdir(os.path.join(a.where, "epochs"))), before,
           "and the folder of secrets has nothing of them")
    x = Account(a)
    x.body["chain"].reverse()
    tap.ok(x.create().code in ("DENIED", "MALFORMED"), "chain turned round")
    x = Account(a)
    body = json.dumps(x.body).encode()
    tap.eq(codes(a.ask("/v1/accounts", body, x.recovery)), (403, "DENIED"),
           "not signed by the first device")
    x = Account(a)
    x.body["space"] = acc.body["space"]
    tap.ok(x.create().code in ("EXISTS", "TAMPERED"), "a space twice")
    x = Account(a)
    x.body["residency"] = "e" * 70
    tap.eq(codes(x.create()), (400, "MALFORMED"), "a long name")


def policies():
    def refused(name, change):
        p = a.policy()
        change(p)
        r = a.sign_policy(p, want=3, name="bad.txt")
        tap.ok("residency es" in r.stderr, f"does not sign: {name}")

    refused("keys where the data is",
            lambda p: p["residencies"][0]["keys"].append("es"))
    refused("a depot elsewhere",
            lambda p: p["residencies"][0]["depots"].append("zurich"))
    refused("a depot that is not defined",
            lambda p: p["residencies"][0]["depots"].append("lisboa"))
    refused("no authority where the keys may be",
            lambda p: p["residencies"][0].update(keys=["no"]))
    p = a.policy()
    p["more"] = 1
    old = os.umask(0o022)
    a.sign_policy(a.policy(), name="good.txt")
    os.umask(old)
    tap.eq([os.stat(x).st_mode & 0o777 for x in (
        os.path.join(a.where, "good.txt"), a.policy_key)], [0o644, 0o600],
        "the policy is for all to read, the key that signed it is not")
    tap.ok("left unpacked: more" in a.sign_policy(p, want=7, name="bad.txt").stderr,
           "does not sign an unknown member")

    # The rule holds for whoever signs without this program, too.
    bad = a.policy()
    bad["residencies"] = bad["residencies"][:1]
    bad["residencies"][0]["keys"].append("es")
    signer = skerrytest.Signer()
    b = Authority(start=False)
    b.config.pop("policy_key")
    with open(b.config["policy"], "w") as f:
        f.write(b64(signer.public) + "\n" + signer.token(bad) + "\n")
    p = skerrytest.Process([b.binary, "run", "--config", b.config_file()])
    tap.eq(p.wait(), 3, "the authority does not start with one that breaks it")
    tap.ok("where its data is" in p.raw, "and says why")
    good = b.policy()
    good["residencies"] = good["residencies"][:1]
    with open(b.config["policy"], "w") as f:
        f.write(b64(signer.public) + "\n" + signer.token(good) + "\n")
    b.run_command("check-config", "--config", b.config_file())
    tap.ok(True, "(a good one is taken)")
    b.config["policy_key"] = b.pin
    b.run_command("check-config", "--config", b.config_file(), want=13)
    p = skerrytest.Process([b.binary, "run", "--config", b.config_file()])
    tap.eq(p.wait(), 13, "nor with one of another signer")
    with open(b.passphrase, "w") as f:
        f.write("wrong")
    b.config.pop("policy_key")
    p = skerrytest.Process([b.binary, "run", "--config", b.config_file()])
    tap.eq(p.wait(), 6, "nor with a wrong passphrase")


def configurations():
    b = Authority(start=False)
    path, good = b.config_file(), b.config

    def refused(word):
        try:
            r = b.run_command("check-config", "--config", path, want=3)
            return path in r.stderr and word in r.stderr
        except RuntimeError as e:
            tap.note(str(e))
            return False
    for change in ({"listen": "localhost:1"}, {"listen": "127.0.0.1:65537"},
                   {"metrics": "0.0.0.0:1"}, {"lease": ["1h"]},
                   {"database": {"a": "b"}}, {"threads": "four"},
                   {"threads": 0}, {"threads": 33}, {"name": "Alpha"},
                   {"name": "a" * 65}, {"url": "https://a@b"},
                   {"colour": 1}):
        b.config = {**good, **change}
        b.config_file()
        tap.ok(refused(next(iter(change))), f"refused by its name: {change}")
    open(path, "w").close()
    tap.ok(refused("says nothing"), "an empty file")

    # What it names, with nothing made or changed.
    def disk():
        return sorted((p, os.stat(p).st_mtime_ns) for where, _, names in
                      os.walk(b.where) for p in
                      [where, *(os.path.join(where, n) for n in names)])
    before = disk()
    none = os.path.join(b.dir, "none")
    other = os.path.join(b.dir, "other")
    os.mkdir(other)
    _, stranger = skerrytest.certificate(other)
    open(os.path.join(other, "log"), "w").close()
    witness = {"url": "https://w.example"}
    for change in ({"cert": none}, {"cert": b.key}, {"key": none},
                   {"key": b.cert}, {"key": stranger}, {"keyfile": none},
                   {"policy": none}, {"passphrase_file": none},
                   {"passphrase_file": "/dev/null"}, {"user": "no such"},
                   {"user": "root"},
                   {"database": none + "/x"}, {"database": other},
                   {"database": b.cert}, {"log": b.cert}, {"log": other},
                   {"log": none + "/x"}, {"epochs": none + "/x"},
                   {"witnesses": [{**witness, "ca": none}]},
                   {"witnesses": [{**witness, "ca": b.key}]}):
        b.config = {**good, **change}
        b.config_file()
        tap.ok(refused(f": {next(iter(change))}: "),
               f"refused by its name: {change}")
    b.config = dict(good)
    if os.getuid() == 0:
        b.config["user"] = "nobody"  # who has no right to the folders
    else:
        os.chmod(os.path.dirname(good["database"]), 0o500)
    b.config_file()
    tap.ok(refused(": database: "), "a folder that is not the user's")
    os.chmod(os.path.dirname(good["database"]), 0o700)
    b.config = good
    b.config_file()
    r = b.run_command("check-config", "--config", path)
    tap.eq(r.stdout, path + ": ok\n", "(a good one)")
    tap.eq(disk(), before, "nothing on disk is changed by that")
    b.config = {**good, "key": stranger}
    p = skerrytest.Process([b.binary, "run", "--config", b.config_file()])
    tap.ok(p.wait() == 3 and "not the key of cert" in p.raw,
           "run names the key of another certificate")
    taken = socket.create_server(("127.0.0.1", 0))
    b.config = {**good, "metrics": f"127.0.0.1:{taken.getsockname()[1]}"}
    p = skerrytest.Process([b.binary, "run", "--config", b.config_file()])
    tap.ok(p.wait() == 3 and "metrics: " in p.raw, "and a port that is taken")
    taken.close()
    b.config = {**good, "keyfile": b.cert}
    p = skerrytest.Process([b.binary, "run", "--config", b.config_file()])
    tap.eq(p.wait(50), 7, "a role that cannot start ends it, and is not "
           "waited for by another")  # which would be for a minute


def unseen():
    """What was done, though its answer could not be written."""
    def full(*args):
        with open("/dev/full", "w") as f:
            r = subprocess.run([a.binary, *args], stdout=f, text=True,
                               stderr=subprocess.PIPE)
        return r.returncode, r.stderr
    out = os.path.join(a.dir, "unseen.key")
    said = ["policy", "key", "--out", out]
    tap.eq(full(*said)[0], 18,
           "a policy key whose public half could not be printed")
    tap.ok(not os.path.exists(out), "is not kept")
    for args in ["--help"], ["init", "--help"], ["--version"]:
        tap.eq(full(*args)[0], 18, f"{args} that could not be printed")
    a.run_command(*said)
    tap.ok(True, "and can be made again")
    config = ["--config", a.config_file()]
    code, err = full("request", "enter", *config, "--jurisdiction", "cn",
                     "--text", a.passphrase)
    listed = a.run_command("request", "list", "--json", *config)
    ident = json.loads(listed.stdout)["requests"][0]["request"]
    tap.ok(code == 18 and f"{ident} is entered" in err,
           "a request is entered, and that is said with its id")
    code, err = full("custody", "announce", *config, "--key", a.policy_key,
                     "--mode", "standard", "--holders", "alpha", "all")
    tap.ok(code == 18 and "announced to" in err, "so with an announcement")


def init_again():
    where, phrase = os.path.join(a.dir, "again"), os.path.join(a.dir, "none")
    said = ["init", "--dir", where, "--name", "x", "--jurisdiction", "ch",
            "--url", "https://x", "--passphrase-file", phrase]
    open(phrase, "w").close()
    a.run_command(*said, want=3)
    with open(phrase, "w") as f:
        f.write("a passphrase\n")
    a.run_command(*said)
    tap.ok(True, "init can be run again after an empty passphrase")
    for name, value in (("--name", "a\nb"), ("--dir", where + "\\t"),
                        ("--url", 'https://x"'), ("--name", "Alpha"),
                        ("--dir", phrase)):
        other = [*said]
        other[other.index("--dir") + 1] = where + "2"
        other[other.index(name) + 1] = value
        a.run_command(*other, want=3 if value in ("Alpha", phrase) else 2)
        tap.ok(not os.path.exists(where + "2/authority.yaml"),
               f"init does not write what would be read otherwise: {value!r}")
    os.rmdir(where + "2/db")
    open(where + "2/db", "w").close()
    a.run_command(*said[:2], where + "2", *said[3:], want=3)
    tap.ok(True, "nor takes a file for the folder of the database")
    a.run_command(*said, want=21)
    tap.ok(os.path.exists(os.path.join(where, "authority.yaml")),
           "and leaves what was made before")


def announcements():
    said = ["custody", "announce", "--config", a.config_file(), "--key",
            a.policy_key, "--mode", "split", "--holders", "alpha"]
    for k in ("258", "2x", "-254", ""):
        r = a.run_command(*said, "--threshold", k, "all", want=2)
        tap.ok("--threshold" in r.stderr, f"no threshold: {k!r}")
    a.run_command(*said[:-3], "standard", "--holders", "alpha", "--space",
                  "00" * 16, want=4)
    tap.ok(True, "nothing is announced to a space that is not here")


def home_of_before():
    """An operator's set that names another home takes no head's epoch from the
    one that has the head."""
    b = Authority(start=False)
    other = {**b.public, "name": "beta", "jurisdiction": "is",
             "signing": b64(secrets.token_bytes(32))}
    p = b.policy()
    b.sign_policy({**p, "custody_delay": 1,
                   "authorities": p["authorities"] + [
                       {**p["authorities"][0], **other}]})
    b.start()
    one = Account(b)
    one.create()
    tap.eq(one.put_head(0, head(1)).status, 200, "a space with a head")
    b.run_command("custody", "announce", "--config", b.config_file(), "--key",
                  b.policy_key, "--mode", "standard", "--holders", "beta",
                  "--space", one.space.hex())
    tap.ok(skerrytest.wait_for(lambda: one.session().json["custody"][
        "announced"] is None), "a set with another home is in force")
    r = b.ask("/v1/epochs/destroy", {"space": one.space.hex(), "epoch": 1},
              one.device)
    tap.eq(r.code, "DENIED", "the head's epoch is not destroyed")
    tap.eq(one.open_release(one.session()), one.space_key,
           "and its key is there")
    b.process.kill()


def transport():
    old = ssl.create_default_context(cafile=a.cert)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        old.wrap_socket(socket.create_connection(("127.0.0.1", a.port)),
                        server_hostname="127.0.0.1")
        tap.ok(False, "TLS 1.2 is refused")
    except (ssl.SSLError, OSError):
        tap.ok(True, "TLS 1.2 is refused")
    tap.eq(a.send("/healthz", None, {}, method="GET").body, b"ok",
           "healthz")
    text = skerrytest.scrape(a.metrics_port).body.decode()
    tap.ok('requests_total{path="/v1/session",status="200"}' in text,
           "metrics")
    tap.ok(acc.id.hex() not in text, "which name nobody")
    tap.eq(skerrytest.scrape(a.metrics_port, "/healthz").body, b"ok",
           "healthz on loopback")

    def connect():
        return a.tls.wrap_socket(
            socket.create_connection(("127.0.0.1", a.port), 30),
            server_hostname="127.0.0.1")
    tap.eq(skerrytest.unanswered(connect, PATH), len(skerrytest.UNCLEAR),
           "a request of two lengths, or none that is known, is no request")
    used = skerrytest.handshakes_that_wait(a.port, *a.roles().values())
    tap.ok(used < 0.5, f"20 in their first bytes: {used:.2f} s of 2 s")


def half_closed():
    """Who ends its side of the connection behind a request is answered."""
    body = json.dumps(acc.session_body()).encode()
    for what in ("TCP", "TLS"):
        head = "".join(f"{k}: {v}\r\n" for k, v in sign_headers(
            acc.device, a.host, PATH, body).items())
        s = skerrytest.HalfTLS(a.port, a.tls)
        s.send((f"POST {PATH} HTTP/1.1\r\nHost: {a.host}\r\n{head}"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        got = s.end(what)
        tap.ok(got.startswith(b"HTTP/1.1 200 ") and b'"sealed"' in got,
               f"half-closed ({what}): answered, and then closed")


def separation():
    roles = a.roles()
    tap.eq(sorted(roles), ["front", "keys", "ledger"], "three roles")

    def fds(role):
        where = f"/proc/{roles[role]}/fd"
        out = []
        for n in os.listdir(where):
            try:
                out.append(os.readlink(f"{where}/{n}"))
            except FileNotFoundError:
                pass  # closed meanwhile
        return out

    tap.ok(not any("sqlite" in x for x in fds("front")),
           "the front has no database")
    public = os.path.join(os.path.dirname(a.config["database"]), "log", "log")
    tap.eq({x for x in fds("front") if x.startswith("/")},
           {"/dev/null", public}, "nor a file but the public ones")
    tap.ok(all(x.startswith("pipe:") or x == "/dev/null"
               for x in fds("keys")), "keys has pipes only")
    tap.ok(any("sqlite" in x for x in fds("ledger")), "(the ledger has it)")
    if any(l.get("event") == "sandbox" for l in a.process.lines):
        tap.skip("each is confined", "this build or kernel cannot")
        return
    for role, pid in roles.items():
        with open(f"/proc/{pid}/status") as f:
            tap.ok("Seccomp:\t2" in f.read(), f"{role} is confined")


tap.run(signatures, bodies, rights, new_accounts, policies, configurations,
        init_again, announcements, home_of_before, transport, half_closed, separation,
        unseen)
