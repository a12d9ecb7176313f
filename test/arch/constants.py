#!/usr/bin/python3
"""The tables of spec/ and of the manual say what the code has."""
import ast
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
bad = []


def read(name):
    with open(os.path.join(TOP, name)) as f:
        return f.read()


def value(text):
    """A number of C: sums and shifts of literals, with their suffixes."""
    text = re.sub(r"/\*.*?\*/|//.*", "", text).strip()
    text = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", text)
    if not re.fullmatch(r"[0-9a-fA-FxX+*()<\- ]+", text):
        return None
    return eval(compile(ast.parse(text, mode="eval"), "", "eval"), {"__builtins__": {}})


def defines(name):
    """#define NAME number, of a C file."""
    pairs = re.findall(r"^#define (\w+) (.+)$", read(name), re.M)
    return {k: value(v) for k, v in pairs if value(v) is not None}


def same(what, got, want):
    if got != want:
        bad.append(f"{what}: the code has {got}, the text {want}")


def limits():
    code = defines("lib/object/limits.h")
    renamed = {"NAME_MAX": "KEY_NAME_MAX", "LINK_MAX": "LINK_TARGET_MAX"}  # libc has those names
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \| ([\d,; ]+) \|", read("spec/00-conventions.md"), re.M)
    n = 0
    for names, values in rows:
        for name, number in zip(re.findall(r"\w+", names), values.split(";")):
            same(f"spec/00 {name}", code.get(renamed.get(name, name)), int(number.replace(",", "")))
            n += 1
    if n < 20:
        bad.append(f"spec/00 has a table of {n} limits only: it was not understood")


def one(page, pattern, name, constant):
    """A number in the text of a page, and what the code calls it."""
    m = re.search(pattern, read(page))
    if m is None:
        bad.append(f"{page}: nothing like {pattern}")
        return
    same(f"{page} {constant}", defines(name).get(constant), int(m[1].replace(",", "")))


def faults():
    code = re.findall(r'^\tX\((\w+), (\d+), "([^"]+)"\)', read("lib/base/fault.h"), re.M)
    want = {name: (int(status), text) for name, status, text in code}
    got = {}
    for status, name, text in re.findall(r"^\|\s+(\d+)\n:\s+(\w+)\n:\s+(.+)$", read("client/skerry.1.scd"), re.M):
        if name != "OK":
            got[name] = (int(status), text)
    for name in sorted(want.keys() | got.keys()):
        same(f"skerry(1) {name}", want.get(name), got.get(name))


limits()
faults()
one("spec/30-tree.md", r"current commit\. (\d+) bytes", "lib/object/head.h", "HEAD_LEN")
one("spec/30-tree.md", r"current commit\. (\d+) bytes", "lib/store/store.h", "STORE_HEAD_LEN")
one("spec/30-tree.md", r"current commit\. (\d+) bytes", "depot/store.h", "STORE_HEAD_LEN")
one("spec/20-pack.md", r"u32 length\s+(\d+) bytes", "lib/object/place.h", "PLACE_LEN")
one("spec/20-pack.md", r"treehash \[32\]\s+(\d+) bytes", "lib/object/ref.h", "REF_LEN")
one("spec/15-devices.md", r"list of entries of (\d+) bytes", "lib/object/chain.h", "CHAIN_ENTRY_LEN")
one("spec/40-depot.md", r"at most ([\d,]+) characters", "lib/net/capability.c", "TOKEN_MAX")
one("spec/40-depot.md", r"nbf - (\d+) ≤ now", "depot/gate.c", "SKEW")
one("spec/50-authority.md", r"created\| ≤ (\d+) s", "authority/ledger.h", "LEDGER_CLOCK_SKEW")
one("spec/50-authority.md", r"new within (\d+) s", "authority/ledger.h", "LEDGER_NONCE_SECONDS")
one("spec/50-authority.md", r"at most ([\d,]+) characters\) whose payload", "lib/crypt/paseto.h", "PASETO_TOKEN_MAX")
same("REQUEST_BODY_MAX", defines("authority/request.h")["REQUEST_BODY_MAX"],
     defines("lib/object/limits.h")["REQUEST_MAX"])
print("\n".join(bad) if bad else "constants: alike")
sys.exit(bool(bad))
