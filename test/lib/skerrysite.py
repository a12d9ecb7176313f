# SPDX-License-Identifier: Apache-2.0
"""A whole site for feature tests: an authority, a depot, a policy that names
both, and devices, each with a home of its own.  Needs SKERRY, SKERRY_AUTHORITY
and SKERRY_DEPOT in the environment."""

import atexit
import base64
import json
import os
import signal
import subprocess
import time

from skerrytest import Depot, Process, certificate, folder, free_port
from trees import compare
from wiretap import Wiretap

BIN = os.environ.get("SKERRY", "build/client/skerry")
AUTHORITY = os.environ.get("SKERRY_AUTHORITY",
                           "build/authority/skerry-authority")
DEPOT = os.environ.get("SKERRY_DEPOT", "build/depot/skerry-depot")


def read(path):
    with open(path) as f:
        return f.read()


class Result:
    def __init__(self, p):
        self.code = p.returncode
        self.out = p.stdout.decode(errors="replace")
        self.err = p.stderr.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Authority:
    """skerry-authority; its address stays over a restart."""

    def __init__(self, lease="12h", port=None, name="offshore",
                 jurisdiction="ch"):
        self.dir = folder()
        self.name, self.jurisdiction = name, jurisdiction
        self.port = port or free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        phrase = os.path.join(self.dir, "phrase")
        with open(phrase, "w") as f:
            f.write("a passphrase for the tests\n")
        os.chmod(phrase, 0o600)
        self.home = os.path.join(self.dir, "authority")
        self.public = json.loads(subprocess.run(
            [AUTHORITY, "init", "--dir", self.home, "--name", name,
             "--jurisdiction", jurisdiction, "--url", self.url, "--passphrase-file",
             phrase, "--lease", lease],
            check=True, stdout=subprocess.PIPE).stdout)
        cert, key = certificate(self.dir)
        os.rename(cert, os.path.join(self.home, "tls.pem"))
        os.rename(key, os.path.join(self.home, "tls.key"))
        os.chmod(os.path.join(self.home, "tls.key"), 0o600)
        self.ca = read(os.path.join(self.home, "tls.pem"))
        self.config = os.path.join(self.home, "authority.yaml")
        self.process = None

    def listen_on(self, port):
        """Elsewhere than its address says: behind a relay."""
        with open(self.config) as f:
            lines = [f'listen: "127.0.0.1:{port}"\n'
                     if line.startswith("listen:") else line for line in f]
        with open(self.config, "w") as f:
            f.writelines(lines)

    def start(self, env=None, prefix=()):
        self.process = Process([*prefix, AUTHORITY, "run", "--config",
                                self.config], env=env)
        self.process.wait_ready()

    def stop(self):
        self.process.term()
        self.process.wait()

    def restart(self):
        """After a crash."""
        self.process.kill()
        self.start()

    def epochs(self):
        """Those whose secrets it has."""
        return sorted(int(n.rsplit("-", 1)[1]) for n in os.listdir(
            os.path.join(self.home, "epochs")))


class Site:
    """tap: both are reached through a relay, whose port stays over a restart:
    depot_tap and authority_tap.  others: (name, jurisdiction) of more
    authorities; delay: the policy's custody_delay."""

    def __init__(self, lease="12h", start=True, tap=False, others=(),
                 delay=None, **depot):
        self.dir = folder()
        self.delay = delay
        self.depot_tap = self.authority_tap = None
        if tap:
            hidden = free_port()
            self.authority_tap = Wiretap(lambda: hidden)
            self.authority = Authority(lease, self.authority_tap.port)
            self.authority.listen_on(hidden)
        else:
            self.authority = Authority(lease)
        self.others = [Authority(lease, None, *x) for x in others]
        self.authorities = [self.authority, *self.others]
        self.depot = Depot(
            binary=DEPOT, name="onshore",
            authority_keys=[a.public["signing"] for a in self.authorities],
            **depot)
        if tap:
            self.depot_tap = Wiretap(lambda: self.depot.port)
        self.policy_key = os.path.join(self.dir, "policy.key")
        subprocess.run([AUTHORITY, "policy", "key", "--out", self.policy_key],
                       check=True, stdout=subprocess.DEVNULL)
        self.policy = self.make_policy("policy.txt", 1)
        with open(self.policy) as f:
            self.public_key = f.readline().strip()
        for a in self.authorities:
            with open(os.path.join(a.home, "policy.txt"), "w") as f:
                f.write(read(self.policy))
            if start:
                a.start()

    def members(self, serial):
        return {
            **({"custody_delay": self.delay} if self.delay else {}),
            "v": 1, "serial": serial, "issued": 1700000000 + serial,
            "authorities": [{
                "name": a.name, "jurisdiction": a.jurisdiction,
                "url": a.url, "ca": a.ca, "intake": a.public["intake"],
                "signing": a.public["signing"],
                "log": a.public["log"]} for a in self.authorities],
            "depots": [{
                "name": "onshore", "jurisdiction": "de",
                "url": "https://127.0.0.1:"
                       f"{(self.depot_tap or self.depot).port}",
                "ca": read(self.depot.cert)}],
            "residencies": [{
                "name": "germany", "jurisdiction": "de",
                "depots": ["onshore"],
                "keys": [a.jurisdiction for a in self.authorities]}]}

    def make_policy(self, name, serial, key=None, **changes):
        path = os.path.join(self.dir, name)
        with open(path + ".json", "w") as f:
            json.dump({**self.members(serial), **changes}, f)
        subprocess.run([AUTHORITY, "policy", "sign", "--key",
                        key or self.policy_key, "--in", path + ".json",
                        "--out", path], check=True,
                       stdout=subprocess.DEVNULL)
        return path

    def device(self):
        return Device(self)

    def first(self, *options):
        """A device with a space of its own."""
        d = self.device()
        d.recovery = os.path.join(d.dir, "recovery")
        r = d.run("init", "--policy", self.policy, "--residency", "germany",
                  "--recovery-out", d.recovery, *options)
        if r.code != 0:
            raise RuntimeError(repr(r))
        return d


class Device:
    def __init__(self, site):
        self.site = site
        self.dir = folder()
        self.home = os.path.join(self.dir, "home")
        runtime = os.path.join(self.dir, "run")
        os.mkdir(runtime, 0o700)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("SKERRY", "XDG_"))}
        self.env.update(SKERRY_HOME=self.home, XDG_RUNTIME_DIR=runtime,
                        XDG_CACHE_HOME=os.path.join(self.dir, "cache"),
                        HOME=self.dir)
        atexit.register(self.lock)

    def argv(self, *args):
        return [BIN, *args]

    def run(self, *args, env=None, prefix=(), stdin=None, timeout=120):
        return Result(subprocess.run(
            [*prefix, *self.argv(*args)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, input=stdin, timeout=timeout,
            start_new_session=True, env={**self.env, **(env or {})}))

    def start(self, *args, prefix=()):
        """The same in the background."""
        p = subprocess.Popen(
            [*prefix, *self.argv(*args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, start_new_session=True, env=self.env)
        atexit.register(lambda: p.poll() is None and p.send_signal(
            signal.SIGKILL))
        return p

    def lock(self):
        if os.path.isdir(self.home):
            self.run("lock")

    def reads(self, source):
        """Gets what was put of source, with keys from the authority and not
        from a lease, and compares."""
        self.lock()
        to = os.path.join(self.dir, f"got-{time.monotonic_ns()}")
        name = os.path.basename(source)
        r = self.run("get", "--to", to, name)
        wrong = repr(r) if r.code != 0 else compare(
            source, os.path.join(to, name))
        for line in wrong.splitlines():
            print(f"# {line}", flush=True)
        return wrong == ""

    def json(self, *args, **more):
        return self.run(args[0], "--json", *args[1:], **more).json

    def enrol_args(self):
        return ("enrol", "--policy", self.site.policy,
                "--authority", "offshore")

    def join(self, approver):
        """Enrols and has another device approve it."""
        code = self.json(*self.enrol_args(), "--no-wait")["code"]
        r = approver.run("approve", "--yes", code)
        if r.code == 0:
            r = self.run(*self.enrol_args())
        if r.code != 0:
            raise RuntimeError(repr(r))
        return self


def b64(raw):
    return base64.b64encode(raw).decode()
