#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small writer of spaces, for tests only: spec/10-names.md, 15-devices.md,
20-pack.md, 30-tree.md and the directory backend of 40-depot.md.  It shares nothing with a
reader.  Every random byte comes from a seed, so that a space (and a vector)
can be made again.

    spacemaker.py --sample DIR       a depot with a space, and its keys
    spacemaker.py --vectors DIR      vectors/python/*.json
"""

import ctypes
import hashlib
import hmac
import json
import os
import random
import struct
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import \
    X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                           PublicFormat)

PACK_SIZE = 16777216
PACK_MIN = 16384
CHUNK_MIN = 196608
CHUNK_MAX = 2097152
NODE_CUT = 65536
INLINE_MAX = 4096
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

FILE, FOLDER, SYMLINK, FIFO, SOCKET, CHARACTER, BLOCK_DEVICE = range(1, 8)


# Primitives.

def sha256(data):
    return hashlib.sha256(data).digest()


def treehash(m):
    L = 32768
    n = max(1, (len(m) + L - 1) // L)
    h = hashlib.sha256(b"skerry treehash v1" + struct.pack(">Q", len(m)))
    for i in range(n):
        h.update(sha256(m[i * L:(i + 1) * L]))
    return h.digest()


def hkdf(ikm, salt, label, n):
    return HKDF(algorithm=SHA256(), length=n, salt=salt,
                info=label.encode("ascii")).derive(ikm)


def prf(key, m):
    return hashlib.blake2b(m, digest_size=32, key=key).digest()


def aead(key, counter, aad, m):
    return AESGCM(key).encrypt(struct.pack(">QI", 0, counter), m, aad)


def siphash(key, m):
    """SipHash-2-4; the 8 bytes of the digest read as little-endian u64."""
    mask = (1 << 64) - 1
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
         k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rotate(x, n):
        return (x << n | x >> (64 - n)) & mask

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[3]) & mask
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & mask
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & mask
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    tail = len(m) % 8
    padded = m + bytes(7 - tail) + bytes([len(m) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 255
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def padme(n):
    e = n.bit_length() - 1
    step = 1 << (e - e.bit_length())
    return (n + step - 1) // step * step


def base32(data, chars):
    bits = "".join(f"{byte:08b}" for byte in data)
    return "".join(CROCKFORD[int(bits[5 * i:5 * i + 5], 2)]
                   for i in range(chars))


def recovery_code(code):
    text = base32(code, 32) + base32(sha256(b"skerry recovery v1" + code), 4)
    return "-".join(text[i:i + 4] for i in range(0, 36, 4))


def public(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def keyslot(ephemeral, box, account, space, epoch, space_key):
    """HPKE base mode to the recovery key's X25519 key; both given as private
    keys, so that the bytes can be had again."""
    def mac(key, text):
        return hmac.digest(key, text, "sha256")

    e = X25519PrivateKey.from_private_bytes(ephemeral)
    box = X25519PrivateKey.from_private_bytes(box)
    kem, suite = b"HPKE-v1KEM\0\x20", b"HPKE-v1HPKE\0\x20\0\1\0\2"
    prk = mac(b"", kem + b"eae_prk" + e.exchange(box.public_key()))
    shared = mac(prk, b"\0\x20" + kem + b"shared_secret" + public(e) +
                 public(box) + b"\1")
    context = (b"\0" + mac(b"", suite + b"psk_id_hash") +
               mac(b"", suite + b"info_hash" + b"skerry recovery v1"))
    prk = mac(shared, suite + b"secret")
    key = mac(prk, b"\0\x20" + suite + b"key" + context + b"\1")
    nonce = mac(prk, b"\0\x0c" + suite + b"base_nonce" + context + b"\1")
    return public(e) + AESGCM(key).encrypt(
        nonce[:12], space_key, account + space + struct.pack(">I", epoch))


def compress(data):
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_compressBound.restype = ctypes.c_size_t
    lib.ZSTD_compress.restype = ctypes.c_size_t
    bound = lib.ZSTD_compressBound(ctypes.c_size_t(len(data)))
    out = ctypes.create_string_buffer(bound)
    size = lib.ZSTD_compress(out, ctypes.c_size_t(bound), data,
                             ctypes.c_size_t(len(data)), 3)
    return out.raw[:size]


def compress_lz4(data):
    lib = ctypes.CDLL("liblz4.so.1")
    bound = lib.LZ4_compressBound(len(data))
    out = ctypes.create_string_buffer(bound)
    size = lib.LZ4_compress_default(data, out, len(data), bound)
    return out.raw[:size]


def frame(content, lz4=False):
    body = compress_lz4(content) if lz4 else compress(content)
    if len(body) < len(content):
        return (b"\2" if lz4 else b"\1") + body
    return b"\0" + content


def cut_points(chunker, data):
    """Ends of the chunks of data, by the rule of names, Chunking."""
    aes = Cipher(algorithms.AES(chunker), modes.ECB()).encryptor()
    blocks = aes.update(b"".join(data[i - 61:i:4]
                                 for i in range(61, len(data))))
    cuts, start = [], 0
    while start < len(data):
        end = min(start + CHUNK_MIN, len(data))
        while end < len(data) and end < start + CHUNK_MAX:
            at = 16 * (end - 61)
            if bytes(2) in (blocks[at:at + 2], blocks[at + 2:at + 4]):
                break
            end += 1
        cuts.append(end)
        start = end
    return cuts


# Encodings.

def place(p):
    return p[0] + struct.pack(">II", p[1], p[2])


def device_id(keys):
    return sha256(b"skerry device v1" + keys)[:16]


def device(secret):
    """Signer, public keys (Ed25519, X25519) and id from two private keys."""
    signer = Ed25519PrivateKey.from_private_bytes(secret[:32])
    keys = b"".join(key.public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw) for key in (
            signer, X25519PrivateKey.from_private_bytes(secret[32:])))
    return signer, keys, device_id(keys)


def attributes(pairs):
    return b"".join(struct.pack("B", len(name)) + name +
                    struct.pack(">I", len(value)) + value
                    for name, value in sorted(pairs.items()))


def node(level, items):
    """items: (key, encoded entry), or (key, entries, bytes, ref)."""
    out, last = struct.pack(">BBHI", 1, level, 0, len(items)), b""
    for item in items:
        out += node_item(level, item, last)
        last = item[0]
    return out


def node_item(level, item, last):
    key = item[0]
    shared = len(os.path.commonprefix([last, key]))
    tail = item[1] if level == 0 else (struct.pack(">QQ", *item[1:3]) +
                                       item[3])
    return struct.pack(">HH", shared, len(key) - shared) + key[shared:] + tail


def node_groups(tree_key, level, items):
    """The nodes of one level, by the shape rule."""
    group, size, last = [], 8, b""
    for item in items:
        size += len(node_item(level, item, last))
        group.append(item)
        last = item[0]
        if (siphash(tree_key, bytes([level]) + last) % 256 == 0 or
                size >= NODE_CUT):
            yield group
            group, size, last = [], 8, b""
    if group:
        yield group


class Item:
    """One entry of a tree to be written.  A file's content is a list of bytes
    (cut into chunks of `chunk` bytes) and ints (holes)."""

    def __init__(self, type=FILE, mode=0o644, uid=0, gid=0, mtime=0,
                 content=(), target=b"", device=(0, 0), link=0, xattrs=None,
                 chunk=CHUNK_MAX):
        self.__dict__.update(locals())


class Maker:
    """Writes commits of one space into a depot's folder.  pack_size may be
    below the format's: a reader cannot tell, and a test can then harm objects
    that hold little."""

    def __init__(self, depot, seed=1, epoch=1, pack_size=PACK_SIZE):
        rng = random.Random(seed)
        self.random = rng.randbytes
        self.depot, self.epoch, self.pack_size = depot, epoch, pack_size
        self.space_key = self.random(32)
        self.dedup_key = hkdf(self.space_key, b"", "skerry/1 dedup", 32)
        self.account, self.space = self.random(16), self.random(16)
        self.prefix = self.random(16).hex()
        self.signer, self.keys, self.device = device(self.random(64))
        self.code = self.random(20)
        self.chain = []
        self.link(1, self.keys, self.signer, self.device)
        self.link(3, device(hkdf(self.code, b"", "skerry/1 recovery",
                                 96)[32:])[1], self.signer, self.device)
        self.tree_key = hkdf(self.dedup_key, b"", "skerry/1 tree", 16)
        self.number, self.parent, self.segments = 0, None, []
        self.head = b""
        self.known = {}            # chunk id -> index entry, over all commits
        self.fresh = {}            # those of this commit
        self.pack, self.pack_id = b"", self.random(16)
        self.where = []            # (kind, name, object id, offset, length)
        self.label = b""

    def link(self, op, keys, signer, signer_id):
        """Puts an entry on the device chain."""
        entry = (struct.pack(">BBHI", 1, op, 0, len(self.chain)) +
                 (sha256(self.chain[-1]) if self.chain else bytes(32)) +
                 self.account + device_id(keys) + keys + signer_id)
        self.chain.append(entry + signer.sign(b"skerry device v1 chain\0" +
                                              entry))

    # Packs.

    def seal(self, kind, ident, key, plain, counter=0):
        sealed = aead(key, counter, bytes([1, kind]) + ident, plain)
        if len(self.pack) + len(sealed) > self.pack_size:
            self.flush(last=False)
        at = self.pack_id, len(self.pack), len(sealed)
        self.pack += sealed
        self.where.append((kind, self.label) + at)
        return at

    def flush(self, last=True):
        if self.pack:
            size = self.pack_size
            if last:
                size = max(padme(len(self.pack)), PACK_MIN)
            self.put(self.pack_id, self.pack +
                     self.random(max(0, size - len(self.pack))))
        self.pack, self.pack_id = b"", self.random(16)

    def put(self, ident, data):
        name = ident.hex()
        folder = os.path.join(self.depot, "v1", self.prefix, name[:2])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "xb") as file:
            file.write(data)

    def chunk(self, kind, content):
        h = treehash(content)
        ident = prf(self.dedup_key, b"id" + h)
        if ident not in self.known:
            key = prf(self.dedup_key, b"key" + self.random(32) + h)
            at = self.seal(kind, ident, key,
                           frame(content, lz4=len(content) % 2))
            self.known[ident] = self.fresh[ident] = (
                ident + place(at) + struct.pack(">IBxxx", len(content), kind)
                + key)
        return ident

    def ref(self, kind, content):
        h = treehash(content)
        key = prf(self.dedup_key, b"key" + self.random(32) + h)
        at = self.seal(kind, h, key, frame(content))
        return place(at) + struct.pack(">I", len(content)) + key + h

    # Tree.

    def content(self, item):
        size, out = 0, b""
        for part in item.content:
            if isinstance(part, int):
                out += struct.pack(">BQ", 1, part)
                size += part
                continue
            for at in range(0, len(part), item.chunk):
                piece = part[at:at + item.chunk]
                out += (b"\0" + self.chunk(1, piece) +
                        struct.pack(">I", len(piece)))
            size += len(part)
        level = 0
        while len(out) > INLINE_MAX:
            pieces = [out[at:at + CHUNK_MAX]
                      for at in range(0, len(out), CHUNK_MAX)]
            out = b"".join(b"\0" + self.chunk(2, piece) +
                           struct.pack(">I", len(piece)) for piece in pieces)
            level += 1
        return size, level, out

    def entry(self, item):
        attrs = attributes(item.xattrs or {})
        flags = (4 if item.link else 0) | (
            0 if not attrs else 1 if len(attrs) <= INLINE_MAX else 2)
        out = struct.pack(">BBHIIqI", item.type, flags, item.mode, item.uid,
                          item.gid, item.mtime // 10**9, item.mtime % 10**9)
        if flags & 4:
            out += struct.pack(">Q", item.link)
        if flags & 1:
            out += struct.pack(">I", len(attrs)) + attrs
        if flags & 2:
            out += self.chunk(3, attrs) + struct.pack(">I", len(attrs))
        size = 0
        if item.type == FILE:
            size, level, content = self.content(item)
            out += struct.pack(">QBI", size, level, len(content)) + content
        elif item.type == SYMLINK:
            out += struct.pack(">H", len(item.target)) + item.target
        elif item.type in (CHARACTER, BLOCK_DEVICE):
            out += struct.pack(">II", *item.device)
        return out, size

    def tree(self, files):
        """Root ref, entries, bytes of a dict path -> Item."""
        items, sizes = [], {}
        for key in sorted(path.replace(b"/", b"\0") for path in files):
            self.label = key.replace(b"\0", b"/")
            entry, sizes[key] = self.entry(files[self.label])
            items.append((key, entry))
        total = len(items), sum(sizes.values())
        if not items:
            return None, 0, 0
        level, sums = 0, {key: (1, size) for key, size in sizes.items()}
        while True:
            above, level_sums = [], {}
            for group in node_groups(self.tree_key, level, items):
                key = group[0][0]
                self.label = (f"level {level} from ".encode() +
                              key.replace(b"\0", b"/"))
                held = [sums[item[0]] for item in group]
                level_sums[key] = tuple(map(sum, zip(*held)))
                above.append((key, *level_sums[key],
                              self.ref(4, node(level, group))))
            if len(above) == 1:
                return above[0][3], *total
            items, sums, level = above, level_sums, level + 1

    # Index, commit, head.

    def segment(self, entries):
        rows = [entries[ident] for ident in sorted(entries)]
        blocks = [b"".join(rows[at:at + 512])
                  for at in range(0, len(rows), 512)]
        key = prf(self.dedup_key,
                  b"key" + self.random(32) + treehash(blocks[0]))
        runs, fences = [], b""
        for number, block in enumerate(blocks):
            ident = struct.pack(">IIQ16x", number, len(blocks), len(rows))
            self.label = f"segment of {len(rows)} block {number}".encode()
            at = self.seal(6, ident, key, block, number)
            if runs and at[0] == runs[-1][0] and at[1] != 0:
                runs[-1][2] += 1
            else:
                runs.append([at[0], at[1], 1])
            fences += block[:8]
        return (key + struct.pack(">QI", len(rows), len(runs)) +
                b"".join(run[0] + struct.pack(">II", *run[1:])
                         for run in runs) + fences)

    def commit(self, files, time=0, message=b"", merge=False):
        self.fresh, self.number = {}, self.number + 1
        root, entries, size = self.tree(files)
        while merge and self.segments and \
                len(self.segments[0][0]) <= 4 * len(self.fresh):
            self.fresh = {**self.segments.pop(0)[0], **self.fresh}
        if self.fresh:
            self.segments.insert(0, (self.fresh, self.segment(self.fresh)))
        flags = (1 if self.parent else 0) | (2 if root else 0)
        plain = (struct.pack(">BBHIQqI", 1, flags, 0, self.epoch, self.number,
                             time // 10**9, time % 10**9) +
                 self.device + self.dedup_key + (self.parent or b"") +
                 (root or b"") + struct.pack(">QQH", entries, size,
                                             len(message)) + message +
                 struct.pack(">H", len(self.segments)) +
                 b"".join(encoded for _, encoded in self.segments))
        self.label = b"commit %d" % self.number
        self.parent = self.ref(5, plain)
        self.flush()
        self.put_head()
        return plain

    def put_head(self):
        salt = self.random(32)
        clear = struct.pack(">B3xIQ", 1, self.epoch, self.number) + salt
        previous = sha256(self.head) if self.head else bytes(32)
        body = self.space + previous + self.parent + self.device
        sig = self.signer.sign(b"skerry head v1\0" + clear + body)
        self.head = clear + aead(hkdf(self.space_key, salt, "skerry/1 head",
                                      32), 0, clear, body + sig)
        folder = os.path.join(self.depot, "v1", self.prefix)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "head"), "wb") as file:
            file.write(self.head)

    def write_keys(self, folder):
        """space.key, recovery.code, keyslot, head, chain and ids.json."""
        box = hkdf(self.code, b"", "skerry/1 recovery", 96)[64:]
        for name, data in {
                "space.key": self.space_key.hex().encode() + b"\n",
                "recovery.code": recovery_code(self.code).encode() + b"\n",
                "keyslot": keyslot(self.random(32), box, self.account,
                                   self.space, self.epoch, self.space_key),
                "head": self.head, "chain": b"".join(self.chain),
                "ids.json": json.dumps({
                    "account": self.account.hex(), "space": self.space.hex(),
                    "prefix": self.prefix, "epoch": self.epoch,
                    "device": self.device.hex(), "ed": self.keys[:32].hex()},
                    indent=1).encode() + b"\n"}.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)


def pattern(n):
    return bytes((i * 7 + 3) % 256 for i in range(n))


def sample(special=False):
    """Files of every kind that anybody may restore; with special, those too
    that only root may."""
    noise = random.Random(7).randbytes
    sec = 10**9
    files = {
        b"docs": Item(FOLDER, 0o750, mtime=5 * sec + 5),
        b"docs/empty": Item(mode=0o600, mtime=-sec // 2),
        b"docs/text": Item(content=[b"hello, skerry\n" * 40], mtime=1234567890
                           * sec + 123456789, xattrs={b"user.colour": b"red",
                                                      b"user.a": b""}),
        b"docs/big": Item(content=[noise(300000)], chunk=131072),
        b"docs/many": Item(content=[noise(3000)], chunk=11, mode=0o444),
        b"docs-after": Item(content=[noise(4000)]),
        b"sparse": Item(content=[1 << 20, b"island" * 1000, 5 << 30,
                                 b"end", 12345]),
        b"allhole": Item(content=[999999]),
        b"odd": Item(FOLDER, 0o555, mtime=77 * sec),
        b"odd/new\nline \x1b[31m \xff\xfe": Item(content=[b"odd"]),
        b"odd/ " + b"n" * 254: Item(content=[b"long"]),
        b"odd/sub": Item(FOLDER, 0o700),
        b"odd/sub/leaf": Item(content=[b"leaf"]),
        b"link": Item(SYMLINK, 0o777, target=b"docs/text", mtime=9 * sec + 9),
        b"outside": Item(SYMLINK, 0o777, target=b"/etc"),
        b"pipe": Item(FIFO, 0o620, mtime=3 * sec),
        b"hard1": Item(content=[b"one file"], link=99, mtime=sec),
        b"odd/hard2": Item(content=[b"one file"], link=99, mtime=sec),
        b"hard3": Item(content=[b"not the same"], link=99, mtime=sec),
        b"many": Item(FOLDER, 0o755),
    }
    for i in range(700):
        files[b"many/f%04d" % i] = Item(content=[b"file %d" % i],
                                        mtime=i * sec)
    if special:
        files[b"tty"] = Item(CHARACTER, 0o660, device=(5, 1))
        files[b"disk"] = Item(BLOCK_DEVICE, 0o600, device=(8, 300))
        files[b"sock"] = Item(SOCKET, 0o755)
        files[b"setid"] = Item(mode=0o6755, uid=1234, gid=4321,
                               content=[b"s"])
    return files


def second(files):
    """What the sample becomes in commit 2."""
    files = dict(files)
    del files[b"allhole"]
    files[b"docs/text"] = Item(content=[b"second version\n"], mtime=10**18)
    files[b"new"] = Item(content=[pattern(70000)])
    return files


# Vectors.

def vectors():
    """File name -> value, for vectors/python."""
    k = bytes(range(32))
    dedup, key16 = bytes(range(64, 96)), bytes(range(16))
    lengths = 0, 1, 32767, 32768, 32769, 1000000
    out = {"treehash.json": {
        "content": "byte i is (7 i + 3) mod 256",
        "treehash": [{"length": n, "hash": treehash(pattern(n)).hex()}
                     for n in lengths]}}
    code = bytes(range(100, 120))
    recovery = hkdf(code, b"", "skerry/1 recovery", 96)
    slot = keyslot(b"e" * 32, recovery[64:], b"A" * 16, b"S" * 16, 3, k)
    chunker = hkdf(dedup, b"", "skerry/1 chunker", 16)
    out["names.json"] = {
        "dedup_key": dedup.hex(), "r": k.hex(),
        "chunks": [{"length": n,
                    "id": prf(dedup, b"id" + treehash(pattern(n))).hex(),
                    "seal_key": prf(dedup, b"key" + k + treehash(pattern(n))
                                    ).hex()} for n in lengths],
        "prf_empty": prf(k, b"").hex(),
        "head_key": {"space_key": k.hex(), "salt": dedup.hex(),
                     "key": hkdf(k, dedup, "skerry/1 head", 32).hex()},
        "journal_key": hkdf(k, dedup, "skerry/1 journal", 32).hex(),
        "dedup_key_of_space_key_r": hkdf(k, b"", "skerry/1 dedup", 32).hex(),
        "tree_key": hkdf(dedup, b"", "skerry/1 tree", 16).hex(),
        "link_key": hkdf(dedup, b"", "skerry/1 link", 16).hex(),
        "chunker_sha256": sha256(chunker).hex(),
        "link_id": {"device": 2049, "inode": 1234567, "id": siphash(
            hkdf(dedup, b"", "skerry/1 link", 16),
            struct.pack(">QQ", 2049, 1234567))},
        "siphash": [{"key": key16.hex(), "message": bytes(range(n)).hex(),
                     "hash": f"{siphash(key16, bytes(range(n))):016x}"}
                    for n in (0, 1, 7, 8, 15, 63)],
        "recovery": {"code_bytes": code.hex(), "code": recovery_code(code),
                     "s": recovery.hex(), "account": (b"A" * 16).hex(),
                     "space": (b"S" * 16).hex(), "epoch": 3,
                     "space_key": k.hex(), "keyslot": slot.hex()},
        "padme": [[n, padme(n)] for n in (16384, 16385, 20000, 100000, 1000001,
                                          16000000, 16777215, 16777216)]}
    h = treehash(pattern(1000))
    ident = prf(dedup, b"id" + h)
    out["seal.json"] = {
        "key": k.hex(), "content": "the first 1000 bytes of the pattern",
        "samples": [
            {"kind": kind, "id": i.hex(), "counter": c,
             "plain": "codec 0, content" if kind < 6 else "content",
             "sealed": aead(k, c, bytes([1, kind]) + i, (
                 b"\0" if kind < 6 else b"") + pattern(1000)).hex()}
            for kind, i, c in ((1, ident, 0), (4, h, 0), (
                6, struct.pack(">IIQ16x", 5, 9, 4500), 5))]}
    maker = Maker("", seed=11)
    maker.put = maker.put_head = lambda *_: None
    maker.dedup_key = dedup
    maker.tree_key = hkdf(dedup, b"", "skerry/1 tree", 16)
    files = {
        b"a": Item(FOLDER, 0o755, 1000, 1000, 1700000000123456789),
        b"a/b": Item(FILE, 0o644, 1000, 100, -1, [b"x" * 10, 5, b"y"]),
        b"a/link": Item(SYMLINK, 0o777, target=b"b"),
        b"a-z": Item(FIFO, 0o600, link=77, xattrs={b"user.k": b"v"}),
        b"dev": Item(CHARACTER, 0o660, device=(4, 64))}
    items = [(path.replace(b"/", b"\0"), maker.entry(item)[0])
             for path, item in files.items()]
    items.sort()
    ref = bytes(range(16)) + struct.pack(">III", 4096, 217, 200) + k + h
    many = [(b"k%05d" % i, maker.entry(Item())[0]) for i in range(6000)]
    groups = list(node_groups(maker.tree_key, 0, many))
    out["tree.json"] = {
        "dedup_key": dedup.hex(),
        "leaf": {"keys": [key.hex() for key, _ in items],
                 "entries": [entry.hex() for _, entry in items],
                 "node": node(0, items).hex(),
                 "treehash": treehash(node(0, items)).hex()},
        "inner": {"level": 1, "keys": [b"a".hex(), b"a\0b".hex()],
                  "entries": [3, 4], "bytes": [16, 2**40], "ref": ref.hex(),
                  "node": node(1, [(b"a", 3, 16, ref),
                                   (b"a\0b", 4, 2**40, ref)]).hex()},
        "shape": {"keys": "k00000 to k05999, each an empty file, mode 0644, "
                  "all else 0", "items": [len(group) for group in groups],
                  "treehash": [treehash(node(0, group)).hex()
                               for group in groups]}}
    commits = [maker.commit(files, 10**18 + 5, b"first"),
               maker.commit({}, -1, b""), maker.commit(files)]
    out["commit.json"] = {"commits": [
        {"plain": c.hex(), "treehash": treehash(c).hex()} for c in commits]}
    maker = Maker("", seed=12)
    clear = struct.pack(">B3xIQ", 1, 2, 3) + k
    body = maker.space + sha256(b"previous") + ref + maker.device
    sig = maker.signer.sign(b"skerry head v1\0" + clear + body)
    out["head.json"] = {
        "space_key": maker.space_key.hex(), "ed": maker.keys[:32].hex(),
        "clear": clear.hex(), "body": body.hex(), "sig": sig.hex(),
        "head": (clear + aead(hkdf(maker.space_key, k, "skerry/1 head", 32), 0,
                              clear, body + sig)).hex()}
    maker.link(1, device(bytes(range(64)))[1], maker.signer, maker.device)
    maker.link(2, maker.keys, *device(bytes(range(64)))[::2])
    out["chain.json"] = {
        "ops": "add device a; add recovery key; a adds b; b revokes a",
        "chain": [entry.hex() for entry in maker.chain],
        "recovery_code": recovery_code(maker.code),
        "b": {"ed_seed": bytes(range(32)).hex(),
              "x_private": bytes(range(32, 64)).hex()}}
    stream = b"".join(sha256(struct.pack(">Q", i)) for i in range(98304))
    out["chunker.json"] = {
        "dedup_key": dedup.hex(),
        "content": "SHA-256(u64 i) for i = 0 .. 98303, 3 MiB",
        "cuts": cut_points(chunker, stream)}
    return out


def write_vectors(folder):
    os.makedirs(folder, exist_ok=True)
    for name, value in vectors().items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(json.dumps(value, indent=1) + "\n")


def write_sample(folder):
    maker = Maker(os.path.join(folder, "depot"))
    files = sample(special=True)
    maker.commit(files, 1700000000 * 10**9, b"first")
    maker.commit(second(files), 1700000100 * 10**9, "zweite \u00fc".encode())
    maker.write_keys(folder)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("--sample", "--vectors"):
        sys.exit(__doc__)
    {"--sample": write_sample, "--vectors": write_vectors}[sys.argv[1]](
        sys.argv[2])
