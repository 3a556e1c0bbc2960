"""Parsing of responses: by content, within limits, with a reason in one line for everything else."""

from __future__ import annotations

import base64
import zipfile
from io import BytesIO

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.contents import read_contents

from .encodings import ber

URL = "http://pki.example/issuedto.p7c"


@pytest.fixture(scope="module")
def certificates(replica):
    """Three certificates."""
    return list(replica.pool)[:3]


def read(data, *, at_most=100, limits=DEFAULT_LIMITS):
    """Parse the response of a URL."""
    return read_contents(data, url=URL, at_most=at_most, limits=limits)


def p7c(certificates, encoding=Encoding.DER):
    """Bundle certificates as certs-only CMS."""
    return pkcs7.serialize_certificates([each.as_cryptography for each in certificates], encoding)


def pair(first, second):
    """Make a crossCertificatePair (RFC 4523 section 2.3) of two certificates."""

    def tagged(tag, content):
        return bytes((tag, 0x82)) + len(content).to_bytes(2) + content

    return tagged(0x30, tagged(0xA0, first.der) + tagged(0xA1, second.der))


FORMS = {
    "certs-only CMS, DER": p7c,
    "certs-only CMS, BER": ber,
    "PEM PKCS#7": lambda certificates: p7c(certificates, Encoding.PEM),
    "PEM": lambda certificates: "some text\n".join(each.to_pem() for each in certificates).encode(),
    "DER one after another": lambda certificates: b"".join(each.der for each in certificates),
    "base64": lambda certificates: base64.encodebytes(p7c(certificates)),
}


@pytest.mark.parametrize("form", FORMS)
def test_reads_each_form(certificates, form):
    """RFC 5280 section 4.2.2.1 names DER and certs-only CMS; servers have more forms, with any Content-Type."""
    contents = read(FORMS[form](certificates))
    assert set(contents.certificates) == set(certificates)
    assert (contents.rejects, contents.why) == ((), "")


def test_reads_a_cross_certificate_pair(certificates):
    """The form of directories (RFC 4523 section 2.3), which some copy to a web server."""
    assert read(pair(*certificates[:2])).certificates == tuple(certificates[:2])


def test_keeps_the_order(certificates):
    """Certificates come in the order of the content."""
    assert read(FORMS["PEM"](certificates)).certificates == tuple(certificates)


def zipped(certificates):
    """Pack a certificate."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ca.cer", certificates[0].der)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<!DOCTYPE html><html>Not found</html>", "an HTML page"),
        (b"", "nothing: it is empty"),
        (b"Service unavailable", "text without a PEM block"),
        (bytes(range(256)), "binary data of an unknown kind"),
    ],
)
def test_nonsense_has_a_reason(data, found):
    """Other content has a reason in one line, and raises nothing."""
    contents = read(data)
    assert contents.certificates == ()
    assert contents.why == f"expected a certificate, found {found}"


def test_opens_no_zip(certificates):
    """Zip is refused: RFC 5280 section 4.2.2 does not name it, and a stranger could make us unpack archives."""
    assert read(zipped(certificates)).why == "expected a certificate, found a zip archive"


def test_opens_no_pkcs12(replica):
    """PKCS#12 is refused, even without a password: a stranger could choose any number of iterations."""
    bundle = pk.Bundle.certificates_only(replica.valid_paths[0])
    pfx = pk.encode_pfx(bundle, password=None, profile=pk.profiles.NO_PASSWORD)
    armored = b"-----BEGIN PKCS12-----\n" + base64.encodebytes(pfx) + b"-----END PKCS12-----\n"
    for data in (pfx, base64.encodebytes(pfx), armored):
        contents = read(data)
        assert (contents.certificates, contents.rejects) == ((), ())
        assert contents.why == "expected a certificate, found a PKCS#12 file"


def test_a_crl_is_no_certificate(replica):
    """A repository may hold CRLs as well (RFC 5280 section 4.2.2.2)."""
    assert read(replica.crls[0].der).why == "expected a certificate, found a certificate revocation list (CRL)"


def test_a_bundle_of_none_says_so():
    """Some CAs publish an empty certs-only CMS if they have issued to no CA."""
    empty = {
        "version": "v1",
        "digest_algorithms": [],
        "encap_content_info": {"content_type": "data"},
        "certificates": [],
        "signer_infos": [],
    }
    data = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(empty)}).dump()
    assert read(data).why == "expected a certificate, found a PKCS#7 bundle without certificates"


def test_a_damaged_certificate_loses_no_other(certificates):
    """An unreadable certificate is a reject that names the URL."""
    damaged = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
    contents = read(certificates[0].to_pem().encode() + damaged + certificates[2].to_pem().encode())
    assert contents.certificates == (certificates[0], certificates[2])
    assert [reject.source for reject in contents.rejects] == [URL]


def test_takes_no_more_than_allowed(certificates):
    """The first certificates are kept, and the reason says that there are more."""
    contents = read(p7c(certificates), at_most=2)
    assert len(contents.certificates) == 2
    assert contents.why == "more certificates than are taken (limits.retrieval_certificates)"


def test_rejects_count_as_well():
    """Rejects count for the limit like certificates."""
    junk = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" * 50
    contents = read(junk, at_most=10)
    assert (contents.certificates, len(contents.rejects)) == ((), 10)
    assert "limits.retrieval_certificates" in contents.why
