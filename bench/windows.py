#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often the windows of data repeat, by the shape of a window: windows.py
FILE..., 4 MiB of each.  A window that is frequent and happens to cut would end
each chunk right behind its minimum."""
import collections
import sys

SIZE, FREQUENT = 4 << 20, 4096
SHAPES = ('16 adjacent', 16, 1), ('every 4th of 61', 61, 4), ('61 adjacent',
                                                              61, 1)

for path in sys.argv[1:]:
    with open(path, 'rb') as f:
        data = f.read(SIZE)
    print(f'{path}, {len(data)} bytes')
    for name, span, stride in SHAPES:
        count = collections.Counter(data[i - span:i:stride]
                                    for i in range(span, len(data)))
        often = sum(n > len(data) / FREQUENT for n in count.values())
        print(f'  {name:16} {len(count) / len(data):4.0%} different, {often} '
              f'more often than every {FREQUENT} bytes')
