#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many sessions, and how many head moves, a second an authority answers:
SKERRY_AUTHORITY=build/authority/skerry-authority bench/authority_sessions.py
[clients] [seconds].  Clients are processes with one connection each; they share
the machine with the service, so its processor time is told as well."""

import multiprocessing
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "test",
                                "lib"))

from authoritytest import Account, Authority, head


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        t = f.read().rsplit(")", 1)[1].split()
    return (int(t[11]) + int(t[12])) / os.sysconf("SC_CLK_TCK")


def client(a, what, seconds, out):
    acc, conn, n, times = Account(a), a.connect(), 0, []
    assert acc.create(conn=conn).status == 200
    end = time.time() + seconds
    while time.time() < end:
        t = time.perf_counter()
        r = (acc.session(conn=conn) if what == "session" else
             acc.put_head(n, head(n + 1), conn=conn))
        times.append(time.perf_counter() - t)
        assert r.status == 200, r
        n += 1
    times.sort()
    out.put((n, times[len(times) // 2], times[len(times) * 99 // 100]))


def main():
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    a = Authority(threads=8)
    roles = a.roles()
    for what in ("session", "head"):
        out = multiprocessing.Queue()
        before = {r: cpu(p) for r, p in roles.items()}
        all_ = [multiprocessing.Process(target=client,
                                        args=(a, what, seconds, out))
                for _ in range(clients)]
        for p in all_:
            p.start()
        got = [out.get() for _ in all_]
        for p in all_:
            p.join()
        n = sum(g[0] for g in got)
        used = {r: (cpu(p) - before[r]) * 1e6 / n for r, p in roles.items()}
        print(f"{what}: {n / seconds:.0f}/s with {clients} clients, median "
              f"{1e3 * max(g[1] for g in got):.1f} ms, 99 % "
              f"{1e3 * max(g[2] for g in got):.1f} ms; processor us each: "
              + ", ".join(f"{r} {u:.0f}" for r, u in sorted(used.items())))


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
