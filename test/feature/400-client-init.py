#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry init: a new account, what it leaves on the disk, and what comes after
a run that did not finish."""

import os
import re
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from skerrysite import Site, read  # noqa: E402
from skerrytest import Disk, Tap  # noqa: E402

t = Tap()
s = Site()
CODE = re.compile(r"\b(?:[0-9A-Z]{4}-){8}[0-9A-Z]{4}\b")


def init(d, *more, policy=None, **kw):
    return d.run("init", "--policy", policy or s.policy, "--residency",
                 "germany", *more, **kw)


def makes_a_space():
    d = s.device()
    r = init(d)
    t.eq(r.code, 0, "init succeeds")
    t.eq(len(CODE.findall(r.out)), 1, "prints the recovery code once")
    code = CODE.findall(r.out)[0]
    t.eq(CODE.findall(r.err), [], "and not on standard error")
    t.eq(stat.S_IMODE(os.stat(d.home).st_mode), 0o700, "folder mode")
    for name in os.listdir(d.home):
        path = os.path.join(d.home, name)
        t.eq(stat.S_IMODE(os.stat(path).st_mode), 0o600, f"mode of {name}")
        with open(path, "rb") as f:
            t.ok(code.replace("-", "").encode() not in f.read(),
                 f"{name} does not hold the code")
    t.ok("pending" not in os.listdir(d.home), "nothing is pending")
    st = d.json("status")
    t.eq((st["state"], st["residency"], st["depot"], st["authority"],
          st["head"]), ("ready", "germany", "onshore", "offshore", 0),
         "status says what there is")
    t.eq((st["policy"], st["devices"]), (1, 2), "what is pinned")
    t.eq(sum(w["requests"] for w in st["wire"].values()), 0,
         "and asks nobody")
    t.eq(init(d).code, 21, "a second init is refused (EXISTS)")


def json_and_file():
    d = s.device()
    out = os.path.join(d.dir, "code")
    r = init(d, "--json", "--recovery-out", out)
    t.eq(r.code, 0, "init --json --recovery-out")
    t.ok("recovery_code" not in r.json, "the code is not in the answer")
    t.eq(stat.S_IMODE(os.stat(out).st_mode), 0o600, "mode of the file")
    t.ok(CODE.fullmatch(read(out).strip()), "the file has the code")
    t.eq(r.json["wire"]["offshore"]["requests"], 1, "one request offshore")


def no_room_for_the_code():
    """A file that cannot be written is found before there is an account."""
    d = s.device()
    taken = os.path.join(d.dir, "taken")
    os.symlink("nowhere", taken)
    closed = os.path.join(d.dir, "closed")
    os.mkdir(closed, 0o500)
    cases = [(taken, 21), (d.dir, 21), (taken + "/", 2), ("", 2),
             (os.path.join(d.dir, "none", "code"), 4),
             (os.path.join(s.policy, "code"), 4)]
    if os.geteuid() != 0:
        cases.append((os.path.join(closed, "code"), 5))
    for path, status in cases:
        r = init(d, "--json", "--recovery-out", path)
        t.ok(r.code == status and r.json["wire"]["offshore"]["requests"] == 0
             and (not path or "--recovery-out" in r.json["error"]["text"]),
             f"{path!r}: {status}, and nothing was sent") or t.note(r)
    t.eq(d.run("status").code, 3, "nothing was made")
    with Disk("1m") as disk:
        if not disk.good:
            t.skip("a full disk for the code", "cannot mount")
            return
        disk.fill()
        out = os.path.join(disk.path, "code")
        r = init(d, "--recovery-out", out)
        t.ok(r.code == 14 and out in r.err and not os.path.exists(out),
             "a full disk is SPACE, and leaves no file") or t.note(r)
        disk.free()
        r = init(d, "--recovery-out", out)
        t.ok(r.code == 0 and CODE.fullmatch(read(out).strip()),
             "with room, the same command hands it over") or t.note(r)
        t.ok(out in r.out, "and says where it is")


def wrong_arguments():
    d = s.device()
    t.eq(d.run("init").code, 2, "no options: USAGE")
    t.eq(init(d, "--frob").code, 2, "unknown option: USAGE")
    t.eq(d.run("init", "--policy", s.policy, "--residency", "x").code, 3,
         "unknown residency: CONFIG")
    for option, has in (("--depot", "but onshore"),
                        ("--authority", "it has offshore")):
        r = init(d, option, "x")
        t.ok(r.code == 3 and has in r.err, f"{option} x: CONFIG, and what "
             "there is") or t.note(r)
    r = d.run("enrol", "--policy", s.policy, "--authority", "x")
    t.ok(r.code == 3 and "it has offshore" in r.err, "enrol likewise"
         ) or t.note(r)
    t.eq(init(d, policy="/nonexistent").code, 4, "no policy: NOT_FOUND")
    t.eq(d.run("status").code, 3, "nothing was made")
    t.eq(init(d).code, 0, "init still works")


def says_what_is_wrong():
    d = s.device()
    bad = os.path.join(s.dir, "no.policy")
    with open(bad, "w") as f:
        f.write("hello\n")
    for words, args in (
            ("option --frob is not known", ("ls", "--frob")),
            ("option -x is not known", ("ls", "--json", "-lx")),
            ("option --policy wants a value", ("init", "--policy")),
            ("option -n wants a value", ("log", "-n")),
            ("option --full takes no value", ("check", "--full=1")),
            *((f"--commit: {n} is {no} the number of a commit",
               (command, "--commit", n, *more))
              for n, no in (("0", "not"), ("latest", "neither"))
              for command, more in (("ls", ()), ("get", ()), ("cat", ("x",)),
                                    ("export", ("--to", "x")))),
            ("-n: x is not a number", ("log", "-n", "x")),
            ("--watch: 5x is not a number", ("audit", "--watch=5x")),
            ("no operand is wanted", ("init", "--policy", s.policy,
                                      "--residency", "germany", "x")),
            ("(usage: skerry devices)", ("devices", "x")),
            ("no such command: lss", ("lss",)),
            ("no such command: lss", ("lss", "--json")),
            ("option --frob is not known", ("--frob", "ls", "--json")),
            ("--home wants a folder", ("ls", "--home", "")),
            ("--home wants a folder", ("--home", "", "ls", "--json")),
            ("option --frob is not known", ("ls", "--frob", "--json")),
            ("--commit: x is neither", ("ls", "--commit", "x", "--json")),
            *(("either an audit, --open or --verify", ("audit", *more))
              for more in (("--full", "--open", "1"), ("--watch", "--verify", "x"),
                           ("--open", "1", "--verify", "x"))),
            *((f"{more[0]} is for" if more[0] == "--authority" else
               "are for --verify", ("audit", *more, "x"))
              for more in (("--log",), ("--trust",), ("--chain",),
                           ("--authority",))),
            ("has no JSON", ("audit", "--open", "chain", "--json")),
            *(("are for set", ("custody", *more)) for more in (
                ("--no-rotate",), ("show", "--holders", "x"),
                ("refuse", "--threshold", "2"))),
            *(("set wants one MODE", ("custody", "set", *more)) for more in (
                (), ("split", "--holders", "--threshold", "2"))),
            *(("are for an approval", ("enrol", "--policy", s.policy,
                                       "--recovery", *more))
              for more in (("--check", "x"), ("--no-wait",))),
            ("run skerry init or skerry enrol", ("ls",)),
            (bad + ": ", ("init", "--policy", bad, "--residency", "x")),
            ("no residency x; it has germany",
             ("init", "--policy", s.policy, "--residency", "x")),
            ("no authority x", ("init", "--policy", s.policy, "--residency",
                                "germany", "--authority", "x"))):
        r = d.run(*args)
        said = r.json["error"]["text"] if "--json" in args else r.err
        t.ok(r.code != 0 and words in said, f"{args[0]}: {words}: {said.strip()}")


def foreign_policy():
    d = s.device()
    key = os.path.join(s.dir, "other.key")
    import subprocess
    from skerrysite import AUTHORITY
    subprocess.run([AUTHORITY, "policy", "key", "--out", key], check=True,
                   stdout=subprocess.DEVNULL)
    other = s.make_policy("other.txt", 2, key=key)
    r = init(d, "--policy-key", s.public_key, policy=other)
    t.eq(r.code, 13, "a policy signed by another key: TRUST")
    t.ok(not os.path.exists(d.home), "leaves nothing behind")
    t.eq(init(d, "--policy-key", "AAAA").code, 2, "not a key: USAGE")
    text = read(s.policy)
    bad = os.path.join(s.dir, "bad.txt")
    with open(bad, "w") as f:
        f.write(text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:])
    t.ok(init(d, policy=bad).code in (7, 9), "an altered policy")
    t.eq(init(d, "--policy-key", s.public_key).code, 0, "the right one")
    t.eq(d.run("policy", other).code, 13, "the key is pinned: TRUST")
    older = s.make_policy("older.txt", 1)
    later = s.make_policy("later.txt", 2)
    t.eq(d.run("policy", later).code, 0, "a later policy is taken")
    t.eq(d.run("policy", older).code, 23, "an older one is ROLLBACK")


def resumes():
    d = s.device()
    s.authority.stop()
    r = init(d)
    t.eq(r.code, 12, "authority down: AUTHORITY")
    t.ok(s.authority.url in r.err and r.err.count("\n") == 1,
         "one line that names it")
    t.eq(d.json("status")["state"], "init unfinished", "status says so")
    device = d.json("status")["device"]
    space = d.json("status")["space"]
    t.eq(init(d, "--depot", "onshore").code, 12, "the same again")
    s.authority.start()
    r = init(d, "--json")
    t.eq((r.code, r.json["device"], r.json["space"]), (0, device, space),
         "init takes up where it stopped, with the same keys")
    t.ok("recovery_code" in r.json, "and shows the recovery code")
    t.eq(d.run("devices").code, 0, "the authority knows the device")


def lost_answer():
    """The account was made, but the device died before it knew."""
    d = s.device()
    s.authority.stop()
    init(d)
    pending = os.path.join(d.home, "pending")
    with open(pending, "rb") as f:
        kept = f.read()
    with open(os.path.join(d.home, "binding"), "rb") as f:
        binding = f.read()
    s.authority.start()
    first = init(d, "--json").json
    for name, data in (("pending", kept), ("binding", binding)):
        path = os.path.join(d.home, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o600)
    r = init(d, "--json")
    t.eq((r.code, r.json.get("recovery_code")), (0, first["recovery_code"]),
         "the same request again gives the same account and code")
    with open(pending, "wb") as f:
        f.write(kept)
    os.chmod(pending, 0o600)
    r = init(d, "--json")
    t.eq((r.code, r.json.get("recovery_code")), (0, first["recovery_code"]),
         "a code that was not handed over is shown by the next init")
    t.eq(init(d).code, 21, "and then no more")


def full_output():
    d = s.device()
    r = d.run("init", "--policy", s.policy, "--residency", "germany",
              prefix=("sh", "-c", 'exec "$@" >/dev/full', "sh"))
    t.eq(r.code, 18, "a code that cannot be printed is a failure (IO)")
    t.ok(CODE.search(init(d).out), "and is printed by the next init")


t.run(makes_a_space, json_and_file, no_room_for_the_code, wrong_arguments,
      says_what_is_wrong,
      foreign_policy, resumes, lost_answer, full_output)
