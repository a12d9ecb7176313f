# SPDX-License-Identifier: Apache-2.0
"""From bytes to values, refusing every encoding but the valid one: spec/00-conventions.md
(limits), spec/20-pack.md, spec/30-tree.md."""

import struct
import sys
from array import array
from bisect import bisect_right
from collections import namedtuple
from typing import Iterator

from .fault import MALFORMED, VERSION, Fault, show
from .names import ATTRIBUTES, OVERHEAD

PACK_SIZE, CHUNK_MAX, COMMIT_MAX, XATTR_MAX = 16777216, 2097152, 8388608, 1048576
NODE_MAX, NODE_ITEMS_MAX, KEY_BYTES_MAX, NAME_MAX, LINK_MAX = 131072, 8192, 32767, 255, 4095
INLINE_MAX, MESSAGE_MAX, SEGMENTS_MAX, TREE_LEVEL_MAX, LIST_LEVEL_MAX = 4096, 1024, 64, 12, 3
HEAD_SIZE, CHAIN_MAX = 284, 1024
BLOCK_ENTRIES, ENTRY_SIZE = 512, 96
BLOCK_SEALED = BLOCK_ENTRIES * ENTRY_SIZE + 16

FILE, FOLDER, SYMLINK, FIFO, SOCKET, CHARACTER, BLOCK_DEVICE = range(1, 8)

Place = namedtuple("Place", "object offset length")
Ref = namedtuple("Ref", "place plain key hash")
Head = namedtuple("Head", "epoch number space previous commit device signature signed")
IndexEntry = namedtuple("IndexEntry", "place plain kind key")
Commit = namedtuple("Commit", "epoch number time device dedup_key parent root entries bytes "
                    "message segments")
Child = namedtuple("Child", "entries bytes ref")        # of an inner node
# mtime is in nanoseconds since 1970; attributes are None if they are in attributes_chunk, which
# is (chunk id, length) or None; link is 0 without a link id; raw is the whole encoded entry.
Entry = namedtuple("Entry", "type mode uid gid mtime link attributes attributes_chunk size level "
                   "list target device raw")


class Cursor:
    """Takes values from the front of data; what names it in faults."""

    def __init__(self, data: bytes, what: str):
        self.data, self.what, self.at = data, what, 0

    def must(self, holds: bool, text: str, status: int = MALFORMED):
        if not holds:
            raise Fault(status, f"{self.what}: {text}")

    def most(self, value: int, limit: int, what: str) -> int:
        self.must(value <= limit, f"{what} is {value}, over {limit}")
        return value

    def take(self, count: int) -> bytes:
        self.must(count <= len(self.data) - self.at, "ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def numbers(self, form: str) -> tuple:
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))

    def number(self, form: str) -> int:
        return self.numbers(form)[0]

    def version(self):
        version = self.number("B")
        self.must(version == 1, f"version {version} is not known", VERSION)

    def zero(self, count: int):
        self.must(not any(self.take(count)), "reserved bytes are not zero")

    def time(self) -> int:
        seconds, nanoseconds = self.numbers("qI")
        self.must(nanoseconds < 10**9, "nanoseconds are not below 10^9")
        return seconds * 10**9 + nanoseconds

    def place(self) -> Place:
        place = Place(*self.numbers("16sII"))
        self.must(place.length >= OVERHEAD, "sealing is shorter than its overhead")
        self.must(place.offset + place.length <= PACK_SIZE, "place is past the end of a pack")
        return place

    def ref(self, plain_max: int) -> Ref:
        ref = Ref(self.place(), *self.numbers("I32s32s"))
        self.must(1 <= ref.plain <= plain_max, f"plain length {ref.plain} is not valid")
        self.must(ref.place.length <= ref.plain + OVERHEAD, "sealing is too long")
        return ref

    def end(self):
        self.must(self.at == len(self.data), "bytes are left over")


def parse_head(head: bytes, opened: bytes | None = None) -> Head | bytes:
    """The salt from the clear part of a head; all of it once the rest was opened."""
    cur = Cursor(head, "head")
    cur.version()
    cur.must(len(head) == HEAD_SIZE, f"has {len(head)} bytes, not {HEAD_SIZE}")
    cur.zero(3)
    epoch, number, salt = cur.numbers("IQ32s")
    if opened is None:
        return salt
    cur = Cursor(opened, "head")
    space, previous = cur.numbers("16s32s")
    cur.must(number >= 1 and (number == 1) == (not any(previous)), "number and previous disagree")
    commit, device = cur.ref(COMMIT_MAX), cur.take(16)
    signed = b"skerry head v1\0" + head[:48] + opened[:cur.at]
    return Head(epoch, number, space, previous, commit, device, cur.take(64), signed)


def parse_index_entry(data: bytes) -> IndexEntry:
    cur = Cursor(data[32:], "index entry")
    place, plain, kind = cur.place(), *cur.numbers("IB")
    cur.zero(3)
    cur.must(1 <= kind <= 3, f"kind {kind} does not exist")
    cur.must(1 <= plain <= (XATTR_MAX if kind == ATTRIBUTES else CHUNK_MAX), "bad plain length")
    cur.must(place.length <= plain + OVERHEAD, "sealing is too long")
    return IndexEntry(place, plain, kind, cur.take(32))


class Segment:
    """A segment as its commit describes it; the entries stay in the depot."""

    def __init__(self, cur: Cursor):
        start = cur.at
        self.key, self.entries, runs = cur.numbers("32sQI")
        cur.must(self.entries >= 1, "segment is empty")
        self.blocks = -(-self.entries // BLOCK_ENTRIES)
        self.runs = []                   # (first block, object, offset)
        first, end = 0, None
        for _ in range(runs):
            ident, offset, count = cur.numbers("16sII")
            cur.must(1 <= count <= self.blocks - first, "run has no block, or too many")
            cur.must((ident, offset) != end, "run continues the one before")
            self.runs.append((first, ident, offset))
            first += count
            last = self.block_place(first - 1)
            end = ident, last.offset + last.length
            cur.must(last.offset + last.length <= PACK_SIZE, "run is past the end of a pack")
        cur.must(first == self.blocks, "runs have too few blocks")
        self.fences = array("Q", cur.take(8 * self.blocks))
        if sys.byteorder == "little":
            self.fences.byteswap()
        cur.must(all(a <= b for a, b in zip(self.fences, self.fences[1:])), "fences descend")
        self.ident = cur.data[start:cur.at]

    def block_place(self, number: int) -> Place:
        first, ident, offset = self.runs[bisect_right(self.runs, number, key=lambda r: r[0]) - 1]
        entries = min(BLOCK_ENTRIES, self.entries - number * BLOCK_ENTRIES)
        return Place(ident, offset + (number - first) * BLOCK_SEALED, entries * ENTRY_SIZE + 16)

    def check_block(self, number: int, block: bytes):
        """The order in an opened block, and its fence and the next one's."""
        cur = Cursor(block, f"index block {number}")
        ids = [block[at:at + 32] for at in range(0, len(block), ENTRY_SIZE)]
        cur.must(all(a < b for a, b in zip(ids, ids[1:])), "is not sorted")
        first, last = (int.from_bytes(ident[:8], "big") for ident in (ids[0], ids[-1]))
        cur.must(first == self.fences[number], "does not begin at its fence")
        cur.must(last <= min(self.fences[number + 1:number + 2], default=last), "passes a fence")


def parse_commit(data: bytes) -> Commit:
    cur = Cursor(data, "commit")
    cur.version()
    flags = cur.most(cur.number("B"), 3, "flags")
    cur.zero(2)
    epoch, number, time = *cur.numbers("IQ"), cur.time()
    device, dedup_key = cur.numbers("16s32s")
    parent = cur.ref(COMMIT_MAX) if flags & 1 else None
    root = cur.ref(NODE_MAX) if flags & 2 else None
    cur.must(number > (parent is not None), f"number {number} is not valid")
    entries, size = cur.numbers("QQ")
    cur.must(bool(entries) == bool(root) and (root or not size), "root and sums disagree")
    message = cur.take(cur.most(cur.number("H"), MESSAGE_MAX, "length of message"))
    cur.must(message.decode(errors="ignore").encode() == message and 0 not in message,
             "message is not text")
    count = cur.most(cur.number("H"), SEGMENTS_MAX, "number of segments")
    segments = [Segment(cur) for _ in range(count)]
    cur.end()
    return Commit(epoch, number, time, device, dedup_key, parent, root, entries, size, message,
                  segments)


def take_entry(cur: Cursor) -> Entry:
    start = cur.at
    kind, flags, mode, uid, gid = cur.numbers("BBHII")
    cur.must(FILE <= kind <= BLOCK_DEVICE, f"type {kind} does not exist")
    cur.must(flags < 8 and flags & 3 != 3, f"flags {flags} do not exist")
    cur.most(mode, 0o7777, "mode")
    mtime, link, attributes, chunk = cur.time(), 0, b"", None
    size, level, content, target, device = 0, 0, b"", b"", (0, 0)
    if flags & 4:
        link = cur.number("Q")
        cur.must(link != 0, "link id is zero")
    if flags & 1:
        attributes = cur.take(cur.most(cur.number("I"), INLINE_MAX, "length of attributes"))
        cur.must(attributes != b"", "attributes are empty")
    if flags & 2:
        attributes, chunk = None, cur.numbers("32sI")
        cur.must(INLINE_MAX < chunk[1] <= XATTR_MAX, "length of attributes is not a chunk's")
    if kind == FILE:
        size, level, length = cur.numbers("QBI")
        cur.most(level, LIST_LEVEL_MAX, "level of content list")
        content = cur.take(cur.most(length, INLINE_MAX, "length of content list"))
        cur.must(bool(size) == bool(length) and level <= size < 1 << 63, "size is not valid")
    elif kind == SYMLINK:
        target = cur.take(cur.most(cur.number("H"), LINK_MAX, "length of link target"))
        cur.must(target != b"" and 0 not in target, "link target is not valid")
    elif kind in (CHARACTER, BLOCK_DEVICE):
        device = cur.numbers("II")
    return Entry(kind, mode, uid, gid, mtime, link, attributes, chunk, size, level, content,
                 target, device, cur.data[start:cur.at])


def parse_attributes(data: bytes) -> list[tuple[bytes, bytes]]:
    cur, found, last = Cursor(data, "attributes"), [], b""
    while cur.at < len(data):
        name = cur.take(cur.number("B"))
        cur.must(name > last and 0 not in name, "names are not valid, or do not ascend")
        found.append((name, cur.take(cur.number("I"))))
        last = name
    return found


def parse_node(data: bytes, root: bool = False) -> tuple[int, Iterator[tuple]]:
    """The node's level, and its items: (key, Entry) at level 0, else (key, Child).  They are
    parsed one by one: a node of 128 KiB can have keys of 256 MiB."""
    cur = Cursor(data, "tree node")
    cur.version()
    level = cur.most(cur.number("B"), TREE_LEVEL_MAX, "level")
    cur.zero(2)
    count = cur.most(cur.number("I"), NODE_ITEMS_MAX, "number of items")
    cur.must(count >= (2 if root and level else 1), "has too few items")
    return level, _take_items(cur, level, count)


def _take_items(cur: Cursor, level: int, count: int) -> Iterator[tuple]:
    last = b""
    for _ in range(count):
        shared, rest = cur.numbers("HH")
        cur.must(shared <= len(last), "key shares more than there is")
        key = last[:shared] + cur.take(rest)
        cur.must(key > last, "keys do not ascend")
        cur.must(shared == len(last) or key[shared] != last[shared], "key shares too little")
        cur.most(len(key), KEY_BYTES_MAX, "length of key")
        for name in key.split(b"\0"):
            cur.must(1 <= len(name) <= NAME_MAX and b"/" not in name and name not in (b".", b".."),
                     f"name {show(name)!r} is not valid")
        value = Child(*cur.numbers("QQ"), cur.ref(NODE_MAX)) if level else take_entry(cur)
        cur.must(level == 0 or value.entries >= 1, "inner item has no entries")
        yield key, value
        last = key
    cur.end()


def parse_list(pieces: Iterator[bytes], holes: bool) -> Iterator[tuple]:
    """The items of a content list, whose pieces may cut an item in two: (chunk id, length) for
    data, (None, length) for a hole."""
    rest, ident = b"", b""
    for piece in pieces:
        cur = Cursor(rest + piece, "content list")
        while len(cur.data) - cur.at >= (size := 37 if cur.data[cur.at:cur.at + 1] == b"\0" else 9):
            kind = cur.number("B")
            cur.must(kind == 0 or kind == 1 and holes and ident is not None, "item is not valid")
            ident, length = cur.numbers("32sI") if size == 37 else (None, cur.number("Q"))
            cur.must(length >= 1 and (ident is None or length <= CHUNK_MAX), "bad length of item")
            yield ident, length
        rest = cur.data[cur.at:]
    if rest:
        raise Fault(MALFORMED, "content list: ends too early")
