# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: a site whose servers are reached through relays, a device, and a run of a program with its figures."""
import ast
import collections
import json
import os
import queue
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKERRY = TOP + "/build/client/skerry"
NULL = subprocess.DEVNULL
PIECE = 1 << 18
WINDOW = 64  # pieces on their way, in one direction of one connection


class Relay:
    """Passes bytes between its port and another on this machine, and counts them as they are on the wire.

    delay: seconds for there and back.  Half of it is added each way, and a connection costs it once before the first byte; what
    is under way at once is bounded as by a TCP window of 16 MiB, and there is no slow start, which favours the one farthest away.

    rate: bytes a second from the client, of all connections together; 0: as many as come.

    requests: by the TLS records of application data from the client that are longer than its Finished and its alerts.  One a
    request; with bodies two, head and body, as of a short POST.  (Not of a long PUT.)"""

    def __init__(self, port, to, delay=0.0, rate=0, bodies=False):
        self.to, self.delay, self.rate, self.per_request = to, delay, rate, 2 if bodies else 1
        self.free = 0.0  # when the line has sent what came so far
        self.lock = threading.Lock()
        self.take()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self):
        """The counts since the last time: requests, bytes, connections."""
        with self.lock:
            counts = getattr(self, "counts", collections.Counter())
            counts["requests"] = -(-counts["requests"] // self.per_request)
            self.counts = collections.Counter()
        return counts

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.to))
            with self.lock:
                self.counts["connections"] += 1
            for s in near, far:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            due = time.monotonic() + self.delay
            for a, b, records in ((near, far, Records()), (far, near, None)):
                way = queue.Queue(WINDOW)
                threading.Thread(target=self._receive, args=(a, way, records, due), daemon=True).start()
                threading.Thread(target=self._send, args=(way, b), daemon=True).start()

    def _receive(self, a, way, records, due):
        data = b"x"
        while data:
            try:
                data = a.recv(PIECE)
            except OSError:
                data = b""
            with self.lock:
                self.counts["bytes"] += len(data)
                if records:
                    self.counts["requests"] += records.feed(data)
                if records and self.rate:
                    due = self.free = max(self.free, time.monotonic()) + len(data) / self.rate
            way.put((max(due, time.monotonic()) + self.delay / 2, data))

    def _send(self, way, b):
        while True:
            at, data = way.get()
            wait = at - time.monotonic()
            if (self.delay or self.rate) and wait > 0:
                time.sleep(wait)
            try:
                if not data:
                    b.shutdown(socket.SHUT_WR)
                    return
                b.sendall(data)
            except OSError:
                if not data:
                    return


class Records:
    """Counts the TLS records of application data over 100 bytes in a stream."""

    def __init__(self):
        self.head, self.skip = b"", 0

    def feed(self, data):
        n, at = 0, 0
        while at < len(data):
            if self.skip:
                step = min(self.skip, len(data) - at)
                self.skip -= step
                at += step
                continue
            step = min(5 - len(self.head), len(data) - at)
            self.head += data[at:at + step]
            at += step
            if len(self.head) == 5:
                self.skip = int.from_bytes(self.head[3:], "big")
                n += self.head[0] == 23 and self.skip > 100
                self.head = b""
        return n


# A program's greatest size begins with that of the process which starts it: so that is a small one, and not this.
START = """import os, sys, time
begun = time.monotonic()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
figures = time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)
os.write(int(sys.argv[1]), repr(figures).encode())
"""


class Step:
    """A program that was run to its end: seconds, cpu, mib (the most it held; 8 at least), out."""

    def __init__(self, argv, env=None, keep=False):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as figures:
            subprocess.run([sys.executable, "-I", "-S", "-c", START, str(figures.fileno()), *argv], env=env, stdin=NULL,
                           stdout=out, stderr=err, pass_fds=[figures.fileno()], check=True)
            figures.seek(0)
            self.seconds, self.cpu, self.mib, code = ast.literal_eval(figures.read().decode())
            out.seek(0)
            self.out = out.read() if keep or code else b""
            if code:
                err.seek(0)
                sys.exit(f"{argv}: {code} {self.out[-2000:].decode(errors='replace')} "
                         f"{err.read()[-2000:].decode(errors='replace')}")


class Site:
    """An authority and a depot in a folder of their own, each behind a relay, and one device with a space."""

    def __init__(self, base=None, authority_delay=0.0, depot_delay=0.0, depot_rate=0):
        self.work = tempfile.mkdtemp(dir=base)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("SKERRY", "XDG_"))}
        self.env.update(XDG_CACHE_HOME=self.work + "/cache", XDG_RUNTIME_DIR=self.work + "/run", SKERRY_HOME=self.work + "/a")
        os.mkdir(self.work + "/run", 0o700)
        os.mkdir(self.work + "/cache")
        self._site("start")
        self.authority = self._behind("authority", authority_delay)
        self.depot = self._behind("depot", depot_delay, depot_rate)
        Step([SKERRY, "init", "--policy", self.work + "/policy.txt", "--residency", "cn", "--recovery-out",
              self.work + "/code"], self.env)

    def _site(self, *args):
        subprocess.run([TOP + "/tool/site", args[0], self.work, *args[1:]], check=True, stdout=NULL)

    def _behind(self, name, delay, rate=0):
        """The policy names the relay's port; the server listens on another."""
        self._site("stop-one", name)
        with open(f"{self.work}/{name}.port") as f:
            old = int(f.read())
        with socket.create_server(("127.0.0.1", 0)) as s:
            new = s.getsockname()[1]
        with open(f"{self.work}/{name}.yaml") as f:
            text = f.read().replace(f'listen: "127.0.0.1:{old}"', f'listen: "127.0.0.1:{new}"')
        with open(f"{self.work}/{name}.yaml", "w") as f:
            f.write(text)
        self._site("start-one", name)
        return Relay(old, new, delay, rate, bodies=name == "authority")

    def run(self, *args, report=True):
        """A command of the device.  .off, .on: what the relays counted; .json: its report (not of cat, and not of ls)."""
        self.authority.take()
        self.depot.take()
        step = Step([SKERRY, args[0], *(["--json"] if report else []), *args[1:]], self.env, keep=report)
        step.off, step.on = self.authority.take(), self.depot.take()
        step.json = json.loads(step.out.splitlines()[-1]) if report else {}
        return step

    def lock(self):
        """Ends the lease."""
        subprocess.run([SKERRY, "lock"], env=self.env, stdout=NULL, stderr=NULL)

    def forget(self):
        """An empty cache, and no lease."""
        self.lock()
        shutil.rmtree(self.work + "/cache")
        os.mkdir(self.work + "/cache")

    def close(self):
        self.lock()
        self._site("stop")
        shutil.rmtree(self.work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def tiny_files(top, files, wide=0):
    """So many files of 16 to 64 bytes in folders of 1,000; the first `wide` of them in one folder."""
    for i in range(files):
        folder = "wide" if i < wide else f"folder{i // 1000:05}"
        if i == 0 or i == wide or (i > wide and i % 1000 == 0):
            os.makedirs(f"{top}/{folder}", exist_ok=True)
        path = f"{folder}/file{i:07}.txt"
        with open(f"{top}/{path}", "wb") as f:
            f.write(b"%d " % i * 8)


def tiny_path(i, wide=0):
    return f"wide/file{i:07}.txt" if i < wide else f"folder{i // 1000:05}/file{i:07}.txt"


def warm(fd):
    while os.read(fd, 1 << 20):
        pass


def fill_cache(base):
    """Reads a file of holes that is as large as the memory: from then on new pages are old ones, as on a machine that has been up
    for long.  A virtual machine that has memory left gets it from its host when it is touched, at a tenth of the speed."""
    with open("/proc/meminfo") as f:
        size = int(f.readline().split()[1]) << 10
    fd = os.open(base + "/holes", os.O_RDWR | os.O_CREAT)
    os.truncate(fd, size)
    warm(fd)
    os.close(fd)


def spread(values, form="{:.2f}"):
    """Median (least to most)."""
    low, mid, high = (form.format(x) for x in (min(values), statistics.median(values), max(values)))
    return mid if low == high else f"{mid} ({low} to {high})"


def machine():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/cpuinfo") as f:
        model = next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
