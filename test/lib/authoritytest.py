# SPDX-License-Identifier: Apache-2.0
"""An authority in a folder of its own, and devices that talk to it.  All that
is signed and sealed here is made from spec/10, 15, 30 and 50 with
python3-cryptography alone: nothing of the project's own code."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import ssl
import struct
import subprocess
import time

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import custodyset
import skerrytest


def b64(b):
    return base64.b64encode(b).decode()


def unb64(s):
    return base64.b64decode(s, validate=True)


def sha256(b):
    return hashlib.sha256(b).digest()


def raw_public(key):
    return key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


# HKDF and HPKE, RFC 5869 and RFC 9180

def extract(salt, ikm):
    h = hmac.HMAC(salt or bytes(32), hashes.SHA256())
    h.update(ikm)
    return h.finalize()


def expand(prk, info, n):
    out, t, i = b"", b"", 1
    while len(out) < n:
        h = hmac.HMAC(prk, hashes.SHA256())
        h.update(t + info + bytes([i]))
        t = h.finalize()
        out, i = out + t, i + 1
    return out[:n]


def hkdf(ikm, salt, label, n):
    return expand(extract(salt, ikm), label.encode(), n)


KEM = b"KEM" + struct.pack(">H", 0x20)
SUITE = b"HPKE" + struct.pack(">HHH", 0x20, 1, 2)


def labeled_extract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, n):
    return expand(prk, struct.pack(">H", n) + b"HPKE-v1" + suite + label
                  + info, n)


def hpke_keys(dh, kem_context, info):
    prk = labeled_extract(KEM, b"", b"eae_prk", dh)
    shared = labeled_expand(KEM, prk, b"shared_secret", kem_context, 32)
    context = (b"\0" + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
               + labeled_extract(SUITE, b"", b"info_hash", info))
    secret = labeled_extract(SUITE, shared, b"secret", b"")
    return (labeled_expand(SUITE, secret, b"key", context, 32),
            labeled_expand(SUITE, secret, b"base_nonce", context, 12))


def hpke_seal(public, info, aad, plain):
    e = x25519.X25519PrivateKey.generate()
    enc = raw_public(e)
    dh = e.exchange(x25519.X25519PublicKey.from_public_bytes(public))
    key, nonce = hpke_keys(dh, enc + public, info)
    return enc + AESGCM(key).encrypt(nonce, plain, aad)


def hpke_open(private, info, aad, sealed):
    enc = sealed[:32]
    dh = private.exchange(x25519.X25519PublicKey.from_public_bytes(enc))
    key, nonce = hpke_keys(dh, enc + raw_public(private), info)
    return AESGCM(key).decrypt(nonce, sealed[32:], aad)


ADD, REVOKE, RECOVERY = 1, 2, 3


class Keys:
    """A device, or a recovery key: both pairs and the id."""

    def __init__(self, seed=None, box=None):
        self.ed = (ed25519.Ed25519PrivateKey.from_private_bytes(seed)
                   if seed else ed25519.Ed25519PrivateKey.generate())
        self.box = (x25519.X25519PrivateKey.from_private_bytes(box)
                    if box else x25519.X25519PrivateKey.generate())
        self.ed_pub, self.box_pub = raw_public(self.ed), raw_public(self.box)
        self.id = sha256(b"skerry device v1" + self.ed_pub
                         + self.box_pub)[:16]

    def entry(self, op, seq, previous, account, about):
        """A chain entry about some keys, signed by these."""
        signed = (struct.pack(">BBHI", 1, op, 0, seq) + previous + account
                  + about.id + about.ed_pub + about.box_pub + self.id)
        assert len(signed) == 152
        return signed + self.ed.sign(b"skerry device v1 chain\0" + signed)


def recovery_keys(code):
    s = hkdf(code, b"", "skerry/1 recovery", 96)
    return s[:32], Keys(s[32:64], s[64:96])


def head(number, epoch=1):
    """Opaque to the authority but for the clear part."""
    return (struct.pack(">BBHIQ", 1, 0, 0, epoch, number)
            + secrets.token_bytes(32 + 236))


def sign_headers(keys, authority, path, body, created=None, nonce=None):
    digest = f"sha-256=:{b64(sha256(body))}:"
    params = ('("@method" "@authority" "@path" "content-digest")'
              f';created={int(time.time()) if created is None else created}'
              f';nonce="{nonce or secrets.token_hex(16)}"'
              f';keyid="{keys.id.hex()}";alg="ed25519";tag="skerry"')
    base = (f'"@method": POST\n"@authority": {authority}\n"@path": {path}\n'
            f'"content-digest": {digest}\n"@signature-params": {params}')
    return {"Content-Digest": digest, "Signature-Input": "skerry=" + params,
            "Signature": f"skerry=:{b64(keys.ed.sign(base.encode()))}:"}


class Answer:
    def __init__(self, status, body, headers=None):
        self.status, self.body, self.headers = status, body, headers
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = {}
        # Beside what was asked: the proofs of what was done.
        self.log = self.json.pop("log", None)

    @property
    def code(self):
        e = self.json.get("error")
        return e["code"] if e else "OK"

    def __repr__(self):
        return f"{self.status} {self.body!r}"


class Account:
    """An account as its first device has it."""

    def __init__(self, authority, residency="es", depot="madrid"):
        self.a = authority
        self.id, self.space = secrets.token_bytes(16), secrets.token_bytes(16)
        self.space_key = secrets.token_bytes(32)
        self.code = secrets.token_bytes(20)
        self.wrap, self.recovery = recovery_keys(self.code)
        self.device = Keys()
        first = self.device.entry(ADD, 0, bytes(32), self.id, self.device)
        second = self.device.entry(RECOVERY, 1, sha256(first), self.id,
                                   self.recovery)
        self.chain = [first, second]
        self.log_key = hkdf(hkdf(self.space_key, b"", "skerry/1 dedup", 32),
                            b"", "skerry/1 log", 32)
        aad = self.id + self.space + struct.pack(">I", 1)
        self.recovery_slot = hpke_seal(self.recovery.box_pub,
                                       b"skerry recovery v1", aad,
                                       self.space_key)
        self.body = {
            "account": self.id.hex(), "chain": [b64(e) for e in self.chain],
            "space": self.space.hex(), "residency": residency,
            "depot": depot, "keyslots": [
                {"epoch": 1, "kind": "authority", "blob": b64(hpke_seal(
                    authority.intake, b"skerry admit v1", aad,
                    self.space_key))},
                {"epoch": 1, "kind": "recovery",
                 "blob": b64(self.recovery_slot)}], "head_epoch": 1,
            "custody": b64(self.first_set()),
            "log_key": b64(self.log_key)}

    def first_set(self):
        now = int(time.time())
        return custodyset.encode(
            custodyset.STANDARD, 1, 1, 1, self.space, bytes(32), now, now,
            [(self.a.signing, "ch")], custodyset.DEVICE, self.device.id,
            self.device.ed)

    def create(self, conn=None):
        return self.a.ask("/v1/accounts", self.body, self.device, conn=conn)

    def session_body(self, seen=2, log_seen=0):
        return {"account": self.id.hex(), "space": self.space.hex(),
                "chain_seen": seen, "custody_seen": 0, "log_seen": log_seen,
                "reason": "user"}

    def session(self, device=None, seen=2, conn=None):
        return self.a.ask("/v1/session", self.session_body(seen),
                          device or self.device, conn=conn)

    def put_head(self, expect, h, device=None, conn=None):
        return self.a.ask("/v1/head", {
            "space": self.space.hex(), "expect": expect, "head": b64(h)},
            device or self.device, conn=conn)

    def open_release(self, answer, device=None):
        d = device or self.device
        k = answer.json["keys"][0]
        aad = (self.id + self.space + struct.pack(">I", k["epoch"]) + d.id)
        return hpke_open(d.box, b"skerry release v1", aad,
                         unb64(k["sealed"]))

    def next_entry(self, op, about, signer=None):
        return (signer or self.device).entry(
            op, len(self.chain), sha256(self.chain[-1]), self.id, about)

    def add_entry(self, entry, signer=None, seen=None, **more):
        r = self.a.ask("/v1/devices", {
            "account": self.id.hex(), "entry": b64(entry),
            "chain_seen": len(self.chain) if seen is None else seen, **more},
            signer or self.device)
        if r.code == "OK" and r.json["seq"] == len(self.chain):
            self.chain.append(entry)
        return r


PASSPHRASE = "nobody guesses this"


class Authority:
    def __init__(self, start=True, **config):
        self.binary = os.environ["SKERRY_AUTHORITY"]
        self.dir = skerrytest.folder()
        self.where = os.path.join(self.dir, "a")
        self.passphrase = os.path.join(self.dir, "passphrase")
        with open(self.passphrase, "w") as f:
            f.write(PASSPHRASE + "\n")
        self.port = skerrytest.free_port()
        self.host = f"127.0.0.1:{self.port}"
        out = self.run_command(
            "init", "--dir", self.where, "--name", "alpha", "--jurisdiction",
            "ch", "--url", "https://" + self.host, "--passphrase-file",
            self.passphrase)
        self.public = json.loads(out.stdout)
        self.intake = unb64(self.public["intake"])
        self.signing = unb64(self.public["signing"])
        self.cert, self.key = skerrytest.certificate(self.where)
        self.tls = ssl.create_default_context(cafile=self.cert)
        self.policy_key = os.path.join(self.dir, "policy.key")
        self.pin = json.loads(self.run_command(
            "policy", "key", "--out", self.policy_key).stdout)["policy_key"]
        self.sign_policy(self.policy())
        self.config = {
            "name": "alpha", "jurisdiction": "ch",
            "url": "https://" + self.host, "listen": self.host,
            "cert": self.cert, "key": self.key,
            "database": os.path.join(self.where, "db", "authority.sqlite"),
            "keyfile": os.path.join(self.where, "keyfile"),
            "passphrase_file": self.passphrase,
            "policy": os.path.join(self.where, "policy.txt"),
            "policy_key": self.pin, "lease": "12h",
            "metrics": "127.0.0.1:0", **config}
        if start:
            self.start()

    def run_command(self, *args, want=0):
        r = subprocess.run([self.binary, *args], capture_output=True,
                           text=True, timeout=60, env={
                               **os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        if r.returncode != want:
            raise RuntimeError(f"{args}: {r.returncode} {r.stderr}")
        return r

    def policy(self):
        with open(self.cert) as f:
            ca = f.read()
        return {
            "v": 1, "serial": 1, "issued": int(time.time()),
            "authorities": [{**self.public, "ca": ca}],
            "depots": [
                {"name": "madrid", "jurisdiction": "es",
                 "url": "https://127.0.0.1:1", "ca": ca},
                {"name": "sevilla", "jurisdiction": "es",
                 "url": "https://127.0.0.1:1", "ca": ca},
                {"name": "zurich", "jurisdiction": "ch",
                 "url": "https://127.0.0.1:1", "ca": ca}],
            "residencies": [
                {"name": "es", "jurisdiction": "es",
                 "depots": ["madrid"], "keys": ["ch"]},
                {"name": "ch-not-here", "jurisdiction": "ch",
                 "depots": ["zurich"], "keys": ["is"]}]}

    def sign_policy(self, p, want=0, name="policy.txt"):
        if not any(x["jurisdiction"] == "is" for x in p["authorities"]):
            p["authorities"].append({
                **p["authorities"][0], "name": "beta", "jurisdiction": "is"})
        j, out = (os.path.join(self.where, x) for x in ("policy.json", name))
        with open(j, "w") as f:
            json.dump(p, f)
        if os.path.exists(out):
            os.unlink(out)
        return self.run_command("policy", "sign", "--key", self.policy_key,
                                "--in", j, "--out", out, want=want)

    def config_file(self):
        path = os.path.join(self.dir, "authority.yaml")
        with open(path, "w") as f:
            json.dump(self.config, f)  # JSON is YAML
        return path

    def start(self):
        self.process = skerrytest.Process(
            [self.binary, "run", "--config", self.config_file()])
        ready = self.process.wait_ready(60)
        self.metrics_port = ready.get("metrics_port")

    def connect(self, timeout=60):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.tls, timeout=timeout)

    def send(self, path, body, headers, method="POST", conn=None):
        c = conn or self.connect()
        c.request(method, path, body, headers)
        r = c.getresponse()
        answer = Answer(r.status, r.read(), r.headers)
        if conn is None:
            c.close()
        return answer

    def ask(self, path, body, keys, conn=None, **sign):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.send(path, body, sign_headers(
            keys, self.host, path, body, **sign), conn=conn)

    def roles(self):
        """Process ids by role."""
        out = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    argv = f.read().split(b"\0")
            except OSError:
                continue
            if (len(argv) > 4 and argv[1] == b"role"
                    and argv[4] == str(self.process.proc.pid).encode()):
                out[argv[2].decode()] = int(pid)
        return out

    def secrets(self, space):
        """The files of epoch secrets of a space, by epoch."""
        where, out = os.path.join(self.where, "epochs"), {}
        for name in os.listdir(where):
            if name.startswith(space.hex() + "-"):
                with open(os.path.join(where, name), "rb") as f:
                    out[int(name.split("-")[1])] = f.read()
        return out

    def files(self):
        """All bytes that the database has on disk."""
        where = os.path.dirname(self.config["database"])
        out = b""
        for folder, _, names in os.walk(where):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    out += f.read()
        return out
