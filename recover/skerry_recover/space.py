# SPDX-License-Identifier: Apache-2.0
"""A space in a depot's folder (spec/40-depot.md, directory backend), opened from the head
downwards: commits, index, tree, content (spec/20-pack.md, spec/30-tree.md)."""

import os
import stat
import struct
from bisect import bisect_left, bisect_right
from collections import namedtuple
from functools import lru_cache
from typing import Iterator

from cryptography.exceptions import InvalidTag

from . import forms, names
from .fault import IO, MALFORMED, MISSING, NOT_FOUND, SECRET, TAMPERED, Fault, from_os, show
from .forms import Commit, Entry, Head, IndexEntry, Place, Ref, Segment

CACHED_BLOCKS, CACHED_CHUNKS = 512, 8        # of 48 KiB and 2 MiB each

# In a walk, instead of an entry: a node, or the rest of it from the key on, cannot be read.
Lost = namedtuple("Lost", "fault")


def read_whole(path: str, most: int) -> bytes:
    """A small file; one byte over most is read, which is enough to see that it is too long."""
    try:
        with open(path, "rb") as file:
            return file.read(most + 1)
    except FileNotFoundError:
        raise Fault(NOT_FOUND, f"{path}: not found") from None
    except OSError as err:
        raise from_os(err).within(path) from None


def where(place: Place) -> str:
    return f"object {place.object.hex()} at {place.offset}"


class Depot:
    """The objects and the head mirror of one prefix."""

    def __init__(self, folder: str, prefix: str):
        self.prefix, self.path = prefix, os.path.join(folder, "v1", prefix)

    def head(self) -> bytes:
        return read_whole(os.path.join(self.path, "head"), forms.HEAD_SIZE)

    def object_path(self, ident: bytes) -> str:
        return os.path.join(self.path, ident.hex()[:2], ident.hex())

    def read(self, place: Place) -> bytes:
        name = f"object {place.object.hex()}"
        try:
            # A fifo in a hostile folder must not make the open wait.
            file = os.open(self.object_path(place.object), os.O_RDONLY | os.O_NONBLOCK)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise Fault(IO, f"{name} is not a file")
                data = os.pread(file, place.length, place.offset)
            finally:
                os.close(file)
        except FileNotFoundError:
            raise Fault(MISSING, f"{name} is missing") from None
        except OSError as err:
            raise from_os(err).within(name) from None
        if len(data) != place.length:
            raise Fault(TAMPERED, f"{where(place)} was cut short: {place.length} bytes are due")
        return data

    def open(self, place: Place, key: bytes, kind: int, ident: bytes, counter: int = 0) -> bytes:
        """The plaintext of the sealing at a place."""
        sealed = self.read(place)
        try:
            return names.unseal(key, kind, ident, sealed, counter)
        except Fault as fault:
            raise fault.within(where(place)) from None

    def open_ref(self, ref: Ref, kind: int) -> bytes:
        """The content that a ref is for: a node or a commit."""
        content = names.unframe(self.open(ref.place, ref.key, kind, ref.hash), ref.plain)
        if names.treehash(content) != ref.hash:
            raise Fault(TAMPERED, f"{where(ref.place)}: another {names.KINDS[kind]} than is due")
        return content


def open_head(head: bytes, space_key: bytes) -> Head:
    """A head opened and parsed; its signature is not checked here."""
    key = names.hkdf(space_key, forms.parse_head(head), "skerry/1 head", 32)
    try:
        return forms.parse_head(head, names.aead_open(key, 0, head[:48], head[48:]))
    except InvalidTag:
        raise Fault(SECRET, "the head does not open: the key is wrong or of another epoch, or "
                    "the head was altered") from None


def history(depot: Depot, head: Head) -> Iterator[Commit]:
    """The head's commit, its parent, and so on to the first."""
    ref, number, what = head.commit, head.number, "the head's commit"
    while ref:
        try:
            commit = forms.parse_commit(depot.open_ref(ref, names.COMMIT))
        except Fault as fault:
            raise fault.within(what) from None
        if commit.number != number or ref is head.commit and commit.epoch != head.epoch:
            raise Fault(MALFORMED, f"{what} is {commit.number} of epoch {commit.epoch}, "
                        f"where {number} is due; the head's epoch is {head.epoch}")
        yield commit
        ref, number, what = commit.parent, number - 1, f"the parent of commit {number}"


class Space:
    """What one commit holds."""

    def __init__(self, depot: Depot, commit: Commit):
        self.depot, self.commit = depot, commit
        self._block = lru_cache(CACHED_BLOCKS)(self.block)
        self.chunk = lru_cache(CACHED_CHUNKS)(self._chunk)

    # The index.

    def block(self, segment: Segment, number: int) -> bytes:
        """One index block, opened and checked."""
        ident = struct.pack(">IIQ16x", number, segment.blocks, segment.entries)
        block = self.depot.open(segment.block_place(number), segment.key, names.BLOCK, ident,
                                number)
        segment.check_block(number, block)
        return block

    def _find(self, segment: Segment, ident: bytes) -> IndexEntry | None:
        fence = int.from_bytes(ident[:8], "big")
        number = bisect_right(segment.fences, fence) - 1
        while number >= 0:
            block = self._block(segment, number)
            at = 96 * bisect_left(range(len(block) // 96), ident,
                                  key=lambda n: block[96 * n:96 * n + 32])
            if block[at:at + 32] == ident:
                return forms.parse_index_entry(block[at:at + 96])
            # Where fences equal the id's first bytes, it may be in a block before.
            number = number - 1 if segment.fences[number] == fence else -1
        return None

    def places(self, ident: bytes) -> Iterator[IndexEntry]:
        """Where a chunk is, the newest segment's place first; then a fault.  A block that does
        not open hides nothing for good: older segments may have the id too, and what is found
        there is proven by the id."""
        first = None
        for segment in self.commit.segments:
            try:
                found = self._find(segment, ident)
                if found:
                    yield found
            except Fault as fault:
                first = first or fault
        raise first or Fault(MISSING, f"chunk {ident.hex()} is not in the index")

    # Content.

    def _chunk(self, ident: bytes, length: int, kind: int) -> bytes:
        """The content of a chunk, from the first place that has it; chunk() keeps the last few."""
        first, places = None, self.places(ident)
        while True:
            try:
                return self._open_chunk(next(places), ident, length, kind)
            except StopIteration:
                raise first from None
            except Fault as fault:
                first = first or fault

    def _open_chunk(self, found: IndexEntry, ident: bytes, length: int, kind: int) -> bytes:
        if (found.plain, found.kind) != (length, kind):
            raise Fault(MALFORMED, f"chunk {ident.hex()} has another length or kind in the index")
        content = names.unframe(self.depot.open(found.place, found.key, kind, ident), length)
        if names.chunk_id(self.commit.dedup_key, content) != ident:
            raise Fault(TAMPERED, f"chunk {ident.hex()}: {where(found.place)} holds another")
        return content

    def content(self, entry: Entry) -> Iterator[tuple]:
        """A file's items in order: (chunk id, length), or (None, length) for a hole.  Data chunks
        are not opened.  The lengths add up to the file's size."""
        pieces, total = iter([entry.list]), 0
        for _ in range(entry.level):
            pieces = self._pieces(pieces)
        for ident, length in forms.parse_list(pieces, holes=True):
            total += length
            if total > entry.size:
                break
            yield ident, length
        if total != entry.size:
            raise Fault(MALFORMED, "content list does not add up to the size")

    def _pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The list one level below: its pieces are full but for the last, and together they are
        more than an entry holds."""
        total = 0
        for ident, length in forms.parse_list(pieces, holes=False):
            if total % forms.CHUNK_MAX:
                raise Fault(MALFORMED, "content list: a piece before the last is not full")
            total += length
            yield self.chunk(ident, length, names.LIST)
        if total <= forms.INLINE_MAX:
            raise Fault(MALFORMED, "content list: belongs into the entry")

    def attributes(self, entry: Entry) -> list[tuple[bytes, bytes]]:
        if entry.attributes_chunk:
            return forms.parse_attributes(self.chunk(*entry.attributes_chunk, names.ATTRIBUTES))
        return forms.parse_attributes(entry.attributes)

    # The tree.

    def walk(self) -> Iterator[tuple]:
        """All (key, Entry), ascending; (key, Lost) where something cannot be read.  Only a bad
        root is a fault."""
        if self.commit.root is None:
            return
        level, items = forms.parse_node(self.depot.open_ref(self.commit.root, names.NODE), True)
        last = b""
        for key, value in self._walk(level, items, None, self.commit):
            if isinstance(value, Entry) and key <= last:
                value = Lost(Fault(MALFORMED, "tree: keys do not ascend"))
            last = max(key, last)
            yield key, value

    def _walk(self, level: int, items: Iterator, first: bytes | None, due) -> Iterator[tuple]:
        """All below one node, which is to begin with the key first, and to hold due.entries and
        due.bytes.  Returns what it held, or None after a loss: then the sums are not known."""
        held, key = [], first or b""
        try:
            for key, value in items:
                if first not in (None, key):
                    raise Fault(MALFORMED, f"tree node: does not begin with {show(first)!r}")
                first = None
                if level:
                    held.append((yield from self._descend(level - 1, key, value)))
                else:
                    held.append((1, value.size))
                    yield key, value
            if None in held:
                return None
            entries, size = map(sum, zip(*held))
            if (entries, size) != (due.entries, due.bytes):
                raise Fault(MALFORMED, f"tree node: {entries} entries of {size} bytes, where "
                            f"{due.entries} of {due.bytes} are due")
            return entries, size
        except Fault as fault:
            yield key, Lost(fault)
            return None

    def _descend(self, level: int, key: bytes, child: forms.Child) -> Iterator[tuple]:
        try:
            got, items = forms.parse_node(self.depot.open_ref(child.ref, names.NODE))
            if got != level:
                raise Fault(MALFORMED, f"tree node: level {got}, not {level}")
        except Fault as fault:
            yield key, Lost(fault.within(f"{child.entries} entries from here on"))
            return None
        return (yield from self._walk(level, items, key, child))
