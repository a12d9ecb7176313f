# SPDX-License-Identifier: Apache-2.0
"""Who has an authority's passphrase and keyfile, one of its databases, and what
a depot keeps, and tries to read a space with that: from spec/10 and spec/55, by
sqlite3 and cryptography, and the independent reader; none of the C code."""

import ctypes
import ctypes.util
import hashlib
import hmac
import os
import shutil
import sqlite3
import struct
import subprocess

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skerrytest import folder

TOP = os.environ.get("SKERRY_TOP",
                     os.path.join(os.path.dirname(__file__), "../.."))
PHRASE = b"a passphrase for the tests"


def hkdf(ikm, label, n=32):
    prk = hmac.digest(bytes(32), ikm, "sha256")
    return hmac.digest(prk, label + b"\1", "sha256")[:n]


def root_key(keyfile, passphrase=PHRASE):
    """authority/keystore_file.h."""
    with open(keyfile, "rb") as f:
        raw = f.read()
    ops, mem = struct.unpack(">QQ", raw[4:20])
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    out = ctypes.create_string_buffer(32)
    if sodium.crypto_pwhash(
            out, ctypes.c_ulonglong(32), passphrase,
            ctypes.c_ulonglong(len(passphrase)), raw[20:36],
            ctypes.c_ulonglong(ops), ctypes.c_size_t(mem), 2) != 0:
        raise MemoryError
    clear, sealed = raw[:116], raw[116:]
    key = hkdf(out.raw, b"skerry/1 keyfile")
    return AESGCM(key).decrypt(bytes(12), sealed, clear)[:32]


def unwrap(key, aad, blob):
    """The plaintext, or None where key or aad is another."""
    try:
        return AESGCM(key).decrypt(blob[:12], blob[12:], aad)
    except InvalidTag:
        return None


class Backup:
    """A copy of an authority's database, as a backup has it, and of its head
    of the one space; the secrets of epochs are not in it."""

    def __init__(self, authority, phrase=PHRASE):
        self.authority, self.phrase = authority, phrase
        self.dir = folder()
        where = os.path.join(authority.home, "db")
        for name in os.listdir(where):
            if os.path.isfile(os.path.join(where, name)):
                shutil.copy(os.path.join(where, name), self.dir)
        db = sqlite3.connect(os.path.join(self.dir, "authority.sqlite"))
        self.account, self.space = db.execute(
            "SELECT account, id FROM space").fetchone()
        self.slots = {(k, e): b for k, e, b in db.execute(
            "SELECT kind, epoch, blob FROM keyslot")}
        head = db.execute("SELECT head FROM head").fetchone()
        self.head = head[0] if head else None
        self.shares, self.devices = {}, {}
        for e, i, b in db.execute("SELECT epoch, number, blob FROM share"):
            self.shares.setdefault(e, []).append((i, b))
        for e, d, b in db.execute(
                "SELECT epoch, device, blob FROM device_slot"):
            self.devices.setdefault(e, {})[d] = b
        db.close()

    def of(self, epoch):
        return self.account + self.space + struct.pack(">I", epoch)

    def keys(self, epoch, secrets=None):
        """Today's root key, and what comes of the secrets of an epoch: of
        today, or of a folder that was kept."""
        root = root_key(os.path.join(self.authority.home, "keyfile"),
                        self.phrase)
        keys = [root]  # as before there were secrets
        where = secrets or os.path.join(self.authority.home, "epochs")
        for name in os.listdir(where):
            with open(os.path.join(where, name), "rb") as f:
                secret = unwrap(root, b"skerry epoch v1" + self.of(epoch),
                                f.read())
            if secret:
                keys.append(hkdf(secret, b"skerry/1 epoch"))
        return keys

    def opened(self, epoch, aad, blob, secrets=None):
        """With any of those keys; None where none does."""
        for key in self.keys(epoch, secrets) if blob else ():
            plain = unwrap(key, aad, blob)
            if plain:
                return plain
        return None

    def space_key(self, epoch, secrets=None):
        """None where the keyslot does not open."""
        return self.opened(epoch, b"skerry keyslot v1" + self.of(epoch)
                           + b"authority", self.slots.get((1, epoch)),
                           secrets)

    def share(self, epoch, secrets=None):
        """Of this holder, by its index; none are {}."""
        out = {}
        for index, blob in self.shares.get(epoch, ()):
            plain = self.opened(
                epoch, b"skerry keyslot v1" + self.of(epoch) + b"share"
                + bytes([index]), blob, secrets)
            if plain:
                out[index] = plain
        return out

    def covered(self, kind, epoch, blob, secrets=None):
        """What was covered for somebody else: kind 2 recovery, 4 device."""
        return self.opened(epoch, b"skerry cover v1" + self.of(epoch)
                           + bytes([kind]), blob, secrets)


def recover(depot, key, head, *args):
    """skerry-recover with a space key and a head, over a depot's files."""
    d = folder()
    with open(os.path.join(d, "key"), "w") as f:
        f.write(key.hex() + "\n")
    with open(os.path.join(d, "head"), "wb") as f:
        f.write(head)
    return subprocess.run(
        ["/usr/bin/python3", os.path.join(TOP, "recover/skerry-recover"),
         "--depot", depot, "--space-key", os.path.join(d, "key"), "--head",
         os.path.join(d, "head"), *args], capture_output=True, text=True)


def restored(depot, key, head, *args):
    """sha256 of every file that a key opens, over all commits."""
    out = set()
    log = recover(depot, key, head, "--log")
    numbers = [line.split()[0] for line in log.stdout.splitlines()]
    for n in numbers:
        d = folder()
        recover(depot, key, head, "--commit", n, "--to",
                os.path.join(d, "to"))
        for base, _, names in os.walk(os.path.join(d, "to")):
            for name in names:
                with open(os.path.join(base, name), "rb") as f:
                    out.add(hashlib.sha256(f.read()).digest())
    return out
