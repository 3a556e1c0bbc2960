"""The folder of gathered certificates: file names, index, later runs, and files of others."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkcs12kit import DEFAULT_LIMITS, LimitExceededError, OutputError, load_certificates
from pkcs12kit import files as writing
from pkcs12kit.lab import Authority
from pkcs12kit.retrieval.output_folder import file_name, require_folder, write_folder
from pkcs12kit.retrieval.retrieved import GatheredCertificate, Origin

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AIA = "http://pki.example.mil/issuedto/CA37.p7c"
SIA = "http://pki.example.mil/issuedby/ROOT.p7c"


def gathered(certificate, *urls, at=WHEN):
    """Return a gathered certificate with these URLs."""
    return GatheredCertificate(certificate=certificate, origins=tuple(Origin(url=url, fetched=at) for url in urls))


def named(text):
    """A self-signed certificate with this common name."""
    return Authority.create(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])).certificate


@pytest.fixture(scope="module")
def certificates():
    """A root, a CA below it, and that CA cross-certified by another root."""
    root, bridge, issuing = map(Authority.create, ("DoD Root CA 3", "Federal Bridge CA", "DOD ID SW CA-37"))
    return (root.certificate, root.issue_ca(issuing), bridge.issue_ca(issuing))


def index_of(folder):
    """The index, by file name."""
    return {entry["file"]: entry for entry in json.loads((folder / "index.json").read_bytes())["certificates"]}


def test_just_these_certificates(certificates, tmp_path):
    """``load_certificates`` reads the written certificates without rejects; a file's SHA-256 is the fingerprint."""
    folder = tmp_path / "new" / "folder"
    report = write_folder([gathered(certificate, AIA) for certificate in certificates], folder)
    pool = load_certificates(folder)
    assert set(pool) == set(certificates)
    assert pool.rejects == ()
    assert sorted(report.new) == sorted(map(file_name, certificates))
    assert report.unchanged == report.gone == report.kept == report.left == ()
    for certificate in certificates:
        path = folder / file_name(certificate)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == certificate.sha256
    assert sorted(path.name for path in folder.iterdir()) == sorted([*report.new, "index.json"])


def test_names_that_a_person_can_read(certificates):
    """Subject, issuer, and enough of the fingerprint to keep cross-certificates of one subject apart."""
    root, issuing, crossed = certificates
    assert file_name(root).startswith("DoD-Root-CA-3_by_DoD-Root-CA-3_")
    assert file_name(issuing) == f"DOD-ID-SW-CA-37_by_DoD-Root-CA-3_{issuing.sha256[:32]}.cer"
    assert file_name(crossed).startswith("DOD-ID-SW-CA-37_by_Federal-Bridge-CA_")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("../../etc/passwd", "etc-passwd_by_etc-passwd_"),
        ("/abs", "abs_by_abs_"),
        (".hidden", "hidden_by_hidden_"),
        ("-rf *", "rf_by_rf_"),
        ("a\x1b[31m\r\nb", "a-31m-b_by_a-31m-b_"),
        ("Autorité Française", "Autorite-Francaise_by_"),
        ("Россия", "unnamed_by_unnamed_"),
        ("con.", "con_by_con_"),
        ("w" * 64, "w" * 40 + "_by_" + "w" * 40 + "_"),
    ],
)
def test_names_from_outside_are_never_paths(text, start, tmp_path):
    """Whatever the subject, the name is one visible file in the folder, of bounded length."""
    certificate = named(text)
    name = file_name(certificate)
    assert name.startswith(start)
    assert len(name) <= 121
    write_folder([gathered(certificate, AIA)], tmp_path / "into")
    assert sorted(path.name for path in (tmp_path / "into").iterdir()) == sorted([name, "index.json"])
    assert [path.name for path in tmp_path.iterdir()] == ["into"]
    assert list(load_certificates(tmp_path / "into")) == [certificate]


def test_index_says_what_and_where_from(certificates, tmp_path):
    """The index has each certificate in the form of ``--json``, with its URLs and their last times."""
    root, issuing, _ = certificates
    later = WHEN + timedelta(hours=1)
    write_folder([gathered(root, SIA), gathered(issuing, AIA), gathered(root, AIA, SIA, at=later)], tmp_path)
    index = index_of(tmp_path)
    assert index[file_name(root)] == {
        "file": file_name(root),
        **root.to_json(),
        "origins": [
            {"url": SIA, "fetched": "2026-01-02T04:04:05Z"},
            {"url": AIA, "fetched": "2026-01-02T04:04:05Z"},
        ],
    }
    assert [origin["url"] for origin in index[file_name(issuing)]["origins"]] == [AIA]


def test_index_is_never_read_as_certificates(certificates, tmp_path):
    """With a PEM block in a name or a URL, the folder still has only the gathered certificates."""
    root, issuing, crossed = certificates
    block = crossed.to_pem().replace("\n", "")
    write_folder(
        [gathered(root, f"http://a/{block}", "http://a/-----BEGIN CERTIFICATE-----"), gathered(issuing)], tmp_path
    )
    assert b"-----" not in (tmp_path / "index.json").read_bytes()
    assert index_of(tmp_path)[file_name(root)]["origins"][1]["url"] == f"http://a/{block}"
    pool = load_certificates(tmp_path)
    assert set(pool) == {root, issuing}
    assert pool.rejects == ()


def state(folder):
    """The state of every file, to see that it was not touched."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_second_run_touches_nothing_that_is_as_it_was(certificates, tmp_path):
    """The same certificates in another order: no file is written, not even the index."""
    items = [gathered(certificate, AIA) for certificate in certificates]
    first = write_folder(items, tmp_path)
    before = state(tmp_path)
    second = write_folder(reversed(items), tmp_path)
    assert state(tmp_path) == before
    assert second.new == ()
    assert second.unchanged == first.new


def test_new_and_gone(certificates, tmp_path):
    """The file of a certificate that is not gathered again is removed; a new one is written, and others stay."""
    root, issuing, crossed = certificates
    write_folder([gathered(root, SIA), gathered(issuing, AIA)], tmp_path)
    before = state(tmp_path)[file_name(root)]
    report = write_folder([gathered(root, SIA), gathered(crossed, AIA)], tmp_path)
    assert report.to_json() == {
        "folder": str(tmp_path),
        "new": [file_name(crossed)],
        "unchanged": [file_name(root)],
        "gone": [file_name(issuing)],
        "kept": [],
        "left": [],
    }
    assert state(tmp_path)[file_name(root)] == before
    assert set(load_certificates(tmp_path)) == {root, crossed}
    assert set(index_of(tmp_path)) == {file_name(root), file_name(crossed)}


def test_no_answer_is_not_gone(certificates, tmp_path):
    """A certificate from a URL that does not answer stays with its origins, and is removed in a later run."""
    root, issuing, _ = certificates
    write_folder([gathered(root, SIA, AIA), gathered(issuing, AIA)], tmp_path)
    before = index_of(tmp_path)
    report = write_folder([gathered(root, SIA)], tmp_path, unanswered=[AIA])
    assert report.kept == (file_name(issuing),)
    assert report.gone == ()
    assert index_of(tmp_path) == before
    assert set(load_certificates(tmp_path)) == {root, issuing}
    report = write_folder([gathered(root, SIA)], tmp_path)
    assert report.gone == (file_name(issuing),)
    assert set(load_certificates(tmp_path)) == {root}


def test_files_of_others_stay(certificates, tmp_path):
    """Files that no index names, and changed files, are neither removed nor replaced."""
    root, issuing, crossed = certificates
    (tmp_path / "notes.txt").write_bytes(b"mine")
    (tmp_path / "mine.cer").write_bytes(crossed.der)
    write_folder([gathered(root), gathered(issuing)], tmp_path)
    (tmp_path / file_name(issuing)).write_bytes(crossed.der)
    report = write_folder([gathered(root)], tmp_path)
    assert report.left == (file_name(issuing),)
    assert report.gone == ()
    assert (tmp_path / "notes.txt").read_bytes() == b"mine"
    assert (tmp_path / "mine.cer").read_bytes() == crossed.der
    assert (tmp_path / file_name(issuing)).read_bytes() == crossed.der
    assert set(index_of(tmp_path)) == {file_name(root)}


def as_folder(path):
    """A folder where a file belongs."""
    path.mkdir()


def as_link(path):
    """A symbolic link to a file elsewhere."""
    other = path.parent.parent / "elsewhere"
    other.write_bytes(b"precious")
    path.symlink_to(other)


def as_other_file(path):
    """Something else."""
    path.write_bytes(b"mine")


@pytest.mark.parametrize("put", [as_folder, as_link, as_other_file])
@pytest.mark.parametrize("place", ["certificate", "index"])
def test_name_that_is_taken(put, place, certificates, tmp_path):
    """Where something else has a needed name, nothing is written, and the error names it."""
    folder = tmp_path / "into"
    folder.mkdir()
    name = file_name(certificates[0]) if place == "certificate" else "index.json"
    put(folder / name)
    before = state(folder)
    with pytest.raises(OutputError, match="move it away"):
        write_folder([gathered(certificate, AIA) for certificate in certificates], folder)
    assert state(folder) == before
    if put is as_link:
        assert (tmp_path / "elsewhere").read_bytes() == b"precious"


def test_link_put_where_a_certificate_was(certificates, tmp_path):
    """A link in the place of a listed certificate is neither followed nor removed."""
    root, issuing, _ = certificates
    folder = tmp_path / "into"
    write_folder([gathered(root), gathered(issuing)], folder)
    (folder / file_name(issuing)).unlink()
    (tmp_path / "elsewhere").write_bytes(issuing.der)
    (folder / file_name(issuing)).symlink_to(tmp_path / "elsewhere")
    assert write_folder([gathered(root)], folder).left == (file_name(issuing),)
    assert (folder / file_name(issuing)).is_symlink()


def test_damaged_index(certificates, tmp_path):
    """Each truncated index is refused; so is each changed byte, or it changes a harmless text. No file is removed."""
    root = certificates[0]
    write_folder([gathered(root, AIA)], tmp_path)
    index = tmp_path / "index.json"
    sound = index.read_bytes()
    truncated = [sound[:length] for length in range(len(sound))]
    flipped = [sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :] for at in range(len(sound))]
    refused = []
    for data in (*truncated, *flipped):
        index.write_bytes(data)
        try:
            write_folder([gathered(root, AIA)], tmp_path)
        except OutputError:
            refused.append(data)
            assert index.read_bytes() == data
        else:
            assert index.read_bytes() == sound
        assert (tmp_path / file_name(root)).read_bytes() == root.der
    assert refused[: len(truncated)] == truncated
    assert len(refused) > len(truncated) + len(flipped) // 4


def forged(entry, **changes):
    """An index with one changed entry, in the written form."""
    data = {"format": "certificates gathered by pkcs12kit, version 1", "certificates": [{**entry, **changes}]}
    return (json.dumps(data, indent=2) + "\n").encode("ascii")


@pytest.mark.parametrize("name", ["../precious.cer", "precious.cer", "/etc/precious.cer", "index.json", "", None, 7])
def test_index_that_names_files_of_others(name, certificates, tmp_path):
    """An index can cause the removal only of files with their own fingerprint in the name."""
    root, issuing, _ = certificates
    folder = tmp_path / "into"
    write_folder([gathered(root)], folder)
    entry = index_of(folder)[file_name(root)]
    for place in (folder, tmp_path):
        (place / "precious.cer").write_bytes(issuing.der)
    (folder / "index.json").write_bytes(forged(entry, file=name, sha256=issuing.sha256))
    with pytest.raises(OutputError, match="index"):
        write_folder([], folder)
    assert (folder / "precious.cer").exists()
    assert (tmp_path / "precious.cer").exists()
    (folder / "index.json").write_bytes(forged(entry))  # and that is what it would have taken
    assert write_folder([], folder).gone == (file_name(root),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'"text"',
        b"[" * 100_000,
        b'{"certificates": [[]]}',
        b'{"certificates": [{}]}',
        b'{"certificates": 5}',
        b'{"certificates": []}',
        b"\xff\xfe",
    ],
)
def test_index_that_is_nonsense(data, certificates, tmp_path):
    """JSON of any shape, and other data."""
    (tmp_path / "index.json").write_bytes(data)
    with pytest.raises(OutputError, match="not an index"):
        write_folder([gathered(certificates[0])], tmp_path)
    assert (tmp_path / "index.json").read_bytes() == data


def test_index_of_a_size_that_would_not_be_read(certificates, tmp_path):
    """``limits.input_bytes`` holds before anything is written."""
    limits = replace(DEFAULT_LIMITS, input_bytes=1000)
    with pytest.raises(LimitExceededError, match=r"limits\.input_bytes"):
        write_folder([gathered(certificate, AIA) for certificate in certificates], tmp_path, limits=limits)
    assert list(tmp_path.iterdir()) == []
    write_folder([gathered(certificates[0], AIA)], tmp_path, limits=limits)


def test_stopped_before_each_system_call(certificates, tmp_path, monkeypatch):
    """A process that is killed anywhere leaves whole files; the next run completes the folder."""
    root, issuing, crossed = certificates
    seen = set()
    for call in range(1, 500):
        folder = tmp_path / str(call)
        write_folder([gathered(root, SIA), gathered(issuing, AIA)], folder)
        child = os.fork()
        if child == 0:
            _stop_before(monkeypatch, call)
            write_folder([gathered(root, SIA), gathered(crossed, AIA)], folder)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in {0, 77}
        pool = load_certificates(folder)
        assert pool.rejects == ()
        assert set(pool) <= {root, issuing, crossed}
        seen.add(frozenset(pool))
        write_folder([gathered(root, SIA), gathered(crossed, AIA)], folder)
        assert set(load_certificates(folder)) == {root, crossed}
        if status == 0:
            break
    else:
        pytest.fail("a run takes more system calls than this test is for")
    assert len(seen) == 3


def _stop_before(monkeypatch, call):
    made = 0

    def counting(real):
        def counted(*arguments, **options):
            nonlocal made
            made += 1
            if made == call:
                os._exit(77)
            return real(*arguments, **options)

        return counted

    for name in ("open", "stat", "write", "fsync", "replace", "unlink", "close"):
        monkeypatch.setattr(writing.os, name, counting(getattr(os, name)))


def test_files_have_the_mode_of_the_umask(certificates, tmp_path):
    """Certificates are public: the umask decides about the mode of their files."""
    before = os.umask(0o027)
    try:
        write_folder([gathered(certificates[0])], tmp_path / "into")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "into").iterdir()} == {0o640}


@pytest.mark.parametrize("name", ["a\0b", "a\udcff\ud800"])
def test_folder_that_cannot_be(name, tmp_path):
    """A name that no folder can have, and a file in its place: an error, no traceback, before anything is fetched."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "index.json").write_text("{}")
    for refuse in (require_folder, lambda folder: write_folder([], folder)):
        with pytest.raises(OutputError, match="no folder can have this name"):
            refuse(tmp_path / name)
        with pytest.raises(OutputError, match="file: Not a directory"):
            refuse(tmp_path / "file")
        with pytest.raises(OutputError, match="Not a directory"):
            refuse(tmp_path / "file" / "below")
        with pytest.raises(OutputError, match="is not an index of pkcs12kit"):
            refuse(tmp_path / "foreign")
        with pytest.raises(OutputError, match="a folder without a name"):  # and not the current one
            refuse("")


def test_a_look_at_the_folder_makes_nothing(tmp_path):
    """``require_folder`` creates neither the folder nor those above it."""
    require_folder(tmp_path / "a" / "b")
    require_folder(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_nothing_to_write(certificates, tmp_path):
    """No index is written where nothing was gathered, except to record that earlier certificates are gone."""
    write_folder([], tmp_path)
    assert [*tmp_path.iterdir()] == []
    write_folder([gathered(certificates[0])], tmp_path)
    write_folder([], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
