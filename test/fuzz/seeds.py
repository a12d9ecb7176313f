#!/usr/bin/python3
"""seeds.py: writes the first inputs of every fuzz target to corpus/<format>/, from vectors/ and from samples made here.

What is there stays: a corpus also keeps what fuzzing found (KEEP=1 tool/fuzz), and the inputs of faults that were fixed."""
import base64
import glob
import hashlib
import hmac
import json
import os
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "../../vectors")
CASE_MAX = 20000  # bytes; longer vectors teach a fuzzer nothing more


def save(target, data):
    if isinstance(data, str):
        data = data.encode()
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), "wb") as f:
        f.write(data)


def b64(data):
    return base64.b64encode(data).decode()


class Party:
    """The keys that the targets make of a number: see make_party() in fuzz_ledger.c."""

    def __init__(self, n):
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([n]) + bytes(31))
        self.ed = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        box = X25519PrivateKey.from_private_bytes(bytes([n]) + bytes(31))
        self.box = box.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(b"skerry device v1" + self.ed + self.box).digest()[:16]


def vectors():
    target = {"chain": "chain", "custody": "custody", "receipt": "receipt", "commit": "commit", "head": "head", "index block": "index", "index entry": "index",
              "segment": "ref", "ref": "ref", "tree entry": "entry", "key": "entry", "leaf": "node",
              "inner node": "node", "request": "leaf"}
    for path in sorted(glob.glob(VECTORS + "/*/*.json")):
        with open(path) as f:
            vector = json.load(f)
        for case in vector.get("cases", []) if vector.get("format") in target else []:
            data = bytes.fromhex(case.get("bytes", ""))
            if "bytes" in case and len(data) <= CASE_MAX:
                save(target[vector["format"]], data)


def paseto(payload):
    """v4.public, signed by the key of one."""
    parts = [b"v4.public.", payload, b"", b""]
    pae = struct.pack("<Q", len(parts)) + b"".join(struct.pack("<Q", len(p)) + p for p in parts)
    body = payload + Party(1).key.sign(pae)
    return "v4.public." + base64.urlsafe_b64encode(body).decode().rstrip("=")


def tokens():
    good = {"v": 1, "depot": "madrid", "prefix": "00112233445566778899aabbccddeeff", "verbs": ["get", "put", "list"],
            "quota": 0, "nbf": 1, "exp": 2}
    changes = [{}, {"v": 2}, {"verbs": []}, {"verbs": ["get", "get"]}, {"exp": 0}, {"quota": -1}, {"depot": ""},
               {"prefix": "00112233445566778899AABBCCDDEEFF"}, {"more": 1}, {"nbf": "1"}, {"v": 1.0}]
    for change in changes:
        payload = json.dumps({**good, **change}, separators=(",", ":")).encode()
        token = paseto(payload)
        for target in ("capability", "paseto"):
            save(target, token)
            save(target, payload)
    save("paseto", token + "\xff")
    save("paseto", token + ".Zm9v")
    save("paseto", token[:-1])
    save("paseto", "v4.local." + token[10:])


def log_key(name):
    public = b"\1" + Party(1).ed
    return f"{name}+{hashlib.sha256(name.encode() + chr(10).encode() + public).hexdigest()[:8]}+{b64(public)}"


def policies():
    key = b64(Party(1).ed)
    authority = {"name": "alpha", "jurisdiction": "ch", "url": "https://a.example", "ca": "PEM", "intake": key,
                 "signing": key, "log": log_key("a.example/log")}
    depots = [{"name": n, "jurisdiction": j, "url": "https://d.example:1", "ca": "PEM"}
              for n, j in (("madrid", "es"), ("zurich", "ch"))]
    residency = {"name": "spain", "jurisdiction": "es", "depots": ["madrid"], "keys": ["ch"]}
    good = {"v": 1, "serial": 7, "issued": 5, "authorities": [authority], "depots": depots, "residencies": [residency]}
    changes = [{}, {"v": 2}, {"serial": 0}, {"residencies": []}, {"residencies": [{**residency, "keys": ["es"]}]},
               {"residencies": [{**residency, "depots": ["zurich"]}]}, {"depots": depots + depots[:1]},
               {"authorities": [{**authority, "url": "http://a.example"}]}]
    for change in changes:
        payload = json.dumps({**good, **change}, separators=(",", ":")).encode()
        save("policy", payload)
        save("policy", f"{key}\n{paseto(payload)}\n")


def signature_fields(party, path, body, created=1800000000, host="a.example"):
    digest = f"sha-256=:{b64(hashlib.sha256(body).digest())}:"
    params = ('("@method" "@authority" "@path" "content-digest")'
              f';created={created};nonce="{"00" * 16}";keyid="{party.id.hex()}";alg="ed25519";tag="skerry"')
    base = (f'"@method": POST\n"@authority": {host}\n"@path": {path}\n"content-digest": {digest}\n'
            f'"@signature-params": {params}')
    return digest, "skerry=" + params, f"skerry=:{b64(party.key.sign(base.encode()))}:"


def signatures():
    for created in (0, 1800000000, 999999999999999):
        fields = signature_fields(Party(1), "/path", b"{}", created, "host")
        save("httpsig", "\n".join(fields) + "\n{}")
    save("httpsig", "\n".join(fields).replace("created=9", "created=09") + "\n{}")
    save("httpsig", "\n".join(fields).replace('keyid="', 'keyid="A') + "\n{}")
    save("httpsig", "\n".join(fields)[:-6] + "\n")


def chain_entry(op, seq, before, account, whom, signer):
    signed = (struct.pack(">BBHI", 1, op, 0, seq) + before + account + whom.id + whom.ed + whom.box + signer.id)
    return signed + signer.key.sign(b"skerry device v1 chain\0" + signed)


def bodies():
    """Requests at the ledger: path, signer, body."""
    device, recovery, stranger = Party(1), Party(2), Party(3)
    account, space, other = bytes([1]) + bytes(15), bytes([2]) + bytes(15), bytes([9]) + bytes(15)
    first = chain_entry(1, 0, bytes(32), other, stranger, stranger)
    second = chain_entry(3, 1, hashlib.sha256(first).digest(), other, Party(4), stranger)
    chain = [chain_entry(1, 0, bytes(32), account, device, device)]
    chain.append(chain_entry(3, 1, hashlib.sha256(chain[0]).digest(), account, recovery, device))
    third = chain_entry(1, 2, hashlib.sha256(chain[1]).digest(), account, stranger, device)
    fourth = chain_entry(3, 2, hashlib.sha256(chain[1]).digest(), account, stranger, device)
    fifth = chain_entry(2, 2, hashlib.sha256(chain[1]).digest(), account, recovery, device)
    head = struct.pack(">BBHIQ", 1, 0, 0, 1, 1) + bytes(268)
    new = {"account": other.hex(), "chain": [b64(first), b64(second)], "space": other.hex(), "residency": "r",
           "depot": "d", "keyslots": [{"epoch": 1, "kind": "authority", "blob": b64(bytes(80))},
                                      {"epoch": 1, "kind": "recovery", "blob": b64(bytes(80))}], "head_epoch": 1,
           "custody": b64(bytes(198)), "log_key": b64(bytes(32))}
    session = {"account": account.hex(), "space": space.hex(), "chain_seen": 0, "custody_seen": 0, "log_seen": 0,
               "reason": "user"}
    epoch = {"space": space.hex(), "epoch": 2, "custody": 1, "keyslots": [
        {"epoch": 2, "kind": "authority", "blob": b64(bytes(80))},
        {"epoch": 2, "kind": "recovery", "blob": b64(bytes(80))}]}
    sealed = bytes([5]) + bytes(15)
    slot = {"kind": "device", "device": device.id.hex(), "blob": b64(bytes(80))}
    next_epoch = {"space": sealed.hex(), "epoch": 2, "custody": 1, "keyslots": [
        {**slot, "epoch": 2}, {"epoch": 2, "kind": "recovery", "blob": b64(bytes(80))}]}
    requests = [
        (8, 0, next_epoch), (8, 0, {**next_epoch, "keyslots": next_epoch["keyslots"] * 2}), (9, 0, {"space": sealed.hex(), "epoch": 2}),
        (9, 0, {"space": sealed.hex(), "epoch": 1}), (11, 0, {"space": sealed.hex(), "keyslots": [{**slot, "epoch": 1}]}),
        (1, 0, {**session, "space": sealed.hex()}), (1, 0, {**session, "log_seen": 1}),
        (0, 2, new), (0, 2, {**new, "residency": "nowhere"}), (0, 2, {**new, "chain": [b64(first)]}),
        *((0, who, {**new, "custody": b64(custody_set(1, b"")), **more}) for who in (2, 5) for more in (
            {}, *({"invitation": x} for x in (b64(bytes(20)), b64(bytes([1] * 20)), b64(bytes(21)), 1)))),
        (1, 0, session), (1, 0, {**session, "chain_seen": 2 ** 32}), (1, 0, {**session, "space": other.hex()}),
        (1, 1, session), (1, 0, {**session, "log_seen": 2 ** 60}), (2, 0, {"space": space.hex(), "expect": 0, "head": b64(head)}),
        (2, 0, {"space": space.hex(), "expect": 1, "head": b64(head)}),
        (3, 2, {"ed": b64(stranger.ed), "box": b64(stranger.box)}),
        (4, 0, {"account": account.hex(), "device": stranger.id.hex()}),
        (5, 0, {"account": account.hex(), "entry": b64(third), "chain_seen": 2}),
        (5, 0, {"account": account.hex(), "entry": b64(third), "chain_seen": 1}),
        (5, 0, {"account": account.hex(), "entry": b64(fourth), "chain_seen": 2}),
        *((5, 0, {"account": account.hex(), "entry": b64(x), "chain_seen": 2, "keyslots": [
            {"space": y.hex(), "epoch": 1, "kind": "recovery", "blob": b64(bytes(80))} for y in (space, sealed)]})
          for x in (third, fifth)),
        (6, 0, {"device": device.id.hex(), "chain_seen": 0}), (6, 1, {"device": recovery.id.hex(), "chain_seen": 3}),
        (7, 1, {"account": account.hex(), "space": space.hex()}), (7, 0, {}),
        (8, 0, epoch), (8, 0, {**epoch, "custody": 2}), (8, 0, {**epoch, "epoch": 1}), (8, 1, epoch),
        (8, 0, {**epoch, "keyslots": [epoch["keyslots"][0], {**epoch["keyslots"][1], "device": recovery.id.hex()}]}),
        (8, 0, {**epoch, "keyslots": epoch["keyslots"][:1]}), (8, 0, {**epoch, "keyslots": []}),
        (9, 0, {"space": space.hex(), "epoch": 1}), (9, 0, {"space": space.hex(), "epoch": 2}),
        (9, 0, {"space": space.hex(), "epoch": 5000}), (9, 0, {"space": other.hex(), "epoch": 1}),
        (12, 0, {"space": space.hex(), "from": 0}), (12, 1, {"space": space.hex(), "from": 2 ** 40}),
        (12, 0, {"space": other.hex(), "from": 0}), (12, 0, {"space": space.hex(), "from": -1}),
        (13, 2, {"device": stranger.id.hex(), "account": account.hex(), "chain": [b64(c) for c in chain],
                 "space": other.hex(), "residency": "r", "capability": "v4.x", "set": b64(bytes(198)),
                 "log_key": b64(bytes(32))}),
        (13, 2, {"device": stranger.id.hex(), "account": account.hex(), "chain": [b64(c) for c in chain[1:]],
                 "space": other.hex(), "residency": "r", "capability": "", "set": b64(bytes(198)),
                 "part": {"from": 1, "more": True, "ed": b64(stranger.ed), "box": b64(stranger.box)}}),
        (15, 0, {"space": space.hex(), "after": 0}), (15, 0, {"space": space.hex(), "after": 1}),
        (15, 1, {"space": other.hex(), "after": 2 ** 32}),
        (10, 0, {"space": space.hex(), "set": b64(bytes(198)), "keyslots": []}),
        (11, 0, {"space": space.hex(), "keyslots": [
            {"epoch": 1, "kind": "device", "device": device.id.hex(), "blob": b64(bytes(80))}]}),
    ]
    paths = ["accounts", "session", "head", "enrolments", "enrolments/lookup", "devices", "account", "recovery",
             "epochs", "epochs/destroy", "custody", "keyslots", "entries", "holders", "requests", "custody/sets"]
    for path, who, body in requests:
        text = json.dumps(body).encode()
        save("ledger", bytes([path, who]) + text)
        fields = [f"/v1/{paths[path]}", *signature_fields(Party(who % 3 + 1), f"/v1/{paths[path]}", text)]
        frame = b"".join(struct.pack(">H", len(x)) + x.encode() for x in fields)
        frame += struct.pack(">I", len(text)) + text
        save("ledger", bytes([99, 0]) + frame)
        save("roles", frame)
    for text in (b"", b"0", b"32", b"01", b"9223372036854775808"):
        save("ledger", bytes([14, 0]) + text)
    for text in (b"", b"[]", b"{", b'{"a":1,"a":2}', b"[" * 3000, b'{"account":"\\u0000"}'):
        save("ledger", b"\1\0" + text)


def roles():
    of = bytes(32) + struct.pack(">IB", 1, 0)
    for under in (b"\0", b"\1" + bytes(60)):
        save("roles", b"\2" + of + under + bytes(80))
        request = struct.pack(">Q", 1800000000) + bytes(16 + 32 + 64)
        entry = b"\1\5" + struct.pack(">Q", 1800000000) + bytes(80) + struct.pack(">H", 1) + b"\1"
        logged = struct.pack(">H", len(entry)) + entry + bytes(32) + struct.pack(">Q", 1) + b"\1" + bytes(32)
        save("roles", b"\3" + of + under + bytes(60 + 32 + 32) + request + logged)
        for request in (6, 7):
            save("roles", bytes([request]) + of + under + b"\2" + struct.pack(">H", 108) + bytes(108))
    save("roles", b"\5" + of)
    save("roles", b"\x08\1" + struct.pack(">I", 1) + bytes(16) + struct.pack(">Q", 1800000000) + bytes(32))
    save("roles", b"\x09" + struct.pack(">H", 3) + b"abc")
    save("roles", b"\x0a" + struct.pack(">QQ", 1, 2) + bytes(32) + b"\1" + bytes(32))
    save("roles", b"\4\6madrid" + bytes(16) + struct.pack(">Q", 1800000000))
    save("roles", b"\4\6mad\0id" + bytes(16) + struct.pack(">Q", 1800000000))
    save("roles", struct.pack(">HQQQQ", 200, 7, 3, 1800000000, 60) + b"{}")


def postings():
    one = b"\0" + struct.pack(">Q", 3) + b"\2" + bytes(64)
    note = struct.pack(">I", 5) + b"note\n"
    for data in (b"\1" + one + note, b"\2" + one + one + note, b"\0" + note, b"\x11" + one + note,
                 b"\1" + one + struct.pack(">I", 2 ** 32 - 1) + b"x"):
        save("posting", data)
    for kind, size, text in ((1, 0, "\u2014 w.example AAAA\n"), (2, 7, ""), (3, 0, "timeout"), (4, 0, "")):
        save("posting", struct.pack(">BBQ", 1, kind, size) + text.encode())


def release_bodies():
    fixed = bytes(16 + 16 + 4 + 16 + 8 + 16 + 32 + 64)
    for host in (b"a.example", b"", b"h" * 255, b"a\0b"):
        save("body", fixed + bytes([len(host)]) + host)
    save("body", fixed + b"\x09a")


def answers():
    entry, sealed, head, key = b64(bytes(216)), b64(bytes(80)), b64(bytes(284)), b64(bytes(32))
    ident = "00112233445566778899aabbccddeeff"
    session = {"now": 5, "chain": [entry], "chain_length": 1, "keys": [{"epoch": 1, "sealed": sealed}], "lease": 60,
               "head": head, "depot": {"name": "d", "prefix": ident, "capability": "v4.x"}}
    for a in (session, {**session, "head": None}, {**session, "keys": []}, {**session, "lease": 0},
              {**session, "chain_length": -1}, {**session, "more": 1}, {**session, "depot": {}},
              {"error": {"code": "CONFLICT", "text": "head"}, "now": 5, "head": head},
              {"error": {"code": "CONFLICT", "text": "chain"}, "now": 5, "chain": [entry]},
              {"error": {"code": "NO_SUCH", "text": ""}, "now": 5},
              {"account": ident, "chain": [entry], "spaces": [{"space": ident, "residency": "r", "depot": "d"}]},
              {}, {"seq": 3}, {"ed": key, "box": key}, {"keyslots": [{"epoch": 1, "blob": b64(bytes(80))}]},
              {"receipt": b64(bytes(128))}, {"receipts": []}, {"receipts": [b64(bytes(128))] * 2},
              {"receipts": [b64(bytes(127))]}, []):
        save("answer", json.dumps(a))


def agent():
    lease = (bytes(48) + struct.pack(">I", 60) + bytes(16) + b"\1d" + struct.pack(">H", 4) + b"v4.x"
             + struct.pack(">HI", 1, 1) + bytes(32))
    save("lease", b"\1\1" + lease)
    save("lease", b"\1\x82" + lease)
    save("lease", b"\1\1" + lease + b"\0")
    save("lease", b"\1\2" + bytes(32))
    for kind in (3, 0x81, 0x83, 0x84, 0x7f):
        save("lease", bytes([1, kind]))
    save("lease", b"\2\3")


def device_files():
    entry = struct.pack(">32s16sIIIB3s32s", bytes([1] * 32), bytes(16), 0, 100, 90, 1, bytes(3), bytes(32))
    for n in (1, 3):
        salt, count = bytes([n] * 32), struct.pack(">I", n)
        prk = hmac.new(salt, bytes([1]) + bytes(31), "sha256").digest()
        key = hmac.new(prk, b"skerry/1 journal\1", "sha256").digest()
        record = count + salt + AESGCM(key).encrypt(bytes(12), entry * n, count)
        save("journal", record)
        save("journal", record + record[:40])
        save("journal", record[:-1])
    save("journal", struct.pack(">I", 0xffffffff) + bytes(40))


def keyfiles():
    clear = struct.pack(">B3sQQ16s32s32s16s", 1, bytes(3), 3, 64 << 20, bytes(16), bytes(32), bytes(32), bytes(16))
    for data in (clear + bytes(112), b"\2" + clear[1:] + bytes(112), clear + bytes(111), b"\1\0\0\1" + clear[4:]):
        save("keyfile", data)


def lists():
    data = b"\0" + bytes([7] * 32) + struct.pack(">I", 100)
    hole = b"\1" + struct.pack(">Q", 4096)
    for items in (b"", data, hole, data + hole + data, hole + hole, data * 2, data[:-4] + bytes(4), b"\2" + data[1:],
                  hole[:1] + b"\xff" * 8, data[:-4] + struct.pack(">I", 2097152) + data):
        save("list", items)


def frames():
    text = b"a content that is long enough to be made shorter, " * 4
    for frame, length in ((b"\0" + text, len(text)), (b"\0", 1), (b"\2" + text, len(text)),
                          (b"\1\x28\xb5\x2f\xfd\x20\5\x29\0\0hello", 5), (b"\1\x50\x2a\x4d\x18\4\0\0\0skip", 64),
                          (b"\2\x1fa\1\0\x2c\x50aaaaa", 69), (b"\2\x50hello", 5), (b"\2\x1fa\2\0\xff", 300), (b"\3" + text, len(text))):
        save("seal", struct.pack(">I", length - 1) + frame)


def excludes():
    rules = ("*.o\n/build/\n**/a/b\n# no\n\ncore\n", "core/\ncore\n/core\n", "[a-c]?\n[!x]*\n\\*\n\\#x\n", "**/**/x/\na/**/b\n", "x" * 4097,
             "x" * 4096 + "\n", "/\n", "a\0b\n", "\xff*\n[\xe4]\n", "[[:alpha:]]x\n[]a]\n[ab\n", "a*b*c*d*e\n")
    for path in ("core", "a/b", "src/a/b.o", "a/x/\xff", "#x/[ab", ""):
        for text in rules:
            save("exclude", f"{path}\n{text}".encode("latin-1"))


def texts():
    device = "ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-20"
    for text in ("QUJD", "QUI=", "QQ==", "QR==", "00ff", "00FF", "Q\xffJD", device, device.lower(), "a/b/../c", "/a//b/",
                 "a" * 256, "\x1b[31m", ".", "0123-4567-89AB-CDEF"):
        save("text", text.encode("latin-1"))
        save("recovery", text.encode("latin-1"))
    code = "0000-" * 8 + "0000"
    save("recovery", code)
    save("recovery", code.replace("0", "O"))
    p, o = "00112233445566778899aabbccddeeff", "ff" * 16
    for target in ("/healthz", f"/v1/{p}/{o}", f"/v1/{p}/head", f"/v1/{p}", f"/v1/{p}?after={o}&limit=10",
                   f"/v1/{p}?limit=0", f"/v1/{p.upper()}/{o}", f"/v1/{p}/%66", f"/v1/{p}?limit=1&limit=2", "/", "",
                   "bytes=0-1", "bytes=-5", "bytes=5-", "bytes=18446744073709551616-", "bytes=0-0,2-3",
                   f"sha-256=:{b64(bytes(32))}:", "crc32c=:4waSgw==:"):
        save("depot_path", target)


def log():
    """What c2sp.org/signed-note and its kin say, with the keys of one and two."""
    name = "log.example/1"
    public = b"\1" + Party(1).ed
    ident = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    vkey = f"{name}+{ident.hex()}+{b64(public)}"
    witness = b"\4" + Party(2).ed
    wid = hashlib.sha256(b"w.example\n" + witness).digest()[:4]
    wkey = f"w.example+{wid.hex()}+{b64(witness)}"
    text = f"{name}\n7\n{b64(bytes(32))}\n"
    note = f"{text}\n\u2014 {name} {b64(ident + Party(1).key.sign(text.encode()))}\n"
    time = 1800000000
    seen = Party(2).key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    cosigned = note + f"\u2014 w.example {b64(wid + struct.pack('>Q', time) + seen)}\n"
    proof = f"c2sp.org/tlog-proof@v1\nindex 3\n{b64(bytes(32))}\n\n"
    for each in (vkey, wkey, text, note, cosigned, note[:-1], note.split("\n\n")[1], proof + note,
                 proof.replace("index", "extra AAAA\nindex") + cosigned, text + "more\n", text.replace("7", "07")):
        save("note", each)
    hashes = "".join(b64(bytes([i] * 32)) + "\n" for i in range(3))
    for each in ("old 0\n\n" + note, f"old 4\n{hashes}\n" + cosigned, f"old 04\n\n{note}", f"old 4\n{hashes}{note}",
                 f"old 4\n{hashes * 22}\n{note}"):
        save("submit", each)
    for each in (f"log {vkey} https://log.example\nquorum none\n",
                 f"log {vkey}\nwitness w1 {wkey} https://w.example\nquorum w1\n",
                 f"log {vkey}\nwitness w1 {wkey}\ngroup g 1 w1\nquorum g\n", f"log {vkey}\ngroup g 2 w1\n", "# \n"):
        save("trust", each)
    for each in ("tile/0/x001/067.p/5", "tile/63/000", "tile/entries/000", "tile/0/1", "tile/0/000.p/0"):
        save("tile", each)
    save("tile", b"\0" + bytes(32))
    save("tile", b"\1" + bytes(64))
    save("tile", b"\1\0\3abc\0\0")
    for n in (0, 5):
        save("leaf", b"\1\5" + struct.pack(">Q", time) + bytes(96) + struct.pack(">H", n) + bytes(n))
        save("leaf", b"\1\5\0\0" + struct.pack(">Q", time) + bytes(80) + struct.pack(">H", n) + bytes(n))


def opened_entry():
    """A release of a log of one entry, as its owner opens it; and the note alone."""
    name, at, nonce, public = "a.example/log", 1800000000, bytes(range(16)), b"\1"
    verifier = b"\1" + Party(1).ed
    ident = hashlib.sha256(name.encode() + b"\n" + verifier).digest()[:4]
    body = (bytes([1]) * 16 + bytes([2]) * 16 + struct.pack(">I", 1) + Party(3).id + struct.pack(">Q", at)
            + bytes(16) + bytes(32) + bytes(64) + b"\x09a.example")
    key = hmac.new(bytes(32), b"skerry log v1 key" + nonce, "sha256").digest()
    bound = b"\5" + struct.pack(">Q", at) + nonce + hashlib.sha256(public).digest()
    entry = (b"\1\5" + struct.pack(">Q", at) + nonce + hmac.new(key, b"skerry log v1 tag" + bound, "sha256").digest()
             + hmac.new(key, b"skerry log v1 body" + bound + body, "sha256").digest() + struct.pack(">H", 1) + public)
    text = f"{name}\n1\n{b64(hashlib.sha256(bytes(1) + entry).digest())}\n"
    note = f"{text}\n\u2014 {name} {b64(ident + Party(1).key.sign(text.encode()))}\n"
    extra = b64(key + struct.pack(">H", len(entry)) + entry + body)
    vkey = f"{name}+{ident.hex()}+{b64(verifier)}"
    return body, f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex 0\n\n{note}", note, vkey


def custody_set(serial, before):
    """A standard one; nobody looks at its signature here."""
    return (struct.pack(">BBBBII", 1, 1, 1, 1, serial, 1) + bytes([1]) * 16
            + (hashlib.sha256(before).digest() if before else bytes(32)) + struct.pack(">qq", 5, 5) + bytes([2]) * 32
            + b"ch" + b"\1" + bytes(7) + bytes([3]) * 16 + bytes(64))


def left():
    old = custody_set(1, b"")
    one = b"".join(struct.pack(">H", len(x)) + x for x in (old, custody_set(2, old)))
    one += struct.pack(">BBBII", 0, 1, 2, 1, 2)
    for each in (b"\0", b"\1" + one, b"\2" + one + one, b"\1" + one[:-1]):
        save("logpin", each)


def log_client():
    body, proof, note, vkey = opened_entry()
    name = b"a.example/log"
    for each in (body, body[:-1], body + b"x", bytes(64), bytes(32) + b"\1" * 4, proof, proof.replace("index 0", "index 1")):
        save("logopen", each)
    evidence = {"v": 1, "what": "log", "why": "", "time": 5, "log": vkey, "chain": [], "notes": [], "proofs": [],
                "consistency": None}
    for more in ({"kind": "fork", "notes": [note, note]}, {"kind": "rollback", "notes": [note, note]},
                 {"kind": "release", "proofs": [proof]}, {"kind": "double", "proofs": [proof, proof]},
                 {"kind": "withheld", "proofs": [proof]}, {"kind": "inclusion", "proofs": [proof]},
                 {"kind": "inconsistent", "notes": [note, note],
                  "consistency": {"size": 1, "root": b64(bytes(32)), "hashes": [b64(bytes(32))]}}, {"v": 2}):
        save("logopen", json.dumps({**evidence, "kind": "x", **more}))
    pin = bytes([len(name)]) + name + struct.pack(">Q", 1) + bytes(32) + struct.pack(">I", len(note.encode())) + note.encode()
    item = struct.pack(">QQBBI", 0, 5, 5, 0, 1) + bytes(64)
    audit = bytes([len(name)]) + name + struct.pack(">Q", 1) + bytes(32)
    asked = struct.pack(">q", 5) + bytes(16)
    asked += hashlib.sha256(b"skerry asked v1" + asked).digest()[:8]
    for each in (pin, pin + pin, pin[:-1], audit, audit + item, audit + item + item, asked, asked * 2, asked + asked[:9],
                 bytes(32) + asked):
        save("logpin", each)
    log = {"proofs": [proof], "consistency": [b64(bytes(32))], "checkpoint": note}
    entries = {"entries": [{"index": 3, "body": b64(body)}, {"index": 9, "body": "AQ=="}], "next": None}
    requests = {"requests": [{"index": 3, "key": b64(bytes(32)), "body": b64(b"Give.")}, {"index": 9, "until": 5}],
                "next": None}
    for each in ({"log": log}, {"seq": 3, "log": log}, {"log": {**log, "proofs": [], "consistency": []}}, {"log": {}},
                 {"receipt": b64(bytes(128)), "log": log}, entries, {**entries, "next": 7},
                 requests, {**requests, "next": 10}, {**requests, "next": 9}, {"requests": [], "next": None}):
        save("answer", json.dumps(each))


for make in (vectors, tokens, policies, signatures, bodies, roles, postings, release_bodies, answers, agent, device_files, keyfiles, lists, frames, log, log_client, left,
             excludes, texts):
    make()
