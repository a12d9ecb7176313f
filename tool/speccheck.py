#!/usr/bin/python3
"""speccheck.py [--enforce]: each page of spec/, its MUST clauses, and where code and tests cite the page.

Code cites a page by its word in brackets, [tree] or [depot], or by its name, spec/30-tree.md or spec/30.  With --enforce
it exits with 1 where a page with a MUST has no citation in the product, or none in a test."""
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PRODUCT = ("lib", "client", "authority", "depot", "sandbox", "recover")
MUST = re.compile(r"\bMUST(?: NOT)?\b")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def clauses(text):
    """Sentences and table cells with a MUST, each on one line."""
    flat = re.sub(r"\n(?![\n|#-])", " ", text)
    parts = re.split(r"(?<=[.:;])\s+|\n|\|", flat)
    return [p.strip() for p in parts if MUST.search(p) and "RFC 2119" not in p]


def files(folders):
    for folder in folders:
        for at, below, names in os.walk(os.path.join(TOP, folder)):
            below[:] = [d for d in below if d not in ("corpus", "__pycache__")]
            for name in names:
                if name.endswith((".c", ".h", ".py", ".json")) or "." not in name:
                    yield os.path.join(at, name)


def citations(folders, number, word):
    page = re.compile(rf"\[{word}\b[^\]]*\]|spec/{number}\b")
    found = []
    for path in files(folders):
        for n, line in enumerate(read(path).split("\n"), 1):
            if page.search(line):
                found.append(f"{os.path.relpath(path, TOP)}:{n}")
    return found


def main():
    enforce = sys.argv[1:] == ["--enforce"]
    lacking = []
    for path in sorted(glob.glob(os.path.join(TOP, "spec/[0-9]*.md"))):
        number, word = re.match(r"(\d+)-(\w+)\.md", os.path.basename(path)).groups()
        must = clauses(read(path))
        code, tests = citations(PRODUCT, number, word), citations(("test",), number, word)
        print(f"{os.path.basename(path)}: {len(must)} with MUST, cited by code {len(code)} times, by tests {len(tests)}")
        if not enforce:
            print("".join(f"    MUST  {c}\n" for c in must), end="")
            print("".join(f"    code  {c}\n" for c in code), end="")
            print("".join(f"    test  {c}\n" for c in tests), end="")
        if must and not code:
            lacking.append(f"{os.path.basename(path)}: no code cites it")
        if must and not tests:
            lacking.append(f"{os.path.basename(path)}: no test cites it")
    print("\n".join(lacking))
    return bool(enforce and lacking)


sys.exit(main())
