"""CRLs and OCSP responses from what users have them in: files and folders, DER and PEM."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

import pkcs12kit as pk


@pytest.fixture(scope="module")
def crl(crl_pem):
    """The CRL, DER."""
    return x509.load_pem_x509_crl(crl_pem).public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def responses(leaf, intermediate):
    """An OCSP response that says good, and one that says nothing, DER."""
    certificate, (issuer, issuer_key) = leaf[0], intermediate
    at = certificate.not_valid_before_utc
    good = (
        ocsp.OCSPResponseBuilder()
        .add_response(certificate, issuer, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, at, None, None, None)  # noqa: S303 - names the certificate, as responders do (RFC 6960 section 4.3)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
        .sign(issuer_key, hashes.SHA256())
    )
    later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    return tuple(response.public_bytes(Encoding.DER) for response in (good, later))


def test_crls_in_any_form(tmp_path, crl, crl_pem):
    """DER, PEM with junk around it, bytes and a path: the same CRL each time, as DER, and once."""
    (tmp_path / "a.bin").write_bytes(crl)
    (tmp_path / "b.txt").write_bytes(b"junk\r\n" + crl_pem.replace(b"\n", b"\r\n") + b"junk")
    for source in (tmp_path / "a.bin", str(tmp_path / "b.txt"), crl, crl_pem):
        assert pk.load_crls(source) == (crl,)
    assert pk.load_crls(tmp_path / "a.bin", tmp_path / "b.txt", crl) == (crl,)


def test_ocsp_responses(tmp_path, responses):
    """One file or several, one that says good or one that says nothing: what they say is not looked at here."""
    for number, response in enumerate(responses):
        (tmp_path / f"{number}.ors").write_bytes(response)
    assert pk.load_ocsp_responses(*sorted(tmp_path.iterdir())) == responses
    assert pk.load_ocsp_responses(tmp_path) == responses


def test_folders_with_other_things_in_them(tmp_path, crl, responses, chain):
    """A folder may hold both, certificates, texts and subfolders: each loader takes its own."""
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "a.crl").write_bytes(crl)
    (tmp_path / "b.ors").write_bytes(responses[0])
    (tmp_path / "c.cer").write_bytes(chain[0].public_bytes(Encoding.DER))
    (tmp_path / "README").write_text("What is here.")
    (tmp_path / "empty").touch()
    assert pk.load_crls(tmp_path) == (crl,)
    assert pk.load_ocsp_responses(tmp_path) == responses[:1]


def test_none_where_one_was_expected(tmp_path, crl, responses, chain):
    """A source that the user named must hold one; the sentence says what it holds instead."""
    with pytest.raises(pk.InputError, match=r"the bytes given: expected an OCSP response, found a certificate rev"):
        pk.load_ocsp_responses(crl)
    with pytest.raises(pk.InputError, match=r"\(CRL\), found an OCSP response"):
        pk.load_crls(responses[0])
    with pytest.raises(pk.InputError, match=r"\(CRL\), found a certificate"):
        pk.load_crls(crl, chain[0].public_bytes(Encoding.PEM))
    with pytest.raises(pk.InputError, match="found no such file in the folder"):
        pk.load_crls(tmp_path)
    with pytest.raises(pk.InputError, match="no such file"):
        pk.load_crls(tmp_path / "nowhere")
