#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every endpoint of the three servers, and of their operators' listeners, asked
wrongly in each way there is: the status is that of the specification, the
answer names what is wrong, the server lives, and its log has a line at most."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from authoritytest import Account, Authority, sign_headers  # noqa: E402
from skerrytest import (Depot, Process, Tap, digest,  # noqa: E402
                        folder, metrics, new_id)

TOP = os.environ["SKERRY_TOP"]
OBJECT_MAX = 67108864
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FROB")
t = Tap()


class Target:
    """A listener.  process: whose log it is."""

    def __init__(self, name, port, process, tls=None):
        self.name, self.port, self.tls = name, port, tls
        self.process = process

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), 60)
        return self.tls.wrap_socket(s, server_hostname="127.0.0.1") \
            if self.tls else s

    def ask(self, raw, method="GET", ends=False):
        """Status, header and body; None where it closes without a word.  ends:
        the client does, behind what it sends."""
        s = self.connect()
        try:
            s.sendall(raw)
            if ends:
                s.close()
                return None
            r = http.client.HTTPResponse(s, method=method)
            r.begin()
            return r.status, r.headers, r.read()
        except (http.client.HTTPException, OSError):
            return None
        finally:
            s.close()


def request(method, path, headers=(), body=b"", length=True):
    head = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close",
            *headers]
    if length and (body or method in ("POST", "PUT", "PATCH")):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def text(got):
    """What the answer says is wrong."""
    status, headers, body = got
    if headers.get("Content-Type", "").startswith("application/json"):
        return json.loads(body)["error"]["text"]
    return body.decode(errors="replace")


class Group:
    """The cases of an endpoint: a line of TAP for all of them."""

    def __init__(self, target, name):
        self.target, self.name, self.n, self.bad = target, name, 0, []
        self.lines = len(target.process.lines)

    def case(self, what, raw, want, word="", method="GET"):
        """want: a status, some, or None: closed without a word."""
        got = self.target.ask(raw, method)
        wants = want if isinstance(want, tuple) else (want,)
        good = (got and got[0]) in wants
        if good and got and got[0] >= 400 and method != "HEAD":
            said = text(got)
            good = said != "" and word in said
        self.check(what, good, got)

    def check(self, what, good, got=None):
        self.n += 1
        if not good:
            self.bad.append((what, got and (got[0], got[2][:200])))

    def done(self):
        alive = self.target.ask(request("GET", "/healthz"))
        self.check("lives", alive and alive[0] == 200, alive)
        new = self.target.process.lines[self.lines:]
        self.check(f"log: {new}", len(new) <= 1)
        t.eq(self.bad, [], f"{self.target.name}: {self.name}: {self.n} cases")


def framing(g, method, path, headers=()):
    """What says twice how long it is, or breaks off."""
    both = (*headers, "Content-Length: 3", "Content-Length: 5")
    g.case("two lengths", request(method, path, both, b"abcde", False), None)
    both = (*headers, "Content-Length: 3", "Transfer-Encoding: chunked")
    g.case("length and chunks", request(
        method, path, both, b"3\r\nabc\r\n0\r\n\r\n", False), None)
    cut = request(method, path, (*headers, "Content-Length: 1000"), b"cut",
                  False)
    g.check("cut off", g.target.ask(cut, ends=True) is None)
    g.check("cut off in its head", g.target.ask(cut[:20], ends=True) is None)


GARBAGE = [b"\0" * 100, b"\r\n" * 50 + b"x", b"GET\r\n\r\n", b"GET /\r\n\r\n",
           b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
           b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
           b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 9000 + b"\r\n",
           b"GET / HTTP/1.1\r\n: y\r\n\r\n", b"GET / HTTP/1.1\r\nX\0: y\r\n\r\n",
           b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
           b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999"
           b"\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
           b"chunked\r\n\r\nzz\r\n", b"GET /%00%ff/../.. HTTP/1.1\r\nHost: x"
           b"\r\n\r\n", b"GET http://y/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
           b"\x16\x03\x01\x40\x00" + b"\xff" * 600]


def garbage(target):
    g = Group(target, "what is no request")
    for raw in GARBAGE:
        s = target.connect()
        try:
            s.sendall(raw)
            socket.socket.shutdown(s, socket.SHUT_WR)
            got = s.recv(64)
        except OSError:
            got = b""  # it has closed
        g.check(raw[:40], got == b"" or re.match(rb"HTTP/1\.1 [45]", got),
                (got, None, got))
        s.close()
    g.done()


def operator(target):
    for path in "/metrics", "/healthz":
        g = Group(target, path)
        for m in METHODS:
            g.case(m, request(m, path), 200 if m in ("GET", "HEAD") else 405,
                   "method", m)
        g.case("a query", request("GET", path + "?x=1"), 200)
        g.case("a body", request("GET", path, (), b"x" * 100000), 200)
        g.case("chunks", request("GET", path, ("Transfer-Encoding: chunked",),
                                 b"1\r\nx\r\n0\r\n\r\n", False), 200)
        g.case("another path", request("GET", path + "/"), 404, path)
        g.case("a type", request("GET", path, ("Content-Type: x/y",)), 200)
        g.check("cut off", target.ask(request("POST", path, (
            "Content-Length: 1000",), b"cut", False), ends=True) is None)
        g.done()


def depot():
    d = Depot()
    https = Target("depot", d.port, d.process, d.tls)
    token = f"Authorization: Bearer {d.token}"
    body, o = b"x" * 1000, new_id()
    d.put(o, body)
    put = (token, "If-None-Match: *", f"Content-Digest: {digest(body)}")
    endpoints = {
        "object": (d.path(o), ("GET", "HEAD", "PUT", "DELETE")),
        "list": (f"/v1/{d.prefix}", ("GET",)),
        "head": (f"/v1/{d.prefix}/head", ("GET", "HEAD", "PUT")),
        "healthz": ("/healthz", ("GET", "HEAD"))}
    for name, (path, allowed) in endpoints.items():
        g = Group(https, name)
        for m in METHODS:
            if m not in allowed:
                g.case(m, request(m, path, (token,)), 405, "method", m)
        g.case("a query", request("GET", path + "?x=1", (token,)),
               404 if name == "healthz" else 400, "path")
        for m in allowed:
            if name != "healthz":
                g.case(f"{m}: no token", request(m, path, put[1:], body
                       if m == "PUT" else b""), 401, "capability", m)
                g.case(f"{m}: another's token", request(
                    m, path, ("Authorization: Bearer v4.public.AAAA",
                              *put[1:]), body if m == "PUT" else b""), 401,
                    "capability", m)
            for field in (token, "Range: bytes=0-1", "If-None-Match: *",
                          put[2], "Want-Repr-Digest: sha-256=1"):
                g.case(f"{m}: {field[:15]} twice", request(
                    m, path, (*put, field, field)), 400, "twice", m)
            if m != "PUT":
                g.case(f"{m}: a body", request(m, path, (token,), b"x" * 5),
                       400, "body", m)
                g.case(f"{m}: a large body", request(
                    m, path, (token, f"Content-Length: {2 << 20}"), b"x",
                    False), (400, None), "body", m)
        framing(g, allowed[-1], path, (token,))
        g.done()
    g = Group(https, "uploads")
    path = d.path(new_id())
    good = request("PUT", path, put, body)
    g.case("a type", good.replace(b"Host", b"Content-Type: x/y\r\nHost"), 201)
    for what, fields, want, word in (
            ("no digest", put[:2], 400, "Content-Digest"),
            ("no condition", (token, put[2]), 428, "If-None-Match"),
            ("another condition", (token, 'If-None-Match: "x"', put[2]), 428,
             "If-None-Match"),
            ("a digest that is none", (*put[:2], "Content-Digest: x"), 400,
             "Content-Digest"),
            ("another digest", (*put[:2], "Content-Digest: " + digest(b"")),
             400, "")):
        g.case(what, request("PUT", d.path(new_id()), fields, body), want,
               word)
    for size in OBJECT_MAX + 1, 1 << 40, (1 << 64) - 1:
        g.case(f"{size} bytes", request(
            "PUT", d.path(new_id()), (*put, f"Content-Length: {size}"), b"",
            False), 413, "")
    g.case("chunks", request(
        "PUT", d.path(new_id()), (*put, "Transfer-Encoding: chunked"),
        b"1\r\nx\r\n0\r\n\r\n", False), 411, "")
    for n in 0, 283, 285, 100000:
        g.case(f"a head of {n} bytes", request(
            "PUT", f"/v1/{d.prefix}/head", (token, put[2]), b"h" * n),
            (400, 413), "")
    g.done()
    t.eq(d.files()[1], [], "nothing is left in tmp")
    garbage(https)
    operator(Target("depot's operator", d.metrics_port, d.process))
    garbage(Target("depot's operator", d.metrics_port, d.process))
    d.process.term()
    t.eq(d.process.wait(), 0, "the depot ends well")


NO_BODY = [b"", b"null", b"[]", b"[" * 30000, b'{"account":', b"\xff\xfe{}",
           b'{"a":1,"a":2}', b"{}\0", b"{}{}"]
WRONG = [{}, {"account": 1}, {"space": "x" * 32, "account": "y" * 32},
         {"account": "0" * 32, "space": "0" * 32, "entry": [], "head": {},
          "chain_seen": -1, "expect": 1 << 70, "keyslots": "none"}]


def signed_paths():
    """Those that the ledger has, from its table."""
    with open(os.path.join(TOP, "authority", "ledger.c")) as f:
        found = re.findall(r'\{ "(/v1/[a-z/]+)", SENDER_[A-Z]+', f.read())
    t.ok(len(found) >= 15, f"{len(found)} signed requests")
    return found


def signed(a, keys, path, body, *more):
    return request("POST", path, [f"{k}: {v}" for k, v in sign_headers(
        keys, a.host, path.partition("?")[0], body).items()] + [*more], body)


def authority():
    a = Authority()
    acc = Account(a)
    acc.create()
    https = Target("authority", a.port, a.process, a.tls)
    paths = signed_paths()
    for path in paths:
        g = Group(https, path)
        for m in METHODS:
            if m != "POST":
                g.case(m, request(m, path), 400, "POST", m)
        g.case("unsigned", request("POST", path, (), b"{}"), (400, 401),
               "signature")
        g.case("a query", signed(a, acc.device, path + "?x=1", b"{}"), 400,
               "query")
        g.case("too long", signed(a, acc.device, path, b" " * 65537), 400,
               "too long")
        g.case("much too long", request("POST", path, (
            "Content-Length: 2000000",), b"x", False), (400, None),
            "too long")
        for field in "Content-Digest", "Signature-Input", "Signature":
            g.case(f"{field} twice", signed(a, acc.device, path, b"{}",
                                            field + ": x"), 400, "twice")
        keys = acc.recovery if path == "/v1/recovery" else acc.device
        plain = https.ask(signed(a, keys, path, b"{}"))
        g.case("a type", signed(a, keys, path, b"{}",
                                "Content-Type: text/html"), plain[0])
        for body in NO_BODY:
            g.case(body[:20], signed(a, keys, path, body), 400, "body")
        for body in WRONG:
            raw = signed(a, acc.device, path, json.dumps(body).encode())
            g.case(str(body), raw, (400, 403, 404))
            g.check(f"{body}: for good", (https.ask(signed(
                a, acc.recovery, path, json.dumps(body).encode())) or [0])[0]
                in (400, 403, 404))
        stranger = Account(a).device
        g.case("a stranger", signed(a, stranger, path, b"{}"), (400, 403))
        framing(g, "POST", path)
        g.done()
    g = Group(https, "published")
    for m in METHODS:
        if m != "GET":
            g.case(m, request(m, "/v1/requests"), 400, "GET", m)
    for query in ("x=1", "from=1&x=2", "from=1&from=2", "from"):
        g.case(query, request("GET", "/v1/requests?" + query), 400, "query")
    for query in "from=x", "from=-1", "from=" + "9" * 30, "from=":
        g.case(query, request("GET", "/v1/requests?" + query), 400, "from")
    framing(g, "GET", "/v1/requests")
    g.done()
    g = Group(https, "log")
    for m in METHODS:
        if m not in ("GET", "HEAD"):
            g.case(m, request(m, "/log/checkpoint"), 400, "GET", m)
    for path in ("/log/", "/log/none", "/log/../db/authority.sqlite",
                 "/log/%2e%2e/signed", "/log//etc/passwd", "/log/tile/0/",
                 "/log/tile/0/%00"):
        g.case(path[:30], request("GET", path), 404)
    g.case("a query", request("GET", "/log/checkpoint?x=1"), 200)
    framing(g, "GET", "/log/checkpoint")
    g.done()
    g = Group(https, "other paths")
    for path in "/", "/v1", "/v1/", "/v2/session", "/v1/session/", "/metrics", \
            "/v1/" + "a" * 3000:
        g.case(path, signed(a, acc.device, path, b"{}"), 404, "no such")
        g.case(path, request("GET", path), 400, "POST")
    for m in METHODS:
        g.case(f"healthz {m}", request(m, "/healthz"), 200 if m == "GET" else
               (400, 404), "", m)
    g.done()
    garbage(https)
    operator(Target("authority's operator", a.metrics_port, a.process))
    garbage(Target("authority's operator", a.metrics_port, a.process))
    t.eq(acc.session().status, 200, "the account is as it was")
    counted = " ".join(metrics(a.metrics_port))
    t.eq([x for x in paths if f'{{path="{x}",status="400"}}' not in counted],
         [], "each path is counted by itself")
    a.process.term()
    t.eq(a.process.wait(), 0, "the authority ends well")


def witness():
    where = folder()
    binary, key = os.environ["SKERRY_WITNESS"], os.path.join(where, "key")
    subprocess.run([binary, "keygen", "witness.example/w", key], check=True,
                   stdout=subprocess.DEVNULL)
    config = os.path.join(where, "witness.yaml")
    with open(config, "w") as f:
        json.dump({"listen": "127.0.0.1:0", "key": key, "state": folder(),
                   "metrics": "127.0.0.1:0", "logs": [
                       "log.example/a+fc46dc94+AekyeRrm56hApGFkyQR4ZCbV54Id2L"
                       "KaANYcrnKv3U2k"]}, f)
    p = Process([binary, "--config", config])
    ready = p.wait_ready()
    http = Target("witness", ready["port"], p)
    g = Group(http, "add-checkpoint")
    for m in METHODS:
        if m != "POST":
            g.case(m, request(m, "/add-checkpoint"), 405, "POST", m)
    for body in (b"", b"old 0\n", b"old 0\n\n", b"old -1\n\nx\n", b"\xff" * 99,
                 b"old 0\n\nlog.example/a\n1\n" + b"A" * 43 + b"=\n\n"):
        g.case(body[:20], request("POST", "/add-checkpoint", (), body), 400,
               "checkpoint")
    g.case("another log", request(
        "POST", "/add-checkpoint", (), b"old 0\n\nlog.example/b\n1\n" +
        b"A" * 43 + "=\n\n\u2014 log.example/b ".encode() + b"A" * 92 +
        b"\n"), (400, 404), "")
    g.case("too long", request("POST", "/add-checkpoint", (), b"x" * 200000),
           413, "too large")
    g.case("a query", request("POST", "/add-checkpoint?x=1", (), b""), 400)
    g.case("a type", request("POST", "/add-checkpoint", (
        "Content-Type: x/y",), b""), 400, "checkpoint")
    framing(g, "POST", "/add-checkpoint")
    g.done()
    g = Group(http, "checkpoint, healthz")
    for path, want in (("/" + "0" * 64 + "/checkpoint", 404),
                       ("/healthz", 200)):
        for m in METHODS:
            g.case(m + path, request(m, path), want if m in ("GET", "HEAD")
                   else 405, "cosigned" if m == "GET" else "method", m)
        g.case("a query", request("GET", path + "?x=1"), want)
        g.case("a body", request("GET", path, (), b"x" * 100000), want)
        framing(g, "GET", path)
    for path in "/", "/" + "G" * 64 + "/checkpoint", "/%2e%2e/key", "/metrics":
        g.case(path, request("GET", path), 404, "path")
    g.done()
    garbage(http)
    operator(Target("witness's operator", ready["metrics_port"], p))
    garbage(Target("witness's operator", ready["metrics_port"], p))
    p.term()
    t.eq(p.wait(), 0, "the witness ends well")


t.run(depot, authority, witness)
