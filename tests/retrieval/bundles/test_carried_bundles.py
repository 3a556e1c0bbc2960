"""Bundles from a file: the same check of signed checksums as for a download, whatever the file is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkcs12kit import ArgumentError, InputError, UnknownNameError, lab
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.bundles import fetch as fetch_module
from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus
from pkcs12kit.retrieval.bundles.fetch import choose_bundle, fetch_bundle
from pkcs12kit.retrieval.bundles.published import PUBLISHED
from pkcs12kit.retrieval.options import FetchOptions
from pkcs12kit.retrieval.retrieved import Status


@pytest.fixture
def carried(publisher, tmp_path, monkeypatch):
    """Read bytes as a file that was carried, where the lab's root is a known one; nothing may be fetched."""
    ours = {"dod": replace(PUBLISHED["dod"], roots=(publisher.root.certificate.sha256,))}
    monkeypatch.setattr(fetch_module, "make_fetcher", None)
    monkeypatch.setattr(fetch_module, "open_cache", None)

    def read(data, *, name="from the stick.bin", **how):
        (tmp_path / name).write_bytes(data)
        bundle = choose_bundle(str(tmp_path / name), ours, limits=DEFAULT_LIMITS)
        return fetch_bundle(bundle, **how)

    return read


@pytest.mark.parametrize("name", ["unclass-certificates_pkcs7_DoD.zip", "old.txt", "ünïcode 1.zip", "-dash.zip"])
def test_a_sound_archive(carried, publisher, name):
    """Its signer leads to a known root: it is verified, under any name; where it came from is the file."""
    report = carried(publisher.archive(), name=name)
    assert (report.why, report.checksum.status) == ("", ChecksumStatus.VERIFIED)
    assert set(report.pool) == set(publisher.certificates)
    assert report.retrievals[0].status is Status.READ
    assert report.retrievals[0].size == 0
    assert all(origin.url.startswith("file:///") for each in report.certificates for origin in each.origins)
    assert report.warnings == ()


def test_what_the_download_refuses(carried, publisher, parts):
    """Unsigned, signed by a stranger, damaged, changed or packed twice: refused, each with its reason."""
    stranger = lab.Authority.create("DoD Root CA 3")
    forged = {parts.bundle: parts.as_pkcs7([stranger.certificate])}
    sound = publisher.archive()
    changed = publisher.files() | {parts.bundle: b"changed"}
    listing = parts.list_of(publisher.files())
    for data, reason in {
        parts.as_zip(publisher.files().items()): "absent: the archive has none (--unsigned",
        publisher.archive(forged, signer=publisher.make_signer(issuer=stranger)): "not-anchored: ",
        publisher.archive(checksums=b"nonsense"): "the checksum file ",
        publisher.archive(changed, listing=listing): "is not the signed file",
        sound[: len(sound) // 2]: "",
        sound[:200] + bytes(40) + sound[240:]: "",
        parts.as_zip([("dod.zip", sound)]): "it holds another archive, dod.zip: take that out",
        b"": "",
        b"<html>Sign in</html>": "",
    }.items():
        report = carried(data)
        assert report.why, reason
        assert reason in report.why
        assert (report.certificates, report.changes) == ((), None)


def test_unsigned_on_request(carried, publisher, parts):
    """The same option as for a download uses it even so; never one that contradicts its checksums."""
    unsigned = parts.as_zip(publisher.files().items())
    assert set(carried(unsigned, allow_unsigned=True).pool) == set(publisher.certificates)
    changed = publisher.archive(publisher.files() | {parts.bundle: b"x"}, listing=parts.list_of(publisher.files()))
    assert carried(changed, allow_unsigned=True).why


def test_the_users_own_anchor(carried, publisher):
    """With trust anchors, the signer must lead to one of them; a known root in the archive is not enough."""
    assert carried(publisher.archive(), trust_anchors=[publisher.root.certificate]).why == ""
    assert carried(publisher.archive(), trust_anchors=[lab.Authority.create("Other").certificate]).why


def test_a_list_without_an_archive_is_a_source(carried, publisher, parts):
    """GSA's list has no checksums anywhere: it is used as a source, with a warning; and not with strict checksums."""
    report = carried(parts.as_pkcs7(publisher.certificates), name="fpki.p7b")
    assert (report.why, set(report.pool)) == ("", set(publisher.certificates))
    assert report.checksum.status is ChecksumStatus.ABSENT
    (warning,) = report.warnings
    assert "only a source" in warning
    assert carried(parts.as_pkcs7(publisher.certificates), strict_checksums=True).why
    # of a named bundle whose publisher signs, a list from a file is refused, as it is from its server
    named = replace(PUBLISHED["dod"], file=report.bundle.file)
    assert "its publisher signs" in fetch_bundle(named).why


def test_changes(carried, publisher):
    """A carried list is compared with the certificates that one gives."""
    report = carried(publisher.archive(), previous=publisher.certificates[:1])
    assert (report.changes.compared, report.changes.new) == (True, publisher.certificates[1:])
    assert not carried(publisher.archive()).changes.compared


def test_which_texts_are_files(tmp_path, monkeypatch):
    """A known name comes first, then a file that exists; what can only be a file is said to be missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dod").write_bytes(b"x")
    (tmp_path / "mine").write_bytes(b"x")
    assert choose_bundle("dod", limits=DEFAULT_LIMITS) is PUBLISHED["dod"]
    assert choose_bundle("./dod", limits=DEFAULT_LIMITS).file == "./dod"
    assert choose_bundle("mine", limits=DEFAULT_LIMITS).file == "mine"
    assert choose_bundle(tmp_path / "mine", limits=DEFAULT_LIMITS).file == str(tmp_path / "mine")
    assert choose_bundle("https://dl.dod.cyber.mil/a.zip", limits=DEFAULT_LIMITS).file == ""
    with pytest.raises(UnknownNameError, match="did you mean 'dod'"):
        choose_bundle("dood", limits=DEFAULT_LIMITS)
    for missing in ("nowhere.zip", "./nowhere", "some/where"):
        with pytest.raises(InputError, match="no such file"):
            fetch_bundle(missing)
    with pytest.raises(InputError, match="a folder; a bundle is one file"):
        fetch_bundle(tmp_path)
    with pytest.raises(InputError, match="file:"):
        fetch_bundle("file:///etc/passwd")
    with pytest.raises(ArgumentError, match="bundle"):
        fetch_bundle(b"PK")


def test_limits_of_a_source(carried, publisher):
    """The file is read within the limits for a user's own sources, without a size that fits a download only."""
    with pytest.raises(InputError, match="input_bytes"):
        carried(publisher.archive(), limits=replace(DEFAULT_LIMITS, input_bytes=100))
    assert carried(publisher.archive(), options=FetchOptions(offline=True)).why == ""
