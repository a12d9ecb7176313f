# SPDX-License-Identifier: Apache-2.0
"""What feature tests share: TAP output, capabilities made without the project's
own code, and a depot process on a free port.  Only the standard library and
python3-cryptography."""

import atexit
import base64
import ctypes
import datetime
import fcntl
import glob
import hashlib
import http.client
import ipaddress
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

# Told to end, as by who runs the tests, a test ends what it has begun.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def own_mounts():
    """What this test and its programs mount nobody else sees, and it goes with
    the last of them, however they end."""
    libc = ctypes.CDLL(None)
    if libc.unshare(0x20000) == 0:  # CLONE_NEWNS; MS_REC | MS_PRIVATE
        libc.mount(None, b"/", None, ctypes.c_ulong(0x44000), None)


own_mounts()


status = []  # of a test that came to its end


def leave():
    """Runs after all that is registered later.  What a test serves it serves by
    daemon threads, and one that is within OpenSSL while the interpreter is
    taken down crashes it."""
    if status:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status[0])


atexit.register(leave)


class Tap:
    """Test Anything Protocol; ends the process with its verdict."""

    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name):
        self.n += 1
        if not good:
            self.failed += 1
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}", flush=True)
        return bool(good)

    def eq(self, got, want, name):
        if not self.ok(got == want, name):
            self.note(f"got {got!r:.200}, want {want!r:.200}")

    def skip(self, name, reason):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {reason}", flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def run(self, *cases):
        """Runs functions in order; an exception fails its case."""
        for case in cases:
            begun = time.monotonic()
            try:
                case()
            except Exception:
                # Of a long log the end is shown, which stderr is.
                traceback.print_exc()
                self.ok(False, f"{case.__name__} raised")
            self.note(f"{case.__name__}: {time.monotonic() - begun:.1f} s")
        self.done()

    def done(self):
        print(f"1..{self.n}", flush=True)
        status.append(1 if self.failed else 0)
        sys.exit(status[0])


FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def with_clock(binary, offset):
    """A program that runs another in its own process, whose clock is off as
    FAKETIME says: "+14h".  The command faketime would run it in a child, which
    outlives it by a moment."""
    path = os.path.join(folder(), os.path.basename(binary))
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\nLD_PRELOAD={FAKETIME} FAKETIME={offset} "
                f"exec {binary} \"$@\"\n")
    os.chmod(path, 0o755)
    return path


def folder():
    """A temporary folder that goes when the test ends."""
    path = tempfile.mkdtemp(prefix="skerry-test-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def free_port(held=[]):
    """A port for a server that has to know it beforehand.  Below those that the
    kernel gives out, and locked while this test runs: no connection and no
    other test takes it, even while its server is down."""
    where = os.path.join(tempfile.gettempdir(), f"skerry-ports-{os.getuid()}")
    os.makedirs(where, exist_ok=True)
    while True:
        port = secrets.randbelow(12000) + 20000
        lock = open(os.path.join(where, str(port)), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.create_server(("127.0.0.1", port)):
                held.append(lock)
                return port
        except OSError:
            lock.close()


def wait_for(condition, seconds=60):
    """Until it holds, and whether it does; what it raises is not yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return True
        except Exception:
            pass
        if time.monotonic() > end:
            return False
        time.sleep(0.05)


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def alive(pid):
    """Whether any of its threads runs: one that nobody has waited for yet does
    not.  The first may end before the others, which hold the files."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    return any(runs(pid, x) for x in threads)


def seconds_used(*pids):
    """Of the processor, so far."""
    used = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            got = f.read().rpartition(")")[2].split()
        used += int(got[11]) + int(got[12])
    return used / os.sysconf("SC_CLK_TCK")


def handshakes_that_wait(port, *pids):
    """Seconds of the processor in two seconds in which twenty strangers have
    each sent the first three bytes of a TLS handshake."""
    held = [socket.create_connection(("127.0.0.1", port), 30)
            for _ in range(20)]
    for s in held:
        s.sendall(b"\x16\x03\x01")
    time.sleep(0.5)
    before = seconds_used(*pids)
    time.sleep(2)
    used = seconds_used(*pids) - before
    for s in held:
        s.close()
    return used


def lasts(s, piece, most, every=0.2):
    """Whether a connection is still there after so many seconds, if a piece is
    sent now and then."""
    end = time.monotonic() + most
    s.settimeout(every)
    while time.monotonic() < end:
        try:
            if piece:
                s.sendall(piece)
            if s.recv(65536) == b"":
                return False
        except (socket.timeout, ssl.SSLWantReadError):
            pass
        except OSError:
            return False
    return True


def ends(s, piece):
    """Likewise, where it should not be: there is time for a busy machine."""
    return not lasts(s, piece, 60)


# What says twice, or in no known way, where its body ends; a request follows.
UNCLEAR = [f"POST {{}} HTTP/1.1\r\nHost: x\r\n{x}\r\n\r\n{body}"
           "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
           for x, body in (
               ("Content-Length: 5\r\nContent-Length: 3", "abcde"),
               ("Content-Length: 3\r\nContent-Length: 3", "abc"),
               ("Content-Length: 3\r\nTransfer-Encoding: chunked",
                "3\r\nabc\r\n0\r\n\r\n"),
               ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                "3\r\nabc\r\n0\r\n\r\n"),
               ("Transfer-Encoding: xchunked", "3\r\nabc\r\n0\r\n\r\n"))]


def unanswered(connect, path):
    """Those of UNCLEAR that end their connections without a word."""
    n = 0
    for text in UNCLEAR:
        s = connect()
        s.settimeout(60)
        s.sendall(text.format(path).encode())
        try:
            n += s.recv(1) == b""
        except OSError:
            n += 1
        s.close()
    return n


class HalfTLS:
    """A client that ends its side of a connection and goes on reading, which
    the ssl module's own sockets do not."""

    def __init__(self, port, context):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.inward, self.outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.inward, self.outward,
                                    server_hostname="127.0.0.1")
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.inward.write(self.socket.recv(65536))
        self.flush()

    def flush(self):
        self.socket.sendall(self.outward.read())

    def send(self, data):
        self.tls.write(data)
        self.flush()

    def end(self, what):
        """By TCP's FIN alone, or by TLS' close_notify alone; all that comes
        then, up to the end."""
        out = b""
        if what == "TCP":
            self.socket.shutdown(socket.SHUT_WR)
        else:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                self.flush()
        while True:
            got = self.socket.recv(65536)
            if not got:
                break
            self.inward.write(got)
            try:
                while data := self.tls.read(65536):
                    out += data
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                pass
        self.socket.close()
        return out


def runs(pid, thread):
    try:
        with open(f"/proc/{pid}/task/{thread}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def digest(body):
    return "sha-256=:" + base64.b64encode(
        hashlib.sha256(body).digest()).decode() + ":"


def _crc_table():
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        yield i


CRC_TABLE = tuple(_crc_table())


def crc32c(body):
    """Content-Digest in the form that the client sends."""
    c = 0xffffffff
    for b in body:
        c = CRC_TABLE[c & 255 ^ b] ^ c >> 8
    return ("crc32c=:" + base64.b64encode(
        (c ^ 0xffffffff).to_bytes(4, "big")).decode() + ":")


def new_id():
    return secrets.token_hex(16)


class Disk:
    """A small file system of its own, in a folder of its own or in one that is
    there; good: whether that is possible here."""

    def __init__(self, size, path=None):
        self.path = path or folder()
        self.good = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs",
             self.path], stderr=subprocess.DEVNULL).returncode == 0
        atexit.register(self.end)

    def resize(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path],
                       check=True)

    def writable(self, yes):
        """Nothing may be open there for writing."""
        subprocess.run(["mount", "-o", f"remount,{'rw' if yes else 'ro'}",
                        self.path], check=True)

    def fill(self):
        with open(os.path.join(self.path, "filler"), "wb", 0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(os.path.join(self.path, "filler"))

    def end(self):
        if self.good:
            subprocess.run(["umount", "-l", self.path], check=False)
        self.good = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def certificate(where):
    """A self-signed certificate for 127.0.0.1; returns its paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "depot")])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256()))
    paths = os.path.join(where, "cert.pem"), os.path.join(where, "key.pem")
    with open(paths[0], "wb") as f:
        f.write(cert.public_bytes(serialization.Encoding.PEM))
    with open(paths[1], "wb") as f:
        f.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
    return paths


class Signer:
    """PASETO v4.public, after the PASETO specification."""

    def __init__(self):
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @staticmethod
    def pae(*pieces):
        out = len(pieces).to_bytes(8, "little")
        for p in pieces:
            out += len(p).to_bytes(8, "little") + p
        return out

    def token(self, payload):
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        sig = self.key.sign(self.pae(b"v4.public.", payload, b"", b""))
        return "v4.public." + base64.urlsafe_b64encode(
            payload + sig).decode().rstrip("=")

    def capability(self, prefix, depot="test", **changes):
        now = int(time.time())
        payload = {"v": 1, "depot": depot, "prefix": prefix,
                   "verbs": ["get", "put", "list", "delete"], "quota": 0,
                   "nbf": now - 10, "exp": now + 3600}
        payload.update(changes)
        return self.token(payload)


class Answer:
    def __init__(self, r, body):
        self.status, self.headers, self.body = r.status, r.headers, body

    @property
    def code(self):
        return json.loads(self.body)["error"]["code"]


def scrape(port, path="/metrics", method="GET", body=None):
    """What the operator's listener of a server answers."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        c.request(method, path, body)
        r = c.getresponse()
        return Answer(r, r.read())
    finally:
        c.close()


def metrics(port):
    """Its numbers, by name and labels, without skerry_SERVER_ in front."""
    return {name: float(value) for name, value in re.findall(
        r"^skerry_[a-z]+_(\S+) (\S+)$", scrape(port).body.decode(), re.M)}


class Process:
    """A program that logs JSON lines to stderr and says when it is ready."""

    def __init__(self, argv, env=None):
        self.lines, self.raw = [], ""
        self.proc = subprocess.Popen(
            argv, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0",
                 **(env or {})})
        atexit.register(self.kill)
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.proc.stderr:
            self.raw += line.decode(errors="replace")
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                continue
            if self.lines[-1].get("event") == "ready":
                self.ready.set()
        self.ready.set()

    def event(self, name):
        return next((l for l in self.lines if l.get("event") == name), None)

    def wait_event(self, name, seconds=60):
        """The event, once its line is there; None if it never comes."""
        wait_for(lambda: self.event(name), seconds)
        return self.event(name)

    def wait_ready(self, seconds=60):
        if not self.ready.wait(seconds) or self.event("ready") is None:
            raise RuntimeError("not ready: " + self.raw)
        return self.event("ready")

    def kill(self):
        """kill -9.  The processes that it has started end by that, but later:
        they hold ports and locks, so they are waited for, too."""
        if self.proc.poll() is not None:
            return
        children = children_of(self.proc.pid)
        self.proc.kill()
        self.proc.wait()
        wait_for(lambda: not any(map(alive, children)))

    def term(self):
        self.proc.send_signal(signal.SIGTERM)

    def wait(self, seconds=120):
        code = self.proc.wait(seconds)
        self.reader.join(60)
        return code


class Depot:
    """skerry-depot in a folder of its own, with requests made to it."""

    def __init__(self, binary=None, data=None, **config):
        self.binary = binary or os.environ["SKERRY_DEPOT"]
        self.dir = folder()
        self.data = data or os.path.join(self.dir, "data")
        os.makedirs(self.data, exist_ok=True)
        self.signer = Signer()
        self.cert, self.key = certificate(self.dir)
        self.prefix = new_id()
        self.logs = ""
        self.config = {
            "name": "test", "listen": "127.0.0.1:0", "cert": self.cert,
            "key": self.key, "data": self.data, "metrics": "127.0.0.1:0",
            "authority_keys":
                [base64.b64encode(self.signer.public).decode()], **config}
        self.tls = ssl.create_default_context(cafile=self.cert)
        self.start()

    def config_file(self, name="depot.yaml"):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            json.dump(self.config, f)  # JSON is YAML
        return path

    def start(self, env=None):
        self.process = Process([self.binary, "--config", self.config_file()],
                               env=env)
        ready = self.process.wait_ready()
        self.port, self.metrics_port = ready["port"], ready["metrics_port"]
        self.token = self.signer.capability(self.prefix)

    def restart(self):
        self.process.kill()
        self.logs += self.process.raw
        self.start()

    def connect(self):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.tls, timeout=60)

    def raw(self):
        """A TLS socket, for what http.client will not send."""
        s = socket.create_connection(("127.0.0.1", self.port), 30)
        return self.tls.wrap_socket(s, server_hostname="127.0.0.1")

    def request(self, method, path, body=None, token="", conn=None, **fields):
        c = conn or self.connect()
        headers = {k.replace("_", "-"): v for k, v in fields.items()
                   if v is not None}
        if token is not None:
            headers["Authorization"] = "Bearer " + (token or self.token)
        c.request(method, path, body, headers)
        r = c.getresponse()
        answer = Answer(r, r.read())
        if conn is None:
            c.close()
        return answer

    def path(self, oid):
        return f"/v1/{self.prefix}/{oid}"

    def put(self, oid, body, conn=None, token="", **fields):
        headers = {"If_None_Match": "*", "Content_Digest": digest(body)}
        headers.update(fields)
        return self.request("PUT", self.path(oid), body, conn=conn,
                            token=token, **headers)

    def get(self, oid, conn=None, **fields):
        return self.request("GET", self.path(oid), conn=conn, **fields)

    def metrics(self):
        return metrics(self.metrics_port)

    def files(self):
        """Objects on disk, and files in tmp."""
        objects, tmp = {}, os.listdir(os.path.join(self.data, "tmp"))
        for where, _, names in os.walk(os.path.join(self.data, "v1")):
            for n in names:
                if len(n) == 32:
                    objects[n] = os.path.join(where, n)
        return objects, tmp
