# SPDX-License-Identifier: Apache-2.0
"""What tests of an authority's log share: the log as anybody gets it, beside the
database, a ledger that is traced or killed at a system call, and witnesses."""

import http.server
import json
import os
import re
import shutil
import sqlite3
import ssl
import subprocess
import threading
import time

from cryptography.hazmat.primitives.asymmetric import ed25519

import logjudge
import skerrytest
from authoritytest import Account, b64, raw_public


def get(a, path):
    c = a.connect()
    try:
        c.request("GET", "/log/" + path)
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def root(leaves):
    if not leaves:
        return logjudge.sha()
    if len(leaves) == 1:
        return logjudge.sha(b"\0", leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return logjudge.node(root(leaves[:k]), root(leaves[k:]))


def served(a, witnesses=()):
    """The checkpoint and all entries, as anybody gets them."""
    status, note = get(a, "checkpoint")
    if status != 200:
        raise RuntimeError(f"checkpoint: {status}")
    c = logjudge.Checkpoint(note.decode(), logjudge.Key(a.public["log"]),
                            witnesses)
    entries = []
    for i in range((c.size + 255) // 256):
        width = min(256, c.size - i * 256)
        path = f"tile/entries/{i:03}" + (f".p/{width}" if width < 256 else "")
        status, data = get(a, path)
        if status != 200:
            raise RuntimeError(f"{path}: {status}")
        while data:
            n = int.from_bytes(data[:2], "big")
            entries.append(data[2:2 + n])
            data = data[2 + n:]
    return c, entries


def copied(a, where):
    """Copies the database's files; whether they are of one moment."""
    for name in os.listdir(where):
        os.unlink(os.path.join(where, name))
    files = [a.config["database"] + s for s in ("", "-wal")]

    def state():
        return [(s.st_size, s.st_mtime_ns) for s in map(os.stat, filter(
            os.path.exists, files))]
    before = state()
    for path in filter(os.path.exists, files):
        shutil.copy(path, where)
    return state() == before


def rows(a):
    """The entries of the database, from a copy of its files."""
    where = skerrytest.folder()
    if not skerrytest.wait_for(lambda: copied(a, where)):
        raise RuntimeError("the database does not come to rest")
    db = sqlite3.connect(os.path.join(
        where, os.path.basename(a.config["database"])))
    out = db.execute("SELECT number, entry FROM leaf ORDER BY number"
                     ).fetchall()
    db.close()
    shutil.rmtree(where)
    if [n for n, _ in out] != list(range(len(out))):
        raise RuntimeError("rows are missing")
    return [e for _, e in out]


def whole(a, witnesses=()):
    """Whether log and database are one, and lead to the signed root."""
    c, entries = served(a, witnesses)
    return (len(entries) == c.size and entries == rows(a)
            and root(entries) == c.root)


def sealed(r):
    return [k for k in r.json.get("keys", []) if "sealed" in k]


def good_release(a, acc, r, witnesses=()):
    """A key came, and its entry is under a checkpoint, and opens."""
    if r.status != 200 or acc.open_release(r) != acc.space_key:
        return False
    log = logjudge.Key(a.public["log"])
    for text in r.log["proofs"]:
        p = logjudge.Opened(text, log, witnesses)
        if p.entry.type != 5 or not p.opens:
            continue
        b = logjudge.Release(p.body)
        return ((b.account, b.space, b.epoch, b.device) ==
                (acc.id, acc.space, 1, acc.device.id)
                and b.asked(acc.device.ed_pub)
                and (not witnesses or len(p.checkpoint.cosigned) > 0))
    return False


def wait_ledger(a, not_pid):
    return skerrytest.wait_for(
        lambda: a.roles().get("ledger") not in (None, not_pid)
        and get(a, "checkpoint")[0] == 200
        and Account(a).session().code != "AUTHORITY")


def tracer(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return int(re.search(r"TracerPid:\t(\d+)", f.read()).group(1))
    except OSError:
        return 0


class Traced:
    """strace at the ledger; started when it is attached, or when the ledger
    is gone: what is to kill it may have done so already."""

    def __init__(self, pid, *args):
        self.out = os.path.join(skerrytest.folder(), "trace")
        self.proc = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", self.out, *args, "-p", str(pid)],
            stderr=subprocess.PIPE, text=True)
        skerrytest.wait_for(lambda: tracer(pid) == self.proc.pid
                            or self.proc.poll() is not None)
        if tracer(pid) == self.proc.pid or not skerrytest.alive(pid):
            return
        self.proc.kill()
        raise RuntimeError("strace: " + self.proc.stderr.read())

    def end(self):
        if self.proc.poll() is None:
            self.proc.terminate()
        self.proc.wait(60)
        with open(self.out) as f:
            return f.read().splitlines()


def can_trace(tap):
    p = subprocess.Popen(["sleep", "5"])
    try:
        Traced(p.pid, "-e", "trace=none").end()
        return True
    except (OSError, RuntimeError) as e:
        tap.note(e)
        return False
    finally:
        p.kill()
        p.wait()


class Witness:
    def __init__(self, name, log):
        self.dir = skerrytest.folder()
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state)
        self.port = skerrytest.free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.cert, key = skerrytest.certificate(self.dir)
        keyfile = os.path.join(self.dir, "key")
        self.vkey = subprocess.run(
            [os.environ["SKERRY_WITNESS"], "keygen", name, keyfile],
            check=True, capture_output=True, text=True).stdout.strip()
        self.path = os.path.join(self.dir, "witness.yaml")
        with open(self.path, "w") as f:
            json.dump({"listen": f"127.0.0.1:{self.port}", "key": keyfile,
                       "state": self.state, "logs": [log],
                       "certificate": self.cert, "private_key": key}, f)
        self.start()

    def start(self):
        self.process = skerrytest.Process(
            [os.environ["SKERRY_WITNESS"], "--config", self.path])
        self.process.wait_ready()

    def stop(self):
        self.process.kill()


class Liar:
    """A witness with a key of its own, whose lines are what a test says: a
    function of the checkpoint's text and its own good line."""

    def __init__(self, name, lines):
        self.key = ed25519.Ed25519PrivateKey.generate()
        raw = b"\4" + raw_public(self.key)
        self.id = logjudge.sha(name.encode(), b"\n", raw)[:4]
        self.name = name
        self.vkey = f"{name}+{self.id.hex()}+{b64(raw)}"
        self.cert, key = skerrytest.certificate(skerrytest.folder())
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                text = body.partition(b"\n\n")[2].partition(b"\n\n")[0]
                out = lines(text + b"\n", liar.line(text + b"\n")).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.cert, key)
        self.server.socket = tls.wrap_socket(self.server.socket,
                                             server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def line(self, text):
        now = int(time.time())
        sig = self.key.sign(b"cosignature/v1\ntime %d\n" % now + text)
        return note_line(self.name, self.id + now.to_bytes(8, "big") + sig)


def note_line(name, blob):
    return f"\u2014 {name} {b64(blob)}\n"


def want_one_of(a, witnesses):
    """For an authority that was not started: one of them is its quorum."""
    names = [f"w{i}" for i in range(len(witnesses))]
    a.sign_policy({**a.policy(), "trust": "".join(
        [f"log {a.public['log']}\n"]
        + [f"witness {n} {w.vkey}\n" for n, w in zip(names, witnesses)]
        + [f"group any 1 {' '.join(names)}\nquorum any\n"])})
    a.config["witnesses"] = [{"name": n, "url": w.url, "ca": w.cert}
                             for n, w in zip(names, witnesses)]
