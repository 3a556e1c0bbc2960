"""The lists of CA certificates that Mozilla, DISA and GSA publish are read whole: nothing rejected, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from asn1crypto import cms, pem

from pkcs12kit.sources.loading import load_certificates

MOZILLA: Final = Path("/etc/ssl/certs/ca-certificates.crt")
# The numbers of certificates that the README beside the files has, or `openssl pkcs7 -print_certs` prints
PUBLISHED: Final = {
    "Certificates_PKCS7_v5_14_DoD.pem.p7b": 49,
    "dod-2019.pem": 42,
    "dod-2026-07.pem": 37,
    "dod-roots-2026-07.pem": 3,
    "fpki-2024-10.p7b": 146,
    "fpki-2025-06.p7b": 139,
    "fpki-historic.pem": 23,
    "fpki-unmanaged-bundle.p7b": 11,
}


def encodings(data):
    """The certificates of a list, by asn1crypto: in PEM blocks or in PKCS#7."""
    blocks = [contents for _, _, contents in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]
    if b"BEGIN CERTIFICATE" in data:
        return blocks
    return [one.chosen.dump() for one in cms.ContentInfo.load(blocks[0])["content"]["certificates"]]


def require_whole(file, data):
    """Check that each certificate of the list is read, octet by octet, with its key and all its extensions."""
    pool = load_certificates(file)
    assert pool.rejects == ()
    assert {certificate.der for certificate in pool} == set(encodings(data))
    for certificate in pool:
        assert certificate.public_key is not None, certificate
        assert certificate.extensions.lost == frozenset(), certificate
    return pool


@pytest.mark.parametrize("name", PUBLISHED)
def test_lists_of_disa_and_gsa(fpki, name):
    """Each certificate is read, also those that pyca/cryptography refuses."""
    assert len(require_whole(fpki / name, (fpki / name).read_bytes())) == PUBLISHED[name]


def test_the_list_of_mozilla(cannot_run):
    """As Debian's package ca-certificates installs it."""
    if not MOZILLA.exists():
        cannot_run(f"needs {MOZILLA} (Debian's ca-certificates)")
    assert len(require_whole(MOZILLA, MOZILLA.read_bytes())) > 100
