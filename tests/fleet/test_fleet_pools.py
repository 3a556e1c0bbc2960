"""The CA certificates of many bundles: one digest of their contents, and one loading in each process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet import pools
from pkcs12kit.fleet.pools import fleet_digest, load_pool

LIMITS = pk.DEFAULT_LIMITS


@pytest.fixture
def folder(files, tmp_path):
    """A copy of the lab's CA certificates, in a folder with several files."""
    (tmp_path / "cas").mkdir()
    for number, certificate in enumerate(pk.load_certificates(files.certificates)):
        (tmp_path / "cas" / f"{number}.der").write_bytes(certificate.der)
    return tmp_path / "cas"


def digest(folder, *anchors):
    """The digest of a folder and anchors."""
    return fleet_digest([str(folder)], [str(anchor) for anchor in anchors], limits=LIMITS)


def test_the_digest_is_of_contents_not_of_names(folder, files, tmp_path):
    """Another place and other names give the same digest; every other change gives another."""
    before = digest(folder, files.trust_anchor)
    moved = shutil.copytree(folder, tmp_path / "moved")
    (moved / "0.der").rename(moved / "z.pem")
    assert digest(moved, files.trust_anchor) == before
    one = moved / "1.der"
    one.write_bytes(one.read_bytes() + b"\n")
    assert digest(moved, files.trust_anchor) != before
    one.unlink()
    assert digest(moved, files.trust_anchor) != before
    assert digest(folder) != before
    assert fleet_digest([str(folder), str(files.trust_anchor)], [], limits=LIMITS) != before
    with pytest.raises(pk.InputError, match="none"):
        digest(tmp_path / "none")


def test_a_process_loads_them_once(folder, files, monkeypatch):
    """The second bundle gets the same pool, without reading a file."""
    paths, anchors = [str(folder)], [str(files.trust_anchor)]
    expected = digest(folder, files.trust_anchor)
    first = load_pool(paths, anchors, expected, limits=LIMITS)
    monkeypatch.setattr(pools, "load_certificates", None)
    monkeypatch.setattr(pools, "fleet_digest", None)
    assert load_pool(paths, anchors, expected, limits=LIMITS) is first
    assert len(first.certificates) == len(list(folder.iterdir()))


def test_a_worker_that_sees_other_files_fails(folder, files):
    """A machine that does not share the folder, or has another version of it, never builds from other certificates."""
    expected = digest(folder, files.trust_anchor)
    next(Path(folder).iterdir()).unlink()
    with pytest.raises(pk.InputError, match="not those with which the run began") as caught:
        load_pool([str(folder)], [str(files.trust_anchor)], expected, limits=LIMITS)
    assert "cas" in str(caught.value)
