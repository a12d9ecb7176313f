#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Configuration, start, drain, and what idle connections cost."""

import json
import os
import resource
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import (Depot, Process, Tap, digest, new_id,  # noqa: E402
                        wait_for)

t = Tap()
d = Depot(idle_seconds=600)


def upload_head(o, body):
    return (f"PUT {d.path(o)} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {d.token}\r\nIf-None-Match: *\r\n"
            f"Content-Digest: {digest(body)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()


def begun():
    """Until an upload is under way."""
    wait_for(lambda: d.files()[1])


def arguments():
    def run(*args):
        r = subprocess.run([d.binary, *args], capture_output=True, text=True,
                           env={**os.environ,
                                "ASAN_OPTIONS": "detect_leaks=0"})
        return r.returncode, r.stdout, r.stderr

    code, out, _ = run("--help")
    t.ok(code == 0 and "usage:" in out, "--help")
    code, out, _ = run("--version")
    t.ok(code == 0 and out.startswith("skerry-depot "), "--version")
    for args, word in (((), "no command"), (("--what", "x"), "--what: "),
                       (("frob",), "frob: "), (("--config",), "wants FILE"),
                       (("--config=x",), "--config=x: "),
                       (("check-config", "a", "b c"), "b c: "),
                       (("--help", "x"), "x: ")):
        code, out, err = run(*args)
        t.ok((code, out) == (2, "") and err.startswith("skerry-depot: ")
             and word in err and err.count("\n") == 1,
             f"usage: {args}: {err.strip()}")
    with open("/dev/full", "w") as full:
        t.eq(subprocess.run([d.binary, "--help"], stdout=full,
                            stderr=subprocess.DEVNULL).returncode, 18,
             "--help that could not be written is no success")
    good = d.config_file("good.yaml")
    code, out, _ = run("check-config", good)
    t.eq((code, out), (0, good + ": ok\n"), "check-config")
    old = dict(d.config)
    for change, word in (({"colour": 1}, "colour"),
                         ({"listen": "localhost:1"}, "listen"),
                         ({"listen": "1.2.3.4"}, "listen"),
                         ({"listen": "127.0.0.1:65537"}, "listen"),
                         ({"metrics": "0.0.0.0:1"}, "metrics"),
                         ({"authority_keys": ["AA=="]}, "authority_keys"),
                         ({"authority_keys": []}, "authority_keys"),
                         ({"name": "n" * 65}, "name"),
                         ({"threads": 0}, "threads"),
                         ({"quota": -1}, "quota"),
                         ({"quota": "x"}, "quota"),
                         ({"quota": "1T"}, "quota: 1T"),
                         ({"quota": "0x10"}, "quota: 0x10"),
                         ({"quota": 1 << 64}, "quota"),
                         ({"idle_seconds": "60s"}, "idle_seconds: 60s"),
                         ({"threads": "04"}, "threads: 04"),
                         ({"threads": (1 << 32) + 1}, "threads"),
                         ({"cert": d.key}, ": cert: "),
                         ({"key": d.cert}, ": key: "),
                         ({"key": d.dir + "/none"}, ": key: "),
                         ({"data": d.dir + "/none"}, ": data: "),
                         ({"data": d.cert}, ": data: "),
                         ({"name": None}, "name")):
        d.config = {**old, **change}
        if change == {"name": None}:
            del d.config["name"]
        path = d.config_file("bad.yaml")
        code, _, err = run("check-config", path)
        t.ok(code == 3 and word in err and
             err.startswith(f"skerry-depot: {path}"),
             f"check-config refuses {json.dumps(change)[:40]}")
        t.note(err)
    d.config = old
    open(path, "w").close()
    t.eq(run("check-config", path)[0], 3, "an empty file")
    t.eq(run("check-config", "/nonexistent")[0], 3, "no such file")
    t.eq(run("check-config", "/dev/null")[0], 3, "an empty one")


def bad_start():
    old = dict(d.config)
    d.config = {**old, "data": os.path.join(d.dir, "none")}
    p = Process([d.binary, "--config", d.config_file("bad.yaml")])
    t.eq(p.wait(), 4, "no such folder")
    d.config = {**old, "cert": d.key, "data": d.dir}
    p = Process([d.binary, "--config", d.config_file("bad.yaml")])
    t.eq(p.wait(), 3, "a certificate that is none")
    d.config = old


def tls_versions():
    ctx = ssl.create_default_context(cafile=d.cert)
    ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    keep, d.tls = d.tls, ctx
    try:
        d.raw()
        t.ok(False, "TLS 1.2 is refused")
    except (ssl.SSLError, ConnectionError):
        t.ok(True, "TLS 1.2 is refused")
    d.tls = keep
    t.eq(d.raw().version(), "TLSv1.3", "TLS 1.3")


def sanitized():
    warned = [x["text"] for x in d.process.lines if x["event"] == "sandbox"]
    return any("filtered" in x for x in warned)


def confined():
    status = open(f"/proc/{d.process.proc.pid}/status").read()
    if sanitized():
        t.skip("seccomp", "built with sanitizers")
    else:
        t.ok("Seccomp:\t2" in status, "system calls are filtered")
    t.ok("NoNewPrivs:\t1" in status, "no new privileges")


def rss():
    for line in open(f"/proc/{d.process.proc.pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def idle_connections():
    want = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (min(hard, max(soft, 2 * want)), hard))
    d.put(new_id(), bytes(100_000))
    before = rss()
    conns = []
    for _ in range(want):
        c = d.connect()
        d.request("GET", "/healthz", conn=c)
        conns.append(c)
    first = rss()
    for c in conns:
        d.request("GET", "/healthz", conn=c)
    second = rss()
    t.note(f"resident: {before} KiB before, {first} KiB with {want} idle "
           f"connections ({(first - before) / want:.1f} KiB each), "
           f"{second} KiB after another request on each")
    if sanitized():
        t.skip("memory", "sanitizers keep what is freed")
    else:
        t.ok((first - before) / want < 128, "an idle connection is cheap")
        t.ok(second - first < 4096, "and memory stays flat")
    t.eq(d.put(new_id(), bytes(100_000)).status, 201, "work goes on")
    for c in conns:
        c.close()


def speed():
    body = os.urandom(16 << 20)
    c = d.connect()
    start = time.time()
    ids = [new_id() for _ in range(12)]
    for o in ids:
        d.put(o, body, conn=c)
    up = time.time() - start
    start = time.time()
    for o in ids:
        d.get(o, conn=c)
    down = time.time() - start
    mib = 16 * len(ids)
    t.note(f"one connection, 16 MiB objects: PUT {mib / up:.0f} MiB/s, "
           f"GET {mib / down:.0f} MiB/s")
    start = time.time()
    for _ in range(1000):
        d.request("GET", "/v1/" + d.prefix + "/head", conn=c)
    t.note(f"{1000 / (time.time() - start):.0f} small GET/s, one connection")
    start = time.time()
    for _ in range(200):
        d.put(new_id(), b"x" * 4096, conn=c)
    t.note(f"{200 / (time.time() - start):.0f} durable PUT/s of 4 KiB, "
           "one connection")


def drain():
    body, o = os.urandom(4 << 20), new_id()
    idle = d.connect()
    d.request("GET", "/healthz", conn=idle)
    s = d.raw()
    s.sendall(upload_head(o, body) + body[:1 << 20])
    begun()
    d.process.term()
    r = d.request("GET", "/healthz", conn=idle)
    while r.status == 200:
        r = d.request("GET", "/healthz", conn=idle)
    t.eq((r.status, r.body, r.headers["Connection"]),
         (503, b"draining", "close"), "healthz says draining")

    def refused():
        try:
            d.raw().close()
        except OSError:
            return True
    t.ok(wait_for(refused), "no new connection")
    t.ok(d.process.proc.poll() is None, "waits for an upload under way")
    s.sendall(body[1 << 20:])
    answer = s.recv(1000)
    t.ok(answer.startswith(b"HTTP/1.1 201"), "the upload is acknowledged")
    t.eq(d.process.wait(), 0, "then it exits with 0")
    t.eq(d.process.event("stopped")["cut"], 0, "nothing was cut")
    t.ok("127.0.0.1" not in d.process.raw, "no address in the log")
    d.start()
    t.ok(d.get(o).body == body, "the object is there after a restart")


def drain_cap():
    d.process.term()
    d.process.wait()
    d.config["drain_seconds"] = 1
    d.start()
    s = d.raw()
    s.sendall(upload_head(new_id(), bytes(1000)) + bytes(10))
    begun()
    start = time.monotonic()
    d.process.term()
    t.eq(d.process.wait(), 0, "an endless upload does not hold it up")
    t.ok(time.monotonic() - start < 25,  # by default it is 30
         "for longer than drain_seconds")
    t.eq(d.process.event("stopped")["cut"], 1, "the log says what was cut")
    t.eq(d.files()[1], [], "nothing is left in tmp")


def stop_amid():
    """Uploads whose last bytes come while the depot is being stopped."""
    d.config.update(drain_seconds=0, threads=4)
    ends, said = [], ""
    for n in range(8):
        d.start()
        begun = [(d.raw(), os.urandom(100)) for _ in range(100)]
        for s, body in begun:
            s.sendall(upload_head(new_id(), body) + body[:10])
        time.sleep(0.2)

        def rest():
            for s, body in begun:
                try:
                    s.sendall(body[10:])
                except OSError:
                    pass

        sender = threading.Thread(target=rest)
        sender.start()
        time.sleep(0.002 * n)
        d.process.term()
        ends.append(d.process.wait())
        sender.join()
        said += "" if d.process.event("stopped") else d.process.raw
    t.eq((ends, said), ([0] * 8, ""), "a stop amid uploads ends well")
    t.eq(d.files()[1], [], "and leaves nothing in tmp")


def idle_timeout():
    d.config["idle_seconds"] = 1
    d.start()
    start = time.monotonic()
    try:
        s = d.raw()
        s.settimeout(120)
        s.sendall(upload_head(new_id(), bytes(1000)) + bytes(10))
        s.recv(1)
    except OSError:
        pass
    t.ok(time.monotonic() - start < 50,  # by default it is after 60
         "a silent client is cut")
    d.process.term()
    t.eq(d.process.wait(), 0, "and the depot ends well")


t.run(arguments, bad_start, tls_versions, confined, idle_connections, speed,
      drain, drain_cap, stop_amid, idle_timeout)
