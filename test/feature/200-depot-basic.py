#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the table of requests in spec/40-depot.md."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrytest import (Depot, Tap, crc32c, digest, new_id, scrape,  # noqa: E402
                        wait_for)

t = Tap()
d = Depot()
A, B = os.urandom(100_000), os.urandom(100_000)


def put_rows():
    o = new_id()
    t.eq(d.put(o, A).status, 201, "PUT creates")
    t.eq(d.put(o, A).status, 200, "PUT of the same bytes is safe to repeat")
    r = d.put(o, B)
    t.eq((r.status, r.code), (412, "exists"), "PUT of other bytes is refused")
    r = d.put(o, B[:5])
    t.eq((r.status, r.code), (412, "exists"), "and of other length")
    t.eq(d.get(o).body, A, "and changes nothing")
    r = d.put(new_id(), A, Content_Digest=digest(B))
    t.eq((r.status, r.code), (400, "malformed"), "wrong digest")
    r = d.put(new_id(), A, Content_Digest=crc32c(B))
    t.eq((r.status, r.code), (400, "malformed"), "wrong CRC-32C")
    o = new_id()
    t.eq(d.put(o, A, Content_Digest=crc32c(A)).status, 201, "CRC-32C creates")
    t.eq(d.put(o, A, Content_Digest=crc32c(A)).status, 200, "and repeats")
    t.eq(d.put(o, B, Content_Digest=crc32c(B)).status, 412,
         "bytes are compared, not digests")
    r = d.put(new_id(), A, Content_Digest=None)
    t.eq((r.status, r.code), (400, "malformed"), "missing digest")
    for bad in ("sha-256=:AAAA:", "sha-512=:AAAA:", "", "crc32c=:AAAA:",
                crc32c(A) + ", " + digest(A),
                digest(A) + ", " + digest(A), digest(A)[:-1]):
        t.eq(d.put(new_id(), A, Content_Digest=bad).status, 400,
             f"digest {bad[:20]!r}")
    t.eq(d.put(new_id(), A, If_None_Match=None).status, 428,
         "without If-None-Match")
    t.eq(d.put(new_id(), A, If_None_Match='"x"').status, 428,
         "with another If-None-Match")
    t.eq(d.files()[1], [], "nothing is left in tmp")
    o = new_id()
    t.eq(d.put(o, b"").status, 201, "an empty object")
    t.eq((d.get(o).status, d.get(o).body), (200, b""), "reads as empty")


def chunked_upload():
    s = d.raw()
    s.sendall((f"PUT {d.path(new_id())} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {d.token}\r\nIf-None-Match: *\r\n"
               f"Content-Digest: {digest(A)}\r\n"
               "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
               ).encode())
    t.ok(s.recv(200).startswith(b"HTTP/1.1 411"), "no length is 411")


def oversize():
    s = d.raw()
    s.sendall((f"PUT {d.path(new_id())} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {d.token}\r\nIf-None-Match: *\r\n"
               f"Content-Digest: {digest(A)}\r\nExpect: 100-continue\r\n"
               "Content-Length: 67108865\r\n\r\n").encode())
    answer = b""
    while b"too-large" not in answer and (more := s.recv(1000)):
        answer += more
    t.ok(answer.startswith(b"HTTP/1.1 413") and b"too-large" in answer,
         "over OBJECT_MAX is 413, before the body is sent")


def largest():
    o, body = new_id(), os.urandom(1 << 20) * 64
    t.eq(d.put(o, body).status, 201, "OBJECT_MAX bytes are taken")
    t.ok(d.get(o).body == body, "and read back")


def get_rows():
    o = new_id()
    d.put(o, A)
    r = d.get(o)
    t.eq((r.status, r.headers["Accept-Ranges"], r.headers["ETag"]),
         (200, "bytes", None), "GET")
    n = len(A)
    for value, first, last in (("bytes=0-0", 0, 0), ("bytes=5-9", 5, 9),
                               (f"bytes={n-1}-{n-1}", n - 1, n - 1),
                               (f"bytes=0-{n+5}", 0, n - 1),
                               ("bytes=99990-", 99990, n - 1),
                               ("bytes=-7", n - 7, n - 1),
                               ("bytes=-999999", 0, n - 1),
                               ("bytes=0-99999999999999999999999", 0, n - 1)):
        r = d.get(o, Range=value)
        t.eq((r.status, r.body == A[first:last + 1],
              r.headers["Content-Range"]),
             (206, True, f"bytes {first}-{last}/{n}"), f"Range {value}")
    for value in (f"bytes={n}-", f"bytes={n}-{n+1}", "bytes=-0",
                  "bytes=99999999999999999999999-"):
        r = d.get(o, Range=value)
        t.eq((r.status, r.headers["Content-Range"]),
             (416, f"bytes */{n}"), f"Range {value}")
    for value in ("bytes=5-4", "bytes=0-1,3-4", "bytes=", "bytes=-",
                  "items=0-1", "bytes=a-b", "bytes= 0-1"):
        r = d.get(o, Range=value)
        t.eq((r.status, len(r.body)), (200, n), f"Range {value} is ignored")
    r = d.request("HEAD", d.path(o))
    t.eq((r.status, r.headers["Content-Length"], r.body,
          r.headers["Repr-Digest"]), (200, str(n), b"", None), "HEAD")
    r = d.request("HEAD", d.path(o), Want_Repr_Digest="sha-256=1")
    t.eq((r.status, r.headers["Repr-Digest"]), (200, digest(A)),
         "HEAD with Want-Repr-Digest")
    r = d.get(new_id())
    t.eq((r.status, r.code), (404, "not-found"), "GET of none")
    t.eq(d.request("HEAD", d.path(new_id())).status, 404, "HEAD of none")


def delete_rows():
    o = new_id()
    d.put(o, A)
    t.eq(d.request("DELETE", d.path(o)).status, 204, "DELETE")
    t.eq(d.get(o).status, 404, "is gone")
    t.eq(d.request("DELETE", d.path(o)).status, 204, "DELETE again")
    t.eq(d.request("DELETE", f"/v1/{d.prefix}/{new_id()}").status, 204,
         "DELETE of none")
    t.eq(d.put(o, A).status, 201, "and may be created again")


def head_rows():
    path = f"/v1/{d.prefix}/head"

    def head(number, tail=0):
        return (b"\1\0\0\0" + bytes(4) + number.to_bytes(8, "big")
                + bytes(267) + bytes([tail]))

    def put(body, **f):
        fields = {"Content_Digest": digest(body), **f}
        return d.request("PUT", path, body, **fields)

    t.eq(d.request("GET", path).status, 404, "no head yet")
    t.eq(put(head(5)).status, 204, "PUT head")
    t.eq(put(head(5)).status, 204, "the same again")
    r = put(head(5, 1))
    t.eq((r.status, r.code), (409, "conflict"), "same number, other bytes")
    t.eq(put(head(4)).status, 409, "lower number")
    r = d.request("GET", path)
    t.eq((r.status, r.body), (200, head(5)), "GET head")
    t.eq(d.request("HEAD", path).headers["Content-Length"], "284", "HEAD")
    t.eq(put(head(2 ** 64 - 1)).status, 204, "greatest number")
    t.eq(put(head(6)[:-1]).status, 400, "283 bytes")
    t.eq(put(head(6) + b"x").status, 400, "285 bytes")
    t.eq(put(b"\2" + head(7)[1:]).status, 400, "another version")
    t.eq(put(head(7), Content_Digest=digest(b"")).status, 400, "wrong digest")
    t.eq(put(head(7), Content_Digest=None).status, 400, "no digest")
    t.eq(d.request("GET", path).body, head(2 ** 64 - 1), "nothing changed")
    t.eq(d.request("DELETE", path).status, 405, "no DELETE")


def health():
    r = d.request("GET", "/healthz", token=None)
    t.eq((r.status, r.body), (200, b"ok"), "healthz")
    t.eq(d.request("GET", "/metrics").status, 404, "no metrics here")
    # A request counts as under way till its last byte is out.
    t.ok(wait_for(lambda: d.metrics()["requests_in_flight"] == 0),
         "metrics: in flight")
    numbers = d.metrics()
    t.ok(numbers['requests_total{verb="put",status="201"}'] > 0,
         "metrics: verb")
    t.ok(numbers["request_seconds_count"] > 0, "metrics: histogram")
    t.eq(scrape(d.metrics_port, "/healthz").body, b"ok", "healthz beside them")


def paths():
    p, o = d.prefix, new_id()
    for path, want in (
            (f"/v1/{p.upper()}/{o}", 400), (f"/v1/{p}/{o.upper()}", 400),
            (f"/v1/{p}/{o}0", 400), (f"/v1/{p}/{o[:-1]}", 400),
            (f"/v1/{p}/{o}/", 400), (f"/v1/{p}/", 400), (f"/v1/{p}/..", 400),
            (f"/v1/{p}/%30{o[1:]}", 400), (f"/v1/{p}//{o}", 400),
            (f"/v1/{p}/{o}?x=1", 400), (f"/v1/{p}/heads", 400),
            (f"/v1/{p}?", 400), (f"/v1/{p}?limit=0", 400),
            (f"/v1/{p}?limit=1001", 400), (f"/v1/{p}?limit=01", 400),
            (f"/v1/{p}?limit=1&limit=2", 400), (f"/v1/{p}?after={o}x", 400),
            (f"/v1/{p}?after=", 400), (f"/v1/{p}?limit=1&", 400),
            (f"/v1/{p}?limit=99999999999999999999", 400),
            ("/v1/", 400), ("/", 404), ("/v2/" + p, 404),
            ("/../etc/passwd", 404), ("/healthz/", 404)):
        t.eq(d.request("GET", path).status, want,
             "GET " + path.replace(p, "{p}").replace(o, "{o}"))
    t.eq(d.request("POST", d.path(o), b"x").status, 405, "POST")
    t.eq(d.request("GET", d.path(o), b"x").status, 400, "GET with a body")
    s = d.raw()
    s.sendall((f"GET {d.path(o)} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {d.token}\r\n"
               f"Authorization: Bearer {d.token}\r\n\r\n").encode())
    t.ok(s.recv(100).startswith(b"HTTP/1.1 400"), "a field twice")


def errors_are_json():
    r = d.get(new_id())
    e = json.loads(r.body)
    t.eq((list(e), sorted(e["error"]), r.headers["Content-Type"]),
         (["error"], ["code", "text"], "application/json"), "form of errors")


def log():
    d.process.term()
    t.eq(d.process.wait(), 0, "exits with 0 at SIGTERM")
    raw = d.process.raw
    t.ok("127.0.0.1" not in raw, "the log has no address")
    t.ok("v4.public" not in raw, "the log has no token")
    t.ok(d.prefix not in raw, "the log has no prefix")
    for line in d.process.lines:
        if line["event"] == "sandbox":
            t.note(line["text"])


t.run(put_rows, chunked_upload, oversize, largest, get_rows, delete_rows,
      head_rows, health, paths, errors_are_json, log)
