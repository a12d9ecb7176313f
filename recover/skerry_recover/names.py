# SPDX-License-Identifier: Apache-2.0
"""Primitives, key derivation and sealings: spec/10-names.md."""

import ctypes
import hashlib
import hmac
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .fault import CONFIG, MALFORMED, SECRET, TAMPERED, Fault

DATA, LIST, ATTRIBUTES, NODE, COMMIT, BLOCK = range(1, 7)          # kinds of sealings
KINDS = None, "data chunk", "list chunk", "attribute chunk", "tree node", "commit", "index block"
LEAF = 32768
OVERHEAD = 17                    # of a framed sealing: codec byte and tag
ZSTD_MAGIC = bytes.fromhex("28b52ffd")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sha256(data) -> bytes:
    return hashlib.sha256(data).digest()


def treehash(data: bytes) -> bytes:
    view = memoryview(data)
    leaves = [sha256(view[at:at + LEAF]) for at in range(0, max(len(data), 1), LEAF)]
    return sha256(b"skerry treehash v1" + struct.pack(">Q", len(data)) + b"".join(leaves))


def hkdf(ikm: bytes, salt: bytes, label: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, label.encode()).derive(ikm)


def prf(key: bytes, message: bytes) -> bytes:
    return hashlib.blake2b(message, key=key, digest_size=32).digest()


def chunk_id(dedup_key: bytes, content: bytes) -> bytes:
    return prf(dedup_key, b"id" + treehash(content))


def aead_open(key: bytes, counter: int, aad: bytes, sealed: bytes) -> bytes:
    """Raises InvalidTag if any of the four is not what it was when sealed."""
    return AESGCM(key).decrypt(struct.pack(">QI", 0, counter), sealed, aad)


def unseal(key: bytes, kind: int, ident: bytes, sealed: bytes, counter: int = 0) -> bytes:
    """The plaintext of a sealing; of kinds 1 to 5 still in its frame."""
    try:
        return aead_open(key, counter, bytes([1, kind]) + ident, sealed)
    except InvalidTag:
        raise Fault(TAMPERED, f"{KINDS[kind]} was altered: authentication failed") from None


def unframe(frame: bytes, length: int) -> bytes:
    """The content, of exactly that length, of a frame: codec and body."""
    codec, body = frame[0], frame[1:]
    if codec > 1 or codec == 1 and len(body) >= length:
        raise Fault(MALFORMED, f"codec {codec} with {len(body)} bytes is not valid")
    content = _unzstd(body, length) if codec else body
    if len(content) != length:
        raise Fault(MALFORMED, f"{len(content)} bytes of content where {length} are due")
    return content


@lru_cache
def load_zstd() -> ctypes.CDLL:
    try:
        lib = ctypes.CDLL("libzstd.so.1")
    except OSError:
        raise Fault(CONFIG, "no libzstd.so.1 here: install the package libzstd1") from None
    size, data = ctypes.c_size_t, ctypes.c_char_p
    lib.ZSTD_decompress.argtypes, lib.ZSTD_decompress.restype = [data, size, data, size], size
    lib.ZSTD_findFrameCompressedSize.argtypes = [data, size]
    lib.ZSTD_findFrameCompressedSize.restype = size
    lib.ZSTD_isError.argtypes = [size]
    return lib


def _unzstd(body: bytes, length: int) -> bytes:
    """The content of one zstd frame; never more than length bytes are written."""
    zstd = load_zstd()
    if body[:4] != ZSTD_MAGIC or zstd.ZSTD_findFrameCompressedSize(body, len(body)) != len(body):
        raise Fault(MALFORMED, "body is not one zstd frame")
    out = ctypes.create_string_buffer(length)
    size = zstd.ZSTD_decompress(out, length, body, len(body))
    if zstd.ZSTD_isError(size):
        raise Fault(MALFORMED, "zstd frame is broken, or longer than the content")
    return out.raw[:size]


def base32(data: bytes, chars: int) -> str:
    """The first 5 * chars bits of data."""
    bits = int.from_bytes(data, "big") >> len(data) * 8 - 5 * chars
    return "".join(CROCKFORD[bits >> 5 * n & 31] for n in reversed(range(chars)))


def parse_recovery_code(text: str) -> bytes:
    """The 20 bytes of a recovery code, its last group checked."""
    plain = "".join(text.split()).replace("-", "").upper().translate(str.maketrans("OIL", "011"))
    if len(plain) != 36 or not set(plain) <= set(CROCKFORD):
        raise Fault(SECRET, "a recovery code is nine groups of four digits and letters, without U")
    bits = 0
    for char in plain[:32]:
        bits = bits << 5 | CROCKFORD.index(char)
    code = bits.to_bytes(20, "big")
    if base32(sha256(b"skerry recovery v1" + code), 4) != plain[32:]:
        raise Fault(SECRET, "the recovery code has a typing error: its last group does not fit")
    return code


def hpke_expand(prk: bytes, suite: bytes, label: bytes, info: bytes, n: int) -> bytes:
    return HKDFExpand(SHA256(), n, struct.pack(">H", n) + b"HPKE-v1" + suite + label
                      + info).derive(prk)


def hpke_extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def open_sealed(private: bytes, info: bytes, aad: bytes, blob: bytes) -> bytes:
    """HPKE (RFC 9180) base mode: X25519, HKDF-SHA256, AES-256-GCM."""
    key = X25519PrivateKey.from_private_bytes(private)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    try:
        dh = key.exchange(X25519PublicKey.from_public_bytes(blob[:32]))
    except ValueError:
        raise Fault(MALFORMED, "keyslot has a key of low order") from None
    kem, suite = b"KEM\0\x20", b"HPKE\0\x20\0\1\0\2"
    prk = hpke_extract(b"", kem, b"eae_prk", dh)
    shared = hpke_expand(prk, kem, b"shared_secret", blob[:32] + public, 32)
    context = (b"\0" + hpke_extract(b"", suite, b"psk_id_hash", b"")
               + hpke_extract(b"", suite, b"info_hash", info))
    prk = hpke_extract(shared, suite, b"secret", b"")
    try:
        return AESGCM(hpke_expand(prk, suite, b"key", context, 32)).decrypt(
            hpke_expand(prk, suite, b"base_nonce", context, 12), blob[32:], aad)
    except InvalidTag:
        raise Fault(SECRET, "the keyslot does not open: it is for another code, account, space "
                    "or epoch, or was altered") from None


def open_keyslot(code: bytes, blob: bytes, account: bytes, space: bytes, epoch: int) -> bytes:
    """The space key in a recovery keyslot: sealed to the recovery key's public half, or (60
    bytes, as the first spaces had it) under its wrap key."""
    secret = hkdf(code, b"", "skerry/1 recovery", 96)
    if len(blob) == 80:
        aad = account + space + struct.pack(">I", epoch)
        return open_sealed(secret[64:], b"skerry recovery v1", aad, blob)
    if len(blob) != 60:
        raise Fault(MALFORMED, f"keyslot has {len(blob)} bytes, not 80")
    wrap_key = secret[:32]
    aad = b"skerry keyslot v1" + account + space + struct.pack(">I", epoch) + b"recovery"
    try:
        return AESGCM(wrap_key).decrypt(blob[:12], blob[12:], aad)
    except InvalidTag:
        raise Fault(SECRET, "the keyslot does not open: it is for another code, account, space "
                    "or epoch, or was altered") from None
