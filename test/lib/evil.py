# SPDX-License-Identifier: Apache-2.0
"""An authority that lies: it stands where the devices look for theirs, with its
TLS key, passes everything on and alters the answers as a plan says.  It has the
policy key too: the operator is the one who lies.  And a depot for which tokens
are over when a test says so."""

import base64
import http.client
import http.server
import json
import os
import re
import ssl
import threading

from cryptography.hazmat.primitives.asymmetric import ed25519

from skerrysite import read
from skerrytest import free_port


def policy_key(site):
    seed = base64.b64decode(read(site.policy_key).split()[1])
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


class Evil:
    """plan: None, or a function of path and answer that gives the answer."""

    def __init__(self, authority):
        self.plan = None
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

    def answer(self, h):
        body = h.rfile.read(int(h.headers["Content-Length"]))
        tls = ssl.create_default_context(
            cafile=os.path.join(self.authority.home, "tls.pem"))
        c = http.client.HTTPSConnection("127.0.0.1", self.real, context=tls,
                                        timeout=60)
        c.request("POST", h.path, body, {
            k: h.headers[k] for k in ("Content-Digest", "Signature-Input",
                                      "Signature", "Content-Type")})
        r = c.getresponse()
        out = r.read()
        if self.plan is not None and r.status == 200:
            out = json.dumps(self.plan(h.path, json.loads(out))).encode()
        h.send_response(r.status)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(out)))
        h.end_headers()
        h.wfile.write(out)


class Impatient:
    """Between a site's devices and its depot, whose TLS key it has.  over: tokens
    that have expired for it; after: the number of requests after which the
    one that comes then joins them, or None; all: every token has expired."""

    def __init__(self, site):
        self.over, self.after, self.all = set(), None, False
        self.seen = 0
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
        self.seen += 1
        if self.after is not None and self.seen > self.after:
            self.over.add(token)
            self.after = None
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
