#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""skerry-recover restores what test/lib/spacemaker.py wrote; harm done to the
depot costs only what it touches, and is named."""

import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import traceback
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "test", "lib"))
RECOVER = os.path.join(TOP, "recover", "skerry-recover")
VECTORS = os.path.join(TOP, "vectors", "python")

import spacemaker as sm                                         # noqa: E402

LOADER = SourceFileLoader("skerry_recover", RECOVER)
reader = module_from_spec(spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(reader)

ROOT = os.geteuid() == 0
WORK = tempfile.mkdtemp(prefix="skerry-500-")
os.chmod(WORK, 0o755)
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def path(*names_):
    return os.path.join(WORK, *names_)


def fresh(name):
    os.makedirs(path(name))
    return path(name)


def recover(folder, *args, key="space.key", **how):
    """Runs the program; returns its status, stdout, stderr."""
    keys = ["--space-key", os.path.join(folder, key)] if key else []
    done = subprocess.run(
        ["/usr/bin/python3", "-B", RECOVER, "--depot",
         os.path.join(folder, "depot"), *keys, *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return (done.returncode, done.stdout.decode(),
            done.stderr.decode("utf-8", "replace"))


def differs(files, out, owner=ROOT):
    """The paths of files that out does not hold just so."""
    return {name for name, item in files.items()
            if not same(item, os.path.join(out.encode(), name), owner)}


def same(item, at, owner):
    try:
        st = os.lstat(at)
    except OSError:
        return False
    kind = {sm.FILE: stat.S_IFREG, sm.FOLDER: stat.S_IFDIR,
            sm.SYMLINK: stat.S_IFLNK, sm.FIFO: stat.S_IFIFO,
            sm.SOCKET: stat.S_IFSOCK, sm.CHARACTER: stat.S_IFCHR,
            sm.BLOCK_DEVICE: stat.S_IFBLK}[item.type]
    good = stat.S_IFMT(st.st_mode) == kind and st.st_mtime_ns == item.mtime
    if item.type != sm.SYMLINK:
        mode = item.mode if owner else item.mode & 0o1777
        good = good and stat.S_IMODE(st.st_mode) == mode
    if owner:
        good = good and (st.st_uid, st.st_gid) == (item.uid, item.gid)
    if item.type in (sm.CHARACTER, sm.BLOCK_DEVICE):
        good = good and st.st_rdev == os.makedev(*item.device)
    if item.type == sm.SYMLINK:
        return good and os.readlink(at) == item.target
    found = {name.encode(): os.getxattr(at, name, follow_symlinks=False)
             for name in os.listxattr(at, follow_symlinks=False)
             if name.startswith("user.")}
    good = good and found == (item.xattrs or {})
    return good and (item.type != sm.FILE or same_content(item, at, st))


def same_content(item, at, st):
    size = sum(p if isinstance(p, int) else len(p) for p in item.content)
    holes = sum(p for p in item.content if isinstance(p, int))
    if st.st_size != size or st.st_blocks * 512 > size - holes + 65536:
        return False
    with open(at, "rb") as file:
        for part in item.content:
            if isinstance(part, int):
                if any(file.read(min(part, 4096))):
                    return False
                file.seek(part - min(part, 4096), 1)
            elif file.read(len(part)) != part:
                return False
    return True


def sample():
    """The sample, made once."""
    if not os.path.exists(path("sample")):
        sm.write_sample(fresh("sample"))
    return path("sample"), sm.sample(special=True)


@test
def treehash_prf_and_hkdf_agree_with_known_answers():
    # SipHash: appendix A of its paper.
    assert sm.siphash(bytes(range(16)), bytes(range(15))) == \
        0xa129ca6149be45e5
    for hkdf in sm.hkdf, reader.hkdf:             # RFC 5869, A.3
        assert hkdf(b"\x0b" * 22, b"", "", 42).hex().startswith(
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879e")
    assert sm.treehash(b"").hex() == reader.treehash(b"").hex() == sha256(
        b"skerry treehash v1" + bytes(8) + sha256(b"").digest()).hexdigest()
    for n in (1, 32767, 32768, 32769, 65536, 65537, 1000000):
        assert sm.treehash(sm.pattern(n)) == reader.treehash(sm.pattern(n)), n
    assert sm.prf(bytes(32), b"m") == reader.prf(bytes(32), b"m")
    # PADME of 16 KiB and its neighbours; steps of 2^(14-4) = 1024.
    assert [sm.padme(n) for n in (1, 2, 8, 9, 16384, 16385, 16777215)] == \
        [1, 2, 8, 10, 16384, 17408, 16777216]


@test
def vectors_are_those_of_the_tree():
    made = sm.vectors()
    assert sorted(made) == sorted(os.listdir(VECTORS))
    for name, value in made.items():
        with open(os.path.join(VECTORS, name)) as file:
            assert json.load(file) == json.loads(json.dumps(value)), name


@test
def reader_agrees_with_vectors():
    vec = sm.vectors()
    node = bytes.fromhex(vec["tree.json"]["leaf"]["node"])
    level, *items = reader.parse_node(node, None)
    assert level == 0
    assert [key.hex() for key, _ in items] == vec["tree.json"]["leaf"]["keys"]
    assert [entry.raw.hex() for _, entry in items] == \
        vec["tree.json"]["leaf"]["entries"]
    level, *items = reader.parse_node(bytes.fromhex(
        vec["tree.json"]["inner"]["node"]), None)
    assert (level, len(items)) == (1, 2)
    for commit in vec["commit.json"]["commits"]:
        reader.parse_commit(bytes.fromhex(commit["plain"]))
    head = vec["head.json"]
    opened = reader.open_head(bytes.fromhex(head["head"]),
                             bytes.fromhex(head["space_key"]))
    assert opened.signature.hex() == head["sig"]
    code = vec["names.json"]["recovery"]
    assert reader.open_keyslot(
        reader.parse_recovery_code(code["code"].lower().replace("0", "o")),
        bytes.fromhex(code["keyslot"]), bytes.fromhex(code["account"]),
        bytes.fromhex(code["space"]), 3).hex() == code["space_key"]


@test
def restores_the_sample():
    folder, files = sample()
    if not ROOT:
        files = {name: item for name, item in files.items() if item.type not
                 in (sm.CHARACTER, sm.BLOCK_DEVICE)}
    status, _, err = recover(folder, "--to", path("out"))
    assert status == (0 if ROOT else 17), err
    assert "signature was not checked" in err
    bad = differs(sm.second(files), path("out"))
    assert not bad, bad
    assert os.stat(path("out/hard1")).st_ino == \
        os.stat(path("out/odd/hard2")).st_ino != \
        os.stat(path("out/hard3")).st_ino
    seen = {os.path.relpath(os.path.join(at, name), path("out").encode())
            for at, folders, plain in os.walk(path("out").encode())
            for name in folders + plain}
    assert ROOT is False or seen == set(sm.second(files))


@test
def restores_an_earlier_commit():
    folder, files = sample()
    status, _, err = recover(folder, "--commit", "1", "--to", path("out1"))
    assert not differs(files, path("out1")) or not ROOT, err
    assert recover(folder, "--commit", "3", "--list")[0] == 4


@test
def restores_without_being_root():
    if not ROOT:
        return
    folder, files = sample()
    os.makedirs(path("nobody"))
    os.chown(path("nobody"), 65534, 65534)
    status, _, err = recover(folder, "--to", path("nobody/out"), user=65534,
                             group=65534, extra_groups=[])
    assert status == 17
    assert differs(sm.second(files), path("nobody/out"), False) == \
        {b"tty", b"disk"}, err


@test
def lists_logs_and_checks():
    folder, files = sample()
    status, out, err = recover(folder, "--list")
    assert status == 0 and len(out.splitlines()) == len(sm.second(files))
    assert "odd/new\\x0aline \\x1b[31m \\xff\\xfe" in out
    status, out, err = recover(folder, "--log")
    assert [line.split()[0] for line in out.splitlines()] == ["2", "1"]
    assert out.splitlines()[0].endswith(" zweite \u00fc")
    status, out, err = recover(folder, "--check", "--all")
    assert status == 0 and "in 2 commits are good; 0 problems" in err, err


@test
def opens_by_recovery_code():
    folder, files = sample()
    with open(os.path.join(folder, "ids.json")) as file:
        ids = json.load(file)

    def by_code(code, epoch="1", account=ids["account"]):
        with open(path("code"), "w") as file:
            file.write(code)
        return recover(
            folder, "--recovery-code", path("code"), "--keyslot",
            os.path.join(folder, "keyslot"), "--account", account, "--space",
            ids["space"], "--epoch", epoch, "--log", key=None)

    with open(os.path.join(folder, "recovery.code")) as file:
        code = file.read()
    assert by_code(code)[0] == 0
    assert by_code(code.lower().replace("-", " ").replace("0", "o"))[0] == 0
    assert by_code(code, epoch="2")[0] == 6
    assert by_code(code, account="0" * 32)[0] == 6
    assert by_code(code.replace(code[0], "2" if code[0] != "2" else "3"
                                ))[0] == 6
    assert by_code("U" * 36)[0] == 6


@test
def checks_the_signature_by_the_chain():
    folder, _ = sample()
    said = []

    def by_chain(links, *args):
        with open(path("chain"), "wb") as file:
            file.write(b"".join(links))
        status, _, err = recover(folder, "--log", "--chain", path("chain"),
                                 *args)
        assert "not checked" not in err
        said.append(err)
        return status

    # The sample's keys again: they come from its seed.
    maker = sm.Maker("", seed=1)
    first, code = list(maker.chain), sm.hkdf(maker.code, b"",
                                             "skerry/1 recovery", 96)[32:]
    with open(os.path.join(folder, "chain"), "rb") as file:
        assert file.read() == b"".join(first)
    assert by_chain(first) == 0
    assert by_chain(first, "--account", maker.account.hex()) == 0
    assert by_chain(first, "--account", "0" * 32) == 9
    assert by_chain([]) == by_chain([first[0][:-1]]) == 7
    assert by_chain(first[1:]) == 9
    assert by_chain(sm.Maker("", seed=2).chain) == 13
    other, third = sm.device(bytes(range(64))), sm.device(bytes(range(1, 65)))
    for op, keys, by, wanted in (
            (1, other[1], maker, 0),
            (1, maker.keys, maker, 9),           # is there already
            (1, other[1], other, 9),             # adds itself
            (2, other[1], maker, 9),             # was never there
            (2, maker.keys, maker, 0),           # a device may revoke itself
            (2, maker.keys, sm.device(code), 0),
            (3, other[1], sm.device(code), 0),
            (4, other[1], maker, 7)):
        maker.chain = list(first)
        signer, ident = (by.signer, by.device) if by is maker else by[::2]
        maker.link(op, keys, signer, ident)
        assert by_chain(maker.chain) == wanted, (op, wanted)
        assert ("was revoked" in said[-1]) == (
            op == 2 and keys == maker.keys), said[-1]
    maker.chain = list(first)
    maker.link(1, other[1], maker.signer, maker.device)
    maker.link(2, other[1], maker.signer, maker.device)
    assert by_chain(maker.chain) == 0
    live = list(maker.chain)
    maker.link(1, third[1], *other[::2])
    assert by_chain(maker.chain) == 9            # its signer was revoked
    maker.chain = live
    maker.link(1, other[1], maker.signer, maker.device)
    assert by_chain(maker.chain) == 9            # it does not come back
    for at in range(0, 432, 13):
        bad = bytearray(b"".join(first))
        bad[at] ^= 4
        assert by_chain([bad]) in (7, 8, 9), at


@test
def finds_its_prefix_and_refuses_others():
    folder, _ = sample()
    twin = fresh("twin")
    shutil.copytree(os.path.join(folder, "depot"), twin + "/depot")
    other = sm.Maker(twin + "/depot", seed=5)
    other.commit({b"x": sm.Item(content=[b"other"])})
    other.write_keys(twin)
    shutil.copy(os.path.join(folder, "space.key"), twin + "/first.key")
    os.makedirs(twin + "/depot/v1/" + "0" * 32)
    os.makedirs(twin + "/depot/v1/not-a-prefix")
    assert recover(twin, "--list")[1].endswith(" x\n")
    assert recover(twin, "--log", key="first.key")[1].count("\n") == 2
    assert recover(twin, "--log", "--head", twin + "/head")[0] == 0
    objects = os.path.join(twin, "depot", "v1", other.prefix)
    os.rename(objects, objects + "-gone")
    assert recover(twin, "--log", "--head", twin + "/head")[0] == 10
    os.rename(objects + "-gone", objects)
    with open(twin + "/wrong.key", "w") as file:
        file.write("ab" * 32)
    assert recover(twin, "--log", key="wrong.key")[0] == 6
    assert recover(twin, "--log", key="head")[0] == 2
    assert recover(twin, "--log", key="absent")[0] == 4
    assert recover("/nonexistent", "--log", key=twin + "/space.key")[0] == 4
    assert recover(twin, "--to", twin)[0] == 21


def harmed():
    """A depot of many small objects: one space, two commits."""
    if os.path.exists(path("harm")):
        shutil.rmtree(path("harm"))
    maker = sm.Maker(fresh("harm") + "/depot", seed=3, pack_size=30000)
    noise = sm.random.Random(4).randbytes
    files = {b"d": sm.Item(sm.FOLDER, 0o755)}
    for i in range(30):
        files[b"d/f%02d" % i] = sm.Item(content=[noise(50 + i)], mtime=i)
    files[b"list"] = sm.Item(content=[noise(2500)], chunk=5)
    files[b"attr"] = sm.Item(content=[noise(60)], xattrs={
        b"user.a": noise(2000), b"user.b": noise(2100)})
    for i in range(600):
        files[b"e%03d" % i] = sm.Item()
    maker.commit(files)
    files[b"new"] = sm.Item(content=[noise(20000)], chunk=7000)
    maker.commit(files)
    maker.write_keys(path("harm"))
    # Not every file system takes 4 KiB of attributes; its own status is 17.
    del files[b"attr"]
    return maker, files


def object_path(maker, ident):
    name = ident.hex()
    return os.path.join(maker.depot, "v1", maker.prefix, name[:2], name)


def outcome(files):
    shutil.rmtree(path("got"), ignore_errors=True)
    status, _, err = recover(path("harm"), "--to", path("got"))
    return status, differs(files, path("got")), err


def named(lost, err):
    """Every lost file is named, by itself or by where a node begins."""
    lines = [line.partition(": ")[2] for line in err.splitlines()]
    ranges = [line for line in lines if "entries from here on" in line]
    return all(ranges or any(line.startswith(reader.show(name) + ": ")
                             for line in lines) for name in lost)


@test
def a_flipped_bit_costs_what_it_touches():
    maker, files = harmed()
    live = {}
    for at in maker.where:              # the last of a label is the live one
        live[at[:2] if at[0] > 3 else at] = at
    kinds, clean = set(), outcome(files)[0]
    sealings = sorted(live.values(), key=lambda at: at[3])
    step = {1: 25, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    for kind in step:
        for number, at in enumerate(x for x in sealings if x[0] == kind):
            if number % step[kind]:
                continue
            _, label, ident, offset, length = at
            where = object_path(maker, ident)
            with open(where, "r+b") as file:
                for byte in {0, length // 2, length - 1} if kind > 4 else {
                        number % length}:
                    file.seek(offset + byte)
                    old = file.read(1)[0]
                    file.seek(offset + byte)
                    file.write(bytes([old ^ 1 << byte % 8]))
                    file.flush()
                    status, lost, err = outcome(files)
                    file.seek(offset + byte)
                    file.write(bytes([old]))
                    file.flush()
                    told = kind, label, status, lost, err
                    assert status == 9 or named(lost, err), told
                    assert ident.hex() in err or label == b"commit 1", told
                    if kind in (1, 2):
                        assert status == 17 and lost == {label}, told
                        assert f"{label.decode()}: object" in err, told
                    elif kind == 3:
                        assert status == 17 and not lost, told
                    elif label in (b"commit 2", b"level 1 from attr"):
                        assert status == 9, told
                    elif kind == 5:
                        assert status == clean and not lost, told
                    elif kind == 4:
                        assert status == 17 and lost, told
                        assert lost < set(files), told
                    else:
                        assert status == 17 and lost, told
                    kinds.add(kind)
    assert kinds == set(step), kinds
    assert outcome(files)[1] == set()


@test
def a_short_or_missing_object_costs_what_it_held():
    maker, files = harmed()
    objects = {at[2]: None for at in maker.where}
    assert len(objects) >= 4
    vital = {at[2] for at in maker.where if at[1] in (
        b"commit 2", b"level 1 from attr")}
    for ident in objects:
        where = object_path(maker, ident)
        with open(where, "rb") as file:
            whole = file.read()
        for harm, wanted in (("delete", 10), ("halve", 9), ("empty", 9)):
            os.unlink(where)
            if harm != "delete":
                with open(where, "wb") as file:
                    file.write(whole[:len(whole) // 2 if harm == "halve"
                                     else 0])
            status, lost, err = outcome(files)
            told = harm, status, lost, err
            assert status in (0, 17) or ident in vital and \
                status == wanted, told
            assert status not in (0, 17) or named(lost, err), told
            assert status != 0 or not lost, told
            check, _, text = recover(path("harm"), "--check", "--all")
            filler = harm == "halve" and not any(
                at[2] == ident and at[3] + at[4] > len(whole) // 2
                for at in maker.where)
            assert check == (0 if filler else wanted), (harm, check, text)
            with open(where, "wb") as file:
                file.write(whole)
    assert recover(path("harm"), "--check", "--all")[0] == 0


@test
def a_bad_head_is_refused():
    maker, _ = harmed()
    where = os.path.join(maker.depot, "v1", maker.prefix, "head")
    for at, value, wanted in ((0, 2, 8), (1, 1, 7), (7, 9, 6), (15, 9, 6),
                              (20, 0, 6), (60, 0, 6), (283, 0, 6)):
        head = bytearray(maker.head)
        head[at] = value if head[at] != value else value ^ 1
        with open(where, "wb") as file:
            file.write(head)
        status, _, err = recover(path("harm"), "--list")
        assert status == wanted, (at, status, err)
    for head in b"", maker.head[:-1], maker.head + b"\0":
        with open(where, "wb") as file:
            file.write(head)
        assert recover(path("harm"), "--list")[0] == 7
    os.unlink(where)
    assert recover(path("harm"), "--list")[0] == 4


class Quiet(reader.Report):
    """Keeps what was said, by path."""

    def __init__(self):
        super().__init__()
        self.said = {}

    def __call__(self, fault):
        self.count += 1
        self.said.setdefault(str(fault).partition(": ")[0], fault)


def open_made(maker):
    depot = reader.Depot(maker.depot, maker.prefix)
    head = reader.open_head(maker.head, maker.space_key)
    return reader.Space(depot, next(reader.history(depot, head)), Quiet())


def problems(maker, out):
    """What a restore of a hostile space says, path by path; then its check."""
    restored, checked = open_made(maker), open_made(maker)
    reader.Restore(restored, out).run()
    reader.check(checked, set())
    return restored.report.said, checked.report.said


@test
def a_hostile_tree_stays_inside_the_target():
    outside = fresh("outside")
    for number, (files, bad) in enumerate((
            ({b"evil": sm.Item(sm.SYMLINK, target=outside.encode()),
              b"evil/f": sm.Item(content=[b"got you"])}, b"evil/f"),
            ({b"..": sm.Item(sm.FOLDER, 0o755),
              b"../f": sm.Item(content=[b"got you"])}, b""),
            ({b"a": sm.Item(), b"a/b": sm.Item(content=[b"x"])}, b"a/b"),
            ({b"lost/b": sm.Item(content=[b"x"])}, b"lost"),
            ({b"p" + b"/p" * 4000: sm.Item(content=[b"x"])}, b"p"))):
        maker = sm.Maker(fresh(f"evil{number}"), seed=8)
        maker.commit(files)
        said, checked = problems(maker, path(f"evil{number}-out"))
        assert bad.decode() in said or not bad and said, said
        assert checked
    assert os.listdir(outside) == [] and not os.path.exists(path("f"))
    assert os.path.exists(path("evil3-out/lost/b"))


@test
def content_lists_have_levels():
    kept = reader.CHUNK_MAX, reader.INLINE_MAX
    try:
        reader.CHUNK_MAX = sm.CHUNK_MAX = 100
        reader.INLINE_MAX = sm.INLINE_MAX = 120
        files = {b"l%02d" % n: sm.Item(content=[sm.pattern(n * 3), 7, b"e"],
                                       chunk=3) for n in range(1, 41, 3)}
        files[b"x"] = sm.Item(xattrs={b"user.k": bytes(99), b"user.j": b"j"})
        maker = sm.Maker(fresh("levels"), seed=9)
        sm.compress, compress = lambda data: data, sm.compress
        maker.commit(files)
        sm.compress = compress
        said, checked = problems(maker, path("levels-out"))
        assert not said and not checked, said
        assert not differs(files, path("levels-out"), False)
        levels = {entry.level for _, entry in open_made(maker).walk()}
        assert levels == {0, 1, 2, 3}, levels
    finally:
        reader.CHUNK_MAX, reader.INLINE_MAX = kept
        sm.CHUNK_MAX, sm.INLINE_MAX = kept


@test
def large_attributes_come_from_a_chunk():
    value = {b"user.a": sm.pattern(70000), b"user.b": b"b"}
    maker = sm.Maker(fresh("attributes"), seed=10)
    maker.commit({b"f": sm.Item(xattrs=value)})
    there = open_made(maker)
    (_, entry), = there.walk()
    assert not entry.attributes and entry.attributes_chunk
    assert dict(there.attributes(entry)) == value


@test
def an_index_of_several_blocks_and_fences_alike():
    maker = sm.Maker(fresh("index"), seed=13)
    files = {b"f": sm.Item(content=[sm.random.Random(1).randbytes(8000)],
                           chunk=4)}
    prf = sm.prf

    def alike(key, m):
        """Chunk ids that begin alike, so that blocks have one fence."""
        out = prf(key, m)
        return bytes(8) + out[8:] if m[:2] == b"id" else out
    try:
        sm.prf, old = alike, reader.prf
        reader.prf = alike
        maker.commit(files)
        said, checked = problems(maker, path("index-out"))
        assert not said and not checked, said
        assert len(open_made(maker).commit.segments[0].fences) == 4
        assert not differs(files, path("index-out"), False)
    finally:
        sm.prf, reader.prf = prf, old


@test
def merged_segments_and_deep_folders_restore():
    maker = sm.Maker(fresh("deep"), seed=14)
    files = {}
    for depth in range(1, 1500, 1):
        files[b"/".join([b"d"] * depth)] = sm.Item(sm.FOLDER, 0o700)
    files[b"z"] = sm.Item(content=[b"z"])
    for number in range(3):
        files[b"n%d" % number] = sm.Item(content=[b"n%d" % number])
        maker.commit(files, merge=True)
    there = open_made(maker)
    assert len(there.commit.segments) == 1
    assert sum(1 for _ in there.walk()) == len(files)
    said, checked = problems(maker, path("deep-out"))
    assert not said and not checked, said
    with open(path("deep-out/n2"), "rb") as file:
        assert file.read() == b"n2"


@test
def parsers_refuse_what_is_not_valid():
    vec = sm.vectors()
    node = bytes.fromhex(vec["tree.json"]["leaf"]["node"])
    commit = bytes.fromhex(vec["commit.json"]["commits"][2]["plain"])

    def status(parse, data):
        try:
            parse(data)
        except reader.Fault as fault:
            return fault.status
        return 0

    def walk(data):
        list(reader.parse_node(data, None))

    for parse, good in (walk, node), (reader.parse_commit, commit):
        assert status(parse, good) == 0
        assert status(parse, good + b"\0") == 7
        assert status(parse, b"\2" + good[1:]) == 8
        assert status(parse, good[:2] + b"\0\1" + good[4:]) == 7
        for cut in range(len(good)):
            assert status(parse, good[:cut]) == 7, cut
        for at in range(len(good)):
            for bit in range(8):
                status(parse, good[:at] + bytes([good[at] ^ 1 << bit]) +
                       good[at + 1:])
    empty = maker_entry(sm.Item())
    hole = struct.pack(">BQ", 1, 5)
    for bad in (
            sm.node(0, [(b"b", empty), (b"a", empty)]),
            sm.node(0, [(b"a", empty), (b"a", empty)]),
            sm.node(0, [(b"a/b", empty)]), sm.node(0, [(b".", empty)]),
            sm.node(0, [(b"a\0", empty)]), sm.node(0, [(b"a\0..", empty)]),
            sm.node(0, [(b"n" * 256, empty)]), sm.node(0, []),
            struct.pack(">BBHI", 1, 0, 0, 2) + sm.node_item(
                0, (b"aa", empty), b"") + sm.node_item(
                0, (b"ab", empty), b"")):
        assert status(walk, bad) == 7, bad
    ref = struct.pack(">16sIII64s", bytes(16), 0, 18, 1, bytes(64))
    assert status(walk, sm.node(1, [(b"a", 1, 0, ref)])) == 0, "shape is free"
    for bad in (b"\0" + empty[1:], b"\x08" + empty[1:], empty[:1] + b"\3",
                empty[:2] + b"\x10\0" + empty[4:],
                empty[:20] + b"\xff" * 4 + empty[24:]):
        assert status(walk, sm.node(0, [(b"a", bad)])) == 7, bad
    for bad in (hole + hole, b"\2" + hole[1:], hole[:-1], bytes(37),
                b"\1" + bytes(8)):
        assert status(lambda data: list(reader.parse_list(
            iter([data]), True)), bad) == 7, bad
    assert status(lambda data: list(reader.parse_list(
        iter([data]), False)), hole) == 7
    for bad in (sm.attributes({b"": b""}), sm.attributes({b"a": b"b"})[:-1],
                sm.attributes({b"b": b""}) + sm.attributes({b"a": b""})):
        assert status(reader.parse_attributes, bad) == 7, bad
    content = bytes(1000)
    packed = sm.compress(content)
    for bad in (b"\2" + content, b"\0" + content[1:], b"\0" + content + b"x",
                b"\1" + packed + packed, b"\1" + packed[:-1],
                b"\1" + sm.compress(bytes(999)),
                b"\1" + sm.compress(bytes(10**7)), b"\1" + content,
                b"\1\x50\x2a\x4d\x18\0\0\0\0" + packed):
        assert status(lambda data: reader.unframe(data, 1000), bad) == 7, bad
    assert reader.unframe(b"\1" + packed, 1000) == content


def maker_entry(item):
    maker = sm.Maker("", seed=1)
    return maker.entry(item)[0]


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, function in enumerate(TESTS, 1):
        title = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {title}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {number} - {title}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line[:2000]}")
    subprocess.run(["rm", "-rf", WORK])         # deeper than rmtree() can go
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
