#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Versions of a tree for bench_chunker, each as one stream like that of tar:
versions.py TREE OUT [SHARE [VERSIONS [FILES]]].  From one version to the next
a share of the files gets a line put in at a third of its length, and one file
in 10,000 goes.  The same arguments give the same edits."""
import os
import random
import sys


def load(tree, limit):
    paths = sorted(os.path.join(d, n) for d, _, names in os.walk(tree)
                   for n in names)
    for path in [p for p in paths if os.path.isfile(p)][:limit]:
        with open(path, 'rb') as f:
            yield [path, f.read()]


def main(tree, out, share='0.002', versions='8', limit='8000'):
    random.seed(7)
    files = list(load(tree, int(limit)))
    for v in range(int(versions)):
        with open(os.path.join(out, 'v%d' % v), 'wb') as f:
            for name, data in files:
                f.write(name.encode().ljust(512, b'\0'))
                f.write(data + b'\0' * (-len(data) % 512))
        for entry in files:
            if random.random() < float(share):
                at = len(entry[1]) // 3
                entry[1] = (entry[1][:at] + b'\n/* edit %d */\n' % v +
                            entry[1][at:])
        files = [e for e in files if random.random() > 0.0001]


main(*sys.argv[1:])
