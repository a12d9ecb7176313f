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
    text = re.sub(r"UINT64_C\((\w+)\)", r"\1", text)
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


def tlog_limits():
    code = {}
    for name in sorted(os.listdir(os.path.join(TOP, "lib/tlog"))):
        if name.endswith(".h"):
            code |= defines("lib/tlog/" + name)
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d,^]+) \| (.*) \|", read("spec/60-log.md"), re.M)
    for name, number, what in rows:
        base, _, power = number.replace(",", "").partition("^")
        same(f"spec/60 {name}", code.get(name), int(base) ** int(power or 1))
        for n, kind in re.findall(r"(\d+) (logs|witnesses|groups)", what):
            same(f"spec/60 {kind}", code.get(f"TRUST_{kind.upper()}_MAX"), int(n))
    if len(rows) < 9:
        bad.append(f"spec/60 has a table of {len(rows)} limits only: it was not understood")


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
tlog_limits()
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
one("spec/50-authority.md", r"in ascending order of it, at most (\d+)", "authority/ledger_requests.c", "REQUESTS_MAX")
one("spec/50-authority.md", r"from `from` on, at most (\d+)", "authority/ledger_entries.c", "ENTRIES_MAX")
one("spec/50-authority.md", r"1 \.\. ([\d,]+), by default", "lib/net/policy.c", "DELAY_MAX")
one("spec/50-authority.md", r"by default ([\d,]+)\n", "lib/object/custody.h", "CUSTODY_DELAY")
one("spec/50-authority.md", r"none has more than ([\d,]+)", "lib/net/policy.c", "ITEMS_MAX")
one("spec/50-authority.md", r"a `ca` has at most ([\d,]+)", "lib/net/policy.c", "TEXT_MAX")
one("spec/50-authority.md", r"seconds, 1 \.\. ([\d,]+) ", "client/lease.h", "LEASE_SECONDS_MAX")
one("spec/55-custody.md", r"k ≤ n ≤ (\d+) for split", "lib/object/custody.h", "CUSTODY_HOLDERS_MAX")
one("spec/55-custody.md", r"those after it, ascending\]}`, at most (\d+)", "authority/ledger_custody.c", "SETS_MAX")
one("spec/55-custody.md", r"More than (\d+) sets after it", "client/answer.h", "ANSWER_SETS_MAX")
one("spec/55-custody.md", r"by epoch; at most (\d+)", "authority/db.h", "DB_LEFT_MAX")
one("spec/55-custody.md", r"At most (\d+) epochs are live", "authority/db.h", "DB_EPOCHS_MAX")
one("spec/55-custody.md", r"more than ([\d,]+) above it", "authority/ledger_epoch.c", "GAP_MAX")
one("spec/40-depot.md", r"\(1\.\.(\d+), default", "depot/store.h", "STORE_LIST_MAX")
one("authority/skerry-authority.1.scd", r"1 to (\d+) bytes of UTF-8", "lib/tlog/leaf.h", "LEAF_BODY_MAX")
one("authority/skerry-authority.yaml.5.scd", r"front, 1 to (\d+),", "authority/config.h", "CONFIG_THREADS_MAX")
one("authority/skerry-authority.yaml.5.scd", r"up to (\d+), which become", "authority/front_calls.h", "FRONT_CALLS_MAX")
one("depot/skerry-depot.yaml.5.scd", r"A list of 1 to (\d+) Ed25519", "depot/gate.h", "GATE_KEYS_MAX")
one("depot/skerry-depot.yaml.5.scd", r"network, 1 to (\d+)", "depot/config.c", "THREADS_MAX")
one("depot/skerry-depot.yaml.5.scd", r"0 to 86400\. Default: (\d+)", "depot/main.c", "DEFAULT_DRAIN_SECONDS")
one("depot/skerry-depot.yaml.5.scd", r"durable at a time\. Default: (\d+)", "depot/main.c", "DEFAULT_DISK_THREADS")
one("witness/skerry-witness.yaml.5.scd", r"serve, 1 to (\d+)", "witness/config.c", "THREADS_MAX")
one("witness/skerry-witness.yaml.5.scd", r"list of 1 to (\d+) verifier", "witness/config.h", "CONFIG_LOGS_MAX")
one("witness/skerry-witness.yaml.5.scd", r"1 to 256\. Default: (\d+)", "witness/main.c", "DEFAULT_THREADS")
for page, source, name in (("depot/skerry-depot.yaml.5.scd", "depot/main.c", "DEFAULT_CONNECTIONS"),
                           ("witness/skerry-witness.yaml.5.scd", "witness/main.c", "DEFAULT_CONNECTIONS"),
                           ("authority/skerry-authority.yaml.5.scd", "authority/config.h", "CONFIG_CONNECTIONS")):
    one(page, r"at a time, 1 to (\d+)\.", "lib/serve/crowd.c", "CONNECTIONS_MAX")
    one(page, r"the new ones wait\. Default: (\d+)", source, name)
    one(page, r"1 to (\d+); then it is closed", "lib/serve/crowd.c", "IDLE_MAX")
    one(page, r"1 to 3600;[^*]*Default: (\d+)", "lib/serve/crowd.c", "DEFAULT_IDLE_SECONDS")
    one(page, r"Bytes a second, 0 to (\d+)", "lib/serve/crowd.c", "RATE_MAX")
    one(page, r"any byte will do\.\s+Default: (\d+)", "lib/serve/crowd.c", "DEFAULT_LEAST_RATE")
for page in "40-depot", "50-authority":
    if "up to 1 MiB" not in read(f"spec/{page}.md"):
        bad.append(f"spec/{page}: says nothing of a body that is read to its end")
same("SOCK_DRAIN_MAX", defines("lib/net/sock.h")["SOCK_DRAIN_MAX"], 1 << 20)
same("REQUEST_BODY_MAX", defines("authority/request.h")["REQUEST_BODY_MAX"],
     defines("lib/object/limits.h")["REQUEST_MAX"])
print("\n".join(bad) if bad else "constants: alike")
sys.exit(bool(bad))
