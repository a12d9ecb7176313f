#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What governments demand, from the operator's command to the public log and to
whoever asks for the texts: whole, in its order, and not before a gag's date."""

import glob
import hmac
import json
import os
import secrets
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import logjudge  # noqa: E402
from authoritytest import Account, Authority, unb64  # noqa: E402
from evil import Evil  # noqa: E402
from logtest import (  # noqa: E402
    Traced, can_trace, rows, served, wait_ledger, whole)
from skerrysite import AUTHORITY, Site  # noqa: E402
from skerrytest import (  # noqa: E402
    FAKETIME, Tap, alive, folder, wait_for, with_clock)

TOP = os.environ.get("SKERRY_TOP", ".")
DAY = 86400
TODAY = int(time.time()) // DAY  # at its start, also where it runs at midnight
t = Tap()


def path(name):
    return os.path.join(TOP, "vectors", name + ".json")


def frozen():
    for name, made in logjudge.vectors().items():
        with open(path(name)) as f:
            t.ok(json.load(f) == made, f"{name} is as frozen")
        for c in made["cases"]:
            try:
                e = logjudge.Entry(bytes.fromhex(c["bytes"]))
                logjudge.Request(e.public)
                body = bytes.fromhex(c["body"])
                logjudge.Request.text(body)
                good = e.opens(bytes.fromhex(c["key"]), body)
            except logjudge.Bad:
                good = False
            t.eq(good, c["result"] == "OK", c["name"])


def day(n):
    """So many days from today, as the command wants it, and as seconds."""
    at = (TODAY + n) * DAY
    return time.strftime("%Y-%m-%d", time.gmtime(at)), at


def request(*args, text=None, binary=None, stdout=subprocess.PIPE):
    if isinstance(text, str):
        text = text.encode()
    more = [] if text is None else ["--text", "-"]
    return subprocess.run(
        [binary or a.binary, "request", *args, *more, "--config",
         a.config_file()], input=text, stdout=stdout, stderr=subprocess.PIPE,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})


def enter(text, where="cn", *more):
    r = request("enter", "--jurisdiction", where, *more, text=text)
    if r.returncode != 0:
        raise RuntimeError(r.stderr)
    return json.loads(r.stdout)


def state(ident, what, text, *more):
    r = request("state", ident, what, *more, text=text)
    if r.returncode != 0:
        t.note(r.stderr.decode())
    return r.returncode


def ask(what=""):
    return a.send("/v1/requests" + what, None, {}, method="GET")


def published():
    """All of the list, by index, page by page."""
    out, start = {}, 0
    while start is not None:
        j = ask(f"?from={start}").json
        for r in j["requests"]:
            assert r["index"] not in out and r["index"] >= start
            out[r["index"]] = r
        start = j["next"]
    return out


def opened():
    """What an independent reader makes of log and list: for each entry of a
    request its state, jurisdiction, and text or None."""
    listed = published()
    out, last = [], {}
    for i, raw in enumerate(served(a)[1]):
        e = logjudge.Entry(raw)
        if e.type != 7:
            assert i not in listed
            continue
        q, r = logjudge.Request(e.public), listed[i]
        before = last.get(q.id)
        assert q.state in q.NEXT.get(before.state if before else 0, ())
        assert before is None or before.jurisdiction == q.jurisdiction
        last[q.id] = q
        text = None
        if "until" in r:
            assert r == {"index": i, "until": q.until}
        else:
            assert sorted(r) == ["body", "index", "key"]
            body = unb64(r["body"])
            assert e.opens(unb64(r["key"]), body)
            text = q.text(body)
        out.append((q.STATES[q.state], q.jurisdiction, text))
    return out


def enters():
    global a, first
    a = Authority()
    t.eq(ask().json, {"requests": [], "next": None}, "no request yet")
    j = enter("Give us everything.\n\tAll of it: \u5168\u90e8\n")
    first = j["request"]
    t.ok(len(unb64_hex(first)) == 16 and j["index"] == 1, "an id, an index")
    t.eq(opened(), [("entered", "cn", "Give us everything.\n\tAll of it: "
                     "\u5168\u90e8\n")],
         "who asks for the list finds entry and text, and that they belong")
    t.ok(whole(a), "log and database are one")
    for what in ("approved", "served"):
        t.eq(state(first, what, what.upper()), 0, f"it is {what}")
    t.eq([x[0] for x in opened()], ["entered", "approved", "served"],
         "each state is an entry")
    e = [logjudge.Entry(x) for x in served(a)[1]]
    keys = [unb64(r["key"]) for r in published().values()]
    t.eq([[x.recognised(k) for k in keys] for x in e if x.type == 7],
         [[True, False, False], [False, True, False], [False, False, True]],
         "a leaf key opens its own entry")
    t.ok(not any(x.recognised(k) for k in keys for x in e if x.type == 8),
         "and none of the policy's")
    r = a.send("/v1/requests", b"0", {})
    t.eq((r.status, r.code), (400, "USAGE"), "not POST")
    for bad in ("x", "-1", "01", "1.0", "+1", "9223372036854775808",
                "1" * 5000, "1 "):
        r = ask("?from=" + bad.replace("+", "%2B").replace(" ", "%20"))
        t.ok(r.status == 400, f"from {bad:.20}")
    t.eq(ask("?from=9223372036854775807").json,
         {"requests": [], "next": None}, "from the end")


def unb64_hex(text):
    return bytes.fromhex(text)


def refuses():
    def code(*args, **more):
        r = request(*args, **more)
        t.note(r.stderr.decode().strip())
        return r.returncode
    before = len(rows(a))
    new = ("enter", "--jurisdiction", "cn")
    for text, want, why in (
            ("x" * 4097, 19, "too long"), (b"\xff", 7, "not UTF-8"),
            ("", 7, "empty"), ("a\rb", 7, "control"), ("\x85", 7, "C1"),
            (b"x" * 1000000, 19, "a megabyte")):
        t.eq(code(*new, text=text), want, f"text: {why}")
        t.eq(code("state", first, "served", text=text), want,
             f"text of a state: {why}")
    t.eq(code("enter", "--jurisdiction", "CN", text="-"), 2, "capitals")
    t.eq(code("enter", "--jurisdiction", "chn", text="-"), 2, "three letters")
    t.eq(code("enter", text="-"), 2, "no jurisdiction")
    t.eq(code(*new), 2, "no text")
    t.eq(code(*new, "--text", "/nowhere"), 4, "no such file")
    for bad in (day(0)[0], "2030-02-30", "2030-1-01", " 2030-01-01", "soon",
                "10000-01-01", "2030-01-01 ", ""):
        t.eq(code(*new, "--gag-until", bad, text="-"), 2, f"a gag: {bad!r}")
    t.eq(code("state", "00" * 16, "approved", text="-"), 4, "another id")
    t.eq(code("state", "00", "approved", text="-"), 2, "no id")
    t.eq(code("state", first, "entered", text="-"), 2, "entered is no change")
    t.eq(code("state", first, "lost", text="-"), 2, "no such state")
    t.eq(code("state", first, text="-"), 2, "none")
    for what in ("approved", "refused", "withdrawn", "served"):
        t.eq(code("state", first, what, text="-"), 16, f"served, then {what}")
    t.eq(len(rows(a)), before, "none of these left a row")
    two = enter("x" * 4096, "de")["request"]
    t.eq(code("state", two, "served", text="-"), 16, "served unapproved")
    t.eq(code("state", two, "refused", text="No.\n"), 0, "refused")
    t.eq(code("state", two, "approved", text="-"), 16, "which is the end")
    three = enter("Please.\n", "de")["request"]
    t.eq([code("state", three, w, text="-") for w in (
        "approved", "approved", "withdrawn", "withdrawn")], [0, 16, 0, 16],
        "approved, withdrawn")


def lists():
    j = json.loads(request("list", "--json").stdout)["requests"]
    t.eq([[x["state"] for x in r["states"]] for r in j],
         [["entered", "approved", "served"], ["entered", "refused"],
          ["entered", "approved", "withdrawn"]], "list --json")
    t.eq((j[0]["request"], j[0]["jurisdiction"]), (first, "cn"), "ids, where")
    t.eq([x["index"] for r in j for x in r["states"]], sorted(published()),
         "with the indexes of the log")
    table = request("list").stdout.decode().splitlines()
    t.eq((len(table), table[1].split()[:3]), (9, [first, "cn", "entered"]),
         "list, as a table")


def gagged():
    global a
    a = Authority()
    when, at = day(3)
    secret = enter("Secret.\n", "us", "--gag-until", when)
    t.eq(ask().json["requests"], [{"index": secret["index"], "until": at}],
         "under a gag there is the date, and nothing else")
    t.eq(opened(), [("entered", "us", None)], "the entry is there at once")
    ident = secret["request"]
    t.eq(state(ident, "approved", "Yes."), 2,
         "the next text is not published by oversight")
    t.eq(state(ident, "approved", "Yes.", "--gag-until", day(5)[0]), 0,
         "it has a date of its own")
    t.eq(state(ident, "served", "Nothing was held.", "--gag-until", "none"),
         0, "or none")
    t.eq([x[2] for x in opened()], [None, None, "Nothing was held."],
         "each text by its own")
    t.eq(json.loads(request("list", "--json").stdout)["requests"][0][
        "states"][0]["gag_until"], at, "list has the date")
    body = b"".join(json.dumps(ask().json).encode() for _ in range(2))
    t.ok(b"U2VjcmV0" not in body, "the text is nowhere")
    if FAKETIME is None or os.environ.get("SKERRY_SANITIZED"):
        t.skip("the date comes", "no faketime, or none with sanitizers")
        return
    a.process.kill()
    real = a.binary
    for shift, want in (("+1d", [None, None]), ("+3d", ["Secret.\n", None]),
                        ("+5d", ["Secret.\n", "Yes."])):
        a.binary = with_clock(real, shift)
        a.start()
        t.eq([x[2] for x in opened()][:2], want, f"by the clock, {shift}")
        a.process.kill()
    a.binary = real
    old = with_clock(real, "-9d")
    a.start()
    r = request("enter", "--jurisdiction", "us", "--gag-until", day(-1)[0],
                text="Long ago.\n", binary=old)
    t.eq((r.returncode, opened()[-1][2]), (0, "Long ago.\n"),
         "a date that has passed")


def of_no_space():
    """Ids are chosen by who enrols: one may be a request's, or none's."""
    ident = bytes.fromhex(json.loads(request("list", "--json").stdout)[
        "requests"][0]["request"])
    for name, space in (("a request's id", ident), ("nothing", bytes(16))):
        ids, real = [secrets.token_bytes(16), space], secrets.token_bytes
        with mock.patch("authoritytest.secrets.token_bytes",
                        lambda n: ids.pop(0) if ids else real(n)):
            acc = Account(a)
        t.eq((acc.create().status, acc.space), (200, space),
             f"a space with {name} for an id")
        r = a.ask("/v1/entries", {"space": space.hex(), "from": 0},
                  acc.device)
        entries = served(a)[1]
        t.eq((r.status, {entries[e["index"]][1] for e in r.json["entries"]}),
             (200, {1, 4}), "is told of its own entries alone")


def service_down():
    global a
    a = Authority()
    acc = Account(a)
    t.eq(acc.create().status, 200, "an account")
    a.process.term()
    a.process.wait()
    enter("While you were away.\n", "is")
    a.start()
    t.eq(logjudge.Entry(served(a)[1][-1]).type, 7,
         "entered while it is down: in the log at its start")
    for n in range(3):
        enter(f"Number {n}.\n", "is")
        a.process.kill()
        a.start()
        t.ok(whole(a) and logjudge.Entry(served(a)[1][-1]).type == 7,
             f"killed before it saw the row ({n}): so, too")
    enter("Nobody asks.\n", "is")
    size = len(served(a)[1])
    wait_for(lambda: len(served(a)[1]) > size)
    t.eq([logjudge.Entry(x).type for x in served(a)[1][size:]], [7],
         "without any request, too")
    enter("Now.\n", "is")
    t.eq(acc.session().status, 200, "with any request")
    t.eq([logjudge.Entry(x).type for x in served(a)[1][-2:]], [7, 5],
         "it is appended, before that one's own")
    for n in range(40):
        enter(f"Page {n}.\n", "is")
    r = ask().json
    t.eq((len(r["requests"]), r["next"] is not None), (32, True),
         "a page of the list")
    t.eq(len(opened()), 46, "all of it")
    t.eq([x[2] for x in opened()][-1], "Page 39.\n", "in order")


def killed():
    """The ledger, at steps of the append that the list's request makes."""
    if not can_trace(t):
        t.skip("kills within the append", "strace cannot attach")
        return
    kills = 0
    for n, (call, when) in enumerate((
            ("fsync", 1), ("fsync", 3), ("renameat", 1), ("renameat", 2),
            ("renameat", 4), ("write", 1))):
        if n % 3 == 2:  # the parent waits longer after each
            a.process.kill()
            a.start()
        text, pid = f"{call} {when}", a.roles()["ledger"]
        enter(text, "is")
        trace = Traced(pid, "-e", f"trace={call}", "-e",
                       f"inject={call}:signal=SIGKILL:when={when}")
        ask()
        trace.end()
        gone = not alive(pid)
        kills += gone
        t.ok(wait_ledger(a, pid if gone else None) and whole(a) and
             opened()[-1][2] == text, f"{text}: killed {gone}, and whole")
    t.ok(kills >= 3, f"{kills} kills")


def before_any_service():
    """The desk key is made by who wants it first."""
    global a
    a = Authority(start=False)
    j = enter("First of all.\n", "fr")
    t.eq(j["index"], 0, "before the service ever ran")
    a.start()
    t.eq(opened(), [("entered", "fr", "First of all.\n")], "it is the same")
    t.eq([logjudge.Entry(x).type for x in served(a)[1]], [7, 8],
         "in front of the policy")


class Operator:
    """Of a site; the same commands."""

    def __init__(self, site):
        self.binary, self.config = AUTHORITY, site.authority.config

    def config_file(self):
        return self.config


def audited(*args):
    r = d.run("audit", "--json", *args)
    j = r.json
    return r.code, [x["text"].rpartition("request: ")[2].partition("; the ")[0]
                    for x in j["alarms"] if not x["accepted"]], j


def by_skerry():
    global a, d, evil, site
    site = Site()
    evil, d = Evil(site.authority), None
    a, d = Operator(site), site.first()
    asked = []

    def seen(status, out):
        asked.append(status)
        return status, out
    evil.lists = seen
    code, alarms, j = audited()
    t.eq((code, alarms, j["logs"][0]["requests"], asked), (0, [], 0, []),
         "skerry audit: no request, and no list is asked for")
    own = j["logs"][0]["own"]
    one = enter("All of it.\n")
    state(one["request"], "refused", "No.\n")
    enter("Hush.\n", "us", "--gag-until", day(3)[0])
    ask_evil()
    for what in ("sees them", "and again"):
        code, alarms, j = audited()
        log = j["logs"][0]
        t.eq((code, alarms, log["requests"], log["requests_opened"],
              log["own"]), (0, [], 3, 2, own), f"skerry audit {what}")
    r = d.run("audit", "--full")
    t.ok("requests in the log: 3 (2 with their text)" in r.out,
         "and says it")


def ask_evil():
    """Has the entries appended."""
    return json.loads(evil.get("/v1/requests")[1])["requests"]


def lies(change):
    """What audit says of a list that is another."""
    def plan(status, out):
        j = json.loads(out)
        change(j["requests"])
        return status, json.dumps(j).encode()
    evil.lists = plan
    code, alarms, _ = audited()
    evil.lists = None
    return code, alarms


LEFT = "the authority does not list it"
FALSE = "the authority opens it to something else"
DATE = "listed with another date than its own"
ORDER = "does not follow the state before it"
OTHER = "listed, and is no request"


def lied_to():
    t.eq(lies(lambda r: r.pop(2)), (26, [LEFT]), "one is left out")
    t.eq(lies(lambda r: r.pop(0)), (26, [LEFT, ORDER]), "the first is")
    t.eq(lies(lambda r: r.clear()), (26, [LEFT] * 3), "all are")
    t.eq(lies(lambda r: r[0].update(body=r[1]["body"])), (26, [FALSE]),
         "another text")
    t.eq(lies(lambda r: r[0].update(key=r[1]["key"])), (26, [FALSE]),
         "another key")
    t.eq(lies(lambda r: r[2].update(until=r[2]["until"] + DAY)),
         (26, [DATE]), "another date")

    def hide(r):
        r[0] = {"index": r[0]["index"], "until": r[2]["until"]}
    t.eq(lies(hide), (26, [DATE]), "a gag that is none")
    t.eq(lies(lambda r: r.insert(0, {**r[0], "index": 0})),
         (26, [OTHER]), "one that is none")
    t.eq(lies(lambda r: r.append({**r[0], "index": 10 ** 9})), (0, []),
         "one that is newer than the tree is left alone")
    for change, why in (
            (lambda r: r.reverse(), "not in order"),
            (lambda r: r[0].update(more=1), "another member"),
            (lambda r: r[0].pop("key"), "a member less"),
            (lambda r: r[2].update(until=0), "until 0"),
            (lambda r: r[0].update(index=-1), "index -1")):
        t.eq(lies(change)[0], 25, f"no list: {why}")
    for status, out, want in ((404, b"{}", 25), (400, b"", 25),
                              (200, b"", 25), (503, b"{}", 12)):
        evil.lists = lambda *_: (status, out)
        r = d.run("audit")
        t.eq(r.code, want, f"status {status}")
    evil.lists = lambda *_: (200, json.dumps(
        {"requests": [], "next": 0}).encode())
    t.eq(d.run("audit").code, 25, "a list without an end")
    evil.lists = lambda s, out: (s, json.dumps(
        {**json.loads(out), "next": 0}).encode())
    t.eq(d.run("audit").code, 25, "or that goes back")
    evil.lists = None
    t.eq(audited()[:2], (0, []), "with the truth it goes on")


def proofs():
    """What was kept of all that, once for each alarm."""
    said = []
    for name in sorted(glob.glob(os.path.join(d.home, "evidence-log-*"))):
        with open(name) as f:
            j = json.load(f)
        proved, text = logjudge.judge(name, site.authority.public["log"])
        r = site.device().run("audit", "--json", "--verify", name, "--log",
                              site.authority.public["log"])
        t.eq((r.code, r.json["kind"], r.json["proved"], proved),
             (0, "request", False, False), r.json.get("text"))
        said.append(j["why"].rpartition("request: ")[2])
        p = logjudge.Opened(j["proofs"][0], logjudge.Key(j["log"]))
        t.eq(bool(p.body), said[-1] in (FALSE, ORDER, OTHER),
             "with what was shown")
    t.eq(sorted(said), sorted([LEFT] * 3 + [FALSE, DATE, DATE, ORDER, OTHER]),
         "each alarm left its evidence")
    _, _, j = audited()
    t.eq(j["alarms"], [], "(and no lie is left)")
    evil.lists = lambda s, out: (s, json.dumps(
        {**json.loads(out), "requests": []}).encode())
    _, _, j = audited()
    t.eq([x["new"] for x in j["alarms"]], [False] * 3,
         "told once, they are new no more")
    evil.lists = None
    t.eq(len(glob.glob(os.path.join(d.home, "evidence-log-*"))), len(said),
         "nor is evidence kept twice")


def accepts():
    """One that its user knows of alarms no more; another does."""
    evil.lists = lambda s, out: (s, json.dumps(
        {**json.loads(out), "requests": json.loads(out)["requests"][:2]}
    ).encode())
    _, _, j = audited()
    ident = j["alarms"][0]["id"]
    t.eq(audited("--accept", ident)[:2], (0, []), "an alarm is accepted")
    t.eq(audited()[0], 0, "and stays so")
    evil.lists = None
    t.eq(lies(lambda r: r.pop(0))[0], 26, "another alarms")


def watched():
    """What a watch finds in each of its rounds it tells in the first, and as
    new to a device that was not told before."""
    t.eq(d.run("put", folder()).code, 0, "a commit, which has the log key")
    e = site.device().join(d)
    t.eq(e.run("ls").code, 0, "another device")
    evil.lists = lambda s, out: (s, json.dumps(
        {**json.loads(out), "requests": json.loads(out)["requests"][1:]}
    ).encode())
    ran = os.path.join(folder(), "hook")
    for new in [2, 0, 0], [0, 0, 0]:
        p = e.start("audit", "--watch", "1", "--json", "--hook",
                    f"echo >> {ran}")
        rounds = [json.loads(p.stdout.readline())["alarms"] for _ in new]
        with open(ran) as f:
            t.eq(([sum(x["new"] for x in r) for r in rounds], len(rounds[0]),
                  len(f.read())), (new, 2, 1), "and runs the hook once")
        p.send_signal(signal.SIGTERM)
        t.eq(p.wait(120), 26, "it ends with it")
    evil.lists = None


def append(state, ident):
    """A row that the command would not make."""
    site.authority.stop()
    where = os.path.dirname(site.authority.config)
    db = sqlite3.connect(next(glob.iglob(where + "/**/*.sqlite",
                                         recursive=True)))
    desk = db.execute("SELECT value FROM own WHERE name = 'desk key'"
                      ).fetchone()[0]
    n = db.execute("SELECT max(number) + 1 FROM leaf").fetchone()[0]
    nonce = secrets.token_bytes(16)
    public, body = bytes([state]) + ident + b"cn", b"Given.\n"
    key = hmac.digest(desk, b"skerry log v1 key" + nonce, "sha256")
    head = b"\1\7" + struct.pack(">Q", int(time.time())) + nonce
    tail = struct.pack(">H", len(public)) + public
    e = logjudge.Entry(head + bytes(64) + tail)
    db.execute("INSERT INTO leaf VALUES (?, 7, ?, ?, ?)", (
        n, ident, head + e.mac(key, b"tag") + e.mac(key, b"body", body)
        + tail, body))
    db.commit()
    db.close()
    site.authority.start()


def out_of_order():
    ident = secrets.token_bytes(16)
    for state, n, ident, why in (
            (5, 1, ident, "served, and never entered"),
            (2, 2, ident, "approved when it was served"),
            (1, 2, bytes(16), "(another is entered)"),
            (5, 3, bytes(16), "and served, and never approved")):
        append(state, ident)
        code, alarms, j = audited()
        t.eq((code, alarms), (26, [ORDER] * n), why)
        if state == 1:
            continue
        name = j["alarms"][-1]["text"].rpartition(" is ")[2]
        v = site.device().run("audit", "--json", "--verify", name)
        t.eq((v.code, v.json["proved"], logjudge.judge(name)[0]),
             (0, n == 2, n == 2), "with evidence: " + v.json["text"])


def too_late():
    if FAKETIME is None or os.environ.get("SKERRY_SANITIZED"):
        t.skip("a date that has passed", "no faketime")
        return
    r = request("enter", "--jurisdiction", "us", "--gag-until", day(-1)[0],
                text="Long ago.\n", binary=with_clock(AUTHORITY, "-9d"))
    t.eq(r.returncode, 0, "a gag until yesterday")
    index = json.loads(r.stdout)["index"]
    ask_evil()
    t.eq(audited()[1], [ORDER] * 3, "its text is there")

    def hide(r):
        i = next(i for i, x in enumerate(r) if x["index"] == index)
        r[i] = {"index": index, "until": day(-1)[1]}
    t.ok("the date of its text has passed, and it is not published" in
         lies(hide)[1], "and where it is not: an alarm")


def unheard():
    """What cannot be printed is entered all the same, and that is said."""
    before = len(json.loads(request("list", "--json").stdout)["requests"])
    for args, what in ((("enter", "--jurisdiction", "us"), "entered"),
                       (("state", None, "approved"), "approved")):
        if args[1] is None:
            args = ("state", ident, "approved")
        with open("/dev/full", "w") as full:
            r = request(*args, text="Heard by nobody.\n", stdout=full)
        last = json.loads(request("list", "--json").stdout)["requests"][-1]
        ident, index = last["request"], last["states"][-1]["index"]
        t.eq((r.returncode, last["states"][-1]["state"]), (18, what),
             f"{what}, and cannot be printed")
        t.ok(f"but request {ident} is {what} now, by entry {index}:" in
             r.stderr.decode(), "which says so")
    t.eq(len(json.loads(request("list", "--json").stdout)["requests"]),
         before + 1, "as one request")


def silent():
    """What is found of the space is told, whatever becomes of the list."""
    home = os.path.join(folder(), "copy")
    shutil.copytree(d.home, home)
    d.lock()
    t.eq(d.run("ls", env={"SKERRY_HOME": home, "SKERRY_AGENT": "off"}).code,
         0, "a copy of the device reads")
    for status, want in (503, 26), (404, 25):
        evil.lists = lambda *_: (status, b"{}")
        r = d.run("audit", "--json")
        t.eq((r.code, "error" in r.json["logs"][0],
              ["did not ask" in x["text"] for x in r.json["alarms"]]),
             (want, True, [True]), f"a list that is {status} hides no alarm")
    evil.lists = None


if sys.argv[1:] == ["--write"]:
    for name, made in logjudge.vectors().items():
        with open(path(name), "w") as f:
            json.dump(made, f, indent=1)
            f.write("\n")
else:
    t.run(frozen, enters, refuses, lists, gagged, of_no_space, service_down,
          killed, before_any_service, unheard, by_skerry, lied_to, proofs, accepts,
          watched, out_of_order, too_late, silent)
