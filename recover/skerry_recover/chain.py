# SPDX-License-Identifier: Apache-2.0
"""The device chain, and by it the head's signature: spec/15-devices.md."""

from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .fault import MALFORMED, TAMPERED, TRUST, Fault
from .forms import CHAIN_MAX, Cursor, Head
from .names import sha256

ENTRY_SIZE = 216
ADD, REVOKE, ADD_RECOVERY = 1, 2, 3
Member = namedtuple("Member", "op keys revoked")        # op: the one that added it


def verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def read_chain(data: bytes, account: bytes | None) -> dict[bytes, Member]:
    """The members by device id.  An entry that breaks a rule is a fault, for the whole chain."""
    if not data or len(data) % ENTRY_SIZE or len(data) > CHAIN_MAX * ENTRY_SIZE:
        raise Fault(MALFORMED, f"chain: {len(data)} bytes are no chain")
    members, previous = {}, bytes(32)
    for number in range(len(data) // ENTRY_SIZE):
        entry = data[number * ENTRY_SIZE:(number + 1) * ENTRY_SIZE]
        cur = Cursor(entry, f"chain entry {number}")
        cur.version()
        op = cur.number("B")
        cur.zero(2)
        seq, link, owner, ident, keys, signer, signature = cur.numbers("I32s16s16s64s16s64s")
        account = account or owner
        cur.must((seq, link, owner) == (number, previous, account), "does not continue", TAMPERED)
        cur.must(ident == sha256(b"skerry device v1" + keys)[:16], "id is of other keys", TAMPERED)
        old = members.get(ident)
        if op == REVOKE:
            cur.must(old and not old.revoked and old.keys == keys, "revokes nobody live", TAMPERED)
        else:
            cur.must(op in (ADD, ADD_RECOVERY), f"op {op} does not exist")
            cur.must(old is None, "adds a device again", TAMPERED)
        if number == 0:
            cur.must(op == ADD and signer == ident, "does not sign itself", TAMPERED)
            by = Member(op, keys, False)
        else:
            by = members.get(signer)
            cur.must(by and not by.revoked, "signer is not live", TAMPERED)
        cur.must(verifies(by.keys[:32], signature, b"skerry device v1 chain\0" + entry[:152]),
                 "signature does not verify", TAMPERED)
        members[ident] = Member(old.op if old else op, keys, op == REVOKE)
        previous = sha256(entry)
    return members


def check_head(head: Head, members: dict[bytes, Member]):
    """That a device which is live at the chain's end signed the head."""
    member = members.get(head.device)
    if member is None or member.op != ADD or member.revoked:
        raise Fault(TRUST, f"head is by {head.device.hex()}, which is not a live device")
    if not verifies(member.keys[:32], head.signature, head.signed):
        raise Fault(TAMPERED, "head's signature does not verify")
