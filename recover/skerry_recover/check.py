# SPDX-License-Identifier: Apache-2.0
"""Opens and verifies everything that a commit reaches (--check); lines for --list and --log."""

import stat
from datetime import datetime, timedelta
from typing import Callable

from . import forms, names
from .fault import MALFORMED, Fault, show
from .restore import FORMATS, split
from .space import Lost, Space

SEEN_MAX = 1 << 18               # chunks remembered as verified


class Check:
    """A check of some commits; what they share is opened once.  report(key, fault) is called for
    whatever is wrong."""

    def __init__(self, report: Callable[[bytes, Fault], None]):
        self.report, self.segments, self.seen = report, set(), set()
        self.commits = self.entries = self.bytes = 0

    def commit(self, space: Space):
        self.commits += 1
        for segment in space.commit.segments:
            if segment.ident not in self.segments:
                self.segments.add(segment.ident)
                self._segment(space, segment)
        folders = [b""]
        for key, entry in space.walk():
            if isinstance(entry, Lost):
                self.report(key, entry.fault)
                continue
            while folders[-1] and not key.startswith(folders[-1] + b"\0"):
                folders.pop()
            try:
                if split(key)[0] != folders[-1]:
                    raise Fault(MALFORMED, "its folder has no entry")
                self._entry(space, entry)
            except Fault as fault:
                self.report(key, fault)
            if entry.type == forms.FOLDER:
                folders.append(key)

    def _segment(self, space: Space, segment: forms.Segment):
        last = b""
        for number in range(segment.blocks):
            try:
                block = space.block(segment, number)
                for at in range(0, len(block), 96):
                    forms.parse_index_entry(block[at:at + 96])
                if block[:32] <= last:
                    raise Fault(MALFORMED, f"index block {number}: is not above the one before")
                last = block[-96:-64]
            except Fault as fault:
                self.report(b"", fault)

    def _entry(self, space: Space, entry: forms.Entry):
        space.attributes(entry)
        for ident, length in space.content(entry):
            if ident is None:
                continue
            chunk = next(space.places(ident)), ident, length
            if chunk not in self.seen:
                space.chunk(ident, length, names.DATA)
                if len(self.seen) >= SEEN_MAX:
                    self.seen.clear()
                self.seen.add(chunk)
        self.entries, self.bytes = self.entries + 1, self.bytes + entry.size


def time_text(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    try:
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except OverflowError:
        return f"@{seconds}.{rest:09}"
    return f"{moment.isoformat()}.{rest:09}Z"


def entry_line(key: bytes, entry: forms.Entry) -> str:
    device = entry.type in (forms.CHARACTER, forms.BLOCK_DEVICE)
    return (f"{stat.filemode(FORMATS[entry.type] | entry.mode)} {entry.uid}:{entry.gid} "
            f"{'{},{}'.format(*entry.device) if device else entry.size:>12} "
            f"{time_text(entry.mtime)} {show(key)}"
            f"{' -> ' + show(entry.target) if entry.target else ''}")


def commit_line(commit: forms.Commit) -> str:
    return (f"{commit.number} {time_text(commit.time)} device {commit.device.hex()} "
            f"epoch {commit.epoch} {commit.entries} entries {commit.bytes} bytes "
            f"{show(commit.message)}").rstrip()
