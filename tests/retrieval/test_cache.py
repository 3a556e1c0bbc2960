"""The cache as its users see it: what is kept, for how long, in whose folder, and what is never believed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pkcs12kit import DEFAULT_LIMITS, OutputError
from pkcs12kit.retrieval.cache.cache import Cache
from pkcs12kit.retrieval.cache.entries import CacheRecord, decode_record, record_name

URL = "http://pki.example.mil/issuedto/CA37.p7c"
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
DATE = "Fri, 02 Jan 2026 03:04:05 GMT"


@pytest.fixture
def folder(tmp_path):
    """Where the cache is."""
    return tmp_path / "caches" / "pkcs12kit"


@pytest.fixture
def said():
    """What the cache said went wrong."""
    return []


@pytest.fixture
def cache(folder, said):
    """An empty cache."""
    return Cache(folder, on_damage=said.append)


def keep(cache, url=URL, content=b"content", *, fetched=WHEN, etag=None, last_modified=None):
    """Store with less typing."""
    cache.store(url, content, etag=etag, last_modified=last_modified, fetched=fetched)


def record_of(folder, url=URL):
    """The file with the record of a URL."""
    return folder / record_name(url)


def content_of(folder, content=b"content"):
    """The file with this content."""
    return folder / f"{hashlib.sha256(content).hexdigest()}.content"


def files(folder):
    """The names of all files but the lock."""
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_what_is_stored_is_loaded(cache, folder, said):
    """All of it, by another cache on the same folder, too; what was never stored is not there."""
    assert cache.load(URL) is None
    keep(cache, etag='W/"1-2"', last_modified=DATE)
    for reader in (cache, Cache(folder)):
        entry = reader.load(URL)
        assert entry.url == URL
        assert entry.content == b"content"
        assert entry.etag == 'W/"1-2"'
        assert entry.last_modified == DATE
        assert entry.fetched == WHEN
        assert entry.fetched.utcoffset() == timedelta(0)
        assert entry.sha256 == hashlib.sha256(b"content").hexdigest()
        assert entry.size == 7
    assert cache.load(URL + "?") is None
    assert said == []


def test_record_says_what_came_from_where_and_when(cache, folder):
    """JSON under the hash of the URL, content under its own."""
    keep(cache, etag='"1"', last_modified=DATE)
    record = json.loads(record_of(folder).read_bytes())
    checksum = record.pop("checksum")
    assert record == {
        "version": 1,
        "url": URL,
        "sha256": hashlib.sha256(b"content").hexdigest(),
        "size": 7,
        "etag": '"1"',
        "last_modified": DATE,
        "fetched": "2026-01-02T03:04:05.678901+00:00",
    }
    assert len(checksum) == 64
    assert record_of(folder).name == hashlib.sha256(URL.encode()).hexdigest() + ".json"
    assert content_of(folder).read_bytes() == b"content"


def test_one_content_for_many_urls(cache, folder):
    """Mirrors share a file, and each has its own record."""
    for number in range(3):
        keep(cache, f"{URL}{number}", fetched=WHEN + timedelta(hours=number))
    assert len(files(folder)) == 4
    assert [cache.load(f"{URL}{number}").fetched.hour for number in range(3)] == [3, 4, 5]


def test_stored_anew(cache, folder):
    """The later one counts; what no record names any more is gone after a check."""
    keep(cache, content=b"old", etag='"1"')
    keep(cache, content=b"new")
    assert cache.load(URL).content == b"new"
    assert cache.load(URL).etag is None
    assert content_of(folder, b"old").exists()
    report = cache.check()
    assert report.unreferenced == 1
    assert not content_of(folder, b"old").exists()
    assert cache.load(URL).content == b"new"


@pytest.mark.parametrize("content", [b"", b"\0" * 100, bytes(range(256)) * 5000])
def test_any_content(content, cache):
    """Bytes are bytes."""
    keep(cache, content=content)
    assert cache.load(URL).content == content


@pytest.mark.parametrize(
    "url",
    ["", "http://x/\n\r\x1b[31m", "http://x/é/字", "http://x/\ud800", "\U0001f600", "..", "../../x", "http://x/\0"],
)
def test_any_url(url, cache, folder):
    """A URL is never a path, and comes back as it was."""
    keep(cache, url)
    assert cache.load(url).url == url
    assert [record.url for record in cache] == [url]
    assert len(files(folder)) == 2
    record_of(folder, url).read_bytes().decode("ascii")


def test_confirmed(cache):
    """``confirm`` moves the time and nothing else, and only forwards; of what is not there it makes nothing."""
    keep(cache, etag='"1"', last_modified=DATE)
    before = cache.load(URL)
    later = WHEN + timedelta(days=1)
    cache.confirm(URL, fetched=later.astimezone(timezone(timedelta(hours=-5))))
    assert cache.load(URL) == replace(before, fetched=later)
    cache.confirm(URL, fetched=WHEN)
    assert cache.load(URL).fetched == later
    cache.confirm("http://x/other", fetched=later)
    assert cache.load("http://x/other") is None


def test_time_without_a_zone(cache, folder):
    """Refused: a caller's mistake, and not a damaged cache."""
    naive = WHEN.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        keep(cache, fetched=naive)
    with pytest.raises(ValueError, match="time zone"):
        cache.confirm(URL, fetched=naive)
    assert files(folder) == set()


def test_iteration_is_without_content(cache):
    """Each sound record, once."""
    for number in range(5):
        keep(cache, f"{URL}{number}", b"%d" % number)
    assert {record.url for record in cache} == {f"{URL}{number}" for number in range(5)}
    assert {type(record) for record in cache} == {CacheRecord}


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('"abc"', True),
        ('W/"5f1-abc"', True),
        ("unquoted", True),
        ('"' + "a" * 254 + '"', True),
        ('"' + "a" * 255 + '"', False),
        ("", False),
        ('"a b"', False),
        ('"a"\r\nCookie: x=y', False),
        ('"a"\n', False),
        ('"a\0"', False),
        ('"\x7f"', False),
        ('"é"', False),
    ],
)
def test_etag_that_can_be_sent_back(etag, kept, cache):
    """No control characters, no white space, a bound: no server writes a field into our next request (RFC 9110 5.5)."""
    keep(cache, etag=etag)
    assert cache.load(URL).etag == (etag if kept else None)


@pytest.mark.parametrize(
    ("date", "kept"),
    [
        (DATE, True),
        ("Friday, 02-Jan-26 03:04:05 GMT", True),
        ("Fri, 02 Jan 2026 03:04:05 +0000", True),
        (DATE + "\r\nHost: elsewhere", False),
        (DATE + "\n", False),
        (" " + DATE, False),
        ("", False),
        ("\t", False),
        ("a" * 256, True),
        ("a" * 257, False),
        ("Fri\x00", False),
        ("é", False),
    ],
)
def test_date_that_can_be_sent_back(date, kept, cache):
    """As for ETags: nothing but what dates are made of (RFC 9110 section 5.6.7)."""
    keep(cache, last_modified=date)
    assert cache.load(URL).last_modified == (date if kept else None)


def test_what_is_not_kept(folder, said):
    """Too large, too long, or with a password: said, not stored; the password is not repeated."""
    limits = replace(
        DEFAULT_LIMITS, retrieval_cache_bytes=5000, retrieval_crl_bytes=100, retrieval_response_bytes=50,
        retrieval_bundle_bytes=50, retrieval_url_characters=60,
    )  # fmt: skip
    cache = Cache(folder, on_damage=said.append, limits=limits)
    keep(cache, "http://x/large", b"x" * 101)
    keep(cache, "http://x/" + "y" * 52)
    keep(cache, "http://user:hunter2@x/")
    keep(cache, "http://[::1/")
    assert files(folder) == set()
    assert len(said) == 3
    assert "hunter2" not in "".join(said)
    keep(cache, "http://x/large", b"x" * 100)
    keep(cache, "http://x/" + "y" * 51)
    assert len(list(cache)) == 2


def test_oldest_goes_first_by_number(folder):
    """Never more URLs than ``retrieval_cache_entries``; the ones fetched longest ago go, however they were stored."""
    cache = Cache(folder, limits=replace(DEFAULT_LIMITS, retrieval_cache_entries=16))
    for number in range(40):
        age = (number * 7) % 40
        keep(cache, f"http://x/{age}", b"%d" % age, fetched=WHEN - timedelta(days=age))
        assert len(list(cache)) <= 16
    ages = {int(record.url.rpartition("/")[2]) for record in cache}
    assert set(range(10)) <= ages
    assert cache.load("http://x/0").content == b"0"
    assert len(files(folder)) == 2 * len(ages)


def test_oldest_goes_first_by_size(folder):
    """Never more than ``retrieval_cache_bytes`` in the folder; what is confirmed is as if it were fetched then."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_bytes=20_000)
    cache = Cache(folder, limits=limits)
    for number in range(30):
        keep(cache, f"http://x/{number}", b"%04d" % number * 500, fetched=WHEN + timedelta(minutes=number))
        cache.confirm("http://x/0", fetched=WHEN + timedelta(days=1))
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 20_000
    numbers = sorted(int(record.url.rpartition("/")[2]) for record in cache)
    assert numbers[0] == 0
    assert numbers[1:] == list(range(31 - len(numbers), 30))
    assert len(numbers) > 4


def test_limits_hold_across_caches(folder):
    """A new cache on the folder counts what others stored."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=8)
    for number in range(30):
        keep(Cache(folder, limits=limits), f"http://x/{number}", fetched=WHEN + timedelta(minutes=number))
    assert len(list(Cache(folder))) <= 8
    assert Cache(folder).load("http://x/29") is not None


def test_eviction_is_reported(folder):
    """A check under lower limits: what went, and what is left."""
    wide = Cache(folder)
    for number in range(10):
        keep(wide, f"http://x/{number}", b"%d" % number, fetched=WHEN + timedelta(minutes=number))
    report = Cache(folder, limits=replace(DEFAULT_LIMITS, retrieval_cache_entries=8)).check()
    assert (report.entries, report.evicted, report.damaged, report.unreferenced) == (7, 3, (), 0)
    assert report.size == sum(path.stat().st_size for path in folder.iterdir())
    assert report.to_json()["bytes"] == report.size


def test_platform_folder(monkeypatch, tmp_path):
    """Without a folder, what platformdirs says, and it is loaded only then."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = Cache()
    assert cache.folder.is_relative_to(tmp_path)
    assert cache.folder.name == "pkcs12kit"
    keep(cache)
    assert cache.load(URL).content == b"content"


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_for_its_owner_alone(umask, folder):
    """Folder 0700, files 0600, whatever the umask; above it, what the umask says."""
    folder.parent.mkdir(parents=True)
    before = os.umask(umask)
    try:
        keep(Cache(folder), etag='"1"')
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o720, 0o702])
def test_folder_that_others_can_write_to(mode, folder):
    """Refused, and left alone."""
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(OutputError, match="others may write"):
        Cache(folder)
    assert list(folder.iterdir()) == []


def test_folder_of_another_user(folder, monkeypatch):
    """Refused: its owner could change everything in it."""
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(OutputError, match="another user"):
        Cache(folder)


def test_folder_that_becomes_unsafe(cache, folder, said):
    """From then on there is nothing in it, and nothing is put in; nothing is raised."""
    keep(cache)
    folder.chmod(0o777)
    assert cache.load(URL) is None
    keep(cache, "http://x/other")
    cache.confirm(URL, fetched=WHEN + timedelta(days=1))
    assert list(cache) == []
    assert len(files(folder)) == 2
    assert len(said) == 1
    assert "others may write" in said[0]
    with pytest.raises(OutputError, match="others may write"):
        cache.check()


@pytest.mark.parametrize("target", ["folder", "nothing"])
def test_folder_that_is_a_link(target, tmp_path):
    """Refused, whatever it points to; links above it are the user's own."""
    if target == "folder":
        (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OutputError, match="symbolic link"):
        Cache(tmp_path / "link")
    if target == "folder":
        keep(Cache(tmp_path / "link" / "below"))
        assert (tmp_path / "target" / "below").is_dir()


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_folder_that_cannot_be(name, tmp_path):
    """No name for a folder, or a file in its place: an error, no traceback."""
    with pytest.raises(OutputError, match="no folder can have this name"):
        Cache(tmp_path / name)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="no folder"):
        Cache(tmp_path / "file")
    with pytest.raises(OutputError, match="without a name"):  # and not the current folder
        Cache("")


def test_folder_removed_meanwhile(cache, folder, said):
    """Nothing is there; the next store makes it again."""
    keep(cache)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert cache.load(URL) is None
    cache.confirm(URL, fetched=WHEN)
    assert list(cache) == []
    assert cache.check().entries == 0
    keep(cache)
    assert cache.load(URL).content == b"content"
    assert said == []


def test_files_of_others_stay(cache, folder):
    """Neither counted nor removed, in a folder that a user named."""
    for name in ("notes.txt", "a" * 64, ".pkcs12kit-lab", "x.json"):
        (folder / name).write_bytes(b"mine")
    keep(cache)
    assert cache.check().entries == 1
    assert {"notes.txt", "a" * 64, ".pkcs12kit-lab", "x.json"} <= files(folder)


def test_many_threads(folder, said):
    """Eight threads, the same URLs, limits that bite: whoever loads gets one whole entry or none."""
    cache = Cache(folder, on_damage=said.append, limits=replace(DEFAULT_LIMITS, retrieval_cache_entries=12))
    start = threading.Barrier(8)

    def work(number):
        start.wait()
        for turn in range(20):
            which = (turn * 5 + number) % 16
            url = f"http://x/{which}"
            keep(cache, url, f"{url} {number}".encode() * 50, etag=f'"{number}"', fetched=WHEN + timedelta(turn))
            entry = cache.load(url)
            if entry is not None:
                assert entry.content == f"{url} {entry.etag[1:-1]}".encode() * 50
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == list(range(8))
    assert said == []
    report = cache.check()
    assert report.damaged == ()
    assert 1 <= report.entries <= 12
    assert len(files(folder)) <= 2 * report.entries


def test_listener_may_use_the_cache(folder):
    """``on_damage`` is called outside of every lock."""
    said = []

    def listening(sentence):
        said.append(sentence)
        keep(cache)

    cache = Cache(folder, on_damage=listening)
    keep(cache)
    content_of(folder).write_bytes(b"CONTENT")
    assert cache.load(URL) is None
    assert len(said) == 1
    assert cache.load(URL).content == b"content"


def encoded(**changes):
    """A record with these fields changed, with a checksum that fits: what a forger who reads this code writes."""
    fields = {
        "version": 1, "url": URL, "sha256": hashlib.sha256(b"content").hexdigest(), "size": 7, "etag": None,
        "last_modified": None, "fetched": WHEN.isoformat(), **changes,
    }  # fmt: skip
    fields = {name: value for name, value in fields.items() if value is not ...}
    checksum = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    return (json.dumps({**fields, "checksum": checksum}, indent=1) + "\n").encode()


FORGED = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "null": b"null",
    "brackets": b"[" * 60_000,
    "digits": b"9" * 60_000,
    "huge": b" " * 70_000,
    "not ASCII": b"\xff\xfe{}",
    "an object": b"{}",
    "another version": encoded(version=2),
    "a true version": encoded(version=True),
    "another URL": encoded(url=URL + "2"),
    "no URL": encoded(url=...),
    "a number for a URL": encoded(url=7),
    "a path": encoded(sha256="../../../../etc/passwd"),
    "an absolute path": encoded(sha256="/etc/passwd"),
    "a path of the right length": encoded(sha256=("../" * 22)[:64]),
    "upper case": encoded(sha256=hashlib.sha256(b"content").hexdigest().upper()),
    "a line feed after": encoded(sha256=hashlib.sha256(b"content").hexdigest() + "\n"),
    "no digest": encoded(sha256=None),
    "a list": encoded(sha256=["a"]),
    "another digest": encoded(sha256="0" * 64),
    "another size": encoded(size=8),
    "a smaller size": encoded(size=6),
    "a negative size": encoded(size=-1),
    "a float": encoded(size=7.0),
    "a huge size": encoded(size=10**12),
    "true": encoded(size=True),
    "infinite": encoded(size=float("inf")),
    "an ETag with a line feed": encoded(etag='"a"\r\nX: y'),
    "a number for an ETag": encoded(etag=7),
    "an ETag of nothing": encoded(etag=""),
    "a date with a line feed": encoded(last_modified="a\r\nX: y"),
    "a list for a date": encoded(last_modified=[]),
    "no time": encoded(fetched=None),
    "a time without a zone": encoded(fetched="2026-01-02T03:04:05"),
    "a time in another zone": encoded(fetched="2026-01-02T03:04:05+01:00"),
    "a time out of range": encoded(fetched="0001-01-01T00:00:00+14:00"),
    "a word for a time": encoded(fetched="yesterday"),
    "more fields": encoded(more=1),
    "fewer fields": encoded(etag=...),
    "twice the same": encoded().replace(b'"size": 7,', b'"size": 7,\n "size": 7,'),
    "more after it": encoded() + b"\n",
}


def test_forger_can_write_what_we_write(cache, folder):
    """So that what follows is refused for what is wrong in it."""
    keep(cache)
    assert record_of(folder).read_bytes() == encoded()


@pytest.mark.parametrize("damage", FORGED)
def test_record_that_is_not_believed(damage, cache, folder, said):
    """Noticed, reported once, removed, and whole again after the next store."""
    keep(cache)
    record_of(folder).write_bytes(FORGED[damage])
    assert list(Cache(folder)) == ([] if damage not in {"another digest", "another size", "a smaller size"} else [
        decode_record(FORGED[damage], name=record_name(URL), longest=1000)
    ])  # fmt: skip
    assert cache.load(URL) is None
    assert len(said) == 1
    assert said[0].startswith(f"{URL}: ")
    assert said[0].endswith("; removed")
    assert not record_of(folder).exists()
    assert cache.load(URL) is None
    assert len(said) == 1
    keep(cache)
    assert cache.load(URL).content == b"content"


@pytest.mark.parametrize("damage", FORGED)
def test_record_found_by_a_check(damage, cache, folder):
    """Named, counted and removed, whatever else is there; also by the store that is first to look at the folder."""
    keep(cache)
    keep(cache, "http://x/sound", b"sound")
    record_of(folder).write_bytes(FORGED[damage])
    report = cache.check()
    assert report.entries == 1
    assert len(report.damaged) == 1
    assert report.damaged[0].startswith(record_name(URL))
    assert not content_of(folder).exists()
    assert cache.load("http://x/sound").content == b"sound"
    assert cache.check().damaged == ()


def as_folder(path):
    """A folder where a file belongs."""
    path.mkdir()


def as_full_folder(path):
    """A folder with something in it."""
    path.mkdir()
    (path / "mine").write_bytes(b"mine")


def as_link(path):
    """A symbolic link to the very same bytes, elsewhere."""
    other = path.parent.parent / "elsewhere"
    other.write_bytes(encoded() if path.suffix == ".json" else b"content")
    path.symlink_to(other)


def as_pipe(path):
    """A pipe that nobody writes to."""
    os.mkfifo(path)


def as_public_file(path):
    """The same bytes, for everybody to change."""
    path.write_bytes(encoded() if path.suffix == ".json" else b"content")
    path.chmod(0o666)


def as_huge_file(path):
    """A file of a size that would fill the memory."""
    with path.open("wb") as file:
        file.truncate(1 << 40)


def as_nothing(path):
    """Nothing."""


PUTTING = [as_folder, as_full_folder, as_link, as_pipe, as_public_file, as_huge_file]


@pytest.mark.parametrize("next_is", ["load", "store", "check"])
@pytest.mark.parametrize(
    ("put", "kind"), [*((put, kind) for put in PUTTING for kind in ("record", "content")), (as_nothing, "content")]
)
def test_something_else_in_the_place_of_a_file(put, kind, next_is, cache, folder, said):
    """Not followed, not waited for, not read whole; the next store writes it anew, and nothing of others is lost."""
    keep(cache)
    path = record_of(folder) if kind == "record" else content_of(folder)
    path.unlink()
    put(path)
    if next_is == "load":
        assert cache.load(URL) is None
        assert len(said) == 1
        assert "damaged" in said[0]
    elif next_is == "check":
        report = cache.check()
        assert len(report.damaged) == 1
        assert report.entries == 0
    keep(cache)
    assert cache.load(URL).content == b"content"
    assert cache.check().damaged == ()
    if put is as_link:
        assert (folder.parent / "elsewhere").read_bytes() in {b"content", encoded()}
    if put is as_full_folder:
        assert [path.read_bytes() for path in folder.glob("not-of-the-cache-*/mine")] == [b"mine"]


@pytest.mark.parametrize("put", [as_folder, as_link, as_pipe])
def test_something_else_in_the_place_of_the_lock(put, folder, said):
    """Nothing can be stored, which is said; what is there can be loaded."""
    keep(Cache(folder))
    (folder / ".lock").unlink()
    put(folder / ".lock")
    cache = Cache(folder, on_damage=said.append)
    keep(cache, "http://x/other")
    assert cache.load("http://x/other") is None
    assert cache.load(URL).content == b"content"
    assert len(said) == 1
    assert "cannot be used" in said[0]
