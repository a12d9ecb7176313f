#!/usr/bin/python3
"""Every #include of the product goes the way that tool/layers.txt allows."""
import fnmatch
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = ("lib/base", "lib/crypt", "lib/object", "lib/tlog", "lib/net", "lib/store", "lib/settings", "lib/serve", "sandbox", "client/engine", "client",
           "authority", "depot", "witness")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|(<[^>]+>))', re.M)


def rules():
    """What each folder may include; who alone may include each header of the system that has a rule."""
    layers, only = {}, []
    with open(os.path.join(TOP, "tool/layers.txt")) as f:
        for line in f:
            line = line.split("#")[0].strip()
            if "<" in line:
                words = line.split()
                who = [w for w in words if not w.startswith("<")]
                only += [(w, who) for w in words if w.startswith("<")]
            elif line:
                name, _, rest = line.partition(":")
                layers[name] = rest.split()
    return layers, only


def folder_of(header):
    return os.path.dirname(header)


def allowed(layer, header, layers):
    return folder_of(header) == layer or folder_of(header) in layers[layer] or header in layers[layer]


def sources():
    for folder in PRODUCT:
        at = os.path.join(TOP, folder)
        for name in sorted(os.listdir(at)):
            if name.endswith((".c", ".h")):
                yield folder.removeprefix("lib/"), os.path.join(at, name)


def main():
    layers, only = rules()
    bad = []
    seen = 0
    for layer, path in sources():
        rel = os.path.relpath(path, TOP)
        with open(path) as f:
            text = f.read()
        for own, system in INCLUDE.findall(text):
            seen += 1
            if own and not allowed(layer, own, layers):
                bad.append(f"{rel}: {layer} may not include {own}")
            for pattern, who in only:
                if system and fnmatch.fnmatch(system, pattern) and layer.split("/")[0] not in who:
                    bad.append(f"{rel}: only {' '.join(who)} may include {system}")
    print("\n".join(bad) if bad else f"layering: {seen} includes")
    return bool(bad) or seen < 500


sys.exit(main())
