# SPDX-License-Identifier: Apache-2.0
"""Writes a commit's tree below a target folder and nowhere else: every name is opened relative to
a descriptor of its folder, and no link is followed."""

import os
import stat
from typing import Callable

from . import forms, names
from .fault import EXISTS, MALFORMED, Fault, from_os, show
from .forms import Entry
from .space import Lost, Space

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
FORMATS = {forms.FILE: stat.S_IFREG, forms.FOLDER: stat.S_IFDIR, forms.SYMLINK: stat.S_IFLNK,
           forms.FIFO: stat.S_IFIFO, forms.SOCKET: stat.S_IFSOCK, forms.CHARACTER: stat.S_IFCHR,
           forms.BLOCK_DEVICE: stat.S_IFBLK}


def split(key: bytes) -> tuple[bytes, bytes]:
    """The key of the folder, and the name in it."""
    above, _, name = key.rpartition(b"\0")
    return above, name


class Restore:
    """report(key, fault) is called for whatever could not be restored."""

    def __init__(self, space: Space, target: str, report: Callable[[bytes, Fault], None]):
        self.space, self.report, self.owner = space, report, os.geteuid() == 0
        self.above: list[tuple[bytes, Entry | None]] = []    # folders around the current key
        self.links: dict[tuple[int, bytes], bytes] = {}      # link id, hash of entry: first key
        try:
            os.makedirs(target, mode=0o700, exist_ok=True)
            self.root = os.open(target, DIRECTORY)
            if os.listdir(self.root):
                raise Fault(EXISTS, f"{target} is not empty")
        except OSError as err:
            raise from_os(err).within(target) from None
        self.here, self.here_key = os.dup(self.root), b""

    def run(self):
        for key, entry in self.space.walk():
            if isinstance(entry, Lost):
                self.report(key, entry.fault)
            else:
                self._leave(key)
                self._attempt(key, lambda: self._entry(key, entry))
        self._leave(None)

    def _attempt(self, key: bytes, action: Callable[[], None]):
        try:
            action()
        except Fault as fault:
            self.report(key, fault)
        except (OSError, OverflowError) as err:
            self.report(key, from_os(err))

    # Folders.

    def _folder(self, key: bytes) -> int:
        """A descriptor of a folder, good until the next call."""
        below = not self.here_key or (key + b"\0").startswith(self.here_key + b"\0")
        at = os.dup(self.here if below else self.root)
        for name in filter(None, key[len(self.here_key) if below else 0:].split(b"\0")):
            try:
                deeper = os.open(name, DIRECTORY, dir_fd=at)
            finally:
                os.close(at)
            at = deeper
        os.close(self.here)
        self.here, self.here_key = at, key
        return at

    def _make_folder(self, key: bytes, entry: Entry | None):
        above, name = split(key)
        os.mkdir(name, 0o700, dir_fd=self._folder(above))
        self.above.append((key, entry))

    def _leave(self, key: bytes | None):
        """Owner, mode and times of folders, once nothing is written into them any more."""
        while self.above and not (key or b"").startswith(self.above[-1][0] + b"\0"):
            folder, entry = self.above.pop()
            if entry:
                self._attempt(folder, lambda: self._dress(self._folder(folder), entry))

    def _need_folder(self, key: bytes):
        """A folder whose entry is lost is made anew: its files are not lost with it."""
        at = self.above[-1][0] if self.above else b""
        for name in filter(None, key[len(at):].split(b"\0")):
            at = at + b"\0" + name if at else name
            self._make_folder(at, None)
            self.report(at, Fault(MALFORMED, "folder has no entry: made, with mode 0700"))

    # Entries.

    def _entry(self, key: bytes, entry: Entry):
        above, name = split(key)
        self._need_folder(above)
        if entry.type == forms.FOLDER:
            return self._make_folder(key, entry)
        link = entry.link, names.sha256(entry.raw)
        if link in self.links and self._link(self.links[link], key):
            return None
        folder = self._folder(above)
        (self._file if entry.type == forms.FILE else self._special)(folder, name, entry)
        if entry.link:
            self.links.setdefault(link, key)
        return None

    def _link(self, first: bytes, key: bytes) -> bool:
        """False if the first one's folder has been left, with a mode that shuts us out."""
        (there, old), (here, new) = split(first), split(key)
        try:
            source = os.dup(self._folder(there))
        except PermissionError:
            return False
        try:
            os.link(old, new, src_dir_fd=source, dst_dir_fd=self._folder(here),
                    follow_symlinks=False)
            return True
        except PermissionError:
            return False
        finally:
            os.close(source)

    def _file(self, folder: int, name: bytes, entry: Entry):
        file, at = os.open(name, CREATE, 0o600, dir_fd=folder), 0
        try:
            try:
                for ident, length in self.space.content(entry):
                    data = self.space.chunk(ident, length, names.DATA) if ident else b""
                    done = 0
                    while done < len(data):
                        done += os.pwrite(file, data[done:], at + done)
                    at += length
                os.ftruncate(file, entry.size)
            except BaseException:
                os.unlink(name, dir_fd=folder)       # no half file is left
                raise
            self._dress(file, entry)
        finally:
            os.close(file)

    def _special(self, folder: int, name: bytes, entry: Entry):
        """These are not opened.  Their path is a pinned folder and a name that is not followed."""
        path = f"/proc/self/fd/{folder}/".encode() + name
        if entry.type == forms.SYMLINK:
            os.symlink(entry.target, name, dir_fd=folder)
        else:
            os.mknod(name, FORMATS[entry.type] | 0o600, os.makedev(*entry.device), dir_fd=folder)
        self._dress(path, entry, follow_symlinks=False)

    def _dress(self, at: int | bytes, entry: Entry, **follow):
        """Owner first (which clears set-id bits and capabilities), then attributes (while the mode
        lets us), mode, times.  A mode without its owner keeps no set-id bits."""
        if self.owner:
            os.chown(at, entry.uid, entry.gid, **follow)
        try:
            self._set_attributes(at, entry, follow)
        finally:
            if entry.type != forms.SYMLINK:          # a link has no mode; else `at` is no link
                os.chmod(at, entry.mode if self.owner else entry.mode & 0o1777)
            os.utime(at, ns=(entry.mtime, entry.mtime), **follow)

    def _set_attributes(self, at: int | bytes, entry: Entry, follow: dict):
        bad = None
        for name, value in self.space.attributes(entry):
            try:
                os.setxattr(at, name, value, **follow)
            except OSError as err:
                bad = bad or from_os(err).within(f"attribute {show(name)}")
        if bad:
            raise bad
