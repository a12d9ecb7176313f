#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon two strings of chunks of the same data that begin at different
places have a cut in common: resync.py [MIN GAP]..., in KiB, GAP being the mean
distance of the positions that cut.  Without: what the rule was chosen among.
The same arguments give the same figures."""
import bisect
import random
import sys

MAX, TRIALS = 2048, 10000


def common(least, gap, rng):
    places, at = [], 0.0
    while at < 40 * (least + gap):
        at += rng.expovariate(1 / gap)
        places.append(at)

    def cut(start):
        i = bisect.bisect_left(places, start + least)
        return min(places[i], start + MAX) if i < len(places) else None

    low, high = 0.0, rng.random() * (least + gap)
    while low is not None and low != high:
        low, high = sorted((cut(low) or high, high))
    return low


def main(args):
    rules = list(zip(args[::2], args[1::2])) or [
        (512, 1024), (128, 512), (320, 128), (384, 64), (256, 64),
        (192, 32), (176, 32), (128, 16)]
    for least, gap in rules:
        rng = random.Random(7)
        kib = sum(common(least, gap, rng) for _ in range(TRIALS)) / TRIALS
        print(f'minimum {least:4.0f}, then one in {gap:4.0f} KiB: mean '
              f'{least + gap:4.0f} KiB, {gap / (least + gap):4.0%} looked at; '
              f'in common after {kib:5.0f} KiB, {kib / (least + gap):.1f} '
              'chunks')


main([float(a) for a in sys.argv[1:]])
