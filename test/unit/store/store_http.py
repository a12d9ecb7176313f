#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""store_http against a depot that answers whatever it is told to."""

import email.utils
import http.server
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

from skerrytest import Tap, certificate, crc32c, folder

t = Tap()
where = folder()
CERT, KEY = certificate(where)
os.mkdir(where + "/other")
OTHER, _ = certificate(where + "/other")
script, seen = [], []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return self.date or super().date_time_string(timestamp)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen.append((self.command, self.path, self.headers, body))
        todo = script.pop(0) if len(script) > 1 else script[0]
        self.date = todo.get("date")
        if todo.get("cut"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        answer = todo.get("body", b"")
        if todo.get("raw"):
            self.close_connection = True
            self.wfile.write(todo["raw"])
            return
        if todo.get("trailer"):
            self.wfile.write(b"HTTP/1.1 206 x\r\nTransfer-Encoding: chunked\r\n"
                             b"\r\n5\r\n01234\r\n0\r\n")
            while True:
                self.wfile.write(b"X: y\r\n" * 1000)
        self.send_response(todo["status"])
        for k, v in todo.get("headers", {}).items():
            self.send_header(k, v)
        if todo["status"] != 204 and not (todo.get("endless") or
                                          todo.get("drips")):
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        while todo.get("endless"):
            self.wfile.write(bytes(65536))
        while todo.get("drips"):
            self.wfile.write(b"x")
            time.sleep(0.1)

    do_GET = do_PUT = serve


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


def serve(version=None):
    server = Server(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERT, KEY)
    if version:
        tls.maximum_version = version
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}"


URL = serve()


def call(what, *answers, size=10, retries=0, url=URL, ca=CERT, env=None):
    script[:], seen[:] = answers or [{"status": 201}], []
    out = subprocess.run(
        [sys.argv[1], url, ca, str(retries), what, str(size)],
        stdout=subprocess.PIPE, check=True, timeout=60,
        env={**os.environ, **(env or {})}).stdout.decode()
    name, requests, sent, received, text = out.rstrip("\n").split(" ", 4)
    return name, int(requests), int(sent), int(received), text


def error(status, code, text="told so", **more):
    return {"status": status, **more,
            "body": b'{"error":{"code":"%s","text":"%s"}}'
                    % (code.encode(), text.encode())}


def upload():
    name, requests, sent, _, _ = call("put", size=1_000_000)
    t.eq((name, requests), ("OK", 1), "201 is success")
    method, path, headers, body = seen[0]
    t.eq((method, path), ("PUT", "/v1/01" + "0" * 30 + "/ab" + "0" * 30),
         "method and path")
    t.eq((headers["If-None-Match"], headers["Content-Digest"],
          headers["Authorization"], headers["Expect"], len(body)),
         ("*", crc32c(body), "Bearer token", None, 1_000_000), "headers")
    # A busy one sends a segment of 64 KiB again now and then.
    t.ok(1_000_000 < sent < 1_200_000, "bytes on the wire are the kernel's")
    t.eq(call("put", {"status": 200})[0], "OK", "200 is success")
    t.eq(call("put", {"status": 204})[0], "MALFORMED", "204 is not")


def status_to_fault():
    for answer, fault in (
            (error(412, "exists"), "EXISTS"), (error(507, "quota"), "SPACE"),
            (error(403, "denied"), "DENIED"),
            (error(401, "unauthenticated"), "DENIED"),
            (error(401, "expired"), "EXPIRED"),
            (error(413, "too-large"), "LIMIT"),
            (error(400, "malformed"), "MALFORMED"),
            (error(503, "busy"), "DEPOT"), (error(500, "internal"), "DEPOT"),
            ({"status": 418, "body": b"<html>"}, "DEPOT"),
            ({"status": 302, "headers": {"Location": URL}}, "MALFORMED")):
        name, _, _, _, text = call("put", answer)
        t.eq(name, fault, f"put: {answer['status']} is {fault}")
        t.ok("object ab000000" in text and URL in text,
             "the message names object and depot")
    t.eq(call("get", {"status": 0, "raw": b"what do you want?\n"})[0],
         "DEPOT", "an answer that is no HTTP is the depot's fault")
    for status in (404, 416):
        t.eq(call("get", error(status, "not-found"))[0], "MISSING",
             f"get: {status} is MISSING")
    t.eq(call("head_get", error(404, "not-found"))[0], "NOT_FOUND",
         "no head mirror is NOT_FOUND")
    t.eq(call("head_put", error(409, "conflict"))[0], "CONFLICT",
         "a later head is CONFLICT")
    t.eq(call("head_put", {"status": 204})[0], "OK", "head put")
    text = call("put", error(403, "denied", r"\u001b[31m\u009b32m"))[4]
    t.ok("?[31m??32m" in text, "a depot's text cannot command the terminal")


def ranges():
    ten = {"status": 206, "body": b"0123456789"}
    t.eq(call("get", ten)[0], "OK", "206 with what was asked for")
    t.eq(seen[0][2]["Range"], "bytes=5-14", "the range asked for")
    t.eq(call("get", {"status": 206, "body": b"012"})[0], "MISSING",
         "fewer bytes are MISSING")
    t.eq(call("get", {"status": 206, "body": b"0" * 11})[0], "LIMIT",
         "more bytes are LIMIT")
    t.eq(call("get", {"status": 200, "body": b"0123456789"})[0], "MALFORMED",
         "200 where a range from 5 was asked for")
    t.eq(call("head_get", {"status": 200, "body": b"1" * 284})[0], "OK",
         "a head of 284 bytes")
    t.eq(call("head_get", {"status": 200, "body": b"1" * 283})[0],
         "MALFORMED", "and of no other length")


def endless():
    for status, result in ((206, ("LIMIT", 1)), (403, ("DENIED", 1)),
                           (503, ("DEPOT", 2))):
        answer = error(status, "busy", endless=True)
        t.eq(call("get", answer, retries=1)[:2], result,
             f"a body of {status} that does not end")


    name, requests, _, received, text = call(
        "get", {"status": 206, "trailer": True}, retries=1)
    t.eq((name, requests), ("LIMIT", 1), "a trailer that does not end")
    t.ok("head" in text and received < 10_000_000, "is cut") or t.note(text)


    began = time.monotonic()
    name, requests, *_, text = call("get", {"status": 206, "drips": True},
                                    env={"SECONDS": "1"})
    t.eq((name, requests), ("DEPOT", 1), "a body that comes by bytes")
    t.ok(time.monotonic() - began < 30, "is cut when its time is up") or \
        t.note(text)


def clocks():
    then = email.utils.formatdate(time.time() + 7200, usegmt=True)
    name, _, _, _, text = call("put", error(401, "expired", date=then))
    t.eq(name, "CLOCK", "expired, and the depot's date is far off: CLOCK")
    apart = re.search(r"(\d+) s apart", text)
    t.ok(text.count(" UTC") == 2 and apart and
         7100 < int(apart[1]) <= 7201,
         "names both times and the difference") or t.note(text)
    near = email.utils.formatdate(time.time() + 30, usegmt=True)
    t.eq(call("put", error(401, "expired", date=near))[0], "EXPIRED",
         "within the leeway it is EXPIRED")


def retries():
    busy = error(503, "busy")
    name, requests, _, _, _ = call("put", busy, {"status": 201}, retries=3)
    t.eq((name, requests), ("OK", 2), "busy is tried again")
    name, requests, _, _, _ = call("put", {"status": 0, "cut": True},
                                   {"status": 201}, retries=3)
    t.eq(name, "OK", "a cut connection is tried again")
    name, requests, _, _, _ = call("put", {"status": 0, "cut": True},
                                   retries=4)
    t.eq((name, requests), ("DEPOT", 5), "as often as it may be")
    name, requests, _, _, _ = call("put", retries=4, url="https://127.0.0.1:1")
    t.eq((name, requests), ("DEPOT", 4), "less often where nobody is there")
    name, requests, _, _, _ = call("put", busy, retries=2)
    t.eq((name, requests), ("DEPOT", 3), "not for ever")
    name, requests, _, _, _ = call("put", error(507, "full"), retries=3)
    t.eq((name, requests), ("SPACE", 1), "a full depot is not tried again")
    name, requests, _, _, _ = call("put", error(403, "denied"), retries=3)
    t.eq((name, requests), ("DENIED", 1), "nor one that refuses")


def trust():
    t.eq(call("put", ca=OTHER)[0], "TRUST", "another certificate is TRUST")
    t.eq(call("put", url=serve(ssl.TLSVersion.TLSv1_2))[0], "DEPOT",
         "TLS 1.2 is not spoken")
    t.eq(call("put", url="https://127.0.0.1:1")[0], "DEPOT",
         "nobody there is DEPOT")
    t.eq(call("put", env={"https_proxy": "http://127.0.0.1:1",
                          "SSL_CERT_FILE": OTHER})[0], "OK",
         "the environment changes nothing")
    name = call("put", url=URL.replace("127.0.0.1", "localhost"))[0]
    t.eq(name, "TRUST", "the name in the certificate counts")


def renews():
    """A token that has expired is replaced once, and the request sent again."""
    late = error(401, "expired")
    fresh = {"RENEW": "fresh"}
    r = call("put", late, {"status": 201}, env=fresh)
    t.eq((r[0], [h["Authorization"] for _, _, h, _ in seen]),
         ("OK", ["Bearer token", "Bearer fresh"]), "expired: another token")
    t.eq(call("put", late, env=fresh)[:2], ("EXPIRED", 2), "but not a third")
    r = call("put", late, env={"RENEW": "no"})
    t.ok(r[:2] == ("AUTHORITY", 1) and "object ab000000" in r[4]
         and "instead of token" in r[4], "or why there is none") or t.note(r)
    t.eq(call("put", error(401, "unauthenticated"), env=fresh)[:2],
         ("DENIED", 1), "only where it has expired")
    r = call("put", {"status": 503}, late, {"status": 201}, env=fresh,
             retries=1)
    t.eq(r[:2], ("OK", 3), "which is no retry")
    t.eq(call("put", late, env={"RENEW": "no"},
              retries=3)[1], 1, "and no other request is made")


t.run(upload, status_to_fault, ranges, endless, clocks, retries, renews,
      trust)
