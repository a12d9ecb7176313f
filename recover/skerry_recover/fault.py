# SPDX-License-Identifier: Apache-2.0
"""What can be wrong.  The exit statuses are those of every Skerry program."""

USAGE, CONFIG, NOT_FOUND, SECRET, MALFORMED, VERSION, TAMPERED, MISSING = 2, 3, 4, 6, 7, 8, 9, 10
TRUST, PARTIAL, IO, EXISTS, INTERRUPTED = 13, 17, 18, 21, 130


class Fault(Exception):
    """One line of text that names the thing at fault, and an exit status."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status

    def within(self, what: str) -> "Fault":
        return Fault(self.status, f"{what}: {self}")


def from_os(err: Exception) -> Fault:
    """The fault for an OSError, or for a number that is too large for the system."""
    return Fault(IO, getattr(err, "strerror", None) or str(err))


def show(key: bytes) -> str:
    """A tree key, name or text from the space as one line that is safe on a terminal: zero bytes
    are slashes, what does not print is \\xNN."""
    def safe(char: str) -> str:
        if char.isprintable():
            return char.replace("\\", "\\\\")
        return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    return "".join(map(safe, key.replace(b"\0", b"/").decode("utf-8", "surrogateescape")))
