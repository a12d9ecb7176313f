# SPDX-License-Identifier: Apache-2.0
"""An authority that lies: it stands where the devices look for theirs, with its
TLS key, passes everything on and alters the answers as a plan says.  It has the
policy key too: the operator is the one who lies.  And a depot for which tokens
are over when a test says so."""

import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import ssl
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from skerrysite import read
from skerrytest import free_port


def policy_key(site):
    seed = base64.b64decode(read(site.policy_key).split()[1])
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """RFC 6962 over a list of entries, as plainly as it can be written."""

    def __init__(self, entries):
        self.entries = list(entries)
        self.leaves = [sha(b"\0", e) for e in self.entries]

    def root(self, n=None, first=0):
        n = len(self.leaves) if n is None else n
        if n == 0:
            return sha()
        if n == 1:
            return self.leaves[first]
        k = 1 << (n - 1).bit_length() - 1
        return sha(b"\1", self.root(k, first), self.root(n - k, first + k))

    def path(self, i, n, first=0):
        if n <= 1:
            return []
        k = 1 << (n - 1).bit_length() - 1
        if i < k:
            return self.path(i, k, first) + [self.root(n - k, first + k)]
        return self.path(i - k, n - k, first + k) + [self.root(k, first)]

    def consistency(self, m, n, first=0, whole=True):
        if m == n:
            return [] if whole else [self.root(n, first)]
        k = 1 << (n - 1).bit_length() - 1
        if m <= k:
            return self.consistency(m, k, first, whole) + [
                self.root(n - k, first + k)]
        return self.consistency(m - k, n - k, first + k, False) + [
            self.root(k, first)]

    def file(self, name):
        """A tile, or entries, of a log of under 65536 entries."""
        _, kind, index, *width = name.split("/")
        first = 256 * int(index[:3])
        part = slice(first, first + int(width[0] if width else 256))
        if kind == "0":
            return b"".join(self.leaves[part])
        if kind == "1":
            return b"".join(self.root(256, 256 * i) for i in range(
                len(self.leaves) // 256)[part])
        if kind == "entries":
            return b"".join(len(e).to_bytes(2, "big") + e
                            for e in self.entries[part])
        return None


class EvilLog:
    """The log's key in the hands of who lies: whatever the authority signed is
    signed anew, and anything else may be."""

    def __init__(self, origin):
        self.origin = origin
        self.key = ed25519.Ed25519PrivateKey.generate()
        pub = b"\1" + self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.id = sha(origin.encode(), b"\n", pub)[:4]
        self.vkey = (f"{origin}+{self.id.hex()}+"
                     f"{base64.b64encode(pub).decode()}")

    def sign(self, size, root):
        return self.note(f"{self.origin}\n{size}\n"
                         f"{base64.b64encode(root).decode()}\n")

    def note(self, text):
        blob = base64.b64encode(self.id + self.key.sign(text.encode()))
        return f"{text}\n\u2014 {self.origin} {blob.decode()}\n"

    def again(self, note):
        return self.note(note.partition("\n\n")[0] + "\n")

    def answer(self, j):
        """An answer with all notes signed anew."""
        if "log" in j:
            j["log"]["checkpoint"] = self.again(j["log"]["checkpoint"])
            j["log"]["proofs"] = [
                p.partition("\n\n")[0] + "\n\n" +
                self.again(p.partition("\n\n")[2])
                for p in j["log"]["proofs"]]
        return j


class Evil:
    """plan: None, or a function of path and answer that gives the answer.
    drips: None, or a path whose answer comes by bytes and does not end.
    lists: None, or a function of status and answer to a GET below /v1/ that
    gives both.  log: None, or an EvilLog; files: None, or a function of the name of a file
    of the log and its bytes, that gives bytes, or None for 404."""

    def __init__(self, authority, log=None):
        self.plan = None
        self.files = None
        self.lists = None
        self.drips = None
        self.log = log
        self.real = free_port()
        self.authority = authority
        authority.stop()
        text = re.sub(r"(?m)^listen:.*$",
                      f'listen: "127.0.0.1:{self.real}"',
                      read(authority.config))
        with open(authority.config, "w") as f:
            f.write(text)
        authority.start()
        evil = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                try:
                    evil.answer(self)
                except OSError:  # the real one is away: so is this one
                    self.close_connection = True

            def do_GET(self):
                try:
                    evil.file(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", authority.port), Handler)
        self.server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.path.join(authority.home, "tls.pem"),
                            os.path.join(authority.home, "tls.key"))
        self.server.socket = tls.wrap_socket(self.server.socket,
                                             server_side=True)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def connect(self):
        tls = ssl.create_default_context(
            cafile=os.path.join(self.authority.home, "tls.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.real,
                                           context=tls, timeout=60)

    def get(self, path):
        """(status, bytes) of the real one."""
        c = self.connect()
        c.request("GET", path)
        r = c.getresponse()
        return r.status, r.read()

    def entries(self):
        """All of the real log, which has under 256."""
        size = int(self.get("/log/checkpoint")[1].split(b"\n")[1])
        data, out = self.get(f"/log/tile/entries/000.p/{size}")[1], []
        while data:
            n = int.from_bytes(data[:2], "big")
            out.append(data[2:2 + n])
            data = data[2 + n:]
        return out

    def file(self, h):
        status, out = self.get(h.path)
        if h.path.startswith("/v1/"):
            if self.lists is not None:
                status, out = self.lists(status, out)
            h.send_response(status)
            h.send_header("Content-Length", str(len(out)))
            h.end_headers()
            h.wfile.write(out)
            return
        if status == 200 and self.log and h.path == "/log/checkpoint":
            out = self.log.again(out.decode()).encode()
        if self.files is not None:
            out = self.files(h.path[len("/log/"):], out)
            status = 404 if out is None else 200
        h.send_response(status)
        h.send_header("Content-Length", str(len(out or b"")))
        h.end_headers()
        h.wfile.write(out or b"")

    def answer(self, h):
        body = h.rfile.read(int(h.headers["Content-Length"]))
        if h.path == self.drips:
            h.send_response(200)
            h.send_header("Content-Length", "100000")
            h.end_headers()
            while h.path == self.drips:
                h.wfile.write(b" ")
                time.sleep(0.2)
            h.close_connection = True
            return
        c = self.connect()
        c.request("POST", h.path, body, {
            k: h.headers[k] for k in ("Content-Digest", "Signature-Input",
                                      "Signature", "Content-Type")})
        r = c.getresponse()
        out = r.read()
        if r.status == 200 and (self.plan is not None or self.log):
            j = json.loads(out)
            if self.log:
                j = self.log.answer(j)
            if self.plan is not None:
                j = self.plan(h.path, j)
            out = json.dumps(j).encode()
        h.send_response(r.status)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(out)))
        h.end_headers()
        h.wfile.write(out)


class Impatient:
    """Between a site's devices and its depot, whose TLS key it has.  over: tokens
    that have expired for it; after: the number of requests after which the
    one that comes then joins them, or None; then: what is done at that moment,
    before anybody is told; all: every token has expired."""

    def __init__(self, site):
        self.over, self.after, self.all = set(), None, False
        self.then, self.seen = None, 0
        self.lock = threading.Lock()
        self.depot = site.depot
        patient = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                try:
                    patient.answer(self)
                except OSError:
                    self.close_connection = True

            do_GET = do_PUT = do_HEAD = serve

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(site.depot.cert, site.depot.key)
        self.server.socket = tls.wrap_socket(self.server.socket,
                                             server_side=True)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        site.depot_tap.target = lambda: self.server.server_address[1]

    def answer(self, h):
        body = h.rfile.read(int(h.headers.get("Content-Length", 0)))
        token = h.headers["Authorization"]
        with self.lock:
            self.seen += 1
            if self.after is not None and self.seen > self.after:
                self.over.add(token)
                self.after = None
                if self.then is not None:
                    self.then()
        if self.all or token in self.over:
            status, out, fields = 401, json.dumps({"error": {
                "code": "expired", "text": "not now"}}).encode(), {}
        else:
            c = self.depot.connect()
            c.request(h.command, h.path, body or None, {
                k: v for k, v in h.headers.items()
                if k.lower() not in ("host", "expect")})
            r = c.getresponse()
            status, out, fields = r.status, r.read(), r.headers
            c.close()
        h.send_response(status)
        for name in ("Content-Range", "Accept-Ranges", "Content-Type"):
            if name in fields:
                h.send_header(name, fields[name])
        if status != 204:
            h.send_header("Content-Length", str(len(out)))
        h.end_headers()
        if h.command != "HEAD":
            h.wfile.write(out)
