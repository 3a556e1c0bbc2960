"""Faults of the cache that are real, or as near as a test comes: damage, processes killed, several at once, full disks.

What always holds: an entry is whole or not there, nothing is raised for it, and what killed processes leave goes.
"""

from __future__ import annotations

import errno
import fcntl
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
from pkcs12kit.retrieval.cache import entries as cache_entries
from pkcs12kit.retrieval.cache.cache import Cache
from pkcs12kit.retrieval.cache.entries import record_name

URL = "http://pki.example.mil/issuedto/CA37.p7c"
OTHER = "http://pki.example.mil/issuedby/ROOT.p7c"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = b"old content " * 10
NEW = b"new content " * 11
SYSTEM_CALLS = (
    "open", "stat", "fstat", "mkdir", "fchmod", "write", "fsync", "lseek", "read", "replace", "unlink", "rmdir",
    "scandir", "close",
)  # fmt: skip


def keep(cache, url=URL, content=OLD, *, fetched=WHEN):
    """Store with less typing; the ETag says what the content must be."""
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    cache.store(url, content, etag=etag, last_modified=None, fetched=fetched)


def assert_whole(entry):
    """Record and content belong together."""
    assert entry.etag == f'"{hashlib.sha256(entry.content).hexdigest()}"'


@pytest.fixture
def folder(tmp_path):
    """Where the cache is."""
    return tmp_path / "cache"


@pytest.fixture
def said():
    """What the cache said went wrong."""
    return []


def files_of(folder, suffix):
    """Files of one kind in the folder."""
    return [path for path in folder.iterdir() if path.name.endswith(suffix)]


@pytest.mark.parametrize("kind", [".json", ".content"])
def test_every_byte_and_every_truncation(kind, folder):
    """Whatever byte is changed, cut off or added, in record or content: never believed, and said."""
    keep(Cache(folder))
    keep(Cache(folder), OTHER, NEW)
    record = folder / record_name(URL)
    path = record if kind == ".json" else folder / f"{hashlib.sha256(OLD).hexdigest()}.content"
    sound_record, sound = record.read_bytes(), path.read_bytes()
    damaged = [sound[:length] for length in range(len(sound))]
    damaged += [
        sound[:at] + bytes([sound[at] ^ mask]) + sound[at + 1 :] for at in range(len(sound)) for mask in (1, 0x20, 0x80)
    ]
    damaged += [sound + b"\0", sound + b"\n", sound + sound, b" " + sound]
    for data in damaged:
        path.write_bytes(data)
        said = []
        assert Cache(folder, on_damage=said.append).load(URL) is None
        assert len(said) == 1
        assert not record.exists()
        record.write_bytes(sound_record)
        record.chmod(0o600)
    path.write_bytes(sound)
    assert Cache(folder).load(URL).content == OLD
    assert Cache(folder).load(OTHER).content == NEW


def test_damaged_content_is_written_anew(folder):
    """A store of the same content does not take the damaged file for it, nor does another URL's."""
    cache = Cache(folder)
    for url in (URL, OTHER):
        keep(cache, url)
    (content,) = files_of(folder, ".content")
    content.write_bytes(OLD[:-1] + b"X")
    keep(cache)
    assert cache.load(URL).content == OLD
    assert cache.load(OTHER).content == OLD


def test_processes_at_once(folder, in_children):
    """Three store, load and confirm the same URLs, one checks without end, and there is never room for all."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=6, retrieval_cache_wait=60)
    urls = [f"http://x/{number}" for number in range(8)]
    seen = 150

    def failing(sentence):
        raise AssertionError(sentence)

    def user(seed):
        chosen = random.Random(seed)  # noqa: S311 - no secret
        cache = Cache(folder, on_damage=failing, limits=limits)
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
        assert loaded > seen // 4

    def checker():
        cache = Cache(folder, on_damage=failing, limits=limits)
        for _ in range(30):
            assert cache.check().damaged == ()

    with in_children([lambda seed=seed: user(seed) for seed in range(3)] + [checker]):
        pass
    cache = Cache(folder, on_damage=failing, limits=limits)
    keep(cache)
    assert cache.check().entries <= 6
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
    monkeypatch.setattr(fcntl, "flock", counting("flock", fcntl.flock))


def store_new(folder):
    """Store what was not there."""
    keep(Cache(folder), "http://x/new", NEW)


def store_over(folder):
    """Store what takes the place of an older content."""
    keep(Cache(folder), URL, NEW)


def store_and_evict(folder):
    """Store what makes the oldest go."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=2)
    keep(Cache(folder, limits=limits), "http://x/new", NEW, fetched=WHEN + timedelta(days=1))


def confirm(folder):
    """Confirm what is there."""
    Cache(folder).confirm(URL, fetched=WHEN + timedelta(days=1))


def check(folder):
    """Check the whole, with a content that no record names."""
    (folder / f"{'0' * 64}.content").write_bytes(b"unreferenced")
    Cache(folder).check()


def load(folder):
    """Load one entry that is damaged, and remove it."""
    (folder / f"{'0' * 64}.json").write_bytes(b"{}")
    (folder / record_name("http://x/damaged")).write_bytes(b"{}")
    Cache(folder).load("http://x/damaged")


@pytest.mark.parametrize("work", [store_new, store_over, store_and_evict, confirm, check, load])
def test_killed_before_each_system_call(work, folder, monkeypatch, in_child):
    """Between any two system calls: no handler runs, no lock stays, nothing half-done is seen, no litter stays."""
    for call in range(1, 300):
        here = folder / str(call)
        for url in (URL, OTHER):
            keep(Cache(here), url, b"%s " % url.encode() + OLD)

        def dying(call=call, here=here):
            kill_before(monkeypatch, call)
            work(here)

        status = in_child(dying)
        assert status in {0, -signal.SIGKILL}
        said = []
        cache = Cache(here, on_damage=said.append, limits=replace(DEFAULT_LIMITS, retrieval_cache_wait=0))
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
        keep(cache, "http://x/after", NEW)
        assert cache.load("http://x/after").content == NEW
        assert said == []
        assert files_of(here, ".tmp") == []
        cache.check()
        assert len(files_of(here, ".content")) <= len(files_of(here, ".json")) <= 4
        if status == 0:
            break
    else:
        pytest.fail("this takes more system calls than this test is for")
    assert call > 10


def test_killed_at_many_moments(folder):
    """A process that stores, evicts and checks as fast as it can, killed thirty times: what is there is whole."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=8)

    def endless():
        cache = Cache(folder, limits=limits)
        for turn in range(1_000_000):
            keep(cache, f"http://x/{turn % 12}", b"%d" % turn * 3000, fetched=datetime.now(UTC))
            if turn % 5 == 0:
                cache.check()

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
        said = []
        cache = Cache(folder, on_damage=said.append, limits=replace(limits, retrieval_cache_wait=0))
        for number in range(12):
            entry = cache.load(f"http://x/{number}")
            if entry is not None:
                assert_whole(entry)
                loaded += 1
        keep(cache, "http://x/after", NEW, fetched=datetime.now(UTC))
        assert cache.load("http://x/after").content == NEW
        assert said == []
        assert files_of(folder, ".tmp") == []
        assert len(files_of(folder, ".json")) <= 8
        assert len(files_of(folder, ".content")) <= 20
    assert loaded > 0


def test_stopped_process_is_not_waited_for(folder, said):
    """One that stopped in the folder, alone, is waited for as long as the limit says: no store, no end of the world."""
    keep(Cache(folder))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        held = os.open(folder / ".lock", os.O_RDWR)
        fcntl.flock(held, fcntl.LOCK_EX)
        os.write(writing, b"x")
        signal.pause()
    try:
        os.read(reading, 1)
        cache = Cache(folder, on_damage=said.append, limits=replace(DEFAULT_LIMITS, retrieval_cache_wait=0))
        keep(cache, OTHER, NEW)
        cache.confirm(URL, fetched=WHEN + timedelta(days=1))
        assert cache.load(OTHER) is None
        assert cache.load(URL).fetched == WHEN
        assert len(said) == 1
        assert "another process" in said[0]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
    keep(cache, OTHER, NEW)
    assert cache.load(OTHER).content == NEW


@pytest.mark.parametrize("written", [0, 1, 100, len(NEW) - 1, len(NEW)])
def test_disk_full_in_the_middle(written, folder, in_child):
    """The kernel takes some of the bytes and refuses the rest: said once, what was there stands, no litter."""
    keep(Cache(folder))

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
        said = []
        cache = Cache(folder, on_damage=said.append)
        keep(cache, URL, NEW)
        keep(cache, OTHER, NEW)
        assert cache.load(URL).content == OLD
        assert cache.load(OTHER) is None
        assert len(said) == 1
        assert "File too large" in said[0]

    assert in_child(work) == 0
    assert files_of(folder, ".tmp") == []
    assert Cache(folder).load(URL).content == OLD


@pytest.mark.parametrize("work", [store_new, store_over, store_and_evict, confirm, load])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_each_system_call_failing(work, code, folder, monkeypatch):
    """Whatever call fails, with whatever error: nothing is raised, and what is there is whole."""
    real_stat = os.stat
    for call in range(1, 300):
        here = folder / str(call)
        keep(Cache(here))
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
            patched.setattr(fcntl, "flock", failing("flock", fcntl.flock))
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
    assert call > 10


@pytest.fixture
def own_folder():
    """A folder below one that everybody may go through, and who owns it: the superuser may write anywhere."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        yield Path(above) / "cache"


def test_read_only_folder(own_folder, in_child):
    """Nothing can be stored, which is said once; what is there can be loaded, what is damaged is not believed."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    keep(Cache(own_folder))
    keep(Cache(own_folder), OTHER, NEW)
    (own_folder / record_name(OTHER)).write_bytes(b"{}")
    for path in (own_folder, *own_folder.iterdir()):
        if os.geteuid() == 0:
            os.chown(path, user, user)
        path.chmod(0o500 if path == own_folder else 0o400)

    def work():
        if os.geteuid() == 0:
            os.setegid(user)
            os.seteuid(user)
        said = []
        cache = Cache(own_folder, on_damage=said.append)
        assert cache.load(URL).content == OLD
        for url in (URL, "http://x/new", "http://x/newer"):
            keep(cache, url, NEW)
            cache.confirm(url, fetched=WHEN + timedelta(days=1))
        assert len(said) == 1
        assert "Permission denied; going on without" in said[0]
        assert cache.load(URL).content == OLD
        assert cache.load(OTHER) is None
        assert len(said) == 2
        assert "damaged" in said[1]
        assert "not removed" in said[1]

    before = {path.name: path.read_bytes() for path in own_folder.iterdir()}
    try:
        assert in_child(work) == 0
        assert {path.name: path.read_bytes() for path in own_folder.iterdir()} == before
    finally:
        own_folder.chmod(0o700)


def test_folder_that_cannot_be_made(own_folder, in_child):
    """Nothing is kept, which is said; the caller goes on."""
    above = own_folder.parent
    if os.geteuid() != 0:
        above.chmod(0o555)

    def work():
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        said = []
        cache = Cache(own_folder / "below", on_damage=said.append)
        keep(cache)
        cache.confirm(URL, fetched=WHEN)
        assert cache.load(URL) is None
        assert list(cache) == []
        assert cache.check().entries == 0
        assert len(said) == 1
        assert "Permission denied" in said[0]

    try:
        assert in_child(work) == 0
    finally:
        above.chmod(0o755)


@pytest.mark.parametrize("method", ["load", "check"])
def test_replaced_while_it_is_read(method, folder, said, monkeypatch):
    """Another process stores anew and clears away between our look at the record and at the content: no damage."""
    keep(Cache(folder))
    real = cache_entries.read_content
    reads = []

    def read_content(*arguments):
        reads.append(arguments)
        if len(reads) == 1:
            other = Cache(folder)
            keep(other, URL, NEW)
            assert other.check().unreferenced == 1
        return real(*arguments)

    monkeypatch.setattr(cache_entries, "read_content", read_content)
    cache = Cache(folder, on_damage=said.append)
    if method == "load":
        assert cache.load(URL).content == NEW
    else:
        assert cache.check().damaged == ()
    assert Cache(folder).load(URL).content == NEW
    assert said == []
