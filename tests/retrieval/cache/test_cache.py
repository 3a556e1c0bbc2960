"""The cache: what it keeps, how it keeps to its limits, which folder it accepts, and the entries that it refuses."""

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
from pkcs12kit.retrieval.cache.entries import entry_name

URL = "http://pki.example.mil/issuedto/CA37.p7c"
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
DATE = "Fri, 02 Jan 2026 03:04:05 GMT"


@pytest.fixture
def folder(tmp_path):
    """The folder of the cache."""
    return tmp_path / "caches" / "pkcs12kit"


@pytest.fixture
def warned():
    """The warnings of the cache."""
    return []


@pytest.fixture
def cache(folder, warned):
    """An empty cache."""
    return Cache(folder, on_warning=warned.append)


def keep(cache, url=URL, content=b"content", *, fetched=WHEN, etag=None, last_modified=None):
    """Store with less typing."""
    cache.store(url, content, etag=etag, last_modified=last_modified, fetched=fetched)


def file_of(folder, url=URL):
    """The file of a URL."""
    return folder / entry_name(url)


def urls(folder):
    """The URLs in the folder, by the headers of its entries."""
    return {json.loads(path.read_bytes().partition(b"\n")[0])["url"] for path in folder.glob("*.entry")}


def files(folder):
    """The names of all files."""
    return {path.name for path in folder.iterdir()}


def test_what_is_stored_is_loaded(cache, folder, warned):
    """Every part is loaded, by another cache on the same folder as well; a URL that was not stored has no entry."""
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
    assert cache.load(URL + "?") is None
    assert warned == []


def test_file_has_a_header_and_the_content(cache, folder):
    """One line of JSON, then the content as it came; the name is the SHA-256 of the URL. The mtime orders eviction."""
    keep(cache, etag='"1"', last_modified=DATE)
    line, _, content = file_of(folder).read_bytes().partition(b"\n")
    header = json.loads(line)
    checksum = header.pop("checksum")
    assert header == {
        "version": 3,
        "url": URL,
        "sha256": hashlib.sha256(b"content").hexdigest(),
        "etag": '"1"',
        "last_modified": DATE,
        "fetched": WHEN.isoformat(),
    }
    assert len(checksum) == 64
    assert content == b"content"
    assert file_of(folder).name == hashlib.sha256(URL.encode()).hexdigest() + ".entry"
    assert datetime.fromtimestamp(file_of(folder).stat().st_mtime, UTC) == pytest.approx(WHEN, abs=timedelta(seconds=1))


def test_stored_again(cache, folder):
    """The later response replaces the earlier one."""
    keep(cache, content=b"old", etag='"1"')
    keep(cache, content=b"new")
    assert cache.load(URL).content == b"new"
    assert cache.load(URL).etag is None
    assert len(files(folder)) == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 100, bytes(range(256)) * 5000])
def test_any_content(content, cache):
    """Any bytes are loaded as they were stored."""
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
    assert urls(folder) == {url}
    assert len(files(folder)) == 1
    file_of(folder, url).read_bytes().decode("ascii")


def test_confirmed(cache):
    """``confirm`` changes only the time, and only to a later one; it does not create an entry."""
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
    """A time without a time zone is the caller's error, and is raised."""
    naive = WHEN.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        keep(cache, fetched=naive)
    with pytest.raises(ValueError, match="time zone"):
        cache.confirm(URL, fetched=naive)
    assert files(folder) == set()


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
    """No control characters, no white space, bounded: no server can add a field to the next request (RFC 9110 5.5)."""
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
    """As for ETags: only the characters of dates (RFC 9110 section 5.6.7)."""
    keep(cache, last_modified=date)
    assert cache.load(URL).last_modified == (date if kept else None)


def test_what_is_not_kept(folder, warned):
    """Too large, too long, or with a password: warned, not stored; the password is not repeated."""
    limits = replace(
        DEFAULT_LIMITS, retrieval_cache_bytes=5000, retrieval_crl_bytes=100, retrieval_response_bytes=50,
        retrieval_bundle_bytes=50, retrieval_url_characters=60,
    )  # fmt: skip
    cache = Cache(folder, on_warning=warned.append, limits=limits)
    keep(cache, "http://x/large", b"x" * 101)
    keep(cache, "http://x/" + "y" * 52)
    keep(cache, "http://user:hunter2@x/")
    keep(cache, "http://[::1/")
    assert files(folder) == set()
    assert len(warned) == 3
    assert "hunter2" not in "".join(warned)
    keep(cache, "http://x/large", b"x" * 100)
    keep(cache, "http://x/" + "y" * 51)
    assert len(files(folder)) == 2


def test_oldest_goes_first_by_number(folder):
    """After ``close``, at most ``retrieval_cache_entries``: the newest by time, in whatever order they were stored."""
    with Cache(folder, limits=replace(DEFAULT_LIMITS, retrieval_cache_entries=16)) as cache:
        for number in range(40):
            age = (number * 7) % 40
            keep(cache, f"http://x/{age}", b"%d" % age, fetched=WHEN - timedelta(days=age))
        assert len(files(folder)) == 40
    assert urls(folder) == {f"http://x/{age}" for age in range(16)}
    assert cache.load("http://x/0").content == b"0"


def test_oldest_goes_first_by_size(folder):
    """After ``close``, at most ``retrieval_cache_bytes`` in the folder; a confirmed entry counts as fetched then."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_bytes=20_000)
    with Cache(folder, limits=limits) as cache:
        for number in range(30):
            keep(cache, f"http://x/{number}", b"%04d" % number * 500, fetched=WHEN + timedelta(minutes=number))
            cache.confirm("http://x/0", fetched=WHEN + timedelta(days=1))
    assert 15_000 < sum(path.stat().st_size for path in folder.iterdir()) <= 20_000
    numbers = sorted(int(url.rpartition("/")[2]) for url in urls(folder))
    assert numbers == [0, *range(31 - len(numbers), 30)]
    assert len(numbers) > 4


def test_limits_hold_across_caches(folder):
    """A later cache counts the entries of earlier ones; one that stores nothing removes nothing."""
    limits = replace(DEFAULT_LIMITS, retrieval_cache_entries=8)
    for number in range(12):
        keep(Cache(folder), f"http://x/{number}", fetched=WHEN + timedelta(minutes=number))
    with Cache(folder, limits=limits) as cache:
        assert cache.load("http://x/0") is not None
    assert len(files(folder)) == 12
    with Cache(folder, limits=limits) as cache:
        keep(cache, "http://x/12", fetched=WHEN + timedelta(days=1))
    assert urls(folder) == {f"http://x/{number}" for number in range(5, 13)}


def test_abandoned_temporary_files(folder):
    """``close`` removes what a killed process left an hour ago; a file that is being written now stays."""
    names = {".pkcs12kit-00.tmp", ".pkcs12kit-01.tmp"}
    with Cache(folder) as cache:
        keep(cache)
        for name in names:
            (folder / name).write_bytes(b"half")
        os.utime(folder / min(names), (0, 0))
    assert files(folder) == {entry_name(URL), max(names)}


def test_platform_folder(monkeypatch, tmp_path):
    """Without a folder, the cache is in the one that platformdirs names."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = Cache()
    assert cache.folder.is_relative_to(tmp_path)
    assert cache.folder.name == "pkcs12kit"
    keep(cache)
    assert cache.load(URL).content == b"content"


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_for_its_owner_alone(umask, folder):
    """Folder 0700 and files 0600, whatever the umask."""
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
    """A folder that others can write to is refused and not changed."""
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(OutputError, match="others may write"):
        Cache(folder)
    assert list(folder.iterdir()) == []


def test_folder_of_another_user(folder, monkeypatch):
    """A folder of another user is refused: its owner could change everything in it."""
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(OutputError, match="another user"):
        Cache(folder)


def test_folder_that_becomes_unsafe(cache, folder, warned):
    """From then on nothing is loaded or stored, and nothing is raised."""
    keep(cache)
    folder.chmod(0o777)
    assert cache.load(URL) is None
    keep(cache, "http://x/other")
    cache.confirm(URL, fetched=WHEN + timedelta(days=1))
    cache.close()
    assert len(files(folder)) == 1
    assert len(warned) == 1
    assert "others may write" in warned[0]


@pytest.mark.parametrize("target", ["folder", "nothing"])
def test_folder_that_is_a_link(target, tmp_path):
    """A symbolic link is refused, whatever its target; links among the folders above are accepted."""
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
    """A name that no folder can have, and a file in its place, are an error of the project."""
    with pytest.raises(OutputError, match="no folder can have this name"):
        Cache(tmp_path / name)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="no folder"):
        Cache(tmp_path / "file")
    with pytest.raises(OutputError, match="without a name"):  # and not the current folder
        Cache("")


def test_folder_removed_meanwhile(cache, folder, warned):
    """A removed folder has no entries; the next store makes it again."""
    keep(cache)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert cache.load(URL) is None
    cache.confirm(URL, fetched=WHEN)
    cache.close()
    keep(cache)
    assert cache.load(URL).content == b"content"
    assert warned == []


def test_files_of_others_stay(cache, folder):
    """Files of others in a folder that a user named are not removed."""
    for name in ("notes.txt", "a" * 64, ".pkcs12kit-lab", "x.json"):
        (folder / name).write_bytes(b"mine")
    keep(cache)
    cache.close()
    assert {"notes.txt", "a" * 64, ".pkcs12kit-lab", "x.json"} <= files(folder)


def test_many_threads(folder, warned):
    """Eight threads, the same URLs, and limits that apply: each load finds one whole entry or none."""
    cache = Cache(folder, on_warning=warned.append, limits=replace(DEFAULT_LIMITS, retrieval_cache_entries=12))
    start = threading.Barrier(8)

    def work(number):
        start.wait()
        for turn in range(20):
            which = (turn * 5 + number) % 16
            url = f"http://x/{which}"
            if turn % 5 == 0:
                cache.close()
            keep(cache, url, f"{url} {number}".encode() * 50, etag=f'"{number}"', fetched=WHEN + timedelta(turn))
            entry = cache.load(url)
            if entry is not None:
                assert entry.content == f"{url} {entry.etag[1:-1]}".encode() * 50
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == list(range(8))
    cache.close()
    assert 1 <= len(files(folder)) <= 12
    assert all(cache.load(url) is not None for url in urls(folder))
    assert warned == []


def test_listener_may_use_the_cache(folder):
    """``on_warning`` is called outside of every lock."""
    warned = []

    def listening(sentence):
        warned.append(sentence)
        keep(cache)

    cache = Cache(folder, on_warning=listening)
    keep(cache)
    file_of(folder).write_bytes(file_of(folder).read_bytes().replace(b"content", b"CONTENT"))
    assert cache.load(URL) is None
    assert len(warned) == 1
    assert cache.load(URL).content == b"content"


def encoded(content=b"content", **changes):
    """A file with these fields changed and a checksum that fits, as a forger who reads this code can write it."""
    fields = {
        "version": 3, "url": URL, "sha256": hashlib.sha256(b"content").hexdigest(), "etag": None,
        "last_modified": None, "fetched": WHEN.isoformat(), **changes,
    }  # fmt: skip
    fields = {name: value for name, value in fields.items() if value is not ...}
    checksum = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    return (json.dumps({**fields, "checksum": checksum}) + "\n").encode() + content


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
    "a float for a version": encoded(version=3.0),
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
    "another content": encoded(b"CONTENT"),
    "no content": encoded(b""),
    "less content": encoded(b"conten"),
    "more content": encoded(b"content\n"),
    "no line feed": encoded(b"")[:-1],
    "an ETag with a line feed": encoded(etag='"a"\r\nX: y'),
    "a number for an ETag": encoded(etag=7),
    "an ETag of nothing": encoded(etag=""),
    "a date with a line feed": encoded(last_modified="a\r\nX: y"),
    "a list for a date": encoded(last_modified=[]),
    "no time": encoded(fetched=...),
    "a number for a time": encoded(fetched=7),
    "no text for a time": encoded(fetched=None),
    "a word for a time": encoded(fetched="now"),
    "a time without a zone": encoded(fetched="2026-01-02T03:04:05"),
    "a time of another zone": encoded(fetched="2026-01-02T04:04:05+01:00"),
    "a time beyond the calendar": encoded(fetched="9999-12-31T23:59:59-01:00"),
    "more fields": encoded(more=1),
    "fewer fields": encoded(etag=...),
    "twice the same": encoded().replace(b'"etag": null,', b'"etag": null, "etag": null,'),
    "another spelling": encoded().replace(b", ", b","),
    "a longer header": b"{" + b" " * 70_000 + encoded()[1:],
}


def test_forger_can_write_what_we_write(cache, folder):
    """The forger's function writes the same bytes as the cache: the next tests refuse only the change."""
    keep(cache)
    assert file_of(folder).read_bytes() == encoded()


@pytest.mark.parametrize("damage", FORGED)
def test_entry_that_is_refused(damage, cache, folder, warned):
    """A forged entry is reported once and removed; the next store writes a sound one."""
    keep(cache)
    file_of(folder).write_bytes(FORGED[damage])
    assert cache.load(URL) is None
    assert len(warned) == 1
    assert warned[0].startswith(f"{URL}: ")
    assert warned[0].endswith("; removed")
    assert not file_of(folder).exists()
    assert cache.load(URL) is None
    assert len(warned) == 1
    keep(cache)
    assert cache.load(URL).content == b"content"


@pytest.mark.parametrize("nanoseconds", [-(2**62), -1, 0, 2**62])
def test_the_time_is_not_that_of_the_file(nanoseconds, cache, folder):
    """Whatever time a file has, the time of fetching is the one that was stored with the content."""
    keep(cache)
    os.utime(file_of(folder), ns=(nanoseconds, nanoseconds))
    assert (cache.load(URL).content, cache.load(URL).fetched) == (b"content", WHEN)


def test_a_copied_folder_is_as_old_as_the_first(cache, folder, tmp_path):
    """A copy or a restored backup has new times of files; its contents are not taken for fresh."""
    keep(cache)
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    for name in files(folder):
        (copy / name).touch(mode=0o600)
        (copy / name).write_bytes((folder / name).read_bytes())
    assert Cache(copy).load(URL) == cache.load(URL)
    Cache(copy).confirm(URL, fetched=WHEN + timedelta(days=1))
    assert Cache(copy).load(URL).fetched == WHEN + timedelta(days=1)
    assert cache.load(URL).fetched == WHEN


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
    other.write_bytes(encoded())
    path.symlink_to(other)


def as_pipe(path):
    """A pipe without a writer."""
    os.mkfifo(path)


def as_public_file(path):
    """The same bytes in a file that everyone can write to."""
    path.write_bytes(encoded())
    path.chmod(0o666)


def as_huge_file(path):
    """A file of a size that would fill the memory."""
    with path.open("wb") as file:
        file.truncate(1 << 40)


PUTTING = [as_folder, as_full_folder, as_link, as_pipe, as_public_file, as_huge_file]


@pytest.mark.parametrize("next_is", ["load", "store"])
@pytest.mark.parametrize("put", PUTTING)
def test_something_else_in_the_place_of_a_file(put, next_is, cache, folder, warned):
    """It is not followed, not waited for and not read whole; the next store replaces it, and keeps others' files."""
    keep(cache)
    path = file_of(folder)
    path.unlink()
    put(path)
    if next_is == "load":
        assert cache.load(URL) is None
        assert len(warned) == 1
        assert "damaged" in warned[0]
    keep(cache)
    assert cache.load(URL).content == b"content"
    cache.close()
    assert cache.load(URL).content == b"content"
    if put is as_link:
        assert (folder.parent / "elsewhere").read_bytes() == encoded()
    if put is as_full_folder:
        assert [path.read_bytes() for path in folder.glob("not-of-the-cache-*/mine")] == [b"mine"]


@pytest.mark.parametrize("put", PUTTING)
def test_eviction_of_something_else(put, folder):
    """Where it is the oldest, ``close`` removes it like an entry, and keeps others' files."""
    with Cache(folder, limits=replace(DEFAULT_LIMITS, retrieval_cache_entries=1)) as cache:
        put(file_of(folder))
        os.utime(file_of(folder), (0, 0), follow_symlinks=False)
        keep(cache, "http://x/new", b"new")
    assert cache.load("http://x/new").content == b"new"
    assert not os.path.lexists(file_of(folder))
    if put is as_full_folder:
        assert [path.read_bytes() for path in folder.glob("not-of-the-cache-*/mine")] == [b"mine"]
