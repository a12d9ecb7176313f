#!/usr/bin/python3
"""pages.py SKERRY AUTHORITY: each manual page has the options that its program takes, its --help too, and each page of a
configuration its keys; and nothing that is not there."""
import base64
import glob
import hashlib
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")
SHORT = re.compile(r"(?<![\w-])-([a-zA-Z0-9])\b(?!-)")
EVERYWHERE = {"home", "json", "quiet", "verbose", "help", "version"}
bad = []


def read(name):
    with open(os.path.join(TOP, name)) as f:
        return f.read()


def alike(what, code, **texts):
    for name, got in texts.items():
        for x in sorted(code - got):
            bad.append(f"{what}: {x} is not in {name}")
        for x in sorted(got - code):
            bad.append(f"{what}: {name} has {x}, the code has not")


def helped(*command):
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def client(skerry):
    """Each command: its table for getopt, its --help, its part of skerry(1)."""
    page = read("client/skerry.1.scd")
    parts = re.split(r"^\*([a-z]+)\*(?= |$)", page[page.index("# COMMANDS: FILES"):page.index("# LEASE")], flags=re.M)
    manual = {}
    for name, text in zip(parts[1::2], parts[2::2]):
        manual[name] = manual.get(name, "") + text
    listed = set(re.findall(r"^  ([a-z]+) ", helped(skerry).split("Options,")[0], re.M))
    alike("skerry's commands", listed, skerry1=set(manual))
    for name in sorted(listed & set(manual)):
        table = set(re.findall(r'^\s*\{ "([a-z-]+)", \w+_argument, NULL', read(f"client/cmd_{name}.c"), re.M))
        table |= set(re.findall(r'\{ "([a-z-]+)", \w+_argument, NULL', read(f"client/cmd_{name}.c")))
        code = read(f"client/cmd_{name}.c")
        letters = set("".join(re.findall(r'cli_getopt\(cli, argc, argv, "([^"]*)"', code)).replace(":", ""))
        alike(f"skerry {name}, letters", letters, help=set(SHORT.findall(helped(skerry, name))),
              skerry1=set(SHORT.findall(manual[name])))
        alike(f"skerry {name}", table, help=set(LONG.findall(helped(skerry, name))),
              skerry1=set(LONG.findall(manual[name])) - EVERYWHERE)


def authority(program):
    """All of its commands together: the table is one for a few of them."""
    code = set()
    for name in sorted(os.listdir(os.path.join(TOP, "authority"))):
        if name.startswith(("cmd", "main")) and name.endswith(".c"):
            code |= set(re.findall(r'\{ "([a-z-]+)", &', read("authority/" + name)))
    alike("skerry-authority", code | EVERYWHERE, help=set(LONG.findall(helped(program))) | EVERYWHERE,
          page=set(LONG.findall(read("authority/skerry-authority.1.scd"))) | EVERYWHERE)


def keys(source, page):
    """libcyaml's schema, and the names that the page explains."""
    c = read(source)
    if "CROWD_SETTINGS" in c:
        c += read("lib/serve/crowd.h")
    code = set(re.findall(r'(?:TEXT|OPTIONAL|NUMBER|TOKEN|CYAML_FIELD_\w+)\("(\w+)"', c))
    text = read(page)
    got = set()
    for line in re.findall(r"^(\*\w+\*(?:, \*\w+\*)*)$", text, re.M):
        got |= set(re.findall(r"\*(\w+)\*", line))
    alike(page, code, page=got)
    if len(code) < 5:
        bad.append(f"{source}: {len(code)} keys only: it was not understood")


def verifier_keys():
    """Those that a page shows whole are ones that a program takes."""
    n = 0
    for name in glob.glob(TOP + "/*/*.scd") + glob.glob(TOP + "/doc/*.md"):
        for origin, key_id, key in re.findall(r"([a-z0-9./-]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{43,}=*)", read(name)):
            n += 1
            key = base64.b64decode(key)
            if len(key) != 33 or hashlib.sha256(origin.encode() + b"\n" + key).hexdigest()[:8] != key_id:
                bad.append(f"{os.path.relpath(name, TOP)}: the verifier key of {origin} is not one")
    if n == 0:
        bad.append("no page shows a verifier key: that was not understood")


def members():
    """What --json has: the names are literals, and each is in skerry(1)."""
    page = read("client/skerry.1.scd")
    part = page[page.index("# JSON"):page.index("# EXIT STATUS")]
    named = set(re.findall(r"_([a-z][a-z0-9_]*[a-z0-9])_(?![a-z0-9])", part))
    code, literals = set(), set()
    for name in glob.glob(TOP + "/client/*.c"):
        text = read(os.path.relpath(name, TOP))
        literals |= set(re.findall(r'"([a-z][a-z0-9_]+)\\?"', text))
        if os.path.basename(name).startswith(("cmd_", "cli.", "account.", "rotation.")):
            code |= set(re.findall(r'(?:cli_set_\w+|json_object_set_new)\([^";]*?, "(\w+)"', text))
            for pack in re.findall(r'json_pack\([^;]*?;', text):
                code |= set(re.findall(r'(?<=,)\s*"([a-z_0-9]{2,})"(?=,)', pack))
    alike("--json", code, skerry1=code & named)
    for x in sorted(named - literals):
        if x.removesuffix("_base64") not in literals:
            bad.append(f"--json: skerry1 has {x}, the code has not")
    if len(code) < 50:
        bad.append("--json: the code was not understood")


verifier_keys()
members()
client(sys.argv[1])
authority(sys.argv[2])
for folder in ("depot", "authority", "witness"):
    keys(f"{folder}/config.c", f"{folder}/skerry-{folder}.yaml.5.scd")
print("\n".join(bad) if bad else "pages: alike")
sys.exit(bool(bad))
