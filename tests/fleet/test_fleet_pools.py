"""The CA certificates and CRLs of many bundles: one digest of their contents, and one loading in each process."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet import pools
from pkcs12kit.fleet.bundles import FleetBundle
from pkcs12kit.fleet.pools import evidence_digest, evidence_files, fleet_digest, load_evidence, load_pool
from pkcs12kit.lab import Authority
from pkcs12kit.paths.revocation.model import RevocationMode

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
    (moved / "server.p12").write_bytes(b"a file that the run writes there")
    assert digest(moved, files.trust_anchor) == before
    assert digest(moved, files.certificate) != before
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


@pytest.fixture
def crl(tmp_path):
    """A bundle that names the only CRL in a folder, and its digest."""
    (tmp_path / "crls").mkdir()
    made = tmp_path / "crls" / "ca.crl"
    made.write_bytes(Authority.create("Issuer").make_crl())
    bundle = FleetBundle(name="a", output="a.p12", folder="/", options={"crl": [str(made.parent)]})
    return bundle, made, evidence_digest(*evidence_files(bundle), limits=LIMITS)


def test_a_process_loads_crls_once(crl, monkeypatch):
    """The second bundle gets the same CRLs without reading a file, and one with another mode reads them itself."""
    bundle, made, digest = crl
    first = load_evidence(bundle, digest, limits=LIMITS)
    assert first.crls == (made.read_bytes(),)
    with monkeypatch.context() as patch:
        patch.setattr(pools, "load_revocation", None)
        assert load_evidence(replace(bundle, name="b"), digest, limits=LIMITS) is first
    strict = replace(bundle, options={**bundle.options, "revocation": "require"})
    assert load_evidence(strict, digest, limits=LIMITS).mode is RevocationMode.REQUIRE
    without = replace(bundle, options={**bundle.options, "revocation": "off"})
    assert evidence_digest(*evidence_files(without), limits=LIMITS) == ""
    assert load_evidence(without, "", limits=LIMITS) is None


def test_a_worker_that_sees_other_crls_fails(crl):
    """Another CRL fails the bundle, also one too many or none; another file in its folder does not matter."""
    bundle, made, digest = crl
    (made.parent / "server.p12").write_bytes(b"another file")
    assert load_evidence(bundle, digest, limits=LIMITS).crls
    for expected in ("", "00" * 32):
        with pytest.raises(pk.InputError, match="CRLs or OCSP responses are not those with which the run began"):
            load_evidence(bundle, expected, limits=LIMITS)
    made.with_name("more.crl").write_bytes(Authority.create("Another").make_crl())
    older = replace(bundle, options={**bundle.options, "revocation_max_age": "1d"})
    with pytest.raises(pk.InputError, match="not those with which the run began"):
        load_evidence(older, digest, limits=LIMITS)
