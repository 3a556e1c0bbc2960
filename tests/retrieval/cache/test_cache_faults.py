"""Faults of the cache: damaged files, killed processes, several processes at once, full and read-only disks.

In all of them an entry is whole or missing, nothing is raised, and temporary files of killed processes are removed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import resource
import signal
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pkcs12kit import DEFAULT_LIMITS
from pkcs12kit.retrieval.cache.cache import Cache
from pkcs12kit.retrieval.cache.entries import entry_name
from pkcs12kit.retrieval.cache.folder import OpenFolder

from ...thoroughness import mostly_slow

URL = "http://pki.example.mil/issuedto/CA37.p7c"
OTHER = "http://pki.example.mil/issuedby/ROOT.p7c"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = b"old content " * 10
NEW = b"new content " * 11
SYSTEM_CALLS = (
    "open", "stat", "fstat", "mkdir", "fchmod", "write", "fsync", "lseek", "read", "replace", "unlink", "rmdir",
    "scandir", "utime", "close",
)  # fmt: skip


def keep(cache, url=URL, content=OLD, *, fetched=WHEN):
    """Store with less typing; the ETag says what the content must be."""
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    cache.store(url, content, etag=etag, last_modified=None, fetched=fetched)


def assert_whole(entry):
    """Header and content belong together."""
    assert entry.etag == f'"{hashlib.sha256(entry.content).hexdigest()}"'


@pytest.fixture
def folder(tmp_path):
    """The folder of the cache."""
    return tmp_path / "cache"


@pytest.fixture
def warned():
    """The warnings of the cache."""
    return []


def files_of(folder, suffix):
    """Files of one kind in the folder."""
    return [path for path in folder.iterdir() if path.name.endswith(suffix)]


def leave_abandoned(folder):
    """Write a temporary file as a process leaves it that was killed long ago."""
    (folder / ".pkcs12kit-00.tmp").write_bytes(b"half")
    age(folder)


def age(folder):
    """Make every temporary file as old as one that a killed process left."""
    for path in files_of(folder, ".tmp"):
        os.utime(path, (0, 0))


def test_every_byte_and_every_truncation(folder):
    """Whatever byte is changed, removed or added, in header or content: the entry is not used, with a warning."""
    keep(Cache(folder))
    keep(Cache(folder), OTHER, NEW)
    path = folder / entry_name(URL)
    sound = path.read_bytes()
    damaged = [sound[:length] for length in range(len(sound))]
    damaged += [
        sound[:at] + bytes([sound[at] ^ mask]) + sound[at + 1 :] for at in range(len(sound)) for mask in (1, 0x20, 0x80)
    ]
    damaged += [sound + b"\0", sound + b"\n", sound + sound, b" " + sound, b"\n" + sound]
    for data in damaged:
        path.write_bytes(data)
        path.chmod(0o600)
        warned = []
        assert Cache(folder, on_warning=warned.append).load(URL) is None
        assert len(warned) == 1
        assert not path.exists()
    path.write_bytes(sound)
    path.chmod(0o600)
    assert Cache(folder).load(URL).content == OLD
    assert Cache(folder).load(OTHER).content == NEW


def test_processes_at_once(folder, in_children):
    """Three store, load and confirm the same URLs, one evicts without end, and there is never space for all."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=6)
    urls = [f"http://x/{number}" for number in range(8)]
    seen = 150

    def failing(sentence):
        raise AssertionError(sentence)

    def user(seed):
        chosen = random.Random(seed)  # noqa: S311 - no secret
        cache = Cache(folder, on_warning=failing, limits=limits)
        loaded = 0
        for turn in range(seen):
            content = b"%d" % chosen.randrange(4) * 1000
            when = WHEN + timedelta(seconds=turn)
            keep(cache, chosen.choice(urls), content, fetched=when)
            entry = cache.load(chosen.choice(urls))
            if entry is not None:
                assert_whole(entry)
                loaded += 1
            cache.confirm(chosen.choice(urls), fetched=when + timedelta(hours=1))
            if turn % 10 == 0:
                cache.close()
        cache.close()
        assert loaded > seen // 4

    with in_children([lambda seed=seed: user(seed) for seed in range(4)]):
        pass
    with Cache(folder, on_warning=failing, limits=limits) as cache:
        keep(cache)
    assert len(files_of(folder, ".entry")) <= 6
    assert files_of(folder, ".tmp") == []


def kill_before(monkeypatch, call):
    """Make the process die before its ``call``-th system call, as by SIGKILL or a power cut; short writes, too."""
    made = 0

    def counting(name, real):
        def counted(*arguments, **options):
            nonlocal made
            made += 1
            if made == call:
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "write":
                arguments = (arguments[0], arguments[1][:100])
            return real(*arguments, **options)

        return counted

    for name in SYSTEM_CALLS:
        monkeypatch.setattr(os, name, counting(name, getattr(os, name)))


def store_new(folder):
    """Store a response to a new URL."""
    with Cache(folder) as cache:
        keep(cache, "http://x/new", NEW)


def store_over(folder):
    """Store a response that replaces an older one."""
    with Cache(folder) as cache:
        keep(cache, URL, NEW)


def store_and_evict(folder):
    """Store a response for which the oldest is evicted; the old temporary file is removed."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=2)
    with Cache(folder, limits=limits) as cache:
        keep(cache, "http://x/new", NEW, fetched=WHEN + timedelta(days=1))


def confirm(folder):
    """Confirm an entry."""
    Cache(folder).confirm(URL, fetched=WHEN + timedelta(days=1))


def load(folder):
    """Load an entry that is damaged, which removes it."""
    (folder / entry_name("http://x/damaged")).write_bytes(b"{}")
    Cache(folder).load("http://x/damaged")


@pytest.mark.parametrize("work", mostly_slow([store_and_evict, store_new, store_over, confirm, load], every=5))
def test_killed_before_each_system_call(work, folder, monkeypatch, in_child):
    """Killed between any two system calls: every entry is whole, and temporary files are removed an hour later."""
    for call in range(1, 300):
        here = folder / str(call)
        for url in (URL, OTHER):
            keep(Cache(here), url, b"%s " % url.encode() + OLD)
        leave_abandoned(here)

        def dying(call=call, here=here):
            kill_before(monkeypatch, call)
            work(here)

        status = in_child(dying)
        assert status in {0, -signal.SIGKILL}
        warned = []
        with Cache(here, on_warning=warned.append) as cache:
            for url, contents in (
                (URL, {b"%s " % URL.encode() + OLD, NEW if work is store_over else None}),
                (OTHER, {b"%s " % OTHER.encode() + OLD}),
                ("http://x/new", {NEW, None}),
            ):
                entry = cache.load(url)
                if entry is None:
                    assert work is store_and_evict or None in contents
                else:
                    assert_whole(entry)
                    assert entry.content in contents
            assert len(files_of(here, ".tmp")) <= 2
            age(here)
            keep(cache, "http://x/after", NEW)
        assert cache.load("http://x/after").content == NEW
        assert warned == []
        assert files_of(here, ".tmp") == []
        if status == 0:
            break
    else:
        pytest.fail("this takes more system calls than this test is for")
    assert call > (4 if work is confirm else 10)


def test_killed_at_many_moments(folder):
    """A process that stores and evicts as fast as it can is killed thirty times: every entry is whole."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=8)

    def endless():
        cache = Cache(folder, limits=limits)
        for turn in range(1_000_000):
            keep(cache, f"http://x/{turn % 12}", b"%d" % turn * 3000, fetched=datetime.now(UTC))
            if turn % 5 == 0:
                cache.close()

    chosen = random.Random(0)  # noqa: S311 - no secret
    loaded = 0
    for _ in range(30):
        child = os.fork()
        if child == 0:
            try:
                endless()
            finally:
                os._exit(1)
        time.sleep(chosen.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        warned = []
        with Cache(folder, on_warning=warned.append, limits=limits) as cache:
            for number in range(12):
                entry = cache.load(f"http://x/{number}")
                if entry is not None:
                    assert_whole(entry)
                    loaded += 1
            keep(cache, "http://x/after", NEW, fetched=datetime.now(UTC))
            assert len(files_of(folder, ".tmp")) <= 1
            age(folder)
        assert cache.load("http://x/after").content == NEW
        assert warned == []
        assert files_of(folder, ".tmp") == []
        assert len(files_of(folder, ".entry")) <= 8
    assert loaded > 0


@pytest.mark.parametrize("written", [0, 1, 100, len(NEW) - 1, len(NEW)])
def test_disk_full_in_the_middle(written, folder, in_child):
    """The kernel takes some bytes and refuses the rest: one warning, the old entry stays, and nothing else."""
    keep(Cache(folder))

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
        warned = []
        cache = Cache(folder, on_warning=warned.append)
        keep(cache, URL, NEW)
        keep(cache, OTHER, NEW)
        assert cache.load(URL).content == OLD
        assert cache.load(OTHER) is None
        assert len(warned) == 1
        assert "File too large" in warned[0]

    assert in_child(work) == 0
    assert files_of(folder, ".tmp") == []
    assert Cache(folder).load(URL).content == OLD


@pytest.mark.parametrize("work", mostly_slow([store_new, store_over, store_and_evict, confirm, load], every=4))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_each_system_call_failing(work, code, folder, monkeypatch):
    """Whatever call fails, with whatever error: nothing is raised, and what is there is whole."""
    real_stat = os.stat
    for call in range(1, 300):
        here = folder / str(call)
        keep(Cache(here))
        leave_abandoned(here)
        made = 0

        def failing(name, real, call=call):
            def called(*arguments, **options):
                nonlocal made
                made += 1
                if made == call and name != "close":
                    raise OSError(code, os.strerror(code))
                return real(*arguments, **options)

            return called

        with monkeypatch.context() as patched:
            for name in SYSTEM_CALLS:
                patched.setattr(os, name, failing(name, getattr(os, name)))
            work(here)
        assert os.stat is real_stat
        cache = Cache(here)
        for url in (URL, "http://x/new"):
            entry = cache.load(url)
            if entry is not None:
                assert_whole(entry)
        if work not in {store_over, store_and_evict, load}:
            assert cache.load(URL).content == OLD
        if made < call:
            break
    else:
        pytest.fail("this takes more system calls than this test is for")
    assert call > (4 if work is confirm else 10)


@pytest.fixture
def own_folder():
    """A folder that another user can reach: the superuser may write anywhere."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        yield Path(above) / "cache"


def test_read_only_folder(own_folder, in_child):
    """Nothing can be stored, with one warning; sound entries can be loaded, and a damaged one is not used."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    keep(Cache(own_folder))
    keep(Cache(own_folder), OTHER, NEW)
    (own_folder / entry_name(OTHER)).write_bytes(b"{}")
    for path in (own_folder, *own_folder.iterdir()):
        if os.geteuid() == 0:
            os.chown(path, user, user)
        path.chmod(0o500 if path == own_folder else 0o400)

    def work():
        if os.geteuid() == 0:
            os.setegid(user)
            os.seteuid(user)
        warned = []
        cache = Cache(own_folder, on_warning=warned.append)
        assert cache.load(URL).content == OLD
        for url in (URL, "http://x/new", "http://x/newer"):
            keep(cache, url, NEW)
            cache.confirm(url, fetched=WHEN + timedelta(days=1))
        assert len(warned) == 1
        assert "Permission denied; going on without it" in warned[0]
        assert cache.load(URL).content == OLD
        assert cache.load(OTHER) is None
        assert len(warned) == 2
        assert "damaged" in warned[1]
        assert "not removed" in warned[1]

    before = {path.name: path.read_bytes() for path in own_folder.iterdir()}
    try:
        assert in_child(work) == 0
        assert {path.name: path.read_bytes() for path in own_folder.iterdir()} == before
    finally:
        own_folder.chmod(0o700)


def test_folder_that_cannot_be_made(own_folder, in_child):
    """Nothing is kept, a warning says so, and the caller goes on."""
    above = own_folder.parent
    if os.geteuid() != 0:
        above.chmod(0o555)

    def work():
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        warned = []
        cache = Cache(own_folder / "below", on_warning=warned.append)
        keep(cache)
        cache.confirm(URL, fetched=WHEN)
        assert cache.load(URL) is None
        cache.close()
        assert len(warned) == 1
        assert "Permission denied" in warned[0]

    try:
        assert in_child(work) == 0
    finally:
        above.chmod(0o755)


@pytest.mark.parametrize("removed", [False, True])
def test_replaced_while_it_is_read(removed, folder, warned, monkeypatch):
    """Another process stores or evicts between the look at the time and the reading: no damage is reported."""
    keep(Cache(folder))
    real = OpenFolder.read

    def read(self, name, *, limit):
        monkeypatch.setattr(OpenFolder, "read", real)
        if removed:
            self.remove(name)
        else:
            keep(Cache(folder), URL, NEW, fetched=WHEN + timedelta(days=1))
        return real(self, name, limit=limit)

    monkeypatch.setattr(OpenFolder, "read", read)
    entry = Cache(folder, on_warning=warned.append).load(URL)
    if removed:
        assert entry is None
    else:
        assert (entry.content, entry.fetched) == (NEW, WHEN + timedelta(days=1))  # the time of this content
    assert warned == []
