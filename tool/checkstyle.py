#!/usr/bin/python3
"""checkstyle.py [FILE...]: the rules that STYLE.md marks (tool), over the tree or the files named.

Prints file:line: what is wrong, and exits with 1 if there is anything."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("lib", "client", "authority", "depot", "sandbox", "witness", "test", "bench", "recover", "tool", "spec", "doc", "debian")
BANNED = "strcpy strcat sprintf vsprintf strtok atoi atol sscanf alloca system popen rand srand gets".split()
COLUMNS, FILE_LINES, FUNCTION_LINES, PARAMETERS = 80, 800, 80, 6

# Split, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
MACHINE = re.compile(r"(?<![\w.~}])/(wo" r"rk|ho" r"me/\w+/(?:src|build|git)|ro" r"ot)/")
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)

# Signatures that a library wants, and the longest lists that are left: no more may join them.
EXEMPT = {
    "authority/front.c: on_request": 8, "depot/front.c: on_request": 8, "lib/serve/scrape.c: on_request": 8,
    "witness/front.c: on_request": 8, "client/authority.c: authority_move_head": 7,
    "client/engine/journal.c: open_body": 7, "client/engine/pool.c: pool_new": 7,
    "client/engine/publish.c: write_merged": 7, "client/engine/source.c: add_extent": 7,
    "client/engine/source.c: read_once": 7, "depot/store_dir_list.c: store_dir_list": 8,
}

found = []


def complain(path, line, what):
    found.append(f"{os.path.relpath(path, TOP)}:{line}: {what}")


def blank(match):
    """The same number of lines and columns, nothing in them."""
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text):
    """Text without comments and what is in strings; a string that looks like a comment stays a string."""
    token = re.compile(COMMENT.pattern + "|" + STRING.pattern, re.S)

    def keep(m):
        s = m.group()
        return blank(m) if s[0] == "/" else s[0] + " " * (len(s) - 2) + s[-1]

    return token.sub(keep, text)


def check_lines(path, lines):
    for n, line in enumerate(lines, 1):
        wide = len(line.expandtabs(8))
        if wide > COLUMNS:
            complain(path, n, f"{wide} columns")
        if line != line.rstrip():
            complain(path, n, "blanks at the end")
        if re.match(r" {8}", line):
            complain(path, n, "blanks where a tab is wanted")
    if len(lines) > FILE_LINES:
        complain(path, len(lines), f"{len(lines)} lines in a file")


def parameters(head):
    """Number of parameters of a definition, from its name on."""
    depth, n, some = 0, 1, False
    for c in head[head.index("("):]:
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                break
        elif c == "," and depth == 1:
            n += 1
        elif not c.isspace():
            some = True
    return n if some else 0


def check_functions(path, code):
    lines = code.split("\n")
    start = None
    for i, line in enumerate(lines):
        if re.match(r"[A-Za-z_]\w*\(", line):
            start = i
        if line == "{" and start is not None:
            try:
                end = lines.index("}", i)
            except ValueError:
                continue
            name = lines[start].split("(")[0]
            if end - i - 1 > FUNCTION_LINES:
                complain(path, start + 1, f"{name}: {end - i - 1} lines")
            head = "\n".join(lines[start:i])
            key = f"{os.path.relpath(path, TOP)}: {name}"
            if parameters(head) > EXEMPT.get(key, PARAMETERS):
                complain(path, start + 1, f"{name}: {parameters(head)} parameters")
            start = None


def check_header(path, text):
    stem = os.path.basename(path)[:-2].upper()
    guard = re.search(rf"^#ifndef (SKERRY_(?:\w+_)?{stem}_H)\n#define \1\n", text, re.M)
    if guard is None or not text.endswith("\n#endif\n"):
        complain(path, 1, f"no guard SKERRY_..._{stem}_H")


def check_c(path, text):
    lines = text.split("\n")[:-1]
    code = code_only(text)
    check_lines(path, lines)
    if not lines or lines[0] != "// SPDX-License-Identifier: Apache-2.0":
        complain(path, 1, "no SPDX line")
    if path.endswith(".h"):
        check_header(path, text)
    if re.search(r"\btypedef\s+(struct|enum|union)\b", code):
        complain(path, 1, "a struct, an enum or a union is typedef'd")
    for m in BANNED_CALL.finditer(code):
        complain(path, code.count("\n", 0, m.start()) + 1, f"{m[1]}() is banned")
    check_functions(path, code)


def check_any(path, text):
    for n, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line):
            complain(path, n, "unfinished")
        if MACHINE.search(line):
            complain(path, n, "a path of one machine")


def check(path):
    with open(path, "rb") as f:
        raw = f.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return
    if "\0" in text:
        return
    check_any(path, text)
    if path.endswith((".c", ".h")):
        check_c(path, text)


def files():
    for name in sorted(os.listdir(TOP)):
        if os.path.isfile(os.path.join(TOP, name)) and not name.startswith("."):
            yield os.path.join(TOP, name)
    for folder in FOLDERS:
        for at, folders, names in os.walk(os.path.join(TOP, folder)):
            folders[:] = sorted(d for d in folders if d not in ("corpus", "__pycache__", "node_modules", "target"))
            yield from (os.path.join(at, n) for n in sorted(names) if not n.endswith((".pyc", ".log")))


for each in sys.argv[1:] or files():
    check(os.path.abspath(each))
print("\n".join(found) if found else "style: nothing found")
sys.exit(bool(found))
