#!/usr/bin/python3
"""Every test that spec/90-threats.md names is there, and so is every claim within it."""
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OTHER = {"skerry", "skerry check", "skerry lock", "skerry recovery new", "skerry revoke", "authority",
         "test/fuzz"}  # in backquotes, no tests


def read(path):
    with open(path) as f:
        return f.read()


def main():
    everything = glob.glob(TOP + "/test/**/*.*", recursive=True)
    tests = "\n".join(read(p) for p in everything if p.endswith((".c", ".py", "meson.build")))
    names = {os.path.basename(p).rsplit(".", 1)[0] for p in everything}
    bad, n = [], 0
    for name in re.findall(r"`([^`]+)`", read(TOP + "/spec/90-threats.md")):
        short = os.path.basename(name).removesuffix(".py")
        claims = [short, short.removeprefix("client_"), short.removeprefix("lib_"), short.removeprefix("arch-")]
        if name in OTHER:
            continue
        n += 1
        defined = [re.search(rf"^(?:def )?{re.escape(c)}\(", tests, re.M) for c in claims]
        if not any(defined) and not any(p + c in names for p in ("", "test_", "fuzz_")
                                        for c in claims):
            bad.append(f"spec/90-threats.md: there is no test {name}")
    print("\n".join(bad) if bad else f"threats: {n} tests named")
    return bool(bad) or n < 40


sys.exit(main())
